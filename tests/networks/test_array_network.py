import numpy as np
import pytest

from tests.small_networks import assert_same, samples, scaled, small_graph, small_network
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.loss import PairwiseDifference
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.simulators import simulator
from ttfs_pynn.spikes.windows import PresentationError


def test_same_spikes_and_gradients_as_exact():
    simulated, parameters = small_network()
    arrays = ArrayNetwork(simulated.graph, parameters)
    t, labels = samples(40), np.arange(40) % 3
    engine = GradientEngine(arrays.graph)
    loss = PairwiseDifference(tau_syn=10.0)
    one, other = (engine.gradients(network.present(t), parameters, loss, labels) for network in (arrays, simulated))
    for label in ("layer0", "layer1"):
        a, b = one.first_spikes[label], other.first_spikes[label]
        spiking = np.isfinite(a)
        assert spiking.sum() > 40
        np.testing.assert_array_equal(np.isfinite(b), spiking)
        # Windows start where membranes have decayed to 1e-12; a flat crossing amplifies it.
        assert np.median(np.abs(a[spiking] - b[spiking])) < 1e-10 and np.abs(a[spiking] - b[spiking]).max() < 1e-5
    assert set(one.parameters) == set(other.parameters) == set(parameters)
    for name, b in other.parameters.items():
        np.testing.assert_allclose(one.parameters[name], b, atol=1e-6 * np.abs(b).max())
        assert np.abs(b).max() > 0


def test_weights_are_written_and_read():
    network, _ = small_network("arrays", seed=0)
    before = network.present(samples(5)).labels
    other = initial_parameters(network.graph, np.random.default_rng(1))
    network.write(other)
    assert_same(network.read(), other)
    network.read()["input>layer0.weight"][:] = 0
    assert_same(network.read(), other)  # what is read is a copy
    assert (network.present(samples(5)).labels != before).any()
    assert first_spikes(network.present(samples(5)))["bias0"].shape == (5, 2)


def test_weights_stay_within_the_range_of_a_chip_in_training():
    graph = small_graph()
    chip = simulator("brainscales2").configured({"input_copies": 1})
    parameters = scaled(initial_parameters(graph, np.random.default_rng(0)), 10)
    limited = ArrayNetwork(graph, parameters, simulator=chip).within_limits(parameters)
    assert set(limited) == set(parameters)
    for edge in graph.edges:
        w, found = (values[f"{edge.label}.weight"] for values in (parameters, limited))
        limit = 63 * chip.unit(graph.node(edge.post).neuron)
        assert np.abs(w).max() > limit
        np.testing.assert_array_equal(found, np.clip(w, -limit, limit))
    free = ArrayNetwork(graph, parameters).within_limits(parameters)
    assert all(free[name] is array for name, array in parameters.items())


def test_bad_input():
    network, _ = small_network("arrays")
    with pytest.raises(ValueError, match="4 inputs"):
        network.present(np.zeros((2, 3)))
    with pytest.raises(PresentationError, match="spikes at -1 ms; give times from the start of a sample, zero or more"):
        network.present(np.array([[-1.0, 1, 2, 3]]))
    with pytest.raises(PresentationError, match="spikes at nan ms"):
        network.present(np.array([[np.nan, 1, 2, 3]]))
    with pytest.raises(PresentationError, match="spikes at 80 ms, not before the deadline of 80 ms; use inf for no spike"):
        network.present(np.array([[80.0, 1, 2, 3]]))
