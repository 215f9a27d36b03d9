from dataclasses import replace

import numpy as np
import pytest

from tests.networks import samples, small_network
from ttfs_pynn.comparison import compare_first_spikes, explained_by_own_inputs
from ttfs_pynn.gradient_engine import first_spikes
from ttfs_pynn.network import Architecture, Layer, LayeredNetwork
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator


def test_counts_and_differences():
    reference = np.array([[1.0, 2.0, np.inf], [np.inf, 5.0, 6.0]])
    other = np.array([[1.5, np.inf, 3.0], [np.inf, 5.0, 5.75]])
    a = compare_first_spikes(reference, other)
    assert (a.matched, a.missing, a.extra) == (3, 1, 1)
    np.testing.assert_array_equal(a.differences, [0.5, 0.0, -0.25])
    assert a.max_abs_difference == 0.5
    assert compare_first_spikes(np.full((1, 1), np.inf), np.full((1, 1), np.inf)).max_abs_difference == 0
    with pytest.raises(ValueError, match="shape"):
        compare_first_spikes(reference, other[:1])


def test_exact_network_is_explained_by_its_own_inputs():
    network, weights = small_network()
    neurons = [layer.neuron for layer in network.architecture.layers]
    for a in explained_by_own_inputs(first_spikes(network.present(samples(8))), weights, neurons):
        assert a.matched > 10 and a.missing == a.extra == 0 and a.max_abs_difference < 1e-7


def test_a_spike_after_the_deadline_is_not_missing():
    """An early inhibition and a late, weak excitation: the ideal neuron spikes at 50.64 ms, when the readout is over."""
    neuron = LIFParameters()
    architecture = Architecture(2, (Layer(1, neuron),), 1.0, 20.0)
    weights = [np.array([[-177.5], [50.0]]) * neuron.current_scale]
    network = LayeredNetwork(simulator("exact").setup(0.1), architecture, weights)
    times = first_spikes(network.present(np.array([[1.0, 20.0], [np.inf, 1.0]])))
    assert times.deadline == network.timing.deadline < 50.64
    (late,), (read,) = (explained_by_own_inputs(spikes, weights, [neuron]) for spikes in (replace(times, deadline=np.inf), times))
    assert (late.matched, late.missing) == (1, 1) and (read.matched, read.missing, read.extra) == (1, 0, 0)
