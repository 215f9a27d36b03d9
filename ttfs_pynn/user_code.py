"""Python files that a user names: models, and scripts for PyNN."""

import importlib.machinery
import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from ttfs_pynn.errors import ConfigurationError

__all__ = ["load_file"]


def load_file(path: str | os.PathLike) -> ModuleType:
    """The module of a Python file, which may import its neighbours; the file is executed at most once.

    ConfigurationError where there is none, or where it cannot be imported: the line says where in the file.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
    # Not under its own name, which may be that of another module.
    name = f"user_code:{path}"
    if name in sys.modules:
        return sys.modules[name]
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, loader, origin=str(path)))
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        loader.exec_module(module)
    except Exception as error:  # whatever the file does wrong
        del sys.modules[name]
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        place = f"line {lines[-1]}: " if lines else ""
        raise ConfigurationError(f"{path} cannot be imported: {place}{type(error).__name__}: {error}") from error
    return module
