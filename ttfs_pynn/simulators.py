"""The PyNN simulators by name, what each can do, and what has to be known to make one description run on all of them.

Every quirk stands here once, with the version where it was met; tests/test_simulators.py keeps them true.
"""

import importlib
import importlib.util
from dataclasses import dataclass, fields, replace

import numpy as np
from pyNN.connectors import Connector

from ttfs_pynn.errors import TTFSError
from ttfs_pynn.presentation import Timing

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
    time_scale: float = 1.0  # how many ms of the model are one ms of the simulator
    input_copies: int = 1  # how many equal sources stand for one input of the model
    hardware: bool = False  # whether it is a chip, with options of its own

    def configured(self, options):
        """The same with `options` of a hardware (a dict); SimulatorError where there are none."""
        if options:
            raise SimulatorError(f"{', '.join(options)}: the backend {self.name} is no chip; leave that out, or use brainscales2")
        return self

    def load(self):
        """The PyNN module, or a SimulatorError that says how to install what is missing."""
        if importlib.util.find_spec(self.needs) is None:
            raise SimulatorError(f"simulator {self.name!r} needs the package {self.needs!r}, which is not installed; "
                                 f"install it with: {self.install}")
        return importlib.import_module(self.module)

    def setup(self, dt, seed=None, layers=()):
        """Start a simulation with time step dt (ms) and return the PyNN module. layers: sizes of the layers that it will hold."""
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

    def cell(self, sim, neuron, n_copies):
        """The cell type for a LIFParameters, repeated for each copy of the network."""
        return sim.IF_curr_exp(**{name: np.tile(value, n_copies) if np.ndim(value) else value
                                  for name, value in self.cell_parameters(neuron).items()})

    def timing(self, t_early, t_late, neurons, single):
        """Windows of samples as this simulator should show them (None: `Timing.derive` knows)."""
        return None

    def source_times(self, times, dt):
        """Spike times (ms) as this simulator should be given them to emit them as near to `times` as it can."""
        return times

    def hardware_time(self, sim):
        """Time (ms) that a chip has run since setup; 0 for simulators without one."""
        return 0.0

    def costs(self, n_samples, hardware_time):
        """Metrics of `hardware_time` ms on a chip for n_samples: time and energy; none for simulators without one."""
        return {}

    def set_spikes(self, population, matrix, dt):
        """Give spike sources one spike a window at most: matrix (windows, cells) in ms, rising along windows, inf for none."""
        population.set(spike_times=[self.source_times(train[np.isfinite(train)], dt) for train in matrix.T])

    def connector(self, n_copies):
        return BlockConnector(n_copies)

    def largest_weight(self, neuron, sources):
        """The largest weight (nA) that an input, of so many sources, can have onto cells like `neuron`; inf without a limit."""
        return np.inf

    def read_weights(self, projection, neuron):
        """The weights (n_pre, n_post) in nA that a projection onto cells like `neuron` holds."""
        return projection.get("weight", format="array")

    def write_weights(self, projection, weights, n_copies, neuron):
        """Give every copy of a projection made with `connector`, onto cells like `neuron`, the weights (n_pre, n_post) in nA."""
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

    def setup(self, dt, seed=None, layers=()):
        sim = self.load()
        sim.setup(timestep=dt, seed=seed)
        return sim

    def connector(self, n_copies):
        from pyNN.connectors import AllToAllConnector
        return AllToAllConnector() if n_copies == 1 else BlockConnector(n_copies)


class _Brian2(Simulator):

    def setup(self, dt, seed=None, layers=()):
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

    def write_weights(self, projection, weights, n_copies, neuron):
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


@dataclass(frozen=True)
class _BrainScaleS2(Simulator):
    """The emulated chip: 1 ms of a model is 1 us on it, and v_rest to v_thresh are 80 to 150 LSB.

    A synapse of weight 63 has the weight 1.6 in units of a neuron's current_scale, so each input of a network is several sources,
    which share out its weight. Weights are rounded to integers and clipped.
    """

    chip: int = 0
    non_idealities: tuple = ()  # (name, size) of those that differ from the defaults; (('off', True),) for none
    i_synin_gm: float = 800.0
    synapse_dac_bias: float = 1022.0

    V_REST, V_THRESH = 80.0, 150.0  # LSB
    LONGEST_REFRACTORY = 32.0  # us

    def configured(self, options):
        """options: chip, input_copies, i_synin_gm, synapse_dac_bias, non_idealities (dict; {'off': True} for an ideal chip)."""
        options = dict(options)
        unknown = set(options) - {"chip", "input_copies", "i_synin_gm", "synapse_dac_bias", "non_idealities", "profile"}
        if unknown:
            raise SimulatorError(f"{', '.join(sorted(unknown))}: unknown options of brainscales2; known: chip, input_copies, "
                                 "i_synin_gm, synapse_dac_bias, non_idealities, profile")
        options.pop("profile", None)
        options["non_idealities"] = tuple(sorted(options.get("non_idealities", {}).items()))
        new = replace(self, **options)
        if new.input_copies < 1:
            raise SimulatorError(f"input_copies = {new.input_copies} must be at least 1")
        new._sizes()
        return new

    def _sizes(self):
        from ttfs_pynn.brainscales2.non_idealities import NonIdealities
        sizes = dict(self.non_idealities)
        start = NonIdealities.off() if sizes.pop("off", False) else NonIdealities()
        try:
            return replace(start, **sizes)
        except (TypeError, ValueError) as error:
            known = ", ".join(field.name for field in fields(NonIdealities))
            raise SimulatorError(f"non-idealities {sizes}: {error}; known are off, {known}") from None

    def setup(self, dt, seed=None, layers=()):
        """Layers are placed on the two halves of the chip by turns: each half has 256 rows of synapses, and signed weights take
        two for each neuron that they come from."""
        sim = self.load()
        sim.setup(chip=self.chip, non_idealities=self._sizes(), seed=seed,
                  neuronPermutation=[int(n) for n in np.concatenate(self.places(layers))])
        return sim

    @staticmethod
    def places(layers):
        """Numbers of the circuits of each layer: by turns from the upper and the lower half, as far as they reach."""
        used, found = np.zeros(512, dtype=bool), []
        for k, size in enumerate(layers):
            order = np.roll(np.arange(512), -256 * (k % 2))
            free = order[~used[order]][:size]
            used[free] = True
            found.append(free)
        return found or [np.empty(0, dtype=int)]

    def measured_neurons(self, path, layers):
        """LIFParameters of each layer of an architecture, with one value a neuron, from the profile of the chip in a file."""
        from ttfs_pynn.brainscales2.characterisation import ChipProfile
        profile, found = ChipProfile.load(path), []
        if profile.chip != self.chip:
            raise SimulatorError(f"{path} is the profile of chip {profile.chip}; the run is on chip {self.chip}")
        for layer, circuits in zip(layers, self.places([layer.size for layer in layers]), strict=True):
            p, neuron = profile.of(circuits), layer.neuron
            lsb = neuron.threshold / (self.V_THRESH - self.V_REST)  # mV of the model in 1 LSB
            gain = (p["gain_E"] + p["gain_I"]) / 2 * lsb
            found.append(replace(neuron, tau_m=p["tau_m"], tau_syn=(p["tau_syn_E"] + p["tau_syn_I"]) / 2,
                                 cm=self.unit(neuron) / gain, v_thresh=neuron.v_rest + lsb * (p["v_thresh"] - p["v_rest"])))
        return found

    def targets(self, neuron):
        """Parameters of the calibrated cells that stand for a neuron of the model."""
        return {"tau_m": neuron.tau_m, "tau_syn_E": neuron.tau_syn, "tau_syn_I": neuron.tau_syn, "cm": 63.0,
                "tau_refrac": self.LONGEST_REFRACTORY, "v_rest": self.V_REST, "v_reset": self.V_REST, "v_thresh": self.V_THRESH,
                "i_synin_gm_E": self.i_synin_gm, "i_synin_gm_I": self.i_synin_gm, "synapse_dac_bias": self.synapse_dac_bias}

    def cell(self, sim, neuron, n_copies):
        if np.isinf(neuron.tau_m).any():
            raise SimulatorError("the chip's neurons leak: tau_m = inf is not possible; use a tau_m of at most 60 ms")
        return sim.cells.CalibHXNeuronCuba(**self.targets(neuron))

    def timing(self, t_early, t_late, neurons, single):
        # A neuron is refractory for 32 us at most, so it may spike again: after the decisions are made, and the window goes on
        # until what is left of them is less than the noise.
        slowest = max(float(np.max([n.tau_m, n.tau_syn])) for n in neurons)
        deadline = t_late + 3 * slowest * len(neurons)
        return Timing(deadline, deadline + 10 * slowest, self.LONGEST_REFRACTORY)

    def smallest_delay(self, dt):
        return 0.0

    def hardware_time(self, sim):
        return sim.simulator.state.hardware_time

    def costs(self, n_samples, hardware_time):
        from ttfs_pynn.brainscales2.energy import classification_costs
        return classification_costs(n_samples, hardware_time)

    def source_times(self, times, dt):
        return np.asarray(times) / self.time_scale

    def unit(self, neuron):
        """Weight (nA) of a synapse of weight 1: see the equations of `brainscales2.circuits`."""
        from ttfs_pynn.brainscales2.circuits import psp_height
        height = psp_height(1.0, self.i_synin_gm, self.synapse_dac_bias) / (self.V_THRESH - self.V_REST)
        return np.e * height * neuron.current_scale

    def largest_weight(self, neuron, sources):
        return 63 * sources * self.unit(neuron)

    def write_weights(self, projection, weights, n_copies, neuron):
        if n_copies != 1:
            raise SimulatorError(f"{n_copies} copies: the chip holds one copy of a network; leave --copies out")
        # Equal sources share out an integer, so that several synapses of 6 bits are one of more.
        several = projection.pre.size // weights.shape[0]
        total = np.clip(np.round(weights / self.unit(neuron)), -63 * several, 63 * several)
        projection.set(weight=np.concatenate([np.sign(total) * ((np.abs(total) + k) // several) for k in range(several)]))

    def read_weights(self, projection, neuron):
        return projection.get("weight", format="array") * self.unit(neuron)


SIMULATORS = {s.name: s for s in (
    _Exact("exact", "ttfs_pynn.exact", "numba", "pip install ttfs_pynn", has_time_step=False),
    _Brian2("brian2", "pyNN.brian2", "brian2", "pip install brian2", has_time_step=True, default_copies=50),
    _BrainScaleS2("brainscales2", "ttfs_pynn.brainscales2", "numba", "pip install ttfs_pynn", has_time_step=False,
                  time_scale=1000.0, input_copies=5, hardware=True),
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
