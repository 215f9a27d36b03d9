import numpy as np
import pytest

from ttfs_pynn.datasets import spike_times
from ttfs_pynn.errors import EncodingError


def test_linear_and_exact_at_both_ends():
    times = spike_times([[0.0, 0.5], [1.0, 0.25]], 0.15, 2.0)
    np.testing.assert_allclose(times, [[0.15, 1.075], [2.0, 0.6125]], rtol=4e-16)  # two roundings
    assert times[0, 0] == 0.15 and times[1, 0] == 2.0


def test_no_rounding_leaves_the_interval():
    rng = np.random.default_rng(2)
    features = np.concatenate([[np.nextafter(1, 0), np.nextafter(0, 1)], rng.random(1000)])
    for early, late in ((0.1, 0.3), (0.15, 2.0), (1e6, 1e6 + 1e-3)):
        times = spike_times(features, early, late)
        assert times.min() >= early and times.max() <= late


@pytest.mark.parametrize("bad", [-1e-9, 1 + 1e-9, np.nan, np.inf])
def test_features_out_of_range_are_counted_and_shown(bad):
    with pytest.raises(EncodingError, match=r"1 of 3 features lie outside \[0, 1\].*" + str(bad)):
        spike_times([0.5, bad, 0.2], 0.0, 1.0)


@pytest.mark.parametrize(("early", "late"), [(1, 1), (2, 1), (-0.1, 1), (0, np.inf), (np.nan, 1)])
def test_window_must_be_ordered(early, late):
    with pytest.raises(EncodingError, match="t_early < t_late"):
        spike_times([0.5], early, late)
