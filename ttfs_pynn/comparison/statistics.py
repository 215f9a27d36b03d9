"""Statistical agreement, for networks whose spikes cannot be compared one by one because they are chaotic.

For each population the distributions over neurons of the firing rate and of the coefficient of variation (CV) of interspike
intervals, and the distribution over pairs of the correlation of spike counts, are compared on two recordings (Gutzen et al.,
Frontiers in Neuroinformatics 12:90, 2018, validate simulators so).

The test: two-sample Kolmogorov-Smirnov for each of them, p-values corrected by Holm over all populations and measures. The effect
size is Cohen's d, the difference of means over the pooled standard deviation. Two recordings differ in a measure where the
corrected p is below 0.01 AND |d| >= 0.2 (Cohen's small effect): neurons of one network fluctuate together, so that with many of
them p alone becomes small for recordings of the same network.
"""

import numpy as np
from scipy.stats import ks_2samp

__all__ = ["EFFECT", "LEVEL", "compare_statistics", "measures"]

LEVEL, EFFECT = 0.01, 0.2


def measures(trains, duration, skip=0.1, bin_width=5.0, n_pairs=2000, seed=0):
    """{"rate": (n,) in 1/s, "cv": of neurons with 3 or more intervals, "correlation": of n_pairs pairs of active neurons}.

    trains: one array of times (ms) a neuron. The share `skip` of the start is left out; counts are in bins of bin_width ms.
    """
    start = skip * duration
    trains = [np.asarray(t)[np.asarray(t) >= start] for t in trains]
    rate = np.array([t.size for t in trains]) / (duration - start) * 1e3
    cv = []
    for train in trains:
        if train.size >= 4:
            intervals = np.diff(train)
            cv.append(intervals.std() / intervals.mean())
    edges = np.arange(start, duration, bin_width)
    active = [k for k, t in enumerate(trains) if t.size >= 2]
    correlation = np.empty(0)
    if len(active) > 1 and edges.size > 10:
        rng = np.random.default_rng(seed)
        first = rng.integers(len(active), size=n_pairs)
        second = (first + rng.integers(1, len(active), size=n_pairs)) % len(active)
        counts = np.array([np.histogram(trains[k], edges)[0] for k in active], dtype=float)
        counts -= counts.mean(axis=1, keepdims=True)
        size = np.sqrt((counts ** 2).sum(axis=1))
        usable = (size[first] > 0) & (size[second] > 0)
        first, second = first[usable], second[usable]
        correlation = (counts[first] * counts[second]).sum(axis=1) / (size[first] * size[second])
    return {"rate": rate, "cv": np.array(cv), "correlation": correlation}


def _cohen(a, b):
    pooled = np.sqrt((a.var(ddof=1) * (a.size - 1) + b.var(ddof=1) * (b.size - 1)) / (a.size + b.size - 2))
    difference = b.mean() - a.mean()
    return float(difference / pooled) if pooled > 0 else (0.0 if difference == 0 else float(np.copysign(np.inf, difference)))


def _holm(p):
    """Holm's step-down correction."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * (p.size - np.arange(p.size))), 1.0)
    return corrected


def compare_statistics(reference, other, **options):
    """{"rows": [population, measure, mean_reference, mean_other, ks, p, p_corrected, effect, differs], "agree": bool or None}.

    Of the populations of neurons of two NetworkRecords, measures with at least 20 values on both sides. None: nothing to compare.
    """
    rows, trains = [], (reference.trains(), other.trains())
    for label, cells in reference.populations.items():
        if not reference.is_neuron[cells.start:cells.stop].any():
            continue
        a, b = (measures(t[cells.start:cells.stop], r.duration, **options)
                for t, r in zip(trains, (reference, other), strict=True))
        for name in a:
            if min(a[name].size, b[name].size) < 20:
                continue
            test = ks_2samp(a[name], b[name])
            rows.append({"population": label, "measure": name, "mean_reference": float(a[name].mean()),
                         "mean_other": float(b[name].mean()), "ks": float(test.statistic), "p": float(test.pvalue),
                         "effect": _cohen(a[name], b[name])})
    for row, p in zip(rows, _holm([row["p"] for row in rows]) if rows else (), strict=True):
        row |= {"p_corrected": float(p), "differs": bool(p < LEVEL and abs(row["effect"]) >= EFFECT)}
    return {"rows": rows, "agree": None if not rows else not any(row["differs"] for row in rows)}
