"""Orders of connections and of spikes, faster than NumPy's: its sort by several keys takes seconds for ten million."""

import numpy as np
from numba import njit

from ttfs_pynn.membrane.compiling import inner

__all__ = ["are_in_order", "merged", "order_by_source", "order_by_time", "sorted_by_time"]

_FEW = 40  # that are sorted by insertion
_TIES_ALLOWED = 8  # places that a time is moved on average, before NumPy sorts


def order_by_time(times):
    """(order, times in that order), as np.argsort(times, kind="stable") has it. No time is NaN.

    The bits of floats are integers of the same order. With the places in the lowest of them, NumPy sorts the integers alone,
    three times as fast as it sorts places by times; what those bits said is put right afterwards, among neighbours.
    """
    order, in_order = np.empty(times.size, dtype=np.int64), np.empty(times.size)
    if _begin(times, times.view(np.int64), order, in_order):
        return order, in_order
    order.sort()
    if not _finish(times, order, in_order):
        order = np.argsort(times, kind="stable")
        in_order = times[order]
    return order, in_order


def sorted_by_time(index, times):
    """Spikes (index, times) in time order; those of one time as they came."""
    order, times = order_by_time(times)
    return index[order], times


@inner
def _insert(times, place, k, order, in_order):
    """Put the place of a time, the k-th, where it belongs among the k before it. Returns how many are moved."""
    time, to = times[place], k
    while to > 0 and (in_order[to - 1] > time or (in_order[to - 1] == time and order[to - 1] > place)):
        order[to], in_order[to] = order[to - 1], in_order[to - 1]
        to -= 1
    order[to], in_order[to] = place, time
    return k - to


@njit(cache=True, error_model="numpy")
def are_in_order(times):
    """Whether no time is before the one before it."""
    falls = 0
    for k in range(1, times.size):
        falls += times[k] < times[k - 1]
    return falls == 0


@inner
def _lowest_bits(n):
    mask = np.int64(1)
    while mask < n:
        mask *= 2
    return mask - 1


@njit(cache=True, error_model="numpy")
def _begin(times, as_integers, order, in_order):
    """True where the order is found: of times that are in order, or few. Else `order` has become integers to sort.
    as_integers: the bits of times."""
    n = times.size
    if n <= _FEW:
        for k in range(n):
            _insert(times, k, k, order, in_order)
        return True
    if are_in_order(times):
        for k in range(n):
            order[k], in_order[k] = k, times[k]
        return True
    mask = _lowest_bits(n)
    for k in range(n):
        number = as_integers[k]
        number ^= (number >> 63) & np.int64(0x7FFFFFFFFFFFFFFF)  # of negative floats, the larger is the earlier
        order[k] = (number & ~mask) | k
    return False


@njit(cache=True, error_model="numpy")
def _finish(times, order, in_order):
    """False where so many times differ in their lowest bits alone that this takes too long."""
    mask, moves, most = _lowest_bits(times.size), 0, _TIES_ALLOWED * times.size
    for k in range(times.size):
        moves += _insert(times, order[k] & mask, k, order, in_order)
        if moves > most:
            return False
    return True


@njit(cache=True, error_model="numpy")
def merged(times, rows, more_times, more_rows):
    """Two lists of arrivals in time order as one; of those at one time the first list's come first."""
    n, m = times.size, more_times.size
    all_times, all_rows = np.empty(n + m), np.empty(n + m, dtype=np.int64)
    k = i = j = 0
    while i < n and j < m:
        if times[i] <= more_times[j]:
            all_times[k], all_rows[k] = times[i], rows[i]
            i += 1
        else:
            all_times[k], all_rows[k] = more_times[j], more_rows[j]
            j += 1
        k += 1
    for rest in range(i, n):
        all_times[k], all_rows[k] = times[rest], rows[rest]
        k += 1
    for rest in range(j, m):
        all_times[k], all_rows[k] = more_times[rest], more_rows[rest]
        k += 1
    return all_times, all_rows


@njit(cache=True)
def order_by_source(source, delay, n_sources):
    """(start, order): order[start[i]:start[i + 1]] are the positions of source i, by delay, equal delays as they came."""
    start = np.zeros(n_sources + 1, dtype=np.int64)
    for k in range(source.size):
        start[source[k] + 1] += 1
    start = np.cumsum(start)
    place = start[:-1].copy()
    order = np.empty(source.size, dtype=np.int64)
    for k in range(source.size):
        order[place[source[k]]] = k
        place[source[k]] += 1
    for i in range(n_sources):
        mine = order[start[i]:start[i + 1]]
        by_delay = delay[mine]
        if (by_delay[1:] < by_delay[:-1]).any():
            order[start[i]:start[i + 1]] = mine[np.argsort(by_delay, kind="mergesort")]
    return start, order
