"""A small layered network for tests, spike times for it, and what tests look at in any graph."""

import numpy as np

from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator


def small_graph(hidden=30, tau_m=10.0):
    neuron = LIFParameters(tau_m=tau_m)
    return layered(4, (Layer(hidden, neuron, (1.5, 9.0), 1.0, 1.0), Layer(3, neuron, (9.0,), 0.5, 0.6)), 1.5, 20.0)


def small_network(backend="exact", graph=None, seed=3, dt=0.1, **options):
    """(network, parameters) on a simulator, or on 'arrays'."""
    graph = graph or small_graph()
    parameters = initial_parameters(graph, np.random.default_rng(seed))
    if backend == "arrays":
        return ArrayNetwork(graph, parameters, **options), parameters
    return build(simulator(backend).setup(dt), graph, parameters, **options), parameters


def samples(n, seed=5):
    return np.random.default_rng(seed).uniform(1.5, 20.0, (n, 4))


def stacked(graph, parameters, label):
    """Weights (afferent cells, neurons) of all edges that lead to a population, one above the other."""
    return np.concatenate([edge.matrix(parameters[f"{edge.label}.weight"]) for edge in graph.afferents(label)])


def heard(graph, spikes, label):
    """When all that leads to a population arrives (samples, afferent cells), as long as delays are of whole cells."""
    assert all(spikes.delays[edge.label][1:] == (None, None) for edge in graph.afferents(label))
    return np.concatenate([spikes[edge.pre] + spikes.delays[edge.label].axonal for edge in graph.afferents(label)], axis=1)


def scaled(parameters, factor):
    """The same with all weights so many times as large."""
    return {name: factor * array if name.endswith(".weight") else array for name, array in parameters.items()}


def assert_same(found, expected, **tolerance):
    """Arrays by name are equal, or close where a tolerance is given."""
    assert set(found) == set(expected) and expected
    for name, array in expected.items():
        if tolerance:
            np.testing.assert_allclose(found[name], array, **{"rtol": 0, **tolerance}, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], array, err_msg=name)
