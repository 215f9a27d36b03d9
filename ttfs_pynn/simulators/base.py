"""What every simulator of the registry can be asked, and what most of them answer."""

import importlib
import importlib.util
import math
from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from pyNN.connectors import Connector
from pyNN.errors import NonExistentParameterError
from pyNN.parameters import LazyArray, Sequence

from ttfs_pynn.errors import TTFSError
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.processes import away_from_folder
from ttfs_pynn.simulators.connectors import BlockConnector, spread
from ttfs_pynn.spikes.windows import Timing

__all__ = ["NonExistentParameterError", "Simulator", "SimulatorError", "detuned", "drawn"]


class SimulatorError(TTFSError):
    """A simulator is not known, not installed, or cannot do what is asked of it."""


Acting = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Simulator:
    """One simulator. `needs` is the package that it runs on; `default_copies`: samples that it best simulates side by side.

    `lag`: how many steps late its spikes come on average, because they are found at steps.
    """

    name: str
    module: str
    needs: str
    install: str
    has_time_step: bool
    default_copies: int = 1
    time_scale: float = 1.0  # how many ms of the model are one ms of the simulator
    input_copies: int = 1  # how many equal sources stand for one input of the model
    hardware: bool = False  # whether it is a chip, with options of its own
    lag: float = 0.0
    tick: float = 0.0  # ms of the model: a chip's time stamps are multiples of it
    currents_begin_early: float = 0.0  # how many steps before its time a current source says that it changes
    weights_act_on_arrival: bool = True  # or a spike that is on its way keeps the weight that it was sent with

    def configured(self, options: dict[str, Any]) -> Self:
        """The same with `options` of a hardware (a dict); SimulatorError where there are none."""
        if options:
            raise SimulatorError(f"{', '.join(options)}: the backend {self.name} is no chip; leave that out, or use brainscales2")
        return self

    def load(self) -> ModuleType:
        """The PyNN module, or a SimulatorError that says how to install what is missing."""
        if importlib.util.find_spec(self.needs) is None:
            raise SimulatorError(f"simulator {self.name!r} needs the package {self.needs!r}, which is not installed; "
                                 f"install it with: {self.install}")
        with away_from_folder():
            return importlib.import_module(self.module)

    def setup(self, dt: float, seed: int | None = None, layers: Seq[int] = ()) -> ModuleType:
        """Start a simulation with time step dt (ms) and return the PyNN module. layers: sizes of the layers that it will hold."""
        self.check_step(dt)
        sim = self.load()
        # NEST 3.10: with min_delay 'auto' every spike source fires late by (smallest delay - dt), so it is always given.
        sim.setup(timestep=dt, min_delay=dt)
        return sim

    @staticmethod
    def check_step(dt: float) -> None:
        """SimulatorError unless dt (ms) is a time step."""
        if not 0 < dt < math.inf:
            raise SimulatorError(f"dt = {dt} ms must be positive and finite")

    def measured_neurons(self, path: str, layers: Seq[Any]) -> list[LIFParameters]:
        """LIFParameters of populations (with size and neuron) as the profile of a chip in a file has them."""
        raise SimulatorError(f"profile: the backend {self.name} is no chip; leave it out, or use brainscales2")

    def check(self, sim: ModuleType) -> None:
        """An error where the network that was built cannot run, before anything does."""

    def seed_noise(self, sim: ModuleType, seed: Seq[int]) -> None:
        """Let the noise of what runs from now on follow from these integers, where there is any."""

    def holds(self, sim: ModuleType, population: Any) -> bool:
        """Whether the present simulation of `sim` has the population: setup() forgets the recorders of the one before."""
        return population.recorder in getattr(sim.simulator.state, "recorders", ())

    def before_reset(self, sim: ModuleType, rest: float) -> None:
        """Called before `sim.reset()`; rest (ms): the time after which every neuron listens again."""

    def is_set_up(self, sim: ModuleType) -> bool:
        """Whether `sim`, the PyNN module, runs as this entry; several may share a module."""
        return True

    def smallest_delay(self, dt: float) -> float:
        """The delay (ms) that a layered network uses where none is asked for."""
        return dt if self.has_time_step else 0.0

    def cell_parameters(self, neuron: LIFParameters) -> dict[str, Any]:
        """IF_curr_exp's parameters for a LIFParameters."""
        return neuron.to_pynn()

    def cell(self, sim: ModuleType, neuron: LIFParameters, n_copies: int) -> Any:
        """The cell type for a LIFParameters, repeated for each copy of the network."""
        return sim.IF_curr_exp(**{name: np.tile(value, n_copies) if np.ndim(value) else value
                                  for name, value in self.cell_parameters(neuron).items()})

    def timing(self, t_early: float, t_late: float, neurons: Seq[LIFParameters], single: bool) -> Timing | None:
        """Windows of samples as this simulator should show them (None: `Timing.derive` knows)."""
        return None

    def source_times(self, times: np.ndarray, dt: float) -> np.ndarray:
        """Spike times (ms) as this simulator should be given them to emit them as near to `times` as it can."""
        return times

    def adapt(self, population: Any, dt: float) -> Callable[[], None]:
        """Change a population of anybody's script before a run as this simulator needs it; what is returned undoes it."""
        return lambda: None

    def spike_times(self, population: Any) -> list[np.ndarray]:
        """The spike times (ms) that the sources of a SpikeSourceArray population were given, one array a source."""
        found = population.get("spike_times", simplify=False)
        # pyNN.neuron and pyNN.nest 0.13 give no list for a single source, and pyNN.nest arrays of two dimensions.
        trains = [found] if isinstance(found, Sequence) else list(found)
        return [np.array(train.value, dtype=float).ravel() for train in trains]  # pyNN.neuron's share memory with the source

    def give_spikes(self, population: Any, trains: list[np.ndarray], dt: float) -> None:
        """Give the spike sources of anybody's script the spike times (ms), one array a source, as this simulator needs them."""
        population.set(spike_times=[Sequence(np.unique(self.source_times(train, dt))) for train in trains])

    def connections(self, projection: Any) -> Columns:
        """(pre, post, weight, delay) of every connection of anybody's projection: two arrays of cell ids, nA, ms."""
        pre, post = (np.array([int(cell) for cell in cells.all_cells]) for cells in (projection.pre, projection.post))
        table = np.array(projection.get(["weight", "delay"], format="list"), dtype=float).reshape(-1, 4)
        return pre[table[:, 0].astype(int)], post[table[:, 1].astype(int)], table[:, 2], table[:, 3]

    def assign(self, projection: Any, name: str, values: np.ndarray) -> None:
        """Give the connections of anybody's projection values, in the order of `connections`. name: 'weight' or 'delay'."""
        for connection, value in zip(projection.connections, values.tolist(), strict=True):
            setattr(connection, name, value)

    def assign_weights(self, projection: Any, weights: np.ndarray) -> None:
        """Give the connections of anybody's projection the weights (nA), in the order of `connections`. See `keep`."""
        self.assign(projection, "weight", weights)

    def assign_matrix(self, projections: dict[int, Any], weights: np.ndarray) -> bool:
        """Give anybody's projections of the same cells, by the sign of their receptors, signed weights (sources, targets) in nA,
        as `assign_weights` of each would; False where that is to be used instead."""
        return False

    def set_delays(self, projection: Any, delays: np.ndarray) -> None:
        """Give the connections of anybody's projection the delays (ms), in the order of `connections`."""
        self.assign(projection, "delay", delays)

    def keep(self, sim: ModuleType) -> None:
        """Let the present weights, parameters of neurons and times of spike sources be what a later `sim.reset()` goes back to,
        on a simulator whose reset would bring back those of before the run."""

    def is_injected(self, sim: ModuleType, population: Any) -> bool:
        """Whether a current source of anybody's script is connected to cells of the population."""
        ids = {int(cell) for cell in population.all_cells}
        for source in getattr(sim.simulator.state, "current_sources", ()):
            cells = getattr(source, "cell_list", ())
            if ids & {int(cell) for cell in (cells.tolist() if hasattr(cells, "tolist") else cells)}:
                return True
        return False

    def count_afferents(self, sim: ModuleType, population: Any) -> int | None:
        """How many connections lead to anybody's population, of all projections there are; None where nobody knows."""
        return None

    def acting(self, parameters: dict[str, np.ndarray], dt: float) -> Acting:
        """(parameters, factors of weights) with which the exact neuron does, to first order in dt, what the integration of this
        simulator makes of the given parameters of IF_curr_exp: {name: (cells,)}, and {receptor: (cells,)}, empty if all are 1.
        """
        return parameters, {}

    def reset_script(self, sim: ModuleType, populations: Seq[Any], projections: Seq[Any], annotations: dict[str, Any]) -> Any:
        """`sim.reset()` for anybody's script, so that nothing of before is left."""
        return sim.reset(annotations)

    def before_reading(self, population: Any) -> None:
        """Called before recorded data of anybody's population are read."""

    def after_clear(self, population: Any, before: dict[str, Any]) -> None:
        """Called after the recorded data of anybody's population were cleared, also by `record(None)`. before: the attributes
        that its recorder had."""

    def membrane(self, population: Any) -> np.ndarray | None:
        """The present membrane potentials (mV) of anybody's neurons; None where they can only be known before the first run."""
        return None

    def initialize_now(self, population: Any) -> None:
        """Called after anybody's script has initialised membranes of a population."""

    def before_run(self, sim: ModuleType, sources: Seq[Any], begin: float, stop: float) -> None:
        """Called right before a run of anybody's script from `begin` to `stop` (ms). sources: populations of SpikeSourceArray
        whose spike times the script gave."""

    def after_run(self, projections: Seq[Any]) -> None:
        """Called after every run of anybody's script, with its projections."""

    def add_spikes(self, population: Any, trains: list[np.ndarray], new: list[np.ndarray], dt: float) -> None:
        """Give the spike sources of anybody's script more spikes before a run. trains: one array (ms) a source of all that are
        not over yet; new: those of them that were not given before."""
        population.set(spike_times=[Sequence(np.unique(self.source_times(train, dt))) for train in trains])

    def hardware_time(self, sim: ModuleType) -> float:
        """Time (ms) that a chip has run since setup; 0 for simulators without one."""
        return 0.0

    def costs(self, n_samples: int, hardware_time: float) -> dict[str, float]:
        """Metrics of `hardware_time` ms on a chip for n_samples: time and energy; none for simulators without one."""
        return {}

    def set_spikes(self, population: Any, matrix: np.ndarray, dt: float) -> None:
        """Give spike sources one spike a window at most: matrix (windows, cells) in ms, rising along windows, inf for none."""
        population.set(spike_times=[self.source_times(train[np.isfinite(train)], dt) for train in matrix.T])

    def connector(self, n_copies: int, pairs: np.ndarray | None = None) -> Connector:
        """The connector of n_copies equal networks side by side. pairs (n, 2): (pre, post) of each connection within one copy,
        sorted by post, then by pre, repeated for several connections of a pair; None: all to all within each copy."""
        return BlockConnector(n_copies, pairs, self.input_copies)

    def largest_weight(self, neuron: LIFParameters, sources: int) -> Any:
        """The largest weight (nA) that an input, of so many sources, can have onto cells like `neuron`; inf without a limit."""
        return np.inf

    def read_values(self, projection: Any, name: str, n_copies: int, n_pre: int, n_post: int, pairs: np.ndarray | None = None,
                    neuron: LIFParameters | None = None) -> np.ndarray:
        """The 'weight' (nA) or 'delay' (ms) of each connection of the first copy; arguments and result as in `write_values`."""
        column = self.connections(projection)[2 if name == "weight" else 3][self._as_made(projection)]
        return column[:n_pre * n_post].reshape(n_post, n_pre).T if pairs is None else column[:len(pairs)]

    def write_values(self, projection: Any, name: str, values: np.ndarray, n_copies: int, n_pre: int, n_post: int,
                     pairs: np.ndarray | None = None, neuron: LIFParameters | None = None) -> None:
        """Give every copy of a projection made with `connector(n_copies, pairs)` values, between two runs.

        name: 'weight' (nA) or 'delay' (ms); values: (n,) in the order of pairs, or (n_pre, n_post) where pairs is None; n_pre,
        n_post: cells of one copy of the model; neuron: what the targets are like, for a chip whose weights have another unit.
        """
        every = spread(values, n_copies, n_pre, n_post, pairs)
        given = np.empty_like(every)
        given[self._as_made(projection)] = every
        self.assign(projection, name, given)

    def write_signed(self, excitatory: Any, inhibitory: Any, weights: np.ndarray, n_copies: int, n_pre: int, n_post: int,
                     pairs: np.ndarray | None = None, neuron: LIFParameters | None = None) -> None:
        """Give an excitatory and an inhibitory projection of the same connections the weights (nA) that are above 0 and those
        that are below; arguments as in `write_values`."""
        self.write_values(excitatory, "weight", np.maximum(weights, 0.0), n_copies, n_pre, n_post, pairs, neuron)
        self.write_values(inhibitory, "weight", np.minimum(weights, 0.0), n_copies, n_pre, n_post, pairs, neuron)

    def _as_made(self, projection: Any) -> Any:
        """Where, in the order of `connections`, those sorted by post, then by pre, are."""
        pre, post, *_ = self.connections(projection)
        return np.lexsort((pre, post))


def detuned(tau_m: ArrayLike, tau_syn: ArrayLike, relative: float = 1e-6) -> Any:
    """tau_syn (ms), made larger by `relative` where it equals tau_m."""
    return np.where(np.abs(np.subtract(tau_syn, tau_m)) < relative * np.asarray(tau_m), np.multiply(tau_syn, 1 + relative),
                    tau_syn)[()]


def drawn(values: dict[str, Any], size: int) -> dict[str, np.ndarray]:
    """Values of `initialize` as arrays: a RandomDistribution would be drawn anew whenever a simulator looks at it."""
    return {name: LazyArray(value, shape=(size,), dtype=float).evaluate(simplify=False) for name, value in values.items()}
