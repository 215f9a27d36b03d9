"""Write a small project of your own: a network, an experiment, a test and a README that run at once, in any folder.

The folder NAME gets NAME.py (the network and its data, a small example to replace by your own arrays), train.py (the experiment),
test_NAME.py and README.md, which says how to go on. Nothing that exists is touched.

examples:
  ttfs-pynn new my_task
  cd my_task; python train.py runs/first
  ttfs-pynn train my_task --output runs/second
"""

import importlib.util
import keyword
import os
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from ttfs_pynn.commands.command_line import ArgumentParser
from ttfs_pynn.errors import ConfigurationError, ResultsError

__all__ = ["create", "main", "parser"]

_NAME = "my_task"  # what the template calls itself
_FILES = (f"{_NAME}.py", "train.py", f"test_{_NAME}.py", "README.md")


def parser() -> ArgumentParser:
    p = ArgumentParser(prog="ttfs-pynn new", description=__doc__)
    p.add_argument("folder", metavar="NAME", help="folder to make; its last part is the name of the task")
    return p


def checked_name(name: str) -> str:
    """`name`, or a ConfigurationError where `import name` would not find the new file, or hide another module."""
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
        raise ConfigurationError(f"{name!r} cannot be the name of a Python module: use letters, digits and _, no digit first")
    known = importlib.util.find_spec(name)
    # A folder without __init__.py has no origin and hides nothing.
    if name == "train" or known is not None and known.origin is not None:
        raise ConfigurationError(f"{name!r} is the name of a Python module already, which the new one would hide: take "
                                 "another name")
    if importlib.util.find_spec(f"ttfs_pynn.models.{name}"):
        raise ConfigurationError(f"{name!r} is a model of the package already, and commands could not tell them apart: take "
                                 "another name")
    return name


def create(folder: str | os.PathLike) -> list[Path]:
    """Write the project. Returns its files; ResultsError where something is in the way."""
    folder = Path(folder)
    if folder.is_symlink() or folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ResultsError(f"{folder} exists already; take another name, nothing is overwritten")
    name = checked_name(folder.name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # All of it or nothing: written aside, then renamed.
        with tempfile.TemporaryDirectory(prefix=f".{name}.", suffix=".tmp", dir=folder.parent) as aside:
            written = Path(aside) / name
            written.mkdir()
            for file in _FILES:
                text = (resources.files("ttfs_pynn.commands") / "template" / file).read_text(encoding="utf-8")
                (written / file.replace(_NAME, name)).write_text(text.replace(_NAME, name), encoding="utf-8")
            os.replace(written, folder)
    except OSError as error:
        raise ResultsError(f"cannot make {folder}: {error.strerror or error}") from error
    return [folder / file.replace(_NAME, name) for file in _FILES]


def main(arguments: Sequence[str] | None = None) -> None:
    files = create(parser().parse_args(arguments).folder)
    print("\n".join(str(file) for file in files))
    print(f"\nnext:\n  cd {files[0].parent}\n  python train.py runs/first\n"
          "  ttfs-pynn report runs/first     # a page to open in a browser")
