import hashlib
from pathlib import Path

import numpy as np
import pytest

from ttfs_pynn.datasets import yin_yang as yy
from ttfs_pynn.errors import DatasetError

HEAD = Path(__file__).parents[1] / "data" / "yin_yang_head.npz"
# SHA-256 of the published arrays: features as C-ordered float64, labels as int64, both little-endian.
PUBLISHED = {
    "train": (5000, "f5a4054d56f2a058f8250fba7ff9720458e1625db7af78a295e45701745b2228",
              "534d12acda4f9dbc7208a99d3646115a4aa7d74ca31d6d23f822079a568559b7"),
    "validation": (1000, "5eac358bdf2122763dce3703a79f3005e56e46a4db25ec329a07333d0f7b8093",
                   "5a4c2f605814a620f514c1091f10441ce562cd81e902ce701b3cf94ae7576f7d"),
    "test": (1000, "7bab3ed668ed4992679cff6339fe21bfe7d0c921ddc6187eaa3bc6ef34b888d7",
             "daa0f8f4e3b37b1ddec2afee22f09afb768f0e575f3f568e7469f1ebc6af73c1"),
}


def digest(array, dtype):
    return hashlib.sha256(np.ascontiguousarray(array).astype(dtype).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def published():
    return dict(zip(PUBLISHED, yy.published(), strict=True))


@pytest.mark.parametrize("name", PUBLISHED)
def test_equals_the_published_arrays_bit_for_bit(published, name):
    found = published[name]
    size, features, labels = PUBLISHED[name]
    with np.load(HEAD, allow_pickle=False) as head:
        assert head[f"{name}_features"].shape == (200, 4)
        np.testing.assert_array_equal(found.features[:200], head[f"{name}_features"])
        np.testing.assert_array_equal(found.labels[:200], head[f"{name}_labels"])
    assert len(found) == size
    assert (digest(found.features, "<f8"), digest(found.labels, "<i8")) == (features, labels)


def test_classes_lie_where_the_figure_has_them():
    x = [0.25, 0.25, 0.25, 0.75, 0.75, 0.5, 0.5, 0.01, 0.25 + 0.15, 0.75 + 0.15]
    y = [0.5, 0.5 + 0.09, 0.5 + 0.11, 0.5, 0.5 - 0.11, 0.9, 0.1, 0.01, 0.5, 0.5]
    np.testing.assert_array_equal(yy.classify(x, y), [2, 2, 1, 2, 0, 1, 0, -1, 1, 0])


def test_figure_is_symmetric():
    """Half a turn about the centre swaps yin and yang and keeps the dots (a rim has measure zero)."""
    points = np.random.default_rng(3).random((20_000, 2))
    label = yy.classify(*points.T)
    assert set(label) == {-1, 0, 1, 2}
    np.testing.assert_array_equal(yy.classify(*(1 - points).T), np.array([1, 0, 2, -1])[label])


def test_fresh_has_the_same_distribution():
    """Moments of each class against the sequential procedure: 5 standard errors of its set (sd <= 0.3)."""
    fresh, reference = yy.fresh(100_000, np.random.default_rng(1)), yy.yin_yang(3000, seed=5)
    np.testing.assert_array_equal(fresh.labels, yy.classify(*fresh.features[:, :2].T))
    np.testing.assert_array_equal(fresh.features[:, 2:], 1 - fresh.features[:, :2])
    # 5 standard deviations of a binomial count: 5 sqrt(n 2/9).
    assert np.abs(np.bincount(fresh.labels) - 100_000 / 3).max() < 5 * np.sqrt(100_000 * 2 / 9)
    for label in range(3):
        ours, theirs = (d.features[d.labels == label, :2] for d in (fresh, reference))
        assert len(theirs) > 900
        assert np.abs(ours.mean(axis=0) - theirs.mean(axis=0)).max() < 5 * 0.3 / np.sqrt(len(theirs))
        assert np.abs(ours.std(axis=0) - theirs.std(axis=0)).max() < 5 * 0.3 / np.sqrt(len(theirs))


def test_fresh_needs_no_other_randomness_than_its_generator():
    first, second = (yy.fresh(50, np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(first.features, second.features)
    state = np.random.get_state()[1].copy()  # noqa: NPY002  (the global generator must stay untouched)
    yy.yin_yang(5, seed=1)
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_turned_points_lie_in_the_class_that_they_are_given():
    data = yy.fresh(20_000, np.random.default_rng(4))
    features, labels = yy.turned(data.features, data.labels, np.random.default_rng(5))
    np.testing.assert_array_equal(features[:, :2], 1 - features[:, 2:])
    turn = (features != data.features).any(axis=1)
    np.testing.assert_array_equal(features[turn], 1 - data.features[turn])
    assert abs(turn.mean() - 0.5) < 5 * np.sqrt(0.25 / 20_000)  # five standard deviations
    # 1 - x is rounded: a point within 1e-12 of a rim could change its class.
    np.testing.assert_array_equal(labels, yy.classify(*features[:, :2].T))
    np.testing.assert_array_equal(labels[~turn], data.labels[~turn])
    assert (labels != data.labels)[turn].mean() > 0.6 and set(labels) == {0, 1, 2}
    np.testing.assert_array_equal(data.features, yy.fresh(20_000, np.random.default_rng(4)).features)
    again = yy.turned(data.features, data.labels, np.random.default_rng(5))
    np.testing.assert_array_equal(again[0], features)
    np.testing.assert_array_equal(again[1], labels)


@pytest.mark.parametrize("arguments", [{"n": 0}, {"n": -1}, {"n": 2.5}, {"n": 5, "r_small": 0.3},
                                       {"n": 5, "r_small": 0.0}, {"n": 5, "r_big": 0.6}])
def test_bad_sizes_are_refused(arguments):
    with pytest.raises(DatasetError, match="need"):
        yy.yin_yang(seed=1, **arguments)
    with pytest.raises(DatasetError, match="need"):
        yy.fresh(rng=np.random.default_rng(1), **arguments)
