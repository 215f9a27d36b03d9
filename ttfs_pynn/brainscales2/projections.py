"""Projections on the emulated chip: integer weights with the sign of their receptor, no delays, connections source by source."""

import numpy as np
from pyNN import common, errors
from pyNN.space import Space

from ttfs_pynn.brainscales2 import simulator
from ttfs_pynn.brainscales2.dlens import halco
from ttfs_pynn.brainscales2.standardmodels.synapses import StaticSynapse
from ttfs_pynn.brainscales2.state import part_of
from ttfs_pynn.event_driven import projections
from ttfs_pynn.event_driven.synapses import Synapses
from ttfs_pynn.units import in_units

__all__ = ["Connection", "Projection"]

Connection = projections.Connection


class NotANumberError(errors.ConnectionError, ValueError):
    """A weight is NaN: on the adapter a ConnectionError of the constructor, and a ValueError of set()."""


_LARGEST = 63


def _no_delay(value):
    return f"a delay of {value:g} ms is not possible, the chip has none; leave it at 0 (and min_delay out of setup(), whose " \
        "value is the default delay)"


class _Digital(Synapses):
    """The weights and delays of a projection as the chip keeps them. `sign`: 1 or -1; may_be_negative: see check."""

    def __init__(self, owner, *arguments):
        self.owner = owner
        super().__init__(*arguments)

    def check(self, name, values):
        values = super().check(name, values)
        if name == "delay" and values.any():
            raise ValueError(f"{self.owner.label}: {_no_delay(values[values != 0][0])}")
        return values

    def set_one(self, name, k, value):
        if name == "delay":
            if value != 0:
                raise ValueError(_no_delay(value))
            return
        before = self.owner.longest_chunk()
        super().set_one(name, k, float(self.owner.checked_weights(np.round(np.float64(value)))))
        self.owner._changed(before)

    def _checked(self, name, values):
        values = super()._checked(name, values)
        return self.owner.checked_weights(np.round(values)) if name == "weight" else values


class Projection(projections.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse
    ROW_MAJOR = True
    _longest: tuple = (None, 0.0)

    def __init__(self, presynaptic_neurons, postsynaptic_neurons, connector, synapse_type=None, source=None, receptor_type=None,
                 space=Space(), label=None):  # noqa: B008  (PyNN's signature)
        if isinstance(presynaptic_neurons, common.Assembly):
            raise NotImplementedError("an assembly cannot be a source on the chip; connect its populations one by one")
        simulator.active("a projection")
        self.pre_compartment = self._compartment(presynaptic_neurons, getattr(connector, "source_location_selector", None))
        self.post_compartment = self._compartment(postsynaptic_neurons, getattr(connector, "location_selector", None))
        super().__init__(presynaptic_neurons, postsynaptic_neurons, connector, synapse_type, source,
                         receptor_type or "excitatory", space, label)

    def _register(self):
        simulator.state.add_projection(self)

    @staticmethod
    def _compartment(cells, location):
        if location is None:
            return halco.CompartmentOnLogicalNeuron()
        celltype = getattr(cells, "grandparent", cells).celltype
        if not hasattr(celltype, "get_compartment_ids"):
            raise ValueError(f"location {location!r}: {type(celltype).__name__} is a point neuron; leave the location out")
        found = celltype.get_compartment_ids([location])
        if len(found) != 1:
            raise ValueError(f"location {location!r} names {len(found)} compartments of {type(celltype).__name__}; give the "
                             "label of one")
        return found[0]

    units = {"weight": "dimensionless", "delay": "ms"}

    @property
    def signs(self):
        # The adapter's: inhibitory conductances can only be 0.
        return self.receptor == "inhibitory" and not self.post.conductance_based, self.receptor == "excitatory"

    def checked_weights(self, weight):
        """As the base class; NotANumberError for NaN."""
        if np.isnan(weight).any():
            raise NotANumberError(f"{self.label}: {int(np.isnan(weight).sum())} of {np.size(weight)} weights are not a number; "
                                  "give numbers, 0 for no connection")
        return super().checked_weights(weight)

    def _check(self, name, values):
        pass  # as the adapter does it, set() and the constructor check in their own ways, here and in _Digital

    def _convergent_connect(self, presynaptic_indices, postsynaptic_index, location_selector=None, **attributes):
        super()._convergent_connect(presynaptic_indices, postsynaptic_index, None, **attributes)

    def _create(self, pre, post, pre_index, post_index, weight, delay):
        self.checked_weights(weight)  # before rounding: -0.3 is refused
        return _Digital(self, pre, post, self.receptor, pre_index, post_index, weight, delay)

    def _assign(self, name, values):
        before = self.longest_chunk()
        if name in self._kept:
            super()._assign(name, values)
            return
        for chosen, synapses in self._parts:
            synapses.check(name, values[chosen])
        for chosen, synapses in self._parts:
            (synapses.set_weights if name == "weight" else synapses.set_delays)(values[chosen])
        self._changed(before)

    def set(self, **attributes):
        self._check_current()
        attributes = in_units(attributes, self.units)
        weight = attributes.get("weight")
        if len(attributes) == 1 and self._dense is not None and isinstance(weight, np.ndarray) and weight.shape == self.shape:
            before = self.longest_chunk()
            # A dense copy of all weights, rounded and checked, in one array operation: the common case of a training loop.
            self._dense.set_dense_weights(self.checked_weights(np.round(weight)))
            self._changed(before)
        else:
            common.Projection.set(self, **attributes)

    def setWeights(self, weight):
        """An old name of set(weight=...)."""
        self.set(weight=weight)

    def _changed(self, before):
        if before > _LARGEST or self.longest_chunk() > _LARGEST:
            simulator.state.mapping = None  # a weight above 63 takes several synapses

    def longest_chunk(self):
        """The largest absolute weight."""
        key = [(s, s.weight_version) for _, s in self._parts]
        if self._longest[0] != key:
            weights = [s.weight if s.dense_weights is None else s.dense_weights for _, s in self._parts]
            self._longest = key, max((float(max(w.max(initial=0), -w.min(initial=0))) for w in weights), default=0.0)
        return self._longest[1]

    def on_populations(self):
        """(pre population, post population, pre index, post index, weight) for each pair of populations that is connected."""
        for _, synapses in self._parts:
            yield (self._owner(self.pre, synapses.pre_group), self._owner(self.post, synapses.post_group), synapses.pre,
                   synapses.post, synapses.weight.copy())

    @staticmethod
    def _owner(cells, group):
        parts = cells.populations if isinstance(cells, common.Assembly) else [cells]
        return next(p for p in (getattr(part, "grandparent", part) for part in parts) if p.group is group)

    @property
    def placed_connections(self):
        """[[number of the circuit]] that each connection reaches; RuntimeError before the network is mapped."""
        state = simulator.state
        if state.mapping is None:
            raise RuntimeError("connections have no place yet; call run(None, RunCommand.PREPARE) first")
        circuits = state.map()
        return [[int(n)] for pre, post, pre_index, post_index, _ in self.on_populations()
                for n in circuits[post][part_of(pre, pre_index, post) * post.size + post_index]]
