"""Networks to NIR graphs and back: every bit returns, the equations are NIR's, and what does not map is refused by name."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_networks import samples, small_architecture
from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.graph.initialisation import balanced
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.network import Architecture, Layer
from ttfs_pynn.networks.trained_times import TrainedTimes, Weights, delay_shape
from ttfs_pynn.neuron import LIFParameters

nir = pytest.importorskip("nir")
from ttfs_pynn.interchange import from_nir, read_nir, to_nir, write_nir  # noqa: E402


def assert_same(found, architecture):
    """Equal to the bit, arrays and numbers being different things."""
    for name in ("n_inputs", "t_early", "t_late"):
        assert getattr(found, name) == getattr(architecture, name)
    for new, old in zip(found.layers, architecture.layers, strict=True):
        apart = {"neuron": LIFParameters(), "weight_mean": None, "weight_std": None}
        assert replace(new, **apart) == replace(old, **apart)
        pairs = {name: (getattr(new, name), getattr(old, name)) for name in ("weight_mean", "weight_std")}
        pairs |= {f.name: (getattr(new.neuron, f.name), getattr(old.neuron, f.name)) for f in fields(LIFParameters)}
        for name, (a, b) in pairs.items():
            assert type(a) is type(b) and np.array_equal(a, b), name


def without_metadata(graph):
    for node in (graph, *graph.nodes.values()):
        node.metadata = {}
    return graph


positive = st.floats(1e-3, 1e3)


@st.composite
def layers(draw):
    n = draw(st.integers(1, 4))

    def value(values):
        return draw(st.one_of(values, st.lists(values, min_size=n, max_size=n).map(np.array)))

    v_rest = value(st.floats(-100, 100))
    v_thresh = v_rest + value(positive)
    neuron = LIFParameters(tau_m=np.inf if draw(st.booleans()) else value(positive), tau_syn=value(positive), cm=value(positive),
                           v_rest=v_rest, v_thresh=v_thresh, v_reset=v_rest - value(st.floats(0, 100)),
                           tau_refrac=value(st.one_of(st.just(np.inf), st.floats(0, 100))))
    return Layer(n, neuron, tuple(draw(st.lists(st.floats(0, 50), max_size=2))), value(st.floats(-2, 2)), value(st.floats(0, 2)))


@st.composite
def networks(draw):
    architecture = Architecture(draw(st.integers(1, 3)), tuple(draw(st.lists(layers(), min_size=1, max_size=3))), 0.5, 20.3)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = [rng.normal(size=shape) * 10.0 ** rng.integers(-9, 9) * rng.integers(0, 2, shape)
               for shape in architecture.shapes]
    kinds = [draw(st.sampled_from([(), ("axonal",), ("dendritic",)])) for _ in architecture.layers]
    architecture = replace(architecture, layers=tuple(
        replace(layer, delays=kind, delay_max=draw(st.floats(0.1, 100.0))) if kind else layer
        for layer, kind in zip(architecture.layers, kinds, strict=True)))
    times = None
    if architecture.trains_times:
        times = TrainedTimes(tuple({kind: layer.delay_max * rng.random(delay_shape(kind, shape)) for kind in layer.delays}
                                   for layer, shape in zip(architecture.layers, architecture.shapes, strict=True)),
                             tuple(np.array(layer.bias_times, dtype=float) for layer in architecture.layers))
    return architecture, Weights(weights, times)


def test_balanced_weights_of_neurons_that_differ(tmp_path):
    neuron = LIFParameters(tau_m=6.0, tau_syn=np.linspace(5.0, 7.0, 20))
    architecture = balanced(Architecture(4, (Layer(20, neuron, (1.0,)), Layer(3, LIFParameters())), 0.9, 12.0))
    assert np.shape(architecture.layers[0].weight_mean) == (20,)
    write_nir(tmp_path / "network.nir", to_nir(architecture, architecture.initial_weights(np.random.default_rng(0))))
    assert_same(from_nir(read_nir(tmp_path / "network.nir")).architecture, architecture)


@settings(max_examples=25, deadline=None)
@given(networks(), st.sampled_from([0.1, 0.0, 0.037]))
def test_round_trip_through_a_file_keeps_every_bit(tmp_path_factory, network, time_step):
    architecture, weights = network
    path = tmp_path_factory.mktemp("nir") / "network.nir"
    write_nir(path, to_nir(architecture, weights, time_step))
    found = from_nir(read_nir(path))
    assert_same(found.architecture, architecture)
    assert all(map(np.array_equal, found.weights, weights))
    new, old = (w.arrays(architecture.trained_times) for w in (found.weights, weights))
    assert new.keys() == old.keys() and all(np.array_equal(new[name], old[name]) for name in old)


@settings(max_examples=40, deadline=None)
@given(networks(), st.sampled_from([0.1, 0.0, 0.037]))
def test_without_our_metadata_it_is_an_equivalent_network(network, time_step):
    """Kernels and thresholds: w K(s)/threshold, what decides first spikes, is the same, to the rounding of a few products."""
    architecture, weights = network
    architecture = replace(architecture, layers=tuple(replace(layer, bias_times=(), delays=()) for layer in architecture.layers))
    weights = [w[:shape[0]] for w, shape in zip(weights, architecture.shapes, strict=True)]
    found = from_nir(without_metadata(to_nir(architecture, weights, time_step=time_step)), 0.5, 20.3, time_step)
    for new, old, w_new, w in zip(found.architecture.layers, architecture.layers, found.weights, weights, strict=True):
        assert np.size(new.neuron.tau_m) in (1, old.size)
        s = np.array([[0.1], [3.0], [40.0]]) * old.neuron.columns(old.size)[1]
        for j in range(len(w)):
            np.testing.assert_allclose(w_new[j] * new.neuron.kernel(s) / new.neuron.threshold,
                                       w[j] * old.neuron.kernel(s) / old.neuron.threshold, rtol=1e-9, atol=0)


def test_graph_holds_the_equations_of_the_docstring():
    neuron = LIFParameters(tau_m=20.0, tau_syn=5.0, cm=0.5, v_rest=-70.0, v_thresh=-50.0, v_reset=-75.0)
    architecture = Architecture(2, (Layer(3, neuron, (4.0,)), Layer(1, neuron)), 0.0, 10.0)
    weights = architecture.initial_weights(np.random.default_rng(1))
    for time_step, w_in, r, scale in ((0.1, 50.0, 200.0, 0.2), (0.0, 5e-3, 40.0, 1.0)):
        graph = to_nir(architecture, weights, time_step=time_step)
        node = graph.nodes["neurons0"]
        for field, value in (("tau_syn", 5e-3), ("tau_mem", 20e-3), ("w_in", w_in), ("r", r), ("v_leak", 0.0),
                             ("v_threshold", 20.0), ("v_reset", -5.0)):
            np.testing.assert_allclose(getattr(node, field), np.full(3, value), rtol=1e-15)
        np.testing.assert_allclose(graph.nodes["weights0"].weight, weights[0].T * scale, rtol=1e-15)
        assert graph.nodes["input"].input_type["input"].tolist() == [3]  # two inputs and a bias source


def stepped(graph, t_in, dt, duration):
    """First spikes (ms) of the last layer, by NIR's equations in steps (Euler) where a spike is the number 1; one a neuron."""
    order = ["neurons0", "neurons1"]
    n = {name: graph.nodes[name].v_threshold.size for name in order}
    current, v = {name: np.zeros(n[name]) for name in order}, {name: np.zeros(n[name]) for name in order}
    first = {name: np.full(n[name], np.inf) for name in order}
    for step in range(round(duration / dt)):
        out = {"input": (np.rint(t_in / dt) == step).astype(float)}
        for name in order:
            at = name.replace("neurons", "synapses")
            node, synapses = graph.nodes[name], graph.nodes.get(at)
            linear = [a for a, b in graph.edges if b == (name if synapses is None else at)]
            s = sum(graph.nodes[b].weight @ out[a] for a, b in graph.edges if b in linear)
            if synapses is None:
                current[name] += dt * 1e-3 / node.tau_syn * (node.w_in * s - current[name])
                v[name] += dt * 1e-3 / node.tau_mem * (node.v_leak - v[name] + node.r * current[name])
            else:
                current[name] += dt * 1e-3 / synapses.tau * (synapses.r * s - current[name])
                v[name] += dt * 1e-3 * node.r * current[name]
            now = (v[name] > node.v_threshold) & np.isinf(first[name])
            first[name][now] = step * dt
            out[name] = now.astype(float)
    return first["neurons1"]


@pytest.mark.parametrize("tau_m", [10.0, 20.0, np.inf])
def test_stepped_graph_spikes_where_the_network_does(tau_m):
    architecture = small_architecture(tau_m=tau_m)
    weights = architecture.initial_weights(np.random.default_rng(4))
    times, dt = samples(3), 0.01
    expected = ArrayNetwork(architecture, weights).present(times).layers[-1]
    graph = to_nir(architecture, weights, time_step=dt)
    for t, row in zip(times, expected, strict=True):
        found = stepped(graph, np.concatenate([t, (1.5, 9.0), (9.0,)]), dt, 60.0)
        early = row < 50.0
        assert early.any()
        # Euler and the grid: a step or two in each of two layers, more where a membrane rises slowly.
        np.testing.assert_allclose(found[early], row[early], atol=0.1)


def test_changes_of_another_program_count():
    architecture = small_architecture()
    weights = architecture.initial_weights(np.random.default_rng(0))
    graph = to_nir(architecture, weights)
    graph.nodes["weights0"].weight[5, 2] = 0.25
    graph.nodes["neurons1"].v_threshold[:] = 14.0
    found = from_nir(graph)
    changed = found.weights[0] != weights[0]
    assert np.argwhere(changed).tolist() == [[2, 5]] and np.isclose(found.weights[0][2, 5], 0.25 / 0.1, rtol=1e-15)
    assert_same(replace(found.architecture, layers=found.architecture.layers[:1]),
                replace(architecture, layers=architecture.layers[:1]))
    label = found.architecture.layers[1].neuron
    assert label.threshold == 14.0 and label.v_rest == 0.0
    np.testing.assert_allclose(found.weights[1] / label.cm, weights[1] / architecture.layers[1].neuron.cm, rtol=1e-14)


def cuba(n, **values):
    values = {"tau_syn": 5e-3, "tau_mem": 10e-3, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": -1.0, "w_in": 1.0} \
        | values
    return nir.CubaLIF(**{key: np.broadcast_to(np.asarray(value), (n,)) for key, value in values.items()})


def foreign(*nodes, edges=None, n_in=2, n_out=3):
    """A graph from elsewhere: input, then the nodes by the names they are given, in a chain or along `edges`, then output."""
    named = {"in": nir.Input(np.array([n_in])), **dict(nodes), "out": nir.Output(np.array([n_out]))}
    names = list(named)
    edges = edges or list(zip(names[:-1], names[1:], strict=True))
    return nir.NIRGraph(named, edges, type_check=False)


LINEAR = ("w", nir.Linear(np.ones((3, 2), dtype=np.float32)))
SQUARE = ("u", nir.Linear(np.ones((3, 3))))


def test_a_graph_from_elsewhere():
    """float32, an Affine without bias, a leak potential and a w_in of their own; the numbers by hand."""
    graph = foreign(("w", nir.Affine(np.float32([[1, 2], [3, 4], [5, 6]]), np.zeros(3))),
                    ("n", cuba(3, w_in=[1, 2, 4], r=20.0, v_leak=-1.0)))
    found = from_nir(graph, 0.0, 10.0, time_step=1.0)
    neuron = found.architecture.layers[0].neuron
    assert (neuron.tau_m, neuron.tau_syn, neuron.cm, neuron.v_rest, neuron.v_thresh) == (10.0, 5.0, 0.5, -1.0, 1.0)
    np.testing.assert_allclose(found.weights[0], np.array([[1, 3, 5], [2, 4, 6]]) * np.array([1, 2, 4]) / 5, rtol=1e-14)
    assert not found.architecture.trains_times and found.architecture.layers[0].bias_times == ()


LIF = ("n", nir.LIF(**{key: np.ones(3) for key in ("tau", "r", "v_leak", "v_threshold")}))


@pytest.mark.parametrize("graph, text", [
    (lambda: LINEAR[1], "a Linear is no nir.NIRGraph"),
    (lambda: foreign(LINEAR, LIF), "node 'n' is a LIF; allowed are Input, Linear .*no synaptic time constant"),
    (lambda: foreign(LINEAR, ("t", nir.Threshold(np.ones(3)))), "node 't' is a Threshold"),
    (lambda: foreign(LINEAR, ("n", foreign(LINEAR, ("n", cuba(3))))), "node 'n' is a NIRGraph.*in the graph itself"),
    (lambda: foreign(LINEAR, ("n", nir.IF(np.ones(3), np.ones(3)))), "before node 'n' .IF. is 'w' .Linear.; expected one LI"),
    (lambda: foreign(("n", cuba(2)), n_out=2), "node 'in' .Input. feeds 'n' directly"),
    (lambda: foreign(LINEAR), "before node 'out' .Output. is 'w' .Linear.; expected one CubaLIF"),
    (lambda: foreign(("w", nir.Affine(np.ones((3, 2)), np.ones(3))), ("n", cuba(3))), "node 'w': an Affine with a bias"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), SQUARE, edges=[("in", "w"), ("w", "n"), ("n", "u"), ("u", "n"), ("n", "out")]),
     "node 'n' is reached from itself: recurrent"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), SQUARE, edges=[("in", "w"), ("w", "n"), ("n", "out"), ("n", "u")]),
     "node 'u' .Linear. is on no way"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), SQUARE, ("m", cuba(3)), ("skip", nir.Linear(np.ones((3, 2)))),
                     edges=[("in", "w"), ("w", "n"), ("n", "u"), ("u", "m"), ("in", "skip"), ("skip", "m"), ("m", "out")]),
     "node 'skip': element 0 of the input is none that layer 1 may hear"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), edges=[("in", "w"), ("w", "gone"), ("n", "out")]), "edge .* does not join two"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), ("in2", nir.Input(np.array([2])))), "2 nodes Input"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), n_in=5), "node 'w': weights of shape .3, 2.; expected .neurons, inputs. = .3, 5."),
    (lambda: foreign(("w", nir.Linear(np.ones((2, 3, 2)))), ("n", cuba(3))), "node 'w': weights of shape .2, 3, 2."),
    (lambda: foreign(("w", nir.Linear(np.full((3, 2), np.nan))), ("n", cuba(3))), "node 'w': 6 weights are not finite"),
    (lambda: foreign(("w", nir.Linear(np.full((3, 2), "a"))), ("n", cuba(3))), "node 'w': weight holds <U1, not real numbers"),
    (lambda: foreign(LINEAR, ("n", cuba(3, r=-1.0))), "node 'n': r = -1 must be positive"),
    (lambda: foreign(LINEAR, ("n", cuba(3, tau_mem=np.inf))), "node 'n': tau_mem holds values that are not finite"),
    (lambda: foreign(LINEAR, ("n", cuba(4))), "node 'n': tau_syn has shape .4,."),
    (lambda: foreign(LINEAR, ("n", cuba(3, v_threshold=0.0))), "node 'n', in ms, mV and nF: v_thresh .* above v_rest"),
    (lambda: foreign(("d", nir.Delay(np.full(2, -1.0))), LINEAR, ("n", cuba(3))), "node 'd': a delay must be 2 numbers"),
    (lambda: foreign(("d", nir.Delay(np.ones(2))), LINEAR, ("e", nir.Delay(np.ones(3))), ("n", cuba(3))), "node 'e': layer 0"),
])
def test_what_does_not_map_is_named(graph, text):
    with pytest.raises(InterchangeError, match=text):
        from_nir(graph(), 0.0, 10.0)


def test_what_nir_cannot_hold_is_refused():
    architecture = small_architecture()
    weights = architecture.initial_weights(np.random.default_rng(0))
    for kinds, text in ((("synaptic",), "layer 1 has synaptic delays.*not one a synapse"),
                        (("axonal", "dendritic"), "layer 1 has axonal and dendritic delays.*not both")):
        delayed = replace(architecture, layers=(architecture.layers[0], replace(architecture.layers[1], delays=kinds)))
        with pytest.raises(InterchangeError, match=text):
            to_nir(delayed, delayed.initial_weights(np.random.default_rng(0)))
    with pytest.raises(InterchangeError, match="time_step = nan ms"):
        to_nir(architecture, weights, time_step=np.nan)
    mixed = replace(architecture, layers=(replace(architecture.layers[0], neuron=LIFParameters(tau_m=[np.inf] + [10.0] * 29)),
                                          architecture.layers[1]))
    with pytest.raises(InterchangeError, match="1 of 30 neurons of a layer have no leak"):
        to_nir(mixed, weights)
    with pytest.raises(InterchangeError, match="does not say t_early"):
        from_nir(without_metadata(to_nir(replace(architecture, layers=(Layer(30, LIFParameters()),)), [weights[0][:4]])))


def test_delays_are_nodes_in_seconds_before_or_after_the_weights():
    architecture = small_architecture(5)  # 4 inputs, biases 2 and 1
    weights = architecture.initial_weights(np.random.default_rng(0))

    def delayed(*delays):
        """The graph of the network with these delays."""
        layers = tuple(replace(layer, delays=tuple(kinds)) for layer, kinds in zip(architecture.layers, delays, strict=True))
        times = TrainedTimes(delays, architecture.times_of(weights).bias_times)
        return to_nir(replace(architecture, layers=layers), Weights(weights, times))

    graph = delayed({"axonal": np.arange(6.0)[:, None]}, {"axonal": 10 + np.arange(6.0)[:, None]})
    np.testing.assert_allclose(graph.nodes["delays0"].delay, np.array([0, 1, 2, 3, 4, 5, 0]) * 1e-3, rtol=1e-15)
    np.testing.assert_allclose(graph.nodes["delays1"].delay, np.arange(10, 15) * 1e-3, rtol=1e-15)
    np.testing.assert_allclose(graph.nodes["bias_delays1"].delay, np.array([0, 0, 0, 0, 0, 0, 15]) * 1e-3, rtol=1e-15)
    assert {("input", "delays0"), ("delays0", "weights0"), ("neurons0", "delays1"), ("delays1", "weights1"),
            ("input", "bias_delays1"), ("bias_delays1", "bias_weights1")} < set(graph.edges)
    dendritic = delayed({"dendritic": np.arange(5.0)[None]}, {})
    np.testing.assert_allclose(dendritic.nodes["dendritic_delays0"].delay, np.arange(5) * 1e-3, rtol=1e-15)
    assert {("weights0", "dendritic_delays0"), ("dendritic_delays0", "neurons0")} < set(dendritic.edges)
    found = from_nir(foreign(("d", nir.Delay(np.array([2e-3, 0.0]))), LINEAR, ("n", cuba(3))), 0.0, 10.0)
    np.testing.assert_allclose(found.weights.times.delays[0]["axonal"], [[2.0], [0.0]], rtol=1e-15)
    assert found.architecture.layers[0].delays == ("axonal",)
    heard = ArrayNetwork(found.architecture, Weights([np.full((2, 3), 40.0)], found.weights.times))
    first, later = heard.present(np.array([[1.0, np.inf], [np.inf, 3.0]])).layers[0]
    assert np.isfinite(first).all()
    np.testing.assert_allclose(first, later, rtol=1e-12)  # 1 ms and a delay of 2 ms, or 3 ms
