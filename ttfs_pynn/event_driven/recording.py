"""Recorded spikes as Neo data that stay arrays until somebody asks for spike trains."""

from copy import copy
from datetime import datetime

import neo
import numpy as np
import quantities as pq
from neo.core.spiketrainlist import SpikeTrainList
from pyNN import errors, recording
from pyNN.recording import Variable

__all__ = ["Recorder"]

_SPIKES = Variable("spikes", location=None, label=None)


class Recorder(recording.Recorder):
    """PyNN's recorder over two flat arrays, neuron index and time. Subclasses name their `_simulator`."""

    def __init__(self, population, file=None):
        super().__init__(population, file)
        self._chunks = []
        self._description = (None, "")

    def collect(self, index, time):
        """Keep the spikes of one run."""
        if _SPIKES in self.recorded and time.size:
            chosen = self._mask(self.recorded[_SPIKES])
            if chosen is not None:
                keep = chosen[index]
                index, time = index[keep], time[keep]
            self._chunks.append((index, time))

    def drop(self):
        self._chunks = []

    def _mask(self, ids):
        """Boolean per cell of the population, None for all of them."""
        if len(ids) == self.population.size:
            return None
        mask = np.zeros(self.population.size, dtype=bool)
        mask[np.fromiter(map(int, ids), dtype=int, count=len(ids)) - int(self.population.first_id)] = True
        return mask

    def _spikes(self, ids):
        """(index, time) of the cells `ids`, fresh arrays in time order."""
        if not self._chunks:
            return np.empty(0, dtype=np.int64), np.empty(0)
        index, time = (np.concatenate(parts) for parts in zip(*self._chunks, strict=True))
        chosen = self._mask(ids)
        if chosen is not None:
            keep = chosen[index]
            index, time = index[keep], time[keep]
        return index, time

    def record(self, variables, ids, sampling_interval=None, locations=None):
        wanted = [variables] if isinstance(variables, str) else list(variables)
        for name in wanted:
            if name != "spikes" and self.population.can_record("spikes") and name in self.population.celltype.units:
                raise errors.RecordingError(
                    f"{name}: this simulator records spikes only so far; record {name} on another one, such as pyNN.brian2", 
                    self.population.celltype)
        super().record(variables, ids, sampling_interval, locations)

    def _record(self, variable, new_ids, sampling_interval=None):
        pass

    def _reset(self):
        self._chunks = []

    def _clear_simulator(self):
        self._chunks = []

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

    def _get_current_segment(self, filter_ids=None, variables="all", clear=False):
        segment = neo.Segment(name=f"segment{self._simulator.state.segment_counter:03d}", description=self._describe(),
                              rec_datetime=datetime.now())
        if _SPIKES in self.recorded and (variables == "all" or _SPIKES in variables):
            segment.spiketrains = self._spike_train_list(self.filter_recorded(_SPIKES, filter_ids))
            segment.spiketrains.segment = segment
        return segment

    def _spike_train_list(self, ids):
        population = self.population
        if len(ids) == population.size:
            channels = np.arange(population.size) + int(population.first_id)
        else:
            channels = np.sort(np.fromiter(map(int, ids), dtype=int, count=len(ids)))
        index, time = self._spikes(ids)
        return SpikeTrainList.from_spike_time_array(
            time * pq.ms, index + int(population.first_id), channels, t_stop=self._simulator.state.t * pq.ms,
            t_start=self._recording_start_time, source_population=population.label,
            source_index=channels - int(population.first_id))

    def get(self, variables, gather=False, filter_ids=None, clear=False, annotations=None, locations=None):
        """The recorded data as a Neo Block.

        Written anew because PyNN 0.13's, asked for some variables, deletes the others from the segments of earlier runs.
        """
        wanted = "all" if variables == "all" else self._localize_variables(variables, locations)
        block = neo.Block(name=self.population.label, description=self._describe(), **self.metadata)
        segments = [self._select(segment, wanted) for segment in self.cache]
        if self._simulator.state.running:
            segments.append(self._get_current_segment(filter_ids, wanted, clear))
        if not segments:
            raise errors.NothingToWriteError(
                f"no data recorded from {self.population.label!r} yet: call run() before get_data()")
        block.segments = segments
        for segment in segments:
            segment.block = block
        block.rec_datetime = segments[0].rec_datetime
        if annotations:
            block.annotate(**annotations)
        if clear:
            self.clear()
        return block

    @staticmethod
    def _select(segment, wanted):
        selected = copy(segment)
        if wanted != "all" and _SPIKES not in wanted:
            selected.spiketrains = []
        return selected
