"""Compiled loops over (sample, neuron), threaded over samples: derivatives at given spike times. `backward` has the equations."""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.several_spikes import largest_by_input
from ttfs_pynn.membrane.threads import on_threads

# Blocks of samples whose weight gradients are summed separately and then in order: the result does not depend on the
# number of threads.
N_BLOCKS = 8
LEAST_RISE = 1e-200  # mV/ms; of a membrane that rises by less, or falls, all derivatives are 0: their quotients would overflow


@njit(cache=True, error_model="numpy")
def responses_at_spike(times, w, n, t_out, tau_m, tau_syn, cm, response, slope):
    """Fill K(T - t_i), K'(T - t_i) (0 outside the causal set); return v'(T). All of them times exp(r (T - t_last)).

    r is the slower rate and t_last the last causal input. Derivatives are quotients, which this factor does not change, and a
    spike long after its inputs has them with all digits: without it, numerator and denominator would decay to 0.
    """
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    slower, difference = min(rate_m, rate_s), abs(rate_s - rate_m)
    t_last = -math.inf
    for i in range(times.shape[0]):
        if times[i] < t_out:
            t_last = max(t_last, times[i])
    v = j = 0.0
    for i in range(times.shape[0]):
        if times[i] < t_out:
            s = t_out - times[i]
            e = math.exp(-slower * (t_last - times[i]))
            r = s * e if difference == 0.0 else e * (-math.expm1(-difference * s) / difference)
            if rate_m < rate_s:
                e *= math.exp(-difference * s)
            response[i] = r / cm
            slope[i] = (e - rate_m * r) / cm
            v += w[i, n] * r
            j += w[i, n] * e
        else:
            response[i] = slope[i] = 0.0
    return j / cm - rate_m * (v / cm)


@njit(cache=True, error_model="numpy")
def _backward_block(block, t_in, w, t_out, error, tau_m, tau_syn, cm, max_dw, inputs, dw, dt_in):
    """One block of samples: adds to dw (inputs, neurons) and its rows of dt_in; returns the number of dropped contributions."""
    n_samples, n_inputs = t_in.shape
    response, slope = np.empty(n_inputs), np.empty(n_inputs)
    dropped = 0
    for sample in range(block * n_samples // N_BLOCKS, (block + 1) * n_samples // N_BLOCKS):
        for n in range(w.shape[1]):
            if error[sample, n] == 0.0 or t_out[sample, n] == math.inf:
                continue
            rise = responses_at_spike(t_in[sample], w, n, t_out[sample, n], tau_m[n], tau_syn[n], cm[n], response, slope)
            if not rise > LEAST_RISE:
                continue
            factor = error[sample, n] / rise
            for i in range(n_inputs):
                dt_in[sample, i] += factor * w[i, n] * slope[i]
            if largest_by_input(response, inputs) * abs(factor) > max_dw[n]:
                dropped += 1
                continue
            for i in range(n_inputs):
                dw[i, n] -= factor * response[i]
    return dropped


@njit(cache=True, error_model="numpy")
def _backward_serial(t_in, w, t_out, error, tau_m, tau_syn, cm, max_dw, inputs, dw_blocks, dt_in, n_dropped):
    for block in range(N_BLOCKS):
        n_dropped[block] = _backward_block(block, t_in, w, t_out, error, tau_m, tau_syn, cm, max_dw, inputs, dw_blocks[block],
                                           dt_in)


@njit(cache=True, parallel=True, error_model="numpy")
def _backward_threaded(t_in, w, t_out, error, tau_m, tau_syn, cm, max_dw, inputs, dw_blocks, dt_in, n_dropped):
    for block in prange(N_BLOCKS):
        n_dropped[block] = _backward_block(block, t_in, w, t_out, error, tau_m, tau_syn, cm, max_dw, inputs, dw_blocks[block],
                                           dt_in)


def backward(t_in, w, *arguments):
    """Given error = dL/dT (samples, neurons): dw_blocks (N_BLOCKS, inputs, neurons) and dt_in (samples, inputs).

    A sample's contribution to the weights of a neuron is dropped where its largest magnitude exceeds max_dw (neurons,); the
    error passed on to the inputs is not. n_dropped (N_BLOCKS,) counts them. inputs: `largest_by_input`.
    """
    run = _backward_threaded if on_threads(t_in.size * w.shape[1]) else _backward_serial
    run(t_in, w, *arguments)


@njit(cache=True, parallel=True, error_model="numpy")
def derivatives(t_in, w, t_out, tau_m, tau_syn, cm, dt_dw, dt_dt_in):
    """Both Jacobians, (samples, inputs, neurons) each."""
    n_samples, n_inputs = t_in.shape
    for sample in prange(n_samples):
        response, slope = np.empty(n_inputs), np.empty(n_inputs)
        for n in range(w.shape[1]):
            for i in range(n_inputs):
                dt_dw[sample, i, n] = dt_dt_in[sample, i, n] = 0.0
            if t_out[sample, n] == math.inf:
                continue
            rise = responses_at_spike(t_in[sample], w, n, t_out[sample, n], tau_m[n], tau_syn[n], cm[n], response, slope)
            if rise > LEAST_RISE:
                for i in range(n_inputs):
                    dt_dw[sample, i, n] = -response[i] / rise
                    dt_dt_in[sample, i, n] = w[i, n] * slope[i] / rise
