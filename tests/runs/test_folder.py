import json
import os
import re
import signal
import subprocess
import sys
import time

import neo
import numpy as np
import pytest
import quantities as pq

from tests.small_networks import assert_same
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.files.run_lock import LOCK_FILES
from ttfs_pynn.files.sealed import write_arrays
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.storage import stored
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.simulators import simulator

CONFIGURATION = {"seed": 7, "epochs": 30, "neuron": {"tau_m": 10.0, "tau_syn": 5.0}, "layers": [4, 120, 3]}
LEFT = ".ttfs-0123456789abcdef.tmp"  # how a file's name ends while it is written
ARRAYS = {"hidden/weights": np.arange(12.0).reshape(3, 4), "empty": np.empty((0, 3)), "step": np.array(5)}


def changed(**changes):
    return {**CONFIGURATION, **changes}


@pytest.fixture
def folder(tmp_path):
    return RunFolder.create(tmp_path / "run", CONFIGURATION)


def files_in(path):
    """Names of all files below `path` but those of the lock."""
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file() and p.name not in LOCK_FILES)


def assert_same_arrays(found, expected):
    assert found.keys() == expected.keys() and len(found) > 0
    for name in expected:
        assert found[name].dtype == expected[name].dtype
        np.testing.assert_array_equal(found[name], expected[name])


# -- making and opening


def test_configuration_and_versions_are_kept(folder):
    assert RunFolder.open(folder.path).configuration == CONFIGURATION
    text = (folder.path / "versions.toml").read_text()
    assert all(f"{name} = " in text for name in ("python", "numpy", "pynn", "brian2", "ttfs_pynn"))


def test_a_folder_with_a_run_is_refused_with_the_way_out(folder):
    with pytest.raises(ResultsError, match="--overwrite.*--resume"):
        RunFolder.create(folder.path, CONFIGURATION)


def test_overwrite_deletes_the_run_and_nothing_else(folder):
    folder.save_checkpoint(ARRAYS, {})
    folder.save_checkpoint(ARRAYS, {})
    folder.write_parameters(ARRAYS)
    folder.write_metrics({})
    folder.write_history([])
    for name in ("notes.txt", "figures/mine.csv", "figures/raster.png", "spikes/a.nix", f"metrics.json{LEFT}", "mine.tmp"):
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text("x")
    RunFolder.create(folder.path, changed(seed=8), overwrite=True)
    assert files_in(folder.path) == ["configuration.toml", "figures/mine.csv", "mine.tmp", "notes.txt", "versions.toml"]
    assert RunFolder.open(folder.path).configuration["seed"] == 8


def test_overwrite_never_touches_what_is_not_a_run(tmp_path):
    (tmp_path / "weights.npz").write_text("somebody's")
    with pytest.raises(ResultsError, match="not a run folder"):
        RunFolder.create(tmp_path, CONFIGURATION, overwrite=True)
    assert (tmp_path / "weights.npz").read_text() == "somebody's"
    with pytest.raises(ResultsError, match="is a file"):
        RunFolder.create(tmp_path / "weights.npz", CONFIGURATION, overwrite=True)


def test_overwrite_does_not_follow_a_link_to_a_folder(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.nix").write_text("x")
    (folder.path / "spikes").symlink_to(elsewhere)
    RunFolder.create(folder.path, CONFIGURATION, overwrite=True)
    assert (elsewhere / "precious.nix").exists()


def test_a_run_killed_at_its_first_step_leaves_a_usable_folder(tmp_path):
    (tmp_path / f"configuration.toml{LEFT}").write_text("half")
    assert not RunFolder.exists(tmp_path)
    RunFolder.create(tmp_path, CONFIGURATION)
    assert files_in(tmp_path) == ["configuration.toml", "versions.toml"]


def test_open_for_writing_clears_leftovers(folder):
    (folder.path / "spikes").mkdir()
    leftovers = [folder.path / name for name in (f"checkpoint.npz{LEFT}", f"spikes/test.nix{LEFT}")]
    for leftover in leftovers:
        leftover.write_text("half")
    RunFolder.open(folder.path)
    # A reader may look while another process writes.
    assert all(leftover.exists() for leftover in leftovers)
    RunFolder.open(folder.path, writing=True)
    assert not any(leftover.exists() for leftover in leftovers)


def test_what_is_no_run_folder_cannot_be_opened(tmp_path, folder):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ResultsError, match="not a run folder"):
            RunFolder.open(path)
    (folder.path / "configuration.toml").write_text("seed = ")
    with pytest.raises(ResultsError, match=r"configuration\.toml cannot be read"):
        RunFolder.open(folder.path)


def test_a_run_continues_with_the_same_configuration_only(folder):
    continued = RunFolder.open(folder.path, changed(epochs=60), writing=True)
    assert continued.configuration["epochs"] == RunFolder.open(folder.path).configuration["epochs"] == 60
    RunFolder.open(folder.path, changed(neuron={"tau_m": 10, "tau_syn": 5}))  # 10 and 10.0 are one setting
    with pytest.raises(ResultsError, match=r"neuron.tau_syn \(5 there, 6 here\).*seed .*only epochs may"):
        RunFolder.open(folder.path, changed(seed=8, neuron={"tau_m": 10.0, "tau_syn": 6.0}))


def test_a_configuration_that_toml_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"neuron\.tau_m = None"):
        RunFolder.create(tmp_path / "run", {"neuron": {"tau_m": None}})
    assert not (tmp_path / "run").exists()
    given = {"a": (1, 2), "b": np.float64(0.1), "c": tmp_path}
    stored = RunFolder.create(tmp_path / "run", given).configuration
    assert stored == {"a": [1, 2], "b": 0.1, "c": str(tmp_path)}
    assert stored == RunFolder.open(tmp_path / "run").configuration


# -- checkpoints


def test_checkpoint_returns_what_was_saved(folder):
    generator = np.random.default_rng(7)
    meta = {"epoch": 3, "generator": generator.bit_generator.state, "best": 0.1 + 0.2, "nothing": None}
    assert not folder.has_checkpoint
    folder.save_checkpoint(ARRAYS, meta)
    again = RunFolder.open(folder.path)
    arrays, found, warning = again.load_checkpoint()
    assert again.has_checkpoint and warning is None and found == meta
    assert_same_arrays(arrays, ARRAYS)


def test_checkpoint_depends_on_its_content_alone(folder):
    folder.save_checkpoint(ARRAYS, {"epoch": 1})
    time.sleep(0.01)
    folder.save_checkpoint(ARRAYS, {"epoch": 1})
    newest, previous = (folder.path / name for name in ("checkpoint.npz", "checkpoint.previous.npz"))
    assert newest.read_bytes() == previous.read_bytes()


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory):
    folder = RunFolder.create(tmp_path_factory.mktemp("checkpoints") / "run", CONFIGURATION)
    older = {name: array + 1 for name, array in ARRAYS.items()}
    folder.save_checkpoint(older, {"epoch": 1})
    folder.save_checkpoint(ARRAYS, {"epoch": 2})
    return folder.path, (folder.path / "checkpoint.npz").read_bytes(), older


def assert_falls_back(path, damaged, older):
    (path / "checkpoint.npz").write_bytes(damaged)
    arrays, meta, warning = RunFolder.open(path).load_checkpoint()
    assert meta == {"epoch": 1}
    assert_same_arrays(arrays, older)
    assert "checkpoint.npz" in warning and "checkpoint.previous.npz" in warning and "\n" not in warning


def test_every_truncation_falls_back(two_checkpoints):
    path, whole, older = two_checkpoints
    lengths = [*range(0, len(whole), 97), len(whole) - 1]
    assert len(lengths) > 10
    for length in lengths:
        assert_falls_back(path, whole[:length], older)


def test_every_flipped_bit_falls_back(two_checkpoints):
    path, whole, older = two_checkpoints
    places = [*range(0, len(whole), 7), *range(len(whole) - 100, len(whole))]  # all of the seal
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        assert_falls_back(path, bytes(damaged), older)


def test_appended_bytes_fall_back(two_checkpoints):
    path, whole, older = two_checkpoints
    assert_falls_back(path, whole + b"\0", older)


def test_a_damaged_checkpoint_never_replaces_a_good_one(two_checkpoints):
    path, whole, older = two_checkpoints
    good = (path / "checkpoint.previous.npz").read_bytes()
    (path / "checkpoint.npz").write_bytes(whole[:200])
    RunFolder.open(path).save_checkpoint(ARRAYS, {"epoch": 2})
    assert (path / "checkpoint.previous.npz").read_bytes() == good
    assert (path / "checkpoint.npz").read_bytes() == whole


def test_no_usable_checkpoint_is_an_error(folder):
    with pytest.raises(ResultsError, match="no usable checkpoint.*--overwrite"):
        folder.load_checkpoint()
    folder.save_checkpoint(ARRAYS, {})
    folder.save_checkpoint(ARRAYS, {})
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        (folder.path / name).write_bytes(b"")
    with pytest.raises(ResultsError, match=r"checkpoint\.npz is truncated.*previous\.npz is truncated"):
        folder.load_checkpoint()


def test_checkpoint_of_another_configuration_is_refused(folder):
    folder.save_checkpoint(ARRAYS, {})
    text = (folder.path / "configuration.toml").read_text()
    (folder.path / "configuration.toml").write_text(re.sub("epochs = 30", "epochs = 90", text))
    assert RunFolder.open(folder.path).configuration["epochs"] == 90
    RunFolder.open(folder.path).load_checkpoint()
    (folder.path / "configuration.toml").write_text(re.sub("seed = 7", "seed = 8", text))
    with pytest.raises(ResultsError, match=r"another configuration: seed \(7 there, 8 here\)"):
        RunFolder.open(folder.path).load_checkpoint()


def test_objects_are_never_pickled(folder):
    with pytest.raises(ResultsError, match="objects"):
        folder.save_checkpoint({"a": np.array([None])}, {})
    assert files_in(folder.path) == ["configuration.toml", "versions.toml"]


def test_at_every_system_call_a_checkpoint_is_there(folder, monkeypatch):
    """Before each rename of the files, the newest checkpoint that was completely saved before is loadable."""
    seen, replace = [], os.replace

    def watched(source, target):
        seen.append(RunFolder.open(folder.path).load_checkpoint()[1]["epoch"])
        replace(source, target)
        seen.append(RunFolder.open(folder.path).load_checkpoint()[1]["epoch"])

    folder.save_checkpoint(ARRAYS, {"epoch": 0})
    monkeypatch.setattr(os, "replace", watched)
    for epoch in (1, 2, 3):
        seen.clear()
        folder.save_checkpoint(ARRAYS, {"epoch": epoch})
        assert len(seen) == 4 and set(seen[:-1]) == {epoch - 1} and seen[-1] == epoch


WRITER = """
import itertools, sys, numpy
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.files.run_lock import LOCK_FILES
folder = RunFolder.open(sys.argv[1], writing=True)
start = folder.load_checkpoint()[1]["epoch"] + 1 if folder.has_checkpoint else 0
print("ready", flush=True)
for epoch in itertools.count(start):
    folder.save_checkpoint({"w": numpy.full(20_000, epoch)}, {"epoch": epoch})
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_kill_9_leaves_a_checkpoint(folder, kills):
    folder.close()
    random, epoch = np.random.default_rng(1), -1
    for _ in range(kills):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder.path)], stdout=subprocess.PIPE)
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.05 + 0.2 * random.random())
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        arrays, meta, _ = RunFolder.open(folder.path).load_checkpoint()
        assert meta["epoch"] >= epoch and (arrays["w"] == meta["epoch"]).all()
        epoch = meta["epoch"]
    assert epoch > kills  # it did save in between


# -- results


def test_a_graph_and_its_parameters_return_as_a_network(folder):
    """Populations, connections and fixed delays from one file, what was trained from another; on a simulator, with its delays."""
    neuron = LIFParameters(tau_m=20.0)
    graph = layered(3, (Layer(4, neuron, (1.5,), delays=("synaptic",), delay_mean=2.0, delay_std=1.0), Layer(2, neuron)), 1.0,
                    15.0)
    parameters = initial_parameters(graph, np.random.default_rng(0))
    folder.write_graph(graph)
    folder.write_parameters(parameters)
    again = RunFolder.open(folder.path)
    network = again.network(simulator("exact").setup(0.1))
    assert_same(network.read(), parameters)
    t_in = np.random.default_rng(1).uniform(1, 15, (5, 3))
    expected = ArrayNetwork(graph, parameters).present(t_in)
    assert np.isfinite(expected.labels).any()
    assert_same(first_spikes(network.present(t_in)).times, expected.times, atol=1e-9)
    assert again.network(simulator("exact").setup(0.1), copies=5).n_copies == 5
    (folder.path / "graph.npz").unlink()
    with pytest.raises(ResultsError, match="no graph.npz"):
        again.network(simulator("exact").setup(0.1))


def test_a_run_of_before_there_were_graphs_is_refused(folder):
    folder.write_arrays("weights", {"w0": [[1.0]]})
    for read in (folder.read_graph, folder.read_parameters, folder.refuse_old):
        with pytest.raises(ResultsError,
                           match="is a run of ttfs_pynn 0.1.0, .*; read it with that version, or train again") as error:
            read()
        assert "\n" not in str(error.value)
    (folder.path / "weights.npz").unlink()
    folder.refuse_old()
    folder.save_checkpoint(ARRAYS, {"epoch": 1})  # an old run that was not finished
    with pytest.raises(ResultsError, match="is a run of ttfs_pynn 0.1.0"):
        folder.refuse_old()


@pytest.mark.parametrize("change, text", [
    ({"format": 7}, "graph.npz: a graph of format 7; this version reads 1"), ({"outputs": "label"}, "unknown population 'label'"),
    ({"nodes": 5}, "this is no stored graph"), ({"nodes": [{"label": "a"}]}, "this is no stored graph"),
    ({"t_late": "soon"}, "a stored graph that is none|this is no stored graph"), (None, "this is no stored graph")])
def test_a_graph_file_of_another_kind_is_one_line(folder, change, text):
    arrays, description = stored(layered(2, (Layer(2, LIFParameters()),), 1.0, 15.0))
    write_arrays(folder.path / "graph.npz", arrays, None if change is None else description | change)
    with pytest.raises(ResultsError, match=text) as error:
        folder.read_graph()
    assert "\n" not in str(error.value)


def test_parameters_metrics_and_history_return(folder):
    folder.write_parameters(ARRAYS)
    assert_same_arrays(folder.read_parameters(), ARRAYS)
    folder.write_metrics({"test_accuracy": np.float64(0.98), "latency": np.inf, "n": np.int64(3), "x": None})
    assert folder.read_metrics() == {"test_accuracy": 0.98, "latency": None, "n": 3, "x": None}
    folder.write_history([{"epoch": 0, "train_loss": float("nan")}])
    assert folder.read_history() == [{"epoch": 0, "train_loss": None}]
    json.loads((folder.path / "history.json").read_text(), parse_constant=pytest.fail)


def test_what_is_not_there_yet_is_named(folder):
    for read in (folder.read_parameters, folder.read_graph, folder.read_metrics, folder.read_history,
                 lambda: folder.read_spikes("a")):
        with pytest.raises(ResultsError, match="yet"):
            read()
    (folder.path / "metrics.json").write_text("{")
    with pytest.raises(ResultsError, match=r"metrics\.json is damaged"):
        folder.read_metrics()


def spike_block():
    segment = neo.Segment(name="presentation")
    for times in ([1.0, 2.5 + 1e-15, 1 / 3 * 10], [], [7.25]):
        segment.spiketrains.append(neo.SpikeTrain(np.sort(times), units="ms", t_stop=20.0,
                                                  source_id=len(segment.spiketrains) + 11))
    block = neo.Block(name="hidden")
    block.segments.append(segment)
    return block


def test_spikes_return_bit_for_bit_and_the_block_stays_as_it_was(folder):
    block = spike_block()
    folder.write_spikes("after", block)
    assert folder.spike_names() == ["after"]
    assert os.listdir(folder.path / "spikes") == ["after.nix"]
    assert all("nix_name" not in part.annotations for part in [block, *block.children_recur])
    found = folder.read_spikes("after")
    trains = zip(block.segments[0].spiketrains, found.segments[0].spiketrains, strict=True)
    for expected, train in trains:
        np.testing.assert_array_equal(train.rescale(pq.ms).magnitude, expected.magnitude)
        assert train.annotations["source_id"] == expected.annotations["source_id"]
        assert train.t_stop == 20 * pq.ms
    folder.write_spikes("after", found)  # what was read can be written again, over itself
    assert len(folder.read_spikes("after").segments[0].spiketrains) == 3


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b"])
def test_names_stay_inside_the_folder(folder, name):
    with pytest.raises(ResultsError, match="no name for a file"):
        folder.write_spikes(name, spike_block())


def test_a_failed_write_leaves_the_old_file(folder, monkeypatch):
    folder.write_metrics({"a": 1})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultsError, match=r"cannot write .*metrics\.json: No space left"):
        folder.write_metrics({"a": 2})
    assert folder.read_metrics() == {"a": 1}
    assert not list(folder.path.glob("*.tmp"))


# -- what else a run folder may meet


def test_nothing_is_written_or_deleted_behind_links(folder, tmp_path):
    """A run folder that is handed on may hold links to anywhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in (f"a{LEFT}", "raster.png"):
        (elsewhere / name).write_text("precious")
    for name in ("figures", "spikes"):
        (folder.path / name).symlink_to(elsewhere)
    again = RunFolder.open(folder.path, writing=True)
    for write in (lambda: again.figure_path("raster.png"), lambda: again.write_spikes("a", spike_block())):
        with pytest.raises(ResultsError, match="is a link; nothing is written behind links"):
            write()
    assert {path.name: path.read_text() for path in elsewhere.iterdir()} == {f"a{LEFT}": "precious", "raster.png": "precious"}


def test_links_in_place_of_files_are_replaced(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = RunFolder.create(tmp_path / "run", CONFIGURATION)
    folder.save_checkpoint(ARRAYS, {"epoch": 1})
    for name in ("history.json", "metrics.json", "parameters.npz", "graph.npz", "versions.toml", "configuration.toml",
                 "run.lock.json"):
        (folder.path / name).unlink(missing_ok=True)
        (folder.path / name).symlink_to(victim)
    folder.write_history([{"epoch": 1}])
    folder.write_metrics({"a": 1})
    folder.write_parameters({"a>b.weight": [1.0]})
    folder.close()
    for name in ("configuration.toml", "run.lock"):
        (folder.path / name).unlink()
        (folder.path / name).symlink_to(victim)
    with pytest.raises(ResultsError):
        RunFolder.create(folder.path, CONFIGURATION, overwrite=True)  # no lock is taken through a link
    (folder.path / "run.lock").unlink()
    (folder.path / "configuration.toml").unlink()
    (folder.path / "configuration.toml").write_text("seed = 1")
    RunFolder.create(folder.path, CONFIGURATION, overwrite=True)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("afterwards", ["nothing", "another run"])
def test_a_run_folder_that_is_moved_does_not_come_back(folder, tmp_path, afterwards):
    folder.save_checkpoint(ARRAYS, {"epoch": 1})
    place, moved = folder.path, tmp_path / "moved"
    place.rename(moved)
    if afterwards == "another run":
        RunFolder.create(place, changed(seed=8)).close()
    before = files_in(place) if place.exists() else None
    for write in (lambda: folder.save_checkpoint(ARRAYS, {"epoch": 2}), lambda: folder.write_history([]),
                  lambda: folder.write_parameters({"a>b.weight": [1.0]}), lambda: folder.figure_path("a.png"),
                  lambda: folder.write_spikes("a", spike_block()), lambda: folder.write_bytes("model.py", b"")):
        with pytest.raises(ResultsError, match="moved, deleted or replaced.*--resume"):
            write()
    assert (files_in(place) if place.exists() else None) == before
    assert RunFolder.open(moved).load_checkpoint()[1]["epoch"] == 1


def test_versions_that_a_killed_process_did_not_write(folder):
    (folder.path / "versions.toml").unlink()
    RunFolder.open(folder.path)
    assert not (folder.path / "versions.toml").exists()
    RunFolder.open(folder.path, writing=True)
    assert "numpy" in RunFolder.open(folder.path).read_versions()["packages"]


@pytest.mark.parametrize("text, named", [
    ("model = 5", "model = 5 must be a text"), ('copies = "x"', "copies = 'x' must be a whole number"),
    ("copies = true", "copies = True must be"), ("training = []", r"training = \[\] must be a table"),
    ("hardware = 5", "hardware = 5 must be a table"), ('dt = "a"', "dt = 'a' must be a number"),
    ("classes = [1]", r"classes = \[1\] must be a list of short texts"), (f'classes = ["{"x" * 300}"]', r"xxx\.\.\. must be"),
    ("a." * 60 + "b = 1", "a key of more than 50 parts"), ("x = 1 #" + "y" * 300_000, "has 300007 bytes"),
    ("a = " + "9" * 100_000, "cannot be read")])
def test_a_configuration_of_another_kind_is_one_line(folder, text, named):
    (folder.path / "configuration.toml").write_text(text)
    with pytest.raises(ResultsError, match=named) as error:
        RunFolder.open(folder.path)
    assert "\n" not in str(error.value)
