"""`ttfs-pynn`: every recipe is a command, from any folder, and finding one costs nothing."""

import ast
import configparser
import importlib
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

import ttfs_pynn
from ttfs_pynn.commands import entry_point
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.protocols import train
from ttfs_pynn.runs import recipes
from ttfs_pynn.runs.recipes import recipe_folder

ROOT = Path(__file__).parents[2]


def call(capsys, *arguments):
    """(exit status, standard output, standard error) of ttfs-pynn."""
    with pytest.raises(SystemExit) as stop:
        entry_point.main(arguments)
    return (stop.value.code or 0, *capsys.readouterr())


def python(code, folder, options=()):
    """Standard output of Python code in a process of its own, in `folder`."""
    done = subprocess.run([sys.executable, *options, "-c", f"import sys\n{code}"], cwd=folder, capture_output=True, text=True)
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
                  "  assert not {'numpy', 'matplotlib', 'ttfs_pynn.models', 'ttfs_pynn.protocols'} & set(sys.modules)",
                  tmp_path, ["-I"])
    assert "  train " in text and "  learning_curve " in text and "examples:" in text


def test_importing_the_package_does_nothing_else(tmp_path):
    text = python("""
import threading
before = set(sys.modules)
import ttfs_pynn
assert not {name.partition(".")[0] for name in set(sys.modules) - before} - {"ttfs_pynn"}, set(sys.modules) - before
assert threading.active_count() == 1""", tmp_path, ["-I"])
    assert text == "" and not list(tmp_path.iterdir())


def test_importing_the_library_draws_and_logs_nothing(tmp_path):
    text = python("""
import threading
import ttfs_pynn.runs.experiment, ttfs_pynn.learning.trainer, ttfs_pynn.networks.pynn_network, ttfs_pynn.comparison.task
assert not {"matplotlib", "brian2", "nest", "neuron"} & set(sys.modules)
import logging
assert not logging.getLogger().handlers and threading.active_count() == 1""", tmp_path, ["-I"])
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


def test_help_is_a_command_too(capsys):
    assert call(capsys, "help")[:2] == call(capsys, "--help")[:2]
    assert call(capsys, "help", "train")[1].startswith("usage: ttfs-pynn train ")


def test_texts_name_commands_and_no_modules():
    """What a recipe says of another one, in help and in errors, is what a user types, in a checkout and after install."""
    files = [*(ROOT / "protocols").glob("*.py"), *(ROOT / "analysis").glob("*.py"), *(ROOT / "models").glob("*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = re.sub(r"^ttfs_pynn\.protocols\.\w+:\w+$", "", node.value)  # a function that a sweep imports
                assert not re.search(r"\b(protocols|analysis)\.\w|python -m", text), (file, node.lineno)


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
    monkeypatch.setattr(entry_point.command_module("train"), "main",
                        lambda arguments: print(train.parser().parse_args(arguments).quiet))
    rest = ("train", "yin_yang", "--output", "run")
    assert [call(capsys, *arguments)[1] for arguments in (("--quiet", *rest), (*rest, "--quiet"), rest)] == ["True\n", "True\n",
                                                                                                         "False\n"]


def test_a_package_that_is_missing(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="nowhere.inside")

    monkeypatch.setattr(entry_point.importlib, "import_module", missing)
    with pytest.raises(ConfigurationError, match="train needs the package nowhere.inside, .* pip install nowhere$"):
        entry_point.command_module("train")


def test_names_with_hyphens():
    assert entry_point.command_module("learning-curve") is importlib.import_module("ttfs_pynn.analysis.learning_curve")


@pytest.mark.parametrize("options", [[], ["-P"]])
def test_folders_of_the_user_with_the_same_names_are_not_in_the_way(tmp_path, options):
    """Nor are they hidden: `import models` is the user's own."""
    for name in ("models", "protocols", "analysis"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n")
        (tmp_path / name / "train.py").write_text("raise SystemExit('the wrong one')\n")
    code = ("from ttfs_pynn.commands.entry_point import command_module\nfrom ttfs_pynn.runs import model_files\n"
            "print(command_module('train').__file__, model_files.load('yin_yang').__file__)\n")
    if not options:
        code += "import analysis, models, protocols\nassert analysis.MINE and models.MINE and protocols.MINE\n"
    found = [Path(file) for file in python(code, tmp_path, options).split()]
    assert found == [Path(recipe_folder("protocols"), "train.py"), Path(recipe_folder("models"), "yin_yang.py")]


def test_recipes_are_found_where_the_package_is_installed(monkeypatch):
    """In a checkout they stand at its top; a wheel holds them inside ttfs_pynn."""
    inside, top = Path(ttfs_pynn.__file__).parent, Path(ttfs_pynn.__file__).parents[1]
    for name in ("models", "protocols", "analysis"):
        assert recipe_folder(name) in (inside / name, top / name) and (recipe_folder(name) / "__init__.py").is_file()
    monkeypatch.setattr(recipes.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="has no models; install it"):
        recipe_folder("models")


def test_what_a_wheel_holds():
    """setup.py's list of packages, which is written down nowhere else: every folder with modules, and what they read."""
    with mock.patch("setuptools.setup") as described:
        runpy.run_path(str(ROOT / "setup.py"))
    (_, arguments), = described.call_args_list
    folders = {Path(arguments["package_dir"].get(name, name.replace(".", "/"))) for name in arguments["packages"]}
    assert len(folders) > 15 and not any("template" in str(folder) for folder in folders)
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg")
    data = {file for name, patterns in metadata["options.package_data"].items() for pattern in patterns.split()
            for file in (ROOT / arguments["package_dir"].get(name, name.replace(".", "/"))).glob(pattern)}
    for top in ("ttfs_pynn", "models", "protocols", "analysis"):
        for file in (ROOT / top).rglob("*"):
            inside = file.relative_to(ROOT)
            if file.is_file() and "__pycache__" not in file.parts:
                assert file in data or file.suffix == ".py" and inside.parent in folders, f"{inside} is not installed"
