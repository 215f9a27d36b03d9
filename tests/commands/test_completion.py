import sys

import pytest

from ttfs_pynn.commands import completion
from ttfs_pynn.commands.entry_point import commands
from ttfs_pynn.errors import ConfigurationError


def test_completion_knows_every_command_and_its_options(capsys):
    pytest.importorskip("shtab")
    completion.main(["bash"])
    text = capsys.readouterr().out
    assert f"({' '.join(commands())})" in text
    assert " --non-ideality " in text and " --samples " in text and " brainscales2)" in text


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(ConfigurationError, match=r"ttfs_pynn\[completion\]"):
        completion.main(["bash"])
