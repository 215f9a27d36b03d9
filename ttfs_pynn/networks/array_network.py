"""A graph on arrays: the same answers as on the simulator `exact`, without PyNN and Neo.

For settings that are tried by the hundred. What is trained here runs on any simulator, for the parameters are the same.
"""

from typing import Any

import numpy as np

from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.parameters import Delays, Parameters, check_parameters, delay_ranges, delays_of, within_ranges
from ttfs_pynn.networks.afferents import afferents_of, ideal_spikes
from ttfs_pynn.networks.interface import source_times
from ttfs_pynn.networks.pynn_network import within_simulator
from ttfs_pynn.networks.timing import timing_of
from ttfs_pynn.simulators import Simulator
from ttfs_pynn.spikes.first_spikes import FirstSpikes
from ttfs_pynn.spikes.window_kernels import faults
from ttfs_pynn.spikes.windows import PresentationError

__all__ = ["ArrayNetwork"]


class ArrayNetwork:
    """A `TrainableNetwork` that needs no simulator, records no Neo data, and has no delays but the graph's.

    A spike after `deadline` (ms; default as in `networks.timing`) does not count, as in a window of a simulated run. simulator:
    one of `simulators`, whose range of weights holds in training.
    """

    n_copies = 1

    def __init__(self, graph: Graph, parameters: Parameters, deadline: float | None = None,
                 simulator: Simulator | None = None) -> None:
        self.graph, self._simulator = graph, simulator
        self.timing = timing_of(graph, single=True, deadline=deadline)
        self.neurons: dict[str, Any] = {}
        self._parts = afferents_of(graph)
        self._trains_delays = any(True for _ in delay_ranges(graph))
        self._delays: dict[str, Delays] = {}
        self.write(parameters)

    def write(self, parameters: Parameters) -> None:
        """Use these parameters from now on; not copied."""
        self.parameters = check_parameters(self.graph, parameters)
        if self._trains_delays or not self._delays:
            self._delays = delays_of(self.graph, self.parameters)

    def read(self) -> dict[str, np.ndarray]:
        """The parameters, copied."""
        return {name: array.copy() for name, array in self.parameters.items()}

    def within_limits(self, parameters: Parameters) -> dict[str, np.ndarray]:
        """The parameters in their ranges, and where a simulator is given, clipped to what it can hold."""
        if self._simulator is None:
            return within_ranges(self.graph, parameters)
        return within_simulator(self.graph, parameters, self._simulator)

    def seed_noise(self, *seed: int) -> None:
        """There is none."""

    def finish(self) -> None:
        """There is nobody to hand the parameters to."""

    def blocks(self, recording: Any) -> dict[str, Any]:
        """Nothing is recorded."""
        return {}

    def present(self, times: Any) -> FirstSpikes:
        """FirstSpikes of samples, see `networks.interface.input_times`; PresentationError where an input is not before the
        deadline."""
        return ideal_spikes(self._parts, self._sent(times), self.parameters)

    def _sent(self, times):
        """FirstSpikes of the sources."""
        shown = source_times(self.graph, times, self.parameters)
        for label, array in shown.items():
            if self.graph.node(label).times is not None:
                continue
            if faults(array, np.nextafter(self.timing.deadline, 0.0))[1]:
                late = np.isfinite(array) & (array >= self.timing.deadline)
                raise PresentationError(f"an input of {label!r} spikes at {array[late][0]:g} ms, not before the deadline of "
                                        f"{self.timing.deadline:g} ms; use inf for no spike")
        return FirstSpikes(shown, self.graph.outputs, self._delays, self.timing.deadline)
