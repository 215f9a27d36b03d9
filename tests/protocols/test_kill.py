"""A training process is stopped by a signal and continued. benchmarks/kill_resume.py does it at 60 random moments."""

import os
import signal
import subprocess
import sys

import pytest

from benchmarks.kill_resume import killed_and_resumed, undisturbed
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.protocols import demo, reproduce, train
from ttfs_pynn.runs.experiment import Experiment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no POSIX signals")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return undisturbed(tmp_path_factory.mktemp("kill") / "whole", epochs=3)


@pytest.mark.parametrize("number, moment", [(signal.SIGKILL, 0.6), (signal.SIGTERM, 0.85)])
def test_resumed_run_equals_the_undisturbed_one(tmp_path, whole, number, moment):
    expected, seconds = whole
    assert killed_and_resumed(tmp_path / "run", 3, moment * seconds, number)[0] == expected


PROGRAM = """
import signal, time
from ttfs_pynn.commands.command_line import run

def main(_):
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("unwound", flush=True)
        time.sleep({pause})

run(main)
"""


def program(pause):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM.format(pause=pause)], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_one_line(number, status):
    process = program(pause=0)
    process.send_signal(number)
    output, errors = process.communicate()
    assert process.returncode == status and output == "unwound\n"
    assert errors == f"stopped by {number.name}; all files are whole\n"


def stopped(capsys, main, arguments):
    """The line of a command that SIGINT ends."""
    with pytest.raises(SystemExit) as stop:
        run(main, arguments)
    error = capsys.readouterr().err
    assert stop.value.code == 130 and error.startswith("stopped by SIGINT; all files are whole") and error.count("\n") == 1
    return error


def test_what_can_go_on_says_how(capsys, monkeypatch):
    monkeypatch.setattr(reproduce, "parser", lambda: signal.raise_signal(signal.SIGINT))
    assert "the same command goes on" in stopped(capsys, reproduce.main, [])


@pytest.mark.parametrize("place, made", [("network", False), ("record_sample", True), ("finish", True)])
def test_a_run_can_be_resumed_once_there_is_one(capsys, monkeypatch, tmp_path, place, made):
    """Before its folder is made there is nothing to resume, and nothing is said about it."""
    monkeypatch.setattr(Experiment, place, lambda *_, **__: signal.raise_signal(signal.SIGINT))
    error = stopped(capsys, train.main, ["digits", "--epochs", "1", "--quiet", "--output", str(tmp_path / "run")])
    assert ("with --resume continues it" in error) == made == (tmp_path / "run").exists()


def test_a_demo_has_no_resume(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(Experiment, "record_sample", lambda *_: signal.raise_signal(signal.SIGINT))
    error = stopped(capsys, demo.main, ["--epochs", "1", "--quiet", "--output", str(tmp_path / "demo")])
    assert "begins anew" in error and "resume" not in error


def test_a_second_signal_ends_it_at_once():
    process = program(pause=60)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "unwound\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGINT and errors == ""


def test_ignored_signals_stay_ignored_and_handlers_are_put_back():
    def own(*_):
        raise AssertionError

    before = signal.signal(signal.SIGINT, signal.SIG_IGN), signal.signal(signal.SIGTERM, own)
    try:
        with pytest.raises(SystemExit) as stop:
            run(lambda _: signal.raise_signal(signal.SIGINT))
        assert stop.value.code == 0 and signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
