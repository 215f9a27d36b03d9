"""A graph's first spikes as a NetworkRecord: samples one after the other, whatever copies they were shown to."""

from typing import Any

import numpy as np

from ttfs_pynn.comparison.record import PARAMETERS, Connections, NetworkRecord
from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.parameters import Parameters, summed_delays
from ttfs_pynn.spikes.first_spikes import FirstSpikes
from ttfs_pynn.spikes.windows import Timing

__all__ = ["graph_record"]


def graph_record(spikes: FirstSpikes, graph: Graph, parameters: Parameters, timing: Timing, meta: dict[str, Any] | None = None,
                 notes: Any = ()) -> NetworkRecord:
    """NetworkRecord of the spikes of a presentation, which know how long they travelled.

    A neuron spikes once a sample and listens again in the next window, as `timing` has it.
    """
    labels = [node.label for node in graph.nodes]
    sizes = tuple(int(node.size) for node in graph.nodes)
    starts = dict(zip(labels, np.concatenate([[0], np.cumsum(sizes)[:-1]]), strict=True))
    samples = len(spikes)
    arrays = [spikes[label] if spikes[label].ndim == 3 else spikes[label][:, :, None] for label in labels]
    cells, times = [], []
    for label, array in zip(labels, arrays, strict=True):
        absolute = (array + np.arange(samples)[:, None, None] * timing.window).transpose(1, 0,
                                                                                         2)  # cell by cell, in order of time
        cell, *rest = np.nonzero(np.isfinite(absolute))
        cells.append(cell + starts[label])
        times.append(absolute[(cell, *rest)])
    return NetworkRecord(tuple(labels), sizes, _parameters(graph, sizes, timing.window - timing.deadline),
                         _connections(graph, parameters, spikes, starts), np.concatenate(cells), np.concatenate(times),
                         samples * timing.window, (timing.window, timing.deadline), tuple(notes), meta or {})


def _parameters(graph, sizes, refractory):
    columns: dict[str, list[np.ndarray]] = {name: [] for name in PARAMETERS}
    for node, size in zip(graph.nodes, sizes, strict=True):
        values = dict.fromkeys(PARAMETERS, np.nan)
        if node.neuron is not None:
            values = node.neuron.to_pynn() | {"tau_refrac": refractory, "v_reset": node.neuron.v_rest, "v": node.neuron.v_rest}
        for name in PARAMETERS:
            columns[name].append(np.broadcast_to(np.asarray(values[name], dtype=float), (size,)))
    return {name: np.concatenate(column) for name, column in columns.items()}


def _connections(graph, parameters, spikes, starts):
    made = []
    for edge in graph.edges:
        weights = np.ravel(parameters[f"{edge.label}.weight"])
        delays = np.broadcast_to(summed_delays(edge, spikes.delays[edge.label]), edge.shape).ravel()
        for receptor, chosen in (("excitatory", weights > 0), ("inhibitory", weights < 0)):
            if edge.sign in (0, 1 if receptor == "excitatory" else -1):
                made.append(Connections(f"{edge.label} {receptor}", receptor, edge.pre_index[chosen] + starts[edge.pre],
                                        edge.post_index[chosen] + starts[edge.post], weights[chosen], delays[chosen]))
    return tuple(made)
