"""The circuits of a run and the connections between them, on the event-driven simulator. Times in us.

A substrate is kept from one run to the next, for building it anew takes longer than a short run. What depends on weights, codes,
noise and recording is set in each run; where populations or connections are others, it is built anew.
"""

from dataclasses import dataclass, field

import numpy as np

from ttfs_pynn.brainscales2.chip_groups import BypassGroup, ChipNetwork, lif_parameters
from ttfs_pynn.brainscales2.circuits import physics_of
from ttfs_pynn.brainscales2.events import TICK_US
from ttfs_pynn.event_driven.core import LIFGroup, SpikeSourceGroup, Synapses

__all__ = ["Kept", "Substrate", "substrate_for"]


@dataclass(eq=False)
class Kept:
    """What runs leave to later ones, for speed alone. rooms: {population: for how many spikes of each neuron one made room}."""

    rooms: dict = field(default_factory=dict)
    substrate: object = None

    def keep(self, substrate):
        """After a run that did not fail."""
        self.rooms.update({p: group.room for p, group in substrate.groups.items() if isinstance(group, LIFGroup)})
        self.substrate = substrate


def substrate_for(run, snippets):
    """The Substrate on which an `execution.Run` begins: the one that was kept, where it is of the same circuits and connections.
    It is taken out of `run.kept`, so that none is left of a run that fails."""
    layouts = [_layout(run, snippet) for snippet in snippets]
    substrate, run.kept.substrate = run.kept.substrate, None
    if substrate is None or not all(_same(substrate.layout, layout) for layout in layouts):
        steady = layouts and all(_same(layouts[0], layout) for layout in layouts[1:])
        substrate = Substrate(run.chip, layouts[0] if steady else None)
    substrate.begin(run)
    return substrate


def _layout(run, snippet):
    """What a substrate is built for, one thing after the other."""
    found = [run.chip, len(snippet.codes), len(snippet.spikes), len(snippet.background)]
    for population, codes in snippet.codes.items():
        found += population, run.sizes[population], run.circuits[population], bool(codes.bypass.any())
    for population in (*snippet.spikes, *snippet.background):
        found += population, run.sizes[population]
    for key, c in snippet.connections.items():
        found += key, c.pre, c.post, c.receptor, c.pre_index, c.post_index, c.part
    return found


def _same(layout, other):
    """layout: None is like no other."""
    return layout is not None and len(layout) == len(other) and all(map(_equal, layout, other))


def _equal(one, other):
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return one == other


class Substrate:
    """groups: {population: group of the simulator}; physics: {neuron population: circuits.Physics}. layout: None where it is
    not the same for a whole run."""

    def __init__(self, chip, layout):
        self.layout, self.deviations = layout, chip.non_idealities
        self.network = ChipNetwork(self.deviations.spike_jitter / 1000.0, None)
        self.groups, self.physics = {}, {}
        self._synapses, self._codes, self._trial = {}, {}, {}

    def begin(self, run):
        """At time 0, with thresholds to be drawn for this execution."""
        self.run, self.network.rng = run, run.rng
        self.network.reset()
        self._trial.clear()

    def configure(self, snippet):
        """Let circuits and weights be those of a snippet, from now on."""
        for population, codes in snippet.codes.items():
            self._configure(population, codes)
        for population in (*snippet.spikes, *snippet.background):
            if population not in self.groups:
                self._add(population, SpikeSourceGroup(self.run.sizes[population]))
        self._connect(snippet)

    def _configure(self, population, codes):
        changed = self._codes.get(population) is not codes
        if changed:
            circuits = self.run.circuits[population]
            several = len(circuits) // self.run.sizes[population]
            self.physics[population], self._codes[population] = physics_of(codes, self.run.chip, circuits, several), codes
        physics, begins = self.physics[population], population not in self._trial
        if begins:
            self._trial[population] = self.deviations.trial_threshold * self.run.rng.standard_normal(physics.v_thresh.size)
        parameters = lif_parameters(physics, physics.v_thresh + self._trial[population])
        if population not in self.groups:
            group = (BypassGroup if physics.bypass.any() else LIFGroup)(physics.v_thresh.size, parameters)
            group.room = self.run.kept.rooms.get(population, group.room)
            self._add(population, group)
        elif changed:
            self.groups[population].set_parameters(**parameters)
        elif begins:
            self.groups[population].set_parameters(v_thresh=parameters["v_thresh"], v_reset=parameters["v_reset"])
        if begins:
            v = physics.v_rest if not self.deviations.start_at_reset else \
                physics.v_rest + (parameters["v_reset"] - physics.v_rest) * np.exp(-1.0 / physics.tau_m)
            self.groups[population].set_initial(v=np.minimum(v, parameters["v_thresh"]))

    def _add(self, population, group):
        self.groups[population] = group
        self.network.add_group(group)

    def _connect(self, snippet):
        for key, c in snippet.connections.items():
            physics = self.physics[c.post]
            gain = physics.gain_E if c.receptor == "excitatory" else physics.gain_I
            weight = c.weight * gain[c.part * self.run.sizes[c.post] + c.post_index]
            if isinstance(self.groups[c.post], BypassGroup):
                weight = c.weight.astype(float)
            if key in self._synapses:
                self._synapses[key].set_weights(weight)
            else:
                self._synapses[key] = Synapses(self.groups[c.pre], self.groups[c.post], c.receptor, c.pre_index, c.post_index,
                                               weight, self._delay(c, snippet))
                self.network.add_synapses(self._synapses[key])
        for key in self._synapses.keys() - snippet.connections.keys():
            self._synapses[key].set_weights(0.0)

    def _delay(self, c, snippet):
        # Without latency an event within a cycle of populations still takes a tick of the clock.
        latency = self.deviations.latency / 1000.0
        if latency or c.pre not in snippet.codes:
            return latency
        reached, new = set(), {c.post}
        while new:
            reached |= new
            new = {other.post for other in snippet.connections.values() if other.pre in new} - reached
        return TICK_US if c.pre in reached else 0.0
