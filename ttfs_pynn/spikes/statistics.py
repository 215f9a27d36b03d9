"""Rates, irregularity, correlation and distance of recorded spike trains: elephant's definitions, for recordings of any shape.

Each train counts over its own time. Trials of a neuron are pooled: spikes and time are summed; intervals are those inside a
trial; a pair's bins are those that both neurons were recorded in, trial after trial.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse

from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.spikes.pairing import Pair
from ttfs_pynn.spikes.recordings import Recording, Train

__all__ = ["FEWEST_INTERVALS", "MOST_PAIRS", "binned", "correlations", "distances", "draw_pairs", "intervals", "irregularity",
           "n_bins", "rates"]

FEWEST_INTERVALS = 3  # of which a CV is told
MOST_PAIRS = 20_000  # whose correlations are computed; of more, so many are drawn
_TOLERANCE = 1e-8  # elephant's: a spike that is so little (of a bin) before an edge is behind it


def rates(recording: Recording) -> np.ndarray:
    """(neurons,) firing rates in 1/s: spikes over the time that the neuron was recorded. NaN where that is none, or
    not known.

    As elephant.statistics.mean_firing_rate."""
    found = np.full(len(recording.units), np.nan)
    for n in range(found.size):
        trains = recording.of_unit(n)
        duration = sum(train.duration for train in trains)
        if 0 < duration < np.inf:
            found[n] = sum(train.times.size for train in trains) / duration * 1e3
    return found


def intervals(recording: Recording) -> list[np.ndarray]:
    """Interspike intervals (ms) of each neuron, of all its trials; none goes from one trial to the next."""
    return [np.concatenate([np.empty(0), *(np.diff(train.times) for train in recording.of_unit(n))])
            for n in range(len(recording.units))]


def irregularity(recording: Recording) -> np.ndarray:
    """(neurons,) coefficient of variation of the interspike intervals: standard deviation (of a population) over mean.

    As elephant.statistics.cv; NaN below FEWEST_INTERVALS intervals.
    """
    found = np.full(len(recording.units), np.nan)
    for n, each in enumerate(intervals(recording)):
        if each.size >= FEWEST_INTERVALS and each.mean() > 0:
            found[n] = each.std() / each.mean()
    return found


def n_bins(duration: float, bin_width: float) -> int:
    """How many whole bins there are in a duration (both in ms)."""
    return int(np.floor(duration / bin_width + _TOLERANCE))


def binned(trains: Sequence[Train], start: float, stop: float, bin_width: float) -> scipy.sparse.csr_matrix:
    """(trains, bins) spike counts in bins of bin_width from start to stop (ms), as elephant.conversion.BinnedSpikeTrain."""
    columns = n_bins(stop - start, bin_width)
    rows = np.repeat(np.arange(len(trains)), [train.times.size for train in trains])
    place = np.floor((np.concatenate([np.empty(0), *(train.times for train in trains)]) - start) / bin_width + _TOLERANCE)
    inside = (place >= 0) & (place < columns)
    return scipy.sparse.csr_matrix((np.ones(inside.sum()), (rows[inside], place[inside].astype(int))),
                                   shape=(len(trains), columns))


def draw_pairs(n: int, most: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(first, second) of all n (n - 1) / 2 pairs; where there are more than `most`, of so many distinct ones at random."""
    total = n * (n - 1) // 2
    chosen = np.arange(total) if total <= most else np.sort(rng.choice(total, most, replace=False))
    # Pair k stands in the row of the larger number, second (second - 1) / 2 + first.
    second = np.floor((1 + np.sqrt(8.0 * chosen + 1)) / 2).astype(np.int64)
    second -= second * (second - 1) // 2 > chosen
    return chosen - second * (second - 1) // 2, second


def correlations(recording: Recording, bin_width: float = 5.0, most_pairs: int = MOST_PAIRS,
                 rng: np.random.Generator | None = None) -> np.ndarray:
    """(pairs,) Pearson correlation of the spike counts of two neurons, in bins of bin_width ms.

    Of all distinct pairs, or of most_pairs drawn without replacement (rng: by default the same at each call). A pair's bins begin
    where the later of the two begins and end where the earlier ends, as elephant's correlation_coefficient of a BinnedSpikeTrain
    wants them. NaN for pairs of which one's count never changes.
    """
    if not bin_width > 0:
        raise ConfigurationError(f"bins of {bin_width:g} ms; give a width above 0")
    first, second = draw_pairs(len(recording.units), most_pairs, np.random.default_rng(0) if rng is None else rng)
    sums = np.zeros((6, first.size))  # bins, x, y, x^2, y^2, x y
    for trial in recording.trials:
        windows = np.array([(np.nan, np.nan) if t is None else (t.t_start, t.t_stop) for t in trial]).reshape(-1, 2)
        shared = np.stack([np.maximum(windows[first, 0], windows[second, 0]),
                           np.minimum(windows[first, 1], windows[second, 1])], axis=1)
        length = shared[:, 1] - shared[:, 0]
        usable = np.flatnonzero((length > 0) & np.isfinite(length))  # NaN: one of the two was not recorded
        times, group = np.unique(shared[usable], axis=0, return_inverse=True)
        order = np.argsort(group.ravel(), kind="stable")
        parts = np.split(usable[order], np.searchsorted(group.ravel()[order], np.arange(1, len(times))))
        for (start, stop), here in zip(times, parts, strict=False):
            members, places = np.unique(np.concatenate([first[here], second[here]]), return_inverse=True)
            counts = binned([_existing(trial[m]) for m in members], start, stop, bin_width)
            _add_moments(sums, here, counts, *np.split(places, 2))
    n, x, y, xx, yy, xy = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        deviations = [np.where(v > 1e-12 * np.maximum(square, 1), v, np.nan)
                      for v, square in ((xx - x * x / n, xx), (yy - y * y / n, yy))]
        return (xy - x * y / n) / np.sqrt(deviations[0] * deviations[1])


def _existing(train: Train | None) -> Train:
    assert train is not None, "a pair of which one was not recorded has no shared time"
    return train


def _add_moments(sums, here, counts, a, b):
    if here.size == 1 and counts.shape[1] < 100_000:  # every train has a time of its own; dense rows are quicker then
        x, y = counts.toarray()[[a[0], b[0]]]
        sums[:, here[0]] += x.size, x.sum(), y.sum(), x @ x, y @ y, x @ y
        return
    total, square = (np.asarray(m.sum(axis=1)).ravel() for m in (counts, counts.multiply(counts)))
    sums[0, here] += counts.shape[1]
    for k, values in enumerate((total[a], total[b], square[a], square[b]), 1):
        sums[k, here] += values
    for part in np.array_split(np.arange(here.size), here.size // 5000 + 1):
        sums[5, here[part]] += np.asarray(counts[a[part]].multiply(counts[b[part]]).sum(axis=1)).ravel()


def distances(pair: Pair, cost: float = 0.1, tau: float = 10.0) -> np.ndarray:
    """(neurons, 2) Victor-Purpura and van Rossum distance of the trains of each neuron that is in both, mean over trials.

    cost: of moving a spike, per ms. tau: of the van Rossum kernel, ms. Through elephant, with its definitions (Victor and
    Purpura, Network 8:127, 1997; van Rossum, Neural Computation 13:751, 2001). NaN where a neuron has no trial in both.
    ResultsError where elephant is not installed.
    """
    try:
        import quantities as pq
        from elephant.spike_train_dissimilarity import van_rossum_distance, victor_purpura_distance
    except ImportError:
        raise ResultsError("distances of spike trains need the package elephant; install it with: pip install elephant") from None
    from neo import SpikeTrain
    found = np.full((len(pair.units), 2), np.nan)
    for n, (i, j) in enumerate(pair.units):
        both = [(a[i], b[j]) for a, b in zip(pair.reference.trials, pair.other.trials, strict=False)]
        values = []
        for a, b in ((a, b) for a, b in both if a is not None and b is not None):
            trains = [SpikeTrain(t.times, units="ms", t_start=t.t_start, t_stop=t.t_stop) for t in (a, b)]
            # Equal trains, silent ones too, are 0 apart; elephant's rounding leaves 1e-8.
            values.append((0.0, 0.0) if np.array_equal(a.times, b.times) else
                          (victor_purpura_distance(trains, cost / pq.ms)[0, 1], van_rossum_distance(trains, tau * pq.ms)[0, 1]))
        if values:
            found[n] = np.mean(values, axis=0)
    return found
