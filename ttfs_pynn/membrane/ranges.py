"""How large what is given may be. Beyond, products and differences overflow: inf - inf is NaN, and no place in an array."""

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ttfs_pynn.membrane.lanes import LANES, absolute, bits, load, load_like, maximum, minimum, splat, splat_32, store

__all__ = ["LARGEST", "all_below", "are_times", "range_of"]

LARGEST = 1e100  # times (ms), weights (nA), potentials (mV); constants are also no less than 1 / LARGEST
_EVERY_LANE = 2**LANES - 1


def all_below(values: ArrayLike) -> bool:
    """Whether no magnitude is above LARGEST; NaN is."""
    return bool(_all_below(np.ravel(np.asarray(values, dtype=float), order="K")))


def are_times(values: np.ndarray) -> bool:
    """Whether no magnitude is above LARGEST but that of inf, for none; NaN and -inf are."""
    return bool(_are_times(np.ravel(values, order="K")))


def range_of(values: ArrayLike) -> tuple[float, float]:
    """(lowest, highest) of 0 and the values, in one pass; (NaN, NaN) where one is NaN."""
    return _range(np.ravel(np.asarray(values, dtype=float), order="K"))


@njit(cache=True, error_model="numpy")
def _all_below(values):
    whole = values.size - values.size % (4 * LANES)
    below = splat_32(0.0) <= LARGEST
    for k in range(0, whole, 4 * LANES):
        below = below & (absolute(load_like(values, k, splat_32(0.0))) <= LARGEST)
    right = bits(below) == 2 ** (4 * LANES) - 1
    for k in range(whole, values.size):
        right = right and abs(values[k]) <= LARGEST
    return right


@njit(cache=True, error_model="numpy")
def _range(values):
    low, high, wrong = splat(0.0), splat(0.0), 0
    whole = values.size - values.size % LANES
    for k in range(0, whole, LANES):
        x = load(values, k)
        low, high = minimum(low, x), maximum(high, x)
        wrong |= bits(x >= -np.inf) ^ _EVERY_LANE
    lanes = np.empty(2 * LANES)
    store(lanes, 0, low)
    store(lanes, LANES, high)
    lowest = highest = 0.0
    for k in range(LANES):
        lowest, highest = min(lowest, lanes[k]), max(highest, lanes[LANES + k])
    for k in range(whole, values.size):
        lowest, highest = min(lowest, values[k]), max(highest, values[k])
        wrong |= values[k] != values[k]
    return (np.nan, np.nan) if wrong else (lowest, highest)


@njit(cache=True, error_model="numpy")
def _are_times(values):
    wrong, whole = 0, values.size - values.size % LANES
    for k in range(0, whole, LANES):
        x = load(values, k)
        wrong |= bits((x >= -LARGEST) & ((x <= LARGEST) | (x >= np.inf))) ^ _EVERY_LANE
    for k in range(whole, values.size):
        wrong |= not (values[k] >= -LARGEST and (values[k] <= LARGEST or values[k] == np.inf))
    return wrong == 0
