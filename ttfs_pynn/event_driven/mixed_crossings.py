"""Where eight neurons with time constants of their own may reach threshold between two events, and when they do.

Times and rates in ms and 1/ms; exc and inh are the synaptic currents (nA) at the begin of a span, end_exc and end_inh at its end;
x and end the membrane there (mV), relative to the value that it decays to.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.membrane.lanes import LANES, absolute, bits, exp, exp_and_expm1, maximum, minimum, select, splat, sqrt

__all__ = ["Eight", "Events", "Spikes", "decided", "moved", "peaks", "rounding_of", "roots", "stays_below"]

_ROUNDED = 1e-13  # of the largest term: what is smaller may have the other sign
_ALL = (1 << LANES) - 1
_NEAR = 1e-8  # of the fastest time constant: what a maximum may be off
_MOST_ITERATIONS = 100  # then the plain search decides


class Events(NamedTuple):
    """All arrivals, in time order; weights (rows, neurons); tail (rows, LANES): those of the last neurons, with zeros."""

    times: np.ndarray
    rows: np.ndarray
    inhibitory: np.ndarray
    partner: np.ndarray
    weights: np.ndarray
    tail: np.ndarray


class Spikes(NamedTuple):
    """Where spikes go, see `kernels`."""

    times: np.ndarray
    noted: np.ndarray


class Eight(NamedTuple):
    """Constants of eight neurons. slow: the smaller rate of membrane and current, gap: their difference, scale: 1/(cm gap),
    within: for how long a current counts at most (ms), doubt: what rounding may move a membrane by (mV)."""

    rate_m: object
    rate_e: object
    rate_i: object
    slow_e: object
    slow_i: object
    gap_e: object
    gap_i: object
    scale_e: object
    scale_i: object
    fastest: object
    inverse_cm: object
    within: object
    theta: object
    doubt: object


@njit(inline="always")
def moved(span, x, exc, inh, c, currents_are_faster):
    """(x, exc, inh) after a span without input."""
    back = 0.0 - span
    decay_m = exp(c.rate_m * back)
    fast_e, change_e = exp_and_expm1(c.gap_e * back)
    fast_i, change_i = exp_and_expm1(c.gap_i * back)
    if currents_are_faster:
        slow_e, slow_i, decay_e, decay_i = decay_m, decay_m, decay_m * fast_e, decay_m * fast_i
    else:
        slow_e, slow_i, decay_e, decay_i = exp(c.slow_e * back), exp(c.slow_i * back), exp(c.rate_e * back), exp(c.rate_i * back)
    end = x * decay_m - exc * (slow_e * change_e * c.scale_e) - inh * (slow_i * change_i * c.scale_i)
    return end, exc * decay_e, inh * decay_i


@njit(inline="always")
def rounding_of(x, exc, inh, c):
    """What rounding may move x by in a span (mV), with room to spare."""
    return c.doubt + _ROUNDED * (absolute(x) + (absolute(exc) + absolute(inh)) * c.inverse_cm * c.within)


@njit(inline="always")
def stays_below(span, x, end, exc, inh, end_exc, end_inh, c):
    """Where x(s) stays below theta in [0, span], for certain.

    Each current lies between its values at the two ends. So in the span x rises by at most P and falls by at most Q a time,

        P = input_most - r_m x_least,    Q = r_m x_most - input_least.

    It reaches theta at a time u only if P u >= theta - x(0) and Q (span - u) >= theta - x(span), so only if both hold for the
    whole span, and (theta - x(0)) Q + (theta - x(span)) P <= P Q span.
    """
    theta = c.theta - rounding_of(x, exc, inh, c)
    most = (maximum(exc, end_exc) + maximum(inh, end_inh)) * c.inverse_cm
    input_ = (maximum(exc, 0.0) + maximum(inh, 0.0)) * c.inverse_cm * c.within
    x_most = maximum(x, 0.0) + minimum(maximum(most, 0.0) * span, input_)
    quiet = x_most < theta
    if bits(quiet) != _ALL:
        least = (minimum(exc, end_exc) + minimum(inh, end_inh)) * c.inverse_cm
        rise, fall = most - c.rate_m * (minimum(x, 0.0) + minimum(least, 0.0) * span), c.rate_m * x_most - least
        lacks, end_lacks, reach = theta - x, theta - end, rise * span
        missed = (reach < lacks) | (fall * span < end_lacks) | (lacks * fall + end_lacks * rise > reach * fall * (1.0 + 1e-12))
        quiet = quiet | ((lacks > 0.0) & (end_lacks > 0.0) & missed)
    return quiet


@njit(inline="always")
def decided(span, x, end, exc, inh, end_exc, end_inh, c):
    """Three masks: where x(s) has no maximum inside of the span and stays below theta; where it crosses theta just once; and
    where it is below at both ends, rises and then falls.

    exp(r_m s) dx/ds is monotone on either side of the one zero of j_E r_E exp(-r_E s) + j_I r_I exp(-r_I s), its own derivative
    but for the sign. So dx/ds has at most two zeros, and x rises, falls and rises only if dx/ds > 0 at both ends and that sum
    is positive at the begin and negative at the end. In all other cases, an x that is above theta at the end crossed it once,
    and one that is below and rises at the end had no maximum. Of two signs of dx/ds at the ends, one zero lies between.
    """
    doubt, inverse_cm = rounding_of(x, exc, inh, c), c.inverse_cm
    slope = (exc + inh) * inverse_cm - c.rate_m * x
    end_slope = (end_exc + end_inh) * inverse_cm - c.rate_m * end
    rounded = _ROUNDED * ((absolute(exc) + absolute(inh)) * inverse_cm + c.rate_m * absolute(x))
    turn, end_turn = exc * c.rate_e + inh * c.rate_i, end_exc * c.rate_e + end_inh * c.rate_i
    turn_rounded = _ROUNDED * (absolute(exc) * c.rate_e + absolute(inh) * c.rate_i)
    falls = end_slope < 0.0 - rounded
    simple = falls | (slope < 0.0 - rounded) | (turn < 0.0 - turn_rounded) | (end_turn > turn_rounded)
    starts_below = (x < c.theta - doubt) & simple
    ends_below = starts_below & (end < c.theta - doubt)
    return ends_below & (end_slope > rounded), starts_below & (end > c.theta + doubt), ends_below & falls & (slope > rounded)


@njit(inline="always")
def _derivatives(v, exc, inh, c):
    """dx/ds and d2x/ds2 where the membrane is v, and how large the two terms of the currents are at most."""
    input_e, input_i = exc * c.inverse_cm, inh * c.inverse_cm
    slope = input_e + input_i - c.rate_m * v
    return slope, 0.0 - c.rate_e * input_e - c.rate_i * input_i - c.rate_m * slope, absolute(input_e) + absolute(input_i)


@njit(cache=True, error_model="numpy")
def roots(wanted, span, x, exc, inh, c, currents_are_faster):
    """Where the wanted lanes cross theta in [0, span], which they do once, upwards; and a mask of those found.

    As `interval.threshold_root`: each step solves the local quadratic model of x, or halves the bracket.
    """
    low, high, s = splat(0.0), span, splat(0.0)
    v, e, i = x, exc, inh
    result, left = splat(0.0), bits(wanted)
    for _ in range(_MOST_ITERATIONS):
        slope, bend, _ = _derivatives(v, e, i, c)
        gap = c.theta - v
        low, high = select(gap > 0.0, s, low), select(gap > 0.0, high, s)
        square = slope * slope + 2.0 * bend * gap
        later = sqrt(maximum(square, 0.0))
        step = 2.0 * gap / (slope + later)
        new = s + step
        third = c.fastest * (absolute(bend) + c.fastest * absolute(slope))
        inside = (square > 0.0) & (slope + later > 0.0) & (new >= low) & (new <= high)
        size = absolute(step)
        done = inside & (size * size * size * third <= 1e-16 * new * later) | (gap >= 0.0) & (gap <= 0.0)
        result = select(done & (result <= 0.0), select(inside, new, s), result)
        left &= ~bits(done)
        if left == 0:
            break
        s = select(inside & (new > low) & (new < high), new, 0.5 * (low + high))
        v, e, i = moved(s, x, exc, inh, c, currents_are_faster)
    return result, result > 0.0


@njit(cache=True, error_model="numpy")
def peaks(wanted, span, x, exc, inh, c, currents_are_faster):
    """(s, x(s), a mask of those found): the maximum of the wanted lanes, of which dx/ds is positive at 0, negative at the end of
    the span, and has one zero between.

    Newton's method within the bracket. A step d from s is the last where d times a bound of the third derivative is small beside
    the second: then the zero is within 2 d, and x there higher by no more than |x''| (2 d)^2 / 2.
    """
    low, high, s = splat(0.0), span, splat(0.0)
    v, e, i = x, exc, inh
    result, height, left = splat(0.0), splat(0.0), bits(wanted)
    for _ in range(_MOST_ITERATIONS):
        slope, bend, size = _derivatives(v, e, i, c)
        rises = slope > 0.0
        low, high = select(rises, s, low), select(rises, high, s)
        step = absolute(slope / bend)
        third = c.fastest * (c.fastest * size + absolute(bend))
        done = (bend < 0.0) & (step * c.fastest < _NEAR) & (step * third < 0.1 * absolute(bend))
        new = done & (result <= 0.0)
        result, height = select(new, s, result), select(new, v, height)
        left &= ~bits(done)
        if left == 0:
            break
        new = s - slope / bend
        s = select((bend < 0.0) & (new > low) & (new < high), new, 0.5 * (low + high))
        v, e, i = moved(s, x, exc, inh, c, currents_are_faster)
    return result, height, result > 0.0
