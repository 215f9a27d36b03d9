"""Derivatives of first-spike times at given (recorded) output times.

With K the membrane kernel of `LIFParameters.kernel` and C = {i : t_i < T} the causal inputs, the implicit function theorem gives

    dT/dw_i = -K(T - t_i) / v'(T),      dT/dt_i = w_i K'(T - t_i) / v'(T),      v'(T) = sum_{i in C} w_i K'(T - t_i),

for i in C, else 0 (Göltz, Kriener et al. 2021, whose closed forms these equal). T is what the substrate produced, so it need
not be where the ideal neuron crosses: these are the derivatives of a neuron that differs from it in its threshold, which is
v(T). So they hold as well where the ideal neuron would stay below threshold. Where its membrane does not rise at T, v'(T) <= 0,
they are 0.
"""

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.first_spike import backward_kernels as kernels
from ttfs_pynn.first_spike import layer_backward
from ttfs_pynn.first_spike.arrivals import Arrivals
from ttfs_pynn.first_spike.forward import are_alike, check_inputs
from ttfs_pynn.first_spike.several_spikes import sum_by_input, times_of_columns
from ttfs_pynn.membrane.ranges import LARGEST, all_below, are_times

__all__ = ["check_outputs", "first_spike_derivatives", "vector_jacobian_product"]


def check_outputs(name: str, array: ArrayLike, n_samples: int, n_neurons: int) -> np.ndarray:
    array = np.ascontiguousarray(array, dtype=float)
    if array.shape != (n_samples, n_neurons):
        raise ValueError(f"{name} has shape {array.shape}; expected (samples, neurons) = {(n_samples, n_neurons)}")
    if not (are_times if name == "t_out" else all_below)(array):
        allowed = np.abs(array) <= LARGEST
        if name == "t_out":
            allowed |= array == np.inf
        raise ValueError(f"{name} holds {array[~allowed][0]:g}; give numbers of at most {LARGEST:g}"
                         f"{', and inf for a silent neuron' if name == 't_out' else ''}")
    return array


def first_spike_derivatives(t_in: ArrayLike | Arrivals, w: ArrayLike, t_out: ArrayLike, neuron) -> tuple[np.ndarray, np.ndarray]:
    """(dT/dw, dT/dt_in), each (samples, inputs, neurons), in ms/nA and ms/ms.

    t_in (samples, inputs) ms, w (inputs, neurons) nA, t_out (samples, neurons) ms (inf: silent, derivatives 0),
    neuron: LIFParameters. Memory grows with the product; learning uses `vector_jacobian_product`. Where t_in is (samples, inputs,
    spikes), dT/dt_in is (samples, inputs, spikes, neurons).
    """
    arrivals, w, (tau_m, tau_syn, cm, _) = check_inputs(t_in, w, neuron)
    given, times = arrivals.given, arrivals.times
    t_out = check_outputs("t_out", t_out, times.shape[0], w.shape[1])
    dt_dw = np.empty((*times.shape, w.shape[1]))
    dt_dt_in = np.empty_like(dt_dw)
    kernels.derivatives(times, w, t_out, tau_m, tau_syn, cm, dt_dw, dt_dt_in)
    if given.ndim == 3:
        dt_dw = sum_by_input(dt_dw, arrivals.columns[0], given.shape[1], axis=1)
        return dt_dw, times_of_columns(dt_dt_in, arrivals.columns, given.shape)
    return dt_dw, dt_dt_in


def vector_jacobian_product(t_in: ArrayLike | Arrivals, w: ArrayLike, t_out: ArrayLike, error: ArrayLike, neuron,
                            max_dw: ArrayLike = np.inf, with_inputs: bool = True) -> tuple:
    """Contract error = dL/dT (samples, neurons) with both Jacobians, without building them.

    Returns (dL/dw (inputs, neurons) summed over samples, dL/dt_in (samples, inputs), number of dropped contributions): a
    sample's contribution to the weights of a neuron is left out where its largest magnitude exceeds max_dw (1/nA, a number or
    one a neuron), which is how the paper's authors keep learning stable where v'(T) -> 0. Without with_inputs the second is None:
    the first layer needs no error of its inputs. Where t_in is (samples, inputs, spikes), so is dL/dt_in, and dL/dw is that of
    all spikes of an input.
    """
    arrivals, w, constants = check_inputs(t_in, w, neuron)
    given = arrivals.given
    t_out = check_outputs("t_out", t_out, given.shape[0], w.shape[1])
    error = check_outputs("error", error, *t_out.shape)
    limit = np.full(w.shape[1], max_dw, dtype=float)
    dw, dt_in, dropped = _product(arrivals, w, t_out, error, constants, are_alike(neuron, w.shape[1]), limit, with_inputs)
    if given.ndim == 3:
        dw = sum_by_input(dw, arrivals.columns[0], given.shape[1])
        dt_in = times_of_columns(dt_in, arrivals.columns, given.shape) if with_inputs else None
    return dw, dt_in, dropped


def _product(arrivals, w, t_out, error, constants, alike, limit, with_inputs):
    """By columns."""
    tau_m, tau_syn, cm, _ = constants
    times = arrivals.times
    if alike and w.size and layer_backward.applies(times, tau_m[0], tau_syn[0]):
        dw, dt_in = np.empty_like(w), np.empty_like(times) if with_inputs else None
        dropped = layer_backward.layer_backward(arrivals, w, t_out, error, tau_m[0], tau_syn[0], limit, dw, dt_in)
        return dw, dt_in, dropped
    dw_blocks = np.zeros((kernels.N_BLOCKS, *w.shape))
    dt_in = np.zeros_like(times)
    n_dropped = np.zeros(kernels.N_BLOCKS, dtype=np.int64)
    kernels.backward(times, w, t_out, error, tau_m, tau_syn, cm, limit, arrivals.columns[0], dw_blocks, dt_in, n_dropped)
    return dw_blocks.sum(axis=0), dt_in if with_inputs else None, int(n_dropped.sum())
