"""First-spike times and derivatives of sparsely connected neurons of equal time constants: the fast version of `rows_kernels`.

Spikes are taken in order of time, each to its targets, as an event-driven simulator does. What a neuron has heard is two sums,
in a frame that decays with the membrane, so that nothing is to be done between two of its inputs. With s = t - t_0, t_0 the
frame's begin, and a(r) = exp(r (t_i - t_0)),

    r_m = r_s = r:      A = sum w_i a(r),          B = sum w_i a(r) (t_i - t_0),   v = exp(-r s) (s A - B),   j = exp(-r s) A
    d = r_s - r_m:      A = sum w_i a(r_s) / d,    B = sum w_i a(r_m) / d,         v = exp(-r_m s) B - exp(-r_s s) A,
                                                                                   j = d exp(-r_s s) A

(v and j times cm). A neuron whose membrane could reach threshold before its next input is `near`, and looked at when that comes.
A frame that has lasted for _FRAME time constants is left for a new one. What rounding could decide is left to
`kernels.crossing`.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.kernels import crossing
from ttfs_pynn.membrane.interval import extremum, phi, potential, surely_no_peak, threshold_root
from ttfs_pynn.membrane.sorted_inputs import sort_row
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["Columns", "by_column", "first_spike_times", "has_digits"]

_FRAME = 6.0  # time constants
_NEAREST = 0.1  # relative difference of unequal rates; below, the difference of two sums loses digits
FROM_A, FROM_B, CURRENT, TO_A, TO_B, TIME = range(6)  # v = FROM_A A + FROM_B B, j = CURRENT A; an input adds w TO_A, w TO_B
A, B, LOW, NEAR = range(4)  # of a neuron: its sums, the v (times cm) that may be threshold, the last event if near, else -1


class Columns(NamedTuple):
    """Synapses by their source: those of column c are start[c] ... start[c + 1] - 1; their neurons, weights, places in rows."""

    start: np.ndarray
    post: np.ndarray
    w: np.ndarray
    synapse: np.ndarray


class Constants(NamedTuple):
    tau_m: float
    tau_syn: float
    rate_m: float
    rate_s: float
    peak: float


@njit(cache=True, error_model="numpy")
def by_column(rows, w, n_columns):
    """(Columns, the delay of each column, whether all synapses of every column share it)."""
    start = np.zeros(n_columns + 1, dtype=np.int64)
    for s in range(w.shape[0]):
        start[rows.column[s] + 1] += 1
    for c in range(n_columns):
        start[c + 1] += start[c]
    at = start[:-1].copy()
    post, sorted_w = np.empty(w.shape[0], dtype=np.int32), np.empty(w.shape[0])
    synapse = np.empty(w.shape[0], dtype=np.int64)
    delay, one_delay = np.zeros(n_columns), True
    for n in range(rows.start.shape[0] - 1):
        for s in range(rows.start[n], rows.start[n + 1]):
            c = rows.column[s]
            if rows.delay.shape[0]:
                one_delay &= at[c] == start[c] or delay[c] == rows.delay[s]
                delay[c] = rows.delay[s]
            post[at[c]], sorted_w[at[c]], synapse[at[c]] = n, w[s], s
            at[c] += 1
    return Columns(start, post, sorted_w, synapse), delay, one_delay


def has_digits(tau_m, tau_syn):
    """Whether the sums keep their digits for these constants."""
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    return rate_m == rate_s or abs(rate_m - rate_s) >= _NEAREST * max(rate_m, rate_s)


@njit(cache=True, error_model="numpy")
def constants(tau_m, tau_syn):
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    highest = extremum(0.0, 1.0, rate_m, rate_s)
    return Constants(tau_m, tau_syn, rate_m, rate_s, phi(highest, rate_m, rate_s) if highest < math.inf else tau_syn)


@njit(cache=True, error_model="numpy")
def _fill_event(event, t, begin, rate_m, rate_s):
    """The coefficients of an event at t in the frame that began at `begin`."""
    s, difference = t - begin, rate_s - rate_m
    event[TIME] = t
    if difference == 0.0:
        up = math.exp(rate_s * s)
        down = 1.0 / up
        event[FROM_A], event[FROM_B], event[CURRENT], event[TO_A], event[TO_B] = s * down, -down, down, up, s * up
        return
    up_m, up_s = math.exp(rate_m * s), math.exp(rate_s * s)
    event[FROM_A], event[FROM_B], event[CURRENT] = -1.0 / up_s, 1.0 / up_m, difference / up_s
    event[TO_A], event[TO_B] = up_s / difference, up_m / difference


@njit(cache=True, error_model="numpy")
def _clear_crossing(x, j, end_x, end_j, span, theta, unsure, rate_m, rate_s):
    """ms from a neuron's last input to its crossing, inf where there is none until the next one, NaN where rounding decides.
    end_x, end_j: potential and current at the end of the span."""
    if not x < theta - unsure or (rate_m == 0.0 and span == math.inf):
        return math.nan
    if end_x > theta + unsure:
        return threshold_root(x, j, 0.0, theta, rate_m, rate_s, rate_s, 0.0, span)
    if end_x >= theta - unsure:
        return math.nan
    if j <= 0.0 or j <= rate_m * x or surely_no_peak(end_x, end_j, rate_m):
        return math.inf
    top = extremum(x, j, rate_m, rate_s)
    if not top < span:
        return math.inf
    margin = potential(top, x, j, rate_m, rate_s) - theta
    if margin < -unsure:
        return math.inf
    return threshold_root(x, j, 0.0, theta, rate_m, rate_s, rate_s, 0.0, top) if margin > unsure else math.nan


@njit(cache=True, error_model="numpy")
def _look(k, begin, end, post, events, cells, levels, rate_m, rate_s, doubtful, out):
    """See which of the neurons post[begin:end] that are near spike before event k. Returns of how many rounding decides: they are
    listed in `doubtful`, with NEAR = -2 - the event since which they are near. Given arrays, for references in tuples are
    counted, which took most of the time."""
    from_a, from_b, current, t, unsure = events[k, FROM_A], events[k, FROM_B], events[k, CURRENT], events[k, TIME], 0
    for i in range(begin, end):
        n = post[i]
        if cells[n, NEAR] < 0.0:
            continue
        a, b = cells[n, A], cells[n, B]
        end_x, end_j = from_a * a + from_b * b, current * a
        if end_x < cells[n, LOW] and surely_no_peak(end_x, end_j, rate_m):
            continue
        at = int(cells[n, NEAR])
        span = t - events[at, TIME]
        if span == 0.0:
            continue
        x, j = events[at, FROM_A] * a + events[at, FROM_B] * b, events[at, CURRENT] * a
        s = _clear_crossing(x, j, end_x, end_j, span, levels[n, 0], levels[n, 1], rate_m, rate_s)
        if math.isnan(s):
            doubtful[unsure], cells[n, NEAR] = n, -2.0 - at
            unsure += 1
        elif s < math.inf:
            out[n], cells[n, LOW], cells[n, NEAR] = events[at, TIME] + s, math.inf, -1.0
    return unsure


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _deliver(k, begin, end, post, w, events, peak, cells):
    """Event k reaches its targets. No branches, which would be missed."""
    from_a, from_b, current = events[k, FROM_A], events[k, FROM_B], events[k, CURRENT]
    to_a, to_b = events[k, TO_A], events[k, TO_B]
    for s in range(begin, end):
        n = post[s]
        a, b = cells[n, A] + w[s] * to_a, cells[n, B] + w[s] * to_b
        x, j = from_a * a + from_b * b, current * a
        cells[n, A], cells[n, B] = a, b
        cells[n, NEAR] = k if (x if x > 0.0 else 0.0) + (j if j > 0.0 else 0.0) * peak >= cells[n, LOW] else -1.0


@njit(cache=True, error_model="numpy")
def _decide(k, unsure, doubtful, events, cells, rows, w, times, most, c, neurons, out):
    """`_look` for the neurons doubtful[:unsure]: by `crossing`, from all that they have heard."""
    for i in range(unsure):
        n = doubtful[i]
        at = int(-2.0 - cells[n, NEAR])
        t, cm = events[at, TIME], neurons.cm[n]
        size = (rows.start[n + 1] - rows.start[n]) * most + 2
        heard, weights = np.empty(size), np.zeros((size, 1))
        m = 0
        for s in range(rows.start[n], rows.start[n + 1]):
            for place in range(rows.column[s] * most, (rows.column[s] + 1) * most):
                if times[place] <= t:
                    heard[m], weights[m, 0] = times[place], w[s]
                    m += 1
        heard[m], heard[m + 1] = t, events[k, TIME]  # a frame may have begun at t without an input
        order = np.argsort(heard[:m + 2], kind="mergesort")
        x, j = events[at, FROM_A] * cells[n, A] + events[at, FROM_B] * cells[n, B], events[at, CURRENT] * cells[n, A]
        s = crossing(heard, order, m + 1, weights, 0, x / cm, j / cm, heard[m + 1] - t, c.tau_m, c.tau_syn, cm, neurons.thr[n],
                     neurons.doubt[n])
        if s < math.inf:
            out[n], cells[n, LOW] = t + s, math.inf


@njit(cache=True, error_model="numpy")
def _new_frame(k, events, cells, c):
    """Carry all sums to the frame that begins with event k."""
    t, difference = events[k, TIME], c.rate_s - c.rate_m
    for n in range(cells.shape[0]):
        x, j = events[k, FROM_A] * cells[n, A] + events[k, FROM_B] * cells[n, B], events[k, CURRENT] * cells[n, A]
        cells[n, NEAR] = k if max(x, 0.0) + max(j, 0.0) * c.peak >= cells[n, LOW] else -1.0
        cells[n, A], cells[n, B] = (j, -x) if difference == 0.0 else (j / difference, x + j / difference)
    _fill_event(events[k], t, t, c.rate_m, c.rate_s)


@njit(cache=True, error_model="numpy")
def _times_of_sample(times, most, columns, rows, w, c, neurons, out):
    """times (sources * most,): fill out (neurons,)."""
    size, n_neurons = times.shape[0], out.shape[0]
    order, bucket = np.empty(size, dtype=np.int64), np.empty(2 * size + 2, dtype=np.int64)
    n_spikes = sort_row(times, order, bucket, np.empty(size))
    cells, levels, events = np.empty((n_neurons, 4)), np.empty((n_neurons, 2)), np.empty((n_spikes + 1, 8))
    every, doubtful = np.arange(n_neurons).astype(np.int32), np.empty(n_neurons, dtype=np.int64)
    events[n_spikes] = 0.0  # the end of time, where nothing is left
    events[n_spikes, TIME] = math.inf
    for n in range(n_neurons):
        cells[n, A] = cells[n, B] = 0.0
        levels[n, 0], levels[n, 1] = neurons.cm[n] * neurons.thr[n], neurons.cm[n] * neurons.doubt[n]
        cells[n, LOW], cells[n, NEAR], out[n] = levels[n, 0] - levels[n, 1], -1.0, math.inf
    begin, longest = times[order[0]] if n_spikes else 0.0, _FRAME / max(c.rate_m, c.rate_s)
    start, post, sorted_w = columns.start, columns.post, columns.w
    for k in range(n_spikes):
        t = times[order[k]]
        _fill_event(events[k], t, begin, c.rate_m, c.rate_s)
        if t - begin > longest:
            unsure = _look(k, 0, n_neurons, every, events, cells, levels, c.rate_m, c.rate_s, doubtful, out)
            if unsure:
                _decide(k, unsure, doubtful, events, cells, rows, w, times, most, c, neurons, out)
            _new_frame(k, events, cells, c)
            begin = t
        first, last = start[order[k] // most], start[order[k] // most + 1]
        unsure = _look(k, first, last, post, events, cells, levels, c.rate_m, c.rate_s, doubtful, out)
        if unsure:
            _decide(k, unsure, doubtful, events, cells, rows, w, times, most, c, neurons, out)
        _deliver(k, first, last, post, sorted_w, events, c.peak, cells)
    unsure = _look(n_spikes, 0, n_neurons, every, events, cells, levels, c.rate_m, c.rate_s, doubtful, out)
    if unsure:
        _decide(n_spikes, unsure, doubtful, events, cells, rows, w, times, most, c, neurons, out)


@njit(cache=True, error_model="numpy")
def _times_serial(t_in, most, columns, rows, w, c, neurons, out):
    for sample in range(out.shape[0]):
        _times_of_sample(t_in[sample], most, columns, rows, w, c, neurons, out[sample])


@njit(cache=True, parallel=True, error_model="numpy")
def _times_threaded(t_in, most, columns, rows, w, c, neurons, out):
    for sample in prange(out.shape[0]):
        _times_of_sample(t_in[sample], most, columns, rows, w, c, neurons, out[sample])


def first_spike_times(t_in, columns, rows, w, neurons):
    """t_in (samples, columns, spikes) -> (samples, neurons). Only where `has_digits`."""
    out = np.empty((t_in.shape[0], rows.start.size - 1))
    tau_m, tau_syn = neurons.tau_m[0], neurons.tau_syn[0]
    # `doubt` speaks of sums that decay from input to input; those of a frame have larger terms, by so much.
    larger = _FRAME + 2.0 if tau_m == tau_syn else 2.0 / (abs(1.0 / tau_m - 1.0 / tau_syn) * min(tau_m, tau_syn))
    neurons = neurons._replace(doubt=2.0 * larger * neurons.doubt)
    most = t_in.shape[2]
    flat = t_in.reshape(t_in.shape[0], t_in.shape[1] * most)
    run = _times_threaded if on_threads(t_in.shape[0] * w.size) else _times_serial
    run(flat, most, columns, rows, w, constants(tau_m, tau_syn), neurons, out)
    return out
