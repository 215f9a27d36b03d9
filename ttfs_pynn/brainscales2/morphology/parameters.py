"""Parameters with one value for each circuit of each compartment."""

import numpy as np
from pyNN.parameters import ArrayParameter

__all__ = ["McCircuitParameters"]


class McCircuitParameters(ArrayParameter):
    """The values of one parameter of one neuron: a list with one list a compartment, which has one value a circuit.

    `value` holds them as an object array with one array a compartment. Two are equal where all values are.
    """

    def __init__(self, value):
        values = [np.atleast_1d(np.asarray(circuits)) for circuits in value]
        self.value = np.empty(len(values), dtype=object)
        for number, circuits in enumerate(values):
            self.value[number] = circuits

    def max(self):
        """The largest value."""
        return max(circuits.max() for circuits in self.value)

    def __eq__(self, other):
        if isinstance(other, McCircuitParameters):
            return len(self.value) == len(other.value) and all(map(np.array_equal, self.value, other.value))
        if isinstance(other, np.ndarray) and other.dtype == object:
            return np.array([self == neuron for neuron in other.flat], dtype=bool).reshape(other.shape)
        return False

    __hash__ = None  # type: ignore[assignment]  # how Python says that there is no hash

    def __repr__(self):
        return f"McCircuitParameters({[circuits.tolist() for circuits in self.value]})"
