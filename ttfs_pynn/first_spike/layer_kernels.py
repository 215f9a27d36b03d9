"""First-spike times of a whole layer of neurons with equal time constants: the fast version of `kernels`.

The membrane v and the current j of all neurons (times cm) are carried from block to block of BLOCK sorted inputs,

    v <- v exp(-r_m S) + j phi(S) + sum_k w_k phi(S_k),      j <- j exp(-r_s S) + sum_k w_k exp(-r_s S_k),

S the length of the block, S_k from input k to its end: two multiply-adds a weight, along contiguous rows of weights. No neuron
can reach threshold inside a block unless max(v, 0) + (max(j, 0) + sum_k max(w_k, 0)) times the largest phi in it does; one that
may is walked through the block input by input (`walk`), and what rounding could decide is left to `kernels.crossing`. A tile of
neurons, whose weights stay in the cache while samples pass, ends a sample when all of them have spiked.
"""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.kernels import crossing, rounding_doubt
from ttfs_pynn.membrane.interval import extremum, phi, surely_no_peak, threshold_root
from ttfs_pynn.membrane.sorted_inputs import BLOCK, DECAY_M, DECAY_S, N_STEPS, RESPONSE, SPAN, TIME, TO_V, sort_and_step
from ttfs_pynn.membrane.threads import on_threads
from ttfs_pynn.membrane.vectors import add_block, short_reach

TILE = 192
_SAMPLES = 128  # at a time


@njit(cache=True, error_model="numpy", forceinline=True)
def walk(times, order, steps, first, last, w, n, x, j, rate_m, rate_s, highest, peak, tau_m, tau_syn, cm, thr, doubt):
    """The first crossing of neuron n after the inputs order[first:last], before the next one, or inf; x, j before the first.

    highest, peak: where phi is largest, and how large. A crossing after the very last input is left to the caller.
    """
    theta, unsure = cm * thr, cm * doubt
    low = theta - unsure
    for k in range(first, last):
        j += w[order[k], n]
        new_x = x * steps[k, DECAY_M] + j * steps[k, RESPONSE]
        new_j = j * steps[k, DECAY_S]
        if new_x >= low or not surely_no_peak(new_x, new_j, rate_m):
            span = steps[k, SPAN]
            if 0.0 < span < math.inf:
                if new_x > theta + unsure and x < theta:
                    return steps[k, TIME] + threshold_root(x, j, 0.0, theta, rate_m, rate_s, rate_s, 0.0, span)
                reach = steps[k, RESPONSE] if span < highest else peak
                if new_x >= low or (j > rate_m * x and max(x, 0.0) + j * reach >= low):
                    s = crossing(times, order, k + 1, w, n, x / cm, j / cm, span, tau_m, tau_syn, cm, thr, doubt)
                    if s < math.inf:
                        return steps[k, TIME] + s
        x, j = new_x, new_j
    return math.inf


@njit(cache=True, error_model="numpy")
def _near(x, bound, reach, leak, level, near):
    """Fill near with the neurons whose upper bound reaches their level; returns their number. No branches, which would be
    missed."""
    n_near = 0
    for n in range(x.shape[0]):
        v = x[n] if x[n] > 0.0 else 0.0
        rise = bound[n] - leak * v
        bound[n] = v + (rise if rise > 0.0 else 0.0) * reach - level[n]
        n_near += 1 if bound[n] >= 0.0 else 0
    if n_near == 0:
        return 0
    n_near = 0
    for n in range(x.shape[0]):
        near[n_near] = n
        n_near += bound[n] >= 0.0
    return n_near


@njit(cache=True, error_model="numpy")
def _tile_sample(times, order, steps, n_inputs, w, at, tau_m, tau_syn, cm, thr, doubt, limit, work, near, out):
    """One sample for the neurons at, at + 1, ...; limit: cm (thr - doubt), work (6, tile) and near (tile,) scratch; fills out."""
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    highest = extremum(0.0, 1.0, rate_m, rate_s)
    peak = phi(highest, rate_m, rate_s) if highest < math.inf else tau_syn
    size = limit.shape[0]
    x, j, new_x, new_j, bound, level = work[0], work[1], work[2], work[3], work[4], work[5]
    for n in range(size):
        x[n] = j[n] = 0.0
        level[n] = limit[n]
        out[n] = math.inf
    waiting = size
    first = 0
    while first < n_inputs and waiting:
        last = min(first + BLOCK, n_inputs)
        decay_m = 1.0
        for k in range(first, last):
            decay_m *= steps[k, DECAY_M]
        length = (steps[last, TIME] if last < n_inputs else steps[last - 1, TIME]) - steps[first, TIME]
        reach = steps[first, TO_V] if length < highest else peak
        add_block(x, j, decay_m, w, order, steps, first, last, at, new_x, new_j, bound)
        reach, leak = short_reach(length, reach, rate_m)
        n_near = _near(x, bound, reach, leak, level, near)
        for a in range(n_near):
            n = near[a]
            out[n] = walk(times, order, steps, first, last, w, at + n, x[n], j[n], rate_m, rate_s, highest,
                          peak, tau_m, tau_syn, cm[at + n], thr[at + n], doubt[at + n])
            if out[n] < math.inf:
                level[n] = math.inf
                waiting -= 1
        x, new_x = new_x, x
        j, new_j = new_j, j
        first = last
    if waiting and n_inputs:
        for n in range(size):
            if max(x[n], 0.0) + max(j[n], 0.0) * peak >= level[n]:
                s = crossing(times, order, n_inputs, w, at + n, x[n] / cm[at + n], j[n] / cm[at + n], math.inf, tau_m, tau_syn,
                             cm[at + n], thr[at + n], doubt[at + n])
                out[n] = steps[n_inputs - 1, TIME] + s


@njit(cache=True, error_model="numpy")
def _tile(part, t_in, order, steps, counts, w, tau_m, tau_syn, cm, thr, doubt, out):
    at = part * TILE
    size = min(TILE, w.shape[1] - at)
    limit, work, near = np.empty(size), np.empty((6, size)), np.empty(size, dtype=np.int64)
    for n in range(size):
        limit[n] = cm[at + n] * (thr[at + n] - doubt[at + n])
    for sample in range(t_in.shape[0]):
        _tile_sample(t_in[sample], order[sample], steps[sample], counts[sample], w, at, tau_m, tau_syn, cm, thr, doubt, limit,
                     work, near, out[sample, at:at + size])


@njit(cache=True, error_model="numpy")
def _serial(t_in, order, steps, counts, w, tau_m, tau_syn, cm, thr, doubt, out):
    for part in range((w.shape[1] + TILE - 1) // TILE):
        _tile(part, t_in, order, steps, counts, w, tau_m, tau_syn, cm, thr, doubt, out)


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(t_in, order, steps, counts, w, tau_m, tau_syn, cm, thr, doubt, out):
    for part in prange((w.shape[1] + TILE - 1) // TILE):
        _tile(part, t_in, order, steps, counts, w, tau_m, tau_syn, cm, thr, doubt, out)


def layer_first_spike_times(t_in, w, tau_m, tau_syn, cm, thr, out):
    """t_in (samples, inputs), w (inputs, neurons), cm and thr (neurons,), two numbers tau; fills out (samples, neurons).

    Every neuron is computed by one thread, alone: the number of threads changes no bit.
    """
    n_samples, n_inputs = min(len(t_in), _SAMPLES), t_in.shape[1]
    order = np.empty((n_samples, n_inputs), dtype=np.int64)
    steps = np.empty((n_samples, n_inputs, N_STEPS))
    counts = np.empty(n_samples, dtype=np.int64)
    doubt = rounding_doubt(w, tau_m, tau_syn, cm, thr)
    for begin in range(0, len(t_in), _SAMPLES):
        part = t_in[begin:begin + _SAMPLES]
        sort_and_step(part, 1.0 / tau_m, 1.0 / tau_syn, order, steps, counts)
        run = _threaded if on_threads(part.size * w.shape[1]) else _serial
        run(part, order, steps, counts, w, tau_m, tau_syn, cm, thr, doubt, out[begin:begin + _SAMPLES])
