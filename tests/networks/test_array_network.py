import numpy as np
import pytest

from tests.small_networks import samples, small_architecture, small_network
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.loss import PairwiseDifference
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.simulators import simulator
from ttfs_pynn.spikes.windows import PresentationError


def test_same_spikes_and_gradients_as_exact():
    simulated, weights = small_network()
    arrays = ArrayNetwork(simulated.architecture, weights)
    t, labels = samples(40), np.arange(40) % 3
    engine = GradientEngine([layer.neuron for layer in arrays.architecture.layers])
    loss = PairwiseDifference(tau_syn=10.0)
    one, other = (engine.gradients(network.present(t), weights, loss, labels) for network in (arrays, simulated))
    for a, b in zip(one.first_spikes.layers, other.first_spikes.layers, strict=True):
        spiking = np.isfinite(a)
        assert spiking.sum() > 40
        np.testing.assert_array_equal(np.isfinite(b), spiking)
        # Windows start where membranes have decayed to 1e-12; a flat crossing amplifies it.
        assert np.median(np.abs(a[spiking] - b[spiking])) < 1e-10 and np.abs(a[spiking] - b[spiking]).max() < 1e-5
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6 * np.abs(b).max())


def test_weights_are_written_and_read():
    architecture = small_architecture()
    network = ArrayNetwork(architecture, architecture.initial_weights(np.random.default_rng(0)))
    before = network.present(samples(5)).layers[-1]
    other = architecture.initial_weights(np.random.default_rng(1))
    network.write_weights(other)
    for w, read in zip(other, network.read_weights(), strict=True):
        np.testing.assert_array_equal(w, read)
    assert (network.present(samples(5)).layers[-1] != before).any()
    assert first_spikes(network.present(samples(5))).biases[0].shape == (5, 2)


def test_weights_stay_within_the_range_of_a_chip_in_training():
    architecture = small_architecture()
    chip = simulator("brainscales2").configured({"input_copies": 1})
    weights = [10 * w for w in architecture.initial_weights(np.random.default_rng(0))]
    limited = ArrayNetwork(architecture, weights, simulator=chip).within_limits(weights)
    for w, found, layer in zip(weights, limited, architecture.layers, strict=True):
        limit = 63 * chip.unit(layer.neuron)
        assert np.abs(w).max() > limit
        np.testing.assert_array_equal(found, np.clip(w, -limit, limit))
    assert ArrayNetwork(architecture, weights).within_limits(weights) is weights


def test_bad_input():
    architecture = small_architecture()
    network = ArrayNetwork(architecture, architecture.initial_weights(np.random.default_rng(0)))
    with pytest.raises(ValueError, match="4 inputs"):
        network.present(np.zeros((2, 3)))
    with pytest.raises(PresentationError, match="outside 0 to"):
        network.present(np.array([[-1.0, 1, 2, 3]]))
    with pytest.raises(PresentationError, match="nan"):
        network.present(np.array([[np.nan, 1, 2, 3]]))
