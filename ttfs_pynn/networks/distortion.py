"""A network on arrays with the imperfections of a substrate: coarse and limited weights, neurons that differ, uncertain spikes.

To ask how much of each a trained network, or training in the loop, bears. The trainer keeps its weights as floats and its
gradients assume the nominal neurons; what this network does with them is the distortion's. Göltz, Kriener et al. 2021 end with a
study of such imperfections.
"""

from dataclasses import dataclass, replace

import numpy as np

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.learning.engine import FirstSpikes
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.network import Architecture, Layer
from ttfs_pynn.units import in_unit

__all__ = ["DistortedNetwork", "Distortion", "quantised"]

_LEAST_FACTOR = 0.1  # of a parameter that is drawn: a normal distribution has values that no neuron has


@dataclass(frozen=True)
class Distortion:
    """Imperfections; the defaults are an ideal substrate.

    weight_bits: signed weights have 2^bits - 1 equally spaced values, 0 among them (0: any value). weight_range: weights are
    limited to this size, in units of current_scale (inf: not limited). Levels reach to that limit, or to the layer's largest
    weight where there is none.
    tau_m_factor, tau_syn_factor: all time constants are so many times the nominal ones.
    tau_m_std, tau_syn_std, threshold_std: neurons differ: a normal factor of mean 1 and this standard deviation on each neuron's
    time constants and on its threshold above rest, cut at 0.1; the same neurons for the same seed.
    jitter: standard deviation (ms) of a normal shift of each spike, of sources and neurons.
    lost_spikes: probability that a spike of a source or a hidden neuron is lost: neither heard nor recorded.
    seed: of what is random.
    """

    weight_bits: int = 0
    weight_range: float = np.inf
    tau_m_factor: float = 1.0
    tau_syn_factor: float = 1.0
    tau_m_std: float = 0.0
    tau_syn_std: float = 0.0
    threshold_std: float = 0.0
    jitter: float = 0.0
    lost_spikes: float = 0.0
    seed: int = 0

    def __post_init__(self):
        whole = isinstance(self.weight_bits, int | np.integer) and not isinstance(self.weight_bits, bool)
        for name, allowed, text in (
                ("weight_bits", whole and (self.weight_bits == 0 or 2 <= self.weight_bits <= 32), "0 for any weight, or 2 to 32"),
                ("weight_range", self.weight_range > 0, "positive, inf for no limit"),
                ("tau_m_factor", self.tau_m_factor > 0, "positive"),
                ("tau_syn_factor", 0 < self.tau_syn_factor < np.inf, "positive and finite"),
                *((name, 0 <= getattr(self, name) < np.inf, "zero or more, and finite")
                  for name in ("tau_m_std", "tau_syn_std", "threshold_std", "jitter")),
                ("lost_spikes", 0 <= self.lost_spikes <= 1, "a probability from 0 to 1"),
                ("seed", self.seed >= 0, "zero or more")):
            if not allowed:
                raise ConfigurationError(f"{name} = {getattr(self, name)!r} must be {text}")


def quantised(weights, bits, limit=None):
    """The nearest of 2^bits - 1 equally spaced values from -limit to limit (default: the largest |weight|), 0 among them."""
    limit = np.abs(weights).max(initial=0.0) if limit is None else limit
    steps = 2 ** (bits - 1) - 1
    size = np.where(np.equal(limit, 0), 1.0, np.asarray(limit) / steps)  # all weights 0: any size will do
    return np.clip(np.round(weights / size), -steps, steps) * size


class DistortedNetwork:
    """`ArrayNetwork`'s counterpart on a substrate with a Distortion: write_weights, read_weights, within_limits, present.

    architecture: the nominal one. neurons: LIFParameters of each layer as they are here, for a learning rule that knows them.
    read_weights gives the weights that act.
    """

    n_copies, delay = 1, 0.0

    def __init__(self, architecture, weights, distortion, deadline=None):
        if architecture.trains_times:
            raise ConfigurationError("a distorted network has no trained delays or bias times; leave them out")
        self.architecture, self.distortion = architecture, distortion
        self.timing = ArrayNetwork(architecture, weights, deadline).timing
        drawn, self._noise = np.random.default_rng(distortion.seed).spawn(2)
        self.neurons = [self._drawn(layer, drawn) for layer in architecture.layers]
        # A network a layer, whose bias sources are inputs too: spikes change on their way between them.
        times = architecture.t_early, architecture.t_late
        self._layers = [ArrayNetwork(Architecture(len(w), (Layer(layer.size, neuron),), *times), [w], self.timing.deadline)
                        for layer, neuron, w in zip(architecture.layers, self.neurons, weights, strict=True)]
        self.write_weights(weights)

    def _drawn(self, layer, rng):
        d, neuron = self.distortion, layer.neuron
        # Drawn whatever the sizes are: the same neurons for the same seed when a spread is varied.
        tau_m, tau_syn, threshold = (np.maximum(1 + std * rng.standard_normal(layer.size), _LEAST_FACTOR)
                                     for std in (d.tau_m_std, d.tau_syn_std, d.threshold_std))
        changed = {}
        if d.tau_m_std or d.tau_m_factor != 1:
            changed["tau_m"] = neuron.tau_m * d.tau_m_factor * (tau_m if d.tau_m_std else 1)
        if d.tau_syn_std or d.tau_syn_factor != 1:
            changed["tau_syn"] = neuron.tau_syn * d.tau_syn_factor * (tau_syn if d.tau_syn_std else 1)
        if d.threshold_std:
            changed["v_thresh"] = neuron.v_rest + neuron.threshold * threshold
        return replace(neuron, **changed)

    def _limits(self):
        return [self.distortion.weight_range * layer.neuron.current_scale for layer in self.architecture.layers]

    def within_limits(self, weights):
        """The weights clipped to the range: one that left it would not come back for long."""
        return [np.clip(w, -limit, limit) for w, limit in zip(weights, self._limits(), strict=True)]

    def write_weights(self, weights):
        """Use these signed weights (nA, one matrix a layer), limited and rounded as the substrate does, from now on. They are
        kept as `weights`."""
        self.weights = self.architecture.check_weights(weights)
        self._weights = self.within_limits(self.weights)
        bits = self.distortion.weight_bits
        if bits:
            limits = [limit if np.isfinite(limit).all() else None for limit in self._limits()]
            self._weights = [quantised(w, bits, limit) for w, limit in zip(self._weights, limits, strict=True)]
        for layer, w in zip(self._layers, self._weights, strict=True):
            layer.write_weights([w])

    def seed_noise(self, *seed):
        """Let the noise from now on follow from these integers (and the distortion's own seed)."""
        self._noise = np.random.default_rng([self.distortion.seed, *seed])

    def read_weights(self):
        """The weights that act, copied."""
        return [w.copy() for w in self._weights]

    def present(self, t_in):
        """FirstSpikes of samples t_in (samples, inputs) as they arrive: shifted, and inf where lost. Errors as ArrayNetwork's."""
        t_in = np.asarray(in_unit(t_in, "ms", "t_in"), dtype=float)
        if t_in.ndim != 2 or t_in.shape[1] != self.architecture.n_inputs:
            raise ValueError(f"input times have shape {t_in.shape}; expected (samples, {self.architecture.n_inputs} inputs)")
        inputs = heard = self._sent(t_in)
        biases, layers = [], []
        for k, (layer, part) in enumerate(zip(self._layers, self.architecture.layers, strict=True)):
            bias = None
            if part.bias_times:
                bias = self._sent(np.tile(np.asarray(part.bias_times, dtype=float), (len(t_in), 1)))
                heard = np.concatenate([heard, bias], axis=1)
            heard = self._sent(layer.present(heard).layers[0], label=k + 1 == len(self._layers))
            biases.append(bias)
            layers.append(heard)
        return FirstSpikes(inputs, tuple(biases), tuple(layers), deadline=self.timing.deadline)

    def _sent(self, times, label=False):
        """Spikes as they arrive. A label spike that is lost would tell of the readout and not of the network: it is not."""
        d = self.distortion
        if not d.jitter and not d.lost_spikes:
            return times
        arrived = times + d.jitter * self._noise.standard_normal(times.shape)
        arrived = np.where(np.isfinite(times), np.clip(arrived, 0.0, np.nextafter(self.timing.deadline, 0)), times)
        if d.lost_spikes and not label:
            arrived[self._noise.random(times.shape) < d.lost_spikes] = np.inf
        return arrived
