"""The user's own PyNN network, trained: its populations and projections as they are, with new weights in the end."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from ttfs_pynn.graph.graph import Edge, Graph, GraphError
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.parameters import Parameters, check_parameters, delays_of, summed_delays, times_of
from ttfs_pynn.networks.from_pynn import Part, take
from ttfs_pynn.networks.pynn_network import PyNNNetwork, build
from ttfs_pynn.networks.timing import timing_of
from ttfs_pynn.simulators import Simulator, simulator_of
from ttfs_pynn.spikes.windows import Timing

__all__ = ["Network"]


class OwnProjections:
    """PyNN projections of the user's, and which of their connections belong to which edge."""

    def __init__(self, simulator: Simulator, graph: Graph, parts: Sequence[Part]) -> None:
        self._simulator, self._graph, self._parts = simulator, graph, parts
        self._columns: list[tuple[Any, list[Part]]] = []
        for part in parts:
            mine = next((found for projection, found in self._columns if projection is part.projection), None)
            if mine is None:
                self._columns.append((part.projection, [part]))
            else:
                mine.append(part)
        self._sizes = [simulator.connections(projection)[0].size for projection, _ in self._columns]
        # Edges of all pairs of cells, whose projections have nothing else.
        self._matrices: dict[str, dict[int, Any]] = {}
        for edge in graph.edges:
            mine = [part for part in parts if part.edge == edge.label]
            alone = all(len(found) == 1 for projection, found in self._columns for part in mine if part.projection is projection)
            if edge.pairs is None and alone and len({part.sign for part in mine}) == len(mine):
                self._matrices[edge.label] = {part.sign: part.projection for part in mine}

    def __iter__(self) -> Iterator[Any]:
        return (projection for projection, _ in self._columns)

    def _column(self, place: int, which: int, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Values in the order of the connections of a projection, by place; which: of the columns of `Simulator.connections`,
        that stay where none of the edges in `values` is."""
        projection, parts = self._columns[place]
        mine = [part for part in parts if part.edge in values]
        if sum(part.here.size for part in mine) == self._sizes[place]:
            column = np.empty(self._sizes[place])
        else:
            column = np.array(self._simulator.connections(projection)[which], dtype=float)
        for part in mine:
            column[part.here] = values[part.edge].ravel()[part.there]
        return column

    def write_weights(self, parameters: Parameters) -> None:
        written = {label for label, projections in self._matrices.items()
                   if self._simulator.assign_matrix(projections, parameters[f"{label}.weight"])}
        for place, (projection, parts) in enumerate(self._columns):
            signed = {part.edge: parameters[f"{part.edge}.weight"] for part in parts if part.edge not in written}
            if signed:
                limited = np.maximum if parts[0].sign > 0 else np.minimum
                signed = {label: limited(values, 0.0) for label, values in signed.items()}
                self._simulator.assign_weights(projection, self._column(place, 2, signed))

    def write_delays(self, edge: Edge, delays: float | np.ndarray) -> None:
        each = np.array(np.broadcast_to(delays, edge.shape), dtype=float)
        for place, (projection, parts) in enumerate(self._columns):
            if any(part.edge == edge.label for part in parts):
                self._simulator.set_delays(projection, self._column(place, 3, {edge.label: each}))

    def read_weights(self, edge: Edge) -> np.ndarray:
        """Signed weights (nA), of the edge's shape."""
        found = np.zeros(edge.n_connections)
        for part in self._parts:
            if part.edge == edge.label:
                found[part.there] += self._simulator.connections(part.projection)[2][part.here]
        return found.reshape(edge.shape)


class Network:
    """A `TrainableNetwork` of the user's own PyNN populations and projections, on any PyNN module after setup().

    projections: all of the network, a list, or a dict that names them; populations are named by their labels. outputs: the
    population whose neurons are the classes. Inputs spike between t_early and t_late (ms from the start of a sample). Spike
    sources that have spike times of their own show these in every sample; all others are shown what the data say.

    train: projections (or their names) whose weights are learned, default all. train_delays: projections whose delays are, from 0
    to longest_delay (ms). train_times: populations of spike sources whose times are. A projection keeps its receptor, so its
    weights keep their sign; an excitatory and an inhibitory one of the same connections are one signed weight. No connection
    comes or goes.

    copies: samples are shown to so many equal copies side by side, which are built beside the user's populations (default: as
    many as the simulator does best); their neurons spike once a sample. When training ends, the user's objects hold what was
    learned. in_place: samples are shown to the user's populations themselves, one after the other; their tau_refrac must then
    span a sample.
    rng: a numpy Generator for weights of populations that have none yet, where all that lead there are 0 (default: of seed 0).
    """

    def __init__(self, sim: ModuleType, projections: Any, outputs: Any, t_late: float, t_early: float = 0.0,
                 train: Sequence[Any] | None = None, train_delays: Sequence[Any] = (), train_times: Sequence[Any] = (),
                 copies: int | None = None, in_place: bool = False, longest_delay: float = 20.0,
                 rng: np.random.Generator | None = None) -> None:
        self.sim = sim
        self._simulator = simulator_of(sim)
        taken = take(sim, projections, outputs, t_early, t_late, train, train_delays, train_times, longest_delay)
        self.graph, self._populations, self.in_place = taken.graph, taken.populations, in_place
        self._own = OwnProjections(self._simulator, self.graph, taken.parts)
        parameters = _drawn(self.graph, taken.parameters, rng)
        if sim.get_current_time() != 0:  # what the user ran before stays recorded
            self._simulator.keep(sim)
            self._simulator.before_reset(sim, max(float(np.max(node.neuron.tau_refrac)) for node in self.graph.neurons))
            sim.reset()
        if in_place:
            if copies not in (None, 1):
                raise GraphError(f"copies = {copies} and in_place: the user's own populations are one copy; give one of the two")
            timing = _spanned(self.graph, self._simulator)
            for population in self._populations.values():
                population.record("spikes")
            self._shown = PyNNNetwork(sim, self.graph, self._populations, self._own, parameters, timing, 1, False, 0.0,
                                      self._simulator)
        else:
            copies = self._simulator.default_copies if copies is None else copies
            self._shown = build(sim, self.graph, parameters, copies, simulator=self._simulator)
            _say_what_differs(self.graph, self._shown.timing)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """{name: array} in use, see `graph.parameters`."""
        return self._shown.parameters

    @property
    def n_copies(self) -> int:
        """How many samples are seen side by side."""
        return self._shown.n_copies

    @property
    def timing(self) -> Timing:
        """Of a sample's window."""
        return self._shown.timing

    @property
    def neurons(self) -> dict:
        """None differ from the graph's."""
        return {}

    @property
    def simulator(self) -> Simulator:
        """What `simulators` knows of the simulator."""
        return self._simulator

    def present(self, times: Any) -> Any:
        """Show samples, see `networks.interface.input_times`. Returns a `networks.pynn_network.Recording`."""
        if self.in_place:
            return self._shown.present(times)
        # The user's populations are in the same simulation: each reset would store what they did meanwhile, which is nobody's
        # data.
        somebody_ran = self.sim.get_current_time() != 0 and self._shown.at_start
        before = [(population.recorder.cache, list(population.recorder.cache)) for population in self._populations.values()]
        try:
            return self._shown.present(times)
        finally:
            for cache, segments in before:
                kept = [*segments, *[s for s in cache if not any(s is own for own in segments)][:somebody_ran]]
                cache.clear()
                for segment in kept:
                    cache.store(segment)

    def write(self, parameters: Parameters) -> None:
        """Use these parameters from now on. The user's objects have them after `finish`."""
        self._shown.write(parameters)

    def read(self) -> dict[str, np.ndarray]:
        """The parameters that act, copied."""
        return self._shown.read()

    def within_limits(self, parameters: Parameters) -> dict[str, np.ndarray]:
        return self._shown.within_limits(parameters)

    def seed_noise(self, *seed: int) -> None:
        self._shown.seed_noise(*seed)

    def blocks(self, recording: Any) -> dict[str, Any]:
        return self._shown.blocks(recording)

    def finish(self) -> None:
        """Write the present weights, trained delays and trained spike times to the user's projections and populations. Sources
        that were shown samples in place have the spike times again that they had."""
        parameters = check_parameters(self.graph, self._shown.parameters)
        self._own.write_weights(parameters)
        delays = delays_of(self.graph, parameters)
        for edge in self.graph.edges:
            if edge.delay_range is not None:
                self._own.write_delays(edge, summed_delays(edge, delays[edge.label]))
        for node in self.graph.sources:
            if node.train_times or self.in_place:  # in place they were given samples
                times = times_of(self.graph, node.label, parameters)
                times = np.empty((node.size, 0)) if times is None else times.reshape(node.size, -1)
                self._simulator.give_spikes(self._populations[node.label], [train[np.isfinite(train)] for train in times],
                                            self.sim.get_time_step())
        self._simulator.keep(self.sim)


def _drawn(graph: Graph, parameters: Parameters, rng: np.random.Generator | None) -> dict[str, np.ndarray]:
    """The parameters, with drawn weights for populations that only weights of 0, PyNN's default, lead to."""
    found, initial = dict(parameters), None
    for node in graph.neurons:
        names = [f"{edge.label}.weight" for edge in graph.afferents(node.label)]
        if any(found[name].any() for name in names):
            continue
        if initial is None:
            initial = initial_parameters(graph, np.random.default_rng(0) if rng is None else rng)
        found |= {f"{edge.label}.weight": initial[f"{edge.label}.weight"] for edge in graph.afferents(node.label) if edge.train}
    return found


def _spanned(graph: Graph, simulator: Simulator) -> Timing:
    """Windows for the user's own neurons, whose tau_refrac must keep them from spiking twice before the deadline."""
    timing = timing_of(graph)
    needed = timing.deadline - graph.t_early
    longest = 0.0
    for node in graph.neurons:
        if np.min(node.neuron.tau_refrac) < needed:
            raise GraphError(f"population {node.label!r} has tau_refrac = {np.min(node.neuron.tau_refrac):g} ms and could spike "
                             "twice in "
                             f"a sample; set tau_refrac >= {needed:g} ms, or leave in_place out: copies have it by themselves")
        longest = max(longest, float(np.max(node.neuron.tau_refrac)))
    rest = timing.window - timing.deadline  # until membranes have decayed, also from v_reset once they are released
    at_rest = all(np.array_equal(node.neuron.v_reset, node.neuron.v_rest) for node in graph.neurons)
    window = max(timing.window, timing.deadline + longest + (0.0 if at_rest else rest))
    return replace(timing, window=window, tau_refrac=longest)


def _say_what_differs(graph: Graph, timing: Timing) -> None:
    needed = timing.deadline - graph.t_early
    short = [node for node in graph.neurons if np.min(node.neuron.tau_refrac) < needed]
    if short:
        warnings.warn(f"neurons of {', '.join(repr(node.label) for node in short)} have tau_refrac = "
                      f"{min(float(np.min(node.neuron.tau_refrac)) for node in short):g} ms and may spike several times in a "
                      "sample; "
                      f"they are trained as copies that spike once. For the same answers set tau_refrac >= {needed:g} ms",
                      stacklevel=3)
