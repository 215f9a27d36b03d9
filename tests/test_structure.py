"""What benchmarks/structure.py counts, on a small package whose faults are known, and on this one."""

import ast

from benchmarks import structure

FILES = {
    "ttfs_pynn/__init__.py": "from ttfs_pynn.high import top\n",
    "ttfs_pynn/errors.py": "def _hidden(): pass\n",
    "ttfs_pynn/high/top.py": "from ttfs_pynn.low.base import loop, _own\nfrom ttfs_pynn.errors import _hidden\n"
                             "class A:\n    def method(self, a: int) -> int: return a\n",
    "ttfs_pynn/low/base.py": "import ttfs_pynn.high.top\nfrom numba import njit\n"
                             "@njit\ndef loop(a, b, c, d, e, f, g, h, i, j, k):\n    return a[0] + a[2] + b[c[3]]\n",
    "ttfs_pynn/low/long.py": "\n" * 300,
    "ttfs_pynn/commands/template/mine.py": "import ttfs_pynn.low\n",
    "models/one.py": "from ttfs_pynn.low import base\nimport numpy\n",
}


def test_what_is_counted(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = structure.structure_of(tmp_path)
    assert found.modules == {"root": 2, "high": 1, "low": 2, "models": 1}
    assert found.arrows == {("high", "low"), ("high", "root"), ("low", "high"), ("models", "low")}
    assert found.both_ways == [("high", "low")]
    assert found.arguments[0] == (11, "ttfs_pynn/low/base.py: loop") and found.long_modules == [(300, "ttfs_pynn/low/long.py")]
    assert found.numbered["ttfs_pynn/low/base.py"] == 2 and found.annotated == [1, 2]
    assert sorted(name for _, name in found.private) == ["ttfs_pynn.errors._hidden", "ttfs_pynn.low.base._own"]


def test_the_checkout(capsys):
    structure.main([])
    text = capsys.readouterr().out
    for row in ("| rooms |", "| rooms that import each other | 0 |", "| privates imported across rooms | 0 |"):
        assert row in text
    structure.main([".", "--list"])
    assert "  learning -> " in capsys.readouterr().out


# Rooms whose public functions and methods all say what they take and return.
ANNOTATED = ("commands", "comparison", "datasets", "files", "graph", "interchange", "runs", "spikes")


def test_public_functions_are_annotated():
    missing = []
    for room in ANNOTATED:
        files = [file for file in (structure.ROOT / "ttfs_pynn" / room).rglob("*.py") if "template" not in file.parent.name]
        assert len(files) > 3
        for file in files:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            missing += [f"{file.name}: {name}" for name, annotated in structure.public_functions(tree) if not annotated]
    assert not missing
