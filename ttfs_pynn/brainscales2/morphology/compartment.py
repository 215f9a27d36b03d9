"""The parts that a neuron is built from."""

from collections.abc import Iterable
from numbers import Integral
from typing import NamedTuple

__all__ = ["Compartment", "SharedLineConnection"]


class SharedLineConnection(NamedTuple):
    """A closed piece of the shared line of row `row`, from column `start` to column `stop`."""

    start: int
    stop: int
    row: int


class Compartment:
    """One membrane, made of the circuits at `positions` (0 to 127 are the upper row, 128 to 255 the lower one).

    `connect_shared_line` lists the circuits that are connected directly to the shared line, `connect_conductance` those that are
    connected through a conductance, as pairs (circuit, code of the conductance). `label` names the compartment in recordings and
    projections; labels may repeat. Further keywords are parameters of the circuits, one value for all or one a circuit.

    Every value can be set later. Raises TypeError where one is not of this form, repeats a circuit or names one that is not in
    `positions`.
    """

    def __init__(self, *, positions, label=None, connect_shared_line=(), connect_conductance=(), **parameters):
        self._connect_shared_line, self._connect_conductance = [], []
        self.positions = positions
        self.label = label
        self.connect_shared_line = [] if connect_shared_line is None else connect_shared_line
        self.connect_conductance = [] if connect_conductance is None else connect_conductance
        self.parameters = parameters

    @property
    def positions(self):
        return self._positions

    @positions.setter
    def positions(self, positions):
        positions = _circuits("positions", positions)
        _check_known("connect_shared_line", self._connect_shared_line, positions)
        _check_known("connect_conductance", [circuit for circuit, _ in self._connect_conductance], positions)
        self._positions = positions

    @property
    def label(self):
        return self._label

    @label.setter
    def label(self, label):
        if not isinstance(label, str):
            raise TypeError(f"label cannot be {label!r}; give a text")
        self._label = label

    @property
    def connect_shared_line(self):
        return self._connect_shared_line

    @connect_shared_line.setter
    def connect_shared_line(self, circuits):
        circuits = _circuits("connect_shared_line", circuits)
        _check_known("connect_shared_line", circuits, self._positions)
        self._connect_shared_line = circuits

    @property
    def connect_conductance(self):
        return self._connect_conductance

    @connect_conductance.setter
    def connect_conductance(self, pairs):
        if not isinstance(pairs, Iterable) or isinstance(pairs, str):
            raise TypeError(f"connect_conductance cannot be {pairs!r}; give a list of pairs (circuit, conductance)")
        pairs = list(pairs)
        for pair in pairs:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise TypeError(f"connect_conductance has {pair!r}; give pairs (circuit, conductance)")
        circuits = _circuits("connect_conductance", [circuit for circuit, _ in pairs])
        _check_known("connect_conductance", circuits, self._positions)
        self._connect_conductance = pairs

    @property
    def size(self):
        """The number of circuits."""
        return len(self.positions)


def _circuits(name, circuits):
    if not isinstance(circuits, Iterable) or isinstance(circuits, str):
        raise TypeError(f"{name} cannot be {circuits!r}; give a list of whole numbers")
    circuits = list(circuits)
    if not all(isinstance(circuit, Integral) for circuit in circuits):
        raise TypeError(f"{name} cannot be {circuits!r}; give whole numbers only")
    if len(set(circuits)) < len(circuits):
        raise TypeError(f"{name} = {circuits} repeats a circuit; name each once")
    return circuits


def _check_known(name, circuits, positions):
    if unknown := sorted(set(circuits) - set(positions)):
        raise TypeError(f"{name} names the circuits {unknown}, which are not in positions = {list(positions)}")
