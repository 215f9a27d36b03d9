import subprocess
import sys

import pytest

from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.protocols import train
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.user_code import load_file, names_in
from ttfs_pynn.simulators import simulator


def test_a_file_is_executed_once_and_may_import_its_neighbour(tmp_path):
    (tmp_path / "neighbour_of_it.py").write_text("VALUE = 3\n")
    # Its name is that of a module of Python, which it must not replace.
    (tmp_path / "json.py").write_text("from neighbour_of_it import VALUE\nfrom json import dumps\n")
    assert load_file(tmp_path / "json.py").VALUE == 3 and load_file(tmp_path / "json.py") is load_file(tmp_path / "json.py")


def test_dataclasses_in_a_file(tmp_path):
    (tmp_path / "data.py").write_text("from __future__ import annotations\nfrom dataclasses import dataclass\n"
                                      "@dataclass\nclass A:\n    b: int = 2\n")
    assert load_file(tmp_path / "data.py").A().b == 2


@pytest.mark.parametrize("text, message", [("a = 1\nb = c\n", "line 2: NameError: name 'c' is not defined"),
                                           ("a = (\n", "SyntaxError"), ("import nowhere_at_all\n", "No module named 'nowhere")])
def test_mistakes_in_a_file(tmp_path, text, message):
    (tmp_path / "wrong.py").write_text(text)
    for _ in range(2):  # not half a module the second time
        with pytest.raises(ConfigurationError, match=message):
            load_file(tmp_path / "wrong.py")


@pytest.mark.parametrize("name", ["compiled.py", "compiled.in v2.py"])
def test_functions_that_numba_has_cached(tmp_path, name):
    """The second process takes them from the cache beside the file."""
    (tmp_path / name).write_text("from numba import njit\n\n@njit(cache=True)\ndef inner(x):\n    return x + 1\n\n"
                                 "@njit(cache=True)\ndef outer(x):\n    return 2 * inner(x)\n")
    code = (f"from ttfs_pynn.runs.user_code import load_file\nf = load_file({str(tmp_path / name)!r}).outer\n"
            "print(f(3), sum(f.stats.cache_hits.values()))")
    found = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(2)]
    assert [run.stdout.split() for run in found] == [["8", "0"], ["8", "1"]], found[1].stderr


@pytest.mark.parametrize("text, names", [("import os, a.b as c\nx: int = 1\ny = z = 2\n(p, [q]) = 1, [2]\n"
                                          "def f(inside): pass\nclass A:\n    within = 1\n", set("os c x y z p q f A".split())),
                                         ("try:\n    import b\nexcept ImportError:\n    b = None\nfor k in ():\n    m = 1\n"
                                          "if (w := 3):\n    def g(): pass\n", set("b k m w g".split())),
                                         ("from a import *\n", None), ("def __getattr__(name): pass\n", None), ("a = (\n", None),
                                         ("used()\nother.attribute = 3\n", set())])
def test_names_are_read_without_executing(tmp_path, text, names):
    (tmp_path / "file.py").write_text(text)
    assert names_in(tmp_path / "file.py") == names


def test_a_script_that_is_no_model_is_not_executed(tmp_path, monkeypatch, capsys):
    """PyNN scripts, a file without one of what is needed, and, executed, models that get some of it from elsewhere."""
    monkeypatch.chdir(tmp_path)
    mark = "open('executed', 'w').close()\n"
    (tmp_path / "script.py").write_text(mark + "import ttfs_pynn.exact as sim\nsim.setup()\nsim.run(10)\n")
    (tmp_path / "half.py").write_text(mark + "PARAMETERS = {}\ndef build(sim): pass\n")
    for name, missing in (("script.py", "data(parameters) and no graph(parameters) or build(sim)"), ("half", "data(parameters)")):
        with pytest.raises(SystemExit) as stopped:
            run(train.main, [name, "--output", "run"])
        assert stopped.value.code == 2 and f"is no model: it has no {missing};" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half.py", "script.py"]
    (tmp_path / "base_of_it.py").write_text("from ttfs_pynn.models.yin_yang import *\n")
    (tmp_path / "derived.py").write_text("from base_of_it import *\nfrom base_of_it import PARAMETERS\n")
    assert model_files.load("derived").CLASS_NAMES == ("yin", "yang", "dot")


SMALL = """
import numpy as np
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.learning.data import SpikeData

PARAMETERS = {"training": {"silent_tolerated": 0.9}}
CLASS_NAMES = ("early", "late")

def graph():
    return layered(3, (Layer(2, LIFParameters()),), 1.0, 20.0)

def data():
    times = np.random.default_rng(1).uniform(1.0, 20.0, (60, 3))
    part = SpikeData(times, (times[:, 0] > 10.0).astype(int))
    return {"train": part, "validation": part, "test": part}
"""


def test_a_model_that_leaves_training_options_out(tmp_path, monkeypatch, capsys):
    """They are the defaults, also where a run is continued with other epochs, or has copies."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.py").write_text(SMALL)
    command = ["small", "--backend", "arrays", "--quiet", "--output", "run"]
    train.main([*command, "--epochs", "2"])
    train.main([*command, "--epochs", "3", "--resume"])
    assert "what changes during training now ends at epoch 3, not 2" in capsys.readouterr().out
    assert len(RunFolder.open("run").read_history()) == 3
    asked = train.configuration(train.parser().parse_args(["small", "--backend", "brian2", "--output", "run"]))
    assert asked["copies"] == simulator("brian2").default_copies > 1 and TrainingOptions.batch_size is None
    (tmp_path / "bare.py").write_text(SMALL.replace('{"training": {"silent_tolerated": 0.9}}', "{}"))
    assert model_files.tables_of(model_files.load("bare")) == {"network": {}, "training": {}}
    (tmp_path / "wrong.py").write_text(SMALL.replace('{"silent_tolerated": 0.9}', "0.9"))
    with pytest.raises(ConfigurationError, match="training in .*wrong.py is float; PARAMETERS is a dict of dicts"):
        model_files.load("wrong")
