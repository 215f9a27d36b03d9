import numpy as np
import pytest

from tests.small_networks import assert_same, heard, stacked
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.first_spike import first_spike_times, membrane_peaks
from ttfs_pynn.graph import Edge, Graph, Layer, Node, layered
from ttfs_pynn.graph.parameters import Delays, delays_of
from ttfs_pynn.learning.engine import Gradients
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.silent_neurons import MembranePeak, WeightBumping, WeightSum, largest_response, policy
from ttfs_pynn.networks.afferents import afferents_of
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.first_spikes import FirstSpikes

SPIKING, HALF, SILENT = np.ones(4), np.array([1.0, np.inf, 1.0, np.inf]), np.full(4, np.inf)


def layer(*columns):
    return np.stack(columns, axis=1)


def chain(*sizes, scales=(1.0, 1.0)):
    """A graph of layers whose current_scale is given, and weights of 0."""
    neurons = [LIFParameters(v_rest=0.0, v_thresh=10.0 * scale) for scale in scales]
    graph = layered(sizes[0], tuple(Layer(n, neuron) for n, neuron in zip(sizes[1:], neurons, strict=True)), 0.0, 20.0)
    return graph, {f"{edge.label}.weight": np.zeros(edge.shape) for edge in graph.edges}


def gradients(*layers):
    """Of layers that answer so to inputs that all spike."""
    times = FirstSpikes({"input": np.ones((4, 3)), **{f"layer{k}": array for k, array in enumerate(layers)}},
                        f"layer{len(layers) - 1}", {})
    return Gradients({}, np.zeros(len(layers[0])), times, 0)


def test_bumps_only_what_is_too_silent_and_doubles_while_it_lasts():
    graph, weights = chain(3, 3, 2, scales=(2.0, 1.0))
    rule = WeightBumping(graph, {"layer0": 0.4, "layer1": 0.6}, bump=0.1)
    times = [layer(SPIKING, HALF, SILENT), layer(HALF, SPIKING)]
    for factor in (1, 2, 4):
        new, _, skip = rule.apply(weights, gradients(*times))
        np.testing.assert_allclose(new["input>layer0.weight"], np.tile([0, 0.2 * factor, 0.2 * factor], (3, 1)))
        assert (new["layer0>layer1.weight"] == 0).all() and not skip and (weights["input>layer0.weight"] == 0).all()
    rule.apply(weights, gradients(layer(SPIKING, SPIKING, SPIKING), times[1]))
    np.testing.assert_allclose(rule.apply(weights, gradients(*times))[0]["input>layer0.weight"][0], [0, 0.2, 0.2])


def test_the_papers_rule_bumps_the_foremost_layer_instead_of_a_step():
    graph, weights = chain(3, 1, 1)
    rule = WeightBumping(graph, {"layer0": 0.4, "layer1": 0.4}, bump=0.1, instead_of_step=True)
    new, _, skip = rule.apply(weights, gradients(layer(HALF), layer(SILENT)))
    assert skip and (new["input>layer0.weight"] == 0.1).all() and (new["layer0>layer1.weight"] == 0).all()
    assert not rule.apply(weights, gradients(layer(SPIKING), layer(SPIKING)))[2]


def test_the_papers_rule_looks_at_layers_as_a_whole():
    """Tolerated: of 12 (sample, neuron) pairs 6 are silent. Bumped is who is silent in any sample; the bump doubles as long as it
    is the same layer in batch after batch."""
    graph, weights = chain(3, 3, 1)
    times = gradients(layer(SPIKING, HALF, SILENT), layer(HALF))
    for tolerated, bumped in ((0.5, False), (0.49, True)):
        rule = WeightBumping(graph, {"layer0": tolerated, "layer1": 1.0}, bump=0.1, instead_of_step=True)
        new, _, skip = rule.apply(weights, times)
        assert skip == bumped
        np.testing.assert_allclose(new["input>layer0.weight"][0], [0, 0.1 * bumped, 0.1 * bumped])
    rule = WeightBumping(graph, {"layer0": 0.4, "layer1": 0.0}, bump=0.1, instead_of_step=True)
    for hidden, amounts in ((False, (0, 0.1)), (False, (0, 0.2)), (True, (0.1, 0)), (False, (0, 0.1)), (False, (0, 0.2))):
        new = rule.apply(weights, times if hidden else gradients(layer(SPIKING, SPIKING, SPIKING), layer(HALF)))[0]
        assert (new["input>layer0.weight"].max(), new["layer0>layer1.weight"].max()) == pytest.approx(amounts)


def test_bumps_reach_every_edge_that_is_trained_and_absent_pairs_stay_absent():
    neuron = LIFParameters(v_rest=0.0, v_thresh=10.0)
    nodes = (Node("a", 2), Node("b", 2), Node("out", 3, neuron))
    pairs = np.array([[0, 0], [1, 0], [1, 2]])
    graph = Graph(nodes, (Edge("sparse", "a", "out", pairs), Edge("dense", "b", "out"), Edge("fixed", "b", "out", train=False)),
                  "out", 0.0, 20.0)
    weights = {f"{edge.label}.weight": np.zeros(edge.shape) for edge in graph.edges}
    times = FirstSpikes({"a": layer(SPIKING, SPIKING), "b": layer(HALF, SPIKING), "out": layer(SPIKING, SPIKING, SILENT)}, "out",
                        {})
    rule = WeightBumping(graph, {"out": 0.5}, bump=0.1)
    new = rule.apply(weights, Gradients({}, np.zeros(4), times, 0))[0]
    assert_same(new, {"sparse.weight": [0, 0, 0.1], "dense.weight": [[0, 0, 0.1]] * 2, "fixed.weight": np.zeros((2, 3))},
                atol=1e-15)
    again = WeightBumping(graph, {"out": 0.5}, bump=0.1)
    again.restore(rule.state())
    assert_same(again.apply(weights, Gradients({}, np.zeros(4), times, 0))[0],
                rule.apply(weights, Gradients({}, np.zeros(4), times, 0))[0])


def test_a_neuron_that_hears_nothing_is_not_bumped():
    """Of a sparse edge each neuron hears its own sources: what counts are the samples in which one of them spikes, once or
    often."""
    pairs = np.array([[0, 0], [1, 1], [2, 2]])
    graph = Graph((Node("in", 3), Node("out", 3, LIFParameters(v_rest=0.0, v_thresh=10.0))), (Edge("in>out", "in", "out",
                                                                                                   pairs),),
                  "out", 0.0, 20.0)
    weights = {"in>out.weight": np.zeros(3)}
    once = layer(SPIKING, HALF, SILENT)
    several = np.stack([np.full((4, 3), np.inf), once], axis=2)
    for sent in (once, several):
        times = FirstSpikes({"in": sent, "out": layer(HALF, np.array([np.inf, np.inf, 1.0, np.inf]), SILENT)}, "out", {})
        for tolerated, bumped in ((0.4, [0.1, 0.1, 0]), (0.5, [0, 0, 0]), (0.49, [0.1, 0.1, 0])):
            new = WeightBumping(graph, {"out": tolerated}, bump=0.1).apply(weights, Gradients({}, np.zeros(4), times, 0))[0]
            np.testing.assert_allclose(new["in>out.weight"], bumped)


def network(seed, tau_m=10.0):
    """Graph, parameters and zero gradients of 4(+1)-30-6 neurons, many of them silent."""
    rng, neuron = np.random.default_rng(seed), LIFParameters(tau_m=tau_m)
    graph = layered(4, (Layer(30, neuron, (9.0,)), Layer(6, neuron)), 0.0, 20.0)
    t_in, delay = rng.uniform(0, 20, (15, 4)), 0.5
    first, second = rng.normal(0.8, 1.0, (5, 30)), rng.normal(0.2, 0.8, (30, 6))
    parameters = {"input>layer0.weight": first[:4], "bias0>layer0.weight": first[4:], "layer0>layer1.weight": second}
    times = FirstSpikes({"input": t_in, "bias0": np.full((15, 1), 9.0)}, "layer1", delays_of(graph, parameters, delay))
    for label, w in (("layer0", first), ("layer1", second)):
        times = times.with_times({label: first_spike_times(heard(graph, times, label), w, neuron)})
    return rng, graph, parameters, Gradients({name: np.zeros_like(w) for name, w in parameters.items()}, np.zeros(15), times, 0)


def peaks(graph, tolerated, **options):
    return MembranePeak(afferents_of(graph), dict.fromkeys(("layer0", "layer1"), tolerated), **options)


@pytest.mark.parametrize("tau_m", [10.0, 25.0, np.inf])
def test_membrane_peak_brings_one_sample_to_its_aim(tau_m):
    """With a single silent sample the step is exact for the peak's own time: v there is aim times threshold."""
    _, graph, parameters, given = network(0, tau_m)
    one = given.first_spikes.with_times({label: array[:1] for label, array in given.first_spikes.times.items()})
    new, found, skip = peaks(graph, 0.5, aim=1.25).apply(parameters, Gradients(given.parameters, None, one, 0))
    assert not skip and found is given.parameters
    for node in graph.neurons:
        neuron, silent, t_in = node.neuron, np.isinf(one[node.label][0]), heard(graph, one, node.label)
        before, after = (stacked(graph, values, node.label) for values in (parameters, new))
        t_peak, _ = membrane_peaks(t_in, before, neuron)
        v = np.einsum("ni,in->n", neuron.kernel(t_peak[0][:, None] - t_in[0]), after)
        assert silent.any() and not silent.all()
        np.testing.assert_allclose(v[silent], 1.25 * neuron.threshold, rtol=1e-12)
        np.testing.assert_array_equal(after[:, ~silent], before[:, ~silent])
        assert np.isfinite(first_spike_times(t_in, after, neuron)[0]).all()


def test_membrane_peak_leaves_alone_what_spikes_enough():
    _, graph, parameters, given = network(1)
    before = {name: w.copy() for name, w in parameters.items()}
    new = peaks(graph, 0.5).apply(parameters, given)[0]
    for label in ("layer0", "layer1"):
        share = np.isinf(given.first_spikes[label]).mean(axis=0)
        assert (share <= 0.5).any() and (share > 0.5).any()
        w, old = stacked(graph, new, label), stacked(graph, before, label)
        np.testing.assert_array_equal((w != old).any(axis=0), share > 0.5)
    assert_same(parameters, before)
    assert_same(peaks(graph, 1.0).apply(parameters, given)[0], parameters)


def single(neuron, w):
    """A graph of one layer of these weights."""
    graph = layered(len(w), (Layer(w.shape[1], neuron),), 0.0, 20.0)
    return graph, {"input>layer0.weight": w}


UNDELAYED = Delays()


def spikes_of(t_in, t_out, delays=UNDELAYED):
    return FirstSpikes({"input": t_in, "layer0": t_out}, "layer0", {"input>layer0": delays})


def test_a_neuron_that_should_have_spiked_is_left_alone():
    """What a substrate loses is not the weights' fault."""
    w = np.full((3, 2), 3.0)
    graph, parameters = single(LIFParameters(), w)
    lost = spikes_of(np.array([[1.0, 2.0, 3.0]]), np.full((1, 2), np.inf))
    assert np.isfinite(first_spike_times(lost["input"], w, LIFParameters())).all()
    assert_same(peaks(graph, 0.0).apply(parameters, Gradients(parameters, None, lost, 0))[0], {"input>layer0.weight": w})


def test_membrane_peak_wakes_neurons_of_inhibitory_weights():
    _, two, weights, given = network(2)
    t_in, w = heard(two, given.first_spikes, "layer0"), -np.abs(stacked(two, weights, "layer0"))
    neuron = two.node("layer0").neuron
    graph, parameters = single(neuron, w)
    silent = []
    for _ in range(20):
        hidden = first_spike_times(t_in, parameters["input>layer0.weight"], neuron)
        silent.append((np.isinf(hidden).mean(axis=0) > 0.5).mean())
        parameters = peaks(graph, 0.5).apply(parameters, Gradients(parameters, None, spikes_of(t_in, hidden), 0))[0]
    assert silent[0] == 1 and silent[-1] == 0


def test_weight_sum_is_the_gradient_of_its_loss():
    rng, graph, parameters, given = network(3)
    parameters["layer0>layer1.weight"] = parameters["layer0>layer1.weight"] - 0.1
    neurons = {node.label: node.neuron for node in graph.neurons}
    found = WeightSum(graph, neurons, strength=0.7).apply(parameters, given)[1]

    def loss(values):
        return sum(0.7 * np.maximum(0, 1 - n.kernel(n.tau_m) / n.threshold * stacked(graph, values, label).sum(axis=0)).sum()
                   for label, n in neurons.items())

    along, h = {name: rng.normal(size=w.shape) for name, w in parameters.items()}, 1e-6
    up, down = (loss({name: w + s * h * along[name] for name, w in parameters.items()}) for s in (1, -1))
    np.testing.assert_allclose((up - down) / (2 * h), sum((g * along[name]).sum() for name, g in found.items()), rtol=1e-6)
    assert set(found) == set(parameters) and all((g != 0).any() for g in found.values())


@pytest.mark.parametrize("tau_m", [3.0, 10.0, 10.0 * (1 + 1e-9), 25.0, np.inf])
def test_largest_response(tau_m):
    neuron = LIFParameters(tau_m=tau_m, cm=2.0)
    sampled = neuron.kernel(np.linspace(0, 400, 1_000_001)).max()  # steps of 0.4 us: off by their square at most
    np.testing.assert_allclose(largest_response(neuron), sampled, rtol=2e-9)


def test_unknown_policies_are_refused():
    with pytest.raises(ConfigurationError, match="membrane_peak, bumping, weight_sum"):
        TrainingOptions(silent="hope")
    with pytest.raises(ConfigurationError, match="silent_aim"):
        TrainingOptions(silent_aim=0.5)
    with pytest.raises(ConfigurationError, match="weight_sum"):
        TrainingOptions(weight_sum=-1.0)


def test_tolerated_silence_is_one_number_or_one_by_population():
    graph, _ = chain(3, 3, 2)
    for given, expected in ((0.3, {"layer0": 0.3, "layer1": 0.3}), ({"layer1": 0.1}, {"layer0": 0.95, "layer1": 0.1})):
        assert policy(TrainingOptions(silent_tolerated=given), graph, afferents_of(graph)).tolerated == expected
    with pytest.raises(ConfigurationError, match="silent_tolerated: unknown population 'layer2'; did you mean"):
        policy(TrainingOptions(silent_tolerated={"layer2": 0.1}), graph, afferents_of(graph))


@pytest.mark.parametrize("kind", ["axonal", "dendritic", "synaptic"])
def test_peaks_of_neurons_with_delays(kind):
    """As for each neuron alone whose inputs come later."""
    rng = np.random.default_rng(4)
    w, neuron = rng.normal(0.1, 0.1, (7, 5)), LIFParameters(tau_m=rng.uniform(8, 20, 5))
    drawn = rng.uniform(0, 10, {"axonal": 7, "dendritic": 5, "synaptic": w.shape}[kind])
    each = np.broadcast_to(drawn[:, None] if kind == "axonal" else drawn, w.shape)
    t_in, silent = rng.uniform(0, 20, (9, 7)), np.full((9, 5), np.inf)
    graph, parameters = single(neuron, w)
    times = spikes_of(t_in, silent, Delays(**{kind: drawn}))
    new = peaks(graph, 0.5).apply(parameters, Gradients(parameters, None, times, 0))[0]["input>layer0.weight"]
    for n in range(5):
        one, alone = single(neuron.one(n), w[:, [n]])
        late = Gradients(alone, None, spikes_of(t_in + each[:, n], silent[:, [n]]), 0)
        expected = peaks(one, 0.5).apply(alone, late)[0]["input>layer0.weight"]
        assert (expected > w[:, [n]]).all()
        np.testing.assert_allclose(new[:, [n]], expected, rtol=1e-9)
