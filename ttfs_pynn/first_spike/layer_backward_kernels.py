"""Compiled loops of `layer_backward`, which has the equations: a tile of neurons, all samples of a batch."""

import math
from typing import NamedTuple

import numpy as np

from ttfs_pynn.first_spike.backward_kernels import LEAST_RISE
from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.compiling import inlined, inner, merged
from ttfs_pynn.membrane.interval import extremum, phi
from ttfs_pynn.membrane.lanes import (
    absolute,
    address,
    bits,
    filled,
    fma,
    lane_max,
    lane_sum,
    load,
    load_like,
    load_where,
    ramp,
    select,
    size_of,
    splat,
    splat_16,
)
from ttfs_pynn.membrane.tiles import pack

__all__ = ["Gradients", "Inputs", "Layer", "laid_out", "one_tile", "tile_alone"]

_ROUNDED_UP = 1.0 + 2.0 ** -51
_FAR = 400.0  # exp(_FAR) is nothing beside 1, and its product with what inputs have is in the range of floats


class Layer(NamedTuple):
    """What a layer is and did: weights, spikes and errors (samples, neurons). A contribution to the weights of neuron n is
    dropped where its largest magnitude exceeds max_dw[n]. columns: the input of each row of w, of which none has more than `most`
    (`several_spikes`), or empty: each has one."""

    w: np.ndarray
    t_out: np.ndarray
    error: np.ndarray
    max_dw: np.ndarray
    columns: np.ndarray
    most: int


class Inputs(NamedTuple):
    """The sorted inputs (`order.Sorted`) that are causes of something: those of sample s are at the places start[s] to end[s].

    a and b = a H(x) by place. The same by input, for the sums over samples: those of input i are at row[i] to row[i + 1] of
    sample_of, a_of and b_of.
    """

    start: np.ndarray
    end: np.ndarray
    order: np.ndarray
    times: np.ndarray
    a: np.ndarray
    b: np.ndarray
    row: np.ndarray
    sample_of: np.ndarray
    a_of: np.ndarray
    b_of: np.ndarray


class Gradients(NamedTuple):
    """dw (inputs, neurons), added to or (not `more`) filled; errors of the inputs (tiles, places), no tiles
    where they are not wanted."""

    dw: np.ndarray
    errors: np.ndarray
    rate_m: float
    rate_s: float
    more: bool


@inlined
def _grown(u, difference):
    """H(u), and Q as far as H is: exp(-z) with z = D u of at most _FAR."""
    if difference == 0.0:
        return u, filled(1.0, u)
    z = u * difference
    z = select(z < _FAR, z, _FAR)
    return lanes.expm1(z) / difference, lanes.exp(0.0 - z)


@inner
def _latest(t_out, error, s):
    """The last spike of a sample that has an error, -inf if there is none."""
    n_neurons, latest = t_out.shape[1], -math.inf
    whole, last = n_neurons - n_neurons % lanes.LANES, splat(-math.inf)
    for n in range(0, whole, lanes.LANES):
        t = _active(load(t_out, s * n_neurons + n), load(error, s * n_neurons + n))
        last = select(t > last, t, last)
    for n in range(whole, n_neurons):
        if error[s, n] != 0.0 and t_out[s, n] < math.inf:
            latest = max(latest, t_out[s, n])
    return max(latest, lane_max(last))


@inlined
def _active(t, error):
    """T, -inf where there is no error or no spike."""
    return select(((error > 0.0) | (error < 0.0)) & (t < math.inf), t, -math.inf)


@inner
def _ends(t_out, error, inputs):
    """Where the inputs of a sample cease to be causes of anything."""
    for s in range(t_out.shape[0]):
        last, low, high = _latest(t_out, error, s), inputs.start[s], inputs.start[s + 1]
        while low < high:
            middle = (low + high) // 2
            if inputs.times[middle] < last:
                low = middle + 1
            else:
                high = middle
        inputs.end[s] = low


@inner
def _by_input(inputs):
    """The same input by input, samples in order."""
    row, n_inputs = inputs.row, inputs.row.shape[0] - 1
    row[:] = 0
    for s in range(inputs.end.shape[0]):
        for k in range(inputs.start[s], inputs.end[s]):
            row[inputs.order[k] + 1] += 1
    for i in range(n_inputs):
        row[i + 1] += row[i]
    for s in range(inputs.end.shape[0]):
        for k in range(inputs.start[s], inputs.end[s]):
            i = inputs.order[k]
            p = row[i]
            row[i] = p + 1
            inputs.sample_of[p], inputs.a_of[p], inputs.b_of[p] = s, inputs.a[k], inputs.b[k]
    for i in range(n_inputs, 0, -1):
        row[i] = row[i - 1]
    row[0] = 0


@inner
def laid_out(start, order, times, layer, n_inputs, rate_m, rate_s):
    """Inputs of sorted ones (`order.Sorted`)."""
    size, n_samples, slower, difference = order.shape[0], layer.t_out.shape[0], min(rate_m, rate_s), abs(rate_s - rate_m)
    inputs = Inputs(start, np.empty(n_samples, dtype=np.int64), order, times, np.empty(size + lanes.LANES),
                    np.empty(size + lanes.LANES), np.empty(n_inputs + 1, dtype=np.int64), np.empty(size, dtype=np.int64),
                    np.empty(size), np.empty(size))
    _ends(layer.t_out, layer.error, inputs)
    for s in range(n_samples):
        first = start[s]
        for k in range(first, inputs.end[s], lanes.LANES):  # beyond the end: what the next sample writes anew
            x = load(times, k) - times[first]
            a = lanes.exp(select(x * slower < 700.0, x * slower, 700.0))
            lanes.store(inputs.a, k, a)
            # up by what rounding is: a H(u) - b of an input at the time of the spike is not above 0
            lanes.store(inputs.b, k, a * _grown(x, difference)[0] * _ROUNDED_UP)
    _by_input(inputs)
    return inputs


class _Tile(NamedTuple):
    """Of a tile of neurons: weights (inputs, lanes); max_dw (lanes,); the largest response of an input, times `most`;
    H(u), and f Q with f = dL/dT / (cm v'), of its spikes (samples, lanes), for the weights: 0 where a contribution is dropped."""

    packed: np.ndarray
    max_dw: np.ndarray
    peak: float
    h: np.ndarray
    factor: np.ndarray


@inner
def _largest_response(s, inputs, column, t_out, rate_m, rate_s):
    """The largest phi(T - t_i) of a column, or sum of them of an input."""
    total = np.zeros(column[-1] + 1 if column.shape[0] else 0)
    largest = 0.0
    for k in range(inputs.start[s], inputs.end[s]):
        if inputs.times[k] >= t_out:
            break
        response = math.exp(min(rate_m, rate_s) * (inputs.times[k] - inputs.times[inputs.start[s]]))
        difference, since = abs(rate_s - rate_m), t_out - inputs.times[k]
        response *= since if difference == 0.0 else -math.expm1(-difference * since) / difference
        if column.shape[0]:
            total[column[inputs.order[k]]] += response
            response = total[column[inputs.order[k]]]
        largest = max(largest, response)
    return largest


@inlined
def _sums(zero, begin, last, t, times, order, a, b, packed):
    """(sum w a, sum w b over the causes, where these end), the inputs at the places begin to last - 1."""
    width, total, grown, k, latest = size_of(zero), zero, zero, begin, lane_max(t)
    while k < last and times[k] < latest:
        row, cause = load_like(packed, order[k] * width, zero), t > times[k]
        total = select(cause, fma(row, a[k], total), total)
        grown = select(cause, fma(row, b[k], grown), grown)
        k += 1
    return total, grown, k


@inlined
def _factors(zero, t_0, total, grown, t, error, rate_m, rate_s):
    """(H(u), f Q, f times the share of Q that the current has, u) with f = dL/dT / (cm v'), 0 where v' is not above 0."""
    difference, active = abs(rate_s - rate_m), t > -math.inf
    u = select(active, t - t_0, 0.0)
    h, q = _grown(u, difference)
    share = q
    if rate_s > rate_m:
        share = lanes.exp(u * -difference)  # Q itself, which matters without leak
        current = share * fma(grown, difference, total)
    else:
        share = filled(1.0, u)
        current = total
    rise = current - q * (h * total - grown) * rate_m
    f = select(active & (rise > LEAST_RISE), error / rise, 0.0)
    return h, f * q, f * share, u


@inner
def _drop(s, first, layer, inputs, gradients, tile):
    """Set the factors of a sample to 0 where a contribution exceeds max_dw. Returns how many are."""
    rate_m, rate_s, width, dropped = gradients.rate_m, gradients.rate_s, tile.max_dw.shape[0], 0
    for n in range(min(width, layer.w.shape[1] - first)):
        factor, t = tile.factor[s * width + n], layer.t_out[s, first + n]
        if factor == 0.0:
            continue
        difference, since = abs(rate_s - rate_m), t - inputs.times[inputs.start[s]]
        f = abs(factor) * math.exp(min(difference * since, _FAR))
        if f * _largest_response(s, inputs, layer.columns, t, rate_m, rate_s) > tile.max_dw[n]:
            tile.factor[s * width + n] = 0.0
            dropped += 1
    return dropped


@inlined
def _pass_errors(zero, to, begin, end, last, t, h, factor, of_current, current_per_b, rate_m, times, order, a, b, packed, errors):
    """dL/dt = sum_n w dL/dT K'(T - t) / v'(T) over the neurons of a tile, for the inputs at the places begin to last - 1."""
    width, flat = size_of(zero), errors.reshape(-1)
    for k in range(begin, end):
        row, current = load_like(packed, order[k] * width, zero), a[k] + b[k] * current_per_b
        share = of_current * current - (h * a[k] - b[k]) * (factor * rate_m)
        flat[to + k] = lane_sum(select(t > times[k], row * share, 0.0))
    for k in range(end, last):
        flat[to + k] = 0.0


@inner
def _samples(zero, part, layer, inputs, gradients, tile):
    """Fill `h` and `factor` of a tile, and the errors of inputs. Returns how many contributions were dropped."""
    width, first, rate_m, rate_s, dropped = size_of(zero), part * size_of(zero), gradients.rate_m, gradients.rate_s, 0
    times, order, a, b, packed = (address(inputs.times), address(inputs.order), address(inputs.a), address(inputs.b),
                                  address(tile.packed))
    start, stop, t_out, all_errors = address(inputs.start), address(inputs.end), address(layer.t_out), address(layer.error)
    all_h, all_factors, n_neurons = address(tile.h), address(tile.factor), layer.w.shape[1]
    max_dw, inside = load_like(tile.max_dw, 0, zero), _inside(first, n_neurons, zero)
    for s in range(layer.t_out.shape[0]):
        begin, last, at = start[s], stop[s], s * width
        error = load_where(all_errors, s * n_neurons + first, inside, zero)
        t = _active(load_where(t_out, s * n_neurons + first, inside, zero), error)
        total, grown, end = _sums(zero, begin, last, t, times, order, a, b, packed)
        h, factor, of_current, u = _factors(zero, times[begin], total, grown, t, error, rate_m, rate_s)
        lanes.store(all_h, at, h)
        lanes.store(all_factors, at, factor)
        if gradients.errors.shape[0]:
            _pass_errors(zero, part * inputs.order.shape[0], begin, end, last, t, h, factor, of_current,
                         max(rate_s - rate_m, 0.0), rate_m, times, order, a, b, packed, gradients.errors)
        grow = u * max(rate_m, rate_s)
        size = absolute(factor) * select(grow < 700.0, lanes.exp(grow), math.inf)  # of f exp(r u), or above
        if bits(size * tile.peak > max_dw):
            dropped += _drop(s, first, layer, inputs, gradients, tile)
    return dropped


@inlined
def _inside(first, n_neurons, zero):
    """The lanes of a tile that are neurons."""
    return ramp(float(first), zero) < float(n_neurons)


@inlined
def _response_sum(p, width, sample_of, a, b, h, factor, total):
    """total + f Q (a H(u) - b), or total where the input is no cause."""
    k = sample_of[p] * width
    response = fma(load_like(h, k, total), a[p], -b[p])
    return fma(select(response > 0.0, response, 0.0), load_like(factor, k, total), total)


@inner
def _update(zero, first, inputs, h, factor, more, dw):
    """dL/dw_i = -sum over samples of f Q (a H(u) - b) of the causes."""
    width, n_neurons, n_inputs = size_of(zero), dw.shape[1], dw.shape[0]
    sample_of, a, b, row = address(inputs.sample_of), address(inputs.a_of), address(inputs.b_of), address(inputs.row)
    h, factor, to, inside = address(h), address(factor), address(dw), _inside(first, n_neurons, zero)
    for i in range(n_inputs):
        begin, end, total, other, at = row[i], row[i + 1], zero, zero, i * n_neurons + first
        if more:
            other = zero - load_where(to, at, inside, zero)
        for p in range(begin, end - 1, 2):  # two sums, for each waits for what was added before
            total = _response_sum(p, width, sample_of, a, b, h, factor, total)
            other = _response_sum(p + 1, width, sample_of, a, b, h, factor, other)
        if (end - begin) % 2:
            total = _response_sum(end - 1, width, sample_of, a, b, h, factor, total)
        lanes.store_where(to, at, zero - (total + other), inside)


@merged
def _tile(zero, part, layer, inputs, gradients):
    width, first, n_spikes = size_of(zero), part * size_of(zero), layer.t_out.shape[0] * size_of(zero)
    top = extremum(0.0, 1.0, gradients.rate_m, gradients.rate_s)
    peak = phi(top, gradients.rate_m, gradients.rate_s) if top < math.inf else 1.0 / gradients.rate_s
    tile = _Tile(lanes.aligned(layer.w.shape[0] * width), np.empty(width), peak * layer.most,
                 lanes.aligned(n_spikes), lanes.aligned(n_spikes))
    for n in range(width):
        tile.max_dw[n] = layer.max_dw[first + n] if first + n < layer.w.shape[1] else math.inf
    pack(layer.w, layer.w.shape[0], np.empty(0, dtype=np.int64), first, zero, tile.packed, np.empty(width))
    dropped = _samples(zero, part, layer, inputs, gradients, tile)
    _update(zero, first, inputs, tile.h, tile.factor, gradients.more, gradients.dw)
    return dropped


@merged
def one_tile(width, part, layer, inputs, gradients):
    """One tile of `width` neurons; returns how many contributions were dropped."""
    if width == 16:
        return _tile(splat_16(0.0), part, layer, inputs, gradients)
    return _tile(splat(0.0), part, layer, inputs, gradients)


@inner
def tile_alone(width, part, layer, inputs, gradients):
    """`one_tile`, for threads."""
    return one_tile(width, part, layer, inputs, gradients)
