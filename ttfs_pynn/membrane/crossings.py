"""When membranes that may cross threshold do: sixteen of them at a time.

A candidate is a neuron in its state after an input: x below theta and j, both times cm. Until the next input, or for ever after
the last one, its membrane has one maximum at most, in closed form:

    (1 - exp(-s (r_s - r_m)))/(r_s - r_m) = (1 - x r_m/j)/r_s.

So it surely crosses where it is above theta at the next input or at a maximum before it, by more than rounding; then the crossing
is the only root between. The rare candidate that rounding could decide, and one that does not cross here but may later, is left
to the caller.
"""

import math
from typing import NamedTuple

import numpy as np

from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.compiling import inlined, inner
from ttfs_pynn.membrane.interval import threshold_root
from ttfs_pynn.membrane.lanes import (
    absolute,
    address,
    as_integers,
    bits,
    compress,
    count,
    filled,
    filled_bits,
    fma,
    gathered_like,
    load_like,
    log1p,
    maximum,
    minimum,
    select,
    splat_16,
    sqrt,
)
from ttfs_pynn.membrane.steps import transition

__all__ = ["ROOM", "UNDECIDED", "Candidates", "addresses", "collect", "room_for_candidates", "solve_sure", "solve_unsure"]

ROOM = 1024  # candidates
UNDECIDED = math.nan  # the time of a candidate that is left to the caller
_TOGETHER = 2 * lanes.LANES  # candidates: while one vector waits for its divisions, the other goes on
_ALL = (1 << _TOGETHER) - 1
_FEW = 2  # iterations where the membrane rises well
_ITERATIONS = 6  # nearly all are exact after three or four


class Candidates(NamedTuple):
    """State after the input at the place `at` (an integer, in the bits of a float): y (see `steps`; x where it is the last one)
    and j; theta and the level below it; target: what the caller knows it by, a float."""

    y: np.ndarray
    j: np.ndarray
    at: np.ndarray
    theta: np.ndarray
    level: np.ndarray
    target: np.ndarray


@inner
def room_for_candidates():
    """Arrays for ROOM candidates and one tile more."""
    n = ROOM + 4 * lanes.LANES + _TOGETHER
    return Candidates(lanes.aligned(n), lanes.aligned(n), lanes.aligned(n), lanes.aligned(n), lanes.aligned(n), lanes.aligned(n))


@inlined
def addresses(candidates):
    """As Candidates, of an argument of the caller (`lanes.address`)."""
    return Candidates(address(candidates.y), address(candidates.j), address(candidates.at), address(candidates.theta),
                      address(candidates.level), address(candidates.target))


@inlined
def _collect(candidates, n, y, j, at, theta, level, target, chosen):
    """Add the chosen lanes to n candidates. Returns how many they are then."""
    compress(candidates.y, n, y, chosen)
    compress(candidates.j, n, j, chosen)
    compress(candidates.at, n, at, chosen)
    compress(candidates.theta, n, theta, chosen)
    compress(candidates.level, n, level, chosen)
    compress(candidates.target, n, target, chosen)
    return n + count(bits(chosen))


@inlined
def collect(sure, n_sure, unsure, n_unsure, x, j, level, before, theta, path, last, peak, target):
    """Add the neurons of a tile that may cross, after a walk, to the addresses of the sure and the unsure ones.

    x, j, level: of `tiles.walk`; before: the levels before it; last: the place of the last input. What has not crossed before it
    may do so after it, where max(x, 0) + max(j, 0) peak reaches the level. Returns (n_sure, n_unsure, all that were added).
    """
    late = (fma(maximum(j, 0.0), peak, maximum(x, 0.0)) >= level) & (level < math.inf)
    hit, end = (before < math.inf) & (level >= math.inf), load_like(path.end, 0, x)
    high = theta + (theta - before)
    surely, perhaps = hit & (end > high), hit & (end <= high) | late
    if bits(surely):
        n_sure = _collect(sure, n_sure, load_like(path.y, 0, x), load_like(path.j, 0, x), load_like(path.at, 0, x), theta, before,
                          target, surely)
    if bits(perhaps):
        n_unsure = _collect(unsure, n_unsure, select(late, x, load_like(path.y, 0, x)), select(late, j, load_like(path.j, 0, x)),
                            select(late, filled_bits(last, x), load_like(path.at, 0, x)), theta, before, target, perhaps)
    return n_sure, n_unsure, surely | perhaps


@inner
def _fill_up(candidates, n):
    """(Addresses.) The last vector is filled with the last candidate."""
    for c in range(n, n + _TOGETHER):
        candidates.y[c], candidates.j[c], candidates.at[c] = candidates.y[n - 1], candidates.j[n - 1], candidates.at[n - 1]
        candidates.theta[c], candidates.level[c] = candidates.theta[n - 1], candidates.level[n - 1]


@inlined
def _derivatives(x, j, decay_m, decay_s, response, rate_m, rate_s):
    """The membrane and its first three derivatives at the time of the responses."""
    current = j * decay_s
    v = fma(x, decay_m, j * response)
    dv = fma(v, -rate_m, current)
    ddv = fma(dv, -rate_m, current * -rate_s)
    return v, dv, ddv, fma(ddv, -rate_m, current * (rate_s * rate_s))


@inlined
def _rational_step(s, x, j, theta, decay_m, decay_s, response, rate_m, rate_s):
    """(new s, exact) by Householder's method of third order: quick where the membrane rises well, of no use near its maximum.
    exact: where the term of fourth order that it left out is less than rounding."""
    v, dv, ddv, dddv = _derivatives(x, j, decay_m, decay_s, response, rate_m, rate_s)
    gap, rate = theta - v, max(rate_m, rate_s)
    curved = gap * ddv
    step = gap * fma(dv * dv, 6.0, curved * 3.0) / fma(dv, fma(dv * dv, 6.0, curved * 6.0), gap * gap * dddv)
    new, square = s + step, step * step
    bend = fma(absolute(dv), rate, absolute(ddv))
    return new, (square * square * (bend * bend * bend) <= new * (dv * dv * dv) * 1e-16) & (dv > 0.0)


@inlined
def _quadratic_step(s, x, j, theta, decay_m, decay_s, response, rate_m, rate_s):
    """(new s, exact) by the root of the quadratic model of x at s, also where the slope vanishes there. exact: where the cubic
    term that it left out moves the root by less than rounding does."""
    v, dv, ddv, _ = _derivatives(x, j, decay_m, decay_s, response, rate_m, rate_s)
    gap, rate = theta - v, max(rate_m, rate_s)
    slope = sqrt(maximum(fma(dv, dv, (ddv + ddv) * gap), 0.0))
    step = (gap + gap) / (dv + slope)
    new, size = s + step, absolute(step)
    return new, size * size * size * (fma(absolute(dv), rate, absolute(ddv)) * rate) <= new * slope * 1e-16


@inlined
def _root(wanted, x, j, theta, until, rate_m, rate_s):
    """(s, exact): where x(s) = theta first, in [0, until], given x(0) < theta <= x(until). wanted: the bits of the lanes that are
    looked for; others may be anything."""
    zero, one = filled(0.0, x), filled(1.0, x)
    s, exact = _quadratic_step(zero, x, j, theta, one, one, zero, rate_m, rate_s)
    exact = exact & (s >= 0.0) & (s <= until)
    for _ in range(_ITERATIONS):
        if wanted & ~bits(exact) == 0:
            break
        s = minimum(s, until)
        s = select(s >= 0.0, s, 0.0)
        decay_m, decay_s, response = transition(s, rate_m, rate_s)
        s, exact = _quadratic_step(s, x, j, theta, decay_m, decay_s, response, rate_m, rate_s)
        exact = exact & (s >= 0.0) & (s <= until)
    return s, exact


@inlined
def _maximum_ahead(x, j, rate_m, rate_s):
    """The time of the maximum of x(s) for j > 0, below 0 where it is over, inf where there is none."""
    if rate_m == 0.0:
        return filled(math.inf, x)
    ahead = (1.0 - x * rate_m / j) * (1.0 / rate_s)
    difference = rate_s - rate_m
    if difference == 0.0:
        return ahead
    z = ahead * difference
    return select(z < 1.0, log1p(0.0 - select(z < 1.0, z, 0.0)) * (-1.0 / difference), math.inf)


@inner
def _finish(late, c, candidates, times, steps, rate_m, rate_s, until, found):
    """By bisection what is not exact yet: the candidates c + k for the bits k of late, which cross before until[k]."""
    places = as_integers(candidates.at)
    while late:
        lane = lanes.lowest(late)
        late &= late - 1
        i = c + lane
        k = places[i]
        x = candidates.y[i] * (steps.before[k] if steps.span[k] > 0.0 else 1.0)
        found[i] = times[k] + threshold_root(x, candidates.j[i], 0.0, candidates.theta[i], rate_m, rate_s, rate_s, 0.0,
                                             until[lane])


@inner
def solve_sure(candidates, n, times, steps, rate_m, rate_s, found, until):
    """found[:n] = the time of each crossing, for candidates that are surely above theta at the next input.

    All are addresses (`lanes.address`), for this is called for few, too: candidates, times (of `Sorted`), steps, found, and 16
    floats of scratch, until.
    """
    if n == 0:
        return
    _fill_up(candidates, n)
    places, zero, one = as_integers(candidates.at), splat_16(0.0), splat_16(1.0)
    for c in range(0, n, _TOGETHER):
        j, theta = load_like(candidates.j, c, zero), load_like(candidates.theta, c, zero)
        x = load_like(candidates.y, c, zero) * gathered_like(steps.before, places, c, zero)
        span = gathered_like(steps.span, places, c, zero)
        s, exact = _rational_step(zero, x, j, theta, one, one, zero, rate_m, rate_s)
        for _ in range(_FEW):
            s = select(s >= 0.0, minimum(s, span), 0.0)
            decay_m, decay_s, response = transition(s, rate_m, rate_s)
            s, exact = _rational_step(s, x, j, theta, decay_m, decay_s, response, rate_m, rate_s)
            exact = exact & (s >= 0.0) & (s <= span)
            if bits(exact) == _ALL:
                break
        if bits(exact) != _ALL:
            again, exact_again = _root(_ALL & ~bits(exact), x, j, theta, span, rate_m, rate_s)
            s, exact = select(exact, s, again), exact | exact_again
        lanes.store(found, c, gathered_like(times, places, c, zero) + s)
        if bits(exact) != _ALL:
            lanes.store(until, 0, span)
            _finish(_ALL & ~bits(exact), c, candidates, times, steps, rate_m, rate_s, until, found)


@inner
def solve_unsure(candidates, n, times, steps, rate_m, rate_s, found, until_of):
    """As `solve_sure`, for all others: found is also inf, where one surely never crosses, or UNDECIDED."""
    if n == 0:
        return
    _fill_up(candidates, n)
    places, zero = as_integers(candidates.at), splat_16(0.0)
    for c in range(0, n, _TOGETHER):
        y, j = load_like(candidates.y, c, zero), load_like(candidates.j, c, zero)
        span = gathered_like(steps.span, places, c, zero)
        theta, low = load_like(candidates.theta, c, zero), load_like(candidates.level, c, zero)
        last = span <= 0.0
        x = select(last, y, y * gathered_like(steps.before, places, c, zero))
        top = _maximum_ahead(x, j, rate_m, rate_s)
        inside = (j > 0.0) & (top > 0.0) & (top < select(last, math.inf, span))
        decay_m, _, response = transition(select(inside, top, 0.0), rate_m, rate_s)
        peak = fma(x, decay_m, j * response)
        never = last & ((j <= 0.0) | (top <= 0.0) | inside & (peak < low))
        crosses = inside & (peak > theta + (theta - low))
        until = select(crosses, top, 0.0)
        s, exact = _root(bits(crosses), x, j, theta, until, rate_m, rate_s)
        begin = gathered_like(times, places, c, zero)
        lanes.store(found, c, select(crosses, begin + s, select(never, math.inf, UNDECIDED)))
        lanes.store(until_of, 0, until)
        _finish(bits(crosses) & ~bits(exact), c, candidates, times, steps, rate_m, rate_s, until_of, found)
