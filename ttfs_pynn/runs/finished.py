"""A run that is over, as a network again: its folder, its experiment, what it has learned."""

import os

import numpy as np

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph.parameters import check_parameters, shapes_of
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.folder import RunFolder

__all__ = ["open_run", "parameters_of"]

_NEEDED = {"model", "backend", "network", "training"}  # of the configuration of a run of ttfs-pynn train


def open_run(path: str | os.PathLike,
             model: str | os.PathLike | None = None) -> tuple[RunFolder, Experiment, dict[str, np.ndarray]]:
    """(folder, experiment, parameters) of a finished run.

    path: its folder. model: the file of its model, where `model_files.load_for` does not find it. ConfigurationError where the
    folder is of something else, or its parameters are of another network; ResultsError where it is damaged or not finished.
    """
    folder = RunFolder.open(path)
    if not set(folder.configuration) >= _NEEDED:
        raise ConfigurationError(f"{path} is not a run of ttfs-pynn train: its configuration names no model, backend, network "
                                 "or training")
    folder.refuse_old()
    experiment = Experiment.of_run(model_files.load_for(folder, model), folder.configuration, folder)
    return folder, experiment, parameters_of(folder, experiment, f"{folder.path}/graph.npz must be as it was then")


def parameters_of(folder: RunFolder, experiment: Experiment, advice: str) -> dict[str, np.ndarray]:
    """What a finished run has learned, for the network of `experiment`. ConfigurationError, with the advice, where that is
    another."""
    needed = 8 * sum(int(np.prod(shape)) for shape in shapes_of(experiment.graph).values())
    stored = folder.read_parameters(2 * needed + 2**20)
    try:
        return check_parameters(experiment.graph, stored)
    except ValueError as error:
        raise ConfigurationError(f"the parameters in {folder.path} are of another network: {error}; {advice}") from None
