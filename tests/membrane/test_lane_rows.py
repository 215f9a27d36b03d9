"""Eight rows of four floats at a time, against NumPy."""

import numpy as np
from numba import njit

from ttfs_pynn.membrane import lane_rows, lanes


@njit(cache=True, error_model="numpy")
def _columns(rows, n, places, i, found):
    for k, part in enumerate(lane_rows.columns(rows, n)):
        lanes.store(found, 8 * k, part)
    for k, part in enumerate(lane_rows.columns_at(rows, places, i)):
        lanes.store(found, 32 + 8 * k, part)


@njit(cache=True, error_model="numpy")
def _add(rows, places, i, column, x, y):
    lane_rows.add_pairs(rows, places, i, column, lanes.load(x, 0), lanes.load(y, 0))
    lane_rows.add_lanes(rows, places, i, 3, lanes.load(y, 0))


def test_columns_of_rows_that_follow_each_other_and_of_any():
    rng = np.random.default_rng(1)
    rows, places, found = rng.normal(size=(20, 4)), rng.integers(0, 20, 11).astype(np.int32), np.empty(64)
    _columns(rows, 5, places, 2, found)
    np.testing.assert_array_equal(found[:32].reshape(4, 8), rows[5:13].T)
    np.testing.assert_array_equal(found[32:].reshape(4, 8), rows[places[2:10]].T)


def test_each_of_several_additions_to_one_row_counts():
    rng = np.random.default_rng(2)
    places = np.array([9, 3, 1, 3, 3, 0, 19, 1, 0], dtype=np.int32)
    for column in (0, 1):
        rows, (x, y) = rng.normal(size=(20, 4)), rng.normal(size=(2, 8))
        expected = rows.copy()
        for k, (a, b) in enumerate(zip(x, y, strict=True)):
            expected[places[1 + k], [column, column + 1, 3]] += [a, b, b]
        _add(rows, places, 1, column, x, y)
        np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-15)  # one order of additions; columns meet in none
