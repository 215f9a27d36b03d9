"""A PyNN simulator without a time step: `import ttfs_pynn.exact as sim`.

Networks of current-based leaky integrate-and-fire neurons are simulated from event to event; a spike time is the root of the
membrane equation in float64. Conductance-based cells are integrated between events, to a tolerance. The time step given to
`setup` does not enter the dynamics: it sets PyNN's default delay, how often signals are sampled unless asked for otherwise, and
the steps of ACSource and NoisyCurrentSource.
"""
# ruff: noqa: F401, F403  (what scripts expect of a PyNN backend, also by `from ... import *`)

from pyNN import errors, random, space
from pyNN.connectors import *
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.space import Space

from ttfs_pynn.event_driven.connectors import *
from ttfs_pynn.exact import simulator
from ttfs_pynn.exact.control import *
from ttfs_pynn.exact.populations import Assembly, Population, PopulationView
from ttfs_pynn.exact.procedural_api import connect, create, record, record_gsyn, record_v, set
from ttfs_pynn.exact.projections import Projection
from ttfs_pynn.exact.standardmodels import *
from ttfs_pynn.exact.standardmodels import list_standard_models
