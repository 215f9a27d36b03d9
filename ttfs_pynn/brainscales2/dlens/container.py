"""Records of checked values: what is written to a coordinate of the chip."""

import copy
import enum
import numbers

import numpy as np

from ttfs_pynn.brainscales2.dlens.ranged import Ranged

__all__ = ["Container", "Field", "NamedValue", "TypedArray", "as_kind"]


class NamedValue(enum.IntEnum):
    """One of a few named settings; int() and float() give its code, str() its name."""

    def __str__(self):
        return self.name


def as_kind(kind, value, name):
    """`value` as `kind` stores it; a container or an array is copied.

    kind is bool, a Ranged type, a NamedValue type, a Container type, a TypedArray, or a function that checks.
    """
    if kind is bool:
        if not isinstance(value, numbers.Number | np.bool_):
            raise TypeError(f"{name} cannot be {value!r}; give True or False")
        return bool(value)
    if isinstance(kind, TypedArray):
        return kind.like(value, name)
    if isinstance(kind, type) and issubclass(kind, Ranged):
        return kind(value)
    if isinstance(kind, type):
        if not isinstance(value, kind):
            allowed = ", ".join(map(repr, kind)) if issubclass(kind, enum.Enum) else f"a {kind.__qualname__}"
            raise TypeError(f"{name} cannot be {value!r}; give {allowed}")
        return copy.deepcopy(value)
    return kind(value, name)


class Field:
    """An attribute of a container, of one kind; `default` is its value in a new container (else the kind's own default)."""

    def __init__(self, kind, default=None):
        self.kind, self.default = kind, default

    def __set_name__(self, owner, name):
        self.name = name
        if self.default is None:
            kind = self.kind
            self.default = (False if kind is bool else kind if isinstance(kind, TypedArray) else
                            kind(0) if isinstance(kind, type) and issubclass(kind, NamedValue) else
                            kind() if isinstance(kind, type) else kind(0, name))
        else:
            self.default = as_kind(self.kind, self.default, name)

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        try:
            return instance.__dict__[self.name]
        except KeyError:
            # Made where it is first asked for: most of a chip stays at its defaults.
            return instance.__dict__.setdefault(self.name, copy.deepcopy(self.default))

    def __set__(self, instance, value):
        instance.__dict__[self.name] = as_kind(self.kind, value, f"{type(instance).__qualname__}.{self.name}")


class Container:
    """A record of fields, compared and copied by value. Setting a name that is no field raises AttributeError."""

    fields: dict[str, Field] = {}

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        cls.fields = {**cls.fields, **{name: field for name, field in vars(cls).items() if isinstance(field, Field)}}

    def __init__(self, **values):
        for name, value in values.items():
            setattr(self, name, value)

    def __setattr__(self, name, value):
        if name not in self.fields:
            raise AttributeError(f"{type(self).__qualname__} has no {name!r}; it has {', '.join(sorted(self.fields))}")
        super().__setattr__(name, value)

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in {**vars(self), **vars(other)})

    __hash__ = None  # type: ignore[assignment]  # how Python says that there is no hash

    def __copy__(self):
        return copy.deepcopy(self)

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        twin.__dict__.update({name: value if isinstance(value, int) else copy.deepcopy(value)
                              for name, value in vars(self).items()})
        return twin

    def __repr__(self):
        """What differs from a new container."""
        changed = {name: value for name, value in vars(self).items() if value != self.fields[name].default}
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def __str__(self):
        """All fields, one a line."""
        lines = [f"{name}: {getattr(self, name)}" for name in self.fields]
        return "\n".join([f"{type(self).__qualname__}", *lines]).replace("\n", "\n  ")

    def state(self):
        """What differs from a new container, as a dictionary that JSON can hold."""
        values = {name: _state(value) for name, value in vars(self).items() if value != self.fields[name].default}
        return {name: value for name, value in values.items() if value != {}}

    def set_state(self, state):
        """Set what state() gave; raises AttributeError for a name that is no field."""
        for name, value in state.items():
            held = getattr(self, name)
            if isinstance(held, Container | TypedArray):
                held.set_state(value)
            else:
                setattr(self, name, type(held)(value) if isinstance(held, NamedValue) else value)


class TypedArray:
    """One value of `kind` for every place of a coordinate type; places are indexed by their coordinate.

    All values start as `default`, or as the kind's own default.
    """

    def __init__(self, coordinate_type, kind, default=None):
        self._coordinate_type, self._field, self._values = coordinate_type, Field(kind, default), {}
        self._field.__set_name__(TypedArray, f"[{coordinate_type.__name__}]")

    @property
    def size(self):
        return self._coordinate_type.size

    def __len__(self):
        return self.size

    def __getitem__(self, coordinate):
        coordinate = self._coordinate_type(coordinate)
        if coordinate not in self._values:
            self._values[coordinate] = copy.deepcopy(self._field.default)
        return self._values[coordinate]

    def __setitem__(self, coordinate, value):
        coordinate = self._coordinate_type(coordinate)
        self._values[coordinate] = as_kind(self._field.kind, value, repr(coordinate))

    def __iter__(self):
        return (self[number] for number in range(self.size))

    def items(self):
        """Pairs of coordinate and value, for those places that were looked at or set."""
        return sorted(self._values.items())

    def fill(self, value):
        """Set all places to one value."""
        for number in range(self.size):
            self[number] = value

    def to_numpy(self):
        """The values by running number, shape (size,)."""
        return np.array(list(self))

    def from_numpy(self, values):
        """Set the values by running number, shape (size,)."""
        if np.shape(values) != (self.size,):
            raise ValueError(f"the values have shape {np.shape(values)}; give {(self.size,)}")
        for number, value in enumerate(np.asarray(values).tolist()):
            self[number] = value

    def like(self, values, name):
        """A copy of `values`, an array of the same places; raises TypeError for anything else."""
        if not isinstance(values, TypedArray) or values._coordinate_type is not self._coordinate_type:
            raise TypeError(f"{name} cannot be {type(values).__name__}; give an array over {self._coordinate_type.__name__}")
        return copy.deepcopy(values)

    def __eq__(self, other):
        if not isinstance(other, TypedArray) or other._coordinate_type is not self._coordinate_type:
            return NotImplemented
        return all(self._values.get(place, self._field.default) == other._values.get(place, other._field.default)
                   for place in {**self._values, **other._values})

    __hash__ = None  # type: ignore[assignment]  # how Python says that there is no hash

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        twin._coordinate_type, twin._field = self._coordinate_type, self._field
        twin._values = {place: copy.deepcopy(value) for place, value in self._values.items()}
        return twin

    def __repr__(self):
        return f"TypedArray({self._coordinate_type.__name__}, {dict(self.items())})"

    def state(self):
        """What differs from the default, as a dictionary that JSON can hold."""
        values = {str(int(place)): _state(value) for place, value in self.items() if value != self._field.default}
        return {place: value for place, value in values.items() if value != {}}

    def set_state(self, state):
        """Set what state() gave."""
        for place, value in state.items():
            held = self[int(place)]
            if isinstance(held, Container):
                held.set_state(value)
            else:
                self[int(place)] = value


def _state(value):
    if isinstance(value, Container | TypedArray):
        return value.state()
    return value if isinstance(value, bool) else int(value)
