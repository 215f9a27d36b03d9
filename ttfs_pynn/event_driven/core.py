"""A network of current-based LIF neurons and spike sources, simulated from event to event. No PyNN, no time step.

Groups are advanced one after the other, each when all of its input is known; groups that form a cycle are advanced together
(`recurrent`). Spikes belong to half-open intervals [t, t_stop). A spike at the very time of an arrival comes before it.
"""

from graphlib import TopologicalSorter

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ttfs_pynn.event_driven.cycles import cycle_without_delay
from ttfs_pynn.event_driven.groups import LIFGroup, NeuronGroup, SimulationError
from ttfs_pynn.event_driven.in_flight import Spikes
from ttfs_pynn.event_driven.recurrent import RecurrentGroups
from ttfs_pynn.event_driven.spike_sources import SpikeSourceGroup
from ttfs_pynn.event_driven.synapses import Synapses

__all__ = ["EventDrivenNetwork", "LIFGroup", "SimulationError", "SpikeSourceGroup", "Synapses"]


class EventDrivenNetwork:
    """Groups and synapses, and the order in which they are advanced. method: see `RecurrentGroups`."""

    def __init__(self, method=None):
        self.method = method
        self.t = 0.0
        self.groups, self.synapses = [], []
        self._schedule = None

    def add_group(self, group):
        if isinstance(group, NeuronGroup):
            group.t = self.t
        self.groups.append(group)
        self._schedule = None

    def add_synapses(self, synapses):
        if isinstance(synapses.post_group, SpikeSourceGroup):
            raise SimulationError("spike sources take no input; connect to a group of neurons")
        self.synapses.append(synapses)
        synapses.post_group.connect(synapses)
        self._schedule = None

    def reset(self):
        self.t = 0.0
        for group in self.groups:
            group.reset()

    def advance(self, t_stop):
        """Simulate [t, t_stop). Returns {group: (index, time)}: its spikes in time order."""
        spikes = {}
        if t_stop <= self.t:
            return {group: (np.empty(0, dtype=np.int64), np.empty(0)) for group in self.groups}
        for part in self.prepare():
            if isinstance(part, RecurrentGroups):
                found = part.advance(t_stop)
            else:
                found = {part: self._advance_group(part, t_stop)}
            inside = getattr(part, "synapses", ())
            found = {group: self.emitted(group, *arrays) for group, arrays in found.items()}
            for group, (index, time) in found.items():
                outgoing = self._outgoing.get(group, ())
                leaving = Spikes.of(index, time) if outgoing else None
                for synapses in outgoing:
                    if synapses not in inside:  # those have seen to it
                        synapses.carry(leaving)
            spikes.update(found)
        self.t = float(t_stop)
        return spikes

    def emitted(self, group, index, time):
        """The spikes that leave a group, given those that its equations have: the same, but for subclasses. Spikes within a
        cycle of groups do not pass here.
        """
        return index, time

    def _advance_group(self, group, t_stop):
        if not isinstance(group, NeuronGroup):
            return group.spikes(self.t, t_stop)
        pieces = group.pieces(self.t, t_stop)  # for arrivals are laid out in arrays
        if pieces == 1:
            return group.advance(t_stop)
        parts = [group.advance(stop) for stop in [*np.linspace(self.t, t_stop, pieces + 1)[1:-1], t_stop]]
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))

    def _recurrent(self, members):
        """Groups that depend on each other, or a group that does so on itself; the group where there is no cycle."""
        incoming = [s for s in self.synapses if s.post_group in members and len(s)]
        if not any(s.pre_group in members for s in incoming):
            return members[0]
        cycle = cycle_without_delay(members, incoming)
        if cycle:
            path = " -> ".join(f"{group.label or f'group {self.groups.index(group)}'} neuron {index}" for group, index in cycle)
            raise SimulationError(f"a cycle of connections without delay, {path}: give one of them a delay > 0")
        return RecurrentGroups(members, incoming, self.method)

    def prepare(self):
        """Strongly connected components of the groups, sources first. Made anew after a change of groups, synapses or delays.

        SimulationError where there is no order.
        """
        versions = tuple(s.layout_version for s in self.synapses)
        if self._schedule is not None and versions == self._versions:
            return self._schedule
        self._outgoing = {}
        for s in self.synapses:
            self._outgoing.setdefault(s.pre_group, []).append(s)
        position = {group: k for k, group in enumerate(self.groups)}
        connecting = [s for s in self.synapses if len(s)]  # a projection may be empty: it connects no groups
        pre = [position[s.pre_group] for s in connecting]
        post = [position[s.post_group] for s in connecting]
        graph = coo_array((np.ones(len(pre)), (pre, post)), shape=(len(self.groups),) * 2)
        n, label = connected_components(graph, directed=True, connection="strong")
        before = {k: set() for k in range(n)}
        for i, j in zip(label[pre], label[post], strict=True):
            if i != j:
                before[j].add(i)
        self._schedule = None  # an error below leaves none
        parts = [self._recurrent([group for group, k in zip(self.groups, label, strict=True) if k == component])
                 for component in TopologicalSorter(before).static_order()]
        self._schedule, self._versions = parts, versions
        return parts
