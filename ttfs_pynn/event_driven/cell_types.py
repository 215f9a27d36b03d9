"""What PyNN's cell types need on the event-driven simulator, whatever the backend."""

import numpy as np
from pyNN.parameters import Sequence
from pyNN.standardmodels import cells

__all__ = ["SpikeSourceArray"]


class SpikeSourceArray(cells.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__

    def __init__(self, **parameters):
        times = parameters.get("spike_times")
        if isinstance(times, np.ndarray) and times.ndim == 2:  # PyNN 0.13 fails for one row of times a cell
            parameters["spike_times"] = [Sequence(row) for row in times]
        super().__init__(**parameters)

    def translate(self, parameters, copy=True):
        # PyNN 0.13 copies every spike train; nothing here changes them.
        return super().translate(parameters, copy=False)
