"""Python processes that run nothing of the current folder, and end with the process that started them.

    with ChildProcess("ttfs_pynn.runs.sweep:main", [function, folder], given=job) as child:
        status = child.wait()

`python -m` puts the current folder first on the path: a numpy.py in it would be run. A child is started with -P, which leaves it
out, and finds this package where its parent has it. The child reads its standard input until that ends, which it does with the
parent, and on Linux the kernel kills it then (PR_SET_PDEATHSIG), also in the middle of a compiled loop.

Some packages run files of the current folder when they are imported, whatever the path is; see `away_from_folder`.
"""

import contextlib
import importlib
import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import ttfs_pynn

__all__ = ["PARENT_LOST", "ChildProcess", "away_from_folder", "safe_path_commands"]

PARENT_LOST = 3  # exit status of a child whose parent is gone
_PACKAGE = Path(ttfs_pynn.__file__).resolve().parent
_BEGIN = ("import sys; sys.argv[1] in sys.path or sys.path.insert(0, sys.argv[1]); "
          "from ttfs_pynn import processes; processes._child()")


class ChildProcess:
    """`target` ('module:function') of this package in a Python of its own, called with `arguments` (a list of text) and, where it
    is not None, `given` (a value for JSON, of any size). Leaving the `with` block ends it.

    options: of Python, such as ('-W', 'ignore'). environment: variables in addition to those of this process. stdout, stderr: as
    in `subprocess`.
    """

    def __init__(self, target: str, arguments: Sequence[str] = (), given: Any = None, options: Sequence[str] = (),
                 environment: Mapping[str, str] | None = None, cwd: str | None = None,
                 stdout: int | IO[Any] | None = None, stderr: int | IO[Any] | None = None) -> None:
        command = [sys.executable, "-P", *options, "-c", _BEGIN, str(_PACKAGE.parent), target, *arguments]
        # PYTHONSAFEPATH: for what the child starts in its turn.
        self._process = subprocess.Popen(command, env={**os.environ, "PYTHONSAFEPATH": "1", **(environment or {})}, cwd=cwd,
                                         stdin=subprocess.PIPE, stdout=stdout, stderr=stderr)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended before it read
            self._process.stdin.write((json.dumps(given) + "\n").encode())
            self._process.stdin.flush()

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status (negative: the signal that ended it). TimeoutError after `timeout` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None

    def kill(self) -> None:
        """End it, without a chance to say anything."""
        self._process.kill()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _child() -> None:
    """What a ChildProcess begins with."""
    _, _, target, *arguments = sys.argv
    _end_with_parent()
    given = json.loads(sys.stdin.buffer.readline() or "null")
    # The rest of standard input is never sent: it ends when the parent does. Nobody else is to read it.
    watched = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_watch, args=(watched,), daemon=True).start()
    module, _, name = target.partition(":")
    sys.argv = [target, *arguments]
    with away_from_folder():
        function = getattr(importlib.import_module(module), name)
    sys.exit(function(arguments) if given is None else function(arguments, given))


def _end_with_parent() -> None:
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            import ctypes
            ctypes.CDLL(None, use_errno=True).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL


def _watch(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(descriptor, 1024):
            pass
    os._exit(PARENT_LOST)  # no clean-up, which might block


def safe_path_commands() -> list[str]:
    """Lines of a shell after which any Python leaves the current folder alone, and finds this package where it is here."""
    commands = ["export PYTHONSAFEPATH=1"]
    if _PACKAGE.parent.name not in ("site-packages", "dist-packages"):
        commands.append(f"export PYTHONPATH={shlex.quote(str(_PACKAGE.parent))}${{PYTHONPATH:+:$PYTHONPATH}}")
    return commands


@contextlib.contextmanager
def away_from_folder() -> Iterator[None]:
    """While it lasts the current folder is this package's own: for imports of packages that run what lies in the current one.

    Brian2 2.9 evaluates `brian_preferences`, NEURON 9.0 loads x86_64/libnrnmech.so, Numba 0.68 takes the place of its cache,
    which it unpickles, from .numba_config.yaml, pyNN.nest 0.13 may run `make` in _build, and Matplotlib reads matplotlibrc.
    """
    try:
        before = os.getcwd()
    except FileNotFoundError:  # the folder was deleted
        yield
        return
    relative = {os.path.abspath(part): part for part in sys.path
                if not os.path.isabs(part) and (not part or os.path.exists(part))}
    sys.path[:] = [os.path.abspath(part) if part in relative.values() else part for part in sys.path]
    os.chdir(_PACKAGE)
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = [relative.get(part, part) for part in sys.path]
        _numba_without_folder()


def _numba_without_folder() -> None:
    config: Any = sys.modules.get("numba.core.config")
    if config is not None:  # it would look there again whenever it compiles
        config._config_fname = os.path.join(_PACKAGE, config._config_fname)
