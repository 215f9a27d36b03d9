"""Spikes of cells without a closed form, to 25 digits and more: Taylor series of mpmath numbers, slow and plain.

Nothing of the library is used. A step is shortened until the last terms of its series are below 1e-27.
"""

import mpmath as mp

ORDER = 28
DIGITS = 34


class Series:
    """A power series with ORDER terms that are known one after the other."""

    def __init__(self, terms):
        self.terms = list(terms)

    def __add__(self, other):
        return Series([a + b for a, b in zip(self.terms, _series(other, len(self.terms)).terms, strict=False)])

    def __mul__(self, other):
        if not isinstance(other, Series):
            return Series([a * other for a in self.terms])
        n = min(len(self.terms), len(other.terms))
        return Series([mp.fdot(self.terms[:k + 1], other.terms[k::-1]) for k in range(n)])

    def __sub__(self, other):
        return self + other * mp.mpf(-1) if isinstance(other, Series) else self + (-other)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * mp.mpf(-1) + other

    def exp(self):
        found = [mp.exp(self.terms[0])]
        for k in range(1, len(self.terms)):
            found.append(sum((j * self.terms[j] * found[k - j] for j in range(1, k + 1)), mp.mpf(0)) / k)
        return Series(found)


def _series(value, n):
    return value if isinstance(value, Series) else Series([value] + [mp.mpf(0)] * (n - 1))


def _conductances(p, y):
    """(sum of g, sum of g e, their derivatives): y[2:] are g_E, g_I and, of alpha functions, their rises."""
    g = y[2] + y[3]
    driven = y[2] * p["e_rev_E"] + y[3] * p["e_rev_I"]
    slopes = []
    for k, tau in enumerate(("tau_syn_E", "tau_syn_I")):
        slope = y[2 + k] * (-1 / p[tau])
        slopes.append(slope + y[4 + k] if len(y) > 4 else slope)
    slopes += [y[4 + k] * (-1 / p[tau]) for k, tau in enumerate(("tau_syn_E", "tau_syn_I"))] if len(y) > 4 else []
    return g, driven, slopes


def conductance_lif(p, y, held):
    """dy/dt of v, nothing, g_E, g_I[, rises]."""
    g, driven, slopes = _conductances(p, y)
    v = y[0]
    slope = (p["cm"] / p["tau_m"] * (p["v_rest"] - v) + driven - g * v + p["i_offset"]) * (1 / p["cm"])
    return [v * 0 if held else slope, y[1] * 0, *slopes]


def adex(p, y, held):
    """dy/dt of v, w, g_E, g_I[, rises]; a in nS."""
    g, driven, slopes = _conductances(p, y)
    v, w = y[0], y[1]
    leak = p["cm"] / p["tau_m"]
    slope = v * 0
    if not held:
        rise = ((v - p["v_thresh"]) * (1 / p["delta_T"])).exp()
        slope = (leak * (p["v_rest"] - v) + leak * p["delta_T"] * rise - w + driven - g * v + p["i_offset"]) * (1 / p["cm"])
    return [slope, (p["a"] / 1000 * (v - p["v_rest"]) - w) * (1 / p["tau_w"]), *slopes]


def refractory(p, y, held):
    """`conductance_lif` with y[4] = g_s and y[5] = g_r (uS)."""
    v = y[0]
    slopes = conductance_lif(p, y[:4], held)
    if not held:
        more = y[4] * (p["e_rev_sfa"] - v) + y[5] * (p["e_rev_rr"] - v)
        slopes[0] = slopes[0] + more * (1 / p["cm"])
    return [*slopes, y[4] * (-1 / p["tau_sfa"]), y[5] * (-1 / p["tau_rr"])]


def izhikevich(p, y, held):
    """dy/dt of v and u, and nothing of what has no conductances."""
    v, u = y[0], y[1]
    return [v * v * mp.mpf("0.04") + v * 5 + 140 + p["i_offset"] * 1000 - u, (v * p["b"] - u) * p["a"], v * 0, v * 0]


def _step(equations, p, y, held, h):
    """(polynomials of y in time, the step for which they hold)."""
    series = [Series([value]) for value in y]
    for k in range(ORDER):
        slopes = equations(p, series, held)
        for each, slope in zip(series, slopes, strict=True):
            each.terms.append(slope.terms[k] / (k + 1))
    while max(abs(each.terms[ORDER - j]) * h ** (ORDER - j) for each in series for j in (0, 1)) > mp.mpf(10) ** -27:
        h *= mp.mpf("0.7")
    return series, h


def _at(series, s):
    return mp.polyval(series.terms[::-1], s)


def _crossing(v, h, level):
    """The first s <= h at which v reaches level, None: by 64 samples, then by halving."""
    before = mp.mpf(0)
    for k in range(1, 65):
        after = h * k / 64
        if _at(v, after) >= level:
            while after - before > mp.mpf(10) ** -28:
                middle = (before + after) / 2
                before, after = (before, middle) if _at(v, middle) >= level else (middle, after)
            return after
        before = after
    return None


def spikes(equations, parameters, events, t_stop, alpha=False, detected="v_thresh", longest=0.5):
    """Spike times before t_stop of a cell that starts at rest. events: (time, 0 excitatory or 1 inhibitory, weight), in order."""
    with mp.workdps(DIGITS):
        p = {name: mp.mpf(float(value)) for name, value in parameters.items()}
        jumps = equations is izhikevich
        y = [p.get("v_rest", mp.mpf(-70)), *[mp.mpf(0)] * (5 if alpha or equations is refractory else 3)]
        if jumps:
            y[1] = mp.mpf(-14)
            p |= {"v_reset": p["c"], "tau_refrac": mp.mpf(0), "peak": mp.mpf(30)}
        t, held_until, found = mp.mpf(0), mp.mpf(-1), []
        for time, side, weight in [*events, (t_stop, 0, 0.0)]:
            time = mp.mpf(float(time))
            while t < time:
                held = held_until > t
                span = min(time - t, mp.mpf(longest), held_until - t if held else mp.inf)
                series, h = _step(equations, p, y, held, span)
                s = None if held else _crossing(series[0], h, p[detected])
                y = [_at(each, h if s is None else s) for each in series]
                end = t + (h if s is None else s)
                # Ends that were aimed at are met to the last digit.
                t = end if s is not None else next((aim for aim in (time, held_until) if h == aim - t), end)
                if s is not None:
                    found.append(t)
                    y[0] = p["v_reset"]
                    y[1] += p["d"] if jumps else p.get("b", mp.mpf(0))
                    if equations is refractory:
                        y[4] += p["q_sfa"] / 1000
                        y[5] += p["q_rr"] / 1000
                    held_until = t + p["tau_refrac"]
            if jumps:
                y[0] += mp.mpf(float(weight))
                if y[0] >= p["peak"]:
                    found.append(t)
                    y[0], y[1] = p["c"], y[1] + p["d"]
            elif alpha:
                y[4 + side] += mp.mpf(float(weight)) * mp.e / p["tau_syn_E" if side == 0 else "tau_syn_I"]
            else:
                y[2 + side] += mp.mpf(float(weight))
        return found
