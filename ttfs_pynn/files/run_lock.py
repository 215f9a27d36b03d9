"""One process at a time writes a run folder, a comparison or a study, or runs a job of a sweep. Reading needs no lock: every file
is whole or not there.

The lock is the system's (`filelock`: flock on Linux and macOS, also on NFS since Linux 2.6.12), so it ends with its process,
however that ends: nothing stale is left to clear. A file system without such locks gets a file that names its holder instead; one
of a process of this host that is no longer there is taken over.
"""

import contextlib
import errno
import json
import os
import socket
import time
from pathlib import Path
from typing import Self

import filelock

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.atomic import write_bytes
from ttfs_pynn.files.sealed import read_text

__all__ = ["LOCK_FILES", "FileLock", "RunLock"]

_LOCK, _SOFT, _HOLDER = "run.lock", "run.lock.soft", "run.lock.json"
LOCK_FILES = (_LOCK, _SOFT, _HOLDER)
_NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)


def _acquired(path: Path, timeout: float) -> filelock.BaseFileLock:
    lock: filelock.BaseFileLock = filelock.FileLock(path, is_singleton=True)
    try:
        lock.acquire(timeout=timeout)
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise
        lock = filelock.SoftFileLock(f"{path}.soft", is_singleton=True)
        lock.acquire(timeout=timeout)
    return lock


class FileLock:
    """Holds `path`.lock while its `with` block lasts, and deletes it. Waits for another process that does, or, without `wait`, a
    ResultsError that says what is being done to `path`.

    Deleting needs no care as long as who holds the lock looks whether the work is done: who waits for the deleted file's lock
    finds that it is.
    """

    def __init__(self, path: str | Path, wait: bool = True) -> None:
        self.path, self._wait = Path(path), wait
        self._lock: filelock.BaseFileLock | None = None

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _acquired(self.path.with_name(f"{self.path.name}.lock"), -1 if self._wait else 0)
        except filelock.Timeout:
            raise ResultsError(f"{self.path} is being written by another process; let it end or stop it, or give another name") \
                from None
        except OSError as error:
            raise ResultsError(f"cannot lock {self.path}: {error.strerror or error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        lock, self._lock = self._lock, None
        assert lock is not None
        if lock.lock_counter == 1:
            with contextlib.suppress(OSError):
                os.unlink(lock.lock_file)
        lock.release()


class RunLock:
    """Holds the folder `path`, which is made where it is not there, until `release` or the end of the process.

    ResultsError, with who holds it since when, where another process does; a thread may hold a folder several times.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path).resolve()  # two names of one folder are one lock
        self._holder = path / _HOLDER
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock: filelock.BaseFileLock | None = _acquired(path / _LOCK, 0)
        except filelock.Timeout:
            raise ResultsError(f"{path} is being written by {self._who()}; let it end or stop it, or name another folder. "
                               "Reading (evaluate, figures) is possible meanwhile") from None
        except OSError as error:
            raise ResultsError(f"cannot write into {path}: {error.strerror or error}") from error
        held = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S %z")}
        write_bytes(self._holder, json.dumps(held).encode(), make_folder=False)

    def _who(self) -> str:
        try:
            held = json.loads(read_text(self._holder, 10_000))
            return f"process {held['pid']} on {held['host']} since {held['since']}"
        except (ResultsError, ValueError, KeyError, TypeError):
            return "another process"

    def release(self) -> None:
        """Let others write. Harmless where it is released already."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        if lock.lock_counter == 1:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
        lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
