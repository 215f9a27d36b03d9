"""Compiled loops for neurons that each hear inputs of their own, any time constants, any delays: neuron by neuron.

What arrives at a neuron is gathered from its synapses, sorted, and walked through. `rows_layer_kernels` is faster where all
neurons share their time constants and the synapses of a source their delay.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.kernels import crossing
from ttfs_pynn.membrane.interval import extremum, phi, responses
from ttfs_pynn.membrane.sorted_inputs import sort_row
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["Neurons", "Rows", "Spikes", "first_and_last", "first_spike_times", "gather", "longest_row", "rounding_doubt",
           "spikes_by_source", "walk_sorted"]


class Rows(NamedTuple):
    """Afferent synapses, neuron by neuron.

    start: int64 (neurons + 1,); the synapses of neuron n are start[n] ... start[n + 1] - 1
    column: int64 (synapses,); the column of t_in that a synapse hears. The same one may come twice.
    delay: float64 (synapses,) ms, or an empty array: no synapse has one
    """

    start: np.ndarray
    column: np.ndarray
    delay: np.ndarray


class Neurons(NamedTuple):
    """tau_m, tau_syn (ms), cm (nF), thr (v_thresh - v_rest, mV), each (neurons,), and `doubt` (mV), within which rounding of a
    membrane could take a decision."""

    tau_m: np.ndarray
    tau_syn: np.ndarray
    cm: np.ndarray
    thr: np.ndarray
    doubt: np.ndarray


class Spikes(NamedTuple):
    """The spikes of samples, source by source: those of source c in sample k are first[k, c] ... first[k, c + 1] - 1.

    first: int64 (samples, sources + 1); time: float64 (spikes,) ms; place: int64 (spikes,), where in its sample of t_in it stands
    """

    first: np.ndarray
    time: np.ndarray
    place: np.ndarray


@njit(cache=True, error_model="numpy")
def rounding_doubt(rows, w, most, tau_m, tau_syn, cm, thr):
    """`kernels._doubt`, where every synapse is heard at most `most` times."""
    doubt = np.empty(cm.shape[0])
    for n in range(cm.shape[0]):
        total = 0.0
        for s in range(rows.start[n], rows.start[n + 1]):
            total += abs(w[s])
        heard = most * (rows.start[n + 1] - rows.start[n])
        doubt[n] = 1e-15 * (heard + 4) * (thr[n] + most * total / cm[n] * min(tau_m[n], tau_syn[n]))
    return doubt


@njit(cache=True, error_model="numpy")
def first_and_last(times):
    """The earliest and the latest spike, (inf, -inf) where there is none."""
    first, last = math.inf, -math.inf
    for t in times:
        first = min(first, t)
        last = max(last, t if t < math.inf else -math.inf)
    return first, last


@njit(cache=True, error_model="numpy")
def spikes_by_source(t_in):
    """Spikes of t_in (samples, sources, spikes), in which inf is none."""
    n_samples, n_sources, most = t_in.shape
    first = np.empty((n_samples, n_sources + 1), dtype=np.int64)
    total = 0
    for sample in range(n_samples):
        for c in range(n_sources):
            first[sample, c] = total
            for k in range(most):
                total += t_in[sample, c, k] < math.inf
        first[sample, n_sources] = total
    time, place = np.empty(total), np.empty(total, dtype=np.int64)
    total = 0
    for sample in range(n_samples):
        for c in range(n_sources):
            for k in range(most):
                if t_in[sample, c, k] < math.inf:
                    time[total], place[total] = t_in[sample, c, k], c * most + k
                    total += 1
    return Spikes(first, time, place)


@njit(cache=True, error_model="numpy")
def longest_row(rows):
    longest = 0
    for n in range(rows.start.shape[0] - 1):
        longest = max(longest, rows.start[n + 1] - rows.start[n])
    return longest


@njit(cache=True, error_model="numpy")
def gather(begin, end, column, delay, w, first, time, times, weights):
    """Fill times and weights (places, 1) with what arrives through the synapses begin ... end - 1, where the spikes of column c
    are time[first[c]:first[c + 1]]. Returns how many arrive."""
    m = 0
    for s in range(begin, end):
        c = column[s]
        for k in range(first[c], first[c + 1]):
            times[m], weights[m, 0] = time[k] + (delay[s] if delay.shape[0] else 0.0), w[s]
            m += 1
    return m


@njit(cache=True, error_model="numpy")
def walk_sorted(times, order, n_inputs, w, tau_m, tau_syn, cm, thr, doubt):
    """The first-spike time of a neuron whose inputs arrive at times[order[0]], times[order[1]], ... with weights w[order[0], 0],
    ..., or inf."""
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    highest = extremum(0.0, 1.0, rate_m, rate_s)
    peak = phi(highest, rate_m, rate_s) if highest < math.inf else tau_syn
    x = j = 0.0
    for k in range(n_inputs):
        i = order[k]
        span = (times[order[k + 1]] if k + 1 < n_inputs else math.inf) - times[i]
        j += w[i, 0] / cm
        if span == 0.0:
            continue
        decay_m = decay_s = response = 0.0
        if span < math.inf:
            decay_m, decay_s, response = responses(span, rate_m, rate_s)
        if max(x, 0.0) + max(j, 0.0) * (response if span < highest and span < math.inf else peak) >= thr - doubt:
            s = crossing(times, order, k + 1, w, 0, x, j, span, tau_m, tau_syn, cm, thr, doubt)
            if s < math.inf:
                return times[i] + s
        x = x * decay_m + j * response
        j *= decay_s
    return math.inf


@njit(cache=True, error_model="numpy")
def _times_of_sample(sample, size, rows, w, spikes, neurons, out):
    """Fill out (neurons,); no neuron has more than `size` arrivals."""
    times, weights, sorted_times = np.empty(size), np.empty((size, 1)), np.empty(size)
    order, bucket = np.empty(size, dtype=np.int64), np.empty(2 * size + 2, dtype=np.int64)
    start, column, delay, first, time = rows.start, rows.column, rows.delay, spikes.first[sample], spikes.time
    tau_m, tau_syn, cm, thr, doubt = neurons.tau_m, neurons.tau_syn, neurons.cm, neurons.thr, neurons.doubt
    for n in range(out.shape[0]):
        m = gather(start[n], start[n + 1], column, delay, w, first, time, times, weights)
        sort_row(times[:m], order, bucket, sorted_times)
        out[n] = walk_sorted(times, order, m, weights, tau_m[n], tau_syn[n], cm[n], thr[n], doubt[n])


@njit(cache=True, error_model="numpy")
def _times_serial(size, rows, w, spikes, neurons, out):
    for sample in range(out.shape[0]):
        _times_of_sample(sample, size, rows, w, spikes, neurons, out[sample])


@njit(cache=True, parallel=True, error_model="numpy")
def _times_threaded(size, rows, w, spikes, neurons, out):
    for sample in prange(out.shape[0]):
        _times_of_sample(sample, size, rows, w, spikes, neurons, out[sample])


def first_spike_times(t_in, rows, w, neurons):
    """t_in (samples, sources, spikes), w (synapses,) -> (samples, neurons)."""
    out = np.empty((t_in.shape[0], rows.start.size - 1))
    run = _times_threaded if on_threads(t_in.shape[0] * w.size) else _times_serial
    run(longest_row(rows) * t_in.shape[2], rows, w, spikes_by_source(t_in), neurons, out)
    return out
