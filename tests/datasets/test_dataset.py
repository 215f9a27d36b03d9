import numpy as np
import pytest

from ttfs_pynn.datasets import Dataset
from ttfs_pynn.errors import DatasetError


def test_arrays_are_read_only_copies():
    features, labels = np.zeros((3, 2)), np.array([0, 1, 0])
    data = Dataset(features, labels, ["a", "b"])
    features[0], labels[0] = 5, 1
    assert data.features[0, 0] == 0 and data.labels[0] == 0 and data.class_names == ("a", "b")
    with pytest.raises(ValueError, match="read-only"):
        data.features[0, 0] = 1


def test_a_slice_and_an_index_array_pick_samples():
    data = Dataset(np.arange(8.0).reshape(4, 2), np.array([0, 1, 1, 0]), ("a", "b"))
    assert len(data[:3]) == 3
    np.testing.assert_array_equal(data[[3, 1]].features, [[6, 7], [2, 3]])
    np.testing.assert_array_equal(data[np.array([True, False, True, False])].labels, [0, 1])
    with pytest.raises(TypeError, match="one sample"):
        data[1]


@pytest.mark.parametrize(("features", "labels", "message"), [
    (np.zeros((3, 2)), np.zeros(2, int), "shape"),
    (np.zeros(3), np.zeros(3, int), "shape"),
    (np.zeros((2, 2)), np.zeros(2), "integers"),
    (np.full((2, 2), np.nan), np.zeros(2, int), "finite"),
    (np.zeros((2, 2)), np.array([0, 2]), "class names"),
    (np.zeros((2, 2)), np.array([-1, 0]), "class names"),
])
def test_what_does_not_fit_is_refused(features, labels, message):
    with pytest.raises(DatasetError, match=message):
        Dataset(features, labels, ("a", "b"))
