"""Statistical agreement, for networks whose spikes cannot be compared one by one because they are chaotic.

For each population the distributions over neurons of the firing rate and of the coefficient of variation (CV) of interspike
intervals, and the distribution over pairs of the correlation of spike counts, are compared on two recordings (Gutzen et al.,
Frontiers in Neuroinformatics 12:90, 2018, validate simulators so).

The tests: two-sample Kolmogorov-Smirnov on each distribution, with Cohen's d (difference of means over the pooled standard
deviation) as effect size; and Wilcoxon's signed-rank test on the same neuron's rate and CV in both recordings, with d = mean over
standard deviation of the differences. The second sees what the first cannot, a small shift of every neuron under a wide
distribution over neurons, but needs the same connections. p-values are corrected by Holm over all populations and measures. Two
recordings differ in a measure where the corrected p is below 0.01 AND d is at least 0.2 or at most -0.2 (Cohen's small effect):
neurons of one network fluctuate together, so that with many of them p alone becomes small for recordings of the same network.
"""

import numpy as np
from scipy.stats import ks_2samp, wilcoxon

__all__ = ["EFFECT", "LEVEL", "compare_statistics", "measures"]

LEVEL, EFFECT = 0.01, 0.2


def measures(trains, duration, skip=0.1, bin_width=5.0, n_pairs=2000, seed=0):
    """{"rate": (n,) in 1/s, "cv": (n,), NaN below 3 intervals, "correlation": of n_pairs pairs of active neurons}.

    trains: one array of times (ms) a neuron. The share `skip` of the start is left out; counts are in bins of bin_width ms.
    """
    start = skip * duration
    trains = [np.asarray(t)[np.asarray(t) >= start] for t in trains]
    rate = np.array([t.size for t in trains]) / (duration - start) * 1e3
    cv = np.full(len(trains), np.nan)
    for k, train in enumerate(trains):
        if train.size >= 4:
            intervals = np.diff(train)
            cv[k] = intervals.std() / intervals.mean()
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
    return {"rate": rate, "cv": cv, "correlation": correlation}


def _cohen(a, b):
    pooled = np.sqrt((a.var(ddof=1) * (a.size - 1) + b.var(ddof=1) * (b.size - 1)) / (a.size + b.size - 2))
    difference = b.mean() - a.mean()
    return float(difference / pooled) if pooled > 0 else (0.0 if difference == 0 else float(np.copysign(np.inf, difference)))


def _paired(differences):
    differences = differences[np.isfinite(differences)]
    if not differences.any():
        return {"p": 1.0, "effect": 0.0}
    spread = differences.std(ddof=1)
    return {"p": float(wilcoxon(differences).pvalue),
            "effect": float(differences.mean() / spread) if spread > 0 else float(np.copysign(np.inf, differences.mean()))}


def _holm(p):
    """Holm's step-down correction."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * (p.size - np.arange(p.size))), 1.0)
    return corrected


def compare_statistics(reference, other, **options):
    """{"rows": [population, measure, test, mean_reference, mean_other, p, p_corrected, effect, differs], "agree": bool or None}.

    Of the populations of neurons of two NetworkRecords, measures with at least 20 values on both sides. None: nothing to compare.
    """
    same = reference.meta.get("connections") == other.meta.get("connections")
    rows, trains = [], (reference.trains(), other.trains())
    for label, cells in reference.populations.items():
        if not reference.is_neuron[cells.start:cells.stop].any():
            continue
        a, b = (measures(t[cells.start:cells.stop], r.duration, **options)
                for t, r in zip(trains, (reference, other), strict=True))
        for name in a:
            x, y = a[name][np.isfinite(a[name])], b[name][np.isfinite(b[name])]
            if min(x.size, y.size) < 20:
                continue
            row = {"population": label, "measure": name, "mean_reference": float(x.mean()), "mean_other": float(y.mean())}
            rows.append(row | {"test": "Kolmogorov-Smirnov", "p": float(ks_2samp(x, y).pvalue), "effect": _cohen(x, y)})
            if same and name != "correlation":
                rows.append(row | {"test": "Wilcoxon, same neurons", **_paired(b[name] - a[name])})
    for row, p in zip(rows, _holm([row["p"] for row in rows]) if rows else (), strict=True):
        row |= {"p_corrected": float(p), "differs": bool(p < LEVEL and abs(row["effect"]) >= EFFECT)}
    return {"rows": rows, "agree": None if not rows else not any(row["differs"] for row in rows)}
