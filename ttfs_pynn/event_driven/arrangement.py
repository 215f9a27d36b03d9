"""The synapses that reach one group: their rows one below the other, as the compiled loops want them, and what arrives."""

from functools import reduce
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.kernels import EXCITATORY, INHIBITORY, SIGNED
from ttfs_pynn.event_driven.sorting import are_in_order, merged, order_by_time
from ttfs_pynn.event_driven.sparse_kernels import TILE

__all__ = ["Arrangement", "in_tiles", "partner_places", "with_partners"]

_MOST_MERGED = 4  # lists of arrivals; more are sorted together


class Together(NamedTuple):
    """What arrives with what, row by row. partner: the row that arrives with this one, -1 for none. alone: whether it arrives by
    itself, not with another. receptors: of `kernels`; SIGNED where a row has the weights of two. signed: the synapses, by place,
    whose weights are in such rows."""

    partner: np.ndarray
    alone: np.ndarray
    receptors: np.ndarray
    signed: frozenset


class Arrangement:
    """All synapses onto a group of `size` neurons. Rows (see `synapses`) are numbered through them all.

    Two forms: a *table* (rows, neurons) of weights, 0 where a row does not reach a neuron, which the loops for whole groups want;
    and *rows* as (row_start, targets, weights), row r reaching targets[row_start[r]:row_start[r + 1]].
    """

    def __init__(self, size):
        self.size, self.synapses = size, []
        self._key = None

    def connect(self, synapses):
        self.synapses.append(synapses)
        self._key = None

    def _renew(self):
        """Forget what was laid out before synapses or delays have changed."""
        key = sum([s.layout_version for s in self.synapses])  # which only grow
        if key == self._key:
            return
        self._key = key
        self._first_rows = np.cumsum([0] + [s.n_rows for s in self.synapses])
        self._starts = self._first_rows[:-1].tolist()
        self._inhibitory = np.repeat(np.array([s.receptor == "inhibitory" for s in self.synapses], dtype=bool),
                                     np.diff(self._first_rows))
        self._table = self._rows = self._weights = self._tiles = None
        self._alike, self._together = {}, {}

    @property
    def all_matrices(self):
        """Whether every row reaches every neuron once."""
        return all([s.is_dense for s in self.synapses])

    @property
    def connectivity(self):
        """Connections over the size of the table."""
        self._renew()
        return sum(map(len, self.synapses)) / max(1, self._first_rows[-1] * self.size)

    def _parts(self):
        for s, first, last in zip(self.synapses, self._first_rows[:-1], self._first_rows[1:], strict=True):
            yield s, slice(first, last)

    def table(self):
        """(inhibitory, weights (rows, neurons)). Matrices keep their weights in it from now on, so changes of them are seen;
        others are copied to it after a change."""
        table = self._laid_out()
        for s in self.synapses:
            s.divide_signed()
        return self._inhibitory, table

    def signed_table(self, together):
        """(receptors, weights (rows, neurons)) for arrivals that come `together`: as `table`, but that rows of signed weights
        stay as they are."""
        table = self._laid_out()
        for k, s in enumerate(self.synapses):
            if k not in together.signed:
                s.divide_signed()
        return together.receptors, table

    def _laid_out(self):
        self._renew()
        if self._table is None:
            self._table = np.zeros((self._first_rows[-1], self.size))
            self._copied, self._sparse = {}, [(s, part) for s, part in self._parts() if not s.is_dense]
            for s, part in self._parts():
                if s.is_dense:
                    self._table[part] = s.signed_weights  # as they are kept: what arrives together has been decided
                    s.move_dense_weights(self._table[part])
        for s, part in self._sparse:
            if self._copied.get(s) != s.weight_version:
                s.fill(self._table[part])
                self._copied[s] = s.weight_version
        return self._table

    def rows(self):
        """(inhibitory, row_start, targets, weights)."""
        self._renew()
        if self._rows is None:
            tables = [s.sparse_table() for s in self.synapses]
            counts = np.concatenate([np.diff(start) for start, _ in tables] or [np.empty(0, dtype=np.int64)])
            self._rows = (self._inhibitory, np.append(0, np.cumsum(counts)).astype(np.int64),
                          np.concatenate([targets for _, targets in tables] or [np.empty(0, dtype=np.int64)]))
        versions = tuple(s.weight_version for s in self.synapses)
        if self._weights is None or self._weights[0] != versions:
            self._weights = versions, np.concatenate([s.sparse_weights() for s in self.synapses] or [np.empty(0)])
        return *self._rows, self._weights[1]

    def tiles(self, partner):
        """(start, targets, weights, most) of `sparse_kernels.run_rows`: rows with their partners' weights, tile by tile."""
        _, row_start, targets, weights = self.rows()
        if self._tiles is None:
            self._tiles, self._tile_weights = in_tiles(row_start, targets, self.size), (None, None, None)
        start, targets, order, most = self._tiles
        of, partners, kept = self._tile_weights
        if of is not weights or partners is not partner:
            if partners is not partner:
                self._places = partner_places(row_start, partner, order)
            kept = with_partners(weights, order, self._places)
            self._tile_weights = weights, partner, kept
        return start, targets, kept, most

    def events(self, t_stop, alone=None):
        """Arrivals before t_stop over all synapses: (times, rows), in time order. alone: without those of synapses whose rows
        arrive with a partner, see `together`."""
        self._renew()
        parts = []
        for synapses, first in zip(self.synapses, self._starts, strict=True):
            if alone is not None and first < alone.size and not alone[first]:
                synapses.leave_events(t_stop)
                continue
            times, rows = synapses.take_events(t_stop)
            if times.size:
                parts.append((times, rows + first if first else rows))
        if not parts:
            return np.empty(0), np.empty(0, dtype=np.int64)
        if len(parts) <= _MOST_MERGED and all([are_in_order(times) for times, _ in parts]):
            return reduce(lambda one, other: merged(*one, *other), parts)
        times, rows = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        order, times = order_by_time(times)
        return times, rows[order]

    def together(self, table, wanted=True, signed=False):
        """`Together`: an excitatory and an inhibitory projection that hear the same spikes, as signed weights in PyNN do, need
        one arrival, that of the first, which brings its partner along.

        table: of rows of the table, which may reach other neurons than their partners do. wanted: or none has a partner. signed:
        whether weights that are kept signed are to stay so.
        """
        self._renew()
        pairs, merged = [], []
        free = list(range(len(self.synapses))) if wanted else []
        while free:
            a, one = free[0], self.synapses[free[0]]
            b = next((b for b in free[1:] if one.carries_as(self.synapses[b]) and self._are_alike(a, b, table)), None)
            free = [k for k in free[1:] if k != b]
            if b is None:
                continue
            other = self.synapses[b]
            if signed and (one.is_signed_with(other) or other.is_signed_with(one)):
                merged.append((a, b) if one.is_signed_with(other) else (b, a))
            else:
                pairs.append((a, b))
        key = tuple(pairs), tuple(merged)
        if key not in self._together:
            self._together[key] = self._rows_of(*key)
        return self._together[key]

    def _rows_of(self, pairs, merged):
        first_rows = self._first_rows
        partner, alone = np.full(first_rows[-1], -1, dtype=np.int64), np.ones(first_rows[-1], dtype=bool)
        receptors = np.where(self._inhibitory, INHIBITORY, EXCITATORY).astype(np.int8)
        for a, b in pairs:
            partner[first_rows[a]:first_rows[a + 1]] = np.arange(*first_rows[b:b + 2])
        for a, _ in merged:
            receptors[first_rows[a]:first_rows[a + 1]] = SIGNED
        for _, b in pairs + merged:
            alone[first_rows[b]:first_rows[b + 1]] = False
        return Together(partner, alone, receptors, frozenset(k for pair in merged for k in pair))

    def _are_alike(self, a, b, table):
        """Whether the rows of two synapses are of the same sources and delays, and outside a table reach the same neurons."""
        if (a, b, table) not in self._alike:
            one, other = self.synapses[a], self.synapses[b]
            self._alike[a, b, table] = 0 < one.n_rows == other.n_rows and one.arrives_as(other) and (table or all(
                np.array_equal(mine, its) for mine, its in zip(one.sparse_table(), other.sparse_table(), strict=True)))
        return self._alike[a, b, table]


def in_tiles(row_start, targets, size):
    """(start, targets, order, most): connections order[start[tile, row]:start[tile, row + 1]] are those of a row onto the neurons
    of a tile, whose numbers in it the targets are; and how many of one row reach one neuron, at most."""
    n_rows, n_tiles = row_start.size - 1, -(-size // TILE)
    row = np.repeat(np.arange(n_rows), np.diff(row_start))
    cell = targets // TILE * n_rows + row
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(n_tiles * n_rows + 1))
    most = int(np.unique(row * size + targets, return_counts=True)[1].max(initial=1))
    return (np.stack([start[k * n_rows:(k + 1) * n_rows + 1] for k in range(n_tiles)]), (targets % TILE)[order].astype(np.int32),
            order, most)


@njit(cache=True, error_model="numpy")
def partner_places(row_start, partner, order):
    """For each connection of `order`, which connection of its row's partner reaches the same neuron; -1 for none."""
    of = np.full(row_start[-1], -1, dtype=np.int64)
    for row in range(partner.size):
        if partner[row] >= 0:
            for c in range(row_start[row], row_start[row + 1]):
                of[c] = row_start[partner[row]] + c - row_start[row]
    return of[order]


@njit(cache=True, error_model="numpy")
def with_partners(weights, order, places):
    """The weights in an order, each with that of its partner."""
    merged = np.empty(order.size)
    for k in range(order.size):
        merged[k] = weights[order[k]] + (weights[places[k]] if places[k] >= 0 else 0.0)
    return merged
