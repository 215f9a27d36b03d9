"""The PyNN simulators by name, what each can do, and what has to be known to make one description run on all of them.

Every quirk stands here once, with the version where it was met; tests/test_simulators.py keeps them true.
"""

import importlib
import importlib.util
from dataclasses import dataclass

import numpy as np
from pyNN.connectors import Connector

from ttfs_pynn.errors import TTFSError

__all__ = ["SIMULATORS", "BlockConnector", "Simulator", "SimulatorError", "simulator", "simulator_of"]


class SimulatorError(TTFSError):
    """A simulator is not known, not installed, or cannot do what is asked of it."""


class BlockConnector(Connector):
    """All-to-all inside each of n_copies equal parts of both populations, in the order of the postsynaptic cells."""

    def __init__(self, n_copies):
        super().__init__(safe=False)
        self.n_copies = n_copies

    def connect(self, projection):
        n_pre, n_post = projection.pre.size // self.n_copies, projection.post.size // self.n_copies
        parameters = {name: value.evaluate(simplify=True)
                      for name, value in self._parameters_from_synapse_type(projection).items()}
        for j in range(projection.post.size):
            block = np.arange(n_pre) + (j // n_post) * n_pre
            projection._convergent_connect(block, j, **parameters)


@dataclass(frozen=True)
class Simulator:
    """One simulator. `needs` is the package that it runs on; `default_copies`: samples that it best simulates side by side."""

    name: str
    module: str
    needs: str
    install: str
    has_time_step: bool
    default_copies: int = 1

    def load(self):
        """The PyNN module, or a SimulatorError that says how to install what is missing."""
        if importlib.util.find_spec(self.needs) is None:
            raise SimulatorError(f"simulator {self.name!r} needs the package {self.needs!r}, which is not installed; "
                                 f"install it with: {self.install}")
        return importlib.import_module(self.module)

    def setup(self, dt, seed=None):
        """Start a simulation with time step dt (ms) and return the PyNN module."""
        sim = self.load()
        # NEST 3.10: with min_delay 'auto' every spike source fires late by (smallest delay - dt), so it is always given.
        sim.setup(timestep=dt, min_delay=dt)
        return sim

    def smallest_delay(self, dt):
        """The delay (ms) that a layered network uses where none is asked for."""
        return dt if self.has_time_step else 0.0

    def cell_parameters(self, neuron):
        """IF_curr_exp's parameters for a LIFParameters."""
        return neuron.to_pynn()

    def source_times(self, times, dt):
        """Spike times (ms) as this simulator should be given them to emit them as near to `times` as it can."""
        return times

    def set_spikes(self, population, matrix, dt):
        """Give spike sources one spike a window at most: matrix (windows, cells) in ms, rising along windows, inf for none."""
        population.set(spike_times=[self.source_times(train[np.isfinite(train)], dt) for train in matrix.T])

    def connector(self, n_copies):
        return BlockConnector(n_copies)

    def write_weights(self, projection, weights, n_copies):
        """Give every copy of a projection made with `connector` the weights (n_pre, n_post) in nA."""
        if n_copies == 1:
            projection.set(weight=weights)
            return
        n_pre, n_post = weights.shape
        whole = np.full((n_copies, n_pre, n_copies, n_post), np.nan)
        for copy in range(n_copies):
            whole[copy, :, copy, :] = weights
        projection.set(weight=whole.reshape(n_copies * n_pre, n_copies * n_post))


class _Exact(Simulator):

    def set_spikes(self, population, matrix, dt):
        population.set_spike_matrix(matrix)

    def setup(self, dt, seed=None):
        sim = self.load()
        sim.setup(timestep=dt, seed=seed)
        return sim

    def connector(self, n_copies):
        from pyNN.connectors import AllToAllConnector
        return AllToAllConnector() if n_copies == 1 else BlockConnector(n_copies)


class _Brian2(Simulator):

    def setup(self, dt, seed=None):
        sim = super().load()
        import brian2
        # The C++ target compiles for a minute when first used and is no faster for populations of thousands of neurons.
        brian2.prefs.codegen.target = "numpy"
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
        tau_syn = np.where(np.abs(neuron.tau_syn - neuron.tau_m) < 1e-6 * np.asarray(neuron.tau_m),
                           np.multiply(neuron.tau_syn, 1 + 1e-6), neuron.tau_syn)[()]
        parameters.update(tau_syn_E=tau_syn, tau_syn_I=tau_syn)
        if np.isinf(neuron.tau_m).any():
            raise SimulatorError("brian2 cannot simulate tau_m = inf; use a large value such as 1e6 ms, or the simulator 'exact'")
        # brian2 2.9: an infinite refractory period overflows its integer clock.
        parameters["tau_refrac"] = np.minimum(parameters["tau_refrac"], 1e9)
        return parameters

    def source_times(self, times, dt):
        # brian2 2.9 cuts spike times off to the step before: input is early by half a step on average, while bias spikes at
        # multiples of dt are not, and trained decisions move. Rounded, the error has no preferred sign.
        return np.round(np.asarray(times) / dt) * dt

    def connector(self, n_copies):
        return _Brian2BlockConnector(n_copies)

    def write_weights(self, projection, weights, n_copies):
        # pyNN.brian2 0.13: set() reads all weights back as a matrix over all copies first. Connections lie target by target.
        from brian2 import nA
        synapses = projection._brian2_synapses[0][0]
        synapses.weight = np.tile(weights.T.ravel(), n_copies) * nA


class _Brian2BlockConnector(BlockConnector):
    """pyNN.brian2 0.13 assigns every synapse by itself, half a millisecond each; here all are created at once."""

    def connect(self, projection):
        n_pre, n_post = projection.pre.size // self.n_copies, projection.post.size // self.n_copies
        post = np.repeat(np.arange(projection.post.size), n_pre)
        pre = np.tile(np.arange(n_pre), projection.post.size) + post // n_post * n_pre
        synapses = projection._brian2_synapses[0][0]
        synapses.connect(i=pre, j=post)
        projection._n_connections += pre.size
        for name, value in self._parameters_from_synapse_type(projection).items():
            if name in ("weight", "delay"):
                setattr(synapses, name, value.evaluate(simplify=True))


SIMULATORS = {s.name: s for s in (
    _Exact("exact", "ttfs_pynn.exact", "numba", "pip install ttfs_pynn", has_time_step=False),
    _Brian2("brian2", "pyNN.brian2", "brian2", "pip install brian2", has_time_step=True, default_copies=50),
)}


def simulator(name):
    """The Simulator of that name; SimulatorError with the known names if there is none."""
    if name not in SIMULATORS:
        raise SimulatorError(f"unknown backend {name!r}; known: {', '.join(SIMULATORS)}")
    return SIMULATORS[name]


def simulator_of(sim):
    """The Simulator whose PyNN module is `sim`; a plain one for modules that are not listed here."""
    for known in SIMULATORS.values():
        if known.module == sim.__name__:
            return known
    return Simulator(sim.__name__, sim.__name__, sim.__name__.split(".")[0], "", has_time_step=True)
