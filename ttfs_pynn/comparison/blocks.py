"""Recordings in blocks of time: sums from which rates, irregularity and correlations of any set of blocks follow."""


from collections.abc import Sequence

import numpy as np

from ttfs_pynn.spikes.recordings import Train
from ttfs_pynn.spikes.statistics import MOST_PAIRS, binned, draw_pairs, n_bins

__all__ = ["BLOCKS", "Blocks", "layout_of"]

BLOCKS = 20  # of a recording, or more: a trial is at least one
_FEWEST, _FEWEST_BINS = 8, 4  # blocks, and bins of a block
_SHORTEST = 50.0  # ms


class Blocks:
    """Sums over each block of time (rows), from which all measures follow: of any set of blocks, the sums of its rows."""

    def __init__(self, trials: Sequence[Sequence[Train]], layout: Sequence[Sequence[int]], bin_width: float,
                 most_pairs: int = MOST_PAIRS) -> None:
        """trials: lists of Trains. layout: for each trial the numbers of bins of its blocks. pairs: all distinct ones,
        or most_pairs of them, the same in every call."""
        self.pairs = first, second = draw_pairs(len(trials[0]), most_pairs, np.random.default_rng(0))
        self.bins = np.concatenate([np.asarray(sizes, dtype=float) for sizes in layout])
        self.time = self.bins * bin_width
        self.first = np.concatenate([np.arange(len(sizes)) == 0 for sizes in layout])  # of a trial
        parts: list[list] = [[] for _ in range(6)]
        for trains, sizes in zip(trials, layout, strict=True):
            if not len(sizes):
                continue
            start, ends = trains[0].t_start, np.cumsum(sizes)
            counts = binned(trains, start, start + ends[-1] * bin_width, bin_width).tocsc()
            for low, high in zip(ends - sizes, ends, strict=True):
                for part, sums in zip(parts, _count_moments(counts[:, low:high].tocsr(), first, second), strict=False):
                    part.append(sums)
            for k, moments in enumerate(_interval_moments(trains, start + ends * bin_width)):
                parts[3 + k].extend(moments)
        self.x, self.xx, self.xy, self.intervals, self.length, self.square = map(np.array, parts)

    @property
    def sets(self) -> np.ndarray:
        """(1 + blocks, blocks): all of them, then all but one."""
        n = len(self.bins)
        return np.concatenate([np.ones((1, n)), 1 - np.eye(n)])

    def cv(self, blocks: np.ndarray) -> np.ndarray:
        """(sets, neurons), NaN where fewer than two intervals are left. blocks: (sets, blocks) of 0 and 1."""
        n, length, square = (blocks @ each for each in (self.intervals, self.length, self.square))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = length / n
            return np.where(n >= 2, np.sqrt(np.maximum(square / n - mean ** 2, 0)) / mean, np.nan)

    def correlation(self, blocks: np.ndarray) -> np.ndarray:
        """(sets, pairs), NaN where one count never changes."""
        n, x, xx, xy = (blocks @ each for each in (self.bins, self.x, self.xx, self.xy))
        variance = xx - x ** 2 / n[:, None]
        variance[variance <= 1e-12 * np.maximum(xx, 1)] = np.nan
        first, second = self.pairs
        return (xy - x[:, first] * x[:, second] / n[:, None]) / np.sqrt(variance[:, first] * variance[:, second])

    def rate(self, blocks: np.ndarray) -> np.ndarray:
        """(sets, neurons) in 1/s."""
        return (blocks @ self.x) / (blocks @ self.time)[:, None] * 1e3


def _count_moments(counts, first, second):
    """(sum, sum of squares) of the counts of each neuron, and sum of products of each pair."""
    n = counts.shape[0]
    if n * n < 10 * first.size and n * counts.shape[1] < 1e7:  # one product of matrices is quicker than one of rows a pair
        dense = counts.toarray()
        gram = dense @ dense.T
        return dense.sum(axis=1), gram.diagonal(), gram[first, second]
    return [np.asarray(m.sum(axis=1)).ravel() for m in (counts, counts.multiply(counts), counts[first].multiply(counts[second]))]


def _interval_moments(trains, ends):
    """(number, sum, sum of squares) of the intervals (ms) that end in each block: (blocks, neurons) each."""
    found = np.zeros((3, len(ends), len(trains)))
    for n, train in enumerate(trains):
        block = np.searchsorted(ends, train.times[1:], side="right")
        each = np.diff(train.times)[block < len(ends)]
        block = block[block < len(ends)]
        for k in range(3):
            np.add.at(found[k, :, n], block, each ** k)
    return found


def layout_of(trials: Sequence[Sequence[Train]], bin_width: float) -> list[list[int]] | None:
    """For each trial the sizes of its blocks in bins of bin_width ms, none where it is too short; None where all are.

    BLOCKS in all, or one a trial; fewer where they would be shorter than _SHORTEST, if _FEWEST are left.
    """
    bins = [n_bins(trains[0].duration, bin_width) if trains else 0 for trains in trials]
    wanted = max(_FEWEST, min(BLOCKS, int(sum(bins) * bin_width / _SHORTEST)))
    numbers = [min(-(-wanted // len(trials)), each // _FEWEST_BINS) for each in bins]
    if sum(numbers) < _FEWEST:
        return None
    return [[part.size for part in np.array_split(np.arange(each), number)] if number else []
            for each, number in zip(bins, numbers, strict=True)]
