"""One leaky integrate-and-fire membrane between two events: evaluate it, and find where it first reaches threshold.

With x the membrane potential relative to its resting value and j = I/C the synaptic currents over the capacitance,

    dx/ds = -r_m x + j_E exp(-r_E s) + j_I exp(-r_I s),        r = 1/tau,

    x(s) = x(0) exp(-r_m s) + j_E phi(s; r_E) + j_I phi(s; r_I),
    phi(s; r_s) = (exp(-r_m s) - exp(-r_s s)) / (r_s - r_m),   phi = s exp(-r s) where the two rates are equal.

phi is evaluated with expm1, so nearly equal time constants lose no digits, and nothing overflows: every exponent is
negative. Everything here is scalar, compiled, and shared by the first-spike solver and the event-driven simulator.

In a long span everything decays below the smallest float. Then 0 >= 0 says nothing about which of two values is larger, and 0/0
nothing about their ratio. So what decides here is compared where it has digits (`surely_no_peak`), as a quotient of exponentials
(`phi_ratio`), or as a limit (`crossing_without_leak`).
"""

import math

from numba import njit

from ttfs_pynn.membrane.compiling import inner, merged

_MOST_ITERATIONS = 1200  # halving takes fewer from the largest float to the last bit of the smallest
_FADED = 1500.0  # time constants in which the largest float decays below the smallest: ln(1.8e308 / 4.9e-324) = 1454
_NOTHING = 1e-25  # of theta
_ROUNDED = 4e-15  # of a potential: what is nearer may be the same
_EARLY = 20.0  # time constants after which the faster of two exponentials still has digits beside the slower one
_HAS_DIGITS = 1e-200  # a current above this, of at most 1e107, is a product of numbers that have all their digits


@njit(cache=True, error_model="numpy")
def phi(s, rate_m, rate_s):
    """Response of the membrane at time s >= 0 to a unit current j that jumped to 1 at 0 and decays with rate_s."""
    difference = abs(rate_s - rate_m)
    if difference == 0.0:
        return s * math.exp(-rate_m * s)
    return math.exp(-min(rate_m, rate_s) * s) * (-math.expm1(-difference * s) / difference)


@njit(cache=True, error_model="numpy")
def phi_ratio(s, rate_m, rate_a, rate_b):
    """phi(s; rate_a) / phi(s; rate_b), also where both are too small for floats; 0 or inf where the ratio is."""
    a, b = abs(rate_a - rate_m), abs(rate_b - rate_m)
    rise_a = s if a == 0.0 else -math.expm1(-a * s) / a
    rise_b = s if b == 0.0 else -math.expm1(-b * s) / b
    return math.exp((min(rate_m, rate_b) - min(rate_m, rate_a)) * s) * (rise_a / rise_b)


@njit(cache=True, error_model="numpy")
def responses(s, rate_m, rate_s):
    """exp(-r_m s), exp(-r_s s) and phi(s), with one exponential where the rates are equal and two where they are not."""
    difference = rate_s - rate_m
    if difference == 0.0:
        decay = math.exp(-rate_m * s)
        return decay, decay, s * decay
    change = math.expm1(-abs(difference) * s)
    slow = math.exp(-min(rate_m, rate_s) * s)
    fast = slow * (1.0 + change)
    response = slow * (-change / abs(difference))
    return (slow, fast, response) if difference > 0.0 else (fast, slow, response)


SHORT = 1e-3  # of the fastest time constant


@njit(cache=True, error_model="numpy")
def short_responses(s, rate_m, rate_s):
    """`responses` for s <= SHORT / (the larger rate), from their Taylor series: as exact, and without an exponential."""
    x, y = rate_m * s, rate_s * s
    xx, xy, yy = x * x, x * y, y * y
    decay_m = 1.0 - x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x / 24.0)))
    decay_s = 1.0 - y * (1.0 - y * (0.5 - y * (1.0 / 6.0 - y / 24.0)))
    response = s * (1.0 - (x + y) / 2.0 + (xx + xy + yy) / 6.0 - (x + y) * (xx + yy) / 24.0
                    + (xx * xx + xy * (xx + xy + yy) + yy * yy) / 120.0)
    return decay_m, decay_s, response


@njit(cache=True, error_model="numpy")
def extremum(x, j, rate_m, rate_s):
    """The time s > 0 where dx/ds = 0 for a single current j, or inf: there is at most one.

    With y = (1 - exp(-s d))/d and d = r_s - r_m, dx/ds = 0 reads y = (1 - x r_m/j)/r_s.
    """
    if j == 0.0 or rate_m == 0.0:
        return math.inf
    y = (1.0 - x * rate_m / j) / rate_s
    difference = rate_s - rate_m
    z = difference * y
    if not (y > 0.0 and z < 1.0):
        return math.inf
    if difference == 0.0:
        return y
    return -math.log1p(-z) / difference


@njit(cache=True, error_model="numpy", inline="always")
def surely_no_peak(end_x, end_j, rate_m):
    """Whether x(s) of a single current has no maximum inside a span at whose end it is end_x and its current end_j.

    dx/ds = j - r_m x has at most one zero, and at a maximum it turns from plus to minus: where x rises at the end it had none.
    The comparison holds as long as its sides have digits. After some 745 time constants both are 0, and before that a few units
    of the smallest float, so a current that small is answered with False: the caller then decides from the begin of the span,
    where `extremum` has the maximum in closed form.
    """
    return end_j >= rate_m * end_x and abs(end_j) > _HAS_DIGITS


@inner
def crossing_without_leak(x, j, theta, rate_s, span):
    """The s in (0, span] where x + j (1 - exp(-r_s s)) / r_s = theta > x, or inf. What only its limit reaches, it never does: the
    limit is to be above by more than rounding, which x may have gathered on the way to it."""
    if not x + j / rate_s - theta > _ROUNDED * (abs(x) + abs(theta)):
        return math.inf
    part = (theta - x) * rate_s / j  # of the way to the limit
    s = -math.log1p(-part) / rate_s if part < 1.0 else math.inf
    return s if s <= span else math.inf


@njit(cache=True, error_model="numpy")
def potential(s, x, j, rate_m, rate_s):
    """x(s) for a single current."""
    decay_m, _, response = responses(s, rate_m, rate_s)
    return x * decay_m + j * response


@njit(cache=True, error_model="numpy")
def _derivatives(s, x, j_exc, j_inh, rate_m, rate_exc, rate_inh):
    """x(s), dx/ds and d2x/ds2."""
    if s == 0.0:
        dv = j_exc + j_inh - rate_m * x
        return x, dv, -rate_exc * j_exc - rate_inh * j_inh - rate_m * dv
    decay_m, decay_exc, response = responses(s, rate_m, rate_exc)
    e = j_exc * decay_exc
    v = x * decay_m + j_exc * response
    i = 0.0
    if j_inh != 0.0:
        _, decay_inh, response = responses(s, rate_m, rate_inh)
        i = j_inh * decay_inh
        v += j_inh * response
    dv = e + i - rate_m * v
    return v, dv, -rate_exc * e - rate_inh * i - rate_m * dv


@njit(cache=True, error_model="numpy")
def threshold_root(x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh, lo, hi):
    """The root of x(s) = theta in [lo, hi], where x rises monotonically from below theta to theta or above.

    Each step solves the local quadratic model of x (cubic convergence, also where the slope vanishes at `hi`) and falls
    back to bisection where that would leave the bracket. It ends where the cubic term that the model left out moves the root by
    less than rounding does.
    """
    rate = max(rate_m, rate_exc, rate_inh)
    s = lo
    for _ in range(_MOST_ITERATIONS):
        v, dv, ddv = _derivatives(s, x, j_exc, j_inh, rate_m, rate_exc, rate_inh)
        gap = theta - v
        if gap == 0.0:
            return s
        if gap > 0.0:
            lo = s
        else:
            hi = s
        new = math.inf
        discriminant = dv * dv + 2.0 * ddv * gap
        if discriminant > 0.0:
            slope = math.sqrt(discriminant)
            step = 2.0 * gap / (dv + slope) if dv + slope > 0.0 else math.inf
            new = s + step
            third = rate * (abs(ddv) + rate * abs(dv))
            if lo <= new <= hi and abs(step) ** 3 * third <= 1e-16 * new * slope:
                return new
        if not (lo < new < hi):
            new = 0.5 * (lo + hi)
            if new == lo or new == hi:
                return hi
        s = new
    return s


@inner
def _rises(s, x, j_exc, j_inh, rate_m, rate_exc, rate_inh):
    """Whether dx/ds > 0. Late it is looked at times exp(r s), r the slowest rate, for its sign does not decay."""
    if s * max(rate_m, rate_exc, rate_inh) < _EARLY:
        return _derivatives(s, x, j_exc, j_inh, rate_m, rate_exc, rate_inh)[1] > 0.0
    slowest = min(rate_exc, rate_inh) if rate_m == 0.0 else min(rate_m, rate_exc, rate_inh)
    inflow = j_exc * math.exp((slowest - rate_exc) * s) + j_inh * math.exp((slowest - rate_inh) * s)
    if rate_m == 0.0:
        return inflow > 0.0
    exc, inh = abs(rate_exc - rate_m), abs(rate_inh - rate_m)
    v = x * math.exp((slowest - rate_m) * s)
    v += j_exc * math.exp((slowest - min(rate_m, rate_exc)) * s) * (s if exc == 0.0 else -math.expm1(-exc * s) / exc)
    v += j_inh * math.exp((slowest - min(rate_m, rate_inh)) * s) * (s if inh == 0.0 else -math.expm1(-inh * s) / inh)
    return inflow > rate_m * v


@njit(cache=True, error_model="numpy")
def _slope_root(x, j_exc, j_inh, rate_m, rate_exc, rate_inh, lo, hi, rising):
    """Bisection for the single zero of dx/ds in [lo, hi]; `rising`: the slope is positive at lo.

    Bisection is enough: the value of x at its extremum depends on the error of this root only to second order.
    """
    for _ in range(_MOST_ITERATIONS):
        middle = 0.5 * (lo + hi)
        if middle == lo or middle == hi:
            break
        if _rises(middle, x, j_exc, j_inh, rate_m, rate_exc, rate_inh) == rising:
            lo = middle
        else:
            hi = middle
    return 0.5 * (lo + hi)


@inner
def _single_crossing(x, j, theta, rate_m, rate_s, span):
    if rate_m == 0.0:
        return crossing_without_leak(x, j, theta, rate_s, span)
    start = 0.0
    top = extremum(x, j, rate_m, rate_s)
    if top < span:
        if potential(top, x, j, rate_m, rate_s) >= theta:
            return threshold_root(x, j, 0.0, theta, rate_m, rate_s, rate_s, 0.0, top)
        if j > 0.0:
            return math.inf  # a maximum: x only falls from here
        start = top
    if potential(span, x, j, rate_m, rate_s) >= theta:
        return threshold_root(x, j, 0.0, theta, rate_m, rate_s, rate_s, start, span)
    return math.inf


@merged
def _is_reached(s, x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh):
    """Whether x(s) >= theta; see `crossing_without_leak` for limits."""
    if not _derivatives(s, x, j_exc, j_inh, rate_m, rate_exc, rate_inh)[0] >= theta:
        return False
    if rate_m > 0.0:
        return True
    to_come = j_exc / rate_exc * math.exp(-rate_exc * s) + j_inh / rate_inh * math.exp(-rate_inh * s)
    if abs(to_come) > _ROUNDED * (abs(x) + abs(theta)):
        return True
    above = x + j_exc / rate_exc + j_inh / rate_inh - theta
    return to_come < 0.0 or above > _ROUNDED * (abs(x) + abs(theta))


@njit(cache=True, error_model="numpy")
def first_crossing(x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh, span):
    """The smallest s in (0, span] with x(s) >= theta, or inf, given x(0) < theta; span is finite.

    Nothing is sampled. For one time constant of the currents dx/ds has at most one zero, in closed form. For two,
    exp(r_m s) dx/ds is monotone on either side of the one zero of j_E r_E exp(-r_E s) + j_I r_I exp(-r_I s) (its own
    derivative, up to sign), so dx/ds has at most two zeros, each bracketed; between them x is monotone. A current
    that moves x by less than 1e-25 theta, far below rounding, is left out: what is left has digits.
    """
    slowest = min(rate_exc, rate_inh) if rate_m == 0.0 else min(rate_m, rate_exc, rate_inh)
    span = min(span, _FADED / slowest)
    if abs(j_exc) < _NOTHING * abs(theta) * max(rate_m, rate_exc):
        j_exc = 0.0
    if abs(j_inh) < _NOTHING * abs(theta) * max(rate_m, rate_inh):
        j_inh = 0.0
    if rate_exc == rate_inh:
        return _single_crossing(x, j_exc + j_inh, theta, rate_m, rate_exc, span)
    if j_inh == 0.0:
        return _single_crossing(x, j_exc, theta, rate_m, rate_exc, span)
    if j_exc == 0.0:
        return _single_crossing(x, j_inh, theta, rate_m, rate_inh, span)
    kink = span
    if (j_exc > 0.0) != (j_inh > 0.0):
        zero = (math.log(abs(j_exc / j_inh)) + math.log(rate_exc / rate_inh)) / (rate_exc - rate_inh)
        if 0.0 < zero < span:
            kink = zero
    lo = 0.0
    rises_lo = _rises(0.0, x, j_exc, j_inh, rate_m, rate_exc, rate_inh)
    monotone_from = 0.0
    for hi in (kink, span):
        if hi <= lo:
            continue
        rises_hi = _rises(hi, x, j_exc, j_inh, rate_m, rate_exc, rate_inh)
        if rises_lo != rises_hi:
            turn = _slope_root(x, j_exc, j_inh, rate_m, rate_exc, rate_inh, lo, hi, rises_lo)
            if _derivatives(turn, x, j_exc, j_inh, rate_m, rate_exc, rate_inh)[0] >= theta:
                return threshold_root(x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh, monotone_from, turn)
            monotone_from = turn
        lo = hi
        rises_lo = rises_hi
    if _is_reached(span, x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh):
        return threshold_root(x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh, monotone_from, span)
    return math.inf
