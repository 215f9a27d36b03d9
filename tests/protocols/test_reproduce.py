"""The command as a user gives it: rows one after the other, what fails, the page."""

import json

import numpy as np
import pytest

from tests.protocols.test_command_lines import fails
from tests.runs.test_reproduce import SMALL
from ttfs_pynn.protocols import reproduce


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A folder with a small row, in place of the package's."""
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "small.toml").write_text(SMALL)
    monkeypatch.setattr(reproduce, "ROWS", folder)
    return folder


def test_rows_are_gathered_and_go_on_where_one_fails(rows, tmp_path, capsys):
    """Two seeds, then a third: the file has three, none is run twice. Quick results lie apart."""
    pytest.importorskip("distributed", reason="sweeps need Dask: pip install 'ttfs_pynn[sweep]'")
    (rows / "none.toml").write_text(SMALL.replace('"yin_yang"', '"no_such_model"'))
    results, common = tmp_path / "results", ["--results", str(tmp_path / "results"), "--runs", str(tmp_path / "runs"), "--quick"]
    assert reproduce.main([*common]) == 1
    out = capsys.readouterr().out
    assert "none: not run: unknown model 'no_such_model'" in out and "not complete: none" in out
    first = json.loads((results / "quick" / "small.json").read_text())
    assert [r["seed"] for r in first["runs"]] == [3, 4] and first["quick"] and not list(results.glob("*.json"))
    assert reproduce.main(["small", "--seeds", "5,4", *common]) == 0
    both = json.loads((results / "quick" / "small.json").read_text())
    assert [r["seed"] for r in both["runs"]] == [3, 4, 5] and both["runs"][:2] == first["runs"]  # seconds_per_epoch too
    page = (results / "quick" / "README.md").read_text()
    accuracies = [r["test_accuracy"] for r in both["runs"]]
    assert "not results" in page and f"{np.mean(accuracies):.4f} +- {np.std(accuracies, ddof=1):.4f} (3)" in page
    assert all(f"{a:.4f}" in page for a in accuracies) and "0.900 +- 0.010" in page and "on 300" in page
    reproduce.main(["--list", *common])
    assert "3 of 3 seeds stored" in capsys.readouterr().out


def test_bad_values(rows, tmp_path, capsys):
    assert "unknown row 'yin'; known: small" in fails(capsys, reproduce.main, "yin")
    for seeds in ("x", "0", "-1,2"):
        assert f"--seeds {seeds}" in fails(capsys, reproduce.main, "small", f"--seeds={seeds}", "--runs", str(tmp_path / "runs"))
