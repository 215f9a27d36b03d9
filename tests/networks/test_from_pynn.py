"""A graph taken from PyNN objects: every connection where it is, and what is refused by name."""

import numpy as np
import pytest

from benchmarks.own_network import CELL
from benchmarks.own_network import build as own_network
from ttfs_pynn.errors import TTFSError
from ttfs_pynn.networks.from_pynn import take
from ttfs_pynn.simulators import simulator

LONG = {**CELL, "tau_refrac": 600.0}


@pytest.fixture
def sim():
    return simulator("exact").setup(0.1)


def cells(sim, n, label, **changes):
    return sim.Population(n, sim.IF_curr_exp(**{**LONG, **changes}), label=label)


def sources(sim, n, label, **parameters):
    return sim.Population(n, sim.SpikeSourceArray(**parameters), label=label)


def connect(sim, pre, post, label, weight=2.0, delay=0.5, connector=None, receptor="excitatory"):
    return sim.Projection(pre, post, connector or sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=delay),
                          receptor_type=receptor, label=label)


@pytest.mark.parametrize("backend", ["exact", "brian2", "nest"])
def test_every_connection_of_a_network_is_where_it_is(backend):
    """Of each projection: which pairs, their weights and delays, against what PyNN itself says."""
    pytest.importorskip(simulator(backend).needs, reason="make test-simulators installs it")
    sim = simulator(backend).setup(0.1)
    populations, projections = own_network(sim)
    taken = take(sim, projections, populations["L"], 1.0, 15.0)
    graph = taken.graph
    assert {node.label: node.size for node in graph.nodes} == {label: p.size for label, p in populations.items()}
    assert graph.inputs == ("A", "B") and graph.outputs == "L" and graph.groups == (("I",), ("E",), ("L",))
    assert {edge.label: edge.sign for edge in graph.edges} == {name: -1 if name[0] == "I" else 1 for name in projections}
    for name, projection in projections.items():
        edge = graph.edge(name)
        assert (edge.pre, edge.post) == (projection.pre.label, projection.post.label)
        for values, held in ((taken.parameters[f"{name}.weight"], "weight"), (np.broadcast_to(edge.delay, edge.shape), "delay")):
            # pyNN.nest 0.13 rounds delays to steps, and reports them so
            np.testing.assert_allclose(edge.matrix(values, absent=np.nan), projection.get(held, format="array"), rtol=1e-9)
    neuron = graph.node("E").neuron
    assert (neuron.tau_m, neuron.tau_syn, neuron.v_thresh, neuron.tau_refrac) == (20.0, 5.0, -50.0, 200.0)


def test_neurons_that_differ_and_sources_with_times(sim):
    tau_m = np.array([10.0, 20.0, 30.0])
    e = cells(sim, 3, "E", tau_m=tau_m)
    given = sources(sim, 2, "bias", spike_times=[[1.0, 3.0], [2.0]])
    once = sources(sim, 2, "once", spike_times=[[3.0], [2.0]])
    projections = [connect(sim, pre, e, f"{pre.label}>E") for pre in (sources(sim, 4, "A"), given, once)]
    graph = take(sim, projections, "E", 1.0, 15.0, train_times=["once"]).graph
    np.testing.assert_array_equal(graph.node("E").neuron.tau_m, tau_m)
    np.testing.assert_array_equal(graph.node("bias").times, [[1.0, 3.0], [2.0, np.inf]])
    np.testing.assert_array_equal(graph.node("once").times, [3.0, 2.0])
    assert graph.node("once").train_times and not graph.node("bias").train_times and graph.inputs == ("A",)


def test_an_excitatory_and_an_inhibitory_projection_are_one_signed_weight(sim):
    a, e = sources(sim, 4, "A"), cells(sim, 3, "E")
    w = np.random.default_rng(0).normal(0, 2, (4, 3))
    plus, minus = (connect(sim, a, e, label, 0.0, receptor=receptor) for label, receptor in (("plus", "excitatory"), ("minus",
                                                                                                                      "inhibitory")))
    plus.set(weight=np.maximum(w, 0))
    minus.set(weight=np.minimum(w, 0))
    later = connect(sim, a, e, "later", delay=0.7, weight=-1.0, receptor="inhibitory")  # of other delays: an edge of its own
    sparse = connect(sim, a, e, "sparse", connector=sim.FromListConnector([(0, 0), (1, 2)]))
    taken = take(sim, [plus, minus, later, sparse], e, 1.0, 15.0)
    assert [(edge.label, edge.sign) for edge in taken.graph.edges] == [("plus", 0), ("later", -1), ("sparse", 1)]
    np.testing.assert_array_equal(taken.parameters["plus.weight"], w)
    assert {(part.projection.label, part.edge, part.sign) for part in taken.parts} == {
        ("plus", "plus", 1), ("minus", "plus", -1), ("later", "later", -1), ("sparse", "sparse", 1)}


def test_views_and_assemblies_are_ends_of_projections(sim):
    """A view counts in its population, an assembly is one edge a population."""
    a, b, e, i = sources(sim, 5, "A"), sources(sim, 2, "B"), cells(sim, 4, "E"), cells(sim, 3, "I")
    rng = np.random.default_rng(1)
    projections = {"views": connect(sim, a[1:4], e[np.array([0, 3])], "views"),
                   "together": connect(sim, a + b, sim.Assembly(e, i, label="both"), "together"),
                   "within": connect(sim, e[0:2][np.array([1])], i[2:3], "within")}
    held = {name: rng.uniform(1, 2, (p.pre.size, p.post.size)) for name, p in projections.items()}
    for name, projection in projections.items():
        projection.set(weight=held[name])
    taken = take(sim, projections, i, 1.0, 15.0)
    graph = taken.graph

    def matrix(label):
        return graph.edge(label).matrix(taken.parameters[f"{label}.weight"], absent=np.nan)

    expected = np.full((5, 4), np.nan)
    expected[np.ix_([1, 2, 3], [0, 3])] = held["views"]
    np.testing.assert_array_equal(matrix("views"), expected)
    for pre, rows in (("A", slice(0, 5)), ("B", slice(5, 7))):
        for post, columns in (("E", slice(0, 4)), ("I", slice(4, 7))):
            assert graph.edge(f"together {pre}>{post}").pairs is None
            np.testing.assert_array_equal(matrix(f"together {pre}>{post}"), held["together"][rows, columns])
    expected = np.full((4, 3), np.nan)
    expected[1, 2] = held["within"][0, 0]
    np.testing.assert_array_equal(matrix("within"), expected)


def test_several_connections_of_a_pair_are_several(sim):
    a, e = sources(sim, 2, "A"), cells(sim, 2, "E")
    listed = [(1, 0, 3.0, 2.0), (0, 0, 1.0, 0.9), (1, 0, 4.0, 0.5), (0, 1, 2.0, 0.7), (1, 1, 9.0, 0.1)]
    taken = take(sim, [connect(sim, a, e, "A>E", connector=sim.FromListConnector(listed))], e, 1.0, 15.0)
    edge = taken.graph.edge("A>E")
    found = sorted(zip(*edge.pairs.T, taken.parameters["A>E.weight"], edge.delay, strict=True))
    assert found == sorted(listed) and edge.pairs.tolist() == sorted(edge.pairs.tolist(), key=lambda pair: pair[::-1])


def test_names_of_a_list_of_projections(sim):
    a, e, out = sources(sim, 2, "A"), cells(sim, 2, "E"), cells(sim, 2, "L")
    unnamed = [connect(sim, a, e, None), connect(sim, e, out, None), connect(sim, a, e, None, -1.0, 0.9, receptor="inhibitory")]
    graph = take(sim, unnamed, out, 1.0, 15.0).graph
    assert [edge.label for edge in graph.edges] == ["A>E", "E>L", "A>E inhibitory"]
    named = take(sim, dict(zip(("first", "second", "third"), unnamed, strict=True)), "L", 1.0, 15.0, train=[unnamed[1]],
                 train_delays=["first"]).graph
    assert {edge.label: (edge.train, edge.delay_range and edge.delay_range.longest) for edge in named.edges} == {
        "first": (False, 20.0), "second": (True, None), "third": (False, None)}


def plastic(sim):
    nest = pytest.importorskip("nest") and simulator("nest").setup(0.1)
    a, e = sources(nest, 2, "A"), cells(nest, 2, "E")
    synapse = nest.STDPMechanism(nest.SpikePairRule(), nest.AdditiveWeightDependence(), weight=1.0, delay=1.0)
    return nest, [nest.Projection(a, e, nest.AllToAllConnector(), synapse, label="A>E")], e


def conductance(sim):
    brian2 = pytest.importorskip("brian2") and simulator("brian2").setup(0.1)
    e = brian2.Population(2, brian2.IF_cond_exp(), label="E")
    return brian2, [connect(brian2, sources(brian2, 2, "A"), e, "A>E", 0.1)], e


def lone(sim):
    """Neurons that hear others of their kind alone."""
    e, out = cells(sim, 2, "E"), cells(sim, 2, "L")
    return sim, [connect(sim, e, out, "E>L"), connect(sim, sources(sim, 2, "A"), out, "A>L")], out


def into_sources(sim):
    a, e = sources(sim, 2, "A"), cells(sim, 2, "E")
    return sim, [connect(sim, a, e, "A>E")], a


REFUSED = {
    "conductances": (conductance,
                     "population 'E' is IF_cond_exp .conductances.: first-spike learning has derivatives of IF_curr_exp"),
    "plastic": (plastic, "projection 'A>E' has synapses of type STDPMechanism: .* use StaticSynapse"),
    "unreached": (lone, "'E': neurons that no projection reaches never spike"),
    "outputs of sources": (into_sources, "the outputs must be a population of neurons"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_names_the_population_and_the_way_out(sim, what):
    make, text = REFUSED[what]
    with pytest.raises(TTFSError, match=text) as error:
        module, projections, outputs = make(sim)
        take(module, projections, outputs, 1.0, 15.0)
    assert "\n" not in str(error.value)
