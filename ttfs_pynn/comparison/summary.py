"""Everything about one simulator at one time step, and over time steps, as dicts for comparison.json."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.comparison.conditional import conditional
from ttfs_pynn.comparison.defects import find_defects
from ttfs_pynn.comparison.explanation import explain
from ttfs_pynn.comparison.matching import match_trains
from ttfs_pynn.comparison.record import NetworkRecord
from ttfs_pynn.comparison.same_network import Difference, differences, source_differences
from ttfs_pynn.simulators import Simulator

__all__ = ["add_orders", "class_agreement", "compare_records", "order_of_convergence"]

_ROUNDING = 1e-8  # ms: below it, errors do not depend on the step any more


def _sizes(differences):
    size = np.abs(differences)
    if not size.size:
        return {"max_abs_error_ms": 0.0, "mean_abs_error_ms": 0.0, "median_abs_error_ms": 0.0}
    return {"max_abs_error_ms": float(size.max()), "mean_abs_error_ms": float(size.mean()),
            "median_abs_error_ms": float(np.median(size))}


def class_agreement(reference: NetworkRecord, other: NetworkRecord) -> float | None:
    """Share of samples for which the last population decides for the same class by its first spike; None without samples."""
    if reference.samples is None:
        return None
    decisions = []
    for record in (reference, other):
        first = record.first_spikes(record.labels[-1])
        decisions.append(np.where(np.isfinite(first).any(axis=1), first.argmin(axis=1), -1))
    return float((decisions[0] == decisions[1]).mean())


class _Population:
    """What is gathered of the populations of one label over the trials."""

    def __init__(self, label, cells):
        self.label, self.cells = label, cells
        self.missing = self.extra = 0
        self.differences: list[np.ndarray] = []
        self.conditionals: list = []

    def add(self, part, c):
        """Of one trial: its part of the Matching, and its Conditional or None."""
        self.missing += part.missing[0].size
        self.extra += part.extra[0].size
        self.differences.append(part.differences)
        if c is not None:
            self.conditionals.append(c)

    def row(self):
        """For `populations` of comparison.json."""
        whole = np.concatenate(self.differences)
        return {"population": self.label, "cells": self.cells, "own_inputs": self._own(),
                "whole_network": {"matched": int(whole.size), "missing": self.missing, "extra": self.extra, **_sizes(whole)}}

    def _own(self):
        if not self.conditionals:
            return None
        residual, slope = (np.concatenate([getattr(c, name) for c in self.conditionals]) for name in ("residual", "slope"))
        steep = slope >= 0.1 * np.median(slope) if slope.size else np.zeros(0, bool)
        missing, extra = (sum(getattr(c, name).cell.size for c in self.conditionals) for name in ("missing", "extra"))
        return {"matched": int(residual.size), "missing": int(missing), "extra": int(extra), **_sizes(residual),
                "mean_error_ms": float(residual.mean()) if residual.size else 0.0, "grazing": int((~steep).sum()),
                "max_abs_error_steep_ms": _sizes(residual[steep])["max_abs_error_ms"]}


class _Run:
    """What is gathered over the trials of one simulator at one time step."""

    def __init__(self):
        self.populations: dict[str, _Population] = {}
        self.trials: list[dict] = []
        self.unmatched: list[dict] = []
        self.differences: list[np.ndarray] = []
        self.lost: dict[str, int] = {}
        self.sources: list[tuple] = []

    def add(self, k, reference, other, dt, window, on_grid):
        """Trial k."""
        matching = match_trains(reference, other, window)
        found = {label: conditional(other, label, window) for label in reference.labels}
        for label, cells in reference.populations.items():
            row = self.populations.setdefault(label, _Population(label, len(cells)))
            row.add(matching.within(cells), found[label])
        rows = explain(reference, other, matching, found, dt, window, on_grid)
        self.unmatched += [row | {"trial": k} for row in rows]
        self.differences.append(matching.differences)
        self.trials.append({"trial": k, "setup": reference.setup, "duration_ms": reference.duration,
                            "runs": len(reference.stages), "matched": int(matching.cell.size),
                            "missing": int(matching.missing[0].size), "extra": int(matching.extra[0].size),
                            "unexplained": sum(not row["explained"] for row in rows), **_sizes(matching.differences)})
        if reference.samples is None:
            sources, lost = source_differences(reference, other, matching, dt)
            self.sources += [(k, *rest) for rest in sources]
            for label, n in lost.items():
                self.lost[label] = self.lost.get(label, 0) + n

    def sums(self):
        """Figures of all trials together."""
        return {name: sum(trial[name] for trial in self.trials) for name in ("matched", "missing", "extra", "unexplained")} \
            | _sizes(np.concatenate(self.differences) if self.differences else np.empty(0))


def compare_records(references: Sequence[NetworkRecord] | NetworkRecord, others: Sequence[NetworkRecord] | NetworkRecord,
                    dt: float, window: float, simulator: Simulator | None = None, defects: bool = True) -> dict[str, Any]:
    """A dict of two lists of NetworkRecord, the trials of one script on two simulators, or of two single ones:

    - matched, missing, extra, unexplained, and the largest, mean and median error (ms), of all trials; class_agreement
    - trials: the same of each
    - populations: of each label whole_network (against the reference) and own_inputs (against the exact neuron that received what
      was recorded, in the network that the simulator holds)
    - unmatched: the missing and extra spikes, each with its explanation
    - differences: what is not the same network; a defect is looked for in the network that the simulator holds
    - defects: what spike times show

    simulator: the Simulator of `others`, of which lag, has_time_step, hardware and acting are asked; None for one without a step.
    """
    references = [references] if isinstance(references, NetworkRecord) else list(references)
    others = [others] if isinstance(others, NetworkRecord) else list(others)
    run, same = _Run(), differences(references, others, dt)
    pairs = [(k, a, _described(a, b)) for k, (a, b) in enumerate(zip(references, others, strict=False))
             if a.labels == b.labels and a.sizes == b.sizes]
    for k, reference, other in pairs:
        run.add(k, reference, other, dt, window, simulator is not None and simulator.has_time_step)
    notes = list(dict.fromkeys(note for record in (*references, *others) for note in record.notes))
    for label, n in run.lost.items():
        notes.append(f"{label}: {n} of its spikes were lost, each in one step of {dt:g} ms with another one of the same source, "
                     "where a simulator with a time step holds one")
    same += _once(run.sources, len(pairs))
    held = [(k, _as_acting(other, simulator, dt)) for k, _, other in pairs]
    found = [d for label in run.populations for d in _defects(held, label, window, dt, simulator)] if defects else []
    return {"dt_ms": dt, "window_ms": window, **run.sums(), "trials": run.trials,
            "class_agreement": class_agreement(references[0], others[0]) if pairs else None, "notes": notes,
            "populations": [p.row() for p in run.populations.values()], "unmatched": run.unmatched,
            "differences": [d.as_dict() for d in same], "defects": [d.as_dict() for d in found]}


def _described(reference, other):
    """The other record, with the description of the reference where it has none of its own (a layered network)."""
    return other if other.kinds else replace(other, connections=reference.connections, parameters=reference.parameters)


def _as_acting(record, simulator, dt):
    """The record with the parameters and weights that the simulator's integration makes of them."""
    if simulator is None:
        return record
    stages = []
    for stage in record.stages:
        parameters, factors = simulator.acting(stage.parameters, dt)
        connections = tuple(replace(c, weight=c.weight * factors[c.receptor][c.post]) if c.receptor in factors else c
                            for c in stage.connections)
        stages.append(replace(stage, parameters=parameters, connections=connections))
    return replace(record, parameters=stages[0].parameters, connections=stages[0].connections, later=tuple(stages[1:]))


def _once(sources, n_trials):
    """Differences of source spikes: a text that every trial has is named once."""
    trials: dict[tuple, list] = {}
    for k, *rest in sources:
        trials.setdefault(tuple(rest), []).append(k)
    return [Difference(k, *rest) for rest, numbers in trials.items() for k in ([None] if len(numbers) == n_trials else numbers)]


def _defects(held, label, window, dt, simulator):
    """Of one population: what all trials of a setup() show together, else what single ones do."""
    lag = simulator.lag if simulator else 0.0
    # A chip stamps spikes late but sends them on as they are, so that half a tick of a delay is no defect.
    delay_steps, found = 1.0 if simulator and simulator.hardware else 0.4, []
    for setup in dict.fromkeys(other.setup for _, other in held):
        members = [(k, other) for k, other in held if other.setup == setup and label in other.labels]
        together = find_defects([other for _, other in members], label, window, dt, lag, delay_steps=delay_steps)
        if together or len(members) == 1:
            found += together
            continue
        for k, other in members:
            found += [replace(d, trial=k) for d in find_defects([other], label, window, dt, lag, delay_steps=delay_steps)]
    return found


def order_of_convergence(steps: ArrayLike, errors: ArrayLike) -> float | None:
    """The exponent p of error ~ dt^p by least squares; None for fewer than two steps or errors at rounding."""
    steps, errors = np.asarray(steps, dtype=float), np.asarray(errors, dtype=float)
    if steps.size < 2 or (errors < _ROUNDING).any():
        return None
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def _own(run):
    parts = [p["own_inputs"] for p in run["populations"] if p["own_inputs"] and p["own_inputs"]["matched"]]
    total = sum(p["matched"] for p in parts)
    return sum(p["matched"] * p["mean_abs_error_ms"] for p in parts) / total if total else np.nan


def add_orders(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of one simulator's runs at several dt: the keys `order` (whole network, mean error) and `own_order` (given own inputs)."""
    steps = [run["dt_ms"] for run in runs]
    own = [_own(run) for run in runs]
    return {"order": order_of_convergence(steps, [run["mean_abs_error_ms"] for run in runs]),
            "own_order": order_of_convergence(steps, own) if np.isfinite(own).all() else None}
