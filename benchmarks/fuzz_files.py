"""Every reader of files against damaged ones: `python -m benchmarks.fuzz_files [--files 100000] [--seed 0]`.

A file of each kind is cut off, or some of its bits are flipped, bytes overwritten, or bytes added, and read. Counted is what
the reader did: it refused the file with the error that it promises, returned what was stored (the damage hit nothing that
matters), returned something else, raised another error, or took the process with it (children read what HDF5 gets unchecked).

Where a file has a checksum (all that end with a seal, see `ttfs_pynn.files.sealed`, and gzip) nothing else may ever be returned.
Text and plain IDX files have none: a changed digit or pixel cannot be told from what was written, and is counted under "other".
"""

import argparse
import gzip
import json
import signal
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import neo
import numpy as np

from ttfs_pynn.analysis.neo_files import read_recordings
from ttfs_pynn.brainscales2.characterisation import ChipProfile
from ttfs_pynn.brainscales2.chip import chip_from_seed, load_chip
from ttfs_pynn.brainscales2.dlens import halco, lola, sta
from ttfs_pynn.comparison.record import PARAMETERS, Connections, NetworkRecord, read_records, write_records
from ttfs_pynn.datasets import mnist
from ttfs_pynn.errors import TTFSError
from ttfs_pynn.files.sealed import read_json
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.storage import stored
from ttfs_pynn.models import yin_yang
from ttfs_pynn.runs.folder import RunFolder

_QUANTITIES = ("v_rest", "tau_m", "tau_syn_E", "tau_syn_I", "gain_E", "gain_I", "v_thresh")
CONFIGURATION = {"model": "yin_yang", "epochs": 30, "network": {"tau_m": 10.0, "bias_times": [1.5, 9.0]}, "classes": ["a", "b"]}


def _block():
    segment = neo.Segment(name="presentation")
    for n, times in enumerate(([1.0, 2.5, 10 / 3], [], [7.25])):
        segment.spiketrains.append(neo.SpikeTrain(times, units="ms", t_stop=20.0, channel_id=n))
    block = neo.Block(name="hidden", first_id=0, size=3)
    block.segments.append(segment)
    return block


def _spikes(block):
    return [(train.magnitude, float(train.t_stop), train.annotations["channel_id"]) for train in block.segments[0].spiketrains]


def _record():
    cells = np.arange(5)
    return NetworkRecord(("in", "out"), (3, 2), {name: cells / 7 for name in PARAMETERS},
                         (Connections("p", "excitatory", cells, cells, cells / 3, cells / 9),), cells, cells * 1.1, 20.0)


def _idx(path, array):
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes())


def make_files(folder):
    """{kind: (path, reader of it, errors that it promises, whether it has a checksum)} of whole files in `folder`."""
    folder, rng = Path(folder), np.random.default_rng(1)
    run = RunFolder.create(folder / "run", CONFIGURATION)
    run.close()
    graph = yin_yang.graph({**yin_yang.PARAMETERS["network"], "hidden": 12})
    parameters = initial_parameters(graph, rng)
    run.write_graph(graph)
    run.save_checkpoint({**parameters, "step": np.array(3)}, {"epoch": 3, "history": []})
    run.write_parameters(parameters)
    run.write_arrays("decisions", {"label_times": rng.exponential(size=(20, 3)), "labels": np.arange(20) % 3})
    run.write_history([{"epoch": k, "train_loss": 1 / (k + 1), "seconds": 0.5} for k in range(5)])
    run.write_metrics({"test_accuracy": 0.98, "backend": "exact", "latency_ms": None})
    run.write_spikes("layer0", _block())
    with neo.io.NixIO(str(folder / "others.nix"), "ow") as file:
        file.write_block(_block())
    ChipProfile(3, np.arange(20), {name: rng.normal(size=20) for name in _QUANTITIES}, {}).save(folder / "profile.npz")
    chip_from_seed(3).save(folder / "chip.npz")
    write_records(folder / "record.npz", [_record()])
    (folder / "comparison.json").write_text(json.dumps({"simulators": {"exact": {"runs": [{"dt_ms": 0.1, "matched": 7}]}}}))
    _idx(folder / "images", rng.integers(0, 256, (5, 28, 28), dtype=np.uint8))
    _idx(folder / "labels", np.arange(9, dtype=np.uint8))
    (folder / "images.gz").write_bytes(gzip.compress((folder / "images").read_bytes()))
    builder = sta.PlaybackProgramBuilderDumper()
    backend = halco.CommonNeuronBackendConfigOnDLS(1)
    builder.write(backend, lola.Chip().neuron_block.backends[backend])
    (folder / "chip.bin").write_bytes(sta.to_portablebinary(builder.done()))

    def portable(path):
        found = sta.DumperDone()
        sta.from_portablebinary(found, path.read_bytes())
        return sta.to_json(found)

    ours = (TTFSError,)
    return {
        "checkpoint.npz": (run.path / "checkpoint.npz", lambda p: RunFolder.open(p.parent).load_checkpoint()[:2], ours, True),
        "parameters.npz": (run.path / "parameters.npz", lambda p: RunFolder.open(p.parent).read_parameters(), ours, True),
        "graph.npz": (run.path / "graph.npz", lambda p: stored(RunFolder.open(p.parent).read_graph()), ours, True),
        "decisions.npz": (run.path / "decisions.npz", lambda p: RunFolder.open(p.parent).read_arrays("decisions"), ours, True),
        "spikes/*.nix": (run.path / "spikes/layer0.nix", lambda p: _spikes(RunFolder.open(p.parents[1]).read_spikes("layer0")),
                         ours, True),
        "chip profile": (folder / "profile.npz", lambda p: vars(ChipProfile.load(p)), ours, True),
        "virtual chip": (folder / "chip.npz", lambda p: load_chip(p).draws, ours, True),
        "comparison record": (folder / "record.npz", lambda p: read_records(p)[0].trains(), ours, True),
        "IDX images, gzip": (folder / "images.gz", lambda p: mnist.read_idx(p, 3), ours, True),
        "IDX images": (folder / "images", lambda p: mnist.read_idx(p, 3), ours, False),
        "IDX labels": (folder / "labels", lambda p: mnist.read_idx(p, 1), ours, False),
        "configuration.toml": (run.path / "configuration.toml", lambda p: RunFolder.open(p.parent).configuration, ours, False),
        "history.json": (run.path / "history.json", lambda p: RunFolder.open(p.parent).read_history(), ours, False),
        "metrics.json": (run.path / "metrics.json", lambda p: RunFolder.open(p.parent).read_metrics(), ours, False),
        "comparison.json": (folder / "comparison.json", read_json, ours, False),
        "vendor's settings": (folder / "chip.bin", portable, (ValueError,), False),
        "NIX of others": (folder / "others.nix", lambda p: next(iter(read_recordings(p).values())).flat(), ours, False),
    }


def damaged(content, rng):
    """Other bytes: cut off, bits flipped, bytes overwritten, or bytes added."""
    new, kind = bytearray(content), rng.integers(0, 10)
    place = int(rng.integers(0, len(new)))
    if kind < 4:
        return bytes(new[:place])
    if kind < 8:
        for place in rng.integers(0, len(new), rng.integers(1, 4)):
            new[place] ^= 1 << int(rng.integers(0, 8))
    elif kind < 9:
        new[place:place + 16] = rng.bytes(len(new[place:place + 16]))
    else:
        new[place:place] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(new)


def same(a, b):
    """Equal in type, shape and every bit, also inside lists, tuples and dicts."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return a == b


def outcomes(kind, files, seeds, folder=None):
    """Counter of what the reader of that kind does with a damaged file for each of the seeds."""
    if files is None:
        files = make_files(folder)
    path, read, promised, _ = files[kind]
    whole = path.read_bytes()
    expected, found = read(path), Counter()
    for seed in seeds:
        content = damaged(whole, np.random.default_rng(seed))
        if content == whole:
            found["undamaged"] += 1
            continue
        path.write_bytes(content)
        try:
            found["same" if same(read(path), expected) else "other"] += 1
        except promised:
            found["refused"] += 1
        except Exception as error:
            found[f"{type(error).__name__}: {error}"[:100]] += 1
    path.write_bytes(whole)
    return found


def _in_child(kind, seeds):
    signal.alarm(60 + len(seeds))  # a reader that never ends is a crash too
    with tempfile.TemporaryDirectory() as folder:
        return outcomes(kind, None, seeds, folder)


def outcomes_in_children(kind, seeds, batch=100):
    """As `outcomes`, in processes of their own; what takes such a process with it is counted as a crash."""
    found = Counter()
    for begin in range(0, len(seeds), batch):
        part = seeds[begin:begin + batch]
        try:
            with ProcessPoolExecutor(1) as pool:
                found += pool.submit(_in_child, kind, part).result()
        except BrokenProcessPool:
            found += Counter(crash=1) if len(part) == 1 else outcomes_in_children(kind, part, max(1, len(part) // 10))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000, help="in all")
    parser.add_argument("--unchecked", type=int, default=2_000, help="of them NIX files of others")
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(folder)
        kinds = [kind for kind in files if kind != "NIX of others"]
        share = -(-(a.files - a.unchecked) // len(kinds))
        print(f"{'file':<20}{'checksum':>9}{'damaged':>9}{'refused':>9}{'same':>7}{'other':>7}{'errors':>8}")
        for number, kind in enumerate([*kinds, "NIX of others"]):
            unchecked = kind == "NIX of others"
            seeds = [[a.seed, number, k] for k in range(a.unchecked if unchecked else share)]
            found = outcomes_in_children(kind, seeds) if unchecked else outcomes(kind, files, seeds)
            n = found.total() - found["undamaged"]
            rest = {text: count for text, count in found.items() if text not in ("refused", "same", "other", "undamaged")}
            print(f"{kind:<20}{'yes' if files[kind][3] else 'no':>9}{n:>9}{found['refused']:>9}{found['same']:>7}"
                  f"{found['other']:>7}{sum(rest.values()):>8}  {rest or ''}", flush=True)


if __name__ == "__main__":
    main()
