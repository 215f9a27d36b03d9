"""The experiment: train the network of my_task.py and keep all of the run in a folder.

  python train.py runs/first

`ttfs-pynn train my_task --output runs/first` does the same with more options: see ttfs-pynn train --help.
"""

import my_task

from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.commands.progress import Progress
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.folder import RunFolder


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


def main(arguments=None):
    parser = ArgumentParser(prog="python train.py", description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", help="a new folder for the run")
    a = parser.parse_args(arguments)
    if RunFolder.begun(a.folder):
        raise ResultsError(f"{a.folder} is there already; name a new folder")
    found = train(a.folder, callbacks=() if a.quiet else (Progress(),))
    print(f"test accuracy {found['test_accuracy']:.3f}, decision after {found['latency_tau_syn']:.2f} tau_syn")


if __name__ == "__main__":
    run(main)  # a mistake is one line, and so is a stop by Ctrl-C
