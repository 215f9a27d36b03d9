"""What PyNN calls the simulator of a backend: cell identifiers, the state of a simulation, its random numbers."""

import weakref

import numpy as np
from pyNN import common, errors

from ttfs_pynn.event_driven.core import EventDrivenNetwork, SimulationError
from ttfs_pynn.event_driven.integrated_groups import DEFAULT_TOLERANCE
from ttfs_pynn.membrane.ranges import LARGEST

__all__ = ["DEFAULT_SEED", "EarlierSetupError", "ID", "State", "check_current"]

DEFAULT_SEED = 42  # NEST's too; scripts repeat themselves


class EarlierSetupError(RuntimeError):
    """Something of a simulation before the last setup() or end() is used as if it were part of the present one."""


def check_current(cells, state):
    """EarlierSetupError where a population, view or assembly is not one of the simulation `state`."""
    recorders = getattr(state, "recorders", ())
    for part in cells.populations if isinstance(cells, common.Assembly) else (cells,):
        if part.recorder not in recorders:
            raise EarlierSetupError(f"{cells.label!r} belongs to a simulation before the last setup() or end(), so no run "
                                    "reaches it; build it again after setup(); what it recorded can still be read")


class UnknownAttributeError(errors.NonExistentParameterError, AttributeError):
    """A cell has no such attribute: PyNN's error, and the one that hasattr and getattr expect."""


class ID(int, common.IDMixin):
    """A cell: an integer whose attributes are the cell's parameters."""

    def __init__(self, n):
        common.IDMixin.__init__(self)

    @property
    def parent(self):
        """The population. Referred to weakly: Python finds no cycles through arrays of objects, and a network of an earlier
        `setup` would never be freed. As long as a simulation lasts, its recorders keep its populations.
        """
        population = self.__dict__.get("_population", lambda: None)()
        if population is None:
            raise ReferenceError(f"the population of cell {int(self)} is gone: it belonged to an earlier setup()")
        return population

    @parent.setter
    def parent(self, population):
        self.__dict__["_population"] = weakref.ref(population)

    def __getattr__(self, name):
        # PyNN 0.13 computes all parameters for any unknown name and then raises what is no AttributeError: that breaks hasattr
        # and makes NumPy's protocol look-ups (__array__, ...) slow.
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in ("parent", "set") and not self.celltype.has_parameter(name):
            raise UnknownAttributeError(name, type(self.celltype).__name__, self.celltype.get_parameter_names())
        return common.IDMixin.__getattr__(self, name)


class State(common.control.BaseState):
    """One simulation: its network, time, recorders. Runs are half-open: a spike at the end of a run belongs to the next."""

    def __init__(self):
        super().__init__()
        self.dt = 0.1
        self._min_delay = self.max_delay = "auto"
        self.tolerance = DEFAULT_TOLERANCE  # ms of spike time, of cells that are integrated
        self.rng = np.random.default_rng(DEFAULT_SEED)
        self.clear()

    @property
    def min_delay(self):
        """As set up; for 'auto' the smallest delay present, or dt."""
        if self._min_delay != "auto":
            return self._min_delay
        delays = [synapses.delay.min() for synapses in self.network.synapses if len(synapses)]
        return float(min(delays)) if delays else self.dt

    @min_delay.setter
    def min_delay(self, value):
        self._min_delay = value

    @property
    def default_delay(self):
        """The delay of a synapse type that was given none (PyNN: min_delay, or dt where that is 'auto')."""
        return self.dt if self._min_delay == "auto" else self._min_delay

    def run_until(self, t_stop):
        if not abs(t_stop) <= LARGEST:
            raise ValueError(f"cannot run until {t_stop} ms; give a finite time of at most {LARGEST:g} ms")
        if not self._whole:
            raise SimulationError(f"the last run failed or was interrupted after {self.t:g} ms, when some neurons had gone on "
                                  "and others had not; call reset(), or setup() and build the network again")
        self.running = True
        if t_stop <= self.t:  # PyNN lets times up to dt/2 in the past through
            return
        self.network.prepare()  # like begin(), an error of it comes before anything has moved
        for each in (*self.current_sources, *self.recorders):
            each.begin()
        self._whole = False
        spikes = self.network.advance(t_stop)
        for source in self.current_sources:
            source.collect(self.t, t_stop)
        for recorder in self.recorders:
            recorder.collect(*spikes[recorder.population.group])
        self.t = float(t_stop)
        self._whole = True

    def run(self, duration):
        self.run_until(self.t + duration)

    def clear(self):
        self.mpi_rank, self.num_processes = 0, 1
        self.recorders = set()
        self.current_sources = []  # those of no name too: PyNN's scripts do not always keep them
        self.write_on_end = []
        self.network = EventDrivenNetwork()
        self.id_counter = 0
        self.segment_counter = -1
        self.reset()

    def reset(self):
        """Back to t = 0 with the initial state; parameters, weights and the list of what is recorded stay."""
        self._whole = self.running = False
        self.t = 0.0
        self.t_start = 0
        self.segment_counter += 1
        self.network.reset()
        for each in (*self.recorders, *self.current_sources):
            each.drop()
        self._whole = True
