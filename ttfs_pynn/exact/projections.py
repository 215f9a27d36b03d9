"""See `ttfs_pynn.event_driven.projections`."""

import numpy as np
from pyNN import common, errors

from ttfs_pynn.event_driven import projections
from ttfs_pynn.exact import simulator
from ttfs_pynn.exact.standardmodels import StaticSynapse

Connection = projections.Connection


class Projection(projections.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse

    def set_signed(self, inhibitory, weights):
        """Give this excitatory and an inhibitory projection of the same cells the weights (sources, targets), in nA, that are
        above 0 and those that are below, as `set` of each would, at a third of the price."""
        synapses = self._dense, inhibitory._dense
        if None in synapses or [each.receptor for each in synapses] != ["excitatory", "inhibitory"]:
            self.set(weight=np.maximum(weights, 0.0))
            inhibitory.set(weight=np.minimum(weights, 0.0))
            return
        self._check_current()
        inhibitory._check_current()
        try:
            self._dense.set_signed(inhibitory._dense, weights)
        except ValueError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from None
