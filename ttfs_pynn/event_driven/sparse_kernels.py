"""Connections of few pairs onto neurons that share time constants: `block_kernels` for rows instead of a table.

In a block of events that begins at t_b, with a = t - t_b, an arrival w_i at a_i adds w_i phi(a - a_i) to x = cm (u - u_inf), and

    phi(a - a_i) = (phi(a) - phi(a_i) exp(-r_m (a - a_i))) exp(r_s a_i),

so that x(a) = exp(-r_m a) X + phi(a) J and j(a) = exp(-r_s a) J, where an arrival adds w_i exp(r_s a_i) to J and takes
w_i phi(a_i) exp(r_m a_i) exp(r_s a_i) from X. Of an event all neurons share these factors. Blocks are as long as neurons have a
few arrivals in them. Where a bound of the membrane reaches threshold, or refractoriness ends, the arrivals of these neurons are
picked out, and each is taken from one to the next; whether it spikes between two is decided from values and slopes at both, and
where these do not tell, by `kernels.advance_neuron`. A pause (no event for a time constant) is a block of its own.
"""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.event_driven.block_kernels import close
from ttfs_pynn.event_driven.kernels import (
    COUNT,
    INVERSE_CM,
    RATE_E,
    RATE_M,
    RESET,
    TAU_REFRAC,
    U_INF,
    advance_neuron,
    note_spike,
    rows_left,
    run_sparse,
    to_threshold,
)
from ttfs_pynn.event_driven.sparse_steps import (
    DECAY_M,
    DECAY_S,
    GROWTH_M,
    N_FACTORS,
    RESPONSE,
    TIME,
    TO_J,
    TO_X,
    add_all,
    add_currents,
    fill_blocks,
    pick_out,
)
from ttfs_pynn.membrane.interval import extremum, phi, responses, surely_no_peak, threshold_root
from ttfs_pynn.membrane.threads import on_threads
from ttfs_pynn.membrane.vectors import short_reach

__all__ = ["TILE", "run_rows"]

TILE = 192  # neurons that one thread takes at a time
_PER_NEURON = 2.5  # arrivals in a block
_AS_LONG = 8  # arrivals take as much longer than a neuron and event of `block_kernels`
_CLOSE = 1e-11  # of the threshold: nearer, the exact decision is left to `advance_neuron`


@njit(cache=True, error_model="numpy", inline="always")
def _stays_below(x, j, new_x, new_j, theta, below, peak, rate_m):
    """Whether x, from x with current j to new_x with new_j, surely does not reach theta: it has one extremum at most, and none
    that is a maximum where it falls at the begin or rises at the end. Without branches, which would be missed."""
    return (new_x < below) & (surely_no_peak(new_x, new_j, rate_m) | (j <= rate_m * x)
                              | (max(x, 0.0) + max(j, 0.0) * peak < theta))


@njit(cache=True, error_model="numpy")
def _crossing(x, j, new_x, new_j, theta, rate_m, rate_s, span):
    """The root of x(s) = theta > x in (0, span], at whose end it is new_x > theta with current new_j. Begins where the cubic
    through values and slopes of both ends crosses; as `threshold_root`, each step solves the local quadratic model of x."""
    slope, new_slope = (j - rate_m * x) * span, (new_j - rate_m * new_x) * span
    rise = new_x - x
    a, b = slope + new_slope - 2.0 * rise, 3.0 * rise - 2.0 * slope - new_slope
    z = (theta - x) / rise
    for _ in range(2):
        z -= (((a * z + b) * z + slope) * z - (theta - x)) / ((3.0 * a * z + 2.0 * b) * z + slope)
    s, rate = z * span, max(rate_m, rate_s)
    for _ in range(3):
        if not 0.0 < s < span:
            break
        decay_m, decay_s, response = responses(s, rate_m, rate_s)
        v, current = x * decay_m + j * response, j * decay_s
        dv = current - rate_m * v
        ddv, gap = -rate_s * current - rate_m * dv, theta - v
        discriminant = dv * dv + 2.0 * ddv * gap
        if not discriminant > 0.0:
            break
        root = math.sqrt(discriminant)
        step = 2.0 * gap / (dv + root)
        s += step
        if abs(step) ** 3 * (rate * (abs(ddv) + rate * abs(dv))) <= 1e-16 * s * root and 0.0 < s <= span:
            return s
    return threshold_root(x, j, 0.0, theta, rate_m, rate_s, rate_s, 0.0, span)


@njit(cache=True, error_model="numpy")
def _walk(at, chosen, room, filled, event, weight, begin, k_end, factors, x, j, new_x, new_j, theta, peak, rate_m, rate_s,
          u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    """The chosen neurons through a block that begins at `begin` and ends as factors[k_end] say, each through its own arrivals:
    from x, j to new_x, new_j. False where one fires without end. All in one, for a call that is given arrays costs as much as
    the rest."""
    for c in range(chosen.size):
        n = chosen[c]
        m, limit, inverse_cm, u_inf = at + n, theta[n], parameters[at + n, INVERSE_CM], parameters[at + n, U_INF]
        below, clamped = limit - _CLOSE * abs(limit), clamped_until[m]
        v, i, now, x_sum, j_sum = x[n], j[n], begin, x[n], j[n]
        for a in range(c * room, filled[c] + 1):
            inside = a < filled[c]
            k = event[a] if inside else k_end
            until, w = factors[k, TIME], weight[a] if inside else 0.0
            if until > now:
                new_v = factors[k, DECAY_M] * x_sum + factors[k, RESPONSE] * j_sum
                new_i = factors[k, DECAY_S] * j_sum
                if clamped > now or not _stays_below(v, i, new_v, new_i, limit, below, peak, rate_m):
                    left, t_spike = i, math.inf
                    if clamped >= until:
                        new_v = v
                    elif clamped > now:  # released in this span
                        left = i * math.exp(-rate_s * (clamped - now))
                        if max(v, 0.0) + max(left, 0.0) * peak < limit:
                            decay_m, _, response = responses(until - clamped, rate_m, rate_s)
                            new_v = v * decay_m + left * response
                        else:
                            t_spike = -math.inf
                    else:
                        # The usual crossing: on a rising flank, and refractory until after this span.
                        t_spike = -math.inf
                        if new_v > limit and v < limit and rate_m > 0.0:
                            t_spike = now + _crossing(v, i, new_v, new_i, limit, rate_m, rate_s, until - now)
                        if t_spike < until <= t_spike + parameters[m, TAU_REFRAC]:
                            clamped = clamped_until[m] = t_spike + parameters[m, TAU_REFRAC]
                            new_v = (parameters[m, RESET] - u_inf) / inverse_cm
                            if not note_spike(m, t_spike, out_times, noted):
                                return False
                        else:
                            t_spike = -math.inf
                    if t_spike == -math.inf:  # for the one who knows all limits
                        u[m], i_exc[m], i_inh[m] = v * inverse_cm + u_inf, i, 0.0
                        if not advance_neuron(m, now, until, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
                            return False
                        new_v, new_i, clamped = (u[m] - u_inf) / inverse_cm, i_exc[m], clamped_until[m]
                        j_sum = new_i * factors[k, TO_J]
                    x_sum = (new_v - factors[k, RESPONSE] * j_sum) * factors[k, GROWTH_M]
                v, i, now = new_v, new_i, until
            i += w
            j_sum += w * factors[k, TO_J]
            x_sum -= w * factors[k, TO_X]
        new_x[n], new_j[n] = v, i
    return True


@njit(cache=True, error_model="numpy")
def _tile(at, size, t, rows, factors, bounds, n_blocks, row_start, targets, weights, most, u, i_exc, i_inh, clamped_until,
          parameters, out_times, noted):
    """The neurons at, ..., at + size - 1 through all blocks. most: how often a row reaches one neuron, at most."""
    rate_m, rate_s = parameters[0, RATE_M], parameters[0, RATE_E]
    highest = extremum(0.0, 1.0, rate_m, rate_s)
    peak = phi(highest, rate_m, rate_s) if highest < math.inf else 1.0 / rate_s
    work, chosen = np.empty((8, size)), np.empty(size, dtype=np.int64)
    x, j, new_x, new_j = work[0], work[1], work[2], work[3]
    to_j, to_x, bound, theta = work[4], work[5], work[6], work[7]
    clamped, slot, filled = clamped_until[at:at + size], np.empty(size, dtype=np.int32), np.empty(size + 1, dtype=np.int64)
    event, weight = np.empty(0, dtype=np.int32), np.empty(0)
    begin = factors[0, TIME]
    for n in range(size):
        if not advance_neuron(at + n, t, begin, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
            return False
        p = parameters[at + n]
        x[n] = (u[at + n] - p[U_INF]) / p[INVERSE_CM]
        j[n] = i_exc[at + n] + i_inh[at + n]
        theta[n] = to_threshold(p) / p[INVERSE_CM]
    free_from = clamped.min()
    for b in range(n_blocks):
        first, last, k_end = bounds[b], bounds[b + 1], rows.size + b
        end, decay_m, decay_s, response = (factors[k_end, TIME], factors[k_end, DECAY_M], factors[k_end, DECAY_S],
                                           factors[k_end, RESPONSE])
        if free_from >= end:
            add_currents(first, last, rows, row_start, targets, weights, factors, j)
            for n in range(size):
                j[n] *= decay_s
            begin = end
            continue
        to_j[:] = j
        to_x[:] = x
        for n in range(size):
            bound[n] = j[n] if j[n] > 0.0 else 0.0
        add_all(first, last, rows, row_start, targets, weights, factors, to_j, to_x, bound)
        for n in range(size):
            new_x[n] = decay_m * to_x[n] + response * to_j[n]
        for n in range(size):
            new_j[n] = decay_s * to_j[n]
        reach, leak = short_reach(end - begin, peak if end - begin >= highest else response, rate_m)
        n_chosen = close(x, bound, reach, leak, theta, clamped, begin, end, chosen)
        for n in range(size):
            new_x[n] = x[n] if clamped[n] >= end else new_x[n]
        if n_chosen:
            room = (last - first) * most
            if event.size < room * (n_chosen + 1) + 1:
                event, weight = (np.empty(2 * room * (n_chosen + 1) + 1, dtype=np.int32),
                                 np.empty(2 * room * (n_chosen + 1) + 1))
            if room:
                slot[:] = n_chosen
                for c in range(n_chosen):
                    slot[chosen[c]] = c
                pick_out(first, last, room, rows, row_start, targets, weights, slot, n_chosen, filled, event, weight)
            else:
                filled[:n_chosen] = 0
            if not _walk(at, chosen[:n_chosen], room, filled, event, weight, begin, k_end, factors, x, j, new_x, new_j, theta,
                         peak, rate_m, rate_s, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
                return False
            free_from = clamped.min()
        x, new_x = new_x, x
        j, new_j = new_j, j
        begin = end
    for n in range(size):
        if clamped[n] < end:
            u[at + n] = x[n] * parameters[at + n, INVERSE_CM] + parameters[at + n, U_INF]
        elif noted[at + n, COUNT]:
            u[at + n] = parameters[at + n, RESET]  # else it was held all the time at what it was
    return True


@njit(cache=True, error_model="numpy")
def _serial(t, rows, factors, bounds, n_blocks, row_start, targets, weights, most, u, i_exc, i_inh, clamped_until, parameters,
            out_times, noted):
    for part in range(row_start.shape[0]):
        at = part * TILE
        if not _tile(at, min(TILE, u.shape[0] - at), t, rows, factors, bounds, n_blocks, row_start[part], targets, weights, most,
                     u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
            return False
    return True


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(t, rows, factors, bounds, n_blocks, row_start, targets, weights, most, u, i_exc, i_inh, clamped_until, parameters,
              out_times, noted):
    finite = np.ones(row_start.shape[0], dtype=np.bool_)
    for part in prange(row_start.shape[0]):
        at = part * TILE
        finite[part] = _tile(at, min(TILE, u.shape[0] - at), t, rows, factors, bounds, n_blocks, row_start[part], targets,
                             weights, most, u, i_exc, i_inh, clamped_until, parameters, out_times, noted)
    return finite.all()


@njit(cache=True, error_model="numpy")
def _end_currents(event_times, rows, partner, inhibitory, row_start, targets, weights, t, t_stop, rate_s, i_exc, i_inh):
    """The two currents at t_stop, from those at t and the events."""
    decay = math.exp(-rate_s * (t_stop - t))
    i_exc *= decay
    i_inh *= decay
    used, left = rows_left(event_times, rows, row_start.shape[0] - 1, t_stop, rate_s)
    for k in range(used.shape[0]):
        for row in (used[k], partner[used[k]]):
            if row >= 0:
                for c in range(row_start[row], row_start[row + 1]):
                    if inhibitory[row]:
                        i_inh[targets[c]] += weights[c] * left[used[k]]
                    else:
                        i_exc[targets[c]] += weights[c] * left[used[k]]


def run_rows(event_times, event_rows, inhibitory, row_start, targets, weights, tiles, partner, t, t_stop, u, i_exc, i_inh,
             clamped_until, parameters, out_times, noted):
    """As `kernels.run_sparse`, for neurons that share tau_m and tau_syn_E = tau_syn_I. partner: as for `run_blocks`; the rows of
    a pair have the same targets. tiles: (start, targets, weights, most) of `arrangement.Arrangement.tiles`."""
    if not event_times.size:
        return run_sparse(event_times, event_rows, inhibitory, row_start, targets, weights, t, t_stop, u, i_exc, i_inh,
                          clamped_until, parameters, out_times, noted)
    rate_m, rate_s = parameters[0, RATE_M], parameters[0, RATE_E]
    times, n = np.maximum(event_times, t), event_times.size
    factors, bounds = np.empty((3 * n, N_FACTORS)), np.empty(2 * n + 1, dtype=np.int64)
    sizes = np.diff(row_start)[event_rows]
    n_blocks = fill_blocks(times, sizes, _PER_NEURON * u.size, t_stop, rate_m, rate_s, factors, bounds)
    begin_exc, begin_inh = i_exc.copy(), i_inh.copy()
    run = _threaded if on_threads(_AS_LONG * sizes.sum()) else _serial
    if not run(t, event_rows, factors, bounds, n_blocks, *tiles, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
        return False
    i_exc[:], i_inh[:] = begin_exc, begin_inh
    _end_currents(times, event_rows, partner, inhibitory, row_start, targets, weights, t, t_stop, rate_s, i_exc, i_inh)
    return True
