"""Samples: input spike times and labels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.spikes.trials import is_block, labels_of, trials_of
from ttfs_pynn.units import in_unit

__all__ = ["EncodedData", "SpikeData", "encoded_parts", "jittered"]


def jittered(times: np.ndarray, rng: np.random.Generator, sigma: float) -> np.ndarray:
    """|t + N(0, sigma)| of each spike, as the paper's authors do; sigma in ms."""
    flat, found = np.ascontiguousarray(times).reshape(-1), np.empty(times.shape)
    noise = np.zeros(_count_spikes(flat) + 1)
    rng.standard_normal(out=noise[:-1])
    _add_noise(flat, noise, sigma, found.reshape(-1))
    return found


@njit(cache=True, error_model="numpy")
def _count_spikes(times):
    n = 0
    for k in range(times.shape[0]):
        n += times[k] < math.inf
    return n


@njit(cache=True, error_model="numpy")
def _add_noise(times, noise, sigma, found):
    """Each spike takes the next of the noise; no branch, which would be missed, for inf stays inf whatever is added."""
    n = 0
    for k in range(times.shape[0]):
        found[k] = abs(times[k] + sigma * noise[n])
        n += times[k] < math.inf


@dataclass(frozen=True, eq=False)
class SpikeData:
    """Samples as input spike times, in ms from the start of a sample, and labels (samples,), integers from 0.

    times: of one population of sources, or a dict {population: times}. Each is an array (samples, sources), inf for no spike; an
    array (samples, sources, spikes), inf after the last; a ragged list, times[sample][source] the spike times of a source; a
    quantity; or a Neo Block whose segments are the trials and whose spike trains are the sources (`spikes.trials`).
    labels: an array, or the name of an annotation of the segments; texts are numbered in the order of `classes` (default:
    sorted).
    After that `labels` are integers and `classes` says what they were called.
    """

    times: Any
    labels: Any
    classes: tuple = field(default=())

    def __post_init__(self) -> None:
        given = self.times if isinstance(self.times, Mapping) else {None: self.times}
        if not given:
            raise ConfigurationError("no spike times: give an array, or a dict with one for each population of sources")
        labels, classes = self._numbered(given)
        arrays = {label: _as_array(value, label) for label, value in given.items()}
        for name, array in arrays.items():
            if len(array) != len(labels) or labels.ndim != 1 or not len(labels):
                of = "" if name is None else f" of {name!r}"
                raise ConfigurationError(f"times{of} of shape {array.shape} and labels of shape {labels.shape}; expected "
                                         "(samples, inputs) and (samples,), at least one sample")
        whole = np.issubdtype(labels.dtype, np.integer)
        if not whole or labels.min() < 0:
            what = f"from {labels.min()}" if whole else f"{labels.dtype}, the first {labels[0].item()!r}"
            raise ConfigurationError(f"labels are {what}; give integers from 0, one a class")
        object.__setattr__(self, "times", arrays if isinstance(self.times, Mapping) else arrays[None])
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "classes", tuple(classes))

    def _numbered(self, given):
        """(labels, classes): of an annotation's name, or as they are."""
        if not isinstance(self.labels, str):
            return np.asarray(self.labels), self.classes
        blocks = [value for value in given.values() if is_block(value)]
        if not blocks:
            raise ConfigurationError(f"labels = {self.labels!r}, a text, names an annotation of a Neo Block's segments, but no "
                                     "Block was given; give an array of integers from 0")
        return labels_of(blocks[0], self.labels, self.classes)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, chosen: Any) -> Any:
        """Spike times of some samples (an index or slice), in the form of `times`."""
        if isinstance(self.times, Mapping):
            return {label: array[chosen] for label, array in self.times.items()}
        return self.times[chosen]

    def drawn(self, chosen: Any, rng: np.random.Generator) -> tuple[Any, np.ndarray]:
        """(times, labels) of some samples (an index or slice) as training is shown them: here, as they are."""
        return self.batch(chosen), self.labels[chosen]

    def select(self, chosen: Any) -> "SpikeData":
        """Some of the samples (an index or slice)."""
        return SpikeData(self.batch(chosen), self.labels[chosen], self.classes)


class EncodedData(SpikeData):
    """SpikeData of `features`, an array (samples, ...), from which training draws other ones in each epoch.

    encode(features) gives `times`, of as many samples. augment(features, labels, rng), with a numpy Generator, gives the features
    and labels that training is shown in place of these; evaluation is shown the samples as they are. Neither changes what it is
    given.
    """

    features: np.ndarray
    _encode: Callable[[Any], Any]
    _augment: Callable[[Any, Any, Any], Any]

    def __init__(self, features: Any, labels: Any, encode: Callable[[Any], Any], augment: Callable[[Any, Any, Any], Any],
                 classes: Sequence = ()) -> None:
        for name, function in (("encode", encode), ("augment", augment)):
            if not callable(function):
                raise ConfigurationError(f"{name} is {type(function).__name__}; give a function")
        features = np.asarray(features)
        super().__init__(encode(features), labels, tuple(classes))
        for name, value in (("features", features), ("_encode", encode), ("_augment", augment)):
            object.__setattr__(self, name, value)

    def drawn(self, chosen: Any, rng: np.random.Generator) -> tuple[Any, np.ndarray]:
        """(times, labels) of new features. ConfigurationError where the functions return anything else."""
        labels = self.labels[chosen]
        found = self._augment(self.features[chosen], labels, rng)
        if not (isinstance(found, tuple) and len(found) == 2 and np.shape(found[1]) == labels.shape
                and np.shape(found[0])[:1] == labels.shape and np.issubdtype(np.asarray(found[1]).dtype, np.integer)):
            raise ConfigurationError("augment must return (features, labels), as many of both as it was given, and integers as "
                                     "labels")
        times = self._encode(found[0])
        if any(len(array) != len(labels) for array in (times.values() if isinstance(times, Mapping) else (times,))):
            raise ConfigurationError(f"encode must return the times of as many samples as it was given features: {len(labels)}")
        return times, np.asarray(found[1])

    def select(self, chosen: Any) -> "EncodedData":
        """Some of the samples (an index or slice)."""
        return EncodedData(self.features[chosen], self.labels[chosen], self._encode, self._augment, self.classes)


def encoded_parts(parts: Mapping[str, tuple[Any, Any]], encode: Callable[[Any], Any],
                  distort: Callable[[Any, np.random.Generator], Any] | None = None) -> dict[str, SpikeData]:
    """What a model's `data` returns, of {'train', ...: (features, labels)}: training samples are drawn anew by
    distort(features, rng), such as a `datasets.augmentation.ImageDistortion`, in each epoch; without it, none are."""
    found: dict[str, SpikeData] = {name: SpikeData(encode(features), labels) for name, (features, labels) in parts.items()
                                   if name != "train" or distort is None}
    if distort is not None:
        found["train"] = EncodedData(*parts["train"], encode, lambda features, labels, rng: (distort(features, rng), labels))
    return {name: found[name] for name in parts}


def _as_array(value: Any, label: Any) -> np.ndarray:
    """(samples, sources) or (samples, sources, spikes) in ms."""
    name = "times" if label is None else f"times of {label!r}"
    if is_block(value):
        return trials_of(value)
    ragged = isinstance(value, Sequence) and not hasattr(value, "units") and _is_ragged(value)
    array = _padded(value, name) if ragged else _plain(value, name)
    if array.ndim not in (2, 3):
        raise ConfigurationError(f"{name} have shape {array.shape}; expected (samples, inputs), or (samples, inputs, spikes)")
    if np.isnan(array).any():
        raise ConfigurationError(f"{int(np.isnan(array).sum())} spike {name} are NaN; inf is for an input that does not spike")
    if (array < 0).any():
        raise ConfigurationError(f"an input spikes at {array.min():g} ms; give times from the start of a sample, zero or more, "
                                 "and inf for no spike")
    return array


def _plain(value, name):
    try:
        return np.asarray(in_unit(value, "ms", name), dtype=float)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{name}: {error}; give an array (samples, sources), or a list of spike times for each source "
                                 "of each sample") from None


def _is_ragged(value):
    """Whether value[sample][source] is a list of times."""
    return all(hasattr(sample, "__len__") for sample in value) and any(hasattr(source, "__len__") for sample in value
                                                                       for source in sample)


def _padded(value, name):
    sizes = {len(sample) for sample in value}
    if len(sizes) > 1:
        raise ConfigurationError(f"{name}: samples have {', '.join(map(str, sorted(sizes)))} sources; every sample needs a list "
                                 "for each source, empty where it is silent")
    try:
        trains = [[np.sort(np.asarray(in_unit(source, "ms", name), dtype=float).ravel()) for source in sample]
                  for sample in value]
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{name}: {error}") from None
    longest = max((train.size for sample in trains for train in sample), default=0)
    array = np.full((len(trains), sizes.pop(), max(longest, 1)), np.inf)
    for s, sample in enumerate(trains):
        for i, train in enumerate(sample):
            array[s, i, :train.size] = train
    return array
