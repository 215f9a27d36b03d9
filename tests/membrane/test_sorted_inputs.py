"""Inputs in order of time."""

import numpy as np

from ttfs_pynn.membrane.sorted_inputs import sort_row


def test_sorting():
    rng = np.random.default_rng(0)
    for times in (rng.uniform(-5, 5, 40), rng.integers(0, 4, 40) * 1.0, np.r_[1e300, rng.normal(0, 1e-12, 90), -1e300],
                  np.r_[np.zeros(70), 5e-324, np.zeros(3)], np.full(5, np.inf), np.zeros(0),
                  np.array([2.0]), np.array([3.0, np.inf, 1.0])):
        times = np.where(np.arange(times.size) % 5 == 4, np.inf, times)
        order, bucket = np.zeros(times.size, dtype=np.int64), np.zeros(2 * times.size + 2, dtype=np.int64)
        n = sort_row(times, order, bucket, np.zeros(times.size))
        expected = np.argsort(times, kind="stable")[:np.isfinite(times).sum()]
        np.testing.assert_array_equal(order[:n], expected)
