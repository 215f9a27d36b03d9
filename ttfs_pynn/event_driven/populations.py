"""Populations, views and assemblies on groups of the event-driven simulator. A backend subclasses each with its `_simulator`."""

import numpy as np
from pyNN import common, errors
from pyNN.parameters import LazyArray, ParameterSpace, Sequence, simplify

from ttfs_pynn.event_driven.cell_types import foreign
from ttfs_pynn.event_driven.groups import LIFGroup, NeuronGroup
from ttfs_pynn.event_driven.spike_sources import SpikeSourceGroup, spikes_of_matrix
from ttfs_pynn.event_driven.state import check_current
from ttfs_pynn.units import in_unit, in_units

__all__ = ["Assembly", "Population", "PopulationView"]


class Assembly(common.Assembly):

    @property
    def receptor_types(self):
        # PyNN 0.13 returns them in the order of a set, which follows the hash seed: the first is taken as excitatory.
        first, *others = (p.celltype.receptor_types for p in self.populations)
        return [name for name in first if all(name in types for types in others)]


class _OnGroup:
    """What Population and PopulationView share: parameters as arrays of `group`, at `group_index`."""

    CHECKS_VARIABLES = True  # whether initial values of what is no state variable are refused

    def _get_parameters(self, *names):
        for name in names:
            if not self.celltype.has_parameter(name):
                raise errors.NonExistentParameterError(name, type(self.celltype).__name__, self.celltype.get_parameter_names())
        return self.celltype.reverse_translate(self._get_native_parameters(*self.celltype.get_native_names(*names)))

    def _get_native_parameters(self, *names):
        if names == ("spike_times",):
            sequences = self._spike_sequences()
            equal = all(np.array_equal(sequences[0].value, other.value) for other in sequences[1:])
            values = {"spike_times": sequences[0] if equal else sequences}
        else:
            parameters = self.group.get_parameters()
            values = {name: simplify(parameters[name][self.group_index]) for name in names}
        return ParameterSpace(values, shape=(self.size,))

    def _spike_sequences(self):
        times, offsets = self.group.times, self.group.offsets
        sequences = np.empty(self.size, dtype=object)
        for k, n in enumerate(np.arange(self.group.size)[self.group_index]):
            sequences[k] = Sequence(times[offsets[n]:offsets[n + 1]].copy())
        return sequences

    def _set_parameters(self, parameter_space):
        self._check_current()
        parameter_space.evaluate(mask=slice(None), simplify=False)
        values = parameter_space.as_dict()
        if "spike_times" in values:
            self._set_spike_times(np.broadcast_to(values["spike_times"], (self.size,)))
            return
        arrays = self.group.get_parameters()
        try:
            for name, value in values.items():
                arrays[name][self.group_index] = np.asarray(value, dtype=float)
            # together: a new v_reset may be above the old v_thresh
            self.group.set_parameters(**{name: arrays[name] for name in values})
        except (TypeError, ValueError) as error:
            raise errors.InvalidParameterValueError(f"{', '.join(values)}: {error}") from None

    def _check_current(self):
        check_current(self, self._simulator.state)

    def record(self, variables, to_file=None, sampling_interval=None, locations=None):
        self._check_current()
        super().record(variables, to_file, in_unit(sampling_interval, "ms", "sampling_interval"), locations)

    def initialize(self, **initial_values):
        """Set initial values of state variables, such as v (mV); NonExistentParameterError for what is none.

        Spike sources take those of neurons and have no use for them, as on NEST: a script may initialise all that it has.
        """
        known = getattr(self.group, "VARIABLES", LIFGroup.VARIABLES)
        for variable in initial_values if self.CHECKS_VARIABLES else ():
            if variable not in known:
                raise errors.NonExistentParameterError(variable, type(self.celltype).__name__, known)
        super().initialize(**in_units(initial_values, self.celltype.units))

    def set(self, **parameters):
        # Spike times in bulk: PyNN's way through lazy arrays costs some 10 us a cell, and fails for a 2D array.
        parameters = in_units(parameters, self.celltype.units)
        times = parameters.get("spike_times")
        if len(parameters) == 1 and isinstance(self.group, SpikeSourceGroup) and self._one_train_a_cell(times):
            self._set_spike_times(times)
        else:
            super().set(**parameters)

    def _one_train_a_cell(self, times):
        return isinstance(times, (list, tuple, np.ndarray)) and len(times) == self.size > 0 \
            and all(np.ndim(getattr(train, "value", train)) == 1 for train in times)

    def _set_spike_times(self, trains):
        """One array, list or Sequence of times (ms) a cell, in increasing order."""
        self._check_current()
        try:
            trains = [np.asarray(getattr(train, "value", train), dtype=float) for train in trains]
        except (TypeError, ValueError) as error:
            raise errors.InvalidParameterValueError(f"spike_times: {error}; give times in ms") from None
        if any(train.ndim != 1 for train in trains):
            raise errors.InvalidParameterValueError("spike_times must be a list of times (ms) a cell, or one list for all cells")
        lengths = np.array([train.size for train in trains], dtype=np.int64)
        times = np.concatenate(trains) if trains else np.empty(0)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        falling = np.diff(times) < 0
        falling[offsets[1:-1][(offsets[1:-1] > 0) & (offsets[1:-1] < times.size)] - 1] = False
        for wrong, what in ((falling, "not in increasing order"), (~np.isfinite(times), "not all finite"),
                            (times < 0, "not all zero or more")):
            if wrong.any():
                cell = int(np.searchsorted(offsets, np.flatnonzero(wrong)[0], side="right")) - 1
                raise errors.InvalidParameterValueError(
                    f"spike_times of cell {cell} are {what}: {times[offsets[cell]:offsets[cell + 1]][:6]}; give sorted, finite "
                    "times in ms from the start of the simulation, and no time for no spike")
        if isinstance(self, common.PopulationView):  # also one of all cells may be in another order
            times, offsets = self._merge(times, offsets)
        self.group.set_spike_times(times, offsets)

    def set_spike_matrix(self, matrix):
        """Spikes in bulk, without an object a cell: matrix (rows, cells) of times (ms), inf for none; those of a cell rise from
        row to row. Raises InvalidParameterValueError where they do not."""
        self._check_current()
        matrix = np.ascontiguousarray(matrix, dtype=float)
        if matrix.ndim != 2 or matrix.shape[1] != self.group.size:
            raise errors.InvalidParameterValueError(f"spike times of shape {matrix.shape} for {self.size} cells; give (windows, "
                                                    "cells), inf for no spike")
        try:
            self.group.set_spikes(*spikes_of_matrix(matrix))
        except ValueError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from None

    def _merge(self, times, offsets):
        """Spike times of the whole group, with those of this view replaced."""
        old = np.split(self.group.times, self.group.offsets[1:-1])
        for k, n in enumerate(np.arange(self.group.size)[self.group_index]):
            old[n] = times[offsets[k]:offsets[k + 1]]
        return np.concatenate(old), np.concatenate([[0], np.cumsum([train.size for train in old])])

    def _set_initial_value_array(self, variable, initial_values):
        self._check_current()
        if not isinstance(self.group, NeuronGroup):
            return
        if variable not in self.group.VARIABLES:
            raise errors.NonExistentParameterError(variable, type(self.celltype).__name__, self.group.VARIABLES)
        values = self.group.get_initial()[variable]
        values[self.group_index] = initial_values.evaluate(simplify=True)
        try:
            self.group.set_initial(**{variable: values})
        except ValueError as error:
            raise errors.InvalidParameterValueError(str(error)) from None


class _View(common.PopulationView):

    def initialize(self, **initial_values):
        # PyNN 0.13's sets the values and then raises NotImplementedError, for a view has no `initial_values` of its own.
        whole = self.grandparent
        if not isinstance(whole.group, NeuronGroup):
            return
        for variable, value in initial_values.items():
            self._set_initial_value_array(variable, LazyArray(value, shape=(self.size,), dtype=float))
            whole.initial_values[variable] = LazyArray(whole.group.get_initial()[variable], shape=(whole.size,), dtype=float)


class PopulationView(_OnGroup, _View):

    @property
    def group(self):
        return self.grandparent.group

    @property
    def group_index(self):
        return self.index_in_grandparent(np.arange(self.size))

    def _get_view(self, selector, label=None):
        return type(self)(self, selector, label)


class Population(_OnGroup, common.Population):
    group_index = slice(None)

    def __init__(self, size, cellclass, cellparams=None, *arguments, **kwargs):
        # PyNN 0.13 fails on Population(n, CellClass) without parameters.
        if isinstance(cellclass, type) and cellparams is None:
            cellparams = {}
        state = self._simulator.state
        try:
            super().__init__(size, cellclass, cellparams, *arguments, **kwargs)
        except BaseException:
            # PyNN 0.13 makes the recorder first: every later run would ask it for what this population does not have.
            state.recorders.discard(getattr(self, "recorder", None))
            raise
        state.id_counter += self.size
        self._register(state)

    def _create_cells(self):
        state = self._simulator.state
        first = state.id_counter
        self.all_cells = np.empty(self.size, dtype=object)
        for k in range(self.size):
            cell = self._simulator.ID(first + k)
            cell.parent = self
            self.all_cells[k] = cell
        self._mask_local = np.ones(self.size, dtype=bool)
        if foreign(self.celltype):
            raise TypeError(f"{type(self.celltype).__name__} of {type(self.celltype).__module__} is another simulator's cell "
                            "type; take the one of the module that makes the population")
        try:
            parameters = self.celltype.native_parameters
            parameters.shape = (self.size,)
            if "spike_times" in parameters.keys():
                self.group = SpikeSourceGroup(self.size)
                self._set_parameters(parameters)
            else:
                parameters.evaluate(mask=slice(None), simplify=False)
                self.group = self.celltype.create_group(self.size, parameters.as_dict(), state)
                self.group.label = self.label
        except errors.InvalidParameterValueError:
            raise
        except ValueError as error:
            raise errors.InvalidParameterValueError(f"{type(self.celltype).__name__}: {error}") from None

    def _register(self, state):
        state.network.add_group(self.group)

    def _set_cell_initial_value(self, cell, variable, value):
        # PyNN 0.13 notes the value and does not pass it on.
        cell.as_view().initialize(**{variable: value})

    def _get_view(self, selector, label=None):
        return self._view_class(self, selector, label)
