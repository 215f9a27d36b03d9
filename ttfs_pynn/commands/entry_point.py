"""The command `ttfs-pynn`: one name for the recipes in protocols/ and analysis/, from any folder.

A recipe that has a `main(arguments=None)` is a command. Recipes are parts of the package, `ttfs_pynn.protocols` and
`ttfs_pynn.analysis`; in a checkout they stand at its top.
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
from ttfs_pynn.commands.command_line import ArgumentParser, of_data, run
from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.processes import away_from_folder
from ttfs_pynn.runs.recipes import recipe_folder

__all__ = ["COMMANDS", "command_module", "commands", "main"]

# In the order in which they are met; what the recipe folders hold besides comes after them.
COMMANDS = ("new", "train", "evaluate", "compare", "characterise", "transfer", "reproduce", "demo", "completion", "report",
            "raster")
_OWN = {"new": "ttfs_pynn.commands.new_project", "completion": "ttfs_pynn.commands.completion"}
_DESCRIPTION = """Train spiking networks, described in PyNN, by their first-spike times.

{commands}

ttfs-pynn COMMAND --help tells all about one of them. They are Python files to copy and edit, in {folder}

examples:
  ttfs-pynn demo                                               (two minutes: train, replay on Brian2, draw)
  ttfs-pynn train yin_yang --epochs 30 --output runs/yy7
  ttfs-pynn raster runs/yy7
  ttfs-pynn new my_task                                        (a folder with a network, an experiment and a test of your own)
"""


def commands() -> dict[str, tuple[str, str]]:
    """{name: (module, first line of its text)} of all that can be run, in the order of the help; nothing is imported."""
    found = {name: (module, Path(__file__).with_name(f"{module.split('.')[-1]}.py")) for name, module in _OWN.items()}
    for package in ("protocols", "analysis"):
        for file in sorted(recipe_folder(package).glob("*.py")):
            found[file.stem] = (f"ttfs_pynn.{package}.{file.stem}", file)
    known = [name for name in COMMANDS if name in found]
    result = {}
    for name in [*known, *(name for name in found if name not in known)]:
        module, file = found[name]
        tree = ast.parse(file.read_bytes())
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            result[name] = (module, (ast.get_docstring(tree) or "").partition("\n")[0])
    return result


def command_module(name: str) -> ModuleType:
    """The module of a command. ConfigurationError where there is none, or where it needs a package that is missing."""
    known = commands()
    name = name if name in known else name.replace("-", "_")
    if name not in known:
        raise ConfigurationError(unknown("command", name, known))
    try:
        with away_from_folder():
            return importlib.import_module(known[name][0])
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"ttfs-pynn {name} needs the package {error.name}, which is not installed: "
                                 f"pip install {(error.name or '').partition('.')[0]}") from error


def _parser(description: str) -> ArgumentParser:
    p = ArgumentParser(prog="ttfs-pynn", usage="ttfs-pynn [--version] [--verbose | --quiet] COMMAND ...", description=description)
    p.add_argument("--version", action="version", version=f"ttfs-pynn {ttfs_pynn.__version__}")
    return p


def _description() -> str:
    width = max(60, min(shutil.get_terminal_size().columns, 110))
    lines = [textwrap.fill(text, width, initial_indent=f"  {name:<18} ", subsequent_indent=" " * 21)
             for name, (_, text) in commands().items()]
    return _DESCRIPTION.format(commands="\n".join(["commands:", *lines]), folder=recipe_folder("protocols"))


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
    command = command_module(rest[0])
    with of_data(command.__name__):
        return command.main([*own, *rest[1:]])


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `ttfs-pynn` with these arguments (default: those of the process) and exit."""
    run(_main, sys.argv[1:] if arguments is None else list(arguments))
