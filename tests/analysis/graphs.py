"""Run folders as training leaves them, without training."""

from ttfs_pynn.graph import Edge, Graph, Layer, Node, layered
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.runs.folder import RunFolder


def chain(hidden=20, tau_syn=10.0):
    """input (4), bias0 (3), layer0, and layer1 (as many as there are values of tau_syn, or 3)."""
    labels = len(tau_syn) if isinstance(tau_syn, list) else 3
    return layered(4, (Layer(hidden, LIFParameters(tau_m=10.0), (1.5, 9.0, 16.0)),
                       Layer(labels, LIFParameters(tau_m=10.0, tau_syn=tau_syn))), 1.5, 20.0)


def own(*labels, size=2):
    """A network whose populations are called as somebody likes: the first are sources, the last but one decides."""
    neuron = LIFParameters(tau_m=10.0, tau_syn=5.0)
    first, decides, last = labels
    nodes = (Node(decides, size, neuron), Node(last, size, neuron), Node(first, size))
    edges = (Edge("a", first, last), Edge("b", last, decides), Edge("c", first, decides))
    return Graph(nodes, edges, decides, 1.0, 20.0)


def run_folder(path, configuration, graph=None):
    """A new RunFolder with a graph (default: `chain`)."""
    folder = RunFolder.create(path, configuration)
    folder.write_graph(graph or chain())
    return folder
