"""Files made to do harm: one line, status 2, little memory. benchmarks/hostile_files.py has 400 of them."""

import os

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits of memory, and fork")
pytest.importorskip("nir")
hostile_files = pytest.importorskip("benchmarks.hostile_files", reason="needs POSIX")

# Bombs and what once crashed, of each kind.
SOME = {
    "TOML": ("model = 5", "copies = 1000000000", 'copies = "x"', "tau_m = [1, 1, 1]", "training = []", "hardware = 5",
             "hidden = 1000000000", "cm = true", "a key of 100,000 parts", "a number of 100,000 digits", "sparse, 64 GiB"),
    "JSON": ("history: pipe", "history: device", "history: 3 million empty lists", "history: wrong types",
             "comparison: an empty table", "robustness: null", "early spikes: a number"),
    "npz": ("parameters.npz: compressed: 8 MB for 8 GiB", "parameters.npz: members that overlap",
            "parameters.npz: an array of 8 GB in 100 bytes", "parameters.npz: a shape of 2^32 x 2^32 x 0",
            "parameters.npz: a header of 64 kB of brackets", "parameters.npz: complex weights",
            "checkpoint: weights of another shape"),
    "IDX": ("gzip, 6 MB for 6 GiB, announced", "gzip, 6 GiB without a header", "(2^32-1, 0, 2^32-1)", "a pipe",
            "sparse, 64 GiB"),
    "NIX": ("an array of 16 GiB without content", "an array of 16 GiB without content, sealed", "600 MB of zeros, compressed",
            "a link to another file", "an array in another file", "groups that contain themselves", "2^40 ways to a group"),
    "NIR": ("an array of 2^50 bytes, compressed", "2^40 ways to a group", "groups that contain themselves",
            "a soft link to itself"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return hostile_files.base_run(tmp_path_factory.mktemp("hostile") / "run")


@pytest.mark.parametrize("kind", SOME)
def test_hostile_files_are_refused_with_one_line(base, tmp_path, kind):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    known = {case.name: case for case in hostile_files.cases(kind, base, scratch)}
    assert len(known) >= 30
    for number, name in enumerate(SOME[kind]):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = hostile_files.outcome(known[name], folder, seconds=60)
        assert found.right and found.megabytes < 1024, (name, found)


def test_a_bomb_on_a_page_takes_no_memory(base, tmp_path):
    """A report names what it cannot show, and shows the rest."""
    from ttfs_pynn.analysis import report
    known = {case.name: case for case in hostile_files.cases("npz", base, tmp_path)}
    bomb = known["parameters.npz: compressed: 8 MB for 8 GiB"]
    case = hostile_files.Case(bomb.name, lambda folder: bomb.make(folder)[:1], report.main)
    found = hostile_files.outcome(case, tmp_path, seconds=60)
    assert found.status == 0 and found.megabytes < 1024
    page = (tmp_path / "run" / "report.html").read_text()
    assert "its members are compressed" in page and "test accuracy" in page
