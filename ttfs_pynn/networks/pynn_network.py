"""A graph as PyNN populations and projections, shown samples by running the simulator."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from ttfs_pynn.graph.graph import Edge, Graph, GraphError
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.parameters import (
    Delays,
    Parameters,
    check_parameters,
    delays_of,
    summed_delays,
    within_ranges,
)
from ttfs_pynn.networks.interface import source_times
from ttfs_pynn.networks.timing import inputs_of, timing_of
from ttfs_pynn.simulators import Simulator, SimulatorError, simulator_of
from ttfs_pynn.spikes.window_kernels import faults
from ttfs_pynn.spikes.windows import Presentation, PresentationError, Timing
from ttfs_pynn.units import in_unit

__all__ = ["PyNNNetwork", "Recording", "build", "within_simulator"]


@dataclass(frozen=True, eq=False)
class Recording:
    """One presentation as Neo Blocks, by population.

    outputs: the population that decides. delays: how long the spikes of each projection travelled. time_scale: ms of the model in
    a recorded ms. input_copies: recorded sources that stand for one input. several: populations of sources that may spike several
    times a sample.
    """

    presentation: Presentation
    blocks: Mapping[str, Any]
    outputs: str
    delays: Mapping[str, Delays]
    time_scale: float = 1.0
    input_copies: int = 1
    sources: frozenset = field(default_factory=frozenset)
    several: frozenset = field(default_factory=frozenset)

    def __getitem__(self, label: str) -> Any:
        return self.blocks[label]


def within_simulator(graph: Graph, parameters: Parameters, simulator: Simulator) -> dict[str, np.ndarray]:
    """Parameters in their ranges (`graph.parameters.within_ranges`), with weights that the simulator can hold."""
    found = within_ranges(graph, parameters)
    for edge in graph.edges:
        neuron = graph.node(edge.post).neuron
        limit = simulator.largest_weight(neuron, simulator.input_copies if graph.node(edge.pre).is_source else 1)
        if np.isfinite(limit).any():
            limit = limit[edge.post_index].reshape(edge.shape) if np.ndim(limit) else limit
            found[f"{edge.label}.weight"] = np.clip(found[f"{edge.label}.weight"], -limit, limit)
    return found


class BuiltProjections:
    """The projections that `build` made of a graph's edges: an excitatory and an inhibitory one where weights may change their
    sign, each in n_copies equal parts."""

    def __init__(self, sim: ModuleType, simulator: Simulator, graph: Graph, populations: Mapping[str, Any], n_copies: int,
                 delay: float) -> None:
        self._simulator, self._graph, self._n_copies = simulator, graph, n_copies
        self.of: dict[str, dict[int, Any]] = {}
        for edge in graph.edges:
            if simulator.hardware and np.max(edge.delay, initial=0.0) > 0:
                raise SimulatorError(f"projection {edge.label!r} has delays of up to {np.max(edge.delay):g} ms; the chip's "
                                     "synapses have none: train on another backend, or give the projection no delay")
            # The delays of connections are written afterwards; a simulator may plan with those that it is given here.
            start = delay + float(np.max(edge.delay, initial=0.0))
            self.of[edge.label] = {sign: sim.Projection(
                populations[edge.pre], populations[edge.post], simulator.connector(n_copies, edge.pairs),
                sim.StaticSynapse(weight=0.0, delay=start), receptor_type=receptor,
                label=edge.label if edge.sign else f"{edge.label} {receptor}")
                for sign, receptor in ((1, "excitatory"), (-1, "inhibitory")) if edge.sign in (0, sign)}

    def __iter__(self) -> Iterator[Any]:
        return (projection for pair in self.of.values() for projection in pair.values())

    def write_weights(self, parameters: Parameters) -> None:
        for edge in self._graph.edges:
            weights, of = parameters[f"{edge.label}.weight"], self.of[edge.label]
            what = self._n_copies, edge.sizes[0], edge.sizes[1], edge.pairs, self._graph.node(edge.post).neuron
            if edge.sign:
                part = np.maximum(weights, 0.0) if edge.sign > 0 else np.minimum(weights, 0.0)
                self._simulator.write_values(of[edge.sign], "weight", part, *what)
            else:
                self._simulator.write_signed(of[1], of[-1], weights, *what)

    def write_delays(self, edge: Edge, delays: float | np.ndarray) -> None:
        each = np.array(np.broadcast_to(delays, edge.shape), dtype=float)
        for projection in self.of[edge.label].values():
            self._simulator.write_values(projection, "delay", each, self._n_copies, edge.sizes[0], edge.sizes[1], edge.pairs,
                                         self._graph.node(edge.post).neuron)

    def read_weights(self, edge: Edge) -> np.ndarray:
        """Signed weights (nA) of the first copy, of the edge's shape."""
        neuron = self._graph.node(edge.post).neuron
        return np.add.reduce([self._simulator.read_values(projection, "weight", self._n_copies, edge.sizes[0], edge.sizes[1],
                                                          edge.pairs, neuron)
                              for projection in self.of[edge.label].values()])


def build(sim: ModuleType, graph: Graph, parameters: Parameters | None = None, copies: int = 1, single: bool | None = None,
          delay: float | None = None, timing: Timing | None = None, simulator: Simulator | None = None) -> "PyNNNetwork":
    """Make PyNN populations and projections of a graph, on a simulator (its module, after setup()).

    parameters: see `graph.parameters`; default: initial ones of seed 0. copies: how many equal networks stand side by side and
    share out the samples. single: every run shows each copy one sample (default: where there are several). delay (ms): of every
    projection on top of what the graph says, default the smallest that the simulator has. timing: of windows, see
    `spikes.windows.Timing`. simulator: what `simulators` knows of it, where that is configured. Weights that may change sign
    become an excitatory and an inhibitory projection; where the simulator wants several equal sources for an input, they share
    its weight.
    """
    known = simulator or simulator_of(sim)
    if not isinstance(copies, int | np.integer) or isinstance(copies, bool) or copies < 1:
        raise GraphError(f"copies = {copies!r}: give an integer, at least 1")
    if parameters is None:
        parameters = initial_parameters(graph, np.random.default_rng(0))
    base = known.smallest_delay(sim.get_time_step()) if delay is None else float(in_unit(delay, "ms", "delay"))
    if not 0 <= base < np.inf:
        raise PresentationError(f"delay = {base:g} ms must be zero or more, and finite")
    if delay is None and graph.edges and all(np.min(edge.delay, initial=np.inf) >= base for edge in graph.edges):
        base = 0.0  # the graph's own delays are all long enough
    single = copies > 1 if single is None else single
    timing = _timing(sim, known, graph, base, single, timing)
    populations = {}
    for node in graph.nodes:
        if node.is_source:
            population = sim.Population(node.size * copies * known.input_copies, sim.SpikeSourceArray(), label=node.label)
        else:
            # A neuron that has spiked is held until shortly before the next sample: at rest, so that nothing of it is left there.
            neuron = replace(node.neuron, tau_refrac=timing.tau_refrac, v_reset=node.neuron.v_rest)
            population = sim.Population(node.size * copies, known.cell(sim, neuron, copies), label=node.label)
            population.initialize(v=np.tile(neuron.v_rest, copies) if np.ndim(neuron.v_rest) else neuron.v_rest)
        population.record("spikes")
        populations[node.label] = population
    projections = BuiltProjections(sim, known, graph, populations, copies, base)
    return PyNNNetwork(sim, graph, populations, projections, parameters, timing, copies, single, base, known)


def _timing(sim, known, graph, delay, single, timing):
    last, neurons = inputs_of(graph, delay)
    timing = timing or known.timing(graph.t_early, last, neurons, single) or timing_of(graph, delay, single)
    if known.has_time_step:
        shortest = min(float(np.min(np.minimum(node.neuron.tau_m, node.neuron.tau_syn))) for node in graph.neurons)
        if sim.get_time_step() >= shortest:
            raise PresentationError(f"a time step of {sim.get_time_step():g} ms for time constants of {shortest:g} ms; use a "
                                    "fraction of it, a hundredth for instance")
        # Every window begins on the grid, so that samples are treated alike; NEST 3.10 runs whole steps only.
        timing = timing.on_grid(sim.get_time_step())
    return timing


class PyNNNetwork:
    """A `TrainableNetwork` of PyNN objects: `populations` {label: Population}, `projections` (all of them, iterable). Made by
    `build`, or from the user's own by `networks.own.Network`.

    delay (ms): of every projection on top of what the graph says.
    """

    def __init__(self, sim: ModuleType, graph: Graph, populations: Mapping[str, Any], projections: Any, parameters: Parameters,
                 timing: Timing, n_copies: int, single: bool, delay: float, simulator: Simulator) -> None:
        self.sim, self.graph, self.populations, self.projections = sim, graph, dict(populations), projections
        self.timing, self.n_copies, self.delay = timing, n_copies, delay
        self.neurons: dict[str, Any] = {}
        self._single, self._simulator = single, simulator
        self.at_start = True  # False from the begin of a run until after the reset that follows it
        self._delays: dict[str, Delays] = {}
        self._summed: dict[str, Any] = {}
        self.write(parameters)

    @property
    def simulator(self) -> Simulator:
        """What `simulators` knows of the simulator."""
        return self._simulator

    def seed_noise(self, *seed: int) -> None:
        """Let the noise of a chip from now on follow from these integers; other simulators have none."""
        self._simulator.seed_noise(self.sim, seed)

    def within_limits(self, parameters: Parameters) -> dict[str, np.ndarray]:
        return within_simulator(self.graph, parameters, self._simulator)

    def finish(self) -> None:
        """There is nobody to hand the parameters to."""

    def blocks(self, recording: Recording) -> dict[str, Any]:
        """{population: Neo Block}; those of a chip are annotated with its time_scale."""
        if recording.time_scale != 1:
            for block in recording.blocks.values():
                block.annotate(time_scale=recording.time_scale)
        return dict(recording.blocks)

    def _check_current(self):
        if not all(self._simulator.holds(self.sim, population) for population in self.populations.values()):
            raise SimulatorError("this network was built before the last setup(), which has dropped it: no run reaches it; build "
                                 "it again after setup()")

    def write(self, parameters: Parameters) -> None:
        """Write weights (nA) and delays (ms) to the projections, and use the times of sources from now on."""
        self._check_current()
        self.parameters = check_parameters(self.graph, parameters)
        self.projections.write_weights(self.parameters)
        if not self._delays or any(name.endswith("delay") for name in self.parameters):
            self._write_delays()

    def _write_delays(self):
        delays = delays_of(self.graph, self.parameters, self.delay)
        for edge in self.graph.edges:
            summed = summed_delays(edge, delays[edge.label])
            if self._simulator.has_time_step:  # which is what the simulator makes of them
                step = self.sim.get_time_step()
                summed = np.round(np.asarray(summed) / step)[()] * step
                delays[edge.label] = Delays(synaptic=summed) if np.ndim(summed) else Delays(float(summed))
            if np.ndim(summed) and not np.array_equal(summed, self._summed.get(edge.label, np.nan)):
                self.projections.write_delays(edge, summed)
            self._summed[edge.label] = summed
        self._delays = delays

    def read(self) -> dict[str, np.ndarray]:
        """The parameters, with the weights that the projections of the first copy hold now."""
        found = {name: array.copy() for name, array in self.parameters.items()}
        return found | {f"{edge.label}.weight": self.projections.read_weights(edge) for edge in self.graph.edges}

    def present(self, times: Any) -> Recording:
        """Show samples, see `networks.interface.input_times`. Returns a Recording.

        The order set, run, read, reset is one that keeps the weights on every simulator.
        """
        self._check_current()
        shown = source_times(self.graph, times, self.parameters)
        n_samples = len(next(iter(shown.values())))
        self._check_latest(shown)
        presentation = Presentation(n_samples, self.timing.window, self.n_copies, self.timing.deadline, self._simulator.tick)
        if self._single and presentation.n_windows > 1:
            raise ValueError(f"{n_samples} samples for {self.n_copies} copies that see one sample a run; present fewer at once")
        if not self.at_start or self.sim.get_current_time() != 0:
            self._start_over()
        for label, array in shown.items():
            self._set_spikes(self.populations[label], presentation, array)
        for population in self.populations.values():
            population.recorder.cache.clear()  # the reset of another network in this simulation has stored a segment
        self.at_start = False
        self.sim.run(presentation.duration / self._simulator.time_scale)
        recording = Recording(presentation, {label: population.get_data("spikes", clear=True)
                                             for label, population in self.populations.items()}, self.graph.outputs,
                              self._delays, self._simulator.time_scale, self._simulator.input_copies,
                              frozenset(node.label for node in self.graph.sources),
                              frozenset(label for label, array in shown.items() if array.ndim == 3))
        self._reset()
        return recording

    def _check_latest(self, shown):
        """A spike after the deadline leaves its neuron refractory in the next sample's window. Jitter may exceed t_late a
        little."""
        latest = (self.graph.t_late + self.timing.deadline) / 2
        for label, array in shown.items():
            if self._single or self.graph.node(label).times is not None or not faults(array, latest)[1]:
                continue
            raise PresentationError(f"an input of {label!r} spikes at {array[np.isfinite(array)].max():g} ms; windows are laid "
                                    "out for "
                                    f"inputs up to t_late = {self.graph.t_late:g} ms and hold them up to {latest:g} ms; give the "
                                    "network a larger t_late")

    def _reset(self):
        self._simulator.before_reset(self.sim, self.timing.tau_refrac)
        self.sim.reset()
        self.at_start = True

    def _start_over(self):
        """After a presentation that failed or was interrupted, or a run of somebody else: what is left of it is dropped."""
        parameters = self.read()
        for population in self.populations.values():
            population.recorder.clear()
        self._reset()
        self.write(parameters)  # pyNN.brian2 0.13's reset restores those of the run that was dropped; not so delays

    def _set_spikes(self, population, presentation, times):
        matrix = presentation.spike_matrix(times)
        if self._simulator.input_copies > 1:
            matrix = np.tile(matrix, (1, self._simulator.input_copies))
        self._simulator.set_spikes(population, matrix, self.sim.get_time_step())
