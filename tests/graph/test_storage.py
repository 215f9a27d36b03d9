"""A graph as arrays and a description, and back."""

import json
from dataclasses import fields

import numpy as np
import pytest

from ttfs_pynn.graph import DelayRange, Edge, Graph, GraphError, Layer, Node, layered
from ttfs_pynn.graph.storage import graph_of, stored
from ttfs_pynn.neuron import LIFParameters


def everything():
    """A graph in which every field is something."""
    mixed = LIFParameters(tau_m=[10.0, np.inf, 20.0], v_thresh=[-50.0, -49, -48], tau_refrac=3.0)
    nodes = (Node("A", 3, axonal_delay=DelayRange(5.0, 1.0, 0.5)), Node("bias", 2, times=[[1.0, 2.0], [3.0, np.inf]]),
             Node("moved", 1, times=[0.1 + 0.2], train_times=True),
             Node("E", 3, mixed, dendritic_delay=DelayRange(4.0), weight_mean=[1.0, 2, 3], weight_std=0.5),
             Node("out>er", 2, LIFParameters(tau_m=np.inf)))
    edges = (Edge("A>E", "A", "E", np.array([[0, 0], [2, 0], [1, 2]]), 1, [1.0, 2, 3], True, DelayRange(6.0, None)),
             Edge("b", "bias", "E", delay=1 / 3, train=False), Edge("m", "moved", "E"), Edge("E E", "E", "E", sign=-1, delay=1.0),
             Edge("empty", "A", "out>er", np.empty((0, 2), int)), Edge("last", "E", "out>er", delay=np.arange(6.0).reshape(3, 2)))
    return Graph(nodes, edges, "out>er", 1.5, 20.0)


def assert_equal(a, b):
    if isinstance(a, Node | Edge | LIFParameters | DelayRange):
        assert type(a) is type(b)
        for field in fields(a):
            assert_equal(getattr(a, field.name), getattr(b, field.name))
    elif np.ndim(a) or np.ndim(b):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
    else:
        assert a == b and type(a) is type(b), (a, b)


@pytest.mark.parametrize("graph", [everything(), layered(4, (Layer(3, LIFParameters(), (1.5, 9.0)),), 1.5, 20.0)])
def test_a_graph_returns_to_the_bit(graph):
    """Through JSON; integers of NumPy, arrays, infinities and None included."""
    arrays, description = stored(graph)
    again = graph_of(arrays, json.loads(json.dumps(description)))
    assert (again.outputs, again.t_early, again.t_late) == (graph.outputs, graph.t_early, graph.t_late)
    for name in ("nodes", "edges"):
        assert len(getattr(again, name)) == len(getattr(graph, name)) > 0
        for a, b in zip(getattr(graph, name), getattr(again, name), strict=True):
            assert_equal(a, b)


def test_sizes_of_numpy():
    graph = layered(np.int64(4), (Layer(np.int32(3), LIFParameters()),), 1.5, 20.0)
    arrays, description = stored(graph)
    assert graph_of(arrays, json.loads(json.dumps(description))).node("layer0").size == 3



@pytest.mark.parametrize("change, text", [
    (lambda a, d: d.update(format=2), "a graph of format 2; this version reads 1"),
    (lambda a, d: d.pop("outputs"), "this is no stored graph: KeyError"),
    (lambda a, d: a.pop("A>E.pairs"), "this is no stored graph: KeyError"),
    (lambda a, d: d["edges"][0].update(colour="red"), "this is no stored graph: TypeError"),
    (lambda a, d: d["edges"][0].update(train="yes"), "this is no stored graph: TypeError.*train"),
    (lambda a, d: d["edges"][0].update(sign="plus"), "this is no stored graph: TypeError.*sign"),
    (lambda a, d: a.update({"A>E.pairs": a["A>E.pairs"] + 5}), "edge 'A>E' connects cells up to"),
    (lambda a, d: d["edges"][0].update(post="X"), "unknown population 'X'"),
    (lambda a, d: d["nodes"][3].update(size="many"), "this is no stored graph: TypeError.*size"),
    (lambda a, d: d["nodes"][3]["neuron"].update(cm=-1.0), "cm = -1.0 must be positive"),
    (lambda a, d: d["nodes"][3].update(neuron=7), "this is no stored graph"),
    (lambda a, d: d["nodes"][0].update(axonal_delay={"longest": -1.0}), "longest -1.0 ms"),
    (lambda a, d: d["nodes"][0].update(label=["a"]), "this is no stored graph|label"),
    (lambda a, d: d["nodes"][3].update(weight_mean="much"), "no stored graph|weight_mean"),
    (lambda a, d: d.update(t_late=None), "no stored graph|t_late|that is none"),
    (lambda a, d: d.update(nodes=[]), "unknown population|outputs")])
def test_what_is_no_stored_graph(change, text):
    arrays, description = stored(everything())
    description = json.loads(json.dumps(description))
    change(arrays, description)
    with pytest.raises(GraphError, match=text) as error:
        graph_of(arrays, description)
    assert "\n" not in str(error.value)
