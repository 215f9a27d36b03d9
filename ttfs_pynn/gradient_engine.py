"""From recorded Neo spike times to weight updates. Imports no simulator: it works on any recording, also one from a file."""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.first_spike import vector_jacobian_product

__all__ = ["FirstSpikes", "GradientEngine", "Gradients", "first_spikes"]


@dataclass(frozen=True)
class FirstSpikes:
    """First-spike times (samples, cells) in ms from each window's start: of the inputs, bias sources and neurons by layer.
    delay: how long they travel (ms)."""

    inputs: np.ndarray
    biases: tuple
    layers: tuple
    delay: float = 0.0

    def afferent(self, k):
        """What layer k hears: the spikes of the layer before, then of its bias sources."""
        before = self.inputs if k == 0 else self.layers[k - 1]
        return before if self.biases[k] is None else np.concatenate([before, self.biases[k]], axis=1)


@dataclass(frozen=True)
class Gradients:
    """weights: dL/dw (1/nA) of the mean loss, one matrix a layer; loss (samples,); first_spikes; dropped: contributions left out
    because they exceeded max_dw."""

    weights: list
    loss: np.ndarray
    first_spikes: FirstSpikes
    dropped: int


def first_spikes(recording):
    """Read a Recording: Neo Blocks whose annotations first_id and size (PyNN's) say which channel is which neuron.

    FirstSpikes, which an ArrayNetwork returns, are given back as they are.
    """
    if isinstance(recording, FirstSpikes):
        return recording

    def read(block, several=1):
        if block is None:
            return None
        if len(block.segments) != 1:
            raise ValueError(f"block {block.name!r} holds {len(block.segments)} segments; pass one presentation, a run that was "
                             "read with clear=True")
        # Of several sources that stand for one input, the first ones count: they were told to spike together.
        ids = np.arange(block.annotations["size"] // several) + block.annotations["first_id"]
        return recording.presentation.first_spikes(block.segments[0], ids, recording.time_scale)

    several = recording.input_copies
    return FirstSpikes(read(recording.inputs, several), tuple(read(bias, several) for bias in recording.biases),
                       tuple(map(read, recording.layers)))


class GradientEngine:
    """The learning rule for a layered network of `neurons` (LIFParameters, one a layer).

    For each layer, T depends on the causal inputs t_i (recorded time + delay) and weights as in `first_spike.backward`; errors
    dL/dT of the last layer come from the loss and go down by dL/dt_i = sum_n dL/dT_n dT_n/dt_i. max_dw: a sample's contribution
    to the weights of a neuron is dropped where one exceeds it, in units of 1/neuron.current_scale.
    """

    def __init__(self, neurons, max_dw=np.inf):
        self.neurons, self.max_dw = list(neurons), max_dw

    def gradients(self, recording, weights, loss, labels):
        """Gradients of the mean over samples of a loss for a Recording; loss(times of the last layer, labels) -> (values
        (samples,), dL/dT (samples, classes)) as in `ttfs_pynn.loss`."""
        times = first_spikes(recording)
        values, error = loss(times.layers[-1], labels)
        gradients, dropped = self.backward(times, weights, error / max(len(error), 1), recording.delay)
        return Gradients(gradients, values, times, dropped)

    def backward(self, times, weights, error, delay=0.0):
        """dL/dw of every layer, summed over samples, and the number of dropped contributions, from FirstSpikes and
        dL/dT of the last layer."""
        if not len(times.layers) == len(weights) == len(self.neurons):
            raise ValueError(f"spikes of {len(times.layers)} layers and {len(weights)} weight matrices for an engine of "
                             f"{len(self.neurons)} layers; give each layer one LIFParameters and one matrix")
        gradients: list = [None] * len(self.neurons)
        dropped = 0
        for k in reversed(range(len(self.neurons))):
            neuron = self.neurons[k]
            gradients[k], error_in, n = vector_jacobian_product(
                times.afferent(k) + delay, weights[k], times.layers[k], error, neuron, self.max_dw / neuron.current_scale,
                with_inputs=k > 0)
            dropped += n
            if k:
                error = error_in[:, :times.layers[k - 1].shape[1]]
        return gradients, dropped
