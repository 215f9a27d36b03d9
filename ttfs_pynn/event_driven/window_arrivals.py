"""Compiled sums of what arrives in a window of `windows`, eight arrivals at a time.

A connection of weight w that arrives s before the end adds w exp(-r_s s) to a current and w phi(s) to the membrane times cm,

    phi(s) = exp(-r s) (1 - exp(-d s)) / d,     r the smaller of the rates r_m and r_s, d what they differ by.

Inside these loops there are no slices, and no functions that take arrays: to count the references to an array costs more than
eight arrivals.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.delay_rows import INHIBITORY, MIXED, WEIGHTED, first_due
from ttfs_pynn.event_driven.kernels import RATE_E, RATE_I, RATE_M
from ttfs_pynn.membrane.lane_rows import add_lanes, add_pairs, columns_at
from ttfs_pynn.membrane.lanes import (
    LANES,
    bits,
    exp,
    expm1,
    fma,
    load,
    lowest,
    mask_of,
    maximum,
    prefetch,
    select,
    splat,
)

__all__ = ["Active", "add_known", "add_new", "deliver_alike", "deliver_each", "grown", "keep_active", "responses_of",
           "with_room"]

_EXC, _MEMBRANE, _AGAINST = 0, 1, 3  # of the sums exc, membrane, inh, and size of weights of the sign that others have not
_AHEAD = 2  # spikes between the one whose connections are read and the one whose are fetched
_MOST_FETCHED = 64  # lines of the cache
_NO_GAP = 1e-200  # stands for rates that differ by 0: (1 - exp(-d s)) / d is s then, in all its digits


class Active(NamedTuple):
    """Spikes that are on their way: time (ms), row; of its connections those from `first` to before `next` arrive in this
    window, those before have arrived."""

    time: np.ndarray
    row: np.ndarray
    first: np.ndarray
    next: np.ndarray


@njit(cache=True, error_model="numpy")
def grown(array, size):
    """`array` with room for `size` elements."""
    if size <= array.size:
        return array
    larger = np.empty(max(size, 2 * array.size), dtype=array.dtype)
    for k in range(array.size):  # a copy of slices takes seconds to compile
        larger[k] = array[k]
    return larger


@njit(cache=True, error_model="numpy")
def with_room(active, size):
    """Active with room for `size` spikes."""
    if size <= active.time.size:
        return active
    return Active(grown(active.time, size), grown(active.row, size), grown(active.first, size), grown(active.next, size))


@njit(cache=True, error_model="numpy")
def add_known(times, spike_rows, first, last, begin, rows, active, n_active):
    """Known spikes `first` to `last` - 1 are on their way, with what arrives at `begin` or later. There is room. Returns how many
    are on their way."""
    for spike in range(first, last):
        row = spike_rows[spike]
        k = first_due(rows, row, times[spike], begin)
        if k < rows.end[row]:
            active.time[n_active], active.row[n_active] = times[spike], row
            active.first[n_active] = active.next[n_active] = k
            n_active += 1
    return n_active


@njit(cache=True, error_model="numpy")
def add_new(times, neurons, first, last, links, rows, active, n_active):
    """As `add_known`, of spikes of these neurons in all the rows that they are, from their first connection on."""
    for spike in range(first, last):
        for link in range(links.start[neurons[spike]], links.start[neurons[spike] + 1]):
            row = links.rows[link]
            k = rows.start[row]
            if k < rows.end[row]:
                active.time[n_active], active.row[n_active] = times[spike], row
                active.first[n_active] = active.next[n_active] = k
                n_active += 1
    return n_active


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


def responses_of(rates, kind):
    """(2, neurons or 1, 4) of the excitatory and the inhibitory current: r, -d, -1/d, and 1 where the current is the faster one,
    else 0. One row where all neurons share their rates (kinds, 3)."""
    rate_m, rate_s = rates[:, RATE_M], rates[:, [RATE_E, RATE_I]].T
    gap = np.maximum(abs(rate_s - rate_m), _NO_GAP)
    rows = np.stack([np.minimum(rate_m, rate_s), -gap, -1.0 / gap, rate_s > rate_m], axis=-1)
    return np.ascontiguousarray(rows[:, kind]) if len(rates) > 1 else rows


@njit(cache=True, error_model="numpy", inline="always")
def _to_fetch(first, following, stride):
    """(begin, end) in the blocks of what is soon to be read of a spike: what arrived of it in the window before, and more."""
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
