"""A reference in 50 digits for first spikes, independent of the library's formulas, and neurons made to be hard.

The reference writes v between two inputs as A exp(-t/tau_m) + B exp(-t/tau_s) (or (A + B t) exp(-t/tau) for equal constants)
with coefficients in 50 digits, where cancellation does no harm, and solves v' = 0 and v = theta for that form.
"""

import mpmath as mp
import numpy as np

from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.neuron import LIFParameters

RATIOS = (0.3, 0.5, 1.0, 1.0 + 1e-9, 2.0, 7.0, 100.0, np.inf)


def reference_first_spike(t_in, w, tau_m, tau_syn, cm, thr):
    """First-spike time in 50 digits (mpf), or None. A touch counts as a spike."""
    with mp.workdps(50):
        order = [i for i in np.argsort(t_in, kind="stable") if np.isfinite(t_in[i])]
        t = [mp.mpf(float(t_in[i])) for i in order]
        w = [mp.mpf(float(w[i])) for i in order]
        tau_m, tau_s, cm, thr = (mp.mpf(float(x)) for x in (tau_m, tau_syn, cm, thr))
        for k in range(len(t)):
            end = t[k + 1] if k + 1 < len(t) else mp.inf
            if end == t[k]:
                continue
            spike = _crossing(t[:k + 1], w[:k + 1], t[k], end, tau_m, tau_s, cm, thr)
            if spike is not None:
                return spike
        return None


def _crossing(t, w, begin, end, tau_m, tau_s, cm, thr):
    age = [begin - ti for ti in t]
    if tau_m == tau_s:
        a = sum(wi * s * mp.exp(-s / tau_s) for wi, s in zip(w, age, strict=True)) / cm
        b = sum(wi * mp.exp(-s / tau_s) for wi, s in zip(w, age, strict=True)) / cm

        def v(s):
            return (a + b * s) * mp.exp(-s / tau_s)

        zero = tau_s - a / b if b != 0 else None
    else:
        gain = 1 / (cm * (1 / tau_s - (0 if mp.isinf(tau_m) else 1 / tau_m)))
        rate_m = mp.mpf(0) if mp.isinf(tau_m) else 1 / tau_m
        a = gain * sum(wi * mp.exp(-s * rate_m) for wi, s in zip(w, age, strict=True))
        b = -gain * sum(wi * mp.exp(-s / tau_s) for wi, s in zip(w, age, strict=True))

        def v(s):
            return a * mp.exp(-s * rate_m) + b * mp.exp(-s / tau_s)

        zero = None
        if rate_m != 0 and a != 0 and -b / (a * tau_s * rate_m) > 0:
            zero = mp.log(-b / (a * tau_s * rate_m)) / (1 / tau_s - rate_m)
    stops = [zero] if zero is not None and 0 < zero < end - begin else []
    if not mp.isinf(end):
        stops.append(end - begin)
    elif tau_m == mp.inf and a > thr and b < 0:
        return begin - tau_s * mp.log((thr - a) / b)
    lo = mp.mpf(0)
    for stop in stops:
        margin = v(stop) - thr
        if margin >= -thr * mp.mpf(10) ** -40:
            return begin + _bisect(lambda s: v(s) - thr, lo, stop)
        lo = stop
    return None


def _bisect(f, lo, hi):
    if f(hi) <= 0:
        return hi
    if f(lo) >= 0:
        return lo
    for _ in range(110):
        middle = (lo + hi) / 2
        if f(middle) < 0:
            lo = middle
        else:
            hi = middle
    return hi


def adversarial_batches(rng, n_batches, n_neurons):
    """Yield (t_in (inputs,), w (inputs, n_neurons), tau_m (n_neurons,)) with tau_syn = cm = thr = 1.

    In turn: threshold grazed from both sides (relative 1e-9 down to 1e-14), inputs tied, inputs at the very time of a crossing
    or one ulp beside it, zero weights and silent inputs.
    """
    for batch in range(n_batches):
        n_inputs = int(rng.integers(1, 9))
        t = rng.uniform(0, 3, n_inputs)
        tau_m = rng.choice(RATIOS, n_neurons)
        w = rng.normal(1.0, 2.0, (n_inputs, n_neurons))
        kind = batch % 4
        if kind == 1:
            t = rng.choice(t[:max(1, n_inputs // 2)], n_inputs)
        if kind == 3:
            t = np.where(rng.random(n_inputs) < 0.3, np.inf, t)
            w[rng.random(w.shape) < 0.4] = 0.0
        if kind in (0, 1, 3):
            yield t, _grazing(rng, t, w, tau_m), tau_m
        else:
            yield _at_crossing(rng, t, w, tau_m)


def _grazing(rng, t, w, tau_m):
    """Scale the weights of every neuron such that the largest v is thr (1 +- 1e-9 ... 1e-14)."""
    w = w.copy()
    margin = rng.choice([1e-9, -1e-9, 1e-11, -1e-11, 1e-13, -1e-13, 1e-14, -1e-14], w.shape[1])
    for n in range(w.shape[1]):
        peak = largest_membrane(t, w[:, n], tau_m[n])
        if peak > 0.05:
            w[:, n] *= (1 + margin[n]) / peak
    return w


def largest_membrane(t, w, tau_m):
    """max v over time, from its values at inputs and at the extrema between them (floats)."""
    neuron = LIFParameters(tau_m=tau_m, tau_syn=1.0, cm=1.0, v_rest=0.0, v_thresh=1.0)
    t, w = t[np.isfinite(t)], w[np.isfinite(t)]
    if not t.size:
        return 0.0
    if np.isinf(tau_m):
        return max([w.sum()] + [(w * neuron.kernel(s - t)).sum() for s in t])
    candidates = []
    edges = np.append(np.unique(t), np.inf)
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        on = t <= begin
        j = (w[on] * np.exp(t[on] - begin)).sum()
        v = (w[on] * neuron.kernel(begin - t[on])).sum()
        if j > 0:
            y = 1 - v / (j * tau_m)
            d = 1 - 1 / tau_m
            if y > 0 and d * y < 1:
                s = y if d == 0 else -np.log1p(-d * y) / d
                if begin + s < end:
                    candidates.append((w[on] * neuron.kernel(begin + s - t[on])).sum())
        if np.isfinite(end):
            candidates.append((w[on] * neuron.kernel(end - t[on])).sum())
    return max(candidates, default=0.0)


def _at_crossing(rng, t, w, tau_m):
    """All neurons share weights and tau_m, hence the crossing T; two more inputs, of other weight in each, come at or by T."""
    w0 = np.abs(w[:, :1]) + 1.5
    tau = np.full_like(tau_m, tau_m[0])
    neuron = LIFParameters(tau_m=tau[0], tau_syn=1.0, cm=1.0, v_rest=0.0, v_thresh=1.0)
    crossing = first_spike_times(t[None], w0, neuron)[0, 0]
    n = w.shape[1]
    extra_w = rng.normal(0, 5, (2, n)) * rng.choice([1.0, 1e-3, 1e3], (2, n))
    if not np.isfinite(crossing):
        crossing = t.max() + 1.0
    where = rng.choice([crossing, np.nextafter(crossing, np.inf), np.nextafter(crossing, -np.inf), crossing + 1e-9,
                        crossing - 1e-9], 2)
    return np.concatenate([t, where]), np.concatenate([np.repeat(w0, n, axis=1), extra_w]), tau
