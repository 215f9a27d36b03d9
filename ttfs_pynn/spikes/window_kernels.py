"""Compiled passes over samples in windows: times to where they are in a run, and recorded spikes back to samples.

Sample s is shown to copy s mod n_copies, in window s div n_copies.
"""

import numpy as np
from numba import njit

__all__ = ["faults", "lay_out", "read_first"]


@njit(cache=True, error_model="numpy")
def _flat_faults(times, latest):
    early = late = False
    for k in range(times.size):
        time = times[k]
        early |= not time >= 0.0
        late |= latest < time < np.inf
    return early, late


def faults(times: np.ndarray, latest: float) -> tuple[bool, bool]:
    """(whether a time is negative or NaN, whether one is after `latest`), inf being none."""
    return _flat_faults(times.reshape(-1), latest)


@njit(cache=True, error_model="numpy")
def lay_out(times: np.ndarray, window: float, n_copies: int, matrix: np.ndarray) -> bool:
    """Write times (samples, cells, spikes) of samples to matrix (windows, spikes, copies, cells) of times in the run.

    Returns whether all of them are inf, for none, or from 0 to before `window`.
    """
    n_samples, n_cells, several = times.shape
    wrong = False
    for sample in range(n_samples):
        row, copy = sample // n_copies, sample % n_copies
        begin = row * window
        for k in range(several):
            for cell in range(n_cells):
                time = times[sample, cell, k]
                wrong |= not (0.0 <= time < window or time == np.inf)
                matrix[row, k, copy, cell] = time + begin
    return not wrong


@njit(cache=True, error_model="numpy")
def read_first(ids: np.ndarray, times: np.ndarray, time_scale: float, source_ids: np.ndarray, n_windows: int, window: float,
               tick: float, last_read: float) -> tuple[bool, np.ndarray]:
    """(True, found): found (windows, cells of all copies) is when each first spikes, in ms since the window began, inf for never.

    Of spikes (ids, times time_scale); those of other windows, of other cells than source_ids and from last_read on do not count.
    A spike is in the window and at the time that `windows.in_windows` says. (False, ...) where source_ids are no row of integers.
    """
    n_cells = source_ids.size
    found = np.empty((n_windows, n_cells))
    for of_window in range(n_windows):
        for cell in range(n_cells):
            found[of_window, cell] = np.inf
    for k in range(1, n_cells):
        if source_ids[k] != source_ids[k - 1] + 1:
            return False, found
    number, surely_from, surely_to = 0.0, 0.0, 0.0
    for k in range(times.shape[0]):
        time = times[k] * time_scale
        if not surely_from <= time < surely_to:  # mostly it is in the window of the spike before
            number = np.floor((time + tick) / window + 1e-9)
            surely_from, surely_to = (number + 1e-6) * window - tick, (number + 1.0 - 1e-6) * window - tick
        relative = max(time - number * window, 0.0)
        cell = ids[k] - source_ids[0] if n_cells else -1
        if 0 <= cell < n_cells and 0.0 <= number < n_windows and relative < last_read:
            row = np.int64(number)
            if relative < found[row, cell]:
                found[row, cell] = relative
    return True, found
