"""SIGKILL at some of the calls that change a file; benchmarks/crash_points.py does it at every one."""

import subprocess
import sys

import pytest

from benchmarks.crash_points import environment


def killed(tmp_path, scenario, *options):
    """What the harness says of a scenario, in a process with the calls counted."""
    variables = environment(tmp_path)
    if variables is None:
        pytest.skip("this needs Linux and a C compiler")
    done = subprocess.run([sys.executable, "-m", "benchmarks.crash_points", "--only", scenario, *options], env=variables,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_killed_export_leaves_what_the_next_one_completes(tmp_path):
    text = killed(tmp_path, "export", "--every", "2")
    assert "killed at 3 of 3" in text and "same files and bits afterwards: 3 of 3" in text


@pytest.mark.slow
@pytest.mark.parametrize("scenario, every", [("train, delays", 5), ("sweep of 6 runs", 9), ("evaluate", 2), ("report", 1)])
def test_the_same_command_again_leaves_what_an_undisturbed_one_does(tmp_path, scenario, every):
    killed(tmp_path, scenario, "--every", str(every))
