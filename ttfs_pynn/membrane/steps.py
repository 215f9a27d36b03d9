"""Membranes of neurons with equal time constants from input to input, many at a time.

Between two inputs, s apart, a membrane x and a current j (both times cm) go over to

    x exp(-r_m s) + j phi(s),      j exp(-r_s s).

At a maximum j = r_m x, so s after one, x has become x D(s) with D(s) = exp(-r_m s) + r_m phi(s), which falls from 1. So a
membrane that reached theta since the last input is at theta D(s) or above at this one, or rises through theta later. With
y = x/D(s) in place of x, `y >= theta` is necessary for a crossing between two inputs: one comparison an input, and nothing is
missed. D(s) is close to 1 for short s, so few that do not cross are taken for one that might.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.compiling import inlined, inner
from ttfs_pynn.membrane.lanes import address

__all__ = ["LONGEST", "Steps", "addresses_of_steps", "fill_steps", "steps_of", "too_long", "transition"]

LONGEST = 100.0  # time constants between two inputs; far beyond, products with D run out of the range of floats


class Steps(NamedTuple):
    """For each place of `Sorted`, from its input to the next one of the sample:

    span: ms to the next, 0 after the last one.  decay_s: exp(-r_s span).  after: D(span).
    before_s, before: the same from the input before to this one, 1 for the first.
    decay_y, response_y: y' = y decay_y + j response_y, with y' D(span) = x' and y D(span before) = x.
    """

    span: np.ndarray
    decay_s: np.ndarray
    after: np.ndarray
    before_s: np.ndarray
    before: np.ndarray
    decay_y: np.ndarray
    response_y: np.ndarray


@inlined
def addresses_of_steps(steps):
    """As Steps, of an argument of the caller (`lanes.address`)."""
    return Steps(address(steps.span), address(steps.decay_s), address(steps.after), address(steps.before_s),
                 address(steps.before), address(steps.decay_y), address(steps.response_y))


@inlined
def transition(s, rate_m, rate_s):
    """(exp(-r_m s), exp(-r_s s), phi(s)) of lanes; see `interval.responses`."""
    difference = rate_s - rate_m
    slow = lanes.exp(s * -min(rate_m, rate_s))
    if difference == 0.0:
        return slow, slow, slow * s
    change = lanes.expm1(s * -abs(difference))
    fast, response = lanes.fma(slow, change, slow), slow * change * (-1.0 / abs(difference))
    return (slow, fast, response) if difference > 0.0 else (fast, slow, response)


@njit(cache=True, error_model="numpy")
def fill_steps(inputs, rate_m, rate_s, steps):
    """Fill Steps for Sorted inputs. Those of a sample with a span above LONGEST may be NaN, see `too_long`."""
    start, total = inputs.start, inputs.start[inputs.start.shape[0] - 1]
    if total == 0:
        return
    times, to = address(inputs.times), addresses_of_steps(steps)
    for k in range(0, total, lanes.LANES):
        lanes.store(to.span, k, lanes.load(times, k + 1) - lanes.load(times, k))
    for s in range(start.shape[0] - 1):
        if start[s] < start[s + 1]:
            to.span[start[s + 1] - 1] = 0.0
    for k in range(total, total + lanes.LANES):
        to.span[k] = 0.0
    for k in range(0, total, lanes.LANES):
        decay_m, decay_s, response = transition(lanes.load(to.span, k), rate_m, rate_s)
        after = lanes.fma(response, rate_m, decay_m)
        lanes.store(to.decay_s, k, decay_s)
        lanes.store(to.after, k, after)
        lanes.store(to.decay_y, k, decay_m / after)
        lanes.store(to.response_y, k, response / after)
    for k in range(0, total - 1, lanes.LANES):
        lanes.store(to.before_s, k + 1, lanes.load(to.decay_s, k))
        lanes.store(to.before, k + 1, lanes.load(to.after, k))
    for s in range(start.shape[0] - 1):
        if start[s] < start[s + 1]:
            to.before_s[start[s]] = 1.0
            to.before[start[s]] = 1.0
    for k in range(0, total, lanes.LANES):
        lanes.store(to.decay_y, k, lanes.load(to.decay_y, k) * lanes.load(to.before, k))


@inner
def steps_of(inputs, rate_m, rate_s):
    """Steps of Sorted inputs, with room for vectors that begin at one of them."""
    n = inputs.order.shape[0] + 2 * lanes.LANES
    steps = Steps(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n))
    fill_steps(inputs, rate_m, rate_s, steps)
    return steps


@njit(cache=True, error_model="numpy")
def too_long(inputs, rate_m, rate_s):
    """Of each sample, whether two of its inputs are more than LONGEST apart."""
    start, _, times = inputs
    longest, found = LONGEST / max(rate_m, rate_s), np.zeros(start.shape[0] - 1, dtype=np.bool_)
    for s in range(start.shape[0] - 1):
        if start[s] < start[s + 1] and times[start[s + 1] - 1] - times[start[s]] > longest:
            for k in range(start[s] + 1, start[s + 1]):
                found[s] |= times[k] - times[k - 1] > longest
    return found
