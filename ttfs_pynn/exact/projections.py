"""See `ttfs_pynn.event_driven.projections`."""

from pyNN import common

from ttfs_pynn.event_driven import projections
from ttfs_pynn.exact import simulator
from ttfs_pynn.exact.standardmodels import StaticSynapse

Connection = projections.Connection


class Projection(projections.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse
