"""Compiled loops for populations whose neurons hear each other: every neuron spikes once, and its causes are all earlier.

Forwards, the neurons of a sample are settled in order of time. Each has a candidate: its first crossing by what is known to
arrive. The earliest candidate of all is a spike, and so is whatever is not later than it by more than the shortest delay, for
nothing new arrives before. These spikes are sent to their targets, and a target that hears one before its candidate is computed
again, from where it stood at that time. Every round settles a neuron, so the loop ends, also with delays of 0.

Backwards, the neurons are taken in the opposite order: all that a spike caused is later, so its error is known when its turn
comes.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.backward_kernels import LEAST_RISE
from ttfs_pynn.first_spike.kernels import crossing
from ttfs_pynn.first_spike.rows_backward import N_BLOCKS, add_causes, causes_of_several, no_causes, responses
from ttfs_pynn.first_spike.rows_kernels import longest_row, spikes_by_source
from ttfs_pynn.first_spike.rows_layer_kernels import by_column
from ttfs_pynn.membrane.interval import extremum, phi
from ttfs_pynn.membrane.interval import responses as decays
from ttfs_pynn.membrane.sorted_inputs import sort_row
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["backward", "first_spike_times"]

X, J, CANDIDATE, PEAK, HIGHEST = range(5)  # of a neuron, in `state`: where it stands, its candidate; the largest phi, and where


class Heard(NamedTuple):
    """What arrives at the neurons of a sample, each neuron's in order of time: that of neuron n from begin[n] on, size[n] in
    all, of which it has walked past[n]."""

    begin: np.ndarray
    size: np.ndarray
    past: np.ndarray
    time: np.ndarray
    w: np.ndarray


@njit(cache=True, error_model="numpy")
def _places(rows, n_columns, most):
    """Where the lists of the neurons begin: a given column spikes at most `most` times, a neuron once."""
    begin = np.zeros(rows.start.shape[0], dtype=np.int64)
    for n in range(rows.start.shape[0] - 1):
        size = 0
        for s in range(rows.start[n], rows.start[n + 1]):
            size += most if rows.column[s] < n_columns else 1
        begin[n + 1] = begin[n] + size
    return begin


@njit(cache=True, error_model="numpy")
def _shortest_delay(rows, n_columns):
    shortest = math.inf
    for s in range(rows.column.shape[0]):
        if rows.column[s] >= n_columns:
            shortest = min(shortest, rows.delay[s] if rows.delay.shape[0] else 0.0)
    return shortest


@njit(cache=True, error_model="numpy")
def _hear_given(n, rows, w, first, time, n_columns, heard, times, weights, order, bucket, sorted_times):
    """Fill the list of neuron n with what the given columns send it."""
    m = 0
    for s in range(rows.start[n], rows.start[n + 1]):
        c = rows.column[s]
        if c < n_columns:
            for k in range(first[c], first[c + 1]):
                times[m], weights[m] = time[k] + (rows.delay[s] if rows.delay.shape[0] else 0.0), w[s]
                m += 1
    sort_row(times[:m], order, bucket, sorted_times)
    for k in range(m):
        heard.time[heard.begin[n] + k], heard.w[heard.begin[n] + k, 0] = times[order[k]], weights[order[k]]
    heard.size[n], heard.past[n] = m, 0


@njit(cache=True, error_model="numpy")
def _insert(n, t, w, heard):
    """After whatever arrives at neuron n at the same time."""
    begin, time, weight = heard.begin[n], heard.time, heard.w
    k = begin + heard.size[n]
    while k > begin and time[k - 1] > t:
        time[k], weight[k, 0] = time[k - 1], weight[k - 1, 0]
        k -= 1
    time[k], weight[k, 0] = t, w
    heard.size[n] += 1


@njit(cache=True, error_model="numpy")
def _walk(n, now, heard, order, neurons, state):
    """The first crossing of neuron n by what it is known to hear; where it stands at `now` is kept: nothing new comes before."""
    tau_m, tau_syn, cm, thr, doubt = neurons.tau_m[n], neurons.tau_syn[n], neurons.cm[n], neurons.thr[n], neurons.doubt[n]
    rate_m, rate_s, low = 1.0 / tau_m, 1.0 / tau_syn, thr - doubt
    begin, count, time, w = heard.begin[n], heard.size[n], heard.time, heard.w
    highest, peak, x, j = state[n, HIGHEST], state[n, PEAK], state[n, X], state[n, J]
    for k in range(heard.past[n], count + 1):
        span = 0.0
        if k > 0:
            last = time[begin + k - 1]
            span = (time[begin + k] if k < count else math.inf) - last
        if span > 0.0:
            decay_m = decay_s = response = 0.0
            if span < math.inf:
                decay_m, decay_s, response = decays(span, rate_m, rate_s)
            if max(x, 0.0) + max(j, 0.0) * (response if span < highest and span < math.inf else peak) >= low:
                s = crossing(time[begin:begin + count], order, k, w[begin:begin + count], 0, x, j, span, tau_m, tau_syn, cm, thr,
                             doubt)
                if s < math.inf:
                    return last + s
            x = x * decay_m + j * response
            j *= decay_s
        if k < count:
            j += w[begin + k, 0] / cm
            if time[begin + k] <= now:
                heard.past[n], state[n, X], state[n, J] = k + 1, x, j
    return math.inf


@njit(cache=True, error_model="numpy")
def _settle(shortest, deadline, columns, n_columns, delay, heard, order, neurons, state, changed, out):
    """Fill out (neurons,), given the candidates by what the given columns send."""
    n_neurons = out.shape[0]
    while True:
        now = math.inf
        for n in range(n_neurons):
            if out[n] == math.inf:
                now = min(now, state[n, CANDIDATE])
        if now == math.inf or now > deadline:
            return
        for n in range(n_neurons):
            t = state[n, CANDIDATE]
            if out[n] == math.inf and t <= min(now + shortest, deadline) and t < math.inf:
                out[n] = t
        for n in range(n_neurons):
            if out[n] == math.inf or state[n, CANDIDATE] == math.inf:
                continue
            state[n, CANDIDATE] = math.inf  # sent
            for at in range(columns.start[n_columns + n], columns.start[n_columns + n + 1]):
                post = columns.post[at]
                if out[post] == math.inf:
                    t = out[n] + (delay[columns.synapse[at]] if delay.shape[0] else 0.0)
                    _insert(post, t, columns.w[at], heard)
                    changed[post] |= t < state[post, CANDIDATE]
        for n in range(n_neurons):
            if changed[n]:
                changed[n] = False
                state[n, CANDIDATE] = _walk(n, now, heard, order, neurons, state)


@njit(cache=True, error_model="numpy")
def _times_of_sample(first, time, n_columns, begin, shortest, deadline, rows, w, columns, neurons, out):
    n_neurons = out.shape[0]
    longest = 0
    for n in range(n_neurons):
        longest = max(longest, begin[n + 1] - begin[n])
    heard = Heard(begin, np.empty(n_neurons, dtype=np.int64), np.empty(n_neurons, dtype=np.int64), np.empty(begin[-1]),
                  np.empty((begin[-1], 1)))
    order, bucket = np.empty(longest, dtype=np.int64), np.empty(2 * longest + 2, dtype=np.int64)
    times, weights, sorted_times = np.empty(longest), np.empty(longest), np.empty(longest)
    in_order, state, changed = np.arange(longest), np.zeros((n_neurons, 5)), np.zeros(n_neurons, dtype=np.bool_)
    for n in range(n_neurons):
        rate_m, rate_s = 1.0 / neurons.tau_m[n], 1.0 / neurons.tau_syn[n]
        state[n, HIGHEST] = extremum(0.0, 1.0, rate_m, rate_s)
        state[n, PEAK] = phi(state[n, HIGHEST], rate_m, rate_s) if state[n, HIGHEST] < math.inf else neurons.tau_syn[n]
        _hear_given(n, rows, w, first, time, n_columns, heard, times, weights, order, bucket, sorted_times)
        state[n, CANDIDATE] = _walk(n, -math.inf, heard, in_order, neurons, state)
        out[n] = math.inf
    _settle(shortest, deadline, columns, n_columns, rows.delay, heard, in_order, neurons, state, changed, out)


@njit(cache=True, error_model="numpy")
def _times_serial(spikes, n_columns, begin, shortest, deadline, rows, w, columns, neurons, out):
    for k in range(out.shape[0]):
        _times_of_sample(spikes.first[k], spikes.time, n_columns, begin, shortest, deadline, rows, w, columns, neurons, out[k])


@njit(cache=True, parallel=True, error_model="numpy")
def _times_threaded(spikes, n_columns, begin, shortest, deadline, rows, w, columns, neurons, out):
    for k in prange(out.shape[0]):
        _times_of_sample(spikes.first[k], spikes.time, n_columns, begin, shortest, deadline, rows, w, columns, neurons, out[k])


def first_spike_times(t_in, rows, w, neurons, deadline):
    """t_in (samples, given columns, spikes) -> (samples, neurons); columns of rows beyond the given ones are the neurons."""
    n_columns, n_neurons = t_in.shape[1], rows.start.size - 1
    out = np.empty((t_in.shape[0], n_neurons))
    columns, _, _ = by_column(rows, w, n_columns + n_neurons)
    run = _times_threaded if on_threads(t_in.shape[0] * w.size) else _times_serial
    begin, shortest = _places(rows, n_columns, t_in.shape[2]), _shortest_delay(rows, n_columns)
    run(spikes_by_source(t_in), n_columns, begin, shortest, deadline, rows, w, columns, neurons, out)
    return out


@njit(cache=True, error_model="numpy")
def _backward_sample(times, first, n_given, rows, w, neurons, max_dw, t_out, error, causes, dw, dd, errors):
    """times: the n_given spikes of the given columns, then those of the neurons; errors: dL/dt of them all, which begin at 0."""
    start, dropped = rows.start, 0
    for n in np.argsort(-t_out):
        t, its_error = t_out[n], error[n] + errors[n_given + n]
        if its_error == 0.0 or t == math.inf:
            continue
        m = causes_of_several(start[n], start[n + 1], rows.column, rows.delay, first, times, t, causes.synapse, causes.spike,
                              causes.arrival)
        rise = responses(m, w, t, neurons.tau_m[n], neurons.tau_syn[n], causes.synapse, causes.arrival, causes.response,
                         causes.slope)
        if rise / neurons.cm[n] > LEAST_RISE:
            dropped += add_causes(m, w, its_error / rise, max_dw[n], causes.synapse, causes.spike, causes.response, causes.slope,
                                  dw, dd, errors)
    return dropped


@njit(cache=True, error_model="numpy")
def _backward_block(block, size, spikes, rows, w, neurons, max_dw, t_out, error, dw, dd, dt_in):
    (n_samples, n_neurons), n_columns, dropped = t_out.shape, spikes.first.shape[1] - 1, 0
    causes, first = no_causes(size), np.empty(n_columns + n_neurons + 1, dtype=np.int64)
    for k in range(block * n_samples // N_BLOCKS, (block + 1) * n_samples // N_BLOCKS):
        begin, n_given = spikes.first[k, 0], spikes.first[k, n_columns] - spikes.first[k, 0]
        times, errors = np.empty(n_given + n_neurons), np.zeros(n_given + n_neurons)
        times[:n_given], times[n_given:] = spikes.time[begin:begin + n_given], t_out[k]
        first[:n_columns + 1] = spikes.first[k] - begin
        for n in range(n_neurons):
            first[n_columns + n + 1] = n_given + n + 1
        dropped += _backward_sample(times, first, n_given, rows, w, neurons, max_dw, t_out[k], error[k], causes, dw, dd, errors)
        for i in range(n_given):
            dt_in[k, spikes.place[begin + i]] = errors[i]
    return dropped


@njit(cache=True, error_model="numpy")
def _backward_serial(size, spikes, rows, w, neurons, max_dw, t_out, error, dw, dd, dt_in, dropped):
    for block in range(N_BLOCKS):
        dropped[block] = _backward_block(block, size, spikes, rows, w, neurons, max_dw, t_out, error, dw[block], dd[block], dt_in)


@njit(cache=True, parallel=True, error_model="numpy")
def _backward_threaded(size, spikes, rows, w, neurons, max_dw, t_out, error, dw, dd, dt_in, dropped):
    for block in prange(N_BLOCKS):
        dropped[block] = _backward_block(block, size, spikes, rows, w, neurons, max_dw, t_out, error, dw[block], dd[block], dt_in)


def backward(t_in, rows, w, neurons, max_dw, t_out, error):
    """As `rows_backward.backward`, of neurons that hear each other."""
    dw, dd = np.zeros((N_BLOCKS, w.size)), np.zeros((N_BLOCKS, rows.delay.size))
    dt_in, dropped = np.zeros((len(t_in), t_in.shape[1] * t_in.shape[2])), np.zeros(N_BLOCKS, dtype=np.int64)
    run = _backward_threaded if on_threads(len(t_in) * w.size) else _backward_serial
    run(longest_row(rows) * max(t_in.shape[2], 1), spikes_by_source(t_in), rows, w, neurons, max_dw, t_out, error, dw, dd, dt_in,
        dropped)
    return dw.sum(axis=0), dd.sum(axis=0), dt_in.reshape(t_in.shape), int(dropped.sum())
