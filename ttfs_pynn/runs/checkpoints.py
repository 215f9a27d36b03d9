"""The last two states of a run, of which one at least is whole whenever the process is killed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.configuration import configuration_differences, plain
from ttfs_pynn.files.sealed import LARGEST_ARRAYS, DamagedFile, read_arrays, write_arrays

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
        write_arrays(self.newest, arrays, {"meta": plain(meta, "meta", none_allowed=True), "configuration": configuration},
                     make_folder=False, before_rename=self._rotate)
        self._newest_is_good = True

    def _rotate(self) -> None:
        if self._newest_is_good or self._is_good(self.newest):
            os.replace(self.newest, self.previous)
            self._newest_is_good = False  # there is none, should the next step fail

    @staticmethod
    def _is_good(file: Path) -> bool:
        try:
            read_arrays(file)
        except DamagedFile:
            return False
        return True

    def load(self, configuration: Mapping[str, str],
             largest: int = LARGEST_ARRAYS) -> tuple[dict[str, np.ndarray], dict[str, Any], str | None]:
        """(arrays, meta, warning) of the newest checkpoint that is whole and has at most `largest` bytes.

        `warning` is None, or one line that says why it is not the last one. ResultsError where there is none,
        none is whole, or it belongs to another configuration (the error names the keys that differ).
        """
        problems = []
        for file in (self.newest, self.previous):
            try:
                arrays, stored = read_arrays(file, largest)
                meta, of = stored["meta"], stored["configuration"]
                if not (isinstance(meta, dict) and isinstance(of, dict) and all(isinstance(text, str) for text in of.values())):
                    raise TypeError
                changed = configuration_differences(of, configuration)
            except DamagedFile as problem:
                problems.append(str(problem))
                continue
            except (KeyError, TypeError, ValueError):
                problems.append(f"{file} is no checkpoint")
                continue
            if changed:
                raise ResultsError(f"{file} belongs to another configuration: {changed}; "
                                   "use the same one, or train into another folder")
            self._newest_is_good = not problems
            warning = f"{problems[0]}; going on from {file.name}, one checkpoint back" if problems else None
            return arrays, meta, warning
        raise ResultsError(f"no usable checkpoint: {'; '.join(problems)}; start again with --overwrite")
