"""The code cells of a notebook that is kept as reStructuredText, and a runner for them that needs no notebook.

`cells` reads the text as sphinxcontrib-jupyter would with the tags `TAGS`: the solutions are in, the exercises that they answer
are out. `run_cells` runs the cells in one namespace. A cell is left out, with its reason, if the reader has to fill it in or if
what it needs is outside of the adapter; every other exception ends the run and is reported.
"""

import ast
import builtins
import contextlib
import linecache
import re
import sys
import traceback
from pathlib import Path

TAGS = frozenset({"jupyter", "Solution", "exclude_nmpi"})
_DIRECTIVE = re.compile(r"^(\s*)\.\. ([a-z-]+)::\s*(.*?)\s*$")
_OPTION = re.compile(r"^\s*:([a-z-]+):\s*(.*?)\s*$")
_MAGIC = re.compile(r"^(\s*)(?:%%?[a-z]\w*|![a-z]|\w+\s*=\s*!).*$", re.MULTILINE)
# Voltages on the pads and of the board are no part of a PyNN adapter.
_LOW_LEVEL = re.compile(r"\bmeasure_voltage\b")
_CELL = "# %% cell "


class MissingModule(ImportError):
    """Something that is no part of the adapter is not installed; `name` says what."""

    def __init__(self, name):
        super().__init__(f"{name} is not installed", name=name)


def _tagged(expression, tags):
    """Whether an `only` block is in: the expression may use `not`, `and`, `or` and parentheses."""
    words = re.findall(r"\w+|[()]", expression)
    return bool(eval(" ".join(w if w in {"not", "and", "or", "(", ")"} else str(w in tags) for w in words)))


def _body(lines, start, indent):
    """Options and body of the directive before line `start`; the line after it."""
    end = start
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indent):
        end += 1
    body, options = lines[start:end], {}
    while body and (match := _OPTION.match(body[0])):
        options[match[1]] = match[2]
        body = body[1:]
    return options, body, end


def _dedent(lines):
    filled = [line for line in lines if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in filled), default=0)
    return "\n".join(line[margin:] for line in lines).strip("\n")


def cells(text, folder=Path(), tags=TAGS):
    """The Python cells of a reStructuredText, in order, without magics; `include` is resolved in `folder`."""
    lines, found, i = text.expandtabs(8).splitlines(), [], 0
    while i < len(lines):
        match = _DIRECTIVE.match(lines[i])
        i += 1
        if not match:
            continue
        indent, name, argument = len(match[1]), match[2], match[3]
        if name in {"code", "code-block"}:
            _, body, i = _body(lines, i, indent)
            if argument in {"", "ipython3"}:
                found.append(_dedent(body))
        elif name == "only":
            # A block that is in has its directives read where they stand.
            if not _tagged(argument, tags):
                _, _, i = _body(lines, i, indent)
        elif name == "include":
            options, _, i = _body(lines, i, indent)
            included = (Path(folder) / argument).read_text(encoding="utf-8")
            if "code" in options:
                found.append(_dedent(included.splitlines()[int(options.get("start-line", 0)):]))
            else:
                found += cells(included, folder, tags)
    without = [_MAGIC.sub(r"\1pass", cell) for cell in found]
    return [cell for cell in without if cell.strip()]


def join(sources):
    """One script of the cells, which `split` takes apart again."""
    return "".join(f"{_CELL}{i + 1}\n{source}\n\n" for i, source in enumerate(sources))


def split(script):
    """[(line of the script before the cell's first line, cell)]."""
    parts, line = [], 0
    for part in script.split(_CELL)[1:]:
        source = part.split("\n", 1)[1]
        parts.append((line + 1, source))
        line += part.count("\n")
    return parts


def _assigned(tree):
    """Names that a cell binds, in whatever scope."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return names | {(alias.asname or alias.name).split(".")[0] for node in ast.walk(tree)
                    if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}


def _to_fill_in(tree):
    """Whether `...` stands for something to write: as a value, or alone outside of a function or class."""
    subscripts = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Subscript) for inner in ast.walk(node.slice)}
    bodies = {id(node.body[0].value) for node in ast.walk(tree)
              if isinstance(node, ast.FunctionDef | ast.ClassDef) and isinstance(node.body[0], ast.Expr)}
    return any(isinstance(node, ast.Constant) and node.value is Ellipsis and id(node) not in subscripts | bodies
               for node in ast.walk(tree))


def run_cells(path):
    """Run the cells of the script `path`.

    Returns {"cells": number, "ran": number, "left_out": [(cell, reason)], "failure": None or text, "where": source line}.
    """
    parts = split(Path(path).read_text(encoding="utf-8"))
    trees = [ast.parse(source) for _, source in parts]
    everywhere = set().union(*map(_assigned, trees)) | set(dir(builtins)) if trees else set()
    outcome = {"cells": len(parts), "ran": 0, "left_out": [], "failure": None, "where": ""}
    missing, names = set(), {"__name__": "__main__"}

    def leave_out(number, tree, reason):
        outcome["left_out"].append((number, reason))
        missing.update(_assigned(tree))

    for number, ((offset, source), tree) in enumerate(zip(parts, trees, strict=True), 1):
        if _to_fill_in(tree):
            leave_out(number, tree, "an exercise with ... to fill in")
            continue
        if _LOW_LEVEL.search(source):
            leave_out(number, tree, "low-level access")
            continue
        try:
            exec(compile("\n" * offset + source, str(path), "exec", dont_inherit=True), names)
        except MissingModule as error:
            leave_out(number, tree, f"stopped where it uses {error.name}, which is not installed")
            continue
        except (Exception, SystemExit) as error:
            frames = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in frames if frame.filename == str(path)]
            # A name that is missing inside of the adapter is the adapter's failure.
            name = error.name if isinstance(error, NameError) and frames[-1].filename == str(path) else None
            if name in missing:
                leave_out(number, tree, f"needs {name} of a cell that was left out")
                continue
            if name is not None and name not in everywhere:
                leave_out(number, tree, f"the reader has to define {name}")
                continue
            traceback.print_exc()
            text = (str(error).strip().splitlines() or [""])[0]
            outcome["failure"] = f"cell {number}: {type(error).__name__}: {text}"
            outcome["where"] = linecache.getline(str(path), ours[-1].lineno).strip() if ours else ""
            return outcome
        outcome["ran"] += 1
        with contextlib.suppress(KeyError):
            sys.modules["matplotlib.pyplot"].close("all")
    return outcome
