"""Which file a model's name means, and that a run folder executes nothing unasked."""

import shutil
from pathlib import Path

import pytest

from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.models import yin_yang
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.folder import RunFolder

SOURCE = Path(yin_yang.__file__)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, empty."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def run_of(model, path):
    """A run folder as Experiment.create_folder leaves it."""
    folder = RunFolder.create(path, {"model": model_files.name_of(model)})
    shutil.copy(model.__file__, path / "model.py")
    return folder


def test_models_of_the_package(here):
    assert "yin_yang" in model_files.names() and model_files.name_of(model_files.load("yin_yang")) == "yin_yang"
    with pytest.raises(ConfigurationError, match="unknown model 'yinyang'; did you mean 'yin_yang'. known: "):
        model_files.load("yinyang")
    with pytest.raises(ConfigurationError, match="there is no file"):
        model_files.load("yinyang.py")


def test_a_file_in_the_current_folder_or_anywhere(here, tmp_path):
    shutil.copy(SOURCE, here / "mine.py")
    assert model_files.load("mine").__file__ == str(here / "mine.py")
    assert model_files.name_of(model_files.load("mine")) == "mine.py"
    shutil.copy(SOURCE, tmp_path / "far.py")
    assert model_files.load("../far.py").__file__ == str(tmp_path / "far.py")
    with pytest.raises(ConfigurationError, match="unknown model '../far'"):
        model_files.load("../far")


def test_a_file_with_the_name_of_a_model_of_the_package_is_asked_about(here):
    shutil.copy(SOURCE, here / "yin_yang.py")
    with pytest.raises(ConfigurationError, match="say ./yin_yang.py to use it"):
        model_files.load("yin_yang")
    assert model_files.load("./yin_yang.py").__file__ == str(here / "yin_yang.py")


def test_a_file_that_is_no_model(here):
    for k, (source, text) in enumerate((("PARAMETERS = {}\ndef build(sim): pass\n", r"has no data\(parameters\);"),
                                     ("def data(): pass\n", r"has no graph\(parameters\) or build\(sim\);"),
                                     ("x = 1\n", r"has no data\(parameters\) and no graph\(parameters\) or build\(sim\);"),
                                     ("PARAMETERS = 3\ndef build(sim): pass\ndef data(): pass\n",
                                      "PARAMETERS in .* is int; PARAMETERS is a dict"),
                                     ("PARAMETERS = {'network': 3}\ndef graph(p): pass\ndef data(): pass\n",
                                      "network in .* is int; PARAMETERS is"))):
        (here / f"half{k}.py").write_text(source)
        with pytest.raises(ConfigurationError, match=text):
            model_files.load(f"half{k}")
    (here / "whole.py").write_text("def build(sim): pass\ndef data(): pass\n")
    assert model_files.tables_of(model_files.load("whole")) == {"network": {}, "training": {}}


def test_the_model_of_a_run(here, tmp_path):
    assert model_files.load_for(run_of(model_files.load("yin_yang"), tmp_path / "first")) is model_files.load("yin_yang")
    shutil.copy(SOURCE, here / "yin_yang.py")
    folder = run_of(model_files.load("./yin_yang.py"), tmp_path / "second")
    assert model_files.load_for(folder) is model_files.load("./yin_yang.py"), "not the package's"
    with open(here / "yin_yang.py", "a") as file:
        file.write("\n# a remark\n")
    with pytest.raises(ResultsError, match="is not as it was .*--model FILE"):
        model_files.load_for(folder)
    assert model_files.load_for(folder, "yin_yang.py") is model_files.load("./yin_yang.py")
    (here / "yin_yang.py").unlink()
    with pytest.raises(ResultsError, match="not in the current folder.*--model FILE"):
        model_files.load_for(folder)


@pytest.mark.parametrize("name", ["evil.py", "../evil.py", "run/evil.py", "evil"])
def test_nothing_in_a_run_folder_is_executed_unasked(here, monkeypatch, name):
    folder = run_of(model_files.load("yin_yang"), here / "run")
    for place in (here, here / "run"):
        (place / "evil.py").write_text("raise SystemExit('executed')\n")
    folder.configuration["model"] = name
    (here / "evil.py").write_text("raise SystemExit('executed, although it is not what the run was made with')\n")
    monkeypatch.chdir(here / "run")
    shutil.copy(here / "run" / "evil.py", here / "run" / "model.py")
    with pytest.raises((ResultsError, ConfigurationError)):
        model_files.load_for(folder)
