"""The compiled loop of `conditional`: one neuron from recorded spike to recorded spike."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.membrane.interval import first_crossing, responses

__all__ = ["Arriving", "Followed", "Stages", "Unmatched", "follow"]


class Stages(NamedTuple):
    """begins (stages,): from when on (ms) each row of parameters holds. parameters (stages,): a structured array with the fields
    of `record.PARAMETERS`; v is the membrane at the begin, NaN where it goes on."""

    begins: np.ndarray
    parameters: np.ndarray


class Arriving(NamedTuple):
    """The spikes that arrive at a cell, in order, (spikes,) each: times (ms), weights (nA), places (index of the projection among
    those that reach it), inhibitory (bool)."""

    times: np.ndarray
    weights: np.ndarray
    places: np.ndarray
    inhibitory: np.ndarray


class Unmatched(NamedTuple):
    """Spikes that one has and the other has not, (n,) each: time (ms), margin (mV), bound (mV per ms)."""

    time: np.ndarray
    margin: np.ndarray
    bound: np.ndarray


class Followed(NamedTuple):
    """Of one neuron. recorded, predicted (ms), slope (mV/ms): (n,) of its matched spikes; d_delay, d_log_weight (ms): (n,
    projections). missing, extra: what the exact neuron has, or has not, and the recorded one has not, or has."""

    recorded: np.ndarray
    predicted: np.ndarray
    slope: np.ndarray
    d_delay: np.ndarray
    d_log_weight: np.ndarray
    missing: Unmatched
    extra: Unmatched


class _Cell(NamedTuple):
    """Constants of a stage.

    rates (3,) (1/ms): of the membrane, of excitatory, of inhibitory currents. level (mV): where it rests with its offset current.
    theta (mV): threshold above that. cm, v_reset, tau_refrac.
    """

    rates: np.ndarray
    level: float
    theta: float
    cm: float
    v_reset: float
    tau_refrac: float


@njit(cache=True, error_model="numpy")
def _evolve(s, x, y, j, inhibitory, rates):
    """Advance the rest of the membrane x, its parts y and currents j (over C) by s ms."""
    decay, decay_exc, response_exc = responses(s, rates[0], rates[1])
    _, decay_inh, response_inh = responses(s, rates[0], rates[2])
    for p in range(j.size):
        if inhibitory[p]:
            y[p] = y[p] * decay + j[p] * response_inh
            j[p] *= decay_inh
        else:
            y[p] = y[p] * decay + j[p] * response_exc
            j[p] *= decay_exc
    return x * decay


@njit(cache=True, error_model="numpy")
def _currents(j, inhibitory):
    exc = inh = 0.0
    for p in range(j.size):
        if inhibitory[p]:
            inh += j[p]
        else:
            exc += j[p]
    return exc, inh


@njit(cache=True, error_model="numpy")
def _bound(y, j, j_start, s, rate):
    """How far the membrane moves (mV per ms) if every projection's input comes later, the worst combination of signs."""
    total = 0.0
    for p in range(j.size):
        total += abs(j[p] - rate * y[p] - math.exp(-s * rate) * j_start[p])
    return total


@njit(cache=True, error_model="numpy")
def _summit(span, x, y, j, inhibitory, rates):
    """The time in [0, span] where the membrane is highest: an end, or where its slope changes sign."""
    exc, inh = _currents(j, inhibitory)
    v0 = x + y.sum()
    slope = exc + inh - rates[0] * v0
    low, high = 0.0, span
    decay, decay_exc, response_exc = responses(span, rates[0], rates[1])
    _, decay_inh, response_inh = responses(span, rates[0], rates[2])
    v1 = v0 * decay + exc * response_exc + inh * response_inh
    if slope > 0.0 and exc * decay_exc + inh * decay_inh - rates[0] * v1 <= 0.0:  # 0: all has decayed
        for _ in range(60):
            middle = 0.5 * (low + high)
            decay, decay_exc, response_exc = responses(middle, rates[0], rates[1])
            _, decay_inh, response_inh = responses(middle, rates[0], rates[2])
            v = v0 * decay + exc * response_exc + inh * response_inh
            if exc * decay_exc + inh * decay_inh - rates[0] * v > 0.0:
                low = middle
            else:
                high = middle
        return low
    return span if v1 > v0 else 0.0


@njit(cache=True, error_model="numpy")
def _cell(p):
    """The _Cell of a row of parameters."""
    rates = np.array([1 / p.tau_m, 1 / p.tau_syn_E, 1 / p.tau_syn_I])
    level = p.v_rest + (p.i_offset * p.tau_m / p.cm if rates[0] > 0.0 else 0.0)
    return _Cell(rates, level, p.v_thresh - level, p.cm, p.v_reset, p.tau_refrac)


@njit(cache=True, error_model="numpy")
def _enter(before, p, x, y, j):
    """(_Cell, x) when the parameters p take the place of `before`: the membrane and the currents go on; j is over cm."""
    after = _cell(p)
    for k in range(j.size):
        j[k] *= before.cm / after.cm
    return after, (x + before.level - after.level if np.isnan(p.v) else p.v - after.level - y.sum())


@njit(cache=True, error_model="numpy")
def _table(n):
    return Unmatched(np.empty(n), np.empty(n), np.empty(n))


@njit(cache=True, error_model="numpy")
def _write(table, n, time, margin, bound):
    """Row n of an Unmatched."""
    table.time[n] = time
    table.margin[n] = margin
    table.bound[n] = bound


@njit(cache=True, error_model="numpy")
def _head(table, n):
    return Unmatched(table.time[:n], table.margin[:n], table.bound[:n])


@njit(cache=True, error_model="numpy")
def follow(stages: Stages, arriving: Arriving, n: int, spikes: np.ndarray, window: float, duration: float) -> Followed:
    """The Followed of one neuron, from each of its recorded spikes to the next.

    stages: Stages. arriving: Arriving, from n projections. spikes (spikes,), window, duration: ms.
    """
    begins, parameters = stages.begins, stages.parameters
    times, weights, places = arriving.times, arriving.weights, arriving.places
    now = _cell(parameters[0])
    inhibitory = np.zeros(n, np.bool_)
    for k in range(places.size):
        inhibitory[places[k]] = arriving.inhibitory[k]
    recorded, forecast, slopes = np.empty(spikes.size), np.empty(spikes.size), np.empty(spikes.size)
    d_delay, d_log_weight = np.empty((spikes.size, n)), np.empty((spikes.size, n))
    missing, extra = _table(spikes.size + times.size + begins.size), _table(spikes.size)
    n_matched = n_missing = n_extra = 0
    j, k, t, t0, stage = np.zeros(n), 0, 0.0, 0.0, 1
    x = parameters[0].v - now.level
    for m in range(spikes.size + 1):
        target = spikes[m] if m < spikes.size else np.inf
        y, j_start, place = np.zeros(n), j.copy(), k
        kept_j, kept, kept_k, kept_stage, kept_now = j.copy(), False, k, stage, now
        end = min(target + window, duration)
        predicted, above, best, best_bound = np.inf, False, -np.inf, 0.0
        crossed, peak, peak_bound = 0.0, -np.inf, 0.0
        while t < end or (not kept and target < np.inf):
            following = min(times[place] if place < times.size else np.inf, max(end, target) if target < np.inf else end)
            if stage < begins.size and begins[stage] < following:
                following = max(begins[stage], t)
            if not kept and t <= target < following:
                following = target
            span = following - t
            rates, theta = now.rates, now.theta
            if span > 0.0:
                total = x + y.sum()
                exc, inh = _currents(j, inhibitory)
                hit = np.inf
                if predicted == np.inf:
                    if not above and total >= theta:
                        above, crossed, peak, hit = True, t, -np.inf, 0.0
                    elif not above:
                        hit = first_crossing(total, exc, inh, theta, rates[0], rates[1], rates[2], span)
                        if hit < np.inf:
                            above, crossed, peak = True, t + hit, -np.inf
                    if hit < np.inf and abs(crossed - target) <= window:
                        predicted = crossed
                        yy, jj = y.copy(), j.copy()
                        xx = _evolve(hit, x, yy, jj, inhibitory, rates)
                        slope = jj.sum() - rates[0] * (xx + yy.sum())
                        recorded[n_matched], forecast[n_matched], slopes[n_matched] = target, crossed, slope
                        decay = math.exp(-(crossed - t0) * rates[0])
                        for p in range(n):
                            d_delay[n_matched, p] = (jj[p] - rates[0] * yy[p] - decay * j_start[p]) / slope
                            d_log_weight[n_matched, p] = -yy[p] / slope
                        n_matched += 1
                    elif above or abs(t - target) <= window or abs(t + span - target) <= window:
                        s = _summit(span, x, y, j, inhibitory, rates)
                        yy, jj = y.copy(), j.copy()
                        value = _evolve(s, x, yy, jj, inhibitory, rates) + yy.sum() - theta
                        bound = _bound(yy, jj, j_start, t + s - t0, rates[0])
                        if above and value > peak:
                            peak, peak_bound = value, bound
                        if not above and value > best:
                            best, best_bound = value, bound
                x = _evolve(span, x, y, j, inhibitory, rates)
                t = following
                if above and predicted == np.inf and (x + y.sum() < theta or t >= end):
                    _write(missing, n_missing, crossed, max(peak, 0.0), peak_bound)
                    n_missing += 1
                    above = False
            if not kept and t >= target:
                kept_j, kept, kept_k, kept_stage, kept_now = j.copy(), True, place, stage, now
                if predicted < np.inf:
                    break
            if t >= end and (kept or target == np.inf):
                break
            if stage < begins.size and begins[stage] <= t:
                now, x = _enter(now, parameters[stage], x, y, j)
                stage += 1
            while place < times.size and times[place] <= t:
                j[places[place]] += weights[place] / now.cm
                place += 1
        if target == np.inf:
            break
        if predicted == np.inf:
            if best == -np.inf:
                best = 0.0
            _write(extra, n_extra, target, min(best, 0.0), best_bound)
            n_extra += 1
        # On from the recorded spike: the membrane is held, the currents go on.
        j, k, t, stage, now = kept_j, kept_k, target, kept_stage, kept_now
        held, v_reset = min(target + now.tau_refrac, duration), now.v_reset
        while t < held or (k < times.size and times[k] <= held):
            following = min(held, times[k] if k < times.size else np.inf, begins[stage] if stage < begins.size else np.inf)
            if following > t:
                _evolve(following - t, 0.0, np.zeros(n), j, inhibitory, now.rates)
                t = following
            if stage < begins.size and begins[stage] <= t:
                now, _ = _enter(now, parameters[stage], 0.0, np.zeros(n), j)
                v_reset = v_reset if np.isnan(parameters[stage].v) else parameters[stage].v
                stage += 1
            elif k < times.size and times[k] <= t:
                j[places[k]] += weights[k] / now.cm
                k += 1
        t = t0 = held
        x = v_reset - now.level
    return Followed(recorded[:n_matched], forecast[:n_matched], slopes[:n_matched], d_delay[:n_matched],
                    d_log_weight[:n_matched], _head(missing, n_missing), _head(extra, n_extra))
