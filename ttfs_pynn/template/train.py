"""The experiment: train the network of my_task.py and keep all of the run in a folder.

  python train.py runs/first

`ttfs-pynn train my_task --output runs/first` does the same with more options: see ttfs-pynn train --help.
"""

import sys

import my_task

from ttfs_pynn.experiment import Experiment
from ttfs_pynn.progress import Progress


def train(path, backend="exact", callbacks=(), **changes):
    """Train on a simulator and test once; `changes` replace entries of PARAMETERS["training"]. Returns the metrics, a dict."""
    configuration = {"model": "my_task.py", "classes": list(my_task.CLASS_NAMES), "backend": backend, "dt": 0.1, "copies": 1,
                     "network": my_task.PARAMETERS["network"], "training": {**my_task.PARAMETERS["training"], **changes}}
    experiment = Experiment(my_task, configuration)
    network = experiment.network()                       # PyNN populations and projections
    trainer = experiment.trainer(network, callbacks=callbacks)
    trainer.folder = experiment.create_folder(path)      # configuration, versions, and a checkpoint after each epoch
    experiment.record_sample(network, trainer.folder, "before")
    trainer.run()
    metrics, _ = experiment.finish(trainer, trainer.folder)
    experiment.record_sample(network, trainer.folder, "after")
    return metrics


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python train.py FOLDER   (a new folder for the run)")
    found = train(sys.argv[1], callbacks=(Progress(),))
    print(f"test accuracy {found['test_accuracy']:.3f}, decision after {found['latency_tau_syn']:.2f} tau_syn")
