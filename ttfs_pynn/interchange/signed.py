"""A graph's edges as what other simulators have: excitatory and inhibitory connections, one by one."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.parameters import Parameters, check_parameters, delays_of, summed_delays, times_of
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.networks.interface import input_times
from ttfs_pynn.networks.timing import timing_of
from ttfs_pynn.spikes.windows import Timing

__all__ = ["Connections", "connections_of", "own_times", "sample_times", "window_of"]


class Connections(NamedTuple):
    """Connections of one receptor: cells `pre` and `post`, weight (nA) and delay (ms) of each, arrays of one length."""

    label: str
    source: str
    target: str
    receptor: str
    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray


def connections_of(graph: Graph, parameters: Parameters) -> Iterator[Connections]:
    """Of every edge: those that excite and those that inhibit, where it has both. An edge whose weights keep their sign has all
    its connections, one of signed weights those that are not 0."""
    parameters = check_parameters(graph, parameters)
    delays = delays_of(graph, parameters)
    taken = {edge.label for edge in graph.edges}
    for edge in graph.edges:
        weight = parameters[f"{edge.label}.weight"].ravel()
        delay = np.broadcast_to(summed_delays(edge, delays[edge.label]), edge.shape).ravel()
        for sign, receptor in ((1, "excitatory"), (-1, "inhibitory")):
            chosen = weight * sign > 0 if edge.sign == 0 else np.full(weight.shape, edge.sign == sign)
            if not chosen.any():
                continue
            if edge.sign and (weight * sign < 0).any():
                raise InterchangeError(f"{edge.label}.weight holds {int((weight * sign < 0).sum())} weights of the other sign "
                                       f"than the {receptor} edge has")
            label = edge.label if edge.sign else _unused(f"{edge.label} {receptor}", taken)
            yield Connections(label, edge.pre, edge.post, receptor, edge.pre_index[chosen], edge.post_index[chosen],
                              weight[chosen], delay[chosen])


def _unused(label: str, taken: set[str]) -> str:
    while label in taken:
        label += "'"
    taken.add(label)
    return label


def own_times(graph: Graph, parameters: Parameters) -> dict[str, np.ndarray]:
    """{label: (size,) or (size, spikes) in ms} of the sources that spike alike in every sample."""
    return {node.label: np.array(times_of(graph, node.label, parameters), dtype=float) for node in graph.sources
            if node.times is not None}


def sample_times(graph: Graph, samples: SpikeData) -> dict[str, np.ndarray]:
    """{label: (samples, sources[, spikes]) in ms} of the sources whose times come with the data; also of others that they
    give."""
    return input_times(graph, samples.batch(slice(None)))


def window_of(graph: Graph, timing: Timing | None = None) -> tuple[float, float, float]:
    """(deadline, window, tau_refrac) in ms; the window is inf where membranes do not decay, so that each sample wants a run, or a
    network, of its own."""
    endless = any(np.isinf(node.neuron.tau_m).any() for node in graph.neurons)
    timing = timing or timing_of(graph, single=endless)
    return float(timing.deadline), np.inf if endless else float(timing.window), float(timing.tau_refrac)
