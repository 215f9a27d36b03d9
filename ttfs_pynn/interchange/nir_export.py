"""A layered network as a NIR graph; the equations are in the package's docstring."""

import nir
import numpy as np

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.interchange.neuron_nodes import KEY, MS, neurons_to_nodes, weight_scale

__all__ = ["to_nir"]


def to_nir(architecture, weights, time_step=0.1):
    """A `nir.NIRGraph` of a network.Architecture with weights (nA, see there) and the delays and bias times that come with them.

    time_step (ms): of the framework that is to read the graph, where a spike is the number 1 for one step; 0: a delta function.
    Raises InterchangeError where NIR has no node for what is asked, ValueError for weights that do not fit.
    """
    if not (np.isfinite(time_step) and time_step >= 0):
        raise InterchangeError(f"time_step = {time_step} ms; give the step of the framework that will read the graph, or 0")
    weights = architecture.check_weights(weights)
    times = architecture.times_of(weights)
    graph = _Graph(architecture, times.bias_times, time_step)
    heard = "input"
    for k, w in enumerate(weights):
        heard = graph.add_layer(k, w, _delays(times.delays[k], k), heard)
    size = np.array([architecture.layers[-1].size])
    graph.add("output", nir.Output(size), heard)
    network = {"t_early": float(architecture.t_early), "t_late": float(architecture.t_late), "time_step": float(time_step)}
    return nir.NIRGraph(graph.nodes, graph.edges, metadata={KEY: network})


def _delays(kinds, k):
    """(axonal, dendritic): arrays (ms) of length inputs and neurons, or None."""
    if len(kinds) > 1 or "synaptic" in kinds:
        raise InterchangeError(f"layer {k} has {' and '.join(kinds)} delays; NIR can hold axonal or dendritic ones, but not "
                               "both, and not one a synapse")
    return tuple(kinds[kind].ravel().copy() if kind in kinds else None for kind in ("axonal", "dendritic"))


class _Graph:
    """Nodes and edges while they are added."""

    def __init__(self, architecture, bias_times, time_step):
        self.architecture, self.time_step = architecture, time_step
        self.n_biases = [len(layer.bias_times) for layer in architecture.layers]
        self.n_sources = architecture.n_inputs + sum(self.n_biases)
        sources = {"n_inputs": architecture.n_inputs}
        sources |= {f"bias_times{k}": np.array(times, dtype=float) for k, times in enumerate(bias_times) if times.size}
        self.nodes = {"input": nir.Input(np.array([self.n_sources]), metadata={KEY: sources})}
        self.edges = []

    def add(self, name, node, *before):
        self.nodes[name] = node
        self.edges += [(other, name) for other in before]
        return name

    def add_layer(self, k, w, delays, heard):
        """Nodes of layer k after the node `heard`; the name of its neurons."""
        layer, (axonal, dendritic) = self.architecture.layers[k], delays
        n_heard = len(w) - self.n_biases[k]
        first = self.architecture.n_inputs + sum(self.n_biases[:k])
        biases = slice(first, first + self.n_biases[k])
        if k == 0:
            parts: list = [("weights0", "delays0", heard, [
                (slice(0, n_heard), slice(0, n_heard)), (biases, slice(n_heard, None))])]
        else:
            parts = [(f"weights{k}", f"delays{k}", heard, None)]
            if self.n_biases[k]:
                parts.append((f"bias_weights{k}", f"bias_delays{k}", "input", [(biases, slice(n_heard, None))]))
        before = []
        for name, delay_name, source, places in parts:
            if axonal is not None:
                source = self.add(delay_name, _delay_node(self._placed(axonal, places, n_heard)), source)
            before.append(self.add(name, self._linear(self._placed(w, places, n_heard), layer.neuron), source))
        if dendritic is not None:
            before = [self.add(f"dendritic_delays{k}", _delay_node(dendritic), *before)]
        synapses, neurons = neurons_to_nodes(layer.neuron, layer.size, self.time_step)
        neurons.metadata[KEY] |= {name: float(value) if np.ndim(value) == 0 else np.array(value, dtype=float)
                                  for name, value in (("weight_mean", layer.weight_mean), ("weight_std", layer.weight_std),
                                                      *[("delay_max", layer.delay_max)] * bool(layer.delays))}
        if synapses is not None:
            before = [self.add(f"synapses{k}", synapses, *before)]
        return self.add(f"neurons{k}", neurons, *before)

    def _placed(self, rows, places, n_heard):
        """Rows of a layer's weights or delays where their sources are in the input; those of the layer before as they are."""
        if places is None:
            return rows[:n_heard]
        whole = np.zeros((self.n_sources, *rows.shape[1:]))
        for place, own in places:
            whole[place] = rows[own]
        return whole

    def _linear(self, w, neuron):
        metadata = {KEY: {"weights": w}} if self.time_step else {}
        return nir.Linear(np.ascontiguousarray((w * weight_scale(neuron, self.time_step)).T), metadata=metadata)


def _delay_node(delay):
    return nir.Delay(delay * MS, metadata={KEY: {"delay": delay}})
