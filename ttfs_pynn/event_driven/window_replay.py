"""Compiled replay of the neurons that may fire in a window of `windows`: their arrivals one after the other.

The arrivals are picked out of all by a bitmap of those neurons, put in the order of neurons by counting and in the order of
time by insertion. The exponentials of the intervals between them are taken eight at a time. Where x is below threshold at both
ends of an interval and had no maximum in between, for one time constant of the currents,

    j <= 0  or  dx/ds >= 0 at the end,

or where not even a constant current would lift it there, it is carried on; elsewhere `spike_or_end` decides.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.delay_rows import INHIBITORY, delay_of, target_of, weight_of
from ttfs_pynn.event_driven.kernels import MOST_SPIKES, RATE_E, RATE_I, RATE_M, RESET, TAU_REFRAC, THRESHOLD, spike_or_end
from ttfs_pynn.event_driven.window_arrivals import grown
from ttfs_pynn.membrane.lanes import LANES, exp, expm1, fma, gathered_bits, load, lowest, store

__all__ = ["Arrivals", "Chosen", "Intervals", "Spikes", "arrivals_for", "divide", "gather", "intervals_for",
           "order_by_neuron", "order_by_time", "replay"]

_FEW = 24  # arrivals that insertion sorts faster than a call of argsort
_DOUBT, _ROUNDED = 1e-9, 1e-14  # as in `window_steps`
_HAS_DIGITS = 1e-200  # a current above it is a product of numbers that have all their digits


class Arrivals(NamedTuple):
    """Of chosen neurons: time (ms), weight (nA), and 2 c, or 2 c + 1 where it is inhibitory, of the c-th of them."""

    time: np.ndarray
    weight: np.ndarray
    slot: np.ndarray


class Intervals(NamedTuple):
    """Between the arrivals at a neuron: length (ms), what is left of u, exc, inh, and the response to exc and to inh."""

    span: np.ndarray
    decay_u: np.ndarray
    decay_e: np.ndarray
    decay_i: np.ndarray
    phi_e: np.ndarray
    phi_i: np.ndarray


class Chosen(NamedTuple):
    """Neurons that are replayed, the first n of `neuron`; a bitmap of them; the place of each neuron among them; where the
    arrivals at each begin."""

    neuron: np.ndarray
    bitmap: np.ndarray
    slot: np.ndarray
    start: np.ndarray


class Spikes(NamedTuple):
    """neuron and time (ms) of each."""

    neuron: np.ndarray
    time: np.ndarray


@njit(cache=True, error_model="numpy")
def arrivals_for(size):
    """Arrivals with room for `size`."""
    return Arrivals(np.empty(size), np.empty(size), np.empty(size, dtype=np.int32))


@njit(cache=True, error_model="numpy")
def intervals_for(size, n):
    """Intervals of up to `size` arrivals at up to `n` neurons."""
    size += n + LANES
    return Intervals(np.zeros(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size))


@njit(cache=True, error_model="numpy")
def gather(a, count, active, n_active, rows, chosen, arrivals):
    """Note what arrives in this window at chosen neurons, from the a-th spike on, after the first `count` Arrivals. Returns
    (a, count) when all is noted, a = n_active, or where there may not be room for what the a-th brings."""
    stride = rows.stride
    while a < n_active:
        first, last = active.first[a], active.next[a]
        if count + last - first > arrivals.time.size:
            break
        row = active.row[a]
        inhibitory = rows.flags[row] & INHIBITORY
        for block in range(first >> 3, (last + 7) >> 3):
            targets = 2 * (block * stride + stride - 4)
            hits = gathered_bits(chosen.bitmap, rows.targets, targets)
            if hits:
                hits &= 255 << max(first - 8 * block, 0)
                hits &= 255 >> max(8 * block + 8 - last, 0)
            while hits:
                lane = lowest(hits)
                hits &= hits - 1
                k = 8 * block + lane
                arrivals.time[count] = active.time[a] + delay_of(rows, k)
                arrivals.weight[count] = weight_of(rows, row, k)
                arrivals.slot[count] = 2 * chosen.slot[target_of(rows, k)] + inhibitory
                count += 1
        a += 1
    return a, count


@njit(cache=True, error_model="numpy")
def order_by_neuron(count, arrivals, n_chosen, chosen, by_neuron):
    """Arrivals at one neuron after the other, begins in chosen.start; slot is left with whether they are inhibitory."""
    start = chosen.start
    for c in range(n_chosen):
        start[c] = 0
    for k in range(count):
        start[arrivals.slot[k] >> 1] += 1
    total = 0
    for c in range(n_chosen):
        total += start[c]
        start[c] = total
    start[n_chosen] = total
    for k in range(count - 1, -1, -1):
        c = arrivals.slot[k] >> 1
        start[c] -= 1
        place = start[c]
        by_neuron.time[place], by_neuron.weight[place], by_neuron.slot[place] = (arrivals.time[k], arrivals.weight[k],
                                                                                 arrivals.slot[k] & 1)


@njit(cache=True, error_model="numpy")
def _order_many(arrivals, lo, hi):
    times, weights, slots = arrivals.time[lo:hi].copy(), arrivals.weight[lo:hi].copy(), arrivals.slot[lo:hi].copy()
    order = np.argsort(times, kind="mergesort")
    for k in range(hi - lo):
        arrivals.time[lo + k], arrivals.weight[lo + k] = times[order[k]], weights[order[k]]
        arrivals.slot[lo + k] = slots[order[k]]


@njit(cache=True, error_model="numpy")
def order_by_time(n_chosen, start, arrivals):
    """Arrivals at each neuron in the order of time, those of one time as they came; they begin at `start`."""
    times, weights, slots = arrivals
    for c in range(n_chosen):
        lo, hi = start[c], start[c + 1]
        if hi - lo > _FEW:
            _order_many(arrivals, lo, hi)
            continue
        for k in range(lo + 1, hi):
            time, weight, slot = times[k], weights[k], slots[k]
            m = k
            while m > lo and times[m - 1] > time:
                times[m], weights[m], slots[m] = times[m - 1], weights[m - 1], slots[m - 1]
                m -= 1
            times[m], weights[m], slots[m] = time, weight, slot


@njit(cache=True, error_model="numpy")
def divide(begin, end, n_chosen, chosen, times, responses, intervals):
    """The Intervals of the c-th neuron between `begin`, its arrivals and `end`, from place chosen.start[c] + c on."""
    own, decay_u, decay_e, decay_i, phi_e, phi_i = intervals
    for c in range(n_chosen):
        n = chosen.neuron[c] if responses.shape[1] > 1 else 0
        lo, hi = chosen.start[c], chosen.start[c + 1]
        now = begin
        for k in range(lo, hi):
            own[k + c] = times[k] - now
            now = times[k]
        own[hi + c] = end - now
        alike = responses[0, n, 0] == responses[1, n, 0] and responses[0, n, 1] == responses[1, n, 1]
        for k in range(lo + c, hi + c + 1, LANES):
            s = load(own, k)
            left = exp(s * -responses[0, n, 0])
            change = left * expm1(s * responses[0, n, 1])
            store(decay_u, k, fma(change, 1.0 - responses[0, n, 3], left))
            store(decay_e, k, fma(change, responses[0, n, 3], left))
            store(phi_e, k, change * responses[0, n, 2])
            if not alike:
                left = exp(s * -responses[1, n, 0])
                change = left * expm1(s * responses[1, n, 1])
                store(decay_i, k, fma(change, responses[1, n, 3], left))
                store(phi_i, k, change * responses[1, n, 2])


@njit(cache=True, error_model="numpy", inline="always")
def _surely_below(x, new, j, j_left, rate_m, limit):
    """Whether x with a current j of one time constant, `new` and j_left at the end, stays below `limit`."""
    return x < limit and new < limit and (j <= 0.0 or (j_left >= rate_m * new and j_left > _HAS_DIGITS))


@njit(cache=True, error_model="numpy")
def replay(begin, end, n_chosen, chosen, arrivals, intervals, neurons, parameters, out, n_out, fired):
    """Carry the chosen neurons from `begin` to `end` through their arrivals. Returns (ok, out, n_out): out, with room enough,
    holds n_out spikes; ok is False where a neuron fires without end. The bitmap is empty afterwards."""
    for c in range(n_chosen):
        n = chosen.neuron[c]
        chosen.bitmap[n >> 5] = 0
        lo, hi = chosen.start[c], chosen.start[c + 1]
        rate_m, rate_e, rate_i = parameters[n, RATE_M], parameters[n, RATE_E], parameters[n, RATE_I]
        u_inf, theta, inverse_cm = neurons.u_inf[n], neurons.theta[n], neurons.inverse_cm[n]
        limit = theta - _DOUBT * abs(theta) - _ROUNDED * abs(u_inf)
        x, e, i, clamped_until = neurons.u[n] - u_inf, neurons.i_exc[n], neurons.i_inh[n], neurons.clamped_until[n]
        now = begin
        for k in range(lo, hi + 1):
            until = arrivals.time[k] if k < hi else end
            decay_u, decay_e = intervals.decay_u[k + c], intervals.decay_e[k + c]
            if rate_e == rate_i:
                decay_i, j = decay_e, (e + i) * inverse_cm
                new = x * decay_u + j * intervals.phi_e[k + c]
                below = _surely_below(x, new, j, j * decay_e, rate_m, limit)
            else:
                decay_i = intervals.decay_i[k + c]
                new = x * decay_u + (e * intervals.phi_e[k + c] + i * intervals.phi_i[k + c]) * inverse_cm
                rise = (max(e, 0.0) + max(i, 0.0)) * inverse_cm * intervals.span[k + c]
                below = max(x, x * decay_u) + rise < limit and new < limit
            if clamped_until >= until:
                e, i = e * decay_e, i * decay_i
            elif below and clamped_until <= now:
                x, e, i = new, e * decay_e, i * decay_i
            else:
                u = x + u_inf
                while True:
                    now, u, e, i, clamped_until = spike_or_end(
                        now, until, u, e, i, clamped_until, rate_m, rate_e, rate_i, inverse_cm,
                        parameters[n, THRESHOLD], parameters[n, RESET], parameters[n, TAU_REFRAC], u_inf)
                    if now == math.inf:
                        break
                    if n_out == out.neuron.size:
                        out = Spikes(grown(out.neuron, n_out + 1), grown(out.time, n_out + 1))
                    out.neuron[n_out], out.time[n_out] = n, now
                    n_out += 1
                    fired[n] += 1
                    if fired[n] > MOST_SPIKES:
                        return False, out, n_out
                x = u - u_inf
            now = until
            if k < hi:
                if arrivals.slot[k]:
                    i += arrivals.weight[k]
                else:
                    e += arrivals.weight[k]
        neurons.u[n], neurons.i_exc[n], neurons.i_inh[n], neurons.clamped_until[n] = x + u_inf, e, i, clamped_until
    return True, out, n_out
