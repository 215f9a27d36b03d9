"""Child processes run nothing of the current folder, and end with their parent."""

import os
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.planted_files import executed, plant
from ttfs_pynn.processes import PARENT_LOST, ChildProcess, away_from_folder
from ttfs_pynn.simulators import simulator

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def say(arguments, given=None):
    """What a child does: it writes down what it was given and what it is."""
    path, seconds = arguments
    with open(path, "w") as file:
        file.write(f"{os.getpid()} {sys.stdin.read()!r} {given}")
    if seconds == "compute":
        10 ** (10**9)  # Python's arithmetic does not let other threads run
    time.sleep(float(seconds))
    return 7


def _given(path):
    until = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return path.read_text()


def test_arguments_status_and_standard_input(tmp_path):
    with ChildProcess("tests.test_processes:say", [str(tmp_path / "a"), "0"], given={"x": "y" * 200_000}) as child:
        assert child.wait(60) == 7 and child.poll() == 7
    text = (tmp_path / "a").read_text()
    assert text.startswith(f"{child.pid} '' {{'x': 'yyy") and len(text) > 200_000


def test_the_end_of_the_block_ends_the_child(tmp_path):
    with ChildProcess("tests.test_processes:say", [str(tmp_path / "a"), "60"]) as child:
        _given(tmp_path / "a")
        with pytest.raises(TimeoutError):
            child.wait(0.01)
    assert child.wait() == -signal.SIGKILL


PARENT = """
import sys, time
sys.path.insert(0, sys.argv[3])
from ttfs_pynn.processes import ChildProcess
child = ChildProcess("tests.test_processes:say", sys.argv[1:3])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("seconds", ["60", pytest.param("compute", marks=pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only there the kernel ends a child that computes"))])
def test_a_child_ends_when_its_parent_is_killed(tmp_path, seconds):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "a"), seconds, root], text=True,
                              stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    _given(tmp_path / "a")
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_child_ends_when_its_standard_input_does(tmp_path):
    child = ChildProcess("tests.test_processes:say", [str(tmp_path / "a"), "60"])
    _given(tmp_path / "a")
    child._process.stdin.close()
    assert child.wait(30) == PARENT_LOST


def test_nothing_of_the_current_folder_runs_in_a_child(tmp_path, monkeypatch):
    place, mark = tmp_path / "place", tmp_path / "mark"
    place.mkdir()
    plant(place, mark)
    monkeypatch.chdir(place)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with ChildProcess("tests.test_processes:say", [str(tmp_path / "a"), "0"]) as child:
        assert child.wait(120) == 7
    assert executed(mark) == []


CACHED = "from numba import njit\n@njit(cache=True)\ndef add(x):\n    return x + 1\nadd(1)\n"
LOAD = """
import runpy, sys
from ttfs_pynn.processes import away_from_folder
with away_from_folder():  # as the command ttfs-pynn imports what it runs
    from ttfs_pynn.simulators import simulator
    import numba
simulator(sys.argv[1]).load()
runpy.run_path(sys.argv[2])
"""


@pytest.mark.parametrize("name", ["exact", "brian2", "nest", "neuron"])
def test_simulators_run_nothing_of_the_current_folder(tmp_path, name):
    """Brian2 evaluates its preferences, NEURON loads a library, Numba reads its configuration when it compiles."""
    pytest.importorskip(simulator(name).needs)
    place, mark = tmp_path / "place", tmp_path / "mark"
    place.mkdir()
    plant(place, mark)
    (tmp_path / "add.py").write_text(CACHED)
    done = subprocess.run([sys.executable, "-P", "-c", LOAD, name, str(tmp_path / "add.py")], cwd=place, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    assert executed(mark) == []


@pytest.mark.parametrize("options, code, found", [
    ([], "import numpy", "numpy.py"), (["-P"], "import brian2", "brian_preferences"), (["-P"], "import neuron", "libnrnmech.so"),
    (["-P"], "", ".numba_config.yaml")])
def test_what_is_planted_would_be_executed(tmp_path, options, code, found):
    """Else the tests above could not fail."""
    place, mark = tmp_path / "place", tmp_path / "mark"
    place.mkdir()
    plant(place, mark)
    if found == ".numba_config.yaml":
        pytest.importorskip("yaml")
        (tmp_path / "add.py").write_text(CACHED)
        code = f"import runpy; runpy.run_path({str(tmp_path / 'add.py')!r})"
    done = subprocess.run([sys.executable, *options, "-c", code], cwd=place, capture_output=True, text=True)
    if "No module named" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert found in executed(mark), done.stderr


def test_away_from_the_folder_and_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", "/somewhere/else", *sys.path])
    before = list(sys.path)
    with away_from_folder():
        assert os.getcwd() != str(tmp_path) and "" not in sys.path
    assert os.getcwd() == str(tmp_path) and sys.path == before
