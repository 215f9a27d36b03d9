"""A layered first-spike network on arrays: the same answers as on the simulator `exact`, without PyNN and Neo.

For settings that are tried by the hundred. What is trained here runs on any simulator, for the weights are the same.
"""

from dataclasses import replace

import numpy as np

from ttfs_pynn.gradient_engine import FirstSpikes, layer_times
from ttfs_pynn.presentation import PresentationError, Timing

__all__ = ["ArrayNetwork"]


class ArrayNetwork:
    """`LayeredNetwork`'s counterpart: write_weights, read_weights, write_times, present. It needs no simulator, records no Neo
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
        self.write_times(architecture.initial_times(np.random.default_rng(0)))

    def write_weights(self, weights):
        """Use these signed weights (nA, one matrix a layer) from now on. They are not copied."""
        self._weights = self.architecture.check_weights(weights)

    def seed_noise(self, *seed):
        """There is none."""

    def write_times(self, times):
        """Use these TrainedTimes from now on."""
        self._times = times

    def within_limits(self, weights):
        """The weights as they are, or clipped to what the simulator can hold."""
        return weights if self._simulator is None else self.architecture.within_limits(weights, self._simulator)

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
        biases = tuple(np.tile(t, (len(t_in), 1)) if t.size else None for t in self._times.bias_times)
        spikes = FirstSpikes(t_in, biases, (), delays=self._times.matrices)
        for k, (layer, w) in enumerate(zip(self.architecture.layers, self._weights, strict=True)):
            out = layer_times(spikes, k, w, layer.neuron)
            out[out >= self.timing.deadline] = np.inf
            spikes = replace(spikes, layers=(*spikes.layers, out))
        return spikes
