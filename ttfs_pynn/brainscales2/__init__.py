"""An emulation of BrainScaleS-2 behind the interface of its PyNN adapter: `import ttfs_pynn.brainscales2 as pynn`.

Scripts for `pynn_brainscales.brainscales2` run with this import changed. Times are ms of the chip, which is 1000 times faster
than biology; voltages of calibrated cells are LSB of the CADC, of HXNeuron codes of 10 bits. `setup(chip=3)` chooses a virtual
chip, `setup(non_idealities=NonIdealities.off())` an ideal one. It is not a model of any particular chip.
"""
# ruff: noqa: F401, F403  (what scripts expect of a PyNN backend)

from pyNN import errors, parameters, random, space
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.space import Space

from ttfs_pynn.brainscales2 import helper, logger, simulator
from ttfs_pynn.brainscales2 import plasticity as plasticity_rules
from ttfs_pynn.brainscales2.chip import ChipError, VirtualChip, chip_from_seed, load_chip
from ttfs_pynn.brainscales2.connectors import *
from ttfs_pynn.brainscales2.control import *
from ttfs_pynn.brainscales2.energy import PowerModel
from ttfs_pynn.brainscales2.mapping import MappingError
from ttfs_pynn.brainscales2.non_idealities import NonIdealities
from ttfs_pynn.brainscales2.plasticity import PlasticityRule, PlasticityRuleHandle, Timer
from ttfs_pynn.brainscales2.populations import Assembly, Population, PopulationView
from ttfs_pynn.brainscales2.procedural_api import connect, create, list_standard_models, record, set
from ttfs_pynn.brainscales2.projections import Projection
from ttfs_pynn.brainscales2.standardmodels import cells, synapses
from ttfs_pynn.brainscales2.standardmodels.cells import *
from ttfs_pynn.brainscales2.standardmodels.synapses import *
