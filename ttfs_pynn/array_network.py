"""A layered first-spike network on arrays: the same answers as on the simulator `exact`, without PyNN and Neo.

For settings that are tried by the hundred. What is trained here runs on any simulator, for the weights are the same.
"""

import numpy as np

from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.gradient_engine import FirstSpikes
from ttfs_pynn.presentation import PresentationError, Timing

__all__ = ["ArrayNetwork"]


class ArrayNetwork:
    """`LayeredNetwork`'s counterpart: write_weights, read_weights, present. It needs no simulator, has no delay, records no Neo
    data.

    architecture: a network.Architecture; weights as there. A spike after `deadline` (ms; default as in `presentation.Timing`)
    does not count, as in a window of a simulated run.
    """

    n_copies, delay = 1, 0.0

    def __init__(self, architecture, weights, deadline=None):
        self.architecture = architecture
        last = max([architecture.t_late, *(t for layer in architecture.layers for t in layer.bias_times)])
        self.timing = Timing.derive(architecture.t_early, last, [layer.neuron for layer in architecture.layers], single=True,
                                    deadline=deadline)
        self.write_weights(weights)

    def write_weights(self, weights):
        """Use these signed weights (nA, one matrix a layer) from now on. They are not copied."""
        self._weights = self.architecture.check_weights(weights)

    def within_limits(self, weights):
        """The weights as they are: arrays hold any."""
        return weights

    def read_weights(self):
        """The weights (nA, one matrix a layer), copied."""
        return [w.copy() for w in self._weights]

    def present(self, t_in):
        """FirstSpikes of samples t_in (samples, inputs), in ms from the start of a window, inf for no spike.

        Raises ValueError for input times of another shape, PresentationError where one is negative or not before the deadline.
        """
        t_in = np.asarray(t_in, dtype=float)
        if t_in.ndim != 2 or t_in.shape[1] != self.architecture.n_inputs:
            raise ValueError(f"input times have shape {t_in.shape}; expected (samples, {self.architecture.n_inputs} inputs)")
        outside = ~(((t_in >= 0) & (t_in < self.timing.deadline)) | np.isposinf(t_in))
        if outside.any():
            raise PresentationError(f"an input spikes at {t_in[outside][0]:g} ms, outside 0 to {self.timing.deadline:g} ms; use "
                                    "inf for no spike")
        biases, layers, heard = [], [], t_in
        for layer, w in zip(self.architecture.layers, self._weights, strict=True):
            bias = np.tile(np.asarray(layer.bias_times, dtype=float), (len(t_in), 1)) if layer.bias_times else None
            out = first_spike_times(heard if bias is None else np.concatenate([heard, bias], axis=1), w, layer.neuron)
            out[out >= self.timing.deadline] = np.inf
            biases.append(bias)
            layers.append(out)
            heard = out
        return FirstSpikes(t_in, tuple(biases), tuple(layers))
