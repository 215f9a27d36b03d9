"""Statistical agreement, for networks whose spikes cannot be compared one by one because they are chaotic.

For each population the mean over neurons of the firing rate and of the coefficient of variation (CV) of interspike intervals, and
the mean over pairs of the correlation of spike counts, are compared on two recordings (Gutzen et al., Frontiers in
Neuroinformatics 12:90, 2018, validate simulators by these three).

Neurons of one network fluctuate together, and pairs share neurons. So neither are independent samples, and tests that take them
for such (Kolmogorov-Smirnov, Wilcoxon, t over neurons or pairs) find differences between recordings of the same network. What is
close to independent is what happened at different times. Each recording is cut into BLOCKS blocks of time or more (a trial is at
least one), and two tests ask whether the blocks of one recording differ from those of the other:

- "mean, blocks of time": leave out one block of both recordings at a time; the spread of the differences that are left gives the
  standard error of the whole difference (the jackknife; Schmeiser, Operations Research 30:556, 1982, on how few blocks do), and
  Student's t its p. Neighbouring blocks that are alike widen the error. What both recordings did at the same time, such as
  following the same input, is taken off. Where the networks are not the same (other connections), a neuron is one sample of
  many: the error over neurons is added.
- "each neuron, blocks exchanged", of the same network: the sum over neurons of (a - b)^2 / (a + b), of their numbers of spikes a
  and b beyond their share in the difference of all spikes, among what it is if each block had been recorded in the other's place,
  at random. It sees neurons that spike more where others spike less.

Assumed: both recordings began alike (the first tenth is left out), and blocks are longer than the network remembers. What is
slower than a block (50 ms or a twentieth of the recording) looks like a difference too often; compare trials then.
p-values are corrected by Holm over all populations and tests, which holds however the tests depend on each other. Two recordings
differ where the corrected p is below LEVEL AND the difference is at least as large as EFFECT says: what is smaller than the error
of a simulator's time step is no other network, however sure it is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from ttfs_pynn.comparison.blocks import Blocks, layout_of
from ttfs_pynn.comparison.record import NetworkRecord
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.spikes.recordings import Recording, Train
from ttfs_pynn.spikes.statistics import FEWEST_INTERVALS, correlations, irregularity, rates

__all__ = ["EFFECT", "LEVEL", "compare_statistics", "measures"]

LEVEL = 0.01
# Share of the reference's mean for rate and CV; for the correlation, the difference itself.
EFFECT = {"rate": 0.03, "cv": 0.03, "correlation": 0.002}
_FEWEST_SPIKES = 20  # of both recordings together: below it a mean is not normal enough for t
_EXCHANGES = 9_999
_MOST_ALIKE = 0.8


def measures(recording: Recording | Sequence[ArrayLike], t_start: float = 0.0, t_stop: float | None = None, skip: float = 0.0,
             bin_width: float = 5.0) -> dict[str, np.ndarray]:
    """{"rate": (n,) in 1/s, "cv": (n,), NaN below 3 intervals, "correlation": of pairs}, elephant's definitions.

    recording: a Recording, or one array of times (ms) a neuron, recorded from t_start to t_stop. The share `skip` of the start
    is left out; counts are in bins of bin_width ms.
    """
    if not isinstance(recording, Recording):
        if t_stop is None:
            raise ConfigurationError("arrays of spike times do not say until when they were recorded; give t_stop (ms)")
        recording = Recording.from_arrays(recording, t_start, t_stop)
    recording = recording.without_start(skip)
    found = correlations(recording, bin_width)
    return {"rate": rates(recording), "cv": irregularity(recording), "correlation": found[np.isfinite(found)]}


def _mean(values):
    finite = np.isfinite(values)
    return np.where(finite.any(axis=-1), np.where(finite, values, 0).sum(axis=-1) / np.maximum(finite.sum(axis=-1), 1), np.nan)


def _holm(p):
    """Holm's step-down correction."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * (p.size - np.arange(p.size))), 1.0)
    return corrected


def _difference(name, sides, use, paired, same):
    """(mean of reference, of other, p of the difference) of one measure. sides: two Blocks. use: of each, the mask of the neurons
    or pairs that count. paired: block k of one was at the time of block k of the other."""
    values = [getattr(side, name)(side.sets)[:, mask] for side, mask in zip(sides, use, strict=True)]
    means = [_mean(each) for each in values]
    reference, other = (float(mean[0]) for mean in means)
    difference = other - reference
    if difference == 0 or not np.isfinite(difference):
        return reference, other, 1.0
    terms = [] if same else [_over_neurons(name, each[0], side, mask)
                             for each, side, mask in zip(values, sides, use, strict=True)]
    estimates = [(means[1] - means[0], sides[0])] if paired else list(zip(means, sides, strict=True))
    terms += [_over_blocks(each, side.first) for each, side in estimates]
    squared = sum(term for term, _ in terms)
    if squared == 0 or np.isnan(squared):  # the same in every block; too little in some
        return reference, other, 0.0 if squared == 0 else 1.0
    freedom = squared ** 2 / sum(term ** 2 / df for term, df in terms)  # Welch and Satterthwaite
    return reference, other, float(2 * student.sf(abs(difference) / np.sqrt(squared), freedom))


def _over_blocks(estimates, first):
    """(squared standard error, degrees of freedom) of estimates[0] from the others, which leave out one block each. first: of
    each block, whether a trial begins with it."""
    left = estimates[1:] - estimates[1:].mean()
    n, squared = left.size, (left ** 2).sum()
    if squared == 0:
        return 0.0, n - 1
    alike = (left[1:] * left[:-1])[~first[1:]].sum() / squared
    # The correlation of neighbours in a short series comes out too small, by (1 + 3 rho) / n (Marriott and Pope, Biometrika
    # 41:390, 1954). If what happened is forgotten exponentially, it leaves n (1 - rho) / (1 + rho) independent blocks of n.
    alike = min(max((n * alike + 1) / (n - 3), 0.0), _MOST_ALIKE) if not first.all() else 0.0
    widened = (1 + alike) / (1 - alike)
    return (n - 1) / n * squared * widened, max(n / widened - 1, 2.0)


def _over_neurons(name, values, side, mask):
    """(squared standard error, degrees of freedom) of the mean of values as of a sample of neurons; a pair has two of them."""
    finite = np.isfinite(values)
    values = values[finite]
    if name != "correlation":
        return values.var(ddof=1) / values.size, values.size - 1
    n = side.x.shape[1]
    ends = [each[mask][finite] for each in side.pairs]
    total, number = (sum(np.bincount(end, weights, n) for end in ends) for weights in (values, np.ones(values.size)))
    left = ((values.sum() - total) / np.maximum(values.size - number, 1))[number > 0]
    return (left.size - 1) / left.size * ((left - left.mean()) ** 2).sum(), left.size - 1


def _exchanged(sides, rng):
    """(p, effect) of the shares of the neurons in the spikes of all, among those of blocks that are exchanged at random."""
    a, b = sides
    total = a.x.sum(axis=0) + b.x.sum(axis=0)
    share = total / total.sum()
    # Neurons that spike more all together are the other test's; it is their common fluctuation that blocks remember.
    d = ((a.x - b.x) - (a.x - b.x).sum(axis=1, keepdims=True) * share)[:, total > 0] / np.sqrt(total[total > 0])
    gram = d @ d.T
    signs = rng.choice([-1.0, 1.0], (_EXCHANGES, len(gram)))
    among = ((signs @ gram) * signs).sum(axis=1)
    p = (1 + (among >= gram.sum() * (1 - 1e-9)).sum()) / (1 + _EXCHANGES)
    return float(p), float(2 * np.sqrt(max(gram.sum() - np.trace(gram), 0.0) / total.sum()))


def _same_network(reference, other):
    """Whether neuron k of one is neuron k of the other: the same cells, connected in the same way."""
    if reference.labels != other.labels or list(reference.sizes) != list(other.sizes):
        return False
    if reference.meta.get("connections") != other.meta.get("connections"):  # how many, of a record that does not list them
        return False
    return len(reference.connections) == len(other.connections) and all(
        _pairs(a) == _pairs(b) for a, b in zip(reference.connections, other.connections, strict=True))


def _pairs(connections):
    order = np.lexsort((connections.post, connections.pre))
    return np.asarray(connections.pre)[order].tolist(), np.asarray(connections.post)[order].tolist()


def _trials(records, skip):
    """{label of a population of neurons: for each record the Trains of its cells}."""
    found: dict[str, list] = {}
    for record in records:
        trains = [Train(times[times >= skip * record.duration], skip * record.duration, record.duration)
                  for times in record.trains()]
        for label, cells in record.populations.items():
            if record.is_neuron[cells.start:cells.stop].any():
                found.setdefault(label, []).append(trains[cells.start:cells.stop])
    return found


def compare_statistics(reference: NetworkRecord | Sequence[NetworkRecord], other: NetworkRecord | Sequence[NetworkRecord],
                       skip: float = 0.1, bin_width: float = 5.0) -> dict[str, Any]:
    """{"rows": [population, measure, test, mean_reference, mean_other, p, p_corrected, effect, differs], "agree": bool or None}.

    Of the populations of neurons that are in both, by label. reference, other: a NetworkRecord each, or a list of them, trials of
    one network. effect: (other - reference) / reference of the means of rate and CV; other - reference of the correlation; of
    each neuron, how far its share in the spikes moved (root mean square, chance taken off). None: nothing to compare, too few
    spikes or too short a time. skip: share of the start of each trial that is left out; counts are in bins of bin_width ms.
    """
    sides = [[side] if isinstance(side, NetworkRecord) else list(side) for side in (reference, other)]
    same = _same_network(sides[0][0], sides[1][0])
    rows: list[dict] = []
    trials = [_trials(side, skip) for side in sides]
    for label in (label for label in trials[0] if label in trials[1]):
        layouts = [layout_of(side[label], bin_width) for side in trials]
        blocks = [Blocks(side[label], layout, bin_width) for side, layout in zip(trials, layouts, strict=True)
                  if layout is not None]
        if len(blocks) == 2:
            rows += [{"population": label, **row} for row in _rows(blocks, layouts[0] == layouts[1], same)]
    for row, p in zip(rows, _holm([row["p"] for row in rows]) if rows else (), strict=True):
        row |= {"p_corrected": float(p), "differs": bool(p < LEVEL and abs(row["effect"]) >= EFFECT[row["measure"]])}
    return {"rows": rows, "agree": None if not rows else not any(row["differs"] for row in rows)}


def _rows(sides, paired, same):
    """The tests of one population, from the Blocks of both recordings."""
    if sum(side.x.sum() for side in sides) < _FEWEST_SPIKES:
        return
    for name in ("rate", "cv", "correlation"):
        use = [np.isfinite(getattr(side, name)(side.sets[:1])[0]) for side in sides]
        if name == "cv":
            use = [mask & (side.intervals.sum(axis=0) >= FEWEST_INTERVALS) for mask, side in zip(use, sides, strict=True)]
        if same:
            use = [use[0] & use[1]] * 2
        if min(mask.sum() for mask in use) < (1 if same else 3):
            continue
        reference, other, p = _difference(name, sides, use, paired, same)
        scale = 1.0 if name == "correlation" else reference
        row = {"measure": name, "mean_reference": reference, "mean_other": other}
        difference = other - reference
        effect = difference / scale if scale else float(np.copysign(np.inf, difference)) if difference else 0.0
        yield row | {"test": "mean, blocks of time", "p": p, "effect": effect}
        if name == "rate" and same and paired:
            p, effect = _exchanged(sides, np.random.default_rng(0))
            yield row | {"test": "each neuron, blocks exchanged", "p": p, "effect": effect}
