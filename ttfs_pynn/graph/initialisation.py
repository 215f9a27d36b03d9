"""Initial weights with which a network learns, whatever its sizes, depth and time constants.

The membrane of a neuron that hears n sources with weights of mean mu and standard deviation sigma has, over neurons at time t,

    mean  a(t) = mu m_1(t),  standard deviation  b(t) = sigma sqrt(m_2(t)),
    m_p(t) = n share < K(t - t_i)^p >_{t_i} + sum_{bias spikes} K(t - t_b)^p,

`share` of the sources spiking, at times t_i. `balanced` chooses mu and sigma from one time: t* is `rise` tau_syn after the share
`arrived` of all spikes that a neuron hears has come. There the mean membrane reaches threshold for the first time, and its
standard deviation is `spread` of it:

    a(t*) = v_thresh - v_rest,      b(t*) = spread (v_thresh - v_rest).

So about half of the neurons spike before t* and half after it: each hears a part of its inputs before it decides. The spread is
what a deep network keeps of differences between its inputs. A shift of all inputs passes through a layer unchanged, but shifts
of single ones come out smaller, by about b(t*)/a(t*). With 0.2 and less, all neurons of five layers of 350 spike together, and
the network learns nothing, or late; with 0.7 many neurons are silent. Defaults were chosen on validation samples of Yin-Yang
and MNIST (benchmarks/README.md). The reasoning from mean and spread of the membrane is that of Rossbroich, Gygax and Zenke
(Neuromorph. Comput. Eng. 2, 044016, 2022) for Poisson input.

Taking every neuron's membrane as a(t) + b(t) z with its own fixed z gives the times of its first spikes,

    T(z) = min { t : a(t) + b(t) z >= v_thresh - v_rest },

whose share and spread are those of the sources of the next layer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ttfs_pynn.graph.graph import Graph, GraphError
from ttfs_pynn.graph.parameters import delay_ranges, names_of
from ttfs_pynn.units import in_unit

__all__ = ["balanced", "initial_parameters"]

_N_TIMES, _N_QUANTILES = 1000, 200


class _Goals(NamedTuple):
    """Of a population, see `balanced`."""

    arrived: float = 0.5
    rise: float = 0.1
    spread: float = 0.3


def initial_parameters(graph: Graph, rng: np.random.Generator,
                       times: ArrayLike | Mapping[str, ArrayLike] | None = None) -> dict[str, np.ndarray]:
    """Where training starts: normally distributed weights from a numpy Generator, and delays from one that it spawns, so weights
    are the same with and without them.

    Weights of a population have its weight_mean and weight_std; where it has none, those that `balanced` chooses, from the times
    of some samples where they are given. Signed edges get the sizes of the numbers drawn.
    """
    found: dict[str, np.ndarray] = {}
    if any(node.weight_mean is None or node.weight_std is None for node in graph.neurons):
        graph = balanced(graph, times=times)
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
             arrived: float | Mapping[str, float] = 0.5, rise: float | Mapping[str, float] = 0.1,
             spread: float | Mapping[str, float] = 0.3) -> Graph:
    """The graph with weight_mean and weight_std chosen, of each population that has none, so that its neurons spike; see above.

    share: of the inputs that spike in a sample (default 1). times: when they do (ms, any shape; inf for none, which makes the
    share; several a source where the last of three axes is spikes), a dict where populations of sources differ; by default evenly
    spread from t_early to t_late. arrived, rise, spread: one number, or a dict by population (the default for those that it does
    not name). Where neurons of a population differ, so do mean and standard deviation: arrays with one value a neuron.
    Populations that depend on each other are taken as if what comes later in the graph's order were silent, and inhibitory edges
    lower nobody's mean. Raises GraphError where a value is not positive, arrived is above 1, or share is not that of times.
    """
    goals = {node.label: _Goals(*(_goal(name, value, node.label, _Goals._field_defaults[name], graph)
                                  for name, value in (("arrived", arrived), ("rise", rise), ("spread", spread))))
             for node in graph.neurons}
    spikes: dict[str, tuple[np.ndarray, float]] = {}  # (times, share) by population
    for node in graph.sources:
        given = times.get(node.label) if isinstance(times, Mapping) else times
        spikes[node.label] = _inputs(graph, share, given) if node.times is None else (
            node.times.ravel(), float(np.isfinite(node.times).sum() / max(node.size, 1)))
    nodes = {node.label: node for node in graph.nodes}
    for label in (label for group in graph.groups for label in group):
        node = nodes[label]
        heard = [(*spikes[edge.pre], edge.n_connections / node.size) for edge in graph.afferents(label)
                 if edge.pre in spikes and edge.sign >= 0]
        mean, std, spiking, of_all = _population(node, heard, goals[label])
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
    if not 0 < value < np.inf or name == "arrived" and value > 1:
        raise GraphError(f"{name} = {value} must be positive, and {'at most 1' if name == 'arrived' else 'finite'}")
    return float(value)


def _inputs(graph, share, times):
    """(times, share) of one population of inputs."""
    if times is None:
        share = 1.0 if share is None else share
        times = np.linspace(graph.t_early, graph.t_late, 1000)
    else:
        array = np.asarray(in_unit(times, "ms", "times"))
        times, sources = array.ravel(), max(array[..., 0].size if array.ndim == 3 else array.size, 1)
        given, share = share, float(np.isfinite(times).sum() / sources)
        if given not in (None, share):
            raise GraphError(f"share = {given}, but {share:g} of the times are spikes; leave it out")
        if share:
            return _quantiles(times[np.isfinite(times)]), share
    if not 0 < share <= 1:
        raise GraphError(f"share = {share} must be positive, and at most 1")
    return _quantiles(times[np.isfinite(times)]), share


def _quantiles(times):
    return np.quantile(times, (np.arange(_N_QUANTILES) + 0.5) / _N_QUANTILES)


def _population(node: Any, heard: list, goals: _Goals):
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
                                         v_reset=0.0), times, weight, goals, z)
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


def _kind(neuron, heard, weight, goals, z):
    """Mean and std of the weights in current_scale and T(z), of neurons with the same parameters (floats). heard: times of
    spikes, each of which stands for `weight` of them."""
    leak = neuron.tau_m if np.isfinite(neuron.tau_m) else 0.0
    order = np.argsort(heard, kind="stable")
    come = np.cumsum(weight[order])
    t_star = np.interp(goals.arrived, come / come[-1], heard[order]) + goals.rise * neuron.tau_syn
    t = np.append(t_star, np.linspace(heard.min(), heard.max() + 5 * (neuron.tau_syn + leak), _N_TIMES))
    t.sort()
    response = neuron.kernel(t[:, None] - heard)
    m_1, m_2 = response @ weight, response ** 2 @ weight
    at = np.searchsorted(t, t_star)
    mean = neuron.threshold / m_1[:at + 1].max()  # the membrane may have had a maximum before: there it is reached
    std = goals.spread * neuron.threshold / np.sqrt(m_2[at])
    v = mean * m_1[:, None] + std * np.sqrt(m_2)[:, None] * z
    above = v >= neuron.threshold
    first = np.where(above.any(axis=0), t[above.argmax(axis=0)], np.inf)
    return mean / neuron.current_scale, std / neuron.current_scale, first
