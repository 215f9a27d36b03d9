"""Python files that a user names: models, and scripts for PyNN."""

import ast
import hashlib
import importlib.machinery
import importlib.util
import os
import re
import symtable
import sys
from pathlib import Path
from types import ModuleType

from ttfs_pynn.errors import ConfigurationError, TTFSError

__all__ = ["load_file", "names_in", "one_line", "place_in"]

_PREFIX = "user_code_"  # of the names of modules made here


def load_file(path: str | os.PathLike) -> ModuleType:
    """The module of a Python file, which may import its neighbours; the file is executed at most once.

    ConfigurationError where there is none, or where it cannot be imported: the line says where in the file.
    """
    path = _existing(path)
    name = _name(path)
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


def names_in(path: str | os.PathLike) -> set[str] | None:
    """The names that a Python file defines or imports, read without executing it.

    None where only executing it would tell: it imports `*` or defines its own `__getattr__`, or it is not valid Python.
    """
    path = _existing(path)
    try:
        source = importlib.util.decode_source(path.read_bytes())
        tree = ast.parse(source)
        table = symtable.symtable(source, str(path), "exec")
    except (SyntaxError, ValueError):
        return None
    names = {symbol.get_name() for symbol in table.get_symbols()
             if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()}
    stars = any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree))
    return None if stars or "__getattr__" in names else names


def _existing(path: str | os.PathLike) -> Path:
    if not Path(path).is_file():
        raise ConfigurationError(f"there is no file {path}")
    return Path(path).resolve()


def _name(path: Path) -> str:
    """Of the module of a file: not the file's own, which may be that of another module, and the same in every process.

    Without a dot: what Numba 0.68 has cached of functions in a file (`cache=True`) imports their module again by its name.
    """
    stem = re.sub(r"\W", "_", path.stem)
    return f"{_PREFIX}{stem}_{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"


def place_in(error: BaseException) -> tuple[Path, int] | None:
    """(file, line) of a user's file in which an error arose, or what it calls; None for one that arose elsewhere.

    An error that arose while another one was handled lies where that one did, unless it has a place of its own.
    """
    found, trace = None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.startswith(_PREFIX):
            found = Path(trace.tb_frame.f_globals["__file__"]), trace.tb_lineno
        trace = trace.tb_next
    return place_in(error.__context__) if found is None and error.__context__ is not None else found


def one_line(error: Exception) -> str:
    """What a command says of an error, with the place in the user's file unless it is named already."""
    place = place_in(error)
    if isinstance(error, TTFSError):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = f"this needs more memory than there is{f': {error}' if str(error) else ''}"
    elif isinstance(error, OSError):
        text = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    else:
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return text if place is None or str(place[0]) in text else f"{place[0]}, line {place[1]}: {text}"
