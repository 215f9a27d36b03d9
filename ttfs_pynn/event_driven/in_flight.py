"""Spikes that are on their way through a projection."""

from typing import NamedTuple

import numpy as np

__all__ = ["InFlight", "Spikes"]


class Spikes(NamedTuple):
    """Spikes that have left a group: when (ms), from which sources, and when the first and the last did."""

    times: np.ndarray
    sources: np.ndarray
    first: float
    last: float

    @classmethod
    def of(cls, index, time):
        """Of spikes in time order."""
        return cls(time, index, time[0], time[-1]) if time.size else cls(time, index, np.inf, -np.inf)


class InFlight:
    """What `Synapses` know of spikes on their way; they have `pre`, `pre_group` and `longest_delay`."""

    def __init__(self):
        self.clear()

    def clear(self):
        self._in_flight = []
        self._delivered_until = -np.inf

    def send(self, index, time):
        """Spikes of the sources `index` at `time` set out."""
        self.carry(Spikes.of(index, time))

    def carry(self, spikes):
        """`Spikes` set out. Projections that hear the same carry the same arrays, see `carries_as`."""
        if self.pre.size and spikes.sources.size:
            self._in_flight.append(spikes)

    def take_spikes(self, t_stop):
        """Spikes with arrivals that are not yet delivered: (times, sources, delivered_until). The caller delivers those of
        [delivered_until, t_stop).
        """
        spikes, before = self._take(t_stop)
        return spikes.times, spikes.sources, before

    def _take(self, t_stop):
        if len(self._in_flight) > 1:
            times, index, first, last = zip(*self._in_flight, strict=True)
            self._in_flight = [Spikes(np.concatenate(times), np.concatenate(index), min(first), max(last))]
        spikes = self._in_flight[0] if self._in_flight else _NO_SPIKES
        before, self._delivered_until = self._delivered_until, t_stop
        self.forget()
        return spikes, before

    def forget(self):
        """Drop the spikes all of whose arrivals are delivered."""
        kept = []
        for spikes in self._in_flight:
            if spikes.first + self.longest_delay >= self._delivered_until:
                kept.append(spikes)
            elif spikes.last + self.longest_delay >= self._delivered_until:
                on_the_way = spikes.times + self.longest_delay >= self._delivered_until
                times = spikes.times[on_the_way]
                kept.append(Spikes(times, spikes.sources[on_the_way], times.min(), times.max()))
        self._in_flight = kept

    def carries_as(self, other):
        """Whether the very same spikes are on their way here and there."""
        return (self.pre_group is other.pre_group and self._delivered_until == other._delivered_until
                and len(self._in_flight) == len(other._in_flight)
                and all([mine.times is its.times and mine.sources is its.sources
                         for mine, its in zip(self._in_flight, other._in_flight, strict=True)]))

    def shares_spikes(self, other, t):
        """Whether spikes of the same group are on their way here and there, the same but for those that have arrived before t."""
        if self.pre_group is not other.pre_group:
            return False
        delay = min(self.longest_delay, other.longest_delay)
        return self.carries_as(other) or all(np.array_equal(mine, its) for mine, its in zip(
            self._arriving(delay, t), other._arriving(delay, t), strict=True))

    def _arriving(self, delay, t):
        """(times, sources) of spikes that, at this delay, arrive at t or later."""
        times = np.concatenate([np.empty(0), *(spikes.times for spikes in self._in_flight)])
        sources = np.concatenate([np.empty(0, dtype=np.int64), *(spikes.sources for spikes in self._in_flight)])
        ahead = times + delay >= t
        return times[ahead], sources[ahead]


_NO_SPIKES = Spikes.of(np.empty(0, dtype=np.int64), np.empty(0))
