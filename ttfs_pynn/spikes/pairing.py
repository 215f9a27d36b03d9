"""Which population, and which neuron, of one recording is which of another: by name and identity, not by the order in a file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.spikes.recordings import Recording

__all__ = ["Pair", "pair_recordings"]

_NAMES = ("the first", "the second")
_MOST = 8  # neurons that a sentence lists


@dataclass(frozen=True)
class Pair:
    """One population in two recordings. units: (place in reference, place in other) of each neuron that is in both."""

    reference: Recording
    other: Recording
    units: tuple[tuple[int, int], ...]

    @property
    def n_trials(self) -> int:
        """How many trials are in both: the first of one is the first of the other, and so on."""
        return min(len(self.reference.trials), len(self.other.trials))


def pair_recordings(reference: Sequence[Recording], other: Sequence[Recording],
                    names: tuple[str, str] = _NAMES) -> tuple[list[Pair], list[str]]:
    """(Pairs in the order of `reference`, sentences about what could not be paired, or was paired for want of better).

    Populations are paired by their names. Several of one name are paired in their order if both have as many of them, and so are
    those without a name; a population alone on either side is paired whatever its name. Neurons are paired by what tells them
    apart. names: what the sentences call the two. ResultsError where nothing can be paired.
    """
    notes: list[str] = []
    chosen = _populations(reference, other, names, notes)
    pairs = [found for a, b in chosen if (found := _neurons(a, b, names, notes)) is not None]
    if not pairs:
        raise ResultsError("nothing to compare: " + "; ".join(notes or ["no population was recorded"]))
    return pairs, notes


def _named(recording: Recording) -> str:
    return "a population without a name" if recording.name is None else repr(recording.name)


def _populations(reference, other, names, notes):
    if len(reference) == len(other) == 1:
        a, b = reference[0], other[0]
        if a.name != b.name:
            notes.append(f"{_named(a)} of {names[0]} is compared with {_named(b)} of {names[1]}, the only population of each")
        return [(a, b)]
    counts = [Counter(recording.name for recording in side) for side in (reference, other)]
    chosen: list[tuple[Recording, Recording]] = []
    for name in counts[0]:
        numbers = counts[0][name], counts[1][name]
        same = [[recording for recording in side if recording.name == name] for side in (reference, other)]
        if numbers[1] and numbers[0] == numbers[1]:
            chosen += zip(*same, strict=True)
            if numbers[0] > 1:
                notes.append(f"{numbers[0]} populations are called {name!r}, paired in the order of the files" if name is not None
                             else f"{numbers[0]} populations have no name, paired in the order of the files")
        elif numbers[1]:
            notes.append(f"left out: {numbers[0]} populations of {names[0]} and {numbers[1]} of {names[1]} "
                         f"{'are called ' + repr(name) if name is not None else 'have no name'}; which is which is not known")
    for k, side in enumerate((reference, other)):
        alone = list(dict.fromkeys(_named(recording) for recording in side if not counts[1 - k][recording.name]))
        if alone:
            notes.append(f"only in {names[k]}, left out: {', '.join(alone)}")
    place = {id(recording): k for k, recording in enumerate(reference)}
    return sorted(chosen, key=lambda found: place[id(found[0])])


def _neurons(a, b, names, notes):
    label = a.name if a.name is not None else "recording"
    same_kind = a.identity == b.identity
    if same_kind and a.identity != "position":
        where = {unit: k for k, unit in enumerate(b.units)}
        units = tuple((k, where[unit]) for k, unit in enumerate(a.units) if unit in where)
        if not units:
            every = [_listed(side, range(len(side.units))) for side in (a, b)]
            notes.append(f"{label}: no neuron is in both ({every[0]} and {every[1]})")
            return None
        for k, (side, places) in enumerate(((a, {i for i, _ in units}), (b, {j for _, j in units}))):
            alone = [n for n in range(len(side.units)) if n not in places]
            if alone:
                notes.append(f"{label}: only in {names[k]}, left out: {_listed(side, alone)}")
    elif len(a.units) == len(b.units):
        units = tuple((k, k) for k in range(len(a.units)))
        if not same_kind:
            notes.append(f"{label}: neurons are paired in their order, for {names[0]} tells them apart by {a.identity}, "
                         f"{names[1]} by {b.identity}")
    else:
        how = "nothing in the files tells" if a.identity == b.identity == "position" else \
            f"the files tell them apart by {a.identity} and by {b.identity}, which does not say"
        notes.append(f"{label}, left out: {a.summary()} of {names[0]} and {b.summary()} of {names[1]}; {how} which are the same")
        return None
    if len(a.trials) != len(b.trials):
        notes.append(f"{label}: {len(a.trials)} and {len(b.trials)} trials; the first "
                     f"{_count(min(len(a.trials), len(b.trials)))} compared")
    spans = a.span, b.span
    if not np.allclose(*spans, rtol=1e-6, atol=1e-6):
        notes.append(f"{label}: recorded from {spans[0][0]:g} to {spans[0][1]:g} ms and from {spans[1][0]:g} to {spans[1][1]:g} "
                     "ms; times are compared as they are")
    return Pair(a, b, units)


def _count(n):
    return "is" if n == 1 else f"{n} are"


def _listed(recording, places):
    found = [recording.label_of(k) for k in places]
    return ", ".join(found[:_MOST]) + (f" and {len(found) - _MOST} more" if len(found) > _MOST else "")
