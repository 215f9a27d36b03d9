"""Neurons made of several circuits: which circuits share a membrane, and what connects the compartments.

A compartment is a set of neighbouring circuits that share one membrane. Each row of circuits has a shared line (the somatic
line), which can be closed from column to column; a circuit connects to it directly or through a conductance. Compartments are
connected where both reach the same closed piece of line, and at most one of them directly: two direct connections would make
them one.
"""

from ttfs_pynn.brainscales2.dlens.atomic_neuron import AtomicNeuron
from ttfs_pynn.brainscales2.dlens.logical_neuron import (
    AtomicNeuronOnLogicalNeuron,
    CompartmentOnLogicalNeuron,
    LogicalNeuronCompartments,
    NeuronColumnOnLogicalNeuron,
    NeuronRowOnLogicalNeuron,
)

__all__ = ["LogicalNeuron", "Morphology"]


class LogicalNeuron:
    """The settings of the circuits of each compartment: `morphology` is {CompartmentOnLogicalNeuron: [AtomicNeuron, ...]}."""

    def __init__(self, morphology=None):
        self.morphology = morphology or {}

    def collapse_neuron(self):
        """The same dictionary, as the place-and-route of the vendor takes it."""
        return self.morphology

    def __eq__(self, other):
        return isinstance(other, LogicalNeuron) and self.morphology == other.morphology

    __hash__ = None  # type: ignore[assignment]  # how Python says that there is no hash


class Morphology:
    """Describes a neuron compartment by compartment; done() checks the whole.

    Its methods raise RuntimeError where what is asked for cannot be built.
    """

    def __init__(self):
        self._compartments, self._circuits = {}, {}

    def create_compartment(self, circuits):
        """Make a compartment of neighbouring circuits that no other compartment has; returns its coordinate."""
        circuits = [AtomicNeuronOnLogicalNeuron(circuit) for circuit in circuits]
        if not circuits:
            raise RuntimeError("a compartment without circuits; give it at least one")
        for compartment, members in self._compartments.items():
            if taken := sorted(int(circuit) for circuit in set(circuits) & set(members)):
                raise RuntimeError(f"the circuits {taken} are in {compartment!r} already; give each to one compartment only")
        reached = _reachable(circuits[0], lambda circuit: _neighbours(circuit) & set(circuits))
        if reached != set(circuits):
            raise RuntimeError(f"the circuits {sorted(map(int, circuits))} of a compartment do not touch each other; "
                               "add the ones between them")
        for circuit in circuits:
            below, right = _at(circuit, row=1), _at(circuit, column=1)
            if right in circuits:
                self._settings(circuit).connect_right = True
            if below in circuits:
                self._settings(circuit).connect_vertical = self._settings(below).connect_vertical = True
            self._settings(circuit)
        compartment = CompartmentOnLogicalNeuron(len(self._compartments))
        self._compartments[compartment] = circuits
        return compartment

    def connect_to_soma(self, circuit):
        """Connect a circuit directly to the shared line of its row."""
        self._connect(circuit, "connect_soma", "enable_conductance")

    def connect_resistor_to_soma(self, circuit):
        """Connect a circuit through its conductance to the shared line of its row."""
        self._connect(circuit, "enable_conductance", "connect_soma")

    def _connect(self, circuit, this, other):
        settings = self._settings(AtomicNeuronOnLogicalNeuron(circuit))
        if getattr(settings, other):
            raise RuntimeError(f"{circuit!r} cannot be connected to the shared line both directly and through a conductance")
        setattr(settings, this, True)

    def connect_soma_line(self, start, end, row):
        """Close the shared line of a row from column `start` to column `end`."""
        row = NeuronRowOnLogicalNeuron(row)
        start, end = NeuronColumnOnLogicalNeuron(start), NeuronColumnOnLogicalNeuron(end)
        for column in range(int(start), int(end) + 1):
            settings = self._settings(AtomicNeuronOnLogicalNeuron(NeuronColumnOnLogicalNeuron(column), row))
            if column < end:
                settings.connect_soma_right = True

    def done(self):
        """(LogicalNeuronCompartments, LogicalNeuron). The description is empty afterwards.

        Circuits that only continue a line become compartments of their own. Raises RuntimeError where the line makes two
        compartments one, or where a compartment is connected to none of the others.
        """
        for compartment, members in self._compartments.items():
            one_membrane = _reachable(members[0], self._directly_connected)
            if extra := sorted(int(circuit) for circuit in one_membrane - set(members)):
                raise RuntimeError(f"{compartment!r} is directly connected to the circuits {extra}; connect one side of the "
                                   "shared line through a conductance")
        compartments = dict(self._compartments)
        for circuit in sorted(set(self._circuits) - {circuit for members in compartments.values() for circuit in members}):
            compartments[CompartmentOnLogicalNeuron(len(compartments))] = [circuit]
        first, *_ = self._circuits or (None,)
        if first is None:
            raise RuntimeError("a neuron without compartments; create at least one")
        if apart := sorted(int(circuit) for circuit in set(self._circuits) - _reachable(first, self._connected)):
            raise RuntimeError(f"the circuits {apart} are not connected to circuit {int(first)}; a neuron has to be in one piece")
        circuits = {circuit: AtomicNeuron(multicompartment=settings) for circuit, settings in self._circuits.items()}
        logical_neuron = LogicalNeuron({compartment: [circuits[circuit] for circuit in members]
                                        for compartment, members in compartments.items()})
        self._compartments, self._circuits = {}, {}
        return LogicalNeuronCompartments(compartments), logical_neuron

    def _settings(self, circuit):
        return self._circuits.setdefault(circuit, AtomicNeuron.Multicompartment())

    def _membrane(self, circuit):
        """The neighbours that share the membrane by direct switches."""
        settings = self._circuits[circuit]
        right, left = _at(circuit, column=1), _at(circuit, column=-1)
        neighbours = {_at(circuit, row=1), _at(circuit, row=-1)} if settings.connect_vertical else set()
        neighbours |= {right} if settings.connect_right else set()
        neighbours |= {left} if left in self._circuits and self._circuits[left].connect_right else set()
        return neighbours & set(self._circuits)

    def _on_line(self, circuit):
        """The circuits along the closed piece of line at this one, whether or not they connect to it."""
        def along(place):
            right, left = _at(place, column=1), _at(place, column=-1)
            closed = {right} if self._circuits[place].connect_soma_right else set()
            return closed | ({left} if left in self._circuits and self._circuits[left].connect_soma_right else set())
        return _reachable(circuit, along)

    def _directly_connected(self, circuit):
        line = self._on_line(circuit) if self._circuits[circuit].connect_soma else set()
        return self._membrane(circuit) | {other for other in line if self._circuits[other].connect_soma}

    def _connected(self, circuit):
        return self._membrane(circuit) | {other for other in self._on_line(circuit)
                                          if self._touches_line(circuit) and self._touches_line(other)}

    def _touches_line(self, circuit):
        settings = self._circuits[circuit]
        in_no_compartment = not any(circuit in members for members in self._compartments.values())
        return settings.connect_soma or settings.enable_conductance or in_no_compartment


def _at(circuit, column=0, row=0):
    """The circuit so many columns and rows further; None outside the grid."""
    column, row = int(circuit.x()) + column, int(circuit.y()) + row
    inside = 0 <= column < NeuronColumnOnLogicalNeuron.size and 0 <= row < NeuronRowOnLogicalNeuron.size
    return AtomicNeuronOnLogicalNeuron(column, row) if inside else None


def _neighbours(circuit):
    return {_at(circuit, column=1), _at(circuit, column=-1), _at(circuit, row=1), _at(circuit, row=-1)} - {None}


def _reachable(start, neighbours):
    """All that is reached from `start` by going to neighbours(of each)."""
    reached, ahead = {start}, [start]
    while ahead:
        for other in neighbours(ahead.pop()) - reached:
            reached.add(other)
            ahead.append(other)
    return reached
