"""Groups of spike sources for the event-driven simulator: of given spikes, and of random ones."""

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.groups import SimulationError
from ttfs_pynn.event_driven.sorting import order_by_source, order_by_time, sorted_by_time
from ttfs_pynn.membrane.lanes import LANES, bits, compress, count, load, ramp, select, store
from ttfs_pynn.membrane.ranges import LARGEST

__all__ = ["PoissonSourceGroup", "SpikeSourceGroup", "spikes_of_matrix"]

_EVERY_LANE = 2**LANES - 1


class SpikeSourceGroup:
    """`size` sources that fire at given times. Subclasses may override `spikes`.

    The spikes are kept source by source, in time order, or both: a form that was not given is made when it is needed.
    """

    def __init__(self, size):
        self.size = int(size)
        self.set_spike_times(np.empty(0), np.zeros(size + 1, dtype=np.int64))

    def set_spike_times(self, times, offsets):
        """Source n fires at times[offsets[n]:offsets[n + 1]] (ms), non-decreasing."""
        times, offsets = np.array(times, dtype=float), np.array(offsets, dtype=np.int64)
        if offsets.shape != (self.size + 1,) or offsets[0] != 0 or offsets[-1] != times.size:
            raise SimulationError(f"offsets of shape {offsets.shape} do not divide {times.size} spike times among "
                                  f"{self.size} sources; give {self.size + 1} offsets from 0 to the number of times")
        if not ((np.abs(times) <= LARGEST) | (times == np.inf)).all():
            raise _out_of_range()
        self._by_source, self._in_time_order = (times, offsets), None

    def set_spikes(self, index, times):
        """Source index[k] fires at times[k] (ms, finite), in time order. The arrays are kept."""
        if times.size and not (times[0] >= -LARGEST and times[-1] <= LARGEST):
            raise _out_of_range()
        self._by_source, self._in_time_order = None, (index, times)

    def _sorted_by_source(self):
        if self._by_source is None:
            index, times = self._in_time_order
            start, order = order_by_source(index, times, self.size)
            self._by_source = times[order], start
        return self._by_source

    @property
    def times(self):
        """Spike times (ms), source by source."""
        return self._sorted_by_source()[0]

    @property
    def offsets(self):
        """Where in `times` those of each source begin, and where they end."""
        return self._sorted_by_source()[1]

    def spikes(self, t, t_stop):
        """The spikes of [t, t_stop): (index, time), in time order."""
        if self._in_time_order is None:
            times, offsets = self._by_source
            order, times = order_by_time(times)
            self._in_time_order = np.repeat(np.arange(self.size), np.diff(offsets))[order], times
        index, times = self._in_time_order
        first, last = times.searchsorted((t, t_stop))
        return index[first:last], times[first:last].copy()

    def reset(self):
        pass


def spikes_of_matrix(matrix):
    """(index, times), in time order, of a matrix (rows, cells) of spike times, inf for none, those of a cell rising from row to
    row. ValueError for other times."""
    wrong, falls, index, times = _gather(matrix)
    if wrong or falls:
        raise ValueError("numbers are wanted, inf for no spike" if wrong else
                         "the spike times of a cell do not rise from row to row")
    return sorted_by_time(index, times)


@njit(cache=True, error_model="numpy")
def _gather(matrix):
    """(whether a time is no number, whether those of a cell fall, cells, times): the finite times, row by row."""
    n_rows, n_cells = matrix.shape
    cells, times, latest = np.empty(matrix.size + LANES), np.empty(matrix.size + LANES), np.empty(n_cells)
    latest[:] = -np.inf
    whole = n_cells - n_cells % LANES
    n = wrong = falls = 0
    for row in range(n_rows):
        for at in range(0, whole, LANES):
            x, before = load(matrix, row * n_cells + at), load(latest, at)
            spiking = x < np.inf
            wrong |= bits(x > -np.inf) ^ _EVERY_LANE
            chosen = bits(spiking)
            if chosen:
                falls |= bits(x < before)
                store(latest, at, select(spiking, x, before))
                compress(times, n, x, spiking)
                compress(cells, n, ramp(float(at), x), spiking)
                n += count(chosen)
        for c in range(whole, n_cells):
            x = matrix[row, c]
            wrong |= not x > -np.inf
            if x < np.inf:
                falls |= x < latest[c]
                latest[c] = times[n] = x
                cells[n] = c
                n += 1
    return wrong > 0, falls > 0, cells[:n].astype(np.int64), times[:n]


def _out_of_range():
    return SimulationError(f"spike times must be numbers of at most {LARGEST:g} ms, or inf for none")


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
        return sorted_by_time(index, time)
