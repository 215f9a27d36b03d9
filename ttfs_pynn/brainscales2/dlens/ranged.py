"""Whole numbers with a range: what a coordinate and a register value of the chip are."""

import operator

__all__ = ["Coordinate", "Enum", "Ranged", "enum_ranged", "iter_all"]


class Ranged(int):
    """A whole number from `min` to `max`; `size` is how many there are. Without a number it is `default`.

    class CapacitorSize(Ranged, maximum=63): "..." makes such a type. Numbers of two types are never equal, even where their
    values are, so both can be keys of one dictionary. Raises OverflowError where a number is too large, and TypeError where it
    is negative, too small or not a whole number.
    """

    min = max = size = default = 0
    _values = {0: 0}

    def __init_subclass__(cls, maximum=None, minimum=0, default=None, **keywords):
        super().__init_subclass__(**keywords)
        if maximum is not None:
            cls.min, cls.max, cls.size = minimum, maximum, maximum - minimum + 1
            cls.default = minimum if default is None else default
            cls._values = {}

    def __new__(cls, value=None):
        if value is None:
            value = cls.default
        if isinstance(value, float):
            raise cls._not_allowed(TypeError, value)
        try:
            number = operator.index(value)
        except TypeError:
            raise cls._not_allowed(TypeError, value) from None
        if number < cls.min:
            raise cls._not_allowed(TypeError, value)
        if number > cls.max:
            raise cls._not_allowed(OverflowError, value)
        known = cls._values.get(number)
        if known is None:
            known = super().__new__(cls, number)
            if cls.size <= 1024:
                # An immutable value of a small range is made once: configurations of whole chips hold 40 000 of them.
                cls._values[number] = known
        return known

    @classmethod
    def _not_allowed(cls, error, value):
        return error(f"{cls.__qualname__} cannot be {value!r}; give a whole number from {cls.min} to {cls.max}")

    def value(self):
        """The number as an int."""
        return int(self)

    def __eq__(self, other):
        if isinstance(other, Ranged) and type(other) is not type(self):
            return False
        return int.__eq__(self, other)

    def __ne__(self, other):
        return not self == other

    __hash__ = int.__hash__

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return f"{type(self).__qualname__}({int(self)})"

    __str__ = __repr__


class Enum(Ranged, maximum=2**64 - 1):
    """The running number of a coordinate."""


_ENUM_TYPES: dict[int, type] = {}


def enum_ranged(size):
    """The type of the running numbers of a coordinate with `size` values, as EnumRanged_512_."""
    if size not in _ENUM_TYPES:
        name = f"EnumRanged_{size}_"
        _ENUM_TYPES[size] = type(Ranged)(name, (Ranged,), {"__module__": __name__, "__doc__": f"A number below {size}."},
                                         maximum=size - 1)
        globals()[name] = _ENUM_TYPES[size]
    return _ENUM_TYPES[size]


class Coordinate(Ranged):
    """The place of something on the chip, by its running number.

    Given `grid=(columns, rows)`, two coordinate types, the running number counts row by row, and a place can also be made from
    one coordinate of each type, in either order, or from two whole numbers: column, then row.
    """

    enum_type = Enum
    grid = None

    def __init_subclass__(cls, grid=None, maximum=None, **keywords):
        if grid is not None:
            maximum = grid[0].size * grid[1].size - 1
        super().__init_subclass__(maximum=maximum, **keywords)
        if maximum is not None:
            cls.grid, cls.enum_type = grid, enum_ranged(cls.size)

    def __new__(cls, value=None, other=None):
        if other is not None:
            if cls.grid is None:
                raise TypeError(f"{cls.__name__} takes one number, not {value!r} and {other!r}")
            columns, rows = cls.grid
            if isinstance(value, rows) or isinstance(other, columns):
                value, other = other, value
            value = columns(value) + columns.size * rows(other)
        elif cls.grid is not None and isinstance(value, cls.grid):
            raise TypeError(f"{cls.__name__} is a column and a row, not {value!r} alone; give both")
        return super().__new__(cls, value)

    def toEnum(self):
        """The running number, of type `enum_type`."""
        return self.enum_type(int(self))

    def x(self):
        """The column of a place on a grid, of its own type."""
        return self._column_and_row()[0]

    def y(self):
        """The row of a place on a grid, of its own type."""
        return self._column_and_row()[1]

    def _column_and_row(self):
        if self.grid is None:
            raise AttributeError(f"{type(self).__name__} is no grid: it has neither column nor row")
        row, column = divmod(int(self), self.grid[0].size)
        return self.grid[0](column), self.grid[1](row)


def iter_all(coordinate_type):
    """All places of a coordinate type, in the order of their running numbers."""
    return (coordinate_type(number) for number in range(coordinate_type.min, coordinate_type.max + 1))
