"""Graphs in a line: chains of layers, and which pairs a sparse edge connects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ttfs_pynn.graph.graph import DelayRange, Edge, Graph, GraphError, Node
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.units import in_unit

__all__ = ["Layer", "layered", "local_fields", "random_pairs"]

DELAYS = ("axonal", "dendritic", "synaptic")


@dataclass(frozen=True)
class Layer:
    """`size` neurons, with spikes of bias sources at `bias_times` (ms from the start of a sample), one source a time.

    pairs: which (input, neuron) the projection from the layer before connects, (connections, 2); None: all. weight_mean,
    weight_std: as in `graph.Node`. delays: kinds of delays that are trained, of 'axonal' (one a cell that sends to this layer),
    'dendritic' (one a neuron), 'synaptic' (one a connection); they are from 0 to delay_max (ms), at first |N(delay_mean,
    delay_std)|, and add up. train_bias_times: bias_times are where training starts.
    """

    size: int
    neuron: LIFParameters
    bias_times: tuple = ()
    weight_mean: float | np.ndarray | None = None
    weight_std: float | np.ndarray | None = None
    delays: tuple = ()
    delay_mean: float = 0.0
    delay_std: float = 0.0
    delay_max: float = 20.0
    train_bias_times: bool = False
    pairs: np.ndarray | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bias_times", tuple(np.ravel(in_unit(self.bias_times, "ms", "bias_times"))))
        for name in ("delay_mean", "delay_std", "delay_max"):
            object.__setattr__(self, name, in_unit(getattr(self, name), "ms", name))
        object.__setattr__(self, "delays", tuple(self.delays))
        if not set(self.delays) <= set(DELAYS):
            raise GraphError(f"delays {self.delays}: known kinds are {', '.join(DELAYS)}")
        if any(t < 0 or not np.isfinite(t) for t in self.bias_times):
            raise GraphError(f"bias times {self.bias_times} must be finite and not negative")
        if self.train_bias_times and not self.bias_times:
            raise GraphError("train_bias_times of a layer without bias_times; say where training starts, or leave it out")

    @property
    def delay_range(self) -> DelayRange:
        """Of its trained delays."""
        return DelayRange(self.delay_max, self.delay_mean, self.delay_std)


def layered(n_inputs: int, layers: Sequence[Layer], t_early: float, t_late: float,
            skips: Mapping[tuple[str, str], np.ndarray | None] | None = None) -> Graph:
    """A chain of layers: n_inputs spike sources 'input', then 'layer0', 'layer1', ..., each fed by the one before and by its bias
    sources 'bias0', 'bias1', ...; edges are called 'input>layer0', 'bias0>layer0', 'layer0>layer1', and so on.

    Inputs spike between t_early and t_late (ms). skips: more edges, {(pre, post): pairs or None for all}, such as
    {('input', 'layer1'): None}. The last layer is the outputs.
    """
    if not layers:
        raise GraphError("a network needs at least one layer")
    axonal = {}  # by the node that sends
    nodes, edges = [], []
    for k, layer in enumerate(layers):
        before = f"layer{k - 1}" if k else "input"
        feeding = [before, f"bias{k}"] if layer.bias_times else [before]
        if "axonal" in layer.delays:
            axonal.update(dict.fromkeys(feeding, layer.delay_range))
        trained = layer.delay_range if "synaptic" in layer.delays else None
        edges += [Edge(f"{pre}>layer{k}", pre, f"layer{k}", layer.pairs if pre == before else None, delay_range=trained)
                  for pre in feeding]
    nodes.append(Node("input", n_inputs, axonal_delay=axonal.get("input")))
    for k, layer in enumerate(layers):
        if layer.bias_times:
            nodes.append(Node(f"bias{k}", len(layer.bias_times), times=np.array(layer.bias_times, dtype=float),
                              train_times=layer.train_bias_times, axonal_delay=axonal.get(f"bias{k}")))
        nodes.append(Node(f"layer{k}", layer.size, layer.neuron, axonal_delay=axonal.get(f"layer{k}"),
                          dendritic_delay=layer.delay_range if "dendritic" in layer.delays else None,
                          weight_mean=layer.weight_mean, weight_std=layer.weight_std))
    edges += [Edge(f"{pre}>{post}", pre, post, pairs) for (pre, post), pairs in (skips or {}).items()]
    return Graph(tuple(nodes), tuple(edges), f"layer{len(layers) - 1}", t_early, t_late)


def sorted_pairs(pairs: np.ndarray) -> np.ndarray:
    """(connections, 2) of (pre, post), sorted as an Edge wants them: by post, then by pre."""
    pairs = np.asarray(pairs)
    return pairs[np.lexsort(pairs.T)]


def random_pairs(n_pre: int, n_post: int, probability: float, rng: np.random.Generator) -> np.ndarray:
    """Pairs (connections, 2) of which each is connected with this probability, drawn from a numpy Generator."""
    if not 0 < probability <= 1:
        raise GraphError(f"probability = {probability} must be above 0, at most 1")
    return sorted_pairs(np.argwhere(rng.random((n_pre, n_post)) < probability))


def local_fields(shape: tuple[int, int], field_size: int, stride: int = 1, neurons: int = 1, channels: int = 1) -> np.ndarray:
    """Pairs (connections, 2) of an image of `shape` (rows, columns) of sources, row by row, and neurons that see `field_size` x
    `field_size` of them each, as a convolution without shared weights: positions are `stride` apart, row by row.

    neurons: of each position; the first of all positions come first, then the second. channels: so many images of sources, one
    after the other; a neuron sees the same place of each.
    """
    rows, columns = shape
    if neurons < 1 or channels < 1:
        raise GraphError(f"neurons = {neurons}, channels = {channels}: a field has at least one of each")
    if not 1 <= field_size <= min(shape) or stride < 1:
        raise GraphError(f"fields of {field_size} x {field_size}, {stride} apart, in an image of {rows} x {columns}: give a "
                         "field that fits, and a stride of at least 1")
    tops, lefts = np.arange(0, rows - field_size + 1, stride), np.arange(0, columns - field_size + 1, stride)
    top, left = (a.ravel() for a in np.meshgrid(tops, lefts, indexing="ij"))
    dy, dx = (a.ravel() for a in np.meshgrid(np.arange(field_size), np.arange(field_size), indexing="ij"))
    seen = (top[:, None] + dy) * columns + left[:, None] + dx
    pairs = np.stack([seen.ravel(), np.repeat(np.arange(top.size), field_size ** 2)], axis=1)
    return sorted_pairs(np.concatenate([pairs + [rows * columns * channel, top.size * neuron] for channel in range(channels)
                                        for neuron in range(neurons)]))
