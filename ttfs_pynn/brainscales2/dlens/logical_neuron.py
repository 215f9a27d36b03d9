"""Coordinates of neurons that are made of several circuits."""

from ttfs_pynn.brainscales2.dlens.coordinates import AtomicNeuronOnDLS, NeuronRowOnDLS
from ttfs_pynn.brainscales2.dlens.ranged import Coordinate

__all__ = ["AtomicNeuronOnLogicalNeuron", "CompartmentOnLogicalNeuron", "LogicalNeuronCompartments", "LogicalNeuronOnDLS",
           "NeuronColumnOnLogicalNeuron", "NeuronRowOnLogicalNeuron"]


class NeuronColumnOnLogicalNeuron(Coordinate, maximum=127):
    """Column of a circuit within its neuron."""


class NeuronRowOnLogicalNeuron(Coordinate, maximum=1):
    """Row of a circuit within its neuron."""


class AtomicNeuronOnLogicalNeuron(Coordinate, grid=(NeuronColumnOnLogicalNeuron, NeuronRowOnLogicalNeuron)):
    """A circuit within its neuron: 0 to 127 are the upper row, 128 to 255 the lower one."""

    def toNeuronColumnOnLogicalNeuron(self):
        return self.x()

    def toNeuronRowOnLogicalNeuron(self):
        return self.y()


class CompartmentOnLogicalNeuron(Coordinate, maximum=254):
    """A compartment within its neuron."""


class LogicalNeuronCompartments:
    """The shape of a neuron: {CompartmentOnLogicalNeuron: [AtomicNeuronOnLogicalNeuron, ...]}.

    Raises RuntimeError where two compartments share a circuit.
    """

    def __init__(self, compartments=None):
        self._compartments = {CompartmentOnLogicalNeuron(compartment): [AtomicNeuronOnLogicalNeuron(c) for c in circuits]
                              for compartment, circuits in sorted((compartments or {}).items())}
        circuits = [circuit for members in self._compartments.values() for circuit in members]
        if len(set(circuits)) < len(circuits):
            shared = sorted({int(circuit) for circuit in circuits if circuits.count(circuit) > 1})
            raise RuntimeError(f"the circuits {shared} are in more than one compartment; give each to one only")

    def get_compartments(self):
        """A copy of the dictionary."""
        return {compartment: list(circuits) for compartment, circuits in self._compartments.items()}

    def __eq__(self, other):
        return isinstance(other, LogicalNeuronCompartments) and self._compartments == other._compartments

    def __hash__(self):
        return hash(tuple((compartment, tuple(circuits)) for compartment, circuits in self._compartments.items()))

    def __repr__(self):
        return f"LogicalNeuronCompartments({self._compartments})"


class LogicalNeuronOnDLS:
    """A neuron placed on the chip: its left upper circuit goes to `anchor`.

    Raises RuntimeError where a circuit would lie outside the grid, or the neuron in both halves of the columns: these cannot
    be connected to each other.
    """

    def __init__(self, compartments=None, anchor=None):
        shape = (compartments or LogicalNeuronCompartments()).get_compartments()
        anchor = AtomicNeuronOnDLS(anchor)
        circuits = [circuit for members in shape.values() for circuit in members]
        left = min((int(circuit.x()) for circuit in circuits), default=0)
        top = min((int(circuit.y()) for circuit in circuits), default=0)
        half = NeuronColumnOnLogicalNeuron.size
        end = (int(anchor.x()) // half + 1) * half
        self._placed = {}
        for compartment, members in shape.items():
            self._placed[compartment] = []
            for circuit in members:
                column, row = int(anchor.x()) + int(circuit.x()) - left, int(anchor.y()) + int(circuit.y()) - top
                if column >= end or row > NeuronRowOnDLS.max:
                    raise RuntimeError(f"with its left upper circuit at {anchor!r} it needs column {column} of row {row}; "
                                       f"the columns here end at {end - 1} and the rows at {NeuronRowOnDLS.max}")
                self._placed[compartment].append(AtomicNeuronOnDLS(column, row))

    def get_placed_compartments(self):
        """{CompartmentOnLogicalNeuron: [AtomicNeuronOnDLS, ...]}."""
        return {compartment: list(circuits) for compartment, circuits in self._placed.items()}

    def get_atomic_neurons(self):
        """All circuits, compartment by compartment."""
        return [circuit for circuits in self._placed.values() for circuit in circuits]

    def __eq__(self, other):
        return isinstance(other, LogicalNeuronOnDLS) and self._placed == other._placed

    def __hash__(self):
        return hash(tuple((compartment, tuple(circuits)) for compartment, circuits in self._placed.items()))

    def __repr__(self):
        return f"LogicalNeuronOnDLS({self._placed})"
