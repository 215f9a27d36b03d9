"""Orders of connections and of spikes, faster than NumPy's: its sort by several keys takes seconds for ten million."""

import numpy as np
from numba import njit

__all__ = ["order_by_source", "order_by_time"]


def order_by_time(times):
    """As np.argsort(times, kind="stable"), which takes three times as long."""
    order = np.argsort(times)
    in_order = times[order]
    same = np.zeros(times.size, dtype=bool)
    same[1:] = in_order[1:] == in_order[:-1]
    if same.any():
        same[:-1] |= same[1:]
        tied = order[same]
        order[same] = tied[np.lexsort((tied, in_order[same]))]
    return order


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
