"""pyNN.neuron."""

import os
import sysconfig

import numpy as np
from pyNN.parameters import Sequence

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
        # Implicit Euler lets the membrane fall by 1/(1 + dt/tau_m) a step; what a constant current makes of it is right. A synaptic
        # current flows all through a step as it was at its begin, which is more charge.
        slower = dt / parameters["tau_m"] / np.log1p(dt / parameters["tau_m"])
        more = {receptor: dt / parameters[name] / -np.expm1(-dt / parameters[name])
                for receptor, name in (("excitatory", "tau_syn_E"), ("inhibitory", "tau_syn_I"))}
        return parameters | {"tau_m": parameters["tau_m"] * slower, "cm": parameters["cm"] * slower}, more

    def give_spikes(self, population, trains, dt):
        # pyNN.neuron 0.13: a source records all times that it was ever given. One that is given others during a simulation still
        # emits the next one of before (an event in NEURON's queue), then those after it that come a millisecond later.
        running, now = population._simulator.state.running, population._simulator.state.t
        for cell, train in zip(population.all_cells, trains, strict=True):
            source = cell._cell
            before, kept = getattr(source, "given_before", np.empty(0)), np.asarray(source._recorded_spikes)
            source.given_before = np.array(train)
            source._recorded_spikes = np.empty(0)
            if not running:
                source._set_spike_times(Sequence(train))
                continue
            pending = before[before > now][:1]
            source._nothing = type(source._spike_times)(0)
            source.play(source._nothing)
            self._queue(source, np.setdiff1d(train[train > now], pending))
            source._spike_times = type(source._spike_times)(train)
            source._recorded_spikes = np.concatenate([kept[kept <= now], np.union1d(train[train > now], pending)])

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
