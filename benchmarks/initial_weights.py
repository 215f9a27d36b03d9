"""Do networks of any size, depth and time constants learn from the default weights? `python -m benchmarks.initial_weights`.

Twenty networks, a few epochs each, from the weights of `graph.initialisation.balanced`: Yin-Yang with 10 to 500 hidden neurons,
MNIST with one to five layers, tau_m/tau_syn from 1 to 4 and no leak. Options are those of the models. Prints validation accuracy.
"""

import argparse
import copy
import time

import numpy as np

from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import ARRAYS, Experiment

NO_LEAK = float("inf")
YIN_YANG = [(hidden, ratio) for hidden in (10, 30, 120, 500) for ratio in (1.0, NO_LEAK)] + [(120, 2.0), (120, 4.0)]
MNIST = [([100], 1.0), ([350], 1.0), ([1000], 1.0), ([350], 2.0), ([350], 4.0), ([350], NO_LEAK), ([350] * 2, 1.0),
         ([350] * 3, NO_LEAK), ([350] * 5, 1.0), ([350] * 5, NO_LEAK)]
MODELS = {"yin_yang": YIN_YANG, "mnist_deep": MNIST}


def train(model, hidden, ratio, epochs, samples, seed):
    """(validation accuracy, seconds an epoch) of one network."""
    module = model_files.load(model)
    tables = copy.deepcopy(module.PARAMETERS)
    tables["network"].update(hidden=hidden, tau_m=ratio * tables["network"]["tau_syn"])
    tables["training"].update(epochs=epochs, seed=seed)
    experiment = Experiment(module, {"model": model, "backend": ARRAYS, "dt": 0.1, "copies": 1, "network": tables["network"],
                                     "training": tables["training"]})
    if samples:
        experiment.data["train"] = experiment.data["train"].select(slice(0, samples))
    history = experiment.trainer(experiment.network()).run()
    return history[-1]["validation_accuracy"], np.median([record["seconds"] for record in history])


def main(arguments=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--seeds", type=int, nargs="+", default=[100, 101])
    p.add_argument("--samples", type=int, default=0, help="training samples (default: all)")
    p.add_argument("--first", type=int, default=None, help="so many networks of each model only")
    a = p.parse_args(arguments)
    for model in a.models:
        for hidden, ratio in MODELS[model][:a.first]:
            begin = time.perf_counter()
            found, seconds = zip(*(train(model, hidden, ratio, a.epochs, a.samples, seed) for seed in a.seeds), strict=True)
            print(f"{model:10s} hidden {str(hidden):27s} tau_m/tau_syn {ratio:<4g} validation {np.mean(found):.4f} "
                  f"({' '.join(f'{one:.4f}' for one in found)}), {np.median(seconds):.2f} s an epoch, "
                  f"{time.perf_counter() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
