import errno
import os
import signal
import subprocess
import sys
import threading

import pytest

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.run_lock import RunLock
from ttfs_pynn.runs.folder import RunFolder

CONFIGURATION = {"seed": 7, "epochs": 30}
HOLDER_FILE = "run.lock.json"
HOLDER = """
import sys
from ttfs_pynn.runs.folder import RunFolder
folder = RunFolder.open(sys.argv[1], writing=True)
print("held", flush=True)
sys.stdin.read()
"""
TAKER = """
import sys
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.runs.folder import RunFolder
try:
    RunFolder.open(sys.argv[1], writing=True)
    print("taken")
except ResultsError as error:
    print(error)
"""


@pytest.fixture
def folder(tmp_path):
    with RunFolder.create(tmp_path / "run", CONFIGURATION) as made:
        made.write_parameters({"a>b.weight": [1.0]})
    return made.path


@pytest.fixture
def holder(folder):
    """Another process that writes the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_writer_is_told_who_writes(folder, holder):
    with pytest.raises(ResultsError, match=rf"being written by process {holder.pid} on \S+ since 20\d\d-.*; let it end"):
        RunFolder.open(folder, writing=True)
    before = sorted(folder.iterdir())
    with pytest.raises(ResultsError, match=f"process {holder.pid} "):
        RunFolder.create(folder, {"seed": 8}, overwrite=True)
    assert sorted(folder.iterdir()) == before and RunFolder.open(folder).configuration == CONFIGURATION


def test_readers_need_no_lock(folder, holder):
    assert RunFolder.open(folder).read_parameters()["a>b.weight"] == [1.0]


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_the_lock_of_a_killed_process_is_free(folder, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (folder / HOLDER_FILE).exists()  # what a killed process leaves
    with RunFolder.open(folder, writing=True):
        assert f'"pid": {os.getpid()}' in (folder / HOLDER_FILE).read_text()


@pytest.mark.parametrize("text", ["", "[]", "{}", "\0"])
def test_who_writes_may_be_unreadable(folder, holder, text):
    (folder / HOLDER_FILE).write_text(text)
    with pytest.raises(ResultsError, match="being written by another process"):
        RunFolder.open(folder, writing=True)


def taken(folder):
    """What another process says that would write the folder."""
    return subprocess.run([sys.executable, "-c", TAKER, str(folder)], capture_output=True, text=True, check=True).stdout.strip()


def test_held_until_the_last_holder_of_a_process_lets_go(folder):
    first = RunFolder.open(folder, writing=True)
    with RunFolder.open(folder.parent / "." / "run", {"seed": 7, "epochs": 40}, writing=True):
        pass
    assert f"process {os.getpid()} " in taken(folder)
    first.close()
    first.close()
    assert taken(folder) == "taken"


def test_a_run_folder_that_nobody_refers_to_is_free(folder):
    RunFolder.open(folder, writing=True)
    assert taken(folder) == "taken"


def test_two_threads_cannot_write_one_folder(folder):
    problems = []

    def other():
        try:
            RunFolder.open(folder, writing=True)
        except ResultsError as error:
            problems.append(str(error))

    with RunFolder.open(folder, writing=True):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(problems) == 1 and f"process {os.getpid()} " in problems[0]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
@pytest.mark.skipif(os.name == "nt", reason="no flock")
def test_a_file_system_without_locks_gets_a_file_that_names_its_holder(folder, monkeypatch, number):
    import fcntl

    def no_locks(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    lock = RunLock(folder)
    code = f"import fcntl\ndef no_locks(*_):\n    raise OSError({number}, '')\nfcntl.flock = no_locks\n{TAKER}"
    ask = [sys.executable, "-c", code, str(folder)]
    assert f"process {os.getpid()} " in subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    lock.release()
    assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip() == "taken"
    RunLock(folder).release()  # taken over from the process that ended without letting go


def test_a_folder_that_cannot_be_written(folder, monkeypatch):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(ResultsError, match="cannot write into .*run: Read-only file system"):
        RunLock(folder)
