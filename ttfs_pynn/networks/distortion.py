"""A network on arrays with the imperfections of a substrate: coarse and limited weights, neurons that differ, uncertain spikes.

To ask how much of each a trained network, or training in the loop, bears. The trainer keeps its weights as floats and its
gradients assume the nominal neurons; what this network does with them is the distortion's. Göltz, Kriener et al. 2021 end with a
study of such imperfections.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph.graph import Graph, Node
from ttfs_pynn.graph.parameters import Parameters, check_parameters, delays_of, names_of, within_ranges
from ttfs_pynn.networks.afferents import afferents_of
from ttfs_pynn.networks.interface import input_times
from ttfs_pynn.networks.timing import timing_of
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.first_spikes import FirstSpikes

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
    """`ArrayNetwork`'s counterpart on a substrate with a Distortion, for graphs without cycles and trained delays or times.

    neurons: LIFParameters of each population as they are here, for a learning rule that knows them. `read` gives the weights that
    act.
    """

    n_copies = 1

    def __init__(self, graph: Graph, parameters: Parameters, distortion: Distortion, deadline: float | None = None) -> None:
        if graph.has_cycles or set(names_of(graph)) != {f"{edge.label}.weight" for edge in graph.edges}:
            raise ConfigurationError("a distorted network has no populations that depend on themselves, and no trained delays or "
                                     "times of sources; leave them out")
        self.graph, self.distortion = graph, distortion
        self.timing = timing_of(graph, single=True, deadline=deadline)
        drawn, self._noise = np.random.default_rng(distortion.seed).spawn(2)
        self.neurons = {node.label: self._drawn(node, drawn) for node in graph.neurons}
        self._parts = afferents_of(graph, self.neurons)
        self.write(parameters)

    def _drawn(self, node: Node, rng: np.random.Generator) -> LIFParameters:
        d, neuron = self.distortion, node.neuron
        # Drawn whatever the sizes are: the same neurons for the same seed when a spread is varied.
        tau_m, tau_syn, threshold = (np.maximum(1 + std * rng.standard_normal(node.size), _LEAST_FACTOR)
                                     for std in (d.tau_m_std, d.tau_syn_std, d.threshold_std))
        changed = {}
        if d.tau_m_std or d.tau_m_factor != 1:
            changed["tau_m"] = neuron.tau_m * d.tau_m_factor * (tau_m if d.tau_m_std else 1)
        if d.tau_syn_std or d.tau_syn_factor != 1:
            changed["tau_syn"] = neuron.tau_syn * d.tau_syn_factor * (tau_syn if d.tau_syn_std else 1)
        if d.threshold_std:
            changed["v_thresh"] = neuron.v_rest + neuron.threshold * threshold
        return replace(neuron, **changed)

    def _limit(self, edge):
        """The largest weight (nA), a number or (post,)."""
        return self.distortion.weight_range * self.graph.node(edge.post).neuron.current_scale

    def within_limits(self, parameters: Parameters) -> dict[str, np.ndarray]:
        """The parameters with weights clipped to the range, and with the signs of their edges."""
        found = within_ranges(self.graph, parameters)
        for edge in self.graph.edges:
            limit = self._limit(edge)
            limit = limit[edge.post_index].reshape(edge.shape) if np.ndim(limit) else limit
            found[f"{edge.label}.weight"] = np.clip(found[f"{edge.label}.weight"], -limit, limit)
        return found

    def write(self, parameters: Parameters) -> None:
        """Use these weights (nA), limited and rounded as the substrate does, from now on. They are kept as `parameters`."""
        self.parameters = check_parameters(self.graph, parameters)
        self._acting = self.within_limits(self.parameters)
        if not self.distortion.weight_bits:
            return
        for node in self.graph.neurons:
            names = [f"{edge.label}.weight" for edge in self.graph.afferents(node.label)]
            largest = max(np.abs(self._acting[name]).max(initial=0.0) for name in names)
            for edge, name in zip(self.graph.afferents(node.label), names, strict=True):
                limit = self._limit(edge)
                limit = limit if np.isfinite(limit).all() else largest
                limit = limit[edge.post_index].reshape(edge.shape) if np.ndim(limit) else limit
                self._acting[name] = quantised(self._acting[name], self.distortion.weight_bits, limit)

    def seed_noise(self, *seed: int) -> None:
        """Let the noise from now on follow from these integers (and the distortion's own seed)."""
        self._noise = np.random.default_rng([self.distortion.seed, *seed])

    def read(self) -> dict[str, np.ndarray]:
        """The weights that act, copied."""
        return {name: array.copy() for name, array in self._acting.items()}

    def finish(self) -> None:
        """There is nobody to hand the parameters to."""

    def blocks(self, recording: Any) -> dict[str, Any]:
        """Nothing is recorded."""
        return {}

    def present(self, times: Any) -> FirstSpikes:
        """FirstSpikes of samples (`networks.interface.input_times`) as they arrive: shifted, and inf where lost."""
        shown = input_times(self.graph, times)
        n_samples = len(next(iter(shown.values()))) if shown else 1
        spikes = FirstSpikes({}, self.graph.outputs, delays_of(self.graph, self.parameters), self.timing.deadline)
        for node in self.graph.sources:
            if node.label in shown:
                spikes = spikes.with_times({node.label: self._sent(shown[node.label])})
        for part in self._parts:
            for node in (self.graph.node(edge.pre) for edge in part.edges):
                if node.label not in spikes.times:
                    own = np.tile(node.times, (n_samples, *(1 for _ in node.times.shape)))
                    spikes = spikes.with_times({node.label: self._sent(own)})
            label = part.group[0]
            answer = part.first_spikes(spikes, self._acting)[label]
            spikes = spikes.with_times({label: self._sent(answer, label == self.graph.outputs)})
        return spikes

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
