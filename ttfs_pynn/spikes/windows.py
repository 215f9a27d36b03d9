"""Samples in windows of one run: input times to spike trains, and recorded spikes back to first-spike times.

Sample s is shown to copy s mod n_copies of the network, in window s div n_copies: [k window, (k + 1) window).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.errors import TTFSError
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.window_kernels import lay_out, read_first
from ttfs_pynn.units import in_unit

__all__ = ["Presentation", "PresentationError", "Timing", "in_windows", "spikes_of"]


class PresentationError(TTFSError, ValueError):
    """Samples, windows and time constants do not fit each other."""


@dataclass(frozen=True)
class Timing:
    """What a window must hold, all in ms: inputs up to t_late, decisions up to `deadline`, then rest until the next sample.

    window: length of a sample's window. tau_refrac: how long a neuron stays silent after its spike, such that it spikes once
    before the deadline and listens again in the next window.
    """

    deadline: float
    window: float
    tau_refrac: float

    @classmethod
    def derive(cls, t_early: float, t_late: float, neurons: Sequence[LIFParameters], single: bool = False,
               leftover: float = 1e-12, deadline: float | None = None, window: float | None = None) -> Self:
        """From the input times (t_early to t_late) and the neurons' time constants, layer by layer (LIFParameters).

        deadline: by default t_late + 3 time constants a layer. A `single` window ends there, for the simulator is reset after
        it. Else the window goes on until what is left of membranes and currents has decayed to `leftover`, and tau_refrac fills
        that time: a neuron that is so slow as to spike first after the deadline is silent for as long in the next window. Raises
        PresentationError where given values contradict each other or the membrane does not decay.
        """
        slowest = [float(np.max(np.maximum(n.tau_syn, np.where(np.isinf(n.tau_m), 0, n.tau_m)))) for n in neurons]
        if not 0 <= t_early <= t_late:
            raise PresentationError(f"input times from {t_early:g} to {t_late:g} ms: need 0 <= early <= late")
        deadline = t_late + 3 * sum(slowest) if deadline is None else in_unit(deadline, "ms", "deadline")
        if deadline <= t_late:
            raise PresentationError(f"deadline {deadline:g} ms is not after the last input at {t_late:g} ms")
        window = in_unit(window, "ms", "window")
        if single:
            window = deadline if window is None else window
            if window < deadline:
                raise PresentationError(f"window {window:g} ms ends before the deadline {deadline:g} ms; make it longer")
            return cls(deadline, window, window)
        if any(np.isinf(n.tau_m).any() for n in neurons):
            raise PresentationError("without leak (tau_m = inf) a membrane never returns to rest: several samples do not fit "
                                    "into one run; give every sample a copy of its own (copies = batch size)")
        rest = max(-np.log(leftover) * max(slowest), deadline - t_early)
        if window is None:
            window = deadline + rest
        elif window < deadline + rest:
            raise PresentationError(
                f"window {window:g} ms is too short: decisions take until {deadline:g} ms and {rest:g} ms more must pass "
                f"until membranes have decayed to {leftover:g} and refractoriness is over; use at least {deadline + rest:g} ms")
        return cls(deadline, window, window - deadline)

    def on_grid(self, dt: float) -> Self:
        """The same with a window of whole steps of dt (ms), longer by less than a step."""
        window = np.ceil(self.window / dt - 1e-6) * dt
        return replace(self, window=float(window), tau_refrac=self.tau_refrac + float(window - self.window))


def in_windows(times: np.ndarray, window: float, tick: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(number of its window, ms since the window began) of each spike time (ms).

    Recorded times are rounded, k `window` too: what comes less than 1e-9 windows or one `tick` (ms, of a clock that rounds down)
    before a window begins is at its beginning.
    """
    number = np.floor((times + tick) / window + 1e-9).astype(np.int64)
    return number, np.maximum(times - number * window, 0.0)


@dataclass(frozen=True)
class Presentation:
    """n_samples in windows of `window` ms; a spike after `deadline` (default: the window's end) does not count. tick: as in
    `in_windows`."""

    n_samples: int
    window: float
    n_copies: int = 1
    deadline: float | None = None
    tick: float = 0.0

    @property
    def n_windows(self) -> int:
        """How many windows the samples take, when each copy sees one sample a window."""
        return -(-self.n_samples // self.n_copies)

    @property
    def duration(self) -> float:
        """Length of the run (ms)."""
        return self.n_windows * self.window

    @property
    def last_read(self) -> float:
        """From when on (ms from the start of a window) no spike of a sample counts."""
        return self.window if self.deadline is None else self.deadline

    def spike_matrix(self, times: ArrayLike) -> np.ndarray:
        """Spike times (rows, cells of all copies) in ms from the start of the run, inf for none; cells of copy 0 first. A row a
        window, or as many as a cell has spikes; those of a cell rise.

        times (n_samples, cells) or (n_samples, cells, spikes): in ms from the start of the window; inf for none.
        """
        several = self._checked(times)
        rising = np.sort(several, axis=2) if several.shape[2] > 1 else several
        matrix = np.empty((self.n_windows, several.shape[2], self.n_copies, several.shape[1]))
        if self.n_windows * self.n_copies > self.n_samples:
            matrix[-1] = np.inf
        if not lay_out(rising, self.window, self.n_copies, matrix):
            raise self._outside(several)
        return matrix.reshape(self.n_windows * several.shape[2], self.n_copies * several.shape[1])

    def _checked(self, times: ArrayLike) -> np.ndarray:
        """As (n_samples, cells, spikes)."""
        times = np.ascontiguousarray(times, dtype=float)
        if times.ndim not in (2, 3) or times.shape[0] != self.n_samples:
            raise PresentationError(f"times have shape {times.shape}; expected ({self.n_samples} samples, cells) or "
                                    f"({self.n_samples} samples, cells, spikes)")
        return times.reshape(*times.shape, 1) if times.ndim == 2 else times

    def _outside(self, times: np.ndarray) -> PresentationError:
        allowed = np.isposinf(times) | ((times >= 0) & (times < self.window))
        sample, cell = np.argwhere(~allowed)[0][:2]
        return PresentationError(f"input {cell} of sample {sample} spikes at {times[~allowed][0]:g} ms, outside its window "
                                 f"of 0 to {self.window:g} ms; use inf for no spike")

    def spike_trains(self, times: ArrayLike) -> list[np.ndarray]:
        """One sorted array of spike times (ms) a cell, from `spike_matrix`."""
        trains = np.ascontiguousarray(self.spike_matrix(times).T)
        if np.isfinite(trains).all():
            return list(trains)
        return [train[np.isfinite(train)] for train in trains]

    def first_spikes(self, segment: Any, source_ids: ArrayLike, time_scale: float = 1.0) -> np.ndarray:
        """First-spike times (n_samples, cells) in ms from the start of each window, inf for silent, of a Neo Segment.

        source_ids: the ids of the recorded cells in their order (all copies), as in the annotation `channel_id`. time_scale: ms
        of the presentation in a recorded ms.
        """
        ids, times, source_ids = self._recorded(segment, source_ids)
        as_they_count = self.n_windows, self.window, self.tick, self.last_read
        ok, found = read_first(ids, times, time_scale, source_ids, *as_they_count)
        if not ok:
            _, found = read_first(_positions(ids, source_ids), times, time_scale, np.arange(source_ids.size), *as_they_count)
        return found.reshape(self.n_windows * self.n_copies, source_ids.size // self.n_copies)[:self.n_samples]

    def all_spikes(self, segment: Any, source_ids: ArrayLike, time_scale: float = 1.0) -> np.ndarray:
        """As `first_spikes`, but (n_samples, cells, spikes): all of them, rising, inf where a cell has fewer than others."""
        ids, times, source_ids = self._recorded(segment, source_ids)
        position = _positions(ids, source_ids)
        window, relative = in_windows(times * time_scale, self.window, self.tick)
        keep = (position >= 0) & (window >= 0) & (window < self.n_windows) & (relative < self.last_read)
        place, relative = (window * source_ids.size + position)[keep], relative[keep]
        order = np.lexsort((relative, place))
        place, relative = place[order], relative[order]
        n_cells = source_ids.size // self.n_copies
        counts = np.bincount(place, minlength=self.n_windows * source_ids.size)
        found = np.full((counts.size, max(counts.max(initial=0), 1)), np.inf)
        found[place, np.arange(place.size) - (np.cumsum(counts) - counts)[place]] = relative
        return found.reshape(self.n_windows * self.n_copies, n_cells, -1)[:self.n_samples]

    def _recorded(self, segment: Any, source_ids: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(ids, times in ms) of all spikes of a segment, and source_ids as an array."""
        sources = np.asarray(source_ids, dtype=np.int64)
        if sources.size % self.n_copies:
            raise PresentationError(f"{sources.size} recorded cells are not {self.n_copies} equal copies")
        return *spikes_of(segment), sources


def _positions(ids: np.ndarray, source_ids: np.ndarray) -> np.ndarray:
    """Where each id stands in source_ids, -1 where it does not."""
    if not source_ids.size:
        return np.full(ids.shape, -1)
    order = np.argsort(source_ids)
    place = order[np.minimum(np.searchsorted(source_ids[order], ids), source_ids.size - 1)]
    return np.where(source_ids[place] == ids, place, -1)


def _in_ms(times: Any) -> np.ndarray:
    # quantities 0.16 parses the name of a unit at every rescale, which takes longer than to read a thousand spikes.
    plain = [(unit.symbol, power) for unit, power in times.dimensionality.items()] == [("ms", 1)]
    return np.ascontiguousarray((times if plain else times.rescale("ms")).magnitude, dtype=float)


def spikes_of(segment: Any) -> tuple[np.ndarray, np.ndarray]:
    """(channel ids, times in ms) of all spikes of a Neo Segment, in no particular order.

    Reads the arrays of an array-backed SpikeTrainList without making spike trains of them. Where there are spike trains (a file
    that was loaded), their annotation `channel_id` counts: Neo 0.14's `multiplexed` replaces it by the position if it is a NumPy
    integer.
    """
    trains = segment.spiketrains
    if getattr(trains, "_items", trains) is None and getattr(trains, "_spike_time_array", None) is not None:
        ids, times = trains.multiplexed
        return np.asarray(ids, dtype=np.int64), _in_ms(times)
    if not len(trains):
        return np.empty(0, dtype=np.int64), np.empty(0)
    ids, times = [], []
    for train in trains:
        if "channel_id" not in train.annotations:
            raise PresentationError("a spike train has no annotation 'channel_id', so its neuron is not known; record with PyNN, "
                                    "or annotate the trains")
        times.append(_in_ms(train))
        ids.append(np.full(times[-1].size, int(train.annotations["channel_id"]), dtype=np.int64))
    return np.concatenate(ids), np.concatenate(times)
