"""A PyNN simulator without a time step: `import ttfs_pynn.exact as sim`.

Networks of current-based leaky integrate-and-fire neurons are simulated from event to event; a spike time is the root of the
membrane equation in float64. The time step given to `setup` only sets PyNN's default delay.
"""

from pyNN import errors, random, space
from pyNN.connectors import *  # noqa: F403
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.space import Space

from ttfs_pynn.exact import simulator
from ttfs_pynn.exact.control import *  # noqa: F403
from ttfs_pynn.exact.populations import Assembly, Population, PopulationView
from ttfs_pynn.exact.procedural_api import connect, create, record, record_gsyn, record_v, set
from ttfs_pynn.exact.projections import Projection
from ttfs_pynn.exact.standardmodels import *  # noqa: F403
from ttfs_pynn.exact.standardmodels import list_standard_models

__all__ = ["Assembly", "GSLRNG", "Network", "NumpyRNG", "Population", "PopulationView", "Projection", "RandomDistribution",  # noqa: F405
           "Space", "connect", "create", "errors", "list_standard_models", "random", "record", "record_gsyn", "record_v", "set",
           "simulator", "space"]
