"""Recorded spikes and traces as Neo data: a spike train a neuron and snippet, a signal a neuron, device and snippet."""

from collections import defaultdict
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

import neo
import numpy as np
import quantities as pq
from neo.core.spiketrainlist import SpikeTrainList
from pyNN import errors, recording

from ttfs_pynn.brainscales2 import simulator
from ttfs_pynn.brainscales2.events import TICK_US, TICKS_PER_MS
from ttfs_pynn.brainscales2.recording_data import Part, RecordingConfiguration, RecordingSite, pad_of
from ttfs_pynn.brainscales2.standardmodels.cells_base import ANALOG
from ttfs_pynn.event_driven.neo_data import in_ms, new_segment, put_spike_trains
from ttfs_pynn.event_driven.recording import block_of

__all__ = ["NothingRecordedError", "Recorder"]


class NothingRecordedError(errors.NothingToWriteError, IndexError):
    """There is no data: PyNN's error, and the adapter's."""


@dataclass(frozen=True, eq=False)
class _Stretch:
    """What was recorded between two resets."""

    name: str
    rec_datetime: datetime
    parts: tuple
    annotations: dict = field(default_factory=dict)


class Recorder(recording.Recorder):
    __doc__ = recording.Recorder.__doc__
    _simulator = simulator

    def __init__(self, population, file=None):
        self._state = simulator.state  # data stay readable after end(), which takes the state away
        super().__init__(population, file)
        self._configuration = RecordingConfiguration()
        self._parts = ()
        self._built = {}  # segments of earlier stretches, for get_data() in a loop would make them anew each time

    def record(self, variables, ids, sampling_interval=None, locations=None, *, device="madc"):
        if sampling_interval:
            raise NotImplementedError(f"sampling_interval = {sampling_interval}: converters have their own rates; leave it out")
        variables = [variables] if isinstance(variables, str) else list(variables)
        sites = self._sites(ids, locations)
        unknown = [name for name in variables if name not in self.population.celltype.recordable]
        if unknown:
            raise RuntimeError(f"unknown variable {unknown[0]!r}; {type(self.population.celltype).__name__} can record "
                               f"{', '.join(self.population.celltype.recordable)}")
        if device not in self._configuration.devices:
            pad_of(device)
        others = [r._configuration.pads for r in self._state.recorders if r is not self]
        self._configuration.add_analog([name for name in variables if name in ANALOG], sites, device, others)
        if "spikes" in variables:
            self._configuration.spikes |= sites
        for name in variables:
            self.recorded[name] |= sites

    def _sites(self, ids, locations):
        compartments = [0]
        if locations is not None:
            celltype = self.population.celltype
            if not hasattr(celltype, "get_compartment_ids"):
                raise RuntimeError(f"locations {locations}: {type(celltype).__name__} is a point neuron; leave them out")
            compartments = [int(c) for c in celltype.get_compartment_ids(locations)]
        return {RecordingSite(int(cell), c) for cell in ids for c in compartments}

    def _index(self, site):
        return site.cell_id - int(self.population.first_id)

    def reset(self):
        self.recorded = defaultdict(set)
        self._configuration = RecordingConfiguration()

    def filter_recorded(self, variable, filter_ids):
        """The recording sites of a variable, of all cells or of those given."""
        sites = self.recorded[getattr(variable, "name", variable)]
        return sites if filter_ids is None else {s for s in sites if s.cell_id in {int(i) for i in filter_ids}}

    def configuration(self):
        """A copy of what is to be recorded now, for a snippet that is scheduled."""
        return self._configuration.copy()

    def wanted_traces(self):
        """{(device, population): {variable: neuron indices}} for the execution of a snippet."""
        wanted = {}
        for device, sites in self._configuration.devices.items():
            by_name = defaultdict(list)
            for site in sorted(sites):
                by_name[self._configuration.analog[site]].append(self._index(site))
            if by_name:
                wanted[device, self.population] = {name: list(dict.fromkeys(indices)) for name, indices in by_name.items()}
        return wanted

    def take_results(self):
        """Keep what the run that has just ended recorded."""
        self._parts = tuple(self._part(each) for each in self._state.scheduled)

    def _part(self, scheduled):
        begin, configuration = scheduled.begin, scheduled.recorded.get(self, RecordingConfiguration())
        index, ticks = scheduled.result.spikes.get(self.population, (np.empty(0, dtype=np.int64), np.empty(0)))
        first_id = int(self.population.first_id)
        signals = {}
        for (device, population), traces in scheduled.result.traces.items():
            if population is self.population:
                for n, (variable, times, values) in traces.samples.items():
                    stamps = np.floor(times / TICK_US + 1e-6) / TICKS_PER_MS
                    signals[device, variable, RecordingSite(first_id + n, 0)] = (
                        (begin + stamps).astype(np.float32), values.astype(np.float32))
        return Part(begin, scheduled.runtime, frozenset(configuration.spikes), index, ticks / TICKS_PER_MS + begin, signals)

    def _clear_simulator(self):
        self._parts = ()

    def clear(self):
        self.cache.clear()
        self._built.clear()
        self.clear_flag = True
        self._parts = ()

    def _current(self, annotations=None):
        return _Stretch(f"segment{self._state.segment_counter:03d}", datetime.now(), self._parts, dict(annotations or {}))

    def store_to_cache(self, annotations=None):
        if self._state.running and not self.clear_flag:
            self.cache.store(self._current(annotations))
        self.clear_flag = False
        self._parts = ()

    @property
    def metadata(self):
        population = self.population
        return {"size": population.size, "first_index": 0, "last_index": population.size, "first_id": int(population.first_id),
                "last_id": int(population.last_id), "label": population.label, "simulator": simulator.name,
                **population.annotations, "dt": self._state.dt, "mpi_processes": 1}

    def get(self, variables, gather=False, filter_ids=None, clear=False, annotations=None, locations=None):
        """The recorded data as a Neo Block, a segment for each reset and the current one."""
        wanted = set(self.recorded) if isinstance(variables, str) and variables == "all" else \
            {variables} if isinstance(variables, str) else set(variables)
        stretches = list(self.cache) + ([self._current()] if self._state.running else [])
        if not stretches:
            raise NothingRecordedError(f"no data recorded from {self.population.label!r} yet: call run() before get_data()")
        segments = [self._earlier_segment(stretch, filter_ids, wanted) for stretch in self.cache]
        if self._state.running:
            segments.append(self._segment(stretches[-1], filter_ids, wanted))
        block = block_of(self, segments, self.population.describe(), stretches[0].rec_datetime, annotations)
        if clear:
            self.clear()
        return block

    def _earlier_segment(self, stretch, filter_ids, wanted):
        key = (stretch, None if filter_ids is None else frozenset(map(int, filter_ids)), frozenset(map(str, wanted)))
        if key not in self._built:
            self._built[key] = self._segment(stretch, filter_ids, wanted)
        return copy(self._built[key])  # of its own in each block, as PyNN does

    def _segment(self, stretch, filter_ids, wanted):
        make = neo.Segment if stretch.annotations else new_segment
        segment = make(name=stretch.name, description=self.population.describe(), rec_datetime=stretch.rec_datetime,
                       **stretch.annotations)
        if "spikes" in wanted:
            self._put_spikes(segment, [part for part in stretch.parts if part.sites], filter_ids)
        for part in stretch.parts:
            for (device, variable, site), (times, values) in part.signals.items():
                if variable in wanted and (filter_ids is None or site.cell_id in filter_ids):
                    signal = self._signal(device, variable, site, times, values)
                    segment.irregularlysampledsignals.append(signal)
                    signal.segment = segment
        return segment

    def _location(self, site):
        celltype = self.population.celltype
        return celltype.get_label(site.comp_id) if hasattr(celltype, "get_label") else "unlabeled"

    def _signal(self, device, variable, site, times, values):
        return neo.IrregularlySampledSignal(
            times, values, units=self.population.find_units(variable), time_units=pq.ms,
            name=variable, device=device, source_ids=[site.cell_id], source_locations=[self._location(site)],
            source_population=self.population.label, source_compartments=[site.comp_id],
            array_annotations={"channel_index": [self._index(site)]})

    def _put_spikes(self, segment, parts, filter_ids):
        """Of one snippet as arrays, spike trains only when asked for one; of several as a list."""
        if len(parts) == 1:
            put_spike_trains(segment, **self._spikes_of(parts[0], filter_ids))
            return
        trains = []
        for part in parts:
            of_part = new_segment(segment.name, segment.description, segment.rec_datetime)
            put_spike_trains(of_part, **self._spikes_of(part, filter_ids))
            trains.extend(of_part.spiketrains)  # += would be SpikeTrainList's, for equal times
        segment.spiketrains = SpikeTrainList(items=trains)
        segment.spiketrains.segment = segment

    def _spikes_of(self, part, filter_ids):
        """What `put_spike_trains` wants of a snippet."""
        population = self.population
        first = int(population.first_id)
        cells = np.unique([site.cell_id for site in part.sites])
        if filter_ids is not None:
            cells = cells[np.isin(cells, np.array([int(i) for i in filter_ids]))]
        index, time = part.index, part.time
        if cells.size < population.size:
            keep = np.isin(index + first, cells)
            index, time = index[keep], time[keep]
        t_stop = part.begin + part.runtime
        return {"times": np.minimum(time, t_stop),  # the sum of two roundings
                "ids": index + first, "channels": cells, "t_start": in_ms(part.begin), "t_stop": in_ms(t_stop),
                "source_population": population.label, "source_index": cells - first, "source_id": cells,
                "source_location": np.array(["unlabeled"] * cells.size), "source_compartment": np.zeros(cells.size, dtype=int)}

    def _get_spiketimes(self, sites, snippet_index, clear=False):
        """{site: times (ms since the snippet's begin)}, an array each."""
        part = self._parts[snippet_index]
        found = {site: part.time[part.index == self._index(site)] - part.begin for site in sites if site in part.sites}
        if clear:
            self._parts = tuple(p for p in self._parts if p is not part)
        return found

    def _local_count(self, variable, filter_ids):
        ids = sorted({site.cell_id for site in self.filter_recorded(variable, filter_ids)})
        index = np.concatenate([part.index for part in self._parts] or [np.empty(0, dtype=np.int64)])
        counts = np.bincount(index, minlength=self.population.size)
        return {i: int(counts[i - int(self.population.first_id)]) for i in ids}
