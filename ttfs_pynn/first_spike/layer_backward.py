"""Derivatives of a whole layer of neurons with equal time constants: the fast version of `backward_kernels`.

With U = T - t_0 and u_i = t_i - t_0 since a sample's first input, d = r_s - r_m and H(u) = (exp(d u) - 1)/d (u where d is 0),

    phi(T - t_i) = exp(-r_s U) (a_i H(U) - b_i),      a_i = exp(r_m u_i),      b_i = a_i H(u_i).

a and b belong to an input, H(U) to a spike: no exponential is left inside the loops over (input, neuron). Derivatives are
quotients, in which exp(-r_s U) cancels: with A = sum w_i a_i and B = sum w_i b_i over causal inputs, and F = dL/dT / R,

    R = exp(r_s U) cm v'(T) = A + d B - r_m (H A - B),
    dL/dw_i = -F (a_i H - b_i),      dL/dt_i = F w_i (a_i (1 - r_m H) + r_s b_i).

H grows, so a_i H - b_i is below 0 where input i is later than T: in the sum over samples, max(a_i H - b_i, 0) says who is causal.
Neurons go in tiles, one thread each, as in `layer_kernels`: the number of threads changes no bit.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.arrivals import SAMPLES
from ttfs_pynn.first_spike.backward_kernels import LEAST_RISE
from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.interval import extremum, phi
from ttfs_pynn.membrane.lanes import (
    absolute,
    address,
    bits,
    exp,
    expm1,
    fma,
    lane_max,
    lane_sum,
    load,
    load_like,
    maximum,
    minimum,
    select,
    size_of,
    splat,
    splat_16,
    splat_32,
    store,
)
from ttfs_pynn.membrane.threads import on_threads
from ttfs_pynn.membrane.tiles import NARROW, WIDE, pack

_LONGEST = 200.0  # time constants from first to last input; beyond, a_i would leave the range of floats
_LATEST = 600.0  # of 1/d from first input to spike; beyond, H would


class _Layer(NamedTuple):
    """The arguments of `layer_backward`, for one part of the samples. A contribution to the weights of neuron n is dropped where
    its largest magnitude exceeds max_dw[n]. columns: the input of each column, of which none has more than `most`
    (`several_spikes`), or empty: each has one."""

    w: np.ndarray
    t_out: np.ndarray
    error: np.ndarray
    rate_m: float
    rate_s: float
    max_dw: np.ndarray
    columns: np.ndarray
    most: int


class _Inputs(NamedTuple):
    """Sorted inputs of the samples, with a and b at each place; and the same places input by input: those of input i are
    first[i] to first[i + 1], in `sample`."""

    start: np.ndarray
    order: np.ndarray
    times: np.ndarray
    a: np.ndarray
    b: np.ndarray
    first: np.ndarray
    sample: np.ndarray
    a_by_input: np.ndarray
    b_by_input: np.ndarray


class _Spikes(NamedTuple):
    """Of the neurons of a tile, (samples, lanes): time, -inf where there is none that counts; error; H; F of weights, 0 where a
    contribution is dropped; and F, F (1 - r_m H) of inputs."""

    time: np.ndarray
    error: np.ndarray
    growth: np.ndarray
    factor: np.ndarray
    for_b: np.ndarray
    for_a: np.ndarray


def applies(t_in, t_out, tau_m, tau_syn):
    """Whether these times and constants keep all digits here; `backward_kernels` takes any."""
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    (first, last), latest = _range(t_in.reshape(-1)), _range(t_out.reshape(-1))[1]
    if math.inf in (first, -latest):  # no causes or no effects
        return True
    return (last - first) * max(rate_m, rate_s) < _LONGEST and (latest - first) * abs(rate_s - rate_m) < _LATEST


@njit(cache=True, error_model="numpy")
def _range(times):
    """(smallest, largest) of the finite ones; (inf, -inf) where there is none."""
    low, high = splat(math.inf), splat(-math.inf)
    n = times.shape[0] - times.shape[0] % lanes.LANES
    for k in range(0, n, lanes.LANES):
        t = load(times, k)
        low, high = minimum(low, t), maximum(high, select(t < math.inf, t, -math.inf))
    first, last = -lane_max(0.0 - low), lane_max(high)
    for k in range(n, times.shape[0]):
        if times[k] < math.inf:
            first, last = min(first, times[k]), max(last, times[k])
    return first, last


@njit(cache=True, error_model="numpy")
def _grow(start, times, rate_m, rate_s, a, b):
    """Fill a and b of each place."""
    difference = rate_s - rate_m
    for s in range(start.shape[0] - 1):
        for k in range(start[s], start[s + 1], lanes.LANES):  # what is beyond the end is the next sample's and filled again
            u = load(times, k) - times[start[s]]
            growth = exp(minimum(u, 700.0 / max(rate_m, rate_s)) * rate_m)
            store(a, k, growth)
            store(b, k, growth * (u if difference == 0.0 else expm1(u * difference) / difference))


@njit(cache=True, error_model="numpy")
def _by_input(start, order, a, b, first, sample, a_by_input, b_by_input):
    """The places of all samples, input by input."""
    first[:] = 0
    for k in range(start[-1]):
        first[order[k] + 1] += 1
    for i in range(first.shape[0] - 1):
        first[i + 1] += first[i]
    for s in range(start.shape[0] - 1):
        for k in range(start[s], start[s + 1]):
            p = first[order[k]]
            first[order[k]] = p + 1
            sample[p], a_by_input[p], b_by_input[p] = s, a[k], b[k]
    for i in range(first.shape[0] - 1, 0, -1):
        first[i] = first[i - 1]
    first[0] = 0


@njit(cache=True, error_model="numpy")
def _laid_out(start, order, times, n_inputs, rate_m, rate_s):
    """_Inputs of Sorted."""
    n = order.shape[0]
    a, b = np.empty(n + lanes.LANES), np.empty(n + lanes.LANES)
    found = _Inputs(start, order, times, a, b, np.empty(n_inputs + 1, dtype=np.int64), np.empty(n, dtype=np.int64), np.empty(n),
                    np.empty(n))
    _grow(start, times, rate_m, rate_s, a, b)
    _by_input(start, order, a, b, found.first, found.sample, found.a_by_input, found.b_by_input)
    return found


@njit(cache=True, error_model="numpy")
def _largest_response(inputs, sample, columns, growth, t_out):
    """The largest a_i H - b_i of a column, or sum of them of an input."""
    total = np.zeros(columns[-1] + 1 if columns.shape[0] else 0)
    largest = 0.0
    for k in range(inputs.start[sample], inputs.start[sample + 1]):
        if inputs.times[k] >= t_out:
            break
        response = inputs.a[k] * growth - inputs.b[k]
        if columns.shape[0]:
            total[columns[inputs.order[k]]] += response
            response = total[columns[inputs.order[k]]]
        largest = max(largest, response)
    return largest


@njit(cache=True, error_model="numpy")
def _take_spikes(layer, first, width, spikes):
    """Lay out the spikes and errors of the neurons of a tile; what has no error counts as silent."""
    n_samples, n_neurons = layer.t_out.shape
    for s in range(n_samples):
        for lane in range(width):
            k, n = s * width + lane, first + lane
            spikes.time[k], spikes.error[k] = -math.inf, 0.0
            if n < n_neurons and layer.error[s, n] != 0.0 and layer.t_out[s, n] < math.inf:
                spikes.time[k], spikes.error[k] = layer.t_out[s, n], layer.error[s, n]


@njit(cache=True, error_model="numpy")
def _factors(zero, first, layer, inputs, packed, max_dw, spikes):
    """Fill growth, factor, for_b and for_a of the spikes of a tile. Returns how many contributions were dropped."""
    start, rate_m, rate_s, width, dropped = inputs.start, layer.rate_m, layer.rate_s, size_of(zero), 0
    difference, columns = rate_s - rate_m, layer.columns
    top = extremum(0.0, 1.0, rate_m, rate_s)
    peak = (phi(top, rate_m, rate_s) if top < math.inf else 1.0 / rate_s) * layer.most
    times, order, growing_a, growing_b = address(inputs.times), address(inputs.order), address(inputs.a), address(inputs.b)
    weights, spike_times, errors, limit = address(packed), address(spikes.time), address(spikes.error), load_like(max_dw, 0, zero)
    for s in range(start.shape[0] - 1):
        t, a, b = load_like(spike_times, s * width, zero), zero, zero
        k, end, latest = start[s], start[s + 1], lane_max(t)
        while k < end and times[k] < latest:
            w, causal = load_like(weights, order[k] * width, zero), t > times[k]
            a = select(causal, fma(w, growing_a[k], a), a)
            b = select(causal, fma(w, growing_b[k], b), b)
            k += 1
        if k == start[s]:
            growth = factor = zero
            store(spikes.growth, s * width, zero)
            store(spikes.factor, s * width, zero)
            store(spikes.for_b, s * width, zero)
            store(spikes.for_a, s * width, zero)
            continue
        since = maximum(t - times[start[s]], 0.0)
        growth = since if difference == 0.0 else expm1(since * difference) / difference
        rise = fma(b, difference, a) - fma(growth, a, 0.0 - b) * rate_m
        factor = select((rise > LEAST_RISE) & (t > -math.inf), load_like(errors, s * width, zero) / rise, 0.0)
        store(spikes.growth, s * width, growth)
        store(spikes.factor, s * width, factor)
        store(spikes.for_b, s * width, factor)
        store(spikes.for_a, s * width, factor * (1.0 - growth * rate_m))
        over = bits(absolute(factor) * exp(minimum(since * rate_s, 700.0)) * peak > limit)
        while over:
            lane = lanes.lowest(over)
            over &= over - 1
            i = s * width + lane
            if abs(spikes.factor[i]) * _largest_response(inputs, s, columns, spikes.growth[i], spikes.time[i]) > max_dw[lane]:
                spikes.factor[i] = 0.0
                dropped += 1
    return dropped


@njit(cache=True, error_model="numpy")
def _errors_of_inputs(zero, inputs, packed, spikes, rate_s, dt_in):
    """dt_in (samples, inputs) gets dL/dt_i of the neurons of a tile."""
    start, width = inputs.start, size_of(zero)
    times, order, growing_a, growing_b = address(inputs.times), address(inputs.order), address(inputs.a), address(inputs.b)
    weights, spike_times, for_a, for_b = address(packed), address(spikes.time), address(spikes.for_a), address(spikes.for_b)
    for s in range(start.shape[0] - 1):
        t, of_a, of_b = (load_like(spike_times, s * width, zero), load_like(for_a, s * width, zero),
                         load_like(for_b, s * width, zero))
        k, end, latest = start[s], start[s + 1], lane_max(t)
        while k < end and times[k] < latest:
            w = select(t > times[k], load_like(weights, order[k] * width, zero), 0.0)
            dt_in[s, order[k]] = lane_sum(w * fma(of_a, growing_a[k], of_b * (rate_s * growing_b[k])))
            k += 1


@njit(cache=True, error_model="numpy")
def _updates(zero, first, inputs, spikes, add, dw):
    """dw (inputs * neurons) gets dL/dw of the neurons of a tile, or where `add` is true that is added to it."""
    n_inputs, width = inputs.first.shape[0] - 1, size_of(zero)
    n_neurons = dw.shape[0] // n_inputs
    size, whole, row = min(width, n_neurons - first), first + width <= n_neurons, np.empty(width)
    begin, sample, a, b = address(inputs.first), address(inputs.sample), address(inputs.a_by_input), address(inputs.b_by_input)
    growth, factor = address(spikes.growth), address(spikes.factor)
    for i in range(n_inputs):
        total = zero
        for p in range(begin[i], begin[i + 1]):
            k = sample[p] * width
            response = maximum(fma(load_like(growth, k, zero), a[p], -b[p]), 0.0)
            total = fma(response, load_like(factor, k, zero), total)
        k = i * n_neurons + first
        if whole:
            store(dw, k, (load_like(dw, k, zero) if add else zero) - total)
        else:
            store(row, 0, total)
            for n in range(size):
                dw[k + n] = (dw[k + n] if add else 0.0) - row[n]


@njit(cache=True, error_model="numpy")
def _tile(zero, part, layer, inputs, add, dw, dt_in, with_inputs):
    width, n_samples = size_of(zero), layer.t_out.shape[0]
    first, n_neurons = part * width, layer.t_out.shape[1]
    packed, max_dw = lanes.aligned(layer.w.shape[0] * width), np.full(width, math.inf)
    for n in range(min(width, n_neurons - first)):
        max_dw[n] = layer.max_dw[first + n]
    room = n_samples * width
    spikes = _Spikes(lanes.aligned(room), lanes.aligned(room), lanes.aligned(room), lanes.aligned(room), lanes.aligned(room),
                     lanes.aligned(room))
    pack(layer.w, np.empty(0, dtype=np.int64), first, zero, packed[:layer.w.shape[0] * width], np.empty(width))
    _take_spikes(layer, first, width, spikes)
    dropped = _factors(zero, first, layer, inputs, packed, max_dw, spikes)
    _updates(zero, first, inputs, spikes, add, dw)
    if with_inputs:
        _errors_of_inputs(zero, inputs, packed, spikes, layer.rate_s, dt_in)
    return dropped


@njit(cache=True, error_model="numpy")
def _one_tile(wide, *arguments):
    return _tile(splat_32(0.0), *arguments) if wide else _tile(splat_16(0.0), *arguments)


@njit(cache=True, error_model="numpy")
def _serial(wide, layer, inputs, add, dw, dt_in, n_dropped, with_inputs):
    for part in range(n_dropped.shape[0]):
        n_dropped[part] += _one_tile(wide, part, layer, inputs, add, dw, dt_in[part], with_inputs)


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(wide, layer, inputs, add, dw, dt_in, n_dropped, with_inputs):
    for part in prange(n_dropped.shape[0]):
        n_dropped[part] += _one_tile(wide, part, layer, inputs, add, dw, dt_in[part], with_inputs)


def layer_backward(arrivals, w, t_out, error, tau_m, tau_syn, max_dw, dw, dt_in):
    """Fill dw (columns, neurons) and dt_in (samples, columns; None: not wanted). Returns the number of dropped contributions.

    arrivals: Arrivals; other arguments as in `backward_kernels.backward`, tau_m and tau_syn numbers; only where `applies`.
    """
    columns = arrivals.columns[0]
    wide, rate_m, rate_s = w.shape[1] > NARROW, 1.0 / tau_m, 1.0 / tau_syn
    n_dropped = np.zeros(-(-w.shape[1] // (WIDE if wide else NARROW)), dtype=np.int64)
    most = int(np.bincount(columns).max()) if columns.size else 1
    for begin in range(0, max(len(t_out), 1), SAMPLES):
        part = slice(begin, begin + SAMPLES)
        layer = _Layer(w, t_out[part], error[part], rate_m, rate_s, max_dw, columns, most)
        found = _laid_out(*arrivals.sorted(begin), w.shape[0], rate_m, rate_s)
        errors = np.zeros((n_dropped.size, len(t_out[part]), w.shape[0] if dt_in is not None else 0))
        run = _threaded if on_threads(len(t_out[part]) * w.size) else _serial
        run(wide, layer, found, begin > 0, dw.reshape(-1), errors, n_dropped, dt_in is not None)
        if dt_in is not None:
            dt_in[part] = errors.sum(axis=0) if len(errors) > 1 else errors[0]
    return int(n_dropped.sum())
