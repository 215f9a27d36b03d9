"""Compiled loops over receptive fields: each is a small dense layer, for which `layer_kernels` and `layer_backward` are called.

The spikes of a sample are sorted once, and then dealt out to the fields that hear them, which so come in order.
"""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.layer_backward import layer_backward_serial
from ttfs_pynn.first_spike.layer_backward_kernels import Layer
from ttfs_pynn.first_spike.layer_kernels import layer_serial
from ttfs_pynn.membrane.order import ROOM

__all__ = ["backward", "backward_threaded", "deal", "enter_errors", "first_spike_times", "first_spike_times_threaded"]


@njit(cache=True, error_model="numpy")
def deal(start, order, times, fan_start, fan_field, fan_input, n_fields):
    """(start, order, times) of all fields, one field after the other, as `membrane.order.Sorted` has them for samples: that of
    sample s in field f is row f n_samples + s. Column c is input fan_input[k] of field fan_field[k], k from fan_start[c] to
    fan_start[c + 1]."""
    n_samples = start.shape[0] - 1
    begin = np.zeros(n_fields * n_samples + 1, dtype=np.int64)
    for s in range(n_samples):
        for k in range(start[s], start[s + 1]):
            c = order[k]
            for i in range(fan_start[c], fan_start[c + 1]):
                begin[fan_field[i] * n_samples + s + 1] += 1
    for row in range(n_fields * n_samples):
        begin[row + 1] += begin[row]
    at = begin[:-1].copy()
    inputs, when = np.empty(begin[-1], dtype=np.int64), np.empty(begin[-1] + ROOM)
    for s in range(n_samples):
        for k in range(start[s], start[s + 1]):
            c, t = order[k], times[k]
            for i in range(fan_start[c], fan_start[c + 1]):
                row = fan_field[i] * n_samples + s
                inputs[at[row]], when[at[row]] = fan_input[i], t
                at[row] += 1
    return begin, inputs, when


@njit(cache=True, error_model="numpy")
def _times_of_field(f, wide, n_parts, w, tau_m, tau_syn, cm, thr, start, order, times, out):
    """Fill out[f] (samples, neurons); returns whether inputs are too far apart."""
    n_samples = out.shape[1]
    row = f * n_samples
    first, end = start[row], start[row + n_samples]
    of_field = start[row:row + n_samples + 1] - first
    t_in = np.full((n_samples, w.shape[1]), math.inf)
    for s in range(n_samples):
        for k in range(start[row + s], start[row + s + 1]):
            t_in[s, order[k]] = times[k]
    skipped = layer_serial(wide, n_parts, t_in, w[f], tau_m, tau_syn, cm[f], thr[f], of_field, order[first:end],
                           times[first:end + ROOM], out[f].reshape(-1))
    return skipped.any()


@njit(cache=True, error_model="numpy")
def first_spike_times(wide, n_parts, w, tau_m, tau_syn, cm, thr, start, order, times, out):
    """Fill out (fields, samples, neurons), for w (fields, inputs, neurons). Returns whether inputs are too far apart."""
    too_far = False
    for f in range(out.shape[0]):
        too_far |= _times_of_field(f, wide, n_parts, w, tau_m, tau_syn, cm, thr, start, order, times, out)
    return too_far


@njit(cache=True, parallel=True, error_model="numpy")
def first_spike_times_threaded(wide, n_parts, w, tau_m, tau_syn, cm, thr, start, order, times, out):
    too_far = np.zeros(out.shape[0], dtype=np.bool_)
    for f in prange(out.shape[0]):
        too_far[f] = _times_of_field(f, wide, n_parts, w, tau_m, tau_syn, cm, thr, start, order, times, out)
    return too_far.any()


@njit(cache=True, error_model="numpy")
def _backward_of_field(f, width, w, rate_m, rate_s, start, order, times, t_out, error, max_dw, more, dw, dt_in, dropped):
    n_samples = t_out.shape[1]
    row = f * n_samples
    first, end = start[row], start[row + n_samples]
    layer = Layer(w[f], t_out[f], error[f], max_dw[f], np.empty(0, dtype=np.int64), 1)
    layer_backward_serial(width, start[row:row + n_samples + 1] - first, order[first:end], times[first:end + ROOM], layer, rate_m,
                          rate_s, more, dw[f], dt_in[f], dropped[f])


@njit(cache=True, error_model="numpy")
def backward(width, w, rate_m, rate_s, start, order, times, t_out, error, max_dw, more, dw, dt_in, dropped):
    """Fill dw (fields, inputs, neurons), or add to it where there is `more`; dt_in (fields, samples, inputs), or (fields, 0, 0)
    where it is not wanted; add to dropped (fields, tiles)."""
    for f in range(t_out.shape[0]):
        _backward_of_field(f, width, w, rate_m, rate_s, start, order, times, t_out, error, max_dw, more, dw, dt_in, dropped)


@njit(cache=True, parallel=True, error_model="numpy")
def backward_threaded(width, w, rate_m, rate_s, start, order, times, t_out, error, max_dw, more, dw, dt_in, dropped):
    for f in prange(t_out.shape[0]):
        _backward_of_field(f, width, w, rate_m, rate_s, start, order, times, t_out, error, max_dw, more, dw, dt_in, dropped)


@njit(cache=True, error_model="numpy")
def enter_errors(of_fields, fan_start, fan_field, fan_input, dt_in):
    """Fill dt_in (samples, columns) with the sums of the errors (fields, samples, inputs) of its fields."""
    for s in range(dt_in.shape[0]):
        for c in range(dt_in.shape[1]):
            total = 0.0
            for i in range(fan_start[c], fan_start[c + 1]):
                total += of_fields[fan_field[i], s, fan_input[i]]
            dt_in[s, c] = total
