"""Arguments that may come with a unit, as `quantities` give them, become plain numbers in the unit that is wanted.

NumPy takes the number and drops the unit without a word, so 0.01 s would pass for 0.01 ms.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError

__all__ = ["UnitError", "in_unit", "in_units"]


class UnitError(ConfigurationError):
    """A quantity in a unit that the argument cannot have."""


def in_unit(value: Any, unit: str, name: str) -> Any:
    """The value, where it or what is in it has a unit of its own, as plain numbers in `unit`; all else as it is.

    UnitError where that is not a unit of the same kind; `name` is what it calls the value.
    """
    if hasattr(value, "rescale"):  # a quantity, whose package is not imported for this
        try:
            return np.array(value.rescale(unit).magnitude, dtype=float)[()]
        except ValueError:
            value = " ".join(str(value).split())
            if unit == "dimensionless":
                raise UnitError(f"{name} = {value} is to have no unit; give a number") from None
            raise UnitError(f"{name} = {value} cannot be in {unit}; give a number, which is taken for {unit}, or a quantity of "
                            "that kind") from None
    return [in_unit(each, unit, name) for each in value] if _has_quantities(value) else value


def _has_quantities(value: Any) -> bool:
    """Whether a list, or one in it, has them."""
    return isinstance(value, list | tuple) and any(hasattr(each, "rescale") or _has_quantities(each) for each in value)


def in_units(values: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    """`in_unit` of each value by name; those of a name that has no unit stay as they are."""
    return {name: in_unit(value, units[name], name) if name in units else value for name, value in values.items()}
