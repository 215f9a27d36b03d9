"""Samples as a user has them: arrays, ragged lists, recordings; and what is refused."""

import neo
import numpy as np
import pytest
import quantities as pq

from tests.small_networks import assert_same, small_network
from tests.spikes.test_trials import block_of
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.data import EncodedData, SpikeData, jittered
from ttfs_pynn.learning.engine import GradientEngine
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.loss import PairwiseDifference
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Callback, Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.interface import input_times
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.runs.folder import RunFolder

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


def mirrored(features, labels, rng):
    """A feature x becomes 1 - x, of half of the samples, and the classes 0 and 2 change places."""
    turn = rng.random(len(labels)) < 0.5
    return np.where(turn[:, None], 1 - features, features), np.where(turn, 2 - labels, labels)


def encoded(n=120, augment=mirrored, encode=lambda features: 1.5 + 18.0 * features, seed=3):
    """Which third does the first of four features lie in?"""
    features = np.random.default_rng(seed).random((n, 4))
    return EncodedData(features, np.digitize(features[:, 0], [1 / 3, 2 / 3]), encode, augment, ("low", "middle", "high"))


def test_encoded_data_are_spike_data():
    """Whoever reads `times` finds those of the features as they are."""
    data = encoded()
    expected = 1.5 + 18.0 * data.features
    np.testing.assert_array_equal(data.times, expected)
    plain = SpikeData(expected, data.labels, data.classes)
    network, _ = small_network()
    assert_same(input_times(network.graph, data.times), input_times(network.graph, plain.times))
    np.testing.assert_array_equal(data.batch([4, 2]), expected[[4, 2]])
    one, other = evaluate(network, data), evaluate(network, plain)
    assert np.isfinite(one.label_times).any()
    np.testing.assert_array_equal(one.label_times, other.label_times)
    for n in (slice(5, 9), np.array([7, 3])):
        part = data.select(n)
        assert isinstance(part, EncodedData) and part.classes == data.classes
        np.testing.assert_array_equal(part.features, data.features[n])
        np.testing.assert_array_equal(part.times, expected[n])
        np.testing.assert_array_equal(part.labels, data.labels[n])


@pytest.mark.parametrize("part", [slice(None), slice(20, 60)])
def test_what_training_is_shown_is_drawn_and_labels_change_with_it(part):
    data, rng = encoded().select(part), np.random.default_rng(8)
    before = data.features.copy()
    chosen = np.arange(0, 40, 2)
    times, labels = data.drawn(chosen, rng)
    again, other = data.drawn(chosen, np.random.default_rng(8)), data.drawn(chosen, rng)
    assert_same(dict(enumerate(again)), {0: times, 1: labels})
    assert (other[1] != labels).any()
    turned = (times != data.batch(chosen)).any(axis=1)
    assert 3 < turned.sum() < 17
    np.testing.assert_array_equal(labels, np.digitize((times[:, 0] - 1.5) / 18.0, [1 / 3, 2 / 3]))
    np.testing.assert_array_equal(labels[~turned], data.labels[chosen][~turned])
    np.testing.assert_array_equal(data.features, before)


def test_features_of_several_populations():
    data = encoded(encode=lambda features: {"A": 1 + features[:, :3], "B": 2 + features[:, 3:]})
    times, labels = data.drawn(slice(0, 7), np.random.default_rng(0))
    assert times["A"].shape == (7, 3) and times["B"].shape == (7, 1) and labels.shape == (7,)
    assert_same(data.select([1]).times, {"A": 1 + data.features[1:2, :3], "B": 2 + data.features[1:2, 3:]})


@pytest.mark.parametrize("augment, text", [
    (lambda f, n, rng: f, "must return .features, labels."), (lambda f, n, rng: (f, n[:-1]), "as many of both"),
    (lambda f, n, rng: (f[:-1], n), "as many of both"), (lambda f, n, rng: (f, n / 2), "integers as labels"),
    (lambda f, n, rng: (3.0, n), "as many of both"),
    (lambda f, n, rng: [f, n], "must return .features, labels."),
    (lambda f, n, rng: None, "must return .features, labels.")])
def test_what_augment_must_return(augment, text):
    with pytest.raises(ConfigurationError, match=text):
        encoded(augment=augment).drawn(slice(0, 9), np.random.default_rng(0))


def test_what_encode_must_return():
    with pytest.raises(ConfigurationError, match=r"times of shape \(119, 4\) and labels of shape \(120,\)"):
        encoded(encode=lambda features: features[1:])
    with pytest.raises(ConfigurationError, match="as many samples as it was given features: 9"):
        encoded(encode=lambda features: np.ones((120, 4))).drawn(slice(0, 9), np.random.default_rng(0))
    for changes, text in (({"encode": None}, "encode is NoneType; give a function"), ({"augment": 3}, "augment is int")):
        with pytest.raises(ConfigurationError, match=text):
            encoded(**changes)


def test_labels_beyond_the_classes_are_refused_in_training():
    network, _ = small_network()
    data = encoded(augment=lambda features, labels, rng: (features, labels + 1))
    with pytest.raises(ValueError, match="labels from 1 to 3 for 3 classes"):
        Trainer(network, data, TrainingOptions(epochs=1, batch_size=120)).run()


def test_accuracy_of_training_counts_the_labels_that_were_drawn():
    """Of an epoch without a step: what the network answers, beside the labels that each sample was shown with."""
    shown = []

    def augment(features, labels, rng):
        shown.append(mirrored(features, labels, rng))
        return shown[-1]

    network, _ = small_network()
    data = encoded(augment=augment)
    history = Trainer(network, data, TrainingOptions(epochs=1, batch_size=40, learning_rate=1e-300, bump=0.0)).run()
    assert len(shown) == 3
    features, labels = (np.concatenate(parts) for parts in zip(*shown, strict=True))
    answers = evaluate(network, SpikeData(1.5 + 18.0 * features, labels))
    assert history[0]["train_accuracy"] == answers.accuracy > 0
    assert answers.accuracy != evaluate(network, data).accuracy


@pytest.mark.parametrize("stop", [1, 3])
def test_a_run_with_drawn_samples_that_was_stopped_has_the_same_bits(tmp_path, stop):
    class Stop(Callback):
        def on_epoch_end(self, trainer, record):
            if record["epoch"] == stop:
                raise KeyboardInterrupt

    def trainer(folder=None, callbacks=(), augment=mirrored):
        return Trainer(small_network()[0], encoded(augment=augment),
                       TrainingOptions(epochs=4, batch_size=40, learning_rate=0.01, seed=9, input_jitter=0.5),
                       encoded(30, seed=4), folder, callbacks)

    whole, folder = trainer(), RunFolder.create(tmp_path / "run", {"seed": 9})
    whole.run()
    with pytest.raises(KeyboardInterrupt):
        trainer(folder, [Stop()]).run()
    again = trainer(folder)
    folder.resume(again)
    assert again.epoch == stop
    again.run()
    assert_same(again.parameters, whole.parameters)
    assert [r["train_loss"] for r in again.history] == [r["train_loss"] for r in whole.history]
    still = trainer(augment=lambda features, labels, rng: (features, labels))
    still.run()
    assert any((still.parameters[name] != array).any() for name, array in whole.parameters.items()), "something was drawn"
