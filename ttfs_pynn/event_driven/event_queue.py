"""Compiled simulation of a recurrent network event by event, for delays that are too small for windows, or zero.

Two heaps: for each neuron the time of its next spike if nothing arrives (or, where none is near, the time at which to look
again), and for each spike on its way its next arrival. An arrival changes one prediction, so the cost is that of the arrivals
times the logarithm of the number of neurons, however small the delays are.

Ties: of what happens at one time, spikes come first (those of lower index before others), then arrivals. Arrivals commute,
for they change currents, and a current does not move the membrane at once.
"""

import math

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.delay_rows import INHIBITORY, delay_of, first_due, target_of, weight_of
from ttfs_pynn.event_driven.kernels import (
    INVERSE_CM,
    MOST_SPIKES,
    RATE_E,
    RATE_I,
    RATE_M,
    RESET,
    TAU_REFRAC,
    THRESHOLD,
    U_INF,
    kept_below,
    to_threshold,
)
from ttfs_pynn.event_driven.window_arrivals import grown
from ttfs_pynn.membrane.interval import first_crossing, phi

_LOOK_AHEAD = 0.25  # of the shortest time constant: how far a spike is looked for while its input may still change


@njit(cache=True, error_model="numpy")
def _carry(n, t, until, u, i_exc, i_inh, clamped_until, parameters):
    """Carry neuron n from t to `until`, between which it does not fire."""
    p = parameters[n]
    if clamped_until[n] > t:
        free = min(clamped_until[n], until)
        i_exc[n] *= math.exp(-p[RATE_E] * (free - t))
        i_inh[n] *= math.exp(-p[RATE_I] * (free - t))
        t = free
    if until > t:
        s = until - t
        u[n] = ((u[n] - p[U_INF]) * math.exp(-p[RATE_M] * s)
                + (i_exc[n] * phi(s, p[RATE_M], p[RATE_E]) + i_inh[n] * phi(s, p[RATE_M], p[RATE_I])) * p[INVERSE_CM]
                + p[U_INF])
        u[n] = kept_below(u[n], p[THRESHOLD], p[U_INF])
        i_exc[n] *= math.exp(-p[RATE_E] * s)
        i_inh[n] *= math.exp(-p[RATE_I] * s)


@njit(cache=True, error_model="numpy")
def _predict(n, t, t_stop, ahead, u, i_exc, i_inh, clamped_until, parameters):
    """(time, True) of the next spike of neuron n without input, or (when to look again, False), inf where not before t_stop.

    ahead (ms): look at least so far.
    """
    p = parameters[n]
    e, i = i_exc[n] * p[INVERSE_CM], i_inh[n] * p[INVERSE_CM]
    if clamped_until[n] > t:
        s = clamped_until[n] - t
        e *= math.exp(-p[RATE_E] * s)
        i *= math.exp(-p[RATE_I] * s)
        t = clamped_until[n]
    if not t < t_stop:
        return math.inf, False
    x, theta = u[n] - p[U_INF], to_threshold(p)
    if x >= theta:
        return t, True
    reach = 1.0 / max(p[RATE_M], min(p[RATE_E], p[RATE_I]))  # phi is below it
    if max(x, 0.0) + (max(e, 0.0) + max(i, 0.0)) * reach < theta:
        return math.inf, False
    # Late, a step may be too short for the digits of time: what follows it is to be another time.
    span = min(t_stop - t, max(ahead, _LOOK_AHEAD / max(p[RATE_M], p[RATE_E], p[RATE_I]), 4e-16 * abs(t)))
    s = first_crossing(x, e, i, theta, p[RATE_M], p[RATE_E], p[RATE_I], span)
    if s == math.inf:
        return (t + span if t + span < t_stop else math.inf), False
    return t + s, True


@njit(cache=True, error_model="numpy")
def _move(heap, place, due, n):
    """Restore the order of an indexed heap after due[n] has changed: by due time, then by index."""
    k = place[n]
    while k > 0:
        above = heap[(k - 1) // 2]
        if due[above] < due[n] or (due[above] == due[n] and above < n):
            break
        heap[k], place[above] = above, k
        k = (k - 1) // 2
    while 2 * k + 1 < heap.size:
        child = 2 * k + 1
        if child + 1 < heap.size:
            a, b = heap[child], heap[child + 1]
            if due[b] < due[a] or (due[b] == due[a] and b < a):
                child += 1
        below = heap[child]
        if due[n] < due[below] or (due[n] == due[below] and n < below):
            break
        heap[k], place[below] = below, k
        k = child
    heap[k], place[n] = n, k


@njit(cache=True, error_model="numpy")
def _push(times, slots, n, time, slot):
    """Add to a heap of n arrivals."""
    k = n
    while k > 0 and times[(k - 1) // 2] > time:
        times[k], slots[k] = times[(k - 1) // 2], slots[(k - 1) // 2]
        k = (k - 1) // 2
    times[k], slots[k] = time, slot


@njit(cache=True, error_model="numpy")
def _replace_first(times, slots, n, time, slot):
    """Take the first of a heap of n arrivals out and put another in."""
    k = 0
    while 2 * k + 1 < n:
        child = 2 * k + 1
        if child + 1 < n and times[child + 1] < times[child]:
            child += 1
        if time <= times[child]:
            break
        times[k], slots[k] = times[child], slots[child]
        k = child
    times[k], slots[k] = time, slot


@njit(cache=True, error_model="numpy")
def run_queue(spike_times, spike_rows, links, rows, t, t_stop, u, i_exc, i_inh, clamped_until, parameters):
    """Simulate [t, t_stop); arguments and results as of `windows.run_windows`."""
    n_neurons = u.size
    now, due, fires = np.full(n_neurons, t), np.full(n_neurons, math.inf), np.zeros(n_neurons, dtype=np.bool_)
    heap, place = np.arange(n_neurons), np.arange(n_neurons)
    for n in range(n_neurons):
        due[n], fires[n] = _predict(n, t, t_stop, 0.0, u, i_exc, i_inh, clamped_until, parameters)
        _move(heap, place, due, n)
    slot_time, slot_row, slot_next = np.empty(64), np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    free_slots, n_free, n_slots = np.empty(64, dtype=np.int64), 0, 0
    arrival_times, arrival_slots, n_arrivals = np.empty(64), np.empty(64, dtype=np.int64), 0
    out_index, out_time, n_out = np.empty(64, dtype=np.int64), np.empty(64), 0
    fired = np.zeros(n_neurons, dtype=np.int64)
    known = 0
    while True:
        n = heap[0] if n_neurons else -1
        t_neuron = due[n] if n_neurons else math.inf
        t_arrival = arrival_times[0] if n_arrivals else math.inf
        t_known = spike_times[known] if known < spike_times.size else math.inf
        if min(t_neuron, t_arrival, t_known) >= t_stop:
            break
        first, last, t_spike = 0, 0, 0.0  # rows that set out now
        if t_known <= t_neuron and t_known <= t_arrival:
            t_spike = t_known
            first, last = -1, 0
        elif t_neuron <= t_arrival:
            _carry(n, now[n], t_neuron, u, i_exc, i_inh, clamped_until, parameters)
            ahead = 0.0 if fires[n] else 2.0 * (t_neuron - now[n])  # where nothing arrived, nothing may for longer
            now[n] = t_neuron
            if fires[n]:
                u[n] = parameters[n, RESET]
                clamped_until[n] = t_neuron + parameters[n, TAU_REFRAC]
                out_index, out_time = grown(out_index, n_out + 1), grown(out_time, n_out + 1)
                out_index[n_out], out_time[n_out] = n, t_neuron
                n_out += 1
                fired[n] += 1
                if fired[n] > MOST_SPIKES:
                    return False, out_index[:n_out], out_time[:n_out]
                t_spike, first, last = t_neuron, links.start[n], links.start[n + 1]
            due[n], fires[n] = _predict(n, t_neuron, t_stop, ahead, u, i_exc, i_inh, clamped_until, parameters)
            _move(heap, place, due, n)
        else:
            slot = arrival_slots[0]
            row, k = slot_row[slot], slot_next[slot]
            this = delay_of(rows, k)
            while k < rows.end[row] and delay_of(rows, k) == this:
                n = target_of(rows, k)
                _carry(n, now[n], t_arrival, u, i_exc, i_inh, clamped_until, parameters)
                now[n] = t_arrival
                if rows.flags[row] & INHIBITORY:
                    i_inh[n] += weight_of(rows, row, k)
                else:
                    i_exc[n] += weight_of(rows, row, k)
                due[n], fires[n] = _predict(n, t_arrival, t_stop, 0.0, u, i_exc, i_inh, clamped_until, parameters)
                _move(heap, place, due, n)
                k += 1
            slot_next[slot] = k
            if k < rows.end[row]:
                _replace_first(arrival_times, arrival_slots, n_arrivals, slot_time[slot] + delay_of(rows, k), slot)
            else:
                n_arrivals -= 1
                _replace_first(arrival_times, arrival_slots, n_arrivals, arrival_times[n_arrivals], arrival_slots[n_arrivals])
                free_slots = grown(free_slots, n_free + 1)
                free_slots[n_free] = slot
                n_free += 1
        for link in range(first, last):
            row = links.rows[link] if link >= 0 else spike_rows[known]
            k = rows.start[row] if link >= 0 else first_due(rows, row, t_spike, t)
            known += link < 0
            if k == rows.end[row]:
                continue
            if n_free:
                n_free -= 1
                slot = free_slots[n_free]
            else:
                slot = n_slots
                n_slots += 1
                slot_time, slot_row, slot_next = (grown(slot_time, n_slots), grown(slot_row, n_slots),
                                                     grown(slot_next, n_slots))
            slot_time[slot], slot_row[slot], slot_next[slot] = t_spike, row, k
            arrival_times, arrival_slots = grown(arrival_times, n_arrivals + 1), grown(arrival_slots, n_arrivals + 1)
            _push(arrival_times, arrival_slots, n_arrivals, t_spike + delay_of(rows, k), slot)
            n_arrivals += 1
    for n in range(n_neurons):
        _carry(n, now[n], t_stop, u, i_exc, i_inh, clamped_until, parameters)
        if fires[n] and due[n] <= t_stop:
            u[n] = max(u[n], parameters[n, THRESHOLD])  # reached at t_stop itself: the spike belongs to what follows
    return True, out_index[:n_out], out_time[:n_out]
