"""Files that are whole or not there: written under a temporary name, synced, renamed; arrays with a SHA-256.

A process may be killed between any two system calls. A reader then finds the old file or the new one, and at
worst a leftover `*.tmp` beside it.
"""

import contextlib
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.errors import ResultsError, reason

__all__ = ["DamagedFile", "atomic_path", "checked_bytes", "is_sealed", "read_arrays", "read_json", "remove_leftovers", "sealed",
           "sync_folder", "write_arrays", "write_bytes"]

_META = "__meta__"
_SEAL = b"sha256:"
_SEAL_LENGTH = len(_SEAL) + 64


class DamagedFile(ResultsError):
    """The content of a file is not what was written."""


def sync_folder(folder: str | os.PathLike) -> None:
    """Make renames in `folder` survive a loss of power. Windows cannot open folders: nothing is done."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path`; what was written there takes the place of `path` on leaving.

    After an exception `path` is as it was. ResultsError where the system refuses (disk full, no permission).
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Atomic counterpart of `Path.write_bytes`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_json(path: str | os.PathLike) -> Any:
    """What a JSON file holds. DamagedFile where it is none; a changed digit or letter cannot be told from what was written."""
    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFile(f"{path} is damaged: {error}") from error


def remove_leftovers(folder: str | os.PathLike, of: Container[str] | None = None) -> None:
    """Delete the temporary files that a killed process left in `folder`.

    of: names of the files that nobody is writing; temporary files of others stay. Without it, nobody else may write in `folder`.
    """
    for leftover in Path(folder).glob("*.tmp"):
        if of is None or leftover.name.rsplit(".", 2)[0] in of:
            leftover.unlink(missing_ok=True)


def sealed(content: bytes) -> bytes:
    """The bytes with a seal behind them: `sha256:` and, in hexadecimal digits, the SHA-256 of all before the digits."""
    content += _SEAL
    return content + hashlib.sha256(content).hexdigest().encode()


def is_sealed(path: str | os.PathLike) -> bool:
    """Whether a file ends with a seal, be it that of its content or not."""
    with open(path, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _SEAL_LENGTH))
        return file.read(len(_SEAL)) == _SEAL


def checked_bytes(path: str | os.PathLike) -> bytes:
    """The content of a sealed file, its seal included. DamagedFile where it cannot be read or its seal does not fit."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DamagedFile(f"{path}: {error.strerror}") from error
    if not content[-_SEAL_LENGTH:].startswith(_SEAL):
        raise DamagedFile(f"{path} is truncated, or no file of this package: it does not end with a checksum")
    if content[-_SEAL_LENGTH:] != _SEAL + hashlib.sha256(content[:-64]).hexdigest().encode():
        raise DamagedFile(f"{path} is damaged: its content does not fit its checksum")
    return content


def _pack(arrays: Mapping[str, ArrayLike], meta: Any) -> bytes:
    packed: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in packed.items():
        if array.dtype.hasobject or name == _META:
            raise ResultsError(f"array {name!r} ({array.dtype}) cannot be stored: arrays of objects and the "
                               f"name {_META!r} are not allowed")
    packed[_META] = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **packed)
    # The seal is the comment that ends a zip file, so that any reader of .npz can still open it.
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = _SEAL + b"0" * 64
    return sealed(buffer.getvalue()[:-_SEAL_LENGTH])


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, ArrayLike], meta: Any = None) -> None:
    """Write named arrays and `meta` (for JSON) as a .npz that ends with the SHA-256 of all before it."""
    write_bytes(path, _pack(arrays, meta))


def read_arrays(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], Any]:
    """What `write_arrays` wrote: (dict of arrays, meta). DamagedFile unless every byte is as written."""
    # Checked before anything is parsed: a flipped bit in a header may ask a parser for any amount of memory.
    content = checked_bytes(path)
    if not content.startswith(b"PK"):  # NumPy takes what is no archive for a pickle
        raise DamagedFile(f"{path} is a whole file, but holds no named arrays (.npz); give one that does")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop(_META).tobytes())
    except (ValueError, KeyError, AttributeError, TypeError, OSError, MemoryError, zipfile.BadZipFile) as error:
        raise DamagedFile(f"{path} has a checksum that fits, but was not written by write_arrays: {reason(error)}") from error
    return arrays, meta
