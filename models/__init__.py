"""Networks to copy and edit: one a file, with `PARAMETERS`, `architecture`, `build` and `data`. They name no simulator."""

import importlib
import pkgutil

from ttfs_pynn.errors import ConfigurationError


def names():
    """Names of all models, in order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name):
    """The model of that name, or a ConfigurationError with the known ones."""
    if name not in names():
        raise ConfigurationError(f"unknown model {name!r}; known: {', '.join(names())}")
    return importlib.import_module(f"models.{name}")
