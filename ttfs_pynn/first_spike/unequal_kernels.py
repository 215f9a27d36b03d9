"""First-spike times of a layer whose neurons have time constants of their own: the fast version of `kernels`.

Sixteen neurons at a time pass through the sorted inputs of each sample, membrane x and current j (both times cm) in registers:

    x' = x exp(-r_m s) + j phi(s),      j' = j exp(-r_s s) + w.

Those that may cross before the next input are looked at by themselves, by `kernels.crossing`, which has twice the digits where
rounding could decide. Two conditions are necessary for that. At a maximum j = r_m x, so s later it has become x D(s), D(s) =
exp(-r_m s) + r_m phi(s), which falls from 1 (`membrane.steps`); hence x' >= level D(s). And x(s) is never above
max(x, 0) + max(j, 0) phi, with the largest phi on the way. Rounding of x' is below D(s) times the doubt that level leaves,
because phi(s)/D(s) is at most the shorter time constant. Where exponentials vanish both sides are 0, and the second condition
decides.

A tile of neurons is computed by one thread: the number of threads changes no bit.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.arrivals import SAMPLES
from ttfs_pynn.first_spike.kernels import crossing
from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.compiling import inlined, inner
from ttfs_pynn.membrane.interval import extremum, phi
from ttfs_pynn.membrane.lanes import address, bits, exp, exp_and_expm1, fma, load_like, lowest, maximum, select, size_of, splat_16
from ttfs_pynn.membrane.order import Sorted
from ttfs_pynn.membrane.threads import on_threads
from ttfs_pynn.membrane.tiles import NARROW, pack


class Layer(NamedTuple):
    """The arguments of `unequal_first_spike_times`."""

    t_in: np.ndarray
    w: np.ndarray
    tau_m: np.ndarray
    tau_syn: np.ndarray
    cm: np.ndarray
    thr: np.ndarray


class Tile(NamedTuple):
    """Of each neuron of a tile: the rates of membrane and current; the time of the maximum of phi, and phi there; what rounding
    may move v by; cm (thr - doubt), inf beyond the last neuron. Then what changes: x, j and the present level, inf after a
    spike."""

    rate_m: np.ndarray
    rate_s: np.ndarray
    top: np.ndarray
    peak: np.ndarray
    doubt: np.ndarray
    level: np.ndarray
    x: np.ndarray
    j: np.ndarray
    present: np.ndarray


class Rates(NamedTuple):
    """Rates as lanes. slow: the smaller one, gap: their difference, scale: -1/gap, or 0 where there is none."""

    m: object
    s: object
    slow: object
    gap: object
    scale: object


@inner
def _fill_tile(first, layer, total, tile):
    """Fill all but x, j and present for the neurons from `first` on. total: of `pack`. doubt: as `kernels` has it."""
    for lane in range(total.shape[0]):
        n = first + lane
        tile.rate_m[lane] = tile.rate_s[lane] = tile.top[lane] = tile.peak[lane] = 1.0
        tile.doubt[lane], tile.level[lane] = 0.0, math.inf
        if n < layer.cm.shape[0]:
            rate_m, rate_s, cm, thr = 1.0 / layer.tau_m[n], 1.0 / layer.tau_syn[n], layer.cm[n], layer.thr[n]
            top = extremum(0.0, 1.0, rate_m, rate_s)
            tile.rate_m[lane], tile.rate_s[lane], tile.top[lane] = rate_m, rate_s, top
            tile.peak[lane] = phi(top, rate_m, rate_s) if top < math.inf else layer.tau_syn[n]
            largest = thr + total[lane] / cm * min(layer.tau_m[n], layer.tau_syn[n])
            tile.doubt[lane] = 1e-15 * (layer.w.shape[0] + 4) * largest
            tile.level[lane] = cm * (thr - tile.doubt[lane])


@inlined
def _rates(tile, zero):
    m, s = load_like(tile.rate_m, 0, zero), load_like(tile.rate_s, 0, zero)
    gap = lanes.absolute(s - m)
    return Rates(m, s, lanes.minimum(m, s), gap, select(gap > 0.0, -1.0 / gap, 0.0))


@inlined
def _transition(span, rates):
    """(exp(-r_m s), exp(-r_s s), phi(s)); see `interval.responses`."""
    slow = exp(rates.slow * -span)
    further, change = exp_and_expm1(rates.gap * -span)
    fast, leaks_slower = slow * further, rates.m <= rates.s
    rise = select(rates.gap > 0.0, change * rates.scale, span)
    return select(leaks_slower, slow, fast), select(leaks_slower, fast, slow), slow * rise


@inner
def _enter(may, sample, k, span, first_neuron, layer, inputs, tile, out):
    """Of the lanes in the bits `may`, whose state after the input at place k is in tile, enter the crossings in out."""
    first, end, n_neurons = inputs.start[sample], inputs.start[sample + 1], layer.w.shape[1]
    times, order = layer.t_in[sample], inputs.order[first:end]
    while may:
        lane = lowest(may)
        may &= may - 1
        n = first_neuron + lane
        s = crossing(times, order, k + 1 - first, layer.w, n, tile.x[lane] / layer.cm[n], tile.j[lane] / layer.cm[n], span,
                     layer.tau_m[n], layer.tau_syn[n], layer.cm[n], layer.thr[n], tile.doubt[lane])
        if s < math.inf:
            out[sample * n_neurons + n] = inputs.times[k] + s
            tile.present[lane] = math.inf


@inner
def _samples(zero, first_neuron, layer, inputs, packed, tile, out):
    """All samples for the neurons of one tile."""
    start, order, times = inputs.start, address(inputs.order), address(inputs.times)
    weights, width = address(packed), size_of(zero)
    rates, top, peak = _rates(tile, zero), load_like(tile.top, 0, zero), load_like(tile.peak, 0, zero)
    for sample in range(start.shape[0] - 1):
        first, last = start[sample], start[sample + 1] - 1
        if last < first:
            continue
        x, j, level = zero, zero, load_like(tile.level, 0, zero)
        lanes.store(tile.present, 0, level)
        for k in range(first, last):
            j = j + load_like(weights, order[k] * width, zero)
            span = times[k + 1] - times[k]
            if span == 0.0:
                continue
            decay_m, decay_s, response = _transition(span, rates)
            new = fma(x, decay_m, j * response)
            may = new >= level * fma(response, rates.m, decay_m)
            if bits(may):
                reach = select(top > span, response, peak)
                may = may & (fma(maximum(j, 0.0), reach, maximum(x, 0.0)) >= level)
                if bits(may):
                    lanes.store(tile.x, 0, x)
                    lanes.store(tile.j, 0, j)
                    _enter(bits(may), sample, k, span, first_neuron, layer, inputs, tile, out)
                    level = load_like(tile.present, 0, zero)
                    if not bits(level < math.inf):
                        break
            x, j = new, j * decay_s
        j = j + load_like(weights, order[last] * width, zero)
        may = fma(maximum(j, 0.0), peak, maximum(x, 0.0)) >= level
        lanes.store(tile.x, 0, x)
        lanes.store(tile.j, 0, j)
        _enter(bits(may), sample, last, math.inf, first_neuron, layer, inputs, tile, out)


@inner
def _tile(part, layer, inputs, out):
    zero, width = splat_16(0.0), NARROW
    packed, total = lanes.aligned(layer.w.shape[0] * width), np.empty(width)
    tile = Tile(np.empty(width), np.empty(width), np.empty(width), np.empty(width), np.empty(width), np.empty(width),
                np.empty(width), np.empty(width), np.empty(width))
    pack(layer.w, layer.w.shape[0], np.empty(0, dtype=np.int64), part * width, zero, packed, total)
    _fill_tile(part * width, layer, total, tile)
    _samples(zero, part * width, layer, inputs, packed, tile, out)


@njit(cache=True, error_model="numpy")
def _serial(n_parts, layer, inputs, out):
    """Fill out (samples * neurons)."""
    out[:] = math.inf
    for part in range(n_parts):
        _tile(part, layer, inputs, out)


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(n_parts, layer, inputs, out):
    out[:] = math.inf
    for part in prange(n_parts):
        _tile(part, layer, inputs, out)


def unequal_first_spike_times(arrivals, w, tau_m, tau_syn, cm, thr, out):
    """Arrivals, w (columns, neurons), parameters (neurons,); fills out (samples, neurons), which is contiguous."""
    n_neurons = w.shape[1]
    for begin in range(0, len(out), SAMPLES):
        part, found = arrivals.times[begin:begin + SAMPLES], out[begin:begin + SAMPLES]
        run = _threaded if on_threads(part.size * n_neurons) else _serial
        run(-(-n_neurons // NARROW), Layer(part, w, tau_m, tau_syn, cm, thr), Sorted(*arrivals.sorted(begin)), found.reshape(-1))
