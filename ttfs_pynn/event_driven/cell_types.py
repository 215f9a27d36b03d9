"""What PyNN's cell types need on the event-driven simulator, whatever the backend."""

import numpy as np
from pyNN.parameters import Sequence
from pyNN.standardmodels import cells

from ttfs_pynn.units import in_units

__all__ = ["InUnits", "SpikeSourceArray", "foreign"]


def foreign(model):
    """Whether a cell or synapse type is another simulator's, whose values are in units of its own, or PyNN's bare description."""
    return any(base.__module__.startswith("pyNN.") and not base.__module__.startswith(("pyNN.standardmodels", "pyNN.models"))
               for base in type(model).__mro__)


class InUnits:
    """A cell type whose parameters may be quantities: they become plain numbers in its `units`."""

    def __init__(self, **parameters):
        super().__init__(**in_units(parameters, self.units))


class SpikeSourceArray(cells.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__

    def __init__(self, **parameters):
        parameters = in_units(parameters, self.units)
        times = parameters.get("spike_times")
        if isinstance(times, np.ndarray) and times.ndim == 2:  # PyNN 0.13 fails for one row of times a cell
            parameters["spike_times"] = [Sequence(row) for row in times]
        super().__init__(**parameters)

    def translate(self, parameters, copy=True):
        # PyNN 0.13 copies every spike train; nothing here changes them.
        return super().translate(parameters, copy=False)
