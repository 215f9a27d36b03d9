"""How long a sample's window must be for a graph."""

from collections.abc import Sequence

import numpy as np

from ttfs_pynn.graph.graph import Edge, Graph
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.windows import Timing

__all__ = ["inputs_of", "longest_way", "timing_of"]


def _largest_delay(graph: Graph, edge: Edge) -> float:
    longest = float(np.max(edge.delay, initial=0.0)) if edge.delay_range is None else edge.delay_range.longest
    pre, post = graph.node(edge.pre), graph.node(edge.post)
    return longest + sum(delays.longest for delays in (pre.axonal_delay, post.dendritic_delay) if delays is not None)


def longest_way(graph: Graph) -> tuple[list[LIFParameters], float]:
    """(neurons, delays (ms)) of the slowest way from the sources to any population: parameters of the populations on it, and the
    sum of the longest delays between them. Populations that depend on each other are all passed."""
    best: dict[str, tuple[float, list[LIFParameters], float]] = {node.label: (0.0, [], 0.0) for node in graph.sources}
    for group in graph.groups:
        incoming = [edge for label in group for edge in graph.afferents(label)]
        outside = [edge for edge in incoming if edge.pre not in group]
        inside = [edge for edge in incoming if edge.pre in group]
        own = [graph.node(label).neuron for label in group]
        cost = sum(_slowest(neuron) for neuron in own)
        loops = sum(max(_largest_delay(graph, edge) for edge in inside if edge.pre == label)
                    for label in {edge.pre for edge in inside})
        length, neurons, delays = max(((best[edge.pre][0] + _largest_delay(graph, edge), best[edge.pre][1],
                                        best[edge.pre][2] + _largest_delay(graph, edge)) for edge in outside),
                                      key=lambda way: way[0], default=(0.0, [], 0.0))
        best.update(dict.fromkeys(group, (length + cost + loops, [*neurons, *own], delays + loops)))
    _, neurons, delays = max((best[node.label] for node in graph.neurons), key=lambda way: way[0])
    return neurons, delays


def _slowest(neuron: LIFParameters) -> float:
    return float(3 * np.max(np.maximum(neuron.tau_syn, np.where(np.isinf(neuron.tau_m), 0, neuron.tau_m))))


def _latest_input(graph: Graph) -> float:
    """When the last source spikes, as far as the graph says (ms from the start of a sample)."""
    fixed = [node.times[np.isfinite(node.times)].max(initial=0.0) for node in graph.sources if node.times is not None]
    return float(max([graph.t_late, *fixed]))


def timing_of(graph: Graph, delay: float = 0.0, single: bool = False, deadline: float | None = None) -> Timing:
    """The Timing of a graph whose every projection has `delay` (ms) more than the graph says; see
    `spikes.windows.Timing.derive`."""
    last, neurons = inputs_of(graph, delay)
    return Timing.derive(graph.t_early, last, neurons, single, deadline=deadline)


def inputs_of(graph: Graph, delay: float) -> tuple[float, Sequence[LIFParameters]]:
    """(when the last input of the slowest way may arrive, its neurons), as `simulators` want them."""
    neurons, delays = longest_way(graph)
    return _latest_input(graph) + delays + delay * len(neurons), neurons
