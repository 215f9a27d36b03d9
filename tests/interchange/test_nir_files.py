"""NIR files: damaged and malicious ones get our error, and the command writes what a run trained."""

import sys

import numpy as np
import pytest

from tests.interchange.networks import assert_same, assert_same_values, chain
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.protocols import export, train
from ttfs_pynn.runs.folder import RunFolder

h5py = pytest.importorskip("h5py")
nir = pytest.importorskip("nir")
from ttfs_pynn.interchange import from_nir, read_nir, to_nir, write_nir  # noqa: E402


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "network.nir"
    write_nir(path, to_nir(*chain(5)))
    return path


def load(path):
    return from_nir(read_nir(path))


SEAL = len("sha256:") + 64


@pytest.mark.parametrize("sealed", [True, False])
def test_flipped_and_truncated_files_give_our_error_or_a_network(file, sealed):
    """From a file of ours comes nothing wrong. From one of elsewhere, without checksum, a network of finite numbers or our error,
    whatever a byte does."""
    content, rng, refused = file.read_bytes(), np.random.default_rng(1), 0
    whole = load(file)
    content = content if sealed else content[:-SEAL]
    for k in range(80):
        damaged = bytearray(content[:rng.integers(len(content))] if k % 3 == 0 else content)
        for place in rng.integers(len(damaged), size=rng.integers(1, 8)) if damaged else ():
            damaged[place] ^= 1 << rng.integers(8)
        file.write_bytes(damaged)
        try:
            found = load(file)
            assert all(np.isfinite(array).all() for array in found.parameters.values())
            if sealed:
                assert_same(found.graph, whole.graph)
                assert_same_values(found.parameters, whole.parameters)
        except InterchangeError as error:
            assert str(error)
            refused += 1
    assert refused > 25


def test_no_file_no_hdf5_no_graph(tmp_path):
    with pytest.raises(InterchangeError, match="is no file"):
        read_nir(tmp_path / "missing.nir")
    with pytest.raises(InterchangeError, match="is no file"):
        read_nir(tmp_path)
    (tmp_path / "text.nir").write_text("no HDF5")
    with pytest.raises(InterchangeError, match="cannot be read as HDF5"):
        read_nir(tmp_path / "text.nir")
    with h5py.File(tmp_path / "empty.nir", "w"):
        pass
    with pytest.raises(InterchangeError, match="cannot be read as NIR: KeyError"):
        read_nir(tmp_path / "empty.nir")
    nir.write(tmp_path / "node.nir", nir.Linear(np.ones((2, 2))))
    with pytest.raises(InterchangeError, match="cannot be read as NIR: TypeError: Linear"):
        read_nir(tmp_path / "node.nir")


def plant(path, what):
    with h5py.File(path, "r+") as file:
        nodes = file["node/nodes"]
        what(nodes, file)


def large(nodes, file):
    del nodes["input_to_layer0/weight"]
    nodes["input_to_layer0"].create_dataset("weight", (10**6, 10**6), "f8", chunks=(1000, 1000), compression="gzip")


def external(nodes, file):
    del nodes["input_to_layer0/weight"]
    nodes["input_to_layer0"].create_dataset("weight", (2, 2), "f8", external=[("/etc/passwd", 0, 32)])


def virtual(nodes, file):
    del nodes["input_to_layer0/weight"]
    layout = h5py.VirtualLayout((2, 2), "f8")
    layout[:] = h5py.VirtualSource("/somewhere/else.h5", "weight", (2, 2))
    nodes["input_to_layer0"].create_virtual_dataset("weight", layout)


def objects(nodes, file):
    nodes["input_to_layer0"].create_dataset("more", data=np.array([file.ref]), dtype=h5py.ref_dtype)


def link(nodes, file):
    nodes["elsewhere"] = h5py.ExternalLink("/somewhere/else.h5", "/node")


def cycle(nodes, file):
    nodes["input_to_layer0"]["again"] = nodes


@pytest.mark.parametrize("what, text", [
    (large, "arrays of more than 512 MiB"), (external, "lies in another file"), (virtual, "lies in another file"),
    (link, "elsewhere is a link to somewhere else"), (cycle, "again contains itself"),
    (objects, "holds neither numbers nor text"),
    (lambda nodes, file: nodes["input_to_layer0"].create_dataset("unknown", data=1.0), "cannot be read as NIR: TypeError"),
    (lambda nodes, file: file["node"].create_dataset("type_check", data=False), "cannot be read as NIR: ValueError"),
])
def test_malicious_files(file, what, text):
    plant(file, what)
    with pytest.raises(InterchangeError, match=text):
        load(file)


def metadata(**values):
    def change(nodes, file):
        table = file["node/metadata/ttfs_pynn"]
        for key, value in values.items():
            for place in (table, table["arrays"], table["parameters"]):
                place.pop(key, None)
            if value is not None:
                (table["parameters"] if "weight" in key else table)[key] = value
    return change


def network(old, new):
    """Another text in the description of the network."""
    def change(nodes, file):
        text = file["node/metadata/ttfs_pynn/network"][()].decode()
        assert old in text
        metadata(network=text.replace(old, new))(nodes, file)
    return change


W = "input%3Elayer0.weight"


@pytest.mark.parametrize("what, text", [
    (network('"size": 4', '"size": 5'), "describe no network: .*weight has shape"),
    (network('"label": "bias1"', '"label": "biased"'), "describe no network: .*unknown population 'bias1'"),
    (network('"tau_m": 10.0', '"tau_m": -1.0'), "describe no network: .*tau_m = -1.0 must be positive"),
    (network('"tau_m": 10.0', '"tau_m": "ten"'), "describe no network"),
    (network('"format": 1', '"format": 99'), "describe no network: .*a graph of format 99"),
    (network('"label": "layer0"', '"label": "layer9"'), "describe no network"),
    (metadata(network="{"), "describe no network"), (metadata(network="[" * 100000), "describe no network"),
    (metadata(network=[1.0, 2.0]), "describe no network"), (metadata(arrays=1.0), "describe no network"),
    (metadata(**{W: None}), "describe no network: input>layer0.weight missing"),
    (metadata(**{W: "wide"}), "describe no network: "), (metadata(**{W: [1.0]}), r"describe no network: .*shape \(1,\)"),
    (metadata(t_early="noon"), "t_early holds .*, not real numbers"), (metadata(t_early=99.0), "input times from 99 to 20 ms"),
])
def test_metadata_that_contradict_the_graph(file, what, text):
    plant(file, what)
    with pytest.raises(InterchangeError, match=text):
        load(file)


def test_metadata_of_another_network(file, tmp_path):
    write_nir(tmp_path / "other.nir", to_nir(*chain(6)))
    with h5py.File(tmp_path / "other.nir") as other, h5py.File(file, "r+") as mine:
        del mine["node/metadata"]
        other.copy("node/metadata", mine["node"])
    with pytest.raises(InterchangeError, match="are not those that its metadata describe: .* take the metadata"):
        load(file)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    train.main(["yin_yang", "--backend", "arrays", "--epochs", "1", "--seed", "3", "--output", str(folder), "--quiet"])
    return folder


def test_export_of_a_run(tmp_path, capsys, trained):
    path = tmp_path / "files" / "yy.nir"
    export.main([str(trained), "--format", "nir", "--output", str(path), "--time-step", "0.01"])
    assert "1200 weights, for steps of 0.01 ms" in capsys.readouterr().out
    found, folder = load(path), RunFolder.open(trained)
    assert_same(found.graph, folder.read_graph())
    assert_same_values(found.parameters, folder.read_parameters())
    assert found.graph.node("bias0").times.tolist() == [1.5, 9.0, 16.0]


def test_export_as_script_and_as_sonata(tmp_path, capsys, trained):
    export.main([str(trained), "--format", "pynn", "--output", str(tmp_path / "yy.py"), "--samples", "7"])
    assert "7 samples; to run it: python" in capsys.readouterr().out
    with np.load(tmp_path / "yy_samples.npz", allow_pickle=False) as held:
        assert held["input.times"].shape == (7, 4) and held["labels"].shape == (7,)
    export.main([str(trained), "--format", "sonata", "--output", str(tmp_path / "yy"), "--samples", "2", "--time-step", "0.05"])
    assert "2 samples" in capsys.readouterr().out and (tmp_path / "yy" / "run_sonata.py").is_file()
    assert '"dt": 0.05' in (tmp_path / "yy" / "simulation_config.json").read_text()


@pytest.mark.parametrize("arguments, text", [
    (["--format", "nir", "--time-step", "-1"], "time_step = -1.0"),
    (["--format", "nir", "--samples", "3"], "a NIR file holds no samples"),
    (["--format", "pynn", "--time-step", "1"], "the script takes any, with --dt"), (["--format", "pynn"], "ends in .py"),
    (["--format", "sonata", "--samples", "0"], "--samples 0: the test set has 1 to 1000"),
    (["--format", "sonata", "--time-step", "0"], "a time step of 0 ms"), (["--format", "neuroml"], "invalid choice")])
def test_what_cannot_be_exported_is_one_line(tmp_path, capsys, trained, arguments, text):
    with pytest.raises(SystemExit) as stop:
        run(export.main, [str(trained), *arguments, "--output", str(tmp_path / "out")])
    assert stop.value.code == 2 and text in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind, name", [("nir", "yy.nir"), ("pynn", "yy.py"), ("pynn", "yy.npz"), ("sonata", "yy")])
def test_nothing_is_replaced(tmp_path, capsys, trained, kind, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(SystemExit) as stop:
        run(export.main, [str(trained), "--format", kind, "--output", str(tmp_path / name).replace(".npz", ".py")])
    assert stop.value.code == 2 and "exists; give another --output" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_without_the_package_nir(monkeypatch, capsys, tmp_path):
    for name in [name for name in sys.modules if name.startswith("ttfs_pynn.interchange")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(SystemExit):
        run(export.main, [str(tmp_path), "--format", "nir", "--output", str(tmp_path / "no.nir")])
    assert capsys.readouterr().err == "error: the package nir is not installed; install it with: pip install 'ttfs_pynn[nir]'\n"
