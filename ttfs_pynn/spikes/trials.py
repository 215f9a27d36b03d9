"""Recordings as samples: a Neo Block whose segments are trials, whose spike trains are sources."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.spikes.windows import spikes_of

__all__ = ["is_block", "labels_of", "trials_of"]


def is_block(value: Any) -> bool:
    """Whether this is a Neo Block."""
    return hasattr(value, "segments")


def labels_of(block: Any, name: str, classes: Sequence = ()) -> tuple[np.ndarray, tuple]:
    """(labels (trials,), what each is called) from the annotation `name` of a Block's segments.

    Integers are used as they are, classes being empty; anything else is numbered in the order of `classes` (default: sorted).
    """
    missing = [k for k, segment in enumerate(block.segments) if name not in segment.annotations]
    if missing or not block.segments:
        has = sorted({key for segment in block.segments for key in segment.annotations})
        raise ConfigurationError(f"{len(missing)} of {len(block.segments)} segments have no annotation {name!r}; they have "
                                 f"{', '.join(has) or 'none'}: annotate each trial, or give an array of labels")
    values = [segment.annotations[name] for segment in block.segments]
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    if not classes and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return np.array(values), ()
    try:
        classes = tuple(classes) or tuple(sorted(set(values)))
    except TypeError:
        kinds = sorted({type(value).__name__ for value in values})
        raise ConfigurationError(f"the annotation {name!r} of the trials is {', '.join(kinds)}; give texts or numbers of one "
                                 "kind, or `classes` in their order") from None
    foreign = [value for value in values if value not in classes]
    if foreign:
        raise ConfigurationError(f"a trial is labelled {foreign[0]!r}; classes are {', '.join(map(repr, classes))}")
    return np.array([classes.index(value) for value in values]), classes


def trials_of(block: Any) -> np.ndarray:
    """Spike times (trials, sources, spikes) in ms from the start of each segment, rising, inf after a source's last.

    Sources are in the order of the annotation channel_id, which PyNN writes, where all trains have it; else in the order of the
    trains.
    A segment begins where its first spike train does (t_start).
    """
    if not block.segments:
        raise ConfigurationError(f"block {block.name!r} has no segments; each is a trial")
    trials = []
    for segment in block.segments:
        trains = segment.spiketrains
        if len(trains) and all("channel_id" in train.annotations for train in trains):
            ids, times = spikes_of(segment)
            sources = np.array(sorted({int(train.annotations["channel_id"]) for train in trains}))
            if len(sources) < len(trains):
                raise ConfigurationError(f"segment {segment.name!r} has several spike trains of one channel_id; give each "
                                         "source its own")
            index = np.searchsorted(sources, ids)
        else:
            each = [np.asarray(train.rescale("ms").magnitude, dtype=float) for train in trains]
            times = np.concatenate(each) if each else np.empty(0)
            index = np.repeat(np.arange(len(each)), [train.size for train in each]).astype(np.int64)
        start = min((float(train.t_start.rescale("ms")) for train in trains), default=0.0)
        trials.append((len(trains), index, times - start))
    sizes = {n for n, _, _ in trials}
    if len(sizes) > 1 or not sizes or 0 in sizes:
        raise ConfigurationError(f"the segments of block {block.name!r} have {', '.join(map(str, sorted(sizes)))} spike trains; "
                                 "every trial needs a train for each source, empty where it is silent")
    n_sources = sizes.pop()
    longest = max(int(np.bincount(index, minlength=1).max()) for _, index, _ in trials)
    found = np.full((len(trials), n_sources, max(longest, 1)), np.inf)
    for k, (_, index, times) in enumerate(trials):
        order = np.lexsort((times, index))
        index, times = index[order], times[order]
        first = np.searchsorted(index, np.arange(n_sources))
        found[k, index, np.arange(index.size) - first[index]] = times
    return found
