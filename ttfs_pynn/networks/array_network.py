"""A layered first-spike network on arrays: the same answers as on the simulator `exact`, without PyNN and Neo.

For settings that are tried by the hundred. What is trained here runs on any simulator, for the weights are the same.
"""

from dataclasses import replace

import numpy as np

from ttfs_pynn.learning.engine import FirstSpikes, layer_times
from ttfs_pynn.networks.trained_times import Weights
from ttfs_pynn.spikes.windows import PresentationError, Timing
from ttfs_pynn.units import in_unit

__all__ = ["ArrayNetwork"]


class ArrayNetwork:
    """`LayeredNetwork`'s counterpart: write_weights, read_weights, present. It needs no simulator, records no Neo
    data, and has no delays but trained ones.

    architecture: a network.Architecture; weights as there. A spike after `deadline` (ms; default as in `presentation.Timing`)
    does not count, as in a window of a simulated run. simulator: one of `simulators`, whose range of weights holds in training.
    """

    n_copies, delay = 1, 0.0

    def __init__(self, architecture, weights, deadline=None, simulator=None):
        self.architecture, self._simulator = architecture, simulator
        self.timing = Timing.derive(architecture.t_early, architecture.latest_input,
                                    [layer.neuron for layer in architecture.layers], single=True, deadline=deadline)
        self.write_weights(weights)

    def write_weights(self, weights):
        """Use these signed weights (nA, one matrix a layer), and the times that come with them, from now on; not copied."""
        self.weights = self.architecture.check_weights(weights)
        self._times = self.architecture.times_of(self.weights)

    def seed_noise(self, *seed):
        """There is none."""

    def within_limits(self, weights):
        """The weights as they are, or clipped to what the simulator can hold."""
        return weights if self._simulator is None else self.architecture.within_limits(weights, self._simulator)

    def read_weights(self):
        """The weights (nA, one matrix a layer), copied, with the times in use."""
        return Weights([w.copy() for w in self.weights], self.weights.times)

    def present(self, t_in):
        """FirstSpikes of samples t_in (samples, inputs), in ms from the start of a window, inf for no spike.

        Raises ValueError for input times of another shape, PresentationError where one is negative or not before the deadline.
        """
        t_in = np.asarray(in_unit(t_in, "ms", "t_in"), dtype=float)
        if t_in.ndim != 2 or t_in.shape[1] != self.architecture.n_inputs:
            raise ValueError(f"input times have shape {t_in.shape}; expected (samples, {self.architecture.n_inputs} inputs)")
        outside = ~(((t_in >= 0) & (t_in < self.timing.deadline)) | np.isposinf(t_in))
        if outside.any():
            raise PresentationError(f"an input spikes at {t_in[outside][0]:g} ms, outside 0 to {self.timing.deadline:g} ms; use "
                                    "inf for no spike")
        biases = tuple(np.tile(t, (len(t_in), 1)) if t.size else None for t in self._times.bias_times)
        spikes = FirstSpikes(t_in, biases, (), delays=self._times.matrices, deadline=self.timing.deadline)
        for k, (layer, w) in enumerate(zip(self.architecture.layers, self.weights, strict=True)):
            spikes = replace(spikes, layers=(*spikes.layers, layer_times(spikes, k, w, layer.neuron)))
        return spikes
