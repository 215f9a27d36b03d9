"""Samples as a user has them: arrays, ragged lists, recordings; and what is refused."""

import neo
import numpy as np
import pytest
import quantities as pq

from tests.small_networks import assert_same
from tests.spikes.test_trials import block_of
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.data import SpikeData, jittered
from ttfs_pynn.learning.engine import GradientEngine
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.loss import PairwiseDifference
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters

INF = np.inf
RAGGED = [[[3.0, 1.0], [], [2.5]], [[4.0], [7.0, 5.0, 6.0], []]]  # two samples of three sources
PADDED = [[[1, 3, INF], [INF, INF, INF], [2.5, INF, INF]], [[4, INF, INF], [5, 6, 7], [INF, INF, INF]]]


@pytest.mark.parametrize("times", [
    RAGGED, [[np.array(train) for train in sample] for sample in RAGGED], tuple(tuple(map(tuple, sample)) for sample in RAGGED),
    [[np.array(train) / 1000 * pq.s for train in sample] for sample in RAGGED], np.array(PADDED), np.array(PADDED) / 1000 * pq.s])
def test_several_spikes_of_a_source_however_they_are_given(times):
    data = SpikeData(times, [0, 1])
    np.testing.assert_allclose(data.times, PADDED)
    assert len(data) == 2 and data.labels.tolist() == [0, 1]


def test_samples_are_chosen_in_every_population():
    data = SpikeData({"A": np.arange(8.0).reshape(4, 2), "B": np.arange(4.0).reshape(4, 1)}, [0, 1, 0, 1])
    part = data.select(np.array([2, 0]))
    assert_same(part.times, {"A": [[4, 5], [0, 1]], "B": [[2], [0]]})
    assert part.labels.tolist() == [0, 0]
    assert_same(data.batch(slice(3, 4)), {"A": [[6, 7]], "B": [[3]]})


def test_trials_of_a_block_are_samples_and_an_annotation_labels_them():
    block = block_of(RAGGED, [{"stimulus": "right"}, {"stimulus": "left"}])
    data = SpikeData({"A": block}, "stimulus")
    np.testing.assert_allclose(data.times["A"], PADDED)
    assert data.labels.tolist() == [1, 0] and data.classes == ("left", "right")
    assert data.select([0]).classes == ("left", "right")
    ordered = SpikeData({"A": block, "B": np.ones((2, 1))}, "stimulus", ("right", "left", "none"))
    assert ordered.labels.tolist() == [0, 1] and ordered.classes == ("right", "left", "none")
    assert SpikeData(block, [1, 0]).times.shape == (2, 3, 3)


def test_every_spike_of_a_ragged_list_counts_in_training():
    """Late spikes alone tell the classes apart: an accuracy of chance without them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 80)
    ragged = [[[1.0, 5.0 + 6 * label], [1.0, 11.0 - 6 * label]] for label in labels]
    graph = layered(2, (Layer(8, LIFParameters(), (), 0.7, 0.3), Layer(2, LIFParameters(), (), 0.4, 0.2)), 1.0, 12.0)
    accuracies = []
    for times in (ragged, [[train[:1] for train in sample] for sample in ragged]):
        data = SpikeData({"input": times}, labels)
        network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(1)))
        Trainer(network, data, TrainingOptions(epochs=6, batch_size=8, learning_rate=0.02)).run()
        accuracies.append(evaluate(network, data).accuracy)
    assert accuracies[0] == 1 and accuracies[1] < 0.7


def test_one_spike_is_the_same_in_either_form():
    """(samples, sources) and (samples, sources, 1): the same answers and gradients."""
    graph = layered(4, (Layer(6, LIFParameters()), Layer(3, LIFParameters())), 1.0, 12.0)
    parameters = initial_parameters(graph, np.random.default_rng(1))
    network, engine, found = ArrayNetwork(graph, parameters), GradientEngine(graph), []
    times, labels = np.random.default_rng(2).uniform(1, 12, (9, 4)), np.arange(9) % 3
    for form in (times, times[:, :, None], np.dstack([times, np.full((9, 4), INF)])):
        found.append(engine.gradients(network.present(form), parameters, PairwiseDifference(10.0), labels))
    assert all(g.any() for g in found[0].parameters.values())
    for other in found[1:]:
        assert_same(other.parameters, found[0].parameters, rtol=1e-12)


@pytest.mark.parametrize("times, labels, text", [
    ([[[1.0], [2.0]], [[1.0]]], [0, 1], "times: samples have 1, 2 sources; every sample needs a list for each source"),
    ({"A": [[["x"], [2.0]]]}, [0], "times of 'A': could not convert string"),
    ({}, [0], "no spike times: give an array, or a dict"),
    ({"A": np.ones((2, 3)), "B": np.ones((3, 3))}, [0, 1], r"times of 'B' of shape \(3, 3\) and labels of shape \(2,\)"),
    (np.ones(3), [0, 1, 2], r"times have shape \(3,\); expected \(samples, inputs\), or \(samples, inputs, spikes\)"),
    (np.ones((2, 2, 2, 2)), [0, 1], "times have shape"),
    ({"A": [[[-1.0]]]}, [0], "an input spikes at -1 ms; give times from the start of a sample"),
    ({"A": [[[np.nan]]]}, [0], "1 spike times of 'A' are NaN; inf is for an input that does not spike"),
    ({"A": np.ones((1, 1))}, "stimulus", "labels = 'stimulus', a text, names an annotation .*, but no Block was given"),
    (neo.Block(), "stimulus", "segments have no annotation 'stimulus'"),
    (np.ones((2, 2)), [0, -1], "labels are from -1; give integers from 0"),
    (np.ones((2, 2)), ["a", "b"], "labels are <U1, the first 'a'; give integers from 0"),
    (np.ones((2, 2)), [[0], [1]], r"labels of shape \(2, 1\)"),
    (np.ones((0, 2)), [], "at least one sample"),
    ([[1.0, 2.0], [3.0]], [0, 1], r"times: .*inhomogeneous shape.*; give an array \(samples, sources\), or a list of"),
    ({"A": [["a", "b"]]}, [0], "times of 'A': could not convert string to float: 'a'")])
def test_what_is_refused_in_one_line(times, labels, text):
    with pytest.raises(ConfigurationError, match=text) as error:
        SpikeData(times, labels)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(80, 30), (5, 4, 3), (3, 0)])
def test_jitter_takes_the_noise_of_the_generator_spike_by_spike(shape):
    rng = np.random.default_rng(5)
    times = rng.uniform(0, 20, shape)
    times[rng.random(shape) < 0.6] = INF
    one, other = np.random.default_rng(9), np.random.default_rng(9)
    given, found, spikes = times.copy(), jittered(times, one, 2.5), np.isfinite(times)
    expected = times.copy()
    expected[spikes] = np.abs(times[spikes] + other.normal(0.0, 2.5, np.count_nonzero(spikes)))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(times, given)
    assert one.random() == other.random() and (not times.size or (found != times).any())
