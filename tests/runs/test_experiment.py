"""What does not fit in a model or a configuration is said before anything runs or is written."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest

from ttfs_pynn.errors import ConfigurationError, TTFSError
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.models import yin_yang
from ttfs_pynn.runs.experiment import Experiment


def model(**changed):
    rng = np.random.default_rng(0)

    def part(n):
        return SpikeData(yin_yang.encode(rng.random((n, 4)), yin_yang.PARAMETERS["network"]), np.arange(n) % 3)

    parts = {name: part(9) for name in ("train", "validation", "test")}
    return SimpleNamespace(**{"graph": yin_yang.graph, "data": lambda p: parts, **changed})


def configuration(backend="exact", network=(), training=(), **other):
    found = copy.deepcopy(yin_yang.PARAMETERS)
    return {"model": "m", "backend": backend, "dt": 0.1, "copies": 1, **other, "network": {**found["network"], **dict(network)},
            "training": {**found["training"], **dict(training)}}


def test_what_fits_runs():
    experiment = Experiment(model(), configuration())
    assert experiment.network().present(experiment.data["test"].times).presentation.n_samples == 9


def test_without_leak_there_are_as_many_copies_as_a_batch_has_samples():
    """The default of one copy would be refused: a membrane that never returns to rest sees one sample a run."""
    experiment = Experiment(model(), configuration(network={"tau_m": np.inf}, training={"batch_size": 4}))
    network = experiment.network()
    assert network.n_copies == 4 and network.present(experiment.data["test"].batch(slice(0, 4))).presentation.n_windows == 1
    assert experiment.network("arrays").n_copies == 1 and Experiment(model(), configuration()).network().n_copies == 1


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("change, text", [
    (lambda d: SpikeData(d.times[:, :3], d.labels),
     r"data: spike times of .input. have shape \(9, 3\); expected \(samples, 4 inputs\)"),
    (lambda d: SpikeData(d.times, d.labels + 1), "data have labels up to 3, the network has 3 label neurons"),
    (lambda d: SpikeData(d.times / 1000, d.labels), "before the network's t_early = 1.5 ms; give times in ms"),
    (lambda d: (d.times, d.labels),
     "must return a dict of SpikeData with the keys train, test and, if there is one, validation")])
def test_data_that_do_not_fit(part, change, text):
    data = model().data(None)
    with pytest.raises(ConfigurationError, match=text):
        Experiment(model(data=lambda p: {**data, part: change(data[part])}), configuration())


def test_a_part_that_is_missing():
    data = model().data(None)
    for parts in ({"train": data["train"], "val": data["test"], "test": data["test"]}, {"train": data["train"]}):
        with pytest.raises(ConfigurationError, match="with the keys train, test and, if there is one, validation"):
            Experiment(model(data=lambda p, parts=parts: parts), configuration())
    without = Experiment(model(data=lambda p: {"train": data["train"], "test": data["test"]}),
                         configuration(training={"epochs": 1}))
    assert "validation_accuracy" not in without.trainer(without.network("arrays")).run()[-1]


@pytest.mark.parametrize("given, text", [
    ({"training": {"epoch": 3}}, "unknown training option 'epoch'; did you mean 'epochs'"),
    ({"backend": "Brian2"}, "unknown backend 'Brian2'; did you mean 'brian2'. known: exact.*arrays"),
    ({"network": {"hidden": 30.5}}, "population 'layer0' of 30.5 cells: give an integer")])
def test_configurations_that_are_not_possible(given, text):
    with pytest.raises(TTFSError, match=text):
        Experiment(model(), configuration(**given))


def test_a_parameter_by_a_wrong_name():
    given = configuration()
    given["network"]["v_threshold"] = given["network"].pop("v_thresh")
    with pytest.raises(ConfigurationError, match="a parameter that is not there: .*'v_thresh'; did you mean 'v_threshold'"):
        Experiment(model(), given)


def test_functions_that_return_nothing():
    with pytest.raises(ConfigurationError,
                       match="graph.parameters. returned NoneType; it must return a graph.Graph, such as layered"):
        Experiment(model(graph=lambda p: None), configuration())
    with pytest.raises(ConfigurationError,
                       match="build returned NoneType; it must return a ttfs_pynn.Network of its projections"):
        Experiment(SimpleNamespace(build=lambda sim: None, data=model().data), configuration(network={}))


def test_a_time_step_as_long_as_a_time_constant():
    experiment = Experiment(model(), configuration("brian2", dt=10.0))
    with pytest.raises(ValueError, match="a time step of 10 ms for time constants of 10 ms; use a fraction"):
        experiment.network()
