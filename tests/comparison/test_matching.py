"""Which spikes are the same spike: against all ways to pair them."""

from itertools import combinations

import numpy as np
import pytest

from ttfs_pynn.comparison.matching import _match


def best_gain(a, b, window):
    """The largest sum of window - distance over all pairings that keep the order."""
    best = 0.0
    for k in range(min(len(a), len(b)) + 1):
        for i in combinations(range(len(a)), k):
            for j in combinations(range(len(b)), k):
                distance = np.abs(a[list(i)] - b[list(j)])
                if (distance <= window).all():
                    best = max(best, (window - distance).sum())
    return best


@pytest.mark.parametrize("seed", range(30))
def test_no_other_pairing_gains_more(seed):
    rng = np.random.default_rng(seed)
    a, b = (np.sort(rng.uniform(0, 20, n)) for n in rng.integers(0, 6, 2))
    window = rng.uniform(0.5, 10)
    partner = _match(a, b, window)
    found = partner[partner >= 0]
    assert (np.diff(found) > 0).all(), "in order, each once"
    distance = np.abs(a[partner >= 0] - b[found])
    assert (distance <= window).all()
    assert (window - distance).sum() == pytest.approx(best_gain(a, b, window), abs=1e-6 * window)


def test_one_missing_spike_leaves_the_others_where_they_are():
    assert _match(np.array([9.0, 10.0]), np.array([10.0]), 5.0).tolist() == [-1, 0]
    regular = np.arange(11.0, 400.0, 10.0)
    assert _match(regular, regular[1:], 20.0).tolist() == [-1, *range(38)]
    assert _match(regular[1:], regular, 20.0).tolist() == list(range(1, 39))


def test_a_spike_at_the_end_of_the_window_counts_and_one_behind_it_does_not():
    assert _match(np.array([1.0, 8.0]), np.array([3.0, 5.0]), 2.0).tolist() == [0, -1]


def test_long_trains_take_memory_for_near_pairs_only():
    rng = np.random.default_rng(1)
    a = np.sort(rng.uniform(0, 1e6, 100_000))
    partner = _match(a, np.delete(a, np.arange(0, a.size, 1000)), 2.0)
    assert (partner < 0).sum() == 100
