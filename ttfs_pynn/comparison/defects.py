"""What is wrong with a simulator, from spike times alone: a delay, weights or a threshold that are not as described.

The residuals r of `conditional` are explained by one cause after the other, each time the one that explains most:

    r = c + sum_p delay_p dT/d(delay_p) + sum_p log(scale_p) dT/d(log weight_p) + sum_i shift_i / u' + noise

with c, uniform noise from the grid, known for the simulator: its spikes come `lag` steps late on average. Spikes on a shallow
slope tell little and move not in proportion: they are weighted down by 1/(1 + (slope_0/u')^2), slope_0 a tenth of the median, and
outliers by Huber's weight.

A cause is named where it is significant at 1e-6 after Bonferroni's correction for all causes that were tried, and large: 0.4
steps of a delay (`delay_steps`), 0.2 % of weights or of the way to threshold, or what a time step leaves by itself, half of dt
over the shortest time constant, where spikes are found at steps. Weights of all projections and thresholds of all cells of a
population cannot be told apart where membranes start from rest, nor can delays of all projections and late spikes: such a finding
names both.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import norm

__all__ = ["Defect", "find_defects"]


@dataclass(frozen=True)
class Defect:
    """kind: "delay" (size in ms), "weight" (factor) or "threshold" (shift in mV). where: projections, or population and cell."""

    kind: str
    where: str
    size: float
    error: float
    text: str

    def as_dict(self):
        """The same for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Cause:
    kind: str
    where: str
    effect: np.ndarray
    smallest: float


def _causes(record, label, c, dt, lag, delay_steps):
    """Everything that is tried: single projections, all excitatory and inhibitory ones of a source, all together, each cell."""
    groups: dict[tuple[int, ...], str] = {}
    first = record.populations[label].start
    shortest = min(record.parameters[name][first] for name in ("tau_m", "tau_syn_E", "tau_syn_I"))
    smallest = max(2e-3, 0.5 * dt / shortest if lag else 0.0)
    for place, k in enumerate(c.projections):
        projection = record.connections[k]
        groups[(place,)] = projection.label
        source = record.population_of(projection.pre[0])
        same = tuple(p for p, other in enumerate(c.projections)
                     if record.population_of(record.connections[other].pre[0]) == source)
        groups.setdefault(same, f"all projections {source} -> {label}")
    groups.setdefault(tuple(range(len(c.projections))), f"all projections onto {label}")
    causes = []
    for places, where in groups.items():
        causes.append(_Cause("delay", where, c.d_delay[:, places].sum(axis=1), delay_steps * dt))
        causes.append(_Cause("weight", where, c.d_log_weight[:, places].sum(axis=1), smallest))
    cells, counts = np.unique(c.cell, return_counts=True)
    for cell in cells[counts >= 5]:  # one odd spike is no threshold
        height = record.parameters["v_thresh"][cell] - record.parameters["v_rest"][cell]
        causes.append(_Cause("threshold", f"cell {cell - first} of {label}", (c.cell == cell) / c.slope, smallest * height))
    return causes


def _fit(effects, r, trust):
    """Weighted least squares with Huber's weights: coefficients, their standard errors, cost, final weights."""
    weight = trust.copy()
    for _ in range(8):
        root = np.sqrt(weight)
        normal = (effects * root[:, None]).T @ (effects * root[:, None])
        inverse = np.linalg.pinv(normal)
        coefficients = inverse @ (effects.T @ (weight * r))
        left = r - effects @ coefficients
        scale = max(1.4826 * np.median(np.abs(left)), 1e-12)
        weight = trust / np.maximum(1.0, np.abs(left) / (2 * scale))
    variance = (weight * left ** 2).sum() / max(weight.sum() - len(coefficients), 1.0)
    return coefficients, np.sqrt(np.maximum(np.diag(inverse) * variance, 0.0)), weight, left


def find_defects(record, label, c, dt, lag, most=5, delay_steps=0.4):
    """List of Defect of a population. record: description and recorded spikes; c: its Conditional.

    lag: see above, in steps; 0.5 where spikes are found at steps.
    """
    usable = np.isfinite(c.residual) & (c.slope > 0)
    if usable.sum() < 30 or not c.projections:
        return []
    causes = [_Cause(k.kind, k.where, k.effect[usable], k.smallest) for k in _causes(record, label, c, dt, lag, delay_steps)]
    slope, r = c.slope[usable], c.residual[usable] - lag * dt
    trust = 1 / (1 + (0.1 * np.median(slope) / slope) ** 2)
    limit = norm.isf(1e-6 / len(causes) / 2)
    chosen: list[_Cause] = []
    while len(chosen) < most:
        base = np.column_stack([k.effect for k in chosen]) if chosen else np.zeros((r.size, 0))
        left, weight = _fit(base, r, trust)[3:1:-1] if chosen else (r, trust)
        scale = max(1.4826 * np.median(np.abs(left)), 1e-12)
        weight = trust / np.maximum(1.0, np.abs(left) / (2 * scale))
        gains = []
        for cause in causes:
            power = (weight * cause.effect ** 2).sum()
            gains.append((weight * cause.effect * left).sum() ** 2 / power if power > 0 and cause not in chosen else 0.0)
        best = causes[int(np.argmax(gains))]
        coefficients, errors, *_ = _fit(np.column_stack([base, best.effect]), r, trust)
        if abs(coefficients[-1]) < best.smallest or abs(coefficients[-1]) < limit * errors[-1]:
            break
        chosen.append(best)
    if not chosen:
        return []
    coefficients, errors, *_ = _fit(np.column_stack([k.effect for k in chosen]), r, trust)
    return [_defect(cause, size, error, dt) for cause, size, error in zip(chosen, coefficients, errors, strict=True)
            if abs(size) >= cause.smallest]


def _defect(cause, size, error, dt):
    size, error = float(size), float(error)
    every = cause.where.startswith("all projections onto ")
    if cause.kind == "delay":
        text = f"{cause.where}: inputs act {abs(size):.4g} ms = {abs(size) / dt:.2g} steps too {'late' if size > 0 else 'early'}"
        text += " (or its spikes are recorded so)" if every else ""
    elif cause.kind == "weight":
        size, error = float(np.exp(size)), float(np.exp(size) * error)
        text = f"{cause.where}: weights act as if multiplied by {size:.4f}"
        text += " (or the distance from rest to threshold as if divided by it)" if every else ""
    else:
        text = f"{cause.where}: threshold acts as if {abs(size):.3g} mV too {'high' if size > 0 else 'low'}"
    return Defect(cause.kind, cause.where, size, error, text)
