"""The PyNN simulators by name, what each can do, and what has to be known to make one description run on all of them.

Every quirk stands here once, with the version where it was met; tests/test_simulators.py keeps them true.
"""

import importlib
import importlib.util
import os
import sysconfig
import warnings
from dataclasses import dataclass

import numpy as np
from pyNN.connectors import Connector
from pyNN.parameters import Sequence

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
    """One simulator. `needs` is the package that it runs on; `default_copies`: samples that it best simulates side by side.

    `lag`: how many steps late its spikes come on average, because they are found at steps.
    """

    name: str
    module: str
    needs: str
    install: str
    has_time_step: bool
    default_copies: int = 1
    lag: float = 0.0

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

    def before_reset(self, sim, rest):
        """Called before `sim.reset()`; rest (ms): the time after which every neuron listens again."""

    def smallest_delay(self, dt):
        """The delay (ms) that a layered network uses where none is asked for."""
        return dt if self.has_time_step else 0.0

    def cell_parameters(self, neuron):
        """IF_curr_exp's parameters for a LIFParameters."""
        return neuron.to_pynn()

    def source_times(self, times, dt):
        """Spike times (ms) as this simulator should be given them to emit them as near to `times` as it can."""
        return times

    def adapt(self, population, dt):
        """Change a population of anybody's script, before it runs, as this simulator needs it."""
        if type(population.celltype).__name__ == "SpikeSourceArray" and type(self).source_times is not Simulator.source_times:
            trains = population.get("spike_times", simplify=False)
            population.set(spike_times=[Sequence(np.unique(self.source_times(train.value, dt))) for train in trains])

    def connector(self, n_copies):
        return BlockConnector(n_copies)

    def read_weights(self, projection):
        """The weights (nA) of a projection as an array (pre, post), NaN where there is no connection."""
        return projection.get("weight", format="array")

    def is_set_up(self, sim):
        """Whether `sim`, the PyNN module, runs as this entry; several may share a module."""
        return True

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


def _detuned(tau_m, tau_syn, relative=1e-6):
    """tau_syn (ms), made larger by `relative` where it equals tau_m."""
    return np.where(np.abs(np.subtract(tau_syn, tau_m)) < relative * np.asarray(tau_m), np.multiply(tau_syn, 1 + relative),
                    tau_syn)[()]


class _Exact(Simulator):

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
        parameters.update(dict.fromkeys(("tau_syn_E", "tau_syn_I"), _detuned(neuron.tau_m, neuron.tau_syn)))
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
        if type(population.celltype).__name__ == "SpikeSourceArray":
            # pyNN.brian2 0.13 cannot give back the spike times that it was given.
            import brian2
            group = population.brian2_group
            given = np.asarray(group.spike_time) * 1e3
            pairs = np.unique(np.stack([np.asarray(group.neuron_index), self.source_times(given, dt)]), axis=1)
            group.set_spikes(pairs[0].astype(int), pairs[1] * brian2.ms)
        if "tau_syn_E" in population.celltype.default_parameters and "tau_m" in population.celltype.default_parameters:
            tau_m = population.get("tau_m", simplify=False)
            for name in ("tau_syn_E", "tau_syn_I"):
                tau_syn = population.get(name, simplify=False)
                if (np.abs(tau_syn - tau_m) < 1e-6 * tau_m).any():
                    population.set(**{name: _detuned(tau_m, tau_syn)})

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


class _Nest(Simulator):
    """NEST 3.10 with precise spike times, which is what pyNN.nest 0.13 does unless told otherwise."""

    precision, model = "off_grid", "iaf_psc_exp_ps"

    def setup(self, dt, seed=None):
        os.environ.setdefault("PYNEST_QUIET", "1")  # else 20 lines are printed at import
        sim = self.load()
        # With min_delay 'auto' every spike source fires late by (smallest delay - dt), so it is given.
        sim.setup(timestep=dt, min_delay=dt, verbosity="error", spike_precision=self.precision, t_flush=1000.0,
                  **({} if seed is None else {"rng_seed": seed + 1}))
        import nest
        # Above zero, the default, every query of the kernel takes longer the longer the simulated time is.
        nest.spike_buffer_shrink_limit = 0.0
        sim.IF_curr_exp.nest_name = {"on_grid": "iaf_psc_exp", "off_grid": self.model}
        return sim

    def before_reset(self, sim, rest):
        # NEST cannot reset: pyNN.nest 0.13 simulates t_flush more in silence, which must outlast refractoriness.
        sim.simulator.state.t_flush = float(np.max(rest)) + 2 * sim.get_time_step()
        warnings.filterwarnings("ignore", "Full reset functionality", UserWarning)  # seen to, just above

    def read_weights(self, projection):
        # The first run sorts connections; pyNN.nest 0.13 goes on reading the handles that it looked up before, now of others.
        projection._connections = None
        return super().read_weights(projection)

    def write_weights(self, projection, weights, n_copies):
        # pyNN.nest 0.13 looks up the connections of every target by itself, half a minute for 50 copies.
        import nest
        connections = nest.GetConnections(synapse_model=projection.nest_synapse_model,
                                          synapse_label=projection.nest_synapse_label)
        n_pre, n_post = weights.shape
        pre = np.array(list(connections.sources())) - int(projection.pre.all_cells[0])
        post = np.array(list(connections.targets())) - int(projection.post.all_cells[0])
        connections.set(weight=list(1e3 * weights[pre % n_pre, post % n_post]))

    def is_set_up(self, sim):
        return sim.simulator.state.spike_precision == self.precision and sim.IF_curr_exp.nest_name["off_grid"] == self.model

    def cell_parameters(self, neuron):
        parameters = super().cell_parameters(neuron)
        if np.isinf(neuron.tau_m).any():
            raise SimulatorError("nest cannot simulate tau_m = inf; use a large value such as 1e6 ms, or the simulator 'exact'")
        # An infinite refractory period overflows the count of its steps.
        parameters["tau_refrac"] = np.minimum(parameters["tau_refrac"], 1e6)
        return parameters


class _NestGrid(_Nest):
    """NEST with spikes at steps, for the sake of speed."""

    precision = "on_grid"

    def source_times(self, times, dt):
        # A generator rounds up, and 1.5 - 0.1 is a little more than 1.4: aim between two steps for the one that is meant.
        return (np.round(np.asarray(times) / dt) - 0.25) * dt


class _NestLossless(_Nest):
    """NEST's model that misses no crossing; iaf_psc_exp_ps misses one that is over before the step ends. It refuses equal time
    constants, and two different ones of the synapses."""

    model = "iaf_psc_exp_ps_lossless"

    def cell_parameters(self, neuron):
        return super().cell_parameters(neuron) | dict.fromkeys(("tau_syn_E", "tau_syn_I"), _detuned(neuron.tau_m, neuron.tau_syn))


class _Neuron(Simulator):
    """NEURON 9.0, fixed step: implicit Euler, and spikes are found at steps."""

    def load(self):
        # pyNN.neuron 0.13 compiles its mechanisms at the first import with nrnivmodl, and looks for that on PATH alone.
        scripts = sysconfig.get_path("scripts")
        if scripts not in os.environ.get("PATH", "").split(os.pathsep):
            os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
        return super().load()


SIMULATORS = {s.name: s for s in (
    _Exact("exact", "ttfs_pynn.exact", "numba", "pip install ttfs_pynn", has_time_step=False),
    _Brian2("brian2", "pyNN.brian2", "brian2", "pip install brian2", has_time_step=True, default_copies=50, lag=0.5),
    _Nest("nest", "pyNN.nest", "nest", "pip install 'ttfs_pynn[nest]'", has_time_step=True, default_copies=50),
    _NestGrid("nest_grid", "pyNN.nest", "nest", "pip install 'ttfs_pynn[nest]'", has_time_step=True, default_copies=50, lag=0.5),
    _NestLossless("nest_lossless", "pyNN.nest", "nest", "pip install 'ttfs_pynn[nest]'", has_time_step=True, default_copies=50),
    _Neuron("neuron", "pyNN.neuron", "neuron", "pip install 'ttfs_pynn[neuron]'", has_time_step=True, default_copies=50, lag=0.5),
)}


def simulator(name):
    """The Simulator of that name; SimulatorError with the known names if there is none."""
    if name not in SIMULATORS:
        raise SimulatorError(f"unknown backend {name!r}; known: {', '.join(SIMULATORS)}")
    return SIMULATORS[name]


def simulator_of(sim):
    """The Simulator as which the PyNN module `sim` was set up; a plain one for modules that are not listed here."""
    for known in SIMULATORS.values():
        if known.module == sim.__name__ and known.is_set_up(sim):
            return known
    return Simulator(sim.__name__, sim.__name__, sim.__name__.split(".")[0], "", has_time_step=True)
