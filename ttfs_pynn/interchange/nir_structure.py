"""The layers of a NIR graph, found by its edges; what is not layered is refused, with the node's name."""

from dataclasses import dataclass

import nir
import numpy as np

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.interchange.neuron_nodes import numbers

__all__ = ["LayeredGraph", "LayerNodes"]

_ALLOWED = "Input, Linear (or Affine without bias), Delay, CubaLIF, LI followed by IF, Output"
_KINDS = (nir.Input, nir.Output, nir.Linear, nir.Affine, nir.Delay, nir.CubaLIF, nir.LI, nir.IF)


@dataclass(frozen=True)
class LayerNodes:
    """Names of a layer's nodes. inputs: (linear, delay before it or None, source); from the layer before first."""

    neurons: str
    synapses: str | None
    delay: str | None
    inputs: tuple


class LayeredGraph:
    """nodes: by name. input: name of the input. n_sources: its size. layers: LayerNodes, first layer first."""

    def __init__(self, graph):
        if not isinstance(graph, nir.NIRGraph):
            raise InterchangeError(f"a {type(graph).__name__} is no nir.NIRGraph; read a file with read_nir")
        self.nodes = dict(graph.nodes)
        for name, node in self.nodes.items():
            if type(node) not in _KINDS:
                raise InterchangeError(f"node {name!r} is a {type(node).__name__}; allowed are {_ALLOWED}{_hint(node)}")
        self._before: dict[str, list] = {name: [] for name in self.nodes}
        for edge in graph.edges:
            if len(edge) != 2 or not set(edge) <= set(self.nodes):
                raise InterchangeError(f"edge {tuple(edge)} does not join two nodes of the graph")
            self._before[edge[1]].append(edge[0])
        self.input = self._only(nir.Input)
        self.n_sources = self._input_size()
        self.layers = self._walk(self._only(nir.Output))
        self._check_nothing_left()
        self._check_sizes()

    def size_of(self, part):
        """Neurons of a layer."""
        return self.nodes[part.inputs[0][0]].weight.shape[0]

    def _only(self, kind):
        found = [name for name, node in self.nodes.items() if isinstance(node, kind)]
        if len(found) != 1:
            raise InterchangeError(f"the graph has {len(found)} nodes {kind.__name__} {found}; exactly one is allowed")
        return found[0]

    def _input_size(self):
        shape = np.ravel(numbers(self.input, self.nodes[self.input].input_type.get("input", 0), "shape"))
        if shape.size != 1 or not shape[0] >= 1 or shape[0] % 1:
            raise InterchangeError(f"node {self.input!r} has shape {shape.tolist()}; expected one number, the number of inputs")
        return int(shape[0])

    def _single(self, name, kinds, role):
        """The one node before `name`."""
        before = self._before[name]
        if len(before) != 1 or not isinstance(self.nodes[before[0]], kinds):
            found = ", ".join(f"{b!r} ({type(self.nodes[b]).__name__})" for b in before) or "nothing"
            raise InterchangeError(f"before node {name!r} ({type(self.nodes[name]).__name__}) is {found}; expected one {role}")
        return before[0]

    def _walk(self, output):
        layers, seen = [], set()
        name = self._single(output, (nir.CubaLIF, nir.IF), "CubaLIF or IF")
        while name != self.input:
            if name in seen:
                raise InterchangeError(f"node {name!r} is reached from itself: recurrent graphs are not supported")
            seen.add(name)
            part, name = self._layer(name)
            layers.append(part)
        return layers[::-1]

    def _layer(self, neurons):
        """LayerNodes of a layer and the name of what it hears: the layer before, or the input."""
        at, synapses = neurons, None
        if isinstance(self.nodes[neurons], nir.IF):
            at = synapses = self._single(neurons, nir.LI, "LI, for synapses are exponential")
        delay = None
        if len(self._before[at]) == 1 and isinstance(self.nodes[self._before[at][0]], nir.Delay):
            at = delay = self._before[at][0]
        inputs = []
        for linear in self._before[at]:
            if not isinstance(self.nodes[linear], (nir.Linear, nir.Affine)):
                raise InterchangeError(f"node {linear!r} ({type(self.nodes[linear]).__name__}) feeds {at!r} directly; expected "
                                       "a Linear between them")
            inputs.append((linear, *self._source(linear)))
        heard = [source for _, _, source in inputs]
        layers = sorted(set(heard) - {self.input})
        if not inputs or len(layers) > 1 or len(set(heard)) < len(heard):
            raise InterchangeError(f"node {neurons!r} hears {heard}; expected the layer before once, and the input at most "
                                   "once, for bias spikes")
        inputs.sort(key=lambda entry: entry[2] == self.input)
        return LayerNodes(neurons, synapses, delay, tuple(inputs)), layers[0] if layers else self.input

    def _source(self, linear):
        """(delay, source) before a Linear."""
        kinds = (nir.Input, nir.CubaLIF, nir.IF)
        source = self._single(linear, (*kinds, nir.Delay), "Input, CubaLIF, IF or Delay")
        if isinstance(self.nodes[source], nir.Delay):
            return source, self._single(source, kinds, "Input, CubaLIF or IF")
        return None, source

    def _check_nothing_left(self):
        used = {self.input, self._only(nir.Output)}
        for part in self.layers:
            used |= {part.neurons, part.synapses, part.delay, *(name for entry in part.inputs for name in entry)}
        left = sorted(set(self.nodes) - used)
        if left:
            raise InterchangeError(f"node {left[0]!r} ({type(self.nodes[left[0]]).__name__}) is on no way from the input to "
                                   "the output; the graph must be one chain of layers")

    def _check_sizes(self):
        sizes = {self.input: self.n_sources}
        for part in self.layers:
            for linear, _, source in part.inputs:
                shape = np.shape(self.nodes[linear].weight)
                n = sizes.setdefault(part.neurons, shape[0] if shape else 0)
                if len(shape) != 2 or 0 in shape or shape != (n, sizes[source]):
                    raise InterchangeError(f"node {linear!r}: weights of shape {shape}; expected (neurons, inputs) = "
                                           f"{(n, sizes[source])}")


def _hint(node):
    if isinstance(node, nir.LIF):
        return "; a LIF has no synaptic time constant: its response to a spike is another one"
    if isinstance(node, nir.NIRGraph):
        return "; give the nodes of a subgraph in the graph itself"
    return ""
