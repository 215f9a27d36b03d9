"""NIR files: damaged and malicious ones get our error, and the command writes what a run trained."""

import sys

import numpy as np
import pytest

from tests.small_networks import small_architecture
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.protocols import export, train
from ttfs_pynn.runs.folder import RunFolder

h5py = pytest.importorskip("h5py")
nir = pytest.importorskip("nir")
from ttfs_pynn.interchange import from_nir, read_nir, to_nir, write_nir  # noqa: E402


@pytest.fixture
def file(tmp_path):
    architecture = small_architecture(5)
    path = tmp_path / "network.nir"
    write_nir(path, to_nir(architecture, architecture.initial_weights(np.random.default_rng(0))))
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
            assert all(np.isfinite(w).all() for w in found.weights)
            assert not sealed or found.architecture == whole.architecture
            assert not sealed or all(map(np.array_equal, found.weights, whole.weights))
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
    del nodes["weights0/weight"]
    nodes["weights0"].create_dataset("weight", (10**6, 10**6), "f8", chunks=(1000, 1000), compression="gzip")


def external(nodes, file):
    del nodes["weights0/weight"]
    nodes["weights0"].create_dataset("weight", (2, 2), "f8", external=[("/etc/passwd", 0, 32)])


def virtual(nodes, file):
    del nodes["weights0/weight"]
    layout = h5py.VirtualLayout((2, 2), "f8")
    layout[:] = h5py.VirtualSource("/somewhere/else.h5", "weight", (2, 2))
    nodes["weights0"].create_virtual_dataset("weight", layout)


def objects(nodes, file):
    nodes["weights0"].create_dataset("more", data=np.array([file.ref]), dtype=h5py.ref_dtype)


def link(nodes, file):
    nodes["elsewhere"] = h5py.ExternalLink("/somewhere/else.h5", "/node")


def cycle(nodes, file):
    nodes["weights0"]["again"] = nodes


@pytest.mark.parametrize("what, text", [
    (large, "arrays of more than 512 MiB"), (external, "lies in another file"), (virtual, "lies in another file"),
    (link, "elsewhere is a link to somewhere else"), (cycle, "again contains itself"),
    (objects, "holds neither numbers nor text"),
    (lambda nodes, file: nodes["weights0"].create_dataset("unknown", data=1.0), "cannot be read as NIR: TypeError"),
    (lambda nodes, file: file["node"].create_dataset("type_check", data=False), "cannot be read as NIR: ValueError"),
])
def test_malicious_files(file, what, text):
    plant(file, what)
    with pytest.raises(InterchangeError, match=text):
        load(file)


def metadata(name, **values):
    def change(nodes, file):
        table = nodes[name]["metadata/ttfs_pynn"]
        for key, value in values.items():
            table.pop(key, None)
            if value is not None:
                table[key] = value
    return change


@pytest.mark.parametrize("what, text", [
    (metadata("input", n_inputs=9), "node 'input' has 7 elements, which its metadata do not describe"),
    (metadata("input", bias_times0=None), "which its metadata do not describe"),
    (metadata("input", bias_times0="noon"), "bias_times0 holds .*, not real numbers"),
    (metadata("input", bias_times0=[[1.0, 2.0]]), "bias_times0 must be a list of times"),
    (metadata("input", bias_times0=[-1.0, 2.0]), "bias times .* must be finite and not negative"),
    (metadata("neurons0", tau_m=-1.0), "node 'neurons0': .* tau_m = -1.0 must be positive"),
    (metadata("neurons0", tau_m=None), "node 'neurons0': .* do not describe neurons: 'tau_m'"),
    (metadata("neurons0", tau_m="ten"), "node 'neurons0': .*not real numbers"),
    (metadata("neurons0", weight_std="wide"), "node 'neurons0': weight_std"),
    (metadata("neurons0", weight_mean=[1.0, 2.0]), r"node 'neurons0': weight_mean has shape \(2,\); .* each of its \d+ neurons"),
    (metadata("weights0", weights=[1.0]), "node 'weights0': weights of shape"),
])
def test_metadata_that_contradict_the_graph(file, what, text):
    plant(file, what)
    with pytest.raises(InterchangeError, match=text):
        load(file)


def test_export_of_a_run(tmp_path, capsys):
    folder, path = tmp_path / "run", tmp_path / "files" / "yy.nir"
    train.main(["yin_yang", "--backend", "arrays", "--epochs", "1", "--seed", "3", "--output", str(folder), "--quiet"])
    export.main([str(folder), "--format", "nir", "--output", str(path), "--time-step", "0.01"])
    assert "1200 weights, for steps of 0.01 ms" in capsys.readouterr().out
    found, stored = load(path), RunFolder.open(folder).read_weights()
    assert all(np.array_equal(w, stored[f"w{k}"]) for k, w in enumerate(found.weights))
    assert found.architecture.layers[0].bias_times == (1.5, 9.0, 16.0) and found.architecture.n_inputs == 4
    for arguments, text in (([str(tmp_path)], "is not a run folder"), ([str(folder), "--time-step", "-1"], "time_step = -1.0")):
        with pytest.raises(SystemExit) as stop:
            run(export.main, [*arguments, "--output", str(tmp_path / "no.nir")])
        assert stop.value.code == 2 and text in capsys.readouterr().err and not (tmp_path / "no.nir").exists()


def test_without_the_package_nir(monkeypatch, capsys, tmp_path):
    for name in [name for name in sys.modules if name.startswith("ttfs_pynn.interchange")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(SystemExit):
        run(export.main, [str(tmp_path), "--output", str(tmp_path / "no.nir")])
    assert capsys.readouterr().err == "error: the package nir is not installed; install it with: pip install 'ttfs_pynn[nir]'\n"
