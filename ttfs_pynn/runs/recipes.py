"""Where the recipes lie: `ttfs_pynn.models`, `ttfs_pynn.protocols`, `ttfs_pynn.analysis`. They import the library, which
knows them by the names of their files alone."""

import importlib.util
from pathlib import Path

from ttfs_pynn.errors import ConfigurationError

__all__ = ["recipe_folder"]


def recipe_folder(package: str) -> Path:
    """The folder of 'models', 'protocols' or 'analysis'. ConfigurationError where the installation has none."""
    found = importlib.util.find_spec(f"ttfs_pynn.{package}")
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(f"this installation of ttfs_pynn has no {package}; install it: pip install ttfs_pynn, or in a "
                                 "checkout pip install -e .")
    return Path(found.submodule_search_locations[0])
