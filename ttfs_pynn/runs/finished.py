"""A run that is over, as a network again: its folder, its experiment, what it has learned."""

import os
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.folder import RunFolder

__all__ = ["open_run", "weights_of"]

_NEEDED = {"model", "backend", "network", "training"}  # of the configuration of a run of ttfs-pynn train


def open_run(path: str | os.PathLike, model: str | os.PathLike | None = None) -> tuple[RunFolder, Experiment, Any]:
    """(folder, experiment, weights) of a finished run.

    path: its folder. model: the file of its model, where `model_files.load_for` does not find it. ConfigurationError where the
    folder is of something else, or its weights are of another network; ResultsError where it is damaged or not finished.
    """
    folder = RunFolder.open(path)
    if not set(folder.configuration) >= _NEEDED:
        raise ConfigurationError(f"{path} is not a run of ttfs-pynn train: its configuration names no model, backend, network "
                                 "or training")
    experiment = Experiment(model_files.load_for(folder, model), folder.configuration)
    return folder, experiment, weights_of(folder, experiment, f"{folder.path}/configuration.toml must be as it was then")


def weights_of(folder: RunFolder, experiment: Experiment, advice: str) -> Any:
    """The weights (nA) of a finished run, as `experiment` takes them, with what was trained beside them.

    ConfigurationError, with the advice, where the network of the experiment is another one.
    """
    needed = 8 * sum(int(np.prod(shape)) for shape in experiment.architecture.shapes)
    stored = folder.read_weights(3 * needed + 2**20)  # delays and bias times are no more than twice as many
    try:
        return experiment.architecture.weights_of(stored)
    except ValueError as error:
        raise ConfigurationError(f"the weights in {folder.path} are of another network: {error}; {advice}") from None
