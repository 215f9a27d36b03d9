"""Recordings from wherever they are: NIX and other files that Neo reads, run folders, records of a comparison."""

from dataclasses import replace
from pathlib import Path

import neo
import numpy as np
import quantities as pq
from neo.core.spiketrainlist import SpikeTrainList

from ttfs_pynn.comparison.record import NetworkRecord, distinct, read_records
from ttfs_pynn.errors import ResultsError, reason
from ttfs_pynn.files import nix_files
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.sample_spikes import names_of
from ttfs_pynn.spikes.recordings import Recording, recordings_of

CHIP_TIME_SCALE = 1000.0  # ms of the model in 1 ms of the emulated chip


def block_of(cells, times, size, duration, label=None):
    """A Neo Block of `size` neurons from flat arrays: neuron numbers and times (ms)."""
    block = neo.Block(name=label, first_id=0, size=int(size))
    block.segments.append(_segment(cells, times, size, duration))
    return block


def _segment(cells, times, size, duration):
    segment = neo.Segment()
    order = np.argsort(times, kind="stable")
    numbers = np.arange(int(size))
    segment.spiketrains = SpikeTrainList.from_spike_time_array(
        np.asarray(times, dtype=float)[order], np.asarray(cells)[order], all_channel_ids=numbers, source_index=numbers,
        t_stop=float(duration), units="ms", t_start=0.0 * pq.ms)
    return segment


def record_blocks(records):
    """{label: Block} of a comparison's NetworkRecord, or of a list of them, the trials of a script: a segment each.

    A script that calls setup() several times has several networks: blocks of the later ones say of which setup they are.
    """
    records = [records] if isinstance(records, NetworkRecord) else list(records)
    blocks = {}
    for record in records:
        for label, cells in record.populations.items():
            name = f"{label}, setup {record.setup + 1}" if record.setup else label
            inside = (record.cells >= cells.start) & (record.cells < cells.stop)
            block = blocks.setdefault(name, neo.Block(name=name, first_id=0, size=len(cells)))
            block.segments.append(_segment(record.cells[inside] - cells.start, record.times[inside], len(cells), record.duration))
    return blocks


def read_blocks(path):
    """{label: Block} of a file that Neo reads (NIX, NWB ...), of a comparison's record (npz), labels that several have numbered,
    or of a run folder, the outputs first and sources last; ResultsError where it cannot or holds neither spikes nor signals."""
    path = Path(path)
    if RunFolder.exists(path):
        folder = RunFolder.open(path)
        there = folder.spike_names()
        if not there:
            raise ResultsError(no_spikes(folder))
        # Those that somebody wrote with other names, or without a graph, come last.
        order = [*names_of(folder.read_graph(), "before").values(), *names_of(folder.read_graph(), "after").values()] \
            if (folder.path / "graph.npz").is_file() else []
        names = [name for name in reversed(order) if name in there] + [name for name in there if name not in order]
        return {name: run_block(folder, name) for name in names}
    if path.is_dir():
        raise ResultsError(f"{path} is a folder, but no run folder; {_within(path)}")
    if not path.is_file():
        raise ResultsError(f"there is no file {path}; give a NIX file, or a run folder")
    if path.suffix == ".npz":
        return record_blocks(read_records(path))
    blocks = nix_files.read_blocks(path) if path.suffix == ".nix" else _read_with_neo(path)
    labels = distinct(block.name or (path.stem if len(blocks) == 1 else f"{path.stem} {k}") for k, block in enumerate(blocks))
    return dict(zip(labels, blocks, strict=True))


def run_block(folder, name):
    """The Block of spikes/NAME.nix of a run folder."""
    block = folder.read_spikes(name)
    if folder.configuration.get("backend") == "brainscales2":  # of folders from before blocks were annotated
        block.annotations.setdefault("time_scale", CHIP_TIME_SCALE)
    return block


def _within(folder):
    """What to give in place of a folder."""
    files = sorted([*folder.glob("*.npz"), *folder.glob("*.nix"), *folder.glob("records/*.npz")])
    return f"give a file in it: {', '.join(str(f) for f in files[:6])}" if files else "give a file of spikes, or a run folder"


def read_recordings(path):
    """{label: Recording} of what `read_blocks` reads: one for each population of which spikes were recorded."""
    blocks = read_blocks(path)
    found = recordings(blocks, path)
    if RunFolder.exists(path):  # before and after training, the layers have the same names
        found = {label: replace(recording, name=label) for label, recording in found.items()}
    return found


def recordings(blocks, path="this recording"):
    """{label: Recording} of {label: Block or Recording}; a Block of several populations (of PyNN's Assembly) becomes several.
    ResultsError where no spikes were recorded."""
    found, labels = [], []
    for label, block in blocks.items():
        several = [block] if isinstance(block, Recording) else [r for r in recordings_of(block) if r.units]
        labels += [label if len(several) == 1 else r.name or label for r in several]
        found += several
    if not found:
        raise ResultsError(f"{path} holds no spike trains; record spikes with population.record('spikes')")
    return dict(zip(distinct(labels), found, strict=True))


def as_recording(block):
    """The Recording of a Block of one population."""
    return next(iter(recordings({block.name or "": block}).values()))


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
        raise ResultsError(f"Neo cannot read {path}: {reason(error)}; give a NIX file, or another that Neo reads") from error


def no_spikes(folder):
    """Why a run folder holds no spikes, and what to do."""
    if not folder.finished:
        return f"{folder.path} holds no spikes yet: let the run come to its end"
    return (f"{folder.path} holds no spikes (runs on arrays record none): ttfs-pynn evaluate {folder.path} --backend exact "
            "records those of one sample")
