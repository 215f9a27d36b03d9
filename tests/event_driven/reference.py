"""A slow reference for one LIF neuron in 50 digits that shares no formula with the library.

Between two events the membrane minus threshold is a sum of terms (a + b s) exp(-r s), with coefficients in 50 digits, and powers
of ten without bounds, so nothing underflows in a gap of any length. Where it changes sign is found by Rolle's theorem: multiplied
by exp(r s) of one of its terms, and differentiated until that term is gone, it is a sum with fewer terms, between whose zeros it
is monotone. Nothing is sampled. Times of spikes and of the end of refractoriness are floats, as in every simulation.
"""

import math

import mpmath as mp
import numpy as np

_LN2 = math.log(2.0)


def reference_spikes(parameters, initial_v, events, t_stop, digits=50, **options):
    """Spike times (floats) of one neuron in [0, t_stop): the first of what `reference_run` returns."""
    return reference_run(parameters, initial_v, events, t_stop, digits=digits, **options)[0]


def reference_run(parameters, initial_v, events, t_stop, sample_times=(), digits=50, most=None, begin=0.0, rounded=True):
    """(spike times, samples) of one neuron in [0, t_stop): floats, and rows (v, isyn_exc, isyn_inh).

    parameters: PyNN names -> float; events: (time, weight, 'excitatory' or 'inhibitory') in time order,
    (time, current, 'injected'): what flows in addition to i_offset from that time on, or (time, mV, 'jump'): a step of v, lost
    where it is clamped. A sample has what arrives at its time. most: of how many spikes; begin: from when on, if not 0;
    rounded: times of spikes and of the end of refractoriness are floats.
    """
    with mp.workdps(digits):
        p = {name: mp.mpf(float(value)) for name, value in parameters.items()}
        tau = {"excitatory": p.get("tau_syn_E", mp.mpf(1)), "inhibitory": p.get("tau_syn_I", mp.mpf(1))}
        rates = {kind: 1 / tau[kind] for kind in tau}
        v, current, injected = mp.mpf(float(initial_v)), {"excitatory": mp.mpf(0), "inhibitory": mp.mpf(0)}, mp.mpf(0)
        t, free_at, spikes = float(begin), -math.inf, []
        waiting, samples = [float(time) for time in sample_times], []

        def sample(until, v_at):
            while waiting and waiting[0] <= until and (waiting[0] < time or time == t_stop):
                decayed = _decayed(current, rates, mp.mpf(waiting[0]) - t)
                samples.append([float(x) for x in (v_at(mp.mpf(waiting[0]) - t), decayed["excitatory"], decayed["inhibitory"])])
                waiting.pop(0)
        for time, weight, kind in [*events, (t_stop, 0.0, "end")]:
            time = float(time)
            offset = p["i_offset"] + injected
            rest = p["v_rest"] + (offset * p["tau_m"] / p["cm"] if offset else 0)
            while t < time:
                if free_at > t:
                    until = min(free_at, time)
                    sample(until, lambda s, v=v: v)
                    current = _decayed(current, rates, mp.mpf(until) - t)
                    t = until
                    continue
                if v >= p["v_thresh"]:
                    s = mp.mpf(0)
                else:
                    per_cm = {k: i / p["cm"] for k, i in current.items()}
                    terms = _solution(v - rest, per_cm, p["tau_m"], tau)
                    # A current moves the membrane by less than it would without a leak, or without decaying.
                    highest = max(v - rest, 0) + sum(max(j, 0) * min(p["tau_m"], tau[k]) for k, j in per_cm.items())
                    below = highest < p["v_thresh"] - rest
                    s = None if below else _first_crossing(terms, p["v_thresh"] - rest, mp.mpf(time) - t)
                until = time if s is None else (float(t + s) if rounded else t + s)
                if until >= time:  # reached at the event itself: before what it brings
                    until, s = time, s if s is None else mp.mpf(time) - t
                if s is None or until > t:
                    def solution(s, rest=rest, terms=terms):
                        return rest + _value(terms, s)
                    sample(until, solution)
                    passed = mp.mpf(until) - t
                    v = solution(passed) if s is None else p["v_thresh"]
                    current = _decayed(current, rates, passed)
                t = until
                if s is not None and until < time:
                    spikes.append(float(until))
                    if len(spikes) == most:
                        return np.array(spikes), np.array(samples)
                    v, free_at = p["v_reset"], until + (float(p["tau_refrac"]) if rounded else p["tau_refrac"])
            if kind == "injected":
                injected = mp.mpf(float(weight))
            elif kind == "jump":
                v += mp.mpf(float(weight)) if free_at <= time else 0
            elif kind != "end":
                current[kind] += mp.mpf(float(weight))
        return np.array(spikes), np.array(samples)


def _decayed(current, rates, s):
    return {kind: i * mp.exp(-rates[kind] * s) if i else i for kind, i in current.items()}


def _solution(x, currents, tau_m, tau):
    """{rate: (a, b)}: x(s) = sum of (a + b s) exp(-rate s)."""
    no_leak = mp.isinf(tau_m)
    rate_m = mp.mpf(0) if no_leak else 1 / tau_m
    terms = {rate_m: (x, mp.mpf(0))}
    for kind, j in currents.items():
        if not j:
            continue
        a, b = terms[rate_m]
        if tau[kind] == tau_m:
            terms[rate_m] = a, b + j
            continue
        part = j * tau[kind] if no_leak else j / (1 / tau[kind] - rate_m)
        terms[rate_m] = a + part, b
        rate = 1 / tau[kind]
        terms[rate] = terms.get(rate, (mp.mpf(0), mp.mpf(0)))[0] - part, mp.mpf(0)
    return terms


def _value(terms, s):
    return sum((a + b * s) * mp.exp(-rate * s) for rate, (a, b) in terms.items())


def _first_crossing(terms, theta, span):
    """The first s in [0, span] where x(s) reaches theta > x(0), or None."""
    a, b = terms.get(mp.mpf(0), (mp.mpf(0), mp.mpf(0)))
    full = _Sum({**terms, mp.mpf(0): (a - theta, b)})
    before = mp.mpf(0)
    for stop in [*full.slope().zeros(span), span]:
        if full.sign(stop) >= 0:
            return full.between(before, stop)
        before = stop
    return None


class _Sum:
    """A sum of (a + b s) exp(-rate s), from {rate: (a, b)}."""

    def __init__(self, terms):
        self.terms = [(rate, a, b) for rate, (a, b) in terms.items() if a or b]
        self._quick = [(float(rate), a, b, _sign_and_log(a)) for rate, a, b in self.terms]

    def slope(self):
        return _Sum({rate: (b - rate * a, -rate * b) for rate, a, b in self.terms})

    def without_decay(self, rate):
        """Times exp(rate s)."""
        return _Sum({r - rate: (a, b) for r, a, b in self.terms})

    def sign(self, s):
        """-1, 0 or 1: in floats, relative to the largest term, and in all digits where those do not decide."""
        parts, exponent = [], 0.0
        t = float(s)
        for rate, a, b, (sign, log) in self._quick:
            if b:
                sign, log = _sign_and_log(a + b * s)
            if sign:
                parts.append((sign, log - rate * t))
                exponent = max(exponent, abs(rate * t), abs(log))
        if not parts:
            return 0
        largest = max(log for _, log in parts)
        values = [sign * math.exp(log - largest) for sign, log in parts]
        total = sum(values)
        if abs(total) > 1e-9 + 1e-14 * exponent:
            return 1 if total > 0 else -1
        return int(mp.sign(sum((a + b * s) * mp.exp(-rate * s) for rate, a, b in self.terms)))

    def zeros(self, span):
        """Where in (0, span) the sign changes, in order."""
        if len(self.terms) == 0 or (len(self.terms) == 1 and not self.terms[0][2]):
            return []
        if len(self.terms) == 1:
            zero = -self.terms[0][1] / self.terms[0][2]
            return [zero] if 0 < zero < span else []
        flat = self.without_decay(self.terms[0][0])
        found, before, sign = [], mp.mpf(0), self.sign(mp.mpf(0))
        for stop in [*flat.slope().zeros(span), span]:
            at_stop = self.sign(stop)
            if sign * at_stop < 0:
                found.append(self.between(before, stop))
            if at_stop:
                before, sign = stop, at_stop
        return found

    def between(self, lo, hi):
        """The zero in [lo, hi], at whose ends the signs differ: halved to all bits of a float, then Newton's steps."""
        first = self.sign(lo)
        if first == 0:
            return lo
        for _ in range(1200):
            middle = (lo + hi) / 2
            if hi - lo <= abs(middle) * 1e-15:
                break
            if self.sign(middle) == first:
                lo = middle
            else:
                hi = middle
        s = middle
        for _ in range(2):
            slope = sum((b - rate * (a + b * s)) * mp.exp(-rate * s) for rate, a, b in self.terms)
            step = sum((a + b * s) * mp.exp(-rate * s) for rate, a, b in self.terms) / slope if slope else mp.mpf(0)
            if not lo <= s - step <= hi:
                break
            s -= step
        return s


def _sign_and_log(a):
    if not a:
        return 0, 0.0
    mantissa, exponent = mp.frexp(a)
    return (1 if a > 0 else -1), math.log(abs(float(mantissa))) + exponent * _LN2
