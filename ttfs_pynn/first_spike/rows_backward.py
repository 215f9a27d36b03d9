"""Compiled loops for derivatives of neurons that each hear inputs of their own; `backward` has the equations.

For every spike its causes are listed, then their responses at the spike are computed, then what they contribute is added up.
Where all neurons share their time constants, exp(-r (T - t_i - d)) is a product of what belongs to an input, to a delay and to a
spike, as in `layer_backward`: no exponential is left where they meet.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.backward_kernels import LEAST_RISE
from ttfs_pynn.first_spike.rows_kernels import longest_row, spikes_by_source
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["N_BLOCKS", "add_causes", "applies", "backward", "causes_of_several", "no_causes", "responses"]

# Blocks of samples whose gradients are summed separately and then in order: the number of threads changes no bit.
N_BLOCKS = 4
_LONGEST = 200.0  # time constants from first to last arrival; beyond, exp(r t) would leave the range of floats
_NEAREST = 1e-3  # relative difference of unequal constants; below, the difference of two exponentials loses digits


def applies(first: float, last: float, tau_m: float, tau_syn: float) -> bool:
    """Whether arrivals from `first` to `last` (ms) and these equal constants of all neurons keep all digits in the fast way."""
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    if rate_m != rate_s and abs(rate_m - rate_s) < _NEAREST * rate_s:
        return False
    return not (last - first) * max(rate_m, rate_s) >= _LONGEST


class Causes(NamedTuple):
    """Scratch for the causes of one spike: the synapse and the spike of each, when it arrived, K(T - t) and K'(T - t)."""

    synapse: np.ndarray
    spike: np.ndarray
    arrival: np.ndarray
    response: np.ndarray
    slope: np.ndarray


class Grown(NamedTuple):
    """exp(r_s t) and exp(r_m t) of the spikes of a sample, t since its first one (scratch of a block), and of the delays, where
    there are any."""

    spike_s: np.ndarray
    spike_m: np.ndarray
    delay_s: np.ndarray
    delay_m: np.ndarray


@njit(cache=True, error_model="numpy")
def no_causes(size):
    return Causes(np.empty(size + 1, dtype=np.int64), np.empty(size + 1, dtype=np.int64), np.empty(size + 1), np.empty(size + 1),
                  np.empty(size + 1))


@njit(cache=True, error_model="numpy", inline="always")
def _causes_of_one(begin, end, column, delay, times, t_out, synapse, spike, arrival):
    """List the synapses begin ... end - 1 through which something arrives before t_out, where column c spikes at times[c] alone.
    Without branches, which would be missed. Returns their number."""
    m = 0
    if delay.shape[0]:
        for s in range(begin, end):
            synapse[m] = s
            m += times[column[s]] + delay[s] < t_out
    else:
        for s in range(begin, end):
            synapse[m] = s
            m += times[column[s]] < t_out
    for i in range(m):
        spike[i] = column[synapse[i]]
        arrival[i] = times[spike[i]] + (delay[synapse[i]] if delay.shape[0] else 0.0)
    return m


@njit(cache=True, error_model="numpy")
def causes_of_several(begin, end, column, delay, first, time, t_out, synapse, spike, arrival):
    """`_causes_of_one` where the spikes of column c are time[first[c]:first[c + 1]]."""
    m = 0
    for s in range(begin, end):
        for k in range(first[column[s]], first[column[s] + 1]):
            t = time[k] + (delay[s] if delay.shape[0] else 0.0)
            synapse[m], spike[m], arrival[m] = s, k, t
            m += t < t_out
    return m


@njit(cache=True, error_model="numpy")
def responses(m, w, t_out, tau_m, tau_syn, synapse, arrival, response, slope):
    """Fill K(T - t) cm and K'(T - t) cm of m causes; return v'(T) cm.

    All are times exp(r (T - t_last)), r the slower rate: see `backward_kernels.responses_at_spike`.
    """
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    slower, difference = min(rate_m, rate_s), abs(rate_s - rate_m)
    t_last = -math.inf
    for i in range(m):
        t_last = max(t_last, arrival[i])
    v = j = 0.0
    for i in range(m):
        s = t_out - arrival[i]
        e = math.exp(-slower * (t_last - arrival[i]))
        r = s * e if difference == 0.0 else e * (-math.expm1(-difference * s) / difference)
        if rate_m < rate_s:
            e *= math.exp(-difference * s)
        response[i], slope[i] = r, e - rate_m * r
        v += w[synapse[i]] * r
        j += w[synapse[i]] * e
    return j - rate_m * v


@njit(cache=True, error_model="numpy", inline="always")
def _grown_responses(m, w, t_out, since, rate_m, rate_s, synapse, spike, arrival, response, slope, spike_s, spike_m, delay_s,
                     delay_m):
    """`responses`, all times exp(r (T - t_0)): the same quotients. since: T - t_0; spike_s ...: see `Grown`."""
    difference, rise = rate_s - rate_m, 0.0
    e_s = math.exp(-difference * since) if difference > 0.0 else 1.0
    e_m = math.exp(difference * since) if difference < 0.0 else 1.0
    for i in range(m):
        e = spike_s[spike[i]] * e_s
        if delay_s.shape[0]:
            e *= delay_s[synapse[i]]
        if difference == 0.0:
            r = (t_out - arrival[i]) * e
        else:
            r = spike_m[spike[i]] * e_m
            if delay_m.shape[0]:
                r *= delay_m[synapse[i]]
            r = (r - e) / difference
        response[i], slope[i] = r, e - rate_m * r
        rise += w[synapse[i]] * slope[i]
    return rise


@njit(cache=True, error_model="numpy", inline="always")
def add_causes(m, w, factor, max_dw, synapse, spike, response, slope, dw, dd, error_of_spike):
    """Add the contributions of m causes of a spike, factor = dL/dT / v'(T): to dw and (unless it is empty) dd by synapse, and to
    error_of_spike. Returns 1 where those to dw and dd were dropped, for the largest magnitude exceeds max_dw."""
    total = largest = 0.0
    for i in range(m):
        error_of_spike[spike[i]] += factor * w[synapse[i]] * slope[i]
        total = response[i] + (total if i > 0 and synapse[i] == synapse[i - 1] else 0.0)
        largest = max(largest, total)
    if largest * abs(factor) > max_dw:
        return 1
    for i in range(m):
        dw[synapse[i]] -= factor * response[i]
    if dd.shape[0]:
        for i in range(m):
            dd[synapse[i]] += factor * w[synapse[i]] * slope[i]
    return 0


@njit(cache=True, error_model="numpy")
def _grow(times, begin, rate_m, rate_s, spike_s, spike_m):
    for k in range(times.shape[0]):
        if times[k] < math.inf:
            spike_s[k] = math.exp(rate_s * (times[k] - begin))
            spike_m[k] = spike_s[k] if rate_m == rate_s else math.exp(rate_m * (times[k] - begin))


@njit(cache=True, error_model="numpy")
def _sample(times, first, rows, w, neurons, max_dw, t_out, error, fast, causes, grown, dw, dd, error_of_spike):
    """times: of the spikes of a sample; first: where those of each column begin, or empty: each column has one.

    What is called for every neuron is inlined, and takes arrays, not tuples: references to them were counted most of the time.
    """
    start, column, delay, dropped, begin = rows.start, rows.column, rows.delay, 0, 0.0
    synapse, spike, arrival, response, slope = causes.synapse, causes.spike, causes.arrival, causes.response, causes.slope
    spike_s, spike_m, delay_s, delay_m = grown.spike_s, grown.spike_m, grown.delay_s, grown.delay_m
    tau_m, tau_syn, cm = neurons.tau_m, neurons.tau_syn, neurons.cm
    if fast:
        begin = math.inf
        for k in range(times.shape[0]):
            begin = min(begin, times[k])
        _grow(times, begin, 1.0 / tau_m[0], 1.0 / tau_syn[0], spike_s, spike_m)
    for n in range(t_out.shape[0]):
        t = t_out[n]
        if error[n] == 0.0 or t == math.inf:
            continue
        if first.shape[0]:
            m = causes_of_several(start[n], start[n + 1], column, delay, first, times, t, synapse, spike, arrival)
        else:
            m = _causes_of_one(start[n], start[n + 1], column, delay, times, t, synapse, spike, arrival)
        if m == 0:
            continue
        if fast:
            rise = _grown_responses(m, w, t, t - begin, 1.0 / tau_m[n], 1.0 / tau_syn[n], synapse, spike, arrival, response,
                                    slope, spike_s, spike_m, delay_s, delay_m)
        else:
            rise = responses(m, w, t, tau_m[n], tau_syn[n], synapse, arrival, response, slope)
        if rise / cm[n] > LEAST_RISE:
            dropped += add_causes(m, w, error[n] / rise, max_dw[n], synapse, spike, response, slope, dw, dd, error_of_spike)
    return dropped


@njit(cache=True, error_model="numpy")
def _block(block, most, t_in, spikes, rows, w, neurons, max_dw, t_out, error, fast, grown, dw, dd, dt_in):
    n_samples, dropped, every = t_out.shape[0], 0, np.empty(0, dtype=np.int64)
    causes, size = no_causes(longest_row(rows) * most), t_in.shape[1] if fast else 0
    grown = Grown(np.empty(size), np.empty(size), grown.delay_s, grown.delay_m)
    for k in range(block * n_samples // N_BLOCKS, (block + 1) * n_samples // N_BLOCKS):
        if most == 1:
            dropped += _sample(t_in[k], every, rows, w, neurons, max_dw, t_out[k], error[k], fast, causes, grown, dw, dd,
                               dt_in[k])
            continue
        begin, end = spikes.first[k, 0], spikes.first[k, -1]
        errors = np.zeros(end - begin)
        dropped += _sample(spikes.time[begin:end], spikes.first[k] - begin, rows, w, neurons, max_dw, t_out[k], error[k], fast,
                           causes, grown, dw, dd, errors)
        for i in range(end - begin):
            dt_in[k, spikes.place[begin + i]] = errors[i]
    return dropped


@njit(cache=True, error_model="numpy")
def _serial(most, t_in, spikes, rows, w, neurons, max_dw, t_out, error, fast, grown, dw, dd, dt_in, dropped):
    for block in range(N_BLOCKS):
        dropped[block] = _block(block, most, t_in, spikes, rows, w, neurons, max_dw, t_out, error, fast, grown, dw[block],
                                dd[block], dt_in)


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(most, t_in, spikes, rows, w, neurons, max_dw, t_out, error, fast, grown, dw, dd, dt_in, dropped):
    for block in prange(N_BLOCKS):
        dropped[block] = _block(block, most, t_in, spikes, rows, w, neurons, max_dw, t_out, error, fast, grown, dw[block],
                                dd[block], dt_in)


def backward(t_in, rows, w, neurons, max_dw, t_out, error, fast):
    """(dw, dd (synapses,), dt_in of the shape of t_in, number dropped), given error = dL/dT (samples, neurons).

    t_in (samples, columns, spikes). fast: all neurons share tau_m and tau_syn, and t_in + delays suit `applies`.
    dd is empty where rows have no delays.
    """
    most = t_in.shape[2]
    flat = t_in.reshape(len(t_in), t_in.shape[1] * most)
    dw, dd = np.zeros((N_BLOCKS, w.size)), np.zeros((N_BLOCKS, rows.delay.size))
    dt_in, dropped = np.zeros_like(flat), np.zeros(N_BLOCKS, dtype=np.int64)
    nothing = np.empty(0)
    grown = Grown(nothing, nothing, np.exp(rows.delay / neurons.tau_syn[0]), np.exp(rows.delay / neurons.tau_m[0])) if fast \
        else Grown(nothing, nothing, nothing, nothing)
    spikes = spikes_by_source(t_in if most != 1 else t_in[:0])
    run = _threaded if on_threads(len(t_in) * w.size) else _serial
    run(most, flat, spikes, rows, w, neurons, max_dw, t_out, error, fast, grown, dw, dd, dt_in, dropped)
    return dw.sum(axis=0), dd.sum(axis=0), dt_in.reshape(t_in.shape), int(dropped.sum())
