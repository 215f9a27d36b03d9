"""One trial of a script, as it is taken down while it runs: stage by stage what held, and all that spiked."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ttfs_pynn.comparison.record import PARAMETERS, Connections, NetworkRecord, Stage, distinct
from ttfs_pynn.simulators import Simulator
from ttfs_pynn.spikes.windows import spikes_of

__all__ = ["Trial"]

class Trial:
    """From setup() or reset() to the next one. simulator: a simulators.Simulator, dt in ms."""

    def __init__(self, simulator: Simulator, dt: float) -> None:
        self._simulator, self._dt = simulator, dt
        self._stages: list[Stage] = []
        self._spikes: dict[int, list] = {}  # {id of a population: [(cell ids, times)]} of what the recorder has let go
        self._seen: set[int] = set()  # populations whose first membrane was taken down
        self._membranes: dict[int, np.ndarray] = {}  # of each population at the end of the last run, by its id

    @property
    def begun(self) -> bool:
        """Whether the script ran in it."""
        return bool(self._stages)

    def keep_spikes(self, population: Any) -> None:
        """Take down what the recorder of a population holds, before it forgets it."""
        if self.begun and population.recorder._simulator.state.running:
            # PyNN's Recorder.get, not that of this instance, which would call this again.
            self._simulator.before_reading(population)
            block = type(population.recorder).get(population.recorder, ["spikes"])
            self._spikes.setdefault(id(population), []).append(spikes_of(block.segments[-1]))

    def end_run(self, populations: Sequence[Any]) -> None:
        """Remember the membranes, to see whether the script sets them before the next run."""
        self._membranes = {id(p): v for p in populations if _is_known(p) and (v := self._simulator.membrane(p)) is not None}

    def begin_stage(self, begin: float, populations: Sequence[Any], projections: Sequence[Any],
                    currents: Sequence[Any]) -> None:
        """Take down what holds from now on, `begin` in ms, and what did not change as what it was."""
        number = _numbers(populations)
        before = self._stages[-1] if self._stages else None
        parameters = self._parameters(populations)
        connections = []
        for k, (projection, label) in enumerate(zip(projections, distinct(p.label for p in projections), strict=True)):
            earlier = before.connections[k] if before is not None and k < len(before.connections) else None
            connections.append(self._connections(projection, label, number, earlier))
        injected = [self._current(kind, source, targets, number) for kind, source, targets in currents]
        stage = Stage(float(begin), parameters, tuple(connections), tuple(injected))
        if before is None or not _same(before, stage):
            self._stages.append(stage)

    def _parameters(self, populations):
        columns: dict[str, list[np.ndarray]] = {name: [] for name in PARAMETERS}
        for population in populations:
            for name in PARAMETERS:
                value = np.nan
                if _is_known(population):
                    value = self._given_membrane(population) if name == "v" else population.get(name)
                columns[name].append(np.broadcast_to(np.asarray(value, dtype=float), (population.size,)))
        return {name: np.concatenate([np.empty(0), *column]) for name, column in columns.items()}

    def _given_membrane(self, population):
        """What the membrane is from now on (mV), NaN where it goes on."""
        now: Any = self._simulator.membrane(population)
        if not self._stages or id(population) not in self._membranes:
            new = not self._stages or id(population) not in self._seen
            first = population.initial_values["v"].evaluate(simplify=True) if now is None else now
            self._seen.add(id(population))
            return first if new else np.nan
        return np.where(np.isclose(now, self._membranes[id(population)], rtol=1e-9, atol=0.0), np.nan, now)

    def _current(self, kind, source, targets, number):
        """A current for JSON: its kind, the numbers of its cells and {parameter: list of numbers}."""
        parameters = {name: _plain(getattr(source, name)) for name in sorted(source.default_parameters)}
        late = self._simulator.currents_begin_early * self._dt
        for name in {"start", "stop", "times"} & set(parameters):
            parameters[name] = [time + late for time in parameters[name]]
        return {"kind": kind, "cells": sorted(number(targets).tolist()), "parameters": parameters}

    def _connections(self, projection, label, number, earlier):
        pre, post, weight, delay = self._simulator.connections(projection)
        pre, post = number(pre), number(post)
        # Simulators list connections in orders of their own, and NEST 3.10 in another one after the first run.
        order = np.lexsort((weight, delay, post, pre))
        made = Connections(label, projection.receptor_type, pre[order], post[order], weight[order], delay[order],
                           type(projection.synapse_type).__name__ != "StaticSynapse")
        if earlier is None or not made.same_pairs(earlier):
            return made
        weight, delay = (old if np.array_equal(old, new) else new
                         for old, new in ((earlier.weight, made.weight), (earlier.delay, made.delay)))
        if weight is earlier.weight and delay is earlier.delay:
            return earlier
        return Connections(label, made.receptor, earlier.pre, earlier.post, weight, delay, made.plastic)

    def record(self, populations: Sequence[Any], projections: Sequence[Any], duration: float, notes: Sequence[str],
               setup: int) -> NetworkRecord | None:
        """NetworkRecord of the trial; None where the script did not run."""
        if not self.begun:
            return None
        for population in populations:
            self.keep_spikes(population)
        number = _numbers(populations)
        parts = [part for population in populations for part in self._spikes.get(id(population), ())]
        ids = np.concatenate([np.asarray(ids, dtype=np.int64) for ids, _ in parts]) if parts else np.empty(0, np.int64)
        times = np.concatenate([times for _, times in parts]) if parts else np.empty(0)
        cells = number(ids)
        order = np.lexsort((times, cells))
        first, *later = _of_all(self._stages)
        meta = {"setup": setup, "weights_act_on_arrival": self._simulator.weights_act_on_arrival}
        return NetworkRecord(distinct(p.label for p in populations), tuple(int(p.size) for p in populations), first.parameters,
                             first.connections, cells[order], times[order], float(duration), None, tuple(notes), meta,
                             tuple(type(p.celltype).__name__ for p in populations), first.currents, tuple(later))


def _is_known(population):
    """Whether the exact model describes the cells."""
    return type(population.celltype).__name__ == "IF_curr_exp"


def _numbers(populations):
    """A function from ids of cells to their numbers, all populations counted through."""
    ids = np.array([int(cell) for population in populations for cell in population.all_cells], dtype=np.int64)
    order = np.argsort(ids)
    return lambda wanted: order[np.searchsorted(ids[order], np.asarray(wanted, dtype=np.int64))] if ids.size else \
        np.empty(0, np.int64)


def _plain(value):
    """The numbers of a parameter: simulators give back numbers, arrays, PyNN's
    LazyArrays and Sequences, and arrays of those."""
    if hasattr(value, "evaluate"):
        value.shape = value.shape or (1,)
        return _plain(value.evaluate(simplify=True))
    if hasattr(value, "value"):
        return _plain(value.value)
    return [v for item in value for v in _plain(item)] if np.ndim(value) else [float(value)]


def _same(a, b):
    """Whether nothing changed from stage a to stage b."""
    return a.currents == b.currents and len(a.connections) == len(b.connections) \
        and all(c is d for c, d in zip(a.connections, b.connections, strict=True)) \
        and np.isnan(b.parameters["v"]).all() \
        and all(np.array_equal(a.parameters[name], b.parameters[name], equal_nan=True) for name in PARAMETERS if name != "v")


def _of_all(stages):
    """The stages with a column for every cell: those that are made later have before what they have when they come."""
    result: list[Stage] = []
    for stage in stages:
        parameters = dict(stage.parameters)
        for name, values in parameters.items():
            later = [s.parameters[name][values.size:] for s in stages if s.parameters[name].size > values.size]
            while later and values.size < stages[-1].parameters[name].size:
                values = np.concatenate([values, later[0]])
                later = [s.parameters[name][values.size:] for s in stages if s.parameters[name].size > values.size]
            parameters[name] = values
        result.append(Stage(stage.begin if result else 0.0, parameters, stage.connections, stage.currents))
    return result
