"""Connections in rows by delay: every one is there once, in order, and takes new weights."""

import numpy as np
import pytest

from tests.event_driven.test_core import PARAMETERS
from ttfs_pynn.event_driven import delay_rows
from ttfs_pynn.event_driven.core import LIFGroup, Synapses


def two_projections(rng, weight):
    """Of one group of 7 to two groups of 5 and 9, with delays that tie."""
    pre, posts = LIFGroup(7, PARAMETERS), [LIFGroup(5, PARAMETERS), LIFGroup(9, PARAMETERS)]
    made = [Synapses(pre, post, "excitatory", rng.integers(0, 6, 40), rng.integers(0, post.size, 40), weight(40),
                     rng.choice([0.5, 0.75, 1.0, 2.0], 40)) for post in posts]
    return [made], {posts[0]: 3, posts[1]: 100}


def connections(rows, r):
    """(delay, target, weight) of row r, in its order."""
    return [(delay_rows.delay_of(rows, k), delay_rows.target_of(rows, k), delay_rows.weight_of(rows, r, k))
            for k in range(rows.start[r], rows.end[r])]


def expected(sets, first, r):
    listed = [(s.delay[k], first[s.post_group] + s.post[k], s.weight[k]) for s in sets[0] for k in np.flatnonzero(s.pre == r)]
    return sorted(listed, key=lambda connection: connection[0])  # stable


@pytest.mark.parametrize("shared", [True, False])
def test_rows_of_several_projections(shared):
    rng = np.random.default_rng(1)
    sets, first = two_projections(rng, lambda n: 0.5 if shared else rng.uniform(0.1, 1, n))
    rows = delay_rows.DelayRows(sets, first).rows
    assert (rows.stride == delay_rows.WEIGHTED) is not shared
    for r in range(7):
        assert connections(rows, r) == expected(sets, first, r)
        assert (rows.start[r] % 8 == 0) and (r == 6) == (rows.start[r] == rows.end[r])


def test_new_weights_take_their_places_and_ask_for_a_new_table_where_there_is_none():
    rng = np.random.default_rng(2)
    sets, first = two_projections(rng, lambda n: rng.uniform(0.1, 1, n))
    table = delay_rows.DelayRows(sets, first)
    assert not (table.rows.flags & delay_rows.MIXED).any()
    sets[0][1].set_weights(np.where(sets[0][1].pre == 2, -1.0, 0.25))
    assert table.set_weights()
    assert [connections(table.rows, r) for r in range(7)] == [expected(sets, first, r) for r in range(7)]
    np.testing.assert_array_equal(table.rows.flags & delay_rows.MIXED > 0, np.arange(7) == 2)

    sets, first = two_projections(rng, lambda n: 0.5)
    table = delay_rows.DelayRows(sets, first)
    for s in sets[0]:
        s.set_weights(0.25)
    assert table.set_weights() and connections(table.rows, 1) == expected(sets, first, 1)
    sets[0][0].set_one("weight", 3, 0.75)
    assert not table.set_weights()


def test_the_first_connection_that_is_due():
    rng = np.random.default_rng(3)
    sets, first = two_projections(rng, lambda n: 0.5)
    rows = delay_rows.DelayRows(sets, first).rows
    for r in range(6):
        delays = [delay for delay, *_ in connections(rows, r)]
        for now in (0.0, 10.5, 10.75, 10.8, 12.0, 12.1):
            assert delay_rows.first_due(rows, r, 10.0, now) - rows.start[r] == sum(10.0 + delay < now for delay in delays)
