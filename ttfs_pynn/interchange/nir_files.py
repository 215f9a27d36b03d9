"""NIR graphs in HDF5 files: written whole or not at all, read with care."""

import hashlib
from pathlib import Path

import h5py
import nir

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.files import atomic_path

__all__ = ["read_nir", "write_nir"]

_SEAL = b"sha256:"
_LARGEST = 2**30  # bytes of one file's arrays, decompressed
_DEEPEST = 12


def write_nir(path, graph):
    """Store a `nir.NIRGraph` as the file `path`. ResultsError where it cannot be written.

    Behind the HDF5 content, where readers do not look, stands its SHA-256.
    """
    with atomic_path(path) as temporary:
        nir.write(temporary, graph)
        content = temporary.read_bytes()
        temporary.write_bytes(content + _SEAL + hashlib.sha256(content).hexdigest().encode())


def read_nir(path):
    """The `nir.NIRGraph` of a file. InterchangeError where it is none, is damaged, or refers to other files.

    A file that `write_nir` wrote is checked against its SHA-256. NIR itself has none: in files from elsewhere a flipped bit of a
    number may go unnoticed.
    """
    if not Path(path).is_file():
        raise InterchangeError(f"{path} is no file; give a NIR file, as `ttfs-pynn export` writes them")
    content, _, seal = Path(path).read_bytes().rpartition(_SEAL)
    if len(seal) == 64 and seal != hashlib.sha256(content).hexdigest().encode():
        raise InterchangeError(f"{path} is damaged: its content does not fit its checksum")
    try:
        with h5py.File(path, "r") as file:
            _check(file, path, [0], 0)
        return nir.read(path)
    except InterchangeError:
        raise
    except Exception as error:  # of h5py and nir, which do not say what they raise for damaged files: nearly anything
        text = " ".join(str(error).split())[:200]
        raise InterchangeError(f"{path} cannot be read as NIR: {type(error).__name__}: {text}") from None


def _check(group, path, total, depth):
    """HDF5 allows links to other files and arrays of any size without content: neither is read."""
    if depth > _DEEPEST:
        raise InterchangeError(f"{path} has groups in groups, more than {_DEEPEST} deep; a NIR file has fewer")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise InterchangeError(f"{path}: {group.name}/{name} is a link to somewhere else; NIR files have none")
        item = group[name]
        if isinstance(item, h5py.Group):
            _check(item, path, total, depth + 1)
        elif isinstance(item, h5py.Dataset):
            if item.is_virtual or item.external:
                raise InterchangeError(f"{path}: {item.name} lies in another file; NIR files are complete")
            if item.dtype.kind == "O" and h5py.check_string_dtype(item.dtype) is None:
                raise InterchangeError(f"{path}: {item.name} holds neither numbers nor text")
            total[0] += item.nbytes
            if total[0] > _LARGEST:
                raise InterchangeError(f"{path} holds arrays of more than {_LARGEST >> 20} MiB, the most that is read")
