"""From recorded Neo spike times to weight updates. Imports no simulator: it works on any recording, also one from a file."""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.first_spike import (
    delayed_first_spike_times,
    delayed_vector_jacobian_product,
    first_spike_times,
    vector_jacobian_product,
)

__all__ = ["FirstSpikes", "GradientEngine", "Gradients", "first_spikes", "layer_times"]


@dataclass(frozen=True)
class FirstSpikes:
    """First-spike times (samples, cells) in ms from each window's start: of the inputs, bias sources and neurons by layer.

    delay: how long they travelled (ms); delays: by layer, what each synapse adds to it, as in `first_spike.delays`, or None.
    deadline (ms): from when on no spike of a sample was read.
    """

    inputs: np.ndarray
    biases: tuple
    layers: tuple
    delay: float = 0.0
    delays: tuple = ()
    deadline: float = np.inf

    def afferent(self, k):
        """What is sent to layer k: the spikes of the layer before, then of its bias sources."""
        before = self.inputs if k == 0 else self.layers[k - 1]
        return before if self.biases[k] is None else np.concatenate([before, self.biases[k]], axis=1)

    def heard(self, k):
        """`afferent` when it arrives, but for what single synapses add."""
        return self.afferent(k) + self.delay

    def synaptic_delays(self, k):
        """Delays of layer k's synapses besides `delay`, or None."""
        return self.delays[k] if self.delays else None


def layer_times(times, k, w, neuron):
    """First-spike times (samples, neurons) that the ideal layer k has for the spikes that it heard (FirstSpikes): inf for those
    that come too late to be read."""
    heard, delays = times.heard(k), times.synaptic_delays(k)
    found = first_spike_times(heard, w, neuron) if delays is None else delayed_first_spike_times(heard, w, delays, neuron)
    found[found >= times.deadline] = np.inf
    return found


@dataclass(frozen=True)
class Gradients:
    """weights: dL/dw (1/nA) of the mean loss, one matrix a layer; loss (samples,); first_spikes; dropped: contributions left out
    because they exceeded max_dw; delays: dL/dd (1/ms), one matrix a layer of the delays' shape; bias_times: dL/dt (1/ms) of the
    bias sources by layer. None where there are none, or none are asked for."""

    weights: list
    loss: np.ndarray
    first_spikes: FirstSpikes
    dropped: int
    delays: tuple = ()
    bias_times: tuple = ()


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
                       tuple(map(read, recording.layers)), recording.delay, recording.delays,
                       recording.presentation.last_read)


class GradientEngine:
    """The learning rule for a layered network of `neurons` (LIFParameters, one a layer).

    For each layer, T depends on the causal inputs t_i (recorded time + delay) and weights as in `first_spike.backward`; errors
    dL/dT of the last layer come from the loss and go down by dL/dt_i = sum_n dL/dT_n dT_n/dt_i. max_dw: a sample's contribution
    to the weights of a neuron is dropped where one exceeds it, in units of 1/neuron.current_scale. bias_times: whether dL/dt of
    bias sources is wanted, one answer a layer (or none: no).
    """

    def __init__(self, neurons, max_dw=np.inf, bias_times=()):
        self.neurons, self.max_dw = list(neurons), max_dw
        self.bias_times = tuple(bias_times) or (False,) * len(self.neurons)
        if len(self.bias_times) != len(self.neurons):
            raise ValueError(f"bias_times = {self.bias_times} for {len(self.neurons)} layers; give one answer a layer, or none")

    def gradients(self, recording, weights, loss, labels):
        """Gradients of the mean over samples of a loss for a Recording; loss(times of the last layer, labels) -> (values
        (samples,), dL/dT (samples, classes)) as in `ttfs_pynn.learning.loss`."""
        times = first_spikes(recording)
        values, error = loss(times.layers[-1], labels)
        gradients, delays, bias_times, dropped = self.backward(times, weights, error / max(len(error), 1))
        return Gradients(gradients, values, times, dropped, delays, bias_times)

    def backward(self, times, weights, error):
        """From FirstSpikes and dL/dT of the last layer: dL/dw of every layer, dL/dd, dL/dt of the bias sources (tuples, None
        where there is nothing), all summed over samples, and the number of dropped contributions."""
        if not len(times.layers) == len(weights) == len(self.neurons):
            raise ValueError(f"spikes of {len(times.layers)} layers and {len(weights)} weight matrices for an engine of "
                             f"{len(self.neurons)} layers; give each layer one LIFParameters and one matrix")
        n_layers, dropped = len(self.neurons), 0
        gradients: list = [None] * n_layers
        of_delays: list = [None] * n_layers
        of_biases: list = [None] * n_layers
        for k in reversed(range(n_layers)):
            neuron, delays, heard = self.neurons[k], times.synaptic_delays(k), times.heard(k)
            limit = self.max_dw / neuron.current_scale
            if delays is None:
                gradients[k], error_in, n = vector_jacobian_product(heard, weights[k], times.layers[k], error, neuron, limit,
                                                                    with_inputs=k > 0 or self.bias_times[k])
            else:
                gradients[k], error_in, of_delays[k], n = delayed_vector_jacobian_product(
                    heard, weights[k], delays, times.layers[k], error, neuron, limit)
            dropped += n
            n_before = (times.layers[k - 1] if k else times.inputs).shape[1]
            if self.bias_times[k]:
                of_biases[k] = error_in[:, n_before:].sum(axis=0)
            if k:
                error = error_in[:, :n_before]
        return gradients, tuple(of_delays), tuple(of_biases), dropped
