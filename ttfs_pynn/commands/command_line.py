"""What the command lines share: a user's mistake is one line on standard error and exit status 2, never a traceback."""

import argparse
import contextlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from ttfs_pynn.errors import ResultsError, TTFSError
from ttfs_pynn.runs.user_code import one_line, place_in

__all__ = ["ArgumentParser", "Stopped", "of_data", "run", "when_stopped"]


class ArgumentParser(argparse.ArgumentParser):
    """Help that keeps the layout of its text, errors of one line, and --verbose and --quiet for every command."""

    def __init__(self, prog: str | None = None, **kwargs: Any) -> None:
        kwargs = {"formatter_class": argparse.RawDescriptionHelpFormatter, "conflict_handler": "resolve", **kwargs}
        super().__init__(prog=prog, **kwargs)
        messages = self.add_mutually_exclusive_group()
        messages.add_argument("--verbose", action="store_true", help="log messages, and where in the program an error arose")
        messages.add_argument("--quiet", action="store_true", help="results only: no progress")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        found = super().parse_known_args(args, namespace)
        for action in self._actions:
            if getattr(found[0], action.dest, None) == "":
                name = "/".join(action.option_strings) or action.metavar or action.dest
                self.error(f"{name} is empty: give a value, or leave it out")
        return found

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


class Stopped(KeyboardInterrupt):
    """A signal asked the process to end; `status` is what it ends with: 130 for SIGINT, 143 for SIGTERM."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """SIGINT and SIGTERM raise Stopped, wherever the program is: files are whole at any moment. A second one ends it at once.

    What is ignored stays ignored (SIGINT of a job in the background, for example).
    """
    def stop(number: int, _: object) -> None:
        for other in before:
            signal.signal(other, signal.SIG_DFL)
        raise Stopped(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
              if signal.getsignal(number) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def when_stopped(advice: str) -> Iterator[None]:
    """What to do after a stop by a signal; decorates a main."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.add_note(advice)
        raise


@contextlib.contextmanager
def of_data(module: str) -> Iterator[None]:
    """Recipes of `ttfs_pynn.analysis` only read and draw. What they cannot make sense of, though it was read, is no bug of theirs
    but a file that holds something else: a ResultsError."""
    try:
        yield
    except (TTFSError, OSError, MemoryError):
        raise
    except Exception as error:
        if not module.startswith("ttfs_pynn.analysis."):
            raise
        raise ResultsError(f"what the file holds is not what is expected there: {type(error).__name__}: "
                           f"{' '.join(str(error).split())[:200]} (--verbose shows where)") from error


def run(main: Callable[[Sequence[str] | None], int | None], arguments: Sequence[str] | None = None) -> NoReturn:
    """Call main(arguments) and exit with what it returns; 2 for a TTFSError, an unusable file or an error in a user's Python
    file, 130 or 143 for a signal, 141 where the reader of standard output is gone.

    With --verbose among the arguments the traceback of an error is shown before its line.
    """
    verbose = "--verbose" in (sys.argv[1:] if arguments is None else arguments)
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with _stoppable():
        sys.exit(_status(main, arguments, verbose))


def _status(main: Callable[[Sequence[str] | None], int | None], arguments: Sequence[str] | None, verbose: bool) -> int:
    try:
        try:
            with of_data(getattr(main, "__module__", "")):
                return main(arguments) or 0
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt as error:
        print("; ".join([f"stopped by {str(error) or 'SIGINT'}", "all files are whole", *getattr(error, "__notes__", ())]),
              file=sys.stderr)
        return getattr(error, "status", 130)
    except Exception as error:
        # A folder that cannot be written or a full disk is an OSError. What else is neither ours nor a user's is a bug.
        place = place_in(error)
        if isinstance(error, BrokenPipeError) and place is None:
            # Whoever reads has seen enough, as `head` does: what is left goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        if place is None and not isinstance(error, TTFSError | OSError | MemoryError):
            raise
        if verbose:
            traceback.print_exc()
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
