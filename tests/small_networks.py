"""A small layered network for tests, and spike times for it."""

import numpy as np

from ttfs_pynn.networks.network import Architecture, Layer, LayeredNetwork
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator


def small_architecture(hidden=30, tau_m=10.0):
    neuron = LIFParameters(tau_m=tau_m)
    return Architecture(4, (Layer(hidden, neuron, (1.5, 9.0), 1.0, 1.0), Layer(3, neuron, (9.0,), 0.5, 0.6)), 1.5, 20.0)


def small_network(backend="exact", architecture=None, seed=3, dt=0.1, **options):
    architecture = architecture or small_architecture()
    weights = architecture.initial_weights(np.random.default_rng(seed))
    sim = simulator(backend).setup(dt)
    return LayeredNetwork(sim, architecture, weights, **options), weights


def samples(n, seed=5):
    return np.random.default_rng(seed).uniform(1.5, 20.0, (n, 4))
