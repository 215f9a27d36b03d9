"""Compiled steps of a window of `windows`, eight at a time: what arrives, and who may fire.

The arrivals of a window are first summed: a connection of weight w that arrives s before the end adds w exp(-r_s s) to a current
and w phi(s) to the membrane times cm, phi = exp(-r s) (1 - exp(-d s)) / d with r the smaller of the rates r_m and r_s and d what they
differ by. From these sums each neuron is carried to the end of the window, and from the same sums follows who may have
reached threshold on the way:

    dx/ds <= P,  dx/ds >= -Q - r_m x,      x = u - u_inf,

P all positive currents over cm, Q all negative ones: those at the begin, and those that arrive, no larger than what is left of them
at the end divided by the decay of a whole window. x can reach theta at s only if x(0) + P s >= theta, and be back at x(h) only if
x(h) + Q (h - s) >= theta. There is such an s in the window only if theta - x(0) <= P h, theta - x(h) <= Q h, and the two
parts of h together are no more than h, (theta - x(0)) Q + (theta - x(h)) P <= P Q h. All others are settled.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.delay_rows import INHIBITORY, MIXED, WEIGHTED
from ttfs_pynn.event_driven.kernels import (
    DECAY_E,
    DECAY_I,
    DECAY_U,
    EXC_BY_INH,
    INH_BY_EXC,
    N_FACTORS,
    PHI_E,
    PHI_I,
    RATE_E,
    RATE_I,
    RATE_M,
    REACH,
    window_factors,
)
from ttfs_pynn.membrane.lane_rows import add_lanes, add_pairs, columns, columns_at
from ttfs_pynn.membrane.lanes import (
    LANES,
    absolute,
    bits,
    exp,
    expm1,
    fma,
    load,
    lowest,
    mask_of,
    maximum,
    minimum,
    prefetch,
    select,
    splat,
    splat_32,
    store,
)

__all__ = ["N_WINDOW", "Active", "Neurons", "Window", "add_active", "deliver_alike", "deliver_each", "grown",
           "keep_active", "responses_of", "settle", "window_of"]

_EXC, _MEMBRANE, _INH, _AGAINST = range(4)  # sums of a neuron; the last: size of weights of the sign that others there have not
_AHEAD = 2  # spikes between the one whose connections are read and the one whose are fetched
_MOST_FETCHED = 64  # lines of the cache
_NO_GAP = 1e-200  # stands for rates that differ by 0: (1 - exp(-d s)) / d is s then, in all its digits
_DOUBT = 1e-9  # of potentials: far more than rounding, and it costs only a replay
_ROUNDED = 1e-14  # of u_inf, which potentials are counted from
_FADING = 10.0  # what a current that is so much faster than the membrane leaves at the end of a window is rounding: no bound
_BEFORE_E, _BEFORE_I = N_FACTORS, N_FACTORS + 1
N_WINDOW = N_FACTORS + 2


class Active(NamedTuple):
    """Spikes that are on their way: time (ms), row; of its connections those from `first` to before `next` arrive in this
    window, those before have arrived."""

    time: np.ndarray
    row: np.ndarray
    first: np.ndarray
    next: np.ndarray


class Neurons(NamedTuple):
    """State and parameters of `kernels`, each with room for whole lanes; theta: threshold minus u_inf. What is beyond the last
    neuron never fires."""

    u: np.ndarray
    i_exc: np.ndarray
    i_inh: np.ndarray
    clamped_until: np.ndarray
    u_inf: np.ndarray
    theta: np.ndarray
    inverse_cm: np.ndarray


class Window(NamedTuple):
    """What a window's length makes of the state: arrays of `size` floats one after the other in `factors`, those of neuron n at
    step * n; step is 0 where all neurons share them. The first N_FACTORS are those of `window_factors`, but the inverse of EXC_BY_INH
    and of INH_BY_EXC, then come 1 / DECAY_E and 1 / DECAY_I, NaN where they bound nothing.
    """

    factors: np.ndarray
    size: int
    step: int


@njit(cache=True, error_model="numpy")
def grown(array, size):
    """`array` with room for `size` elements."""
    if size <= array.size:
        return array
    larger = np.empty(max(size, 2 * array.size), dtype=array.dtype)
    for k in range(array.size):  # a copy of slices takes seconds to compile
        larger[k] = array[k]
    return larger


def responses_of(rates, kind):
    """(2, neurons or 1, 4) of the excitatory and the inhibitory current: the smaller rate r of it and of the membrane, -d, -1/d, and 1
    where the current is the faster one, else 0. One row where all neurons share their rates (kinds, 3)."""
    rate_m, rate_s = rates[:, RATE_M], rates[:, [RATE_E, RATE_I]].T
    gap = np.maximum(abs(rate_s - rate_m), _NO_GAP)
    rows = np.stack([np.minimum(rate_m, rate_s), -gap, -1.0 / gap, rate_s > rate_m], axis=-1)
    return np.ascontiguousarray(rows[:, kind]) if len(rates) > 1 else rows


@njit(cache=True, error_model="numpy")
def window_of(span, rates, kind, factors):
    """The Window of a length (ms); factors: its array, of n N_WINDOW floats, written."""
    by_kind = np.empty((rates.shape[0], N_FACTORS))
    window_factors(span, rates, by_kind)
    step = 1 if rates.shape[0] > 1 else 0
    size = factors.size // N_WINDOW
    for n in range(size):
        q = kind[n] if step and n < kind.size else 0
        for f in range(N_FACTORS):
            factors[f * size + n] = by_kind[q, f]
        factors[EXC_BY_INH * size + n] = 1.0 / by_kind[q, EXC_BY_INH]
        factors[INH_BY_EXC * size + n] = 1.0 / by_kind[q, INH_BY_EXC]
        faster_e, faster_i = rates[q, RATE_E] - rates[q, RATE_M], rates[q, RATE_I] - rates[q, RATE_M]
        factors[_BEFORE_E * size + n] = 1.0 / by_kind[q, DECAY_E] if faster_e * span < _FADING else np.nan
        factors[_BEFORE_I * size + n] = 1.0 / by_kind[q, DECAY_I] if faster_i * span < _FADING else np.nan
    return Window(factors, size, step)


@njit(cache=True, error_model="numpy", inline="always")
def _to_fetch(first, following, stride):
    """(begin, end) in the blocks of what is soon to be read of a spike: as much as arrived of it in the window before, and more."""
    at = (following >> 3) * stride
    return at, at + min(((following - first) >> 3) * stride + 2 * stride, LANES * _MOST_FETCHED)


@njit(cache=True, error_model="numpy", inline="always")
def _effects(s, w, arriving, slow, gap, scale, faster):
    """(current, membrane times cm) at the end, of weights w that arrive s before it, where `arriving` has a bit."""
    if arriving != 255:
        s, w = select(mask_of(arriving), s, 0.0), select(mask_of(arriving), w, 0.0)
    left = w * exp(0.0 - s * slow)
    change = left * expm1(s * gap)
    return fma(change, faster, left), change * scale


@njit(cache=True, error_model="numpy")
def deliver_alike(end, active, n_active, rows, responses, sums):
    """Sum what the arrivals before `end` do to the state at `end` in `sums` (neurons, 4), of neurons that share time constants.
    Returns the number of arrivals."""
    count, stride = 0, rows.stride
    for a in range(n_active):
        if a + _AHEAD < n_active:
            begin, until = _to_fetch(active.first[a + _AHEAD], active.next[a + _AHEAD], stride)
            for k in range(begin, until, LANES):
                prefetch(rows.blocks, k)
        first, row, time = active.next[a], active.row[a], active.time[a]
        inhibitory, mixed, w = rows.flags[row] & INHIBITORY, rows.flags[row] & MIXED, splat(rows.weight[row])
        slow, gap = splat(responses[inhibitory, 0, 0]), splat(responses[inhibitory, 0, 1])
        scale, faster = splat(responses[inhibitory, 0, 2]), splat(responses[inhibitory, 0, 3])
        k, last = first, rows.end[row]
        while k < last:
            at = (k >> 3) * stride
            targets = 2 * (at + stride - 4)
            s = splat(end) - (load(rows.blocks, at) + time)
            due = bits(s > 0.0)
            arriving = due & (255 << (k & 7))
            if arriving == 0:
                break
            if stride == WEIGHTED:
                w = load(rows.blocks, at + LANES)
            current, membrane = _effects(s, w, arriving, slow, gap, scale, faster)
            if inhibitory:
                add_pairs(sums, rows.targets, targets, _MEMBRANE, membrane, current)
            else:
                add_pairs(sums, rows.targets, targets, _EXC, current, membrane)
            if mixed:
                add_lanes(sums, rows.targets, targets, _AGAINST, maximum(current if inhibitory else 0.0 - current, 0.0))
            k = (k & ~7) + lowest(~due)
            if due != 255:
                break
        active.first[a], active.next[a] = first, k
        count += k - first
    return count


@njit(cache=True, error_model="numpy")
def deliver_each(end, active, n_active, rows, responses, sums):
    """`deliver_alike`, of neurons that have time constants of their own."""
    count, stride, exc, inh = 0, rows.stride, responses[0], responses[1]
    for a in range(n_active):
        if a + _AHEAD < n_active:
            begin, until = _to_fetch(active.first[a + _AHEAD], active.next[a + _AHEAD], stride)
            for k in range(begin, until, LANES):
                prefetch(rows.blocks, k)
        first, row, time = active.next[a], active.row[a], active.time[a]
        inhibitory, mixed, w = rows.flags[row] & INHIBITORY, rows.flags[row] & MIXED, splat(rows.weight[row])
        k, last = first, rows.end[row]
        while k < last:
            at = (k >> 3) * stride
            targets = 2 * (at + stride - 4)
            s = splat(end) - (load(rows.blocks, at) + time)
            due = bits(s > 0.0)
            arriving = due & (255 << (k & 7))
            if arriving == 0:
                break
            if stride == WEIGHTED:
                w = load(rows.blocks, at + LANES)
            if inhibitory:
                slow, gap, scale, faster = columns_at(inh, rows.targets, targets)
                current, membrane = _effects(s, w, arriving, slow, gap, scale, faster)
                add_pairs(sums, rows.targets, targets, _MEMBRANE, membrane, current)
            else:
                slow, gap, scale, faster = columns_at(exc, rows.targets, targets)
                current, membrane = _effects(s, w, arriving, slow, gap, scale, faster)
                add_pairs(sums, rows.targets, targets, _EXC, current, membrane)
            if mixed:
                add_lanes(sums, rows.targets, targets, _AGAINST, maximum(current if inhibitory else 0.0 - current, 0.0))
            k = (k & ~7) + lowest(~due)
            if due != 255:
                break
        active.first[a], active.next[a] = first, k
        count += k - first
    return count


@njit(cache=True, error_model="numpy", inline="always")
def _bounds(e, i, exc, inh, against, e_share, i_share, e_before, i_before):
    """(P, Q) times cm: the largest sum of positive and of negative currents in a window that begins with e and i.

    Of two currents of opposite signs the one that decays faster takes away the less the later it is: `share` of it is left
    beside the other at the end. before: by how much more of an arrival there was than is left.
    """
    against = against * maximum(e_before, i_before)
    e_up, e_down, i_up, i_down = maximum(e, 0.0), minimum(e, 0.0), maximum(i, 0.0), minimum(i, 0.0)
    up = maximum(e_up + i_up + fma(e_down, e_share, i_down * i_share), 0.0)
    down = minimum(e_down + i_down + fma(e_up, e_share, i_up * i_share), 0.0)
    up = up + fma(maximum(exc, 0.0), e_before, maximum(inh, 0.0) * i_before) + against
    down = down + fma(minimum(exc, 0.0), e_before, minimum(inh, 0.0) * i_before) - against
    return up, 0.0 - down


@njit(cache=True, error_model="numpy", inline="always")
def _surely_below(x, new, theta, doubt, up, down, decay, reach, span):
    """Where x, which is `new` at the end, stays below theta: see the head of this file. NaN is no certainty."""
    to_rise = theta - maximum(x, x * decay) - doubt
    to_fall = minimum(theta, theta * decay) - new - doubt
    return ((up * reach < to_rise) | (down * span < to_fall)
            | (fma(to_rise, down, to_fall * up) > up * down * span))


@njit(cache=True, error_model="numpy")
def settle(begin, end, sums, window, neurons, bitmap, chosen):
    """Carry all neurons to `end` that surely do not fire; mark the others in `bitmap` and list them in `chosen`. Returns how
    many. Sums are 0 again afterwards."""
    f, size = window.factors, window.size
    span = end - begin
    n_chosen = 0
    for n in range(0, chosen.size, LANES):
        exc, membrane, inh, against = columns(sums, n)
        store(sums, 4 * n, splat_32(0.0))
        at = window.step * n
        decay, decay_e, decay_i = load(f, at + DECAY_U * size), load(f, at + DECAY_E * size), load(f, at + DECAY_I * size)
        u_inf, theta, inverse_cm = load(neurons.u_inf, n), load(neurons.theta, n), load(neurons.inverse_cm, n)
        u, e, i = load(neurons.u, n), load(neurons.i_exc, n), load(neurons.i_inh, n)
        clamped_until = load(neurons.clamped_until, n)
        x = u - u_inf
        response = fma(e, load(f, at + PHI_E * size), fma(i, load(f, at + PHI_I * size), membrane))
        new = fma(x, decay, response * inverse_cm)
        up, down = _bounds(e, i, exc, inh, against, load(f, at + INH_BY_EXC * size), load(f, at + EXC_BY_INH * size),
                           load(f, at + _BEFORE_E * size), load(f, at + _BEFORE_I * size))
        doubt = (absolute(x) + absolute(theta) + absolute(new)) * _DOUBT + absolute(u_inf) * _ROUNDED
        inverse_cm = inverse_cm * (1.0 + _DOUBT)
        below = bits(_surely_below(x, new, theta, doubt, up * inverse_cm, down * inverse_cm, decay,
                                   load(f, at + REACH * size), span))
        held = bits(clamped_until >= end)
        replayed = ~held & (~below | ~bits(clamped_until <= begin)) & 255
        kept = mask_of(replayed)
        store(neurons.u, n, select(mask_of(replayed | held), u, new + u_inf))
        store(neurons.i_exc, n, select(kept, e, fma(e, decay_e, exc)))
        store(neurons.i_inh, n, select(kept, i, fma(i, decay_i, inh)))
        while replayed:
            lane = n + lowest(replayed)
            replayed &= replayed - 1
            chosen[n_chosen] = lane
            bitmap[lane >> 5] |= np.int32(1 << (lane & 31))
            n_chosen += 1
    return n_chosen


@njit(cache=True, error_model="numpy")
def add_active(active, n_active, time, row, k):
    """One more spike on its way, from its connection at place k on. Returns Active, with more room if need be."""
    if n_active == active.time.size:
        size = n_active + 1
        active = Active(grown(active.time, size), grown(active.row, size), grown(active.first, size), grown(active.next, size))
    active.time[n_active], active.row[n_active], active.first[n_active], active.next[n_active] = time, row, k, k
    return active


@njit(cache=True, error_model="numpy")
def keep_active(active, n_active, rows):
    """Drop the spikes that have arrived everywhere. Returns how many are left."""
    kept = 0
    for a in range(n_active):
        if active.next[a] < rows.end[active.row[a]]:
            active.time[kept], active.row[kept] = active.time[a], active.row[a]
            active.first[kept], active.next[kept] = active.first[a], active.next[a]
            kept += 1
    return kept
