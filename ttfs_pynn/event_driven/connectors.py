"""A connector of PyNN that needs mending."""

import numpy as np
from pyNN import connectors
from pyNN.parameters import LazyArray

__all__ = ["OneToOneConnector"]


class OneToOneConnector(connectors.OneToOneConnector):
    __doc__ = connectors.OneToOneConnector.__doc__

    def connect(self, projection):
        # PyNN 0.13 with NumPy 2.1 and later: "Calling nonzero on 0d arrays is not allowed" for a single presynaptic cell.
        if projection.pre.size > 1:
            super().connect(projection)
        else:
            self._connect_with_map(projection, LazyArray(np.eye(*projection.shape, dtype=bool)))
