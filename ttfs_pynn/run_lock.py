"""One process at a time writes a run folder. Reading needs no lock: every file there is whole or not there.

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

import filelock

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files import write_bytes

__all__ = ["LOCK_FILES", "RunLock"]

_LOCK, _SOFT, _HOLDER = "run.lock", "run.lock.soft", "run.lock.json"
LOCK_FILES = (_LOCK, _SOFT, _HOLDER)
_NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)


class RunLock:
    """Holds the folder `path`, which is made where it is not there, until `release` or the end of the process.

    ResultsError, with who holds it since when, where another process does; a thread may hold a folder several times.
    """

    def __init__(self, path):
        path = Path(path).resolve()  # two names of one folder are one lock
        self._holder = path / _HOLDER
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = self._acquired(path)
        except filelock.Timeout:
            raise ResultsError(f"{path} is being written by {self._who()}; let it end or stop it, or name another folder. "
                               "Reading (evaluate, figures) is possible meanwhile") from None
        except OSError as error:
            raise ResultsError(f"cannot write into {path}: {error.strerror or error}") from error
        held = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S %z")}
        write_bytes(self._holder, json.dumps(held).encode())

    @staticmethod
    def _acquired(path):
        # A singleton: one object for a folder in this process, which counts how often it is held.
        lock = filelock.FileLock(path / _LOCK, is_singleton=True)
        try:
            lock.acquire(timeout=0)
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise
            lock = filelock.SoftFileLock(path / _SOFT, is_singleton=True)
            lock.acquire(timeout=0)
        return lock

    def _who(self):
        try:
            held = json.loads(self._holder.read_bytes())
            return f"process {held['pid']} on {held['host']} since {held['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"

    def release(self):
        """Let others write. Harmless where it is released already."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        if lock.lock_counter == 1:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
        lock.release()
