"""Compiled simulation of a recurrent network in windows that are shorter than its smallest delay. Nothing is approximated.

All arrivals of a window are known when it begins. The membrane is linear in them: with h the end of the window,

    u(h) = u(0) exp(-r_m h) + j(0) phi(h) + sum_k w_k phi(h - t_k) / cm,

so an arrival costs two multiplications and additions, and neurons that share time constants share the exponentials of an
arrival. This sum is used for a neuron whose upper bound on u stays below threshold. The others (some per cent of them) are
*replayed*: their arrivals are sorted by time, and each crossing is the root that `membrane.first_crossing` finds.

Windows are powers of two of a millisecond, so their bounds carry no rounding; their length follows the activity. Spikes that
have arrivals ahead are kept, not arrivals: memory is linear in synapses and spikes. Where nothing arrives and no neuron fires
for long, one window goes on to where something does: what a pause costs does not grow with its length.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.kernels import MOST_SPIKES, N_FACTORS, next_spike, window_factors
from ttfs_pynn.event_driven.window_steps import (
    Active,
    Entries,
    Outgoing,
    add_active,
    deliver,
    first_due,
    gather,
    grown,
    in_time_order,
    keep_active,
    settle,
)

__all__ = ["Links", "Outgoing", "run_windows"]

_ADAPT_EVERY = 32  # windows
_QUIET = 8  # windows without an arrival, after which a look at what comes next is no longer much beside them


class Links(NamedTuple):
    """The senders that a neuron is, one in each projection: senders[start[n]:start[n + 1]] of neuron n."""

    start: np.ndarray
    senders: np.ndarray


class _Order(NamedTuple):
    """Arrivals at one neuron: time (ms), entry (its place in Entries); order: places sorted by time."""

    time: np.ndarray
    entry: np.ndarray
    order: np.ndarray


class _Spikes(NamedTuple):
    """neuron and time (ms) of each."""

    neuron: np.ndarray
    time: np.ndarray


@njit(cache=True, error_model="numpy")
def _replay(n, begin, end, last, active, entries, scratch, outgoing, out, n_out, fired,
            u, i_exc, i_inh, clamped_until, parameters):
    """Carry neuron n from `begin` to `end` through its arrivals, the chain that ends with entry `last`, one after the other.

    Its spikes are added to out. Returns (scratch, out, number of spikes in out), the first two with room enough.
    """
    m = 0
    while last >= 0:
        if m == scratch.time.size:
            scratch = _Order(grown(scratch.time, m + 1), grown(scratch.entry, m + 1), grown(scratch.order, m + 1))
        scratch.time[m] = active.time[entries.spike[last]] + outgoing.delay[entries.connection[last]]
        scratch.entry[m] = last
        m += 1
        last = entries.previous[last]
    times, entry_of, order = scratch
    in_time_order(times, order, m)
    now = begin
    for e in range(m + 1):
        until = times[order[e]] if e < m else end
        while True:
            now = next_spike(n, now, until, u, i_exc, i_inh, clamped_until, parameters)
            if now == math.inf or fired[n] > MOST_SPIKES:
                break
            if n_out == out.neuron.size:
                out = _Spikes(grown(out.neuron, n_out + 1), grown(out.time, n_out + 1))
            out.neuron[n_out], out.time[n_out] = n, now
            n_out += 1
            fired[n] += 1
        now = until
        if e < m:
            entry = entry_of[order[e]]
            if outgoing.inhibitory[active.sender[entries.spike[entry]]]:
                i_inh[n] += outgoing.weight[entries.connection[entry]]
            else:
                i_exc[n] += outgoing.weight[entries.connection[entry]]
    return scratch, out, n_out


@njit(cache=True, error_model="numpy")
def _quiet_until(begin, until, active, n_active, delay, u, i_exc, i_inh, clamped_until, parameters):
    """The first of: `until`, an arrival, a spike of a neuron to which nothing arrives. Changes no state."""
    for a in range(n_active):
        until = min(until, active.time[a] + delay[active.next[a]])
    for n in range(u.size):
        state = u[n], i_exc[n], i_inh[n], clamped_until[n]
        until = min(until, next_spike(n, begin, until, u, i_exc, i_inh, clamped_until, parameters))
        u[n], i_exc[n], i_inh[n], clamped_until[n] = state
    return until


@njit(cache=True, error_model="numpy")
def run_windows(spike_times, spike_senders, links, outgoing, t, t_stop, longest, kind, rates,
                u, i_exc, i_inh, clamped_until, parameters):
    """Simulate [t, t_stop). Returns (ok, index, time): spikes, not in order; ok is False where a neuron fires without end.

    spike_times (ascending), spike_senders: known spikes. A sender is a source in one projection. links: Links.
    outgoing: Outgoing. longest: the largest power of two (ms) that windows may have; no delay from a neuron is smaller.
    """
    start = outgoing.start
    n_neurons, n_kinds = u.size, rates.shape[0]
    arrived, head, chosen = np.zeros((n_neurons, 4)), np.full(n_neurons, -2), np.empty(n_neurons, dtype=np.int64)
    factors, stamps, stamp = np.empty((n_kinds, 2)), np.zeros(n_kinds, dtype=np.int64), 0
    window, window_of = np.empty((n_kinds, N_FACTORS)), -1.0
    integers = np.zeros((8, 64), dtype=np.int64)
    active, n_active = Active(np.empty(64), integers[0].copy(), integers[1].copy(), integers[2].copy()), 0
    entries = Entries(integers[3].copy(), integers[4].copy(), integers[5].copy())
    scratch = _Order(np.empty(64), integers[6].copy(), integers[7].copy())
    out, n_out, fired = _Spikes(integers[0].copy(), np.empty(64)), 0, np.zeros(n_neurons, dtype=np.int64)
    known, h, windows, arrivals, quiet = 0, longest, 0, 0, 0
    begin = t
    while begin < t_stop:
        end = min((math.floor(begin / h) + 1.0) * h, t_stop)
        if quiet >= _QUIET:
            quiet = 0
            until = min(t_stop, spike_times[known]) if known < spike_times.size else t_stop
            until = _quiet_until(begin, until, active, n_active, outgoing.delay, u, i_exc, i_inh, clamped_until, parameters)
            end = max(end, until if until == t_stop else math.floor(until / h) * h)
        # Known spikes come in where they happen at the latest, earlier than any of their arrivals.
        while known < spike_times.size and spike_times[known] < end:
            k = first_due(outgoing, spike_senders[known], spike_times[known], begin)
            if k < start[spike_senders[known] + 1]:
                active = add_active(active, n_active, spike_times[known], spike_senders[known], k)
                n_active += 1
            known += 1
        stamp, count = deliver(end, active, n_active, outgoing, kind, rates, factors, stamps, stamp, arrived)
        if end - begin != window_of:
            window_of = end - begin
            window_factors(window_of, rates, window)
        n_chosen = settle(begin, end, arrived, kind, window, u, i_exc, i_inh, clamped_until, parameters, head, chosen)
        first_new = n_out
        if n_chosen:
            entries = gather(active, n_active, outgoing.target, head, entries)
        for c in range(n_chosen):
            n = chosen[c]
            last, head[n] = head[n], -2
            scratch, out, n_out = _replay(n, begin, end, last, active, entries, scratch, outgoing, out, n_out, fired,
                                          u, i_exc, i_inh, clamped_until, parameters)
            if fired[n] > MOST_SPIKES:
                return False, out.neuron[:n_out], out.time[:n_out]
        n_active = keep_active(active, n_active, start)
        for spike in range(first_new, n_out):
            for link in range(links.start[out.neuron[spike]], links.start[out.neuron[spike] + 1]):
                sender = links.senders[link]
                if start[sender] < start[sender + 1]:
                    active = add_active(active, n_active, out.time[spike], sender, start[sender])
                    n_active += 1
        begin = end
        windows += 1
        arrivals += count
        quiet = 0 if count else quiet + 1
        if windows == _ADAPT_EVERY:
            # Short windows make bounds tight and replays rare; where little arrives, the look at every neuron costs more.
            per_neuron = arrivals / (windows * max(n_neurons, 1))
            if per_neuron > 3.0:
                h *= 0.5
            elif per_neuron < 1.0 and 2.0 * h <= longest:
                h *= 2.0
            windows = arrivals = 0
    return True, out.neuron[:n_out], out.time[:n_out]
