"""The fast version of `kernels.run_all_to_all` for neurons that spike at most once in each stretch of input.

A *stretch* is a run of events no longer than the shortest refractory period: the inputs of a sample, in the window that it
has in a run. From its state at the first event of a stretch a neuron goes as in `membrane.tiles`, many together, to the first
event of the next one; its spike, if it has one, is solved as in `membrane.crossings`. Then the neuron is held at v_reset until
the stretch is over, and its current alone goes on. What does not fit into this, a release inside a stretch, a second spike in the
pause behind it, or what rounding could decide, is followed from event to event (`_follow`).
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.event_driven.block_kernels import end_currents, run_blocks
from ttfs_pynn.event_driven.kernels import (
    COUNT,
    FIRST,
    INVERSE_CM,
    MOST_SPIKES,
    RATE_E,
    RATE_M,
    RESET,
    ROOM,
    TAU_REFRAC,
    THRESHOLD,
    U_INF,
    advance_neuron,
    to_threshold,
)
from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.compiling import inlined, inner, merged
from ttfs_pynn.membrane.crossings import addresses, collect, room_for_candidates, solve_sure, solve_unsure
from ttfs_pynn.membrane.interval import extremum, phi, responses
from ttfs_pynn.membrane.lanes import (
    address,
    as_integers,
    bits,
    exp,
    fma,
    load_like,
    lowest,
    maximum,
    ramp,
    select,
    size_of,
    splat_16,
    splat_32,
    store,
)
from ttfs_pynn.membrane.order import ROOM as ROOM_BEHIND
from ttfs_pynn.membrane.order import Sorted
from ttfs_pynn.membrane.steps import LONGEST, addresses_of_steps, steps_of, transition
from ttfs_pynn.membrane.threads import on_threads
from ttfs_pynn.membrane.tiles import NARROW, WIDE, Kept, Levels, pack, path_of, walk

_SHORTEST = 4  # events of a stretch, on the average; of shorter ones `block_kernels` makes as much
_UNSURE = 1e-12  # of the largest membrane there could be: what is nearer to threshold is followed
_ENDLESS, _DONE, _LEFT = 0, 1, 2  # a neuron fires without end; all is done; nothing, but left to `block_kernels`
_NEVER, _UNDECIDED = math.inf, -math.inf  # as the time of a spike


class Group(NamedTuple):
    """State, parameters and spikes of the neurons of a group, see `kernels`."""

    u: np.ndarray
    i_exc: np.ndarray
    i_inh: np.ndarray
    clamped_until: np.ndarray
    parameters: np.ndarray
    out_times: np.ndarray
    noted: np.ndarray


class Pauses(NamedTuple):
    """After the last event of each stretch: when the next one begins (or the run ends), exp(-r_m s), exp(-r_s s), phi(s) of the
    time s until then."""

    until: np.ndarray
    decay_m: np.ndarray
    decay_s: np.ndarray
    response: np.ndarray


class _Tile(NamedTuple):
    """Of the neurons of a tile: state at the begin of a stretch (x and j times cm), end of refractoriness, period and x of the
    reset, time of a spike."""

    x: np.ndarray
    j: np.ndarray
    held: np.ndarray
    tau_refrac: np.ndarray
    reset: np.ndarray
    time: np.ndarray


@inner
def _divide(times, n_events, longest, longest_span):
    """Where each stretch begins, and the number of events."""
    start, n = np.empty(n_events + 1, dtype=np.int64), 0
    for k in range(n_events):
        if k == 0 or times[k] - times[start[n - 1]] > longest or times[k] - times[k - 1] > longest_span:
            start[n] = k
            n += 1
    start[n] = n_events
    return start[:n + 1]


@inner
def _pauses(inputs, t_stop, rate_m, rate_s):
    start, _, times = inputs
    n = start.shape[0] - 1
    found = Pauses(np.empty(n), np.empty(n), np.empty(n), np.empty(n))
    for s in range(n):
        found.until[s] = times[start[s + 1]] if s + 1 < n else t_stop
        pause = found.until[s] - times[start[s + 1] - 1]
        found.decay_m[s], found.decay_s[s], found.response[s] = responses(pause, rate_m, rate_s)
    return found


@inner
def _follow(n, lane, k, x, j, stretch, inputs, steps, pauses, packed, width, peak, level, tile, group):
    """Neuron n from its state x, j after the input at place k to the next stretch. False where it fires without end.

    From event to event, where what `tiles` looks at does not show that it stays below threshold.
    """
    u, i_exc, i_inh, clamped_until, parameters, out_times, noted = group
    u_inf, inverse_cm, last = parameters[n, U_INF], parameters[n, INVERSE_CM], inputs.start[stretch + 1] - 1
    clamped_until[n], i_inh[n] = tile.held[lane], 0.0
    while True:
        y = x / steps.before[k]
        free, new = clamped_until[n] <= inputs.times[k], y * steps.decay_y[k] + j * steps.response_y[k]
        if free and k < last and new < level:
            x, j = new * steps.after[k], j * steps.decay_s[k]
        elif free and k == last and max(x, 0.0) + max(j, 0.0) * peak < level:
            x, j = x * pauses.decay_m[stretch] + j * pauses.response[stretch], j * pauses.decay_s[stretch]
        else:
            u[n], i_exc[n] = x * inverse_cm + u_inf, j
            until = inputs.times[k + 1] if k < last else pauses.until[stretch]
            if not advance_neuron(n, inputs.times[k], until, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
                return False
            x, j = (u[n] - u_inf) / inverse_cm, i_exc[n]
        if k == last:
            break
        k += 1
        j += packed[inputs.order[k] * width + lane]
    tile.x[lane], tile.j[lane], tile.held[lane] = x, j, clamped_until[n]
    return True


@inner
def _begin(first, width, shorter_tau, t, t_first, total, group, tile, levels):
    """Carry the neurons of a tile to the first event and take down their state. False where one fires without end."""
    u, i_exc, i_inh, clamped_until, parameters, out_times, noted = group
    for lane in range(width):
        n = first + lane
        tile.time[lane] = _NEVER
        if n >= u.shape[0]:
            tile.x[lane] = tile.j[lane] = tile.tau_refrac[lane] = tile.reset[lane] = 0.0
            tile.held[lane] = levels.theta[lane] = levels.level[lane] = math.inf
            continue
        if not advance_neuron(n, t, t_first, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
            return False
        p = parameters[n]
        tile.x[lane], tile.j[lane] = (u[n] - p[U_INF]) / p[INVERSE_CM], i_exc[n] + i_inh[n]
        tile.held[lane], tile.tau_refrac[lane] = clamped_until[n], p[TAU_REFRAC]
        tile.reset[lane] = (p[RESET] - p[U_INF]) / p[INVERSE_CM]
        theta = to_threshold(p) / p[INVERSE_CM]
        largest = abs(theta) + abs(tile.x[lane]) + (total[lane] + abs(tile.j[lane])) * shorter_tau
        levels.theta[lane], levels.level[lane] = theta, theta - _UNSURE * largest
    return True


@inlined
def _enter(candidates, n, found, time):
    for c in range(n):
        time[int(candidates.target[c])] = _UNDECIDED if math.isnan(found[c]) else found[c]


@inlined
def _note(n, t, out_times, noted):
    """As `kernels.note_spike`, of addresses."""
    count = noted[3 * n + COUNT]
    if count < noted[3 * n + ROOM]:
        out_times[noted[3 * n + FIRST] + count] = t
    noted[3 * n + COUNT] = count + 1
    return count < MOST_SPIKES


@inner
def _through(zero, first, inputs, steps, pauses, packed, group, tile, levels, kept, sure, unsure, found, scratch):
    """The neurons first, first + 1, ... through all stretches. False where one fires without end.

    There are few inputs in a stretch: all that is looked at in this loop are addresses, for which no references are counted.
    """
    rate_m, rate_s, width = group.parameters[0, RATE_M], group.parameters[0, RATE_E], size_of(zero)
    highest = extremum(0.0, 1.0, rate_m, rate_s)
    peak = phi(highest, rate_m, rate_s) if highest < math.inf else 1.0 / rate_s
    path, to_sure, to_unsure, numbers = path_of(inputs, steps, packed, kept), addresses(sure), addresses(unsure), ramp(0.0, zero)
    of_steps, to_found, some = addresses_of_steps(steps), address(found), address(scratch)
    theta, level = load_like(levels.theta, 0, zero), load_like(levels.level, 0, zero)
    tau_refrac, reset = load_like(tile.tau_refrac, 0, zero), load_like(tile.reset, 0, zero)
    start, times, n_stretches = address(inputs.start), address(inputs.times), inputs.start.shape[0] - 1
    until_of, decay_m_of, decay_s_of, response_of = (address(pauses.until), address(pauses.decay_m), address(pauses.decay_s),
                                                     address(pauses.response))
    xs, js, helds, spike = address(tile.x), address(tile.j), address(tile.held), address(tile.time)
    out_times, noted = address(group.out_times), address(group.noted)
    for s in range(n_stretches):
        begin, last, until = times[start[s]], start[s + 1] - 1, until_of[s]
        x0, j0, held = load_like(xs, 0, zero), load_like(js, 0, zero), load_like(helds, 0, zero)
        free = held <= begin
        before = select(free & (x0 < level), level, math.inf)
        x, j, after = walk(start[s], last + 1, path, x0, j0, before, rate_m, True)
        n_sure, n_unsure, added = collect(to_sure, 0, to_unsure, 0, x, j, after, before, theta, path, last, peak, numbers)
        slow = free & (x0 >= level) | (held > begin) & (held < until)
        known = 0  # bits of those that stay below threshold until the input that is kept
        new_x = select(free, fma(x, decay_m_of[s], j * response_of[s]), x0)
        new_j, fired = j * decay_s_of[s], slow & (x0 > math.inf)
        if bits(added):
            store(spike, 0, zero + _NEVER)
            solve_sure(to_sure, n_sure, times, of_steps, rate_m, rate_s, to_found, some)
            _enter(to_sure, n_sure, to_found, spike)
            solve_unsure(to_unsure, n_unsure, times, of_steps, rate_m, rate_s, to_found, some)
            _enter(to_unsure, n_unsure, to_found, spike)
            time = load_like(spike, 0, zero)
            fired = (time < until) & (time > _UNDECIDED)
            free_from = time + tau_refrac
            current = j * exp(maximum(free_from - times[last], 0.0) * -rate_s)
            decay_m, _, response = transition(maximum(until - free_from, 0.0), rate_m, rate_s)
            again = (fma(maximum(current, 0.0), peak, maximum(reset, 0.0)) >= level) & (free_from < until)
            known = bits((time <= _UNDECIDED) & (before < math.inf) & (after >= math.inf))
            slow = slow | (time <= _UNDECIDED) | fired & again
            new_x = select(fired, fma(reset, decay_m, current * response), new_x)
            held = select(fired, free_from, held)
            spikes = bits(fired) & ~bits(slow)
            while spikes:
                lane = lowest(spikes)
                spikes &= spikes - 1
                if not _note(first + lane, spike[lane], out_times, noted):
                    return False
        slowly = bits(slow)
        if slowly:
            new_x, new_j, held = select(slow, x0, new_x), select(slow, j0, new_j), select(slow, load_like(helds, 0, zero), held)
        store(xs, 0, new_x)
        store(js, 0, new_j)
        store(helds, 0, held)
        while slowly:
            lane = lowest(slowly)
            slowly &= slowly - 1
            if known >> lane & 1:
                k, j_k = as_integers(path.at)[lane], path.j[lane]
                x_k = path.y[lane] * of_steps.before[k]
            else:
                k, x_k = start[s], xs[lane]
                j_k = js[lane] + packed[inputs.order[k] * width + lane]
            if not _follow(first + lane, lane, k, x_k, j_k, s, inputs, steps, pauses, packed, width, peak, levels.level[lane],
                           tile, group):
                return False
    return True


@inner
def _end(first, width, t_stop, group, tile):
    """Leave the state of a tile in its group."""
    for lane in range(min(width, group.u.shape[0] - first)):
        n = first + lane
        group.clamped_until[n] = tile.held[lane]
        if tile.held[lane] < t_stop:
            group.u[n] = tile.x[lane] * group.parameters[n, INVERSE_CM] + group.parameters[n, U_INF]
        elif group.noted[n, COUNT]:
            group.u[n] = group.parameters[n, RESET]  # else it was held all the time at what it was


@merged
def _run_tile(zero, part, inputs, steps, pauses, weights, partner, n_rows, t, t_stop, group):
    width = size_of(zero)
    first, packed, total = part * width, lanes.aligned(n_rows * width), np.empty(width)
    pack(weights, n_rows, partner, first, zero, packed, total)
    tile = _Tile(np.empty(width), np.empty(width), np.empty(width), np.empty(width), np.empty(width), np.empty(width))
    levels = Levels(np.empty(width), np.empty(width))
    kept = Kept(lanes.aligned(width), lanes.aligned(width), lanes.aligned(width), lanes.aligned(width))
    shorter_tau = 1.0 / max(group.parameters[0, RATE_M], group.parameters[0, RATE_E])
    if not _begin(first, width, shorter_tau, t, inputs.times[0], total, group, tile, levels):
        return False
    if not _through(zero, first, inputs, steps, pauses, packed, group, tile, levels, kept, room_for_candidates(),
                    room_for_candidates(), lanes.aligned(WIDE + 64), np.empty(16)):
        return False
    _end(first, width, t_stop, group, tile)
    return True


@inner
def _prepared(event_times, event_rows, t, t_stop, parameters):
    """(whether there are long stretches, and no neuron fires by itself; Sorted, a stretch like a sample; Steps; Pauses; how many
    rows there are events of)."""
    rate_m, rate_s = parameters[0, RATE_M], parameters[0, RATE_E]
    n, shortest, suited, n_rows = event_times.shape[0], math.inf, True, 0
    times = np.zeros(n + ROOM_BEHIND)
    for k in range(n):
        times[k] = max(event_times[k], t)
        n_rows = max(n_rows, event_rows[k] + 1)
    for i in range(parameters.shape[0]):
        shortest = min(shortest, parameters[i, TAU_REFRAC])
        suited = suited and parameters[i, THRESHOLD] > parameters[i, U_INF]
    start = _divide(times, n, shortest, LONGEST / max(rate_m, rate_s))
    suited = suited and n >= _SHORTEST * (start.shape[0] - 1)
    inputs = Sorted(start, event_rows, times)
    return suited, inputs, steps_of(inputs, rate_m, rate_s), _pauses(inputs, t_stop, rate_m, rate_s), n_rows


@inner
def _carry_currents(inputs, partner, receptors, weights, t, t_stop, group, begin_exc, begin_inh):
    """What i_exc and i_inh are at t_stop goes to the group: what it did to them is their sum."""
    for n in range(begin_exc.shape[0]):  # slices take seconds to compile
        group.i_exc[n], group.i_inh[n] = begin_exc[n], begin_inh[n]
    end_currents(inputs.times, inputs.order, partner, receptors, weights, t, t_stop,
                 group.parameters[0, RATE_E], group.i_exc, group.i_inh)


@njit(cache=True, error_model="numpy")
def _serial(event_times, event_rows, receptors, weights, partner, t, t_stop, u, i_exc, i_inh, clamped_until, parameters,
            out_times, noted):
    """_LEFT (nothing is done), _ENDLESS or _DONE. Arrays one by one: tuples of them take longer to pass."""
    suited, inputs, steps, pauses, n_rows = _prepared(event_times, event_rows, t, t_stop, parameters)
    if not suited:
        return _LEFT
    group = Group(u, i_exc, i_inh, clamped_until, parameters, out_times, noted)
    begin_exc, begin_inh, wide = i_exc.copy(), i_inh.copy(), u.shape[0] > NARROW
    for part in range((u.shape[0] - 1) // (WIDE if wide else NARROW) + 1):
        if wide:
            finite = _run_tile(splat_32(0.0), part, inputs, steps, pauses, weights, partner, n_rows, t, t_stop, group)
        else:
            finite = _run_tile(splat_16(0.0), part, inputs, steps, pauses, weights, partner, n_rows, t, t_stop, group)
        if not finite:
            return _ENDLESS
    _carry_currents(inputs, partner, receptors, weights, t, t_stop, group, begin_exc, begin_inh)
    return _DONE


@inner
def _run_wide_tile(part, inputs, steps, pauses, weights, partner, n_rows, t, t_stop, group):
    return _run_tile(splat_32(0.0), part, inputs, steps, pauses, weights, partner, n_rows, t, t_stop, group)


@njit(cache=True, parallel=True, error_model="numpy")
def _side_by_side(n_parts, inputs, steps, pauses, weights, partner, n_rows, t, t_stop, group):
    finite = np.ones(n_parts, dtype=np.bool_)
    for part in prange(n_parts):
        finite[part] = _run_wide_tile(part, inputs, steps, pauses, weights, partner, n_rows, t, t_stop, group)
    return finite.all()


@njit(cache=True, error_model="numpy")
def _threaded(event_times, event_rows, receptors, weights, partner, t, t_stop, u, i_exc, i_inh, clamped_until, parameters,
              out_times, noted):
    """As `_serial`, in wide tiles."""
    suited, inputs, steps, pauses, n_rows = _prepared(event_times, event_rows, t, t_stop, parameters)
    if not suited:
        return _LEFT
    group = Group(u, i_exc, i_inh, clamped_until, parameters, out_times, noted)
    begin_exc, begin_inh = i_exc.copy(), i_inh.copy()
    if not _side_by_side((u.shape[0] - 1) // WIDE + 1, inputs, steps, pauses, weights, partner, n_rows, t, t_stop, group):
        return _ENDLESS
    _carry_currents(inputs, partner, receptors, weights, t, t_stop, group, begin_exc, begin_inh)
    return _DONE


def run_stretches(event_times, event_rows, receptors, weights, partner, t, t_stop, u, i_exc, i_inh, clamped_until, parameters,
                  out_times, noted):
    """As `block_kernels.run_blocks`, to which it leaves what has no long stretches."""
    arguments = (event_times, event_rows, receptors, weights, partner, t, t_stop, u, i_exc, i_inh, clamped_until, parameters,
                 out_times, noted)
    done = _LEFT
    if event_times.size:
        run = _threaded if u.size > NARROW and on_threads(event_times.size * u.size) else _serial
        done = run(*arguments)
    return run_blocks(*arguments) if done == _LEFT else done == _DONE
