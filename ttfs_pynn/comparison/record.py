"""What one simulator was given and what it recorded, trial by trial: cells, connections and spikes, in one file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import read_arrays, write_arrays
from ttfs_pynn.spikes.windows import in_windows

__all__ = ["PARAMETERS", "Connections", "NetworkRecord", "Stage", "distinct", "read_records", "write_records"]

# Of IF_curr_exp; `v` is the initial membrane potential.
PARAMETERS = ("tau_m", "tau_syn_E", "tau_syn_I", "cm", "v_rest", "v_reset", "v_thresh", "tau_refrac", "i_offset", "v")


def distinct(labels: Iterable[str]) -> tuple[str, ...]:
    """The labels in their order, those that were there before with a number: 'cells', 'cells 2'."""
    found: list[str] = []
    for label in labels:
        name, k = label, 1
        while name in found:
            k += 1
            name = f"{label} {k}"
        found.append(name)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Connections:
    """One projection: `pre` and `post` are cell numbers, `weight` in nA (negative: inhibitory), `delay` in ms.

    plastic: its weights change while it runs, so that `weight` is what they were at the begin of the run.
    """

    label: str
    receptor: str
    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    plastic: bool = False

    def same_pairs(self, other: "Connections") -> bool:
        """Whether these arrays list the same connections in the same order as another's."""
        return self.pre is other.pre or (np.array_equal(self.pre, other.pre) and np.array_equal(self.post, other.post))


@dataclass(frozen=True, eq=False)
class Stage:
    """What held from `begin` (ms) until the next stage: a script may change its network between two runs.

    parameters, connections: as in NetworkRecord. currents: a dict for each that is injected:
    its kind, the numbers of its cells, and {parameter: list of numbers}.
    """

    begin: float
    parameters: dict
    connections: tuple
    currents: tuple = ()


@dataclass(frozen=True)
class NetworkRecord:
    """One trial: a network from the time 0 after setup() or reset() on, on one simulator.

    Cells are numbered through, population after population. labels, sizes: of the populations. parameters: {name: (cells,)} of
    PARAMETERS, NaN for cells that are not IF_curr_exp (spike sources); connections: of each projection; both at the begin.
    cells, times: all spikes, `times` in ms, sorted by cell, then time. samples: None, or (window, deadline) in ms of a layered
    network, which saw sample s in [s window, (s + 1) window). notes: text about what the record leaves out. kinds: the cell type
    of each population. currents: as in Stage. later: the stages after the first one; in each `v` is NaN, or the membrane
    potential that the cells were given there.
    """

    labels: tuple
    sizes: tuple
    parameters: dict
    connections: tuple
    cells: np.ndarray
    times: np.ndarray
    duration: float
    samples: tuple | None = None
    notes: tuple = ()
    meta: dict = field(default_factory=dict)
    kinds: tuple = ()
    currents: tuple = ()
    later: tuple = ()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All Stages, the first one begins at 0."""
        return (Stage(0.0, self.parameters, self.connections, self.currents), *self.later)

    @property
    def setup(self) -> int:
        """The number of the setup() in the script that the trial belongs to, from 0."""
        return int(self.meta.get("setup", 0))

    @property
    def n_cells(self) -> int:
        """How many cells there are in all populations."""
        return int(sum(self.sizes))

    @property
    def populations(self) -> dict[str, range]:
        """{label: range of its cells}"""
        ends = np.cumsum(self.sizes)
        return {label: range(int(end - size), int(end)) for label, size, end in zip(self.labels, self.sizes, ends, strict=True)}

    def population_of(self, cell: int) -> str:
        """Label of the population that a cell number belongs to."""
        return self.labels[int(np.searchsorted(np.cumsum(self.sizes), cell, side="right"))]

    @property
    def is_neuron(self) -> np.ndarray:
        """(cells,) whether the exact model of IF_curr_exp describes the cell."""
        return ~np.isnan(self.parameters["tau_m"])  # it may be inf

    def trains(self) -> list[np.ndarray]:
        """One sorted array of spike times (ms) a cell."""
        return np.split(self.times, np.searchsorted(self.cells, np.arange(1, self.n_cells)))

    def first_spikes(self, label: str) -> np.ndarray:
        """(samples, neurons) in ms from the start of the sample, inf for none before the deadline. ResultsError where the
        network is not layered."""
        if self.samples is None:
            raise ResultsError("the record is not of a layered network, which sees samples")
        window, deadline = self.samples
        cells = self.populations[label]
        mine = (self.cells >= cells.start) & (self.cells < cells.stop)
        sample, times = in_windows(self.times[mine], window)
        first = np.full((round(self.duration / window), len(cells)), np.inf)
        in_time = (times < deadline) & (sample >= 0) & (sample < len(first))
        np.minimum.at(first, (sample[in_time], self.cells[mine][in_time] - cells.start), times[in_time])
        return first

    def with_spikes(self, trains: Sequence[np.ndarray]) -> "NetworkRecord":
        """The same network with other spikes, one array a cell."""
        cells = np.repeat(np.arange(self.n_cells), [len(t) for t in trains])
        times = np.concatenate([np.sort(t) for t in trains]) if len(trains) else np.empty(0)
        return replace(self, cells=cells, times=times)


class _Arrays:
    """The arrays of a file: what is the same object, or equal to the one of its name before, is stored once."""

    def __init__(self, arrays: Any = ()) -> None:
        self.stored = dict(arrays)
        self._last: dict[str, str] = {}

    def add(self, name: str, array: np.ndarray) -> str:
        """The key of the array."""
        before = self._last.get(name)
        if before is not None and np.array_equal(self.stored[before], array, equal_nan=array.dtype.kind == "f"):
            return before
        key = f"{len(self.stored)}_{name}"
        self.stored[key] = array
        self._last[name] = key
        return key


_OF_CONNECTIONS = ("pre", "post", "weight", "delay")


def _describe(stage: Stage, arrays: "_Arrays") -> dict[str, Any]:
    currents = [{"kind": current["kind"], "cells": arrays.add(f"injected_{k}", np.asarray(current["cells"], dtype=np.int64)),
                 "parameters": {name: arrays.add(f"{name}_{k}", np.asarray(values, dtype=float))
                                for name, values in current["parameters"].items()}} for k, current in enumerate(stage.currents)]
    return {"begin": stage.begin, "currents": currents,
            "parameters": {name: arrays.add(name, value) for name, value in stage.parameters.items()},
            "connections": [[c.label, c.receptor, c.plastic,
                             {name: arrays.add(f"{name}_{k}", getattr(c, name)) for name in _OF_CONNECTIONS}]
                            for k, c in enumerate(stage.connections)]}


def _stage(meta: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Stage:
    connections = tuple(Connections(label, receptor, plastic=plastic, **{name: arrays[keys[name]] for name in _OF_CONNECTIONS})
                        for label, receptor, plastic, keys in meta["connections"])
    return Stage(meta["begin"], {name: arrays[meta["parameters"][name]] for name in PARAMETERS}, connections,
                 tuple({"kind": current["kind"], "cells": arrays[current["cells"]].tolist(),
                        "parameters": {name: arrays[key].tolist() for name, key in current["parameters"].items()}}
                       for current in meta["currents"]))


def write_records(path: str | Path, records: Sequence[NetworkRecord]) -> None:
    """Store NetworkRecords, the trials of one script on one simulator, as a file (npz)."""
    arrays = _Arrays()
    trials = [{"labels": list(r.labels), "sizes": [int(n) for n in r.sizes], "kinds": list(r.kinds), "duration": r.duration,
               "samples": r.samples, "notes": list(r.notes), "meta": r.meta,
               "cells": arrays.add("cells", r.cells), "times": arrays.add("times", r.times),
               "stages": [_describe(stage, arrays) for stage in r.stages]} for r in records]
    write_arrays(path, arrays.stored, {"trials": trials})


def read_records(path: str | Path) -> list[NetworkRecord]:
    """The list of NetworkRecords that `write_records` stored. ResultsError for any other file."""
    arrays, meta = read_arrays(path)
    try:
        return [_record(trial, arrays) for trial in meta["trials"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{path} is no record of a comparison; ttfs-pynn compare makes them") from error


def _record(trial: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> NetworkRecord:
    first, *later = [_stage(stage, arrays) for stage in trial["stages"]]
    return NetworkRecord(tuple(trial["labels"]), tuple(trial["sizes"]), first.parameters, first.connections,
                         arrays[trial["cells"]], arrays[trial["times"]], trial["duration"],
                         None if trial["samples"] is None else tuple(trial["samples"]), tuple(trial["notes"]), trial["meta"],
                         tuple(trial["kinds"]), first.currents, tuple(later))
