"""The connections of recurrent groups as the compiled loops read them: a row a source, by delay, in blocks of eight.

A block is one piece of memory: eight delays, eight weights (none where all connections of a row share one), eight targets. What
arrives within a window lies together, is fetched together, and is worked on eight at a time. A source has one row a receptor,
whatever the number of projections that it is in.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.membrane.lanes import LANES, aligned

__all__ = ["INHIBITORY", "MIXED", "WEIGHTED", "DelayRows", "Rows", "delay_of", "first_due", "target_of", "weight_of"]

INHIBITORY, MIXED = 1, 2  # flags of a row: which current it feeds; whether it has weights of the sign that others there have not
WEIGHTED, _SHARED = 20, 12  # floats of a block: eight delays, eight weights or none, eight targets of 32 bits


class Rows(NamedTuple):
    """Connections of row r are those from place start[r] to before end[r]; place k is lane k & 7 of block k >> 3.

    flags, weight (of all connections, where they share one) of each row; blocks: stride floats each; targets: the same memory as
    int32.
    """

    start: np.ndarray
    end: np.ndarray
    flags: np.ndarray
    weight: np.ndarray
    blocks: np.ndarray
    targets: np.ndarray
    stride: int


@njit(cache=True, error_model="numpy", inline="always")
def delay_of(rows, k):
    """Delay (ms) of the connection at place k."""
    return rows.blocks[(k >> 3) * rows.stride + (k & 7)]


@njit(cache=True, error_model="numpy", inline="always")
def target_of(rows, k):
    return rows.targets[2 * ((k >> 3) * rows.stride + rows.stride - 4) + (k & 7)]


@njit(cache=True, error_model="numpy", inline="always")
def weight_of(rows, r, k):
    """Weight (nA) of the connection of row r at place k."""
    return rows.blocks[(k >> 3) * rows.stride + 8 + (k & 7)] if rows.stride == WEIGHTED else rows.weight[r]


@njit(cache=True, error_model="numpy")
def first_due(rows, r, time, t):
    """The first place of row r through which a spike at `time` arrives at t or later."""
    lo, hi = rows.start[r], rows.end[r]
    while lo < hi:
        middle = (lo + hi) // 2
        if time + delay_of(rows, middle) < t:
            lo = middle + 1
        else:
            hi = middle
    return lo


@njit(cache=True, error_model="numpy")
def _lay(pre, post, delay, first_row, first_neuron, first_connection, free, rows, which):
    """Put the connections of a projection to the next free places of their rows, in any order of delay."""
    for k in range(pre.size):
        place = free[first_row + pre[k]]
        free[first_row + pre[k]] = place + 1
        at = (place >> 3) * rows.stride
        rows.blocks[at + (place & 7)] = delay[k]
        rows.targets[2 * (at + rows.stride - 4) + (place & 7)] = first_neuron + post[k]
        which[place] = first_connection + k


@njit(cache=True, error_model="numpy")
def _sort(rows, which, place_of):
    """Order each row by delay, equal delays as they came. Written: place_of[c], the place of connection c."""
    longest = (rows.end - rows.start).max() if rows.start.size else 0
    delay, target, connection = np.empty(longest), np.empty(longest, dtype=np.int32), np.empty(longest, dtype=which.dtype)
    for r in range(rows.start.size):
        start, n = rows.start[r], rows.end[r] - rows.start[r]
        in_order = True
        for k in range(n):
            delay[k], target[k], connection[k] = delay_of(rows, start + k), target_of(rows, start + k), which[start + k]
            in_order = in_order and not (k and delay[k] < delay[k - 1])
        if not in_order:
            order = np.argsort(delay[:n], kind="mergesort")
            for k in range(n):
                at = ((start + k) >> 3) * rows.stride
                rows.blocks[at + (k & 7)] = delay[order[k]]
                rows.targets[2 * (at + rows.stride - 4) + (k & 7)] = target[order[k]]
                place_of[connection[order[k]]] = start + k
        else:
            for k in range(n):
                place_of[connection[k]] = start + k
        for k in range(n, (n + 7) & ~7):  # what fills the last block never arrives
            at = ((start + k) >> 3) * rows.stride
            rows.blocks[at + (k & 7)] = np.inf
            rows.targets[2 * (at + rows.stride - 4) + (k & 7)] = 0


@njit(cache=True, error_model="numpy")
def _weigh(pre, weight, place_of, first_connection, first_row, rows):
    """Write the weights of a projection, or mark its rows where the weights are shared."""
    for k in range(pre.size):
        r = first_row + pre[k]
        if weight[k] > 0.0 and rows.flags[r] & INHIBITORY or weight[k] < 0.0 and not rows.flags[r] & INHIBITORY:
            rows.flags[r] |= MIXED
        place = place_of[first_connection + k]
        if rows.stride == WEIGHTED:
            rows.blocks[(place >> 3) * rows.stride + 8 + (place & 7)] = weight[k]
        else:
            rows.weight[r] = weight[k]


class DelayRows:
    """Rows of `sets`, lists of Synapses that share a source group and a receptor. first_neuron: {group: place of its first
    neuron among all}. A table is made anew only where connections or delays change."""

    def __init__(self, sets, first_neuron):
        self.sets = sets
        sizes = [members[0].pre_group.size for members in sets]
        self.first_row = np.cumsum([0, *sizes])
        inhibitory = [members[0].receptor == "inhibitory" for members in sets]
        self._own_flags = np.repeat(np.array(inhibitory, dtype=np.uint8) * np.uint8(INHIBITORY), sizes)
        counts = np.zeros(self.first_row[-1], dtype=np.int64)
        for s, first_row, _ in self._parts():
            counts[first_row:first_row + s.pre_group.size] += np.bincount(s.pre, minlength=s.pre_group.size)
        n_blocks = (counts + LANES - 1) // LANES
        start = LANES * np.cumsum([0, *n_blocks])
        n_places, start = start[-1], start[:-1]
        stride = _SHARED if self._weights_are_shared() else WEIGHTED
        blocks = aligned(int(stride * n_places // LANES) + stride)  # and one that may be read beyond the last
        self.rows = Rows(start, start + counts, self._own_flags.copy(), np.zeros(counts.size), blocks, blocks.view(np.int32),
                         stride)
        self._fill(first_neuron, n_places)
        self._weight_versions = None
        self.set_weights()

    def _parts(self):
        """(synapses, their first row, their first connection)."""
        first = 0
        for members, first_row in zip(self.sets, self.first_row, strict=False):
            for s in members:
                yield s, first_row, first
                first += len(s)

    def _weights_are_shared(self):
        for members in self.sets:
            weights = [s.weight for s in members]
            if any((weight != weights[0][0]).any() for weight in weights):
                return False
        return True

    def _fill(self, first_neuron, n_places):
        n = sum(len(s) for members in self.sets for s in members)
        kind = np.int32 if n_places < 2**31 else np.int64
        which, self._place_of = np.empty(n_places, dtype=kind), np.empty(n, dtype=kind)
        free = self.rows.start.copy()
        for s, first_row, first in self._parts():
            _lay(s.pre, s.post, s.delay, first_row, first_neuron[s.post_group], first, free, self.rows, which)
        _sort(self.rows, which, self._place_of)

    def set_weights(self):
        """Take the present weights of the synapses over. False where they want another table."""
        versions = [s.weight_version for s, *_ in self._parts()]
        if versions == self._weight_versions:
            return True
        if self.rows.stride == _SHARED and not self._weights_are_shared():
            return False
        self.rows.flags[:] = self._own_flags
        for s, first_row, first in self._parts():
            _weigh(s.pre, s.weight, self._place_of, first, first_row, self.rows)
        self._weight_versions = versions
        return True
