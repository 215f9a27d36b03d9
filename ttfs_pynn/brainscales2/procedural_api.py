"""create, connect, set, record: PyNN's functions."""

from pyNN import common

from ttfs_pynn.brainscales2 import simulator
from ttfs_pynn.brainscales2.connectors import FixedProbabilityConnector  # type: ignore[attr-defined]  # made as it is read
from ttfs_pynn.brainscales2.populations import Population
from ttfs_pynn.brainscales2.projections import Projection
from ttfs_pynn.brainscales2.standardmodels import cells
from ttfs_pynn.brainscales2.standardmodels.synapses import StaticSynapse

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)
set = common.set
record = common.build_record(simulator)


def list_standard_models():
    """The neurons that the chip has."""
    return [cells.HXNeuron, cells.CalibHXNeuronCuba, cells.CalibHXNeuronCoba]
