"""`ttfs-pynn`: every recipe is a command, from any folder, and finding one costs nothing."""

import ast
import importlib
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import ttfs_pynn
from ttfs_pynn.commands import entry_point
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.protocols import train

ROOT = Path(__file__).parents[2]


def call(capsys, *arguments):
    """(exit status, standard output, standard error) of ttfs-pynn."""
    with pytest.raises(SystemExit) as stop:
        entry_point.main(arguments)
    return (stop.value.code or 0, *capsys.readouterr())


def python(code, folder, *, isolated=False):
    """Standard output of Python code in a process of its own, in `folder`."""
    path = f"import sys; sys.path.append({str(ROOT)!r})\n"
    done = subprocess.run([sys.executable, *(["-I"] if isolated else []), "-c", path + code], cwd=folder, capture_output=True,
                          text=True)
    assert not done.returncode, done.stderr
    return done.stdout + done.stderr


def test_the_asked_for_commands_are_there():
    assert {"new", "train", "evaluate", "compare", "characterise", "transfer", "raster", "learning_curve", "demo",
            "completion"} <= set(entry_point.commands())
    assert not {"style", "neo_files", "__init__"} & set(entry_point.commands()), "no recipes to run"


@pytest.mark.parametrize("name", entry_point.commands())
def test_help_of_each_command_reads_like_a_manual_page(name, capsys):
    status, text, _ = call(capsys, name, "--help")
    assert status == 0 and text.startswith(f"usage: ttfs-pynn {name} ")
    assert "--verbose" in text and "--quiet" in text and "python -m" not in text
    assert entry_point.commands()[name][1] in text, "its first line stands in the list of commands"


def test_help_lists_the_commands_and_imports_none_of_them(tmp_path):
    text = python("from ttfs_pynn.commands.entry_point import main\ntry: main(['--help'])\nfinally:\n"
                  "  assert not {'numpy', 'matplotlib', 'models', 'protocols'} & set(sys.modules)", tmp_path, isolated=True)
    assert "  train " in text and "  learning_curve " in text and "examples:" in text


def test_importing_the_package_does_nothing_else(tmp_path):
    text = python("""
import threading
before = set(sys.modules)
import ttfs_pynn
assert not {name.partition(".")[0] for name in set(sys.modules) - before} - {"ttfs_pynn"}, set(sys.modules) - before
assert threading.active_count() == 1""", tmp_path, isolated=True)
    assert text == "" and not list(tmp_path.iterdir())


def test_importing_the_library_draws_and_logs_nothing(tmp_path):
    text = python("""
import threading
import ttfs_pynn.runs.experiment, ttfs_pynn.learning.engine, ttfs_pynn.networks.network, ttfs_pynn.runs.folder, ttfs_pynn.learning.training
assert not {"matplotlib", "brian2", "nest", "neuron"} & set(sys.modules)
import logging
assert not logging.getLogger().handlers and threading.active_count() == 1""", tmp_path, isolated=True)
    assert text == "" and not list(tmp_path.iterdir())


def test_version(capsys):
    assert call(capsys, "--version")[:2] == (0, f"ttfs-pynn {ttfs_pynn.__version__}\n")


def test_a_mistake_is_one_line(capsys):
    status, _, text = call(capsys, "trian")
    assert status == 2 and text.startswith("error: unknown command 'trian'; did you mean 'train'?") and text.count("\n") == 1
    status, _, text = call(capsys, "train", "yin_yang", "--no-such")
    assert status == 2 and text.startswith("error: ") and text.count("\n") == 1
    status, _, text = call(capsys, "--nosuch")
    assert status == 2 and "ttfs-pynn --help" in text


def test_help_is_a_command_too_and_names_of_files_are_near_those_of_commands(capsys):
    assert call(capsys, "help")[:2] == call(capsys, "--help")[:2]
    assert call(capsys, "help", "train")[1].startswith("usage: ttfs-pynn train ")
    status, _, text = call(capsys, "compare_simulators")
    assert status == 2 and "did you mean 'compare'?" in text


def test_errors_name_commands_and_no_modules():
    """Error lines are shown as they are: they hold paths, which nothing may take for a module's name."""
    for file in [*(ROOT / "protocols").glob("*.py"), *(ROOT / "analysis").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Raise):
                texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                assert not re.search(r"\b(protocols|analysis)\.\w", " ".join(texts)), (file, node.lineno)


@pytest.mark.skipif(os.name == "nt", reason="no POSIX pipes")
@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("results_page", str(ROOT / "results"))])
def test_a_reader_that_has_seen_enough_is_no_error(arguments):
    reading, writing = os.pipe()
    os.close(reading)  # before anything is written
    done = subprocess.run([sys.executable, "-m", "ttfs_pynn", *arguments], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode in (0, 141) and done.stderr == b""  # argparse may not notice


def test_no_value_may_be_empty(capsys):
    status, _, text = call(capsys, "train", "yin_yang", "--output", "")
    assert status == 2 and text.startswith("error: --output is empty: ") and text.count("\n") == 1


@pytest.mark.parametrize("arguments", [("--verbose", "raster", "nowhere.nix"), ("raster", "nowhere.nix", "--verbose")])
def test_verbose_says_where_an_error_arose(capsys, arguments):
    assert "Traceback" not in call(capsys, "raster", "nowhere.nix")[2]
    status, _, text = call(capsys, *arguments)
    assert status == 2 and "Traceback" in text and text.splitlines()[-1].startswith("error: ")


def test_quiet_means_results_only_before_the_command_and_after_it(capsys, monkeypatch):
    monkeypatch.setattr(entry_point.load("train"), "main", lambda arguments: print(train.parser().parse_args(arguments).quiet))
    rest = ("train", "yin_yang", "--output", "run")
    assert [call(capsys, *arguments)[1] for arguments in (("--quiet", *rest), (*rest, "--quiet"), rest)] == ["True\n", "True\n",
                                                                                                         "False\n"]


def test_a_package_that_is_missing(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="nowhere.inside")

    monkeypatch.setattr(entry_point, "_find_recipes", lambda: None)
    monkeypatch.setattr(entry_point.importlib, "import_module", missing)
    with pytest.raises(ConfigurationError, match="train needs the package nowhere.inside, .* pip install nowhere$"):
        entry_point.load("train")


def test_names_with_hyphens():
    assert entry_point.load("learning-curve") is importlib.import_module("ttfs_pynn.analysis.learning_curve")


def test_folders_of_the_user_with_the_same_names_are_not_in_the_way(tmp_path):
    for name in ("models", "protocols", "analysis"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong one')")
    text = python("from ttfs_pynn.commands.entry_point import load\nprint(load('train').__file__)", tmp_path)
    assert Path(text.strip()) == ROOT / "protocols" / "train.py"


def test_a_process_that_has_other_packages_of_these_names(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "models", types.SimpleNamespace(__file__=str(tmp_path / "models" / "__init__.py")))
    with pytest.raises(ConfigurationError, match="another package 'models'"):
        entry_point.load("train")


def test_where_recipes_are(tmp_path, monkeypatch):
    assert entry_point.recipes() == ROOT
    package = tmp_path / "site-packages" / "ttfs_pynn"
    package.mkdir(parents=True)
    monkeypatch.setattr(ttfs_pynn, "__file__", str(package / "__init__.py"))
    with pytest.raises(ConfigurationError, match="has no recipes"):
        entry_point.recipes()
    for name in ("models", "protocols", "analysis"):
        (package / "recipes" / name).mkdir(parents=True)
        (package / "recipes" / name / "__init__.py").write_text("")
    assert entry_point.recipes() == package / "recipes"
