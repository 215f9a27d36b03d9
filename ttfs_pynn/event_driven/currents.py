"""Currents that are injected into neurons: piecewise constant functions of time, and which neurons they reach.

A current has `value(t)`, for an array of times (ms), and `changes(t, t_stop)`, its times in (t, t_stop) and the value (nA) from
each of them on. Both are continuous from the right. `count(t, t_stop)` is a number of these changes that is not too small.
"""

import numpy as np

from ttfs_pynn.membrane.ranges import LARGEST, all_below

__all__ = ["Injections", "SampledCurrent", "StepCurrent", "noise"]

_NONE = np.empty(0, dtype=np.int64)


class StepCurrent:
    """`amplitudes[k]` (nA) from times[k] (ms) on, 0 before times[0]. The times increase."""

    def __init__(self, times, amplitudes):
        self.times, self.amplitudes = np.array(times, dtype=float).ravel(), np.array(amplitudes, dtype=float).ravel()
        if self.times.size != self.amplitudes.size:
            raise ValueError(f"{self.times.size} times and {self.amplitudes.size} amplitudes; give one amplitude a time")
        if np.isnan(self.times).any() or not all_below(self.amplitudes):
            raise ValueError(f"times and amplitudes of a current must be numbers, the amplitudes of at most {LARGEST:g} nA, not "
                             f"{self.times[:6]} ms and {self.amplitudes[:6]} nA")
        if (np.diff(self.times) <= 0).any():
            raise ValueError(f"the times of a step current must increase, not {self.times[:6]}")

    def value(self, t):
        return np.concatenate([[0.0], self.amplitudes])[np.searchsorted(self.times, t, side="right")]

    def count(self, t, t_stop):
        return float(self.times.size)

    def changes(self, t, t_stop):
        first, last = np.searchsorted(self.times, t, side="right"), np.searchsorted(self.times, t_stop, side="left")
        return self.times[first:last], self.amplitudes[first:last]


class SampledCurrent:
    """`amplitude(k)` (nA) from start + k dt to start + (k + 1) dt, for k = 0, 1, ..., and 0 outside [start, stop) (ms)."""

    def __init__(self, start, stop, dt, amplitude):
        if not dt > 0:
            raise ValueError(f"the interval dt = {dt} ms of a current must be positive")
        if np.isnan(start) or np.isnan(stop) or not np.isfinite(start):
            raise ValueError(f"a current cannot start at {start} and stop at {stop} ms")
        self.start, self.stop, self.dt, self.amplitude = float(start), float(stop), float(dt), amplitude

    def _last_step(self, t):
        """The largest k with start + k dt <= t."""
        nearest = np.rint((t - self.start) / self.dt)
        return (nearest - (self.start + nearest * self.dt > t)).astype(np.int64)

    def value(self, t):
        t = np.asarray(t, dtype=float)
        inside = (t >= self.start) & (t < self.stop)
        result = np.zeros(t.shape)
        result[inside] = self.amplitude(self._last_step(t[inside]))
        return result

    def count(self, t, t_stop):
        return max(min(t_stop, self.stop) - max(t, self.start), 0.0) / self.dt + 1.0

    def changes(self, t, t_stop):
        begin, end = max(t, self.start), min(t_stop, self.stop)
        times, amplitudes = np.empty(0), np.empty(0)
        if begin < end:
            first, last = self._last_step(np.array([begin, end]))
            steps = np.arange(first, last + 1)
            times = self.start + steps * self.dt
            inside = (times > t) & (times < end)
            times, amplitudes = times[inside], self.amplitude(steps[inside])
        if t < self.stop < t_stop and self.stop > self.start:
            times, amplitudes = np.append(times, self.stop), np.append(amplitudes, 0.0)
        return times, amplitudes


def noise(draw):
    """A function of step numbers k >= 0 that returns the k-th of the numbers that `draw(n)` makes, drawn once, when needed."""
    drawn = np.empty(0)

    def numbers(k):
        nonlocal drawn
        missing = k.max(initial=-1) + 1 - drawn.size
        if missing > 0:
            drawn = np.concatenate([drawn, draw(max(missing, drawn.size))])  # at least twice as many: linear in the end
        return drawn[k]
    return numbers


class Injections:
    """The currents of one group of neurons."""

    def __init__(self, size):
        self._size = size
        self._currents, self._indices = [], []
        self._position = {}
        self._tables = None

    def __bool__(self):
        return bool(self._currents)

    @property
    def indices(self):
        """The neurons that are reached by some current."""
        return np.unique(np.concatenate([_NONE, *self._indices]))

    def add(self, current, indices):
        """Let `current` reach the neurons `indices`, twice where they are named twice."""
        indices = np.asarray(indices, dtype=np.int64)
        self._tables = None
        k = self._position.setdefault(current, len(self._currents))
        if k == len(self._currents):
            self._currents.append(current)
            self._indices.append(_NONE)
        self._indices[k] = np.concatenate([self._indices[k], indices])

    def count(self, t, t_stop):
        """How many changes of the currents there are in [t, t_stop), at most."""
        return sum(current.count(t, t_stop) for current in self._currents)

    def merge_into(self, times, rows, n_rows, t, t_stop):
        """The events with the changes of [t, t_stop) among them, and the further arguments of `driven_kernels`."""
        parts = [current.changes(t, t_stop) for current in self._currents]
        counts = [part[0].size for part in parts]
        amplitudes = np.concatenate([np.zeros(times.size), *(part[1] for part in parts)])
        rows = np.concatenate([rows, n_rows + np.repeat(np.arange(len(parts)), counts)])
        times = np.concatenate([times, *(part[0] for part in parts)])
        order = np.argsort(times, kind="stable")
        values = np.array([float(current.value(np.array([t]))[0]) for current in self._currents])
        if self._tables is None:
            self._tables = self._arrange()
        return times[order], rows[order].astype(np.int64), (amplitudes[order], values, *self._tables)

    def _arrange(self):
        lengths = [indices.size for indices in self._indices]
        reached = np.concatenate([_NONE, *self._indices])
        sources = np.repeat(np.arange(len(lengths)), lengths)[np.argsort(reached, kind="stable")]
        starts = [np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
                  for counts in (lengths, np.bincount(reached, minlength=self._size))]
        return starts[0], reached, starts[1], sources.astype(np.int64)
