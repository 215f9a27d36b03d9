"""Accuracy against decision time and spikes until then, against the plain definitions."""

import numpy as np
import pytest

from tests.learning.test_training import task
from tests.small_networks import small_network
from ttfs_pynn.learning.decision import accuracy_at, margins, spikes_until, time_to_accuracy
from ttfs_pynn.learning.evaluation import evaluate

INF = np.inf
TIMES = np.array([[3.0, 5.0, INF], [4.0, 2.0, 6.0], [INF, INF, INF], [7.0, 8.0, 1.0]])
LABELS = np.array([0, 0, 1, 2])  # right at 3, wrong at 2 (and stays so at 4), never, right at 1


def test_by_hand():
    np.testing.assert_array_equal(accuracy_at(TIMES, LABELS, [0.0, 0.999, 1.0, 2.9, 3.0, 4.0, INF]),
                                  [0, 0, 0.25, 0.25, 0.5, 0.5, 0.5])
    assert accuracy_at(TIMES, LABELS, 1.0) == 0.25
    np.testing.assert_array_equal(time_to_accuracy(TIMES, LABELS, [0.0, 0.25, 0.26, 0.5, 0.51]), [0, 1, 3, 3, INF])


def drawn(seed):
    """A few samples with many ties and silent neurons, and as many labels."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 13)
    return rng.choice([0.0, 0.5, 1.0, 1.5, INF], (n, 3)), rng.integers(0, 3, n)


@pytest.mark.parametrize("t", [0.0, 0.4, 0.5, 1.0, 3.0, INF])
def test_stopping_the_readout_is_the_same_as_removing_what_comes_later(t):
    for seed in range(100):
        times, labels = drawn(seed)
        seen = np.where(times <= t, times, INF)
        plain = [bool(np.isfinite(row).any() and row.argmin() == label) for row, label in zip(seen, labels, strict=True)]
        assert accuracy_at(times, labels, t) == np.mean(plain)


def test_time_to_accuracy_is_the_first_at_which_it_holds():
    reached = 0
    for seed in range(300):
        times, labels = drawn(seed)
        accuracy = np.random.default_rng(seed).uniform()
        t = time_to_accuracy(times, labels, accuracy)
        reached += np.isfinite(t)
        if np.isfinite(t):
            assert accuracy_at(times, labels, t) >= accuracy
            assert t == 0 or accuracy_at(times, labels, np.nextafter(t, -INF)) < accuracy
        else:
            assert accuracy_at(times, labels, INF) < accuracy
    assert 50 < reached < 250


def test_spikes_layer_by_layer():
    layers = (np.array([[1.0, 2.0, INF], [4.0, 5.0, 6.0]]), np.array([[2.0, 3.0], [INF, INF]]))
    np.testing.assert_array_equal(spikes_until(layers, [2.0, INF]), [[2, 1], [3, 0]])
    np.testing.assert_array_equal(spikes_until(layers), [[2, 2], [3, 0]])
    np.testing.assert_array_equal(spikes_until(layers, 4.0), [[2, 2], [1, 0]])


def test_an_evaluation_holds_both_counts_and_its_summary():
    network, _ = small_network()
    e = evaluate(network, task(30), batch_size=7)
    hidden, label = e.first_spikes["layer0"], e.first_spikes["layer1"]
    decided = np.isfinite(e.latency)
    assert 0 < decided.sum()
    np.testing.assert_array_equal(e.layer_spikes[:, 0], [(h <= t).sum() if t < INF else np.isfinite(h).sum()
                                                         for h, t in zip(hidden, e.latency, strict=True)])
    assert (e.layer_spikes[decided, 1] == 1).all()  # of exact times no two are equal here
    np.testing.assert_array_equal(e.window_spikes, np.stack([np.isfinite(hidden).sum(1), np.isfinite(label).sum(1)], axis=1))
    assert (e.window_spikes >= e.layer_spikes).all() and (e.window_spikes > e.layer_spikes).any()
    summary = e.summary("validation")
    assert summary == {"validation_accuracy": e.accuracy, "validation_latency_ms": e.latency[decided].mean(),
                       "validation_spikes": e.spikes.mean(), "validation_no_answer": 1 - decided.mean()}
    assert accuracy_at(e.label_times, e.labels, INF) == e.accuracy


def test_a_network_that_never_answers():
    silent = np.full((3, 2), INF)
    assert accuracy_at(silent, np.zeros(3, dtype=int), INF) == 0 and time_to_accuracy(silent, np.zeros(3, dtype=int), 0.1) == INF


@pytest.mark.parametrize("call, text", [
    (lambda: accuracy_at(TIMES, LABELS[:2], 1.0), "labels of shape"),
    (lambda: accuracy_at(TIMES[0], LABELS, 1.0), "label times of shape"),
    (lambda: accuracy_at(np.zeros((0, 3)), LABELS[:0], 1.0), "at least one sample"),
    (lambda: accuracy_at(TIMES, LABELS, [1.0, np.nan]), "NaN"),
    (lambda: accuracy_at(np.where(TIMES == 3, np.nan, TIMES), LABELS, 1.0), "NaN"),
    (lambda: time_to_accuracy(TIMES, LABELS, 98.0), "from 0 to 1")])
def test_bad_input(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_margins_are_between_the_first_two_label_spikes():
    times = np.array([[3.0, 1.0, 1.25], [np.inf, 2.0, np.inf], [np.inf] * 3, [4.0, 4.0, np.inf]])
    assert margins(times).tolist() == [0.25, np.inf, np.inf, 0.0]
    assert margins(np.ones((3, 1))).tolist() == [np.inf] * 3  # one class: no second neuron
    with pytest.raises(ValueError, match="expected"):
        margins(np.ones(3))
