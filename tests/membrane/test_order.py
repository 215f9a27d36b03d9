"""Inputs of samples in order of time, against NumPy's stable sort."""

import numpy as np
import pytest

from ttfs_pynn.membrane.order import ROOM, sort_inputs


def layouts():
    rng = np.random.default_rng(0)
    spread = rng.uniform(0, 20, (9, 300))
    return {
        "spread": spread, "few": spread[:, :7], "one": spread[:, :1], "negative": spread - 10, "ties": np.round(spread),
        "alike but for the lowest bits": 1e6 + rng.integers(0, 9, (9, 300)) * 2.0 ** -33,
        "falling within the lowest bits": 1.0 + np.arange(300)[::-1] * 2.0 ** -52 + np.zeros((9, 1)),
        "zeros of both signs": np.where(spread > 10, 0.0, -0.0), "far apart": 10.0 ** rng.uniform(-300, 99, (9, 300)),
    }


@pytest.mark.parametrize("silent", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("layout", layouts())
def test_stable_order_of_what_spikes(layout, silent):
    t_in = layouts()[layout]
    t_in = np.where(np.random.default_rng(1).random(t_in.shape) < silent, np.inf, t_in)
    t_in[3] = np.inf
    start, order, times = sort_inputs(np.ascontiguousarray(t_in))
    assert start[0] == 0 and start[-1] == np.isfinite(t_in).sum() and times.size == order.size + ROOM >= start[-1] + ROOM
    for s, row in enumerate(t_in):
        expected = np.argsort(row, kind="stable")[:np.isfinite(row).sum()]
        np.testing.assert_array_equal(order[start[s]:start[s + 1]], expected)
        np.testing.assert_array_equal(times[start[s]:start[s + 1]], row[expected])


def test_no_samples_and_no_inputs():
    for shape in ((0, 5), (0, 50), (4, 0)):
        start, order, _ = sort_inputs(np.empty(shape))
        assert start.tolist() == [0] * (shape[0] + 1) and order.size == 0
