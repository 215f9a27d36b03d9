"""Populations, views and assemblies on the emulated chip."""

import numpy as np
from pyNN import common, errors

from ttfs_pynn.brainscales2 import simulator
from ttfs_pynn.brainscales2.recording import Recorder
from ttfs_pynn.brainscales2.standardmodels.cells_base import ChipCell, CircuitCells
from ttfs_pynn.event_driven import populations

__all__ = ["Assembly", "Population", "PopulationView"]


class Assembly(populations.Assembly):
    __doc__ = common.Assembly.__doc__
    _simulator = simulator

    def record(self, variables, to_file=None, sampling_interval=None, locations=None, *, device="madc"):
        for population in self.populations:
            population.record(variables, to_file, sampling_interval, locations, device=device)


def _in_order(train):
    """Spike times that may come unsorted, and of which infinite ones never occur: the adapter takes both."""
    times = np.asarray(getattr(train, "value", train), dtype=float)
    if times.ndim == 1 and ((times[1:] < times[:-1]).any() or np.isinf(times).any()):
        return np.sort(times[~np.isinf(times)])
    return times


class _OnChip:
    """What Population and PopulationView share."""

    CHECKS_VARIABLES = False  # initial values have no effect, as on the adapter

    def _get_parameters(self, *names):
        self.celltype.validate_parameter_space()
        return super()._get_parameters(*names)

    def _set_parameters(self, parameter_space):
        self._check_current()
        self.celltype.validate_parameter_space()
        if not isinstance(self.group, CircuitCells):
            super()._set_parameters(parameter_space)
            return
        parameter_space.evaluate(mask=slice(None), simplify=False)
        for name, value in parameter_space.as_dict().items():
            self.group.set_at(name, self.group_index, value)

    def _set_spike_times(self, trains):
        super()._set_spike_times([_in_order(train) for train in trains])

    def record(self, variables, to_file=None, sampling_interval=None, locations=None, *, device="madc"):
        """Record variables of all cells; None: forget what was to be recorded in the whole population.

        device: 'madc' (one neuron with an even and one with an odd number at once, each 34 ns), 'cadc' (all neurons, each
        1.7 us), or 'pad_0', 'pad_1' with '_buffered' or '_unbuffered' (an analog output: nothing is recorded).
        """
        self._check_current()
        if variables is None:
            self.recorder.reset()
            return
        cells = self.all_cells if self._record_filter is None else self._record_filter
        self.recorder.record(variables, cells, sampling_interval, locations, device=device)
        if isinstance(to_file, str):
            self.recorder.file = to_file
            self._simulator.state.write_on_end.append((self, variables, to_file))

    def find_units(self, variable):
        return self.celltype.units[getattr(variable, "name", variable)]

    def _calibration(self, name):
        try:
            return getattr(type(self.celltype), name)
        except AttributeError:
            raise AttributeError(f"{type(self.celltype).__name__} is not a calibrated cell type") from None

    @property
    def actual_hwparams(self):
        """The calibrated circuits (AtomicNeuron), one a cell; changes take effect in the next run."""
        neurons = self._calibration("hardware_parameters")(self.group)
        return tuple(neurons[k] for k in np.arange(self.group.size)[self.group_index])

    @property
    def calib_hwparams(self):
        """The circuits as the last calibration left them."""
        neurons = self._calibration("calibration_result")(self.group)
        return [neurons[k] for k in np.arange(self.group.size)[self.group_index]]

    @property
    def calib_target(self):
        """{name: values}: what the last calibration aimed at."""
        target = self._calibration("calibration_target")(self.group)
        return {name: values[self.group_index] for name, values in target.items()}


class PopulationView(_OnChip, populations.PopulationView):
    __doc__ = common.PopulationView.__doc__
    _simulator = simulator
    _assembly_class = Assembly

    def __init__(self, parent, selector, label=None):
        super().__init__(parent, list(selector) if isinstance(selector, range) else selector, label)


class Population(_OnChip, populations.Population):
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly
    _view_class = PopulationView

    def __init__(self, size, cellclass, cellparams=None, *arguments, **kwargs):
        simulator.active("a population")
        if isinstance(size, int | np.integer) and size < 1:
            kind = IndexError if size == 0 else ValueError
            raise kind(f"a population of {size} cells cannot be made; give a size of at least 1")
        self._description = {}
        if isinstance(cellclass, ChipCell):
            cellclass = cellclass.for_one_population()
        super().__init__(size, cellclass, cellparams, *arguments, **kwargs)

    def _create_cells(self):
        for name, values in self.celltype.parameter_space.items():
            if values._shape is not None and values._shape != (self.size,):
                raise errors.InvalidParameterValueError(
                    f"{type(self.celltype).__name__}: {values._shape[0]} values of {name} for {self.size} cells; give one, "
                    "or one for each cell")
        super()._create_cells()

    def _register(self, state):
        state.add_population(self)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name in ("label", "annotations"):
            self._description.clear()

    def describe(self, *args, **kwargs):
        # Rendering a template with all of a circuit's parameters takes long, and get_data() asks for it each time.
        key = (args, tuple(sorted(kwargs.items())))
        if key not in self._description:
            self._description[key] = super().describe(*args, **kwargs)
        return self._description[key]
