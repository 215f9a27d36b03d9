"""Input times that several functions look at: checked once, and sorted once."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.first_spike.several_spikes import columns_of_inputs
from ttfs_pynn.membrane.order import Sorted, sort_inputs
from ttfs_pynn.membrane.ranges import LARGEST, are_times

__all__ = ["SAMPLES", "Arrivals", "check_times"]

SAMPLES = 128  # that compiled loops take at a time: their sorted inputs fit the cache


def check_times(t_in: np.ndarray) -> None:
    """ValueError for input times (ms) that are NaN, -inf or too large."""
    if not are_times(t_in):
        wrong = t_in[~((np.abs(t_in) <= LARGEST) | (t_in == np.inf))][0]
        raise ValueError(f"t_in holds {wrong:g}; give times in ms of at most {LARGEST:g}, and inf for an input that does "
                         "not spike")


class Arrivals:
    """t_in (samples, inputs) or (samples, inputs, spikes), in ms, inf for none, as all functions of `first_spike` take it.

    Give it in place of an array that does not change where it is needed again, for times and for their derivatives: it is checked
    and sorted once. Raises ValueError as `first_spike_times`.
    """

    def __init__(self, t_in: ArrayLike) -> None:
        self.given = np.ascontiguousarray(t_in, dtype=float)
        if self.given.ndim not in (2, 3):
            raise ValueError(f"t_in has shape {self.given.shape}; expected (samples, inputs), or (samples, inputs, spikes)")
        check_times(self.given)
        self._sorted: dict[int, Sorted] = {}

    @cached_property
    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """(input, spike) of each column of `times`; empty where each input has one."""
        none = np.empty(0, dtype=np.int64)
        return columns_of_inputs(self.given) if self.given.ndim == 3 else (none, none)

    @cached_property
    def times(self) -> np.ndarray:
        """(samples, columns): one spike each."""
        return self.given if self.given.ndim == 2 else np.ascontiguousarray(self.given[:, *self.columns])

    def sorted(self, begin: int) -> Sorted:
        """The samples from `begin` on, SAMPLES of them."""
        if begin not in self._sorted:
            self._sorted[begin] = sort_inputs(self.times[begin:begin + SAMPLES])
        return self._sorted[begin]
