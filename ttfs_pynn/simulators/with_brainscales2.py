"""The emulated chip: what a model of first-spike learning becomes on it."""

from dataclasses import dataclass, fields, replace

import numpy as np

from ttfs_pynn.errors import unknown
from ttfs_pynn.simulators.base import Simulator, SimulatorError
from ttfs_pynn.simulators.connectors import all_pairs
from ttfs_pynn.spikes.windows import Timing

__all__ = ["BrainScaleS2"]

@dataclass(frozen=True)
class BrainScaleS2(Simulator):
    """The emulated chip: 1 ms of a model is 1 us on it, and v_rest to v_thresh are 80 to 150 LSB.

    A synapse of weight 63 has the weight 1.6 in units of a neuron's current_scale, so each input of a network is several sources,
    which share out its weight. Weights are rounded to integers and clipped.

    circuits: 1, or 2, of which a neuron then consists. Two have 512 rows of synapses instead of 256, so room for 256 signed
    inputs; each has half of the capacitance, so that weights mean the same.

    window: from one sample to the next, in us of the chip, which are ms of the model; None: until what is left of a sample is
    less than the noise. In a shorter one samples disturb each other a little, which training in the loop takes into account.
    """

    chip: int = 0
    circuits: int = 1
    non_idealities: tuple = ()  # (name, size) of those that differ from the defaults; (('off', True),) for none
    i_synin_gm: float = 800.0
    synapse_dac_bias: float = 1022.0
    window: float | None = None

    V_REST, V_THRESH = 80.0, 150.0  # LSB
    LONGEST_REFRACTORY = 32.0  # us

    def configured(self, options):
        """options: chip, circuits, input_copies, window, i_synin_gm, synapse_dac_bias, profile (a file), non_idealities (dict;
        {'off': True} for an ideal chip)."""
        options = dict(options)
        known = ("chip", "circuits", "input_copies", "i_synin_gm", "synapse_dac_bias", "window", "non_idealities", "profile")
        for name in options:
            if name not in known:
                raise SimulatorError(unknown("option of brainscales2", name, known))
        profile = options.pop("profile", None)
        options["non_idealities"] = tuple(sorted(options.get("non_idealities", {}).items()))
        new = replace(self, **options)
        if new.input_copies < 1:
            raise SimulatorError(f"input_copies = {new.input_copies} must be at least 1")
        if new.circuits not in (1, 2):
            raise SimulatorError(f"circuits = {new.circuits}: a neuron is 1 circuit, or the 2 of a column")
        if new.window is not None and not (isinstance(new.window, int | float) and 0 < new.window < np.inf):
            raise SimulatorError(f"window = {new.window!r}: give the time from one sample to the next in us, such as 48")
        if profile and new.circuits > 1:
            raise SimulatorError("a profile has single circuits: use it with circuits = 1, or leave it out")
        new._sizes()
        return new

    def _sizes(self):
        from ttfs_pynn.brainscales2.non_idealities import NonIdealities
        sizes = dict(self.non_idealities)
        start = NonIdealities.off() if sizes.pop("off", False) else NonIdealities()
        known = [field.name for field in fields(NonIdealities)]
        for name in sizes:
            if name not in known:
                raise SimulatorError(unknown("non-ideality", name, ["off", *known]))
        try:
            return replace(start, **sizes)
        except (TypeError, ValueError) as error:
            raise SimulatorError(f"non-idealities: {error}") from None

    def setup(self, dt, seed=None, layers=()):
        """Layers are placed on the two halves of the chip by turns: each half has 256 rows of synapses, and signed weights take
        two for each neuron that they come from."""
        sim = self.load()
        sim.setup(chip=self.chip, non_idealities=self._sizes(), seed=seed,
                  neuronPermutation=[int(n) for n in np.concatenate(self.places(layers))])
        return sim

    def places(self, layers):
        """Numbers of the circuits of each layer: by turns from the upper and the lower half, as far as they reach.

        Neurons of 2 circuits are columns, for each the upper and the lower circuit. The first half of a layer lies left and the
        second right, whose spikes leave by different ways: so each half of the next layer's circuits hears one of them.
        """
        if self.circuits == 2:
            return self._columns(layers)
        used, found = np.zeros(512, dtype=bool), []
        for k, size in enumerate(layers):
            order = np.roll(np.arange(512), -256 * (k % 2))
            free = order[~used[order]][:size]
            used[free] = True
            found.append(free)
        return found or [np.empty(0, dtype=int)]

    @staticmethod
    def _columns(layers):
        free, found = [list(range(128)), list(range(128, 256))], []
        for size in layers:
            halves = [size - size // 2, size // 2]
            mine = [column for side, n in zip(free, halves, strict=True) for column in side[:n]]
            free = [side[n:] for side, n in zip(free, halves, strict=True)]
            if len(mine) < size:
                raise SimulatorError(f"layers of {', '.join(map(str, layers))} neurons of 2 circuits, half of each left and half "
                                     "right: the chip has 128 on each side; use smaller layers, or circuits = 1")
            found.append(np.array([circuit for column in mine for circuit in (column, column + 256)], dtype=int))
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

    @property
    def capacitance(self):
        """Code of each circuit's membrane capacitance."""
        return float(63 // self.circuits)

    def targets(self, neuron):
        """Parameters of the calibrated cells that stand for a neuron of the model."""
        return {"tau_m": neuron.tau_m, "tau_syn_E": neuron.tau_syn, "tau_syn_I": neuron.tau_syn, "cm": self.capacitance,
                "tau_refrac": self.LONGEST_REFRACTORY, "v_rest": self.V_REST, "v_reset": self.V_REST, "v_thresh": self.V_THRESH,
                "i_synin_gm_E": self.i_synin_gm, "i_synin_gm_I": self.i_synin_gm, "synapse_dac_bias": self.synapse_dac_bias}

    def cell(self, sim, neuron, n_copies):
        if np.isinf(neuron.tau_m).any():
            raise SimulatorError("the chip's neurons leak: tau_m = inf is not possible; use a tau_m of at most 60 ms")
        cell = sim.cells.CalibHXNeuronCuba if self.circuits == 1 else sim.cells.CalibPairCuba
        return cell(**self.targets(neuron))

    def timing(self, t_early, t_late, neurons, single):
        # A neuron is refractory for 32 us at most, so it may spike again: after the decisions are made, and the window goes on
        # until what is left of them is less than the noise.
        slowest = max(float(np.max(np.maximum(n.tau_m, n.tau_syn))) for n in neurons)
        deadline = t_late + 3 * slowest * len(neurons)
        if self.window is None:
            return Timing(deadline, deadline + 10 * slowest, self.LONGEST_REFRACTORY)
        if self.window <= t_late:
            raise SimulatorError(f"window = {self.window:g}: inputs spike until {t_late:g} us; make it longer")
        return Timing(min(deadline, self.window), self.window, self.LONGEST_REFRACTORY)

    def check(self, sim):
        try:
            sim.will_it_map()
        except sim.MappingError as error:
            raise SimulatorError(f"the network does not fit on the chip: {error} An input is {self.input_copies} sources and "
                                 f"a neuron {self.circuits} circuits; see --input-copies and --circuits") from None

    def seed_noise(self, sim, seed):
        sim.simulator.state.seed(seed)

    def smallest_delay(self, dt):
        return 0.0

    def hardware_time(self, sim):
        return sim.simulator.state.hardware_time

    def costs(self, n_samples, hardware_time):
        from ttfs_pynn.brainscales2.energy import classification_costs
        from ttfs_pynn.brainscales2.events import TICKS_PER_MS
        # Whole ticks: a difference of two readings depends in its last bits on how much was run before, as in a resumed run.
        return classification_costs(n_samples, round(hardware_time * TICKS_PER_MS) / TICKS_PER_MS)

    def source_times(self, times, dt):
        return np.asarray(times) / self.time_scale

    def set_spikes(self, population, matrix, dt):
        population.set_spike_matrix(self.source_times(matrix, dt))

    def unit(self, neuron):
        """Weight (nA) of a synapse of weight 1: see the equations of `brainscales2.circuits`."""
        from ttfs_pynn.brainscales2.circuits import psp_height
        height = psp_height(1.0, self.i_synin_gm, self.synapse_dac_bias, self.capacitance, self.circuits)
        return np.e * height / (self.V_THRESH - self.V_REST) * neuron.current_scale

    def largest_weight(self, neuron, sources):
        return 63 * sources * self.unit(neuron)

    def write_values(self, projection, name, values, n_copies, n_pre, n_post, pairs=None, neuron=None):
        if n_copies != 1:
            raise SimulatorError(f"{n_copies} copies: the chip holds one copy of a network; leave --copies out")
        if name == "delay":
            raise SimulatorError("the chip's synapses have no delays to set; train without `delays`, or on another backend")
        several = projection.pre.size // n_pre
        self._write_shares(projection, self._shares(values, several, pairs, neuron), n_pre, pairs, several)

    def write_signed(self, excitatory, inhibitory, weights, n_copies, n_pre, n_post, pairs=None, neuron=None):
        if n_copies != 1:
            super().write_signed(excitatory, inhibitory, weights, n_copies, n_pre, n_post, pairs, neuron)
        several = excitatory.pre.size // n_pre
        shares = self._shares(weights, several, pairs, neuron)
        self._write_shares(excitatory, np.maximum(shares, 0.0), n_pre, pairs, several)
        self._write_shares(inhibitory, np.minimum(shares, 0.0), n_pre, pairs, several)

    def _shares(self, values, several, pairs, neuron):
        """Integer weights of so many equal sources, all connections of the first one, then of the second one, ...: they share out
        an integer, so that several synapses of 6 bits are one of more."""
        total = np.clip(np.round(values / self._unit_of(neuron, pairs)), -63 * several, 63 * several)
        if several == 1:
            return total
        sign, size = np.sign(total), np.abs(total)
        return np.concatenate([sign * np.floor((size + k) / several) for k in range(several)])

    def _write_shares(self, projection, shares, n_pre, pairs, several):
        if pairs is None:
            projection.set(weight=shares)
        else:
            self.assign(projection, "weight", shares[_as_on_chip(pairs, several, n_pre)])

    def assign(self, projection, name, values):
        projection._assign(name, values)

    def read_values(self, projection, name, n_copies, n_pre, n_post, pairs=None, neuron=None):
        several = projection.pre.size // n_pre
        held = self.connections(projection)[2 if name == "weight" else 3]
        made = np.empty_like(held)
        made[_as_on_chip(all_pairs(n_pre, n_post) if pairs is None else pairs, several, n_pre)] = held
        values = made.reshape(several, -1)
        values = values.sum(axis=0) * self._unit_of(neuron, pairs, n_pre) if name == "weight" else values[0]
        return values.reshape(n_post, n_pre).T if pairs is None else values

    def _unit_of(self, neuron, pairs, n_pre=None):
        """`unit` of each connection in the order of pairs, or a number, or one a neuron; with n_pre one a connection of all."""
        unit = self.unit(neuron)
        if not np.ndim(unit):
            return unit
        return unit[pairs[:, 1]] if pairs is not None else unit if n_pre is None else np.repeat(unit, n_pre)


def _as_on_chip(pairs, several, n_pre):
    """Order of the connections of a projection, source by source, among those of the pairs of one source after the other's."""
    every = np.concatenate([pairs + [k * n_pre, 0] for k in range(several)])
    return np.lexsort((every[:, 1], every[:, 0]))
