"""What a full disk, a quota or a read-only folder does to a run folder. benchmarks/full_disk.py does it to training runs."""

import contextlib
import errno
import os
import subprocess

import numpy as np
import pytest

from tests.runs.test_folder import ARRAYS, CONFIGURATION, spike_block
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.runs.folder import RunFolder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX file systems")
LARGE = {"a": np.random.default_rng(0).random(40_000)}  # 320 kB


def refused_at(monkeypatch, call, number):
    """From its call-th fsync or rename on, the system refuses with that errno."""
    calls = [0]

    def counted(original):
        def function(*arguments):
            calls[0] += 1
            if calls[0] >= call:
                raise OSError(number, os.strerror(number))
            return original(*arguments)
        return function

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(os, "replace", counted(os.replace))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("call", range(1, 5))
def test_a_checkpoint_is_there_wherever_the_system_refuses(tmp_path, monkeypatch, call, number):
    folder = RunFolder.create(tmp_path / "run", CONFIGURATION)
    for epoch in (1, 2):
        folder.save_checkpoint(ARRAYS, {"epoch": epoch})
    with monkeypatch.context() as patch, pytest.raises(ResultsError, match=f"cannot write .*: {os.strerror(number)}"):
        refused_at(patch, call, number)
        folder.save_checkpoint(ARRAYS, {"epoch": 3})
    assert RunFolder.open(folder.path).load_checkpoint()[1]["epoch"] == (2 if call < 4 else 3)
    folder.save_checkpoint(ARRAYS, {"epoch": 4})  # when there is room again
    assert RunFolder.open(folder.path).load_checkpoint()[1:] == ({"epoch": 4}, None)


def assert_refuses_and_keeps(folder, text):
    """Every kind of file; what was there before is still whole, and nothing half written is left."""
    for write in (lambda: folder.write_parameters(LARGE), lambda: folder.save_checkpoint(LARGE, {"epoch": 9}),
                  lambda: folder.write_history([{"text": "x" * 300_000}]), lambda: folder.write_spikes("after", spike_block())):
        with pytest.raises(ResultsError, match=f"cannot write .*: {text}"):
            write()
    again = RunFolder.open(folder.path)
    assert again.load_checkpoint()[1] == {"epoch": 1} and again.read_parameters()["a>b.weight"] == [1.0]
    assert not list(folder.path.rglob("*.npz.*tmp")) and again.spike_names() == []


def filled(path):
    folder = RunFolder.create(path / "run", CONFIGURATION)
    folder.write_graph(layered(1, (Layer(1, LIFParameters()),), 1.0, 15.0))
    folder.write_parameters({"a>b.weight": [1.0]})
    folder.save_checkpoint(ARRAYS, {"epoch": 1})
    return folder


@contextlib.contextmanager
def mounted(path, options):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], capture_output=True)
    if done.returncode:
        pytest.skip("file systems can be mounted by root alone")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.skipif(not os.path.exists("/proc/mounts"), reason="Linux")
def test_a_disk_that_is_full(tmp_path, capfd):
    with mounted(tmp_path, "size=64k"), filled(tmp_path) as folder:
        assert_refuses_and_keeps(folder, "No space left on device")
    assert capfd.readouterr().err == ""  # HDF5 has nothing to say


@pytest.mark.skipif(not os.path.exists("/proc/mounts"), reason="Linux")
def test_a_folder_that_is_read_only(tmp_path):
    with mounted(tmp_path, "ro"), pytest.raises(ResultsError, match="cannot write into .*run: Read-only file system"):
        RunFolder.create(tmp_path / "run", CONFIGURATION)


def test_files_that_may_not_grow(tmp_path):
    import resource
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with filled(tmp_path) as folder:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, before[1]))
        try:
            assert_refuses_and_keeps(folder, "File too large")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
