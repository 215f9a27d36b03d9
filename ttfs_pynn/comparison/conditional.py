"""The exact neuron driven by the spikes that a neuron was recorded to receive, and reset where it was recorded to spike.

Each recorded spike is compared with what the exact model predicts from the same inputs since the neuron's last recorded spike.
Errors do not add up from layer to layer or from spike to spike, so that this works in chaotic networks too, and what is left is
what the simulator did in one step of the way: its integration, its grid, and any defect.

With y_p the part of the membrane that projection p made since the last reset at t0, and u' the slope at the predicted time T,

    dT/d(delay_p) = (y_p'(T) - exp(-(T - t0)/tau_m) I_p(t0)/C) / u',   dT/d(log weight_p) = -y_p(T)/u',   dT/d(threshold) = 1/u'.
"""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.comparison.conditional_kernel import follow

__all__ = ["Conditional", "conditional", "cell_conditional"]


@dataclass(frozen=True)
class Conditional:
    """Of one population. One row a matched spike:

    cell, recorded, predicted (ms), slope (mV/ms), d_delay (n, projections), d_log_weight (ms) (n, projections).
    missing, extra: (cell, time, margin, bound): times (ms) of spikes that the exact model has (has not) and the simulator has not
    (has). margin (mV): how far the exact membrane came above threshold (missing, positive) or stayed below it (extra,
    negative). bound (mV): how far it would move if the input of each projection came one ms later, in the worst combination.
    projections: indices into the record's connections.
    """

    cell: np.ndarray
    recorded: np.ndarray
    predicted: np.ndarray
    slope: np.ndarray
    d_delay: np.ndarray
    d_log_weight: np.ndarray
    missing: tuple
    extra: tuple
    projections: tuple

    @property
    def residual(self):
        """recorded - predicted (ms)."""
        return self.recorded - self.predicted


class _Afferents:
    """Connections sorted by target, for quick look-up of what a cell receives."""

    def __init__(self, record, cells):
        self.record = record
        self.trains = record.trains()
        self.parts = []
        for k, c in enumerate(record.connections):
            chosen = np.flatnonzero((c.post >= cells.start) & (c.post < cells.stop) & (c.weight != 0))
            if chosen.size:
                order = chosen[np.argsort(c.post[chosen], kind="stable")]
                self.parts.append((k, c, order, c.post[order]))
        self.projections = tuple(k for k, *_ in self.parts)

    def events(self, cell):
        """(times, weights, index of the projection, inhibitory?) of all spikes that arrive at a cell, in order."""
        times, weights, places, inhibitory = [], [], [], []
        for place, (_, c, order, posts) in enumerate(self.parts):
            for n in order[np.searchsorted(posts, cell):np.searchsorted(posts, cell, side="right")]:
                arriving = self.trains[c.pre[n]] + c.delay[n]
                times.append(arriving)
                weights.append(np.full(arriving.size, c.weight[n]))
                places.append(np.full(arriving.size, place))
                inhibitory.append(np.full(arriving.size, c.receptor == "inhibitory"))
        if not times:
            return np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0, bool)
        times = np.concatenate(times)
        order = np.argsort(times, kind="stable")
        return times[order], *(np.concatenate(a)[order] for a in (weights, places, inhibitory))


def _one(afferents, cell, spikes, window):
    record = afferents.record
    p = np.array([record.parameters[name][cell] for name in
                  ("tau_m", "tau_syn_E", "tau_syn_I", "cm", "v_rest", "v_reset", "v_thresh", "tau_refrac", "i_offset", "v")])
    return follow(p, *afferents.events(cell), len(afferents.projections), spikes, window, record.duration)


def cell_conditional(record, cell, spikes, window):
    """(missing, extra) as in Conditional of one cell, had it spiked at `spikes` (ms) instead."""
    _, missing, extra = _one(_Afferents(record, range(cell, cell + 1)), cell, np.asarray(spikes, dtype=float), window)
    return missing, extra


def conditional(record, label, window):
    """Conditional of the population `label`; None where the exact model does not describe its cells."""
    cells = record.populations[label]
    if not record.is_neuron[cells.start:cells.stop].all():
        return None
    afferents = _Afferents(record, cells)
    rows: list[np.ndarray] = []
    missing: list[np.ndarray] = []
    extra: list[np.ndarray] = []
    for cell in cells:
        matched, absent, added = _one(afferents, cell, afferents.trains[cell], window)
        for found, place in ((matched, rows), (absent, missing), (added, extra)):
            place.append(np.column_stack([np.full(len(found), cell), found]))
    n = len(afferents.projections)
    table, absent, added = (np.concatenate(parts) for parts in (rows, missing, extra))
    return Conditional(table[:, 0].astype(int), table[:, 1], table[:, 2], table[:, 3], table[:, 4:4 + n], table[:, 4 + n:],
                       _split(absent), _split(added), afferents.projections)


def _split(table):
    return table[:, 0].astype(int), table[:, 1], table[:, 2], table[:, 3]
