import numpy as np
import pytest

from ttfs_pynn.datasets import spike_times, two_channels
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


MEAN = np.array([0.2, 0.5, 0.0, 1.0, 0.4])


def about_the_mean(x, mean, t_early, t_late, span, cut):
    """The equation, a feature at a time."""
    found = []
    for sign in (1, -1):
        for feature, middle in zip(x, mean, strict=True):
            value = min(abs(feature - middle) / span, 1)
            spikes = sign * (feature - middle) > 0 and value >= cut
            found.append(t_late - value * (t_late - t_early) if spikes else np.inf)
    return found


@pytest.mark.parametrize("window", [(1.5, 20.0, 0.75, 0.06), (0.0, 10.0, 0.3, 0.0), (1.5, 11.5, 2.0, 0.2)])
def test_two_channels_are_the_equation(window):
    features = np.random.default_rng(0).random((60, 5))
    features[:8], features[8], features[9] = np.round(features[:8]), MEAN, [0.2, 0.9, 0.1, 0.1, 0.0]
    times = two_channels(features, MEAN, *window)
    assert times.shape == (60, 10) and 0.2 < np.isfinite(times).mean() < 0.6
    expected = [about_the_mean(x, MEAN, *window) for x in features]
    np.testing.assert_allclose(times, expected, rtol=0, atol=2e-14)  # a few roundings of 20 ms
    assert np.isinf(times[8]).all(), "the mean itself is silent"


def test_two_channels_of_bytes_are_those_of_brightness():
    """Of any shape of a sample, row by row."""
    images = np.random.default_rng(1).integers(0, 256, (30, 4, 3), dtype=np.uint8)
    mean = images.mean(axis=0) / 255
    times = two_channels(images, mean, 1.5, 20.0)
    np.testing.assert_array_equal(times, two_channels(images / 255, mean, 1.5, 20.0))
    np.testing.assert_array_equal(times, two_channels(images.reshape(30, 12), mean.ravel(), 1.5, 20.0))
    np.testing.assert_array_equal(times, two_channels(images.transpose(0, 2, 1), mean.T, 1.5, 20.0).reshape(30, 2, 3, 4)
                                  .transpose(0, 1, 3, 2).reshape(30, 24))
    bright, dark = times[:, :12], times[:, 12:]
    assert not (np.isfinite(bright) & np.isfinite(dark)).any() and np.isfinite(bright).any() and np.isfinite(dark).any()
    assert two_channels(images[:0], mean, 1.5, 20.0).shape == (0, 24)


def test_two_channels_end_exactly_and_large_is_early():
    x = np.linspace(0, 1, 2001)[:, None]
    for early, late in ((0.1, 0.3), (0.15, 2.0), (1e6, 1e6 + 1e-3)):
        times = two_channels(x, [0.2], early, late, span=0.75, cut=0.06)
        bright, dark = times.T
        assert bright[-1] == early and dark[0] > early, "0.8 is more than the span, 0.2 is not"
        for channel, distance in ((bright, x[:, 0] - 0.2), (dark, 0.2 - x[:, 0])):
            spikes = np.isfinite(channel)
            sure = abs(distance - 0.06 * 0.75) > 1e-9  # of the cut, which rounding moves
            np.testing.assert_array_equal(spikes[sure], (distance >= 0.06 * 0.75)[sure])
            assert channel[spikes].min() >= early and channel[spikes].max() <= late
            assert (np.diff(channel[spikes][np.argsort(distance[spikes])]) <= 0).all()
    assert two_channels([[0.0]], [0.0], 0.0, 1.0, cut=0.0).tolist() == [[np.inf, np.inf]]


def test_two_channels_change_nothing_that_they_are_given():
    features, mean = np.random.default_rng(0).random((9, 5)), MEAN.copy()
    for array in (features, mean):
        array.flags.writeable = False
    np.testing.assert_array_equal(two_channels(features, mean, 1.0, 2.0), two_channels(features.copy(), MEAN, 1.0, 2.0))


@pytest.mark.parametrize("changes, text", [
    ({"features": [[0.5, 1.1]]}, r"1 of 2 features lie outside \[0, 1\] \(the first is 1.1"),
    ({"features": [[np.nan, 0.1]]}, "1 of 2 features lie outside"), ({"mean": [0.5, -0.1]}, "1 of 2 means lie outside"),
    ({"mean": [120.0, 130.0]}, "2 of 2 means lie outside"),
    ({"mean": [0.5]}, r"mean of shape \(1,\) for features of shape \(1, 2\)"),
    ({"mean": 0.5}, r"mean of shape \(\)"), ({"t_early": 3.0}, "need 0 <= t_early < t_late"),
    ({"t_late": np.inf}, "t_early < t_late"),
    ({"span": 0.0}, "span = 0.0 and cut = 0.06: need a positive span"), ({"span": np.inf}, "span = inf"),
    ({"cut": 1.0}, "need a positive span and 0 <= cut < 1"), ({"cut": -0.1}, "0 <= cut < 1"), ({"cut": np.nan}, "0 <= cut < 1")])
def test_two_channels_of_what_is_none(changes, text):
    given = {"features": [[0.5, 0.1]], "mean": [0.5, 0.5], "t_early": 1.0, "t_late": 2.0, **changes}
    with pytest.raises(EncodingError, match=text):
        two_channels(**given)
