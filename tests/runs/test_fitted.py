"""What a model takes from its training data is found once, and kept with the run."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.small_networks import assert_same
from ttfs_pynn.comparison.task import Task
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.protocols import evaluate as evaluate_command
from ttfs_pynn.protocols import export, train, transfer
from ttfs_pynn.runs import reproduce
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.finished import open_run
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.user_code import load_file

# What it fits is drawn by chance, each time another: who fits again finds other numbers than the run's.
MODEL = '''
import numpy as np
from ttfs_pynn.datasets import two_channels
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.learning.data import EncodedData, SpikeData
from ttfs_pynn.neuron import LIFParameters

PARAMETERS = {"network": {"inputs": 3, "t_late": 20.0}, "training": {"schedule": "constant", "batch_size": 20}}


def fit(parameters):
    with open("fits", "a") as file:
        file.write("x")
    return {"mean": np.random.default_rng().uniform(0.3, 0.7, parameters["inputs"]), "order": np.array([[2, 0, 1]]).T[:, 0]}


def graph(parameters):
    assert sorted(parameters["fitted"]) == ["mean", "order"]
    return layered(2 * parameters["inputs"], (Layer(8, LIFParameters(), (), 2.0, 0.8), Layer(2, LIFParameters(), (), 1.0, 0.3)),
                   1.5, parameters["t_late"])


def encode(features, parameters):
    known = parameters["fitted"]
    return two_channels(features[:, known["order"]], known["mean"], 1.5, parameters["t_late"])


def augment_features(features, labels, rng):
    return np.clip(features + rng.normal(0, 0.02, features.shape), 0, 1), labels


def data(parameters):
    features = np.random.default_rng(1).random((100, 3))
    labels = (features[:, 0] > features[:, 1]).astype(int)
    times = EncodedData(features, labels, lambda shown: encode(shown, parameters), augment_features)
    return {"train": times.select(slice(0, 60)), "test": times.select(slice(60, None))}


def augment(times, rng, parameters):
    assert "fitted" in parameters
    return times


def fresh(n, rng, parameters):
    features = rng.random((n, 3))
    return SpikeData(encode(features, parameters), (features[:, 0] > features[:, 1]).astype(int))
'''


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MODEL)
    return tmp_path


def fits():
    return len(Path("fits").read_text()) if Path("fits").exists() else 0


def trained(path, epochs=2, *more):
    train.main(["mine.py", "--backend", "arrays", "--epochs", str(epochs), "--quiet", "--output", str(path), *more])
    return RunFolder.open(path)


def configuration(**network):
    return {"model": "mine", "backend": "arrays", "dt": 0.1, "copies": 1, "network": {"inputs": 3, "t_late": 20.0, **network},
            "training": {"epochs": 1, "batch_size": 20}}


def test_functions_find_it_and_cannot_change_it(here):
    experiment = Experiment(load_file("mine.py"), configuration())
    assert fits() == 1 and set(experiment.fitted) == {"mean", "order"}
    assert experiment.configuration["network"] == {"inputs": 3, "t_late": 20.0}, "it is no part of the configuration"
    with pytest.raises(ValueError, match="read-only"):
        experiment.fitted["mean"][0] = 0.0
    experiment.trainer(experiment.network()).run()
    assert len(experiment.fresh(7, np.random.default_rng(0))) == 7 and fits() == 1
    assert Experiment(load_file("mine.py"), configuration(), fitted=experiment.fitted).fitted["mean"] is not None and fits() == 1


def test_every_use_of_a_run_has_what_the_run_had(here, capsys):
    folder = trained("run")
    assert fits() == 1
    fitted, decided = folder.read_arrays("fitted"), folder.read_arrays("decisions")
    _, experiment, parameters = open_run("run", "mine.py")
    assert_same(experiment.fitted, fitted)
    found = evaluate(experiment.network(parameters=parameters), experiment.data["test"], 100)
    np.testing.assert_array_equal(found.label_times, decided["label_times"])
    assert np.isfinite(found.label_times).any()
    evaluate_command.main(["run", "--backend", "exact", "--model", "mine.py"])
    assert f"{folder.read_metrics()['test_accuracy']:.4f}" in capsys.readouterr().out
    record, = Task("run", model="mine.py", samples=40).records("exact", 0.1)
    assert record.meta["accuracy"] == folder.read_metrics()["test_accuracy"]
    export.main(["run", "--format", "pynn", "--output", "network.py", "--samples", "9", "--model", "mine.py"])
    with np.load("network_samples.npz") as exported:
        np.testing.assert_array_equal(exported["input.times"].reshape(9, -1), experiment.data["test"].times[:9])
    assert fits() == 1


def test_a_run_that_goes_on_ends_at_the_bits_of_one_that_was_not_stopped(here):
    trained("parts", 2)
    shutil.copytree("parts", "copy")
    trained("parts", 4, "--resume")
    for epochs in (3, 4):
        trained("copy", epochs, "--resume")
    assert_same(RunFolder.open("copy").read_parameters(), RunFolder.open("parts").read_parameters())
    np.testing.assert_array_equal(*(RunFolder.open(path).read_arrays("decisions")["label_times"] for path in ("copy", "parts")))
    assert fits() == 1
    folder = trained("parts", 2, "--overwrite")
    assert fits() == 2
    assert (folder.read_arrays("fitted")["mean"] != RunFolder.open("copy").read_arrays("fitted")["mean"]).all()


def test_a_run_that_was_killed_before_its_first_checkpoint_fits_again(here):
    whole = trained("run", 1).read_parameters()
    for name in ("checkpoint.npz", "checkpoint.previous.npz", "graph.npz", "fitted.npz", "parameters.npz", "metrics.json"):
        Path("run", name).unlink(missing_ok=True)
    folder = trained("run", 1, "--resume")
    assert fits() == 2 and "mean" in folder.read_arrays("fitted") and folder.read_parameters().keys() == whole.keys()


def test_a_run_that_begins_with_another_begins_with_what_that_one_fitted(here):
    first = trained("first", 1)
    second = trained("second", 1, "--from", "first")
    assert_same(second.read_arrays("fitted"), first.read_arrays("fitted"))
    assert fits() == 1


def test_a_network_on_chips_sees_the_same(here, monkeypatch, capsys):
    trained("run", 1)
    seen = []
    monkeypatch.setattr(Experiment, "network", lambda self, **_: seen.append(self) or self)
    monkeypatch.setattr(transfer, "evaluate", lambda *_: SimpleNamespace(accuracy=0.5))
    transfer.main(["run", "--chips", "1,2", "--epochs", "0", "--output", "found.json", "--model", "mine.py"])
    assert len(seen) == 2 and fits() == 1
    for experiment in seen:
        assert_same(experiment.fitted, RunFolder.open("run").read_arrays("fitted"))


def test_rows_of_results_fit_once(here):
    row = reproduce.Row("row", "a row", "mine.py", "none", "arrays", 1, fresh_samples=50, training={"epochs": 1})
    job = reproduce.job_of(row, 0, here / "runs")
    first, again = reproduce.run_one(job), reproduce.run_one(job)
    assert fits() == 1 and again["fresh_accuracy"] == first["fresh_accuracy"] > 0
    assert again["test_accuracy"] == first["test_accuracy"]


def test_a_run_without_what_its_model_fits_is_refused(here):
    trained("run", 1)
    path = Path("run", "fitted.npz")
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    with pytest.raises(ResultsError, match="fitted.npz is damaged"):
        open_run("run", "mine.py")
    path.unlink()
    with pytest.raises(ResultsError, match="run has no fitted.npz"):
        open_run("run", "mine.py")
    with pytest.raises(ResultsError, match="run has no fitted.npz"):
        train.train(train.parser().parse_args(["mine.py", "--backend", "arrays", "--quiet", "--output", "run", "--resume"]))
    assert fits() == 1


def test_a_model_that_fits_nothing_has_no_such_parameter(here):
    model = MODEL.replace("def fit(", "def no_fit(").replace("data(parameters):\n", """data(parameters):
    assert "fitted" not in parameters
    parameters = {**parameters, "fitted": {"mean": [0.5, 0.5, 0.5], "order": [0, 1, 2]}}
""")
    (here / "plain.py").write_text(model.replace('assert sorted(parameters["fitted"]) == ["mean", "order"]', ""))
    experiment = Experiment(load_file("plain.py"), configuration())
    assert experiment.fitted is None and fits() == 0
    assert not (experiment.create_folder("run").path / "fitted.npz").exists()


@pytest.mark.parametrize("returned, text", [
    ("None", "fit.parameters. returned NoneType; it must return a dict of arrays by name"),
    ("[1.0]", "returned list"), ("{1: 2.0}", "returned dict; it must return a dict of arrays by name"),
    ("{'mean': 'a'}", "'mean', which the model's fit.parameters. returned, is <U1; give numbers"),
    ("{'mean': {}}", "is object; give numbers")])
def test_what_fit_must_return(here, returned, text):
    (here / "wrong.py").write_text(MODEL.replace("return {\"mean\"", f"return {returned}\n    return {{\"mean\""))
    with pytest.raises(ConfigurationError, match=text):
        Experiment(load_file("wrong.py"), configuration())


def test_no_parameter_is_called_as_what_was_fitted(here):
    (here / "named.py").write_text(MODEL.replace('{"inputs": 3, ', '{"inputs": 3, "fitted": 1, '))
    with pytest.raises(ConfigurationError, match="a parameter of the network is called fitted"):
        Experiment(load_file("named.py"), configuration(fitted=1))
