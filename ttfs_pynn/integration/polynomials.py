"""Where a polynomial on [0, 1] first reaches zero from below: found for certain, by Bernstein coefficients.

A polynomial lies between the smallest and the largest of its Bernstein coefficients. Where all are negative it has no zero, where
their signs change once it has one, and where neither is so the interval is halved.
"""

import numpy as np
from numba import njit
from scipy.special import comb

from ttfs_pynn.membrane.compiling import inlined, inner

__all__ = ["MOST", "NOWHERE", "first_upcrossing", "stack_room", "upcrossing_of", "value"]

MOST = 24  # the highest degree
NOWHERE = 2.0
_DEPTH = 48  # halvings; an interval of 1e-14 that is still undecided is within rounding of zero
_SHARES = np.array([[comb(j, i) / comb(n, i) if i <= j <= n else 0.0 for j in range(MOST + 1) for i in range(MOST + 1)]
                    for n in range(MOST + 1)]).reshape(MOST + 1, MOST + 1, MOST + 1)  # b_j = sum_i _SHARES[n, j, i] c_i


@inner
def stack_room():
    """Memory for `first_upcrossing`."""
    return np.empty((_DEPTH + 4, MOST + 3))


@inlined
def value(c, row, n, x):
    """The polynomial of degree n with the coefficients c[row] at x."""
    total = c[row, n]
    for k in range(n - 1, -1, -1):
        total = total * x + c[row, k]
    return total


@inner
def _root(c, n, level, low, high):
    """The zero of c[0] - level between low, where it is negative, and high: Newton's steps, kept inside."""
    x = 0.5 * (low + high)
    for _ in range(200):
        total, slope = c[0, n], 0.0
        for k in range(n - 1, -1, -1):
            slope = slope * x + total
            total = total * x + c[0, k]
        total -= level
        if total < 0.0:
            low = x
        else:
            high = x
        new = x - total / slope if slope != 0.0 else low
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - x) <= 1e-16 or new == x:
            return new
        x = new
    return x


@inlined
def first_upcrossing(c, n, level, stack):
    """The first x in (0, 1] at which the polynomial c[0] of degree n reaches `level`, NOWHERE where it stays below.

    c[0, 0] < level. stack: of `stack_room`. A maximum that is within rounding of level counts as reached where it is not below.
    """
    above = c[0, 0] - level
    for k in range(1, n + 1):
        above += max(c[0, k], 0.0)
    return NOWHERE if above < 0.0 else _by_halving(c, n, level, stack)


@inner
def _by_halving(c, n, level, stack):
    low_of, high_of = MOST + 1, MOST + 2
    for j in range(n + 1):
        total = 0.0
        for i in range(j + 1):
            total += _SHARES[n, j, i] * c[0, i]
        stack[0, j] = total - level
    stack[0, low_of], stack[0, high_of] = 0.0, 1.0
    depth = 1
    while depth > 0:
        depth -= 1
        changes, reached = 0, stack[depth, 0] >= 0.0
        for j in range(1, n + 1):
            changes += (stack[depth, j] >= 0.0) != (stack[depth, j - 1] >= 0.0)
            reached |= stack[depth, j] >= 0.0
        if not reached:
            continue
        low, high = stack[depth, low_of], stack[depth, high_of]
        if stack[depth, 0] >= 0.0:
            return low
        if changes == 1:
            return _root(c, n, level, low, high)
        if depth + 2 > _DEPTH or high - low < 1e-13:
            if stack[depth, n] >= 0.0:
                return high
            continue
        # de Casteljau at the middle: the left part goes on top, the right one below it.
        middle = 0.5 * (low + high)
        left = depth + 1
        for r in range(n + 1):
            stack[left, r] = stack[depth, 0]
            for j in range(n - r):
                stack[depth, j] = 0.5 * (stack[depth, j] + stack[depth, j + 1])
        stack[left, low_of], stack[left, high_of] = low, middle
        stack[depth, low_of], stack[depth, high_of] = middle, high
        depth += 2
    return NOWHERE


@njit(cache=True, error_model="numpy")
def upcrossing_of(c, level):
    """`first_upcrossing` of an array of coefficients, for tests."""
    rows = c.reshape(1, c.shape[0])
    return first_upcrossing(rows, c.shape[0] - 1, level, stack_room())
