"""Compiled loops where every synapse has a delay of its own, so that each neuron hears its inputs in another order."""

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.backward_kernels import LEAST_RISE, responses_at_spike
from ttfs_pynn.first_spike.kernels import _doubt, _one_sample
from ttfs_pynn.first_spike.several_spikes import largest_by_input
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["backward", "first_spike_times"]


@njit(cache=True, error_model="numpy")
def _times_of_neuron(n, t_in, w, delays, tau_m, tau_syn, cm, thr, doubt, out):
    """All samples for neuron n, as a layer of this neuron alone."""
    one = slice(n, n + 1)
    column, found = w[:, one].copy(), np.empty(1)
    for sample in range(t_in.shape[0]):
        _one_sample(t_in[sample] + delays[:, n], column, tau_m[one], tau_syn[one], cm[one], thr[one], True, doubt[one], found)
        out[sample, n] = found[0]


@njit(cache=True, error_model="numpy")
def _times_serial(t_in, w, delays, tau_m, tau_syn, cm, thr, out):
    doubt = _doubt(w, tau_m, tau_syn, cm, thr)
    for n in range(w.shape[1]):
        _times_of_neuron(n, t_in, w, delays, tau_m, tau_syn, cm, thr, doubt, out)


@njit(cache=True, parallel=True, error_model="numpy")
def _times_threaded(t_in, w, delays, tau_m, tau_syn, cm, thr, out):
    doubt = _doubt(w, tau_m, tau_syn, cm, thr)
    for n in prange(w.shape[1]):
        _times_of_neuron(n, t_in, w, delays, tau_m, tau_syn, cm, thr, doubt, out)


def first_spike_times(t_in, w, delays, *arguments):
    """t_in (samples, inputs), w and delays (inputs, neurons), parameters (neurons,); fills out (samples, neurons)."""
    run = _times_threaded if on_threads(t_in.size * w.shape[1]) else _times_serial
    run(t_in, w, delays, *arguments)


@njit(cache=True, error_model="numpy")
def backward(t_in, w, delays, t_out, error, tau_m, tau_syn, cm, max_dw, inputs, dw, dt_in, dd):
    """Given error = dL/dT: adds to dw and dd (inputs, neurons) and dt_in (samples, inputs).

    A sample's contribution to the weights and delays of a neuron is dropped where its largest magnitude of dL/dw exceeds max_dw;
    the error passed on to the inputs is not. Returns how many were dropped. inputs: `largest_by_input`. One thread: layers with
    delays are small.
    """
    n_samples, n_inputs = t_in.shape
    response, slope = np.empty(n_inputs), np.empty(n_inputs)
    dropped = 0
    for n in range(w.shape[1]):
        for sample in range(n_samples):
            if error[sample, n] == 0.0 or t_out[sample, n] == np.inf:
                continue
            rise = responses_at_spike(t_in[sample] + delays[:, n], w, n, t_out[sample, n], tau_m[n], tau_syn[n], cm[n], response,
                                      slope)
            if not rise > LEAST_RISE:
                continue
            factor = error[sample, n] / rise
            keep = largest_by_input(response, inputs) * abs(factor) <= max_dw[n]
            dropped += not keep
            for i in range(n_inputs):
                by_time = factor * w[i, n] * slope[i]
                dt_in[sample, i] += by_time
                if keep:
                    dd[i, n] += by_time
                    dw[i, n] -= factor * response[i]
    return dropped
