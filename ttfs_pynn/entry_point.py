"""The command `ttfs-pynn`: one name for the recipes in protocols/ and analysis/, from any folder.

A recipe that has a `main(arguments=None)` is a command. Recipes import each other as `models`, `protocols` and `analysis`, names
that an installed package must not take from other people's. So the wheel carries them inside the package, in recipes/, and only
this process puts that folder on its path. In a checkout they are found beside the package.
"""

import ast
import importlib
import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import ttfs_pynn
from ttfs_pynn.command_line import ArgumentParser, as_commands, command_name, of_data, run
from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.processes import away_from_folder

__all__ = ["COMMANDS", "commands", "load", "main", "recipes"]

# In the order in which they are met; what the recipe folders hold besides comes after them.
COMMANDS = ("new", "train", "evaluate", "compare", "characterise", "transfer", "reproduce", "demo", "completion", "report",
            "raster")
_OWN = {"new": "ttfs_pynn.new_project", "completion": "ttfs_pynn.completion"}
_RECIPES = ("models", "protocols", "analysis")
_DESCRIPTION = """Train spiking networks, described in PyNN, by their first-spike times.

{commands}

ttfs-pynn COMMAND --help tells all about one of them. They are Python files to copy and edit, in {folder}

examples:
  ttfs-pynn demo                                               (two minutes: train, replay on Brian2, draw)
  ttfs-pynn train yin_yang --epochs 30 --output runs/yy7
  ttfs-pynn raster runs/yy7
  ttfs-pynn new my_task                                        (a folder with a network, an experiment and a test of your own)
"""


def recipes() -> Path:
    """The folder that holds models/, protocols/ and analysis/. ConfigurationError where the installation has none."""
    package = Path(ttfs_pynn.__file__).resolve().parent
    for folder in (package / "recipes", package.parent):
        if all((folder / name / "__init__.py").is_file() for name in _RECIPES):
            return folder
    raise ConfigurationError(f"{package} has no recipes ({', '.join(_RECIPES)}) in it or beside it: install ttfs_pynn anew")


def commands() -> dict[str, tuple[str, str]]:
    """{name: (module, first line of its text)} of all that can be run, in the order of the help; nothing is imported."""
    found = {name: (module, Path(ttfs_pynn.__file__).with_name(f"{module.split('.')[-1]}.py")) for name, module in _OWN.items()}
    for package in ("protocols", "analysis"):
        for file in sorted((recipes() / package).glob("*.py")):
            found[command_name(file.stem)] = (f"{package}.{file.stem}", file)
    known = [name for name in COMMANDS if name in found]
    result = {}
    for name in [*known, *(name for name in found if name not in known)]:
        module, file = found[name]
        tree = ast.parse(file.read_bytes())
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            result[name] = (module, as_commands((ast.get_docstring(tree) or "").partition("\n")[0]))
    return result


def load(name: str) -> ModuleType:
    """The module of a command. ConfigurationError where there is none, or where it needs a package that is missing."""
    known = commands()
    name = name if name in known else name.replace("-", "_")
    if name not in known:
        short = command_name(name)
        raise ConfigurationError(unknown("command", name, known, short if short in known else None))
    _find_recipes()
    try:
        with away_from_folder():
            return importlib.import_module(known[name][0])
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"ttfs-pynn {name} needs the package {error.name}, which is not installed: "
                                 f"pip install {(error.name or '').partition('.')[0]}") from error


def _find_recipes() -> None:
    """Put the recipes first on the path of this process, and take their three names, before any file of the user's can."""
    folder = recipes()
    if sys.path[0] != str(folder):
        sys.path.insert(0, str(folder))
    for name in _RECIPES:
        found = importlib.import_module(name).__file__
        if found is None or Path(found).resolve().parents[1] != folder:
            raise ConfigurationError(f"this process has imported another package {name!r} ({found}); call ttfs-pynn in a process "
                                     "of its own")


def _parser(description: str) -> ArgumentParser:
    p = ArgumentParser(prog="ttfs-pynn", usage="ttfs-pynn [--version] [--verbose | --quiet] COMMAND ...", description=description)
    p.add_argument("--version", action="version", version=f"ttfs-pynn {ttfs_pynn.__version__}")
    return p


def _description() -> str:
    width = max(60, min(shutil.get_terminal_size().columns, 110))
    lines = [textwrap.fill(text, width, initial_indent=f"  {name:<18} ", subsequent_indent=" " * 21)
             for name, (_, text) in commands().items()]
    return _DESCRIPTION.format(commands="\n".join(["commands:", *lines]), folder=recipes())


def _main(arguments: Sequence[str] | None) -> int | None:
    arguments = arguments or ()
    own = list(takewhile(lambda text: text.startswith("-"), arguments))
    rest = arguments[len(own):]
    if rest and rest[0] == "help":  # `help train` is `train --help`
        rest = [rest[1], "--help"] if rest[1:] else []
    parser = _parser("" if rest else _description())
    parser.parse_args(own)
    if not rest:
        parser.print_help()
        return 0
    # --verbose and --quiet mean the same before the command's name and after it.
    command = load(rest[0])
    with of_data(command.__name__):
        return command.main([*own, *rest[1:]])


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `ttfs-pynn` with these arguments (default: those of the process) and exit."""
    run(_main, sys.argv[1:] if arguments is None else list(arguments))
