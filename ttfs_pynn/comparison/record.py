"""What one simulator was given and what it recorded: cells, connections and spikes, in one file."""

from dataclasses import dataclass, field

import numpy as np

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files import read_arrays, write_arrays
from ttfs_pynn.presentation import in_windows

__all__ = ["PARAMETERS", "Connections", "NetworkRecord", "distinct"]

# Of IF_curr_exp; `v` is the initial membrane potential.
PARAMETERS = ("tau_m", "tau_syn_E", "tau_syn_I", "cm", "v_rest", "v_reset", "v_thresh", "tau_refrac", "i_offset", "v")


def distinct(labels):
    """The labels in their order, those that were there before with a number: 'cells', 'cells 2'."""
    found: list[str] = []
    for label in labels:
        name, k = label, 1
        while name in found:
            k += 1
            name = f"{label} {k}"
        found.append(name)
    return tuple(found)


@dataclass(frozen=True)
class Connections:
    """One projection: `pre` and `post` are cell numbers, `weight` in nA (negative: inhibitory), `delay` in ms."""

    label: str
    receptor: str
    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray


@dataclass(frozen=True)
class NetworkRecord:
    """Cells are numbered through, population after population.

    labels, sizes: of the populations. parameters: {name: (cells,)} of PARAMETERS, NaN for cells that are not IF_curr_exp (spike
    sources). cells, times: all spikes, `times` in ms, sorted by cell, then time. samples: None, or (window, deadline) in ms of a
    layered network, which saw sample s in [s window, (s + 1) window). notes: text about what the record leaves out.
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

    @property
    def n_cells(self):
        """How many cells there are in all populations."""
        return int(sum(self.sizes))

    @property
    def populations(self):
        """{label: range of its cells}"""
        ends = np.cumsum(self.sizes)
        return {label: range(int(end - size), int(end)) for label, size, end in zip(self.labels, self.sizes, ends, strict=True)}

    def population_of(self, cell):
        """Label of the population that a cell number belongs to."""
        return self.labels[int(np.searchsorted(np.cumsum(self.sizes), cell, side="right"))]

    @property
    def is_neuron(self):
        """(cells,) whether the exact model of IF_curr_exp describes the cell."""
        return np.isfinite(self.parameters["tau_m"])

    def trains(self):
        """One sorted array of spike times (ms) a cell."""
        return np.split(self.times, np.searchsorted(self.cells, np.arange(1, self.n_cells)))

    def first_spikes(self, label):
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

    def with_spikes(self, trains):
        """The same network with other spikes, one array a cell."""
        cells = np.repeat(np.arange(self.n_cells), [len(t) for t in trains])
        times = np.concatenate([np.sort(t) for t in trains]) if len(trains) else np.empty(0)
        return NetworkRecord(self.labels, self.sizes, self.parameters, self.connections, cells, times, self.duration,
                             self.samples, self.notes, self.meta)

    def write(self, path):
        """Store it as a file (npz)."""
        arrays = {"cells": self.cells, "times": self.times, **{f"parameter_{k}": v for k, v in self.parameters.items()}}
        for k, c in enumerate(self.connections):
            arrays |= {f"{name}_{k}": getattr(c, name) for name in ("pre", "post", "weight", "delay")}
        write_arrays(path, arrays, {
            "labels": list(self.labels), "sizes": [int(n) for n in self.sizes], "duration": self.duration,
            "samples": self.samples, "notes": list(self.notes), "meta": self.meta,
            "connections": [[c.label, c.receptor] for c in self.connections]})

    @classmethod
    def read(cls, path):
        """What `write` stored. ResultsError for any other file."""
        arrays, meta = read_arrays(path)
        try:
            return cls._from(arrays, meta)
        except (KeyError, TypeError, ValueError) as error:
            raise ResultsError(f"{path} is no record of a comparison; ttfs-pynn compare makes them") from error

    @classmethod
    def _from(cls, arrays, meta):
        connections = tuple(Connections(label, receptor, *(arrays[f"{name}_{k}"] for name in ("pre", "post", "weight", "delay")))
                            for k, (label, receptor) in enumerate(meta["connections"]))
        return cls(tuple(meta["labels"]), tuple(meta["sizes"]), {name: arrays[f"parameter_{name}"] for name in PARAMETERS},
                   connections, arrays["cells"], arrays["times"], meta["duration"],
                   None if meta["samples"] is None else tuple(meta["samples"]), tuple(meta["notes"]), meta["meta"])
