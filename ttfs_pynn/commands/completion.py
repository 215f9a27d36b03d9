"""Print a completion script for bash, zsh or tcsh, so that the TAB key completes commands and options of ttfs-pynn.

Needs the package shtab: pip install 'ttfs_pynn[completion]'.

examples:
  ttfs-pynn completion bash > ~/.local/share/bash-completion/completions/ttfs-pynn      (then open a new shell)
  ttfs-pynn completion zsh > ~/.zfunc/_ttfs-pynn                                        (a folder that is in $fpath)
"""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NoReturn
from unittest import mock

from ttfs_pynn.commands.command_line import ArgumentParser
from ttfs_pynn.errors import ConfigurationError

__all__ = ["main", "parser", "parser_of", "tree"]

SHELLS = ("bash", "zsh", "tcsh")


def parser() -> ArgumentParser:
    p = ArgumentParser(prog="ttfs-pynn completion", description=__doc__)
    p.add_argument("shell", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")
    return p


class _Found(Exception):
    pass


def parser_of(main: Callable[[Sequence[str]], Any]) -> ArgumentParser:
    """The ArgumentParser of a command, caught on its way to parse: figures make theirs where they use it."""
    def catch(found: ArgumentParser, *_: Any) -> NoReturn:
        raise _Found(found)

    with mock.patch.object(ArgumentParser, "parse_args", catch):
        try:
            main([])
        except _Found as found:
            return found.args[0]
    raise AssertionError(f"{main.__module__}.main parsed nothing")


def tree(shtab: ModuleType) -> ArgumentParser:
    """One parser with a sub-parser for each command, as shtab reads it."""
    from ttfs_pynn.commands.entry_point import command_module, commands
    from ttfs_pynn.simulators import SIMULATORS
    root = ArgumentParser(prog="ttfs-pynn")
    root.add_argument("--version", action="store_true", help="show the version")
    below = root.add_subparsers()
    for name, (_, summary) in commands().items():
        try:
            own = parser_of(command_module(name).main)
        except ConfigurationError:  # what needs a package that is not installed cannot be completed
            continue
        own.description = summary
        for action in own._actions:
            if action.metavar in ("FILE", "WHAT", "DIR", "RUN"):
                hinted: Any = action  # shtab looks for an attribute that actions do not have
                hinted.complete = shtab.DIRECTORY if action.metavar in ("DIR", "RUN") else shtab.FILE
            elif action.dest == "backend":
                action.choices = list(SIMULATORS)
        below.add_parser(name, help=summary, description=summary, parents=[own], add_help=False)
    return root


def main(arguments: Sequence[str] | None = None) -> None:
    a = parser().parse_args(arguments)
    try:
        import shtab
    except ImportError:
        raise ConfigurationError("completion needs the package shtab: pip install 'ttfs_pynn[completion]'") from None
    print(shtab.complete(tree(shtab), a.shell))
