"""The README's Python runs as it stands."""

import re
from pathlib import Path

from ttfs_pynn import evaluate


def test_code_blocks():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) == 3
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert evaluate(names["network"], names["data"]["test"]).accuracy > 0.85  # 0.95 is usual
    assert abs(names["projections"][0].get("weight", format="array")).max() > 0
    assert len(names["segment"].irregularlysampledsignals[0]) > 1000, "of 0.1 ms at 34 ns"
