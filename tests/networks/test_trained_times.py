"""Delays and times of bias sources that are learned: heard, differentiated, trained, stored, refused."""

from dataclasses import replace

import numpy as np
import pytest

from tests.small_networks import assert_same, samples, small_network
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.layered import DELAYS
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.loss import MeanSquaredError
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Callback, Trainer
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.simulators import simulator

ALL = [("axonal",), ("dendritic",), ("synaptic",), ("axonal", "dendritic")]


def graph_with(delays=("synaptic",), tau_m=10.0, **changes):
    own = {"delays": delays, "delay_mean": 3.0, "delay_std": 2.0, "train_bias_times": True, **changes}
    neuron = LIFParameters(tau_m=tau_m)
    return layered(4, (Layer(20, neuron, (1.5, 9.0), 1.0, 1.0, **own), Layer(3, neuron, (9.0,), 0.5, 0.6, **own)), 1.5, 20.0)


def of_times(parameters):
    """The parameters that are no weights."""
    return {name: array for name, array in parameters.items() if not name.endswith(".weight")}


def task(n, seed=5):
    times = samples(n, seed)
    return SpikeData(times, np.digitize(times[:, 0], [7.5, 13.5]))


@pytest.mark.parametrize("delays", ALL)
def test_exact_hears_delays_as_the_arrays_do(delays):
    """Delays of projections and bias sources in PyNN against the arrays; windows of some 400 ms round to 1e-12 ms."""
    graph, t_in = graph_with(delays), samples(12)
    expected = small_network("arrays", graph)[0].present(t_in)
    found = first_spikes(small_network("exact", graph)[0].present(t_in))
    for label in ("layer0", "layer1"):
        a, b = expected[label], found[label]
        assert np.isfinite(a).sum() > 20
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b))
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-7)


@pytest.mark.parametrize("copies, n_samples, dt", [(1, 2, 0.1), (12, 12, 0.02)])
def test_brian2_hears_delays_to_a_step(copies, n_samples, dt):
    """Every arrival and every spike is rounded to a step, which neurons that graze threshold amplify."""
    graph, t_in = graph_with(tau_m=20.0), samples(n_samples)
    network, parameters = small_network("brian2", graph, dt=dt, copies=copies)
    found = first_spikes(network.present(t_in))
    network.write({name: array.copy() for name, array in parameters.items()})  # between two runs, as in training
    again = first_spikes(network.present(t_in))
    ideal = small_network("arrays", graph)[0].present(t_in)["layer0"] + network.delay
    both = np.isfinite(ideal) & np.isfinite(found["layer0"])
    assert both.sum() > 7 * n_samples and (np.isfinite(ideal) != np.isfinite(found["layer0"])).sum() <= 2
    assert np.median(np.abs(found["layer0"][both] - ideal[both])) < 2 * dt
    assert_same(again.times, found.times)


@pytest.mark.parametrize("delays", ALL)
@pytest.mark.parametrize("tau_m", [10.0, 20.0, np.inf])
def test_gradients_of_the_loss_by_central_differences(delays, tau_m):
    """Through both layers, along random directions of all delays, and of bias times. Samples where a spike comes or goes, or
    changes by more than smooth functions may, are no test of a derivative: the median over samples is what is compared."""
    n = 40
    graph, t_in, labels = graph_with(delays, tau_m), samples(n), np.arange(n) % 3
    network, parameters = small_network("arrays", graph)
    loss, rng, h, errors = MeanSquaredError(tau_syn=10.0), np.random.default_rng(6), 1e-4, {}
    engine = GradientEngine(graph)
    gradients = [engine.gradients(network.present(t_in[[s]]), parameters, loss, labels[[s]]).parameters for s in range(n)]
    for name, array in of_times(parameters).items():
        direction = rng.normal(size=array.shape)
        analytic = np.array([np.sum(g[name] * direction) for g in gradients])
        values = []
        for sign in (1, -1):
            network.write(parameters | {name: array + sign * h * direction})
            values.append(loss(network.present(t_in).labels, labels)[0])
        numeric = (values[0] - values[1]) / (2 * h)
        size = np.maximum(np.abs(analytic), np.abs(numeric))
        errors[name] = np.abs(analytic - numeric)[size > 0] / size[size > 0]
    assert {name.rpartition(".")[2] for name in errors} == {"times"} | {
        {"axonal": "axonal_delay", "dendritic": "dendritic_delay", "synaptic": "delay"}[kind] for kind in delays}
    every = np.concatenate(list(errors.values()))
    assert len(every) > 60 and min(map(len, errors.values())) > 5
    assert np.median(every) < 1e-5 and np.mean(every < 1e-4) > 0.9


def trainer(graph, folder=None, epochs=4, **options):
    return Trainer(small_network("arrays", graph)[0], task(200), TrainingOptions(epochs=epochs, batch_size=20, learning_rate=0.02,
                   seed=9, **options), task(50, 6), folder)


@pytest.mark.parametrize("delays", ALL)
def test_delays_and_bias_times_are_trained_within_their_limits(delays):
    t = trainer(graph_with(delays))
    before = of_times(t.parameters)
    history = t.run()
    assert history[-1]["train_loss"] < 0.7 * history[0]["train_loss"]
    for name, array in of_times(t.parameters).items():
        assert (array != before[name]).any()
        assert array.min() >= 0 and array.max() <= 20


def test_the_loop_through_pynn_trains_the_same():
    """On `exact`, weights and delays written back after each batch; times round to 1e-12 ms, which few steps hardly amplify."""
    expected = trainer(graph_with(), epochs=1)
    found = Trainer(small_network("exact", graph_with())[0], expected.train, expected.options, parameters=expected.parameters)
    expected.run()
    found.run()
    assert_same(found.parameters, expected.parameters, atol=1e-5)


def test_resumed_run_ends_with_the_same_bits(tmp_path):
    whole = trainer(graph_with())
    whole.run()
    folder = RunFolder.create(tmp_path / "run", {"seed": 9})
    half = trainer(graph_with(), folder)
    half.options = replace(half.options, epochs=2)
    half.run()
    again = trainer(graph_with(), folder)
    again.restore(*folder.load_checkpoint()[:2])
    again.run()
    assert_same(again.parameters, whole.parameters)


def test_fixed_bias_times_stay_and_weights_do_not_depend_on_delays():
    t = trainer(graph_with(train_bias_times=False), epochs=1)
    without = trainer(graph_with(delays=(), train_bias_times=False), epochs=1)
    weights = {name for name in t.parameters if name.endswith(".weight")}
    assert_same({name: t.parameters[name] for name in weights}, without.parameters)
    assert set(t.parameters) == weights | {f"{edge.label}.delay" for edge in t.network.graph.edges}
    t.run()
    np.testing.assert_array_equal(t.network.present(samples(1))["bias0"], [[1.5, 9.0]])


def test_experiment_of_a_trained_run_has_its_delays():
    own = {"delays": list(DELAYS[2:]), "delay_std": 3.0}
    network = {**yin_yang.PARAMETERS["network"], "hidden": 10, "hidden_layer": {**own, "train_bias_times": True}}
    training = {**yin_yang.PARAMETERS["training"], "epochs": 1, "seed": 1}
    configuration = {"model": "yin_yang", "backend": "exact", "dt": 0.1, "copies": 1, "network": network, "training": training}
    experiment = Experiment(yin_yang, configuration)
    t = experiment.trainer(experiment.network("arrays"))
    t.run()
    again = Experiment(yin_yang, configuration)
    t_in = again.data["test"].times[:20]
    on_exact = first_spikes(again.network("exact", t.parameters).present(t_in))
    expected = t.network.present(t_in)
    assert np.isfinite(expected["layer1"]).sum() > 10
    np.testing.assert_allclose(on_exact["layer1"], expected["layer1"], atol=1e-6)


@pytest.mark.parametrize("change, text", [({"delays": ("axon",)}, "known kinds are axonal"),
                                          ({"delay_max": 0.0}, "longest 0.0 ms"), ({"delay_std": -1.0}, "not negative")])
def test_bad_layers(change, text):
    with pytest.raises(ValueError, match=text):
        graph_with(**{"delays": ("synaptic",), **change})


@pytest.mark.parametrize("backend", ["arrays", "exact"])
def test_a_trained_network_is_built_again_from_its_parameters(backend):
    """They hold its delays and bias times: the network that is made of them answers the same."""
    t, t_in = trainer(graph_with()), samples(30, 8)
    before = t.network.present(t_in)
    t.run()
    expected = t.network.present(t_in)
    assert (expected["layer1"] != before["layer1"]).mean() > 0.5
    graph = graph_with()
    again = ArrayNetwork(graph, t.parameters) if backend == "arrays" else \
        build(simulator("exact").setup(0.1), graph, t.parameters, copies=30)
    assert_same(first_spikes(again.present(t_in)).times, expected.times, atol=1e-9)
    assert_same(again.read(), t.parameters, atol=1e-12)  # a sum of the two receptors' weights


def test_training_goes_on_where_the_network_is():
    graph = graph_with()
    parameters = initial_parameters(graph, np.random.default_rng(12))
    assert_same(Trainer(ArrayNetwork(graph, parameters), task(20), TrainingOptions(epochs=1, seed=3)).parameters, parameters)


def test_a_callback_sets_parameters():
    """What is set is what the next batch meets; all of them are wanted."""
    class Halve(Callback):
        def on_epoch_end(self, trainer, record):
            trainer.parameters = {name: 0.5 * array for name, array in trainer.parameters.items() if name.endswith(".weight")}

    plain = layered(4, tuple(Layer(n, LIFParameters()) for n in (20, 3)), 1.5, 20.0)
    network = small_network("arrays", plain)[0]
    t = Trainer(network, task(20), TrainingOptions(epochs=2, batch_size=20), callbacks=[Halve()])
    t.run()
    assert_same(t.parameters, {name: 0.5 * array for name, array in network.parameters.items()})
    with pytest.raises(ValueError, match="input>layer0.delay.* missing"):
        Trainer(small_network("arrays", graph_with())[0], task(20), TrainingOptions(epochs=2), callbacks=[Halve()]).run()


def test_parameters_that_are_missing_and_those_of_another_network():
    graph, plain = graph_with(), graph_with(())
    fixed, axonal, short = (graph_with(**changes) for changes in (
        {"delays": (), "train_bias_times": False}, {"delays": ("axonal",)}, {"delay_max": 1.0}))
    network, parameters = small_network("arrays", graph)
    weights = {name: array for name, array in parameters.items() if name.endswith(".weight")}
    cases = [(lambda: ArrayNetwork(graph, weights), "input>layer0.delay, bias0>layer0.delay.*bias0.times.* missing"),
             (lambda: network.write(weights), "input>layer0.delay.* missing: give all parameters"),
             (lambda: Trainer(network, task(5), TrainingOptions(), parameters=weights), "input>layer0.delay.* missing"),
             (lambda: build(simulator("exact").setup(0.1), graph, weights), "input>layer0.delay.* missing"),
             (lambda: ArrayNetwork(plain, parameters), "unknown parameter 'input>layer0.delay'"),
             (lambda: ArrayNetwork(fixed, weights | {"bias0.times": np.ones(2)}), "unknown parameter 'bias0.times'"),
             (lambda: ArrayNetwork(axonal, parameters), "input.axonal_delay.* missing; unknown parameter 'input>layer0.delay'"),
             (lambda: network.write(parameters | {"bias0.times": np.array([-1.0, 2.0])}),
              "bias0.times holds -1 ms; times and delays"),
             (lambda: network.write(parameters | {"bias0.times": np.ones(3)}), r"bias0.times has shape \(3,\); expected \(2,\)"),
             (lambda: network.write(parameters | {"w2": np.zeros((3, 3))}), "unknown parameter 'w2'")]
    for refused, text in cases:
        with pytest.raises(ValueError, match=text):
            refused()
    shifted = parameters | {"bias0.times": np.array([1.0, 2.0])}
    assert ArrayNetwork(graph, shifted).present(samples(3))["bias0"].tolist() == [[1.0, 2.0]] * 3
    limited = ArrayNetwork(short, parameters).within_limits(parameters)
    assert parameters["input>layer0.delay"].max() > 1 == limited["input>layer0.delay"].max()
