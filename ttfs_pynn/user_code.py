"""Python files that a user names: models, and scripts for PyNN."""

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from ttfs_pynn.errors import ConfigurationError

__all__ = ["load_file", "place_in"]

_PREFIX = "user_code:"  # of the names of modules made here


def load_file(path: str | os.PathLike) -> ModuleType:
    """The module of a Python file, which may import its neighbours; the file is executed at most once.

    ConfigurationError where there is none, or where it cannot be imported: the line says where in the file.
    """
    given, path = path, Path(path).resolve()
    if not path.is_file():
        raise ConfigurationError(f"there is no file {given}")
    # Not under its own name, which may be that of another module.
    name = f"{_PREFIX}{path}"
    if name in sys.modules:
        return sys.modules[name]
    if str(path.parent) not in sys.path:
        # At the end: a numpy.py that happens to lie there must not take NumPy's place.
        sys.path.append(str(path.parent))
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, loader, origin=str(path)))
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        loader.exec_module(module)
    except Exception as error:  # whatever the file does wrong
        del sys.modules[name]
        place = place_in(error)
        line = f"line {place[1]}: " if place else ""
        raise ConfigurationError(f"{path} cannot be imported: {line}{type(error).__name__}: {error}") from error
    return module


def place_in(error: BaseException) -> tuple[Path, int] | None:
    """(file, line) of a user's file in which an error arose, or what it calls; None for one that arose elsewhere."""
    found, trace = None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.startswith(_PREFIX):
            found = Path(name.removeprefix(_PREFIX)), trace.tb_lineno
        trace = trace.tb_next
    return found
