"""Nodes, edges, the order of groups; and what is no graph, in one line each."""

from dataclasses import replace

import numpy as np
import pytest

from ttfs_pynn.graph import DelayRange, Edge, Graph, GraphError, Node
from ttfs_pynn.neuron import LIFParameters

NEURON = LIFParameters()


def graph_of(edges, neurons="abcd", sources=("in",), outputs="d", sizes=2):
    """A graph of populations that are called by letters; edges: 'ab' leads from a to b."""
    nodes = [*(Node(label, sizes) for label in sources), *(Node(label, sizes, NEURON) for label in neurons)]
    ends = [(pre, post) for pre, post in (edge if isinstance(edge, tuple) else tuple(edge) for edge in edges)]
    return Graph(tuple(nodes), tuple(Edge(f"{pre}>{post}", pre, post) for pre, post in ends), outputs, 1.0, 20.0)


@pytest.mark.parametrize("edges, groups, cycles", [
    ([("in", "a"), "ab", "bc", "cd"], [("a",), ("b",), ("c",), ("d",)], []),
    ([("in", "d"), "dc", "cb", "ba"], [("d",), ("c",), ("b",), ("a",)], []),
    ([("in", "a"), "ab", "ac", "bd", "cd", ("in", "d")], [("a",), ("b",), ("c",), ("d",)], []),
    ([("in", "a"), "aa", "ab", "bc", "cd"], [("a",), ("b",), ("c",), ("d",)], [("a",)]),
    ([("in", "a"), "ab", "bc", "cb", "cd"], [("a",), ("b", "c"), ("d",)], [("b", "c")]),
    ([("in", "a"), "ab", "bc", "cd", "da"], [("a", "b", "c", "d")], [("a", "b", "c", "d")]),
    ([("in", "a"), "ab", "ba", "bc", "cd", "dc"], [("a", "b"), ("c", "d")], [("a", "b"), ("c", "d")])])
def test_causes_come_first_and_what_depends_on_itself_is_one_group(edges, groups, cycles):
    graph = graph_of(edges)
    assert sorted(graph.groups) == sorted(groups)
    place = {label: k for k, group in enumerate(graph.groups) for label in group}
    assert all(place[edge.pre] <= place[edge.post] for edge in graph.edges if edge.pre in place)
    assert [group for group in graph.groups if graph.is_cycle(group)] == cycles
    assert graph.has_cycles == bool(cycles)


def test_what_a_graph_is_asked():
    nodes = (Node("A", 3), Node("bias", 2, times=[1.0, 2.0]), Node("E", 4, NEURON), Node("L", 2, NEURON))
    pairs = np.array([[0, 0], [2, 0], [1, 3], [1, 3]])
    graph = Graph(nodes, (Edge("A>E", "A", "E", pairs, sign=1, delay=[1, 2, 3, 4]), Edge("bias>E", "bias", "E"), Edge("E>L", "E",
                                                                                                                      "L"),
                          Edge("A>L", "A", "L", delay=np.full((3, 2), 0.5))), "L", 1.0, 20.0)
    assert graph.inputs == ("A",) and graph.n_classes == 2 and [node.label for node in graph.sources] == ["A", "bias"]
    assert [edge.label for edge in graph.afferents("L")] == ["E>L", "A>L"]
    assert [edge.label for edge in graph.efferents("A")] == ["A>E", "A>L"]
    sparse, dense = graph.edge("A>E"), graph.edge("E>L")
    assert sparse.shape == (4,) == (sparse.n_connections,) and dense.shape == (4, 2) and dense.n_connections == 8
    np.testing.assert_array_equal(sparse.pre_index, [0, 2, 1, 1])
    np.testing.assert_array_equal(sparse.post_index, [0, 0, 3, 3])
    np.testing.assert_array_equal(np.stack([dense.pre_index, dense.post_index], axis=1), np.argwhere(np.ones((4, 2))))
    expected = np.array([[1.0, 0, 0, 0], [0, 0, 0, 7], [2, 0, 0, 0]])
    np.testing.assert_array_equal(sparse.matrix(np.array([1.0, 2, 3, 4])), expected)
    np.testing.assert_array_equal(np.isnan(sparse.matrix(np.ones(4), absent=np.nan)), expected == 0)
    assert graph.edge("A>L").delay == 0.5  # equal delays are one number
    for label in ("pairs", "delay"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(sparse, label)[0] = 3
    with pytest.raises(GraphError, match="unknown projection 'E>M'; did you mean 'E>L'"):
        graph.edge("E>M")
    with pytest.raises(GraphError, match="unknown population 'M'"):
        graph.node("M")


def test_arrays_that_were_given_can_be_changed_afterwards():
    """A graph has arrays of its own."""
    pairs, times, delays = np.array([[0, 0], [1, 1]]), np.array([1.0, 2.0]), np.array([1.0, 2.0])
    edge, node = Edge("e", "a", "b", pairs, delay=delays), Node("a", 2, times=times)
    pairs[:], times[:], delays[:] = 0, 9.0, 9.0
    assert edge.pairs.tolist() == [[0, 0], [1, 1]] and node.times.tolist() == [1, 2] and list(edge.delay) == [1, 2]


A, B = Node("a", 2), Node("b", 3, NEURON)
AB = Edge("e", "a", "b")
BAD = {
    "no cells": (lambda: Node("a", 0), "population 'a' of 0 cells: give an integer, at least 1"),
    "half a cell": (lambda: Node("a", 2.5), "population 'a' of 2.5 cells"),
    "neurons with times": (lambda: Node("a", 2, NEURON, times=[1, 2]), "population 'a' has neurons and spike times"),
    "times of fewer": (lambda: Node("a", 2, times=[1.0]),
                       r"times of the spike sources 'a' have shape \(1,\); expected \(2,\) or \(2, sp"),
    "negative times": (lambda: Node("a", 2, times=[1.0, -2.0]), "'a' must be zero or more, .*; found -2 ms"),
    "trained silence": (lambda: Node("a", 2, times=[1.0, np.inf], train_times=True), "finite if they are trained; found inf ms"),
    "trained data": (lambda: Node("a", 2, train_times=True),
                     "train_times of the spike sources 'a', whose times come with the data"),
    "sources that hear": (lambda: Node("a", 2, dendritic_delay=DelayRange()), "spike sources 'a' hear nothing"),
    "parameters of others": (lambda: Node("a", 2, LIFParameters(tau_m=[1.0, 2, 3])), "do not fit 2 neurons"),
    "weights of others": (lambda: Node("b", 3, NEURON, weight_mean=[1.0, 2]),
                          "weight_mean of population 'b' = .*: give a finite number, or 3"),
    "negative spread": (lambda: Node("b", 3, NEURON, weight_std=-1.0), "weight_std of population 'b' = -1.0: .*, zero or more"),
    "weights in words": (lambda: Node("b", 3, NEURON, weight_mean="much"), "weight_mean of population 'b' = much"),
    "a sign": (lambda: replace(AB, sign=2), "sign = 2 of edge 'e': give 1, -1, or 0 for any"),
    "pairs of three": (lambda: replace(AB, pairs=np.zeros((2, 3), int)), r"pairs of edge 'e' have shape \(2, 3\)"),
    "half pairs": (lambda: replace(AB, pairs=[[0.5, 1]]), "and type float64; expected .connections, 2. integers"),
    "unsorted": (lambda: replace(AB, pairs=[[0, 1], [0, 0]]),
                 r"must be sorted by post, then by pre: pairs\[np.lexsort\(pairs.T\)\]"),
    "unsorted pre": (lambda: replace(AB, pairs=[[1, 0], [0, 0]]), "must be sorted by post, then by pre"),
    "negative delay": (lambda: replace(AB, delay=-1.0), "delays of edge 'e' must be zero or more, and finite"),
    "endless delay": (lambda: replace(AB, delay=[1.0, np.inf]), "delays of edge 'e' must be zero or more, and finite"),
    "delay in mV": (lambda: DelayRange(longest=-1.0), "longest -1.0 ms: need"),
    "no such end": (lambda: Graph((A, B), (Edge("e", "a", "c"),), "b", 1, 2), "edge 'e': unknown population 'c'"),
    "to sources": (lambda: Graph((A, B), (AB, Edge("f", "b", "a")), "b", 1, 2),
                   "edge 'f' leads to the spike sources 'a', which take"),
    "cells beyond": (lambda: Graph((A, B), (replace(AB, pairs=[[0, 3]]),), "b", 1, 2),
                     r"'e' connects cells up to \[0 3\] of populations"),
    "cells before": (lambda: Graph((A, B), (replace(AB, pairs=[[-1, 0]]),), "b", 1, 2), "edge 'e' connects cells"),
    "delays of others": (lambda: Graph((A, B), (replace(AB, delay=[1.0, 2.0]),), "b", 1, 2),
                         r"have shape \(2,\); expected \(2, 3\), or a"),
    "a short range": (lambda: Graph((A, B), (replace(AB, delay=3.0, delay_range=DelayRange(2.0)),), "b", 1, 2),
                      "edge 'e' has delays up to 3 ms, to be trained up to 2 ms; let the range include them"),
    "one label twice": (lambda: Graph((A, B, A), (AB,), "b", 1, 2), "several populations have the label 'a'; give each its own"),
    "one edge twice": (lambda: Graph((A, B), (AB, AB), "b", 1, 2), "several projections have the label 'e'"),
    "no outputs": (lambda: Graph((A, B), (AB,), "c", 1, 2),
                   "the outputs must be a population of neurons: unknown population 'c'"),
    "outputs of sources": (lambda: Graph((A, B), (AB,), "a", 1, 2), "the outputs must be a population of neurons"),
    "unreached": (lambda: Graph((A, B, Node("c", 1, NEURON)), (AB,), "b", 1, 2),
                  "'c': neurons that no projection reaches never spike"),
    "no sources": (lambda: Graph((B,), (Edge("e", "b", "b"),), "b", 1, 2), "no spike sources: a network needs"),
    "late before early": (lambda: Graph((A, B), (AB,), "b", 3, 2), "input times from 3 to 2 ms; need 0 <= t_early <= t_late"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_graphs(what):
    do, text = BAD[what]
    with pytest.raises(ValueError, match=text) as error:
        do()
    assert "\n" not in str(error.value)
