"""Everything about one simulator at one time step, and over time steps, as dicts for comparison.json."""

from dataclasses import replace

import numpy as np

from ttfs_pynn.comparison.conditional import conditional
from ttfs_pynn.comparison.defects import find_defects
from ttfs_pynn.comparison.explanation import explain
from ttfs_pynn.comparison.matching import match_trains

__all__ = ["add_orders", "class_agreement", "compare_records", "order_of_convergence"]

_ROUNDING = 1e-8  # ms: below it, errors do not depend on the step any more


def _sizes(differences):
    size = np.abs(differences)
    if not size.size:
        return {"max_abs_error_ms": 0.0, "mean_abs_error_ms": 0.0, "median_abs_error_ms": 0.0}
    return {"max_abs_error_ms": float(size.max()), "mean_abs_error_ms": float(size.mean()),
            "median_abs_error_ms": float(np.median(size))}


def class_agreement(reference, other):
    """Share of samples for which the last population decides for the same class by its first spike; None without samples."""
    if reference.samples is None:
        return None
    decisions = []
    for record in (reference, other):
        first = record.first_spikes(record.labels[-1])
        decisions.append(np.where(np.isfinite(first).any(axis=1), first.argmin(axis=1), -1))
    return float((decisions[0] == decisions[1]).mean())


def compare_records(reference, other, dt, window, lag=0.0, defects=True, delay_steps=0.4):
    """A dict: matched, missing, extra, max_abs_error_ms, class_agreement, `populations`, `unmatched` (explanation), `defects`.

    populations: for each whole_network (against the reference), own_inputs (against the exact neuron with the same inputs).
    lag, delay_steps: see `find_defects`.
    """
    notes = list(other.notes)
    if other.meta.get("connections", []) != reference.meta.get("connections", []):
        notes.append(f"not the same network: projections of {other.meta.get('connections')} connections, on the reference "
                     f"{reference.meta.get('connections')}; draw random connections with a seeded NumpyRNG")
    other = replace(other, connections=reference.connections, parameters=reference.parameters)
    matching = match_trains(reference, other, window)
    neurons = [label for label, cells in reference.populations.items() if reference.is_neuron[cells.start:cells.stop].all()]
    # Nothing is known about injected currents but that they were injected.
    exact = not any("currents" in note for note in reference.notes)
    conditionals = {label: conditional(other, label, window) for label in neurons if exact}
    result = {"dt_ms": dt, "window_ms": window, "matched": int(matching.cell.size), "missing": int(matching.missing[0].size),
              "extra": int(matching.extra[0].size), **_sizes(matching.differences),
              "class_agreement": class_agreement(reference, other), "notes": notes, "populations": [], "defects": []}
    for label, cells in reference.populations.items():
        part, c = matching.within(cells), conditionals.get(label)
        row = {"population": label, "cells": len(cells),
               "whole_network": {"matched": int(part.cell.size), "missing": int(part.missing[0].size),
                                 "extra": int(part.extra[0].size), **_sizes(part.differences)}, "own_inputs": None}
        if c is not None:
            steep = c.slope >= 0.1 * np.median(c.slope) if c.slope.size else np.zeros(0, bool)
            row["own_inputs"] = {"matched": int(c.residual.size), "missing": int(c.missing[0].size),
                                 "extra": int(c.extra[0].size), **_sizes(c.residual),
                                 "mean_error_ms": float(c.residual.mean()) if c.residual.size else 0.0,
                                 "grazing": int((~steep).sum()),
                                 "max_abs_error_steep_ms": _sizes(c.residual[steep])["max_abs_error_ms"]}
            if defects:
                found = find_defects(other, label, c, dt, lag, delay_steps=delay_steps)
                result["defects"] += [d.as_dict() | {"population": label} for d in found]
        result["populations"].append(row)
    result["unmatched"] = explain(reference, other, matching, conditionals, dt, window)
    result["unexplained"] = sum(not row["explained"] for row in result["unmatched"])
    return result


def order_of_convergence(steps, errors):
    """The exponent p of error ~ dt^p by least squares; None for fewer than two steps or errors at rounding."""
    steps, errors = np.asarray(steps, dtype=float), np.asarray(errors, dtype=float)
    if steps.size < 2 or (errors < _ROUNDING).any():
        return None
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def _own(run):
    parts = [p["own_inputs"] for p in run["populations"] if p["own_inputs"] and p["own_inputs"]["matched"]]
    total = sum(p["matched"] for p in parts)
    return sum(p["matched"] * p["mean_abs_error_ms"] for p in parts) / total if total else np.nan


def add_orders(runs):
    """Of one simulator's runs at several dt: the keys `order` (whole network, mean error) and `own_order` (given own inputs)."""
    steps = [run["dt_ms"] for run in runs]
    own = [_own(run) for run in runs]
    return {"order": order_of_convergence(steps, [run["mean_abs_error_ms"] for run in runs]),
            "own_order": order_of_convergence(steps, own) if np.isfinite(own).all() else None}
