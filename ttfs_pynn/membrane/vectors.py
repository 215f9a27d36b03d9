"""Membranes and currents of many neurons at once, carried through blocks of sorted inputs."""

from numba import njit

from ttfs_pynn.membrane.sorted_inputs import BLOCK, TO_J, TO_V

__all__ = ["add_block", "add_rows", "short_reach"]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def add_rows(w, order, steps, k, factor, at, to):
    """to += sum of BLOCK rows of w, each times its factor. One result a loop: compilers vectorise no more than that here."""
    to_end = at + to.shape[0]
    w0, w1 = w[order[k]][at:to_end], w[order[k + 1]][at:to_end]
    w2, w3 = w[order[k + 2]][at:to_end], w[order[k + 3]][at:to_end]
    f0, f1, f2, f3 = steps[k, factor], steps[k + 1, factor], steps[k + 2, factor], steps[k + 3, factor]
    for n in range(to.shape[0]):
        to[n] += (w0[n] * f0 + w1[n] * f1) + (w2[n] * f2 + w3[n] * f3)


@njit(cache=True, error_model="numpy")
def _positive(a):
    return a if a > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def _add_positive_rows(w, order, k, at, to):
    to_end = at + to.shape[0]
    w0, w1 = w[order[k]][at:to_end], w[order[k + 1]][at:to_end]
    w2, w3 = w[order[k + 2]][at:to_end], w[order[k + 3]][at:to_end]
    for n in range(to.shape[0]):
        to[n] += (_positive(w0[n]) + _positive(w1[n])) + (_positive(w2[n]) + _positive(w3[n]))


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def add_block(x, j, decay_m, w, order, steps, first, last, at, new_x, new_j, bound):
    """Carry neurons at, at + 1, ... through the inputs order[first:last]; bound: max(j, 0) + the sum of positive weights."""
    size = x.shape[0]
    to_v, to_j = steps[first, TO_V], steps[first, TO_J]
    for n in range(size):
        new_x[n] = x[n] * decay_m + j[n] * to_v
    for n in range(size):
        new_j[n] = j[n] * to_j
    for n in range(size):
        bound[n] = j[n] if j[n] > 0.0 else 0.0
    if last - first < BLOCK:
        for k in range(first, last):
            row, to_v, to_j = w[order[k]][at:at + size], steps[k, TO_V], steps[k, TO_J]
            for n in range(size):
                new_x[n] += row[n] * to_v
            for n in range(size):
                new_j[n] += row[n] * to_j
            for n in range(size):
                bound[n] += row[n] if row[n] > 0.0 else 0.0
        return
    add_rows(w, order, steps, first, TO_V, at, new_x)
    add_rows(w, order, steps, first, TO_J, at, new_j)
    _add_positive_rows(w, order, first, at, bound)


@njit(cache=True, error_model="numpy")
def short_reach(length, reach, rate_m):
    """(reach, leak) of the bound max(v, 0) + max(J - leak max(v, 0), 0) reach, J the largest current of a block of this length.

    dv/ds = j - r_m v <= J - r_m v, so v rises by at most (J - r_m v) (1 - exp(-r_m S))/r_m < (J - r_m v) S: in short blocks
    this is less than J phi, which leaves out the leak, but not in long ones.
    """
    return (length, rate_m) if length * rate_m < 0.3 else (reach, 0.0)
