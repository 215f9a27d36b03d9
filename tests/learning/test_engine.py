from dataclasses import replace

import neo
import numpy as np
import pytest

from tests.first_spike.test_small_cases import expected_product, neuron_of, refused
from tests.small_networks import assert_same, heard, samples, small_graph, small_network, stacked
from ttfs_pynn.first_spike import first_spike_times, vector_jacobian_product
from ttfs_pynn.graph import Edge, Graph, Layer, Node, layered
from ttfs_pynn.graph.parameters import Delays, delays_of
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.loss import MeanSquaredError, PairwiseDifference, TimeToFirstSpike
from ttfs_pynn.networks.pynn_network import Recording
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.spikes.first_spikes import FirstSpikes

LOSSES = [TimeToFirstSpike(10.0), PairwiseDifference(10.0), MeanSquaredError(10.0)]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("tau_m", [10.0, 20.0])
def test_gradient_of_the_recorded_network_against_central_differences(loss, tau_m):
    """4-30-3, every time recorded through PyNN and Neo: relative error of the directional derivative along 12 random directions.

    Spike times round to 2e-12 ms (20 windows) and the step moves them by 1e-4 ms or so: differences hold about 7 digits. A
    sample whose set of spikes or causes changes within the step has no derivative there; the seeds have none.
    """
    network, parameters = small_network(graph=small_graph(tau_m=tau_m))
    t_in, labels = samples(12), np.arange(12) % 3
    gradients = GradientEngine(network.graph).gradients(network.present(t_in), parameters, loss, labels)
    assert set(gradients.parameters) == set(parameters) and np.isfinite(gradients.first_spikes.labels).mean() > 0.8
    assert all(np.abs(g).max() > 0 for g in gradients.parameters.values())
    rng = np.random.default_rng(1)
    step, errors = 1e-6, []
    for _ in range(12):
        direction = {name: rng.normal(size=w.shape) for name, w in parameters.items()}
        values = []
        for sign in (2, 1, -1, -2):
            network.write({name: w + sign * step * direction[name] for name, w in parameters.items()})
            values.append(loss(first_spikes(network.present(t_in)).labels, labels)[0].mean())
        numeric = (-values[0] + 8 * values[1] - 8 * values[2] + values[3]) / (12 * step)
        analytic = sum((g * direction[name]).sum() for name, g in gradients.parameters.items())
        errors.append(abs(numeric - analytic) / np.sqrt(sum((g ** 2).sum() for g in gradients.parameters.values())))
    assert max(errors) <= 1e-5


def test_delays_are_accounted_for():
    """The gradient of a network with delays is that of one without whose inputs come later."""
    network, parameters = small_network(delay=2.5)
    t_in, labels, graph = samples(6), np.arange(6) % 3, network.graph
    delayed = GradientEngine(graph).gradients(network.present(t_in), parameters, LOSSES[1], labels)
    times = delayed.first_spikes
    error = LOSSES[1](times.labels, labels)[1] / 6
    arriving = np.concatenate([times["layer0"], times["bias1"]], axis=1) + 2.5
    by_hand = vector_jacobian_product(arriving, stacked(graph, parameters, "layer1"), times.labels, error,
                                      graph.node("layer1").neuron)[0]
    np.testing.assert_array_equal(stacked(graph, delayed.parameters, "layer1"), by_hand)
    assert np.abs(by_hand).max() > 0


def test_same_gradient_from_a_file_recorded_elsewhere(tmp_path):
    network, parameters = small_network()
    recording, labels = network.present(samples(5)), np.arange(5) % 3
    engine = GradientEngine(network.graph)
    expected = engine.gradients(recording, parameters, LOSSES[1], labels)
    folder = RunFolder.create(tmp_path / "run", {"seed": 1})
    for name, block in network.blocks(recording).items():
        folder.write_spikes(name, block)
    loaded = {name: folder.read_spikes(name) for name in folder.spike_names()}
    assert isinstance(loaded["layer0"], neo.Block)
    from_file = Recording(recording.presentation, loaded, "layer1", recording.delays)
    found = engine.gradients(from_file, parameters, LOSSES[1], labels)
    assert all(np.abs(a).max() > 0 for a in expected.parameters.values())
    assert_same(found.parameters, expected.parameters)


def test_large_contributions_are_dropped_in_units_of_the_weight_scale():
    network, parameters = small_network()
    recording, labels = network.present(samples(12)), np.arange(12) % 3
    free = GradientEngine(network.graph).gradients(recording, parameters, LOSSES[1], labels)
    limited = GradientEngine(network.graph, max_dw=1e-4).gradients(recording, parameters, LOSSES[1], labels)
    assert free.dropped == 0 < limited.dropped
    scale = network.graph.node("layer0").neuron.current_scale
    # Each of at most 12 samples contributes at most 1e-4/scale to one weight.
    assert max(np.abs(g).max() for g in limited.parameters.values()) <= 12 * 1e-4 / scale * (1 + 1e-12)


def test_several_segments_are_refused():
    recording = small_network()[0].present(samples(2))
    recording["layer0"].segments.append(neo.Segment())
    with pytest.raises(ValueError, match="2 segments"):
        first_spikes(recording)


def test_engine_imports_no_simulator():
    import subprocess
    import sys
    code = ("import sys, ttfs_pynn.learning.engine as g; "
            "print([m for m in sys.modules if m.split('.')[0] in ('pyNN', 'brian2', 'nest')])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def recorded(size, first_id, segments=1):
    block = neo.Block(name="cells", size=size, first_id=first_id)
    for _ in range(segments):
        block.segments.append(neo.Segment(name=f"{first_id}"))
    return block


def test_recorded_blocks_become_first_spikes():
    asked = []

    class Windows:
        last_read = 40.0

        def first_spikes(self, segment, ids, scale):
            asked.append((segment.name, ids.tolist(), scale))
            return ids[None] * 1.0

        def all_spikes(self, segment, ids, scale):
            return self.first_spikes(segment, ids, scale)[:, :, None]

    blocks = {"input": recorded(6, 10), "bias": recorded(4, 30), "hidden": recorded(3, 40), "label": recorded(2, 50)}
    recording = Recording(Windows(), blocks, "label", {"edge": Delays(0.5)}, time_scale=1000.0, input_copies=2,
                          sources=frozenset({"input", "bias"}), several=frozenset({"bias"}))
    times = first_spikes(recording)
    # Of two sources that stand for one input, the first three and the first two are read; neurons are single.
    assert asked == [(name, ids, 1000.0) for name, ids in (("10", [10, 11, 12]), ("30", [30, 31]), ("40", [40, 41, 42]),
                                                           ("50", [50, 51]))]
    assert times.delays == {"edge": (0.5, None, None)} and times.deadline == 40.0 and first_spikes(times) is times
    assert times["bias"].shape == (1, 2, 1) and times.outputs == "label" and times.labels.tolist() == [[50.0, 51.0]]
    blocks["hidden"] = recorded(3, 40, segments=2)
    assert "2 segments" in refused(first_spikes, recording)


def test_gradients_of_two_layers():
    """The chain rule by hand, with a bias source, a delay and the mean over samples."""
    rng, neuron, delay = np.random.default_rng(2), neuron_of(2.0, 1.5), 0.25
    graph = layered(4, (Layer(5, neuron), Layer(3, neuron, (0.5,))), 0.0, 2.0)
    parameters = {"input>layer0.weight": rng.normal(3, 2, (4, 5)), "layer0>layer1.weight": rng.normal(2, 2, (5, 3)),
                  "bias1>layer1.weight": rng.normal(2, 2, (1, 3))}
    t_in, bias = rng.uniform(0, 2, (6, 4)), np.full((6, 1), 0.5)
    below_w, top_w = (stacked(graph, parameters, label) for label in ("layer0", "layer1"))
    hidden = first_spike_times(t_in + delay, below_w, neuron)
    afferent = np.concatenate([hidden, bias], axis=1) + delay
    labels = first_spike_times(afferent, top_w, neuron)
    assert np.isfinite(hidden).sum() > 15 and np.isfinite(labels).sum() > 8
    times = FirstSpikes({"input": t_in, "bias1": bias, "layer0": hidden, "layer1": labels}, "layer1", delays_of(graph, parameters,
                                                                                                                delay))
    np.testing.assert_array_equal(heard(graph, times, "layer1"), afferent)
    error = np.where(np.isfinite(labels), rng.normal(size=labels.shape), 0.0)
    for limit in (np.inf, 0.02):
        found, dropped = GradientEngine(graph, limit).backward(times, parameters, error)
        assert set(found) == set(parameters)
        top, back = expected_product(afferent, top_w, labels, error, 2.0, 1.5, limit / neuron.current_scale)
        below, _ = expected_product(t_in + delay, below_w, hidden, back[:, :5], 2.0, 1.5, limit / neuron.current_scale)
        np.testing.assert_allclose(stacked(graph, found, "layer1"), top, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(stacked(graph, found, "layer0"), below, rtol=1e-8, atol=1e-9)
        assert (dropped > 1) == (limit < 1)
        one, other = (vector_jacobian_product(t, w, out, e, neuron, limit / neuron.current_scale)[2] for t, w, out, e in
                      ((afferent, top_w, labels, error), (t_in + delay, below_w, hidden, back[:, :5])))
        assert dropped == one + other
    engine = GradientEngine(graph)
    mean = engine.gradients(times, parameters, lambda last, of: (of * 1.0, error), np.arange(6))
    np.testing.assert_array_equal(mean.loss, np.arange(6))
    assert_same(mean.parameters, engine.backward(times, parameters, error / 6)[0], rtol=1e-7)
    assert mean.first_spikes is times and mean.dropped == 0
    one = replace(times, times={label: array[:1] for label, array in times.times.items()})
    alone = engine.gradients(one, parameters, lambda last, of: (of * 1.0, error[:1]), np.arange(1))
    assert_same(alone.parameters, engine.backward(one, parameters, error[:1])[0])
    deeper = layered(4, (Layer(5, neuron), Layer(3, neuron, (0.5,)), Layer(3, neuron)), 0.0, 2.0)
    weights = parameters | {"layer1>layer2.weight": np.eye(3)}
    further = FirstSpikes({**times.times, "layer2": labels + 1}, "layer2", delays_of(deeper, weights, delay))
    three = GradientEngine(deeper).gradients(further, weights, lambda last, of: (last.sum(axis=1), error), None)
    np.testing.assert_array_equal(three.loss, (labels + 1).sum(axis=1))
    timed = layered(4, (Layer(5, neuron), Layer(3, neuron, (0.5,), train_bias_times=True)), 0.0, 2.0)
    moved = GradientEngine(timed).backward(times, parameters | {"bias1.times": np.array([0.5])}, error)[0]
    expected = expected_product(afferent, top_w, labels, error, 2.0, 1.5, np.inf)[1][:, 5:].sum(axis=0)
    np.testing.assert_allclose(moved["bias1.times"], expected, rtol=1e-8, atol=1e-9)
    with pytest.raises(KeyError, match="bias1>layer1.weight"):
        engine.backward(times, {name: w for name, w in parameters.items() if "bias" not in name}, error)


def test_errors_add_where_edges_meet_and_fixed_edges_have_no_gradient():
    """A population that reaches the outputs directly and through another has the sum of both ways, and what is not trained has no
    gradient but passes errors on."""
    rng, neuron = np.random.default_rng(5), neuron_of(2.0, 1.5)
    nodes = (Node("in", 4), Node("a", 6, neuron), Node("b", 5, neuron), Node("out", 2, neuron))
    edges = (Edge("in>a", "in", "a"), Edge("a>b", "a", "b", train=False), Edge("a>out", "a", "out"), Edge("b>out", "b", "out"))
    graph = Graph(nodes, edges, "out", 0.0, 2.0)
    parameters = {f"{edge.label}.weight": rng.normal(2, 1.5, edge.sizes) for edge in graph.edges}
    t_in = rng.uniform(0, 2, (8, 4))
    a = first_spike_times(t_in, parameters["in>a.weight"], neuron)
    b = first_spike_times(a, parameters["a>b.weight"], neuron)
    out = first_spike_times(np.concatenate([a, b], axis=1), stacked(graph, parameters, "out"), neuron)
    assert np.isfinite(out).mean() > 0.5 and np.isfinite(b).mean() > 0.3
    spikes = FirstSpikes({"in": t_in, "a": a, "b": b, "out": out}, "out", delays_of(graph, parameters))
    error = np.where(np.isfinite(out), rng.normal(size=out.shape), 0.0)
    found = GradientEngine(graph).backward(spikes, parameters, error)[0]
    top, back = vector_jacobian_product(np.concatenate([a, b], axis=1), stacked(graph, parameters, "out"), out, error, neuron)[:2]
    through = vector_jacobian_product(a, parameters["a>b.weight"], b, back[:, 6:], neuron)[1]
    below = vector_jacobian_product(t_in, parameters["in>a.weight"], a, back[:, :6] + through, neuron)[0]
    assert set(found) == {"in>a.weight", "a>out.weight", "b>out.weight"} and np.abs(through).max() > 0 < np.abs(back[:, :6]).max()
    np.testing.assert_allclose(found["in>a.weight"], below, rtol=1e-12)
    np.testing.assert_array_equal(stacked(graph, found | {"a>b.weight": None}, "out"), top)


def test_a_population_that_decides_nothing_has_no_gradient():
    """What does not lead to the outputs gets zeros of the right shapes, also of its delays and times."""
    neuron = neuron_of(2.0, 1.5)
    plain = layered(3, (Layer(4, neuron),), 0.0, 2.0)
    nodes = (*plain.nodes, Node("odd", 2, times=np.array([0.5, 1.0]), train_times=True), Node("aside", 3, neuron))
    edges = (*plain.edges, Edge("odd>aside", "odd", "aside"), Edge("layer0>aside", "layer0", "aside"))
    graph = Graph(nodes, edges, "layer0", 0.0, 2.0)
    rng = np.random.default_rng(0)
    parameters = {f"{edge.label}.weight": rng.normal(3, 1, edge.sizes) for edge in graph.edges} | {"odd.times": np.array([0.5,
                                                                                                                          1.0])}
    t_in = rng.uniform(0, 2, (5, 3))
    out = first_spike_times(t_in, parameters["input>layer0.weight"], neuron)
    spikes = FirstSpikes({"input": t_in, "layer0": out, "odd": np.tile([0.5, 1.0], (5, 1)), "aside": np.full((5, 3), 1.5)},
                         "layer0",
                         delays_of(graph, parameters))
    found = GradientEngine(graph).backward(spikes, parameters, np.isfinite(out) * 1.0)[0]
    assert found["input>layer0.weight"].any() and set(found) == set(parameters)
    for name in ("odd>aside.weight", "layer0>aside.weight", "odd.times"):
        np.testing.assert_array_equal(found[name], np.zeros_like(parameters[name]))
