"""The comparison of speeds with another version, small, of this one with itself."""

from pathlib import Path

import pytest

from benchmarks import against_version

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_a_small_run(capsys):
    against_version.main([str(ROOT), "--cases", "yin_yang:arrays:2", "--repeats", "1"])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("yin_yang on arrays:") and 0.1 < float(line.split(" an epoch, ")[1].split()[0]) < 10


@pytest.mark.parametrize("arguments, said", [(["nowhere"], "no checkout"), ([str(ROOT), "--cases", "yin_yang:arrays:1"], "two epochs"),
                                             ([str(ROOT), "--cases", "yin_yang"], "MODEL:BACKEND:EPOCHS")])
def test_what_it_cannot_do_is_said(arguments, said, capsys):
    with pytest.raises(SystemExit) as end:
        against_version.main(arguments)
    assert end.value.code == 2 and said in capsys.readouterr().err
