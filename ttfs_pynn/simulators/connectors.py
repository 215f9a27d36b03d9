"""The connections of several equal networks that stand side by side, and the values that they have, in one order."""

from typing import Any

import numpy as np
from pyNN.connectors import Connector
from pyNN.errors import ConnectionError

__all__ = ["BlockConnector", "all_pairs", "spread", "with_equal_sources"]


class BlockConnector(Connector):
    """The same connections in each of n_copies equal parts of both populations, one copy after the other.

    pairs: None for all to all within a copy, or integers (n, 2), (pre, post) of each connection within one copy. They are sorted
    by post, then by pre; a pair may come several times. The connections are made in that order, so the values of `spread` fit.
    sources: how many equal spike sources stand for one cell of pre, where that is a population of sources; each of them has all
    connections.
    """

    def __init__(self, n_copies: int, pairs: np.ndarray | None = None, sources: int = 1) -> None:
        super().__init__(safe=False)
        self.n_copies, self.sources = n_copies, sources
        self.pairs = None if pairs is None else _sorted_pairs(pairs)

    def indices(self, projection: Any) -> tuple[np.ndarray, np.ndarray]:
        """(pre, post) of all connections of a projection, in the order in which they are made."""
        n_pre, n_post = projection.pre.size // self.n_copies, projection.post.size // self.n_copies
        pairs = all_pairs(n_pre, n_post) if self.pairs is None else self.pairs
        if self.pairs is not None and self.sources > 1 and "spike_times" in projection.pre.celltype.default_parameters:
            pairs = with_equal_sources(pairs, self.sources, n_pre // self.sources)
        for column, n, end in ((0, n_pre, "source"), (1, n_post, "target")):
            beyond = pairs[pairs[:, column] >= n, column]
            if beyond.size:
                raise ConnectionError(f"{projection.label}: a pair has {end} {beyond[0]}, but a copy of the network has cells "
                                      f"0 to {n - 1}")
        copy = np.repeat(np.arange(self.n_copies), len(pairs))
        return np.tile(pairs[:, 0], self.n_copies) + copy * n_pre, np.tile(pairs[:, 1], self.n_copies) + copy * n_post

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection; PyNN calls this."""
        pre, post = self.indices(projection)
        parameters = {name: value.evaluate(simplify=True)
                      for name, value in self._parameters_from_synapse_type(projection).items()}
        bounds = np.searchsorted(post, np.arange(projection.post.size + 1))
        for j in np.flatnonzero(np.diff(bounds)):
            projection._convergent_connect(pre[bounds[j]:bounds[j + 1]], j, **parameters)


def all_pairs(n_pre: int, n_post: int) -> np.ndarray:
    """(n_pre * n_post, 2): every (pre, post), sorted by post, then by pre."""
    return np.stack([np.tile(np.arange(n_pre), n_post), np.repeat(np.arange(n_post), n_pre)], axis=1)


def with_equal_sources(pairs: np.ndarray, sources: int, n_pre: int) -> np.ndarray:
    """The pairs of each of several equal sources: source k of cell i is cell k * n_pre + i."""
    several = np.concatenate([pairs + [k * n_pre, 0] for k in range(sources)])
    return several[np.lexsort((several[:, 0], several[:, 1]))]


def _sorted_pairs(pairs: np.ndarray) -> np.ndarray:
    pairs = np.asarray(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or (pairs.size and pairs.dtype.kind not in "iu"):
        raise ConnectionError(f"pairs are integers (n, 2), a row for each connection; got {pairs.dtype} of shape {pairs.shape}")
    pairs = pairs.astype(np.int64)
    if pairs.size and pairs.min() < 0:
        raise ConnectionError(f"pairs count cells from 0; got {pairs.min()}")
    step = np.diff(pairs, axis=0)
    if ((step[:, 1] < 0) | ((step[:, 1] == 0) & (step[:, 0] < 0))).any():
        raise ConnectionError("pairs are sorted by post, then by pre: pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]")
    return pairs


def spread(values: np.ndarray, n_copies: int, n_pre: int, n_post: int, pairs: np.ndarray | None) -> np.ndarray:
    """One value a connection of a `BlockConnector`, as they are made. values: (n,) in the order of pairs, or (n_pre, n_post)."""
    values = np.asarray(values, dtype=float)
    expected = (n_pre, n_post) if pairs is None else (len(pairs),)
    if values.shape != expected:
        raise ValueError(f"values of shape {values.shape} for connections of shape {expected}")
    return np.tile(values.T.ravel() if pairs is None else values, n_copies)
