"""Compiled steps of a window of `windows`: what arrives, who may fire, and in which order."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.kernels import (
    DECAY_E,
    DECAY_I,
    DECAY_U,
    EXC_BY_INH,
    INH_BY_EXC,
    INVERSE_CM,
    PHI_E,
    PHI_I,
    REACH,
    THRESHOLD,
    U_INF,
)
from ttfs_pynn.membrane.interval import phi

__all__ = ["Active", "Entries", "Outgoing", "add_active", "deliver", "first_due", "gather", "grown", "in_time_order",
           "keep_active", "settle"]

_FEW = 24  # arrivals that insertion sorts faster than a call of argsort


class Outgoing(NamedTuple):
    """The connections of each sender in order of delay: those of sender s are start[s] to start[s + 1]; target (a neuron), weight
    (nA), delay (ms) of each. inhibitory: of each sender."""

    start: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    inhibitory: np.ndarray


class Active(NamedTuple):
    """Spikes that are on their way: time (ms), sender; of its connections those from `first` to before `next` arrive in this
    window, those before have arrived."""

    time: np.ndarray
    sender: np.ndarray
    first: np.ndarray
    next: np.ndarray


class Entries(NamedTuple):
    """Arrivals at chosen neurons: connection, spike (its place in Active), previous entry of the same neuron or -1."""

    connection: np.ndarray
    spike: np.ndarray
    previous: np.ndarray


@njit(cache=True, error_model="numpy")
def grown(array, size):
    """`array` with room for `size` elements."""
    if size <= array.size:
        return array
    larger = np.empty(max(size, 2 * array.size), dtype=array.dtype)
    larger[:array.size] = array
    return larger


@njit(cache=True, error_model="numpy")
def first_due(outgoing, sender, time, t):
    """The first connection of `sender` (they are in order of delay) through which a spike at `time` arrives at t or later."""
    start, delay = outgoing.start, outgoing.delay
    lo, hi = start[sender], start[sender + 1]
    while lo < hi:
        middle = (lo + hi) // 2
        if time + delay[middle] < t:
            lo = middle + 1
        else:
            hi = middle
    return lo


@njit(cache=True, error_model="numpy")
def deliver(end, active, n_active, outgoing, kind, rates, factors, stamps, stamp, arrived):
    """Sum what the arrivals before `end` do to the state at `end`: arrived[n] = (membrane * cm, exc, inh, positive weights).

    Returns (stamp, number of arrivals). factors[kind] = (phi, decay) belong to the arrival stamps[kind].
    """
    start, target, weight, delay, inhibitory = outgoing
    active_time, active_sender, active_from, active_next = active
    count = 0
    for a in range(n_active):
        k = active_next[a]
        active_from[a] = k
        last = start[active_sender[a] + 1]
        time = active_time[a]
        current = 2 if inhibitory[active_sender[a]] else 1
        previous = -1.0
        s = 0.0
        while k < last:
            if delay[k] != previous:
                previous = delay[k]
                if not time + previous < end:
                    break
                s = end - (time + previous)
                stamp += 1
            n = target[k]
            kin = kind[n]
            if stamps[kin] != stamp:
                stamps[kin] = stamp
                rate_m, rate_s = rates[kin, 0], rates[kin, current]
                decay = math.exp(-rate_s * s)
                difference = rate_s - rate_m
                # Digits are lost only where the rates are close; phi loses none, and takes longer.
                factors[kin, 0] = ((math.exp(-rate_m * s) - decay) / difference if abs(difference) > 0.1 * rate_s
                                   else phi(s, rate_m, rate_s))
                factors[kin, 1] = decay
            w = weight[k]
            arrived[n, 0] += w * factors[kin, 0]
            arrived[n, current] += w * factors[kin, 1]
            arrived[n, 3] += max(w, 0.0)
            k += 1
        active_next[a] = k
        count += k - active_from[a]
    return stamp, count


@njit(cache=True, error_model="numpy")
def settle(begin, end, arrived, kind, factors, u, i_exc, i_inh, clamped_until, parameters, head, chosen):
    """Carry all neurons to `end` that surely do not fire; list the others in `chosen`. Returns their number.

    The bound: an arrival adds at most w reach / cm, reach the largest phi of the window. Of two currents of opposite signs the
    faster weighs more by a ratio that grows with time, so the ratio at the end bounds their sum.
    """
    n_chosen = 0
    for n in range(u.size):
        q = kind[n]
        if clamped_until[n] < end:
            x = u[n] - parameters[n, U_INF]
            theta = parameters[n, THRESHOLD] - parameters[n, U_INF]
            if theta == 0.0:  # as `to_threshold`, which takes a row, and rows are slices
                theta = 1e-300
            e, i = i_exc[n], i_inh[n]
            drive = max(e * factors[q, EXC_BY_INH] + i if e >= i else i * factors[q, INH_BY_EXC] + e, 0.0) + arrived[n, 3]
            highest = (x if x >= 0.0 else x * factors[q, DECAY_U]) + drive * parameters[n, INVERSE_CM] * factors[q, REACH]
            # 1e-9: far more than rounding, and it costs only a replay
            if clamped_until[n] > begin or not highest + 1e-9 * (abs(theta) + abs(x)) < theta:
                chosen[n_chosen] = n
                n_chosen += 1
                head[n] = -1
                arrived[n, 0] = arrived[n, 1] = arrived[n, 2] = arrived[n, 3] = 0.0
                continue
            u[n] = (x * factors[q, DECAY_U] + (e * factors[q, PHI_E] + i * factors[q, PHI_I] + arrived[n, 0])
                    * parameters[n, INVERSE_CM] + parameters[n, U_INF])
        i_exc[n] = i_exc[n] * factors[q, DECAY_E] + arrived[n, 1]
        i_inh[n] = i_inh[n] * factors[q, DECAY_I] + arrived[n, 2]
        arrived[n, 0] = arrived[n, 1] = arrived[n, 2] = arrived[n, 3] = 0.0
    return n_chosen


@njit(cache=True, error_model="numpy")
def add_active(active, n_active, time, sender, k):
    """One more spike on its way, from its connection k on. Returns Active, with more room if need be."""
    if n_active == active.time.size:
        size = n_active + 1
        active = Active(grown(active.time, size), grown(active.sender, size), grown(active.first, size), grown(active.next, size))
    active.time[n_active], active.sender[n_active], active.next[n_active] = time, sender, k
    return active


@njit(cache=True, error_model="numpy")
def keep_active(active, n_active, start):
    """Drop the spikes that have arrived everywhere. Returns how many are left."""
    kept = 0
    for a in range(n_active):
        if active.next[a] < start[active.sender[a] + 1]:
            active.time[kept], active.sender[kept], active.next[kept] = active.time[a], active.sender[a], active.next[a]
            kept += 1
    return kept


@njit(cache=True, error_model="numpy")
def _chain(n_active, first, last, target, head, connection, spike, previous):
    """`gather`, where there is room: arrays that grow inside a loop keep compiled code from holding their addresses."""
    count = 0
    for a in range(n_active):
        for k in range(first[a], last[a]):
            n = target[k]
            if head[n] != -2:
                connection[count], spike[count], previous[count] = k, a, head[n]
                head[n] = count
                count += 1


@njit(cache=True, error_model="numpy")
def gather(active, n_active, target, head, entries):
    """Chain the arrivals of this window at the chosen neurons: head[n] is the last of neuron n, -1 none, -2 not chosen.

    Returns the Entries, with more room if need be.
    """
    size = 0
    for a in range(n_active):
        size += active.next[a] - active.first[a]
    if size > entries.connection.size:
        entries = Entries(grown(entries.connection, size), grown(entries.spike, size), grown(entries.previous, size))
    _chain(n_active, active.first, active.next, target, head, entries.connection, entries.spike, entries.previous)
    return entries


@njit(cache=True, error_model="numpy")
def in_time_order(times, order, n):
    """Fill order[:n] so that times[order] does not decrease."""
    if n > _FEW:
        order[:n] = np.argsort(times[:n], kind="mergesort")
        return
    for k in range(n):
        m = k
        while m > 0 and times[order[m - 1]] > times[k]:
            order[m] = order[m - 1]
            m -= 1
        order[m] = k
