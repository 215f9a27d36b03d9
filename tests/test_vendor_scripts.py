import pytest

from benchmarks import notebook_cells, notebook_stand_ins, vendor_scripts

TEXT = """Title
=====

.. code:: ipython3

    %matplotlib inline
    x = 7 \\
        % 4
    if x:
        !pip install something

.. only:: not Solution

    .. code:: ipython3

        y = ...

.. only:: Solution

   Text.

   .. include:: other.rst

.. code-block:: bash

   ls

.. include:: program.txt
    :code: python
    :start-line: 1
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "other.rst").write_text(".. code::\n    :class: test\n\n\ty = x + 1\n\nEnd.\n", encoding="utf-8")
    (tmp_path / "program.txt").write_text("%%file elsewhere\nz = y\n", encoding="utf-8")
    return tmp_path


def test_cells_are_those_of_the_solution_without_magics(folder):
    assert notebook_cells.cells(TEXT, folder) == ["pass\nx = 7 \\\n    % 4\nif x:\n    pass", "y = x + 1", "z = y"]
    assert notebook_cells.cells(TEXT, folder, {"jupyter"})[1:] == ["y = ...", "z = y"]


def test_a_script_keeps_its_cells_and_their_lines(folder):
    cells = notebook_cells.cells(TEXT, folder)
    script = notebook_cells.join(cells)
    parts = notebook_cells.split(script)
    assert [source.strip() for _, source in parts] == cells
    assert [script.splitlines()[line] for line, _ in parts] == [cell.splitlines()[0] for cell in cells]


def _run(tmp_path, *cells):
    (tmp_path / "script.py").write_text(notebook_cells.join(cells), encoding="utf-8")
    return notebook_cells.run_cells(tmp_path / "script.py")


def test_only_what_a_reader_has_to_write_is_left_out(tmp_path):
    outcome = _run(tmp_path, "a = ...", "b: tuple[int, ...] = (1,)\ndef f():\n    ...", "c = a", "d = b[0]", "e = solution")
    assert [number for number, _ in outcome["left_out"]] == [1, 3, 5]
    assert outcome["ran"] == 2 and outcome["failure"] is None


def test_a_failure_ends_the_run_with_its_line(tmp_path):
    outcome = _run(tmp_path, "a = 1", "def f():\n    return a.missing\n\nf()", "raise SystemExit")
    assert outcome["failure"].startswith("cell 2: AttributeError") and outcome["where"] == "return a.missing"
    assert outcome["ran"] == 1


def test_a_missing_name_of_an_imported_module_is_a_failure(tmp_path, monkeypatch):
    (tmp_path / "imported.py").write_text("def f():\n    return nowhere\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert "NameError" in _run(tmp_path, "import imported", "imported.f()")["failure"]


def test_interact_calls_once_with_the_defaults():
    calls = []

    @notebook_stand_ins.interact(a=notebook_stand_ins.IntSlider(min=2, max=9, value=4.7), b=["x", "y"])
    def decorated(a, b, c=3):
        calls.append((a, b, c))

    def plain(a, b="text"):
        calls.append((a, b))

    assert notebook_stand_ins.interact(plain, a=(0, 10), unknown=1) is plain
    decorated(1, 2)
    assert calls == [(4, "x", 3), (5, "text"), (1, 2, 3)]
    assert notebook_stand_ins.IntSlider(1, 3, 8).value == 3 and notebook_stand_ins.Slider(max=2.).value == 0.


def test_interact_lets_exceptions_through():
    with pytest.raises(ZeroDivisionError):
        notebook_stand_ins.interactive(lambda a: 1 / a, a=notebook_stand_ins.IntSlider())


def test_rewritten_imports():
    source = ("from pynn_brainscales.brainscales2.examples import isi_calib\nimport pynn_brainscales.brainscales2 as pynn\n"
              "from pynn_brainscales import errors, parameters\nfrom dlens_vx_v3 import hal\n")
    assert vendor_scripts.rewrite(source) == (
        "from vendor_examples import isi_calib\nimport ttfs_pynn.brainscales2 as pynn\n"
        "from ttfs_pynn.brainscales2 import errors, parameters\nfrom ttfs_pynn.brainscales2.dlens import hal\n")


@pytest.mark.parametrize(("source", "reason"), [
    ("pynn.run(1)", ""),
    ("pynn.PlasticityRule", "plasticity processor"),
    ("create_mc_neuron(1)\npynn.run(None, pynn.RunCommand.PREPARE)", ""),
    ("create_mc_neuron(1)\npynn.run(1.)", "multi-compartment dynamics"),
    ("create_mc_neuron(1)\npynn.run(None, pynn.RunCommand.EXECUTE)", "multi-compartment dynamics"),
    ("pop.set(exponential_enable=True)\npynn.run(0.1)", "AdEx dynamics"),
    ("import hxtorch", "hxtorch"),
])
def test_reasons(source, reason):
    assert vendor_scripts.reason_for(source) == reason


def test_items_of_invented_clones(tmp_path):
    adapter, demos = tmp_path / "adapter" / "brainscales2", tmp_path / "demos"
    examples = adapter / "pynn_brainscales" / "brainscales2" / "examples"
    examples.mkdir(parents=True)
    (examples / "one.py").write_text("import math\n", encoding="utf-8")
    (adapter / "test" / "hw").mkdir(parents=True)
    test = "import unittest\nfrom pynn_brainscales.brainscales2.examples import one\n\n\nclass TestOne(unittest.TestCase):\n"
    test += "    def test_good(self):\n        one.math.sqrt(1)\n\n    def test_bad(self):\n        raise ValueError('no')\n"
    (adapter / "test" / "hw" / "pynn_brainscales2_test_one.py").write_text(test, encoding="utf-8")
    (demos / "_static" / "common").mkdir(parents=True)
    (demos / "demo.rst").write_text(".. code:: ipython3\n\n    pynn = 1\n    display(pynn)\n", encoding="utf-8")
    folder = tmp_path / "copies"
    (folder / "demos").mkdir(parents=True)
    items = [*vendor_scripts.adapter_items(tmp_path / "adapter", folder), *vendor_scripts.demo_items(demos, folder / "demos")]
    for item in items:
        vendor_scripts.run(item, folder, 60)
    assert [(item.name, item.kind, item.result, item.passed, item.failed) for item in items] == [
        ("one", "example", "passed", 1, 0), ("hw/one", "test", "failed", 1, 1), ("demo", "demo", "passed", 1, 0)]
    assert items[1].failures == ["TestOne.test_bad: ValueError: no"]
