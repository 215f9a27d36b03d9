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
                queue = h.NetCon(None, source)
                for time in train:
                    queue.event(time, 1)
                train = np.concatenate([source._recorded_spikes, train])
            source._recorded_spikes = train
