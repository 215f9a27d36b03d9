"""What a graph learns, by name: shapes, ranges, delays of each connection."""

import numpy as np
import pytest

from tests.small_networks import assert_same
from ttfs_pynn.graph import DelayRange, Edge, Graph, GraphError, Node
from ttfs_pynn.graph.parameters import (
    Delays,
    check_parameters,
    delay_ranges,
    delays_of,
    names_of,
    shapes_of,
    summed_delays,
    times_of,
    trained_names,
    within_ranges,
)
from ttfs_pynn.neuron import LIFParameters

NEURON = LIFParameters()
PAIRS = np.array([[0, 0], [2, 0], [1, 3], [1, 3]])


@pytest.fixture
def graph():
    nodes = (Node("A", 3, axonal_delay=DelayRange(5.0)), Node("bias", 2, times=[1.0, 2.0], train_times=True),
             Node("E", 4, NEURON, dendritic_delay=DelayRange(4.0)), Node("L", 2, NEURON))
    edges = (Edge("A>E", "A", "E", PAIRS, sign=1, delay=[1.0, 2, 3, 4], delay_range=DelayRange(6.0, None)),
             Edge("bias>E", "bias", "E", delay=0.5, train=False), Edge("E>L", "E", "L", sign=-1, delay=np.arange(8.0).reshape(4,
                                                                                                                              2)))
    return Graph(nodes, edges, "L", 1.0, 20.0)


@pytest.fixture
def parameters():
    return {"A>E.weight": np.arange(4.0), "bias>E.weight": np.ones((2, 4)), "E>L.weight": -np.ones((4, 2)),
            "A>E.delay": np.arange(4.0),
            "A.axonal_delay": np.array([0.1, 0.2, 0.3]), "E.dendritic_delay": np.array([1.0, 2, 3, 4]),
            "bias.times": np.array([3.0, 4])}


def test_names_and_shapes(graph, parameters):
    assert shapes_of(graph) == {name: array.shape for name, array in parameters.items()}
    assert names_of(graph)[:3] == ["A>E.weight", "bias>E.weight", "E>L.weight"]
    assert set(names_of(graph)) - set(trained_names(graph)) == {"bias>E.weight"}
    assert {name: delays.longest for name, _, delays in delay_ranges(graph)} == {
        "A.axonal_delay": 5, "E.dendritic_delay": 4, "A>E.delay": 6}


def test_delays_add_up(graph, parameters):
    """d = delay of the connection + axonal of the cell + dendritic of the neuron + what the simulator cannot do without."""
    found = delays_of(graph, parameters, 0.25)
    each = summed_delays(graph.edge("A>E"), found["A>E"])
    np.testing.assert_allclose(each, 0.25 + np.arange(4) + np.array([0.1, 0.2, 0.3])[PAIRS[:, 0]] + np.array([1, 2, 3,
                                                                                                              4])[PAIRS[:, 1]])
    np.testing.assert_allclose(summed_delays(graph.edge("bias>E"), found["bias>E"]), np.tile(0.75 + np.arange(1, 5), (2, 1)))
    np.testing.assert_allclose(summed_delays(graph.edge("E>L"), found["E>L"]), 0.25 + np.arange(8).reshape(4, 2))
    assert summed_delays(graph.edge("E>L"), Delays(2.0)) == 2.0
    np.testing.assert_array_equal(times_of(graph, "bias", parameters), [3, 4])
    assert times_of(graph, "A", parameters) is None and times_of(graph, "bias", {}).tolist() == [1, 2]


def test_ranges_and_signs(graph, parameters):
    wild = {name: 10 * array - 5 for name, array in parameters.items()}
    kept = {name: array.copy() for name, array in wild.items()}
    found = within_ranges(graph, wild)
    assert_same(wild, kept)
    assert_same(found, {"A>E.weight": [0, 5, 15, 25], "bias>E.weight": np.full((2, 4), 5.0), "E>L.weight": np.full((4, 2), -15.0),
                        "A>E.delay": [0, 5, 6, 6], "A.axonal_delay": [0, 0, 0], "E.dendritic_delay": [4, 4, 4, 4],
                        "bias.times": [20, 20]}, atol=1e-12)
    positive = within_ranges(graph, parameters | {"E>L.weight": np.ones((4, 2))})["E>L.weight"]
    assert not positive.any() and not np.signbit(positive + 0.0).any()


def test_checked_parameters_are_floats_in_order(graph, parameters):
    given = dict(reversed(parameters.items())) | {"A>E.weight": [0, 1, 2, 3]}
    found = check_parameters(graph, given)
    assert list(found) == names_of(graph) and all(array.dtype == float for array in found.values())
    assert_same(found, parameters)


@pytest.mark.parametrize("change, text", [
    ({"A>E.weight": None}, "A>E.weight missing: give all parameters of the network"),
    ({"A>E.weigth": np.ones(4)}, "unknown parameter 'A>E.weigth'; did you mean 'A>E.weight'"),
    ({"A>E.weight": np.ones((3, 4))}, r"A>E.weight has shape \(3, 4\); expected \(4,\)"),
    ({"A>E.weight": [0, np.nan, np.inf, 1]}, "A>E.weight holds 2 values that are not finite"),
    ({"A>E.weight": np.ones(4) * 1j}, "A>E.weight are complex numbers"),
    ({"A>E.weight": "strong"}, r"A>E.weight is str; give an array of numbers of shape \(4,\)"),
    ({"A>E.weight": ["a", "b", "c", "d"]}, "A>E.weight is list; give an array of numbers"),
    ({"A.axonal_delay": [0, 1, -0.5]}, "A.axonal_delay holds -0.5 ms; times and delays must be zero or more"),
    ({"bias.times": [-1.0, 0]}, "bias.times holds -1 ms")])
def test_parameters_that_do_not_fit(graph, parameters, change, text):
    given = {name: array for name, array in (parameters | change).items() if array is not None}
    with pytest.raises(GraphError, match=text) as error:
        check_parameters(graph, given)
    assert "\n" not in str(error.value)
