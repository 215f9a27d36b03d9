"""Reproduce the figures of the paper and those beyond it: each ROW is a network, trained for several seeds and tested once each.

A row is a file protocols/rows/ROW.toml: a model, a backend, values in place of the model's, the value to compare with and where
the settings come from. Each seed is a run in a process of its own with a run folder; a run that was killed goes on from its last
checkpoint, a finished one is not repeated. Results are gathered in DIR/ROW.json and on the page DIR/README.md. Without ROW: all.

examples:
  ttfs-pynn reproduce --list
  ttfs-pynn reproduce yin_yang
  ttfs-pynn reproduce yin_yang mnist --seeds 3 --workers 3
  ttfs-pynn reproduce yin_yang --quick                  (a look at a few samples and epochs, into DIR/quick)
  TTFS_PYNN_DATA=FOLDER ttfs-pynn reproduce --scheduler slurm --workers 20
"""

import hashlib
import json
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from ttfs_pynn.analysis.results_page import page
from ttfs_pynn.commands.command_line import ArgumentParser, run, when_stopped
from ttfs_pynn.errors import ConfigurationError, TTFSError
from ttfs_pynn.files.configuration import canonical, plain
from ttfs_pynn.files.run_lock import FileLock
from ttfs_pynn.files.sealed import read_json, read_toml, write_bytes
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import ARRAYS, Experiment
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.provenance import versions
from ttfs_pynn.runs.sweep import run_all

ROWS = Path(__file__).parent / "rows"
FRESH_SEED = 2021  # of the generator of fresh test samples, which neither training nor validation has seen
QUICK = {"epochs": 2, "seeds": 2, "samples": 1000}


@dataclass(frozen=True)
class Row:
    """A row's file. network, training: values in place of the model's. hardware: chip, profile, input_copies, non_idealities.

    seeds: a number of seeds from 0, or a list. chip_is_seed: each seed is trained on the virtual chip of its number.
    fresh_samples: test also on so many new samples (for models with `fresh`). paper: accuracy, std, source. settings: where they
    come from. ideal_epochs: train so many epochs on arrays first, the network that fits the chip; the chip goes on from there.
    """

    name: str
    title: str
    model: str
    settings: str
    backend: str = "exact"
    seeds: list = field(default_factory=lambda: [0, 1, 2, 3, 4])
    dt: float | None = None
    copies: int | None = None
    fresh_samples: int = 0
    chip_is_seed: bool = False
    paper: dict = field(default_factory=dict)
    network: dict = field(default_factory=dict)
    training: dict = field(default_factory=dict)
    hardware: dict = field(default_factory=dict)
    ideal_epochs: int = 0

    @classmethod
    def read(cls, name, folder=None):
        """The row of that name. ConfigurationError where there is none or its file has what no row has, ResultsError where it
        is no TOML."""
        path = Path(folder or ROWS) / f"{name}.toml"
        if not path.is_file():
            raise ConfigurationError(f"unknown row {name!r}; known: {', '.join(names(folder))}")
        try:
            table = read_toml(path)
            allowed = [f.name for f in fields(cls)[1:]]
            if not set(table) <= set(allowed):
                raise ValueError(f"it has {', '.join(sorted(set(table) - set(allowed)))}; a row may have {', '.join(allowed)}")
            row = cls(name=name, **table)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"{path}: {error}") from None
        if isinstance(row.seeds, int):
            object.__setattr__(row, "seeds", list(range(row.seeds)))
        return row

    def configuration(self, seed, quick=False, ideal=False):
        """The configuration of one run, as `ttfs-pynn train` makes it; `ideal`: of the run before it, on arrays."""
        hardware = {**self.hardware, **({"chip": seed} if self.chip_is_seed else {})}
        backend = [ARRAYS, "--hardware-network", "--epochs", str(self.ideal_epochs)] if ideal else [self.backend]
        arguments = [self.model, "--backend", *backend, "--seed", str(seed), "--output", "unused"]
        arguments += [] if self.dt is None or ideal else ["--dt", str(self.dt)]
        for key, value in hardware.items():
            if ideal and key in ("chip", "profile", "non_idealities"):  # arrays have the chip's range of weights only
                continue
            if key == "non_idealities":
                arguments += [part for name, size in value.items() for part in ("--non-ideality", f"{name}={size}")]
            else:
                arguments += [f"--{key.replace('_', '-')}", str(value)]
        if self.copies and not ideal:
            arguments += ["--copies", str(self.copies)]
        found = train.configuration(train.parser().parse_args(arguments))
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


def names(folder=None):
    """The rows there are, in protocols/rows or another folder."""
    return sorted(path.stem for path in Path(folder or ROWS).glob("*.toml"))


def parser():
    p = ArgumentParser(prog="ttfs-pynn reproduce", description=__doc__)
    p.add_argument("rows", nargs="*", metavar="ROW", help="what to reproduce (default: all; --list names them)")
    p.add_argument("--list", action="store_true", help="name the rows and what is stored of them, and stop")
    p.add_argument("--quick", action="store_true", help=f"{QUICK['seeds']} seeds, {QUICK['epochs']} epochs, {QUICK['samples']} "
                   "samples: shows that it runs; kept apart from results")
    p.add_argument("--seeds", metavar="N|LIST", help="so many, from the row's first on, or these: 3,4 (default: the row's)")
    p.add_argument("--scheduler", default="local", help="local (default), slurm, or the address of a Dask scheduler, "
                   "which trusts whoever can connect to it (SECURITY.md)")
    p.add_argument("--workers", type=int, default=2, metavar="N", help="runs at a time (default 2)")
    p.add_argument("--results", default="results", metavar="DIR", help="where results are gathered (default results)")
    p.add_argument("--runs", default="runs/reproduce", metavar="DIR", help="where run folders are kept (default runs/reproduce)")
    return p


def seeds_of(row, text, quick):
    """The seeds to run, from --seeds and the row."""
    try:
        given = None if text is None else [int(seed) for seed in text.split(",")]
    except ValueError:
        raise ConfigurationError(f"--seeds {text}: give a number such as 5, or seeds such as 3,4") from None
    if given is None:
        return row.seeds[:QUICK["seeds"]] if quick else row.seeds
    if min(given) < (1 if len(given) == 1 and "," not in text else 0):
        raise ConfigurationError(f"--seeds {text}: seeds count from 0, at least one is needed")
    return [row.seeds[0] + k for k in range(given[0])] if len(given) == 1 and "," not in text else given


def job_of(row, seed, runs, quick):
    """What the sweep runs for one seed; the run folder's name says which configuration it is of."""
    configuration = plain(row.configuration(seed, quick))
    fresh = min(row.fresh_samples, QUICK["samples"]) if quick else row.fresh_samples
    digest = hashlib.sha256(json.dumps(canonical(configuration)).encode()).hexdigest()[:8]
    folder = Path(runs) / ("quick" if quick else ".") / row.name / f"seed_{seed}_{digest}"
    ideal = {"ideal": plain(row.configuration(seed, quick, ideal=True))} if row.ideal_epochs else {}
    return {"configuration": configuration, "fresh_samples": fresh, "samples": QUICK["samples"] if quick else 0,
            "folder": str(folder), **ideal}


def run_one(job):
    """One run: train or go on, test once. Returns its metrics."""
    path, start, ideal = Path(job["folder"]), None, {}
    if "ideal" in job:
        before, network, trainer = _trained(job["ideal"], path.with_name(f"{path.name}_ideal"), job["samples"])
        start, ideal = trainer.weights, {"ideal_accuracy": evaluate(network, before.data["test"], keep=False).accuracy}
    experiment, network, trainer = _trained(job["configuration"], path, job["samples"], start)
    metrics = {**experiment.finish(trainer, trainer.folder)[0], **ideal}
    if job["fresh_samples"]:
        metrics.update(_on_fresh_samples(experiment, network, job["fresh_samples"]))
    trainer.folder.write_metrics(metrics)
    return {"seed": job["configuration"]["training"]["seed"], **metrics}


def _trained(configuration, path, n_samples, weights=None):
    """(experiment, network, trainer) after training to the end in the run folder `path`, from where that is."""
    experiment = Experiment(model_files.load(configuration["model"]), configuration)
    if n_samples:
        experiment.data = {name: SpikeData(part.times[:n_samples], part.labels[:n_samples])
                           for name, part in experiment.data.items()}
    network = experiment.network(weights=weights, seed=configuration["training"]["seed"])
    trainer = experiment.trainer(network, weights=weights)
    if RunFolder.exists(path):
        trainer.folder = experiment.open_folder(path)
    else:
        trainer.folder = experiment.create_folder(path)
    if trainer.folder.has_checkpoint:
        trainer.folder.resume(trainer)
    trainer.run()
    return experiment, network, trainer


def _on_fresh_samples(experiment, network, n):
    if not hasattr(experiment.model, "fresh"):
        raise ConfigurationError(f"models/{experiment.configuration['model']}.py has no fresh(n, rng, parameters): new samples "
                                 "cannot be drawn; leave out fresh_samples")
    data = experiment.model.fresh(n, np.random.default_rng(FRESH_SEED), experiment.configuration["network"])
    return {"fresh_accuracy": evaluate(network, data, keep=False).accuracy, "fresh_samples": n}


def record(row, jobs, results, path, quick):
    """Write what was found for a row to `path`, with the seeds that are there already of the same configuration."""
    configuration = jobs[0]["configuration"]
    common = {**configuration, "training": {k: v for k, v in configuration["training"].items() if k != "seed"}}
    if row.chip_is_seed:
        common["hardware"] = {k: v for k, v in configuration["hardware"].items() if k != "chip"}
    common = _finite(common)
    runs = {result["seed"]: result for result in results if result is not None}
    before = read_json(path) if path.is_file() else None
    same = before and canonical(before["configuration"]) == canonical(common)
    if same and before["runs"][0].get("fresh_samples", 0) == jobs[0]["fresh_samples"]:
        runs = {r["seed"]: r for r in before["runs"]} | runs
    content = {"row": row.name, "title": row.title, "quick": quick, "paper": row.paper, "settings": row.settings.strip(),
               "command": f"ttfs-pynn reproduce {row.name}{' --quick' if quick else ''}", "configuration": common,
               "runs": [runs[seed] for seed in sorted(runs)], "versions": versions()}
    write_bytes(path, (json.dumps(_finite(content), indent=1) + "\n").encode())


def _finite(value):
    """JSON has no inf: text, as in TOML (tau_m of a membrane without leak)."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def reproduce(row, a, results):
    """Run a row's seeds and write its results. Returns how many seeds failed, after saying why."""
    jobs = [job_of(row, seed, a.runs, a.quick) for seed in seeds_of(row, a.seeds, a.quick)]
    found, failures = run_all("ttfs_pynn.protocols.reproduce:run_one", jobs, Path(a.runs) / "finished", a.scheduler, a.workers)
    if len(failures) < len(jobs):
        path = results / f"{row.name}.json"
        with FileLock(path):  # another process may have other seeds of the row
            record(row, jobs, found, path, a.quick)
    for problem in sorted(set(failures.values())):
        print(f"{row.name}: {problem}")
    return len(failures)


def listing(results):
    """One line a row: title, seeds, how many are stored."""
    lines = []
    for name in names():
        row, path = Row.read(name), results / f"{name}.json"
        stored = len(read_json(path)["runs"]) if path.is_file() else 0
        lines.append(f"{name:<20}{row.title:<58}{stored} of {len(row.seeds)} seeds stored")
    return lines


@when_stopped("the same command goes on with what is not finished")
def main(arguments=None):
    a = parser().parse_args(arguments)
    results = Path(a.results) / ("quick" if a.quick else ".")
    if a.list:
        print("\n".join(listing(results)))
        return 0
    failed = []
    for row in [Row.read(name) for name in a.rows or names()]:
        print(f"{row.name}: {row.title}", flush=True)
        try:
            if reproduce(row, a, results):
                failed.append(row.name)
        except TTFSError as error:  # a model that is not there: the other rows go on
            if len(a.rows) == 1:
                raise
            print(f"{row.name}: not run: {error}")
            failed.append(row.name)
        write_bytes(results / "README.md", page(results).encode())
    print(results / "README.md")
    if failed:
        print(f"not complete: {', '.join(failed)}; the same command tries again")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
