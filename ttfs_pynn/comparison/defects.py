"""What is wrong with a simulator, from spike times alone: a delay, weights, or a parameter that are not as described.

The residuals r of `conditional` are explained by one cause after the other, each time the one that explains most:

    r = c + s dT/ds + noise

with s the size of the cause: ms of a delay, the logarithm of a factor of weights, time constants or capacitance, mV of
potentials, nA of the offset current. c, and uniform noise from the grid, are known for the simulator: its spikes come `lag` steps
late on average. The causes that explain most to first order are put into the description, one at a time; their sizes are found
again (Gauss-Newton), and the one that leaves least is it. Only what is left then is explained by a further one. Spikes on a
shallow slope tell little and move not in proportion: they are weighted down by 1/(1 + (slope_0/u')^2), slope_0 a tenth of the
median, and outliers by Huber's weight. Spikes that repeat each other, as those of a neuron that fires regularly, count once.

A cause is named where it is significant at 1e-6 after Bonferroni's correction for all causes that were tried, and large: 0.4
steps of a delay (`delay_steps`), a step of tau_refrac, 0.2 % of weights, of time constants or of the way from rest to threshold,
or what a time step leaves by itself, half of dt over the shortest time constant, where spikes are found at steps. Some causes
cannot be told apart, such as weights of all projections and thresholds of all cells where membranes start from rest: such a
finding names what else it may be.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from scipy.stats import norm

from ttfs_pynn.comparison.conditional import conditionals
from ttfs_pynn.comparison.record import NetworkRecord, Stage

__all__ = ["Defect", "find_defects"]

_STEP = 1e-4  # of a parameter, for its derivative: relative, or mV, or of the current that just reaches threshold
_LOGARITHMIC = ("tau_m", "cm", "tau_syn_E", "tau_syn_I")
_POTENTIALS = ("v_thresh", "v_reset", "v_rest")
_WIDER, _FEW = (4.0, 16.0), 0.1  # factors of the window, and the share of spikes that may be without a partner
_TELLS = 4.0  # twice the difference of log-likelihoods by which one cause is better than another
_WORTH, _MOST_TRIED = 0.4, 8  # causes that explain this share of what the best does, to first order, are tried in full


@dataclass(frozen=True)
class Defect:
    """kind: "delay" (size in ms), "weight" (factor), "threshold" of one cell (shift in mV), or the name of a parameter of all
    cells (factor of time constants and cm, shift of others). where: projections, or population and cell. trial: None for all."""

    kind: str
    where: str
    size: float
    error: float
    text: str
    population: str = ""
    projection: str | None = None
    alternatives: tuple = ()
    trial: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self) | {"alternatives": list(self.alternatives)}


@dataclass(frozen=True, eq=False)
class _Cause:
    """smallest: the size from which on it is named. projections: indices in the record, for weights and delays. cell: of a
    threshold. effect: dT/ds of each spike."""

    kind: str
    where: str
    smallest: float
    effect: np.ndarray
    projections: tuple = ()
    cell: int | None = None
    label: str = field(default="", compare=False)

    def changed(self, record, size):
        """The record with the cause put into its description."""
        stages = [self._changed(record, stage, size) for stage in record.stages]
        first, *later = stages
        return replace(record, parameters=first.parameters, connections=first.connections, later=tuple(later))

    def _changed(self, record, stage, size):
        if self.kind in ("weight", "delay"):
            connections = list(stage.connections)
            for k in self.projections:
                if k < len(connections):
                    c = connections[k]
                    connections[k] = replace(c, weight=c.weight * np.exp(size)) if self.kind == "weight" else \
                        replace(c, delay=c.delay + size)
            return Stage(stage.begin, stage.parameters, tuple(connections), stage.currents)
        cells = record.populations[self.label]
        chosen = slice(cells.start, cells.stop) if self.cell is None else self.cell
        name = "v_thresh" if self.kind == "threshold" else self.kind
        values = stage.parameters[name].copy()
        values[chosen] = values[chosen] * np.exp(size) if name in _LOGARITHMIC else values[chosen] + size
        return Stage(stage.begin, stage.parameters | {name: values}, stage.connections, stage.currents)


def _changes(record, cell):
    """(name, factor, shift, step) of each parameter whose derivative is taken."""
    p = {name: values[cell] for name, values in record.parameters.items()}
    rheobase = p["cm"] / p["tau_m"] * (p["v_thresh"] - p["v_rest"])
    found = [(name, 1 + _STEP, 0.0, np.log1p(_STEP)) for name in _LOGARITHMIC if np.isfinite(p[name])]
    found += [(name, 1.0, _STEP, _STEP) for name in _POTENTIALS]
    found.append(("tau_refrac", 1.0, _STEP, _STEP))
    return [*found, ("i_offset", 1.0, _STEP * rheobase, _STEP * rheobase)] if rheobase > 0 else found


def _aligned(base, changed):
    """How the predictions move: NaN where a spike is matched in one of the two only."""
    moved = np.full(base.cell.size, np.nan)
    where = {key: k for k, key in enumerate(zip(changed.cell.tolist(), changed.recorded.tolist(), strict=True))}
    at = np.array([where.get(key, -1) for key in zip(base.cell.tolist(), base.recorded.tolist(), strict=True)], dtype=int)
    moved[at >= 0] = changed.predicted[at[at >= 0]] - base.predicted[at >= 0]
    return moved


@dataclass(frozen=True, eq=False)
class _Spikes:
    """The matched spikes of one population in all trials, and the causes that are tried."""

    residual: np.ndarray
    slope: np.ndarray
    causes: list
    unmatched: int


def _observe(records, label, window, dt, lag, delay_steps):
    """_Spikes of trials whose description is the same; None where there is nothing to learn."""
    first = records[0].populations[label].start
    changes = _changes(records[0], first)
    found = [conditionals(r, label, window, [c[:3] for c in changes]) for r in records]
    found = [f for f in found if f and f[0].projections == found[0][0].projections]
    if not found or not sum(f[0].cell.size for f in found):
        return None
    def joined(name):
        return np.concatenate([getattr(f[0], name) for f in found])
    residual, slope, cell = joined("recorded") - joined("predicted"), joined("slope"), joined("cell")
    moved = [np.concatenate([_aligned(f[0], f[1 + k]) for f in found]) / step for k, (*_, step) in enumerate(changes)]
    usable = np.isfinite(residual) & (slope > 0) & np.isfinite(np.array(moved)).all(axis=0)
    keep = np.flatnonzero(usable)
    _, once = np.unique(np.round(np.stack([residual[keep], slope[keep]]), 9), axis=1, return_index=True)
    keep = keep[np.sort(once)]
    causes = _causes(records[0], label, found[0][0].projections, dt, lag, delay_steps, cell[keep], slope[keep],
                     joined("d_delay")[keep], joined("d_log_weight")[keep])
    p = {name: values[first] for name, values in records[0].parameters.items()}
    smallest, height = _smallest(p, dt, lag), p["v_thresh"] - p["v_rest"]
    for (name, *_), effect in zip(changes, moved, strict=True):
        size = smallest if name in _LOGARITHMIC else smallest * height if name in _POTENTIALS else dt if name == "tau_refrac" \
            else smallest * p["cm"] / p["tau_m"] * height
        causes.append(_Cause(name, label, size, effect[keep], label=label))
    return _Spikes(residual[keep], slope[keep], causes, sum(f[0].missing[0].size + f[0].extra[0].size for f in found))


def _smallest(p, dt, lag):
    """The relative size from which on a cause is named."""
    return max(2e-3, 0.5 * dt / min(p[name] for name in ("tau_m", "tau_syn_E", "tau_syn_I")) if lag else 0.0)


def _causes(record, label, projections, dt, lag, delay_steps, cell, slope, d_delay, d_log_weight):
    """Single projections, all excitatory and inhibitory ones of a source, all together, each cell."""
    groups: dict[tuple[int, ...], str] = {}
    first = record.populations[label].start
    smallest = _smallest({name: values[first] for name, values in record.parameters.items()}, dt, lag)
    connections = record.stages[-1].connections
    sources = [record.population_of(connections[k].pre[0]) for k in projections]
    for place, k in enumerate(projections):
        groups[(place,)] = connections[k].label
        groups.setdefault(tuple(p for p, source in enumerate(sources) if source == sources[place]),
                          f"all projections {sources[place]} -> {label}")
    if projections:
        groups.setdefault(tuple(range(len(projections))), f"all projections onto {label}")
    causes = []
    for places, where in groups.items():
        chosen, of = list(places), tuple(projections[p] for p in places)
        causes.append(_Cause("delay", where, delay_steps * dt, d_delay[:, chosen].sum(axis=1), of, label=label))
        causes.append(_Cause("weight", where, smallest, d_log_weight[:, chosen].sum(axis=1), of, label=label))
    cells, counts = np.unique(cell, return_counts=True)
    for one in cells[counts >= 5]:  # one odd spike is no threshold
        height = record.parameters["v_thresh"][one] - record.parameters["v_rest"][one]
        causes.append(_Cause("threshold", f"cell {one - first} of {label}", smallest * height, (cell == one) / slope,
                             cell=int(one), label=label))
    return causes


def _known(spikes, dt, lag):
    """(residuals without the lag, how far each is trusted, the noise (ms) that the grid leaves at least)."""
    trust = 1 / (1 + (0.1 * np.median(spikes.slope) / spikes.slope) ** 2)
    return spikes.residual - lag * dt, trust, _floor(dt, lag)


def _floor(dt, lag):
    return dt / np.sqrt(12) if lag else 1e-4 * dt


def _fit(effect, r, trust, floor):
    """Weighted least squares of one cause with Huber's weights: its size and standard error. floor: of the noise (ms)."""
    weight, size = trust.copy(), 0.0
    for _ in range(8):
        power = (weight * effect ** 2).sum()
        if power <= 0.0:
            return 0.0, np.inf
        size = (weight * effect * r).sum() / power
        left = r - size * effect
        scale = max(1.4826 * np.median(np.abs(left)), floor)
        weight = trust / np.maximum(1.0, np.abs(left) / (2 * scale))
    variance = max((weight * left ** 2).sum() / max(weight.sum() - 1, 1.0), floor ** 2)
    return size, np.sqrt(variance / power)


def _candidates(spikes, dt, lag):
    """[(cause, size)] of what explains much and is large and significant, the best first."""
    r, trust, floor = _known(spikes, dt, lag)
    scale = max(1.4826 * np.median(np.abs(r)), floor)
    weight = trust / np.maximum(1.0, np.abs(r) / (2 * scale))
    limit, found = norm.isf(1e-6 / len(spikes.causes) / 2), []
    for cause in spikes.causes:
        power = (weight * cause.effect ** 2).sum()
        gain = (weight * cause.effect * r).sum() ** 2 / power if power > 0 else 0.0
        size, error = _fit(cause.effect, r, trust, floor)
        if abs(size) >= limit * error:
            found.append((gain, cause, size))
    found.sort(key=lambda row: -row[0])
    if not found or abs(found[0][2]) < found[0][1].smallest:
        return []  # what explains most is what a step leaves by itself
    return [(cause, size) for gain, cause, size in found
            if gain >= _WORTH * found[0][0] and abs(size) >= cause.smallest][:_MOST_TRIED]


@dataclass(frozen=True, eq=False)
class _Refined:
    """A cause with the size that explains most, what is then left (mean loss a spike, ms^2), and the records with it."""

    cause: _Cause
    size: float
    error: float
    loss: float
    records: list


class _Search:
    """The causes of one population of some trials. See the text of the module."""

    def __init__(self, label, window, dt, lag, delay_steps):
        self.label, self.window, self.dt, self.lag, self.delay_steps = label, window, dt, lag, delay_steps

    def observe(self, records):
        """_Spikes of the records."""
        return _observe(records, self.label, self.window, self.dt, self.lag, self.delay_steps)

    def widen(self, records):
        """Take a larger window where most spikes have no partner: a large defect moves them far, and those that are left lie."""
        shares = {}
        for window in (self.window, *(self.window * factor for factor in _WIDER)):
            self.window = window
            spikes = self.observe(records)
            if spikes is not None:
                shares[window] = spikes.unmatched / (spikes.residual.size + spikes.unmatched)
                if shares[window] <= _FEW:
                    return
        if shares:
            self.window = min(shares, key=lambda window: (shares[window], window))

    def loss(self, spikes):
        """What the description leaves unexplained: Huber's loss of the residuals, and the window for a spike without partner."""
        if spikes is None:
            return np.inf
        r, trust, floor = _known(spikes, self.dt, self.lag)
        r = np.abs(np.append(r, np.full(spikes.unmatched, self.window)))
        trust = np.append(trust, np.ones(spikes.unmatched))
        return float((trust * np.where(r < 2 * floor, r ** 2, 4 * floor * (r - floor))).sum() / trust.sum())

    def refine(self, records, cause, size):
        """_Refined of a cause, whose size is found by Gauss-Newton steps; of a step that makes matters worse a half is taken."""
        best, total, step, error = None, 0.0, size, np.inf
        for _ in range(6):
            changed = [cause.changed(r, total + step) for r in records]
            spikes = self.observe(changed)
            loss = self.loss(spikes)
            if best is not None and loss >= best.loss:
                step /= 2
                if abs(step) < 0.02 * cause.smallest:
                    break
                continue
            again = _same_cause(spikes, cause)
            if again is None:
                break
            next_step, error = _fit(again.effect, *_known(spikes, self.dt, self.lag))
            total += step
            best, step = _Refined(cause, total, error, loss, changed), next_step
        return best


def _same_cause(spikes, cause):
    return next((c for c in spikes.causes if (c.kind, c.where) == (cause.kind, cause.where)), None) if spikes else None


def find_defects(records: Sequence[NetworkRecord], label: str, window: float, dt: float, lag: float, most: int = 3,
                 delay_steps: float = 0.4) -> list[Defect]:
    """List of Defect of a population. records: NetworkRecords of trials of one network, with what was recorded in them.

    lag: see above, in steps; 0.5 where spikes are found at steps.
    """
    search, found = _Search(label, window, dt, lag, delay_steps), list[Defect]()
    search.widen(records)
    while len(found) < most:
        spikes = search.observe(records)
        if spikes is None or spikes.residual.size < 3:
            break
        tried = [t for cause, size in _candidates(spikes, dt, lag) if (t := search.refine(records, cause, size)) is not None]
        if not tried:
            break
        least = min(t.loss for t in tried)
        # Of several that leave as little the one that was tried first: projections come before cells, cells before parameters.
        slack = _TELLS * max(least, _floor(dt, lag) ** 2) / spikes.residual.size
        good = [t for t in tried if t.loss <= least + slack]
        good.sort(key=lambda t: spikes.causes.index(t.cause))
        chosen, floor = good[0], 0.8 if found else 1.0
        if abs(chosen.size) < chosen.cause.smallest or chosen.loss > floor * search.loss(spikes):
            break
        found.append(_defect(chosen.cause, chosen.size, chosen.error, dt, [t.cause for t in good[1:]]))
        records = chosen.records
    return found


def _defect(cause, size, error, dt, others):
    size, error = float(size), float(error)
    alternatives = tuple(dict.fromkeys(_name(o) for o in others))
    if cause.kind == "delay":
        text = f"{cause.where}: inputs act {abs(size):.4g} ms = {abs(size) / dt:.2g} steps too {'late' if size > 0 else 'early'}"
        if cause.where.startswith("all projections onto "):
            alternatives = (*alternatives, "its spikes are recorded so")
    elif cause.kind == "weight":
        size, error = float(np.exp(size)), float(np.exp(size) * error)
        text = f"{cause.where}: weights act as if multiplied by {size:.4f}"
    elif cause.kind == "threshold":
        text = f"{cause.where}: threshold acts as if {abs(size):.3g} mV too {'high' if size > 0 else 'low'}"
    elif cause.kind in _LOGARITHMIC:
        size, error = float(np.exp(size)), float(np.exp(size) * error)
        text = f"{cause.where}: {cause.kind} acts as if multiplied by {size:.4f}"
    else:
        unit = {"tau_refrac": "ms", "i_offset": "nA"}.get(cause.kind, "mV")
        text = f"{cause.where}: {cause.kind} acts as if {abs(size):.3g} {unit} too {'high' if size > 0 else 'low'}"
    if alternatives:
        more = "" if len(alternatives) <= 4 else f" or {len(alternatives) - 4} others"
        text += f" (it may also be: {', '.join(alternatives[:4])}{more})"
    projection = cause.where if len(cause.projections) == 1 else None
    return Defect(cause.kind, cause.where, size, error, text, cause.label, projection, alternatives)


def _name(cause):
    what = {"weight": "weights", "delay": "delays", "threshold": "threshold"}.get(cause.kind, cause.kind)
    return f"{what} of {cause.where}"
