"""A new project runs at once, and its runs are found again, or it is said what to do."""

import signal
import sys

import pytest

from ttfs_pynn.commands import new_project
from ttfs_pynn.commands.entry_point import main as ttfs_pynn
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.runs.folder import RunFolder


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project "my_sound" in the current folder, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    files = new_project.create("my_sound")
    assert all(file.is_file() for file in files)
    monkeypatch.chdir(tmp_path / "my_sound")
    monkeypatch.syspath_prepend(str(tmp_path / "my_sound"))
    yield tmp_path / "my_sound"
    for name in ("my_sound", "train", "test_my_sound"):
        sys.modules.pop(name, None)


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        ttfs_pynn(arguments)
    out, error = capsys.readouterr()
    return stop.value.code or 0, out, error


def test_what_is_written(project):
    assert sorted(p.name for p in project.iterdir()) == ["README.md", "my_sound.py", "test_my_sound.py", "train.py"]
    for file in project.iterdir():
        assert "my_task" not in file.read_text(encoding="utf-8"), "the template's own name"


def test_its_own_test_passes(project, tmp_path):
    import test_my_sound
    test_my_sound.test_data()
    test_my_sound.test_it_learns(tmp_path)
    assert RunFolder.open(tmp_path / "run").configuration["model"] == "my_sound.py"


def test_the_experiment_says_what_is_wrong_in_one_line(project, capsys, monkeypatch):
    import train

    from ttfs_pynn.commands.command_line import run

    def error(*arguments):
        with pytest.raises(SystemExit) as stop:
            run(train.main, arguments)
        text = capsys.readouterr().err
        assert text.count("\n") == 1
        return stop.value.code, text

    RunFolder.create("run", {"model": "my_sound.py"})
    assert error("run") == (2, "error: run is there already; name a new folder\n")
    assert error()[0] == 2
    monkeypatch.setattr(train, "train", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    assert error("other") == (130, "stopped by SIGINT; all files are whole\n")


def test_commands_find_the_model_in_the_current_folder(project, capsys, tmp_path, monkeypatch):
    status, out, _ = call(capsys, "train", "my_sound", "--epochs", "2", "--output", "runs/first", "--quiet")
    assert status == 0 and float(out.split()[2]) > 0.9
    assert (project / "runs/first/model.py").read_bytes() == (project / "my_sound.py").read_bytes()
    evaluation = ("--backend", "exact", "--samples", "20")
    assert call(capsys, "evaluate", "runs/first", *evaluation)[0] == 0
    monkeypatch.chdir(tmp_path)
    status, _, error = call(capsys, "evaluate", "my_sound/runs/first", *evaluation)
    assert status == 2 and "--model FILE" in error and error.count("\n") == 1
    assert call(capsys, "evaluate", "my_sound/runs/first", *evaluation, "--model", "my_sound/my_sound.py")[0] == 0
    assert call(capsys, "train", "./my_sound/my_sound.py", "--epochs", "2", "--output", "my_sound/runs/first", "--resume")[0] == 0


def test_a_run_on_several_copies_keeps_one_sample_of_one_copy(project, capsys):
    file = project / "my_sound.py"
    file.write_text(file.read_text().replace("samples(1600,", "samples(100,"))
    status, _, _ = call(capsys, "train", "my_sound", "--backend", "brian2", "--epochs", "1", "--batch-size", "20", "--dt", "0.5",
                        "--output", "run", "--quiet")
    folder = RunFolder.open("run")
    sizes = {name: folder.read_spikes(name).annotations["size"] for name in folder.spike_names()}
    assert status == 0 and folder.configuration["copies"] == 20
    assert sizes == {"after_input": 12, "after_bias0": 1, "after_layer0": 30, "after_layer1": 2}
    assert call(capsys, "raster", "run")[0] == 0


def test_a_resumed_run_says_that_its_model_is_another(project, capsys):
    command = ("train", "my_sound", "--epochs", "1", "--output", "run", "--quiet", "--backend", "arrays")
    call(capsys, *command)
    (project / "my_sound.py").write_text((project / "my_sound.py").read_text() + "\n# a remark\n")
    assert "is not as it was" in call(capsys, *command, "--resume")[1]


@pytest.mark.parametrize("old, new, where, text", [
    ("p = parameters", "p = parameters + 1", "parameters + 1", "unsupported operand"),
    ("return layered", "1 / 0; return layered", "1 / 0", "ZeroDivisionError: division by zero"),
    ('"tau_m": 10.0', '"tau_m": -10.0', "neuron = LIF", "tau_m = -10.0 must be positive")])
def test_a_mistake_in_the_model_has_its_line(project, capsys, old, new, where, text):
    file = project / "my_sound.py"
    file.write_text(file.read_text().replace(old, new))
    line = 1 + file.read_text().partition(where)[0].count("\n")
    status, _, error = call(capsys, "train", "my_sound", "--output", "run")
    assert status == 2 and error.startswith(f"error: {file}, line {line}: ") and text in error and error.count("\n") == 1


def test_what_to_do_next(tmp_path, capsys):
    status, out, _ = call(capsys, "new", str(tmp_path / "my_smell"))
    assert status == 0 and f"cd {tmp_path / 'my_smell'}" in out and str(tmp_path / "my_smell" / "train.py") in out


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "empty").mkdir()
    assert len(new_project.create(tmp_path / "empty")) == 4
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name in ("empty", "full", "file"):
        with pytest.raises(ResultsError, match="exists already"):
            new_project.create(tmp_path / name)
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.txt"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file", "full"], "nothing is left beside them"


def test_a_folder_that_cannot_be_made(monkeypatch, tmp_path):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "/somewhere/.my_own_task.abc.tmp")

    monkeypatch.setattr(new_project.tempfile, "TemporaryDirectory", full)
    with pytest.raises(ResultsError, match=f"^cannot make {tmp_path / 'my_own_task'}: No space left on device$"):
        new_project.create(tmp_path / "my_own_task")


@pytest.mark.parametrize("name", ["1st", "my-task", "class", "ümlaut", "numpy", "random", "train", "models", "yin_yang"])
def test_names_that_cannot_be(tmp_path, name):
    with pytest.raises((ConfigurationError, ResultsError)):
        new_project.create(tmp_path / name)
    assert not list(tmp_path.iterdir())
