"""The inputs of samples in order of time, the silent ones dropped."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.membrane.compiling import inner

__all__ = ["ROOM", "Sorted", "sort_inputs"]

ROOM = 16  # floats
_FEW = 24  # spikes that insertion sorts faster than anything else
_MOST_SHIFTS = 16  # an input, before insertion gives up


class Sorted(NamedTuple):
    """The spikes of all samples, one sample after the other, each in order of time, equal times as the inputs come.

    Those of sample s have the places start[s] to start[s + 1]; the spike at a place is of input order[place] at times[place]
    (ms). Behind the last place there is ROOM for vectors that begin before.
    """

    start: np.ndarray
    order: np.ndarray
    times: np.ndarray


@njit(cache=True, error_model="numpy")
def _fill_keys(t_in, low, keys, counts):
    """The finite times of each sample, their input in the bits `low`, then inf. So floats can be sorted in place of indices."""
    in_bits = keys.view(np.int64)
    for s in range(t_in.shape[0]):
        n = 0
        for i in range(t_in.shape[1]):
            keys[s, n] = t_in[s, i]
            in_bits[s, n] = (in_bits[s, n] & ~low) | i
            n += t_in[s, i] < math.inf
        counts[s] = n
        for k in range(n, keys.shape[1]):
            keys[s, k] = math.inf


@inner
def _insert(order, times, first, end):
    """Sort the places first to end - 1 by time, then by input, where they nearly are. Returns False where they are not."""
    shifts = 0
    for k in range(first + 1, end):
        t, i = times[k], order[k]
        b = k
        while b > first and (times[b - 1] > t or (times[b - 1] == t and order[b - 1] > i)):
            times[b], order[b] = times[b - 1], order[b - 1]
            b -= 1
        times[b], order[b] = t, i
        shifts += k - b
        if shifts > _MOST_SHIFTS * (end - first) and end - first > _FEW:
            return False
    return True


@njit(cache=True, error_model="numpy")
def _from_keys(t_in, low, keys, start, order, times, failed):
    """Fill order and times from sorted keys; what the missing bits had out of order is put in order. failed: of which samples
    that would take too long."""
    in_bits = keys.view(np.int64)
    for s in range(t_in.shape[0]):
        first, end = start[s], start[s + 1]
        for k in range(first, end):
            i = in_bits[s, k - first] & low
            order[k], times[k] = i, t_in[s, i]
        failed[s] = not _insert(order, times, first, end)


@njit(cache=True, error_model="numpy")
def _by_insertion(t_in, start, order, times):
    """The whole for few inputs."""
    n = 0
    for s in range(t_in.shape[0]):
        start[s] = n
        for i in range(t_in.shape[1]):
            t = t_in[s, i]
            if t < math.inf:
                b = n
                while b > start[s] and times[b - 1] > t:
                    times[b], order[b] = times[b - 1], order[b - 1]
                    b -= 1
                times[b], order[b] = t, i
                n += 1
    start[t_in.shape[0]] = n


def sort_inputs(t_in: np.ndarray) -> Sorted:
    """Sorted, for t_in (samples, inputs) in ms, contiguous; inf for silent inputs.

    NumPy sorts floats several at a time, but not indices. So the index goes to the lowest bits of each time, and what that
    leaves in the wrong order, times that differ in these bits alone, is mended by insertion.
    """
    n_samples, n_inputs = t_in.shape
    start = np.zeros(n_samples + 1, dtype=np.int64)
    if n_inputs <= _FEW:
        order, times = np.empty(t_in.size, dtype=np.int64), np.empty(t_in.size + ROOM)
        _by_insertion(t_in, start, order, times)
        return Sorted(start, order, times)
    keys, counts, low = np.empty((n_samples, n_inputs + 1)), np.empty(n_samples, dtype=np.int64), (1 << n_inputs.bit_length()) - 1
    _fill_keys(t_in, low, keys, counts)
    np.cumsum(counts, out=start[1:])
    order, times = np.empty(start[-1], dtype=np.int64), np.empty(start[-1] + ROOM)
    failed = np.empty(n_samples, dtype=np.bool_)
    _from_keys(t_in, low, np.sort(keys[:, :counts.max(initial=0)], axis=1), start, order, times, failed)
    for s in np.flatnonzero(failed):
        mine = slice(start[s], start[s + 1])
        order[mine] = np.argsort(t_in[s], kind="stable")[:counts[s]]
        times[mine] = t_in[s, order[mine]]
    return Sorted(start, order, times)
