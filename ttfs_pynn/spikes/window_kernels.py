"""Compiled passes over samples in windows: times to where they are in a run, and recorded spikes back to samples.

Sample s is shown to copy s mod n_copies, in window s div n_copies.
"""

import numpy as np
from numba import njit

__all__ = ["extent", "lay_out", "read_first"]


@njit(cache=True, error_model="numpy")
def extent(times):
    """(earliest, latest) of times, inf being none: (inf, -inf) of none at all. The earliest is NaN where one is."""
    earliest, latest, wrong = np.inf, -np.inf, False
    for time in times.flat:
        earliest = time if time < earliest else earliest
        latest = time if latest < time < np.inf else latest
        wrong |= time != time
    return np.nan if wrong else earliest, latest


@njit(cache=True, error_model="numpy")
def lay_out(times, window, n_copies, matrix):
    """Write times (samples, cells, spikes) of samples to matrix (windows, spikes, copies, cells) of times in the run."""
    n_samples, n_cells, several = times.shape
    for sample in range(n_samples):
        row, copy = sample // n_copies, sample % n_copies
        for k in range(several):
            for cell in range(n_cells):
                matrix[row, k, copy, cell] = times[sample, cell, k] + row * window


@njit(cache=True, error_model="numpy")
def read_first(ids, times, time_scale, first_id, window, tick, last_read, found):
    """Write to found (windows, cells of all copies), inf so far, when each cell first spikes, in ms since the window began.

    Of spikes (ids, times time_scale); those of other windows, of other cells than first_id, first_id + 1, ... and from last_read
    on do not count. A spike is in the window and at the time that `windows.in_windows` says.
    """
    n_windows, n_cells = found.shape
    for k in range(times.shape[0]):
        time = times[k] * time_scale
        number = np.floor((time + tick) / window + 1e-9)
        relative = max(time - number * window, 0.0)
        cell = ids[k] - first_id
        if 0 <= cell < n_cells and 0.0 <= number < n_windows and relative < last_read:
            row = np.int64(number)
            if relative < found[row, cell]:
                found[row, cell] = relative
