"""Imports point one way: `protocols -> models, analysis -> library`, and inside the library from room to room as in ROOMS.

A room is a folder of ttfs_pynn, or a module in its root. Nothing reaches up, and only the backends know simulators.
"""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECIPES = ("models", "protocols", "analysis")

GROUND = ("errors", "units", "neuron")
# {room: which rooms it may import}; a room may import itself.
ROOMS = {
    "errors": (),
    "units": ("errors",),
    "neuron": ("errors", "units"),
    "processes": ("errors",),
    "files": ("errors",),
    "membrane": (),
    "first_spike": ("membrane",),
    "integration": ("membrane",),
    "event_driven": ("integration", "membrane", "errors", "units"),
    "exact": ("event_driven", "errors", "units"),
    "brainscales2": ("event_driven", "files", "errors", "units"),
    "graph": GROUND,
    "spikes": ("graph", *GROUND),
    "simulators": ("spikes", "brainscales2", "exact", "processes", *GROUND),
    "networks": ("graph", "spikes", "simulators", "first_spike", *GROUND),
    "learning": ("networks", "graph", "spikes", "first_spike", "membrane", *GROUND),
    "datasets": ("files", "spikes", *GROUND),
    "interchange": ("learning", "networks", "graph", "spikes", "files", *GROUND),
    "runs": ("interchange", "learning", "networks", "graph", "spikes", "simulators", "files", "processes", *GROUND),
    "comparison": ("runs", "learning", "networks", "graph", "spikes", "simulators", "membrane", "files", "processes", *GROUND),
    "commands": ("runs", "learning", "networks", "graph", "spikes", "simulators", "files", "processes", *GROUND),
    "__main__": ("commands",),
    "__init__": ("networks", "learning"),  # what is loaded when it is used
    # Recipes. Figures are drawn of what is stored; a model is described, and run by others.
    "models": ("datasets", "learning", "networks", "graph", "spikes", *GROUND),
    "analysis": ("commands", "comparison", "runs", "learning", "spikes", "files", *GROUND),
    "protocols": ("models", "analysis", "commands", "comparison", "runs", "interchange", "datasets", "learning", "networks",
                  "graph", "spikes", "simulators", "brainscales2", "files", "processes", *GROUND),
}
# Arrows that are wrong and still there. Whoever mends one deletes it here.
TO_MEND: set[tuple[str, str]] = set()

# What else a room may import besides the standard library; other rooms may import anything but SIMULATORS and PyNN.
STANDS_ON = {"membrane": {"numpy", "numba", "llvmlite"}, "integration": {"numpy", "scipy", "numba"},
             "first_spike": {"numpy", "scipy", "numba"}, "graph": {"numpy", "scipy"},
             "errors": set()}
SIMULATORS = {"brian2", "nest", "neuron"}
KNOW_PYNN = {"simulators", "exact", "event_driven", "brainscales2"}


def modules():
    """{name: file} of all modules of the library and of the recipes; what is written for users, templates, is theirs."""
    found = {}
    for top, folder in (("ttfs_pynn", "ttfs_pynn"), *((f"ttfs_pynn.{name}", name) for name in RECIPES)):
        for file in sorted((ROOT / folder).rglob("*.py")):
            parts = file.relative_to(ROOT / folder).with_suffix("").parts
            if not {"template", "templates"} & set(parts):
                found[".".join([top, *(part for part in parts if part != "__init__")])] = file
    return found


def imports(file):
    """Dotted names that a file imports, wherever in the file; of `from ttfs_pynn import x`, x."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}, line {node.lineno}: say from which package"
            yield from (f"ttfs_pynn.{alias.name}" for alias in node.names) if node.module == "ttfs_pynn" else [node.module]


def room(name):
    """'spikes' of 'ttfs_pynn.spikes.windows'; '__init__' of the package itself and of what it says of itself (__version__)."""
    _, _, rest = name.partition(".")
    first = rest.partition(".")[0]
    return "__init__" if not first or first == "__version__" else first


MODULES = modules()


def test_there_is_something_to_walk():
    assert len(MODULES) > 150 and {"ttfs_pynn.neuron", "ttfs_pynn.models.yin_yang", "ttfs_pynn.spikes.windows"} <= set(MODULES)
    assert not {room(name) for name in MODULES} - set(ROOMS), "a room without a rule"


def test_no_room_may_import_one_that_may_import_it():
    """The table itself has no circle: rooms can be put in an order."""
    left = {name: set(allowed) for name, allowed in ROOMS.items()}
    while left:
        lowest = [name for name, allowed in left.items() if not allowed & set(left)]
        assert lowest, f"in a circle: {sorted(left)}"
        for name in lowest:
            del left[name]


@pytest.mark.parametrize("name", MODULES)
def test_arrows(name):
    here = room(name)
    for imported in imports(MODULES[name]):
        there = room(imported)
        if imported.partition(".")[0] != "ttfs_pynn" or there in (here, "__init__") or (here, there) in TO_MEND:
            continue
        assert there in ROOMS[here], (f"{MODULES[name].relative_to(ROOT)} imports {imported}: {here} -> {there}; {here} may "
                                      f"import {', '.join(ROOMS[here]) or 'no other room'}")


def test_what_was_mended_is_forbidden():
    arrows = {(room(name), room(imported)) for name, file in MODULES.items() for imported in imports(file)
              if imported.startswith("ttfs_pynn")}
    assert not TO_MEND - arrows, "no longer there: delete it from TO_MEND"


@pytest.mark.parametrize("name", MODULES)
def test_packages(name):
    here = room(name)
    found = {imported.partition(".")[0] for imported in imports(MODULES[name])} - set(sys.stdlib_module_names) - {"ttfs_pynn"}
    assert not found & {*RECIPES, "tests", "benchmarks"}
    if here != "simulators":
        assert not found & SIMULATORS, f"{here} knows a simulator"
    if here not in KNOW_PYNN:
        assert "pyNN" not in found, f"{here} knows PyNN"
    if here in STANDS_ON:
        assert found <= STANDS_ON[here], here
