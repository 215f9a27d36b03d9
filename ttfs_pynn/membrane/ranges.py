"""How large what is given may be. Beyond, products and differences overflow: inf - inf is NaN, and no place in an array."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["LARGEST", "all_below"]

LARGEST = 1e100  # times (ms), weights (nA), potentials (mV); constants are also no less than 1 / LARGEST


def all_below(values: ArrayLike) -> bool:
    """Whether no magnitude is above LARGEST; NaN is."""
    return bool(np.min(values, initial=0.0) >= -LARGEST and np.max(values, initial=0.0) <= LARGEST)
