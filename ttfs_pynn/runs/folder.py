"""The run folder: all that a run was given and all that it found.

    configuration.toml        what was asked for
    versions.toml             what it was made with
    model.py                  a copy of the model's source, to look at
    history.json              one entry an epoch
    metrics.json              the figures that a run is judged by; evaluation_*.json for other simulators
    graph.npz                 the network: populations, connections, fixed delays
    fitted.npz                what the model's fit(parameters) took from the training data, by name; only of models that have one
    parameters.npz            what was trained, by name
    decisions.npz             of the test: label_times (samples, classes) in ms, labels (samples,), and spikes by layer (samples,
                              layers), up to the decision (layer_spikes) and in the whole window (window_spikes)
    decision_map.npz          what the trained network answers over the unit square
    checkpoint.npz            where to go on, and checkpoint.previous.npz, the one before
    spikes/NAME.nix           recorded spikes, a Neo block each
    figures/                  pictures
    report.html               all of it on one page (ttfs-pynn report)
    run.lock, run.lock.json   held while a process writes here, and by which (see `ttfs_pynn.files.run_lock`)

Every file is whole or not there, whenever the process is killed (see `ttfs_pynn.files.atomic`), and a run that is resumed gets
all that an undisturbed one has. A run folder is data: nothing in it is executed, sizes are looked at before anything is read, and
nothing is written or deleted behind a link in it.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import neo
import numpy as np
import tomli_w
from numpy.typing import ArrayLike

from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.files import nix_files
from ttfs_pynn.files.atomic import is_leftover, remove_leftovers, write_bytes
from ttfs_pynn.files.configuration import canonical, check_types, configuration_differences, plain
from ttfs_pynn.files.run_lock import LOCK_FILES, RunLock
from ttfs_pynn.files.sealed import LARGEST_ARRAYS, LARGEST_TEXT, read_arrays, read_json, read_toml, write_arrays
from ttfs_pynn.graph.graph import Graph, GraphError
from ttfs_pynn.graph.storage import graph_of, stored
from ttfs_pynn.runs.checkpoints import Checkpoints
from ttfs_pynn.runs.provenance import versions

__all__ = ["RunFolder"]

_CONFIGURATION = "configuration.toml"
# All that overwriting may delete; configuration.toml, which marks a run folder, is replaced instead. Checkpoints first: what a
# process leaves that is killed meanwhile is no run to go on with.
_KNOWN = ("checkpoint.npz", "checkpoint.previous.npz", "versions.toml", "model.py", "history.json", "metrics.json",
          "evaluation_*.json", "parameters.npz", "graph.npz", "fitted.npz", "decisions.npz", "decision_map.npz", "report.html",
          "spikes/*.nix", "figures/*.png", "figures/*.svg", "figures/*.pdf")
_SUBFOLDERS = ("spikes", "figures")


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class RunFolder:
    """One run on disk. Make one with `create` or `open`; `path` and `configuration` are what they say.

    `free` names (dotted) the keys that may change when a run is continued. A folder made by `create` or opened for writing
    is locked: no other process can do the same before `close`, the end of a `with` block, or the end of this process.
    """

    def __init__(self, path: str | os.PathLike, configuration: dict[str, Any], free: Iterable[str],
                 lock: RunLock | None = None) -> None:
        self.path = Path(path)
        self.configuration = configuration
        self.free = tuple(free)
        self._checkpoints = Checkpoints(self.path)
        self._lock = lock
        self._identity = os.stat(self.path)

    def close(self) -> None:
        """Let another process write here. Reading stays possible."""
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def exists(path: str | os.PathLike) -> bool:
        """Whether there is a run folder at `path`: one that holds a configuration."""
        return (Path(path) / _CONFIGURATION).is_file()

    @staticmethod
    def begun(path: str | os.PathLike) -> bool:
        """Whether anything is at `path`: a run that was killed at its first step leaves a lock and temporary files at most."""
        path = Path(path)
        return path.exists() and not (path.is_dir() and all(is_leftover(entry.name) or entry.name in LOCK_FILES
                                                            for entry in path.iterdir()))

    @classmethod
    def create(cls, path: str | os.PathLike, configuration: dict[str, Any], overwrite: bool = False,
               free: Iterable[str] = ("epochs",)) -> Self:
        """A new run folder with its configuration (a dict for TOML) and the versions.

        ResultsError where something is in the way. With `overwrite` an older run makes room: the files that
        a run folder is known to hold are deleted, others stay. What is not a run folder is never touched.
        """
        path = Path(path)
        configuration = plain(configuration)
        cls._check_free(path, overwrite)
        lock = RunLock(path)
        try:
            cls._check_free(path, overwrite)  # again: another process may have been first
            cls._clear(path)
            folder = cls(path, configuration, free, lock)
            folder._write_toml(_CONFIGURATION, configuration)
            folder._write_toml("versions.toml", versions())
        except BaseException:
            lock.release()
            raise
        return folder

    @classmethod
    def _check_free(cls, path: Path, overwrite: bool) -> None:
        if path.exists() and not path.is_dir():
            raise ResultsError(f"{path} is a file; name a folder for the run")
        if cls.begun(path):
            if not cls.exists(path):
                raise ResultsError(f"{path} is not empty and not a run folder (no {_CONFIGURATION}); "
                                   "name another one")
            if not overwrite:
                raise ResultsError(f"{path} holds a run already; use --overwrite to replace it, --resume to "
                                   "continue it, or name another folder")

    @classmethod
    def open(cls, path: str | os.PathLike, configuration: Mapping[str, Any] | None = None, writing: bool = False,
             free: Iterable[str] = ("epochs",)) -> Self:
        """An existing run folder. `writing`: to continue the run, what a killed process left is cleared.

        A `configuration` given must agree with the stored one except in the keys of `free` (ResultsError
        names those that differ) and takes its place, on disk where `writing`.
        """
        path = Path(path)
        if not cls.exists(path):
            raise ResultsError(f"{path} is not a run folder (no {_CONFIGURATION} in it); "
                               "give the folder of a training run")
        lock = RunLock(path) if writing else None
        try:
            stored = read_toml(path / _CONFIGURATION)
            try:
                check_types(stored)
            except ConfigurationError as error:
                raise ResultsError(f"{path / _CONFIGURATION}: {error}") from None
            if configuration is not None:
                changed = configuration_differences(canonical(stored, free), canonical(configuration, free))
                if changed:
                    raise ResultsError(f"{path} is a run of another configuration: {changed}; only "
                                       f"{', '.join(free)} may change when a run is continued")
            folder = cls(path, stored if configuration is None else plain(configuration), free, lock)
            if writing:
                folder._clear_leftovers()
                if configuration is not None:
                    folder._write_toml(_CONFIGURATION, folder.configuration)
                if not folder.has_checkpoint and not (path / "versions.toml").exists():
                    folder._write_toml("versions.toml", versions())  # the process was killed before it came to it
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return folder

    def _clear_leftovers(self) -> None:
        for place in (self.path.resolve(), *(self.path / name for name in _SUBFOLDERS)):
            remove_leftovers(place)

    @staticmethod
    def _clear(path: Path) -> None:
        for place in (path.resolve(), *(path / name for name in _SUBFOLDERS)):
            remove_leftovers(place)
        for pattern in _KNOWN:
            # A link to a folder elsewhere is somebody's own arrangement: what is behind it stays.
            if (path / pattern).parent.is_symlink() and (path / pattern).parent != path:
                continue
            for file in path.glob(pattern):
                if file.is_file() or file.is_symlink():
                    try:
                        file.unlink()
                    except OSError as error:
                        raise ResultsError(f"cannot delete {file}: {error.strerror}") from error

    def _write_toml(self, name: str, table: Mapping[str, Any]) -> None:
        self.write_bytes(name, tomli_w.dumps(table).encode())

    def _place(self, subfolder: str | None = None) -> Path:
        """The folder to write into, or a ResultsError where it is not what it was: a run that is moved does not come back."""
        try:
            here = os.path.samestat(os.stat(self.path), self._identity)
        except OSError:
            here = False
        if not here:
            raise ResultsError(f"{self.path} is not the folder that it was: it was moved, deleted or replaced. Nothing was "
                               "written there since; go on where it is now, with --resume")
        place = self.path
        if subfolder is not None:
            place = place / subfolder
            if place.is_symlink():
                raise ResultsError(f"{place} is a link; nothing is written behind links in a run folder: put a folder in its "
                                   "place")
            try:
                place.mkdir(exist_ok=True)
            except OSError as error:
                raise ResultsError(f"cannot make {place}: {error.strerror or error}") from error
        return place

    def write_bytes(self, name: str, content: bytes, subfolder: str | None = None) -> None:
        """Store a file as it is, whole or not at all."""
        write_bytes(self._place(subfolder) / name, content, make_folder=False)

    @property
    def has_checkpoint(self) -> bool:
        """False for a run that was stopped before its first epoch ended."""
        return self._checkpoints.exist

    @property
    def finished(self) -> bool:
        """Whether the run came to its end and was tested."""
        return (self.path / "metrics.json").is_file()

    def save_checkpoint(self, arrays: Mapping[str, ArrayLike], meta: dict[str, Any]) -> None:
        """Store where the run stands: a dict of arrays, and `meta`, a dict for JSON. See `checkpoints`."""
        self._place()
        self._checkpoints.save(arrays, meta, canonical(self.configuration, self.free))

    def load_checkpoint(self, largest: int = LARGEST_ARRAYS) -> tuple[dict[str, np.ndarray], dict[str, Any], str | None]:
        """(arrays, meta, warning) of the newest checkpoint that is whole; `warning` is None or one line.

        ResultsError where there is none, none is whole or has at most `largest` bytes, or it belongs to another configuration.
        """
        return self._checkpoints.load(canonical(self.configuration, self.free), largest)

    def checkpoint_for(self, trainer: Any) -> tuple[dict[str, np.ndarray], dict[str, Any], str | None]:
        """`load_checkpoint`, or a ResultsError where it is not one that a `training.Trainer` of this network can go on from."""
        own = trainer.checkpoint()[0]
        arrays, meta, warning = self.load_checkpoint(2 * sum(array.nbytes for array in own.values()) + LARGEST_TEXT)
        for name, array in own.items():
            if name not in arrays or arrays[name].shape != array.shape or arrays[name].dtype != array.dtype:
                raise ResultsError(f"the checkpoint in {self.path} is of another network: {name} is "
                                   f"{arrays[name].shape if name in arrays else 'not there'}, expected {array.shape}")
        epoch, history = meta.get("epoch"), meta.get("history")
        if not isinstance(epoch, int) or not isinstance(history, list) or len(history) != epoch \
                or not all(isinstance(record, dict) for record in history):
            raise ResultsError(f"the checkpoint in {self.path} has no history of its epochs; start again with --overwrite")
        return arrays, meta, warning

    def resume(self, trainer: Any) -> str | None:
        """Let a `training.Trainer` go on from `checkpoint_for` it, and write the history up to there, which a killed process may
        have left one epoch short. Returns the warning of `load_checkpoint`."""
        arrays, meta, warning = self.checkpoint_for(trainer)
        try:
            trainer.restore(arrays, meta)
        except ValueError as error:
            raise ResultsError(f"the checkpoint in {self.path} is of another network: {error}") from None
        self.write_history(trainer.history)
        return warning

    def write_parameters(self, parameters: Mapping[str, ArrayLike]) -> None:
        """What was trained: {name: array}, see `graph.parameters`."""
        self.write_arrays("parameters", parameters)

    def read_parameters(self, largest: int = LARGEST_ARRAYS) -> dict[str, np.ndarray]:
        """The dict of `write_parameters`. ResultsError where it has more than `largest` bytes."""
        self.refuse_old()
        return self.read_arrays("parameters", largest)

    def write_graph(self, graph: Graph) -> None:
        """The network, without what it learns: populations, connections, delays."""
        write_arrays(self._place() / "graph.npz", *stored(graph), make_folder=False)

    def read_graph(self) -> Graph:
        """The graph of `write_graph`."""
        self.refuse_old()
        self._require("graph.npz")
        try:
            return graph_of(*read_arrays(self.path / "graph.npz"))
        except GraphError as error:
            raise ResultsError(f"{self.path / 'graph.npz'}: {error}") from None

    def network(self, sim: Any, copies: int = 1) -> Any:
        """The trained network on a PyNN simulator (its module, after setup()), with its delays: a
        `networks.pynn_network.PyNNNetwork`."""
        from ttfs_pynn.networks.pynn_network import build
        return build(sim, self.read_graph(), self.read_parameters(), copies)

    def refuse_old(self) -> None:
        """ResultsError for a run of a version whose networks were no graphs."""
        if (self.path / "weights.npz").is_file() or self.has_checkpoint and not (self.path / "graph.npz").is_file():
            raise ResultsError(f"{self.path} is a run of ttfs_pynn 0.1.0, whose networks were chains of layers; read it with "
                               "that version, or train again")

    def write_arrays(self, name: str, arrays: Mapping[str, ArrayLike]) -> None:
        """Store a dict of arrays as `name`.npz, with a checksum. For `analysis`: decisions, decision_map."""
        write_arrays(self._place() / f"{self._checked(name)}.npz", arrays, make_folder=False)

    def read_arrays(self, name: str, largest: int = LARGEST_ARRAYS) -> dict[str, np.ndarray]:
        """The dict of `write_arrays`. ResultsError where a byte of the file is not as it was written, or they are more than
        `largest`."""
        self._require(f"{self._checked(name)}.npz")
        return read_arrays(self.path / f"{name}.npz", largest)[0]

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """`metrics`: dict for JSON; what is not finite becomes null."""
        self.write_json("metrics.json", metrics)

    def read_metrics(self) -> dict[str, Any]:
        """The dict of `write_metrics`."""
        return self._of_type(dict, "metrics.json", self.read_json("metrics.json"))

    def write_history(self, history: list[dict[str, Any]]) -> None:
        """`history`: a list of one dict an epoch; what is not finite becomes null."""
        self.write_json("history.json", history)

    def read_history(self) -> list[dict[str, Any]]:
        """The list of `write_history`."""
        history = self._of_type(list, "history.json", self.read_json("history.json"))
        return [self._of_type(dict, "history.json", record) for record in history]

    def _of_type(self, expected: type, name: str, value: Any) -> Any:
        if not isinstance(value, expected):
            raise ResultsError(f"{self.path / name} is damaged: a {type(value).__name__} where a {expected.__name__} belongs")
        return value

    def read_versions(self) -> dict[str, Any]:
        """What the run was made with, a dict; see `provenance.versions`."""
        self._require("versions.toml")
        return read_toml(self.path / "versions.toml")

    def write_json(self, name: str, value: Any) -> None:
        """Store a value for JSON as the file `name`; what is not finite becomes null."""
        value = _finite(plain(value, name, none_allowed=True))
        self.write_bytes(name, (json.dumps(value, indent=1) + "\n").encode())

    def read_json(self, name: str) -> Any:
        """What `write_json` stored as the file `name`."""
        self._require(name)
        return read_json(self.path / name)

    def figure_path(self, name: str) -> Path:
        """figures/`name` (with its suffix), whose folder is made."""
        return self._place("figures") / self._checked(name)

    def write_spikes(self, name: str, block: neo.Block) -> None:
        """Store a `neo.Block` as spikes/`name`.nix."""
        path = self._spikes_path(name)
        self.write_bytes(path.name, nix_files.packed(path, block), "spikes")

    def read_spikes(self, name: str) -> neo.Block:
        """The `neo.Block` of spikes/`name`.nix. ResultsError where a byte of the file is not as it was written."""
        path = self._spikes_path(name)
        self._require(f"spikes/{path.name}")
        return nix_files.read_block(path)

    def spike_names(self) -> list[str]:
        """Names for `read_spikes`, in order."""
        return sorted(file.stem for file in (self.path / "spikes").glob("*.nix"))

    def _spikes_path(self, name: str) -> Path:
        return self.path / "spikes" / f"{self._checked(name)}.nix"

    @staticmethod
    def _checked(name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
            raise ResultsError(f"{name!r} is no name for a file of a run: use letters, digits, '_', '-', '.'")
        return name

    def _require(self, name: str) -> None:
        if not (self.path / name).is_file():
            raise ResultsError(f"{self.path} has no {name}" + ("" if self.finished else " yet: let the run come to its end"))
