"""A NIR graph as a network; the equations are in the package's docstring."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import unquote

import nir
import numpy as np

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.graph.graph import Edge, Graph, GraphError, Node
from ttfs_pynn.graph.parameters import check_parameters
from ttfs_pynn.graph.storage import graph_of
from ttfs_pynn.interchange.nir_export import Names, Part, parts_of, to_nir
from ttfs_pynn.interchange.nir_neurons import MS, metadata_of, neurons_from_nodes, number, numbers, same_numbers, weight_scale
from ttfs_pynn.interchange.nir_structure import Structure, Way

__all__ = ["ImportedNetwork", "from_nir"]


class ImportedNetwork(NamedTuple):
    """graph: graph.Graph. parameters: of it, see `graph.parameters` (nA, ms)."""

    graph: Graph
    parameters: dict[str, np.ndarray]


def from_nir(graph: nir.NIRGraph, t_early: float | None = None, t_late: float | None = None,
             time_step: float | None = None) -> ImportedNetwork:
    """The ImportedNetwork of a `nir.NIRGraph`.

    t_early, t_late (ms): between them inputs spike; needed where the graph does not say, as one from elsewhere. time_step (ms):
    as in `to_nir`, by default what the graph says, else 0.1. Raises InterchangeError that names the node which does not map.
    """
    found = Structure(graph)
    stored = metadata_of("graph", graph)
    time_step = _given("time_step", time_step, stored, 0.1)
    if not (np.isfinite(time_step) and time_step >= 0):
        raise InterchangeError(f"time_step = {time_step} ms must be finite and not negative")
    t_early, t_late = _given("t_early", t_early, stored), _given("t_late", t_late, stored)
    try:
        if "network" in stored:
            network, parameters = _as_stored(graph, found, stored, time_step)
            network = replace(network, t_early=t_early, t_late=t_late)
        else:
            network, parameters = _from_elsewhere(found, t_early, t_late, time_step)
        return ImportedNetwork(network, check_parameters(network, parameters))
    except GraphError as error:
        raise InterchangeError(f"the graph is no network for first-spike learning: {error}") from None


def _given(name: str, value: Any, stored: dict[str, Any], default: float | None = None) -> float:
    if value is None:
        value = stored.get(name, default)
    if value is None:
        raise InterchangeError(f"the graph does not say {name} (ms), as graphs from elsewhere do not; give it to from_nir")
    return number("graph", value, name)


def _weights(name: str, node: Any) -> np.ndarray:
    """(inputs, neurons) of a Linear node, as it holds them."""
    w = numbers(name, node.weight, "weight").T
    if not np.isfinite(w).all():
        raise InterchangeError(f"node {name!r}: {int((~np.isfinite(w)).sum())} weights are not finite")
    if isinstance(node, nir.Affine) and np.any(numbers(name, node.bias, "bias")):
        raise InterchangeError(f"node {name!r}: an Affine with a bias that is not 0 is a constant current, which first-spike "
                               "learning does not have; use Linear, or bias spikes")
    return w


def _delay(found: Structure, name: str | None, n: int) -> np.ndarray | None:
    """Delays (ms) of a Delay node, None without one."""
    if name is None:
        return None
    seconds = numbers(name, found.nodes[name].delay, "delay")
    if np.shape(seconds) not in ((), (1,), (n,)) or not (np.isfinite(seconds) & (np.asarray(seconds) >= 0)).all():
        raise InterchangeError(f"node {name!r}: a delay must be {n} numbers, finite and not negative (s)")
    return np.broadcast_to(seconds, (n,)) / MS


def _delays(found: Structure, way: Way) -> np.ndarray | None:
    """(inputs, neurons) in ms, None where there is no Delay."""
    before, after = _delay(found, way.before, found.sizes[way.source]), _delay(found, way.after, found.sizes[way.target])
    if before is None and after is None:
        return None
    return (0.0 if before is None else before[:, None]) + np.zeros((found.sizes[way.source], found.sizes[way.target])) \
        + (0.0 if after is None else after)


def _from_elsewhere(found: Structure, t_early: float, t_late: float, time_step: float) -> tuple[Graph, dict[str, np.ndarray]]:
    nodes, factors = [Node(name, size) for name, size in found.inputs.items()], {}
    for name, synapses in found.synapses.items():
        neuron, factors[name] = neurons_from_nodes(name, found.nodes.get(synapses), found.nodes[name], found.sizes[name],
                                                   time_step)
        nodes.append(Node(name, found.sizes[name], neuron))
    edges, parameters = [], {}
    ends = [(way.source, way.target) for way in found.ways]
    for way in found.ways:
        label = f"{way.source}>{way.target}"
        if ends.count((way.source, way.target)) > 1:
            label += f" {way.linear}"
        w = _weights(way.linear, found.nodes[way.linear]) * factors[way.target]
        delays = _delays(found, way)
        pairs = None
        if not w.all() and w.any():  # a pair whose weight is 0 is not connected
            pairs = np.argwhere(w.T)[:, ::-1]
            w, delays = w[pairs[:, 0], pairs[:, 1]], None if delays is None else delays[pairs[:, 0], pairs[:, 1]]
        edges.append(Edge(label, way.source, way.target, pairs, delay=0.0 if delays is None else delays))
        parameters[f"{label}.weight"] = w
    return Graph(tuple(nodes), tuple(edges), found.outputs, t_early, t_late), parameters


def _stored(stored: dict[str, Any]) -> ImportedNetwork:
    """What the metadata hold."""
    try:
        arrays, parameters = ({unquote(name): np.asarray(array) for name, array in stored.get(table, {}).items()}
                              for table in ("arrays", "parameters"))
        network = graph_of(arrays, json.loads(stored["network"]))
        return ImportedNetwork(network, check_parameters(network, parameters))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        text = " ".join(str(error).split())[:200]
        raise InterchangeError(f"the metadata 'ttfs_pynn' of the graph describe no network: {text}") from None


def _as_stored(graph: nir.NIRGraph, found: Structure, stored: dict[str, Any],
               time_step: float) -> tuple[Graph, dict[str, np.ndarray]]:
    """What was exported, to the bit, but for what another program has changed since, which counts as it stands in the nodes."""
    network, parameters = _stored(stored)
    exported = _given("time_step", None, stored, time_step)
    again = to_nir(network, parameters, exported)
    _check_same_nodes(graph, again)
    names, changed = Names(network), {}
    for node in network.neurons:
        name = names.of[node.label]
        pairs = [(name, found.nodes[name])] + [(key, found.nodes[key]) for key in [found.synapses[name]] if key is not None]
        if time_step != exported or not all(same_numbers(old, again.nodes[key]) for key, old in pairs):
            synapses = found.nodes.get(found.synapses[name])
            changed[node.label] = neurons_from_nodes(name, synapses, found.nodes[name], int(node.size), time_step)
    parts = list(parts_of(network, parameters, names))
    for part in parts:
        values = _part_weights(found, part, network, parameters, names, changed, exported)
        label = f"{part.edge.label}.weight"
        parameters[label] = np.array(parameters[label])
        parameters[label].reshape(-1)[part.places] = values
    network = replace(network, nodes=tuple(replace(node, neuron=changed[node.label][0]) if node.label in changed else node
                                           for node in network.nodes))
    if all(np.array_equal(np.asarray(node.delay), again.nodes[name].delay) for name, node in found.nodes.items()
           if isinstance(node, nir.Delay)):
        return network, parameters
    return _with_delays_of_nodes(found, network, parameters, parts)


def _check_same_nodes(graph: nir.NIRGraph, again: nir.NIRGraph) -> None:
    def described(each):
        return {(name, type(node).__name__, str(np.shape(node.weight)) if hasattr(node, "weight") else "")
                for name, node in each.nodes.items()} | {("edge", *map(str, edge)) for edge in each.edges}

    differing = sorted(described(graph) ^ described(again))
    if differing:
        raise InterchangeError("the nodes of the graph are not those that its metadata describe: "
                               f"{' '.join(differing[0]).strip()}; take the metadata 'ttfs_pynn' of the graph out to read it as "
                               "one from elsewhere")
    if int(np.ravel(graph.nodes["input"].input_type["input"])[0]) != int(again.nodes["input"].input_type["input"][0]):
        raise InterchangeError(f"node 'input' has {graph.nodes['input'].input_type['input']} elements, of which the metadata "
                               f"describe {again.nodes['input'].input_type['input']}")


def _part_weights(found: Structure, part: Part, network: Graph, parameters: dict[str, np.ndarray], names: Names,
                  changed: dict[str, Any], time_step: float) -> np.ndarray:
    """Weights (nA) of the connections of a part: the exported bits where they were not changed."""
    rows, columns = part.rows(names), part.edge.post_index[part.places]
    w = _weights(part.name, found.nodes[part.name])
    others = w != 0
    others[rows, columns] = False
    if others.any():
        i, n = np.argwhere(others)[0]
        raise InterchangeError(f"node {part.name!r}: the weight from element {i} to neuron {n} was 0, for projection "
                               f"{part.edge.label!r} does not connect them; take the metadata 'ttfs_pynn' of the graph out to "
                               "read it as one from elsewhere")
    old = parameters[f"{part.edge.label}.weight"].ravel()[part.places]
    scale = np.broadcast_to(weight_scale(network.node(part.edge.post).neuron, time_step), (part.edge.sizes[1],))[columns]
    if part.edge.post in changed:
        return w[rows, columns] * changed[part.edge.post][1][columns]
    return np.where(old * scale == w[rows, columns], old, w[rows, columns] / scale)


def _with_delays_of_nodes(found: Structure, network: Graph, parameters: dict[str, np.ndarray],
                          parts: list[Part]) -> tuple[Graph, dict[str, np.ndarray]]:
    """The network with fixed delays as the nodes have them: which of them were of cells and which of connections is not known."""
    names, ways = Names(network), {way.linear: way for way in found.ways}
    edges = []
    for edge in network.edges:
        delays = np.zeros(edge.n_connections)
        for part in (part for part in parts if part.edge.label == edge.label):
            each = _delays(found, ways[part.name])
            if each is not None:
                delays[part.places] = each[part.rows(names), edge.post_index[part.places]]
        edges.append(replace(edge, delay=delays.reshape(edge.shape), delay_range=None))
    nodes = tuple(replace(node, axonal_delay=None, dendritic_delay=None) for node in network.nodes)
    return replace(network, nodes=nodes, edges=tuple(edges)), dict(_without_delays(parameters))


def _without_delays(parameters: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    return ((name, array) for name, array in parameters.items() if name.rpartition(".")[2] in ("weight", "times"))
