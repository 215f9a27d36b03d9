"""A network as data: populations are nodes, projections are edges, and what is trained is a mapping of names to arrays."""

from ttfs_pynn.graph.graph import DelayRange, Edge, Graph, GraphError, Node
from ttfs_pynn.graph.layered import Layer, layered, local_fields, random_pairs

__all__ = ["DelayRange", "Edge", "Graph", "GraphError", "Layer", "Node", "layered", "local_fields", "random_pairs"]
