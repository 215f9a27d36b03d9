"""Which model a command names: one of `ttfs_pynn.models`, a file in the current folder by its name, any other by its path."""

import copy
import filecmp
import importlib
import os
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from ttfs_pynn.errors import ConfigurationError, ResultsError, unknown
from ttfs_pynn.runs.recipes import recipe_folder
from ttfs_pynn.runs.user_code import load_file, names_in

__all__ = ["changed", "is_model", "load", "load_for", "name_of", "names", "tables_of"]


def names() -> list[str]:
    """The models of the package."""
    return sorted(module.name for module in pkgutil.iter_modules([str(recipe_folder("models"))]))


def load(name: str) -> ModuleType:
    """The model of that name, here or as NAME.py in the current folder, or in the file of that path.

    ConfigurationError where there is none, where both have it, or where the file is no model.
    """
    if str(name).endswith(".py"):
        return _model(name)
    here = Path(f"{name}.py") if name.isidentifier() and Path(f"{name}.py").is_file() else None
    if name in names():
        if here and not here.samefile(recipe_folder("models") / here):
            raise ConfigurationError(f"{name} is a model of the package, and {here} is here too; say ./{here} to use it, or give "
                                     "it another name")
        return importlib.import_module(f"ttfs_pynn.models.{name}")
    if here:
        return _model(here)
    raise ConfigurationError(f"{unknown('model', name, names())}, the name of a NAME.py in this folder, or the path of a Python "
                             "file")


def name_of(model: Any) -> str:
    """What a run folder calls a model: its name, with .py where it is a file of the user's."""
    file = Path(model.__file__)
    return file.stem if model.__name__ == f"ttfs_pynn.models.{file.stem}" else file.name


def load_for(folder: Any, file: str | os.PathLike | None = None) -> ModuleType:
    """The model that a run was trained with: one of the package, or the user's in the current folder, or `file`.

    A file that is not as it was then (the run keeps a copy, model.py) is used only where it is given. Neither the copy nor any
    other file in the run folder is ever executed unasked: run folders are handed on. ResultsError says what to do.
    """
    name, kept = folder.configuration["model"], folder.path / "model.py"
    if file is not None:
        return load(str(file))
    if name in names():
        return importlib.import_module(f"ttfs_pynn.models.{name}")
    if not name.endswith(".py"):
        raise ResultsError(f"{folder.path} was trained with the model {name!r}, which this version does not have (it has "
                           f"{', '.join(names())}); say which file to use with --model FILE")
    advice = f"say which file to use with --model FILE ({kept} is as the run was made with; look at it before you run it)"
    own = Path(Path(name).name)
    if not own.is_file():
        raise ResultsError(f"{folder.path} was trained with {own}, which is not in the current folder; go to its folder, or "
                           f"{advice}")
    if own.resolve().is_relative_to(folder.path.resolve()):
        raise ResultsError(f"{own} lies in the run folder, from which nothing is executed unasked; {advice}")
    if changed(own, folder):
        raise ResultsError(f"{own} is not as it was when {folder.path} was trained; {advice}")
    return load(str(own))


def changed(file: str | os.PathLike, folder: Any) -> bool:
    """Whether a model's source differs from the copy that the run keeps (runs of before there were copies: never)."""
    kept = folder.path / "model.py"
    return kept.is_file() and not filecmp.cmp(kept, file, shallow=False)  # by size first: a run folder is anybody's


def is_model(module: Any) -> bool:
    """Whether a module is a model (see `runs.experiment`), and no script without data."""
    return hasattr(module, "data") and (hasattr(module, "graph") or hasattr(module, "build"))


def tables_of(module: Any) -> dict[str, Any]:
    """{table: dict} of the module's PARAMETERS, copied; `network` and `training` are empty where it has none. ConfigurationError
    where one is no dict."""
    given = getattr(module, "PARAMETERS", {})
    tables = {"network": {}, "training": {}, **given} if isinstance(given, dict) else {"PARAMETERS": given}
    known = ("network", "training", "hardware", "network_on_hardware", "training_on_hardware")
    for name, table in tables.items():
        if name not in (*known, "PARAMETERS"):
            raise ConfigurationError(f"PARAMETERS of {module.__file__}: {unknown('table', name, known)}")
        if not isinstance(table, dict):
            raise ConfigurationError(f"{name} in {module.__file__} is {type(table).__name__}; PARAMETERS is a dict of dicts, "
                                     "such as "
                                     "{'network': {}, 'training': {}}")
    return copy.deepcopy(tables)


def preset_of(module: Any, name: str | None) -> dict[str, dict[str, Any]]:
    """{table: values} of the module's PRESETS of that name, copied; nothing for None. ConfigurationError where it has none."""
    if name is None:
        return {}
    presets = getattr(module, "PRESETS", {})
    if name not in presets:
        raise ConfigurationError(f"--preset {name}: {unknown('preset', name, presets)}" if presets else
                                 f"--preset {name}: {module.__file__} has no PRESETS; leave it out")
    if not isinstance(presets[name], dict) or not set(presets[name]) <= {"network", "training"} \
            or not all(isinstance(table, dict) for table in presets[name].values()):
        raise ConfigurationError(f"the preset {name!r} in {module.__file__} must be a dict of dicts: {{'network': {{}}, "
                                 "'training': {}}")
    return copy.deepcopy(presets[name])


def _model(file):
    """The module of a file, which is not executed where it can be told without that it is no model."""
    names = names_in(file)
    if names is not None:
        _check(file, lambda name: name in names)
    module = load_file(file)
    _check(file, lambda name: hasattr(module, name))
    tables_of(module)
    return module


def _check(file, has):
    missing = [*["data(parameters)"] * (not has("data")), *["graph(parameters) or build(sim)"] * (not (has("graph")
                                                                                                       or has("build")))]
    if missing:
        raise ConfigurationError(f"{Path(file).resolve()} is no model: it has no {' and no '.join(missing)}; `ttfs-pynn new` "
                                 "writes one to edit")
