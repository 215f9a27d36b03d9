"""Recordings: who was recorded, when, and the spikes, of Neo Blocks from anywhere.

A Block says more than a list of spike times. Its segments are trials. Each spike train has a t_start and a t_stop of its own, and
annotations tell which neuron it is of. A `Recording` keeps all of it, for one population, in ms of the model.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Recording", "Train", "recordings_of", "time_scale"]

# By these annotations spike sorters and Neo's readers tell units apart, with or without a channel_id.
_UNIT = ("channel_id", "unit", "unit_id", "cluster", "cluster_id", "id")


@dataclass(frozen=True)
class Train:
    """Sorted spike times (ms) of one neuron in one trial, and from when to when it was recorded (ms)."""

    times: np.ndarray
    t_start: float
    t_stop: float

    @property
    def duration(self) -> float:
        """How long the neuron was recorded (ms)."""
        return self.t_stop - self.t_start

    def between(self, start: float, stop: float = np.inf) -> "Train":
        """What was recorded in [start, stop) ms. At the recording's own end the last spike belongs to it."""
        start, stop = max(start, self.t_start), min(stop, self.t_stop)
        inside = (self.times >= start) & ((self.times < stop) | (stop == self.t_stop))
        return Train(self.times[inside], start, max(start, stop))


@dataclass(frozen=True)
class Recording:
    """One population, or what was recorded of it.

    name: the population's, None where the file has none. units: what tells each neuron from the others. identity: what that is,
    "source_index" (the number in its PyNN population), names of annotations, "group" (a Neo Group each), "name" of the trains, or
    "position" where nothing is annotated. trials: for each trial a Train of each unit, None where that unit was not recorded.
    size: of the whole population where known; a view may be all that was recorded.
    """

    name: str | None
    units: tuple[Any, ...]
    trials: tuple[tuple[Train | None, ...], ...]
    identity: str = "position"
    size: int | None = None

    @classmethod
    def from_arrays(cls, trains: Sequence[ArrayLike], t_start: ArrayLike, t_stop: ArrayLike, name: str | None = None) -> Self:
        """One trial of arrays of spike times (ms), sorted or not. t_start, t_stop (ms): of all trains, or one of each."""
        starts, stops = (np.broadcast_to(np.asarray(t, dtype=float), len(trains)).tolist() for t in (t_start, t_stop))
        made = tuple(Train(np.sort(np.asarray(times, dtype=float)), start, stop)
                     for times, start, stop in zip(trains, starts, stops, strict=True))
        return cls(name, tuple(range(len(made))), (made,))

    @property
    def numbers(self) -> np.ndarray:
        """A row for each unit: its number in the population where that is known, else its place."""
        if self.identity == "source_index":
            return np.array(self.units, dtype=int)
        return np.arange(len(self.units))

    def of_unit(self, n: int) -> list[Train]:
        """All trains of the unit at place n, one a trial in which it was recorded."""
        return [train for trial in self.trials if (train := trial[n]) is not None]

    def trains(self) -> list[Train]:
        """All trains there are."""
        return [train for trial in self.trials for train in trial if train is not None]

    def without_start(self, share: float) -> Self:
        """The same without the first `share` (0 to 1) of each train's own time."""
        if not share:
            return self
        return replace(self, trials=tuple(tuple(None if t is None else t.between(t.t_start + share * t.duration) for t in trial)
                                          for trial in self.trials))

    def label_of(self, n: int) -> str:
        """What to call the unit at place n: 'neuron 6', or 'channel_id 0, unit 1'."""
        if self.identity in ("source_index", "position"):
            return f"neuron {self.units[n]}"
        own = self.units[n]
        unit = own if isinstance(own, tuple) else (own,)
        names = self.identity.split(", ")
        if names[0] in ("name", "group"):
            return str(unit[0])
        return ", ".join([*(f"{name} {value}" for name, value in zip(names, unit, strict=False)), *map(str, unit[len(names):])])

    def flat(self, trial: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """(places of the units, times in ms) of all spikes of a trial, unit by unit."""
        trains = [np.empty(0) if train is None else train.times for train in self.trials[trial]]
        return np.repeat(np.arange(len(trains)), [t.size for t in trains]), np.concatenate([np.empty(0), *trains])

    @property
    def span(self) -> tuple[float, float]:
        """(first t_start, last t_stop) of all trains (ms)."""
        trains = self.trains()
        return min((t.t_start for t in trains), default=0.0), max((t.t_stop for t in trains), default=0.0)

    def summary(self) -> str:
        """'2 of 10 neurons', '4 units in 5 trials'."""
        what = "neurons" if self.identity in ("source_index", "position") else "units"
        count = f"{len(self.units)} of {self.size}" if self.size is not None and self.size != len(self.units) else len(self.units)
        what = what[:-1] if str(count) == "1" else what
        text = f"{count} {what}" + (f" in {len(self.trials)} trials, pooled" if len(self.trials) > 1 else "")
        if self.identity == "position" and any(train is None for trial in self.trials for train in trial):
            text += ", told apart by their order although some trials have fewer trains"
        return text


def time_scale(block: Any) -> float:
    """How many ms of the model are one ms of a Block: 1000 for recordings of the emulated chip, whose annotation says so."""
    return float(block.annotations.get("time_scale", 1.0))


def _ms(quantity: Any) -> np.ndarray:
    # quantities 0.16 parses the name of a unit at every rescale, which takes longer than to read a thousand spikes.
    magnitude = quantity.magnitude if str(quantity.dimensionality) == "ms" else quantity.rescale("ms").magnitude
    return np.asarray(magnitude, dtype=float)


def _plain(value: Any) -> Hashable:
    """An annotation as what it was before NIX: numbers come back as NumPy's."""
    value = value.item() if isinstance(value, np.generic | np.ndarray) and np.size(value) == 1 else value
    return value if isinstance(value, Hashable) else str(value)


def _segment(segment: Any, scale: float) -> list[tuple[Train, dict[str, Any]]]:
    """(Train, annotations and name) of every spike train of a Neo Segment.

    Arrays of an array-backed SpikeTrainList are read without making spike trains of them, which takes 100 times as long.
    """
    trains = segment.spiketrains
    if getattr(trains, "_items", trains) is None and getattr(trains, "_spike_time_array", None) is not None:
        ids, times = trains.multiplexed
        known = np.asarray(trains._all_channel_ids)
        by_id = np.argsort(known, kind="stable")
        place = by_id[np.searchsorted(known[by_id], ids)]
        order = np.lexsort((times, place))
        split = np.split(_ms(times)[order] * scale, np.searchsorted(place[order], np.arange(1, max(known.size, 1))))
        start, stop = (float(_ms(t) if hasattr(t, "dimensionality") else t) * scale
                       for t in (trains._spiketrain_metadata["t_start"], trains._spiketrain_metadata["t_stop"]))
        tables = {key: value if np.ndim(value) == 1 and len(value) == known.size else [value] * known.size
                  for key, value in {**trains._annotations, "channel_id": known}.items()}
        return [(Train(split[k], start, stop), {key: value[k] for key, value in tables.items()}) for k in range(known.size)]
    return [(Train(np.sort(_ms(train.times)) * scale, float(_ms(train.t_start)) * scale, float(_ms(train.t_stop)) * scale),
             {"name": train.name, **train.annotations}) for train in trains]


def _numbered(keys: list[Hashable]) -> list[Hashable]:
    """The keys, made distinct by how many of the same came before."""
    seen: Counter = Counter()
    found = []
    for key in keys:
        found.append(key if not seen[key] else (*(key if isinstance(key, tuple) else (key,)), f"no. {seen[key] + 1}"))
        seen[key] += 1
    return found


def _identify(trials: list[list[dict[str, Any]]], first_id: Any, size: int | None) -> tuple[str, list[list[Hashable]]]:
    """(identity, keys of the trains of each trial), from the annotations of the trains of each trial."""
    every = [notes for trial in trials for notes in trial]

    def known(key: str) -> bool:
        return bool(every) and all(notes.get(key) is not None for notes in every)

    def keys(names: Sequence[str]) -> list[list[Any]]:
        return [[_plain(notes[names[0]]) if len(names) == 1 else tuple(_plain(notes[n]) for n in names) for notes in trial]
                for trial in trials]

    def distinct(found: list[list[Any]]) -> bool:
        return all(len(set(trial)) == len(trial) for trial in found)

    if known("source_index") and distinct(keys(["source_index"])):
        return "source_index", keys(["source_index"])
    annotated = [key for key in _UNIT if known(key)]
    if annotated == ["channel_id"]:
        found = keys(annotated)
        # PyNN's numbers begin at 0 in each population; its channel_id is the cell's in the whole simulation.
        if size is not None and isinstance(first_id, int | np.integer) and distinct(found) and \
                all(isinstance(key, int) and 0 <= key - int(first_id) < size for trial in found for key in trial):
            return "source_index", [[key - int(first_id) for key in trial] for trial in found]
    if known("group") and distinct(keys(["group"])):
        return "group", keys(["group"])
    if annotated:
        # Several trains of one channel and no unit: each is one, in their order.
        return ", ".join(annotated), [_numbered(trial) for trial in keys(annotated)]
    if known("name") and distinct(keys(["name"])):
        names = keys(["name"])
        # Names that number the trains of a file through are no names of neurons.
        if len(set().union(*names)) == max(map(len, names)):
            return "name", names
    return "position", [list(range(len(trial))) for trial in trials]


def _order(trials: list[list[Hashable]], identity: str) -> list[Any]:
    units: list[Any] = list(dict.fromkeys(key for trial in trials for key in trial))
    return sorted(units) if identity in ("source_index", "position") else units


def recordings_of(block: Any) -> list[Recording]:
    """The Recordings of a Neo Block, one a population (an Assembly has several), with all its segments."""
    scale = time_scale(block)
    segments = [_segment(segment, scale) for segment in block.segments]
    groups = {id(train): group.name or k for k, group in enumerate(block.groups) for train in group.spiketrains}
    if groups:  # Neo's place for units, each with its trains of all segments
        for segment, trial in zip(block.segments, segments, strict=True):
            for train, (_, notes) in zip(segment.spiketrains, trial, strict=True):
                notes["group"] = groups.get(id(train))
    sources = list(dict.fromkeys(notes.get("source_population") for trial in segments for _, notes in trial))
    several = len(sources) > 1
    name = block.name or block.annotations.get("label") or (sources[0] if len(sources) == 1 else None)
    size = block.annotations.get("size")
    size = int(size) if isinstance(size, int | np.integer) and not several else None  # an Assembly's is "MERGE CONFLICT"
    return [_recording(source if several else name, size, block.annotations.get("first_id"),
                       [[pair for pair in trial if not several or pair[1].get("source_population") == source]
                        for trial in segments])
            for source in sources or [None]]


def _recording(name: str | None, size: int | None, first_id: Any, trials: list[list[tuple[Train, dict[str, Any]]]]) -> Recording:
    # A segment without trains (of signals, or of before spikes were recorded) is no trial in which all were silent.
    trials = [trial for trial in trials if trial] or trials[:1]
    identity, keys = _identify([[notes for _, notes in trial] for trial in trials], first_id, size)
    units = _order(keys, identity)
    found: list[tuple[Train | None, ...]] = []
    for trial, ids in zip(trials, keys, strict=True):
        by_unit: dict[Hashable, Train] = dict(zip(ids, (train for train, _ in trial), strict=True))
        found.append(tuple(by_unit.get(unit) for unit in units))
    return Recording(None if name is None else str(name), tuple(units), tuple(found), identity, size)
