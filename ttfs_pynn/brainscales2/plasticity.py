"""Plasticity rules, which on the chip run as C++ kernels on the embedded processors.

Rules can be described, attached to synapses and cells, and prepared; their kernels are not executed.
"""

from enum import Enum

__all__ = ["PlasticityRule", "PlasticityRuleHandle", "Timer"]


class Timer:
    """When a rule is applied: first at `start` (ms), then every `period` (ms), `num_periods` times in all.

    Further keywords are kept in `parameters`.
    """

    def __init__(self, *, start, period, num_periods, **parameters):
        self.start, self.period, self.num_periods, self.parameters = start, period, num_periods, parameters

    def __repr__(self):
        return f"Timer(start={self.start!r}, period={self.period!r}, num_periods={self.num_periods!r})"


class _Observable:
    class Type(Enum):
        """The number format of what is recorded."""

        uint8, uint16, int8, int16 = range(4)


class _Observables(_Observable):
    class LayoutPerRow(Enum):
        """Whether whole rows are recorded or only the columns in use."""

        complete_rows, packed_active_columns = range(2)

    def __init__(self, type=None, layout_per_row=None):
        self.type = self.Type.uint8 if type is None else type
        self.layout_per_row = self.LayoutPerRow.complete_rows if layout_per_row is None else layout_per_row


class PlasticityRule:
    """A rule that changes synapses or neurons during an experiment; subclasses give its kernel in generate_kernel().

    `timer` says when it is applied, `observables` ({name: one of the three types below}) what it records. Rules of equal
    `same_id` and kernel share their state.
    """

    class ObservablePerSynapse(_Observables):
        """One value a synapse."""

    class ObservablePerNeuron(_Observables):
        """One value a neuron."""

    class ObservableArray(_Observable):
        """`size` values; each of the two processors has its own."""

        def __init__(self):
            self.type, self.size = self.Type.uint8, 0

    def __init__(self, timer, observables=None, same_id=0):
        self.timer, self.same_id = timer, same_id
        self.observables = {} if observables is None else observables
        self._projections, self._populations = [], []

    def _add_projection(self, projection):
        self._projections.append(projection)

    def _remove_projection(self, projection):
        self._projections.remove(projection)

    def _add_population(self, population):
        self._populations.append(population)

    def _remove_population(self, population):
        self._populations.remove(population)

    def generate_kernel(self):
        """The kernel as C++ text, which this emulation keeps but does not execute; without one the rule does nothing."""
        return ""

    def get_observable_array(self, observable):
        """The recorded values of an ObservableArray; as no kernel runs, there are never any.

        Raises RuntimeError for an unknown name, TypeError where it is no ObservableArray, else NotImplementedError.
        """
        if observable not in self.observables:
            raise RuntimeError(f"the rule records no {observable!r}; it records {sorted(self.observables)}")
        if not isinstance(self.observables[observable], PlasticityRule.ObservableArray):
            raise TypeError(f"{observable!r} is no ObservableArray; ask the projection or the population for it, with get_data")
        raise NotImplementedError("plasticity kernels are not executed in this emulation, so nothing was recorded")


class PlasticityRuleHandle:
    """Base of cell and synapse types that a rule can act on; the rule may be shared, or None."""

    def __init__(self, plasticity_rule=None):
        self.plasticity_rule = plasticity_rule
