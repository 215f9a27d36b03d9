"""From recorded Neo spike times to gradients. Imports no simulator: it works on any recording, also one from a file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.parameters import Parameters, trained_names
from ttfs_pynn.networks.afferents import Afferents, Backward, afferents_of
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.first_spikes import FirstSpikes

__all__ = ["GradientEngine", "Gradients", "first_spikes"]


@dataclass(frozen=True)
class Gradients:
    """parameters: {name: dL/d parameter} of the mean loss, of those that are trained, in 1/nA or 1/ms; loss (samples,);
    first_spikes; dropped: contributions left out because they exceeded max_dw."""

    parameters: dict[str, np.ndarray]
    loss: np.ndarray
    first_spikes: FirstSpikes
    dropped: int


def first_spikes(recording: Any) -> FirstSpikes:
    """Read a recording (`networks.pynn_network.Recording`): Neo Blocks whose annotations first_id and size (PyNN's) say which
    channel is which neuron.

    FirstSpikes, which an ArrayNetwork returns, are given back as they are.
    """
    if isinstance(recording, FirstSpikes):
        return recording
    presentation = recording.presentation

    def read(label, block):
        if len(block.segments) != 1:
            raise ValueError(f"block {block.name!r} holds {len(block.segments)} segments; pass one presentation, a run that was "
                             "read with clear=True")
        # Of several sources that stand for one input, the first ones count: they were told to spike together.
        several = recording.input_copies if label in recording.sources else 1
        ids = np.arange(block.annotations["size"] // several) + block.annotations["first_id"]
        reader = presentation.all_spikes if label in recording.several else presentation.first_spikes
        return reader(block.segments[0], ids, recording.time_scale)

    return FirstSpikes({label: read(label, block) for label, block in recording.blocks.items()}, recording.outputs,
                       recording.delays, presentation.last_read)


class GradientEngine:
    """The learning rule on a graph, from its outputs back to its sources.

    For each population, T depends on the causal inputs t_i (recorded time + delay) and weights as in `first_spike.backward`;
    errors dL/dT of the outputs come from the loss, go down by dL/dt_i = sum_n dL/dT_n dT_n/dt_i, and add where edges meet.
    Populations that depend on each other are gone through neuron by neuron, latest spike first. max_dw: a sample's contribution
    to the weights of a neuron is dropped where one exceeds it, in units of 1/neuron.current_scale. neurons: LIFParameters by
    population that gradients assume, in place of the graph's.
    """

    def __init__(self, graph: Graph, max_dw: float = np.inf, neurons: Mapping[str, LIFParameters] | None = None) -> None:
        self.graph, self.max_dw = graph, max_dw
        self.parts = afferents_of(graph, neurons)
        self._trained = trained_names(graph)
        # Populations whose errors are wanted: neurons that hear something that is trained themselves, sources and cells with
        # trained times and delays.
        self._wanted = {node.label for node in graph.nodes
                        if not node.is_source or node.train_times or node.axonal_delay is not None}

    def gradients(self, recording: Any, parameters: Parameters, loss: Callable, labels: np.ndarray) -> Gradients:
        """Gradients of the mean over samples of a loss for a recording; loss(times of the outputs, labels) -> (values
        (samples,), dL/dT (samples, classes)) as in `learning.loss`."""
        spikes = first_spikes(recording)
        values, error = loss(spikes.labels, labels)
        found, dropped = self.backward(spikes, parameters, error / max(len(error), 1))
        return Gradients(found, values, spikes, dropped)

    def backward(self, spikes: FirstSpikes, parameters: Parameters, error: np.ndarray) -> tuple[dict[str, np.ndarray], int]:
        """From FirstSpikes and dL/dT of the outputs: ({name: derivative} of what is trained, summed over samples; how many
        contributions were dropped)."""
        errors: dict[str, np.ndarray] = {self.graph.outputs: np.asarray(error, dtype=float)}
        gradients: dict[str, np.ndarray] = {}
        dropped = 0
        for part in reversed(self.parts):
            if not any(label in errors for label in part.group):  # nothing that it leads to decides
                self._note(part, Backward({edge.label: np.zeros(edge.shape) for edge in part.edges},
                                          {edge.label: np.zeros(edge.shape) for edge in part.edges}, {},
                                          {label: np.zeros(self.graph.node(label).size) for label in part.group}, 0), gradients)
                continue
            for label in part.group:
                errors.setdefault(label, np.zeros(spikes[label].shape))
            wanted = any(edge.pre in self._wanted for edge in part.edges if edge.pre not in part.group)
            found = part.backward(spikes, parameters, errors, self.max_dw, wanted)
            dropped += found.dropped
            self._note(part, found, gradients)
            for edge in part.edges:
                if edge.pre in self._wanted and edge.label in found.inputs:
                    sent = found.inputs[edge.label]
                    errors[edge.pre] = errors[edge.pre] + sent if edge.pre in errors else sent
        for node in self.graph.sources:
            if node.train_times:
                gradients[f"{node.label}.times"] = _of_times(parameters[f"{node.label}.times"], errors.get(node.label))
        return {name: gradients[name] for name in self._trained}, dropped

    def _note(self, part: Afferents, found: Backward, gradients: dict[str, np.ndarray]) -> None:
        """Enter what one group's edges and neurons have."""
        gradients |= {f"{label}.weight": array for label, array in found.weights.items()}
        gradients |= {f"{label}.delay": array for label, array in found.delays.items()
                      if self.graph.edge(label).delay_range is not None}
        gradients |= {f"{label}.dendritic_delay": array for label, array in found.dendritic.items()
                      if self.graph.node(label).dendritic_delay is not None}
        for edge in part.edges:
            name = f"{edge.pre}.axonal_delay"
            if self.graph.node(edge.pre).axonal_delay is None:
                continue
            if edge.label in found.inputs:
                sent = found.inputs[edge.label]
                total = sent.sum(axis=0) if sent.ndim == 2 else sent.sum(axis=(0, 2))
            else:  # from one neuron of a group to another
                total = np.bincount(edge.pre_index, found.delays[edge.label].ravel(), edge.sizes[0])
            gradients[name] = gradients[name] + total if name in gradients else total


def _of_times(times: np.ndarray, error: np.ndarray | None) -> np.ndarray:
    """dL/d times of sources, from the errors of their recorded spikes (samples, cells[, spikes]), which come in rising order."""
    found = np.zeros(times.shape)
    if error is None:
        return found
    total = error.sum(axis=0)
    if times.ndim == 1:
        return total
    order = np.argsort(times, axis=1, kind="stable")[:, :total.shape[1]]
    np.put_along_axis(found, order, total[:, :times.shape[1]], axis=1)
    return found
