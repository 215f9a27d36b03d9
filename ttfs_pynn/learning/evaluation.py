"""What a network answers to samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph.parameters import Parameters
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.decision import spikes_until
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.learning.loss import predict
from ttfs_pynn.networks.interface import TrainableNetwork, input_times
from ttfs_pynn.spikes.first_spikes import FirstSpikes

__all__ = ["Evaluation", "check_data", "evaluate"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network answers. Times in ms; label_times (samples, classes), predictions (samples,), -1 for no answer.

    latency (samples,): from the start of the window to the first label spike, inf without one. layer_spikes (samples,
    populations):
    neurons of each population (in the order of the graph) that have spiked by the decision, window_spikes in the whole window;
    spikes (samples,): of all of them by the decision (first spikes counted).
    """

    label_times: np.ndarray
    labels: np.ndarray
    layer_spikes: np.ndarray
    window_spikes: np.ndarray
    first_spikes: Any = None

    @property
    def spikes(self):
        return self.layer_spikes.sum(axis=1)

    @property
    def predictions(self):
        """The class of each sample (samples,), -1 for no answer."""
        return predict(self.label_times)

    @property
    def accuracy(self):
        """Share of right answers; a sample without an answer is wrong."""
        return float((self.predictions == self.labels).mean())

    @property
    def latency(self):
        """Time of the first label spike of each sample (samples,) in ms, inf without one."""
        return self.label_times.min(axis=1)

    def summary(self, name):
        """A dict for JSON: NAME_accuracy, NAME_latency_ms (mean over decisions), NAME_spikes (mean), NAME_no_answer (a share)."""
        latency = self.latency[np.isfinite(self.latency)]
        return {f"{name}_accuracy": self.accuracy, f"{name}_latency_ms": float(latency.mean()) if latency.size else float("nan"),
                f"{name}_spikes": float(self.spikes.mean()), f"{name}_no_answer": 1 - latency.size / len(self.labels)}


def check_data(network: TrainableNetwork, data: SpikeData) -> None:
    """ConfigurationError for samples that the network cannot be shown, or classes that it cannot answer."""
    latest = network.graph.t_late * (1 + 1e-9)
    for label, times in input_times(network.graph, data.times).items():
        if (np.isfinite(times) & (times > latest)).any():
            raise ConfigurationError(f"inputs {label!r} spike at up to {times[np.isfinite(times)].max():g} ms, after the "
                                     f"network's t_late = {network.graph.t_late:g} ms; give the network a larger t_late")
    n_classes = network.graph.n_classes
    if data.labels.max() >= n_classes:
        raise ConfigurationError(f"labels up to {data.labels.max()} for a network of {n_classes} label neurons, which are "
                                 "classes from 0")


def evaluate(network: TrainableNetwork, data: SpikeData, batch_size: int | None = None, parameters: Parameters | None = None,
             keep: bool = True) -> Evaluation:
    """Present all of `data` in batches, by default of 100 samples, or one for each copy where the network has several. Does not
    change parameters, unless others are given to write first.

    Without `keep` the Evaluation has no first_spikes, which of ten thousand images take more memory than all else.
    """
    check_data(network, data)
    if parameters is not None:
        network.write(parameters)
    if batch_size is None:
        batch_size = network.n_copies if network.n_copies > 1 else 100
    if batch_size < 1:
        raise ConfigurationError(f"batch_size = {batch_size} must be at least 1")
    populations = [node.label for node in network.graph.neurons]
    parts, decisions = [], []
    for k in range(0, len(data), batch_size):
        spikes = first_spikes(network.present(data.batch(slice(k, k + batch_size))))
        layers = [spikes[label] for label in populations]
        decisions.append((spikes.labels, spikes_until(layers, spikes.labels.min(axis=1)), spikes_until(layers)))
        if keep:
            parts.append(spikes)
    label_times, layer_spikes, window_spikes = (np.concatenate(arrays) for arrays in zip(*decisions, strict=True))
    return Evaluation(label_times, data.labels, layer_spikes, window_spikes, FirstSpikes.merged(parts) if keep else None)
