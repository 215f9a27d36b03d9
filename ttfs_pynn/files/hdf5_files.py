"""A look at an HDF5 file (NIX, NIR) before anything else reads it.

HDF5 files may say that their arrays lie in other files, that an array has any size without content, and that a group contains
another any number of times, or itself. Nothing of that is needed here. What cannot be counted before (texts whose length the file
tells) is read where memory is limited.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from ttfs_pynn.files.sealed import DamagedFile, regular_file

__all__ = ["LARGEST", "check_hdf5", "limited_memory"]

LARGEST = 2**29  # bytes of one file's arrays, unpacked
_SHARED = 16  # how often, on average, an object may be reached: NIX files list each in a block and in groups
_DEEPEST = 64
_ROOM = 2**28  # bytes for what is not arrays


def check_hdf5(path: str | os.PathLike, largest: int = LARGEST, links_once: bool = False) -> None:
    """DamagedFile where a file is no HDF5 file, has arrays of more than `largest` bytes, links to somewhere else, groups that
    contain themselves, or arrays of neither numbers nor text. links_once: no object may be reached in two ways."""
    import h5py  # HDF5 takes a while to load
    try:
        with regular_file(path, 2**62):
            pass
        with limited_memory(largest + _ROOM), h5py.File(path, "r") as file:
            _Walk(path, largest, h5py).check(file, links_once)
    except DamagedFile:
        raise
    except Exception as error:  # h5py does not say what it raises for damaged files: nearly anything
        raise DamagedFile(f"{path} cannot be read as HDF5: {' '.join(str(error).split())[:200]}; it may be damaged, or of "
                          "another kind") from None


class _Walk:
    """Each object once; how often it is reached is counted."""

    def __init__(self, path: str | os.PathLike, largest: int, h5py: Any) -> None:
        self._path, self._largest, self._h5py, self._bytes = path, largest, h5py, 0
        self._paths: dict[Any, int | None] = {}  # address of an object: ways from it down; None while it is being looked at

    def check(self, file: Any, links_once: bool) -> None:
        paths = self._count(self._h5py.h5o.get_info(file["/"].id).addr, file["/"].id, "", 0)
        if paths > (1 if links_once else _SHARED) * len(self._paths):
            raise DamagedFile(f"{self._path} holds {len(self._paths)} groups and arrays that are linked {paths} times; none is "
                              f"needed more than {'once' if links_once else f'{_SHARED} times'}")

    def _count(self, address: int, item: Any, name: str, depth: int) -> int:
        """Ways to an object (of h5py's low level) and to all in it."""
        if depth > _DEEPEST:
            raise DamagedFile(f"{self._path} has groups in groups, more than {_DEEPEST} deep")
        self._paths[address] = None
        inside = 0
        if isinstance(item, self._h5py.h5g.GroupID):
            inside = sum(self._linked(item, *link, name, depth) for link in self._links(item))
        elif isinstance(item, self._h5py.h5d.DatasetID):
            self._check_array(self._h5py.Dataset(item))
        self._paths[address] = 1 + inside
        return 1 + inside

    @staticmethod
    def _links(group: Any) -> list[tuple[bytes, int, int]]:
        """Name, type and address of each; h5py hands over the same `info` every time."""
        links: list[tuple[bytes, int, int]] = []
        group.links.iterate(lambda name, info: links.append((name, info.type, info.u)), info=True)
        return links

    def _linked(self, group: Any, link: bytes, kind: int, address: int, above: str, depth: int) -> int:
        name = f"{above}/{link.decode('utf-8', 'replace')}"
        if kind != self._h5py.h5l.TYPE_HARD:
            raise DamagedFile(f"{self._path}: {name} is a link to somewhere else; such files have none")
        if address in self._paths:
            found = self._paths[address]
            if found is None:
                raise DamagedFile(f"{self._path}: the group {name} contains itself")
            return found
        return self._count(address, self._h5py.h5o.open(group, link), name, depth + 1)

    def _check_array(self, array: Any) -> None:
        if array.is_virtual or array.external:
            raise DamagedFile(f"{self._path}: {array.name} lies in another file; such files are complete")
        self._check_type(array.name, array.dtype)
        self._bytes += array.nbytes if array.shape is not None else 0
        if self._bytes > self._largest:
            raise DamagedFile(f"{self._path} holds arrays of more than {self._largest >> 20} MiB, the most that is read")

    def _check_type(self, name: str, dtype: Any) -> None:
        """Numbers and text, also as the fields of a row."""
        if dtype.names:
            for field in dtype.names:
                self._check_type(name, dtype[field])
        elif dtype.subdtype:
            self._check_type(name, dtype.subdtype[0])
        elif dtype.kind == "O" and self._h5py.check_string_dtype(dtype) is None:
            raise DamagedFile(f"{self._path}: {name} holds neither numbers nor text")


@contextlib.contextmanager
def limited_memory(more: int) -> Iterator[None]:
    """While it lasts this process can take at most `more` bytes of memory in addition to what it has: what asks for more gets a
    MemoryError, or an error of its own. Linux; elsewhere nothing is limited."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limits = [limit for limit in (now + more, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
