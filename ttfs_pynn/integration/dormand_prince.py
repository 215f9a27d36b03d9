"""One step of Dormand and Prince's method of order 8, its error, and its dense output as a polynomial.

The dense output has order 7. Error: Hairer's mixture of the embedded orders 5 and 3. A step whose error is NaN is never accepted.
Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, sec. II.10, DOP853; the coefficients are SciPy's.
"""

import math

import numpy as np
from scipy.integrate import DOP853

from ttfs_pynn.membrane.compiling import inner

__all__ = ["BEGIN", "DEGREE", "stepping"]

DEGREE = 7
_A = np.zeros((16, 16))
_A[:12, :12], _A[13:, :] = DOP853.A, DOP853.A_EXTRA
_A[12, :12] = DOP853.B
_C = np.concatenate([DOP853.C, [1.0], DOP853.C_EXTRA])
_E3, _E5, _D = DOP853.E3, DOP853.E5, DOP853.D
A, C, E3, E5, D = (np.ascontiguousarray(table) for table in (_A, _C, _E3, _E5, _D))
FIRST_EXTRA, STAGES = 13, 16
# Rows of the stages behind the slopes: where the step begins, a stage's argument, the step's end.
BEGIN, ARGUMENT, END = range(STAGES, STAGES + 3)


def stepping(slopes, size):
    """A cell's compiled step of `size` variables.

    slopes(stages, row, state, n, p, y, s) writes the slopes of neuron n at stages[y], s ms into the step, to stages[row].

    step(rows, stages, state, n, p, scales, h, wish) -> (length, next length): rows get the polynomials of the solution that
    begins at stages[BEGIN]; scales: allowed error of each variable (a tuple); (0, 0) if no finite step could be made.
    """
    @inner
    def argument(stages, row, h):
        """y at stage `row`."""
        for n in range(size):
            total = 0.0
            for j in range(row):
                total += A[row, j] * stages[j, n]
            stages[ARGUMENT, n] = stages[BEGIN, n] + h * total

    @inner
    def error_of(stages, scales, h):
        fifth, third = 0.0, 0.0
        for n in range(size):
            a, b = 0.0, 0.0
            for j in range(FIRST_EXTRA):
                a += E5[j] * stages[j, n]
                b += E3[j] * stages[j, n]
            fifth += (a / scales[n]) ** 2
            third += (b / scales[n]) ** 2
        if fifth == 0.0 and third == 0.0:
            return 0.0
        return h * fifth / math.sqrt((fifth + 0.01 * third) * size)

    @inner
    def dense(rows, stages, h):
        """Hairer's nested products multiplied out."""
        for n in range(size):
            rise = stages[END, n] - stages[BEGIN, n]
            for k in range(DEGREE + 1):
                rows[n, k] = 0.0
            for q in range(6, -1, -1):
                if q == 0:
                    term = rise
                elif q == 1:
                    term = h * stages[0, n] - rise
                elif q == 2:
                    term = 2.0 * rise - h * (stages[12, n] + stages[0, n])
                else:
                    term = 0.0
                    for j in range(STAGES):
                        term += D[q - 3, j] * stages[j, n]
                    term *= h
                rows[n, 0] += term
                for k in range(7 - q, 0, -1):
                    rows[n, k] = rows[n, k - 1] if q % 2 == 0 else rows[n, k] - rows[n, k - 1]
                if q % 2 == 0:
                    rows[n, 0] = 0.0
            rows[n, 0] = stages[BEGIN, n]

    @inner
    def step(rows, stages, state, i, p, scales, h, wish):
        slopes(stages, 0, state, i, p, BEGIN, 0.0)
        longest, length = h, min(h, wish)
        for _ in range(100):
            for row in range(1, FIRST_EXTRA):
                argument(stages, row, length)
                if row == 12:
                    for n in range(size):
                        stages[END, n] = stages[ARGUMENT, n]
                slopes(stages, row, state, i, p, ARGUMENT, C[row] * length)
            error = error_of(stages, scales, length)
            if error <= 1.0:
                for row in range(FIRST_EXTRA, STAGES):
                    argument(stages, row, length)
                    slopes(stages, row, state, i, p, ARGUMENT, C[row] * length)
                dense(rows, stages, length)
                growth = min(5.0, 0.9 * (error + 1e-30) ** -0.125)
                # A step cut short by an event says little about the next one's length.
                return length, max(length * growth, wish if length == longest else 0.0)
            length *= max(0.2, 0.9 * error ** -0.125) if math.isfinite(error) else 0.1
            wish = length
        return 0.0, 0.0

    return step
