"""The highest points of membranes of neurons that each hear inputs of their own, and the steps of weights that raise them."""

import math

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike

from ttfs_pynn.first_spike.peak import LEAST_PEAK, fill_decays, one_peak
from ttfs_pynn.first_spike.rows import Rows, checked
from ttfs_pynn.first_spike.rows_kernels import gather, longest_row, spikes_by_source
from ttfs_pynn.membrane.interval import phi
from ttfs_pynn.membrane.sorted_inputs import sort_row
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["rows_peak_steps"]


@njit(cache=True, error_model="numpy")
def _add_step(n, rows, first, time, t_peak, missing, rate_m, rate_s, response, step):
    """dw_s = missing K_s / sum K^2, K_s the response at t_peak to all that arrives through synapse s."""
    start, square = rows.start[n], 0.0
    for s in range(start, rows.start[n + 1]):
        delay, c = rows.delay[s] if rows.delay.shape[0] else 0.0, rows.column[s]
        response[s - start] = 0.0
        for k in range(first[c], first[c + 1]):
            if time[k] + delay < t_peak:
                response[s - start] += phi(t_peak - (time[k] + delay), rate_m, rate_s)
        square += response[s - start] ** 2
    if square > 0.0:
        for s in range(start, rows.start[n + 1]):
            step[s] += missing * response[s - start] / square


@njit(cache=True, error_model="numpy")
def _steps_of_neuron(n, size, rows, w, spikes, neurons, wanted, aim, step):
    """Fill the steps of its synapses: a neuron's own, so the number of threads changes no bit."""
    times, weights, sorted_times = np.empty(size), np.empty((size, 1)), np.empty(size)
    order, bucket = np.empty(size, dtype=np.int64), np.empty(2 * size + 2, dtype=np.int64)
    decays, response = np.empty((size + 1, 3)), np.empty(size + 1)
    rate_m, rate_s, theta = 1.0 / neurons.tau_m[n], 1.0 / neurons.tau_syn[n], neurons.cm[n] * neurons.thr[n]
    for sample in range(wanted.shape[0]):
        if not wanted[sample, n]:
            continue
        m = gather(rows.start[n], rows.start[n + 1], rows.column, rows.delay, w, spikes.first[sample], spikes.time, times,
                   weights)
        if m == 0:
            continue
        sort_row(times[:m], order, bucket, sorted_times)
        fill_decays(times, order, m, rate_m, rate_s, decays)
        t_peak, v_peak = one_peak(times, order, m, decays, weights, 0, rate_m, rate_s, LEAST_PEAK * theta)
        if v_peak < theta:
            _add_step(n, rows, spikes.first[sample], spikes.time, t_peak, aim * theta - v_peak, rate_m, rate_s, response, step)


@njit(cache=True, error_model="numpy")
def _serial(size, rows, w, spikes, neurons, wanted, aim, step):
    for n in range(wanted.shape[1]):
        _steps_of_neuron(n, size, rows, w, spikes, neurons, wanted, aim, step)


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(size, rows, w, spikes, neurons, wanted, aim, step):
    for n in prange(wanted.shape[1]):
        _steps_of_neuron(n, size, rows, w, spikes, neurons, wanted, aim, step)


def rows_peak_steps(t_in: ArrayLike, w: ArrayLike, rows: Rows, neuron, wanted: ArrayLike, aim: float) -> np.ndarray:
    """Changes of weights (synapses,) in nA, summed over the samples in which a neuron is wanted: each the smallest that raises
    the peak of its membrane, to first order, to aim (v_thresh - v_rest); none where the peak is at threshold or above.

        dw_s = ( aim (v_thresh - v_rest) - v_peak ) K_s / sum_r K_r^2,      K_s = sum_t K(t_peak - t) over what synapse s hears

    t_in, w, rows, neuron as for `rows_first_spike_times`; wanted (samples, neurons) bool. Neurons that hear each other: give
    their spikes as further columns of t_in. Peaks are those of `membrane_peaks`. Raises ValueError for what does not fit.
    """
    given, chosen = checked(t_in, w, rows, neuron), np.ascontiguousarray(wanted, dtype=bool)
    if chosen.shape != given.shape:
        raise ValueError(f"wanted has shape {chosen.shape}; expected (samples, neurons) = {given.shape}")
    if not 0 < aim < math.inf:
        raise ValueError(f"aim = {aim:g}; give a positive multiple of v_thresh - v_rest")
    step = np.zeros(given.w.size)
    run = _threaded if on_threads(given.shape[0] * given.w.size) else _serial
    run(longest_row(given.rows) * given.t_in.shape[2], given.rows, given.w, spikes_by_source(given.t_in), given.neurons, chosen,
        float(aim), step)
    return step
