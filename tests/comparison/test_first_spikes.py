from dataclasses import replace

import numpy as np
import pytest

from tests.small_networks import samples, small_network
from ttfs_pynn.comparison import compare_first_spikes, explained_by_own_inputs
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.loss import PairwiseDifference
from ttfs_pynn.networks.network import Architecture, Layer, LayeredNetwork
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


def test_the_delay_belongs_to_the_recorded_spikes():
    """Layers that wait 2.5 ms: explained without being told, and gradients of the spikes are those of the recording."""
    network, weights = small_network(delay=2.5)
    neurons = [layer.neuron for layer in network.architecture.layers]
    recording, labels = network.present(samples(8)), np.arange(8) % 3
    times = first_spikes(recording)
    for a in explained_by_own_inputs(times, weights, neurons):
        assert a.matched > 10 and a.missing == a.extra == 0 and a.max_abs_difference < 1e-7
    assert explained_by_own_inputs(times, weights, neurons, 2.5)[0].matched > 10
    with pytest.raises(ValueError, match="delay = 0.0 ms, but these spikes travelled 2.5 ms"):
        explained_by_own_inputs(times, weights, neurons, 0.0)
    engine, loss = GradientEngine(neurons), PairwiseDifference(10.0)
    of_recording = engine.gradients(recording, weights, loss, labels)
    found = engine.backward(times, weights, loss(times.layers[-1], labels)[1] / 8)[0]
    assert all(np.abs(w).max() > 0 and np.array_equal(w, other) for w, other in zip(of_recording.weights, found, strict=True))
    undelayed = engine.backward(replace(times, delay=0.0), weights, loss(times.layers[-1], labels)[1] / 8)[0]
    assert np.abs(undelayed[0] - found[0]).max() > 0.1 * np.abs(found[0]).max()
    whole = evaluate(network, SpikeData(samples(8), labels), batch_size=3).first_spikes
    assert (whole.delay, whole.deadline) == (2.5, network.timing.deadline)
