"""Neo Blocks as NIX files that are written whole or not at all and, read again, are what was written.

NIX is HDF5, which has no checksum of a file, may leave half of one on a full disk, and parses what it is given in C. So a file is
made in memory, ends with a seal (see `files`), which HDF5 and other readers do not look at, and is read only where the seal fits.
Before Neo reads a file, also one with a seal, which anybody can make, it is looked through (see `hdf5_files`).
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import neo

from ttfs_pynn.errors import ResultsError, reason
from ttfs_pynn.files.atomic import write_bytes
from ttfs_pynn.files.hdf5_files import LARGEST, check_hdf5, limited_memory
from ttfs_pynn.files.sealed import DamagedFile, check_seal, is_sealed, sealed

__all__ = ["packed", "read_block", "read_blocks", "write_block"]

_ROOM = 3 * LARGEST  # bytes of memory for a file's blocks: numbers are copied, and Python's objects come on top


def _in_memory() -> AbstractContextManager:
    """nixio has no parameter for HDF5's driver: while this lasts, the files that it makes are in memory alone."""
    import h5py  # HDF5 takes a while to load, and most commands write no spikes
    import nixio

    def access() -> Any:
        properties = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        properties.set_fapl_core(2**20, False)
        return properties

    return mock.patch.object(nixio.file, "make_fapl", access)


def packed(path: str | Path, block: neo.Block) -> bytes:
    """The bytes of a NIX file with a `neo.Block`, which is not changed, and a seal."""
    parts = [block, *block.children_recur]
    before = [part.annotations.get("nix_name") for part in parts]
    try:
        with _in_memory(), neo.io.NixIO(str(path), "ow") as file:
            file.write_block(block)
            file.nix_file._h5file.flush()
            return sealed(file.nix_file._h5file.id.get_file_image())
    finally:
        # NixIO notes in every object where it stored it; the block is the caller's.
        for part, nix_name in zip(parts, before, strict=True):
            part.annotations.pop("nix_name", None)
            if nix_name is not None:
                part.annotations["nix_name"] = nix_name


def write_block(path: str | Path, block: neo.Block) -> None:
    """Store a `neo.Block`, which is not changed. ResultsError where the system refuses."""
    write_bytes(path, packed(path, block))


def read_block(path: str | Path) -> neo.Block:
    """The `neo.Block` of `write_block`, in memory as a whole. DamagedFile unless every byte is as written."""
    check_seal(path, 2 * LARGEST)
    return _read(path)[0]


def read_blocks(path: str | Path) -> list[neo.Block]:
    """All Blocks of a NIX file, also of somebody else's, in which nothing tells damaged numbers from others."""
    return [read_block(path)] if is_sealed(path) else _read(path)


def _read(path: str | Path) -> list[neo.Block]:
    check_hdf5(path)
    try:
        with limited_memory(_ROOM), neo.io.NixIO(str(path), "ro") as file:
            blocks = file.read_all_blocks()
    except Exception as error:  # h5py, nixio and Neo raise whatever a damaged file leads them to
        raise DamagedFile(f"Neo cannot read {path} as a NIX file: {reason(error)}; it may be damaged, or of another kind"
                          ) from error
    if not blocks:
        raise ResultsError(f"{path} holds no block of Neo")
    return blocks
