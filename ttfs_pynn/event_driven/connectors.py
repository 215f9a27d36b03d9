"""Connectors of PyNN that need mending."""

import numpy as np
from pyNN import connectors, errors
from pyNN.parameters import LazyArray

__all__ = ["FromListConnector", "OneToOneConnector"]


class OneToOneConnector(connectors.OneToOneConnector):
    __doc__ = connectors.OneToOneConnector.__doc__

    def connect(self, projection):
        # PyNN 0.13 with NumPy 2.1 and later: "Calling nonzero on 0d arrays is not allowed" for a single presynaptic cell.
        if projection.pre.size > 1:
            super().connect(projection)
        else:
            self._connect_with_map(projection, LazyArray(np.eye(*projection.shape, dtype=bool)))


class FromListConnector(connectors.FromListConnector):
    __doc__ = connectors.FromListConnector.__doc__

    def connect(self, projection):
        # PyNN 0.13 looks at sources only, and leaves connections to targets that do not exist out without a word.
        targets = self.conn_list[:, 1] if self.conn_list.size else np.empty(0)
        beyond = targets[(targets < 0) | (targets >= projection.post.size)]
        if beyond.size:
            raise errors.ConnectionError(f"a connection reaches target {int(beyond[0])}, but the postsynaptic cells are 0 to "
                                         f"{projection.post.size - 1}")
        super().connect(projection)
