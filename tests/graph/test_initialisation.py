"""Deep layers spike from the start: measured on random inputs, for widths, ratios of time constants and mixtures of them."""

import numpy as np
import pytest

from ttfs_pynn.graph.initialisation import balanced
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.network import Architecture, Layer, LayeredNetwork
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator


def deep(width, tau_m, n_layers=6, n_inputs=200):
    neuron = LIFParameters(tau_m=np.resize(tau_m, width) if np.ndim(tau_m) else tau_m, tau_syn=10.0)
    return Architecture(n_inputs, (Layer(width, neuron, (5.0,)), *(Layer(width, neuron),) * (n_layers - 1)), 1.5, 20.0)


def random_inputs(rng, n_samples, n_inputs, share):
    t_in = rng.uniform(1.5, 20.0, (n_samples, n_inputs))
    return np.where(rng.random(t_in.shape) < share, t_in, np.inf)


@pytest.mark.parametrize("tau_m", [5.0, 10.0, 20.0, np.inf, [5.0, 20.0, np.inf]], ids=str)
@pytest.mark.parametrize("width", [30, 100, 400])
def test_nine_tenths_of_the_neurons_of_six_layers_spike(width, tau_m):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        architecture = balanced(deep(width, tau_m), share=0.3)
        layers = ArrayNetwork(architecture, architecture.initial_weights(rng)).present(random_inputs(rng, 30, 200, 0.3)).layers
        assert len(layers) == 6 and all(np.isfinite(times).mean() >= 0.9 for times in layers)


def test_mean_field_of_share_and_times():
    """peak 1.5, spread 1: Phi(0.5) = 0.69 of the neurons are above threshold when the mean is highest, some more at other times;
    2,000 neurons sample that to 0.01, and their common inputs, 10 times 500, to a few hundredths."""
    architecture = balanced(deep(2000, 10.0, n_layers=2, n_inputs=500), peak=1.5, spread=1.0)
    rng = np.random.default_rng(1)
    layers = ArrayNetwork(architecture, architecture.initial_weights(rng)).present(random_inputs(rng, 10, 500, 1.0)).layers
    for times in layers:
        assert 0.65 < np.isfinite(times).mean() < 0.8


def test_more_afferents_get_smaller_weights_and_silent_inputs_larger_ones():
    def first(architecture, **options):
        layer = balanced(architecture, **options).layers[0]
        return np.array([layer.weight_mean, layer.weight_std])

    few, many = (Architecture(n, (Layer(10, LIFParameters()),), 1.5, 20.0) for n in (100, 400))
    np.testing.assert_allclose(first(few) / first(many), [4.0, 2.0], rtol=1e-12)
    np.testing.assert_allclose(first(many, share=0.25), first(few), rtol=1e-12)
    times = np.array([2.0, 3.0, np.inf, np.inf])
    np.testing.assert_allclose(first(few, times=times), first(few, times=times[:2], share=1.0) * [2.0, np.sqrt(2)], rtol=1e-12)


def test_a_layer_of_unequal_neurons_has_a_mean_for_each():
    layer = balanced(deep(6, [5.0, 20.0])).layers[1]
    assert layer.weight_mean.shape == layer.weight_std.shape == (6,)
    assert layer.weight_mean[0] > layer.weight_mean[1] and (layer.weight_mean[::2] == layer.weight_mean[0]).all()
    weights = balanced(deep(600, [5.0, 20.0])).initial_weights(np.random.default_rng(0))[1]
    scale = LIFParameters().current_scale
    expected = balanced(deep(600, [5.0, 20.0])).layers[1]
    # a mean over 600 weights of a std: five standard errors
    assert (np.abs(weights.mean(axis=0) / scale - expected.weight_mean) < 5 * expected.weight_std / np.sqrt(600)).all()


@pytest.mark.parametrize("options, message", [({"share": 0.0}, "share"), ({"share": 1.5}, "share"), ({"peak": -1.0}, "peak"),
                                              ({"spread": [1.0, 0.0, 1.0, 1.0, 1.0, 1.0]}, "spread"),
                                              ({"times": [np.inf]}, "share")])
def test_bad_values_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        balanced(deep(10, 10.0), **options)


@pytest.mark.parametrize("tau_m", [np.inf, [5.0, 20.0]], ids=str)
def test_a_deep_network_learns_with_any_time_constants(tau_m):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    times = np.where(labels[:, None] == 0, [3.0, 12.0, 5.0, 9.0], [12.0, 3.0, 9.0, 5.0]) + rng.normal(0, 0.5, (200, 4))
    hidden = LIFParameters(tau_m=np.resize(tau_m, 20))
    layers = (Layer(20, hidden, (1.5,)), Layer(20, hidden), Layer(2, LIFParameters(tau_m=np.resize(tau_m, 2))))
    architecture = balanced(Architecture(4, layers, 1.5, 20.0))
    data = SpikeData(times, labels)
    network = ArrayNetwork(architecture, architecture.initial_weights(rng))
    options = TrainingOptions(epochs=10, batch_size=20, silent_tolerated=(0.9, 0.9, 0.9))
    assert Trainer(network, data, options, data).run()[-1]["validation_accuracy"] > 0.95


def test_deep_network_of_mixed_neurons_is_the_same_on_exact():
    """Four layers, with and without leak, several time constants a layer: through PyNN and Neo as on arrays, to rounding."""
    known, mixed = simulator("exact"), LIFParameters(tau_m=np.resize([5.0, 20.0, np.inf], 30))
    layers = (Layer(30, mixed, (1.5, 9.0)), Layer(30, LIFParameters(tau_m=np.inf)), Layer(30, mixed), Layer(3, LIFParameters()))
    architecture = balanced(Architecture(8, layers, 1.5, 20.0))
    rng = np.random.default_rng(0)
    weights, t_in = architecture.initial_weights(rng), rng.uniform(1.5, 20.0, (10, 8))
    sim = known.setup(0.1, seed=0, layers=[30, 30, 30, 3])
    network = LayeredNetwork(sim, architecture, weights, n_copies=10, delay=0.0, single=True, simulator=known)
    recorded = first_spikes(network.present(t_in)).layers
    expected = ArrayNetwork(architecture, weights, network.timing.deadline).present(t_in).layers
    for times, same in zip(recorded, expected, strict=True):
        assert np.isfinite(same).mean() > 0.9
        np.testing.assert_allclose(times, same, rtol=0, atol=1e-11)
