"""State of an emulated experiment: populations, projections, snippets that are scheduled, results, the virtual chip."""

from dataclasses import dataclass
from operator import is_
from types import SimpleNamespace
from warnings import warn

import numpy as np
from pyNN import common

from ttfs_pynn.brainscales2 import logger as log
from ttfs_pynn.brainscales2.calibration import refractory_clocks
from ttfs_pynn.brainscales2.chip import chip_from_seed, default_chip
from ttfs_pynn.brainscales2.dlens import hal, halco, hxcomm, lola
from ttfs_pynn.brainscales2.energy import classification_costs
from ttfs_pynn.brainscales2.events import MOST_TICKS, TICKS_PER_MS
from ttfs_pynn.brainscales2.execution import Connections, Run, Snippet, execute
from ttfs_pynn.brainscales2.mapping import PopulationPlan, ProjectionPlan, map_network
from ttfs_pynn.brainscales2.substrate import Kept
from ttfs_pynn.event_driven.state import ID

__all__ = ["ID", "Scheduled", "State", "part_of"]


def part_of(pre, pre_index, post):
    """Which circuit of neurons that are made of several each connection ends at: the sources of a population are divided in their
    order, so that each circuit needs rows for its share of them only."""
    return pre_index * post.celltype.joined // pre.size if post.celltype.joined > 1 else 0


@dataclass(eq=False)
class Scheduled:
    """A snippet, from `begin` for `runtime` (ms); `recorded`: {recorder: its configuration then}; result: once it was run."""

    begin: float
    runtime: float
    snippet: Snippet
    recorded: dict
    result: object = None


class State(common.control.BaseState):
    """One experiment. Times in ms of the chip, 1000 times faster than biology."""

    dt = 3.4e-5  # between two samples of the MADC
    record_sample_times = True

    def __init__(self):
        super().__init__()
        self.mpi_rank, self.num_processes = 0, 1
        self.min_delay = self.max_delay = 0
        self.log = log.get("pyNN.brainscales2")
        self.chip = chip_from_seed(default_chip())
        self.seed(None)
        self.record_at_once = False
        self.initial_config = self.injected_config = self.injected_readout = None
        self.neuron_permutation = self.background_permutation = None
        self._default_config = lola.Chip()
        self.calibrations = 0
        self.clear()

    def seed(self, seed):
        """Let the noise of runs follow from `seed`, an integer or several; None: from the system, and Poisson spikes from NumPy's
        global generator."""
        try:
            self.rng = np.random.default_rng(seed)
        except (TypeError, ValueError):
            raise ValueError(f"seed = {seed!r} must be None or an integer, zero or more") from None
        self.random = np.random if seed is None else np.random.default_rng([*np.atleast_1d(seed), 1])

    @property
    def dac_bias(self):
        """Bias of all synapses: that of calibrated populations, else of the configuration of the chip."""
        for population in self.neuron_populations:
            if "synapse_dac_bias" in population.group.values:
                return float(population.group.values["synapse_dac_bias"][0])
        return float(self.base_configuration().synapse_blocks[0].i_bias_dac[0])

    def refractory_clocks(self):
        """Scales of the two clocks with which all calibrated neurons of the chip reach their refractory times."""
        return refractory_clocks(np.concatenate([p.group.values["tau_refrac"] for p in self.neuron_populations if "tau_refrac" in
                                      p.group.values]))

    def clear(self):
        self.recorders = set()
        self.populations, self.projections = [], []  # for scripts to look at
        self._populations, self._projections = [], []
        self.current_sources, self.write_on_end = [], []
        self.id_counter = 0
        self.segment_counter = -1
        self.mapping = None
        self.executions = 0
        self.kept, self._mapped = Kept(), None
        self.hardware_time = 0.0  # ms on the chip since setup
        self.reset()

    def reset(self):
        """Back to t = 0: what is scheduled is dropped; network, weights and recording stay."""
        self.running = False
        self.t = self.t_start = 0.0
        self.segment_counter += 1
        self.scheduled = []

    @property
    def runtimes(self):
        return [each.runtime for each in self.scheduled]

    @property
    def conn(self):
        """The connections in use, of which programs keep what their FPGAs run."""
        return SimpleNamespace(bitfile_info={0: hxcomm.ConnectionHandle().bitfile_info})

    @property
    def grenade_chip_config(self):
        """The configuration of the whole chip (a name of earlier versions of the adapter that scripts still use)."""
        return self.base_configuration()

    def base_configuration(self):
        """The chip's configuration that cells start from: the one given to setup(), or the default."""
        return self._default_config if self.initial_config is None else self.initial_config

    def add_population(self, population):
        self.populations.append(population)
        self._populations.append(population)
        self.mapping = None

    def add_projection(self, projection):
        self.projections.append(projection)
        self._projections.append(projection)
        self.mapping = None

    @property
    def neuron_populations(self):
        return [p for p in self._populations if p.celltype.KIND == "neuron"]

    def plan(self):
        """(populations, projections) as `mapping.map_network` wants them, in circuits."""
        position = {population: k for k, population in enumerate(self._populations)}
        populations = [PopulationPlan(p.label, p.size * p.celltype.columns, p.celltype.KIND) for p in self._populations]
        projections = [ProjectionPlan(projection.label, position[pre], position[post], projection.receptor,
                                      pre_index * pre.celltype.columns,
                                      post_index * post.celltype.columns + part_of(pre, pre_index, post), weight)
                       for projection in self._projections
                       for pre, post, pre_index, post_index, weight in projection.on_populations()]
        return populations, projections

    def place(self):
        """The network's Mapping. RuntimeError where it does not fit."""
        return map_network(*self.plan(), self.neuron_permutation, self.background_permutation)

    def map(self):
        """Place the network on the chip, and let cells take what follows from their place: {neuron population: circuits}."""
        if self.mapping is None:
            self.mapping = self.place()
        if self._mapped is not None:
            objects, versions = self._mapped_for()
            if versions == self._mapped[1] and all(map(is_, objects, self._mapped[0])):
                return self._mapped[2]
        places = zip(self._populations, self.mapping.coordinates, strict=True)
        coordinates = {p: p.celltype.own_circuits(circuits) for p, circuits in places if p.celltype.KIND == "neuron"}
        self._check_global_parameters(list(coordinates))
        for population, circuits in coordinates.items():
            population.celltype.configure(population, circuits, self)
        self._mapped = *self._mapped_for(), coordinates
        return coordinates

    def _mapped_for(self):
        """What cells are configured from: (objects, versions of their parameters)."""
        neurons = self.neuron_populations
        return [self.mapping, self.chip, self.initial_config, *neurons], [getattr(p.group, "version", None) for p in neurons]

    def _check_global_parameters(self, neurons):
        """The chip has one bias for all synapses, and one a side for all synaptic inputs that a calibration made."""
        for name in ("synapse_dac_bias", "i_synin_gm_E", "i_synin_gm_I"):
            values = np.concatenate([p.group.values[name] for p in neurons if name in p.group.values] or [np.empty(0)])
            if values.size and (values != values[0]).any():
                raise RuntimeError(f"{name} takes the values {np.unique(values)[:5]}, but the chip has one for all neurons; give "
                                   "all populations the same")

    def preprocess(self, begin=0.0, end=0.0):
        self.map()

    def add(self, runtime):
        """Schedule the network as it is now for `runtime` ms."""
        if not isinstance(runtime, int | float | np.number):
            raise TypeError(f"cannot run for {runtime!r}; give a time in ms")
        if not (np.isfinite(runtime) and runtime >= 0):
            raise ValueError(f"cannot run for {runtime} ms; give a finite time, zero or more")
        if self.t + runtime > MOST_TICKS / TICKS_PER_MS:
            raise ValueError(f"cannot run until {self.t + runtime:g} ms; the chip's clock is emulated up to "
                             f"{MOST_TICKS / TICKS_PER_MS:.3g} ms")
        coordinates = self.map()
        self._refuse_plasticity()
        begin, ticks = self.t, int(runtime * 125 * 1000)
        codes = {p: p.celltype.codes(p, self) for p in coordinates}
        spikes, background = ({p: p.celltype.events(p, begin, begin + runtime, self) for p in self._populations
                               if p.celltype.KIND == kind} for kind in ("external", "background"))
        connections = {}
        for projection in self._projections:
            for k, (pre, post, pre_index, post_index, weight) in enumerate(projection.on_populations()):
                connections[projection, k] = Connections(pre, post, projection.receptor, pre_index, post_index, weight,
                                                         part_of(pre, pre_index, post))
        recorded = {}
        for recorder in sorted(self.recorders, key=lambda r: int(r.population.first_id)):  # the noise of traces is drawn so
            recorded.update(recorder.wanted_traces())
        snippet = Snippet(ticks, codes, spikes, background, connections, recorded)
        self.scheduled.append(Scheduled(begin, float(runtime), snippet, {r: r.configuration() for r in self.recorders}))
        self.t = begin + runtime

    def _refuse_plasticity(self):
        handles = [(p.label, p.celltype) for p in self._populations] + [(p.label, p.synapse_type) for p in self._projections]
        for label, handle in handles:
            if getattr(handle, "plasticity_rule", None) is not None:
                raise NotImplementedError(f"{label}: the embedded processor is not emulated, so a plasticity rule can be mapped "
                                          "(RunCommand.PREPARE) but not run; take the rule away")

    def run(self):
        """Run what is scheduled."""
        if self.running:
            raise RuntimeError("the experiment has been run; call reset() before the next run(): the chip's neurons go on in "
                               "continuous time, and a second run cannot take up where the first one ended")
        self.running = True
        self._warn_of_late_spikes()
        sizes = {p: p.size for p in self._populations}
        circuits = self.map()
        run = Run(self.chip, sizes, circuits, self.rng, self.record_at_once, self.kept)
        results, executions = execute(run, [each.snippet for each in self.scheduled])
        for each, result in zip(self.scheduled, results, strict=True):
            each.result = result
        self.executions = executions * self.mapping.n_partitions
        self.hardware_time += self.executions * sum(each.snippet.ticks for each in self.scheduled) / TICKS_PER_MS
        for recorder in self.recorders:
            recorder.clear_flag = False
            recorder.take_results()

    def _warn_of_late_spikes(self):
        for population in self._populations:
            times = getattr(population.group, "times", np.empty(0))
            if times.size and self.t > 0 and times.min() >= self.t:
                warn(f"all spikes of {population.label!r} come after the end of the run, {self.t:g} ms: the first at "
                     f"{times.min():g} ms (times are in ms of the chip, 1000 times faster than biology)", stacklevel=4)

    def run_until(self, t_stop):
        self.add(t_stop - self.t)
        self.run()

    def counters(self, section):
        """{coordinate: hal.EventCounter} of the crossbar's outputs that the injected readout of a section asks for.

        Outputs 0 to 7 lead to the synapse drivers' buses, 8 to 11 to the FPGA. They count from the begin of the run.
        """
        counts = np.zeros(halco.CrossbarOutputOnDLS.size, dtype=int)
        if section == "post_realtime" and self.running:
            for each in self.scheduled:
                for population, (index, _) in each.result.spikes.items() if each.result else ():
                    self._count(counts, population, np.bincount(index, minlength=population.size))
        return {coordinate: hal.CrossbarOutputEventCounter(int(counts[int(coordinate)]))
                for coordinate in getattr(self.injected_readout, section) if isinstance(coordinate, halco.CrossbarOutputOnDLS)}

    def _count(self, counts, population, spikes):
        k = self._populations.index(population)
        if population.celltype.KIND == "neuron":
            np.add.at(counts, 8 + self.mapping.coordinates[k][::population.celltype.columns] // 32 % 4, spikes)
            return
        for buses in self.mapping.source_buses[k][0].T:
            np.add.at(counts, buses[buses >= 0], spikes[buses >= 0])

    def energy(self, samples):
        """Time and energy of the chip for `samples` presentations since setup, see `energy`."""
        return classification_costs(samples, self.hardware_time)
