"""What to do about neurons that do not spike, and so have no gradient: three policies behind one interface.

    changes(parameters, gradients) -> ({name: what is added to the weights}, gradients, True if the gradient step is left out)
    apply(parameters, gradients) -> (parameters with that added, gradients, ...)

with `gradients` a learning.engine.Gradients of a batch and the gradients returned a dict by name; `state()` and `restore(arrays)`
go through checkpoints. Weights that are not trained stay as they are, and nothing that is given is changed. `policy` makes the
one that the training options name. Which is better was measured: see benchmarks/README.md.
"""

from collections.abc import Mapping

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.graph.graph import Edge, Graph
from ttfs_pynn.learning.engine import Gradients
from ttfs_pynn.networks.afferents import Afferents
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.first_spikes import FirstSpikes

__all__ = ["POLICIES", "MembranePeak", "WeightBumping", "WeightSum", "policy"]

POLICIES = ("membrane_peak", "bumping", "weight_sum")

Arrays = dict[str, np.ndarray]


def policy(options, graph: Graph, parts: tuple[Afferents, ...]):
    """The policy that learning.options.TrainingOptions name; parts: of the engine, whose neurons it assumes."""
    tolerated = _by_population(options.silent_tolerated, graph)
    if options.silent == "membrane_peak":
        return MembranePeak(parts, tolerated, options.silent_aim)
    neurons = {label: neuron for part in parts for label, neuron in part.neurons.items()}
    if options.silent == "weight_sum":
        return WeightSum(graph, neurons, options.weight_sum)
    return WeightBumping(graph, tolerated, options.bump, options.bump_instead_of_step)


def _by_population(tolerated: float | Mapping[str, float], graph: Graph) -> dict[str, float]:
    """{population: share}, of one number for all or a dict in which populations that are not named tolerate 0.95."""
    labels = [node.label for node in graph.neurons]
    if not isinstance(tolerated, Mapping):
        return dict.fromkeys(labels, tolerated)
    for label in tolerated:
        if label not in labels:
            raise ConfigurationError(f"silent_tolerated: {unknown('population', label, labels)}")
    return {label: tolerated.get(label, 0.95) for label in labels}


def _trained(graph: Graph, label: str) -> list[Edge]:
    """Edges whose weights onto a population are trained."""
    return [edge for edge in graph.afferents(label) if edge.train]


def _spiking(times: np.ndarray) -> np.ndarray:
    """(samples, cells): whether a cell spikes."""
    return np.isfinite(times) if times.ndim == 2 else np.isfinite(times).any(axis=2)


@njit(cache=True, error_model="numpy")
def _in_each_sample(times):
    """Whether there is a spike in every sample."""
    for s in range(times.shape[0]):
        k = 0
        while k < times.shape[1] and times[s, k] == np.inf:
            k += 1
        if k == times.shape[1]:
            return False
    return True


@njit(cache=True, error_model="numpy")
def _count_silent(times):
    """(neurons,): samples without a spike."""
    count = np.zeros(times.shape[1], dtype=np.int64)
    for s in range(times.shape[0]):
        for n in range(times.shape[1]):
            count[n] += times[s, n] == np.inf
    return count


class _Policy:
    def apply(self, parameters: Mapping[str, np.ndarray], gradients: Gradients) -> tuple[Arrays, Arrays, bool]:
        """(parameters with weights raised, gradients, True if the gradient step is to be left out)."""
        changes, found, skip = self.changes(parameters, gradients)
        return {**parameters, **{name: parameters[name] + change for name, change in changes.items()}}, found, skip

    def changes(self, parameters: Mapping[str, np.ndarray], gradients: Gradients) -> tuple[Arrays, Arrays, bool]:
        """What `apply` adds to weights, of a shape that NumPy extends to theirs, instead of the sums."""
        raise NotImplementedError

    def state(self) -> Arrays:
        return {}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        pass


class WeightBumping(_Policy):
    """Raise all afferent weights of neurons that are silent in more than a tolerated share of the samples in which they hear
    anything.

    tolerated: {population: that share} (1 or more: never bump). bump: the amount, in units of the population's current_scale; it
    doubles from batch to batch while the same population stays above its tolerance, up to 1. Every failing population is bumped,
    on top of the gradient step.

    With instead_of_step it is the rule of the code of Göltz, Kriener et al. (2021): tolerated is the silent share of a population
    as a whole, over samples and neurons. Where it is exceeded, the foremost such population gets the bump, each of its neurons
    that is silent in any sample, and there is no gradient step. The bump doubles while it is the same one in batch after batch.
    """

    def __init__(self, graph: Graph, tolerated: Mapping[str, float], bump: float = 0.0005, instead_of_step: bool = False) -> None:
        self.tolerated, self.bump, self.instead_of_step = tolerated, bump, instead_of_step
        self._edges = {label: _trained(graph, label) for label in tolerated}
        self._hearing = {label: graph.afferents(label) for label in tolerated}
        self._scales = {label: float(np.mean(graph.node(label).neuron.current_scale)) for label in tolerated}
        self._sizes = {label: graph.node(label).size for label in tolerated}
        self.lasting = dict.fromkeys(tolerated, 0)

    def changes(self, parameters: Mapping[str, np.ndarray], gradients: Gradients) -> tuple[Arrays, Arrays, bool]:
        changes, failing = {}, False
        for label, share in self.tolerated.items():
            silent = self._failing(label, share, gradients.first_spikes)
            if not silent.any() or (self.instead_of_step and failing):
                self.lasting[label] = 0
            else:
                failing = True
                amount = silent * (min(self.bump * 2.0 ** min(self.lasting[label], 30), max(self.bump,
                                                                                            1.0)) * self._scales[label])
                for edge in self._edges[label]:
                    changes[f"{edge.label}.weight"] = amount if edge.pairs is None else amount[edge.pairs[:, 1]]
                self.lasting[label] += 1
        return changes, gradients.parameters, failing and self.instead_of_step

    def _failing(self, label: str, share: float, spikes: FirstSpikes) -> np.ndarray:
        """(neurons,): which are to be bumped."""
        if not self.instead_of_step:
            return self._silent_share(label, spikes) > share
        silent = np.isinf(spikes[label]).reshape(len(spikes[label]), self._sizes[label], -1).all(axis=2)
        return silent.any(axis=0) & (silent.mean() > share)

    def _silent_share(self, label: str, spikes: FirstSpikes) -> np.ndarray:
        """(neurons,): in how many of the samples in which it hears a spike each neuron is silent; 0 where there are none."""
        times = np.ascontiguousarray(spikes[label])
        if any(edge.pairs is None and _in_each_sample(spikes[edge.pre].reshape(len(times), -1)) for edge in self._hearing[label]):
            return _count_silent(times) / len(times)
        silent = np.isinf(times)
        heard = np.zeros(silent.shape, dtype=bool)
        for edge in self._hearing[label]:
            pre = _spiking(spikes[edge.pre])
            if edge.pairs is None:
                heard |= pre.any(axis=1, keepdims=True)
            else:
                connected = csr_array((np.ones(len(edge.pairs)), (edge.pairs[:, 1], edge.pairs[:, 0])), shape=edge.sizes[::-1])
                heard |= (connected @ pre.T.astype(float)).T > 0
        return (silent & heard).sum(axis=0) / np.maximum(heard.sum(axis=0), 1)

    def state(self) -> Arrays:
        """Everything that `restore` needs, as {name: array}."""
        return {"bump_lasting": np.array(list(self.lasting.values()), dtype=np.int64)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from the arrays of `state`."""
        self.lasting = dict(zip(self.lasting, arrays["bump_lasting"].tolist(), strict=True))


class MembranePeak(_Policy):
    """Raise the peak of the membrane of neurons that are silent in more than a tolerated share of a batch ({population: share}).

    On top of the gradient step the weights of such a neuron change by the mean, over the samples of the batch in which it was
    silent, of the smallest change that brings its peak, to first order, to `aim` times v_thresh - v_rest: along the gradient of
    the peak,

        dw_i = ( aim (v_thresh - v_rest) - v_peak ) K(t_peak - t_i) / sum_k K(t_peak - t_k)^2.

    Peaks are those of the ideal neuron for the recorded input times, so the rule works in the loop; a neuron that should have
    spiked but did not is left alone. aim is above 1 because dT/dw diverges where threshold is only just reached: such a neuron
    learns nothing more.
    """

    def __init__(self, parts: tuple[Afferents, ...], tolerated: Mapping[str, float], aim: float = 1.5) -> None:
        self._parts, self.tolerated, self.aim = parts, tolerated, aim

    def changes(self, parameters: Mapping[str, np.ndarray], gradients: Gradients) -> tuple[Arrays, Arrays, bool]:
        spikes, changes = gradients.first_spikes, {}
        for part in self._parts:
            silent = {label: np.isinf(spikes[label]) for label in part.group}
            wanted = {label: mine & (mine.mean(axis=0) > self.tolerated[label]) for label, mine in silent.items()}
            if not any(mine.any() for mine in wanted.values()):
                continue
            steps = part.peak_steps(spikes, parameters, wanted, self.aim)
            for edge in part.edges:
                if edge.train:
                    times = np.maximum(wanted[edge.post].sum(axis=0), 1)
                    changes[f"{edge.label}.weight"] = steps[edge.label] / (times if edge.pairs is None
                                                                           else times[edge.pairs[:, 1]])
        return changes, gradients.parameters, False


class WeightSum(_Policy):
    """To the loss is added, over all neurons and whether they spike or not (Mostafa 2017, IEEE Trans. Neural Netw. Learn. Syst.
    29, 3227-3235, whose neurons have no leak: 1 there),

        strength sum_n max( 0, 1 - K_max sum_i w_in / (v_thresh - v_rest) ),

    K_max the largest membrane response: inputs of less weight cannot bring a neuron to threshold even if all come together.
    """

    def __init__(self, graph: Graph, neurons: Mapping[str, LIFParameters], strength: float = 10.0) -> None:
        self._graph, self._neurons, self.strength = graph, neurons, strength

    def changes(self, parameters: Mapping[str, np.ndarray], gradients: Gradients) -> tuple[Arrays, Arrays, bool]:
        new = dict(gradients.parameters)
        for node in self._graph.neurons:
            gain = largest_response(self._neurons[node.label]) / self._neurons[node.label].threshold
            total = sum(np.bincount(edge.post_index, parameters[f"{edge.label}.weight"].ravel(), node.size)
                        for edge in self._graph.afferents(node.label))
            raised = self.strength * gain * (gain * total < 1)
            for edge in _trained(self._graph, node.label):
                name = f"{edge.label}.weight"
                new[name] = new[name] - (raised if edge.pairs is None else raised[edge.pairs[:, 1]])
        return {}, new, False


def largest_response(neuron):
    """The highest value of LIFParameters.kernel (mV/nA), at ln(tau_m/tau_syn)/(1/tau_syn - 1/tau_m)."""
    rate_m, rate_s = 1 / np.asarray(neuron.tau_m, dtype=float), 1 / np.asarray(neuron.tau_syn, dtype=float)
    rate_m, rate_s = np.broadcast_arrays(rate_m, rate_s)
    ratio = rate_m / rate_s
    # tau_syn (tau_m/tau_syn)^(1/(1 - tau_m/tau_syn)): e^-1 tau for equal constants, tau_syn without a leak
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.where(np.abs(ratio - 1) < 1e-6, -1.0, np.where(ratio > 0, np.log(ratio) * ratio / (1 - ratio), 0.0))
    return np.exp(exponent) / rate_s / neuron.cm
