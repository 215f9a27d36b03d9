"""Which spikes of two recordings are the same spike.

The rule: a spike of the other simulator is the reference's spike of the same neuron if they are at most `window` ms apart; each
counts once, and the order is kept. Walking along both trains, the earlier spike of two that are too far apart is left over:
no other pairing that keeps the order has more pairs.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

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
    def differences(self):
        """other - reference (ms) of the matched spikes."""
        return self.other - self.reference

    def within(self, cells):
        """The part of it that belongs to a range of cells."""
        def inside(cell, *arrays):
            keep = (cell >= cells.start) & (cell < cells.stop)
            return tuple(a[keep] for a in (cell, *arrays))
        cell, reference, other = inside(self.cell, self.reference, self.other)
        return Matching(cell, reference, other, inside(*self.missing), inside(*self.extra))


@njit(cache=True)
def _match(a, b, window):
    pairs_a = np.full(a.size, -1, np.int64)
    i = j = 0
    while i < a.size and j < b.size:
        if abs(a[i] - b[j]) <= window:
            pairs_a[i] = j
            i += 1
            j += 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return pairs_a


def default_window(record, dt):
    """The window (ms) of the matching rule: a sample's deadline for layered networks, where a neuron spikes once a sample; else
    20 steps, at least 1 ms."""
    return float(record.samples[1]) if record.samples else max(20 * dt, 1.0)


def match_trains(reference, other, window):
    """Matching of two NetworkRecords of the same cells; ValueError where the cells differ."""
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
