"""The first spikes of a presentation, population by population, and how long they travelled."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from ttfs_pynn.graph.parameters import Delays

__all__ = ["FirstSpikes"]


@dataclass(frozen=True, eq=False)
class FirstSpikes:
    """times: {population: (samples, cells)} first-spike times in ms from the start of each sample, inf for none; of sources that
    spike several times (samples, cells, spikes), all of them. outputs: the label of the population that decides.

    delays: {projection: graph.parameters.Delays}, how long these spikes travelled. deadline (ms): from when on no spike of a
    sample was read. arrivals: what others keep of these times, by their own names.
    """

    times: Mapping[str, np.ndarray]
    outputs: str
    delays: Mapping[str, Delays]
    deadline: float = np.inf
    arrivals: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, label: str) -> np.ndarray:
        return self.times[label]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def labels(self) -> np.ndarray:
        """First-spike times of the label neurons, (samples, classes) in ms."""
        return self.times[self.outputs]

    def with_times(self, times: Mapping[str, np.ndarray]) -> Self:
        """The same with the times of more populations, or others."""
        return replace(self, times={**self.times, **times})

    @classmethod
    def merged(cls, parts: list[Any]) -> "FirstSpikes":
        """Those of several presentations of one network, one after the other."""
        first = parts[0]
        if len(parts) == 1:
            return first
        return replace(first, arrivals={}, times={label: _concatenated([part[label] for part in parts]) for label in first.times})


def _concatenated(arrays: list[np.ndarray]) -> np.ndarray:
    """Along samples; shorter last axes of (samples, cells, spikes) are filled with inf."""
    if arrays[0].ndim == 3 or any(array.ndim == 3 for array in arrays):
        arrays = [array if array.ndim == 3 else array[:, :, None] for array in arrays]
        longest = max(array.shape[2] for array in arrays)
        arrays = [np.pad(array, ((0, 0), (0, 0), (0, longest - array.shape[2])), constant_values=np.inf) for array in arrays]
    return np.concatenate(arrays)
