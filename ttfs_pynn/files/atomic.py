"""Files that are whole or not there: written under a name of their own beside the target, synced, renamed.

A process may be killed between any two system calls. A reader then finds the old file or the new one, and at worst a leftover
beside it, NAME.ttfs-0123456789abcdef.tmp, which the next writer of NAME deletes. The sixteen digits are random and the file must
not exist (O_EXCL): nobody can put a link there before. Its writer holds a lock on it (flock), which ends with the writer, so that
what is being written is told from what is left.
"""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from ttfs_pynn.errors import ResultsError

__all__ = ["atomic_file", "is_leftover", "new_file", "remove_leftovers", "sync_folder", "write_bytes"]

_OURS = re.compile(r"(?P<name>.+)\.ttfs-[0-9a-f]{16}\.tmp", re.DOTALL)
_NEW = os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def is_leftover(name: str) -> bool:
    """Whether a file's name is one that `atomic_file` gives while it writes."""
    return _OURS.fullmatch(name) is not None


def sync_folder(folder: str | os.PathLike) -> None:
    """Make renames in `folder` survive a loss of power. Windows cannot open folders: nothing is done."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Take the lock of a file; False where somebody has it, or where there are no such locks."""
    try:
        import fcntl
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _temporary(path: Path) -> tuple[Path, BinaryIO]:
    while True:
        temporary = path.with_name(f"{path.name}.ttfs-{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(temporary, os.O_RDWR | _NEW, 0o666)
        except FileExistsError:
            continue
        _locked(descriptor)
        # Between the two calls somebody may have taken it for a leftover.
        if _is_at(descriptor, temporary):
            return temporary, os.fdopen(descriptor, "w+b")
        os.close(descriptor)


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike, make_folder: bool = True,
                before_rename: Callable[[], Any] | None = None) -> Iterator[BinaryIO]:
    """Yields a binary file; what was written to it takes the place of `path` on leaving, and leftovers of `path` are deleted.

    After an exception `path` is as it was; a link at `path` is replaced, what it points to stays. make_folder: make the folder
    where there is none. before_rename is called when all is on the disk. ResultsError where the system refuses (disk full, no
    permission, no folder).
    """
    path = Path(path)
    temporary = None
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        temporary, file = _temporary(path)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if os.name == "nt":  # Windows does not rename what is open
                file.close()
            if before_rename is not None:
                before_rename()
            os.replace(temporary, path)
            temporary = None
        sync_folder(path.parent)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    remove_leftovers(path.parent, {path.name})


def write_bytes(path: str | os.PathLike, content: bytes, make_folder: bool = True,
                before_rename: Callable[[], Any] | None = None) -> None:
    """Atomic counterpart of `Path.write_bytes`; see `atomic_file`."""
    with atomic_file(path, make_folder, before_rename) as file:
        file.write(content)


def new_file(path: str | os.PathLike, mode: str = "w") -> IO[Any]:
    """Open `path` for writing as a new file, in place of what was there: what a link there points to stays as it is."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return open(path, mode, encoding=None if "b" in mode else "utf-8",
                opener=lambda name, flags: os.open(name, flags | _NEW, 0o666))


def remove_leftovers(folder: str | os.PathLike[str], of: Container[str] | None = None) -> None:
    """Delete what killed writers left in `folder`; what is being written stays, and so do all other files, whatever their names.

    of: names of the files whose leftovers are meant (default: of all). Nothing is done behind a link. Errors are passed over.
    """
    if os.path.islink(folder):
        return
    with contextlib.suppress(OSError):
        with os.scandir(os.fspath(folder)) as entries:
            found = [(entry.path, match["name"]) for entry in entries if (match := _OURS.fullmatch(entry.name))]
        for path, name in found:
            if of is None or name in of:
                _remove_left(Path(path))


def _remove_left(path: Path) -> None:
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(path.lstat().st_mode):  # a link that somebody planted: the link goes
            return path.unlink()
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            if _locked(descriptor) and _is_at(descriptor, path):
                path.unlink()
        finally:
            os.close(descriptor)
