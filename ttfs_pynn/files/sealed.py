"""Reading files that may be damaged, or made to do harm: sizes are looked at before anything is read; arrays with a SHA-256.

No array takes more memory than its file has bytes: an archive whose members are compressed, or announce more than they hold, is
refused. Writing: see `ttfs_pynn.files.atomic`.
"""

import contextlib
import hashlib
import io
import json
import math
import os
import re
import stat
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.errors import ResultsError, reason
from ttfs_pynn.files.atomic import atomic_file, remove_leftovers, sync_folder, write_bytes

__all__ = ["LARGEST_ARRAYS", "LARGEST_TEXT", "DamagedFile", "atomic_file", "check_seal", "is_sealed", "read_arrays", "read_json",
           "read_text", "read_toml", "regular_file", "remove_leftovers", "sealed", "sync_folder", "write_arrays", "write_bytes"]

LARGEST_TEXT = 2**24  # bytes of a JSON file; as Python's objects it may take thirty times as much memory
LARGEST_ARRAYS = 2**31  # bytes of a file of arrays, where nobody knows better
_LARGEST_TOML = 2**18
# Keys of so many parts cost tomllib memory and time by their square.
_LONG_KEY = re.compile(r"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""")
_META = "__meta__"
_SEAL = b"sha256:"
_SEAL_LENGTH = len(_SEAL) + 64
_PIECE = 2**20
_LONGEST_EMPTY = 10**6  # of an array without elements, such as (0, 784)


class DamagedFile(ResultsError):
    """The content of a file is not what was written."""


@contextlib.contextmanager
def regular_file(path: str | os.PathLike, largest: int) -> Iterator[BinaryIO]:
    """The open file, of at most `largest` bytes. DamagedFile for a larger one, and for pipes and devices, which may never end;
    OSError where it cannot be opened."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise DamagedFile(f"{path} is no regular file")
        if found.st_size > largest:
            raise DamagedFile(f"{path} has {found.st_size} bytes; such a file has {largest} at most")
        yield file


def read_text(path: str | os.PathLike, largest: int = LARGEST_TEXT) -> str:
    """The text of a file in UTF-8. DamagedFile where it is none, cannot be read, or has more than `largest` bytes."""
    try:
        with regular_file(path, largest) as file:
            return file.read(largest).decode("utf-8")
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{path} is damaged: {error}") from error


def read_json(path: str | os.PathLike) -> Any:
    """What a JSON file holds. DamagedFile where it is none; a changed digit or letter cannot be told from what was written."""
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path} is damaged: {error}") from error


def read_toml(path: str | os.PathLike) -> dict[str, Any]:
    """What a TOML file holds. ResultsError where it is none, or larger than any configuration."""
    try:
        text = read_text(path, _LARGEST_TOML)
        if _LONG_KEY.search(text):
            raise ValueError("it has a key of more than 50 parts")
        return tomllib.loads(text)
    except (ResultsError, ValueError, RecursionError) as error:
        raise ResultsError(f"{path} cannot be read: {error}") from error


def sealed(content: bytes) -> bytes:
    """The bytes with a seal behind them: `sha256:` and, in hexadecimal digits, the SHA-256 of all before the digits."""
    content += _SEAL
    return content + hashlib.sha256(content).hexdigest().encode()


def is_sealed(path: str | os.PathLike) -> bool:
    """Whether a file ends with a seal, be it that of its content or not."""
    with regular_file(path, 2**62) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _SEAL_LENGTH))
        return file.read(len(_SEAL)) == _SEAL


def check_seal(path: str | os.PathLike, largest: int = LARGEST_ARRAYS) -> None:
    """DamagedFile where a sealed file cannot be read, its seal does not fit, or it has more than `largest` bytes."""
    with _sealed_file(path, largest):
        pass


@contextlib.contextmanager
def _sealed_file(path: str | os.PathLike, largest: int) -> Iterator[BinaryIO]:
    """The open file, whose seal fits; piece by piece, whatever its size."""
    try:
        with regular_file(path, largest) as file:
            left = file.seek(0, os.SEEK_END) - 64
            file.seek(max(left - len(_SEAL), 0))
            seal = file.read(_SEAL_LENGTH)
            if not seal.startswith(_SEAL) or len(seal) < _SEAL_LENGTH:
                raise DamagedFile(f"{path} is truncated, or no file of this package: it does not end with a checksum")
            digest = hashlib.sha256()
            file.seek(0)
            while left > 0:
                piece = file.read(min(left, _PIECE))
                if not piece:
                    break
                digest.update(piece)
                left -= len(piece)
            if seal[len(_SEAL):] != digest.hexdigest().encode():
                raise DamagedFile(f"{path} is damaged: its content does not fit its checksum")
            file.seek(0)
            yield file
    except OSError as error:
        raise DamagedFile(f"{path}: {error.strerror}") from error


def _pack(arrays: Mapping[str, ArrayLike], meta: Any) -> bytes:
    packed: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in packed.items():
        if array.dtype.hasobject or name == _META:
            raise ResultsError(f"array {name!r} ({array.dtype}) cannot be stored: arrays of objects and the "
                               f"name {_META!r} are not allowed")
    packed[_META] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **packed)
    # The seal is the comment that ends a zip file, so that any reader of .npz can still open it.
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = _SEAL + b"0" * 64
    return sealed(buffer.getvalue()[:-_SEAL_LENGTH])


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, ArrayLike], meta: Any = None, **options: Any) -> None:
    """Write named arrays and `meta` (for JSON) as a .npz that ends with the SHA-256 of all before it.

    options: of `write_bytes`."""
    write_bytes(path, _pack(arrays, meta), **options)


def read_arrays(path: str | os.PathLike, largest: int = LARGEST_ARRAYS) -> tuple[dict[str, np.ndarray], Any]:
    """What `write_arrays` wrote: (dict of arrays, meta). DamagedFile unless every byte is as written, and where there are more
    than `largest` of them."""
    # Checked before anything is parsed: a flipped bit in a header may ask a parser for any amount of memory.
    with _sealed_file(path, largest) as file:
        if file.read(2) != b"PK":
            raise DamagedFile(f"{path} is a whole file, but holds no named arrays (.npz); give one that does")
        try:
            with zipfile.ZipFile(file) as archive:
                _check_members(archive, file.seek(0, os.SEEK_END))
                arrays = {info.filename.removesuffix(".npy"): _array(archive, info) for info in archive.infolist()}
            meta = arrays.pop(_META)
            if meta.nbytes > LARGEST_TEXT:
                raise ValueError(f"{meta.nbytes} bytes of text")
            meta = json.loads(meta.tobytes())
        except (ValueError, KeyError, AttributeError, TypeError, OSError, EOFError, MemoryError, RuntimeError,
                zipfile.BadZipFile) as error:
            raise DamagedFile(f"{path} has a checksum that fits, but was not written by write_arrays: "
                              f"{reason(error)}") from error
    return arrays, meta


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Nothing is compressed, and all together is no more than the file."""
    infos = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size for info in infos):
        raise ValueError("its members are compressed")
    if sum(info.file_size for info in infos) > size or len({info.filename for info in infos}) < len(infos):
        raise ValueError("its members overlap")


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """An array whose header announces what is there."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"an array of version {version}")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(member)
        if dtype.kind not in "biufcUSV" or dtype.hasobject or not dtype.itemsize or dtype.names or dtype.subdtype:
            raise ValueError(f"an array of {dtype}")
        announced = math.prod(shape) * dtype.itemsize
        if announced != info.file_size - member.tell() or any(n > max(info.file_size, _LONGEST_EMPTY) for n in shape):
            raise ValueError(f"an array of shape {shape} in {info.file_size} bytes")
    with archive.open(info) as member:
        return np.lib.format.read_array(member, allow_pickle=False)
