"""create, connect, record: PyNN's functions."""

from pyNN import common
from pyNN.connectors import FixedProbabilityConnector

from ttfs_pynn.exact import simulator
from ttfs_pynn.exact.populations import Population
from ttfs_pynn.exact.projections import Projection
from ttfs_pynn.exact.standardmodels import StaticSynapse

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)
set = common.set
record = common.build_record(simulator)


def record_v(source, filename):
    return record(["v"], source, filename)


def record_gsyn(source, filename):
    return record(["gsyn_exc", "gsyn_inh"], source, filename)
