"""What the command lines share: a user's mistake is one line on standard error and exit status 2, never a traceback."""

import argparse
import sys

from ttfs_pynn.errors import TTFSError

__all__ = ["ArgumentParser", "run"]


class ArgumentParser(argparse.ArgumentParser):
    """Help that keeps the layout of its text, and errors of one line."""

    def __init__(self, **kwargs):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def error(self, message):
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def run(main, arguments=None):
    """Call main(arguments) and exit with what it returns; 2 for a TTFSError or an unusable file, 130 for an interrupt."""
    try:
        sys.exit(main(arguments) or 0)
    except TTFSError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:  # a folder that cannot be written, a full disk
        print(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted; a run folder keeps its last checkpoint: continue with --resume", file=sys.stderr)
        sys.exit(130)
