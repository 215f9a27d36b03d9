"""A graph taken from PyNN objects: which populations and projections it is made of, or why it cannot be trained."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from ttfs_pynn.errors import unknown
from ttfs_pynn.graph.graph import DelayRange, Edge, Graph, GraphError, Node
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import Simulator, simulator_of

__all__ = ["Part", "Taken", "take"]

_CELL, _SOURCES, _SYNAPSE = "IF_curr_exp", "SpikeSourceArray", "StaticSynapse"
_SIGN = {"excitatory": 1, "inhibitory": -1}


@dataclass(frozen=True, eq=False)
class Part:
    """Connections of a PyNN projection that belong to one edge: `here`, their places in `Simulator.connections` of the
    projection; `there`, their places among the raveled values of the edge."""

    projection: Any
    edge: str
    sign: int
    here: np.ndarray
    there: np.ndarray


@dataclass(frozen=True, eq=False)
class Taken:
    """What `take` finds: the graph, its parameters, PyNN's populations by label, and which connections are whose."""

    graph: Graph
    parameters: dict[str, np.ndarray]
    populations: dict[str, Any]
    parts: tuple[Part, ...]


def take(sim: ModuleType, projections: Iterable[Any] | Mapping[str, Any], outputs: Any, t_early: float, t_late: float,
         train: Sequence[Any] | None = None, train_delays: Sequence[Any] = (), train_times: Sequence[Any] = (),
         longest_delay: float = 20.0) -> Taken:
    """The graph of PyNN projections (a list, or a dict that names them) and of the populations that they connect.

    outputs: the population whose neurons are the classes. train: projections (or their names) whose weights are learned, default
    all; train_delays: whose delays are, from 0 to longest_delay (ms); train_times: populations of sources (or their labels) whose
    spike times are. Raises GraphError, which names the population or projection and the way out, for what first-spike learning
    cannot have.
    """
    known = simulator_of(sim)
    named = _named(projections)
    populations = _populations(named)
    output = _label_of(outputs, populations, "outputs")
    nodes = {label: _node(known, population) for label, population in populations.items()}
    edges, weights, parts = _edges(known, named, populations)
    _check_complete(known, sim, populations, edges, parts)
    edges, weights, parts = _merged(edges, weights, parts)
    edges = _trained(edges, named, parts, train, train_delays, longest_delay)
    if isinstance(train_times, str):
        raise GraphError(f"train_times = {train_times!r}: give a list of populations of spike sources or their labels")
    for wanted in train_times:
        label = _label_of(wanted, populations, "train_times")
        if not nodes[label].is_source:
            raise GraphError(f"train_times: {label!r} are neurons; only spike sources have times of their own")
        if nodes[label].times is None:
            raise GraphError(f"train_times: the spike sources {label!r} have no spike times; set where training starts, "
                             "population.set(spike_times=...)")
        if np.isinf(nodes[label].times).any():
            raise GraphError(f"train_times: the spike sources {label!r} spike differently often; give each equally many "
                             "spike_times")
        nodes[label] = replace(nodes[label], train_times=True)
    graph = Graph(tuple(nodes.values()), tuple(edges), output, t_early, t_late)
    parameters = {f"{label}.weight": values for label, values in weights.items()}
    for edge in graph.edges:
        if edge.delay_range is not None:
            parameters[f"{edge.label}.delay"] = np.array(np.broadcast_to(edge.delay, edge.shape))
    parameters |= {f"{node.label}.times": node.times.copy() for node in graph.sources if node.train_times}
    return Taken(graph, parameters, populations, tuple(parts))


def _named(projections):
    """{name: projection}, of a dict, or of a list by their labels, or by what they connect."""
    if hasattr(projections, "synapse_type"):
        raise GraphError(f"one projection was given, {projections.label!r}; give a list of all projections of the network")
    if isinstance(projections, Mapping):
        found = dict(projections)
    else:
        found = {}
        for projection in projections:
            if not hasattr(projection, "synapse_type"):
                raise GraphError(f"{projection!r} is no PyNN Projection; give a list of them, or a dict that names them")
            ends = f"{projection.pre.label}>{projection.post.label}"
            own = projection.label if projection.label and projection.label.isascii() else ends  # PyNN's own has an arrow
            name = own if own not in found else f"{own} {projection.receptor_type}"
            if name in found:
                raise GraphError(f"several projections are called {name!r}; give each a label, or pass a dict")
            found[name] = projection
    if not found:
        raise GraphError("no projections: give a list of those that are to be trained or that lead to the outputs")
    for name, projection in found.items():
        twice = [other for other, same in found.items() if same is projection]
        if len(twice) > 1:
            raise GraphError(f"the same projection is there twice, as {' and '.join(map(repr, twice))}; leave one out")
        if not hasattr(projection, "synapse_type"):
            raise GraphError(f"{name!r} is {type(projection).__name__}, no PyNN Projection")
        synapse = type(projection.synapse_type).__name__
        if synapse != _SYNAPSE:
            raise GraphError(f"projection {name!r} has synapses of type {synapse}: first-spike learning changes weights itself; "
                             f"use {_SYNAPSE}")
        if projection.receptor_type not in _SIGN:
            raise GraphError(f"projection {name!r} has the receptor {projection.receptor_type!r}; use excitatory or inhibitory")
    return found


def _parts_of(cells):
    """The populations that a population, view or assembly consists of."""
    members = getattr(cells, "populations", None) or [cells]
    return [getattr(member, "grandparent", member) for member in members]


def _populations(named):
    """{label: PyNN population} of all that the projections connect, sources first, in the order in which they are met."""
    found: dict[str, Any] = {}
    for projection in named.values():
        for population in [*_parts_of(projection.pre), *_parts_of(projection.post)]:
            other = found.setdefault(population.label, population)
            if other is not population:
                raise GraphError(f"two populations have the label {population.label!r}; labels name what is trained: give each "
                                 "its own")
    return found


def _label_of(wanted, populations, what):
    """The label of a population that is given itself, or by its label."""
    for label, population in populations.items():
        if wanted is population or isinstance(wanted, str) and wanted == label:
            return label
    if hasattr(wanted, "grandparent") or hasattr(wanted, "populations"):
        raise GraphError(f"{what}: {wanted.label!r} is a part or an assembly; give one whole population")
    name = wanted if isinstance(wanted, str) else getattr(wanted, "label", repr(wanted))
    raise GraphError(f"{what}: {unknown('population', name, list(populations))}; it must be one that the projections connect")


def _node(known: Simulator, population: Any) -> Node:
    label, cell = population.label, type(population.celltype).__name__
    if cell == _SOURCES:
        trains = known.spike_times(population)
        longest = max((train.size for train in trains), default=0)
        if not longest:
            return Node(label, population.size)
        times = np.full((population.size, longest), np.inf)
        for k, train in enumerate(trains):
            times[k, :train.size] = np.sort(train)
        return Node(label, population.size, times=times[:, 0] if longest == 1 else times)
    if cell.startswith("SpikeSource"):
        raise GraphError(f"population {label!r} is {cell}: samples are shown by spike sources whose times are known; use "
                         f"{_SOURCES} and give the trains as data")
    if cell != _CELL:
        way = " (conductances)" if "cond" in cell else ""
        raise GraphError(f"population {label!r} is {cell}{way}: first-spike learning has derivatives of {_CELL}; use that")
    names = ("tau_m", "tau_syn_E", "tau_syn_I", "cm", "v_rest", "v_reset", "v_thresh", "tau_refrac", "i_offset")
    values = dict(zip(names, population.get(list(names), simplify=True), strict=True))
    values = {name: value[0] if np.ndim(value) and (value == value[0]).all() else value for name, value in values.items()}
    try:
        neuron = LIFParameters.from_pynn(**values)
    except ValueError as error:
        raise GraphError(f"population {label!r}: {error}; population.set(...) changes it") from None
    initial = population.initial_values.get("v")
    start = np.asarray(initial.evaluate(simplify=True)) if hasattr(initial, "evaluate") else np.asarray(neuron.v_rest)
    if not np.allclose(start, neuron.v_rest, rtol=0, atol=1e-9):
        raise GraphError(f"population {label!r} starts at v = {np.ravel(start)[0]:g} mV, not at v_rest = "
                         f"{np.ravel(neuron.v_rest)[0]:g} mV: first-spike learning starts at rest; initialize(v=v_rest)")
    return Node(label, population.size, neuron)


def _edges(known, named, populations):
    """(edges, {label: weights}, parts), an edge for each pair of populations that a projection connects."""
    first = {label: np.array([int(cell) for cell in population.all_cells]) for label, population in populations.items()}
    edges, weights, parts = [], {}, []
    for name, projection in named.items():
        pre, post, weight, delay = known.connections(projection)
        ends = [(a.label, b.label) for a in _parts_of(projection.pre) for b in _parts_of(projection.post)]
        ends = list(dict.fromkeys(ends))
        for a, b in ends:
            here = np.flatnonzero(np.isin(pre, first[a]) & np.isin(post, first[b]))
            if not here.size:
                if len(ends) > 1:
                    continue
                raise GraphError(f"projection {name!r} has no connections; leave it out")
            pairs = np.stack([_places(pre[here], first[a]), _places(post[here], first[b])], axis=1)
            order = np.lexsort((delay[here], *pairs.T))
            here, pairs = here[order], pairs[order]
            label = name if len(ends) == 1 else f"{name} {a}>{b}"
            sign = _SIGN[projection.receptor_type]
            if (sign * weight[here] < 0).any():
                raise GraphError(f"projection {name!r} is {projection.receptor_type} and has weights of the other sign, such as "
                                 f"{weight[here][sign * weight[here] < 0][0]:g} nA; a projection keeps the sign of its receptor")
            shape = (first[a].size, first[b].size)
            full = len(pairs) == shape[0] * shape[1] and not (np.diff(pairs, axis=0) == 0).all(axis=1).any()
            there, delays, values = np.arange(here.size), delay[here], weight[here]
            if full:  # from the order of connections, by post, to (pre, post)
                there = pairs[:, 0] * shape[1] + pairs[:, 1]
                delays, values = (array.reshape(shape[::-1]).T.copy() for array in (delays, values))
            edges.append(Edge(label, a, b, None if full else pairs, _SIGN[projection.receptor_type], delays, sizes=shape))
            weights[label] = values
            parts.append(Part(projection, label, _SIGN[projection.receptor_type], here, there))
    return edges, weights, parts


def _check_complete(known, sim, populations, edges, parts):
    """What else drives the network is refused: the trained one would not have it."""
    posts = {edge.label: edge.post for edge in edges}
    for label, population in populations.items():
        if type(population.celltype).__name__ != _CELL:
            continue
        if known.is_injected(sim, population):
            raise GraphError(f"a current is injected into population {label!r}: first-spike learning starts at rest and hears "
                             "spikes alone; leave the current source out")
        n_heard = sum(part.here.size for part in parts if posts[part.edge] == label)
        n_all = known.count_afferents(sim, population)
        if n_all is not None and n_all > n_heard:
            raise GraphError(f"{n_all - n_heard} of {n_all} connections to population {label!r} belong to projections that are "
                             "not in the list; give all projections of the network, and say with train=[...] which are learned")


def _places(ids, of):
    order = np.argsort(of)
    return order[np.searchsorted(of[order], ids)]


def _merged(edges, weights, parts):
    """An excitatory and an inhibitory edge of the same connections become one of signed weights."""
    found: list[Edge] = []
    merged, names = {}, {edge.label: edge.label for edge in edges}
    for edge in edges:
        partner = next((other for other in found if (other.pre, other.post, other.sign) == (edge.pre, edge.post, -edge.sign)
                        and _same(other.pairs, edge.pairs) and _same(other.delay, edge.delay)), None)
        if partner is None:
            found.append(edge)
            merged[edge.label] = weights[edge.label]
            continue
        place = found.index(partner)
        found[place] = replace(partner, sign=0)
        merged[partner.label] = merged[partner.label] + weights[edge.label]
        names[edge.label] = partner.label
    return found, merged, [replace(part, edge=names[part.edge]) for part in parts]


def _same(a, b):
    return (a is None) == (b is None) and (a is None or np.array_equal(a, b))


def _trained(edges, named, parts, train, train_delays, longest_delay):
    """The edges, with what of them is trained."""
    def chosen(wanted, what):
        labels = set()
        for one in wanted:
            if isinstance(one, str):
                if one not in named and one not in {edge.label for edge in edges}:
                    raise GraphError(f"{what}: {unknown('projection', one, list(named))}")
                one = named.get(one, one)
            elif not any(one is projection for projection in named.values()):
                raise GraphError(f"{what}: {getattr(one, 'label', one)!r} is not among the projections; it knows "
                                 f"{', '.join(named)}")
            labels |= {part.edge for part in parts if part.projection is one or part.edge == one}
        return labels

    for what, given in (("train", train), ("train_delays", train_delays)):
        if isinstance(given, str):
            raise GraphError(f"{what} = {given!r}: give a list of projections or their names")
    delayed = [float(np.max(edge.delay)) for edge in edges if edge.label in chosen(train_delays, "train_delays")]
    if delayed and not max(delayed) <= longest_delay < np.inf:
        raise GraphError(f"longest_delay = {longest_delay:g} ms, but projections of train_delays have delays of up to "
                         f"{max(delayed):g} ms; give at least that, and finite")
    weights = {edge.label for edge in edges} if train is None else chosen(train, "train")
    delays = chosen(train_delays, "train_delays")
    return [replace(edge, train=edge.label in weights, delay_range=DelayRange(longest_delay, None)
                    if edge.label in delays else None) for edge in edges]
