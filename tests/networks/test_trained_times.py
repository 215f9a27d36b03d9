from dataclasses import replace

import numpy as np
import pytest

from tests.small_networks import samples
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.loss import MeanSquaredError
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Callback, Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.network import Architecture, Layer, LayeredNetwork
from ttfs_pynn.networks.trained_times import DELAYS, Weights
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.simulators import simulator

ALL = [("axonal",), ("dendritic",), ("synaptic",), ("axonal", "dendritic")]


def architecture(delays=("synaptic",), tau_m=10.0):
    own = {"delays": delays, "delay_mean": 3.0, "delay_std": 2.0, "train_bias_times": True}
    neuron = LIFParameters(tau_m=tau_m)
    return Architecture(4, (Layer(20, neuron, (1.5, 9.0), 1.0, 1.0, **own), Layer(3, neuron, (9.0,), 0.5, 0.6, **own)), 1.5, 20.0)


def network_on(backend, design, dt=0.1, **options):
    weights = design.initial_weights(np.random.default_rng(3))
    if backend == "arrays":
        network = ArrayNetwork(design, weights)
    else:
        network = LayeredNetwork(simulator(backend).setup(dt), design, weights, **options)
    return network, weights


def task(n, seed=5):
    times = samples(n, seed)
    return SpikeData(times, np.digitize(times[:, 0], [7.5, 13.5]))


@pytest.mark.parametrize("delays", ALL)
def test_exact_hears_delays_as_the_arrays_do(delays):
    """Delays of projections and bias sources in PyNN against the arrays; windows of some 400 ms round to 1e-12 ms."""
    design, t_in = architecture(delays), samples(12)
    expected = network_on("arrays", design)[0].present(t_in)
    found = first_spikes(network_on("exact", design)[0].present(t_in))
    for a, b in zip(expected.layers, found.layers, strict=True):
        assert np.isfinite(a).sum() > 20
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b))
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-7)


@pytest.mark.parametrize("n_copies, n_samples, dt", [(1, 2, 0.1), (12, 12, 0.02)])
def test_brian2_hears_delays_to_a_step(n_copies, n_samples, dt):
    """Every arrival and every spike is rounded to a step, which neurons that graze threshold amplify."""
    design, t_in = architecture(tau_m=20.0), samples(n_samples)
    network, weights = network_on("brian2", design, dt, n_copies=n_copies, single=n_copies > 1)
    found = first_spikes(network.present(t_in))
    network.write_weights(Weights(weights, replace(weights.times)))  # between two runs, as in training: times of their own
    again = first_spikes(network.present(t_in))
    ideal = network_on("arrays", design)[0].present(t_in).layers[0] + network.delay
    both = np.isfinite(ideal) & np.isfinite(found.layers[0])
    assert both.sum() > 7 * n_samples and (np.isfinite(ideal) != np.isfinite(found.layers[0])).sum() <= 2
    assert np.median(np.abs(found.layers[0][both] - ideal[both])) < 2 * dt
    for a, b in zip(found.layers, again.layers, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("delays", ALL)
@pytest.mark.parametrize("tau_m", [10.0, 20.0, np.inf])
def test_gradients_of_the_loss_by_central_differences(delays, tau_m):
    """Through both layers, along random directions of all delays, and of bias times. Samples where a spike comes or goes, or
    changes by more than smooth functions may, are no test of a derivative: the median over samples is what is compared."""
    n = 40
    design, t_in, labels = architecture(delays, tau_m), samples(n), np.arange(n) % 3
    network, weights = network_on("arrays", design)
    times = weights.times
    loss, rng, h, errors = MeanSquaredError(tau_syn=10.0), np.random.default_rng(6), 1e-4, []
    engine = GradientEngine([layer.neuron for layer in design.layers], bias_times=(True, True))
    gradients = [engine.gradients(network.present(t_in[[s]]), weights, loss, labels[[s]]) for s in range(n)]
    for name, array in times.arrays().items():
        direction = rng.normal(size=array.shape)
        analytic = np.array([np.sum(times.gradient(g.delays, g.bias_times)[name] * direction) for g in gradients])
        values = []
        for sign in (1, -1):
            network.write_weights(Weights(weights, times.with_arrays({name: array + sign * h * direction})))
            values.append(loss(network.present(t_in).layers[-1], labels)[0])
        numeric = (values[0] - values[1]) / (2 * h)
        size = np.maximum(np.abs(analytic), np.abs(numeric))
        errors.extend(np.abs(analytic - numeric)[size > 0] / size[size > 0])
    assert len(errors) > 60
    assert np.median(errors) < 1e-5 and np.mean(np.array(errors) < 1e-4) > 0.9


def trainer(design, folder=None, epochs=4, **options):
    weights = design.initial_weights(np.random.default_rng(3))
    return Trainer(ArrayNetwork(design, weights), task(200), TrainingOptions(epochs=epochs, batch_size=20, learning_rate=0.02,
                   seed=9, **options), task(50, 6), folder)


@pytest.mark.parametrize("delays", ALL)
def test_delays_and_bias_times_are_trained_within_their_limits(delays):
    t = trainer(architecture(delays))
    before = t.times.arrays()
    history = t.run()
    assert history[-1]["train_loss"] < 0.7 * history[0]["train_loss"]
    for name, array in t.times.arrays().items():
        assert (array != before[name]).any()
        assert array.min() >= 0 and array.max() <= 20


def test_the_loop_through_pynn_trains_the_same():
    """On `exact`, weights and delays written back after each batch; times round to 1e-12 ms, which few steps hardly amplify."""
    expected = trainer(architecture(), epochs=1)
    network = network_on("exact", architecture())[0]
    found = Trainer(network, expected.train, expected.options, weights=expected.weights)
    expected.run()
    found.run()
    for name, array in expected.arrays().items():
        np.testing.assert_allclose(found.arrays()[name], array, rtol=0, atol=1e-5, err_msg=name)


def test_resumed_run_ends_with_the_same_bits(tmp_path):
    whole = trainer(architecture())
    whole.run()
    folder = RunFolder.create(tmp_path / "run", {"seed": 9})
    half = trainer(architecture(), folder)
    half.options = replace(half.options, epochs=2)
    half.run()
    again = trainer(architecture(), folder)
    again.restore(*folder.load_checkpoint()[:2])
    again.run()
    for name, array in whole.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])


def test_fixed_bias_times_stay_and_weights_do_not_depend_on_delays():
    design = architecture()
    fixed = replace(design, layers=tuple(replace(layer, train_bias_times=False) for layer in design.layers))
    t = trainer(fixed, epochs=1)
    without = trainer(replace(fixed, layers=tuple(replace(layer, delays=()) for layer in fixed.layers)), epochs=1)
    np.testing.assert_array_equal(t.weights[0], without.weights[0])
    t.run()
    np.testing.assert_array_equal(t.times.bias_times[0], [1.5, 9.0])
    assert "bias_times0" not in t.arrays() and "delay0_synaptic" in t.arrays() and "delay0_synaptic" not in without.arrays()


def test_experiment_of_a_trained_run_has_its_delays():
    from ttfs_pynn.models import yin_yang
    own = {"delays": list(DELAYS[2:]), "delay_std": 3.0}
    network = {**yin_yang.PARAMETERS["network"], "hidden": 10, "hidden_layer": {**own, "train_bias_times": True}}
    training = {**yin_yang.PARAMETERS["training"], "epochs": 1, "seed": 1}
    configuration = {"model": "yin_yang", "backend": "exact", "dt": 0.1, "copies": 1, "network": network, "training": training}
    experiment = Experiment(yin_yang, configuration)
    t = experiment.trainer(experiment.network("arrays"))
    t.run()
    again = Experiment(yin_yang, configuration)
    t_in = again.data["test"].times[:20]
    on_exact = first_spikes(again.network("exact", again.architecture.weights_of(t.arrays())).present(t_in))
    expected = t.network.present(t_in)
    assert np.isfinite(expected.layers[1]).sum() > 10
    np.testing.assert_allclose(on_exact.layers[1], expected.layers[1], atol=1e-6)


@pytest.mark.parametrize("change, text", [({"delays": ("axon",)}, "known kinds are axonal"),
                                          ({"delay_max": 0.0}, "largest 0 ms"), ({"delay_std": -1.0}, "not negative")])
def test_bad_layers(change, text):
    design = architecture()
    with pytest.raises(ValueError, match=text):
        replace(design, layers=(replace(design.layers[0], **change), design.layers[1]))


def test_arrays_of_another_network():
    times = architecture().initial_times(np.random.default_rng(0))
    with pytest.raises(ValueError, match="delay0_synaptic has shape"):
        times.with_arrays({"delay0_synaptic": np.zeros((2, 2))})
    with pytest.raises(ValueError, match="delay0_axonal: the network has no such"):
        times.with_arrays({"delay0_axonal": np.zeros((6, 1))})


@pytest.mark.parametrize("backend", ["arrays", "exact"])
def test_a_trained_network_is_built_again_from_its_weights(backend):
    """What a trainer calls its weights has its delays and bias times: the network that is made of them answers the same."""
    t, t_in = trainer(architecture()), samples(30, 8)
    before = t.network.present(t_in)
    t.run()
    expected = t.network.present(t_in)
    assert (expected.layers[1] != before.layers[1]).mean() > 0.5
    design = architecture()
    again = ArrayNetwork(design, t.weights) if backend == "arrays" else \
        LayeredNetwork(simulator("exact").setup(0.1), design, t.weights, n_copies=30, single=True)
    found = first_spikes(again.present(t_in))
    for a, b in zip((*expected.biases, *expected.layers), (*found.biases, *found.layers), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)
    for name, array in again.read_weights().arrays(design.trained_times).items():
        np.testing.assert_allclose(array, t.arrays()[name], rtol=0, atol=1e-12)  # a sum of the two receptors' weights


def test_training_goes_on_where_the_network_is():
    design = architecture()
    weights = design.initial_weights(np.random.default_rng(12))
    t = Trainer(ArrayNetwork(design, weights), task(20), TrainingOptions(epochs=1, seed=3))
    for found, expected in zip((*t.weights, *t.times.bias_times), (*weights, *weights.times.bias_times), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_callback_sets_weights():
    """A list will do where only weights are trained; what is set is what the next batch meets."""
    class Halve(Callback):
        def on_epoch_end(self, trainer, record):
            trainer.weights = [0.5 * w for w in trainer.weights]

    plain = Architecture(4, tuple(Layer(n, LIFParameters()) for n in (20, 3)), 1.5, 20.0)
    network = ArrayNetwork(plain, plain.initial_weights(np.random.default_rng(3)))
    t = Trainer(network, task(20), TrainingOptions(epochs=2, batch_size=20), callbacks=[Halve()])
    t.run()
    np.testing.assert_array_equal(t.weights[0], 0.5 * network.weights[0])
    network = ArrayNetwork(architecture(), architecture().initial_weights(np.random.default_rng(3)))
    with pytest.raises(ValueError, match="without the delay0_synaptic"):
        Trainer(network, task(20), TrainingOptions(epochs=2), callbacks=[Halve()]).run()


def test_weights_without_their_times_and_with_those_of_another_network():
    design, plain = architecture(), architecture(())
    fixed = replace(plain, layers=tuple(replace(layer, train_bias_times=False) for layer in plain.layers))
    weights = design.initial_weights(np.random.default_rng(3))
    network, arrays = ArrayNetwork(design, weights), weights.arrays(design.trained_times)
    shorter = Weights(weights, weights.times.with_arrays({"bias_times0": np.array([1.0, 2.0])}))
    without = {name: array for name, array in arrays.items() if not name.startswith("delay")}
    moved = Weights(weights, plain.initial_times(None).with_arrays({"bias_times0": np.array([1.0, 2.0])}))
    short = replace(design, layers=(replace(design.layers[0], delay_max=1.0), design.layers[1]))
    early = Weights(weights, replace(weights.times, bias_times=(np.array([-1.0, 2.0]), np.array([9.0]))))
    cases = [(lambda: ArrayNetwork(design, list(weights)), "without the delay0_synaptic, delay1_synaptic, bias_times0"),
             (lambda: network.write_weights([w.copy() for w in weights]), "without the delay0_synaptic"),
             (lambda: Trainer(network, task(5), TrainingOptions(), weights=list(weights)), "without the delay0"),
             (lambda: LayeredNetwork(simulator("exact").setup(0.1), design, list(weights)), "without the delay0"),
             (lambda: ArrayNetwork(plain, weights), "come with the times delay0_synaptic.*for a network that has bias_times0"),
             (lambda: ArrayNetwork(fixed, moved), r"bias_times0 = \[1. 2.\] ms, for a network whose layer has fixed ones"),
             (lambda: ArrayNetwork(architecture(("axonal",)), weights), "that has delay0_axonal"),
             (lambda: network.write_weights(early), "bias_times0 has shape.*not negative"),
             (lambda: ArrayNetwork(short, weights), "delays of up to .* in layer 0.*its delay_max is 1 ms"),
             (lambda: design.weights_of(without), "delay0_synaptic, delay1_synaptic missing"),
             (lambda: fixed.weights_of(arrays), "delay0_synaptic.*not in this network"),
             (lambda: design.weights_of(arrays | {"w2": np.zeros((3, 3))}), "w2 not in this network")]
    for refused, text in cases:
        with pytest.raises(ValueError, match=text):
            refused()
    assert ArrayNetwork(design, shorter).present(samples(3)).biases[0].tolist() == [[1.0, 2.0]] * 3
