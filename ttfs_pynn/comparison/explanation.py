"""Why a spike is missing or extra: how near to threshold the exact neuron came."""

from typing import Any

import numpy as np

from ttfs_pynn.comparison.conditional import Conditional, cell_conditional
from ttfs_pynn.comparison.matching import Matching
from ttfs_pynn.comparison.record import NetworkRecord
from ttfs_pynn.comparison.same_network import is_source

__all__ = ["explain"]


def explain(reference: NetworkRecord, other: NetworkRecord, matching: Matching, conditionals: dict[str, Conditional | None],
            dt: float, window: float, on_grid: bool = True, most: int = 200) -> list[dict[str, Any]]:
    """A list of dicts, one a missing or extra spike: cell, population, time_ms, kind, margin_mV, bound_mV, cause, explained.

    conditionals: {label: Conditional of what `other` holds}. on_grid: whether the other simulator has a time step. margin: of the
    exact network, how far it came above threshold for a spike that is missing, below it (negative) for one that is extra. cause:
        "threshold"  the exact neuron does not do it, given what this one received: explained if it would take no more than
                     all of each projection's input one step later or earlier (`bound`) to do it
        "inputs"     the exact neuron does the same, given what this one received: inputs differ, for a cause further up
        "grid"       a source has two spikes in one step, and the simulator can hold one of them: explained
        "end"        the trial ends within a step of it: explained
        "source"     a spike of a source, and none of these: not explained
        "not known"  the exact model does not describe the cell, which is no IF_curr_exp, has plastic synapses or a current that
                     is no step: not explained
    """
    direct: dict[tuple[str, int], list] = {}
    for c in conditionals.values():
        for kind in ("missing", "extra") if c else ():
            for cell, time, margin, bound in zip(*getattr(c, kind), strict=True):
                direct.setdefault((kind, int(cell)), []).append((time, margin, bound))
    rows, trains, others = [], reference.trains(), other.trains()
    for kind in ("missing", "extra"):
        for cell, time in list(zip(*getattr(matching, kind), strict=True))[:most]:
            label = reference.population_of(cell)
            row = {"kind": kind, "population": label, "cell": int(cell - reference.populations[label].start),
                   "time_ms": float(time)}
            steps = 1.001 * dt
            beside = trains[cell] if kind == "extra" else others[cell]
            near = [d for d in direct.get((kind, int(cell)), ()) if abs(d[0] - time) <= window]
            if time >= reference.duration - steps:
                row |= {"margin_mV": None, "bound_mV": None, "cause": "end", "explained": True}
            elif is_source(reference, label):
                merged = on_grid and bool((np.abs(beside - time) <= steps).any())
                row |= {"margin_mV": None, "bound_mV": None, "cause": "grid" if merged else "source", "explained": merged}
            elif conditionals.get(label) is None:
                row |= {"margin_mV": None, "bound_mV": None, "cause": "not known", "explained": False}
            elif near:
                _, margin, bound = min(near, key=lambda d: abs(d[0] - time))
                row |= {"margin_mV": float(margin), "bound_mV": float(bound * dt), "cause": "threshold",
                        "explained": bool(abs(margin) <= bound * dt + 1e-9)}
            else:
                margin, bound = _margin(reference, int(cell), trains[cell], kind, time, window)
                row |= {"margin_mV": margin, "bound_mV": None if bound is None else bound * dt, "cause": "inputs",
                        "explained": True}
            rows.append(row)
    return rows


def _margin(reference: NetworkRecord, cell: int, train: np.ndarray, kind: str, time: float,
            window: float) -> tuple[float | None, float | None]:
    """(margin, bound) of the exact network, had the cell not spiked (had it spiked) at that time."""
    others = train[np.abs(train - time) > 1e-9] if kind == "missing" else np.sort(np.append(train, time))
    found = cell_conditional(reference, cell, others, min(window, 1e-3) if kind == "extra" else window)[kind == "extra"]
    if not len(found.time) or np.abs(found.time - time).min() > window:
        return None, None
    best = np.argmin(np.abs(found.time - time))
    return float(found.margin[best]), float(found.bound[best])
