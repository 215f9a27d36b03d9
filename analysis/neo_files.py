"""Spikes from wherever they are: Neo Blocks, NIX files, run folders, records of a comparison."""

from pathlib import Path

import neo
import numpy as np
import quantities as pq
from neo.core.spiketrainlist import SpikeTrainList

from ttfs_pynn import nix_files
from ttfs_pynn.comparison.record import distinct
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.presentation import PresentationError, spikes_of
from ttfs_pynn.results import RunFolder


def block_of(cells, times, size, duration, label=None):
    """A Neo Block of `size` neurons from flat arrays: neuron numbers and times (ms)."""
    block = neo.Block(name=label, first_id=0, size=int(size))
    segment = neo.Segment()
    order = np.argsort(times, kind="stable")
    segment.spiketrains = SpikeTrainList.from_spike_time_array(
        np.asarray(times, dtype=float)[order], np.asarray(cells)[order], all_channel_ids=list(range(int(size))),
        t_stop=float(duration), units="ms", t_start=0.0 * pq.ms)
    block.segments.append(segment)
    return block


def record_blocks(record):
    """{label: Block} of a comparison's NetworkRecord."""
    blocks = {}
    for label, cells in record.populations.items():
        inside = (record.cells >= cells.start) & (record.cells < cells.stop)
        blocks[label] = block_of(record.cells[inside] - cells.start, record.times[inside], len(cells), record.duration, label)
    return blocks


def read_blocks(path):
    """{label: Block} of a file that Neo reads (NIX, NWB ...), labels that several have numbered, or of a run folder, layers
    before inputs; ResultsError where it cannot or holds no spikes."""
    path = Path(path)
    if RunFolder.exists(path):
        folder = RunFolder.open(path)
        names = sorted(folder.spike_names(), key=lambda name: "_layer" not in name)
        if not names:
            raise ResultsError(no_spikes(folder))
        return {name: folder.read_spikes(name) for name in names}
    if not path.is_file():
        raise ResultsError(f"there is no file {path}; give a NIX file, or a run folder")
    blocks = nix_files.read_blocks(path) if path.suffix == ".nix" else _read_with_neo(path)
    labels = distinct(block.name or (path.stem if len(blocks) == 1 else f"{path.stem} {k}") for k, block in enumerate(blocks))
    blocks = dict(zip(labels, blocks, strict=True))
    if not any(len(segment.spiketrains) for block in blocks.values() for segment in block.segments):
        raise ResultsError(f"{path} holds no spike trains")
    return blocks


# Neo's readers of these formats execute what a file says (pickle, eval).
_UNSAFE = {"PickleIO": "a pickle can run any program when it is opened; let its author write NIX",
           "ElphyIO": "Neo's reader evaluates text of the file; convert it to NIX"}


def _read_with_neo(path):
    try:
        reader = neo.io.get_io(str(path))
        if type(reader).__name__ in _UNSAFE:
            raise ResultsError(f"{path} is not read: {_UNSAFE[type(reader).__name__]}")
        return reader.read_all_blocks() if hasattr(reader, "read_all_blocks") else reader.read()
    except ResultsError:
        raise
    except Exception as error:  # each of Neo's readers raises errors of its own
        raise ResultsError(f"Neo cannot read {path}: {error}") from error


def no_spikes(folder):
    """Why a run folder holds no spikes, and what to do."""
    if not folder.finished:
        return f"{folder.path} holds no spikes yet: let the run come to its end"
    return (f"{folder.path} holds no spikes (runs on arrays record none): ttfs-pynn evaluate {folder.path} --backend exact "
            "records those of one sample")


def time_scale(block):
    """How many ms of the model are one ms of a Block: 1000 for recordings of the emulated chip, whose annotation says so."""
    return float(block.annotations.get("time_scale", 1.0))


def flat_spikes(block, segment=0):
    """(neuron numbers from 0, times in ms of the model) of a Block's segment; trains without channel_id count by position."""
    trains = block.segments[segment].spiketrains
    try:
        ids, times = spikes_of(block.segments[segment])
    except PresentationError:
        lengths = [len(train) for train in trains]
        times = np.concatenate([train.rescale("ms").magnitude for train in trains])
        return np.repeat(np.arange(len(trains)), lengths), times * time_scale(block)
    times = times * time_scale(block)
    first = block.annotations.get("first_id")
    if first is not None:
        return ids - int(first), times
    known = np.unique([int(train.annotations.get("channel_id", row)) for row, train in enumerate(trains)])
    return np.searchsorted(known, ids), times


def rows_of(block):
    """How many neurons a Block was recorded from."""
    return int(block.annotations.get("size", len(block.segments[0].spiketrains)))


def trains_of(block, segment=0):
    """One sorted array of times (ms) a neuron."""
    rows, times = flat_spikes(block, segment)
    order = np.lexsort((times, rows))
    return np.split(times[order], np.searchsorted(rows[order], np.arange(1, max(rows_of(block), 1))))


def duration_of(block, segment=0):
    """Where the recording ends (ms of the model)."""
    trains = block.segments[segment].spiketrains
    return float(max([train.t_stop.rescale("ms").item() for train in trains[:1]] or [0.0])) * time_scale(block)
