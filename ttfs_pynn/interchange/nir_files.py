"""NIR graphs in HDF5 files: written whole or not at all, read with care."""

import io
from pathlib import Path

import nir

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.files.hdf5_files import LARGEST, check_hdf5, limited_memory
from ttfs_pynn.files.sealed import DamagedFile, check_seal, is_sealed, sealed, write_bytes

__all__ = ["read_nir", "write_nir"]

_ROOM = 3 * LARGEST  # bytes of memory for a graph: nir copies numbers


def write_nir(path: str | Path, graph: nir.NIRGraph) -> None:
    """Store a `nir.NIRGraph` as the file `path`. ResultsError where it cannot be written.

    Behind the HDF5 content, where readers do not look, stands its SHA-256.
    """
    content = io.BytesIO()
    nir.write(content, graph)
    write_bytes(path, sealed(content.getvalue()))


def read_nir(path: str | Path) -> nir.NIRGraph:
    """The `nir.NIRGraph` of a file. InterchangeError where it is none, is damaged, or refers to other files.

    A file that `write_nir` wrote is checked against its SHA-256. NIR itself has none: in files from elsewhere a flipped bit of a
    number may go unnoticed.
    """
    if not Path(path).is_file():
        raise InterchangeError(f"{path} is no file; give a NIR file, as `ttfs-pynn export` writes them")
    try:
        if is_sealed(path):
            check_seal(path)
        check_hdf5(path, links_once=True)
        with limited_memory(_ROOM):
            return nir.read(path)
    except DamagedFile as error:
        raise InterchangeError(str(error)) from None
    except Exception as error:  # of h5py and nir, which do not say what they raise for damaged files: nearly anything
        text = " ".join(str(error).split())[:200]
        raise InterchangeError(f"{path} cannot be read as NIR: {type(error).__name__}: {text}") from None
