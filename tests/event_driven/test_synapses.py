"""Connections as arrays: what is stored is what was given, in the order in which it was given."""

import numpy as np
import pytest

from tests.event_driven.test_core import PARAMETERS
from ttfs_pynn.event_driven.core import LIFGroup, SpikeSourceGroup
from ttfs_pynn.event_driven.synapses import Synapses


def make(pre, post, weight=1.0, delay=1.0, n_pre=3, n_post=2):
    return Synapses(SpikeSourceGroup(n_pre), LIFGroup(n_post, PARAMETERS), "excitatory", pre, post, weight, delay)


COLUMNS = ([0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 1, 1])


def test_every_pair_once_is_a_matrix():
    synapses = make(*COLUMNS, weight=np.arange(6.0))
    assert synapses.is_dense
    np.testing.assert_array_equal(synapses.dense_weights, [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(synapses.weight, np.arange(6.0))
    synapses.set_dense_weights(np.ones((3, 2)))
    np.testing.assert_array_equal(synapses.weight, np.ones(6))
    with pytest.raises(ValueError, match="read-only"):
        synapses.dense_weights[0, 0] = 2.0


@pytest.mark.parametrize("pre, post", [([0, 1], [0, 1]), ([0, 0, 1, 2, 1, 2], [0, 0, 0, 0, 1, 1])])
def test_anything_else_is_none(pre, post):
    synapses = make(pre, post)
    assert not synapses.is_dense
    assert synapses.dense_weights is None


def test_two_delays_make_it_sparse_and_one_makes_it_dense_again():
    synapses = make(*COLUMNS, weight=np.arange(6.0), delay=[1.0] * 5 + [2.0])
    assert not synapses.is_dense
    np.testing.assert_array_equal(synapses.weight, np.arange(6.0))
    assert synapses.n_rows == 4
    synapses.set_delays(3.0)
    assert synapses.is_dense
    np.testing.assert_array_equal(synapses.weight, np.arange(6.0))


def test_rows_are_the_connections_of_a_source_that_share_a_delay():
    synapses = make([2, 0, 2, 2, 0], [0, 1, 1, 0, 1], weight=[1, 2, 3, 4, 5], delay=[1, 2, 3, 1, 2])
    synapses.send(np.array([2, 1, 0]), np.array([10.0, 11.0, 12.0]))
    times, rows = synapses.take_events(np.inf)
    start, targets = synapses.sparse_table()
    weights = synapses.sparse_weights()
    arrivals = sorted((time, int(targets[k]), weights[k]) for time, row in zip(times, rows, strict=True)
                      for k in range(start[row], start[row + 1]))
    assert arrivals == [(11, 0, 1), (11, 0, 4), (13, 1, 3), (14, 1, 2), (14, 1, 5)]


def test_events_that_are_not_due_stay():
    synapses = make(*COLUMNS)
    synapses.send(np.array([0, 1]), np.array([1.0, 2.0]))
    assert synapses.take_events(2.0)[0].size == 0
    np.testing.assert_array_equal(synapses.take_events(2.5)[0], [2.0])
    np.testing.assert_array_equal(synapses.take_events(9.0)[0], [3.0])
    assert synapses.take_events(9.0)[0].size == 0


def test_delays_do_not_change_under_spikes_on_their_way():
    synapses = make(*COLUMNS)
    synapses.send(np.array([0]), np.array([1.0]))
    with pytest.raises(ValueError, match="on their way"):
        synapses.set_delays(2.0)
    synapses.clear()
    synapses.set_delays(2.0)


@pytest.mark.parametrize("dense", [True, False])
def test_one_connection_is_read_and_written(dense):
    synapses = make(*COLUMNS, weight=np.arange(6.0)) if dense else make([0, 2], [1, 0], weight=[0.0, 1.0])
    assert synapses.get_one("weight", 1) == 1.0
    synapses.set_one("weight", 1, 7.0)
    assert synapses.weight[1] == 7.0
    synapses.set_one("delay", 1, 0.5)
    assert synapses.get_one("delay", 1) == 0.5
    assert synapses.weight[1] == 7.0
    with pytest.raises(ValueError, match="finite"):
        synapses.set_one("weight", 1, np.nan)


@pytest.mark.parametrize("change, message", [
    (dict(weight=np.nan), "weight must be finite"), (dict(delay=-1.0), "delay = -1"), (dict(delay=np.inf), "delay must be")])
def test_what_is_no_connection_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        make(*COLUMNS, **change)


def test_shapes_and_receptors_are_checked():
    synapses = make(*COLUMNS)
    with pytest.raises(ValueError, match="do not fit"):
        synapses.set_dense_weights(np.ones((2, 3)))
    with pytest.raises(ValueError, match="'excitatory' or 'inhibitory'"):
        Synapses(SpikeSourceGroup(1), LIFGroup(1, PARAMETERS), "exc", [0], [0], 1.0, 1.0)


def test_nothing_is_changed_in_the_callers_arrays():
    weight, delay = np.ones(6), np.ones(6)
    synapses = make(*COLUMNS, weight=weight, delay=delay)
    synapses.set_weights(np.zeros(6))
    synapses.set_one("delay", 0, 2.0)
    assert (weight == 1).all() and (delay == 1).all()
