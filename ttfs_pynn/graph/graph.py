"""Nodes, edges, and the order in which a network's populations depend on each other.

A node is a population: neurons, or spike sources. An edge is a projection from one to another: which pairs of cells it connects,
whether its weights may change their sign, how long its spikes travel. A graph holds no weights: those, and all else that is
trained, are one mapping of names to arrays (`graph.parameters`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ttfs_pynn.errors import TTFSError, unknown
from ttfs_pynn.units import in_unit

__all__ = ["DelayRange", "Edge", "Graph", "GraphError", "Node"]


class GraphError(TTFSError, ValueError):
    """Nodes, edges and parameters of a network do not fit each other."""


@dataclass(frozen=True)
class DelayRange:
    """Delays that are trained stay from 0 to `longest` (ms). They begin as |N(mean, std)| (ms), or, where mean is None, as the
    edge has them."""

    longest: float = 20.0
    mean: float | None = 0.0
    std: float = 0.0

    def __post_init__(self) -> None:
        for name in ("longest", "mean", "std"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else in_unit(value, "ms", name))
        if not (0 < self.longest < np.inf and (self.mean is None or 0 <= self.mean < np.inf) and 0 <= self.std < np.inf):
            raise GraphError(f"delays of mean {self.mean}, std {self.std}, longest {self.longest} ms: need the first two not "
                             "negative, the last positive, all finite")


@dataclass(frozen=True, eq=False)
class Node:
    """A population of `size` cells: neurons with the parameters `neuron` (LIFParameters), or spike sources where that is None.

    times: of sources, when each spikes in every sample, (size,) or (size, spikes) in ms from the start of a sample, inf for none;
    None where the data say it. train_times: whether these times are learned. axonal_delay, dendritic_delay: ranges of delays that
    are learned, one a cell, for all spikes that it sends, or hears; None where there are none. weight_mean, weight_std: of the
    normal distribution of its afferent weights at first, in units of `neuron.current_scale`, a number or one a neuron; None:
    `graph.initialisation.balanced` chooses.
    """

    label: str
    size: int
    neuron: Any = None  # LIFParameters
    times: Any = None
    train_times: bool = False
    axonal_delay: DelayRange | None = None
    dendritic_delay: DelayRange | None = None
    weight_mean: Any = None
    weight_std: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.size, int | np.integer) or isinstance(self.size, bool) or self.size < 1:
            raise GraphError(f"population {self.label!r} of {self.size!r} cells: give an integer, at least 1")
        for name in ("weight_mean", "weight_std"):
            object.__setattr__(self, name, self._drawn_with(name))
        if (self.weight_mean is None) != (self.weight_std is None):
            given, lacking = ("weight_mean", "weight_std") if self.weight_std is None else ("weight_std", "weight_mean")
            raise GraphError(f"population {self.label!r} has a {given} and no {lacking}; give both, or neither, and weights are "
                             "chosen so that neurons spike")
        if self.neuron is not None:
            self.neuron.columns(self.size)  # a number each, or one number a neuron
            if self.times is not None or self.train_times:
                raise GraphError(f"population {self.label!r} has neurons and spike times: times are for sources")
            return
        if self.dendritic_delay is not None or self.weight_mean is not None:
            raise GraphError(f"the spike sources {self.label!r} hear nothing: they have no dendritic delay and no afferent "
                             "weights")
        if self.times is None:
            if self.train_times:
                raise GraphError(f"train_times of the spike sources {self.label!r}, whose times come with the data; say where "
                                 "training starts (times), or leave it out")
            return
        times = np.array(in_unit(self.times, "ms", "times"), dtype=float)
        if times.ndim not in (1, 2) or times.shape[0] != self.size:
            raise GraphError(f"times of the spike sources {self.label!r} have shape {times.shape}; expected ({self.size},) or "
                             f"({self.size}, spikes)")
        if not ((times >= 0) | np.isposinf(times)).all() or self.train_times and np.isinf(times).any():
            raise GraphError(f"times of the spike sources {self.label!r} must be zero or more, and finite if they are trained; "
                             f"found {times[~((times >= 0) & np.isfinite(times))].ravel()[0]:g} ms")
        times.flags.writeable = False
        object.__setattr__(self, "times", times)

    def _drawn_with(self, name):
        """weight_mean or weight_std as a float, an array with one a neuron, or None."""
        value = getattr(self, name)
        if value is None:
            return None
        try:
            array = np.array(value, dtype=float)
        except (TypeError, ValueError):
            array = np.array(np.nan)
        if array.shape not in ((), (self.size,)) or not np.isfinite(array).all() or name == "weight_std" and (array < 0).any():
            raise GraphError(f"{name} of population {self.label!r} = {value}: give a finite number, or {self.size} of them"
                             + (", zero or more" if name == "weight_std" else ""))
        array.flags.writeable = False
        return array if array.ndim else float(array)

    @property
    def is_source(self) -> bool:
        """Whether these are spike sources."""
        return self.neuron is None


@dataclass(frozen=True, eq=False)
class Edge:
    """A projection from the node `pre` to the node `post`.

    pairs: (connections, 2) integers, the cells (pre, post) of each connection, sorted by post, then by pre; a pair may come
    several times. None: all to all. sign: 1 or -1 for weights that keep it (Dale), 0 for any. delay: how long its spikes travel
    (ms), a number or an array of the edge's shape. train: whether weights are learned. delay_range: of delays that are learned;
    None: they stay. Values of an edge, weights and delays, have its `shape`.
    """

    label: str
    pre: str
    post: str
    pairs: np.ndarray | None = None
    sign: int = 0
    delay: float | np.ndarray = 0.0
    train: bool = True
    delay_range: DelayRange | None = None
    sizes: tuple = field(default=(), repr=False)  # of pre and post: the graph fills them in

    def __post_init__(self) -> None:
        if self.sign not in (-1, 0, 1):
            raise GraphError(f"sign = {self.sign!r} of edge {self.label!r}: give 1, -1, or 0 for any")
        if self.pairs is not None:
            pairs = np.array(self.pairs)
            if pairs.ndim != 2 or pairs.shape[1] != 2 or not (np.issubdtype(pairs.dtype, np.integer) or not pairs.size):
                raise GraphError(f"pairs of edge {self.label!r} have shape {pairs.shape} and type {pairs.dtype}; expected "
                                 "(connections, 2) integers")
            pairs = pairs.astype(np.int64)
            if (np.diff(pairs[:, 1]) < 0).any() or ((np.diff(pairs[:, 1]) == 0) & (np.diff(pairs[:, 0]) < 0)).any():
                raise GraphError(f"pairs of edge {self.label!r} must be sorted by post, then by pre: "
                                 "pairs[np.lexsort(pairs.T)]")
            pairs.flags.writeable = False
            object.__setattr__(self, "pairs", pairs)
        delay = np.array(in_unit(self.delay, "ms", "delay"), dtype=float)
        if not (np.isfinite(delay) & (delay >= 0)).all():
            raise GraphError(f"delays of edge {self.label!r} must be zero or more, and finite")
        if delay.ndim and delay.size and (delay == delay.flat[0]).all():
            delay = np.array(delay.flat[0])
        delay.flags.writeable = False
        object.__setattr__(self, "delay", float(delay) if np.ndim(delay) == 0 else delay)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of weights and delays: (pre, post) where all are connected, else (connections,)."""
        return self.sizes if self.pairs is None else (len(self.pairs),)

    @property
    def n_connections(self) -> int:
        """How many connections it has."""
        return int(np.prod(self.shape))

    @property
    def pre_index(self) -> np.ndarray:
        """The presynaptic cell of each connection, (connections,), in the order of its raveled values."""
        return np.repeat(np.arange(self.sizes[0]), self.sizes[1]) if self.pairs is None else self.pairs[:, 0]

    @property
    def post_index(self) -> np.ndarray:
        """The postsynaptic cell of each connection, (connections,), in the order of its raveled values."""
        return np.tile(np.arange(self.sizes[1]), self.sizes[0]) if self.pairs is None else self.pairs[:, 1]

    def matrix(self, values: np.ndarray, absent: float = 0.0) -> np.ndarray:
        """Values of its shape as (pre, post); those of several connections of one pair are added. absent: where there is none."""
        if self.pairs is None:
            return np.asarray(values, dtype=float)
        found = np.zeros(self.sizes)
        np.add.at(found, (self.pairs[:, 0], self.pairs[:, 1]), values)
        if absent != 0.0:
            mask = np.ones(self.sizes, dtype=bool)
            mask[self.pairs[:, 0], self.pairs[:, 1]] = False
            found[mask] = absent
        return found


@dataclass(frozen=True, eq=False)
class Graph:
    """nodes, edges, and `outputs`, the label of the population whose neurons are the classes: the first to spike decides.

    Inputs spike between t_early and t_late (ms from the start of a sample). Raises GraphError where labels are not unique, or
    edges name no node, or connect cells that there are not.
    """

    nodes: tuple
    edges: tuple
    outputs: str
    t_early: float
    t_late: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        for name in ("t_early", "t_late"):
            object.__setattr__(self, name, float(in_unit(getattr(self, name), "ms", name)))
        if not 0 <= self.t_early <= self.t_late < np.inf:
            raise GraphError(f"input times from {self.t_early:g} to {self.t_late:g} ms; need 0 <= t_early <= t_late")
        labels = [node.label for node in self.nodes]
        for kind, found in (("populations", labels), ("projections", [edge.label for edge in self.edges])):
            twice = sorted({label for label in found if found.count(label) > 1})
            if twice:
                raise GraphError(f"several {kind} have the label {', '.join(map(repr, twice))}; give each its own")
        object.__setattr__(self, "edges", tuple(self._sized(edge, labels) for edge in self.edges))
        if self.outputs not in labels or self.node(self.outputs).is_source:
            raise GraphError(f"the outputs must be a population of neurons: "
                             f"{unknown('population', self.outputs, [node.label for node in self.neurons])}")
        unreached = [node.label for node in self.neurons if not self.afferents(node.label)]
        if unreached:
            raise GraphError(f"{', '.join(map(repr, unreached))}: neurons that no projection reaches never spike; connect them, "
                             "or leave them out")
        if not self.sources:
            raise GraphError("no spike sources: a network needs at least one population of them to be shown samples")

    def _sized(self, edge, labels):
        for end in (edge.pre, edge.post):
            if end not in labels:
                raise GraphError(f"edge {edge.label!r}: {unknown('population', end, labels)}")
        pre, post = self.node(edge.pre), self.node(edge.post)
        if post.is_source:
            raise GraphError(f"edge {edge.label!r} leads to the spike sources {edge.post!r}, which take no input")
        edge = replace(edge, sizes=(int(pre.size), int(post.size)))
        if edge.pairs is not None and edge.pairs.size and not (
                (edge.pairs >= 0).all() and (edge.pairs < np.array(edge.sizes)).all()):
            raise GraphError(f"edge {edge.label!r} connects cells up to {edge.pairs.max(axis=0)} of populations of {edge.sizes}")
        if np.ndim(edge.delay) and np.shape(edge.delay) != edge.shape:
            raise GraphError(f"delays of edge {edge.label!r} have shape {np.shape(edge.delay)}; expected {edge.shape}, or a "
                             "number")
        if edge.delay_range is not None and np.max(edge.delay, initial=0.0) > edge.delay_range.longest:
            raise GraphError(f"edge {edge.label!r} has delays up to {np.max(edge.delay):g} ms, to be trained up to "
                             f"{edge.delay_range.longest:g} ms; let the range include them")
        return edge

    @cached_property
    def _nodes(self) -> Mapping[str, Node]:
        return {node.label: node for node in self.nodes}

    @cached_property
    def _edges(self) -> Mapping[str, Edge]:
        return {edge.label: edge for edge in self.edges}

    def node(self, label: str) -> Node:
        """The node of that label; GraphError where there is none."""
        if label not in self._nodes:
            raise GraphError(unknown("population", label, list(self._nodes)))
        return self._nodes[label]

    def edge(self, label: str) -> Edge:
        """The edge of that label; GraphError where there is none."""
        if label not in self._edges:
            raise GraphError(unknown("projection", label, list(self._edges)))
        return self._edges[label]

    @cached_property
    def sources(self) -> tuple[Node, ...]:
        """Nodes of spike sources."""
        return tuple(node for node in self.nodes if node.is_source)

    @cached_property
    def neurons(self) -> tuple[Node, ...]:
        """Nodes of neurons."""
        return tuple(node for node in self.nodes if not node.is_source)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Labels of the sources whose times come with the data."""
        return tuple(node.label for node in self.sources if node.times is None)

    @property
    def n_classes(self) -> int:
        """How many label neurons there are."""
        return self.node(self.outputs).size

    def afferents(self, label: str) -> tuple[Edge, ...]:
        """The edges that lead to a node."""
        return tuple(edge for edge in self.edges if edge.post == label)

    def efferents(self, label: str) -> tuple[Edge, ...]:
        """The edges that leave a node."""
        return tuple(edge for edge in self.edges if edge.pre == label)

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Labels of neurons, causes first: populations that depend on each other are one group, all others one each."""
        place = {node.label: k for k, node in enumerate(self.nodes)}
        pre, post = ([place[getattr(edge, end)] for edge in self.edges] for end in ("pre", "post"))
        connected = coo_array((np.ones(len(pre)), (pre, post)), shape=(len(place),) * 2)
        _, component = connected_components(connected, directed=True, connection="strong")
        before: dict = {int(c): set() for c in component}
        for i, j in zip(pre, post, strict=True):
            if component[i] != component[j]:
                before[int(component[j])].add(int(component[i]))
        order = list(TopologicalSorter(before).static_order())
        members = {c: tuple(node.label for node, mine in zip(self.nodes, component, strict=True) if mine == c) for c in order}
        return tuple(members[c] for c in order if not self.node(members[c][0]).is_source)

    def is_cycle(self, group: tuple[str, ...]) -> bool:
        """Whether the populations of a group depend on themselves."""
        return len(group) > 1 or any(edge.pre == group[0] for edge in self.afferents(group[0]))

    @cached_property
    def has_cycles(self) -> bool:
        """Whether any population depends on itself, through others or directly."""
        return any(self.is_cycle(group) for group in self.groups)
