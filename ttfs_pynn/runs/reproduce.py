"""Rows of results: each is a network, trained for several seeds in processes of their own, tested once each, and gathered.

A row is a file ROW.toml: a model, a backend, values in place of the model's, the value to compare with and where the settings
come from. Each seed is a run with a run folder; one that was killed goes on from its last checkpoint, a finished one is not
repeated.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.files.configuration import canonical, plain
from ttfs_pynn.files.run_lock import FileLock
from ttfs_pynn.files.sealed import read_json, read_toml, write_bytes
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import ARRAYS, Experiment
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.provenance import versions
from ttfs_pynn.runs.settings import Settings
from ttfs_pynn.runs.sweep import run_all

__all__ = ["QUICK", "Job", "Row", "job_of", "reproduce", "row_names", "run_one", "store_row"]

_FRESH_SEED = 2021  # of the generator of fresh test samples, which neither training nor validation has seen
QUICK = {"epochs": 2, "seeds": 2, "samples": 1000}  # what a look takes instead of all

Job = dict[str, Any]  # plain values, see job_of


@dataclass(frozen=True)
class Row:
    """A row's file. network, training: values in place of the model's. preset: of the model, whose values come before these.
    hardware: options of the chip, as `simulators.with_brainscales2` has them.

    seeds: a number of seeds from 0, or a list. chip_is_seed: each seed is trained on the virtual chip of its number.
    fresh_samples: test also on so many new samples (for models with `fresh`). paper: accuracy, std, source. settings: where they
    come from. ideal_epochs: train so many epochs on arrays first, the network that fits the chip; the chip goes on from there.
    """

    name: str
    title: str
    model: str
    settings: str
    backend: str = "exact"
    seeds: Any = 5
    dt: float | None = None
    copies: int | None = None
    preset: str | None = None
    fresh_samples: int = 0
    chip_is_seed: bool = False
    paper: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)
    ideal_epochs: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.seeds, int):
            object.__setattr__(self, "seeds", list(range(self.seeds)))

    @classmethod
    def read(cls, name: str, folder: str | Path) -> "Row":
        """The row of that name in a folder. ConfigurationError where there is none or its file has what no row has, ResultsError
        where it is no TOML."""
        path = Path(folder) / f"{name}.toml"
        if not path.is_file():
            raise ConfigurationError(f"unknown row {name!r}; known: {', '.join(row_names(folder))}")
        try:
            table = read_toml(path)
            allowed = [f.name for f in fields(cls)[1:]]
            if not set(table) <= set(allowed):
                raise ValueError(f"it has {', '.join(sorted(set(table) - set(allowed)))}; a row may have {', '.join(allowed)}")
            return cls(name=name, **table)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"{path}: {error}") from None

    def configuration(self, seed: int, quick: bool = False, ideal: bool = False) -> dict[str, Any]:
        """The configuration of one run. quick: few epochs. ideal: of the run before it, on arrays."""
        hardware = {**self.hardware, **({"chip": seed} if self.chip_is_seed else {})}
        if ideal:  # arrays have the chip's range of weights only
            hardware = {key: value for key, value in hardware.items() if key not in ("chip", "profile", "non_idealities")}
            settings = Settings(self.model, ARRAYS, seed, self.ideal_epochs, hardware=hardware, hardware_network=True,
                                preset=self.preset)
        else:
            settings = Settings(self.model, self.backend, seed, dt=self.dt, copies=self.copies, hardware=hardware,
                                preset=self.preset)
        found = settings.configuration()
        unknown = sorted(set(self.network) - set(found["network"]))
        if unknown:
            raise ConfigurationError(f"models/{self.model}.py has no network parameter {', '.join(unknown)}; it has "
                                     f"{', '.join(found['network'])}")
        found["network"].update(self.network)
        if not ideal:
            found["training"].update(self.training)
        if quick:
            found["training"]["epochs"] = QUICK["epochs"]
        return found


def row_names(folder: str | Path) -> list[str]:
    """The rows there are in a folder."""
    return sorted(path.stem for path in Path(folder).glob("*.toml"))


def job_of(row: Row, seed: int, runs: str | Path, quick: bool = False) -> Job:
    """What the sweep runs for one seed; the run folder's name, in `runs`, says which configuration it is of."""
    configuration = plain(row.configuration(seed, quick))
    fresh = min(row.fresh_samples, QUICK["samples"]) if quick else row.fresh_samples
    digest = hashlib.sha256(json.dumps(canonical(configuration)).encode()).hexdigest()[:8]
    folder = Path(runs) / ("quick" if quick else ".") / row.name / f"seed_{seed}_{digest}"
    ideal = {"ideal": plain(row.configuration(seed, quick, ideal=True))} if row.ideal_epochs else {}
    return {"configuration": configuration, "fresh_samples": fresh, "samples": QUICK["samples"] if quick else 0,
            "folder": str(folder), **ideal}


def run_one(job: Job) -> dict[str, Any]:
    """One run: train or go on, test once. Returns its metrics."""
    path, start, ideal = Path(job["folder"]), {}, {}
    if "ideal" in job:
        before, network, trainer = _trained(job["ideal"], path.with_name(f"{path.name}_ideal"), job["samples"])
        start = {"parameters": trainer.parameters, "fitted": before.fitted}
        ideal = {"ideal_accuracy": evaluate(network, before.data["test"], keep=False).accuracy}
    experiment, network, trainer = _trained(job["configuration"], path, job["samples"], **start)
    metrics = {**experiment.finish(trainer, trainer.folder)[0], **ideal}
    if job["fresh_samples"]:
        metrics.update(_on_fresh_samples(experiment, network, job["fresh_samples"]))
    trainer.folder.write_metrics(metrics)
    return {"seed": job["configuration"]["training"]["seed"], **metrics}


def _trained(configuration: dict[str, Any], path: Path, n_samples: int, parameters: Any = None,
             fitted: Any = None) -> tuple[Experiment, Any, Trainer]:
    """(experiment, network, trainer) after training to the end in the run folder `path`, from where that is. parameters, fitted:
    of a run to begin with."""
    model = model_files.load(configuration["model"])
    if RunFolder.exists(path) and RunFolder.open(path).has_checkpoint:
        experiment = Experiment.of_run(model, configuration, RunFolder.open(path))
    else:
        experiment = Experiment(model, configuration, fitted=fitted)
    if n_samples:
        experiment.data = {name: part and part.select(slice(0, n_samples)) for name, part in experiment.data.items()}
    network = experiment.network(parameters=parameters, seed=configuration["training"]["seed"])
    trainer = experiment.trainer(network, parameters=parameters)
    if RunFolder.exists(path):
        trainer.folder = experiment.open_folder(path)
    else:
        trainer.folder = experiment.create_folder(path)
    if trainer.folder.has_checkpoint:
        trainer.folder.resume(trainer)
    trainer.run()
    return experiment, network, trainer


def _on_fresh_samples(experiment: Experiment, network: Any, n: int) -> dict[str, Any]:
    data = experiment.fresh(n, np.random.default_rng(_FRESH_SEED))
    return {"fresh_accuracy": evaluate(network, data, keep=False).accuracy, "fresh_samples": n}


def store_row(row: Row, jobs: Sequence[Job], results: Sequence[dict[str, Any] | None], path: Path, quick: bool = False) -> None:
    """Write what was found for a row to `path`, with the seeds that are there already of the same configuration.

    jobs: at least one of the row. results: what `run_one` returned, None where a run failed.
    """
    configuration = jobs[0]["configuration"]
    common = {**configuration, "training": {k: v for k, v in configuration["training"].items() if k != "seed"}}
    if row.chip_is_seed:
        common["hardware"] = {k: v for k, v in configuration["hardware"].items() if k != "chip"}
    common = _finite(common)
    runs = {result["seed"]: result for result in results if result is not None}
    before: Any = read_json(path) if path.is_file() else None
    same = before and canonical(before["configuration"]) == canonical(common)
    if same and before["runs"][0].get("fresh_samples", 0) == jobs[0]["fresh_samples"]:
        runs = {r["seed"]: r for r in before["runs"]} | runs
    content = {"row": row.name, "title": row.title, "quick": quick, "paper": row.paper, "settings": row.settings.strip(),
               "command": f"ttfs-pynn reproduce {row.name}{' --quick' if quick else ''}", "configuration": common,
               "runs": [runs[seed] for seed in sorted(runs)], "versions": versions()}
    write_bytes(path, (json.dumps(_finite(content), indent=1) + "\n").encode())


def _finite(value: Any) -> Any:
    """JSON has no inf: text, as in TOML (tau_m of a membrane without leak)."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def reproduce(row: Row, seeds: Sequence[int], results: str | Path, runs: str | Path, scheduler: str = "local", workers: int = 2,
              quick: bool = False) -> set[str]:
    """Run seeds of a row that have no result yet and store_row all in `results`/ROW.json. Returns why some failed.

    runs: where run folders are kept. scheduler, workers: see `sweep.run_all`. quick: a look at few epochs and samples.
    """
    jobs = [job_of(row, seed, runs, quick) for seed in seeds]
    found, failures = run_all("ttfs_pynn.runs.reproduce:run_one", jobs, Path(runs) / "finished", scheduler, workers)
    if len(failures) < len(jobs):
        path = Path(results) / f"{row.name}.json"
        with FileLock(path):  # another process may have other seeds of the row
            store_row(row, jobs, found, path, quick)
    return set(failures.values())
