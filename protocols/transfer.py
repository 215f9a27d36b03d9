"""Move a trained network to (other) chips: accuracy there as it is, and after some epochs of training in the loop on each.

RUN is a run folder of ttfs-pynn train, of any backend: a network that was trained ideally, or on a chip. Writes a JSON file with
one entry a chip. The test samples are used only to report.

examples:
  ttfs-pynn transfer runs/yy7 --chips 1,2,3,4,5 --epochs 2 --output transfer.json
  ttfs-pynn transfer runs/chip1 --chips 2,3,4,5 --epochs 0 --output others.json
"""

import copy
import json
from pathlib import Path

import numpy as np

from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.files.sealed import write_bytes
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.finished import open_run


def _chips(text):
    try:
        chips = [int(number) for number in text.split(",")]
    except ValueError:
        raise ConfigurationError(f"--chips {text}: give the seeds of chips, such as 1,2,3") from None
    if len(set(chips)) < len(chips):
        raise ConfigurationError(f"--chips {text}: give each chip once")
    return chips


def parser():
    p = ArgumentParser(prog="ttfs-pynn transfer", description=__doc__)
    p.add_argument("folder", metavar="RUN", help="run folder of ttfs-pynn train")
    p.add_argument("--chips", default="1,2,3,4,5", help="virtual chips (default 1,2,3,4,5)")
    p.add_argument("--epochs", type=int, default=2, metavar="N", help="of training on each chip (default 2; 0 for none)")
    p.add_argument("--learning-rate", type=float, metavar="R", help="of it (default 0.002, cosine to 0)")
    p.add_argument("--model", metavar="FILE", help="the run's model, where it is neither of the package nor in this folder")
    p.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    p.add_argument("--overwrite", action="store_true", help="replace an existing file")
    return p


def on_chip(trained, parameters, chip, epochs, learning_rate):
    """Accuracies of `parameters`, of the experiment `trained`, on a chip before and after training there."""
    model, settings = trained.model, copy.deepcopy(trained.configuration)
    settings.update(backend="brainscales2", copies=1, hardware={**model.PARAMETERS.get("hardware", {}), "chip": chip})
    settings["training"].update(epochs=max(epochs, 1), learning_rate=learning_rate, schedule="cosine")
    experiment = Experiment(model, settings, trained.graph, trained.fitted)
    network = experiment.network(parameters=parameters, seed=chip)
    test = experiment.data["test"]
    found = {"chip": chip, "before": evaluate(network, test, 50, parameters).accuracy}
    if epochs:
        trainer = experiment.trainer(network, parameters=parameters)
        trainer.run()
        found["after"] = evaluate(network, test, 50, trainer.parameters).accuracy
        found["validation"] = [record.get("validation_accuracy") for record in trainer.history]
    return found


def main(arguments=None):
    a = parser().parse_args(arguments)
    if Path(a.output).exists() and not a.overwrite:
        raise ConfigurationError(f"{a.output} exists; give another name, or --overwrite")
    if a.epochs < 0:
        raise ConfigurationError(f"--epochs {a.epochs} must be zero or more")
    if a.learning_rate is not None and not a.epochs:
        raise ConfigurationError(f"--learning-rate {a.learning_rate:g} has no effect with --epochs 0; leave it out")
    learning_rate = 0.002 if a.learning_rate is None else a.learning_rate
    chips = _chips(a.chips)
    folder, experiment, parameters = open_run(a.folder, a.model)
    results = []
    for chip in chips:
        results.append(on_chip(experiment, parameters, chip, a.epochs, learning_rate))
        print(f"chip {chip:<4} before {results[-1]['before']:.4f}"
              + (f"   after {a.epochs} epochs {results[-1]['after']:.4f}" if a.epochs else ""), flush=True)
    for name in ("before", "after")[:1 + (a.epochs > 0)]:
        values = np.array([r[name] for r in results])
        print(f"{name:<9} {values.mean():.4f} +- {values.std(ddof=min(1, len(values) - 1)):.4f} over {len(values)} chips")
    write_bytes(a.output, json.dumps({"run": str(folder.path), "epochs": a.epochs, "chips": results}, indent=1).encode())


if __name__ == "__main__":
    run(main)
