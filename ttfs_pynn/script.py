"""Run any PyNN script on any simulator and take down what it built and what spiked.

The script is a function `build(sim)`. It is handed a stand-in for the PyNN module that sees to it that every simulator is given
the same: the time step is the caller's, Poisson sources become spike trains drawn from a seed before each run, and the quirks of
`simulators` are attended to. Whatever the script asks for besides reaches the PyNN module unchanged.
"""

import numpy as np

from ttfs_pynn.comparison.record import PARAMETERS, Connections, NetworkRecord, distinct
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.presentation import spikes_of
from ttfs_pynn.simulators.base import NonExistentParameterError

__all__ = ["ObservedSimulator", "run_script"]

_CURRENT_SOURCES = ("DCSource", "StepCurrentSource", "ACSource", "NoisyCurrentSource")
_POISSON = ("rate", "start", "duration")
# ms, the same for every time step, so that the spikes are. NEST 3.10 takes no spike that is given less than two steps ahead.
_LEAD = 1.0


class _PoissonTrains:
    """What the script takes for a population of SpikeSourcePoisson: spike trains, drawn as far as they are needed.

    parameters: {name of _POISSON: (sources,)}. seed: a list, to which the number of the piece is added.
    """

    def __init__(self, population, parameters, seed):
        self.population, self._parameters, self._seed, self._pieces = population, parameters, seed, 0

    def begin(self, time):
        """Nothing is drawn before `time` (ms)."""
        self._drawn, self.trains = time, [np.empty(0)] * self.population.size

    def draw(self, now, stop):
        """One array of new spikes (ms) a source, up to `stop`. In `trains` they are behind those after `now`."""
        rng, new = np.random.default_rng([*self._seed, self._pieces]), []
        for rate, start, length in zip(*(self._parameters[name] for name in _POISSON), strict=True):
            begin = max(start, self._drawn)
            span = max(min(start + length, stop) - begin, 0.0)
            new.append(np.sort(begin + span * rng.random(rng.poisson(rate * span / 1000))))
        self.trains = [np.concatenate([old[old >= now], train]) for old, train in zip(self.trains, new, strict=True)]
        self._drawn, self._pieces = stop, self._pieces + 1
        return new


class ObservedSimulator:
    """Stands in for a PyNN module. `simulator`: a simulators.Simulator; dt in ms; duration (ms) for scripts that never run."""

    def __init__(self, simulator, dt, seed=1, duration=1000.0):
        self._simulator, self._dt, self._seed, self._duration = simulator, dt, seed, duration
        self._sim = simulator.setup(dt, seed=seed)
        self._begin()

    def _begin(self):
        self._populations, self._projections, self._poisson, self._notes = [], [], [], set()
        self._prepared = 0  # populations, in the order in which they were made
        self._time = 0.0  # ms; simulators round their own, each in its way

    def __getattr__(self, name):
        found = getattr(self._sim, name)
        if name in _CURRENT_SOURCES:
            def make(*arguments, **parameters):
                self._notes.add("currents are injected")
                return found(*arguments, **parameters)
            return make
        return found

    def setup(self, *arguments, **parameters):
        """As the caller of the comparison said, whatever the script says."""
        self._sim = self._simulator.setup(self._dt, seed=self._seed)
        self._begin()
        return 0

    def Population(self, size, cellclass, cellparams=None, **options):
        """PyNN's, taken down; a SpikeSourcePoisson becomes spike trains that are drawn before each run, 1 ms ahead."""
        name = cellclass.__name__ if isinstance(cellclass, type) else type(cellclass).__name__
        rates = None
        if name == "SpikeSourcePoisson":
            cell = cellclass(**(cellparams or {})) if isinstance(cellclass, type) else cellclass
            rates, cellclass, cellparams = cell.parameter_space, self._sim.SpikeSourceArray, {}
        made = self._sim.Population(size, cellclass, cellparams, **options)
        self._populations.append(made)
        if rates is not None:
            rates.shape = (made.size,)
            rates.evaluate(simplify=False)
            self._poisson.append(_PoissonTrains(made, rates, [self._seed, len(self._poisson)]))
            self._poisson[-1].begin(self._time + _LEAD)
            self._notes.add("Poisson sources were drawn once for all simulators")
        return made

    def create(self, cellclass, cellparams=None, n=1):
        """PyNN's: `Population` with its arguments in another order."""
        return self.Population(n, cellclass, cellparams)

    def Projection(self, *arguments, **options):
        """PyNN's, taken down."""
        self._projections.append(self._sim.Projection(*arguments, **options))
        return self._projections[-1]

    def connect(self, *arguments, **options):
        """PyNN's, taken down."""
        self._projections.append(self._sim.connect(*arguments, **options))
        return self._projections[-1]

    def run(self, simtime, *arguments, **options):
        """PyNN's, after what every simulator is to be given has been set (simtime in ms)."""
        self._before_run(simtime or 0.0)  # the chip has runs of no time, None
        return self._sim.run(simtime, *arguments, **options)

    run_for = run

    def run_until(self, time, *arguments, **options):
        """PyNN's (ms)."""
        return self.run(time - self._time, *arguments, **options)

    def reset(self, *arguments, **options):
        """PyNN's; the spikes of Poisson sources are drawn anew."""
        self._time = 0.0
        for source in self._poisson:
            source.begin(_LEAD)
        return self._sim.reset(*arguments, **options)

    def end(self, *arguments, **options):
        """Nothing: what was recorded is still to be read."""

    def _before_run(self, simtime):
        poisson = {id(source.population) for source in self._poisson}
        for population in self._populations[self._prepared:]:
            if "v" in population.initial_values:
                # A RandomDistribution would be drawn anew whenever it is looked at.
                population.initialize(v=population.initial_values["v"].evaluate(simplify=False))
            if id(population) not in poisson:
                self._simulator.adapt(population, self._dt)
            population.record("spikes")
        self._prepared = len(self._populations)
        now, self._time = self._time, self._time + simtime
        for source in self._poisson:
            # A simulator may have rounded a spike of the last step to the next one.
            new = source.draw(now - self._dt, self._time + _LEAD)
            self._simulator.add_spikes(source.population, source.trains, new, self._dt)

    def network_record(self, connections=True):
        """NetworkRecord of what was built and spiked. connections: also every connection."""
        if not self._populations:
            raise ConfigurationError("build(sim) made no population with sim.Population; it is to build the network on the "
                                     "module that it is given")
        if not self._prepared:
            self.run(self._duration)
        ids = np.concatenate([[int(cell) for cell in p.all_cells] for p in self._populations])
        number = dict(zip(ids.tolist(), range(ids.size), strict=True))
        of_each, times_of_each = [], []
        for population in self._populations:
            channels, spikes = spikes_of(population.get_data("spikes").segments[-1])
            of_each.append(np.array([number[c] for c in channels.tolist()], dtype=np.int64))
            times_of_each.append(spikes)
        cells, times = np.concatenate(of_each), np.concatenate(times_of_each)
        order = np.lexsort((times, cells))
        names = distinct(p.label for p in self._projections)
        made = tuple(self._connections(p, name, number) for p, name in zip(self._projections, names, strict=True)) \
            if connections else ()
        return NetworkRecord(distinct(p.label for p in self._populations), tuple(int(p.size) for p in self._populations),
                             self._parameters(), made, cells[order], times[order], float(self._sim.get_current_time()), None,
                             tuple(sorted(self._notes)), {"connections": [len(p) for p in self._projections]})

    def _parameters(self):
        columns: dict[str, list[np.ndarray]] = {name: [] for name in PARAMETERS}
        for population in self._populations:
            known = type(population.celltype).__name__ == "IF_curr_exp"
            for name in PARAMETERS:
                value = np.nan
                if known:
                    value = population.initial_values["v"].evaluate(simplify=True) if name == "v" else population.get(name)
                columns[name].append(np.broadcast_to(np.asarray(value, dtype=float), (population.size,)))
        return {name: np.concatenate(column) for name, column in columns.items()}

    @staticmethod
    def _connections(projection, name, number):
        pre = np.array([number[int(cell)] for cell in projection.pre.all_cells])
        post = np.array([number[int(cell)] for cell in projection.post.all_cells])
        table = np.array(projection.get(["weight", "delay"], format="list"), dtype=float).reshape(-1, 4)
        i, j = table[:, 0].astype(int), table[:, 1].astype(int)
        return Connections(name, projection.receptor_type, pre[i], post[j], table[:, 2], table[:, 3])


def run_script(build, simulator, dt, seed=1, duration=1000.0, connections=True):
    """NetworkRecord of build(sim) on a simulators.Simulator."""
    sim = ObservedSimulator(simulator, dt, seed, duration)
    try:
        build(sim)
    except NonExistentParameterError as error:
        if error.parameter_name not in _POISSON or error.model_name != "SpikeSourceArray":
            raise
        raise ConfigurationError(
            f"{error.parameter_name!r} of a SpikeSourceArray: here it stands for a SpikeSourcePoisson, so that all simulators "
            f"get the same spikes, and it has no {', '.join(_POISSON)} to read or set; give them to sim.SpikeSourcePoisson, and "
            "make one population for each rate, with its own start and duration") from error
    return sim.network_record(connections)
