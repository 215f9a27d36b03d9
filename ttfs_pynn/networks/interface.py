"""What a trainer, `evaluate`, comparisons and exports need of a network, whatever it runs on."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.parameters import Parameters, times_of
from ttfs_pynn.spikes.window_kernels import faults
from ttfs_pynn.spikes.windows import PresentationError, Timing
from ttfs_pynn.units import in_unit

__all__ = ["TrainableNetwork", "input_times", "source_times"]


@runtime_checkable
class TrainableNetwork(Protocol):
    """A network that can be shown samples and given other parameters.

    graph: what it is. parameters: those in use (`graph.parameters`). n_copies: how many samples it sees side by side. timing: of
    a sample's window. neurons: LIFParameters by population where they differ from the graph's and are known, else empty.
    """

    @property
    def graph(self) -> Graph: ...

    @property
    def parameters(self) -> dict[str, np.ndarray]: ...

    @property
    def n_copies(self) -> int: ...

    @property
    def timing(self) -> Timing: ...

    @property
    def neurons(self) -> Mapping[str, Any]: ...

    def present(self, times: Any) -> Any:
        """Show samples, spike times of the inputs as in `input_times`. Returns what `learning.engine.first_spikes` reads."""

    def write(self, parameters: Parameters) -> None:
        """Use these parameters from now on."""

    def read(self) -> dict[str, np.ndarray]:
        """The parameters that act, copied."""

    def within_limits(self, parameters: Parameters) -> dict[str, np.ndarray]:
        """The parameters, clipped to what the network can hold: a weight that left its range would not come back for long."""

    def seed_noise(self, *seed: int) -> None:
        """Let noise from now on follow from these integers, where there is any."""

    def finish(self) -> None:
        """Called when training is over: what the user holds has the trained parameters from now on."""

    def blocks(self, recording: Any) -> dict[str, Any]:
        """{population: Neo Block} of what `present` returned; empty where nothing was recorded."""


def input_times(graph: Graph, times: Any) -> dict[str, np.ndarray]:
    """{population: (samples, sources) or (samples, sources, spikes)} in ms from the start of a sample, inf for none, of the
    spike sources that `times` names.

    times: a dict by population, or one array where a single population waits for data. Raises ConfigurationError for populations
    that are missing or none, and other shapes; PresentationError for negative times and NaN.
    """
    if not isinstance(times, Mapping):
        if len(graph.inputs) != 1:
            raise ConfigurationError(f"spike times of {', '.join(map(repr, graph.inputs)) or 'no population'} are wanted: give "
                                     "a dict "
                                     "with an array for each, {label: (samples, sources)}")
        times = {graph.inputs[0]: times}
    sources = [node.label for node in graph.sources]
    for label in times:
        if label not in sources:
            raise ConfigurationError(f"spike times: {unknown('population of spike sources', label, sources)}")
    missing = [label for label in graph.inputs if label not in times]
    if missing:
        raise ConfigurationError(f"no spike times of {', '.join(map(repr, missing))}, which have none of their own; give "
                                 "{label: (samples, sources)} for each")
    found = {label: _checked(label, values, graph.node(label).size) for label, values in times.items()}
    if len({len(array) for array in found.values()}) > 1:
        raise ConfigurationError("as many samples of each population are wanted; found "
                                 + ", ".join(f"{len(array)} of {label!r}" for label, array in found.items()))
    return found


def source_times(graph: Graph, times: Any, parameters: Parameters) -> dict[str, np.ndarray]:
    """As `input_times`, and for all other sources their own times, in every sample."""
    shown = input_times(graph, times)
    n_samples = len(next(iter(shown.values()))) if shown else 1
    for node in graph.sources:
        if node.label not in shown:
            own = np.asarray(times_of(graph, node.label, parameters), dtype=float)
            shown[node.label] = np.empty((n_samples, *own.shape))
            shown[node.label][:] = own
    return shown


def _checked(label: str, values: ArrayLike, size: int) -> np.ndarray:
    array = np.ascontiguousarray(in_unit(values, "ms", f"spike times of {label}"), dtype=float)
    if array.ndim not in (2, 3) or array.shape[1] != size:
        raise ConfigurationError(f"spike times of {label!r} have shape {array.shape}; expected (samples, {size} inputs), or "
                                 f"(samples, {size} inputs, spikes)")
    if faults(array, np.inf)[0]:
        wrong = array[~(array >= 0)][0]
        raise PresentationError(f"an input of {label!r} spikes at {wrong:g} ms; give times from the start of a sample, zero or "
                                "more, and inf for no spike")
    return array
