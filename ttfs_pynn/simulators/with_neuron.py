"""pyNN.neuron."""

import os
import sysconfig

import numpy as np

from ttfs_pynn.simulators.base import Simulator

__all__ = ["Neuron"]


class Neuron(Simulator):
    """NEURON 9.0, fixed step: implicit Euler, and spikes are found at steps."""

    def load(self):
        # pyNN.neuron 0.13 compiles its mechanisms at the first import with nrnivmodl, and looks for that on PATH alone.
        scripts = sysconfig.get_path("scripts")
        if scripts not in os.environ.get("PATH", "").split(os.pathsep):
            os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
        return super().load()

    def acting(self, parameters, dt):
        # Implicit Euler lets the membrane fall by 1/(1 + dt/tau_m) a step; what a constant current makes of it is right. A
        # synaptic current flows all through a step as it was at its begin, which is more charge.
        slower = dt / parameters["tau_m"] / np.log1p(dt / parameters["tau_m"])
        more = {receptor: dt / parameters[name] / -np.expm1(-dt / parameters[name])
                for receptor, name in (("excitatory", "tau_syn_E"), ("inhibitory", "tau_syn_I"))}
        return parameters | {"tau_m": parameters["tau_m"] * slower, "cm": parameters["cm"] * slower}, more

    def give_spikes(self, population, trains, dt):
        # pyNN.neuron 0.13: a source records all times that it was ever given, and one that is given others during a simulation
        # still emits some of those before. So sources play nothing: `before_run` queues the events of each run.
        for cell, train in zip(population.all_cells, trains, strict=True):
            source, vector = cell._cell, type(cell._cell._spike_times)
            source._spike_times, source.nothing = vector(train), vector(0)  # kept: VecStim reads the memory of what it plays
            source.emitted = getattr(source, "emitted", np.empty(0))

    def before_run(self, sim, sources, begin, stop):
        state = sim.simulator.state
        new = not state.running
        for cell in (cell for population in sources for cell in population.all_cells):
            cell._cell.play(cell._cell.nothing)  # whatever the script has set since the last run
        if sources and new:
            state._update_current_sources(stop)
            state._pre_run()  # begins the simulation, and with it empties the queue of events
        for population in sources:
            for cell in population.all_cells:
                times = np.array(cell._cell._spike_times)
                times = times[(times > (-np.inf if new else begin)) & (times <= stop)]
                self._queue(cell._cell, times)
                cell._cell.emitted = times if new else np.concatenate([cell._cell.emitted, times])

    def before_reading(self, population):
        for cell in population.all_cells:
            if hasattr(cell._cell, "emitted"):
                cell._cell._recorded_spikes = cell._cell.emitted

    def after_clear(self, population, before):
        for cell in population.all_cells:
            if hasattr(cell._cell, "emitted"):
                cell._cell.emitted = cell._cell.emitted[cell._cell.emitted > population._simulator.state.t]

    def initialize_now(self, population):
        # pyNN.neuron 0.13 has the new values ready for the next simulation.
        if population._simulator.state.running:
            for cell, v in zip(population.all_cells, population.initial_values["v"].evaluate(simplify=False), strict=True):
                cell._cell(0.5).v = float(v)

    def membrane(self, population):
        if not population._simulator.state.running:
            return None
        return np.array([cell._cell(0.5).v for cell in population.all_cells])

    def _as_made(self, projection):
        return slice(None)

    @staticmethod
    def _queue(source, train):
        from neuron import h
        queue = h.NetCon(None, source)
        for time in train:
            queue.event(time, 1)

    def add_spikes(self, population, trains, new, dt):
        running = population._simulator.state.running
        if not running:
            super().add_spikes(population, trains, new, dt)
        # pyNN.neuron 0.13: a source sees new spike times after up to 1 ms, one that was made after the first run never does; both
        # record all that they are given, also over a reset. So events are queued, with the flag of the source's own.
        from neuron import h
        h.fcurrent()  # else sources that were made since the last run have no queue
        for cell, train in zip(population.all_cells, new, strict=True):
            source = cell._cell
            if running:
                self._queue(source, train)
                train = np.concatenate([source._recorded_spikes, train])
            source._recorded_spikes = train
