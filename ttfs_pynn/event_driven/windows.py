"""Compiled simulation of a recurrent network in windows that are shorter than its smallest delay. Nothing is approximated.

All arrivals of a window are known when it begins. The membrane is linear in them: with h the end of the window,

    u(h) = u(0) exp(-r_m h) + j(0) phi(h) + sum_k w_k phi(h - t_k) / cm,

so an arrival costs a few multiplications and additions, eight arrivals at a time (`window_arrivals`). This sum is used for a
neuron that stays below threshold for certain (`window_steps`). The others (one per cent of them) are *replayed*: their arrivals
are sorted by time, and each crossing is the root that `membrane.first_crossing` finds (`window_replay`).

Windows are powers of two of a millisecond, so their bounds carry no rounding; their length follows the activity. Spikes that
have arrivals ahead are kept, not arrivals: memory is linear in synapses and spikes. Where nothing arrives and no neuron fires
for long, one window goes on to where something does: what a pause costs does not grow with its length.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.delay_rows import delay_of
from ttfs_pynn.event_driven.kernels import INVERSE_CM, NO_DISTANCE, THRESHOLD, U_INF, next_spike
from ttfs_pynn.event_driven.window_arrivals import (
    Active,
    add_known,
    add_new,
    deliver_alike,
    deliver_each,
    keep_active,
    responses_of,
    with_room,
)
from ttfs_pynn.event_driven.window_replay import (
    Arrivals,
    Chosen,
    Intervals,
    Spikes,
    arrivals_for,
    divide,
    gather,
    intervals_for,
    order_by_neuron,
    order_by_time,
    replay,
)
from ttfs_pynn.event_driven.window_steps import N_WINDOW, Neurons, settle, window_of
from ttfs_pynn.membrane.lanes import LANES, aligned

__all__ = ["Links", "run_windows"]

_ADAPT_EVERY = 32  # windows
_QUIET = 8  # windows without an arrival, after which a look at what comes next is no longer much beside them
_ROOM = 64  # at first
_LARGE = 1e300  # an infinite threshold in a product with nothing


class Links(NamedTuple):
    """The rows that a neuron is, one a receptor: rows[start[n]:start[n + 1]] of neuron n."""

    start: np.ndarray
    rows: np.ndarray


class Work(NamedTuple):
    """Memory of a run: the sums of `deliver`, the factors of `window_of`, the others with room that grows."""

    sums: np.ndarray
    factors: np.ndarray
    chosen: Chosen
    arrivals: Arrivals
    by_neuron: Arrivals
    intervals: Intervals
    active: Active
    out: Spikes
    fired: np.ndarray


def _work(n_neurons, size, alike):
    """Work for neurons with room for `size`; alike: whether they share time constants."""
    places = lambda n: np.zeros(n, dtype=np.int64)  # noqa: E731
    sums = aligned(4 * size)[:4 * size].reshape(size, 4)
    sums[...] = 0.0
    factors = aligned(N_WINDOW * (LANES if alike else size))[:N_WINDOW * (LANES if alike else size)]
    chosen = Chosen(places(size), np.zeros(size // 32 + 1, dtype=np.int32), np.zeros(size, dtype=np.int32), places(size + 1))
    return Work(sums, factors, chosen, arrivals_for(_ROOM), arrivals_for(_ROOM), intervals_for(_ROOM, size),
                Active(np.zeros(_ROOM), places(_ROOM), places(_ROOM), places(_ROOM)), Spikes(places(_ROOM), np.zeros(_ROOM)),
                places(n_neurons))


def _neurons(u, i_exc, i_inh, clamped_until, parameters):
    """Neurons, of arrays as of `kernels`, in arrays of whole lanes."""
    def whole(array, beyond):
        return np.concatenate([array, np.full(-array.size % LANES, beyond)])
    theta = parameters[:, THRESHOLD] - parameters[:, U_INF]
    theta[theta == 0.0] = NO_DISTANCE
    # Those beyond the last neuron are held for ever: else they might be replayed.
    return Neurons(whole(u, 0.0), whole(i_exc, 0.0), whole(i_inh, 0.0), whole(clamped_until, np.inf),
                   whole(parameters[:, U_INF], 0.0), whole(np.minimum(theta, _LARGE), _LARGE),
                   whole(parameters[:, INVERSE_CM], 1.0))


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


def run_windows(spike_times, spike_rows, links, rows, t, t_stop, longest, kind, rates,
                u, i_exc, i_inh, clamped_until, parameters):
    """Simulate [t, t_stop). Returns (ok, index, time): spikes, not in order; ok is False where a neuron fires without end.

    spike_times (ascending), spike_rows: known spikes, each of a row of connections. links: Links. rows: `delay_rows.Rows`.
    longest: the largest power of two (ms) that windows may have; no delay from a neuron is smaller. kind: of each neuron, whose
    rates of membrane, exc and inh are rates[kind]. The state is carried on in its arrays.
    """
    neurons, responses = _neurons(u, i_exc, i_inh, clamped_until, parameters), responses_of(rates, kind)
    work = _work(u.size, neurons.u.size, len(rates) == 1)
    ok, index, time = _run(spike_times, spike_rows, links, rows, t, t_stop, longest, kind, rates, responses, neurons, parameters,
                           work)
    for array, carried in zip((u, i_exc, i_inh, clamped_until), neurons, strict=False):
        array[:] = carried[:u.size]
    return ok, index, time


@njit(cache=True, error_model="numpy")
def _more_room(size, n, arrivals, n_neurons):
    """(Arrivals, with the first n of these, Arrivals, Intervals) with room for `size`."""
    larger = arrivals_for(size)
    for k in range(n):
        larger.time[k], larger.weight[k], larger.slot[k] = arrivals.time[k], arrivals.weight[k], arrivals.slot[k]
    return larger, arrivals_for(size), intervals_for(size, n_neurons)


@njit(cache=True, error_model="numpy")
def _run(spike_times, spike_rows, links, rows, t, t_stop, longest, kind, rates, responses, neurons, parameters, work):
    """`run_windows`."""
    sums, factors, chosen, arrivals, by_neuron, intervals, active, out, fired = work
    window, window_span = window_of(longest, rates, kind, factors), longest
    n_active = n_out = known = windows = n_arrived = quiet = none = np.int64(0)  # a literal would be compiled apart
    alike, h, ok, begin = rates.shape[0] == 1, longest, True, t
    most_rows = np.diff(links.start).max()
    while begin < t_stop and ok:
        end = min((math.floor(begin / h) + 1.0) * h, t_stop)
        if quiet >= _QUIET:
            quiet = 0
            until = min(t_stop, spike_times[known]) if known < spike_times.size else t_stop
            until = _quiet_until(begin, until, active, n_active, rows, neurons, parameters)
            end = max(end, until if until == t_stop else math.floor(until / h) * h)
        # Known spikes come in where they happen at the latest, earlier than any of their arrivals.
        first_known = known
        while known < spike_times.size and spike_times[known] < end:
            known += 1
        active = with_room(active, n_active + known - first_known)
        n_active = add_known(spike_times, spike_rows, first_known, known, begin, rows, active, n_active)
        if alike:
            count = deliver_alike(end, active, n_active, rows, responses, sums)
        else:
            count = deliver_each(end, active, n_active, rows, responses, sums)
        if end - begin != window_span:
            window_span = end - begin
            window = window_of(window_span, rates, kind, factors)
        n_chosen = settle(begin, end, sums, window, neurons, chosen.bitmap, chosen.neuron)
        first_new = n_out
        if n_chosen:
            for c in range(n_chosen):
                chosen.slot[chosen.neuron[c]] = c
            a, n_found = gather(none, none, active, n_active, rows, chosen, arrivals)
            while a < n_active:
                arrivals, by_neuron, intervals = _more_room(2 * (n_found + active.next[a] - active.first[a]), n_found, arrivals,
                                                             chosen.neuron.size)
                a, n_found = gather(a, n_found, active, n_active, rows, chosen, arrivals)
            order_by_neuron(n_found, arrivals, n_chosen, chosen, by_neuron)
            order_by_time(n_chosen, chosen.start, by_neuron)
            divide(begin, end, n_chosen, chosen, by_neuron.time, responses, intervals)
            ok, out, n_out = replay(begin, end, n_chosen, chosen, by_neuron, intervals, neurons, parameters, out, n_out, fired)
        n_active = keep_active(active, n_active, rows)
        active = with_room(active, n_active + most_rows * (n_out - first_new))
        n_active = add_new(out.time, out.neuron, first_new, n_out, links, rows, active, n_active)
        begin = end
        windows += 1
        n_arrived += count
        quiet = 0 if count else quiet + 1
        if windows == _ADAPT_EVERY:
            # Short windows make bounds tight and replays rare; where little arrives, the look at every neuron costs more.
            per_neuron = n_arrived / (windows * fired.size)
            if per_neuron > 3.0:
                h *= 0.5
            elif per_neuron < 1.0 and 2.0 * h <= longest:
                h *= 2.0
            windows = n_arrived = 0
    return ok, out.neuron[:n_out], out.time[:n_out]
