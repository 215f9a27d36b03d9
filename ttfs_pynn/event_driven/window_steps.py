"""Compiled steps of a window of `windows`: what arrives, who may fire, and in which order."""

import math

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.kernels import INVERSE_CM, U_INF, to_threshold
from ttfs_pynn.membrane.interval import phi

_FEW = 24  # arrivals that insertion sorts faster than a call of argsort


@njit(cache=True, error_model="numpy")
def grown(array, size):
    """`array` with room for `size` elements."""
    if size <= array.size:
        return array
    larger = np.empty(max(size, 2 * array.size), dtype=array.dtype)
    larger[:array.size] = array
    return larger


@njit(cache=True, error_model="numpy")
def first_due(table, sender, time, t):
    """The first connection of `sender` (they are in order of delay) through which a spike at `time` arrives at t or later."""
    start, delay = table[0], table[3]
    lo, hi = start[sender], start[sender + 1]
    while lo < hi:
        middle = (lo + hi) // 2
        if time + delay[middle] < t:
            lo = middle + 1
        else:
            hi = middle
    return lo


@njit(cache=True, error_model="numpy")
def deliver(end, active, n_active, table, kind, rates, factors, stamps, stamp, arrived):
    """Sum what the arrivals before `end` do to the state at `end`: arrived[n] = (membrane * cm, exc, inh, positive weights).

    Returns (stamp, number of arrivals). factors[kind] = (phi, decay) belong to the arrival stamps[kind].
    """
    start, target, weight, delay, inhibitory = table
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
        f = factors[kind[n]]
        p = parameters[n]
        if clamped_until[n] < end:
            x = u[n] - p[U_INF]
            theta = to_threshold(p)
            e, i = i_exc[n], i_inh[n]
            drive = max(e * f[5] + i if e >= i else i * f[6] + e, 0.0) + arrived[n, 3]
            highest = (x if x >= 0.0 else x * f[0]) + drive * p[INVERSE_CM] * f[7]
            # 1e-9: far more than rounding, and it costs only a replay
            if clamped_until[n] > begin or not highest + 1e-9 * (abs(theta) + abs(x)) < theta:
                chosen[n_chosen] = n
                n_chosen += 1
                head[n] = -1
                arrived[n, :] = 0.0
                continue
            u[n] = x * f[0] + (e * f[3] + i * f[4] + arrived[n, 0]) * p[INVERSE_CM] + p[U_INF]
        i_exc[n] = i_exc[n] * f[1] + arrived[n, 1]
        i_inh[n] = i_inh[n] * f[2] + arrived[n, 2]
        arrived[n, 0] = arrived[n, 1] = arrived[n, 2] = arrived[n, 3] = 0.0
    return n_chosen


@njit(cache=True, error_model="numpy")
def add_active(active, n_active, time, sender, k):
    """One more spike on its way: active = (time, sender, connections delivered in this window: from, to), returned."""
    if n_active == active[0].size:
        size = n_active + 1
        active = grown(active[0], size), grown(active[1], size), grown(active[2], size), grown(active[3], size)
    active[0][n_active], active[1][n_active], active[3][n_active] = time, sender, k
    return active


@njit(cache=True, error_model="numpy")
def keep_active(active, n_active, start):
    """Drop the spikes that have arrived everywhere. Returns how many are left."""
    kept = 0
    for a in range(n_active):
        if active[3][a] < start[active[1][a] + 1]:
            active[0][kept], active[1][kept], active[3][kept] = active[0][a], active[1][a], active[3][a]
            kept += 1
    return kept


@njit(cache=True, error_model="numpy")
def gather(active, n_active, target, head, entries):
    """Chain the arrivals of this window at the chosen neurons: head[n] is the last of neuron n, -1 none, -2 not chosen.

    entries = (connection, place among the active spikes, previous entry of the same neuron); returned, with more room if need be.
    """
    count = 0
    for a in range(n_active):
        for k in range(active[2][a], active[3][a]):
            n = target[k]
            if head[n] != -2:
                if count == entries[0].size:
                    entries = grown(entries[0], count + 1), grown(entries[1], count + 1), grown(entries[2], count + 1)
                entries[0][count], entries[1][count], entries[2][count] = k, a, head[n]
                head[n] = count
                count += 1
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
