"""Cycles of neurons that reach each other without delay: there, no order of events is defined."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

__all__ = ["cycle_without_delay"]


def cycle_without_delay(groups, synapses):
    """One cycle of connections whose delay is 0, as a list of (group, index) from a neuron to itself; or None."""
    first = dict(zip(groups, np.cumsum([0] + [group.size for group in groups]), strict=False))
    edges = [(first[s.pre_group] + s.pre[now], first[s.post_group] + s.post[now])
             for s in synapses for now in [s.delay == 0] if s.pre_group in first and s.post_group in first and now.any()]
    if not edges:
        return None
    pre, post = (np.concatenate(part) for part in zip(*edges, strict=True))
    size = sum(group.size for group in groups)
    graph = coo_array((np.ones(pre.size, dtype=np.int8), (pre, post)), shape=(size, size)).tocsr()
    n, label = connected_components(graph, directed=True, connection="strong")
    inside = np.flatnonzero(label[pre] == label[post])  # an edge within a component is part of a cycle
    if not inside.size:
        return None
    begin, end = int(post[inside[0]]), int(pre[inside[0]])
    _, before = breadth_first_order(graph, begin)
    path = [end]
    while path[-1] != begin:
        path.append(int(before[path[-1]]))
    bounds = np.cumsum([0] + [group.size for group in groups])
    return [(groups[k], node - int(bounds[k])) for node in [*path[::-1], begin]
            for k in [int(np.searchsorted(bounds, node, side="right")) - 1]]
