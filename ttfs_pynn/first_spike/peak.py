"""The highest point of a membrane that does not spike, and how it changes with weights.

    v(t) - v_rest = sum_i w_i K(t - t_i),   v_peak = max_t v(t) - v_rest = v(t_peak) - v_rest,   dv_peak/dw_i = K(t_peak - t_i)

At the maximum v' = 0, or t_peak is the time of an input that turns the membrane down: a small change of weights moves t_peak
without a first-order effect on v_peak (the envelope theorem).

A silent neuron has no spike time to differentiate; its peak says how it would come to spike. The same derivative of the largest
membrane potential teaches the tempotron (Gütig and Sompolinsky, Nature Neuroscience 9, 420-428, 2006).
"""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.forward import check_inputs
from ttfs_pynn.membrane.interval import extremum, phi, potential, responses
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["LEAST_PEAK", "fill_decays", "membrane_peaks", "one_peak", "peak_steps"]

# Without a leak the membrane approaches its limit for ever; after so many tau_syn nothing of the current is left in 16 digits.
_LIMIT = 40.0
# A peak below this part of threshold is not worth following: one input's first rise before inhibition, or the end of a long
# hyperpolarisation, where K is so small that descent stood still for thousands of steps.
LEAST_PEAK = 0.01


@njit(cache=True, error_model="numpy")
def fill_decays(times, order, n_inputs, rate_m, rate_s, decays):
    for k in range(n_inputs - 1):
        decays[k, 0], decays[k, 1], decays[k, 2] = responses(times[order[k + 1]] - times[order[k]], rate_m, rate_s)


@njit(cache=True, error_model="numpy")
def _highest_ahead(x, j, span, rate_m, rate_s):
    """(s, v) of the maximum inside (0, span), span = inf after the last input; s = 0 where there is none."""
    if not j > max(rate_m * x, 0.0):
        return 0.0, x
    if rate_m == 0.0:
        if span < math.inf:
            return 0.0, x
        return _LIMIT / rate_s, potential(_LIMIT / rate_s, x, j, rate_m, rate_s)
    s = extremum(x, j, rate_m, rate_s)
    return (s, potential(s, x, j, rate_m, rate_s)) if s < span and s < math.inf else (0.0, x)


@njit(cache=True, error_model="numpy")
def one_peak(times, order, n_inputs, decays, w, n, rate_m, rate_s, least):
    """(t_peak, v_peak times cm): between two inputs v has at most one maximum, in closed form, so none is missed."""
    x = j = best = 0.0
    at = math.inf
    for k in range(n_inputs):
        if x > best:
            best, at = x, times[order[k]]
        j += w[order[k], n]
        span = times[order[k + 1]] - times[order[k]] if k + 1 < n_inputs else math.inf
        s, v = _highest_ahead(x, j, span, rate_m, rate_s)
        if s > 0.0 and v > best:
            best, at = v, times[order[k]] + s
        if k + 1 < n_inputs:
            x = x * decays[k, 0] + j * decays[k, 2]
            j *= decays[k, 1]
    if best < least:  # all inputs count where the last one's response is highest
        s = extremum(0.0, 1.0, rate_m, rate_s)
        s = s if s < math.inf else _LIMIT / rate_s
        return times[order[n_inputs - 1]] + s, potential(s, x, j, rate_m, rate_s)
    return at, best


@njit(cache=True, error_model="numpy")
def _sample_peaks(times, w, tau_m, tau_syn, cm, thr, wanted, t_peak, v_peak):
    order = np.argsort(times)
    n_inputs = times.shape[0]
    while n_inputs > 0 and times[order[n_inputs - 1]] == math.inf:
        n_inputs -= 1
    decays = np.empty((max(n_inputs, 1), 3))
    last_m = last_s = -1.0
    for n in range(w.shape[1]):
        if not wanted[n]:
            t_peak[n] = v_peak[n] = math.nan
            continue
        if n_inputs == 0:
            t_peak[n], v_peak[n] = math.inf, 0.0
            continue
        rate_m, rate_s = 1.0 / tau_m[n], 1.0 / tau_syn[n]
        if rate_m != last_m or rate_s != last_s:
            fill_decays(times, order, n_inputs, rate_m, rate_s, decays)
            last_m, last_s = rate_m, rate_s
        t_peak[n], v = one_peak(times, order, n_inputs, decays, w, n, rate_m, rate_s, LEAST_PEAK * cm[n] * thr[n])
        v_peak[n] = v / cm[n]


@njit(cache=True, error_model="numpy")
def _serial(t_in, w, tau_m, tau_syn, cm, thr, wanted, t_peak, v_peak):
    for sample in range(t_in.shape[0]):
        _sample_peaks(t_in[sample], w, tau_m, tau_syn, cm, thr, wanted[sample], t_peak[sample], v_peak[sample])


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(t_in, w, tau_m, tau_syn, cm, thr, wanted, t_peak, v_peak):
    for sample in prange(t_in.shape[0]):
        _sample_peaks(t_in[sample], w, tau_m, tau_syn, cm, thr, wanted[sample], t_peak[sample], v_peak[sample])


@njit(cache=True, error_model="numpy")
def _add_steps(t_in, t_peak, missing, tau_m, tau_syn, cm, step):
    response = np.empty(t_in.shape[1])
    for sample in range(t_in.shape[0]):
        for n in range(t_peak.shape[1]):
            if missing[sample, n] == 0.0:
                continue
            rate_m, rate_s, square = 1.0 / tau_m[n], 1.0 / tau_syn[n], 0.0
            for i in range(t_in.shape[1]):
                response[i] = 0.0
                for k in range(t_in.shape[2]):
                    if t_in[sample, i, k] < t_peak[sample, n]:
                        response[i] += phi(t_peak[sample, n] - t_in[sample, i, k], rate_m, rate_s) / cm[n]
                square += response[i] * response[i]
            if square > 0.0:
                for i in range(t_in.shape[1]):
                    step[i, n] += missing[sample, n] * response[i] / square


def membrane_peaks(t_in, w, neuron, wanted=None):
    """(t_peak, v_peak), each (samples, neurons): when (ms) and how high above v_rest (mV) the membrane gets without a threshold.

    t_in, w, neuron as for `first_spike_times`; wanted (samples, neurons): where to look, by default everywhere, elsewhere NaN is
    returned. A membrane that never rises by a hundredth of v_thresh - v_rest gives its value where the response to its last input
    is highest; one without any input gives (inf, 0). Without a leak (tau_m = inf) a membrane that rises to the end is taken 40
    tau_syn after its last input. Raises ValueError as `first_spike_times`.
    """
    arrivals, w, (tau_m, tau_syn, cm, thr) = check_inputs(t_in, w, neuron)
    t_in = arrivals.times
    shape = (t_in.shape[0], w.shape[1])
    wanted = np.ones(shape, dtype=bool) if wanted is None else np.ascontiguousarray(wanted, dtype=bool)
    if wanted.shape != shape:
        raise ValueError(f"wanted has shape {wanted.shape}; expected (samples, neurons) = {shape}")
    t_peak, v_peak = np.empty(shape), np.empty(shape)
    run = _threaded if on_threads(t_in.shape[1] * np.count_nonzero(wanted)) else _serial
    run(t_in, w, tau_m, tau_syn, cm, thr, wanted, t_peak, v_peak)
    return t_peak, v_peak


def peak_steps(t_in, t_peak, missing, neuron):
    """Changes of weights (inputs, neurons) in nA, summed over samples, each the smallest that raises its peak by `missing` mV:

        dw_i = missing K(t_peak - t_i) / sum_k K(t_peak - t_k)^2

    t_in (samples, inputs), t_peak and missing (samples, neurons); where missing is 0, t_peak may be anything. Where t_in is
    (samples, inputs, spikes), K is summed over the spikes of an input.
    """
    t_in, t_peak, missing = (np.ascontiguousarray(array, dtype=float) for array in (t_in, t_peak, missing))
    if not (t_in.ndim in (2, 3) and t_peak.ndim == 2 and t_peak.shape == missing.shape and len(t_in) == len(t_peak)):
        raise ValueError(f"t_in has shape {t_in.shape}, t_peak {t_peak.shape}, missing {missing.shape}; expected (samples, "
                         "inputs), or (samples, inputs, spikes), and twice (samples, neurons)")
    t_in = t_in if t_in.ndim == 3 else t_in[:, :, None]
    step = np.zeros((t_in.shape[1], t_peak.shape[1]))
    tau_m, tau_syn, cm, _ = neuron.columns(t_peak.shape[1])
    _add_steps(t_in, t_peak, missing, tau_m, tau_syn, cm, step)
    return step
