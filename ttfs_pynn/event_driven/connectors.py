"""Connectors of PyNN that need mending."""

import numpy as np
from pyNN import connectors, errors
from pyNN.parameters import LazyArray

from ttfs_pynn.units import in_unit

__all__ = ["ArrayConnector", "CSAConnector", "FromFileConnector", "FromListConnector", "OneToOneConnector"]


class OneToOneConnector(connectors.OneToOneConnector):
    __doc__ = connectors.OneToOneConnector.__doc__

    def connect(self, projection):
        # PyNN 0.13 with NumPy 2.1 and later: "Calling nonzero on 0d arrays is not allowed" for a single presynaptic cell.
        if projection.pre.size > 1:
            super().connect(projection)
        else:
            self._connect_with_map(projection, LazyArray(np.eye(*projection.shape, dtype=bool)))


class ArrayConnector(connectors.ArrayConnector):
    __doc__ = connectors.ArrayConnector.__doc__

    def __init__(self, array, *args, **kwargs):
        # PyNN 0.13 takes the numbers of an array that is not boolean for numbers of cells: ones and zeros connect the first two.
        array = np.asarray(array)
        if array.dtype != bool and not np.isin(array, (0, 1)).all():
            raise errors.ConnectionError("the array of an ArrayConnector says who is connected: give booleans, and weights to "
                                         f"the synapse type; it holds {array[~np.isin(array, (0, 1))][0]}")
        super().__init__(array.astype(bool), *args, **kwargs)


class CSAConnector(connectors.CSAConnector):
    __doc__ = connectors.CSAConnector.__doc__

    def connect(self, projection):
        # PyNN 0.13 hands on the IDs of cells instead of their indices where a connection set brings weights and delays.
        if connectors.csa.arity(self.cset) != 2:
            super().connect(projection)
            return
        n_pre, n_post = projection.shape
        for i, j, weight, delay in connectors.csa.cross((0, n_pre - 1), (0, n_post - 1)) * self.cset:
            projection._convergent_connect([i], j, location_selector=self.location_selector, weight=weight, delay=delay)


class FromListConnector(connectors.FromListConnector):
    __doc__ = connectors.FromListConnector.__doc__

    def __init__(self, conn_list, column_names=None, *args, **kwargs):
        super().__init__(conn_list, column_names, *args, **kwargs)
        # NumPy has dropped their units; which are wanted is known when there is a projection.
        plain = type(conn_list) is np.ndarray or not any(hasattr(value, "rescale") for row in conn_list for value in row)
        self._with_units = None if plain else conn_list

    def connect(self, projection):
        if self._with_units is not None:
            names = ("source", "target", *self.column_names)
            self.conn_list = np.array([[in_unit(value, projection.units.get(name, "dimensionless"), name)
                                        for name, value in zip(names, row, strict=True)] for row in self._with_units])
        _check_list(self.conn_list, projection)
        super().connect(projection)


class FromFileConnector(connectors.FromFileConnector):
    __doc__ = connectors.FromFileConnector.__doc__

    def connect(self, projection):
        # PyNN 0.13 reads the file in this method; a list of one connection is a single row to NumPy.
        read = self.file.read
        self.file.read = lambda: _check_list(np.atleast_2d(read()), projection)
        try:
            super().connect(projection)
        finally:
            del self.file.read


def _check_list(conn_list, projection):
    """The list (connections, columns). PyNN 0.13 cuts fractions off, takes source -1 for the last one, and leaves connections to
    targets that do not exist out without a word."""
    for column, end, cells in ((0, "source", projection.pre), (1, "target", projection.post)):
        index = conn_list[:, column] if conn_list.size else np.empty(0)
        wrong = index[~((index >= 0) & (index < cells.size) & (index == np.floor(index)))]
        if wrong.size:
            raise errors.ConnectionError(f"a connection has {end} {wrong[0]:g}, but the cells of {cells.label} are 0 to "
                                         f"{cells.size - 1}")
    return conn_list
