"""Compiled simulation of a recurrent network in windows that are shorter than its smallest delay. Nothing is approximated.

All arrivals of a window are known when it begins. The membrane is linear in them: with h the end of the window,

    u(h) = u(0) exp(-r_m h) + j(0) phi(h) + sum_k w_k phi(h - t_k) / cm,

so an arrival costs two multiplications and additions, and neurons that share time constants share the exponentials of an
arrival. This sum is used for a neuron whose upper bound on u stays below threshold. The others (some per cent of them) are
*replayed*: their arrivals are sorted by time, and each crossing is the root that `membrane.first_crossing` finds.

Windows are powers of two of a millisecond, so their bounds carry no rounding; their length follows the activity. Spikes that
have arrivals ahead are kept, not arrivals: memory is linear in synapses and spikes.
"""

import math

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.kernels import (
    INVERSE_CM,
    MOST_SPIKES,
    N_FACTORS,
    THRESHOLD,
    U_INF,
    next_spike,
    window_factors,
)
from ttfs_pynn.first_spike.membrane import phi

_FEW = 24  # arrivals that insertion sorts faster than a call of argsort
_ADAPT_EVERY = 32  # windows


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
def _deliver(end, n_active, active_time, active_sender, active_from, active_next, table, kind, rates, factors, stamps, stamp,
             arrived):
    """Sum what the arrivals before `end` do to the state at `end`: arrived[n] = (membrane * cm, exc, inh, positive weights).

    Returns (stamp, number of arrivals). factors[kind] = (phi, decay) belong to the arrival stamps[kind].
    """
    start, target, weight, delay, inhibitory = table
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
def _settle(begin, end, arrived, kind, factors, u, i_exc, i_inh, clamped_until, parameters, head, chosen):
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
            theta = p[THRESHOLD] - p[U_INF]
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
def _gather(n_active, active_from, active_next, target, head, entry_synapse, entry_active, entry_next):
    """Chain the arrivals of this window at the chosen neurons: head[n] is the last of neuron n, -1 none, -2 not chosen."""
    count = 0
    for a in range(n_active):
        for k in range(active_from[a], active_next[a]):
            n = target[k]
            if head[n] != -2:
                if count == entry_synapse.size:
                    entry_synapse = grown(entry_synapse, count + 1)
                    entry_active = grown(entry_active, count + 1)
                    entry_next = grown(entry_next, count + 1)
                entry_synapse[count], entry_active[count], entry_next[count] = k, a, head[n]
                head[n] = count
                count += 1
    return entry_synapse, entry_active, entry_next


@njit(cache=True, error_model="numpy")
def _in_time_order(times, order, n):
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


@njit(cache=True, error_model="numpy")
def run_windows(spike_times, spike_senders, links, table, t, t_stop, longest, kind, rates,
                u, i_exc, i_inh, clamped_until, parameters):
    """Simulate [t, t_stop). Returns (ok, index, time): spikes, not in order; ok is False where a neuron fires without end.

    spike_times (ascending), spike_senders: known spikes. A sender is a source in one projection; links = (start, senders) are
    the senders that a neuron is. table = (start, target, weight, delay, inhibitory): the connections of each sender in order of
    delay. longest: the largest power of two (ms) that windows may have; no delay from a neuron is smaller.
    """
    target, weight, delay, inhibitory = table[1], table[2], table[3], table[4]
    link_start, link_senders = links
    n_neurons, n_kinds = u.size, rates.shape[0]
    arrived, head, chosen = np.zeros((n_neurons, 4)), np.full(n_neurons, -2), np.empty(n_neurons, dtype=np.int64)
    factors, stamps, stamp = np.empty((n_kinds, 2)), np.zeros(n_kinds, dtype=np.int64), 0
    window, window_of = np.empty((n_kinds, N_FACTORS)), -1.0
    active_time, active_sender = np.empty(64), np.empty(64, dtype=np.int64)
    active_from, active_next, n_active = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    entry_synapse, entry_active, entry_next = (np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64),
                                               np.empty(64, dtype=np.int64))
    times, order = np.empty(64), np.empty(64, dtype=np.int64)
    synapse = np.empty(64, dtype=np.int64)
    out_index, out_time, n_out = np.empty(64, dtype=np.int64), np.empty(64), 0
    fired = np.zeros(n_neurons, dtype=np.int64)
    known = 0
    h, windows, arrivals = longest, 0, 0
    begin = t
    while begin < t_stop:
        end = min((math.floor(begin / h) + 1.0) * h, t_stop)
        # Known spikes come in where they happen at the latest, earlier than any of their arrivals.
        while known < spike_times.size and spike_times[known] < end:
            k = first_due(table, spike_senders[known], spike_times[known], begin)
            if k < table[0][spike_senders[known] + 1]:
                active_time, active_sender = grown(active_time, n_active + 1), grown(active_sender, n_active + 1)
                active_from, active_next = grown(active_from, n_active + 1), grown(active_next, n_active + 1)
                active_time[n_active], active_sender[n_active] = spike_times[known], spike_senders[known]
                active_next[n_active] = k
                n_active += 1
            known += 1
        stamp, count = _deliver(end, n_active, active_time, active_sender, active_from, active_next, table, kind, rates,
                                factors, stamps, stamp, arrived)
        if end - begin != window_of:
            window_of = end - begin
            window_factors(window_of, rates, window)
        n_chosen = _settle(begin, end, arrived, kind, window, u, i_exc, i_inh, clamped_until, parameters, head, chosen)
        first_new = n_out
        if n_chosen:
            entry_synapse, entry_active, entry_next = _gather(n_active, active_from, active_next, target, head,
                                                              entry_synapse, entry_active, entry_next)
        for c in range(n_chosen):
            n = chosen[c]
            m, entry = 0, head[n]
            head[n] = -2
            while entry >= 0:
                if m == times.size:
                    times, order, synapse = grown(times, m + 1), grown(order, m + 1), grown(synapse, m + 1)
                synapse[m] = entry
                times[m] = active_time[entry_active[entry]] + delay[entry_synapse[entry]]
                m += 1
                entry = entry_next[entry]
            _in_time_order(times, order, m)
            now = begin
            for e in range(m + 1):
                until = times[order[e]] if e < m else end
                while True:
                    now = next_spike(n, now, until, u, i_exc, i_inh, clamped_until, parameters)
                    if now == math.inf:
                        break
                    out_index, out_time = grown(out_index, n_out + 1), grown(out_time, n_out + 1)
                    out_index[n_out], out_time[n_out] = n, now
                    n_out += 1
                    fired[n] += 1
                    if fired[n] > MOST_SPIKES:
                        return False, out_index[:n_out], out_time[:n_out]
                now = until
                if e < m:
                    entry = synapse[order[e]]
                    if inhibitory[active_sender[entry_active[entry]]]:
                        i_inh[n] += weight[entry_synapse[entry]]
                    else:
                        i_exc[n] += weight[entry_synapse[entry]]
        kept = 0
        for a in range(n_active):
            if active_next[a] < table[0][active_sender[a] + 1]:
                active_time[kept], active_sender[kept], active_next[kept] = active_time[a], active_sender[a], active_next[a]
                kept += 1
        n_active = kept
        for spike in range(first_new, n_out):
            n = out_index[spike]
            for link in range(link_start[n], link_start[n + 1]):
                sender = link_senders[link]
                if table[0][sender] < table[0][sender + 1]:
                    active_time, active_sender = grown(active_time, n_active + 1), grown(active_sender, n_active + 1)
                    active_from, active_next = grown(active_from, n_active + 1), grown(active_next, n_active + 1)
                    active_time[n_active], active_sender[n_active] = out_time[spike], sender
                    active_next[n_active] = table[0][sender]
                    n_active += 1
        begin = end
        windows += 1
        arrivals += count
        if windows == _ADAPT_EVERY:
            # Short windows make bounds tight and replays rare; where little arrives, the look at every neuron costs more.
            per_neuron = arrivals / (windows * max(n_neurons, 1))
            if per_neuron > 3.0:
                h *= 0.5
            elif per_neuron < 1.0 and 2.0 * h <= longest:
                h *= 2.0
            windows = arrivals = 0
    return True, out_index[:n_out], out_time[:n_out]
