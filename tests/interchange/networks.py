"""Networks for tests of exports: a chain of layers, and one with all that a user's own network may have."""

from dataclasses import replace

import numpy as np

from ttfs_pynn.graph import DelayRange, Edge, Graph, Layer, Node, layered, random_pairs
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.storage import stored
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.windows import Timing


def chain(hidden=30, tau_m=10.0, seed=2, **delays):
    """(graph, parameters): 4 inputs, two layers, biases of both."""
    neuron = LIFParameters(tau_m=tau_m)
    graph = layered(4, (Layer(hidden, neuron, (1.5, 9.0), 1.0, 1.0, **delays), Layer(3, neuron, (9.0,), 0.5, 0.6)), 1.5, 20.0)
    return graph, initial_parameters(graph, np.random.default_rng(seed))


def own(seed=2):
    """(graph, parameters): two populations of sources, one of a single source with times of its own; sparse edges of one sign,
    delays of connections, a pair that is connected twice, a skip, neurons that differ, names that need care."""
    rng = np.random.default_rng(seed)
    e = LIFParameters(tau_m=20.0, tau_syn=5.0, v_thresh=np.linspace(-51.0, -49.0, 12), v_rest=-64.0)
    i = LIFParameters(tau_m=15.0, tau_syn=15.0)
    nodes = (Node("A", 5), Node("B/C", 4), Node("0", 1, times=np.array([[1.0, 6.5]])), Node("E", 12, e), Node("I", 4, i),
             Node("L", 3, LIFParameters(tau_m=20.0, tau_syn=5.0)))
    some = random_pairs(5, 12, 0.7, rng)
    twice = np.concatenate([np.argwhere(np.ones((4, 4))), [[1, 0], [3, 2]]])
    twice = twice[np.lexsort(twice.T)]
    edges = (Edge("A>E", "A", "E", some, 1, rng.uniform(0.5, 3.0, len(some))), Edge("bias", "0", "E", None, 0, 0.5),
             Edge("B/C>E", "B/C", "E", None, 1, 1.0 + np.arange(4)[:, None] * np.ones((4, 12))),
             Edge("B/C>I", "B/C", "I", twice, 1, 0.5 + rng.random(18)), Edge("A>I", "A", "I", None, 1, 0.7),
             Edge("I>E", "I", "E", random_pairs(4, 12, 0.5, rng), -1, 0.5),
             Edge("E>L", "E", "L", None, 1, rng.uniform(0.5, 2.0, (12, 3))),
             Edge("I>L", "I", "L", None, -1, np.tile([0.5, 1.0, 1.5], (4, 1))),
             Edge("A>L", "A", "L", random_pairs(5, 3, 0.6, rng), 0, 2.0))
    graph = Graph(nodes, edges, "L", 1.0, 15.0)
    scale = {"A>E": 4.0, "bias": 1.0, "B/C>E": 4.0, "B/C>I": 4.0, "A>I": 4.0, "I>E": 1.0, "E>L": 2.0, "I>L": 0.5, "A>L": 1.0}
    parameters = {}
    for edge in graph.edges:
        w = rng.normal(scale[edge.label], 0.6 * scale[edge.label], edge.shape)
        parameters[f"{edge.label}.weight"] = edge.sign * np.abs(w) if edge.sign else w
    return graph, parameters


def samples(graph, n, seed=5):
    """SpikeData with labels that the network itself gives."""
    rng = np.random.default_rng(seed)
    times = {label: rng.uniform(graph.t_early, graph.t_late, (n, graph.node(label).size)) for label in graph.inputs}
    return SpikeData(times, np.zeros(n, dtype=int))


def short_windows(graph):
    """Timing that makes tests quick: a spike after 60 ms does not count."""
    return Timing.derive(graph.t_early, graph.t_late, [node.neuron for node in graph.neurons], leftover=1e-5, deadline=60.0)


def until(times, deadline=60.0):
    """Times before the deadline, inf for later ones."""
    return np.where(times < deadline, times, np.inf)


def classes(graph, parameters, data):
    """(classes, first spikes of the outputs) on arrays."""
    found = evaluate(ArrayNetwork(graph, parameters), data)
    return found.predictions, found.label_times


def with_trained_delays(graph, parameters, seed=6):
    """The same with delays of cells and connections that are trained."""
    rng = np.random.default_rng(seed)
    nodes = {node.label: node for node in graph.nodes}
    nodes["E"] = replace(nodes["E"], axonal_delay=DelayRange(5.0), dendritic_delay=DelayRange(4.0, 1.0, 0.5))
    nodes["A"] = replace(nodes["A"], axonal_delay=DelayRange(5.0))
    edges = [replace(edge, delay_range=DelayRange(9.0, None)) if edge.label in ("A>L", "E>L") else edge for edge in graph.edges]
    changed = replace(graph, nodes=tuple(nodes.values()), edges=tuple(edges))
    more = {"E.axonal_delay": rng.random(12), "E.dendritic_delay": rng.random(12), "A.axonal_delay": rng.random(5)}
    more |= {f"{label}.delay": rng.uniform(0.5, 3.0, graph.edge(label).shape) for label in ("A>L", "E>L")}
    return changed, {**parameters, **more}


def recurrent(graph, parameters, seed=0):
    """The same with lateral inhibition of the outputs, a loop of two populations, and recurrence in one."""
    rng = np.random.default_rng(seed)
    others = np.array([[1, 0], [2, 0], [0, 1], [2, 1], [0, 2], [1, 2]])
    more = (Edge("L>L", "L", "L", others, -1, 0.5), Edge("L>I", "L", "I", None, 1, 1.0),
            Edge("E>E", "E", "E", random_pairs(12, 12, 0.3, rng), 0, 1.0))
    changed = replace(graph, edges=(*graph.edges, *more))
    values = {"L>L.weight": -5 * rng.random(6), "L>I.weight": rng.random((3, 4)),
              "E>E.weight": rng.normal(size=changed.edge("E>E").shape)}
    return changed, {**parameters, **values}


def assert_same(found, graph):
    """Equal to the bit, arrays and numbers being different things."""
    (new, one), (old, other) = stored(found), stored(graph)
    assert one == other and new.keys() == old.keys()
    assert all(np.array_equal(new[name], old[name]) for name in old)


def assert_same_values(found, parameters):
    assert found.keys() == parameters.keys() and all(np.array_equal(found[name], parameters[name]) for name in parameters)
