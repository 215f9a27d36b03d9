"""What a run was made with: versions of Python and of the packages that matter, and the commit."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

import ttfs_pynn

__all__ = ["versions"]

PACKAGES = ("numpy", "scipy", "numba", "neo", "pynn", "quantities", "nixio", "brian2", "nest-simulator",
            "neuron")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _git(*arguments: str) -> str | None:
    """Output of git in the checkout, None where the package does not run from one or there is no git."""
    checkout = Path(ttfs_pynn.__file__).resolve().parents[1]
    # An environment may lie inside somebody else's repository, whose commit says nothing about this package.
    if not (checkout / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "-C", str(checkout), *arguments],
                              capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def versions() -> dict[str, Any]:
    """A dict for TOML: python, platform, `packages`, and in a checkout `git_commit` and `git_modified`."""
    found: dict[str, Any] = {"python": platform.python_version(), "platform": platform.platform()}
    commit = _git("rev-parse", "HEAD")
    if commit:
        found["git_commit"] = commit
        found["git_modified"] = bool(_git("status", "--porcelain", "--untracked-files=no"))
    found["packages"] = {"ttfs_pynn": ttfs_pynn.__version__} | {name: _version(name) for name in PACKAGES}
    return found
