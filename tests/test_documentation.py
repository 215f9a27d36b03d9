"""What README and documentation tell to type exists: programs, options, make targets. Their Python is run by docs/conftest.py."""

import importlib.util
import re
import shlex
from contextlib import nullcontext
from pathlib import Path

import pytest

import ttfs_pynn
from ttfs_pynn.commands import entry_point

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^(?: {4})?(?:\w+=\S+ )?((?:python -m benchmarks\.|ttfs-pynn |make\b|cp ).*)$", re.M)


def commands():
    """(page, command) of all lines that are commands, with continued lines joined and comments left out."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in COMMAND.findall(text):
            yield page.name, shlex.join(shlex.split(line, comments=True))


REFERENCE = re.findall(r"automodule:: (\S+)", "".join(page.read_text(encoding="utf-8") for page in PAGES))
ROOMS = ("runs", "files", "comparison", "commands", "datasets", "spikes", "graph", "networks", "learning", "interchange")


def test_reference_pages_name_modules_that_are_there():
    assert len(REFERENCE) > 80 and len(set(REFERENCE)) == len(REFERENCE)
    assert not [name for name in REFERENCE if importlib.util.find_spec(name) is None]


def test_what_a_room_offers_is_on_a_page():
    """Every module that says what it offers."""
    for room in ROOMS:
        for file in (Path(ttfs_pynn.__file__).parent / room).glob("*.py"):
            if file.name != "__init__.py" and "\n__all__ = " in file.read_text(encoding="utf-8"):
                assert f"ttfs_pynn.{room}.{file.stem}" in REFERENCE


def test_there_are_commands():
    assert len(list(commands())) > 30


def test_commands_are_those_of_an_installed_package():
    for page in PAGES:
        assert not re.search(r"python -m (ttfs_pynn\.)?(protocols|analysis)\b", page.read_text(encoding="utf-8")), page


@pytest.mark.parametrize("page, command", sorted(set(commands())))
def test_a_command_can_be_typed(page, command, capsys):
    program, *arguments = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.M)
        assert set(a for a in arguments if "=" not in a) <= set(targets)
    elif program == "cp":
        assert all((ROOT / path).exists() for path in arguments)
    elif program == "ttfs-pynn":
        if not arguments[0].startswith("-"):
            understood(entry_point.command_module(arguments[0]), arguments[1:], capsys)
    else:
        understood(importlib.import_module(arguments[1]), arguments[2:], capsys)


def understood(module, arguments, capsys):
    if hasattr(module, "parser"):
        with pytest.raises(SystemExit) if "--help" in arguments else nullcontext():
            module.parser().parse_args(arguments)  # SystemExit for what is not understood
        return
    with pytest.raises(SystemExit) as stop:
        module.main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(option in text for option in arguments if option.startswith("--"))
