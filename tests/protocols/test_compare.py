"""The command as a user gives it: rows, failures, the page."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.protocols.test_command_lines import fails
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.comparison.simulators import in_a_process
from ttfs_pynn.protocols import compare
from ttfs_pynn.runs.folder import RunFolder

SCRIPT = """
def build(sim):
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[[2.0], [3.0, 30.0], [4.0]]), label="in")
    cells = sim.Population(4, sim.IF_curr_exp(cm=0.5), label="cells")
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.5, delay=1.0), receptor_type="excitatory")
    sim.run(60.0)
"""


def test_a_script_on_three_simulators_one_of_which_is_not_installed(tmp_path, monkeypatch, capsys):
    (tmp_path / "net.py").write_text(SCRIPT)
    monkeypatch.setattr(compare, "in_a_process", lambda task, name, dt, file, **options:
                        (None, "simulator 'nest' needs the package 'nest'") if name == "nest" else
                        in_a_process(task, name, dt, file, **options))
    out = tmp_path / "out"
    status = compare.main([str(tmp_path / "net.py"), "--simulators", "exact,brian2,nest", "--dt", "0.1,0.05", "--fail-above",
                           "3dt", "--output", str(out)])
    assert status == 1
    found = json.loads((out / "comparison.json").read_text())["simulators"]
    for name in ("exact", "brian2", "nest"):
        assert {"matched", "missing", "extra", "max_abs_error_ms", "class_agreement"} <= set(found[name])
    assert found["exact"]["matched"] == found["brian2"]["matched"] >= 8 and found["exact"]["max_abs_error_ms"] == 0
    # A spike is up to a step late, the next one of the same neuron by that, a step more, and what less time for its inputs costs.
    assert 0 < found["brian2"]["max_abs_error_ms"] <= 3 * 0.05 and found["brian2"]["defects"] == []
    assert found["brian2"]["status"] == "ok"
    assert found["nest"]["matched"] is None and "needs the package" in found["nest"]["status"]
    page = (out / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2 and "did not run: simulator" in page and "width=device-width" in page
    said = capsys.readouterr().out
    assert "http" not in page and "did not run" in said and "They agree with exact: every spike has its partner" in page
    assert "above 3dt: nest, dt 0.1 ms: did not run" in said and "above 3dt: brian2" not in said


def test_a_script_that_fails_is_a_row_and_a_reference_that_fails_stops(tmp_path, capsys):
    (tmp_path / "net.py").write_text(SCRIPT + "    if 'brian2' in sim._sim.__name__:\n"
                                     "        raise RuntimeError('no such cell')\n")
    out = tmp_path / "out"
    compare.main([str(tmp_path / "net.py"), "--output", str(out)])
    status = json.loads((out / "comparison.json").read_text())["simulators"]["brian2"]["status"]
    assert status == f"{tmp_path / 'net.py'}, line 8: RuntimeError: no such cell"
    (tmp_path / "bad.py").write_text("def build(sim):\n    raise RuntimeError('not today')\n")
    for _ in range(2):  # a comparison without a result is not in the way of the next
        text = fails(capsys, compare.main, str(tmp_path / "bad.py"), "--output", str(tmp_path / "none"))
        assert "the reference 'exact' failed" in text and f"{tmp_path / 'bad.py'}, line 2: " in text


def test_references_and_bounds_that_are_refused(tmp_path, capsys):
    (tmp_path / "net.py").write_text(SCRIPT)
    for options, text in ((("--reference", "nets"), "unknown reference 'nets'; did you mean 'nest'"),
                          (("--reference", "brainscales2"), "unknown reference 'brainscales2'"),
                          (("--fail-above", "1 step"), "'1 step' is no bound of an error")):
        assert text in fails(capsys, compare.main, str(tmp_path / "net.py"), "--output", str(tmp_path / "out"), *options)
    assert not (tmp_path / "out").exists()


HOLDER = """
import sys
from ttfs_pynn.files.run_lock import RunLock
lock = RunLock(sys.argv[1])
print(1, flush=True)
sys.stdin.read()
"""


def test_a_folder_takes_one_comparison_at_a_time(tmp_path, capsys):
    (tmp_path / "net.py").write_text(SCRIPT)
    command = (str(tmp_path / "net.py"), "--simulators", "exact", "--quiet", "--output", str(tmp_path / "out"))
    other = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "out")], stdin=subprocess.PIPE, text=True,
                             stdout=subprocess.PIPE)
    assert other.stdout.readline() == "1\n"
    assert f"is being written by process {other.pid}" in fails(capsys, compare.main, *command)
    other.communicate()
    compare.main([*command])
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_comparison_that_is_killed_leaves_no_process_and_is_begun_anew(tmp_path):
    """Its page is written last: without it a comparison is in nobody's way."""
    mark = tmp_path / "mark"
    slow = SCRIPT + f"    import os, time\n    open({str(mark)!r}, 'w').write(str(os.getpid()))\n    time.sleep(60)\n"
    (tmp_path / "net.py").write_text(slow)
    command = [str(tmp_path / "net.py"), "--simulators", "exact", "--quiet", "--output", str(tmp_path / "out")]
    process = subprocess.Popen([sys.executable, "-m", "ttfs_pynn.protocols.compare", *command])
    until = time.monotonic() + 90
    while not (mark.exists() and mark.read_text()):
        assert time.monotonic() < until
        time.sleep(0.05)
    process.kill()
    process.wait()
    child = Path("/proc") / mark.read_text()
    while child.exists() and "Z" not in (child / "stat").read_text().rpartition(")")[2].split()[0]:
        assert time.monotonic() < until + 30
        time.sleep(0.05)
    (tmp_path / "net.py").write_text(SCRIPT)
    compare.main(command)
    (tmp_path / "out" / "report.html").unlink()
    compare.main(command)
    assert (tmp_path / "out" / "report.html").exists()


def test_nothing_is_written_behind_a_link(tmp_path, capsys):
    (tmp_path / "net.py").write_text(SCRIPT)
    (tmp_path / "elsewhere").mkdir()
    command = (str(tmp_path / "net.py"), "--simulators", "exact", "--quiet", "--output", str(tmp_path / "out"))
    compare.main([*command])
    shutil.rmtree(tmp_path / "out" / "records")
    (tmp_path / "out" / "records").symlink_to(tmp_path / "elsewhere")
    assert "records is a link" in fails(capsys, compare.main, *command, "--overwrite")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_verbose_shows_where_a_script_fails(capfd, tmp_path):
    (tmp_path / "bad.py").write_text("def build(sim):\n    1 / 0\n")
    with pytest.raises(SystemExit):
        run(compare.main, [str(tmp_path / "bad.py"), "--output", str(tmp_path / "out"), "--verbose"])
    assert f'File "{tmp_path / "bad.py"}", line 2, in build' in capfd.readouterr().err


def test_only_an_earlier_comparison_is_replaced_and_only_when_asked_to(tmp_path, capsys):
    (tmp_path / "net.py").write_text(SCRIPT)
    command = (str(tmp_path / "net.py"), "--simulators", "exact", "--quiet", "--output")
    RunFolder.create(tmp_path / "run", {"model": "x"})
    for folder, options in ((tmp_path, ()), (tmp_path / "run", ("--overwrite",)), (tmp_path / "net.py", ())):
        assert "name another folder" in fails(capsys, compare.main, *command, str(folder), *options)
    assert not (tmp_path / "report.html").exists() and not (tmp_path / "run" / "report.html").exists()
    for text in ("[]", '{"mine": 1}'):
        (tmp_path / "comparison.json").write_text(text)
        assert "no earlier comparison" in fails(capsys, compare.main, *command, str(tmp_path), "--overwrite")
        assert (tmp_path / "comparison.json").read_text() == text
    out = tmp_path / "out"
    compare.main([*command, str(out)])
    (out / "records" / "mine.npz").touch()
    (out / "notes.txt").write_text("precious")
    assert "--overwrite" in fails(capsys, compare.main, *command, str(out))
    compare.main([*command, str(out), "--overwrite", "--dt", "0.05"])
    assert sorted(file.name for file in (out / "records").iterdir()) == ["exact_0.05.npz", "mine.npz"]
    assert (out / "notes.txt").exists()


def test_a_model_by_its_name(tmp_path):
    out = tmp_path / "out"
    compare.main(["yin_yang", "--simulators", "exact", "--samples", "20", "--output", str(out)])
    run = json.loads((out / "comparison.json").read_text())["simulators"]["exact"]["runs"][0]
    assert run["class_agreement"] == 1 and run["matched"] > 1000 and run["missing"] == run["extra"] == 0
    assert np.isclose(run["populations"][2]["own_inputs"]["max_abs_error_ms"], 0, atol=1e-8)


@pytest.mark.parametrize("arguments, text", [
    (("yinyang",), "unknown model 'yinyang'"), (("none.py",), "there is no file none.py"),
    (("yin_yang", "--simulators", "nets"), "unknown backend 'nets'"), (("yin_yang", "--dt", "a"), "give numbers (ms)"),
    (("yin_yang", "--dt", "0"), "must be positive"), (("yin_yang", "--dt", "nan"), "must be positive"),
    (("yin_yang", "--samples", "0"), "the test set has 1 to 1000"), (("yin_yang", "--samples", "1001"), "has 1 to 1000"),
    (("yin_yang", "--window", "-1"), "--window -1 must be positive"), (("yin_yang", "--window", "0"), "must be positive"),
    (("yin_yang", "--delay", "-1"), "must not be negative"), (("yin_yang", "--simulators", ""), "--simulators is empty"),
    (("yin_yang", "--simulators", ","), "at least one of"), (("yin_yang", "--ideal-chip"), "no chip among --simulators"),
    (("yin_yang", "--duration", "5"), "--duration: for scripts only"), (("yin_yang", "--model", "x"), "--model: for run folders"),
    (("net.py", "--duration", "-5"), "--duration -5 must be positive"), (("net.py", "--duration", "0"), "must be positive"),
    (("net.py", "--samples", "5", "--delay", "3", "--ideal-chip", "--model", "x"),
     "--samples, --delay, --ideal-chip, --model: for layered networks only, net.py is a script")])
def test_mistakes_are_one_line(capsys, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(SCRIPT)
    assert text in fails(capsys, compare.main, *arguments, "--output", "out")
    assert not (tmp_path / "out").exists()


def test_a_file_without_build(capsys, tmp_path):
    (tmp_path / "net.py").write_text("x = 1\n")
    assert "no function build(sim)" in fails(capsys, compare.main, str(tmp_path / "net.py"), "--output", str(tmp_path))


def test_an_ideal_chip_does_what_the_exact_network_with_its_weights_does(tmp_path):
    out = tmp_path / "out"
    compare.main(["yin_yang", "--simulators", "exact,brainscales2", "--ideal-chip", "--samples", "20", "--output", str(out)])
    chip = json.loads((out / "comparison.json").read_text())["simulators"]["brainscales2"]
    (run,) = chip["runs"]
    assert chip["status"] == "ok" and chip["defects"] == [] and run["unexplained"] == 0 and run["dt_ms"] == 0.008
    assert run["matched"] > 1000 and run["missing"] + run["extra"] <= 1 and run["median_abs_error_ms"] < 0.004
    for population in run["populations"]:
        if population["own_inputs"]:
            assert population["own_inputs"]["max_abs_error_steep_ms"] < 2 * 0.008
    assert "the weights that the chip holds" in (out / "report.html").read_text()


def test_a_chip_refuses_scripts(tmp_path):
    (tmp_path / "net.py").write_text(SCRIPT)
    out = tmp_path / "out"
    compare.main([str(tmp_path / "net.py"), "--simulators", "exact,brainscales2", "--output", str(out)])
    status = json.loads((out / "comparison.json").read_text())["simulators"]["brainscales2"]["status"]
    assert "runs layered networks only" in status and "\n" not in status
