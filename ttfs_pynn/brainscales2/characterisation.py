"""Measure what each neuron of a chip is, by experiments on the chip alone: potentials from the CADC, spikes, and known input.

Three experiments, each many times over to average noise out, on all neurons at once:

1. Relaxation: from a low reset potential a membrane goes to rest, v = v_rest + a exp(-t/tau_m): fit v_rest, tau_m.
2. Postsynaptic potentials: events of known weight w at t_0 give v = v_rest + w g phi(t - t_0; tau_m, tau_syn), with phi as in
   `membrane.interval`: fit tau_syn and the gain g, once for the excitatory and once for the inhibitory input.
3. First spikes: stronger events let a neuron fire at T; its threshold is the potential that 1 and 2 predict there.

What is measured is what the recordings show, delays of the way included: those are the values that a learning rule needs.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import curve_fit

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import read_arrays, write_arrays

__all__ = ["ChipProfile", "characterise"]

_EVENT = 0.02  # ms; when the events of a trial arrive
_LOW_RESET = 50.0  # LSB
_QUANTITIES = ("v_rest", "tau_m", "tau_syn_E", "tau_syn_I", "gain_E", "gain_I", "v_thresh")


@dataclass(frozen=True, eq=False)
class ChipProfile:
    """Measured neurons of one chip. circuits (n,): their numbers; values (n,) by name: v_rest, v_thresh (LSB), tau_m, tau_syn_E,
    tau_syn_I (us), gain_E, gain_I (LSB/us for a weight of 1; positive). NaN where an experiment failed.
    """

    chip: int
    circuits: np.ndarray
    values: dict
    targets: dict

    def save(self, path):
        """Store it as a file (npz)."""
        write_arrays(path, {"circuits": self.circuits, **self.values}, {"chip": self.chip, "targets": self.targets})

    @classmethod
    def load(cls, path):
        """The ChipProfile that `save` stored; ResultsError for another file."""
        arrays, meta = read_arrays(path)
        try:
            return cls(meta["chip"], arrays["circuits"], {name: arrays[name] for name in _QUANTITIES}, meta["targets"])
        except (KeyError, TypeError):
            raise ResultsError(f"{path} is no profile of a chip; make one with ttfs-pynn characterise") from None

    def of(self, circuits):
        """{name: values} of these circuits, the mean of all where one could not be measured. ResultsError for unknown ones."""
        missing = np.setdiff1d(circuits, self.circuits)
        if missing.size:
            raise ResultsError(f"the profile of chip {self.chip} has no circuit {missing[0]} ({missing.size} are missing); "
                               "measure them with ttfs-pynn characterise")
        place = np.argsort(self.circuits)[np.searchsorted(np.sort(self.circuits), circuits)]
        return {name: np.where(np.isfinite(column[place]), column[place], np.nanmean(column))
                for name, column in self.values.items()}


def characterise(pynn, chip, targets, circuits, repetitions=40, seed=0, progress=lambda text: None):
    """A ChipProfile. pynn: the module `ttfs_pynn.brainscales2` (or the vendor's); targets: parameters of CalibHXNeuronCuba."""
    circuits = np.asarray(circuits)
    trial = _Trials(pynn, chip, {**targets}, circuits, repetitions, seed)
    progress("relaxation of membranes")
    values = _relaxation(*trial.potentials({}, v_reset=_LOW_RESET))
    for receptor, side in (("excitatory", "E"), ("inhibitory", "I")):
        progress(f"{receptor} potentials")
        weights = trial.weights_for(0.7)
        times, v = trial.potentials({receptor: weights}, v_reset=targets["v_rest"])
        values |= _postsynaptic(times, v, values, sum(weights), side, -1.0 if side == "I" else 1.0)
    progress("first spikes")
    weights = trial.weights_for(1.3)
    values["v_thresh"] = _threshold(trial.first_spikes(weights), sum(weights), values)
    return ChipProfile(int(getattr(chip, "seed", chip)), circuits, values, dict(targets))


class _Trials:
    """One experiment after the other on a chip, each repeated."""

    def __init__(self, pynn, chip, targets, circuits, repetitions, seed):
        self.pynn, self.chip, self.targets = pynn, chip, targets
        self.circuits, self.repetitions, self.seed = circuits, repetitions, seed

    def weights_for(self, share):
        """Weights of sources that together reach `share` of the nominal threshold."""
        from ttfs_pynn.brainscales2.circuits import psp_height
        distance = self.targets["v_thresh"] - self.targets["v_rest"]
        total = share * distance / psp_height(1.0, self.targets["i_synin_gm_E"], self.targets["synapse_dac_bias"])
        whole, rest = divmod(int(round(total)), 63)
        return [63] * whole + [rest] * (rest > 0)

    def _network(self, weights, **changed):
        self.seed += 1
        self.pynn.setup(chip=self.chip, seed=self.seed, neuronPermutation=[int(n) for n in self.circuits])
        neurons = self.pynn.Population(len(self.circuits), self.pynn.cells.CalibHXNeuronCuba(**{**self.targets, **changed}))
        for receptor, several in weights.items():
            for weight in several:
                source = self.pynn.Population(1, self.pynn.cells.SpikeSourceArray(spike_times=[_EVENT]))
                sign = -1 if receptor == "inhibitory" else 1
                self.pynn.Projection(source, neurons, self.pynn.AllToAllConnector(), receptor_type=receptor,
                                     synapse_type=self.pynn.synapses.StaticSynapse(weight=sign * weight))
        return neurons

    def potentials(self, weights, **changed):
        """(times in us, mean potentials (samples, neurons) in LSB) of the repetitions."""
        neurons = self._network(weights, **changed)
        neurons.record("v", device="cadc")
        total = 0.0
        for _ in range(self.repetitions):
            self.pynn.run(0.171)
            signals = neurons.get_data("v", clear=True).segments[0].irregularlysampledsignals
            self.pynn.reset()
            total = total + np.stack([signal.magnitude[:, 0] for signal in signals], axis=1)
            times = signals[0].times.rescale("us").magnitude.astype(float)
        self.pynn.end()
        return times, total / self.repetitions

    def first_spikes(self, weights):
        """(repetitions, neurons): first spikes (us), NaN where there was none."""
        neurons = self._network({"excitatory": weights}, v_reset=self.targets["v_rest"])
        neurons.record("spikes")
        found = np.full((self.repetitions, len(self.circuits)), np.nan)
        for k in range(self.repetitions):
            self.pynn.run(0.171)
            for n, train in enumerate(neurons.get_data("spikes", clear=True).segments[0].spiketrains):
                if len(train):
                    found[k, n] = float(train.magnitude[0]) * 1000
            self.pynn.reset()
        self.pynn.end()
        return found


def _fit(model, times, v, start):
    try:
        return curve_fit(model, times, v, p0=start)[0]
    except RuntimeError:  # does not converge
        return np.full(len(start), np.nan)


def _relaxation(times, v):
    def model(t, rest, a, tau):
        return rest + a * np.exp(-t / np.abs(tau))

    fits = np.array([_fit(model, times, trace, (trace[-20:].mean(), trace[0] - trace[-20:].mean(), 10.0)) for trace in v.T])
    return {"v_rest": fits[:, 0], "tau_m": np.abs(fits[:, 2])}


def _response(s, tau_m, tau_syn):
    """Potential (LSB) at s (us) after an event that lets dv/dt jump by 1 LSB/us."""
    rate_m, rate_s = 1 / tau_m, 1 / tau_syn
    difference = np.abs(rate_s - rate_m)
    s = np.maximum(s, 0.0)
    rise = np.where(difference < 1e-9, s, -np.expm1(-difference * s) / np.maximum(difference, 1e-9))
    return np.exp(-np.minimum(rate_m, rate_s) * s) * rise


def _postsynaptic(times, v, values, weight, side, sign):
    fits = []
    for trace, tau_m in zip(v.T, values["tau_m"], strict=True):
        def model(t, rest, gain, tau_syn, tau_m=tau_m):
            return rest + sign * weight * gain * _response(t - _EVENT * 1000, tau_m, np.abs(tau_syn))

        fits.append(_fit(model, times, trace, (trace[:8].mean(), 0.05, 10.0)))
    fits = np.array(fits)
    return {f"gain_{side}": fits[:, 1], f"tau_syn_{side}": np.abs(fits[:, 2])}


def _threshold(first, weight, values):
    """Mean over repetitions of the potential at the spike; NaN for a neuron that stays silent in most of them."""
    v = values["v_rest"] + weight * values["gain_E"] * _response(first - _EVENT * 1000, values["tau_m"], values["tau_syn_E"])
    spikes = np.isfinite(first).sum(axis=0)
    mean = np.nansum(np.where(np.isfinite(v), v, 0.0), axis=0) / np.maximum(spikes, 1)
    return np.where(spikes > first.shape[0] / 2, mean, np.nan)
