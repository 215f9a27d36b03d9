"""What a network has learned, or begins with: one mapping of names to arrays.

    "EDGE.weight"            nA, of the edge's shape: (pre, post) where all are connected, else one a connection
    "EDGE.delay"             ms, of the same shape, where the edge's delays are trained
    "NODE.times"             ms, of the shape of the sources' times, where they are trained
    "NODE.axonal_delay"      ms, one a cell, where they are trained; likewise "NODE.dendritic_delay"

A spike that edge e carries from cell i to neuron n travels the edge's own delay, and the trained delays on top of it:

    d = delay_e[i, n] + axonal_delay[i] + dendritic_delay[n].
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.errors import unknown
from ttfs_pynn.graph.graph import DelayRange, Edge, Graph, GraphError

__all__ = ["Delays", "Parameters", "check_parameters", "delay_ranges", "delays_of", "names_of", "on_grid", "shapes_of",
           "summed_delays",
           "times_of", "trained_names", "within_ranges"]

Parameters = Mapping[str, np.ndarray]


class Delays(NamedTuple):
    """How long the spikes of an edge travel (ms): the sum of what belongs to the edge as a whole or to single presynaptic cells,
    `axonal` (a number or (pre,)), to postsynaptic ones, `dendritic` ((post,) or None), and to connections, `synaptic` (of the
    edge's shape, or None)."""

    axonal: float | np.ndarray = 0.0
    dendritic: np.ndarray | None = None
    synaptic: np.ndarray | None = None


def delay_ranges(graph: Graph) -> Iterator[tuple[str, tuple[int, ...], DelayRange]]:
    """(name, shape, range) of all trained delays, in the order in which they are drawn: population by population, what its
    afferent cells have, what it has, what its afferent connections have."""
    seen = set()
    for label in (label for group in graph.groups for label in group):
        node, afferents = graph.node(label), graph.afferents(label)
        for edge in afferents:
            pre = graph.node(edge.pre)
            if pre.axonal_delay is not None and pre.label not in seen:
                seen.add(pre.label)
                yield f"{pre.label}.axonal_delay", (pre.size,), pre.axonal_delay
        if node.dendritic_delay is not None:
            yield f"{label}.dendritic_delay", (node.size,), node.dendritic_delay
        for edge in afferents:
            if edge.delay_range is not None:
                yield f"{edge.label}.delay", edge.shape, edge.delay_range


def shapes_of(graph: Graph) -> dict[str, tuple[int, ...]]:
    """{name: shape} of all parameters, weights first."""
    if graph not in _SHAPES:
        _SHAPES[graph] = _shapes(graph)
    return dict(_SHAPES[graph])


_SHAPES: WeakKeyDictionary[Graph, dict[str, tuple[int, ...]]] = WeakKeyDictionary()


def _shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {f"{edge.label}.weight": edge.shape for edge in graph.edges}
    found |= {name: shape for name, shape, _ in delay_ranges(graph)}
    return found | {f"{node.label}.times": node.times.shape for node in graph.sources
                    if node.train_times and node.times is not None}


def names_of(graph: Graph) -> list[str]:
    """Names of all parameters, weights first."""
    return list(shapes_of(graph))


def trained_names(graph: Graph) -> list[str]:
    """Names of the parameters that are learned."""
    fixed = {f"{edge.label}.weight" for edge in graph.edges if not edge.train}
    return [name for name in names_of(graph) if name not in fixed]


def check_parameters(graph: Graph, parameters: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """The parameters as arrays of floats, all of them, in the graph's order; or a GraphError that says what is missing, foreign,
    of another shape, or out of range."""
    if not isinstance(parameters, Mapping):
        raise GraphError(f"parameters are {type(parameters).__name__}; give a dict of arrays by name: {_shown(names_of(graph))}")
    shapes = shapes_of(graph)
    missing, foreign = [n for n in shapes if n not in parameters], [n for n in parameters if n not in shapes]
    if foreign:
        raise GraphError((f"{_shown(missing)} missing; " if missing else "") + unknown("parameter", foreign[0], list(shapes)))
    if missing:
        raise GraphError(f"{_shown(missing)} missing: give all parameters of the network, as `read`, initial_parameters and a "
                         "Trainer's `parameters` have them")
    return {name: _checked(name, parameters[name], shape) for name, shape in shapes.items()}


def _shown(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _checked(name: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    if not (type(values) is np.ndarray and values.dtype.kind == "f") and np.iscomplexobj(values):
        raise GraphError(f"{name} are complex numbers; give real ones")
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise GraphError(f"{name} is {type(values).__name__}; give an array of numbers of shape {shape}") from None
    if array.shape != shape:
        raise GraphError(f"{name} has shape {array.shape}; expected {shape}")
    if not np.isfinite(array.sum()) and not np.isfinite(array).all():  # a finite sum has finite terms
        raise GraphError(f"{name} holds {int((~np.isfinite(array)).sum())} values that are not finite")
    if not name.endswith(".weight") and (array < 0).any():
        raise GraphError(f"{name} holds {array.min():g} ms; times and delays must be zero or more")
    return array


def within_ranges(graph: Graph, parameters: Parameters) -> dict[str, np.ndarray]:
    """The same with weights that have the sign of their edge, delays in their ranges, and times of sources from 0 to t_late (or
    where they began, if later)."""
    found = dict(parameters)
    for edge in graph.edges:
        name = f"{edge.label}.weight"
        if edge.sign and (found[name] * edge.sign < 0).any():
            found[name] = np.maximum(found[name], 0.0) if edge.sign > 0 else np.minimum(found[name], 0.0)
    for name, _, delays in delay_ranges(graph):
        found[name] = np.clip(found[name], 0.0, delays.longest)
    for node in graph.sources:
        if node.train_times and node.times is not None:
            found[f"{node.label}.times"] = np.clip(found[f"{node.label}.times"], 0.0, max(graph.t_late, node.times.max()))
    return found


def times_of(graph: Graph, label: str, parameters: Parameters) -> np.ndarray | None:
    """When the sources `label` spike in every sample (ms): as learned, or as the graph has it; None where the data say it."""
    return parameters.get(f"{label}.times", graph.node(label).times)


def delays_of(graph: Graph, parameters: Parameters, base: float = 0.0) -> dict[str, Delays]:
    """{edge: Delays} with these parameters, and `base` (ms) on top, which a simulator cannot do without."""
    found = {}
    for edge in graph.edges:
        own = parameters.get(f"{edge.label}.delay", edge.delay)
        axonal = parameters.get(f"{edge.pre}.axonal_delay", 0.0)
        dendritic = parameters.get(f"{edge.post}.dendritic_delay")
        if np.ndim(own):
            found[edge.label] = Delays(base + axonal, dendritic, own)
        else:
            found[edge.label] = Delays(base + own + axonal, dendritic)
    return found


def on_grid(graph: Graph, parameters: Parameters, dt: float) -> tuple[Graph, dict[str, np.ndarray]]:
    """The same with delays that are multiples of dt (ms), as simulators with a time step hold them."""
    found = {name: np.round(array / dt) * dt if name.endswith("delay") else array for name, array in parameters.items()}
    return replace(graph, edges=tuple(replace(edge, delay=np.round(np.asarray(edge.delay) / dt) * dt)
                                      for edge in graph.edges)), found


def summed_delays(edge: Edge, delays: Delays) -> float | np.ndarray:
    """Delays as one number, or as an array of the edge's shape."""
    if not np.ndim(delays.axonal) and delays.dendritic is None and delays.synaptic is None:
        return float(delays.axonal)
    total = np.zeros(edge.n_connections) if delays.synaptic is None else np.array(delays.synaptic, dtype=float).ravel()
    total = total + np.broadcast_to(delays.axonal, edge.sizes[0])[edge.pre_index]
    if delays.dendritic is not None:
        total = total + delays.dendritic[edge.post_index]
    return total.reshape(edge.shape)
