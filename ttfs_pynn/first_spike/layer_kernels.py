"""First-spike times of a whole layer of neurons with equal time constants: the fast version of `kernels`.

Tiles of neurons pass through the sorted inputs of each sample (`membrane.tiles`); those that may cross threshold are collected
and solved many at a time (`membrane.crossings`). What rounding could decide, in about one neuron of a thousand, is followed by
itself (`_follow`), with `kernels.crossing`, which has twice the digits. A tile is computed by one thread: the number of threads
changes no bit.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike import kernels
from ttfs_pynn.first_spike.arrivals import SAMPLES
from ttfs_pynn.first_spike.kernels import crossing
from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.compiling import inner, merged
from ttfs_pynn.membrane.crossings import ROOM, addresses, collect, room_for_candidates, solve_sure, solve_unsure
from ttfs_pynn.membrane.interval import extremum, phi
from ttfs_pynn.membrane.lanes import address, as_integers, load_like, ramp, size_of, splat_16, splat_32
from ttfs_pynn.membrane.order import Sorted
from ttfs_pynn.membrane.steps import addresses_of_steps, steps_of, too_long
from ttfs_pynn.membrane.threads import on_threads
from ttfs_pynn.membrane.tiles import NARROW, WIDE, Kept, Levels, fill_levels, pack, path_of, walk


class Layer(NamedTuple):
    """The arguments of `layer_first_spike_times`."""

    t_in: np.ndarray
    w: np.ndarray
    tau_m: float
    tau_syn: float
    cm: np.ndarray
    thr: np.ndarray


@inner
def _follow(layer, inputs, steps, sample, n, k, y, j, unsure):
    """The first crossing of neuron n after the input at place k, in whose state it is; inf if there is none."""
    cm, thr, level = layer.cm[n], layer.thr[n], layer.cm[n] * layer.thr[n] - unsure
    first, end = inputs.start[sample], inputs.start[sample + 1]
    if k + 1 == end:
        y /= steps.before[k]  # it is x
    while True:
        new = y * steps.decay_y[k] + j * steps.response_y[k]
        x, last = new * steps.after[k], k + 1 == end
        if last or new >= level and (x >= level or j * steps.decay_s[k] < x / layer.tau_m) and steps.span[k] > 0.0:
            s = crossing(layer.t_in[sample], inputs.order[first:end], k + 1 - first, layer.w, n, y * steps.before[k] / cm, j / cm,
                         math.inf if last else steps.span[k], layer.tau_m, layer.tau_syn, cm, thr, unsure / cm)
            if s < math.inf or last:
                return inputs.times[k] + s
        k += 1
        y, j = new, j * steps.before_s[k] + layer.w[inputs.order[k], n]


@inner
def _enter(candidates, n, layer, inputs, steps, found, out):
    """Enter the crossings of n candidates in out (samples * neurons)."""
    n_neurons, places = layer.w.shape[1], as_integers(address(candidates.at))
    for c in range(n):
        target = int(candidates.target[c])
        if math.isnan(found[c]):
            found[c] = _follow(layer, inputs, steps, target // n_neurons, target % n_neurons, places[c], candidates.y[c],
                               candidates.j[c], candidates.theta[c] - candidates.level[c])
        out[target] = found[c]


@merged
def _tile(zero, part, layer, inputs, steps, skipped, out):
    """All samples for the neurons of one tile."""
    width = size_of(zero)
    packed, total, found = lanes.aligned(layer.w.shape[0] * width), np.empty(width), lanes.aligned(ROOM + WIDE)
    levels = Levels(np.empty(width), np.empty(width))
    kept = Kept(lanes.aligned(width), lanes.aligned(width), lanes.aligned(width), lanes.aligned(width))
    pack(layer.w, layer.w.shape[0], np.empty(0, dtype=np.int64), part * width, zero, packed, total)
    fill_levels(part * width, width, layer.w.shape[0], min(layer.tau_m, layer.tau_syn), layer.cm, layer.thr, total, levels)
    _samples(zero, part * width, layer, inputs, steps, skipped, packed, levels, kept, room_for_candidates(),
             room_for_candidates(), found, np.empty(16), out)


@inner
def _samples(zero, first_neuron, layer, inputs, steps, skipped, packed, levels, kept, sure, unsure, found, until, out):
    rate_m, rate_s, n_neurons = 1.0 / layer.tau_m, 1.0 / layer.tau_syn, layer.w.shape[1]
    top = extremum(0.0, 1.0, rate_m, rate_s)
    peak = phi(top, rate_m, rate_s) if top < math.inf else layer.tau_syn
    path, start, unused, times = path_of(inputs, steps, packed, kept), inputs.start, skipped, address(inputs.times)
    numbers, theta, full = ramp(float(first_neuron), zero), load_like(levels.theta, 0, zero), load_like(levels.level, 0, zero)
    to_sure, to_unsure, of_steps, to_found, scratch = (addresses(sure), addresses(unsure), addresses_of_steps(steps),
                                                       address(found), address(until))
    n_sure = n_unsure = 0
    for sample in range(start.shape[0] - 1):
        end = start[sample + 1]
        if start[sample] == end or unused[sample]:
            continue
        x, j, level = walk(start[sample], end, path, zero, zero, full, rate_m, False)
        n_sure, n_unsure, _ = collect(to_sure, n_sure, to_unsure, n_unsure, x, j, level, full, theta, path, end - 1, peak,
                                      numbers + float(sample * n_neurons))
        if n_sure >= ROOM:
            solve_sure(to_sure, n_sure, times, of_steps, rate_m, rate_s, to_found, scratch)
            _enter(sure, n_sure, layer, inputs, steps, found, out)
            n_sure = 0
        if n_unsure >= ROOM:
            solve_unsure(to_unsure, n_unsure, times, of_steps, rate_m, rate_s, to_found, scratch)
            _enter(unsure, n_unsure, layer, inputs, steps, found, out)
            n_unsure = 0
    solve_sure(to_sure, n_sure, times, of_steps, rate_m, rate_s, to_found, scratch)
    _enter(sure, n_sure, layer, inputs, steps, found, out)
    solve_unsure(to_unsure, n_unsure, times, of_steps, rate_m, rate_s, to_found, scratch)
    _enter(unsure, n_unsure, layer, inputs, steps, found, out)


@merged
def _prepared(layer, inputs):
    """(Steps, of which samples inputs are too far apart for them)."""
    rate_m, rate_s = 1.0 / layer.tau_m, 1.0 / layer.tau_syn
    return steps_of(inputs, rate_m, rate_s), too_long(inputs, rate_m, rate_s)


@njit(cache=True, error_model="numpy")
def layer_serial(wide, n_parts, t_in, w, tau_m, tau_syn, cm, thr, start, order, times, out):
    """Fill out (samples * neurons); returns which samples are left out. Arrays one by one: tuples of them take longer to pass."""
    layer, inputs = Layer(t_in, w, tau_m, tau_syn, cm, thr), Sorted(start, order, times)
    steps, skipped = _prepared(layer, inputs)
    out[:] = math.inf
    if wide:
        for part in range(n_parts):
            _tile(splat_32(0.0), part, layer, inputs, steps, skipped, out)
    else:
        for part in range(n_parts):
            _tile(splat_16(0.0), part, layer, inputs, steps, skipped, out)
    return skipped


@inner
def _wide_tile(part, layer, inputs, steps, skipped, out):
    _tile(splat_32(0.0), part, layer, inputs, steps, skipped, out)


@njit(cache=True, parallel=True, error_model="numpy")
def _side_by_side(n_parts, layer, inputs, steps, skipped, out):
    for part in prange(n_parts):
        _wide_tile(part, layer, inputs, steps, skipped, out)


@njit(cache=True, error_model="numpy")
def _threaded(wide, n_parts, t_in, w, tau_m, tau_syn, cm, thr, start, order, times, out):
    layer, inputs = Layer(t_in, w, tau_m, tau_syn, cm, thr), Sorted(start, order, times)
    steps, skipped = _prepared(layer, inputs)
    out[:] = math.inf
    _side_by_side(n_parts, layer, inputs, steps, skipped, out)
    return skipped


def tiles_of(n_neurons):
    """(whether tiles are wide, their number)."""
    wide = n_neurons > NARROW
    return wide, -(-n_neurons // (WIDE if wide else NARROW))


def layer_first_spike_times(arrivals, w, tau_m, tau_syn, cm, thr, out):
    """Arrivals, w (columns, neurons), cm and thr (neurons,), two numbers tau; fills out (samples, neurons), which is contiguous.
    Samples with inputs so far apart that `steps` cannot be used are left to `kernels`."""
    n_neurons, of_layer = w.shape[1], (w, tau_m, tau_syn, cm, thr)
    wide, n_parts = tiles_of(n_neurons)
    for begin in range(0, len(out), SAMPLES):
        part, found = arrivals.times[begin:begin + SAMPLES], out[begin:begin + SAMPLES]
        run = _threaded if wide and on_threads(part.size * n_neurons) else layer_serial
        skipped = run(wide, n_parts, part, *of_layer, *arrivals.sorted(begin), found.reshape(-1))
        if skipped.any():
            found[skipped] = _plainly(Layer(part[skipped], *of_layer))


def _plainly(layer):
    """By `kernels`."""
    out, same = np.empty((len(layer.t_in), layer.w.shape[1])), np.ones(layer.w.shape[1])
    kernels.first_spike_times(layer.t_in, layer.w, layer.tau_m * same, layer.tau_syn * same, layer.cm, layer.thr, True, out)
    return out
