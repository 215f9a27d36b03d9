"""How early and with how few spikes a network decides, and what the loss does to it.

Trains one network a setting and seed on arrays: over alpha and over xi of the loss TimeToFirstSpike, the other of the two being
the paper's (alpha 0.005, xi 0.2), and over the difference of PairwiseDifference. All else is the model's, but with
TimeToFirstSpike at most 30 % of a batch may leave a label neuron silent, for this loss gives a silent neuron no gradient.

Each network is judged on the validation samples, before training and after each epoch: accuracy, latency of the decision, spikes
until then; after the last one also accuracy if the readout stops at time t. Test samples are not looked at. The figures go to a
JSON file, run by run: an interrupted study goes on where it stopped, and a wider one keeps what is there. A picture is drawn
beside it.

examples:
  ttfs-pynn early_spikes yin_yang --output results/early_spikes/yin_yang.json
  ttfs-pynn early_spikes mnist --alpha 0.005 --xi none --difference none --epochs 5 --seeds 0 --output mnist.json
"""

import copy
import json
import time
from pathlib import Path

import numpy as np

from ttfs_pynn.analysis import early_spikes_figure
from ttfs_pynn.commands.command_line import ArgumentParser, run, when_stopped
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.files.run_lock import FileLock
from ttfs_pynn.files.sealed import read_json, write_bytes
from ttfs_pynn.learning.decision import accuracy_at, spikes_until
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import ARRAYS, Experiment

PAPER = {"alpha": 0.005, "xi": 0.2}  # Göltz, Kriener et al. 2021
SILENT_TOLERATED = {"layer0": 0.95, "layer1": 0.3}
TIMES = np.arange(0.0, 4.01, 0.05)  # tau_syn


def parser():
    p = ArgumentParser(prog="ttfs-pynn early_spikes", description=__doc__)
    p.add_argument("model", help=f"what to train: {', '.join(model_files.names())}")
    p.add_argument("--alpha", default="0,0.005,0.05,0.2,0.5", metavar="LIST", help="values, or none (default %(default)s)")
    p.add_argument("--xi", default="0.05,0.1,0.2,0.4,0.8", metavar="LIST", help="values, or none (default %(default)s)")
    p.add_argument("--difference", default="0.05,0.1,0.2,0.4,0.6", metavar="LIST", help="values, or none (default %(default)s)")
    p.add_argument("--epochs", type=int, default=30, help="of training (default 30)")
    p.add_argument("--seeds", default="0,1,2", metavar="LIST", help="(default 0,1,2)")
    p.add_argument("--output", required=True, metavar="FILE", help="JSON file to write, or to go on with")
    return p


def _list(text, name, kind=float):
    try:
        return [] if text == "none" else [kind(item) for item in text.split(",")]
    except ValueError:
        raise ConfigurationError(f"--{name} {text}: give numbers with commas between them, or none") from None


def settings(alphas, xis, differences):
    """(loss, its options) of every setting, each once."""
    first = [{**PAPER, "alpha": alpha} for alpha in alphas] + [{**PAPER, "xi": xi} for xi in xis]
    found = [("time_to_first_spike", options) for k, options in enumerate(first) if options not in first[:k]]
    return found + [("pairwise_difference", {"difference": difference}) for difference in differences]


def configured(model, loss, options, seed, epochs):
    """The configuration of one network of the study."""
    configuration = {"model": model.__name__.rpartition(".")[2], "backend": ARRAYS, "dt": 0.1, "copies": 1,
                     **copy.deepcopy(model.PARAMETERS)}
    training = configuration["training"]
    if loss == "time_to_first_spike":
        training["silent_tolerated"] = SILENT_TOLERATED
    training.update(epochs=epochs, seed=seed, loss=loss, loss_options=options)
    return configuration


def train(model, loss, options, seed, epochs):
    """One network's figures as a dict for JSON. Times in tau_syn."""
    begin = time.perf_counter()
    experiment = Experiment(model, configured(model, loss, options, seed, epochs))
    tau_syn = float(np.mean(experiment.graph.node(experiment.graph.outputs).neuron.tau_syn))
    data = experiment.data["validation"]
    trainer = experiment.trainer(experiment.network())
    before = evaluate(trainer.network, data, keep=False).summary("validation")
    history = [before, *trainer.run()]
    answer = evaluate(trainer.network, data)
    decided = np.isfinite(answer.latency)
    inputs = answer.first_spikes[experiment.graph.inputs[0]]
    return {"loss": loss, "options": options, "seed": seed, "epochs": epochs, "samples": len(data),
            "sizes": [node.size for node in experiment.graph.neurons], "accuracy": answer.accuracy,
            "latency": _number(answer.latency[decided].mean() / tau_syn if decided.any() else np.nan),
            "latency_quantiles": _numbers(np.quantile(answer.latency[decided], (0.05, 0.5, 0.95)) / tau_syn
                                          if decided.any() else np.full(3, np.nan)),
            "no_answer": _number(1 - decided.mean()),
            "layer_spikes": _numbers(answer.layer_spikes.mean(axis=0)),
            "window_spikes": _numbers(answer.window_spikes.mean(axis=0)),
            "input_spikes": _numbers([spikes_until([inputs], until).mean() for until in (answer.latency, np.inf)]),
            "times": _numbers(TIMES), "accuracy_at": _numbers(accuracy_at(answer.label_times, answer.labels, TIMES * tau_syn)),
            "history": {"accuracy": _numbers([entry["validation_accuracy"] for entry in history]),
                        "latency": _numbers([entry["validation_latency_ms"] / tau_syn for entry in history]),
                        "spikes": _numbers([entry["validation_spikes"] for entry in history])},
            "seconds": round(time.perf_counter() - begin, 1)}


def _number(value):
    return round(float(value), 4) if np.isfinite(value) else None


def _numbers(values):
    return [_number(value) for value in values]


def stored(path, model):
    """The runs that are in the file at `path` already."""
    if not Path(path).exists():
        return []
    try:
        found = read_json(path)
        if found["model"] == model:
            for entry in found["runs"]:
                _same(entry, None, None, None, None)  # a run has what is asked for below
            return found["runs"]
    except (ResultsError, KeyError, TypeError):
        raise ResultsError(f"{path} exists and is no file of this study; give another name") from None
    raise ResultsError(f"{path} is a study of {found['model']}, not of {model}; give another name")


def _same(entry, loss, options, seed, epochs):
    return (entry["loss"], entry["options"], entry["seed"], entry["epochs"]) == (loss, options, seed, epochs)


@when_stopped("the same command goes on with what is not finished")
def main(arguments=None):
    a = parser().parse_args(arguments)
    model = model_files.load(a.model)
    wanted = [(*setting, seed, a.epochs)
              for seed in _list(a.seeds, "seeds", int)
              for setting in settings(*(_list(getattr(a, name), name) for name in ("alpha", "xi", "difference")))]
    with FileLock(a.output, wait=False):  # what another process added meanwhile would be lost
        runs = stored(a.output, a.model)
        for one in wanted:
            if not any(_same(entry, *one) for entry in runs):
                runs.append(train(model, *one))
                # One run a line: files that are looked at, and compared by version control.
                lines = ",\n".join(json.dumps(entry) for entry in runs)
                write_bytes(a.output, f'{{"model": {json.dumps(a.model)}, "runs": [\n{lines}\n]}}\n'.encode())
                print(early_spikes_figure.line(runs[-1]), flush=True)
    print("\n".join(early_spikes_figure.as_lines(runs)))
    early_spikes_figure.main([a.output])


if __name__ == "__main__":
    run(main)
