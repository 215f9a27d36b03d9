"""Deep layers spike from the start: measured on random inputs, for widths, ratios of time constants and mixtures of them."""

import numpy as np
import pytest

from tests.small_networks import assert_same, stacked
from ttfs_pynn.graph import Edge, Graph, Layer, layered
from ttfs_pynn.graph.graph import GraphError
from ttfs_pynn.graph.initialisation import balanced, initial_parameters
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator


def deep(width, tau_m, n_layers=6, n_inputs=200):
    neuron = LIFParameters(tau_m=np.resize(tau_m, width) if np.ndim(tau_m) else tau_m, tau_syn=10.0)
    return layered(n_inputs, (Layer(width, neuron, (5.0,)), *(Layer(width, neuron),) * (n_layers - 1)), 1.5, 20.0)


def answers(graph, rng, t_in):
    """First spikes of each population of neurons."""
    spikes = ArrayNetwork(graph, initial_parameters(graph, rng)).present(t_in)
    return [spikes[node.label] for node in graph.neurons]


def random_inputs(rng, n_samples, n_inputs, share):
    t_in = rng.uniform(1.5, 20.0, (n_samples, n_inputs))
    return np.where(rng.random(t_in.shape) < share, t_in, np.inf)


@pytest.mark.parametrize("tau_m", [5.0, 10.0, 20.0, np.inf, [5.0, 20.0, np.inf]], ids=str)
@pytest.mark.parametrize("width", [30, 100, 400])
def test_nine_tenths_of_the_neurons_of_six_layers_spike(width, tau_m):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        layers = answers(balanced(deep(width, tau_m), share=0.3), rng, random_inputs(rng, 30, 200, 0.3))
        assert len(layers) == 6 and all(np.isfinite(times).mean() >= 0.9 for times in layers)


@pytest.mark.parametrize("goals", [{}, {"arrived": 0.7, "rise": 0.2, "spread": 0.5}], ids=str)
def test_half_of_the_neurons_have_spiked_when_the_share_has_arrived(goals):
    """For inputs that come evenly from 1.5 to 20 ms; 2,000 neurons sample the share to 0.01, and their common inputs, 10 times
    500, to a few hundredths."""
    graph, rng = balanced(deep(2000, 10.0, n_layers=1, n_inputs=500), **goals), np.random.default_rng(1)
    t_star = 1.5 + goals.get("arrived", 0.5) * 18.5 + goals.get("rise", 0.1) * 10.0
    (times,) = answers(graph, rng, random_inputs(rng, 10, 500, 1.0))
    assert 0.42 < (times < t_star).mean() < 0.58


@pytest.mark.parametrize("spread", [0.2, 0.3, 0.5])
def test_differences_come_out_smaller_by_the_spread(spread):
    """What tells one sample from another: how much a neuron's spike moves against the median of its layer. The factor is that of
    many inputs whose shifts are small; a quarter is left for what they are not."""
    rng = np.random.default_rng(0)
    layers = answers(balanced(deep(350, 10.0, n_layers=4), spread=spread), rng, random_inputs(rng, 30, 200, 1.0))
    moved = [np.where(np.isfinite(times), times - np.median(times, axis=1, keepdims=True), np.nan) for times in layers]
    size = np.array([np.nanmean(np.nanstd(part[:, np.isfinite(part).any(axis=0)], axis=0)) for part in moved])
    assert ((0.65 * spread < size[1:] / size[:-1]) & (size[1:] / size[:-1] < 1.25 * spread)).all()


def test_several_spikes_of_a_source_count():
    graph = layered(100, (Layer(10, LIFParameters()),), 1.5, 20.0)
    once = balanced(graph, times=np.array([[2.0], [3.0]])).node("layer0")
    twice = balanced(graph, times=np.array([[[2.0, 3.0]]])).node("layer0")
    assert twice.weight_mean == pytest.approx(once.weight_mean / 2, rel=1e-12)


def test_more_afferents_get_smaller_weights_and_silent_inputs_larger_ones():
    def first(graph, **options):
        node = balanced(graph, **options).node("layer0")
        return np.array([node.weight_mean, node.weight_std])

    few, many = (layered(n, (Layer(10, LIFParameters()),), 1.5, 20.0) for n in (100, 400))
    np.testing.assert_allclose(first(few) / first(many), [4.0, 2.0], rtol=1e-12)
    np.testing.assert_allclose(first(many, share=0.25), first(few), rtol=1e-12)
    times = np.array([2.0, 3.0, np.inf, np.inf])
    np.testing.assert_allclose(first(few, times=times), first(few, times=times[:2], share=1.0) * [2.0, np.sqrt(2)], rtol=1e-12)


def test_a_layer_of_unequal_neurons_has_a_mean_for_each():
    layer = balanced(deep(6, [5.0, 20.0])).node("layer1")
    assert layer.weight_mean.shape == layer.weight_std.shape == (6,)
    assert layer.weight_mean[0] > layer.weight_mean[1] and (layer.weight_mean[::2] == layer.weight_mean[0]).all()
    graph, scale = balanced(deep(600, [5.0, 20.0])), LIFParameters().current_scale
    weights = stacked(graph, initial_parameters(graph, np.random.default_rng(0)), "layer1")
    expected = graph.node("layer1")
    # a mean over 600 weights of a std: five standard errors
    assert (np.abs(weights.mean(axis=0) / scale - expected.weight_mean) < 5 * expected.weight_std / np.sqrt(600)).all()


@pytest.mark.parametrize("options, message", [({"share": 0.0}, "share"), ({"share": 1.5}, "share"),
                                              ({"arrived": -1.0}, "arrived"), ({"arrived": 1.2}, "at most 1"),
                                              ({"rise": 0.0}, "rise"),
                                              ({"spread": {"layer1": 0.0}}, "spread = 0.0"),
                                              ({"rise": {"layer9": 2.0}}, "unknown population 'layer9'"),
                                              ({"spread": [1.0] * 6}, "give one number, or a dict by population: layer0"),
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
    graph, data = layered(4, layers, 1.5, 20.0), SpikeData(times, labels)
    network = ArrayNetwork(graph, initial_parameters(graph, rng))
    options = TrainingOptions(epochs=10, batch_size=20, silent_tolerated=0.9)
    assert Trainer(network, data, options, data).run()[-1]["validation_accuracy"] > 0.95


def test_deep_network_of_mixed_neurons_is_the_same_on_exact():
    """Four layers, with and without leak, several time constants a layer: through PyNN and Neo as on arrays, to rounding."""
    known, mixed = simulator("exact"), LIFParameters(tau_m=np.resize([5.0, 20.0, np.inf], 30))
    layers = (Layer(30, mixed, (1.5, 9.0)), Layer(30, LIFParameters(tau_m=np.inf)), Layer(30, mixed), Layer(3, LIFParameters()))
    graph, rng = balanced(layered(8, layers, 1.5, 20.0)), np.random.default_rng(0)
    parameters, t_in = initial_parameters(graph, rng), rng.uniform(1.5, 20.0, (10, 8))
    sim = known.setup(0.1, seed=0, layers=[30, 30, 30, 3])
    network = build(sim, graph, parameters, copies=10, delay=0.0, single=True, simulator=known)
    recorded = first_spikes(network.present(t_in))
    expected = ArrayNetwork(graph, parameters, network.timing.deadline).present(t_in)
    for node in graph.neurons:
        assert np.isfinite(expected[node.label]).mean() > 0.9
        np.testing.assert_allclose(recorded[node.label], expected[node.label], rtol=0, atol=1e-11)


@pytest.mark.parametrize("given", [{"weight_mean": 1.0}, {"weight_std": 1.0}], ids=str)
def test_half_of_what_weights_are_drawn_with_is_refused(given):
    with pytest.raises(GraphError, match="give both, or neither"):
        layered(8, (Layer(5, LIFParameters(), **given),), 1.5, 20.0)


def test_what_is_given_stays_and_what_is_not_is_balanced():
    """A population's own mean and spread are used as they are; of the others `balanced` sees which spikes they hear."""
    neuron = LIFParameters()
    graph = layered(8, (Layer(300, neuron, (), 0.7, 0.5), Layer(200, neuron)), 1.5, 20.0)
    chosen = balanced(graph).node("layer1")
    assert (balanced(graph).node("layer0").weight_mean, balanced(graph).node("layer0").weight_std) == (0.7, 0.5)
    parameters = initial_parameters(graph, np.random.default_rng(0))
    for label, mean, std in (("input>layer0", 0.7, 0.5), ("layer0>layer1", chosen.weight_mean, chosen.weight_std)):
        w = parameters[f"{label}.weight"] / neuron.current_scale
        assert abs(w.mean() - mean) < 5 * std / np.sqrt(w.size) and abs(w.std() / std - 1) < 5 / np.sqrt(2 * w.size)


def test_signs_pairs_and_cycles():
    """A signed edge gets the sizes of the numbers drawn; a sparse one those of its pairs; a cycle does not wait for itself."""
    neuron, pairs = LIFParameters(), np.array([[0, 0], [2, 0], [1, 1]])
    plain = layered(3, (Layer(4, neuron, pairs=pairs),), 1.5, 20.0)
    graph = Graph(plain.nodes, (*plain.edges, Edge("lateral", "layer0", "layer0", sign=-1, delay=1.0)), "layer0", 1.5, 20.0)
    parameters = initial_parameters(graph, np.random.default_rng(1))
    assert parameters["input>layer0.weight"].shape == (3,) and parameters["lateral.weight"].shape == (4, 4)
    assert (parameters["lateral.weight"] < 0).all() and parameters["input>layer0.weight"].any()
    assert_same({"input>layer0.weight": initial_parameters(balanced(graph), np.random.default_rng(1))["input>layer0.weight"]},
                {"input>layer0.weight": parameters["input>layer0.weight"]})
    alone = balanced(plain).node("layer0")
    assert balanced(graph).node("layer0").weight_mean == alone.weight_mean  # inhibition lowers nobody's mean
