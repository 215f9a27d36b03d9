"""Every script of benchmarks/ starts, and those that are quick run at a small size."""

import importlib
import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import against_others, chip_speed, projection_arrays, speed

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem != "__init__")
WITH_OPTIONS = [name for name in SCRIPTS if "ArgumentParser(" in (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")]
SMALL = {
    "fuzz_networks": ["--networks", "3", "--reference", "1"],
    "synaptic_events": ["--doublings", "1", "--neurons", "40", "--indegree", "5", "--duration", "5"],
    "initial_weights": ["--models", "yin_yang", "--first", "1", "--epochs", "1", "--seeds", "1", "--samples", "50"],
    "image_speed": ["--images", "160", "--repeats", "1"],
    "integrated_cells": ["--cells", "5", "--time", "30", "--models", "IF_cond_exp", "--without-nest"],
    "memory_growth": ["--presentations", "10", "--samples", "1"],
}


def called(name, arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    importlib.import_module(f"benchmarks.{name}").main()


def test_mutation_in_a_process_of_its_own():
    """Its import turns compilation off (NUMBA_DISABLE_JIT)."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.mutation", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode and "usage:" in done.stdout, done.stderr


@pytest.mark.parametrize("name", [name for name in WITH_OPTIONS if name != "mutation"])
def test_every_script_can_be_imported_and_says_what_it_does(name, monkeypatch, capsys):
    module = importlib.import_module(f"benchmarks.{name}")
    if not hasattr(module, "main") or "parse_args" not in inspect.getsource(module.main):
        return  # its options are read where the module is run: it was imported
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert not ended.value.code and "usage:" in capsys.readouterr().out


@pytest.mark.parametrize("name", SMALL)
def test_small_runs(name, monkeypatch, capsys):
    called(name, SMALL[name], monkeypatch)
    found = capsys.readouterr().out
    assert found.strip() and "WRONG" not in found and "CRASHED" not in found


def test_speed_prints_both_ways_and_the_share_of_the_limit(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(speed.Clock, "now", speed.Clock.now)
    speed.main(["--network", "4-5-3", "--samples", "20", "--batch", "10", "--spiking", "1", "--repeats", "1", "--cpu",
                "--json", str(tmp_path / "speed.json")])
    found = capsys.readouterr().out
    assert "array" in found and "pynn" in found and "of the limit" in found
    assert (tmp_path / "speed.json").stat().st_size


def test_ours_learns_beside_others(monkeypatch, capsys):
    monkeypatch.setattr(speed.Clock, "now", speed.Clock.now)
    against_others.main(["--hidden", "5", "--epochs", "1", "--samples", "150"])
    found = capsys.readouterr().out
    assert "4-5-3 arrays" in found and "4-5-3 PyNN exact" in found and "authors" not in found


def test_what_the_code_of_others_lacks_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        against_others.main(["--authors", str(tmp_path)])
    assert ended.value.code == 2 and capsys.readouterr().err.count("\n") == 1
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "training.py").touch()
    with pytest.raises(SystemExit):
        against_others.main(["--authors", str(tmp_path), "--python", str(tmp_path / "none")])
    assert "does not run" in capsys.readouterr().err


def test_projection_arrays(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["projection_arrays", "--pre", "4", "--post", "3", "--repetitions", "1"])
    projection_arrays.main()
    assert capsys.readouterr().out.count(" ms") == 5


def test_chip_speed(capsys):
    chip_speed.main(repetitions=1)
    assert "processor" in capsys.readouterr().out


@pytest.mark.skipif(importlib.util.find_spec("nest") is None, reason="NEST is not installed")
@pytest.mark.slow
def test_balanced_network_beside_nest():
    done = subprocess.run([sys.executable, "-m", "benchmarks.balanced_network", "--neurons", "50", "--indegree", "5",
                           "--duration", "20"], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode and "time of exact / time of NEST" in done.stdout, done.stderr
