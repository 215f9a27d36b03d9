"""Initial weights with which deep layers spike.

The membrane of a neuron that hears n sources with weights of mean mu and standard deviation sigma has, over neurons at time t,

    mean  a(t) = mu m_1(t),  standard deviation  b(t) = sigma sqrt(m_2(t)),
    m_p(t) = n share < K(t - t_i)^p >_{t_i} + sum_{bias spikes} K(t - t_b)^p,

`share` of the sources spiking, at times t_i. `balanced` chooses mu and sigma such that the highest mean is a multiple of
threshold, max_t a(t) = peak (v_thresh - v_rest), and the spread there is b = spread (v_thresh - v_rest): then at least about
Phi((peak - 1)/spread) of the neurons spike, Phi the normal distribution function. This is the reasoning of Rossbroich, Gygax and
Zenke (Neuromorph. Comput. Eng. 2, 044016, 2022), who set mean and spread of the membrane from the integrals of K and K^2 for
Poisson input, applied to one spike a source. Taking every neuron's membrane as a(t) + b(t) z with its own fixed z gives the times
of its first spikes,

    T(z) = min { t : a(t) + b(t) z >= v_thresh - v_rest },

whose share and spread are those of the sources of the next layer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ttfs_pynn.graph.graph import Graph, GraphError
from ttfs_pynn.graph.parameters import delay_ranges, names_of
from ttfs_pynn.units import in_unit

__all__ = ["balanced", "initial_parameters"]

_N_TIMES, _N_QUANTILES = 1000, 50


def initial_parameters(graph: Graph, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Where training starts: normally distributed weights from a numpy Generator, and delays from one that it spawns, so weights
    are the same with and without them.

    Weights of a population have its weight_mean and weight_std; where it has none, those that `balanced` chooses. Signed edges
    get the sizes of the numbers drawn.
    """
    found: dict[str, np.ndarray] = {}
    if any(node.weight_mean is None or node.weight_std is None for node in graph.neurons):
        graph = balanced(graph)
    for node in graph.neurons:
        edges = graph.afferents(node.label)
        rows = np.cumsum([0] + [edge.sizes[0] for edge in edges])
        stacked = rng.normal(node.weight_mean, node.weight_std, (rows[-1], node.size)) * node.neuron.current_scale
        for edge, first in zip(edges, rows[:-1], strict=True):
            weights = stacked[first:first + edge.sizes[0]]
            if edge.pairs is not None:
                weights = weights[edge.pairs[:, 0], edge.pairs[:, 1]]
            found[f"{edge.label}.weight"] = edge.sign * np.abs(weights) if edge.sign else weights.copy()
    drawn = rng.spawn(1)[0]
    for name, shape, delays in delay_ranges(graph):
        if delays.mean is None:
            found[name] = np.array(np.broadcast_to(graph.edge(name.rpartition(".")[0]).delay, shape))
        else:
            found[name] = np.clip(np.abs(drawn.normal(delays.mean, delays.std, shape)), 0.0, delays.longest)
    found |= {f"{node.label}.times": node.times.copy() for node in graph.sources if node.train_times and node.times is not None}
    return {name: found[name] for name in names_of(graph)}


def balanced(graph: Graph, share: float | None = None, times: ArrayLike | Mapping[str, ArrayLike] | None = None,
             peak: float | Mapping[str, float] = 3.0, spread: float | Mapping[str, float] = 1.0) -> Graph:
    """The graph with weight_mean and weight_std chosen, of each population that has none, so that its neurons spike; see above.

    share: of the inputs that spike in a sample (default 1). times: when they do (ms, any shape; inf for none, which makes the
    share), a dict where populations of sources differ; by default evenly spread from t_early to t_late. peak and spread: one
    number, or a dict by population (3 and 1 for those that it does not name). Where neurons of a population differ, so do mean
    and standard deviation: arrays with one value a neuron. Populations that depend on each other are taken as if what comes later
    in the graph's order were silent, and inhibitory edges lower nobody's mean. Raises GraphError where a value is not positive,
    or share is not that of times.
    """
    goals = {name: {node.label: _goal(name, value, node.label, default, graph) for node in graph.neurons}
             for name, value, default in (("peak", peak, 3.0), ("spread", spread, 1.0))}
    spikes: dict[str, tuple[np.ndarray, float]] = {}  # (times, share) by population
    for node in graph.sources:
        given = times.get(node.label) if isinstance(times, Mapping) else times
        spikes[node.label] = (node.times.ravel(), 1.0) if node.times is not None else _inputs(graph, share, given)
    nodes = {node.label: node for node in graph.nodes}
    for label in (label for group in graph.groups for label in group):
        node = nodes[label]
        heard = [(*spikes[edge.pre], edge.n_connections / node.size) for edge in graph.afferents(label)
                 if edge.pre in spikes and edge.sign >= 0]
        mean, std, spiking, of_all = _population(node, heard, goals["peak"][label], goals["spread"][label])
        spikes[label] = spiking, of_all
        if node.weight_mean is None or node.weight_std is None:
            nodes[label] = replace(node, weight_mean=mean, weight_std=std)
    return replace(graph, nodes=tuple(nodes.values()))


def _goal(name, value, label, default, graph):
    if isinstance(value, Mapping):
        for key in value:
            graph.node(key)
        value = value.get(label, default)
    elif np.ndim(value):
        raise GraphError(f"{name} = {value}: give one number, or a dict by population: "
                         f"{', '.join(node.label for node in graph.neurons)}")
    if not 0 < value < np.inf:
        raise GraphError(f"{name} = {value} must be positive and finite")
    return float(value)


def _inputs(graph, share, times):
    """(times, share) of one population of inputs."""
    if times is None:
        share = 1.0 if share is None else share
        times = np.linspace(graph.t_early, graph.t_late, 1000)
    else:
        times = np.ravel(in_unit(times, "ms", "times"))
        given, share = share, float(np.isfinite(times).mean())
        if given not in (None, share):
            raise GraphError(f"share = {given}, but {share:g} of the times are spikes; leave it out")
    if not 0 < share <= 1:
        raise GraphError(f"share = {share} must be positive, and at most 1")
    return _quantiles(times[np.isfinite(times)]), share


def _quantiles(times):
    return np.quantile(times, (np.arange(_N_QUANTILES) + 0.5) / _N_QUANTILES)


def _population(node: Any, heard: list, peak: float, spread: float):
    """(mean, std) in current_scale, and times and share of the neurons' first spikes. heard: (times, share, sources a neuron)."""
    tau_m, tau_syn, cm, threshold = node.neuron.columns(node.size)
    kinds, of_neuron = np.unique(np.stack([tau_m, tau_syn, cm, threshold]), axis=1, return_inverse=True)
    heard = [(times[np.isfinite(times)], share * n) for times, share, n in heard]
    heard = [(times, spikes) for times, spikes in heard if times.size and spikes > 0]
    if not heard:
        return 1.0, 1.0, np.empty(0), 0.0
    times = np.concatenate([times for times, _ in heard])
    weight = np.concatenate([np.full(len(times), spikes / len(times)) for times, spikes in heard])
    z = ndtri((np.arange(_N_QUANTILES) + 0.5) / _N_QUANTILES)
    means, stds, spikes = [], [], []
    for kind in kinds.T:
        mean, std, first = _kind(replace(node.neuron, tau_m=kind[0], tau_syn=kind[1], cm=kind[2], v_rest=0.0, v_thresh=kind[3],
                                         v_reset=0.0), times, weight, peak, spread, z)
        means.append(mean)
        stds.append(std)
        spikes.append(first)
    counts = np.bincount(of_neuron.ravel())
    pooled = np.repeat(np.stack(spikes), counts, axis=0).ravel()
    finite = np.isfinite(pooled)
    mean_of, std_of = (np.array(values)[of_neuron.ravel()] for values in (means, stds))
    one = len(kinds.T) == 1
    return (float(mean_of[0]) if one else mean_of, float(std_of[0]) if one else std_of,
            _quantiles(pooled[finite]) if finite.any() else np.empty(0), float(finite.mean()))


def _kind(neuron, heard, weight, peak, spread, z):
    """Mean and std of the weights in current_scale and T(z), of neurons with the same parameters (floats). heard: times of
    spikes, each of which stands for `weight` of them."""
    leak = neuron.tau_m if np.isfinite(neuron.tau_m) else 0.0
    t = np.linspace(heard.min(), heard.max() + 5 * (neuron.tau_syn + leak), _N_TIMES)
    response = neuron.kernel(t[:, None] - heard)
    m_1, m_2 = response @ weight, response ** 2 @ weight
    top = m_1.argmax()
    mean = peak * neuron.threshold / m_1[top]
    std = spread * neuron.threshold / np.sqrt(m_2[top])
    v = mean * m_1[:, None] + std * np.sqrt(m_2)[:, None] * z
    above = v >= neuron.threshold
    first = np.where(above.any(axis=0), t[above.argmax(axis=0)], np.inf)
    return mean / neuron.current_scale, std / neuron.current_scale, first
