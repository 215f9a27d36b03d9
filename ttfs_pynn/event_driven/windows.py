"""Compiled simulation of a recurrent network in windows that are shorter than its smallest delay. Nothing is approximated.

All arrivals of a window are known when it begins. The membrane is linear in them: with h the end of the window,

    u(h) = u(0) exp(-r_m h) + j(0) phi(h) + sum_k w_k phi(h - t_k) / cm,

so an arrival costs a few multiplications and additions, eight arrivals at a time (`window_steps`). This sum is used for a neuron
that stays below threshold for certain. The others (some per cent of them) are *replayed*: their arrivals are sorted by time, and each
crossing is the root that `membrane.first_crossing` finds (`window_replay`).

Windows are powers of two of a millisecond, so their bounds carry no rounding; their length follows the activity. Spikes that
have arrivals ahead are kept, not arrivals: memory is linear in synapses and spikes. Where nothing arrives and no neuron fires
for long, one window goes on to where something does: what a pause costs does not grow with its length.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.delay_rows import delay_of, first_due
from ttfs_pynn.event_driven.kernels import INVERSE_CM, N_FACTORS, U_INF, next_spike, to_threshold
from ttfs_pynn.event_driven.window_replay import Chosen, Spikes, arrivals_for, gather, intervals_for, order_by_neuron, replay
from ttfs_pynn.event_driven.window_steps import (
    Active,
    Neurons,
    add_active,
    deliver,
    keep_active,
    responses_of,
    settle,
    window_of,
)
from ttfs_pynn.membrane.lanes import LANES, aligned

__all__ = ["Links", "run_windows"]

_ADAPT_EVERY = 32  # windows
_QUIET = 8  # windows without an arrival, after which a look at what comes next is no longer much beside them
_LARGE = 1e300


class Links(NamedTuple):
    """The rows that a neuron is, one a receptor: rows[start[n]:start[n + 1]] of neuron n."""

    start: np.ndarray
    rows: np.ndarray


@njit(cache=True, error_model="numpy")
def _with_room(array, size, beyond):
    larger = np.full(size, beyond)
    larger[:array.size] = array
    return larger


@njit(cache=True, error_model="numpy")
def _neurons(u, i_exc, i_inh, clamped_until, parameters):
    """Neurons, of arrays as of `kernels`, in arrays of whole lanes."""
    size = (u.size + LANES - 1) // LANES * LANES
    theta = np.full(size, _LARGE)
    for n in range(u.size):
        theta[n] = min(to_threshold(parameters[n]), _LARGE)  # inf is a threshold too
    return Neurons(_with_room(u, size, 0.0), _with_room(i_exc, size, 0.0), _with_room(i_inh, size, 0.0),
                   _with_room(clamped_until, size, -math.inf), _with_room(parameters[:, U_INF], size, 0.0), theta,
                   _with_room(parameters[:, INVERSE_CM], size, 1.0))


@njit(cache=True, error_model="numpy")
def _quiet_until(begin, until, active, n_active, rows, neurons, parameters):
    """The first of: `until`, an arrival, a spike of a neuron to which nothing arrives. Changes no state."""
    u, i_exc, i_inh, clamped_until = neurons.u, neurons.i_exc, neurons.i_inh, neurons.clamped_until
    for a in range(n_active):
        until = min(until, active.time[a] + delay_of(rows, active.next[a]))
    for n in range(parameters.shape[0]):
        state = u[n], i_exc[n], i_inh[n], clamped_until[n]
        until = min(until, next_spike(n, begin, until, u, i_exc, i_inh, clamped_until, parameters))
        u[n], i_exc[n], i_inh[n], clamped_until[n] = state
    return until


@njit(cache=True, error_model="numpy")
def run_windows(spike_times, spike_rows, links, rows, t, t_stop, longest, kind, rates,
                u, i_exc, i_inh, clamped_until, parameters):
    """Simulate [t, t_stop). Returns (ok, index, time): spikes, not in order; ok is False where a neuron fires without end.

    spike_times (ascending), spike_rows: known spikes, each of a row of connections. links: Links. rows: `delay_rows.Rows`.
    longest: the largest power of two (ms) that windows may have; no delay from a neuron is smaller. kind: of each neuron, whose rates
    of membrane, exc and inh are rates[kind].
    """
    n_neurons = u.size
    neurons, responses = _neurons(u, i_exc, i_inh, clamped_until, parameters), responses_of(rates, kind)
    size = neurons.u.size
    sums = aligned(4 * size)[:4 * size].reshape((size, 4))
    sums[:] = 0.0
    factors = aligned((N_FACTORS + 2) * (size if responses.each else LANES))[:(N_FACTORS + 2) * (size if responses.each else LANES)]
    window, window_span = window_of(longest, rates, kind, factors), longest
    chosen = Chosen(np.empty(size, dtype=np.int64), np.zeros(size // 32 + 1, dtype=np.int32), np.empty(size, dtype=np.int32),
                    np.empty(size + 1, dtype=np.int64))
    arrivals, by_neuron, intervals = arrivals_for(64), arrivals_for(64), intervals_for(64)
    integers = np.zeros((4, 64), dtype=np.int64)
    active, n_active = Active(np.empty(64), integers[0].copy(), integers[1].copy(), integers[2].copy()), 0
    out, n_out, fired = Spikes(integers[3].copy(), np.empty(64)), 0, np.zeros(n_neurons, dtype=np.int64)
    known, h, windows, n_arrived, quiet, ok = 0, longest, 0, 0, 0, True
    begin = t
    while begin < t_stop and ok:
        end = min((math.floor(begin / h) + 1.0) * h, t_stop)
        if quiet >= _QUIET:
            quiet = 0
            until = min(t_stop, spike_times[known]) if known < spike_times.size else t_stop
            until = _quiet_until(begin, until, active, n_active, rows, neurons, parameters)
            end = max(end, until if until == t_stop else math.floor(until / h) * h)
        # Known spikes come in where they happen at the latest, earlier than any of their arrivals.
        while known < spike_times.size and spike_times[known] < end:
            k = first_due(rows, spike_rows[known], spike_times[known], begin)
            if k < rows.end[spike_rows[known]]:
                active = add_active(active, n_active, spike_times[known], spike_rows[known], k)
                n_active += 1
            known += 1
        count = deliver(end, active, n_active, rows, responses, sums)
        if end - begin != window_span:
            window_span = end - begin
            window = window_of(window_span, rates, kind, factors)
        n_chosen = settle(begin, end, sums, window, neurons, chosen.bitmap, chosen.neuron)
        first_new = n_out
        if n_chosen:
            for c in range(n_chosen):
                chosen.slot[chosen.neuron[c]] = c
            a, n_found = gather(0, 0, active, n_active, rows, chosen, arrivals)
            while a < n_active:
                room = 2 * (n_found + active.next[a] - active.first[a])
                larger = arrivals_for(room)
                larger.time[:n_found], larger.weight[:n_found] = arrivals.time[:n_found], arrivals.weight[:n_found]
                larger.slot[:n_found] = arrivals.slot[:n_found]
                arrivals, by_neuron, intervals = larger, arrivals_for(room), intervals_for(room)
                a, n_found = gather(a, n_found, active, n_active, rows, chosen, arrivals)
            order_by_neuron(n_found, arrivals, n_chosen, chosen, by_neuron)
            ok, out, n_out = replay(begin, end, n_chosen, chosen, by_neuron, intervals, responses, neurons, parameters,
                                    out, n_out, fired)
        n_active = keep_active(active, n_active, rows)
        for spike in range(first_new, n_out):
            for link in range(links.start[out.neuron[spike]], links.start[out.neuron[spike] + 1]):
                row = links.rows[link]
                if rows.start[row] < rows.end[row]:
                    active = add_active(active, n_active, out.time[spike], row, rows.start[row])
                    n_active += 1
        begin = end
        windows += 1
        n_arrived += count
        quiet = 0 if count else quiet + 1
        if windows == _ADAPT_EVERY:
            # Short windows make bounds tight and replays rare; where little arrives, the look at every neuron costs more.
            per_neuron = n_arrived / (windows * max(n_neurons, 1))
            if per_neuron > 3.0:
                h *= 0.5
            elif per_neuron < 1.0 and 2.0 * h <= longest:
                h *= 2.0
            windows = n_arrived = 0
    u[:], i_exc[:], i_inh[:] = neurons.u[:n_neurons], neurons.i_exc[:n_neurons], neurons.i_inh[:n_neurons]
    clamped_until[:] = neurons.clamped_until[:n_neurons]
    return ok, out.neuron[:n_out], out.time[:n_out]
