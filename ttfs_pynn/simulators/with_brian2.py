"""pyNN.brian2."""

import numpy as np

from ttfs_pynn.simulators.base import Simulator, SimulatorError, detuned
from ttfs_pynn.simulators.connectors import BlockConnector

__all__ = ["Brian2"]


class Brian2(Simulator):

    def setup(self, dt, seed=None, layers=()):
        self.check_step(dt)
        sim = super().load()
        import brian2
        # The C++ target compiles for a minute when first used and is no faster for populations of thousands of neurons.
        brian2.prefs.codegen.target = "numpy"
        # Brian2 takes a first Ctrl-C as the end of the simulation, and training would go on with half a window of spikes.
        brian2.prefs.core.stop_on_keyboard_interrupt = False
        brian2.prefs.logging.delete_log_on_exit = True
        brian2.BrianLogger.suppress_name("resolution_conflict")
        brian2.BrianLogger.suppress_name("method_choice")  # that the exact integrator was chosen
        sim.setup(timestep=dt, min_delay=dt)
        # pyNN.brian2 0.13: SpikeSourceArray runs on brian2.defaultclock (0.1 ms), whatever setup() was told.
        brian2.defaultclock.dt = dt * brian2.ms
        if seed is not None:
            brian2.seed(seed)
        return sim

    def smallest_delay(self, dt):
        return 0.0  # a spike of one step enters the next even without a delay

    def cell_parameters(self, neuron):
        parameters = super().cell_parameters(neuron)
        # pyNN.brian2 0.13 divides by tau_m - tau_syn (NaN where they are equal). A relative 1e-6 between them shifts the membrane
        # by 1e-6 of its height; much less loses more to cancellation (1e-12: 1e-2).
        parameters.update(dict.fromkeys(("tau_syn_E", "tau_syn_I"), detuned(neuron.tau_m, neuron.tau_syn)))
        if np.isinf(neuron.tau_m).any():
            raise SimulatorError("brian2 cannot simulate tau_m = inf; use a large value such as 1e6 ms, or the simulator 'exact'")
        # brian2 2.9: an infinite refractory period overflows its integer clock.
        parameters["tau_refrac"] = np.minimum(parameters["tau_refrac"], 1e9)
        return parameters

    def source_times(self, times, dt):
        # brian2 2.9 cuts spike times off to the step before: input is early by half a step on average, while bias spikes at
        # multiples of dt are not, and trained decisions move. Rounded, the error has no preferred sign.
        return np.round(np.asarray(times) / dt) * dt

    def adapt(self, population, dt):
        given = {}
        known = population.celltype.default_parameters
        if "tau_refrac" in known:
            # brian2 2.9 counts from the beginning of the step at whose end the neuron spikes and is reset: a step too few.
            given["tau_refrac"] = population.get("tau_refrac", simplify=False)
            population.set(tau_refrac=given["tau_refrac"] + dt)
        if "tau_syn_E" in known and "tau_m" in known:
            tau_m = population.get("tau_m", simplify=False)
            for name in ("tau_syn_E", "tau_syn_I"):
                tau_syn = population.get(name, simplify=False)
                if (np.abs(tau_syn - tau_m) < 1e-6 * tau_m).any():
                    given[name] = tau_syn
                    population.set(**{name: detuned(tau_m, tau_syn)})
        return lambda: population.set(**given) if given else None

    def reset_script(self, sim, populations, projections, annotations):
        # pyNN.brian2 0.13 goes back to the parameters, membranes, weights and delays that were there when the simulation began.
        neurons = [(p, {name: p.get(name, simplify=False) for name in p.celltype.default_parameters}) for p in populations
                   if "tau_refrac" in p.celltype.default_parameters]
        synapses = [(p, *self.connections(p)[2:]) for p in projections]
        result = sim.reset(annotations)
        for population, parameters in neurons:
            population.set(**parameters)
            type(population).initialize(population, v=population.initial_values["v"])
        for projection, weights, delays in synapses:
            self.assign(projection, "weight", weights)
            self.assign(projection, "delay", delays)
        return result

    def after_clear(self, population, before):
        # pyNN.brian2 0.13 empties the arrays of a monitor; brian2 2.9 goes on counting, and what comes next follows zeros. After
        # record(None) it makes another monitor, which a reset then does not find among what it goes back to.
        recorder = population.recorder
        recorder._devices = recorder._devices or before["_devices"]
        for device in recorder._devices.values():
            device.resize(0)
            device.variables["N"].set_value(0)

    def count_afferents(self, sim, population):
        from brian2 import Synapses
        return sum(len(found) for found in sim.simulator.state.network.objects
                   if isinstance(found, Synapses) and found.target is population.brian2_group)

    def membrane(self, population):
        return np.asarray(population.brian2_group.v) * 1e3

    def spike_times(self, population):
        # pyNN.brian2 0.13 cannot give back the spike times that it was given.
        group = population.brian2_group
        cell, times = np.asarray(group.neuron_index), np.asarray(group.spike_time) * 1e3
        return [np.sort(times[cell == k]) for k in range(population.size)]

    def give_spikes(self, population, trains, dt):
        cell = np.repeat(np.arange(population.size), [train.size for train in trains])
        self._set_once(population.brian2_group, cell, np.concatenate(trains), dt)

    def connections(self, projection):
        # pyNN.brian2 0.13 lists no connections of an assembly.
        pre, post, weight, delay = [], [], [], []
        for i, sources in enumerate(_parts(projection.pre)):
            for j, targets in enumerate(_parts(projection.post)):
                synapses = projection._brian2_synapses[i][j]
                pre.append(_ids(sources)[np.asarray(synapses.i[:])])
                post.append(_ids(targets)[np.asarray(synapses.j[:])])
                weight.append(np.asarray(synapses.weight[:]) / float(_weight_unit(targets)))
                delay.append(np.asarray(synapses.delay[:]) * 1e3)
        return np.concatenate(pre), np.concatenate(post), np.concatenate(weight), np.concatenate(delay)

    def assign(self, projection, name, values):
        from brian2 import ms
        first = 0
        for i in range(len(_parts(projection.pre))):
            for j, targets in enumerate(_parts(projection.post)):
                synapses, unit = projection._brian2_synapses[i][j], ms
                if name == "weight":
                    unit = _weight_unit(targets)
                if len(synapses):
                    setattr(synapses, name, values[first:first + len(synapses)] * unit)
                first += len(synapses)

    def add_spikes(self, population, trains, new, dt):
        # As in `set_spikes`. brian2 2.9 warns of spikes that are over.
        cell, times = np.repeat(np.arange(population.size), [train.size for train in trains]), np.concatenate(trains)
        left = self.source_times(times, dt) > population._simulator.state.t - dt / 2
        self._set_once(population.brian2_group, cell[left], times[left], dt)

    def _set_once(self, group, cell, times, dt):
        """brian2 2.9 refuses two spikes of a source in one step."""
        from brian2 import ms
        pairs = np.unique(np.stack([cell, self.source_times(times, dt)]), axis=1)
        group.set_spikes(pairs[0].astype(int), pairs[1] * ms)

    def connector(self, n_copies, pairs=None):
        return _AtOnceConnector(n_copies, pairs)

    def _as_made(self, projection):
        return slice(None)  # pyNN.brian2 0.13: set() reads all weights back as a matrix over all copies first

    def keep(self, sim):
        # pyNN.brian2 0.13 stores all objects when the first run begins, and reset() goes back to weights, membranes, parameters
        # of neurons and spike times as they were then; delays it leaves. Stored is what brian2 2.9 calls full state.
        from brian2 import Synapses
        state = sim.simulator.state
        stored = state.network._stored_state.get("before-first-run")
        if not state.running or stored is None:
            return
        for synapses in state.network.objects:
            if isinstance(synapses, Synapses) and "weight" in stored.get(synapses.name, ()):
                stored[synapses.name]["weight"] = synapses._full_state()["weight"]
        for recorder in state.recorders:
            group = recorder.population.brian2_group
            given = _given(recorder.population)
            stored[group.name].update({name: value for name, value in group._full_state().items() if name in given})

    def set_spikes(self, population, matrix, dt):
        # pyNN.brian2 0.13 cannot set the spike times of a population of a single source.
        from brian2 import ms
        window, cell = np.nonzero(np.isfinite(matrix))
        population.brian2_group.set_spikes(cell, self.source_times(matrix[window, cell], dt) * ms)


def _given(population):
    """Names of brian2's variables that hold what a population was given, not its state."""
    if "spike_times" in population.celltype.default_parameters:
        return {"spike_number", "neuron_index", "spike_time", "_timebins"}  # the rest is made of these when a run begins
    return {translated["translated_name"] for translated in population.celltype.translations.values()}


def _weight_unit(cells):
    """What a weight of 1 is on Brian2: 1 mV, 1 uS or 1 nA, as the synapses of the cells are."""
    from brian2 import mV, nA, uS
    if getattr(cells.celltype, "voltage_based_synapses", False):
        return mV
    return uS if cells.celltype.conductance_based else nA


def _parts(cells):
    """The populations and views that an assembly, or what else a projection connects, consists of."""
    return getattr(cells, "populations", None) or [cells]


def _ids(cells):
    """The ids of all cells of the population that a view is of: brian2's synapses count in it."""
    return np.array([int(cell) for cell in getattr(cells, "grandparent", cells).all_cells])


class _AtOnceConnector(BlockConnector):
    """pyNN.brian2 0.13 assigns every synapse by itself, half a millisecond each; here all are created at once."""

    def connect(self, projection):
        pre, post = self.indices(projection)
        if not pre.size:
            return
        synapses = projection._brian2_synapses[0][0]
        synapses.connect(i=pre, j=post)
        projection._n_connections += pre.size
        for name, value in self._parameters_from_synapse_type(projection).items():
            if name in ("weight", "delay"):
                setattr(synapses, name, value.evaluate(simplify=True))
