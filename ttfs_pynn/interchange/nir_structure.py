"""The populations of a NIR graph and the ways between them, found by its edges; what does not fit is refused, with the node's
name."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import nir
import numpy as np

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.interchange.nir_neurons import numbers

__all__ = ["Structure", "Way"]

_ALLOWED = "Input, Linear (or Affine without bias), Delay, CubaLIF, LI followed by IF, Output"
_KINDS = (nir.Input, nir.Output, nir.Linear, nir.Affine, nir.Delay, nir.CubaLIF, nir.LI, nir.IF)
_SENDERS = (nir.Input, nir.CubaLIF, nir.IF)


class Way(NamedTuple):
    """Names of nodes: from a population, maybe by a Delay, through a Linear, maybe by a Delay, to a population."""

    source: str
    before: str | None
    linear: str
    after: str | None
    target: str


class Structure:
    """nodes: by name. inputs: {name: size}. synapses: {name of neurons: its LI, or None}. outputs: the name of the neurons that
    are the classes. ways: between populations. sizes: of populations."""

    def __init__(self, graph: Any) -> None:
        if not isinstance(graph, nir.NIRGraph):
            raise InterchangeError(f"a {type(graph).__name__} is no nir.NIRGraph; read a file with read_nir")
        self.nodes = dict(graph.nodes)
        for name, node in self.nodes.items():
            if type(node) not in _KINDS:
                raise InterchangeError(f"node {name!r} is a {type(node).__name__}; allowed are {_ALLOWED}{_hint(node)}")
        self._before: dict[str, list[str]] = {name: [] for name in self.nodes}
        for edge in graph.edges:
            if len(edge) != 2 or not set(edge) <= set(self.nodes):
                raise InterchangeError(f"edge {tuple(edge)} does not join two nodes of the graph")
            self._before[edge[1]].append(edge[0])
        self.inputs = {name: self._input_size(name) for name in self._named(nir.Input)}
        if not self.inputs:
            raise InterchangeError("the graph has no node Input")
        outputs = self._named(nir.Output)
        # nir 1.0.8 gives neurons that lead nowhere an Output of their own, called output_NAME.
        chosen = outputs if len(outputs) == 1 else [name for name in outputs if name == "output"]
        if len(chosen) != 1:
            raise InterchangeError(f"the graph has {len(outputs)} nodes Output {outputs}; give it one, or call the one whose "
                                   "neurons are the classes 'output'")
        self.outputs = self._single(chosen[0], (nir.CubaLIF, nir.IF), "CubaLIF or IF")
        self.synapses = {name: self._single(name, nir.LI, "LI, for synapses are exponential")
                         if isinstance(node, nir.IF) else None
                         for name, node in self.nodes.items() if isinstance(node, (nir.CubaLIF, nir.IF))}
        self.ways = [way for name in self.synapses for way in self._ways_to(name)]
        self._check_nothing_left(outputs)
        self.sizes = self._checked_sizes()

    def _named(self, kind: Any) -> list[str]:
        return [name for name, node in self.nodes.items() if isinstance(node, kind)]

    def _input_size(self, name: str) -> int:
        shape = np.ravel(numbers(name, self.nodes[name].input_type.get("input", 0), "shape"))
        if shape.size != 1 or not shape[0] >= 1 or shape[0] % 1:
            raise InterchangeError(f"node {name!r} has shape {shape.tolist()}; expected one number, the number of inputs")
        return int(shape[0])

    def _single(self, name: str, kinds: Any, role: str) -> str:
        """The one node before `name`."""
        before = self._before[name]
        if len(before) != 1 or not isinstance(self.nodes[before[0]], kinds):
            found = ", ".join(f"{b!r} ({type(self.nodes[b]).__name__})" for b in before) or "nothing"
            raise InterchangeError(f"before node {name!r} ({type(self.nodes[name]).__name__}) is {found}; expected one {role}")
        return before[0]

    def _ways_to(self, name: str) -> Iterator[Way]:
        at = self.synapses[name] or name
        for before in self._before[at]:
            after = before if isinstance(self.nodes[before], nir.Delay) else None
            for linear in [before] if after is None else self._before[after]:
                if not isinstance(self.nodes[linear], (nir.Linear, nir.Affine)):
                    raise InterchangeError(f"node {linear!r} ({type(self.nodes[linear]).__name__}) feeds {after or at!r} "
                                           "directly; expected a Linear between them")
                source, delay = self._single(linear, (*_SENDERS, nir.Delay), "Input, CubaLIF, IF or Delay"), None
                if isinstance(self.nodes[source], nir.Delay):
                    source, delay = self._single(source, _SENDERS, "Input, CubaLIF or IF"), source
                yield Way(source, delay, linear, after, name)

    def _check_nothing_left(self, outputs: list[str]) -> None:
        used = {*outputs, *self.inputs, *self.synapses, *self.synapses.values(), *(name for way in self.ways for name in way)}
        left = sorted(set(self.nodes) - used)
        if left:
            raise InterchangeError(f"node {left[0]!r} ({type(self.nodes[left[0]]).__name__}) is on no way to neurons; take it "
                                   "out, or connect it")

    def _checked_sizes(self) -> dict[str, int]:
        sizes = dict(self.inputs)
        for way in self.ways:
            shape = np.shape(self.nodes[way.linear].weight)
            sizes.setdefault(way.target, shape[0] if shape else 0)
        for name in self.synapses:
            if name not in sizes:
                raise InterchangeError(f"node {name!r} hears nothing; expected a Linear before it")
        for way in self.ways:
            shape = np.shape(self.nodes[way.linear].weight)
            if len(shape) != 2 or 0 in shape or shape != (sizes[way.target], sizes[way.source]):
                raise InterchangeError(f"node {way.linear!r}: weights of shape {shape}; expected (neurons, inputs) = "
                                       f"{(sizes[way.target], sizes[way.source])}")
        return sizes


def _hint(node: Any) -> str:
    if isinstance(node, nir.LIF):
        return "; a LIF has no synaptic time constant: its response to a spike is another one"
    if isinstance(node, nir.NIRGraph):
        return "; give the nodes of a subgraph in the graph itself"
    return ""
