"""What a population hears: matrices, rows and the recurrent way are the same mathematics, whatever the edges look like."""

from dataclasses import replace

import numpy as np
import pytest

from tests.first_spike.test_small_cases import layer, neuron_of
from tests.small_networks import assert_same
from ttfs_pynn.first_spike import delayed_first_spike_times, first_spike_times
from ttfs_pynn.graph import Edge, Graph, Layer, Node, layered
from ttfs_pynn.graph.parameters import Delays, delays_of
from ttfs_pynn.networks import afferents
from ttfs_pynn.networks.afferents import _one_below_the_other, afferents_of, ideal_spikes
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.first_spikes import FirstSpikes

INF = np.inf


def case(kind, share=0.6, several=False, seed=0):
    """(graph, parameters, spikes of the sources) of two populations of sources that lead to four neurons that differ, one edge
    sparse, one dense; kind: of delays."""
    rng = np.random.default_rng(seed)
    neuron = LIFParameters(tau_m=np.array([2.0, 1.0, 3.0, INF]), tau_syn=1.0, v_rest=0.0, v_thresh=1.0)
    pairs = np.argwhere(rng.random((4, 6)) < share)[:, ::-1]
    assert len(pairs) and (np.bincount(pairs[:, 1], minlength=4) > 0).all()
    edges = (Edge("sparse", "a", "n", pairs), Edge("dense", "b", "n"))
    graph = Graph((Node("a", 6), Node("b", 3), Node("n", 4, neuron)), edges, "n", 0, 4)
    mean = 0.2 if several else 0.6
    parameters = {"sparse.weight": rng.normal(mean, 1.0, len(pairs)), "dense.weight": rng.normal(mean, 1.0, (3, 4))}
    delays = {"sparse": Delays(0.25), "dense": Delays(0.25)}
    if kind == "axonal":
        delays = {"sparse": Delays(rng.uniform(0, 1, 6)), "dense": Delays(rng.uniform(0, 1, 3))}
    elif kind == "dendritic":
        delays = {label: Delays(0.25, np.linspace(0, 1, 4)) for label in delays}
    elif kind == "synaptic":
        delays = {"sparse": Delays(0.25, np.linspace(0, 1, 4), rng.uniform(0, 1, len(pairs))),
                  "dense": Delays(rng.uniform(0, 1, 3), np.linspace(0, 1, 4), rng.uniform(0, 1, (3, 4)))}
    elif kind == "synaptic of the dense edge":
        delays["dense"] = Delays(0.25, None, rng.uniform(0, 1, (3, 4)))
    shape = (15, 6, 3) if several else (15, 6)
    a = rng.uniform(0, 4, shape)
    a[rng.random(shape) < 0.3] = INF
    a = np.sort(a, axis=-1) if several else a
    return graph, parameters, FirstSpikes({"a": a, "b": rng.uniform(0, 4, (15, 3))}, "n", delays, 30.0)


def everything(part, spikes, parameters):
    """All that a group of populations computes, by name."""
    answered = spikes.with_times(part.first_spikes(spikes, parameters))
    rng = np.random.default_rng(1)
    errors = {label: np.where(np.isfinite(answered[label]), rng.normal(size=answered[label].shape), 0.0) for label in part.group}
    back = part.backward(answered, parameters, errors, INF)
    limited = part.backward(answered, parameters, errors, 0.05)
    steps = part.peak_steps(answered, parameters, {label: np.isinf(answered[label]) for label in part.group}, 1.25)
    assert 0.1 < np.mean([np.isfinite(answered[label]).mean() for label in part.group]) < 1
    assert limited.dropped > back.dropped == 0
    return {**{f"T {label}": answered[label] for label in part.group}, **{f"dw {label}": w for label, w in back.weights.items()},
            **{f"dw limited {label}": w for label, w in limited.weights.items()}, "dropped": np.array(limited.dropped),
            **{f"dd {label}": d for label, d in back.delays.items()}, **{f"dt {label}": t for label, t in back.inputs.items()},
            **{f"steps {label}": step for label, step in steps.items()}}


# Where max_dw leaves contributions out, matrices look at pairs that are not connected too.
LIMITED = ("dropped", "dw limited sparse", "dw limited dense")
KINDS = ["none", "axonal", "dendritic", "synaptic of the dense edge", "synaptic"]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_matrices_and_rows_are_the_same(monkeypatch, kind, absent, several):
    """Rows of a population whose edges would do as matrices, and the other way round."""
    graph, parameters, spikes = case(kind, 0.6 if absent else 1.1, several)
    found = []
    for from_share in (0.0, 1.1):
        monkeypatch.setattr(afferents, "DENSE_FROM", from_share)
        (part,) = afferents_of(graph)
        found.append(everything(part, spikes, parameters))
        assert part._in_rows(spikes) == (from_share > 1 or kind == "synaptic")  # delays of a sparse edge's connections need rows
    dense, rows = found
    common = {name: array for name, array in rows.items() if name in dense and not (absent and name in LIMITED)}
    assert set(dense) <= set(rows) and common["dw sparse"].shape == (len(graph.edges[0].pairs),)
    for name, array in common.items():
        assert np.any(dense[name]), name
        np.testing.assert_allclose(array, dense[name], rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("kind", ["none", "axonal", "dendritic"])
def test_fields_and_rows_are_the_same(monkeypatch, kind, own, several):
    """Neurons that hear the same sources, of which two and three share a field and one has another edge besides; own: unequal
    neurons. Delays of neurons need rows."""
    rng = np.random.default_rng(3)
    tau_m, cm = (np.linspace(2.0, 3.0, 6), np.linspace(0.8, 1.2, 6)) if own else (2.0, 1.0)
    neuron = LIFParameters(tau_m=tau_m, tau_syn=1.0, cm=cm, v_rest=0.0, v_thresh=1.0)
    members = {0: (0, 2, 3, 5), 4: (1, 2, 3), 2: (1, 2, 3), 1: (0, 2, 3, 5), 5: (0, 2, 3, 5), 3: ()}
    pairs = np.array([(pre, post) for post in range(6) for pre in members[post]])
    graph = Graph((Node("a", 6), Node("b", 1), Node("n", 6, neuron)),
                  (Edge("fields", "a", "n", pairs), Edge("one", "b", "n", np.array([[0, 3]]))), "n", 0, 4)
    parameters = {"fields.weight": rng.normal(0.2 if several else 0.6, 1.0, len(pairs)), "one.weight": np.array([1.5])}
    dendritic = np.linspace(0, 1, 6) if kind == "dendritic" else None
    delays = {"fields": Delays(rng.uniform(0, 1, 6) if kind == "axonal" else 0.25, dendritic), "one": Delays(0.25, dendritic)}
    shape = (15, 6, 3) if several else (15, 6)
    spikes = FirstSpikes({"a": np.sort(rng.uniform(0, 4, shape), axis=-1) if several else rng.uniform(0, 4, shape),
                          "b": rng.uniform(0, 4, (15, 1))}, "n", delays, 30.0)
    monkeypatch.setattr(afferents, "DENSE_FROM", 1.1)
    found = []
    for neurons_from in (2.0, 2.5):
        monkeypatch.setattr(afferents, "FIELDS_FROM", neurons_from)
        (part,) = afferents_of(graph)
        found.append(everything(part, spikes, parameters))
        assert (part.fields is not None) == (neurons_from == 2.0)
    of_fields, rows = found
    assert set(of_fields) == set(rows)
    for name, array in of_fields.items():
        np.testing.assert_allclose(array, rows[name], rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cycle_of_weights_of_zero_is_none(monkeypatch, kind, several):
    """The recurrent way of a network whose neurons hear each other, but nothing of each other."""
    graph, parameters, spikes = case(kind, several=several)
    monkeypatch.setattr(afferents, "DENSE_FROM", 1.1)
    edge = Edge("ring", "n", "n", np.array([[3, 0], [0, 1], [1, 2], [2, 3]]), delay=0.1)
    ring = Graph(graph.nodes, (*graph.edges, edge), "n", 0, 4)
    line = Graph((*graph.nodes, Node("copy", 4)), (*graph.edges, replace(ring.edge("ring"), pre="copy")), "n", 0, 4)
    looped = replace(spikes, delays={**spikes.delays, "ring": Delays(0.1, spikes.delays["dense"].dendritic)})
    parameters = parameters | {"ring.weight": np.zeros(4)}
    (part,), (plain,), (alone,) = (afferents_of(of) for of in (ring, line, graph))
    assert part.is_cycle and not plain.is_cycle
    answered = alone.first_spikes(spikes, parameters)["n"]
    found, expected = everything(part, looped, parameters), everything(plain, looped.with_times({"copy": answered}), parameters)
    assert np.any(found["dw ring"])  # what a weight would do that is not there yet
    np.testing.assert_allclose(found["T n"], answered, rtol=1e-9)
    assert set(expected) - set(found) == {"dt ring"} and not expected["dt ring"].any()
    for name, array in found.items():
        if name in expected:
            np.testing.assert_allclose(array, expected[name], rtol=1e-9, atol=1e-10, err_msg=name)


def test_sources_of_several_spikes_are_several_sources():
    """The same as cells of one spike each with the same weights, whose gradients add up."""
    graph, parameters, spikes = case("axonal", several=True)
    (part,) = afferents_of(graph)
    found = everything(part, spikes, parameters)
    pairs = graph.edges[0].pairs
    many = np.concatenate([pairs * [3, 1] + [k, 0] for k in range(3)])
    order = np.lexsort(many.T)
    apart = Graph((Node("a", 18), *graph.nodes[1:]), (Edge("sparse", "a", "n", many[order]), graph.edges[1]), "n", 0, 4)
    weights = parameters | {"sparse.weight": np.tile(parameters["sparse.weight"], 3)[order]}
    delays = spikes.delays | {"sparse": Delays(np.repeat(spikes.delays["sparse"].axonal, 3))}
    once = FirstSpikes({**spikes.times, "a": spikes["a"].reshape(15, 18)}, "n", delays, 30.0)
    (other,) = afferents_of(apart)
    expected = everything(other, once, weights)
    for name in ("T n", "dw dense", "dt dense"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found["dt sparse"].reshape(15, 18), expected["dt sparse"], rtol=1e-9, atol=1e-10)
    back = np.empty(len(many))
    back[order] = expected["dw sparse"]
    np.testing.assert_allclose(found["dw sparse"], back.reshape(3, -1).sum(axis=0), rtol=1e-9, atol=1e-10)


def test_times_of_a_population_that_waits_for_delays():
    t, w = layer(9, 5)
    neuron, delays = neuron_of(2.0), np.linspace(0, 1, 25).reshape(5, 5)
    graph, parameters = layered(5, (Layer(5, neuron),), 0.0, 4.0), {"input>layer0.weight": w}
    (part,) = afferents_of(graph)

    def answer(of, **changes):
        spikes = replace(FirstSpikes({"input": t}, "layer0", {"input>layer0": of}), **changes)
        return part.first_spikes(spikes, parameters)["layer0"]

    expected = first_spike_times(t + 0.25, w, neuron)
    assert np.isfinite(expected).sum() > 5
    np.testing.assert_array_equal(answer(Delays(0.25)), expected)
    np.testing.assert_array_equal(answer(Delays(0.25, None, delays)), delayed_first_spike_times(t + 0.25, w, delays, neuron))
    deadline = np.median(expected[np.isfinite(expected)])
    np.testing.assert_array_equal(answer(Delays(0.25), deadline=deadline), np.where(expected < deadline, expected, INF))


def test_populations_are_gone_through_from_causes_to_effects():
    """Two populations that hear each other are one group; what they were recorded to send may be given instead."""
    rng, neuron = np.random.default_rng(3), neuron_of(2.0)
    edges = (Edge("in>a", "in", "a"), Edge("a>b", "a", "b", delay=0.3), Edge("b>a", "b", "a", delay=0.3),
             Edge("b>out", "b", "out"))
    graph = Graph((Node("out", 2, neuron), Node("b", 3, neuron), Node("a", 4, neuron), Node("in", 5)), edges, "out", 0.0, 4.0)
    parameters = {f"{edge.label}.weight": rng.normal(1.5, 1.0, edge.sizes) for edge in graph.edges}
    parts = afferents_of(graph)
    assert [set(part.group) for part in parts] == [{"a", "b"}, {"out"}] and [part.is_cycle for part in parts] == [True, False]
    sources = FirstSpikes({"in": rng.uniform(0, 4, (10, 5))}, "out", delays_of(graph, parameters))
    spikes = ideal_spikes(parts, sources, parameters)
    assert set(spikes.times) == {"in", "a", "b", "out"} and np.isfinite(spikes.labels).mean() > 0.3
    a = first_spike_times(np.concatenate([spikes["in"], spikes["b"] + 0.3], axis=1),
                          np.concatenate([parameters["in>a.weight"], parameters["b>a.weight"]]), neuron)
    np.testing.assert_allclose(spikes["a"], a, rtol=1e-9)  # each is right, given what all others did
    np.testing.assert_allclose(spikes["b"], first_spike_times(spikes["a"] + 0.3, parameters["a>b.weight"], neuron), rtol=1e-9)
    moved = spikes.with_times({"b": spikes["b"] + 1.0})
    answers = parts[0].answers(moved, parameters)
    np.testing.assert_allclose(answers["b"], spikes["b"], rtol=1e-9)
    assert not np.array_equal(answers["a"], spikes["a"])
    assert_same(parts[1].answers(spikes, parameters), {"out": spikes["out"]})


def test_an_edge_without_connections_and_neurons_that_hear_nothing():
    """A population some of whose neurons nobody reaches: they are silent, and nothing else is touched."""
    neuron, pairs = neuron_of(2.0), np.array([[0, 1], [1, 1]])
    graph = Graph((Node("a", 2), Node("b", 2), Node("n", 3, neuron)), (Edge("some", "a", "n", pairs),
                  Edge("none", "b", "n", np.empty((0, 2), int))), "n", 0.0, 4.0)
    parameters = {"some.weight": np.array([3.0, 3.0]), "none.weight": np.empty(0)}
    (part,) = afferents_of(graph)
    spikes = FirstSpikes({"a": np.array([[0.5, 1.0]]), "b": np.ones((1, 2))}, "n", delays_of(graph, parameters))
    spikes = spikes.with_times(part.first_spikes(spikes, parameters))
    np.testing.assert_array_equal(np.isfinite(spikes["n"]), [[False, True, False]])
    back = part.backward(spikes, parameters, {"n": np.where(np.isfinite(spikes["n"]), 1.0, 0.0)}, INF)
    assert back.weights["some"].any() and back.weights["none"].shape == (0,) and not back.inputs["none"].any()


def test_weights_that_lie_one_below_the_other_are_not_copied():
    room = np.arange(40.0)
    first, second, last = room[4:12].reshape(2, 4), room[12:24].reshape(3, 4), room[24:28].reshape(1, 4)
    joined = _one_below_the_other([first, second, last])
    np.testing.assert_array_equal(joined, room[4:28].reshape(6, 4))
    assert np.shares_memory(joined, room)
    apart = [[second, first], [first, last], [first, second[::-1]], [first.copy(), second.copy()], [first[:, :2], second[:, :2]]]
    for matrices in apart:
        joined = _one_below_the_other(matrices)
        np.testing.assert_array_equal(joined, np.concatenate(matrices))
        assert not np.shares_memory(joined, room)
