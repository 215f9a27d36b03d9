"""A projection whose connections are arrays. A backend subclasses it with its `_simulator` and `_static_synapse_class`."""

import numpy as np
from pyNN import common, errors
from pyNN.space import Space

from ttfs_pynn.event_driven.cell_types import foreign
from ttfs_pynn.event_driven.state import EarlierSetupError, check_current
from ttfs_pynn.event_driven.synapses import Synapses
from ttfs_pynn.membrane.ranges import range_of
from ttfs_pynn.units import in_unit, in_units

__all__ = ["Connection", "Projection"]

_AGGREGATE = {"sum": np.add, "min": np.minimum, "max": np.maximum}


class Connection(common.Connection):
    """One connection of a projection; its attributes are read from and written to the projection's arrays."""

    def __init__(self, projection, index):
        self.__dict__.update(_projection=projection, _index=index)

    @property
    def presynaptic_index(self):
        return int(self._projection._pre[self._index])

    @property
    def postsynaptic_index(self):
        return int(self._projection._post[self._index])

    def __getattr__(self, name):
        if name in self._projection._kept:
            return self._projection._kept[name][self._index].item()
        if name not in ("weight", "delay"):
            raise AttributeError(f"a connection has weight and delay, not {name!r}")
        synapses, k = self._projection._find(self._index)
        return synapses.get_one(name, k)

    def __setattr__(self, name, value):
        self._projection._check_current()
        if name in self._projection._kept:
            self._projection._kept[name][self._index] = value
            return
        if name not in ("weight", "delay"):
            raise AttributeError(f"a connection has weight and delay, not {name!r}")
        value = in_unit(value, self._projection.units[name], name)
        synapses, k = self._projection._find(self._index)
        self._projection._check(name, np.asarray(value, dtype=float))
        try:
            synapses.set_one(name, k, value)
        except ValueError as error:
            raise errors.InvalidParameterValueError(f"{self._projection.label}: {error}") from None

    def as_tuple(self, *names):
        return tuple(getattr(self, name) for name in names)


class Projection(common.Projection):
    ROW_MAJOR = False  # the order of connections: target by target as PyNN makes them, or source by source

    def __init__(self, presynaptic_population, postsynaptic_population, connector, synapse_type=None, source=None,
                 receptor_type=None, space=Space(), label=None):  # noqa: B008  (PyNN's signature)
        if not getattr(postsynaptic_population, "receptor_types", True):
            raise errors.ConnectionError(f"{postsynaptic_population.label!r} takes no input; connect to a population of neurons")
        if source is not None:
            raise NotImplementedError(f"source = {source!r}: cells of this simulator are points, with one source of spikes; "
                                      "leave it out")
        super().__init__(presynaptic_population, postsynaptic_population, connector, synapse_type, source, receptor_type,
                         space, label)
        if foreign(self.synapse_type):
            raise TypeError(f"{type(self.synapse_type).__name__} of {type(self.synapse_type).__module__} is another simulator's "
                            "synapse type; take the one of the module that makes the projection")
        try:
            self._check_current()
        except EarlierSetupError as error:
            raise errors.ConnectionError(f"{self.label}: {error}") from None
        for name, value in self.synapse_type.parameter_space.items():
            # PyNN 0.13 takes the first rows and columns of an array that is larger.
            array = value.base_value
            if isinstance(array, np.ndarray) and array.ndim and array.shape != self.shape:
                raise errors.InvalidDimensionsError(f"{self.label}: {name} of shape {array.shape}; give one number, or (sources, "
                                                    f"targets) = {self.shape}")
        self._columns = []
        connector.connect(self)
        self._finish()
        self._register()

    def _check_current(self):
        for cells in (self.pre, self.post):
            check_current(cells, self._simulator.state)

    def _convergent_connect(self, presynaptic_indices, postsynaptic_index, location_selector=None, **attributes):
        if location_selector is not None:
            raise NotImplementedError("neurons of this simulator are points; leave location_selector out")
        self._columns.append((np.asarray(presynaptic_indices, dtype=np.int64), postsynaptic_index, attributes))

    def _finish(self):
        """Concatenate the columns that the connector made, in their order, into one set of synapses a pair of populations."""
        sizes = [column[0].size for column in self._columns]
        self._pre = np.concatenate([column[0] for column in self._columns] or [np.empty(0, dtype=np.int64)])
        self._post = np.repeat(np.array([int(column[1]) for column in self._columns], dtype=np.int64), sizes)
        names = self._columns[0][2] if self._columns else ("weight", "delay")
        values = {name: np.concatenate([np.broadcast_to(column[2][name], (n,)) for column, n in
                                        zip(self._columns, sizes, strict=True)] or [np.empty(0)]) for name in names}
        del self._columns
        if self.ROW_MAJOR:
            order = np.lexsort((self._post, self._pre))
            self._pre, self._post = self._pre[order], self._post[order]
            values = {name: value[order] for name, value in values.items()}
        for cells, index, end in ((self.pre, self._pre, "source"), (self.post, self._post, "target")):
            beyond = index[(index < 0) | (index >= cells.size)]
            if beyond.size:
                raise errors.ConnectionError(f"{self.label}: a connection has {end} {beyond[0]}, but its cells are 0 to "
                                             f"{cells.size - 1}")
        weight, delay = values.pop("weight"), values.pop("delay")
        self._kept = values  # what else a synapse type of the user's has
        pre_part, pre_index = self._locate(self.pre, self._pre)
        post_part, post_index = self._locate(self.post, self._post)
        self._parts = []
        for i, pre in enumerate(self._groups(self.pre)):
            for j, post in enumerate(self._groups(self.post)):
                chosen = (pre_part == i) & (post_part == j)
                if not chosen.any():
                    continue
                chosen = slice(None) if chosen.all() else np.flatnonzero(chosen)
                self._parts.append((chosen, self._create(pre, post, pre_index[chosen], post_index[chosen],
                                                         weight[chosen], delay[chosen])))
        self._dense = self._parts[0][1] if len(self._parts) == 1 and self._parts[0][1].dense_weights is not None \
            and isinstance(self.pre, common.Population) and isinstance(self.post, common.Population) else None

    def _create(self, pre, post, pre_index, post_index, weight, delay):
        self._check("weight", weight)
        self._check("delay", delay)
        try:
            return Synapses(pre, post, self.receptor, pre_index, post_index, weight, delay)
        except ValueError as error:
            raise errors.ConnectionError(f"{self.label}: {error}") from None

    @property
    def receptor(self):
        return "inhibitory" if self.receptor_type == self.post.receptor_types[1] else "excitatory"

    @property
    def units(self):
        """Of weight and delay, as PyNN has them: voltage jumps of IF_curr_delta are weights in mV."""
        cells = self.post.populations[0] if isinstance(self.post, common.Assembly) else self.post
        return {"weight": cells.celltype.units.get("isyn_exc", "mV"), "delay": "ms"}

    @property
    def signs(self):
        """(whether weights may be negative, whether positive): PyNN's conductances are positive whatever the receptor."""
        inhibitory = self.receptor == "inhibitory" and not self.post.conductance_based
        return inhibitory, not inhibitory

    def checked_weights(self, weight):
        """The weights, or a ConnectionError where their sign is not that of the receptor.

        PyNN 0.13 checks some connectors' weights only (not those of lists), and none that are set later.
        """
        negative, positive = self.signs
        lowest, highest = range_of(weight)
        wrong = 0.0 if negative else lowest
        if not positive and not wrong < 0:
            wrong = highest
        if wrong < 0 or wrong > 0:  # NaN is refused elsewhere
            kind = f"{self.receptor} conductance-based" if self.post.conductance_based else self.receptor
            allowed = "positive for conductance-based and/or excitatory synapses: zero or more" if wrong < 0 else \
                "negative for current-based, inhibitory synapses: zero or less"
            raise errors.ConnectionError(f"{self.label}: a weight of {wrong:g} in an {kind} projection. Weights must be "
                                         f"{allowed} (name the receptor_type; signed weights are two projections)")
        return weight

    def _check(self, name, values):
        """ConnectionError for weights of the wrong sign, unless the connector has safe=False, and delays above max_delay."""
        if name == "weight" and self._connector.safe:
            self.checked_weights(values)
        longest = self._simulator.state.max_delay
        if name == "delay" and longest != "auto" and np.max(values, initial=0.0) > longest:
            raise errors.ConnectionError(f"{self.label}: a delay of {np.max(values):g} ms is above the max_delay of setup(), "
                                         f"{longest:g} ms")

    def _register(self):
        """Last: of a projection that could not be made, nothing is simulated."""
        for _, synapses in self._parts:
            self._simulator.state.network.add_synapses(synapses)

    @staticmethod
    def _groups(cells):
        return [p.group for p in cells.populations] if isinstance(cells, common.Assembly) else [cells.group]

    @staticmethod
    def _locate(cells, index):
        """For indices in a population, view or assembly: which of its groups, and the index in that group."""
        parts = cells.populations if isinstance(cells, common.Assembly) else [cells]
        bounds = np.cumsum([0] + [p.size for p in parts])
        part = np.searchsorted(bounds, index, side="right") - 1
        in_group = np.concatenate([np.arange(p.group.size)[p.group_index] for p in parts])
        return part, in_group[index]

    def __len__(self):
        return self._pre.size

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [Connection(self, k) for k in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"connection {index} of {len(self)}")
        return Connection(self, index % len(self))

    @property
    def connections(self):
        return (Connection(self, k) for k in range(len(self)))

    def _find(self, index):
        """The synapses that hold the connection `index`, and its index there."""
        for chosen, synapses in self._parts:
            if isinstance(chosen, slice):
                return synapses, index
            k = int(np.searchsorted(chosen, index))
            if k < chosen.size and chosen[k] == index:
                return synapses, k
        raise IndexError(f"connection {index} of {len(self)}")

    def _values(self, name):
        """A fresh array with one value a connection, in the order of creation."""
        if name in self._kept:
            return self._kept[name].copy()
        values = np.empty(len(self))
        for chosen, synapses in self._parts:
            values[chosen] = getattr(synapses, name)
        return values

    def _assign(self, name, values):
        if name in self._kept:
            self._kept[name][:] = values
            return
        try:
            checked = [synapses.check(name, values[chosen]) for chosen, synapses in self._parts]  # an error changes nothing
            self._check(name, values)
            for (_, synapses), array in zip(self._parts, checked, strict=True):
                (synapses.put_weights if name == "weight" else synapses.put_delays)(array)
        except ValueError as error:
            raise errors.InvalidParameterValueError(f"{self.label}: {error}") from None

    def set(self, **attributes):
        self._check_current()
        attributes = in_units(attributes, self.units)
        # A weight matrix is the common case of a training loop: one array operation instead of a lazy array and its deep copy.
        weight = attributes.get("weight")
        if len(attributes) == 1 and self._dense is not None and isinstance(weight, np.ndarray) and weight.shape == self.shape:
            self._check("weight", weight)
            try:
                self._dense.set_dense_weights(weight)
            except ValueError as error:
                raise errors.InvalidParameterValueError(f"{self.label}: {error}") from None
        else:
            super().set(**attributes)

    def initialize(self, **initial_values):
        raise errors.NonExistentParameterError(next(iter(initial_values), ""), type(self.synapse_type).__name__, ())

    def _value_list_to_array(self, attributes):
        # PyNN 0.13 reads all weights back on every set(), though only lists need to know where connections are.
        result = {}
        for name, value in attributes.items():
            if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim == 1):
                if len(value) != len(self):
                    raise errors.InvalidDimensionsError(f"{len(value)} values of {name} for {len(self)} connections")
                array = np.full(self.shape, np.nan)
                order = np.lexsort((self._post, self._pre))
                array[self._pre[order], self._post[order]] = value
                value = array
            result[name] = value
        return result

    def _set_attributes(self, parameter_space):
        parameter_space.evaluate(simplify=False)
        for name, value in parameter_space.items():
            self._assign(name, value[self._pre, self._post])

    def _get_attributes_as_list(self, names):
        columns = [{"presynaptic_index": self._pre, "postsynaptic_index": self._post}[name].tolist()
                   if name.endswith("_index") else self._values(name).tolist() for name in names]
        return list(zip(*columns, strict=True))

    def _get_attributes_as_arrays(self, names, multiple_synapses="sum"):
        return [self._as_array(name, multiple_synapses) for name in names]

    def _as_array(self, name, multiple_synapses):
        if name == "weight" and self._dense is not None:
            return self._dense.dense_weights.copy()
        values, array = self._values(name), np.full(self.shape, np.nan)
        if multiple_synapses == "first":
            # not by assigning in reverse: NumPy turns negative strides round, and the last would win
            _, first = np.unique(self._pre * self.shape[1] + self._post, return_index=True)
            array[self._pre[first], self._post[first]] = values[first]
        else:
            array[self._pre, self._post] = values
            several = _AGGREGATE.get(multiple_synapses)
            if several is not None and np.isfinite(array).sum() < values.size:
                array[self._pre, self._post] = {"sum": 0.0, "min": np.inf, "max": -np.inf}[multiple_synapses]
                several.at(array, (self._pre, self._post), values)
        return array
