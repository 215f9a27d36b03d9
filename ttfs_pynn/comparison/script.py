"""Run any PyNN script on any simulator and take down what it built, what it changed and what spiked, trial by trial.

The script is a function `build(sim)`. It is handed a stand-in for the PyNN module that sees to it that every simulator is given
the same: the time step is the caller's, Poisson sources become spike trains drawn from a seed before each run, and what a
simulator with a time step cannot hold is given to none: delays and lengths of runs are rounded to the step, and of two spikes of
a source in one step the first is kept. The quirks of `simulators` are attended to. Whatever the script asks for besides reaches
the PyNN module unchanged.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ttfs_pynn.comparison.observation import Trial
from ttfs_pynn.comparison.record import NetworkRecord
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.simulators import Simulator
from ttfs_pynn.simulators.base import NonExistentParameterError, drawn

__all__ = ["ObservedSimulator", "run_script"]

_CURRENT_SOURCES = ("DCSource", "StepCurrentSource", "ACSource", "NoisyCurrentSource")
_POISSON = ("rate", "start", "duration")
# ms, the same for every time step, so that the spikes are. NEST 3.10 takes no spike that is given less than two steps ahead.
_LEAD = 1.0
_ON_GRID = 1e-6  # of a step: what rounding leaves of a multiple of it


class _PoissonTrains:
    """What the script takes for a population of SpikeSourcePoisson: spike trains, drawn as far as they are needed.

    parameters: {name of _POISSON: (sources,)}. seed: a list, to which the number of the piece is added. Of the spikes in one step
    of dt the first one is kept; left_out counts the others.
    """

    def __init__(self, population, parameters, seed, dt):
        self.population, self._parameters, self._seed, self._dt = population, parameters, seed, dt
        self._pieces = self.left_out = 0

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
        drawn = sum(train.size for train in new)
        new = [_one_a_step(train, self._dt, old) for train, old in zip(new, self.trains, strict=True)]
        self.left_out += drawn - sum(train.size for train in new)
        self.trains = [np.concatenate([old[old >= now], train]) for old, train in zip(self.trains, new, strict=True)]
        self._drawn, self._pieces = stop, self._pieces + 1
        return new


def _one_a_step(train, dt, before=()):
    """The first spike of each step of a sorted train (ms), without those in the step of the last one of `before`.

    Brian2 2.9 and NEST 3.10 on its grid hold one spike of a source in a step.
    """
    steps = np.round(np.concatenate([before[-1:], train]) / dt)
    return train[np.diff(steps, prepend=-np.inf)[len(before[-1:]):] > 0]


def _kept_before(population, simulator, keep):
    """Let keep(population) be called before anything that the recorder holds is cleared, by whatever call of the script."""
    recorder = population.recorder
    get, reset = recorder.get, recorder.reset

    def get_and_keep(variables, gather=False, filter_ids=None, clear=False, *arguments, **options):
        simulator.before_reading(population)
        if not clear:
            return get(variables, gather, filter_ids, clear, *arguments, **options)
        keep(population)
        before = dict(vars(recorder))
        block = get(variables, gather, filter_ids, clear, *arguments, **options)
        simulator.after_clear(population, before)
        return block

    def reset_and_keep():
        keep(population)
        before = dict(vars(recorder))
        reset()
        simulator.after_clear(population, before)

    recorder.get, recorder.reset = get_and_keep, reset_and_keep


class ObservedSimulator:
    """Stands in for a PyNN module. `simulator`: a simulators.Simulator; dt in ms; duration (ms) for scripts that never run.

    After `finish`, `trials` has a NetworkRecord for each stretch of time that began with setup() or reset() and in which the
    script ran.
    """

    def __init__(self, simulator: Simulator, dt: float, seed: int = 1, duration: float = 1000.0) -> None:
        self._simulator, self._dt, self._seed, self._duration = simulator, dt, seed, duration
        self.trials: list[NetworkRecord] = []
        self._rounding = lambda delay: self._rounded(delay)  # PyNN makes deep copies of it, which a method would not bear
        self._setups = 0  # those of the script that were followed by another one
        self._begin()

    def _begin(self):
        self._sim = self._simulator.setup(self._dt, seed=self._seed)
        self._populations, self._projections, self._currents, self._poisson, self._notes = [], [], [], [], {}
        # Spike times of SpikeSourceArrays, by the id of their population: what the script gave, what the simulator holds since it
        # was given them, and who must be given them again.
        self._wanted, self._held, self._again = {}, {}, set()
        self._begin_trial()

    def _begin_trial(self):
        self._time = 0.0  # ms; simulators round their own, each in its way
        self._trial = Trial(self._simulator, self._dt)

    def __getattr__(self, name):
        found = getattr(self._sim, name)
        if name in _CURRENT_SOURCES:
            def make(*arguments, **parameters):
                made, targets = found(*arguments, **parameters), list[int]()
                self._currents.append((name, made, targets))
                inject_into = made.inject_into

                def inject_and_note(cells):
                    targets.extend(int(cell) for cell in (cells if hasattr(cells, "__iter__") else [cells]))
                    return inject_into(cells)
                made.inject_into = inject_and_note
                return made
            return make
        return found

    def setup(self, *arguments: Any, **parameters: Any) -> Any:
        """As the caller of the comparison said, whatever the script says. What was built before is taken down first."""
        self._end_trial()
        self._setups += bool(self._populations)
        self._begin()
        return 0

    def Population(self, size: Any, cellclass: Any, cellparams: Any = None, *arguments: Any, **options: Any) -> Any:
        """PyNN's, taken down; a SpikeSourcePoisson becomes spike trains that are drawn before each run, 1 ms ahead."""
        name = cellclass.__name__ if isinstance(cellclass, type) else type(cellclass).__name__
        rates = None
        if name == "SpikeSourcePoisson":
            cell = cellclass(**(cellparams or {})) if isinstance(cellclass, type) else cellclass
            rates, cellclass, cellparams = cell.parameter_space, self._sim.SpikeSourceArray, {}
        options = dict(zip(("structure", "initial_values", "label"), arguments, strict=False)) | options
        # PyNN numbers populations without a label through all simulations of a process.
        options["label"] = options.get("label") or f"population{len(self._populations)}"
        if options.get("initial_values"):
            options["initial_values"] = drawn(options["initial_values"], int(np.prod(size)))
        made = self._sim.Population(size, cellclass, cellparams, **options)
        self._populations.append(made)
        _kept_before(made, self._simulator, lambda population: self._trial.keep_spikes(population))
        initialize = made.initialize

        def initialize_and_see(**values):
            initialize(**drawn(values, made.size))
            self._simulator.initialize_now(made)
        made.initialize = initialize_and_see
        if rates is not None:
            rates.shape = (made.size,)
            rates.evaluate(simplify=False)
            self._poisson.append(_PoissonTrains(made, rates, [self._seed, len(self._poisson)], self._dt))
            self._poisson[-1].begin(self._time + _LEAD)
            self._note("Poisson", "Poisson sources were drawn once for all simulators")
        return made

    def create(self, cellclass: Any, cellparams: Any = None, n: int = 1) -> Any:
        """PyNN's: `Population` with its arguments in another order."""
        return self.Population(n, cellclass, cellparams)

    def Projection(self, presynaptic: Any, postsynaptic: Any, connector: Any, synapse_type: Any = None, *arguments: Any,
                   **options: Any) -> Any:
        """PyNN's, taken down."""
        self._round_before(synapse_type, connector)
        made = self._sim.Projection(presynaptic, postsynaptic, connector, synapse_type, *arguments, **options)
        self._projections.append(made)
        return made

    def connect(self, *arguments: Any, **options: Any) -> Any:
        """PyNN's, taken down."""
        self._projections.append(self._sim.connect(*arguments, **options))
        return self._projections[-1]

    def run(self, simtime: float, callbacks: Any = None, *arguments: Any, **options: Any) -> Any:
        """PyNN's, after what every simulator is to be given has been set (simtime in ms)."""
        if callbacks:
            return self._run_with(self._time + simtime, callbacks)
        return self._run(simtime, *arguments, **options)

    run_for = run

    def run_until(self, time: float, *arguments: Any, **options: Any) -> Any:
        """PyNN's (ms)."""
        return self.run(time - self._time, *arguments, **options)

    def _run_with(self, stop, callbacks):
        """As PyNN does it, but every piece between two calls is a run of its own: a callback may change the network."""
        due = [(callback(self._time), callback) for callback in callbacks]
        while self._time < stop - 1e-9:
            begin = min(time for time, _ in due)
            self._run(min(begin, stop) - self._time)
            due = [(callback(self._time), callback) if time < begin + self._dt else (time, callback) for time, callback in due]
        return self._sim.get_current_time()

    def _run(self, simtime, *arguments, **options):
        stop = self._time + (simtime or 0.0)  # the chip has runs of no time, None
        steps = np.round(stop / self._dt)
        if abs(stop / self._dt - steps) > _ON_GRID:
            # NEST 3.10 refuses such a run, and NEURON 9.0 ends it a step early.
            self._note("length", f"the lengths of runs were rounded to multiples of dt = {self._dt:g} ms")
            stop = steps * self._dt
        if simtime is not None:
            simtime = stop - self._time
            if not self._simulator.has_time_step and simtime <= 0:
                return self._sim.get_current_time()
        undo = self._before_run(stop)
        try:
            return self._sim.run(simtime, *arguments, **options)
        finally:
            self._simulator.after_run(self._projections)
            self._trial.end_run(self._populations)
            for function in undo:
                function()

    def reset(self, annotations: Any = None) -> None:
        """PyNN's, which begins a new trial; the spikes of Poisson sources are drawn anew."""
        self._end_trial()
        self._begin_trial()
        for source in self._poisson:
            source.begin(_LEAD)
        given = [population for population in self._populations if id(population) in self._held]
        for population in given:
            self._has_new_times(population)
        result = self._simulator.reset_script(self._sim, self._populations, self._projections, annotations or {})
        # pyNN.nest 0.13 gives its sources the spike times again that they were made with, whatever was set later.
        for population in given:
            self._held[id(population)] = self._simulator.spike_times(population)
            self._again.add(id(population))
        return result

    def end(self, *arguments: Any, **options: Any) -> None:
        """Nothing: what was recorded is still to be read."""

    def _note(self, kind, text):
        self._notes[kind] = text

    def _before_run(self, stop):
        """Everything that a run up to `stop` (ms) needs. Returns functions that undo it for the script's eyes."""
        poisson = {id(source.population) for source in self._poisson}
        for population in self._populations:
            if not any(v.name == "spikes" and len(ids) == population.size for v, ids in population.recorder.recorded.items()):
                population.record("spikes")
        self._round_delays()
        self._trial.begin_stage(self._time, self._populations, self._projections, self._currents)
        undo = []
        for population in self._populations:
            if id(population) not in poisson:
                self._hand_over(population)
                undo.append(self._simulator.adapt(population, self._dt))
        now, self._time = self._time, stop
        for source in self._poisson:
            # A simulator may have rounded a spike of the last step to the next one.
            new = source.draw(now - self._dt, stop + _LEAD)
            self._simulator.add_spikes(source.population, source.trains, new, self._dt)
            self._note_left_out(source.population.label, source.left_out)
        given = [p for p in self._populations if id(p) in self._held]
        self._simulator.before_run(self._sim, given, now, stop)
        return undo

    def _note_left_out(self, label, n):
        if n:
            self._note(f"left out {label}", f"{label}: {n} spikes were left out, each in one step of {self._dt:g} ms with "
                                            "another one of the same source, where a simulator with a time step holds one")

    def _has_new_times(self, population):
        """Whether the script gave a SpikeSourceArray spike times since the simulator was handed some; they are taken down."""
        key, held = id(population), self._simulator.spike_times(population)
        if key in self._held and all(map(np.array_equal, held, self._held[key])):
            return False
        self._wanted[key] = [_one_a_step(np.sort(train), self._dt) for train in held]
        self._note_left_out(population.label, sum(map(len, held)) - sum(map(len, self._wanted[key])))
        return True

    def _hand_over(self, population):
        """Make spike times that the script has given since the last run fit for the simulator."""
        if type(population.celltype).__name__ != "SpikeSourceArray":
            return
        if self._has_new_times(population) or id(population) in self._again:
            self._simulator.give_spikes(population, self._wanted[id(population)], self._dt)
            self._held[id(population)] = self._simulator.spike_times(population)
            self._again.discard(id(population))

    def _rounded(self, delay):
        """Delays (ms) as multiples of dt: simulators with a time step round them, each in its way."""
        delay = np.asarray(delay, dtype=float)
        steps = np.floor(delay / self._dt + 0.5 + _ON_GRID)
        if (np.abs(delay / self._dt - steps) > _ON_GRID).any():
            self._note("delays", f"delays were rounded to multiples of dt = {self._dt:g} ms, which is what simulators with a "
                                 "time step hold")
        return np.where(delay > 0, np.maximum(steps, 1), steps) * self._dt

    def _round_before(self, synapse_type, connector):
        """Round the delays that a projection is to have, before a simulator does."""
        if "delay" in getattr(connector, "column_names", ()):
            column = 2 + list(connector.column_names).index("delay")
            connector.conn_list = np.array(connector.conn_list, dtype=float)
            connector.conn_list[:, column] = self._rounded(connector.conn_list[:, column])
        space = getattr(synapse_type, "parameter_space", {})
        if "delay" in space.keys() and self._rounding not in [function for function, _ in space["delay"].operations]:
            space["delay"].apply(self._rounding)

    def _round_delays(self):
        """Round those that the script has set since."""
        for projection in self._projections:
            *_, delay = self._simulator.connections(projection)
            rounded = self._rounded(delay)
            if (np.abs(rounded - delay) > _ON_GRID * self._dt).any():
                self._simulator.set_delays(projection, rounded)

    def _end_trial(self):
        record = self._trial.record(self._populations, self._projections, self._time,
                                    tuple(text for _, text in sorted(self._notes.items())), self._setups)
        if record is not None:
            self.trials.append(record)

    def finish(self) -> list[NetworkRecord]:
        """The list of NetworkRecords of all trials; a script that never ran is run."""
        if not self._populations and not self.trials:
            raise ConfigurationError("build(sim) made no population with sim.Population; it is to build the network on the "
                                     "module that it is given")
        if not self.trials and not self._trial.begun:
            self.run(self._duration)
        self._end_trial()
        self._begin_trial()
        return self.trials


def run_script(build: Callable[[Any], Any], simulator: Simulator, dt: float, seed: int = 1,
               duration: float = 1000.0) -> list[NetworkRecord]:
    """The list of NetworkRecords, one a trial, of build(sim) on a simulators.Simulator."""
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
    return sim.finish()
