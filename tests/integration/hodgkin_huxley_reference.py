"""Spikes of HH_cond_exp to 24 digits: Taylor series of order 30 in mpmath with 30 digits, crossings by a scan of each step.

Slow, so what it finds is kept in tests/data/hodgkin_huxley.json:

    python -m tests.integration.hodgkin_huxley_reference
"""

import json
from pathlib import Path

import mpmath as mp
import numpy as np

FILE = Path(__file__).parents[1] / "data" / "hodgkin_huxley.json"
T_STOP = 12.0  # ms
THRESHOLD = -40
# Columns of the parameters, and of the state: v, m, h, n, two that are unused, g_exc, g_inh.
NAMES = ("cm", "g_leak", "e_rev_leak", "gbar_Na", "e_rev_Na", "gbar_K", "e_rev_K", "v_offset", "i_offset", "tau_syn_E", "e_rev_E",
         "tau_syn_I", "e_rev_I")
M = mp.mpf
ORDER = 30
LAST_TERM = M(10) ** -24
SCAN = 24  # points of a step at which the threshold is looked for


def _times(a, b, k):
    return mp.fsum(a[j] * b[k - j] for j in range(k + 1))


def _exponential(series, rate, constant, k, terms):
    """Term k of exp(rate (series - constant)): k e_k = rate sum of j s_j e_(k-j)."""
    if k == 0:
        return mp.exp(rate * (series[0] - constant))
    return rate * mp.fsum(j * series[j] * terms[k - j] for j in range(1, k + 1)) / k


def hodgkin_huxley(y, p):
    v, m, h, n, g_exc, g_inh = ([y[column]] for column in (0, 1, 2, 3, 6, 7))
    rising = {width: [] for width in (5, 4, 18, 40)}  # exp(-(v - v_offset) / width)
    phi = {key: [] for key in ((15, 5), (13, 4), (40, 5))}  # z / (exp(z) - 1), z = (zero - u) / width
    beta_h, rates_m, rates_h, rates_n, m2, m3, m3h, n2, n4 = ([] for _ in range(9))
    for k in range(ORDER):
        for width, terms in rising.items():
            terms.append(_exponential(v, -M(1) / width, p[7], k, terms))
        for (zero, width), terms in phi.items():
            grown = [mp.exp(M(zero) / width) * term for term in rising[width]]
            z = (zero - v[0] + p[7]) / width if k == 0 else -v[k] / width
            terms.append((z - mp.fsum(terms[j] * grown[k - j] for j in range(k))) / (grown[0] - 1))
        grown = [mp.exp(8) * term for term in rising[5]]
        beta_h.append(((4 if k == 0 else 0) - mp.fsum(beta_h[j] * grown[k - j] for j in range(k))) / (1 + grown[0]))
        z = (40 - v[0] + p[7]) / 5 if k == 0 else -v[k] / 5
        # beta_m = 0.28 (u - 40) / (exp((u - 40) / 5) - 1) = 1.4 (z + phi(z)), as -z / (exp(-z) - 1) = z + z / (exp(z) - 1)
        alpha_m, beta_m = M(128) / 100 * phi[13, 4][k], M(14) / 10 * (z + phi[40, 5][k])
        alpha_n, beta_n = M(16) / 100 * phi[15, 5][k], mp.exp(M(1) / 4) / 2 * rising[40][k]
        alpha_h = M(128) / 1000 * mp.exp(M(17) / 18) * rising[18][k]
        rates_m.append(alpha_m + beta_m)
        rates_h.append(alpha_h + beta_h[k])
        rates_n.append(alpha_n + beta_n)
        m2.append(_times(m, m, k))
        m3.append(_times(m2, m, k))
        m3h.append(_times(m3, h, k))
        n2.append(_times(n, n, k))
        n4.append(_times(n2, n2, k))
        sodium, potassium = p[3] * m3h[k], p[5] * n4[k]
        slope = sodium * p[4] + potassium * p[6] + (p[1] * p[2] + p[8] if k == 0 else 0) - p[1] * v[k]
        slope -= p[3] * _times(m3h, v, k) + p[5] * _times(n4, v, k)
        for g, tau, e_rev in ((g_exc, p[9], p[10]), (g_inh, p[11], p[12])):
            slope += g[k] * e_rev - _times(g, v, k)
            g.append(-g[k] / tau / (k + 1))
        v.append(slope / p[0] / (k + 1))
        for gate, alpha, rates in ((m, alpha_m, rates_m), (h, alpha_h, rates_h), (n, alpha_n, rates_n)):
            gate.append((alpha - _times(rates, gate, k)) / (k + 1))
    return {0: v, 1: m, 2: h, 3: n, 6: g_exc, 7: g_inh}


def _first_above(v, h, threshold):
    before = M(0)
    for point in range(1, SCAN + 1):
        x = h * point / SCAN
        if mp.polyval(v[::-1], x) >= threshold:
            low, high = before, x
            for _ in range(95):
                middle = (low + high) / 2
                low, high = (middle, high) if mp.polyval(v[::-1], middle) < threshold else (low, middle)
            return high
        before = x
    return None


def spike_times(parameters, events):
    """Spike times of a cell that begins at -65 mV. parameters: by NAMES; events: (time, 0 excitatory or 1 inhibitory, weight)."""
    with mp.workdps(30):
        p, t, times = [M(float(parameters[name])) for name in NAMES], M(0), []
        y = [M(-65), M(0), M(1), M(0), M(0), M(0), M(0), M(0)]
        waiting = [(M(float(at)), 6 + side, M(float(weight))) for at, side, weight in events]
        while t < T_STOP:
            end = min(waiting[0][0], M(T_STOP)) if waiting else M(T_STOP)
            if end > t:
                terms = hodgkin_huxley(y, p)
                h = end - t
                for coefficients in terms.values():
                    for k in (ORDER - 1, ORDER):
                        if coefficients[k] != 0:
                            h = min(h, M(9) / 10 * (LAST_TERM / abs(coefficients[k])) ** (M(1) / k))
                x = _first_above(terms[0], h, THRESHOLD) if y[0] < THRESHOLD else None
                if x is not None:
                    times.append(t + x)
                for column, coefficients in terms.items():
                    y[column] = mp.polyval(coefficients[::-1], h)
                t = end if h == end - t else t + h
            while waiting and waiting[0][0] <= t:
                _, column, weight = waiting.pop(0)
                y[column] += weight
        return [float(time) for time in times]


def drawn(seed):
    """(parameters, events)."""
    rng = np.random.default_rng([7, seed])
    values = (0.2, 0.01, -65, rng.uniform(15, 25), 50, rng.uniform(4, 8), -90, -63, rng.uniform(0, 0.3), rng.uniform(0.2, 1), 0,
              rng.uniform(1, 3), -80)
    times = np.sort(rng.uniform(0, T_STOP, rng.poisson(1.2 * T_STOP)))
    side = rng.integers(0, 2, times.size)
    weight = np.where(side, 0.05, 0.2) * rng.uniform(0, 1, times.size)
    return dict(zip(NAMES, map(float, values), strict=True)), list(zip(times.tolist(), side.tolist(), weight.tolist(),
                                                                       strict=True))


if __name__ == "__main__":
    FILE.write_text(json.dumps([spike_times(*drawn(seed)) for seed in range(4)], indent=1) + "\n")
