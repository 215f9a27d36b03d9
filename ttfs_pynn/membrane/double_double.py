"""Twice the digits of a float64, for the rare decision that rounding would otherwise take.

A number is an unevaluated sum (hi, lo) of two floats (Dekker 1971; Hida, Li, Bailey 2001): about 31 decimal digits. Only what
is needed to evaluate sum_i w_i phi(t - t_i) - cm thr.
"""

import math

from numba import njit

_LN2_HI, _LN2_LO = 0.6931471805599453, 2.3190468138462996e-17
_SPLIT = 134217729.0  # 2^27 + 1


@njit(cache=True)
def two_sum(a, b):
    s = a + b
    c = s - a
    return s, (a - (s - c)) + (b - c)


@njit(cache=True)
def _two_product(a, b):
    p = a * b
    c = _SPLIT * a
    a_hi = c - (c - a)
    a_lo = a - a_hi
    c = _SPLIT * b
    b_hi = c - (c - b)
    b_lo = b - b_hi
    return p, ((a_hi * b_hi - p) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo


@njit(cache=True)
def add(a, b):
    s, e = two_sum(a[0], b[0])
    t, f = two_sum(a[1], b[1])
    s, e = two_sum(s, e + t)
    return two_sum(s, e + f)


@njit(cache=True)
def multiply(a, b):
    p, e = _two_product(a[0], b[0])
    return two_sum(p, e + (a[0] * b[1] + a[1] * b[0]))


@njit(cache=True)
def divide(a, b):
    q1 = a[0] / b[0]
    r = add(a, multiply((-q1, 0.0), b))
    return two_sum(q1, r[0] / b[0])


@njit(cache=True)
def _expm1_over_small(x):
    """exp(x) - 1 for |x| < 0.5, by its series."""
    term = x
    total = x
    for n in range(2, 40):
        term = divide(multiply(term, x), (float(n), 0.0))
        total = add(total, term)
        if abs(term[0]) < 1e-34 * abs(total[0]):
            break
    return total


@njit(cache=True)
def expm1(x):
    """exp(x) - 1."""
    if abs(x[0]) < 0.35:
        return _expm1_over_small(x)
    y = exp(x)
    return add(y, (-1.0, 0.0))


@njit(cache=True)
def exp(x):
    """exp(x) for -700 < x < 700; 0 below."""
    if x[0] < -700.0:
        return 0.0, 0.0
    k = float(round(x[0] / _LN2_HI))
    r = add(x, multiply((-k, 0.0), (_LN2_HI, _LN2_LO)))
    y = add(_expm1_over_small(r), (1.0, 0.0))
    scale = math.ldexp(1.0, int(k))
    return y[0] * scale, y[1] * scale


@njit(cache=True)
def phi(s, tau_m, tau_syn):
    """(exp(-s/tau_m) - exp(-s/tau_syn)) / (1/tau_syn - 1/tau_m), s a double-double, the constants floats (tau_m may be inf)."""
    one = (1.0, 0.0)
    rate_s = divide(one, (tau_syn, 0.0))
    rate_m = (0.0, 0.0) if tau_m == math.inf else divide(one, (tau_m, 0.0))
    difference = add(rate_s, (-rate_m[0], -rate_m[1]))
    slow = rate_m
    if difference[0] < 0.0:
        slow = rate_s
        difference = (-difference[0], -difference[1])
    decay = multiply(slow, s)
    decay = exp((-decay[0], -decay[1]))
    if difference[0] == 0.0:
        return multiply(decay, s)
    x = multiply(difference, s)
    rise = expm1((-x[0], -x[1]))
    return divide(multiply(decay, (-rise[0], -rise[1])), difference)
