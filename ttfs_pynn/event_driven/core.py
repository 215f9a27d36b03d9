"""A network of current-based LIF neurons and spike sources, simulated from event to event. No PyNN, no time step.

A group of neurons is advanced over an interval in which all of its input is known: the whole interval where the groups form
no cycle, steps of the smallest delay where they do. Spikes belong to half-open intervals [t, t_stop).
"""

from graphlib import TopologicalSorter

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ttfs_pynn.event_driven.groups import LIFGroup, SimulationError, SpikeSourceGroup
from ttfs_pynn.event_driven.synapses import Synapses

__all__ = ["EventDrivenNetwork", "LIFGroup", "SimulationError", "SpikeSourceGroup", "Synapses"]


class EventDrivenNetwork:
    """Groups and synapses, and the order in which they are advanced."""

    def __init__(self):
        self.t = 0.0
        self.groups, self.synapses = [], []
        self._schedule = None

    def add_group(self, group):
        if isinstance(group, LIFGroup):
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
        # All steps first: an error must not leave some groups ahead of the others.
        for members, step in [(members, self._step_inside(members)) for members in self._order()]:
            if step is None:
                spikes[members[0]] = self._advance_group(members[0], self.t, t_stop)
                continue
            parts = {group: [] for group in members}
            n_steps = max(1, int(np.ceil((t_stop - self.t) / step)))
            for k in range(n_steps):
                begin, end = self.t + k * step, min(self.t + (k + 1) * step, t_stop)
                if k == n_steps - 1:
                    end = t_stop
                for group in members:
                    parts[group].append(self._advance_group(group, begin, end))
            for group in members:
                spikes[group] = tuple(np.concatenate(arrays) for arrays in zip(*parts[group], strict=True))
        self.t = float(t_stop)
        return spikes

    def _advance_group(self, group, t, t_stop):
        index, time = group.advance(t_stop) if isinstance(group, LIFGroup) else group.spikes(t, t_stop)
        if time.size:
            for synapses in self._outgoing.get(group, ()):
                synapses.send(index, time)
        return index, time

    def _step_inside(self, members):
        """The smallest delay inside a set of groups that depend on each other, None where there is no cycle."""
        inside = [s for s in self.synapses if s.pre_group in members and s.post_group in members and len(s)]
        if not inside:
            return None
        step = min(s.delay.min() for s in inside)
        if step <= 0:
            raise SimulationError("a cycle of synapses without delay between the groups "
                                  f"{[self.groups.index(g) for g in members]}: give those projections a delay > 0")
        return step

    def _order(self):
        """Strongly connected components of the groups, sources first."""
        if self._schedule is not None:
            return self._schedule
        self._outgoing = {}
        for s in self.synapses:
            self._outgoing.setdefault(s.pre_group, []).append(s)
        position = {group: k for k, group in enumerate(self.groups)}
        pre = [position[s.pre_group] for s in self.synapses]
        post = [position[s.post_group] for s in self.synapses]
        graph = coo_array((np.ones(len(pre)), (pre, post)), shape=(len(self.groups),) * 2)
        n, label = connected_components(graph, directed=True, connection="strong")
        before = {k: set() for k in range(n)}
        for i, j in zip(label[pre], label[post], strict=True):
            if i != j:
                before[j].add(i)
        self._schedule = [[group for group, k in zip(self.groups, label, strict=True) if k == component]
                          for component in TopologicalSorter(before).static_order()]
        return self._schedule
