"""Imports point one way (see the README's map): nothing reaches up, and only the backends know simulators."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
SIMULATOR_PACKAGES = {"brian2", "nest", "neuron"}


def imports(path):
    """Top-level dotted names that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(folder):
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def test_first_spike_stands_on_numpy_scipy_and_numba():
    for path in files("ttfs_pynn/first_spike"):
        for name in imports(path):
            allowed = name.split(".")[0] in {"numpy", "scipy", "numba", "math"} or name.startswith("ttfs_pynn.first_spike")
            assert allowed, (path, name)


def test_the_library_does_not_know_the_recipes():
    for path in files("ttfs_pynn"):
        recipes = {"models", "protocols", "analysis", "tests", "benchmarks"}
        assert not {name.split(".")[0] for name in imports(path)} & recipes, path


def test_only_simulators_and_backends_know_simulators():
    for path in files("ttfs_pynn") + files("models") + files("analysis"):
        inside = path.relative_to(ROOT).as_posix()
        if inside.startswith("ttfs_pynn/simulators/"):
            continue
        assert not {name.split(".")[0] for name in imports(path)} & SIMULATOR_PACKAGES, path
        if not inside.startswith(("ttfs_pynn/exact/", "ttfs_pynn/event_driven/", "ttfs_pynn/brainscales2/")):
            assert not any(name.startswith(("pyNN", "ttfs_pynn.exact", "ttfs_pynn.brainscales2")) for name in imports(path)), path


def test_engine_and_mathematics_know_no_pynn():
    names = ("gradient_engine", "presentation", "loss", "optimizer", "silent_neurons", "neuron", "training")
    for path in [ROOT / "ttfs_pynn" / f"{name}.py" for name in names] + files("ttfs_pynn/comparison"):
        for imported in imports(path):
            above = ("pyNN", "ttfs_pynn.networks.network", "ttfs_pynn.simulators", "ttfs_pynn.exact")
            assert not imported.startswith(above), (path, imported)


def test_analysis_and_models_never_simulate():
    for path in files("analysis"):
        assert not any(name.startswith(("protocols", "models", "ttfs_pynn.networks.network", "ttfs_pynn.learning.training", "ttfs_pynn.simulators"))
                       for name in imports(path)), path
