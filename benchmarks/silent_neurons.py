"""What to do about silent neurons: `python -m benchmarks.silent_neurons [--model yin_yang] [--epochs 30] [--seeds 0 1 2 3 4]`.

Trains a model on arrays from its own initial weights and from hostile ones, whose means are so low that most neurons are silent,
with each policy of ttfs_pynn.learning.silent_neurons; reports validation accuracy and how many hidden neurons are silent. Test
data are not touched. Settings of the policies were chosen with seed 100.
"""

import argparse
import copy
from dataclasses import replace

import numpy as np

from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Callback, Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.runs import model_files

# (mean, std) of weights, in current_scale, of the hidden layers and of the label layer
HOSTILE = {"yin_yang": {"own": None, "hidden 92 %": ((0.1, 0.6), None), "hidden 100 %": ((-0.5, 0.6), None),
                        "both": ((0.1, 0.6), (-0.1, 0.1))},
           "mnist_deep": {"own": None, "hostile": ((-0.02, 0.05), None)}}
EPOCHS_SHOWN = (1, 5)


class Silence(Callback):
    """By epoch: the share of silent (sample, neuron) pairs and of neurons silent for over 95 % of samples, of hidden layers."""

    def __init__(self, data):
        self.times, self.pairs, self.neurons = data.times[:1000], [], []

    def _look(self, trainer):
        graph, spikes = trainer.network.graph, first_spikes(trainer.network.present(self.times))
        silent = np.concatenate([np.isinf(spikes[node.label]) for node in graph.neurons if node.label != graph.outputs], axis=1)
        self.pairs.append(silent.mean())
        self.neurons.append((silent.mean(axis=0) > 0.95).mean())

    def on_train_begin(self, trainer):
        self._look(trainer)

    def on_epoch_end(self, trainer, record):
        self._look(trainer)


def _with_weights(graph, hidden, label):
    """The graph with (mean, std) of weights of its hidden layers and of its label layer, where they are given."""
    of = {node.label: label if node.label == graph.outputs else hidden for node in graph.neurons}
    return replace(graph, nodes=tuple(
        replace(node, weight_mean=of[node.label][0], weight_std=of[node.label][1]) if of.get(node.label) else node
        for node in graph.nodes))


def train(model, data, initial, seed, epochs, samples, options):
    """(validation accuracies by epoch, Silence) of one run."""
    parameters, training = copy.deepcopy(model.PARAMETERS["network"]), copy.deepcopy(model.PARAMETERS["training"])
    graph = model.graph(parameters)
    if initial is not None:
        graph = _with_weights(graph, *initial)
    training = {**training, "epochs": epochs, "seed": seed, **options}
    training = TrainingOptions.of(training)
    silence = Silence(data["validation"])
    part = {name: d.select(slice(0, samples)) for name, d in data.items()}
    initial = initial_parameters(graph, np.random.default_rng(seed), part["train"].times)
    trainer = Trainer(ArrayNetwork(graph, initial), part["train"], training, part["validation"], callbacks=[silence])
    return [record["validation_accuracy"] for record in trainer.run()], silence


def _report(name, policy, runs, epochs):
    accuracy = np.array([run[0] for run in runs])
    neurons, pairs = (np.mean([getattr(run[1], what) for run in runs], axis=0) for what in ("neurons", "pairs"))
    early = " ".join(f"{accuracy[:, e - 1].mean():.3f}" for e in EPOCHS_SHOWN if e < epochs)
    spread = accuracy[:, -1].std(ddof=1) if len(runs) > 1 else 0.0
    print(f"{name:15s} {policy:28s} {early} {accuracy[:, -1].mean():.4f} +- {spread:.4f}"
          f" ({' '.join(f'{a:.4f}' for a in accuracy[:, -1])})  neurons silent {neurons[0]:.2f}"
          f" {' '.join(f'{neurons[e]:.3f}' for e in EPOCHS_SHOWN if e < epochs)} {neurons[-1]:.3f}"
          f"  pairs silent {pairs[0]:.2f} {pairs[-1]:.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=HOSTILE, default="yin_yang")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--samples", type=int, default=None, help="how many of the samples of each part are used")
    parser.add_argument("--initial", nargs="+", help="which initial weights (default: all)")
    parser.add_argument("--tolerated", type=float, nargs="+", default=[0.95], help="shares of silence in the hidden layers")
    parser.add_argument("--bumps", type=float, nargs="*", default=[0.0005])
    parser.add_argument("--aims", type=float, nargs="*", default=[1.5])
    parser.add_argument("--sums", type=float, nargs="*", default=[10.0], help="strengths of weight_sum")
    arguments = parser.parse_args()
    model = model_files.load(arguments.model)
    data = model.data(model.PARAMETERS["network"])
    policies = {"none": {"silent": "bumping", "bump": 0.0}}
    for share in arguments.tolerated:
        graph = model.graph(model.PARAMETERS["network"])
        own = model.PARAMETERS["training"].get("silent_tolerated", TrainingOptions.silent_tolerated)
        of_labels = own.get(graph.outputs, TrainingOptions.silent_tolerated) if isinstance(own, dict) else own
        tolerated = {**{node.label: share for node in graph.neurons}, graph.outputs: of_labels}
        for policy, option, values in (("bumping", "bump", arguments.bumps),
                                       ("membrane_peak", "silent_aim", arguments.aims)):
            policies.update({f"{policy} {value:g}, {share:g}": {"silent": policy, option: value, "silent_tolerated": tolerated}
                             for value in values})
    policies.update({f"weight_sum {value:g}": {"silent": "weight_sum", "weight_sum": value} for value in arguments.sums})
    print(f"initial weights, policy, validation accuracy after {EPOCHS_SHOWN} and {arguments.epochs} epochs, hidden neurons "
          f"silent for over 95 % of samples before and after {EPOCHS_SHOWN} and all, silent pairs before and after all")
    for name in arguments.initial or HOSTILE[arguments.model]:
        for policy, options in policies.items():
            runs = [train(model, data, HOSTILE[arguments.model][name], seed, arguments.epochs, arguments.samples, options)
                    for seed in arguments.seeds]
            _report(name, policy, runs, arguments.epochs)


if __name__ == "__main__":
    main()
