"""First-spike times and derivatives of layers whose synapses have delays.

A spike of input i arrives at neuron n at t_i + d_in, and T depends on the one as on the other: dT_n/dd_in = dT_n/dt_i.
Delays (inputs, 1) are axonal, (1, neurons) dendritic, (inputs, neurons) synaptic (Göltz, Weber, Kriener et al. 2025, DelGrad).
"""

import numpy as np

from ttfs_pynn.first_spike import delay_kernels as kernels
from ttfs_pynn.first_spike.backward import check_outputs, vector_jacobian_product
from ttfs_pynn.first_spike.forward import check_inputs, first_spike_times
from ttfs_pynn.first_spike.several_spikes import columns_of_inputs, sum_by_input, times_of_columns
from ttfs_pynn.membrane.ranges import LARGEST

__all__ = ["delayed_first_spike_times", "delayed_vector_jacobian_product"]


def _checked(t_in, w, delays, neuron):
    """By columns of one spike each where t_in is (samples, inputs, spikes), but delays as they are given."""
    w_given = np.asarray(w)
    arrivals, w, parameters = check_inputs(t_in, w, neuron)
    delays = np.asarray(delays, dtype=float)
    if delays.ndim != 2 or any(have not in (1, want) for have, want in zip(delays.shape, w_given.shape, strict=True)):
        raise ValueError(f"delays have shape {delays.shape}; expected (inputs, 1), (1, neurons) or (inputs, neurons) = "
                         f"{w_given.shape}")
    if not ((delays >= 0) & (delays <= LARGEST)).all():
        raise ValueError(f"delays must be finite and not negative; give them in ms, of at most {LARGEST:g}")
    if arrivals.given.ndim == 3 and delays.shape[0] > 1:
        delays = delays[arrivals.columns[0]]
    return arrivals.times, w, delays, parameters


def delayed_first_spike_times(t_in, w, delays, neuron):
    """As `first_spike_times`, (samples, neurons) in ms, where inputs arrive at t_in + delays (ms, see above)."""
    t_in, w, delays, parameters = _checked(t_in, w, delays, neuron)
    if delays.shape[1] == 1:
        return first_spike_times(t_in + delays[:, 0], w, neuron)
    if delays.shape[0] == 1:
        return first_spike_times(t_in, w, neuron) + delays[0]
    out = np.empty((t_in.shape[0], w.shape[1]))
    kernels.first_spike_times(t_in, w, delays, *parameters, out)
    return out


def delayed_vector_jacobian_product(t_in, w, delays, t_out, error, neuron, max_dw=np.inf):
    """(dL/dw (inputs, neurons), dL/dt_in of the shape of t_in, dL/dd of the shape of `delays`, number dropped).

    error = dL/dT at the recorded times t_out, both (samples, neurons); max_dw as in `vector_jacobian_product`: what it drops
    changes no delay of the neuron either (but axonal ones, which have no neuron). dL/dw and dL/dd are summed over samples, and
    over the spikes of an input where t_in is (samples, inputs, spikes).
    """
    shape = np.shape(delays)
    if shape[1:] == (1,):
        _checked(t_in, w, delays, neuron)
        later = np.asarray(t_in, dtype=float) + np.reshape(delays, (-1, *[1] * (np.ndim(t_in) - 2)))
        dw, dt_in, dropped = vector_jacobian_product(later, w, t_out, error, neuron, max_dw)
        dd = dt_in.reshape(*dt_in.shape[:2], -1).sum(axis=(0, 2))[:, None]
        return dw, dt_in, dd if shape[0] > 1 else dd.sum(axis=0, keepdims=True), dropped
    given = np.asarray(t_in)
    t_in, w, delays, parameters = _checked(t_in, w, delays, neuron)
    t_out = check_outputs("t_out", t_out, t_in.shape[0], w.shape[1])
    error = check_outputs("error", error, *t_out.shape)
    limit = np.array(np.broadcast_to(np.asarray(max_dw, dtype=float), (w.shape[1],)))
    no_inputs = np.empty(0, dtype=np.int64)
    columns = columns_of_inputs(given) if given.ndim == 3 else (no_inputs, no_inputs)
    dw, dt_in, dd = np.zeros_like(w), np.zeros_like(t_in), np.zeros_like(w)
    each = np.ascontiguousarray(np.broadcast_to(delays, w.shape))
    dropped = kernels.backward(t_in, w, each, t_out, error, *parameters[:3], limit, columns[0], dw, dt_in, dd)
    if given.ndim == 3:
        dw, dd = (sum_by_input(each, columns[0], given.shape[1]) for each in (dw, dd))
        dt_in = times_of_columns(dt_in, columns, given.shape)
    return dw, dt_in, dd if shape[0] > 1 else dd.sum(axis=0, keepdims=True), dropped
