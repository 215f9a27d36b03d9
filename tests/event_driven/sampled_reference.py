"""A plain reference for one LIF neuron in floats, quick enough for 100,000: it looks at the membrane in many places.

Between two events x is evaluated at times that grow by an eighth from a small part of the fastest time constant to the end of the
span; around each of the highest ones it is searched for the maximum, and the first value at threshold is closed in by halving. It
shares no formula and no decision with the library. What it takes for different is for `reference` to judge, in 50 digits.
"""

import math

import numpy as np
from numba import njit

EXCITATORY, INHIBITORY, INJECTED, JUMP = range(4)
NAMES = ("excitatory", "inhibitory", "injected", "jump")  # as `reference` calls them
PARAMETERS = ("tau_m", "tau_syn_E", "tau_syn_I", "cm", "v_rest", "v_thresh", "v_reset", "tau_refrac", "i_offset")
_GROWTH = 1.125


@njit(cache=True, error_model="numpy")
def _response(s, a, b):
    """(exp(-a s) - exp(-b s)) / (b - a)."""
    half = 0.5 * (b - a) * s
    if abs(half) < 1e-3:
        return s * math.exp(-0.5 * (a + b) * s) * (1.0 + half * half / 6.0)
    if abs(half) < 20.0:
        return s * math.exp(-0.5 * (a + b) * s) * math.sinh(half) / half
    return (math.exp(-a * s) - math.exp(-b * s)) / (b - a)


@njit(cache=True, error_model="numpy")
def _membrane(s, x, exc, inh, rate_m, rate_e, rate_i):
    return x * math.exp(-rate_m * s) + exc * _response(s, rate_m, rate_e) + inh * _response(s, rate_m, rate_i)


@njit(cache=True, error_model="numpy")
def _summit(lo, hi, x, exc, inh, rate_m, rate_e, rate_i):
    """Where x is largest between lo and hi, by golden section."""
    ratio = 0.6180339887498949
    for _ in range(80):
        a, b = hi - ratio * (hi - lo), lo + ratio * (hi - lo)
        if _membrane(a, x, exc, inh, rate_m, rate_e, rate_i) >= _membrane(b, x, exc, inh, rate_m, rate_e, rate_i):
            hi = b
        else:
            lo = a
    return 0.5 * (lo + hi)


@njit(cache=True, error_model="numpy")
def _first(span, theta, x, exc, inh, rate_m, rate_e, rate_i):
    """The first s in (0, span) with x(s) >= theta > x(0), or inf."""
    # A current moves the membrane by less than it would without a leak, or without decaying.
    if max(x, 0.0) + max(exc, 0.0) / max(rate_m, rate_e) + max(inh, 0.0) / max(rate_m, rate_i) < theta:
        return math.inf
    slowest = min(rate_e, rate_i) if rate_m == 0.0 else min(rate_m, rate_e, rate_i)
    span = min(span, 800.0 / slowest)
    step = min(1e-3 / max(rate_m, rate_e, rate_i), 1e-3 * span)
    before, s = 0.0, 0.0
    v_before, v = x, x
    while s < span:
        after = min(step if s == 0.0 else s * _GROWTH, span)
        v_after = _membrane(after, x, exc, inh, rate_m, rate_e, rate_i)
        hi, v_here = after, v_after
        if v >= v_before and v >= v_after and v < theta:
            hi = _summit(before, after, x, exc, inh, rate_m, rate_e, rate_i)
            v_after = max(v_after, _membrane(hi, x, exc, inh, rate_m, rate_e, rate_i))
        if v_after >= theta:
            lo = before
            for _ in range(200):
                middle = 0.5 * (lo + hi)
                if middle == lo or middle == hi:
                    break
                if _membrane(middle, x, exc, inh, rate_m, rate_e, rate_i) >= theta:
                    hi = middle
                else:
                    lo = middle
            return hi
        before, v_before, s, v = s, v, after, v_here
    return math.inf


@njit(cache=True, error_model="numpy")
def _spikes(p, v, times, values, kinds, t_stop, most, out, slopes):
    tau_m, tau_e, tau_i, cm, v_rest, v_thresh, v_reset, tau_refrac, i_offset = p
    rate_m, rate_e, rate_i = 1.0 / tau_m, 1.0 / tau_e, 1.0 / tau_i
    exc = inh = injected = 0.0
    t, free_at, count = -math.inf if times.size and times[0] < 0.0 else 0.0, -math.inf, 0
    if t < 0.0:
        t = times[0]
    for k in range(times.size + 1):
        until = times[k] if k < times.size else t_stop
        offset = i_offset + injected
        rest = v_rest + (offset * tau_m / cm if offset != 0.0 else 0.0)
        while t < until:
            if free_at > t:
                stop = min(free_at, until)
                exc *= math.exp(-rate_e * (stop - t))
                inh *= math.exp(-rate_i * (stop - t))
                t = stop
                continue
            x, theta = v - rest, v_thresh - rest
            s = 0.0 if x >= theta else _first(until - t, theta, x, exc / cm, inh / cm, rate_m, rate_e, rate_i)
            stop = min(t + s, until)
            if s < math.inf and t + s < until:
                e, i = exc * math.exp(-rate_e * (stop - t)), inh * math.exp(-rate_i * (stop - t))
                if count < out.size:
                    out[count], slopes[count] = t + s, (e + i) / cm - rate_m * theta
                count += 1
                if count == most:
                    return count
                v, free_at, exc, inh = v_reset, stop + tau_refrac, e, i
            else:
                v = v_thresh if s < math.inf else rest + _membrane(until - t, x, exc / cm, inh / cm, rate_m, rate_e, rate_i)
                exc *= math.exp(-rate_e * (stop - t))
                inh *= math.exp(-rate_i * (stop - t))
            t = stop
        if k < times.size:
            if kinds[k] == EXCITATORY:
                exc += values[k]
            elif kinds[k] == INHIBITORY:
                inh += values[k]
            elif kinds[k] == INJECTED:
                injected = values[k]
            elif free_at <= t:
                v += values[k]
    return count


def sampled_spikes(parameters, initial_v, times, values, kinds, t_stop, most=0):
    """(spike times, dv/dt at them) of one neuron in [0, t_stop), or from the first event on where that is earlier.

    parameters: PyNN names -> float; times (in order), values and kinds (EXCITATORY, ...) of events; most: of how many spikes, 0
    for all.
    """
    p = tuple(float(parameters[name]) for name in PARAMETERS)
    size = 1000
    while True:
        out, slopes = np.empty(size), np.empty(size)
        count = _spikes(p, float(initial_v), times, values, kinds, float(t_stop), most, out, slopes)
        if count <= size:
            return out[:count], slopes[:count]
        size = count
