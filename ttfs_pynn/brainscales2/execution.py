"""One hardware run: snippets of configured network in, spikes and samples out. Knows no PyNN.

A run is a list of `Snippet`s that follow each other without a pause; what membranes and synaptic currents are at the end of one
is where the next begins. Where more neurons are recorded with the MADC than it can take at once (one with an even and one with an
odd number), the run is repeated for each pair, with noise of its own, as the adapter's partitioning does.
"""

from dataclasses import dataclass, field

import numpy as np

from ttfs_pynn.brainscales2 import events
from ttfs_pynn.brainscales2.readout import Readout, Traces
from ttfs_pynn.brainscales2.substrate import Kept, substrate_for
from ttfs_pynn.event_driven.groups import LIFGroup

__all__ = ["Connections", "Run", "Snippet", "SnippetResult", "execute"]


@dataclass(frozen=True, eq=False)
class Connections:
    """One projection: positions of its populations, indices, weights (integers, signed), receptor. part: which circuit of its
    target each connection ends at, a number or an array."""

    pre: object
    post: object
    receptor: str
    pre_index: np.ndarray
    post_index: np.ndarray
    weight: np.ndarray
    part: object = 0


@dataclass(frozen=True, eq=False)
class Snippet:
    """The network as it is for `ticks` of the clock. Keys are populations (any objects).

    codes: {neuron population: CircuitCodes}; spikes, background: {source population: (index, ticks since the snippet's begin)},
    from the FPGA and from sources on the chip; connections: {key: Connections}; recorded: {(device, neuron population):
    {variable: neuron indices}}.
    """

    ticks: int
    codes: dict
    spikes: dict
    background: dict
    connections: dict
    recorded: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SnippetResult:
    """spikes: {population: (index, ticks since the snippet's begin)}; traces: {(device, population): Traces}."""

    spikes: dict
    traces: dict


@dataclass(frozen=True, eq=False)
class Run:
    """What a run is made of besides snippets. sizes: {population: number of cells}; circuits: {neuron population: numbers}, where
    they are joined first the first ones of all neurons, then the second ones, ...; kept: what earlier runs left, changed here."""

    chip: object
    sizes: dict
    circuits: dict
    rng: np.random.Generator
    record_at_once: bool = False
    kept: Kept = field(default_factory=Kept)


def execute(run, snippets):
    """(list of SnippetResult, number of executions on the chip that this took)."""
    pairs = [None] if run.record_at_once else _pairs(run, snippets)
    results = None
    for pair in pairs:
        found = _Execution(run, snippets, pair).results()
        results = found if results is None else [_merged(a, b, pair) for a, b in zip(results, found, strict=True)]
    return results, len(pairs)


def _pairs(run, snippets):
    """Sets of (population, neuron) that the MADC takes at once: at most one with an even and one with an odd circuit number."""
    wanted = {(population, n): run.circuits[population][n] % 2 for s in snippets for (device, population), by_name in
              s.recorded.items() if device == "madc" for neurons in by_name.values() for n in neurons}
    parity = [[key for key, odd in wanted.items() if odd == k] for k in (0, 1)]
    return [{key for some in parity for key in some[k:k + 1]} for k in range(max(1, *map(len, parity)))]


def _merged(first, other, pair):
    """Spikes and traces of the neurons in `pair` come from the execution that recorded them, all else from the first."""
    spikes = dict(first.spikes)
    for population in {population for population, _ in pair}:
        own = [n for p, n in pair if p is population]
        parts = [(i[k], t[k]) for (i, t), k in ((first.spikes[population], ~np.isin(first.spikes[population][0], own)),
                                                (other.spikes[population], np.isin(other.spikes[population][0], own)))]
        index, ticks = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        order = np.argsort(ticks, kind="stable")
        spikes[population] = index[order], ticks[order]
    traces = dict(first.traces)
    for key, found in other.traces.items():
        if key[0] == "madc":
            traces[key] = Traces({**(traces[key].samples if key in traces else {}), **found.samples})
    return SnippetResult(spikes, traces)


class _Execution:
    """The network on the event-driven simulator, carried through the snippets once. Times in us."""

    def __init__(self, run, snippets, pair):
        self.run, self.snippets, self.pair = run, snippets, pair
        self.deviations = run.chip.non_idealities
        self.substrate = substrate_for(run, snippets)
        self.groups, self.late = self.substrate.groups, {}
        self.latency = self.deviations.latency / 1000.0

    def results(self):
        begin, found = 0, []
        for snippet in self.snippets:
            self.substrate.configure(snippet)
            sent = self._send(snippet, begin)
            end = begin + snippet.ticks
            readout = Readout(self.run, self.groups, self.substrate.physics, snippet, self.pair)
            spikes = self.substrate.network.advance(end * events.TICK_US)
            found.append(SnippetResult(self._noticed(spikes, sent, begin, end), readout.traces(begin)))
            begin = end
        self.run.kept.keep(self.substrate)
        return found

    def _send(self, snippet, begin):
        """Give the sources the events that reach the chip; {population: (index, ticks)} as they were sent."""
        sent = {}
        for stream in (snippet.spikes, *({key: value} for key, value in snippet.background.items())):  # each has a way of its own
            sent |= self._stream(stream, snippet.ticks)
        for key, (index, ticks) in sent.items():
            by_cell = np.argsort(index, kind="stable")
            offsets = np.searchsorted(index[by_cell], np.arange(self.run.sizes[key] + 1))
            self.groups[key].set_spike_times((begin + ticks[by_cell]) * events.TICK_US, offsets)
        return sent

    def _stream(self, spikes, duration):
        """What of these events reaches the chip, one a tick where they share a way."""
        if not spikes:
            return {}
        index, ticks = (np.concatenate(arrays) for arrays in zip(*spikes.values(), strict=True))
        source = np.repeat(np.arange(len(spikes)), [i.size for i, _ in spikes.values()])
        order = np.argsort(ticks, kind="stable")
        index, ticks, source = index[order], ticks[order], source[order]
        if self.deviations.serial_input:
            ticks = events.serialised(ticks)
        kept = (ticks < duration) & ~events.lost(ticks, self.deviations.event_loss, self.run.rng)
        return {key: (index[kept & (source == k)], ticks[kept & (source == k)]) for k, key in enumerate(spikes)}

    def _noticed(self, spikes, sent, begin, end):
        """Spikes as the FPGA stamps them; those that come after the end are left to the next snippet."""
        found = dict(sent)
        for population, group in self.groups.items():
            if isinstance(group, LIFGroup):
                index, time = spikes[group]
                ticks = events.stamped(time + self.latency)
                if population in self.late:
                    index, ticks = (np.concatenate(arrays) for arrays in zip(self.late[population], (index, ticks), strict=True))
                    order = np.argsort(ticks, kind="stable")
                    index, ticks = index[order], ticks[order]
                inside = ticks < end
                self.late[population] = index[~inside], ticks[~inside]
                found[population] = index[inside], ticks[inside] - begin
        return found
