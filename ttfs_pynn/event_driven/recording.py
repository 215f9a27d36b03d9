"""Recorded spikes and signals as Neo data; spikes stay arrays until somebody asks for spike trains."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace

import neo
import numpy as np
import quantities as pq
from pyNN import errors, recording
from pyNN.recording import Variable

from ttfs_pynn.event_driven.neo_data import in_ms, new_block, new_segment, put_spike_trains
from ttfs_pynn.event_driven.probe import ON_GRID, Probe

__all__ = ["Recorder", "block_of"]

_SPIKES = Variable("spikes", location=None, label=None)


@dataclass(eq=False, repr=False, slots=True)  # PyNN's cache logs what it stores: all of its numbers, if they had a repr
class _Stretch:
    """The recording of one run, from t_start to t_stop: what a Neo segment is made of.

    ids: the recorded cells; None where spikes were not asked for. signals: {variable: (cells' indices, time of the first sample,
    samples (times, cells))}, with `interval` ms between two samples.
    """

    name: str
    description: str
    rec_datetime: datetime
    t_start: pq.Quantity
    t_stop: pq.Quantity
    ids: frozenset | None
    index: np.ndarray
    time: np.ndarray
    signals: dict
    interval: float
    annotations: dict = field(default_factory=dict)


def block_of(recorder, segments, description, rec_datetime, annotations):
    """A Neo Block of a recorder's segments, with what PyNN says about their population."""
    make = neo.Block if recorder.population.annotations else new_block  # what users annotate is Neo's to check
    block = make(name=recorder.population.label, description=description, rec_datetime=rec_datetime, **recorder.metadata)
    block.segments = segments
    for segment in segments:
        segment.block = block
    if annotations:
        block.annotate(**annotations)
    return block


class Recorder(recording.Recorder):
    """PyNN's recorder over two flat arrays of spikes, and a `Probe` for all else. Subclasses name their `_simulator`."""

    def __init__(self, population, file=None):
        super().__init__(population, file)
        self._simulator = SimpleNamespace(name=self._simulator.name, state=self._simulator.state)  # whatever setup() comes later
        self._chunks = []
        self._description = (None, "")
        self._frozen_ids = (None, None)

    def collect(self, index, time):
        """Keep the spikes of one run, and the last of its samples."""
        if self._probe is not None:
            self._probe.end(self.population.group)
        if _SPIKES in self.recorded and time.size:
            chosen = self._mask(self.recorded[_SPIKES])
            if chosen is not None:
                keep = chosen[index]
                index, time = index[keep], time[keep]
            self._chunks.append((index, time))

    def drop(self):
        self._chunks = []
        if self._probe is not None:
            self._probe.clear()

    def _mask(self, ids):
        """Boolean per cell of the population, None for all of them."""
        if len(ids) == self.population.size:
            return None
        mask = np.zeros(self.population.size, dtype=bool)
        mask[self._indices(ids)] = True
        return mask

    def _spikes(self, ids):
        """(index, time) of the cells `ids` (None: of all), in time order."""
        if not self._chunks:
            return np.empty(0, dtype=np.int64), np.empty(0)
        if len(self._chunks) > 1:
            self._chunks = [tuple(np.concatenate(parts) for parts in zip(*self._chunks, strict=True))]
        index, time = self._chunks[0]
        chosen = None if ids is None else self._mask(ids)
        if chosen is not None:
            keep = chosen[index]
            index, time = index[keep], time[keep]
        return index, time

    def _record(self, variable, new_ids, sampling_interval=None):
        if variable == _SPIKES:
            return
        # PyNN: an interval that was given once holds for whatever is recorded later
        self.sampling_interval = self.sampling_interval if sampling_interval is None else sampling_interval
        group = self.population.group
        if group.probe is None:
            group.probe = Probe(group.size, getattr(group, "STATE", ()) or group.VARIABLES)
        group.probe.record(variable.name, self._indices(new_ids), self.sampling_interval)

    def _check_sampling_interval(self, sampling_interval):
        super()._check_sampling_interval(sampling_interval)
        if sampling_interval is not None and not 0 < sampling_interval < np.inf:
            raise ValueError(f"sampling_interval = {sampling_interval} ms; give a positive number, or None for the time step")

    def _indices(self, ids):
        return np.sort(np.fromiter(map(int, ids), dtype=np.int64, count=len(ids))) - int(self.population.first_id)

    @property
    def _probe(self):
        return getattr(self.population.group, "probe", None)

    def begin(self):
        """Before a run: the first sample of what was newly asked for is the present state."""
        if self._probe is not None:
            self._probe.begin(self.population.group)

    def _reset(self):
        self._chunks = []
        if self._probe is not None:
            self.population.group.probe = None

    def clear(self):
        # PyNN's, without the arithmetic of units.
        self.cache.clear()
        self.clear_flag = True
        self._recording_start_time = in_ms(self._simulator.state.t)
        self.drop()

    def _local_count(self, variable, filter_ids=None):
        ids = sorted(int(i) for i in self.filter_recorded(variable, filter_ids))
        counts = np.bincount(self._spikes(ids)[0], minlength=self.population.size)
        return {i: int(counts[i - int(self.population.first_id)]) for i in ids}

    def _describe(self):
        # Rendering the template takes longer than everything else here, and its result changes with these alone.
        key = (self.population.label, repr(self.population.annotations))
        if self._description[0] != key:
            self._description = (key, self.population.describe())
        return self._description[1]

    def _current(self):
        """What was recorded since the last reset or clear."""
        index, time = self._spikes(None)
        last = time.searchsorted(self._simulator.state.t)  # what a run that failed has left is not shown
        return _Stretch(f"segment{self._simulator.state.segment_counter:03d}", self._describe(), datetime.now(),
                        self._recording_start_time, in_ms(self._simulator.state.t), self._spiking_ids(), index[:last],
                        time[:last], self._signals(), self.sampling_interval)

    def _spiking_ids(self):
        """The cells whose spikes are recorded, None for none; made anew when PyNN has another set of them."""
        ids = self.recorded.get(_SPIKES)
        if self._frozen_ids[0] is not ids or len(ids or ()) != len(self._frozen_ids[1] or ()):
            self._frozen_ids = ids, None if ids is None else frozenset(ids)
        return self._frozen_ids[1]

    def _signals(self):
        """Of the variables that are recorded, in the order of the probe: PyNN's follows the hash seed.

        A run that failed leaves samples of some neurons beyond its begin; they are no part of the recording.
        """
        if self._probe is None:
            return {}
        self.begin()
        found = {}
        for name in self._probe.VARIABLES:
            indices, t_start, samples = self._probe.signal(name)
            n = int(np.floor((self._simulator.state.t - t_start) / self._probe.interval + ON_GRID)) + 1
            samples = samples[:max(n, 0)]
            if samples.size:
                found[name] = indices, t_start, samples
        return found

    def store_to_cache(self, annotations=None):
        # PyNN 0.13's forgets what was recorded between get_data(clear=True) and a later reset.
        # Floats are compared, for quantities takes 0.1 ms to compare two of its own.
        if self._simulator.state.t != float(self._recording_start_time):
            self.cache.store(replace(self._current(), annotations=dict(annotations or {})))
        self.clear_flag = False
        self._recording_start_time = in_ms(0.0)

    def get(self, variables, gather=False, filter_ids=None, clear=False, annotations=None, locations=None):
        """The recorded data as a Neo Block, made anew from arrays: whatever is done to it, the next one is not affected.

        PyNN 0.13's, asked for some variables, deletes the others from the segments of earlier runs, and shares lists with them.
        """
        wanted = None if variables == "all" else {v.name for v in self._localize_variables(variables, locations)}
        stretches = list(self.cache) + ([self._current()] if self._simulator.state.running else [])
        if not stretches:
            raise errors.NothingToWriteError(
                f"no data recorded from {self.population.label!r} yet: call run() before get_data()")
        segments = [self._segment(stretch, filter_ids, wanted) for stretch in stretches]
        described = stretches[-1].description if self._simulator.state.running else self._describe()
        block = block_of(self, segments, described, stretches[0].rec_datetime, annotations)
        if clear:
            self.clear()
        return block

    def _segment(self, stretch, filter_ids, wanted):
        """wanted: names of variables, None for all."""
        make = neo.Segment if stretch.annotations else new_segment
        segment = make(name=stretch.name, description=stretch.description, rec_datetime=stretch.rec_datetime,
                       **stretch.annotations)
        if stretch.ids is not None and (wanted is None or "spikes" in wanted):
            ids = stretch.ids if filter_ids is None else stretch.ids.intersection(filter_ids)
            self._put_spikes(segment, stretch, ids)
        for name, (indices, t_start, samples) in stretch.signals.items():
            chosen = slice(None) if filter_ids is None else np.isin(indices, self._indices(set(filter_ids)))
            indices = indices[chosen]
            if indices.size and (wanted is None or name in wanted):
                signal = neo.AnalogSignal(
                    samples[:, chosen].copy(), units=self.population.find_units(Variable(name, None, None)),
                    t_start=t_start * pq.ms, sampling_period=stretch.interval * pq.ms, name=name,
                    channel_ids=indices + int(self.population.first_id), source_population=self.population.label,
                    array_annotations={"channel_index": indices})
                segment.analogsignals.append(signal)
                signal.segment = segment
        return segment

    def _put_spikes(self, segment, stretch, ids):
        population = self.population
        first = int(population.first_id)
        chosen = self._mask(ids)
        source_index = np.arange(population.size) if chosen is None else np.flatnonzero(chosen)
        index, time = stretch.index, stretch.time
        if chosen is not None:
            keep = chosen[index]
            index, time = index[keep], time[keep]
        put_spike_trains(segment, time.copy(), index + first, source_index + first, stretch.t_start, stretch.t_stop,
                         source_population=population.label, source_index=source_index)
