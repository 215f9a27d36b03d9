"""What the command lines share: a user's mistake is one line on standard error and exit status 2, never a traceback."""

import argparse
import contextlib
import signal
import sys

from ttfs_pynn.errors import TTFSError

__all__ = ["ArgumentParser", "Stopped", "run"]


class ArgumentParser(argparse.ArgumentParser):
    """Help that keeps the layout of its text, and errors of one line."""

    def __init__(self, **kwargs):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def error(self, message):
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


class Stopped(KeyboardInterrupt):
    """A signal asked the process to end; `status` is what it ends with: 130 for SIGINT, 143 for SIGTERM."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


@contextlib.contextmanager
def _stoppable():
    """SIGINT and SIGTERM raise Stopped, wherever the program is: files are whole at any moment. A second one ends it at once.

    What is ignored stays ignored (SIGINT of a job in the background, for example).
    """
    def stop(number, _):
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


def run(main, arguments=None):
    """Call main(arguments) and exit with what it returns; 2 for a TTFSError or an unusable file, 130 or 143 for a signal."""
    with _stoppable():
        sys.exit(_status(main, arguments))


def _status(main, arguments):
    try:
        return main(arguments) or 0
    except TTFSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a folder that cannot be written, a full disk
        print(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(f"stopped by {str(error) or 'SIGINT'}; all files are whole, and a training run has lost no more than its "
              "unfinished epoch: the same command with --resume continues it", file=sys.stderr)
        return getattr(error, "status", 130)
