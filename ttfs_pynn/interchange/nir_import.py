"""A NIR graph as a layered network; the equations are in the package's docstring."""

from typing import NamedTuple

import nir
import numpy as np

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.interchange.layered_graph import LayeredGraph
from ttfs_pynn.interchange.neuron_nodes import MS, metadata_of, neurons_from_nodes, number, numbers
from ttfs_pynn.networks.network import Architecture, Layer
from ttfs_pynn.networks.trained_times import TrainedTimes, Weights

__all__ = ["ImportedNetwork", "from_nir"]


class ImportedNetwork(NamedTuple):
    """architecture: network.Architecture, whose layers have the delays that the graph has. weights: trained_times.Weights (nA),
    with their values (ms)."""

    architecture: Architecture
    weights: Weights


def from_nir(graph, t_early=None, t_late=None, time_step=None):
    """The ImportedNetwork of a `nir.NIRGraph`.

    t_early, t_late (ms): between them inputs spike; needed where the graph does not say, as one from elsewhere. time_step (ms):
    as in `to_nir`, by default what the graph says, else 0.1. Raises InterchangeError that names the node which does not map.
    """
    found = LayeredGraph(graph)
    stored = metadata_of("graph", graph)
    time_step = _given("time_step", time_step, stored, 0.1)
    if not (np.isfinite(time_step) and time_step >= 0):
        raise InterchangeError(f"time_step = {time_step} ms must be finite and not negative")
    sources = _Sources(found)
    layers, weights, delays = [], [], []  # delays: {kind: array} of each layer
    for k, part in enumerate(found.layers):
        layer, w, delay = _layer(found, part, k, sources, time_step)
        layers.append(layer)
        weights.append(w)
        delays.append(delay)
    try:
        architecture = Architecture(sources.n_inputs, tuple(layers), _given("t_early", t_early, stored),
                                    _given("t_late", t_late, stored))
        bias_times = tuple(np.array(layer.bias_times, dtype=float) for layer in layers)
        times = TrainedTimes(tuple(delays), bias_times) if any(delays) else None
        weights = architecture.check_weights(Weights(weights, times))
    except ValueError as error:
        raise InterchangeError(f"the graph is no network for first-spike learning: {error}") from None
    return ImportedNetwork(architecture, weights)


def _given(name, value, stored, default=None):
    if value is None:
        value = stored.get(name, default)
    if value is None:
        raise InterchangeError(f"the graph does not say {name} (ms), as graphs from elsewhere do not; give it to from_nir")
    return number("graph", value, name)


class _Sources:
    """Which of the input's elements are inputs, and which are bias sources of which layer."""

    def __init__(self, found):
        self.size, stored = found.n_sources, metadata_of(found.input, found.nodes[found.input])
        self.bias_times = []
        for k in range(len(found.layers)):
            times = numbers(found.input, stored.get(f"bias_times{k}", np.zeros(0)), f"bias_times{k}")
            if np.ndim(times) != 1:
                raise InterchangeError(f"node {found.input!r}: bias_times{k} must be a list of times (ms)")
            self.bias_times.append(tuple(float(t) for t in times))
        n_biases = sum(map(len, self.bias_times))
        self.n_inputs = self.size - n_biases
        if stored and (self.n_inputs < 1 or number(found.input, stored.get("n_inputs", 0), "n_inputs") != self.n_inputs):
            raise InterchangeError(f"node {found.input!r} has {self.size} elements, which its metadata do not describe "
                                   f"({stored.get('n_inputs')} inputs and {n_biases} bias sources)")

    def rows(self, k):
        """Indices of what layer k hears: of the inputs (layer 0 only), then of its biases."""
        first = self.n_inputs + sum(len(times) for times in self.bias_times[:k])
        own = np.arange(first, first + len(self.bias_times[k]))
        return np.concatenate([np.arange(self.n_inputs), own]) if k == 0 else own


def _layer(found, part, k, sources, time_step):
    """(Layer, weights, {kind: delays}) of layer k."""
    neurons, synapses = found.nodes[part.neurons], found.nodes.get(part.synapses)
    n = found.size_of(part)
    neuron, factor, scale = neurons_from_nodes(part.neurons, synapses, neurons, n, time_step)
    pieces, axonal = [], []
    for linear, delay_name, source in part.inputs:
        w = _weights(found, linear, factor, scale)
        delay = _delay(found, delay_name, len(w))
        if source == found.input:
            rows = sources.rows(k)
            others = np.setdiff1d(np.arange(len(w)), rows)
            if w[others].any():
                element = others[w[others].any(axis=1)][0]
                raise InterchangeError(f"node {linear!r}: element {element} of the input is none that layer {k} may hear: "
                                       "connections that skip a layer are not supported, and bias sources belong to one layer "
                                       "(see the metadata of the input)")
            w, delay = w[rows], None if delay is None else delay[rows]
        pieces.append(w)
        axonal.append(delay)
    w = np.concatenate(pieces)
    delays = {}
    if any(delay is not None for delay in axonal):
        delays["axonal"] = np.concatenate([np.zeros(len(piece)) if delay is None else delay
                                           for piece, delay in zip(pieces, axonal, strict=True)])[:, None]
    if part.delay is not None:
        if delays:
            raise InterchangeError(f"node {part.delay!r}: layer {k} has delays before and after its weights; use one of them")
        delays["dendritic"] = _delay(found, part.delay, n)[None]
    stored = metadata_of(part.neurons, neurons)
    initial = {key: _one_or_each(part.neurons, stored[key], key, n) for key in ("weight_mean", "weight_std") if key in stored}
    if delays:
        largest = max(float(array.max()) for array in delays.values())
        initial["delay_max"] = max(largest, number(part.neurons, stored.get("delay_max", Layer.delay_max), "delay_max"))
    return Layer(n, neuron, sources.bias_times[k], delays=tuple(delays), **initial), w, delays


def _one_or_each(name, value, field, n):
    """A float, or an array with a value for each of n neurons."""
    value = numbers(name, value, field)
    if np.shape(value) not in ((), (n,)):
        raise InterchangeError(f"node {name!r}: {field} has shape {np.shape(value)}; expected one number, or one for each of its "
                               f"{n} neurons")
    return value


def _weights(found, name, factor, scale):
    """Weights (inputs, neurons) in nA of a Linear node: the exported bits where they were not changed."""
    node = found.nodes[name]
    w = numbers(name, node.weight, "weight").T
    if not np.isfinite(w).all():
        raise InterchangeError(f"node {name!r}: {int((~np.isfinite(w)).sum())} weights are not finite")
    if isinstance(node, nir.Affine) and np.any(numbers(name, node.bias, "bias")):
        raise InterchangeError(f"node {name!r}: an Affine with a bias that is not 0 is a constant current, which first-spike "
                               "learning does not have; use Linear, or bias spikes")
    stored = None if scale is None else metadata_of(name, node).get("weights")
    if stored is None:
        return w * factor
    stored = numbers(name, stored, "metadata weights")
    if np.shape(stored) != w.shape:
        raise InterchangeError(f"node {name!r}: weights of shape {w.shape[::-1]}, in the metadata {np.shape(stored)[::-1]}")
    return np.where(stored * scale == w, stored, w * factor)


def _delay(found, name, n):
    """Delays (ms) of a Delay node, None without one."""
    if name is None:
        return None
    seconds = numbers(name, found.nodes[name].delay, "delay")
    if np.shape(seconds) not in ((), (1,), (n,)) or not (np.isfinite(seconds) & (np.asarray(seconds) >= 0)).all():
        raise InterchangeError(f"node {name!r}: a delay must be {n} numbers, finite and not negative (s)")
    seconds = np.broadcast_to(seconds, (n,))
    stored = numbers(name, metadata_of(name, found.nodes[name]).get("delay", np.nan), "metadata delay")
    stored = np.broadcast_to(stored, (n,)) if np.shape(stored) in ((), (n,)) else np.full(n, np.nan)
    return np.where(stored * MS == seconds, stored, seconds / MS)
