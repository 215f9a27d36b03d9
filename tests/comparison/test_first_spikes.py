from dataclasses import replace

import numpy as np
import pytest

from tests.small_networks import assert_same, samples, small_network
from ttfs_pynn.comparison import compare_first_spikes, explained_by_own_inputs
from ttfs_pynn.graph import Edge, Graph, Layer, Node, layered
from ttfs_pynn.graph.parameters import Delays
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.loss import PairwiseDifference
from ttfs_pynn.networks.pynn_network import build
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
    network, parameters = small_network()
    found = explained_by_own_inputs(first_spikes(network.present(samples(8))), network.graph, parameters)
    assert list(found) == ["layer0", "layer1"]
    for a in found.values():
        assert a.matched > 10 and a.missing == a.extra == 0 and a.max_abs_difference < 1e-7


def test_a_spike_after_the_deadline_is_not_missing():
    """An early inhibition and a late, weak excitation: the ideal neuron spikes at 50.64 ms, when the readout is over."""
    neuron = LIFParameters()
    graph = layered(2, (Layer(1, neuron),), 1.0, 20.0)
    parameters = {"input>layer0.weight": np.array([[-177.5], [50.0]]) * neuron.current_scale}
    network = build(simulator("exact").setup(0.1), graph, parameters)
    times = first_spikes(network.present(np.array([[1.0, 20.0], [np.inf, 1.0]])))
    assert times.deadline == network.timing.deadline < 50.64
    late, read = (explained_by_own_inputs(spikes, graph, parameters)["layer0"]
                  for spikes in (replace(times, deadline=np.inf), times))
    assert (late.matched, late.missing) == (1, 1) and (read.matched, read.missing, read.extra) == (1, 0, 0)


def test_the_delay_belongs_to_the_recorded_spikes():
    """Layers that wait 2.5 ms: explained without being told, and gradients of the spikes are those of the recording."""
    network, parameters = small_network(delay=2.5)
    graph = network.graph
    recording, labels = network.present(samples(8)), np.arange(8) % 3
    times = first_spikes(recording)
    for a in explained_by_own_inputs(times, graph, parameters).values():
        assert a.matched > 10 and a.missing == a.extra == 0 and a.max_abs_difference < 1e-7
    engine, loss = GradientEngine(graph), PairwiseDifference(10.0)
    of_recording = engine.gradients(recording, parameters, loss, labels)
    found = engine.backward(times, parameters, loss(times.labels, labels)[1] / 8)[0]
    assert all(np.abs(w).max() > 0 for w in found.values())
    assert_same(found, of_recording.parameters)
    at_once = replace(times, delays={edge.label: Delays() for edge in graph.edges})
    undelayed = engine.backward(at_once, parameters, loss(times.labels, labels)[1] / 8)[0]
    name = "input>layer0.weight"
    assert np.abs(undelayed[name] - found[name]).max() > 0.1 * np.abs(found[name]).max()
    assert explained_by_own_inputs(at_once, graph, parameters)["layer0"].max_abs_difference > 1
    whole = evaluate(network, SpikeData(samples(8), labels), batch_size=3).first_spikes
    assert whole.delays == times.delays and whole.deadline == network.timing.deadline
    assert {delays.axonal for delays in whole.delays.values()} == {2.5}


def test_a_cycle_is_explained_neuron_by_neuron():
    """Given what the others of its population were recorded to send: a spike that is moved is one difference, not an
    avalanche."""
    neuron = LIFParameters(tau_m=20.0)
    graph = Graph((Node("in", 3), Node("ring", 4, neuron)), (Edge("in>ring", "in", "ring"), Edge(
        "ring>ring", "ring", "ring", np.array([[3, 0], [0, 1], [1, 2], [2, 3]]), delay=1.0)), "ring", 1.0, 20.0)
    rng = np.random.default_rng(2)
    parameters = {"in>ring.weight": rng.uniform(1, 3, (3, 4)), "ring>ring.weight": np.array([2.0, 2.0, -1.0, 2.0])}
    network = build(simulator("exact").setup(0.1), graph, parameters)
    times = first_spikes(network.present(rng.uniform(1, 20, (6, 3))))
    (a,) = explained_by_own_inputs(times, graph, parameters).values()
    assert a.matched == np.isfinite(times["ring"]).sum() > 15 and a.missing == a.extra == 0 and a.max_abs_difference < 1e-9
    moved = times["ring"].copy()
    moved[:, 3] += 0.5
    (b,) = explained_by_own_inputs(times.with_times({"ring": moved}), graph, parameters).values()
    # Neuron 3 itself is off by 0.5; what it causes in neuron 0 by less, the others not at all.
    assert b.matched == a.matched and (np.abs(b.differences) < 1e-9).sum() >= 12 and b.max_abs_difference == pytest.approx(0.5)
