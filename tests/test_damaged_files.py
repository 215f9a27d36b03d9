"""No file of a user crashes a reader, is taken for what it is not where it has a checksum, or runs a program.

benchmarks/fuzz_files.py does the first two with 100,000 files.
"""

import ast
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz_files import make_files, outcomes, outcomes_in_children
from ttfs_pynn.analysis.neo_files import read_blocks
from ttfs_pynn.brainscales2.dlens import sta
from ttfs_pynn.comparison.record import read_records
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import DamagedFile, read_arrays, sealed, write_arrays
from ttfs_pynn.runs.folder import RunFolder

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("files"))


def kinds():
    return ["checkpoint.npz", "parameters.npz", "graph.npz", "decisions.npz", "spikes/*.nix", "chip profile", "virtual chip",
            "comparison record",
            "IDX images, gzip", "IDX images", "IDX labels", "configuration.toml", "history.json", "metrics.json",
            "comparison.json", "vendor's settings"]


@pytest.mark.parametrize("kind", kinds())
def test_damaged_files_are_refused(files, kind):
    found = outcomes(kind, files, [[9, k] for k in range(60)])
    assert found["refused"] > 20  # of the rest the damage hit nothing, or text and pixels
    assert set(found) <= {"refused", "same", "undamaged"} | (set() if files[kind][3] else {"other"})


def test_nix_files_of_others_are_read_or_refused(files):
    found = outcomes_in_children("NIX of others", [[9, k] for k in range(15)])
    assert found["refused"] > 3 and set(found) <= {"refused", "same", "other", "undamaged"}


def test_all_kinds_are_tested(files):
    assert {*kinds(), "NIX of others"} == set(files)


class Harm:
    """Its pickle makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_in_an_archive_is_not_loaded(tmp_path):
    """With the checksum in order, so that nothing but the reader itself is in its way."""
    harm = tmp_path / "harm"
    array = np.array([Harm(harm)], dtype=object)
    buffer = io.BytesIO()
    np.savez(buffer, w0=array)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"sha256:" + b"0" * 64
    path = tmp_path / "parameters.npz"
    path.write_bytes(sealed(buffer.getvalue()[:-71]))
    with pytest.raises(DamagedFile, match="not written by write_arrays"):
        read_arrays(path)
    np.load(path, allow_pickle=True)["w0"]
    assert harm.exists()  # the file would have done it


@pytest.mark.parametrize("name", ["spikes.pkl", "spikes.pickle"])
def test_pickled_spikes_are_not_loaded(tmp_path, name):
    harm = tmp_path / "harm"
    (tmp_path / name).write_bytes(pickle.dumps(Harm(harm)))
    with pytest.raises(ResultsError, match="a pickle can run any program.*NIX"):
        read_blocks(tmp_path / name)
    assert not harm.exists()


@pytest.mark.parametrize("container, coordinate", [("Chip", "json"), ("copy", "ChipOnDLS"), ("Chip", "Chip"),
                                                   ("__doc__", "ChipOnDLS")])
def test_a_text_of_settings_calls_nothing_else(container, coordinate):
    text = json.dumps([{"coordinate": coordinate, "number": 0, "container": container, "values": {}}])
    with pytest.raises(ValueError, match="no configuration"):
        sta.from_json(sta.DumperDone(), text)


def test_a_sealed_file_of_another_kind_is_named(tmp_path):
    path = tmp_path / "other.npz"
    write_arrays(path, {"a": np.zeros(2)}, {"labels": ["x"]})
    with pytest.raises(ResultsError, match="no record of a comparison"):
        read_records(path)
    folder = RunFolder.create(tmp_path / "run", {"seed": 1})
    write_arrays(folder.path / "checkpoint.npz", {"a": np.zeros(2)})
    with pytest.raises(ResultsError, match="checkpoint.npz is no checkpoint"):
        folder.load_checkpoint()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": 1', "\ud800".encode("utf-8", "surrogatepass"), "7", '[1, 2]', '"x"'])
def test_json_of_another_kind(tmp_path, text):
    folder = RunFolder.create(tmp_path / "run", {"seed": 1})
    for name, read in (("metrics.json", folder.read_metrics), ("history.json", folder.read_history)):
        (folder.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ResultsError, match=f"{name} is damaged"):
            read()


def test_toml_that_is_nested_too_deeply(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {"seed": 1})
    (folder.path / "configuration.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(ResultsError, match="cannot be read"):
        RunFolder.open(folder.path)


_DANGEROUS = {"eval", "exec", "compile", "__import__"}
_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "yaml", "torch"}


def dangers(path):
    """What in a source file could run the content of a data file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (name for name in names if name.split(".")[0] in _MODULES)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in _DANGEROUS:
                yield f"{name}()"
            elif name in ("np.load", "numpy.load") and not any(k.arg == "allow_pickle" and ast.unparse(k.value) == "False"
                                                               for k in node.keywords):
                yield "np.load without allow_pickle=False"
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            yield "allow_pickle"


def test_no_source_loads_pickles_or_evaluates_text():
    sources = [path for part in ("ttfs_pynn", "models", "protocols", "analysis") for path in sorted((ROOT / part).rglob("*.py"))]
    assert len(sources) > 100
    found = {str(path.relative_to(ROOT)): sorted(set(dangers(path))) for path in sources}
    assert {path: what for path, what in found.items() if what} == {}
