"""Graphs in a line: chains, skips, fields, random pairs."""

import numpy as np
import pytest

from tests.small_networks import samples, small_graph
from ttfs_pynn.graph import GraphError, Layer, layered, local_fields, random_pairs
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.parameters import shapes_of
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters

NEURON = LIFParameters()


def test_a_chain():
    graph = small_graph()
    assert {edge.label: (edge.pre, edge.post, edge.sizes) for edge in graph.edges} == {
        "input>layer0": ("input", "layer0", (4, 30)), "bias0>layer0": ("bias0", "layer0", (2, 30)),
        "layer0>layer1": ("layer0", "layer1", (30, 3)), "bias1>layer1": ("bias1", "layer1", (1, 3))}
    assert graph.inputs == ("input",) and graph.outputs == "layer1" and graph.groups == (("layer0",), ("layer1",))
    assert graph.node("bias0").times.tolist() == [1.5, 9.0] and not graph.node("bias0").train_times


@pytest.mark.parametrize("kind, names", [
    ("axonal", {"input.axonal_delay": (4,), "bias0.axonal_delay": (1,)}), ("dendritic", {"layer0.dendritic_delay": (5,)}),
    ("synaptic", {"input>layer0.delay": (4, 5), "bias0>layer0.delay": (1, 5)})])
def test_trained_delays_of_one_layer(kind, names):
    graph = layered(4, (Layer(5, NEURON, (2.0,), delays=(kind,)), Layer(3, NEURON)), 1.5, 20.0)
    weights = {f"{edge.label}.weight": edge.shape for edge in graph.edges}
    assert shapes_of(graph) == weights | names


def test_skips_are_heard_and_sparse_layers_are_sparse():
    """A network with a skip whose weights are 0 is the one without; with others it is not."""
    layers = (Layer(6, NEURON, pairs=random_pairs(4, 6, 0.5, np.random.default_rng(0))), Layer(3, NEURON, weight_mean=1.0,
                                                                                               weight_std=1.0))
    plain = layered(4, layers, 1.5, 20.0)
    skips = layered(4, layers, 1.5, 20.0, {("input", "layer1"): None, ("layer0", "layer0"): np.array([[0, 1]])})
    assert [edge.label for edge in skips.edges] == ["input>layer0", "layer0>layer1", "input>layer1", "layer0>layer0"]
    assert skips.edge("input>layer1").sizes == (4, 3) and skips.has_cycles and not plain.has_cycles
    parameters = initial_parameters(plain, np.random.default_rng(1))
    assert parameters["input>layer0.weight"].shape == (len(layers[0].pairs),)
    without = {"input>layer1.weight": np.zeros((4, 3)), "layer0>layer0.weight": np.zeros(1)}
    expected = ArrayNetwork(plain, parameters).present(samples(8)).labels
    found = ArrayNetwork(skips, parameters | without).present(samples(8)).labels
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    changed = ArrayNetwork(skips, parameters | without | {"input>layer1.weight": np.ones((4, 3))}).present(samples(8)).labels
    assert np.isfinite(changed).any() and not np.array_equal(changed, expected)


@pytest.mark.parametrize("shape, size, stride", [((4, 5), 3, 1), ((6, 6), 2, 2), ((5, 7), 3, 2), ((3, 3), 3, 1), ((4, 4), 1, 3)])
def test_local_fields_against_loops(shape, size, stride):
    """Neuron by neuron, row by row; what a convolution without padding has."""
    expected, neuron = [], 0
    for top in range(0, shape[0] - size + 1, stride):
        for left in range(0, shape[1] - size + 1, stride):
            expected += [((top + y) * shape[1] + left + x, neuron) for y in range(size) for x in range(size)]
            neuron += 1
    np.testing.assert_array_equal(local_fields(shape, size, stride), expected)
    graph = layered(int(np.prod(shape)), (Layer(neuron, NEURON, pairs=local_fields(shape, size, stride)),), 1.5, 20.0)
    assert graph.edges[0].n_connections == neuron * size ** 2


def test_local_fields_of_several_neurons_and_channels():
    """Each neuron of a position, in each channel, as one neuron of one image."""
    one, several = local_fields((4, 5), 3), local_fields((4, 5), 3, neurons=2, channels=3)
    assert several.shape == (2 * 3 * len(one), 2) and several[:, 1].max() == 2 * 6 - 1
    for neuron in range(2):
        for channel in range(3):
            mine = several[(several[:, 0] // 20 == channel) & (several[:, 1] // 6 == neuron)]
            np.testing.assert_array_equal(mine - [20 * channel, 6 * neuron], one)


def test_random_pairs():
    pairs = random_pairs(300, 200, 0.3, np.random.default_rng(0))
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert (pairs.max(axis=0) == [299, 199]).all() and (pairs.min(axis=0) == 0).all()
    assert abs(len(pairs) / 60_000 - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 60_000)
    np.testing.assert_array_equal(pairs, random_pairs(300, 200, 0.3, np.random.default_rng(0)))
    np.testing.assert_array_equal(random_pairs(3, 2, 1.0, np.random.default_rng(0)), [[i, j] for j in range(2) for i in range(3)])


@pytest.mark.parametrize("do, text", [
    (lambda: layered(4, (), 1.5, 20.0), "a network needs at least one layer"),
    (lambda: Layer(3, NEURON, (-1.0,)), r"bias times \(.*-1.*\) must be finite and not negative"),
    (lambda: Layer(3, NEURON, (np.inf,)), "must be finite"),
    (lambda: Layer(3, NEURON, train_bias_times=True), "train_bias_times of a layer without bias_times"),
    (lambda: layered(0, (Layer(3, NEURON),), 1.5, 20.0), "population 'input' of 0 cells"),
    (lambda: layered(4, (Layer(3, NEURON, pairs=np.array([[4, 0]])),), 1.5, 20.0), "connects cells up to"),
    (lambda: layered(4, (Layer(3, NEURON),), 1.5, 20.0, {("input", "layer5"): None}), "unknown population 'layer5'"),
    (lambda: layered(4, (Layer(3, NEURON),), 1.5, 20.0, {("input", "layer0"): None}),
     "several projections have the label 'input>layer0'"),
    (lambda: random_pairs(3, 3, 0.0, np.random.default_rng(0)), "probability = 0.0 must be above 0, at most 1"),
    (lambda: random_pairs(3, 3, 1.1, np.random.default_rng(0)), "probability = 1.1"),
    (lambda: local_fields((3, 4), 5), "fields of 5 x 5, 1 apart, in an image of 3 x 4"),
    (lambda: local_fields((3, 4), 2, 0), "0 apart"),
    (lambda: local_fields((3, 4), 2, neurons=0), "neurons = 0, channels = 1: a field has at least one of each")])
def test_what_cannot_be(do, text):
    with pytest.raises(GraphError, match=text) as error:
        do()
    assert "\n" not in str(error.value)
