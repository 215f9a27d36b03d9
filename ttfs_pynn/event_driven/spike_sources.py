"""Groups of spike sources for the event-driven simulator: of given spikes, and of random ones."""

import numpy as np

from ttfs_pynn.event_driven.groups import SimulationError
from ttfs_pynn.membrane.ranges import LARGEST

__all__ = ["PoissonSourceGroup", "SpikeSourceGroup"]


class SpikeSourceGroup:
    """`size` sources that fire at given times. Subclasses may override `spikes`."""

    def __init__(self, size):
        self.size = int(size)
        self.set_spike_times(np.empty(0), np.zeros(size + 1, dtype=np.int64))

    def set_spike_times(self, times, offsets, in_time_order=None):
        """Source n fires at times[offsets[n]:offsets[n + 1]] (ms), non-decreasing. in_time_order: the same spikes as (sources,
        times), where the caller knows them so."""
        self.times, self.offsets = np.array(times, dtype=float), np.array(offsets, dtype=np.int64)
        if self.offsets.shape != (self.size + 1,) or self.offsets[0] != 0 or self.offsets[-1] != self.times.size:
            raise SimulationError(f"offsets of shape {self.offsets.shape} do not divide {self.times.size} spike times among "
                                  f"{self.size} sources; give {self.size + 1} offsets from 0 to the number of times")
        if not ((np.abs(self.times) <= LARGEST) | (self.times == np.inf)).all():
            raise SimulationError(f"spike times must be numbers of at most {LARGEST:g} ms, or inf for none")
        self._in_time_order = in_time_order

    def spikes(self, t, t_stop):
        """The spikes of [t, t_stop): (index, time), in time order."""
        if self._in_time_order is None:  # not before it is needed: cells may be given their times one by one
            order = np.argsort(self.times, kind="stable")
            self._in_time_order = np.repeat(np.arange(self.size), np.diff(self.offsets))[order], self.times[order]
        index, times = self._in_time_order
        first, last = np.searchsorted(times, (t, t_stop))
        return index[first:last], times[first:last].copy()

    def reset(self):
        pass


class PoissonSourceGroup(SpikeSourceGroup):
    """Independent Poisson processes of `rate` (Hz) in [start, start + duration) (ms), drawn when they are needed."""

    PARAMETERS = ("rate", "start", "duration")

    def __init__(self, size, parameters, rng):
        super().__init__(size)
        self._rng = rng
        self._parameters = {}
        self.set_parameters(**parameters)

    def get_parameters(self):
        return {name: array.copy() for name, array in self._parameters.items()}

    def set_parameters(self, **parameters):
        new = dict(self._parameters)
        for name, value in parameters.items():
            new[name] = np.array(np.broadcast_to(np.asarray(value, dtype=float), (self.size,)))
            if np.isnan(new[name]).any() or (name != "start" and (new[name] < 0).any()):
                raise SimulationError(f"{name} must be {'a number' if name == 'start' else 'zero or more'}, not {value}")
            if name == "rate" and np.isinf(new[name]).any():
                raise SimulationError(f"rate must be finite, not {value}")
        self._parameters = new

    def spikes(self, t, t_stop):
        p = self._parameters
        begin = np.maximum(t, p["start"])
        length = np.clip(np.minimum(t_stop, p["start"] + p["duration"]) - begin, 0.0, None)
        count = self._rng.poisson(p["rate"] * length / 1000.0)
        index = np.repeat(np.arange(self.size), count)
        time = begin[index] + self._rng.random(index.size) * length[index]
        time = np.minimum(time, np.nextafter(t_stop, -np.inf))
        order = np.argsort(time, kind="stable")
        return index[order], time[order]
