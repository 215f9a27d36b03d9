"""Was it the same network? Two records of one script are compared before their spikes are: what was built, and what was changed.

A script that draws random connections or weights without a seed, or that does something else on one simulator, builds another
network there. That is no defect of the simulator, and it explains every difference of spikes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ttfs_pynn.comparison.matching import Matching
from ttfs_pynn.comparison.record import PARAMETERS, NetworkRecord, Stage

__all__ = ["Difference", "differences", "is_source", "source_differences"]

# Simulators keep values in their own units, and Brian2 and NEST detune equal time constants by 1e-6.
_RELATIVE = 3e-6
_STEPS = 1.001  # a time on a grid differs by up to one step from where it belongs


@dataclass(frozen=True)
class Difference:
    """trial: its number from 0, None for all of them. what: "runs", "populations", "cells", "parameters", "initial values",
    "connections", "weights", "delays", "injected currents" or "source spikes". where: label of a population or projection."""

    trial: int | None
    what: str
    where: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


def differences(references: Sequence[NetworkRecord], others: Sequence[NetworkRecord], dt: float) -> list[Difference]:
    """A list of Difference between the descriptions of all trials of two simulators (lists of NetworkRecord), spikes aside."""
    found: list[Difference] = []
    if len(references) != len(others):
        found.append(Difference(None, "runs", "script", f"{_trials(len(others))} instead of {_trials(len(references))}: setup(), "
                                                        "reset() and run() are called otherwise"))
    for k, (reference, other) in enumerate(zip(references, others, strict=False)):
        found += [Difference(k, *rest) for rest in _of_trial(reference, other, dt)]
    return _joined(found, min(len(references), len(others)))


def _trials(n):
    return "1 trial" if n == 1 else f"{n} trials"


def _joined(found, n_trials):
    """The same difference in every trial is named once."""
    trials: dict[tuple, list] = {}
    for d in found:
        trials.setdefault((d.what, d.where, d.text), []).append(d.trial)
    rows = []
    for key, numbers in trials.items():
        if len(numbers) == n_trials or numbers == [None]:
            rows.append(Difference(None, *key))
        else:
            rows += [Difference(number, *key) for number in numbers]
    return rows


def _of_trial(reference, other, dt):
    """(what, where, text) of each difference of one trial."""
    if reference.labels != other.labels or reference.sizes != other.sizes:
        def listed(r):
            return ", ".join(f"{label} ({n})" for label, n in zip(r.labels, r.sizes, strict=True)) or "none"
        yield "populations", "script", f"populations {listed(other)} instead of {listed(reference)}"
        return
    for label, kind, wanted in zip(reference.labels, other.kinds, reference.kinds, strict=False):
        if kind != wanted:
            yield "cells", label, f"cells are {kind} instead of {wanted}"
    if abs(reference.duration - other.duration) > _STEPS * dt:
        yield "runs", "script", f"it ran for {other.duration:g} ms instead of {reference.duration:g} ms"
    seen = set()
    for begin, a, b in _overlaid(reference, other, dt):
        when = f" from {begin:g} ms on" if begin else ""
        for what, where, text in _of_stage(reference, a, b, dt):
            if (what, where, text) not in seen:  # what holds on is not said again
                seen.add((what, where, text))
                yield what, where, f"{text}{when}"


def _overlaid(reference, other, dt):
    """(begin, stage, stage of the other) of every stretch, up to the end of the shorter trial, in which neither changes."""
    end = min(reference.duration, other.duration) - _STEPS * dt
    kept: list[float] = []
    for begin in sorted({s.begin for s in (*reference.stages, *other.stages)}):
        if not kept or _STEPS * dt < begin - kept[-1] and begin < end:
            kept.append(begin)
    for begin in kept:
        at, pair = begin + _STEPS * dt, list[Stage]()
        for side in (reference.stages, other.stages):
            stage = [s for s in side if s.begin <= at][-1]
            if begin - stage.begin > _STEPS * dt:  # nothing was given here: the membrane goes on
                stage = replace(stage, parameters=stage.parameters | {"v": np.full_like(stage.parameters["v"], np.nan)})
            pair.append(stage)
        yield begin, *pair


def _of_stage(record, a, b, dt):
    for label, cells in record.populations.items():
        part = slice(cells.start, cells.stop)
        for name in PARAMETERS:
            x, y = a.parameters[name][part], b.parameters[name][part]
            apart = ~_close(x, y)
            if apart.any():
                k = int(np.argmax(apart))
                cell = "" if apart.all() else f" of cell {k}" if apart.sum() == 1 else f" of {apart.sum()} of {len(cells)} cells"
                value = f"{y[k]:.6g} instead of {x[k]:.6g}" + (f" (cell {k})" if 1 < apart.sum() < len(cells) else "")
                if name == "v" and np.isnan(y[k]):
                    yield "initial values", label, f"the membrane potential{cell} is not set to {x[k]:.6g} mV, but goes on"
                elif name == "v":
                    value = value.replace(" instead of nan", ", though it should go on")
                    yield "initial values", label, f"the membrane potential{cell} is set to {value} mV"
                else:
                    yield "parameters", label, f"{name}{cell} is {value}"
    yield from _of_currents(record, a.currents, b.currents, dt)
    if [c.label for c in a.connections] != [c.label for c in b.connections]:
        yield "connections", "script", (f"projections {', '.join(c.label for c in b.connections) or 'none'} instead of "
                                        f"{', '.join(c.label for c in a.connections) or 'none'}")
        return
    for c, d in zip(a.connections, b.connections, strict=True):
        if c.receptor != d.receptor:
            yield "connections", c.label, f"its receptor is {d.receptor} instead of {c.receptor}"
        elif not c.same_pairs(d):
            yield "connections", c.label, _pairs(c, d)
        else:
            yield from _of_values(c, d, dt)


def _close(x, y):
    return (x == y) | (np.abs(x - y) <= _RELATIVE * np.maximum(np.abs(x), np.abs(y))) | (np.isnan(x) & np.isnan(y))


def _pairs(c, d):
    def counts(connections):
        pairs, n = np.unique(np.stack([connections.pre, connections.post]), axis=1, return_counts=True)
        return dict(zip(map(tuple, pairs.T.tolist()), n.tolist(), strict=True))
    wanted, found = counts(c), counts(d)
    missing = sum(max(n - found.get(pair, 0), 0) for pair, n in wanted.items())
    extra = sum(max(n - wanted.get(pair, 0), 0) for pair, n in found.items())
    return (f"other connections: {missing} of {c.pre.size} are missing, {extra} are extra; draw random ones with a seed, "
            "rng=NumpyRNG(seed=...)" if missing and extra else
            f"other connections: {missing} of {c.pre.size} are missing" if missing else f"other connections: {extra} are extra")


def _of_values(c, d, dt):
    apart = ~_close(c.weight, d.weight)
    if apart.any():
        k = int(np.argmax(apart))
        where = "" if apart.all() else f" of {apart.sum()} of {apart.size} connections"
        ratio = d.weight[apart] / c.weight[apart] if (c.weight[apart] != 0).all() else np.array([np.nan])
        scale = f", {ratio.mean():.4g} times as large" if ratio.size and np.ptp(ratio) <= 1e-5 * abs(ratio.mean()) else ""
        yield "weights", c.label, f"weights{where} are {d.weight[k]:.6g} instead of {c.weight[k]:.6g} nA{scale}"
    apart = np.abs(c.delay - d.delay) > 1e-6 * dt + _RELATIVE * c.delay
    if apart.any():
        k = int(np.argmax(apart))
        where = "" if apart.all() else f" of {apart.sum()} of {apart.size} connections"
        yield "delays", c.label, f"delays{where} are {d.delay[k]:.6g} instead of {c.delay[k]:.6g} ms"


def _of_currents(record, currents, others, dt):
    if len(currents) != len(others):
        yield "injected currents", "script", f"{len(others)} currents are injected instead of {len(currents)}"
        return
    for a, b in zip(currents, others, strict=True):
        where = " and ".join(dict.fromkeys(record.population_of(cell) for cell in (a["cells"] or b["cells"]))) or "script"
        if (a["kind"], a["cells"]) != (b["kind"], b["cells"]):
            yield "injected currents", where, (f"a {b['kind']} into {len(b['cells'])} cells instead of a {a['kind']} into "
                                               f"{len(a['cells'])} cells")
            continue
        for name, x in a["parameters"].items():
            y = b["parameters"].get(name, x)
            x, y = np.asarray(x), np.asarray(y)
            # Simulators with a time step switch currents at steps.
            slack = _STEPS * dt if name in ("times", "start", "stop", "dt") else 0.0
            if x.shape != y.shape or not (_close(x, y) | (np.abs(x - y) <= slack)).all():
                yield "injected currents", where, (f"{name} of the {a['kind']} is {' '.join(f'{v:g}' for v in y[:6])} instead of "
                                                   f"{' '.join(f'{v:g}' for v in x[:6])}")


def source_differences(reference: NetworkRecord, other: NetworkRecord, matching: Matching,
                       dt: float) -> tuple[list[tuple[str, str, str]], dict[str, int]]:
    """(differences, lost) of the spikes of one trial's sources: a list of (what, where, text), and {label: how many were lost
    on the grid of time, where two of a source are in one step}.

    A spike belongs within one step of the reference's. What is so near to the end of the trial that the step ends after it is
    left out.
    """
    found: list[tuple] = []
    lost: dict[str, int] = {}
    trains, others, end = reference.trains(), other.trains(), min(reference.duration, other.duration) - _STEPS * dt
    for label, cells in reference.populations.items():
        if not is_source(reference, label):
            continue
        part = matching.within(cells)
        wrong = [(c, f"a spike is at {o:.6g} ms instead of {r:.6g} ms") for c, r, o in
                 zip(part.cell, part.reference, part.other, strict=True) if abs(r - o) > _STEPS * dt]
        for c, t in zip(*part.missing, strict=True):
            if t >= end:
                continue
            if (np.abs(others[c] - t) <= _STEPS * dt).any():
                lost[label] = lost.get(label, 0) + 1
            else:
                wrong.append((c, f"a spike at {t:.6g} ms is missing"))
        wrong += [(c, f"a spike at {t:.6g} ms is extra") for c, t in zip(*part.extra, strict=True)
                  if t < end and not (np.abs(trains[c] - t) <= _STEPS * dt).any()]
        if wrong:
            more = f"; {len(wrong) - 1} more spikes of its cells differ" if len(wrong) > 1 else ""
            found.append(("source spikes", label, f"{wrong[0][1]} (cell {wrong[0][0] - cells.start}){more}"))
    return found, lost


def is_source(record: NetworkRecord, label: str) -> bool:
    """Whether the cells of a population are spike sources."""
    cells, kinds = record.populations[label], dict(zip(record.labels, record.kinds, strict=False))
    return not record.is_neuron[cells.start:cells.stop].any() and kinds.get(label, "SpikeSource").startswith("SpikeSource")
