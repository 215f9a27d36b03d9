"""Which spikes of two recordings are the same spike.

The rule: spikes of the same neuron that are at most `window` ms apart may be the same spike; each counts once, and the order is
kept. Of all ways to pair them the one is taken that gains most, where a pair gains the window less its distance. A spike that
has no partner costs as much as one half of the window, so that one missing spike leaves the others where they are. (This is the
alignment of Victor and Purpura, J. Neurophysiol. 76:1310, 1996, with a cost of 2/window per ms.)
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from ttfs_pynn.comparison.record import NetworkRecord
from ttfs_pynn.errors import ConfigurationError

__all__ = ["Matching", "default_window", "match_trains"]


@dataclass(frozen=True)
class Matching:
    """cell, reference, other: of the matched spikes (ms); missing, extra: (cell, time) arrays of what only one of them has."""

    cell: np.ndarray
    reference: np.ndarray
    other: np.ndarray
    missing: tuple
    extra: tuple

    @property
    def differences(self) -> np.ndarray:
        """other - reference (ms) of the matched spikes."""
        return self.other - self.reference

    def within(self, cells: range) -> "Matching":
        """The part of it that belongs to a range of cells."""
        def inside(cell, *arrays):
            keep = (cell >= cells.start) & (cell < cells.stop)
            return tuple(a[keep] for a in (cell, *arrays))
        cell, reference, other = inside(self.cell, self.reference, self.other)
        return Matching(cell, reference, other, inside(*self.missing), inside(*self.extra))


@njit(cache=True)
def _best_before(tree, j):
    """The pair of the largest total among those whose second spike is before j (a Fenwick tree of maxima), and the total."""
    best, pair = 0.0, -1
    while j > 0:
        if tree[j, 0] > best:
            best, pair = tree[j, 0], int(tree[j, 1])
        j -= j & -j
    return best, pair


@njit(cache=True)
def _match(a, b, window):
    """For each spike of the sorted train a its partner's index in the sorted train b, -1 for none."""
    first, last = np.searchsorted(b, a - window), np.searchsorted(b, a + window, side="right")
    n_pairs = (last - first).sum()
    second, before = np.empty(n_pairs, np.int64), np.empty(n_pairs, np.int64)
    of = np.empty(n_pairs, np.int64)
    tree = np.full((b.size + 1, 2), -1.0)
    k, best, best_pair = 0, 0.0, -1
    for i in range(a.size):
        for j in range(last[i] - 1, first[i] - 1, -1):  # falling: none of these pairs may follow another one of them
            total, pair = _best_before(tree, j)
            total += max(window - abs(a[i] - b[j]), 0.0) + 1e-9 * window
            of[k], second[k], before[k] = i, j, pair
            if total > best:
                best, best_pair = total, k
            at = j + 1
            while at <= b.size:
                if total > tree[at, 0]:
                    tree[at, 0], tree[at, 1] = total, k
                at += at & -at
            k += 1
    partner = np.full(a.size, -1, np.int64)
    while best_pair >= 0:
        partner[of[best_pair]] = second[best_pair]
        best_pair = before[best_pair]
    return partner


def default_window(record: NetworkRecord, dt: float) -> float:
    """The window (ms) of the matching rule: a sample's deadline for layered networks, where a neuron spikes once a sample; else
    20 steps, at least 1 ms."""
    return float(record.samples[1]) if record.samples else max(20 * dt, 1.0)


def match_trains(reference: NetworkRecord, other: NetworkRecord, window: float) -> Matching:
    """Matching of two NetworkRecords of the same cells; ConfigurationError where the cells differ."""
    if reference.sizes != other.sizes:
        raise ConfigurationError(f"populations of {other.sizes} cells cannot be compared with {reference.sizes}")
    cell, ref, oth, missing, extra = [], [], [], [], []
    for k, (a, b) in enumerate(zip(reference.trains(), other.trains(), strict=True)):
        pairs = _match(a, b, window)
        found = pairs >= 0
        left = np.ones(b.size, dtype=bool)
        left[pairs[found]] = False
        ref.append(a[found])
        oth.append(b[pairs[found]])
        cell.append(np.full(found.sum(), k))
        missing.append((np.full((~found).sum(), k), a[~found]))
        extra.append((np.full(left.sum(), k), b[left]))
    def join(parts):
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    return Matching(np.concatenate(cell), np.concatenate(ref), np.concatenate(oth), join(missing), join(extra))
