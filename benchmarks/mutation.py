"""Would the tests notice? `python -m benchmarks.mutation [--mutants 200] [--seed 0]` (not on Windows).

In ttfs_pynn/first_spike and ttfs_pynn/learning/engine.py one operator, comparison, number, condition or call of min and max is
changed at a time, and the tests of that module run on what results, without compilation, in a process of its own. A mutant is
killed where one of them fails or the time is up. Left out are what no test can see: decorators (options of the compiler), text
and annotations. The whole suite, which runs compiled, can only kill more.

Survivors are printed with their line. Some are equivalent: what only decides how close a bound is, or which of two equal branches
is taken at a tie, changes no result.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from pathlib import Path

os.environ["NUMBA_DISABLE_JIT"] = "1"

import hypothesis  # noqa: E402
import mpmath  # noqa: E402, F401
import neo  # noqa: E402, F401
import numba  # noqa: E402, F401
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import scipy.optimize  # noqa: E402
import scipy.special  # noqa: E402, F401

ROOT = Path(__file__).resolve().parents[1]
# Small cases come first and kill most. Left out is what takes long without compilation and sees no more than the rest.
SMALL = ("first_spike/test_small_cases.py", "first_spike/test_membrane.py", "first_spike/test_sorted_inputs.py")
TIMES = ("first_spike/test_forward.py", "first_spike/test_adversarial.py", "first_spike/test_properties.py")
LAYERS = ("first_spike/test_layer_kernels.py",)
ROWS = ("first_spike/test_rows.py",)
DERIVATIVES = ("first_spike/test_backward.py",)
TESTS = {
    "gradient_engine": ("test_gradient_engine.py",), "double_double": ("first_spike/test_double_double.py", *TIMES[:2]),
    "delays": ("first_spike/test_delays.py",), "delay_kernels": ("first_spike/test_delays.py",),
    "peak": ("first_spike/test_peak.py",), "layer_kernels": (*LAYERS, *TIMES), "layer_backward": (*LAYERS, *DERIVATIVES),
    "rows": ROWS, "rows_kernels": ROWS, "rows_layer_kernels": ROWS, "rows_backward": ROWS,
    "rows_peak": ("first_spike/test_peak.py",), "recurrent": ("first_spike/test_recurrent.py",),
    "recurrent_kernels": ("first_spike/test_recurrent.py",),
    "several_spikes": ("first_spike/test_several_spikes.py",),
    "backward": DERIVATIVES, "backward_kernels": (*DERIVATIVES, *LAYERS), "sorted_inputs": LAYERS,
}
LONG = "not any_number_of_threads and not 100.0 and not (central_differences_of_delays and synaptic and (0.7 or 2.0))"
_SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
          ast.Pow: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
          ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And}


def sources():
    return [*sorted((ROOT / "ttfs_pynn/first_spike").glob("*.py")), ROOT / "ttfs_pynn/learning/engine.py"]


def places(tree):
    """(path to a node, kind of change) of all that may be changed; a path is a list of (field, index)."""
    def walk(node, path):
        if isinstance(node, ast.JoinedStr | ast.Raise):
            return
        if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _SWAPS:
            yield path, "operator"
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS:
            yield path, "comparison"
        elif isinstance(node, ast.BoolOp):
            yield path, "and, or"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
            yield path, "sign, not"
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
            yield path, "number"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
            yield path, "min, max"
        elif isinstance(node, ast.If | ast.While | ast.IfExp):
            yield path, "condition"
        for field, value in ast.iter_fields(node):
            if field in ("decorator_list", "annotation", "returns"):
                continue
            for index, child in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(child, ast.AST):
                    yield from walk(child, [*path, (field, index if isinstance(value, list) else None)])

    return list(walk(tree, []))


def mutated(tree, path, kind):
    """(changed copy of the tree, line, what it says now)."""
    tree = copy.deepcopy(tree)
    node = tree
    for field, index in path:
        node = getattr(node, field) if index is None else getattr(node, field)[index]
    line = getattr(node, "lineno", 0)
    if kind in ("operator", "and, or"):
        node.op = _SWAPS[type(node.op)]()
    elif kind == "comparison":
        node.ops[0] = _SWAPS[type(node.ops[0])]()
    elif kind == "sign, not":
        node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
        if isinstance(node.op, ast.Not):
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif kind == "number":
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1 if node.value < 10 else node.value * 2
    elif kind == "min, max":
        node.func.id = "max" if node.func.id == "min" else "min"
    else:
        node.test = ast.UnaryOp(ast.Not(), node.test)
    text = ast.unparse(node.test if kind == "condition" else node).splitlines()[0]
    return ast.fix_missing_locations(tree), line, text


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree."""

    def __init__(self, name, path, tree):
        self.name, self.path, self.code = name, path, compile(tree, str(path), "exec")

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        search = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(name, self.path, loader=self, submodule_search_locations=search)

    def exec_module(self, module):
        exec(self.code, module.__dict__)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def run_tests(path):
    """The exit status of pytest on what tests the module at `path` (None: all)."""
    np.seterr(all="ignore")
    hypothesis.settings.register_profile("mutation", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutation")
    own = {name for names in TESTS.values() for name in names} if path is None else TESTS.get(path.stem, (*TIMES, *DERIVATIVES))
    names = [*SMALL, *sorted(own)] if path is None else [*SMALL, *own]
    return int(pytest.main(["-x", "-q", "-k", LONG, "-p", "no:cacheprovider", *(str(ROOT / "tests" / name) for name in names)]))


def outcome(path, tree, seconds):
    """'killed', 'time' or 'survived' for one mutant (None: the unchanged code), in a child."""
    child = os.fork()
    if child == 0:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # of its own processor time; other work on the machine does not count
        status = 1
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            if tree is not None:
                sys.meta_path.insert(0, _Loader(module_name(path), path, tree))
            status = run_tests(path)
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, 1, 2, -signal.SIGPROF):  # 2: a test module could not be read
        raise SystemExit(f"pytest ended with status {status}: no tests, or something else went wrong")
    return {0: "survived", -signal.SIGPROF: "time"}.get(status, "killed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=200, help="random sample (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=150, help="of processor time for a mutant")
    a = parser.parse_args()
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources()}
    everything = [(path, *place) for path, tree in trees.items() for place in places(tree)]
    if outcome(None, None, 4 * a.seconds) != "survived":
        raise SystemExit("the tests fail on the unchanged code")
    rng = np.random.default_rng(a.seed)
    chosen = [everything[k] for k in rng.permutation(len(everything))[:a.mutants or None]]
    counts, begin = {}, time.perf_counter()
    for k, (path, place, kind) in enumerate(chosen, 1):
        tree, line, text = mutated(trees[path], place, kind)
        found = outcome(path, tree, a.seconds)
        counts.setdefault(path.name, []).append(found)
        if found == "survived":
            print(f"survived: {path.relative_to(ROOT)}:{line}, {kind}: {text}", flush=True)
        if k % 25 == 0 or k == len(chosen):
            n_killed = sum(f != "survived" for f_list in counts.values() for f in f_list)
            print(f"{k} of {len(chosen)} (of {len(everything)} in all): {n_killed} killed, {n_killed / k:.3f}; "
                  f"{time.perf_counter() - begin:.0f} s", flush=True)
    for name, found in sorted(counts.items()):
        print(f"{name:<24} {sum(f != 'survived' for f in found):>4} of {len(found)} killed, {found.count('time')} by time")


if __name__ == "__main__":
    main()
