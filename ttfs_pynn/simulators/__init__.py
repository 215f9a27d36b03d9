"""The PyNN simulators by name, what each can do, and what has to be known to make one description run on all of them.

Every quirk stands here once, with the version where it was met; tests/test_simulators.py keeps them true.
"""

from types import ModuleType

from ttfs_pynn.errors import unknown
from ttfs_pynn.simulators.base import Simulator, SimulatorError
from ttfs_pynn.simulators.connectors import BlockConnector
from ttfs_pynn.simulators.with_brainscales2 import BrainScaleS2
from ttfs_pynn.simulators.with_brian2 import Brian2
from ttfs_pynn.simulators.with_exact import Exact
from ttfs_pynn.simulators.with_nest import Nest, NestGrid, NestLossless
from ttfs_pynn.simulators.with_neuron import Neuron

__all__ = ["SIMULATORS", "BlockConnector", "Simulator", "SimulatorError", "simulator", "simulator_of"]

SIMULATORS = {s.name: s for s in (
    Exact("exact", "ttfs_pynn.exact", "numba", "pip install ttfs_pynn", has_time_step=False),
    Brian2("brian2", "pyNN.brian2", "brian2", "pip install brian2", has_time_step=True, default_copies=50, lag=0.5),
    Nest("nest", "pyNN.nest", "nest", "pip install 'ttfs_pynn[nest]'", has_time_step=True, default_copies=50,
         weights_act_on_arrival=False, currents_begin_early=1.0),
    NestGrid("nest_grid", "pyNN.nest", "nest", "pip install 'ttfs_pynn[nest]'", has_time_step=True, default_copies=50, lag=0.5,
             weights_act_on_arrival=False, currents_begin_early=1.0),
    NestLossless("nest_lossless", "pyNN.nest", "nest", "pip install 'ttfs_pynn[nest]'", has_time_step=True, default_copies=50,
                 weights_act_on_arrival=False, currents_begin_early=1.0),
    Neuron("neuron", "pyNN.neuron", "neuron", "pip install 'ttfs_pynn[neuron]'", has_time_step=True, default_copies=50, lag=0.5),
    BrainScaleS2("brainscales2", "ttfs_pynn.brainscales2", "numba", "pip install ttfs_pynn", has_time_step=False,
                 time_scale=1000.0, input_copies=5, hardware=True, tick=0.008, lag=0.5),
)}


def simulator(name: str) -> Simulator:
    """The Simulator of that name; SimulatorError with the known names if there is none."""
    if name not in SIMULATORS:
        raise SimulatorError(unknown("backend", name, SIMULATORS))
    return SIMULATORS[name]


def simulator_of(sim: ModuleType) -> Simulator:
    """The Simulator as which the PyNN module `sim` was set up; a plain one for modules that are not listed here."""
    if not isinstance(getattr(sim, "__name__", None), str):
        raise SimulatorError(f"{sim!r} is no PyNN module; give what simulator(name).setup(dt) returns, or import one")
    for known in SIMULATORS.values():
        if known.module == sim.__name__ and known.is_set_up(sim):
            return known
    return Simulator(sim.__name__, sim.__name__, sim.__name__.split(".")[0], "", has_time_step=True)
