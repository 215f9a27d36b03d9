"""The last two states of a run, of which one at least is whole whenever the process is killed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.configuration import differences, plain
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files import DamagedFile, read_arrays, sync_folder, write_arrays

__all__ = ["Checkpoints"]


class Checkpoints:
    """checkpoint.npz and checkpoint.previous.npz in the folder `path`.

    `configuration` is the canonical form (`configuration.canonical`) that a checkpoint must belong to.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.newest, self.previous = self.path / "checkpoint.npz", self.path / "checkpoint.previous.npz"
        self._newest_is_good = False

    @property
    def exist(self) -> bool:
        """Whether there is a checkpoint, whole or not."""
        return self.newest.exists() or self.previous.exists()

    def save(self, arrays: Mapping[str, ArrayLike], meta: dict[str, Any], configuration: Mapping[str, str]) -> None:
        """Store named arrays and `meta`, a dict for JSON. What was newest becomes the previous one.

        Between the two renames the previous one alone is there; at no instant is there none, and a damaged
        file never takes the place of a good one.
        """
        staged = self.path / f"{self.newest.name}.new.tmp"
        meta = plain(meta, "meta", none_allowed=True)
        write_arrays(staged, arrays, {"meta": meta, "configuration": configuration})
        try:
            if self._newest_is_good or self._is_good(self.newest):
                os.replace(self.newest, self.previous)
                self._newest_is_good = False  # there is none, should the next step fail
            os.replace(staged, self.newest)
            sync_folder(self.path)
        except OSError as error:
            raise ResultsError(f"cannot write {self.newest}: {error.strerror or error}") from error
        self._newest_is_good = True

    @staticmethod
    def _is_good(file: Path) -> bool:
        try:
            read_arrays(file)
        except DamagedFile:
            return False
        return True

    def load(self, configuration: Mapping[str, str]) -> tuple[dict[str, np.ndarray], dict[str, Any], str | None]:
        """(arrays, meta, warning) of the newest checkpoint that is whole.

        `warning` is None, or one line that says why it is not the last one. ResultsError where there is none,
        none is whole, or it belongs to another configuration (the error names the keys that differ).
        """
        problems = []
        for file in (self.newest, self.previous):
            try:
                arrays, stored = read_arrays(file)
                meta, of = stored["meta"], stored["configuration"]
            except DamagedFile as problem:
                problems.append(str(problem))
                continue
            except (KeyError, TypeError):
                problems.append(f"{file} is no checkpoint")
                continue
            changed = differences(of, configuration)
            if changed:
                raise ResultsError(f"{file} belongs to another configuration: {changed}; "
                                   "use the same one, or train into another folder")
            self._newest_is_good = not problems
            warning = f"{problems[0]}; going on from {file.name}, one checkpoint back" if problems else None
            return arrays, meta, warning
        raise ResultsError(f"no usable checkpoint: {'; '.join(problems)}; start again with --overwrite")
