"""Orders are NumPy's stable ones, bit for bit."""

import numpy as np
import pytest

from ttfs_pynn.event_driven.sorting import are_in_order, merged, order_by_time

KINDS = {
    "spread": lambda rng, n: rng.normal(size=n) * 10.0 ** rng.integers(-3, 9),
    "ties": lambda rng, n: rng.integers(0, rng.choice([1, 5, 400]), n) / 7,
    "in order": lambda rng, n: np.sort(rng.random(n)),
    "reversed": lambda rng, n: np.sort(rng.random(n))[::-1].copy(),
    "late and close": lambda rng, n: 1e9 + rng.random(n) * 10.0 ** rng.integers(-7, 3),  # they differ in the lowest bits alone
    "early and close": lambda rng, n: -1e9 - rng.random(n) * 10.0 ** rng.integers(-7, 3),
    "limits": lambda rng, n: rng.choice([0.0, -0.0, 1.0, -1.0, 5e-324, np.inf, -np.inf], n),
}


@pytest.mark.parametrize("kind", KINDS)
def test_order_by_time_is_a_stable_one(kind):
    rng = np.random.default_rng(1)
    for n in (0, 1, 2, 5, 39, 40, 41, 64, 65, 200, 1000, 3000) * 5:
        times = KINDS[kind](rng, n)
        order, in_order = order_by_time(times)
        expected = np.argsort(times, kind="stable")
        np.testing.assert_array_equal(order, expected)
        np.testing.assert_array_equal(in_order, times[expected])
        assert are_in_order(in_order) and (are_in_order(times) == (expected == np.arange(n)).all())


def test_merged_arrivals_are_in_order():
    """Of arrivals at one time the first list's come first."""
    rng = np.random.default_rng(2)
    for n, m in ((0, 0), (0, 5), (5, 0), (40, 1), (300, 200)):
        parts = [(np.sort(rng.integers(0, 50, k) / 3), rng.integers(0, 100, k)) for k in (n, m)]
        times, rows = merged(*parts[0], *parts[1])
        whole = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
        order = np.argsort(whole[0], kind="stable")
        np.testing.assert_array_equal(times, whole[0][order])
        np.testing.assert_array_equal(rows, whole[1][order])
