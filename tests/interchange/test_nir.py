"""Networks to NIR graphs and back: every bit returns, the equations are NIR's, and what does not map is refused by name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.interchange.networks import (
    assert_same,
    assert_same_values,
    chain,
    classes,
    own,
    recurrent,
    samples,
    with_trained_delays,
)
from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.graph import DelayRange, Edge, Graph, GraphError, Layer, Node, layered
from ttfs_pynn.graph.initialisation import balanced, initial_parameters
from ttfs_pynn.graph.parameters import shapes_of
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters

nir = pytest.importorskip("nir")
from ttfs_pynn.interchange import from_nir, read_nir, to_nir, write_nir  # noqa: E402


def without_metadata(graph):
    for node in (graph, *graph.nodes.values()):
        node.metadata = {}
    return graph


def through_a_file(folder, graph):
    write_nir(folder / "network.nir", graph)
    return from_nir(read_nir(folder / "network.nir"))


positive = st.floats(1e-3, 1e3)


@st.composite
def neurons(draw, n):
    def value(values):
        return draw(st.one_of(values, st.lists(values, min_size=n, max_size=n).map(np.array)))

    v_rest = value(st.floats(-100, 100))
    v_thresh = v_rest + value(positive)
    return LIFParameters(tau_m=np.inf if draw(st.booleans()) else value(positive), tau_syn=value(positive), cm=value(positive),
                         v_rest=v_rest, v_thresh=v_thresh, v_reset=v_rest - value(st.floats(0, 100)),
                         tau_refrac=value(st.one_of(st.just(np.inf), st.floats(0, 100))))


@st.composite
def networks(draw):
    """Graphs of up to three populations of each kind, any of which may hear any other, with delays of every kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    delays = st.one_of(st.none(), st.builds(DelayRange, st.floats(0.1, 100.0)))
    nodes = [Node("S0", draw(st.integers(1, 3)), axonal_delay=draw(delays))]
    for k in range(draw(st.integers(0, 2))):
        nodes.append(Node(f"S/{k}", 2, times=rng.uniform(0, 20, draw(st.sampled_from([(2,), (2, 3)]))),
                          train_times=draw(st.booleans()),
                          axonal_delay=draw(delays)))
    labels = [node.label for node in nodes]
    for k in range(draw(st.integers(1, 3))):
        n = draw(st.integers(1, 4))
        nodes.append(Node(f"N{k}", n, draw(neurons(n)), axonal_delay=draw(delays), dendritic_delay=draw(delays),
                          weight_mean=draw(st.floats(-2, 2)), weight_std=rng.random(n)))
        labels.append(f"N{k}")
    edges = []
    for _ in range(draw(st.integers(0, 5))):
        edges.append((draw(st.sampled_from(labels)), f"N{draw(st.integers(0, sum(label[0] == 'N' for label in labels) - 1))}"))
    edges += [("S0", node.label) for node in nodes if node.neuron is not None]
    sizes, made = {node.label: node.size for node in nodes}, []
    for k, (pre, post) in enumerate(edges):
        pairs = None
        if draw(st.booleans()):
            pairs = rng.integers(0, (sizes[pre], sizes[post]), (draw(st.integers(0, 6)), 2))  # a pair may come twice
            pairs = pairs[np.lexsort(pairs.T)]
        shape = (sizes[pre], sizes[post]) if pairs is None else (len(pairs),)
        delay = draw(st.sampled_from([0.0, 0.7])) if draw(st.booleans()) else rng.uniform(0, 3, shape)
        made.append(Edge(f"edge {k}>{post}", pre, post, pairs, draw(st.sampled_from([-1, 0, 1])), delay, draw(st.booleans()),
                         draw(st.one_of(st.none(), st.just(DelayRange(9.5, None))))))
    graph = Graph(tuple(nodes), tuple(made), nodes[-1].label, 0.5, 20.3)
    parameters = {}
    for name, shape in shapes_of(graph).items():
        values = rng.normal(size=shape) * 10.0 ** rng.integers(-9, 9) * rng.integers(0, 2, shape)
        parameters[name] = values if name.endswith("weight") else np.abs(rng.normal(size=shape))
    return graph, parameters


def test_balanced_weights_of_neurons_that_differ(tmp_path):
    neuron = LIFParameters(tau_m=6.0, tau_syn=np.linspace(5.0, 7.0, 20))
    graph = balanced(layered(4, (Layer(20, neuron, (1.0,)), Layer(3, LIFParameters())), 0.9, 12.0))
    assert np.shape(graph.node("layer0").weight_mean) == (20,)
    assert_same(through_a_file(tmp_path, to_nir(graph, initial_parameters(graph, np.random.default_rng(0)))).graph, graph)


@settings(max_examples=25, deadline=None)
@given(networks(), st.sampled_from([0.1, 0.0, 0.037]))
def test_round_trip_through_a_file_keeps_every_bit(tmp_path_factory, network, time_step):
    graph, parameters = network
    found = through_a_file(tmp_path_factory.mktemp("nir"), to_nir(graph, parameters, time_step))
    assert_same(found.graph, graph)
    assert_same_values(found.parameters, parameters)


@pytest.mark.parametrize("time_step", [0.1, 0.0])
@pytest.mark.parametrize("make", [chain, own, lambda: with_trained_delays(*own()), lambda: chain(tau_m=np.inf),
                                  lambda: chain(delays=("synaptic", "axonal"), delay_std=2.0)],
                         ids=["chain", "own", "trained delays", "no leak", "synaptic and axonal"])
def test_the_nodes_alone_are_the_network(make, time_step):
    """Without our metadata, as from elsewhere, all sources are one population; what spikes, and when, stays, to the rounding of a
    few products."""
    graph, parameters = make()
    data = samples(graph, 40)
    found = from_nir(without_metadata(to_nir(graph, parameters, time_step)), graph.t_early, graph.t_late, time_step)
    shown = [data.times[node.label] if node.times is None else np.broadcast_to(node.times, (40, *node.times.shape))
             for node in graph.sources]
    shown = [np.atleast_3d(each) for each in shown]
    most = max(each.shape[2] for each in shown)
    shown = np.concatenate([np.pad(each, ((0, 0), (0, 0), (0, most - each.shape[2])), constant_values=np.inf) for each in shown],
                           axis=1)
    answers, times = classes(graph, parameters, data)
    again, times_again = classes(found.graph, found.parameters, SpikeData({"input": shown}, data.labels))
    assert len(set(answers)) > 1 and np.isfinite(times).mean() > 0.3
    assert np.array_equal(answers, again)
    np.testing.assert_allclose(times_again, times, rtol=0, atol=1e-11)


def test_graph_holds_the_equations_of_the_docstring():
    neuron = LIFParameters(tau_m=20.0, tau_syn=5.0, cm=0.5, v_rest=-70.0, v_thresh=-50.0, v_reset=-75.0)
    network = layered(2, (Layer(3, neuron, (4.0,)), Layer(1, neuron)), 0.0, 10.0)
    parameters = initial_parameters(network, np.random.default_rng(1))
    for time_step, w_in, r, scale in ((0.1, 50.0, 200.0, 0.2), (0.0, 5e-3, 40.0, 1.0)):
        graph = to_nir(network, parameters, time_step=time_step)
        node = graph.nodes["layer0"]
        for field, value in (("tau_syn", 5e-3), ("tau_mem", 20e-3), ("w_in", w_in), ("r", r), ("v_leak", 0.0),
                             ("v_threshold", 20.0), ("v_reset", -5.0)):
            np.testing.assert_allclose(getattr(node, field), np.full(3, value), rtol=1e-15)
        w = parameters["input>layer0.weight"]
        np.testing.assert_allclose(graph.nodes["input_to_layer0"].weight[:, :2], w.T * scale, rtol=1e-15)
        np.testing.assert_array_equal(graph.nodes["input_to_layer0"].weight[:, 2], 0.0)
        assert graph.nodes["input"].input_type["input"].tolist() == [3]  # two inputs and a bias source
        about = graph.nodes["input"].metadata["ttfs_pynn"]
        assert about["bias0"]["first"] == 2 and about["bias0"]["times"].tolist() == [4.0]


def stepped(graph, t_in, dt, duration):
    """First spikes (ms) of layer1, by NIR's equations in steps (Euler) where a spike is the number 1; one a neuron."""
    order = ["layer0", "layer1"]
    n = {name: graph.nodes[name].v_threshold.size for name in order}
    current, v = {name: np.zeros(n[name]) for name in order}, {name: np.zeros(n[name]) for name in order}
    first = {name: np.full(n[name], np.inf) for name in order}
    for step in range(round(duration / dt)):
        out = {"input": (np.rint(t_in / dt) == step).astype(float)}
        for name in order:
            at = f"{name}_synapses"
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
    return first["layer1"]


@pytest.mark.parametrize("tau_m", [10.0, 20.0, np.inf])
def test_stepped_graph_spikes_where_the_network_does(tau_m):
    network, parameters = chain(tau_m=tau_m, seed=4)
    dt = 0.01
    data = samples(network, 3)
    expected = ArrayNetwork(network, parameters).present(data.times).labels
    graph = to_nir(network, parameters, time_step=dt)
    for t, row in zip(data.times["input"], expected, strict=True):
        found = stepped(graph, np.concatenate([t, (1.5, 9.0), (9.0,)]), dt, 60.0)
        early = row < 50.0
        assert early.any()
        # Euler and the grid: a step or two in each of two layers, more where a membrane rises slowly.
        np.testing.assert_allclose(found[early], row[early], atol=0.1)


def test_changes_of_another_program_count():
    network, parameters = chain()
    graph = to_nir(network, parameters)
    graph.nodes["input_to_layer0"].weight[5, 2] = 0.25
    graph.nodes["layer1"].v_threshold[:] = 14.0
    found = from_nir(graph)
    changed = found.parameters["input>layer0.weight"] != parameters["input>layer0.weight"]
    assert np.argwhere(changed).tolist() == [[2, 5]]
    assert np.isclose(found.parameters["input>layer0.weight"][2, 5], 0.25 / 0.1, rtol=1e-15)
    assert np.array_equal(found.parameters["bias0>layer0.weight"], parameters["bias0>layer0.weight"])
    label = found.graph.node("layer1").neuron
    assert label.threshold == 14.0 and label.v_rest == 0.0
    assert_same(replace(found.graph, nodes=(*network.nodes[:-1], network.node("layer1"))), network)
    np.testing.assert_allclose(found.parameters["layer0>layer1.weight"] / label.cm,
                               parameters["layer0>layer1.weight"] / network.node("layer1").neuron.cm, rtol=1e-14)


def test_changed_delays_count_and_are_fixed_then():
    network, parameters = with_trained_delays(*own())
    graph = to_nir(network, parameters)
    graph.nodes["A_to_I_before"].delay[2] += 1e-3
    found = from_nir(graph)
    assert not any(name.endswith("delay") for name in found.parameters)
    before = parameters["A.axonal_delay"][:, None] + 0.7 + np.zeros((5, 4))
    np.testing.assert_allclose(found.graph.edge("A>I").delay, before + (np.arange(5) == 2)[:, None], rtol=1e-14)
    summed = parameters["E.axonal_delay"][:, None] + parameters["E>L.delay"]
    np.testing.assert_allclose(found.graph.edge("E>L").delay, summed, rtol=1e-14)
    assert_same_values({k: v for k, v in found.parameters.items()}, {k: v for k, v in parameters.items() if k.endswith("weight")})


def test_what_changed_too_much_is_refused():
    network, parameters = own()
    graph = to_nir(network, parameters)
    graph.nodes["I"].tau_syn = np.ones(3)
    with pytest.raises(InterchangeError, match="node 'I': tau_syn has shape .3,.; expected one value a neuron, of 4"):
        from_nir(graph)
    graph = to_nir(network, parameters)
    absent = np.argwhere(graph.nodes["A_to_L"].weight == 0)[0]
    graph.nodes["A_to_L"].weight[tuple(absent)] = 1.0
    with pytest.raises(InterchangeError, match="node 'A_to_L': the weight from element .* does not connect them"):
        from_nir(graph)
    graph = to_nir(network, parameters)
    graph.edges.append(("E", "A_to_L"))
    with pytest.raises(InterchangeError, match="before node 'A_to_L'|are not those that its metadata describe"):
        from_nir(graph)


def test_recurrent_networks():
    """Lateral inhibition and a loop of two populations: the same edges, and the same first spikes, come back."""
    network, parameters = recurrent(*own())
    assert network.has_cycles
    data = samples(network, 20)
    graph = to_nir(network, parameters)
    found = from_nir(graph)
    assert_same(found.graph, network)
    assert {("L", "L_to_L_before"), ("L_to_L_before", "L_to_L"), ("L_to_L", "L")} < set(graph.edges)
    shown = {"A": data.times["A"], "B/C": data.times["B/C"]}
    np.testing.assert_array_equal(ArrayNetwork(*found).present(shown).labels,
                                  ArrayNetwork(network, parameters).present(shown).labels)


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
    neuron = found.graph.node("n").neuron
    assert (neuron.tau_m, neuron.tau_syn, neuron.cm, neuron.v_rest, neuron.v_thresh) == (10.0, 5.0, 0.5, -1.0, 1.0)
    np.testing.assert_allclose(found.parameters["in>n.weight"], np.array([[1, 3, 5], [2, 4, 6]]) * np.array([1, 2, 4]) / 5,
                               rtol=1e-14)
    assert list(found.parameters) == ["in>n.weight"] and found.graph.inputs == ("in",)


def test_zeros_of_a_matrix_from_elsewhere_are_no_connections():
    w = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
    graph, parameters = from_nir(foreign(("w", nir.Linear(w)), ("n", cuba(3, w_in=5e-3))), 0.0, 10.0, time_step=0.0)
    assert graph.edge("in>n").pairs.tolist() == [[0, 0], [1, 1], [0, 2], [1, 2]]
    np.testing.assert_allclose(graph.edge("in>n").matrix(parameters["in>n.weight"]).T, w, rtol=1e-14)


def test_skips_and_loops_from_elsewhere():
    graph = foreign(LINEAR, ("n", cuba(3)), SQUARE, ("m", cuba(3)), ("skip", nir.Linear(np.ones((3, 2)))),
                    ("back", nir.Linear(np.eye(3))),
                    edges=[("in", "w"), ("w", "n"), ("n", "u"), ("u", "m"), ("in", "skip"), ("skip", "m"), ("m", "back"),
                           ("back", "n"),
                           ("m", "out")])
    found = from_nir(graph, 0.0, 10.0)
    assert {(edge.pre, edge.post) for edge in found.graph.edges} == {("in", "n"), ("n", "m"), ("in", "m"), ("m", "n")}
    assert found.graph.outputs == "m" and found.graph.has_cycles


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
    (lambda: foreign(LINEAR, ("n", cuba(3)), SQUARE, edges=[("in", "w"), ("w", "n"), ("n", "out"), ("n", "u")]),
     "node 'u' .Linear. is on no way"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), edges=[("in", "w"), ("w", "gone"), ("n", "out")]), "edge .* does not join two"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), ("out2", nir.Output(np.array([3])))), "2 nodes Output"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), n_in=5), "node 'w': weights of shape .3, 2.; expected .neurons, inputs. = .3, 5."),
    (lambda: foreign(("w", nir.Linear(np.ones((2, 3, 2)))), ("n", cuba(3))), "node 'w': weights of shape .2, 3, 2."),
    (lambda: foreign(("w", nir.Linear(np.full((3, 2), np.nan))), ("n", cuba(3))), "node 'w': 6 weights are not finite"),
    (lambda: foreign(("w", nir.Linear(np.full((3, 2), "a"))), ("n", cuba(3))), "node 'w': weight holds <U1, not real numbers"),
    (lambda: foreign(LINEAR, ("n", cuba(3, r=-1.0))), "node 'n': r = -1 must be positive"),
    (lambda: foreign(LINEAR, ("n", cuba(3, tau_mem=np.inf))), "node 'n': tau_mem holds values that are not finite"),
    (lambda: foreign(LINEAR, ("n", cuba(4))), "node 'n': tau_syn has shape .4,."),
    (lambda: foreign(LINEAR, ("n", cuba(3, v_threshold=0.0))), "node 'n', in ms, mV and nF: v_thresh .* above v_rest"),
    (lambda: foreign(("d", nir.Delay(np.full(2, -1.0))), LINEAR, ("n", cuba(3))), "node 'd': a delay must be 2 numbers"),
    (lambda: foreign(LINEAR, ("n", cuba(3)), ("m", cuba(3)), edges=[("in", "w"), ("w", "n"), ("n", "out")]),
     "node 'm' hears nothing"),
])
def test_what_does_not_map_is_named(graph, text):
    with pytest.raises(InterchangeError, match=text):
        from_nir(graph(), 0.0, 10.0)


def test_what_nir_cannot_hold_is_refused():
    network, parameters = chain()
    with pytest.raises(InterchangeError, match="time_step = nan ms"):
        to_nir(network, parameters, time_step=np.nan)
    unequal = replace(network.node("layer0"), neuron=LIFParameters(tau_m=[np.inf] + [10.0] * 29))
    mixed = replace(network, nodes=tuple(unequal if node.label == "layer0" else node for node in network.nodes))
    with pytest.raises(InterchangeError, match="1 of 30 neurons of 'layer0' have no leak"):
        to_nir(mixed, parameters)
    with pytest.raises(InterchangeError, match="does not say t_early"):
        from_nir(without_metadata(to_nir(network, parameters)))
    with pytest.raises(GraphError, match="bias0>layer0.weight missing"):
        to_nir(network, {name: array for name, array in parameters.items() if name != "bias0>layer0.weight"})
    large = layered(1000, (Layer(400, LIFParameters(), delays=("synaptic",), delay_std=1.0), Layer(2, LIFParameters())), 0.0, 1.0)
    with pytest.raises(InterchangeError, match="projection 'input>layer0': .*take delays of cells"):
        to_nir(large, initial_parameters(large, np.random.default_rng(0)))


def test_delays_are_nodes_in_seconds_before_or_after_the_weights():
    network, parameters = with_trained_delays(*own())
    graph = to_nir(network, parameters)
    element = np.zeros(10)  # A, B/C, 0
    element[:5] = parameters["A.axonal_delay"] + 0.7
    np.testing.assert_allclose(graph.nodes["A_to_I_before"].delay, element * 1e-3, rtol=1e-15)
    assert {("input", "A_to_I_before"), ("A_to_I_before", "A_to_I"), ("A_to_I", "I")} < set(graph.edges)
    np.testing.assert_allclose(graph.nodes["bias_after"].delay, parameters["E.dendritic_delay"] * 1e-3, rtol=1e-15)
    assert {("bias", "bias_after"), ("bias_after", "E")} < set(graph.edges)
    np.testing.assert_allclose(graph.nodes["I_to_L_after"].delay, np.array([0.5, 1.0, 1.5]) * 1e-3, rtol=1e-15)
    # Delays of connections: E>L is one Linear for each neuron of L, and B/C>I has two, for a pair may be connected twice.
    for n in range(3):
        w = graph.nodes[f"E_to_L_{n + 1}"].weight
        np.testing.assert_allclose(graph.nodes[f"E_to_L_{n + 1}_before"].delay,
                                   (parameters["E.axonal_delay"] + parameters["E>L.delay"][:, n]) * 1e-3, rtol=1e-14)
        assert w[n].all() and not np.delete(w, n, axis=0).any()
    found = from_nir(foreign(("d", nir.Delay(np.array([2e-3, 0.0]))), LINEAR, ("n", cuba(3))), 0.0, 10.0)
    np.testing.assert_allclose(found.graph.edge("in>n").delay, [[2.0] * 3, [0.0] * 3], rtol=1e-15)
    heard = ArrayNetwork(found.graph, {"in>n.weight": np.full((2, 3), 40.0)})
    first, later = heard.present(np.array([[1.0, np.inf], [np.inf, 3.0]])).labels
    assert np.isfinite(first).all()
    np.testing.assert_allclose(first, later, rtol=1e-12)  # 1 ms and a delay of 2 ms, or 3 ms
