import numpy as np
import pytest

from tests.networks import samples, small_network
from ttfs_pynn.comparison import compare_first_spikes, explained_by_own_inputs
from ttfs_pynn.gradient_engine import first_spikes


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
