"""Derivatives of a whole layer of neurons with equal time constants: the fast version of `backward_kernels`.

With r the slower and q the faster of the two rates, D = q - r, u = T - t_0 and x = t - t_0 since the first input,

    K(T - t) cm exp(r u) = Q a (H(u) - H(x)),    a = exp(r x),    Q = exp(-D u),    H(u) = (exp(D u) - 1)/D, or u if D = 0.

a and H(x) belong to an input, Q and H(u) to a spike: no exponential is left where they meet, and no comparison of times either, for
an input that is no cause has H(u) <= H(x). Derivatives are quotients, which the factor exp(r u) does not change, and with it they
do not vanish where T is late. Loops are in `layer_backward_kernels`, where all neurons of a tile are one vector of lanes. A tile
is computed by one thread, sample after sample: the number of threads changes no bit.
"""

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.layer_backward_kernels import Gradients, Inputs, Layer, fill_inputs, one_tile
from ttfs_pynn.membrane.lanes import LANES
from ttfs_pynn.membrane.order import sort_inputs
from ttfs_pynn.membrane.threads import on_threads

_SAMPLES = 96  # at a time: what is kept of their spikes in a tile fits into the fastest cache
_WIDTHS = (LANES, 2 * LANES)  # neurons of a tile
_LONGEST = 200.0  # time constants from first to last input; beyond, a would leave the range of floats
_NEAREST = 1e-3  # relative difference of unequal constants; below, the difference of two exponentials loses digits


def applies(t_in, tau_m, tau_syn):
    """Whether these inputs and constants keep all digits here; `backward_kernels` takes any."""
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    if rate_m != rate_s and abs(rate_m - rate_s) < _NEAREST * rate_s:
        return False
    first, last = _first_and_last(t_in.reshape(-1))
    return not first < np.inf or (last - first) * max(rate_m, rate_s) < _LONGEST


@njit(cache=True, error_model="numpy")
def _first_and_last(times):
    """Of the finite ones; inf and -inf where there are none."""
    first, last = np.inf, -np.inf
    for k in range(times.shape[0]):
        first = min(first, times[k])
        last = max(last, times[k] if times[k] < np.inf else -np.inf)
    return first, last


@njit(cache=True, error_model="numpy")
def _serial(width, layer, inputs, gradients):
    for part in range(gradients.dropped.shape[0]):
        gradients.dropped[part] += one_tile(width, part, layer, inputs, gradients)


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(width, layer, inputs, gradients):
    for part in prange(gradients.dropped.shape[0]):
        gradients.dropped[part] += one_tile(width, part, layer, inputs, gradients)


@njit(cache=True, error_model="numpy")
def _add_errors(errors, inputs, dt_in):
    """dt_in (samples, inputs) from the errors (tiles, places) of the sorted inputs."""
    dt_in[:] = 0.0
    for s in range(dt_in.shape[0]):
        for k in range(inputs.start[s], inputs.end[s]):
            total = 0.0
            for part in range(errors.shape[0]):
                total += errors[part, k]
            dt_in[s, inputs.order[k]] = total


def layer_backward(t_in, w, t_out, error, tau_m, tau_syn, cm, max_dw, inputs, with_inputs):
    """(dL/dw (inputs, neurons), dL/dt_in (samples, inputs) or None, number of dropped contributions).

    Arguments as in `backward_kernels.backward`, tau_m and tau_syn numbers; only where `applies`. inputs: that of each column,
    none of which has more than a few (`several_spikes`), or empty: each has one.
    """
    n_samples, n_neurons = t_out.shape
    width = _WIDTHS[0] if n_neurons <= _WIDTHS[0] else _WIDTHS[1]
    n_parts, n_blocks = -(-n_neurons // width), max(1, -(-n_samples // _SAMPLES))
    most = int(np.bincount(inputs).max()) if inputs.size else 1
    dw, dt_in = np.empty_like(w), np.empty_like(t_in) if with_inputs else None
    dropped = np.zeros(n_parts, dtype=np.int64)
    for block in range(n_blocks):
        part = slice(block * n_samples // n_blocks, (block + 1) * n_samples // n_blocks)
        layer = Layer(w, np.ascontiguousarray(t_out[part]), np.ascontiguousarray(error[part]), cm, max_dw, inputs, most)
        sorted_inputs = sort_inputs(t_in[part])
        found = Inputs.of(sorted_inputs, len(w))
        fill_inputs(layer.t_out, layer.error, 1.0 / tau_m, 1.0 / tau_syn, found)
        errors = np.empty((n_parts, sorted_inputs.order.size if with_inputs else 0))
        run = _threaded if on_threads(t_in[part].size * n_neurons) else _serial
        run(width, layer, found, Gradients(dw, errors, dropped, 1.0 / tau_m, 1.0 / tau_syn, block > 0, with_inputs))
        if with_inputs:
            _add_errors(errors, found, dt_in[part])
    return dw, dt_in, int(dropped.sum())
