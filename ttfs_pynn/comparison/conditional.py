"""The exact neuron driven by the spikes that a neuron was recorded to receive, and reset where it was recorded to spike.

Each recorded spike is compared with what the exact model predicts from the same inputs since the neuron's last recorded spike.
Errors do not add up from layer to layer or from spike to spike, so that this works in chaotic networks too, and what is left is
what the simulator did in one step of the way: its integration, its grid, and any defect.

With y_p the part of the membrane that projection p made since the last reset at t0, and u' the slope at the predicted time T,

    dT/d(delay_p) = (y_p'(T) - exp(-(T - t0)/tau_m) I_p(t0)/C) / u',   dT/d(log weight_p) = -y_p(T)/u',   dT/d(threshold) = 1/u'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.comparison.conditional_kernel import Arriving, Followed, Stages, Unmatched, follow
from ttfs_pynn.comparison.record import PARAMETERS, Connections, NetworkRecord

__all__ = ["Conditional", "UnmatchedSpikes", "cell_conditional", "conditional", "conditionals", "is_described"]


_ROW = np.dtype([(name, float) for name in PARAMETERS])  # parameters of a cell in a stage


class UnmatchedSpikes(NamedTuple):
    """Spikes that either the simulator or the exact model has not, (n,) each.

    cell; time (ms); margin (mV): how far the exact membrane came above threshold (missing, positive) or stayed below it (extra,
    negative); bound (mV): how far it would move if the input of each projection came one ms later, in the worst combination.
    """

    cell: np.ndarray
    time: np.ndarray
    margin: np.ndarray
    bound: np.ndarray


@dataclass(frozen=True)
class Conditional:
    """Of one population. One row a matched spike:

    cell, recorded, predicted (ms), slope (mV/ms), d_delay (n, projections), d_log_weight (ms) (n, projections).
    missing: spikes that the exact model has and the simulator has not; extra: the other way round.
    projections: indices into the record's connections.
    """

    cell: np.ndarray
    recorded: np.ndarray
    predicted: np.ndarray
    slope: np.ndarray
    d_delay: np.ndarray
    d_log_weight: np.ndarray
    missing: UnmatchedSpikes
    extra: UnmatchedSpikes
    projections: tuple

    @property
    def residual(self) -> np.ndarray:
        """recorded - predicted (ms)."""
        return self.recorded - self.predicted


class _Afferents:
    """Connections sorted by target, for quick look-up of what a cell receives.

    parts: for each projection that reaches the cells its index in the record, and the stretches (begin, Connections) of time in
    which it was as it is there. on_arrival: whether a spike acts with the weight of the time when it arrives.
    """

    def __init__(self, record: NetworkRecord, cells: range) -> None:
        self.record = record
        self.trains = record.trains()
        self.on_arrival = bool(record.meta.get("weights_act_on_arrival", True))
        self.parts = []
        for k in range(len(record.stages[-1].connections)):
            stretches = [(stage.begin, stage.connections[k]) for stage in record.stages if k < len(stage.connections)]
            stretches = [s for before, s in zip([(0.0, None), *stretches], stretches, strict=False) if before[1] is not s[1]]
            if any(((c.post >= cells.start) & (c.post < cells.stop) & (c.weight != 0)).any() for _, c in stretches):
                self.parts.append((k, stretches, [_by_target(c, cells) for _, c in stretches]))
        self.projections = tuple(k for k, *_ in self.parts)

    def events(self, cell: int) -> Arriving:
        """All spikes that arrive at a cell: Arriving."""
        found = [[np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0, bool)]]
        for place, (_, stretches, sorted_by_target) in enumerate(self.parts):
            ends = [begin for begin, _ in stretches[1:]] + [np.inf]
            for s, ((begin, c), (order, posts), end) in enumerate(zip(stretches, sorted_by_target, ends, strict=True)):
                for n in order[np.searchsorted(posts, cell):np.searchsorted(posts, cell, side="right")]:
                    sent = self.trains[c.pre[n]]
                    # A stretch that is not the first one has what was sent from its begin on.
                    arriving = sent[np.searchsorted(sent, begin if s else -np.inf):np.searchsorted(sent, end)] + c.delay[n]
                    found.append([arriving, self._weights(stretches, s, n, arriving), np.full(arriving.size, place),
                                  np.full(arriving.size, c.receptor == "inhibitory")])
        times, *others = (np.concatenate(columns) for columns in zip(*found, strict=True))
        order = np.argsort(times, kind="stable")
        return Arriving(times[order], *(column[order] for column in others))

    def _weights(self, stretches: list, s: int, n: int, arriving: np.ndarray) -> np.ndarray:
        """Of connection n of stretch s, for spikes that arrive then."""
        c, weights = stretches[s][1], np.full(arriving.size, stretches[s][1].weight[n])
        for begin, later in stretches[s + 1:] if self.on_arrival else ():
            if later.same_pairs(c):
                weights[arriving >= begin] = later.weight[n]
        return weights


def _by_target(c: Connections, cells: range) -> tuple[np.ndarray, np.ndarray]:
    """(indices of the connections onto cells, their targets), sorted by target."""
    chosen = np.flatnonzero((c.post >= cells.start) & (c.post < cells.stop) & (c.weight != 0))
    order = chosen[np.argsort(c.post[chosen], kind="stable")]
    return order, c.post[order]


_STEPWISE = ("DCSource", "StepCurrentSource")


def _amplitude(current: dict[str, Any], time: float) -> float:
    """What a current of _STEPWISE adds to i_offset (nA) from `time` (ms) on."""
    p = current["parameters"]
    if current["kind"] == "DCSource":
        return p["amplitude"][0] if p["start"][0] <= time < p["stop"][0] else 0.0
    k = np.searchsorted(p["times"], time, side="right")
    return p["amplitudes"][k - 1] if k else 0.0


def _parameters(record: NetworkRecord, cells: range) -> tuple[np.ndarray, np.ndarray]:
    """(begins (stages,), parameters (cells, stages) with the fields of _ROW).

    A stage begins with each change of the parameters and of the currents that are injected.
    """
    changes = {stage.begin for stage in record.stages}
    for current in (current for stage in record.stages for current in stage.currents if set(current["cells"]) & set(cells)):
        times = [t for name in ("start", "stop", "times") for t in current["parameters"].get(name, ())]
        changes.update(t for t in times if 0 < t < record.duration)
    begins, tables = sorted(changes), []
    for begin in begins:
        stage = [s for s in record.stages if s.begin <= begin][-1]
        table = np.empty(len(cells), _ROW)
        for name in PARAMETERS:
            table[name] = stage.parameters[name][cells.start:cells.stop]
        if begin > stage.begin:
            table["v"] = np.nan
        for current in stage.currents:
            inside = [cell - cells.start for cell in current["cells"] if cell in cells]
            table["i_offset"][inside] += _amplitude(current, begin)
        tables.append(table)
    return np.array(begins), np.stack(tables, axis=1)


def cell_conditional(record: NetworkRecord, cell: int, spikes: ArrayLike, window: float) -> tuple[Unmatched, Unmatched]:
    """(missing, extra), each an `Unmatched`, of one cell, had it spiked at `spikes` (ms) instead."""
    cells = range(cell, cell + 1)
    afferents = _Afferents(record, cells)
    begins, table = _parameters(record, cells)
    found = follow(Stages(begins, table[0]), afferents.events(cell), len(afferents.projections), np.asarray(spikes, dtype=float),
                   window, record.duration)
    return found.missing, found.extra


def is_described(record: NetworkRecord, label: str) -> bool:
    """Whether the exact model describes the cells of a population and all that they receive, as far as it was taken down."""
    cells = record.populations[label]
    if not record.is_neuron[cells.start:cells.stop].all():
        return False
    injected = {cell for stage in record.stages for current in stage.currents if current["kind"] not in _STEPWISE
                for cell in current["cells"]}
    plastic = any(c.plastic and ((c.post >= cells.start) & (c.post < cells.stop)).any()
                  for stage in record.stages for c in stage.connections)
    return not plastic and injected.isdisjoint(cells)


def conditional(record: NetworkRecord, label: str, window: float) -> Conditional | None:
    """Conditional of the population `label`; None where the exact model does not describe its cells."""
    return next(iter(conditionals(record, label, window)), None)


def conditionals(record: NetworkRecord, label: str, window: float,
                 changes: Sequence[tuple[str, float, float]] = ()) -> list[Conditional]:
    """A list of Conditional of a population: of the record, then of the exact model with one parameter changed in all cells.

    changes: (name of a parameter, factor, shift) of each. The list is empty where the exact model does not describe the cells.
    """
    if not is_described(record, label):
        return []
    cells = record.populations[label]
    afferents = _Afferents(record, cells)
    begins, table = _parameters(record, cells)
    tables = [table]
    for name, factor, shift in changes:
        tables.append(table.copy())
        column = tables[-1][name]
        column *= factor
        column += shift
    found: list[list[Followed]] = [[] for _ in tables]
    for cell in cells:
        events = afferents.events(cell)
        for table, parts in zip(tables, found, strict=True):
            parts.append(follow(Stages(begins, table[cell - cells.start]), events, len(afferents.projections),
                                afferents.trains[cell], window, record.duration))
    return [_conditional(cells, parts, afferents.projections) for parts in found]


def _conditional(cells: range, parts: list[Followed], projections: tuple) -> Conditional:
    """The Conditional of cells, from the Followed of each."""
    joined = {name: np.concatenate([getattr(part, name) for part in parts])
              for name in ("recorded", "predicted", "slope", "d_delay", "d_log_weight")}
    return Conditional(_of_cells(cells, [part.recorded for part in parts]), **joined, projections=projections,
                       missing=_gathered(cells, [part.missing for part in parts]),
                       extra=_gathered(cells, [part.extra for part in parts]))


def _of_cells(cells: range, arrays: list[np.ndarray]) -> np.ndarray:
    """The cell of each entry of one array a cell."""
    return np.repeat(np.asarray(cells), [len(array) for array in arrays])


def _gathered(cells: range, tables: list[Unmatched]) -> UnmatchedSpikes:
    return UnmatchedSpikes(_of_cells(cells, [table.time for table in tables]),
                           *(np.concatenate([getattr(table, name) for table in tables]) for name in ("time", "margin", "bound")))
