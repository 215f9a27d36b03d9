"""PyNN's current sources over the piecewise constant currents of `currents`. A backend subclasses each with its `_simulator`."""

import numpy as np
from pyNN import common, errors
from pyNN.parameters import ParameterSpace, Sequence
from pyNN.random import NativeRNG
from pyNN.standardmodels import StandardCurrentSource, build_translations, electrodes

from ttfs_pynn.event_driven.currents import SampledCurrent, StepCurrent, noise
from ttfs_pynn.event_driven.state import EarlierSetupError, check_current
from ttfs_pynn.membrane.ranges import LARGEST, all_below
from ttfs_pynn.units import in_units

_UNITS = {"amplitude": "nA", "amplitudes": "nA", "offset": "nA", "mean": "nA", "stdev": "nA", "start": "ms", "stop": "ms",
          "times": "ms", "dt": "ms", "frequency": "Hz", "phase": "deg"}
__all__ = ["ACSource", "CurrentSource", "DCSource", "NoisyCurrentSource", "StepCurrentSource"]

_ON_GRID = 1e-6  # of the time step: a change at 10 ms is seen at the sample of 10 ms, however either is rounded


class CurrentSource(StandardCurrentSource):
    """What the sources share. A subclass builds its `_current` from `_values`, plain numbers and arrays.

    Parameters may be changed between two runs and hold from then on. Without a time between start and stop no current flows.
    Errors: TypeError for cells that take no current; ValueError for parameters that make no current; EarlierSetupError for cells
    or a source from before the last setup().
    """

    def __init__(self, **parameters):
        super().__init__(**parameters)
        self._state = self._simulator.state
        self._dt = self._state.dt
        self._values, self._recorded, self._current = {}, None, None
        parameters = in_units(parameters, _UNITS)
        space = ParameterSpace(self.default_parameters, self.get_schema(), shape=(1,))
        space.update(**parameters)
        self.set_native_parameters(self.translate(space))
        self._usable()
        self._state.current_sources.append(self)

    def __getattr__(self, name):
        # PyNN 0.13 takes any unknown name for a parameter and raises what is no AttributeError: that breaks hasattr and copy.
        if name.startswith("_"):
            raise AttributeError(name)
        return super().__getattr__(name)

    def _check_current(self):
        if self._state is not self._simulator.state:
            raise EarlierSetupError(f"a {type(self).__name__} was made before the last setup(), which began time, time step and "
                                    "random numbers anew; make it again after setup()")

    def set_parameters(self, copy=True, **parameters):
        super().set_parameters(copy, **in_units(parameters, _UNITS))

    def set_native_parameters(self, parameters):
        self._check_current()
        parameters.evaluate(simplify=True)
        values = dict(self._values)
        for name, value in parameters.items():
            values[name] = np.array(value.value, dtype=float) if isinstance(value, Sequence) else value
        current = self._make(**values)
        self._values, self._current = values, current

    def get_native_parameters(self):
        return ParameterSpace(dict(self._values))

    def inject_into(self, cells):
        """Inject the current into a population, a view, an assembly, one cell, or a list of cells."""
        self._check_current()
        if isinstance(cells, common.IDMixin):
            cells = [cells]
        if isinstance(cells, common.Assembly):
            targets = [(part, part.group, part.group_index) for part in cells.populations]
        elif isinstance(cells, common.BasePopulation):
            targets = [(cells, cells.group, cells.group_index)]
        else:
            targets = [(cell.parent, cell.parent.group, [cell.parent.id_to_index(cell)]) for cell in cells]
        for part, _, _ in targets:
            check_current(part, self._state)
            if not part.celltype.injectable:
                raise TypeError(f"Can't inject current into a spike source, such as {type(part.celltype).__name__}")
        for _, group, index in targets:
            group.inject(self, np.arange(group.size)[index])

    def value(self, t):
        return self._usable().value(t)

    def changes(self, t, t_stop):
        return self._usable().changes(t, t_stop)

    def count(self, t, t_stop):
        return self._usable().count(t, t_stop)

    def _usable(self):
        """The current, or an error where its parameters do not fit each other."""
        return self._current

    def record(self):
        """Keep the current at multiples of the time step, from now on, for `get_data`."""
        self._check_current()
        if self._recorded is None:
            self._recorded = []
            self._first_sample = self._n_samples(self._state.t)

    def _n_samples(self, t):
        """How many multiples of the time step are before t."""
        return int(np.ceil(t / self._dt - _ON_GRID))

    def begin(self):
        """Before a run: an error comes before anything has moved."""
        self._usable()

    def collect(self, t, t_stop):
        """Keep the current of [t, t_stop)."""
        if self._recorded is not None:
            samples = np.arange(self._n_samples(t), self._n_samples(t_stop))
            self._recorded.append(self.value((samples + _ON_GRID) * self._dt))

    def drop(self):
        """Forget what was recorded: time begins anew."""
        if self._recorded is not None:
            self._recorded, self._first_sample = [], 0

    def _get_data(self):
        """(times, amplitudes): the current that flows from each multiple of the time step on, up to the present one."""
        if self._recorded is None:
            raise errors.NothingToWriteError(f"{type(self).__name__} was not recorded: call its record() before run()")
        samples = np.concatenate([np.empty(0), *self._recorded])[:self._n_samples(self._state.t) - self._first_sample]
        present = self._first_sample + samples.size
        if (present - _ON_GRID) * self._dt <= self._state.t:
            samples = np.append(samples, self.value((present + _ON_GRID) * self._dt))
        return (self._first_sample + np.arange(samples.size)) * self._dt, samples


def _same_names(model):
    return build_translations(*((name, name) for name in model.default_parameters))


class DCSource(CurrentSource, electrodes.DCSource):
    __doc__ = electrodes.DCSource.__doc__
    translations = _same_names(electrodes.DCSource)

    def _make(self, amplitude, start, stop):
        return StepCurrent([], []) if start >= stop else StepCurrent([start, stop], [amplitude, 0.0])


class StepCurrentSource(CurrentSource, electrodes.StepCurrentSource):
    __doc__ = electrodes.StepCurrentSource.__doc__
    translations = _same_names(electrodes.StepCurrentSource)

    def _make(self, times, amplitudes):
        times, amplitudes = np.atleast_1d(times), np.atleast_1d(amplitudes)
        if (times < 0).any():
            raise ValueError(f"Step current cannot accept negative timestamps, such as {times.min():g} ms.")
        if (np.diff(times) <= 0).any():
            raise ValueError(f"Step current timestamps should be monotonically increasing, not {times[:6]}.")
        if times.size != amplitudes.size:  # one of the two may be set after the other
            return None
        return StepCurrent(times, amplitudes)

    def _usable(self):
        if self._current is None:
            raise ValueError(f"StepCurrentSource has {np.size(self._values['times'])} times and "
                             f"{np.size(self._values['amplitudes'])} amplitudes; set one amplitude a time")
        return self._current


class ACSource(CurrentSource, electrodes.ACSource):
    __doc__ = electrodes.ACSource.__doc__
    translations = _same_names(electrodes.ACSource)

    def _make(self, amplitude, start, stop, frequency, offset, phase):
        def sine(k):
            return offset + amplitude * np.sin(2 * np.pi * (frequency * k * self._dt / 1000 + phase / 360))
        if not all_below([amplitude, frequency, offset, phase]):
            raise ValueError(f"amplitude, frequency, offset and phase of an ACSource must be finite, and at most {LARGEST:g}")
        return SampledCurrent(start, stop, self._dt, sine)


class NoisyCurrentSource(CurrentSource, electrodes.NoisyCurrentSource):
    """One course of the current for all cells that it is injected into, new after each reset.

    Without `rng` it is drawn from the seed given to `setup`; without `dt` it changes at each time step.
    """
    translations = _same_names(electrodes.NoisyCurrentSource)

    def __init__(self, rng=None, **parameters):
        state = self._simulator.state
        if rng is None or isinstance(rng, NativeRNG):
            self._draw = state.rng.spawn(1)[0].standard_normal  # of its own: other sources' draws do not depend on it
        else:
            self._draw = lambda n: rng.next(n, "normal", {"mu": 0.0, "sigma": 1.0})
        self._normal = noise(self._draw)
        super().__init__(**{"dt": state.dt, **parameters})

    def _make(self, mean, stdev, start, stop, dt):
        if not (all_below([mean, stdev]) and stdev >= 0):
            raise ValueError(f"a NoisyCurrentSource needs a finite mean and stdev >= 0 of at most {LARGEST:g} nA, not {mean} and "
                             f"{stdev}")
        return SampledCurrent(start, stop, dt, lambda k: mean + stdev * self._normal(k))

    def drop(self):
        super().drop()
        self._normal = noise(self._draw)
