"""A slow reference for one LIF neuron in 40 digits that shares no formula with the library.

Between two events the membrane is written as A exp(-s/tau_m) + B exp(-s/tau_E) + C exp(-s/tau_I) + constant, with coefficients
in 40 digits or more; threshold crossings are bracketed on a grid of 400 points and finished with Newton steps in as many. Time
constants must differ pairwise.
"""

import mpmath as mp
import numpy as np
from scipy.optimize import brentq

GRID = 400


def reference_spikes(parameters, initial_v, events, t_stop, digits=40):
    """Spike times (floats) of one neuron in [0, t_stop): the first of what `reference_run` returns."""
    return reference_run(parameters, initial_v, events, t_stop, digits=digits)[0]


def reference_run(parameters, initial_v, events, t_stop, sample_times=(), digits=40):
    """(spike times, samples) of one neuron in [0, t_stop): floats, and rows (v, isyn_exc, isyn_inh).

    parameters: PyNN names -> float; events: (time, weight, 'excitatory' or 'inhibitory') in time order, or
    (time, current, 'injected'): what flows in addition to i_offset from that time on. A sample has what arrives at its time.
    """
    with mp.workdps(digits):
        p = {name: mp.mpf(float(value)) for name, value in parameters.items()}
        rate_m = 1 / p["tau_m"] if mp.isfinite(p["tau_m"]) else mp.mpf(0)
        rates = {"excitatory": 1 / p["tau_syn_E"], "inhibitory": 1 / p["tau_syn_I"]}
        v, current, injected = mp.mpf(float(initial_v)), {"excitatory": mp.mpf(0), "inhibitory": mp.mpf(0)}, mp.mpf(0)
        t, free_at, spikes = mp.mpf(0), mp.mpf(0), []
        waiting, samples = [mp.mpf(float(time)) for time in sample_times], []

        def sample(until, v_at):
            while waiting and waiting[0] <= until and (waiting[0] < time or time == t_stop):
                decayed = _decayed(current, rates, waiting[0] - t)
                samples.append([float(x) for x in (v_at(waiting[0] - t), decayed["excitatory"], decayed["inhibitory"])])
                waiting.pop(0)
        for time, weight, kind in [*events, (t_stop, 0.0, "excitatory")]:
            time = mp.mpf(float(time))
            offset = p["i_offset"] + injected
            rest = p["v_rest"] + (offset * p["tau_m"] / p["cm"] if offset else 0)
            while t < time:
                if free_at > t:
                    until = min(free_at, time)
                    sample(until, lambda s, v=v: v)
                    current = _decayed(current, rates, until - t)
                    t = until
                    continue
                terms = {rates[k]: -i / p["cm"] / (rates[k] - rate_m) for k, i in current.items()}
                terms[rate_m] = v - rest - sum(terms.values())
                s = _crossing(terms, p["v_thresh"] - rest, time - t)

                def solution(s, rest=rest, terms=terms):
                    return rest + sum(a * mp.exp(-r * s) for r, a in terms.items())
                until = time if s is None else t + s
                sample(until, solution)
                v = solution(until - t)
                current = _decayed(current, rates, until - t)
                t = until
                if s is not None:
                    spikes.append(float(t))
                    v, free_at = p["v_reset"], t + p["tau_refrac"]
            if kind == "injected":
                injected = mp.mpf(float(weight))
            else:
                current[kind] += mp.mpf(float(weight))
        return np.array(spikes), np.array(samples)


def _decayed(current, rates, s):
    return {kind: i * mp.exp(-rates[kind] * s) for kind, i in current.items()}


def _crossing(terms, theta, span):
    rates, amplitudes = np.array([float(r) for r in terms]), np.array([float(a) for a in terms.values()])
    grid = np.linspace(0.0, float(span), GRID)

    def gap(s):
        return np.exp(-np.multiply.outer(s, rates)) @ amplitudes - float(theta)

    above = np.flatnonzero(gap(grid) >= 0)
    if above.size == 0:
        return None
    if above[0] == 0:
        return mp.mpf(0)
    s = mp.mpf(brentq(gap, grid[above[0] - 1], grid[above[0]], xtol=1e-13))
    for _ in range(3):
        value = sum(a * mp.exp(-r * s) for r, a in terms.items()) - theta
        s -= value / sum(-r * a * mp.exp(-r * s) for r, a in terms.items())
    return s
