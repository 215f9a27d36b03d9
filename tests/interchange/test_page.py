"""The Python of docs/interchange.md runs as it stands."""

import re
from pathlib import Path

import pytest

pytest.importorskip("nir")


def test_code_blocks(capsys):
    text = (Path(__file__).parents[2] / "docs" / "interchange.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) == 5
    names = {}
    for block in blocks:
        exec(compile(block, "interchange.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "node 'lif' is a LIF; allowed are" in printed and "input>layer0 excitatory-0" in printed
    assert "0.02 0.01 15.0" in printed
