"""Derivatives of a whole layer of neurons with equal time constants: the fast version of `backward_kernels`.

With r the slower and q the faster of the two rates, D = q - r, u = T - t_0 and x = t - t_0 since a sample's first input,

    K(T - t) cm exp(r u) = Q (a H(u) - b),  Q = exp(-D u),  H(u) = (exp(D u) - 1)/D, u where D = 0,  a = exp(r x),  b = a H(x).

a and b belong to an input, Q and H(u) to a spike: no exponential is left where they meet. Nor is a comparison of times, for an
input that is no cause has a H(u) <= b. Derivatives are quotients, in which exp(r u) cancels: with A = sum w a and B = sum w b
over the causes, C = 1 and j = A where the synapse is the slower, else C = Q and j = A + D B, and f = dL/dT / R,

    R = exp(r u) cm v'(T) = C j - r_m Q (H A - B),      dL/dw = -f Q (a H - b),      dL/dt = f w (C c - r_m Q (a H - b)),

c = a, or a + D b. H grows whichever is the slower, so late inputs keep their digits beside early ones. The loops are in
`layer_backward_kernels`. A tile of neurons is computed by one thread, sample after sample: the number of threads changes no bit.
"""

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.arrivals import SAMPLES
from ttfs_pynn.first_spike.layer_backward_kernels import Gradients, Layer, laid_out, one_tile, tile_alone
from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.compiling import inner
from ttfs_pynn.membrane.lanes import lane_max, load, maximum, minimum, select, splat
from ttfs_pynn.membrane.threads import on_threads

_NARROW, _WIDE = lanes.LANES, 2 * lanes.LANES  # neurons of a tile; of more, what is kept of their spikes leaves the fastest cache
_LONGEST = 200.0  # time constants from first to last input; beyond, a would leave the range of floats


def applies(t_in, tau_m, tau_syn):
    """Whether these inputs and constants keep all digits here; `backward_kernels` takes any."""
    first, last = _first_and_last(t_in.reshape(-1))
    return not first < np.inf or (last - first) / min(tau_m, tau_syn) < _LONGEST


@njit(cache=True, error_model="numpy")
def _first_and_last(times):
    """Of the finite ones; (inf, -inf) where there is none."""
    low, high = splat(np.inf), splat(-np.inf)
    n = times.shape[0] - times.shape[0] % lanes.LANES
    for k in range(0, n, lanes.LANES):
        t = load(times, k)
        low, high = minimum(low, t), maximum(high, select(t < np.inf, t, -np.inf))
    first, last = -lane_max(0.0 - low), lane_max(high)
    for k in range(n, times.shape[0]):
        if times[k] < np.inf:
            first, last = min(first, times[k]), max(last, times[k])
    return first, last


@inner
def _enter_errors(errors, inputs, dt_in):
    """dt_in (samples, inputs) from the errors (tiles, places) of the sorted inputs."""
    dt_in[:] = 0.0
    for s in range(dt_in.shape[0]):
        for k in range(inputs.start[s], inputs.end[s]):
            total = 0.0
            for part in range(errors.shape[0]):
                total += errors[part, k]
            dt_in[s, inputs.order[k]] = total


@njit(cache=True, error_model="numpy")
def layer_backward_serial(width, start, order, times, layer, rate_m, rate_s, more, dw, dt_in, dropped):
    inputs = laid_out(start, order, times, layer, dw.shape[0], rate_m, rate_s)
    gradients = Gradients(dw, np.empty((dropped.shape[0] if dt_in.size else 0, order.shape[0])), rate_m, rate_s, more)
    for part in range(dropped.shape[0]):
        dropped[part] += one_tile(width, part, layer, inputs, gradients)
    _enter_errors(gradients.errors, inputs, dt_in)


@njit(cache=True, parallel=True, error_model="numpy")
def _side_by_side(width, layer, inputs, gradients, dropped):
    for part in prange(dropped.shape[0]):
        dropped[part] += tile_alone(width, part, layer, inputs, gradients)


@njit(cache=True, error_model="numpy")
def _threaded(width, start, order, times, layer, rate_m, rate_s, more, dw, dt_in, dropped):
    inputs = laid_out(start, order, times, layer, dw.shape[0], rate_m, rate_s)
    gradients = Gradients(dw, np.empty((dropped.shape[0] if dt_in.size else 0, order.shape[0])), rate_m, rate_s, more)
    _side_by_side(width, layer, inputs, gradients, dropped)
    _enter_errors(gradients.errors, inputs, dt_in)


_NOT_WANTED = np.empty((0, 0))


def tiles_of(n_neurons):
    """(neurons of a tile, number of tiles)."""
    width = _NARROW if n_neurons <= _NARROW else _WIDE
    return width, -(-n_neurons // width)


def layer_backward(arrivals, w, t_out, error, tau_m, tau_syn, max_dw, dw, dt_in):
    """Fill dw (columns, neurons) and dt_in (samples, columns; None: not wanted). Returns the number of dropped contributions.

    arrivals: Arrivals; other arguments as in `backward_kernels.backward`, tau_m and tau_syn numbers; only where `applies`.
    """
    columns, (width, n_parts) = arrivals.columns[0], tiles_of(w.shape[1])
    dropped = np.zeros(n_parts, dtype=np.int64)
    most = int(np.bincount(columns).max()) if columns.size else 1
    if not len(t_out):
        dw[:] = 0.0
    for begin in range(0, len(t_out), SAMPLES):
        part = slice(begin, begin + SAMPLES)
        layer, to = Layer(w, t_out[part], error[part], max_dw, columns, most), _NOT_WANTED if dt_in is None else dt_in[part]
        run = _threaded if on_threads(len(layer.t_out) * w.size) else layer_backward_serial
        run(width, *arrivals.sorted(begin), layer, 1.0 / tau_m, 1.0 / tau_syn, begin > 0, dw, to, dropped)
    return int(dropped.sum())
