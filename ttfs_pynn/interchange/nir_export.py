"""A network as a NIR graph; the equations are in the package's docstring."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import nir
import numpy as np

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.graph.graph import Edge, Graph
from ttfs_pynn.graph.parameters import Delays, Parameters, check_parameters, delays_of, times_of
from ttfs_pynn.graph.storage import stored
from ttfs_pynn.interchange.nir_neurons import KEY, MS, neurons_to_nodes, weight_scale

__all__ = ["Names", "Part", "parts_of", "to_nir"]

_LARGEST = 2**25  # numbers in all matrices: 256 MiB


def to_nir(graph: Graph, parameters: Parameters, time_step: float = 0.1) -> nir.NIRGraph:
    """A `nir.NIRGraph` of a network with these parameters (`graph.parameters`).

    time_step (ms): of the framework that is to read the graph, where a spike is the number 1 for one step; 0: a delta function.
    Raises InterchangeError where NIR has no node for what is asked, ValueError for parameters that do not fit.
    """
    if not (np.isfinite(time_step) and time_step >= 0):
        raise InterchangeError(f"time_step = {time_step} ms; give the step of the framework that will read the graph, or 0")
    parameters = check_parameters(graph, parameters)
    names, nodes, edges = Names(graph), {}, []
    first = names.first
    sources: dict[str, dict[str, Any]] = {}
    for node in graph.sources:
        about = sources[quote(node.label, safe="")] = {"first": first[node.label], "size": int(node.size)}
        if node.times is not None:
            about["times"] = times_of(graph, node.label, parameters)
    nodes["input"] = nir.Input(np.array([names.n_sources]), metadata={KEY: sources})
    for node in graph.neurons:
        synapses, neurons = neurons_to_nodes(node.label, node.neuron, int(node.size), time_step)
        if synapses is not None:
            nodes[names.heard_by[node.label]] = synapses
            edges.append((names.heard_by[node.label], names.of[node.label]))
        nodes[names.of[node.label]] = neurons
    for part in parts_of(graph, parameters, names):
        before, after = names.of[part.edge.pre], names.of[part.edge.post]
        if names.heard_by[part.edge.post] in nodes:
            after = names.heard_by[part.edge.post]
        if part.before is not None:
            nodes[f"{part.name}_before"] = nir.Delay(part.before * MS)
            edges.append((before, f"{part.name}_before"))
            before = f"{part.name}_before"
        nodes[part.name] = nir.Linear(part.matrix(parameters, names, weight_scale(graph.node(part.edge.post).neuron, time_step)))
        edges.append((before, part.name))
        before = part.name
        if part.after is not None:
            nodes[f"{part.name}_after"] = nir.Delay(part.after * MS)
            edges.append((before, f"{part.name}_after"))
            before = f"{part.name}_after"
        edges.append((before, after))
    nodes["output"] = nir.Output(np.array([graph.n_classes]))
    edges.append((names.of[graph.outputs], "output"))
    return nir.NIRGraph(nodes, edges, metadata={KEY: _metadata(graph, parameters, time_step)})


def _metadata(graph: Graph, parameters: Parameters, time_step: float) -> dict[str, Any]:
    """All that `from_nir` needs to give every bit back."""
    arrays, description = stored(graph)
    return {"time_step": float(time_step), "t_early": graph.t_early, "t_late": graph.t_late, "network": json.dumps(description),
            "arrays": {quote(name, safe=""): array for name, array in arrays.items()},
            "parameters": {quote(name, safe=""): np.array(array) for name, array in parameters.items()}}


class Names:
    """Names of NIR's nodes, which frameworks make names of Python's of: `of` a population (all sources are "input"), `heard_by`
    (the synapses of neurons without leak), `edge`. first: the first element of each population of sources in the input."""

    def __init__(self, graph: Graph) -> None:
        self._taken = {"input", "output"}
        self.of = {node.label: "input" if node.is_source else self._new(node.label) for node in graph.nodes}
        self.heard_by = {node.label: self._new(f"{node.label}_synapses") for node in graph.neurons}
        self.edge = {edge.label: self._new(edge.label.replace(">", "_to_")) for edge in graph.edges}
        ends = np.cumsum([node.size for node in graph.sources])
        self.first = {node.label: int(end - node.size) for node, end in zip(graph.sources, ends, strict=True)}
        self.n_sources = int(ends[-1])

    def _new(self, label: str) -> str:
        name = re.sub(r"\W", "_", label) or "_"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


class Part(NamedTuple):
    """Connections of an edge that one `Linear` holds: `places` among the edge's raveled values. before, after: delays (ms) of the
    elements that it hears, and of its neurons, or None."""

    edge: Edge
    name: str
    places: np.ndarray
    before: np.ndarray | None
    after: np.ndarray | None

    def rows(self, names: Names) -> np.ndarray:
        """Which element of the node before each connection hears."""
        return self.edge.pre_index[self.places] + names.first.get(self.edge.pre, 0)

    def matrix(self, parameters: Parameters, names: Names, scale: Any = 1.0) -> np.ndarray:
        """Weights (neurons, elements of the node before), scaled."""
        size = names.n_sources if self.edge.pre in names.first else self.edge.sizes[0]
        found = np.zeros((size, self.edge.sizes[1]))
        found[self.rows(names), self.edge.post_index[self.places]] = parameters[f"{self.edge.label}.weight"].ravel()[self.places]
        return np.ascontiguousarray((found * scale).T)


def parts_of(graph: Graph, parameters: Parameters, names: Names) -> Iterator[Part]:
    """The `Linear` nodes of all edges. Where every connection has a delay of its own there is one for each cell of the smaller
    population, for NIR's Delay belongs to whole cells; and where a pair is connected several times, several."""
    delays, numbers = delays_of(graph, parameters), 0
    for edge in graph.edges:
        found = list(_split(edge, delays[edge.label]))
        size = names.n_sources if edge.pre in names.first else edge.sizes[0]
        numbers += len(found) * size * edge.sizes[1]
        if numbers > _LARGEST:
            raise InterchangeError(f"projection {edge.label!r}: as NIR the network has more than {_LARGEST} weights, the most "
                                   "that is written; a delay of each connection needs a matrix for each cell: take delays of "
                                   "cells (axonal or dendritic), or another format")
        for k, (places, before, after) in enumerate(found):
            name = names.edge[edge.label] + (f"_{k + 1}" if len(found) > 1 else "")
            yield Part(edge, name, places, _elements(before, edge, names, size), after if after is None or after.any() else None)


def _elements(before: Any, edge: Edge, names: Names, size: int) -> np.ndarray | None:
    """Delays of presynaptic cells, (pre,) or a number, as those of all elements of the node before; None where they are 0."""
    if not np.any(before):
        return None
    found = np.zeros(size)
    start = names.first.get(edge.pre, 0)
    found[start:start + edge.sizes[0]] = before
    return found


def _split(edge: Edge, delays: Delays) -> Iterator[tuple[np.ndarray, Any, np.ndarray | None]]:
    """(places, delays before, delays after) of each part."""
    pre, post = edge.pre_index, edge.post_index
    for places in _once_a_pair(edge):
        if delays.synaptic is None:
            yield places, delays.axonal, delays.dendritic
            continue
        own = np.asarray(delays.synaptic, dtype=float).ravel()[places]
        by_pre, by_post = _of_cells(own, pre[places], edge.sizes[0]), _of_cells(own, post[places], edge.sizes[1])
        if by_pre is not None:
            yield places, delays.axonal + by_pre, delays.dendritic
        elif by_post is not None:
            yield places, delays.axonal, by_post + (0.0 if delays.dendritic is None else delays.dendritic)
        elif edge.sizes[0] < edge.sizes[1]:
            for cell in np.unique(pre[places]):
                mine = pre[places] == cell
                after = np.zeros(edge.sizes[1])
                after[post[places][mine]] = own[mine]
                yield places[mine], delays.axonal, after + (0.0 if delays.dendritic is None else delays.dendritic)
        else:
            for cell in np.unique(post[places]):
                mine = post[places] == cell
                before = np.zeros(edge.sizes[0])
                before[pre[places][mine]] = own[mine]
                yield places[mine], before + delays.axonal, delays.dendritic


def _once_a_pair(edge: Edge) -> list[np.ndarray]:
    """Places of connections, such that each pair comes once in each."""
    if edge.pairs is None or not len(edge.pairs):
        return [np.arange(edge.n_connections)]
    new = np.ones(len(edge.pairs), dtype=bool)
    new[1:] = (np.diff(edge.pairs, axis=0) != 0).any(axis=1)
    starts = np.flatnonzero(new)
    which = np.arange(len(new)) - starts[np.cumsum(new) - 1]
    return [np.flatnonzero(which == k) for k in range(which.max() + 1)]


def _of_cells(values: np.ndarray, cells: np.ndarray, size: int) -> np.ndarray | None:
    """One value a cell, where all connections of a cell have the same; else None."""
    found = np.zeros(size)
    found[cells] = values
    return found if (found[cells] == values).all() else None
