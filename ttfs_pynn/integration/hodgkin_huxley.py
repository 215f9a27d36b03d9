"""HH_cond_exp, the Hodgkin-Huxley neuron of Traub and Miles (1991), by Dormand and Prince's method of order 8.

    cm v' = g_leak (e_leak - v) + g_Na m^3 h (e_Na - v) + g_K n^4 (e_K - v) + sum_c g_c(t) (e_c - v) + i
    x' = alpha_x(u) (1 - x) - beta_x(u) x   for x = m, h, n;   u = v - v_offset,   phi(z) = z/(exp(z) - 1)
    alpha_m = 1.28 phi((13 - u)/4)       beta_m = 1.4 phi((u - 40)/5)
    alpha_h = 0.128 exp((17 - u)/18)     beta_h = 4/(1 + exp((40 - u)/5))
    alpha_n = 0.16 phi((15 - u)/5)       beta_n = 0.5 exp((10 - u)/40)

PyNN's documentation names no threshold: a spike is v rising through -40 mV, and the next one needs v below -40 mV in between.
There is no reset and no refractoriness. Initial gates are PyNN's, m = n = 0 and h = 1.

Simulators define spikes otherwise. NEST's is a local maximum of v above v_offset + 30 mV with 2 ms dead time, some 0.2 ms later
at any step. NEURON's is v rising through 10 mV, and its h begins at 0. Brian2 spikes once a step while v > -40 mV.
"""

import math

from ttfs_pynn.integration.cells import CM, CURRENT, E_LEAK, G_LEAK, N_STATE, RATE, REVERSAL, G, V
from ttfs_pynn.integration.dormand_prince import BEGIN, DEGREE, stepping
from ttfs_pynn.membrane.compiling import inner

__all__ = ["G_K", "G_NA", "N_GATED", "THRESHOLD", "step"]

THRESHOLD = -40.0  # mV
# Behind the row of the state of other cells: gates, and the length (ms) with which the next step is tried.
M, H, N, WISH = range(N_STATE, N_STATE + 4)
N_GATED = N_STATE + 4
# Parameters, in places that others have for what this cell has not.
G_NA, E_NA, G_K, E_K, V_OFFSET = 7, 8, 9, 10, 11
_GATES = 1e-2  # allowed error of a gate, in that of v in mV
_FIRST = 0.01  # ms


@inner
def _phi(z):
    """z/(exp(z) - 1), 1 at 0."""
    return z / math.expm1(z) if z != 0.0 else 1.0


@inner
def _slopes(stages, row, state, n, p, y, s):
    """The slopes at stages[y], s ms into the step, to stages[row]."""
    v, m, h, k = stages[y, 0], stages[y, 1], stages[y, 2], stages[y, 3]
    total = p[n, G_LEAK] * (p[n, E_LEAK] - v) + p[n, CURRENT]
    total += p[n, G_NA] * m * m * m * h * (p[n, E_NA] - v) + p[n, G_K] * (k * k) * (k * k) * (p[n, E_K] - v)
    for c in range(2):
        if state[n, G + c] != 0.0:
            total += state[n, G + c] * math.exp(-p[n, RATE + c] * s) * (p[n, REVERSAL + c] - v)
    stages[row, 0] = total / p[n, CM]
    u = v - p[n, V_OFFSET]
    alpha, beta = 1.28 * _phi((13.0 - u) / 4.0), 1.4 * _phi((u - 40.0) / 5.0)
    stages[row, 1] = alpha - (alpha + beta) * m
    alpha, beta = 0.128 * math.exp((17.0 - u) / 18.0), 4.0 / (1.0 + math.exp((40.0 - u) / 5.0))
    stages[row, 2] = alpha - (alpha + beta) * h
    alpha, beta = 0.16 * _phi((15.0 - u) / 5.0), 0.5 * math.exp((10.0 - u) / 40.0)
    stages[row, 3] = alpha - (alpha + beta) * k


_step = stepping(_slopes, 4)


@inner
def step(n, h, tolerance, state, p, rows, stages):
    """(degree, h): polynomials rows[:4] of v, m, h, n of neuron n from now on, for at most h (ms); h of 0 where no finite step
    can be made. tolerance: mV, of each step. The state at its end is taken from them by `advance`."""
    allowed = max(tolerance, 2e-12)
    gate = max(_GATES * allowed, 1e-15)
    wish = state[n, WISH] if state[n, WISH] > 0.0 else _FIRST
    stages[BEGIN, 0], stages[BEGIN, 1], stages[BEGIN, 2], stages[BEGIN, 3] = state[n, V], state[n, M], state[n, H], state[n, N]
    length, state[n, WISH] = _step(rows, stages, state, n, p, (allowed, gate, gate, gate), h, wish)
    return DEGREE, length
