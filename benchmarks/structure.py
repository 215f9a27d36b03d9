"""How the code is built: rooms and the arrows between them, modules in the root, long argument lists, long modules, and the rest
of what a reader stumbles over. Of a revision, of several, or of the checkout as it is; they stand side by side.

A room is a folder of ttfs_pynn, or models, protocols, analysis; modules in the root of ttfs_pynn are together the room "root". An
arrow goes from a room to one that it imports; from __init__ and __main__ of the package, its doors, none is counted. Code is
read, never imported.

examples:
  python -m benchmarks.structure                       (the checkout)
  python -m benchmarks.structure cf1d89c .             (before, and now)
  python -m benchmarks.structure cf1d89c . --list      (and which they are)
"""

import ast
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ("models", "protocols", "analysis")
MANY_ARGUMENTS, LONG_MODULE = 10, 250
_DOORS = ("__init__", "__main__")


@dataclass
class Structure:
    """What is counted.

    modules, lines: by room. arrows: (from, to). arguments, long_modules: (how many, where), all of them. private: (where, name)
    of what has an underscore and is imported from another room. numbered: by file, places in compiled functions where a column of
    a table is a number from 2 on. annotated: public functions with all types, and all of them.
    """

    modules: Counter = field(default_factory=Counter)
    lines: Counter = field(default_factory=Counter)
    arrows: set = field(default_factory=set)
    arguments: list = field(default_factory=list)
    long_modules: list = field(default_factory=list)
    private: list = field(default_factory=list)
    numbered: Counter = field(default_factory=Counter)
    annotated: list = field(default_factory=lambda: [0, 0])

    @property
    def both_ways(self) -> list[tuple[str, str]]:
        """Pairs of rooms that import each other."""
        return sorted((a, b) for a, b in self.arrows if a < b and (b, a) in self.arrows)


def parser():
    p = ArgumentParser(prog="python -m benchmarks.structure", description=__doc__)
    p.add_argument("revisions", nargs="*", default=["."], metavar="REVISION", help="of git; . is the checkout (default)")
    p.add_argument("--list", action="store_true", help="say which, not only how many")
    return p


@contextmanager
def checkout_of(revision: str) -> Iterator[Path]:
    """The folder of a revision's files; the checkout's own for '.'."""
    if revision == ".":
        yield ROOT
        return
    with tempfile.TemporaryDirectory(prefix="structure.") as folder:
        archive = Path(folder) / "files.tar"
        done = subprocess.run(["git", "-C", str(ROOT), "archive", "-o", str(archive), revision], capture_output=True, text=True)
        if done.returncode:
            raise ConfigurationError(f"git has no revision {revision!r}: {done.stderr.strip()}")
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="data")
        yield Path(folder)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(room, file) of all modules; templates are a user's."""
    for file in sorted((folder / "ttfs_pynn").rglob("*.py")):
        parts = file.relative_to(folder / "ttfs_pynn").parts
        if not {"template", "templates"} & set(parts):
            yield parts[0] if len(parts) > 1 else "root", file
    for room in RECIPES:
        yield from ((room, file) for file in sorted((folder / room).rglob("*.py")))


def _room(name: str, rooms: set[str]) -> str | None:
    """The room of an imported name; None of what lies elsewhere."""
    parts = name.split(".")
    if parts[0] == "ttfs_pynn":
        return parts[1] if len(parts) > 1 and parts[1] in rooms else "root"
    return parts[0] if parts[0] in RECIPES else None


def structure_of(folder: Path) -> Structure:
    """The Structure of the files in a folder."""
    found, files = Structure(), list(_files(folder))
    rooms = {room for room, _ in files}
    for room, file in files:
        text = file.read_text(encoding="utf-8")
        tree, n, where = ast.parse(text), text.count("\n"), file.relative_to(folder).as_posix()
        found.modules[room] += 1
        found.lines[room] += n
        if n > LONG_MODULE:
            found.long_modules.append((n, where))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and not (room == "root" and file.stem in _DOORS):
                _look_at_import(found, node, room, rooms, where)
            elif isinstance(node, ast.FunctionDef):
                _look_at_function(found, node, where)
        for _, annotated in public_functions(tree):
            found.annotated[0] += annotated
            found.annotated[1] += 1
    found.arguments.sort(reverse=True)
    found.long_modules.sort(reverse=True)
    return found


def _look_at_import(found, node, room, rooms, where):
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    for name in names:
        other = _room(name, rooms)
        if other not in (None, room) and name != "ttfs_pynn.__version__":
            found.arrows.add((room, other))
            last = name.rpartition(".")[2]
            if last.startswith("_") and not last.startswith("__"):
                found.private.append((where, name))


def _look_at_function(found, node, where):
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    found.arguments.append((len(arguments), f"{where}: {node.name}"))
    if any("jit" in ast.unparse(decorator) for decorator in node.decorator_list):
        found.numbered[where] += sum(
            isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name) and isinstance(part.slice, ast.Constant)
            and isinstance(part.slice.value, int) and part.slice.value >= 2 for part in ast.walk(node))


def public_functions(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """(name, whether it says what it takes and returns) of the public functions of a module, and of its public classes."""
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))]
    for node in (node for body in bodies for node in body if isinstance(node, ast.FunctionDef)):
        if not node.name.startswith("_"):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield node.name, node.returns is not None and all(a.annotation is not None or a.arg in ("self", "cls")
                                                              for a in arguments)


def rows_of(found: Structure) -> dict[str, str]:
    """{what: how much of it}, in the order of the table."""
    many = [n for n, _ in found.arguments if n > MANY_ARGUMENTS]
    done, all_of_them = found.annotated
    return {"rooms": str(len(found.modules)), "modules": str(found.modules.total()), "lines": f"{found.lines.total():,}",
            "modules in the root": str(found.modules["root"]), "arrows between rooms": str(len(found.arrows)),
            "rooms that import each other": str(len(found.both_ways)),
            "privates imported across rooms": str(len(found.private)),
            "longest argument list": str(found.arguments[0][0]),
            f"functions of more than {MANY_ARGUMENTS} arguments": str(len(many)),
            "columns by number in compiled loops": str(found.numbered.total()),
            "longest module (lines)": str(found.long_modules[0][0] if found.long_modules else f"<= {LONG_MODULE}"),
            f"modules of more than {LONG_MODULE} lines": str(len(found.long_modules)),
            "public functions with types": f"{done} of {all_of_them} ({100 * done / all_of_them:.0f} %)"}


def table(found: dict[str, Structure]) -> str:
    """Structures side by side, as Markdown."""
    rows = {name: rows_of(one) for name, one in found.items()}
    head = ["what", *("the checkout" if name == "." else name for name in found)]
    lines = [head, ["---"] * len(head), *([what, *(row[what] for row in rows.values())] for what in next(iter(rows.values())))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def listing(name: str, found: Structure) -> str:
    """Which they are, of one structure."""
    arrows: dict[str, list[str]] = {}
    for start, end in sorted(found.arrows):
        arrows.setdefault(start, []).append(end)
    return "\n".join([
        f"\n{name}", "rooms (modules, lines): " + ", ".join(f"{room} ({n}, {found.lines[room]})"
                                                           for room, n in found.modules.most_common()),
        *(f"  {start} -> {', '.join(ends)}" for start, ends in arrows.items()),
        "import each other: " + (", ".join(" and ".join(pair) for pair in found.both_ways) or "none"),
        *(f"  {n:>3} arguments: {where}" for n, where in found.arguments if n > MANY_ARGUMENTS),
        *(f"  {n:>3} columns by number: {where}" for where, n in found.numbered.most_common() if n),
        *(f"  {n:>3} lines: {where}" for n, where in found.long_modules),
        *(f"  private: {where} imports {what}" for where, what in found.private)])


def main(arguments=None):
    a = parser().parse_args(arguments)
    found = {}
    for revision in dict.fromkeys(a.revisions):
        with checkout_of(revision) as folder:
            found[revision] = structure_of(folder)
    print(table(found))
    if a.list:
        print("\n".join(listing(name, one) for name, one in found.items()))


if __name__ == "__main__":
    run(main)
