"""The demo replaces an earlier demo, and nothing else."""

import pytest

from tests.protocols.test_command_lines import fails
from ttfs_pynn.protocols import demo
from ttfs_pynn.runs.folder import RunFolder


class _Trained(Exception):
    """The demo has come to its training."""


def test_only_an_earlier_demo_is_replaced(tmp_path, monkeypatch, capsys):
    def train(a, **marks):
        RunFolder.create(a.output, {"model": "yin_yang", **marks}, a.overwrite).close()
        raise _Trained

    monkeypatch.setattr(demo.train, "train", train)
    RunFolder.create(tmp_path / "run", {"model": "yin_yang"}).write_metrics({"test_accuracy": 1.0})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("precious")
    for name in ("run", "other"):
        text = fails(capsys, demo.main, "--output", str(tmp_path / name))
        assert "something else than an earlier demo" in text and "--output" in text
    assert RunFolder.open(tmp_path / "run").read_metrics() == {"test_accuracy": 1.0}
    for _ in range(2):  # nothing there, then an earlier demo
        with pytest.raises(_Trained):
            demo.main(["--output", str(tmp_path / "demo")])
