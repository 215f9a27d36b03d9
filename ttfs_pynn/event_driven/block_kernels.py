"""The fast version of `kernels.run_all_to_all`: events in blocks, as in `first_spike.layer_kernels`.

x = cm (u - u_inf) and j = i_exc + i_inh of all neurons are carried from block to block with two multiply-adds an event and
neuron. A neuron that may reach threshold inside a block, or whose refractoriness ends in it, is walked through it from event to
event by `kernels.advance_neuron`; where all of a tile are refractory only j is carried. A pause (no event for a time constant)
ends a block.
"""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.event_driven import kernels
from ttfs_pynn.event_driven.kernels import (
    COUNT,
    INHIBITORY,
    INVERSE_CM,
    RATE_E,
    RATE_M,
    RESET,
    SIGNED,
    TAU_REFRAC,
    U_INF,
    advance_neuron,
    note_spike,
    rows_left,
    to_threshold,
)
from ttfs_pynn.membrane.compiling import inner
from ttfs_pynn.membrane.interval import extremum, phi, responses, surely_no_peak, threshold_root
from ttfs_pynn.membrane.sorted_inputs import BLOCK, DECAY_M, DECAY_S, N_STEPS, RESPONSE, SPAN, TIME, TO_J, TO_V
from ttfs_pynn.membrane.threads import on_threads
from ttfs_pynn.membrane.vectors import add_block, add_rows, short_reach

TILE = 192
END = 7  # of `steps`, beside what `sorted_inputs` has


@njit(cache=True, error_model="numpy")
def _steps(times, t_stop, rate_m, rate_s, steps, ends):
    """Fill `steps` as `sorted_inputs` describes, the last one up to t_stop, and ends: where each block ends. Returns their
    number. END is the time of the next event itself: TIME + SPAN may miss it by a rounding."""
    n = times.shape[0]
    n_blocks = size = 0
    for k in range(n):
        end = times[k + 1] if k + 1 < n else t_stop
        span = end - times[k]
        steps[k, TIME], steps[k, SPAN], steps[k, END] = times[k], span, end
        if span == 0.0:
            steps[k, DECAY_M], steps[k, DECAY_S], steps[k, RESPONSE] = 1.0, 1.0, 0.0
        else:
            steps[k, DECAY_M], steps[k, DECAY_S], steps[k, RESPONSE] = responses(span, rate_m, rate_s)
        size += 1
        if size == BLOCK or k + 1 == n or span * rate_s > 1.0:
            ends[n_blocks] = k + 1
            n_blocks += 1
            size = 0
    for b in range(n_blocks):
        rest_m, to_v, to_j = 1.0, 0.0, 1.0
        for k in range(ends[b] - 1, (ends[b - 1] if b else 0) - 1, -1):
            to_v = steps[k, RESPONSE] * rest_m + steps[k, DECAY_S] * to_v
            to_j *= steps[k, DECAY_S]
            rest_m *= steps[k, DECAY_M]
            steps[k, TO_V], steps[k, TO_J] = to_v, to_j
    return n_blocks


@njit(cache=True, error_model="numpy", forceinline=True)
def _walk(n, first, last, rows, steps, weights, x, j, theta, highest, peak, rate_m, rate_s,
          u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    """Neuron n through the events first to last - 1. Returns x, j at the end, and False where it fires without end."""
    inverse_cm, u_inf = parameters[n, INVERSE_CM], parameters[n, U_INF]
    for k in range(first, last):
        j += weights[rows[k], n]
        begin, span, end = steps[k, TIME], steps[k, SPAN], steps[k, END]
        if clamped_until[n] >= end and clamped_until[n] > begin:
            j *= steps[k, DECAY_S]
            continue
        if clamped_until[n] <= begin:
            new_x = x * steps[k, DECAY_M] + j * steps[k, RESPONSE]
            new_j = j * steps[k, DECAY_S]
            reach = steps[k, RESPONSE] if span < highest else peak
            if max(x, 0.0) + max(j, 0.0) * reach < theta or (new_x < theta and x < theta
                                                             and surely_no_peak(new_x, new_j, rate_m)):
                x, j = new_x, new_j
                continue
            # The usual crossing: on a rising flank, and refractory until after this span. Limits are for `advance_neuron`.
            if new_x > theta and x < theta and rate_m > 0.0:
                t_spike = begin + threshold_root(x, j, 0.0, theta, rate_m, rate_s, rate_s, 0.0, span)
                if t_spike < end <= t_spike + parameters[n, TAU_REFRAC]:
                    if not note_spike(n, t_spike, out_times, noted):
                        return x, j, False
                    clamped_until[n] = t_spike + parameters[n, TAU_REFRAC]
                    x, j = (parameters[n, RESET] - u_inf) / inverse_cm, new_j
                    continue
        elif max(x, 0.0) + max(j, 0.0) * peak < theta:  # released in this span
            wait = clamped_until[n] - begin
            rest_m, rest_s, response = responses(span - wait, rate_m, rate_s)
            j *= math.exp(-rate_s * wait)
            x = x * rest_m + j * response
            j *= rest_s
            continue
        u[n], i_exc[n], i_inh[n] = x * inverse_cm + u_inf, j, 0.0
        if not advance_neuron(n, begin, end, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
            return x, j, False
        x, j = (u[n] - u_inf) / inverse_cm, i_exc[n]
    return x, j, True


@njit(cache=True, error_model="numpy")
def close(x, bound, reach, leak, theta, clamped_until, begin, end, chosen):
    """Fill chosen with the neurons that must be walked; returns how many, and the earliest end of refractoriness of all."""
    n_chosen = 0
    for n in range(x.shape[0]):
        v = x[n] if x[n] > 0.0 else 0.0
        rise = bound[n] - leak * v
        margin = v + (rise if rise > 0.0 else 0.0) * reach - theta[n]
        margin = 1.0 if clamped_until[n] > begin else margin
        bound[n] = -1.0 if clamped_until[n] >= end else margin
        n_chosen += 1 if bound[n] >= 0.0 else 0
    if n_chosen:
        n_chosen = 0
        for n in range(x.shape[0]):
            chosen[n_chosen] = n
            n_chosen += bound[n] >= 0.0
    return n_chosen


@njit(cache=True, error_model="numpy")
def _tile(at, size, t_first, t, rows, steps, ends, weights, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    rate_m, rate_s = parameters[0, RATE_M], parameters[0, RATE_E]
    highest = extremum(0.0, 1.0, rate_m, rate_s)
    peak = phi(highest, rate_m, rate_s) if highest < math.inf else 1.0 / rate_s
    work, chosen = np.empty((6, size)), np.empty(size, dtype=np.int64)
    x, j, new_x, new_j, bound, theta = work[0], work[1], work[2], work[3], work[4], work[5]
    clamped = clamped_until[at:at + size]
    for n in range(size):
        if not advance_neuron(at + n, t, t_first, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
            return False
        p = parameters[at + n]
        x[n] = (u[at + n] - p[U_INF]) / p[INVERSE_CM]
        j[n] = i_exc[at + n] + i_inh[at + n]
        theta[n] = to_threshold(p) / p[INVERSE_CM]
    first, free_from = 0, clamped.min()
    for b in range(ends.shape[0]):
        last = ends[b]
        begin, end = steps[first, TIME], steps[last - 1, END]
        decay_m = 1.0
        for k in range(first, last):
            decay_m *= steps[k, DECAY_M]
        if free_from >= end:
            if last - first == BLOCK:
                for n in range(size):
                    new_j[n] = j[n] * steps[first, TO_J]
                add_rows(weights, rows, steps, first, TO_J, at, new_j)
                j, new_j = new_j, j
            else:
                for k in range(first, last):
                    row = weights[rows[k]][at:at + size]
                    for n in range(size):
                        j[n] = (j[n] + row[n]) * steps[k, DECAY_S]
            first = last
            continue
        add_block(x, j, decay_m, weights, rows, steps, first, last, at, new_x, new_j, bound)
        reach, leak = short_reach(end - begin, peak if end - begin >= highest else steps[first, TO_V], rate_m)
        n_chosen = close(x, bound, reach, leak, theta, clamped, begin, end, chosen)
        for n in range(size):
            new_x[n] = x[n] if clamped[n] >= end else new_x[n]
        for c in range(n_chosen):
            n = chosen[c]
            new_x[n], new_j[n], finite = _walk(at + n, first, last, rows, steps, weights, x[n], j[n], theta[n], highest, peak,
                                               rate_m, rate_s, u, i_exc, i_inh, clamped_until, parameters, out_times, noted)
            if not finite:
                return False
        if n_chosen:
            free_from = clamped.min()
        x, new_x = new_x, x
        j, new_j = new_j, j
        first = last
    for n in range(size):
        if clamped[n] < end:
            u[at + n] = x[n] * parameters[at + n, INVERSE_CM] + parameters[at + n, U_INF]
        elif noted[at + n, COUNT]:
            u[at + n] = parameters[at + n, RESET]  # else it was held all the time at what it was
    return True


@njit(cache=True, error_model="numpy")
def end_currents(event_times, rows, partner, receptors, weights, t, t_stop, rate_s, i_exc, i_inh):
    """The two currents at t_stop, from those at t and the events; event_times may have room behind the last."""
    decay = math.exp(-rate_s * (t_stop - t))
    for n in range(i_exc.shape[0]):
        i_exc[n] *= decay
        i_inh[n] *= decay
    used, left = rows_left(event_times, rows, weights.shape[0], t_stop, rate_s)
    for k in range(used.shape[0]):
        _add_row(used[k], left[used[k]], weights, receptors, i_exc, i_inh)
        if partner[used[k]] >= 0:
            _add_row(partner[used[k]], left[used[k]], weights, receptors, i_exc, i_inh)


@inner
def _add_row(row, factor, weights, receptors, i_exc, i_inh):
    signed = receptors[row] == SIGNED
    if signed or receptors[row] != INHIBITORY:
        lowest = 0.0 if signed else -math.inf
        for n in range(i_exc.shape[0]):
            weight = weights[row, n]
            i_exc[n] += factor * (weight if weight > lowest else lowest)
    if signed or receptors[row] == INHIBITORY:
        highest = 0.0 if signed else math.inf
        for n in range(i_inh.shape[0]):
            weight = weights[row, n]
            i_inh[n] += factor * (weight if weight < highest else highest)


@njit(cache=True, error_model="numpy")
def _merged(weights, partner, n_rows):
    """The first n_rows of the weights, each with its partner's."""
    merged = np.empty((n_rows, weights.shape[1]))
    for row in range(n_rows):
        other = weights[partner[row]]
        if partner[row] >= 0:
            for n in range(weights.shape[1]):
                merged[row, n] = weights[row, n] + other[n]
        else:
            merged[row] = weights[row]
    return merged


@njit(cache=True, error_model="numpy")
def _serial(t_first, t, rows, steps, ends, weights, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    for at in range(0, u.shape[0], TILE):
        if not _tile(at, min(TILE, u.shape[0] - at), t_first, t, rows, steps, ends, weights, u, i_exc, i_inh, clamped_until,
                     parameters, out_times, noted):
            return False
    return True


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(t_first, t, rows, steps, ends, weights, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    n_parts = (u.shape[0] + TILE - 1) // TILE
    finite = np.ones(n_parts, dtype=np.bool_)
    for part in prange(n_parts):
        at = part * TILE
        finite[part] = _tile(at, min(TILE, u.shape[0] - at), t_first, t, rows, steps, ends, weights, u, i_exc, i_inh,
                             clamped_until, parameters, out_times, noted)
    return finite.all()


def run_blocks(event_times, event_rows, receptors, weights, partner, t, t_stop, u, i_exc, i_inh, clamped_until, parameters,
               out_times, noted):
    """As `kernels.run_all_to_all`, but receptors: of `kernels`, of each row. partner (rows,): the row that every event of a row
    brings along, -1 for none."""
    if not event_times.size:
        return kernels.run_all_to_all(event_times, event_rows, receptors, weights, t, t_stop, u, i_exc, i_inh, clamped_until,
                                      parameters, out_times, noted)
    rate_m, rate_s = parameters[0, RATE_M], parameters[0, RATE_E]
    steps, ends = np.empty((event_times.size, N_STEPS)), np.empty(event_times.size, dtype=np.int64)
    times = np.maximum(event_times, t)
    ends = ends[:_steps(times, t_stop, rate_m, rate_s, steps, ends)]
    used = _merged(weights, partner, event_rows.max() + 1) if (partner >= 0).any() else weights
    begin_exc, begin_inh = i_exc.copy(), i_inh.copy()
    run = _threaded if on_threads(event_times.size * u.size) else _serial
    if not run(times[0], t, event_rows, steps, ends, used, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
        return False
    i_exc[:], i_inh[:] = begin_exc, begin_inh
    end_currents(times, event_rows, partner, receptors, weights, t, t_stop, rate_s, i_exc, i_inh)
    return True
