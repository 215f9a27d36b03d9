"""The README's Python runs as it stands."""

import re
from pathlib import Path


def test_code_blocks():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert blocks
    for block in blocks:
        names = {}
        exec(compile(block, "README.md", "exec"), names)
        assert abs(names["gradients"].weights[0]).max() > 0
