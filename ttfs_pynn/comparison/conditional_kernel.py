"""The compiled loop of `conditional`: one neuron from recorded spike to recorded spike."""

import math

import numpy as np
from numba import njit

from ttfs_pynn.membrane.interval import first_crossing, responses

__all__ = ["follow"]


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
def _constants(p):
    """(rates, resting level with the offset current, threshold above it, cm, reset, refractoriness) of a row of parameters."""
    rates = np.array([1 / p[0], 1 / p[1], 1 / p[2]])
    level = p[4] + (p[8] * p[0] / p[3] if rates[0] > 0.0 else 0.0)
    return rates, level, p[6] - level, p[3], p[5], p[7]


@njit(cache=True, error_model="numpy")
def _enter(before, p, x, y, j):
    """(constants, x) when the parameters p take the place of `before`: the membrane and the currents go on; j is over cm."""
    after = _constants(p)
    for k in range(j.size):
        j[k] *= before[3] / after[3]
    return after, (x + before[1] - after[1] if np.isnan(p[9]) else p[9] - after[1] - y.sum())


@njit(cache=True, error_model="numpy")
def follow(begins, parameters, times, weights, places, negative, n, spikes, window, duration):
    """(matched, missing, extra) tables of one neuron: (recorded, predicted, slope, d_delay..., d_log_weight...) and twice
    (time, margin, bound).

    parameters (stages, 10): from begins[k] (ms) on those of row k hold: tau_m, tau_syn_E, tau_syn_I, cm, v_rest, v_reset,
    v_thresh, tau_refrac, i_offset, v; v is the membrane at the begin, NaN where it goes on.
    """
    now = _constants(parameters[0])
    inhibitory = np.zeros(n, np.bool_)
    for k in range(places.size):
        inhibitory[places[k]] = negative[k]
    matched = np.empty((spikes.size, 3 + 2 * n))
    missing = np.empty((spikes.size + times.size + begins.size, 3))
    extra = np.empty((spikes.size, 3))
    n_matched = n_missing = n_extra = 0
    j, k, t, t0, stage = np.zeros(n), 0, 0.0, 0.0, 1
    x = parameters[0, 9] - now[1]
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
            rates, theta = now[0], now[2]
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
                        matched[n_matched, 0], matched[n_matched, 1], matched[n_matched, 2] = target, crossed, slope
                        decay = math.exp(-(crossed - t0) * rates[0])
                        for p in range(n):
                            matched[n_matched, 3 + p] = (jj[p] - rates[0] * yy[p] - decay * j_start[p]) / slope
                            matched[n_matched, 3 + n + p] = -yy[p] / slope
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
                    missing[n_missing, 0], missing[n_missing, 1], missing[n_missing, 2] = crossed, max(peak, 0.0), peak_bound
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
                j[places[place]] += weights[place] / now[3]
                place += 1
        if target == np.inf:
            break
        if predicted == np.inf:
            if best == -np.inf:
                best = 0.0
            extra[n_extra, 0], extra[n_extra, 1], extra[n_extra, 2] = target, min(best, 0.0), best_bound
            n_extra += 1
        # On from the recorded spike: the membrane is held, the currents go on.
        j, k, t, stage, now = kept_j, kept_k, target, kept_stage, kept_now
        held, v_reset = min(target + now[5], duration), now[4]
        while t < held or (k < times.size and times[k] <= held):
            following = min(held, times[k] if k < times.size else np.inf, begins[stage] if stage < begins.size else np.inf)
            if following > t:
                _evolve(following - t, 0.0, np.zeros(n), j, inhibitory, now[0])
                t = following
            if stage < begins.size and begins[stage] <= t:
                now, _ = _enter(now, parameters[stage], 0.0, np.zeros(n), j)
                v_reset = v_reset if np.isnan(parameters[stage, 9]) else parameters[stage, 9]
                stage += 1
            elif k < times.size and times[k] <= t:
                j[places[k]] += weights[k] / now[3]
                k += 1
        t = t0 = held
        x = v_reset - now[1]
    return matched[:n_matched], missing[:n_missing], extra[:n_extra]
