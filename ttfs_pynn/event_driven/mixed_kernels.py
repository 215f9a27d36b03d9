"""All-to-all connections onto neurons with time constants of their own, as a chip's are: eight neurons at a time.

Membrane and currents of eight neurons stay in registers while all events pass. In a span s between two events, with
d = |r_s - r_m| and the slower of the two rates,

    exp(-r_s s) = exp(-r_m s) exp(-d s)  or  exp(-slower s),    phi(s; r_s) = -exp(-slower s) expm1(-d s) / d.

Where a neuron may reach threshold, `mixed_crossings` finds when; the few cases that it leaves open go to the plain
`kernels.advance_neuron`.
"""

import numpy as np
from numba import njit, prange

from ttfs_pynn.event_driven.driven_kernels import State
from ttfs_pynn.event_driven.kernels import (
    INVERSE_CM,
    RATE_E,
    RATE_I,
    RATE_M,
    RESET,
    TAU_REFRAC,
    U_INF,
    advance_neuron,
    note_spike,
    to_threshold,
)
from ttfs_pynn.event_driven.mixed_crossings import Eight, Events, Spikes, decided, moved, peaks, roots, rounding_of, stays_below
from ttfs_pynn.membrane.lanes import LANES, address, bits, exp, load, lowest, mask_of, maximum, minimum, select, splat, store
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["run_mixed"]

_DOUBT = 1e-12  # of potentials
_NO_GAP = 1e-19  # of the faster rate: for rates that are equal, phi = s exp(-r s) then to within rounding
_ALL = (1 << LANES) - 1
_X, _EXC, _INH, _CLAMPED, _NOW, _TIME = range(0, 6 * LANES, LANES)  # of what is kept of eight neurons


@njit(cache=True, error_model="numpy")
def _constants(first, count, parameters):
    """(fields of `Eight`, LANES) of neurons first to first + count - 1, and whether all of their currents decay faster than
    membranes. Lanes without a neuron have a threshold out of reach."""
    table, currents_are_faster = np.ones((16, LANES)), True
    table[12], table[13] = np.inf, 0.0
    for lane in range(count):
        p = parameters[first + lane]
        rate_m, theta = p[RATE_M], to_threshold(p)
        for k, rate in enumerate((p[RATE_E], p[RATE_I])):
            gap = max(abs(rate - rate_m), _NO_GAP * max(rate, rate_m))
            table[1 + k, lane], table[3 + k, lane], table[5 + k, lane] = rate, min(rate_m, rate), gap
            table[7 + k, lane] = p[INVERSE_CM] / gap
            currents_are_faster &= rate >= rate_m
        table[0, lane], table[9, lane], table[10, lane] = rate_m, max(rate_m, p[RATE_E], p[RATE_I]), p[INVERSE_CM]
        table[11, lane] = 1.0 / max(rate_m, min(p[RATE_E], p[RATE_I]))
        table[12, lane], table[13, lane] = theta, _DOUBT * (abs(theta) + abs(p[U_INF]))
        table[14, lane], table[15, lane] = p[RESET] - p[U_INF], p[TAU_REFRAC]
    return table, currents_are_faster


@njit(inline="always")
def _loaded(table):
    """The first fields of `_constants` as `Eight`."""
    return Eight(load(table, 0), load(table, LANES), load(table, 2 * LANES), load(table, 3 * LANES), load(table, 4 * LANES),
                 load(table, 5 * LANES), load(table, 6 * LANES), load(table, 7 * LANES), load(table, 8 * LANES),
                 load(table, 9 * LANES), load(table, 10 * LANES), load(table, 11 * LANES), load(table, 12 * LANES),
                 load(table, 13 * LANES))


@njit(cache=True, error_model="numpy")
def _taken(first, count, state, parameters):
    """The state of eight neurons, as `_X` and so on say where."""
    kept = np.zeros(6 * LANES)
    for lane in range(LANES):
        kept[_CLAMPED + lane] = -np.inf
    for lane in range(count):
        n = first + lane
        kept[_X + lane], kept[_EXC + lane] = state.u[n] - parameters[n, U_INF], state.i_exc[n]
        kept[_INH + lane], kept[_CLAMPED + lane] = state.i_inh[n], state.clamped_until[n]
    return kept


@njit(cache=True, error_model="numpy")
def _given_back(first, count, kept, state, parameters):
    for lane in range(count):
        n = first + lane
        state.u[n], state.i_exc[n] = kept[_X + lane] + parameters[n, U_INF], kept[_EXC + lane]
        state.i_inh[n], state.clamped_until[n] = kept[_INH + lane], kept[_CLAMPED + lane]


@njit(cache=True, error_model="numpy")
def _carried(walked, first, until, kept, state, parameters, spikes):
    """The neurons of these lanes, one by one, to the end of a span. False where one fires without end."""
    while walked:
        lane = lowest(walked)
        walked &= walked - 1
        n = first + lane
        state.u[n], state.i_exc[n] = kept[_X + lane] + parameters[n, U_INF], kept[_EXC + lane]
        state.i_inh[n], state.clamped_until[n] = kept[_INH + lane], kept[_CLAMPED + lane]
        if not advance_neuron(n, kept[_NOW + lane], until, state.u, state.i_exc, state.i_inh, state.clamped_until, parameters,
                              spikes.times, spikes.noted):
            return False
        kept[_X + lane], kept[_EXC + lane] = state.u[n] - parameters[n, U_INF], state.i_exc[n]
        kept[_INH + lane], kept[_CLAMPED + lane], kept[_NOW + lane] = state.i_inh[n], state.clamped_until[n], until
    return True


@njit(cache=True, error_model="numpy")
def _noted(fired, first, time, kept, spikes):
    """The neurons of these lanes fire. False where one does so without end."""
    store(kept, _TIME, time)
    while fired:
        lane = lowest(fired)
        fired &= fired - 1
        if not note_spike(first + lane, kept[_TIME + lane], spikes.times, spikes.noted):
            return False
    return True


@njit(cache=True, error_model="numpy")
def _crossed(first, now, until, kept, table, currents_are_faster, state, parameters, spikes):
    """Eight neurons, as they are kept, through a span in which some may fire or are released. False where one fires without
    end."""
    c = _loaded(table)
    for lane in range(LANES):
        kept[_NOW + lane] = now
    while True:
        x, exc, inh, clamped = load(kept, _X), load(kept, _EXC), load(kept, _INH), load(kept, _CLAMPED)
        begin = load(kept, _NOW)
        start = minimum(maximum(clamped, begin), until)
        held = start - begin
        exc, inh = exc * exp(c.rate_e * (0.0 - held)), inh * exp(c.rate_i * (0.0 - held))
        span = until - start
        end, end_exc, end_inh = moved(span, x, exc, inh, c, currents_are_faster)
        quiet = (span <= 0.0) | stays_below(span, x, end, exc, inh, end_exc, end_inh, c)
        below, crosses, turns = decided(span, x, end, exc, inh, end_exc, end_inh, c)
        open_ = _ALL ^ bits(quiet | below)
        fired, turned, until_when = open_ & bits(crosses), open_ & bits(turns), span
        if turned:
            top, height, found = peaks(mask_of(turned), span, x, exc, inh, c, currents_are_faster)
            above, doubt = found & mask_of(turned), rounding_of(x, exc, inh, c)
            open_ &= ~bits(above & (height < c.theta - doubt))
            above = above & (height > c.theta + doubt)
            fired, until_when = fired | bits(above), select(above, top, span)
        store(kept, _NOW, splat(until))
        again = 0
        if fired:
            s, found = roots(mask_of(fired), until_when, x, exc, inh, c, currents_are_faster)
            time = start + s
            fired &= bits(found & (time < until))
            chosen = mask_of(fired)
            end = select(chosen, load(table, 14 * LANES), end)
            clamped = select(chosen, time + load(table, 15 * LANES), clamped)
            store(kept, _CLAMPED, clamped)
            if not _noted(fired, first, time, kept, spikes):
                return False
            again = fired & bits(clamped < until)
            if again:
                passed, chosen = start - time, mask_of(again)  # not s: late, times are coarse, and currents are to go with them
                end_exc = select(chosen, exc * exp(c.rate_e * passed), end_exc)
                end_inh = select(chosen, inh * exp(c.rate_i * passed), end_inh)
                store(kept, _NOW, select(chosen, time, until))
        walked = open_ & ~fired
        if walked:
            alone = mask_of(walked)
            end, end_exc = select(alone, x, end), select(alone, load(kept, _EXC), end_exc)
            end_inh = select(alone, load(kept, _INH), end_inh)
            store(kept, _NOW, select(alone, begin, load(kept, _NOW)))
        store(kept, _X, end)
        store(kept, _EXC, end_exc)
        store(kept, _INH, end_inh)
        if walked and not _carried(walked, first, until, kept, state, parameters, spikes):
            return False
        if not again:
            return True


@njit(inline="always")
def _heard(row, events, weights, place, exc, inh):
    """The currents with what a row brings."""
    new = load(weights, place)
    return (exc, inh + new) if events.inhibitory[row] else (exc + new, inh)


@njit(cache=True, error_model="numpy")
def _eight(first, events, t, t_stop, state, parameters, spikes):
    """`run_mixed` for neurons first to first + 7, as far as there are any."""
    size, n_events = state.u.shape[0], events.times.shape[0]
    count = min(LANES, size - first)
    table, currents_are_faster = _constants(first, count, parameters)
    kept = _taken(first, count, state, parameters)
    at, stride = (first, size) if count == LANES else (0, LANES)
    weights = address(events.weights) if count == LANES else address(events.tail)
    c = _loaded(table)
    x, exc, inh, clamped = load(kept, _X), load(kept, _EXC), load(kept, _INH), load(kept, _CLAMPED)
    now = t
    for k in range(n_events + 1):
        until = max(now, events.times[k]) if k < n_events else t_stop
        if until > now:
            span = splat(until - now)
            end, end_exc, end_inh = moved(span, x, exc, inh, c, currents_are_faster)
            held = clamped >= until
            quiet = held | ((clamped <= now) & stays_below(span, x, end, exc, inh, end_exc, end_inh, c))
            if bits(quiet) == _ALL:
                x, exc, inh = select(held, x, end), end_exc, end_inh
            else:
                store(kept, _X, x)
                store(kept, _EXC, exc)
                store(kept, _INH, inh)
                if not _crossed(first, now, until, kept, table, currents_are_faster, state, parameters, spikes):
                    return False
                x, exc, inh, clamped = load(kept, _X), load(kept, _EXC), load(kept, _INH), load(kept, _CLAMPED)
            now = until
        if k < n_events:
            row = events.rows[k]
            exc, inh = _heard(row, events, weights, row * stride + at, exc, inh)
            other = events.partner[row]
            if other >= 0:
                exc, inh = _heard(other, events, weights, other * stride + at, exc, inh)
    store(kept, _X, x)
    store(kept, _EXC, exc)
    store(kept, _INH, inh)
    _given_back(first, count, kept, state, parameters)
    return True


@njit(cache=True, error_model="numpy")
def _part(events, t, t_stop, state, parameters, spikes):
    for first in range(0, state.u.shape[0], LANES):
        if not _eight(first, events, t, t_stop, state, parameters, spikes):
            return False
    return True


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(events, t, t_stop, state, parameters, spikes):
    n_parts = (state.u.shape[0] + LANES - 1) // LANES
    finite = np.ones(n_parts, dtype=np.bool_)
    for part in prange(n_parts):
        finite[part] = _eight(part * LANES, events, t, t_stop, state, parameters, spikes)
    return finite.all()


def run_mixed(event_times, event_rows, inhibitory, weights, partner, t, t_stop, u, i_exc, i_inh, clamped_until, parameters,
              out_times, noted):
    """As `block_kernels.run_blocks`, for neurons of any parameters."""
    rest = u.size % LANES
    tail = np.zeros((weights.shape[0], LANES if rest else 0))
    tail[:, :rest] = weights[:, u.size - rest:]
    events = Events(event_times, event_rows, inhibitory, partner, weights, tail)
    arguments = events, t, t_stop, State(u, i_exc, i_inh, clamped_until), parameters, Spikes(out_times, noted)
    return _threaded(*arguments) if on_threads(event_times.size * u.size) else _part(*arguments)
