"""A graph as named arrays and a description for JSON, as files hold it; and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from ttfs_pynn.graph.graph import DelayRange, Edge, Graph, GraphError, Node
from ttfs_pynn.neuron import LIFParameters

__all__ = ["graph_of", "stored"]

_FORMAT = 1  # of the description
_KINDS = {"train_times": bool, "train": bool, "sign": int, "size": int}


def stored(graph: Graph) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays by name, description): numbers stand in the description, arrays beside it."""
    arrays: dict[str, np.ndarray] = {}

    def value_of(name, value):
        if isinstance(value, LIFParameters):
            return {field.name: value_of(f"{name}.{field.name}", getattr(value, field.name)) for field in fields(value)}
        if isinstance(value, DelayRange):
            return asdict(value)
        if np.ndim(value):
            arrays[name] = np.asarray(value)
            return {"array": name}
        if isinstance(value, float) and np.isinf(value):
            return "inf"
        return value.item() if isinstance(value, np.generic) else value

    def described(part):
        return {field.name: value_of(f"{part.label}.{field.name}", getattr(part, field.name)) for field in fields(part)
                if field.name != "sizes"}

    description = {"format": _FORMAT, "nodes": [described(node) for node in graph.nodes],
                   "edges": [described(edge) for edge in graph.edges],
                   "outputs": graph.outputs, "t_early": graph.t_early, "t_late": graph.t_late}
    return arrays, description


def graph_of(arrays: Mapping[str, np.ndarray], description: Any) -> Graph:
    """The graph that `stored` took apart. GraphError where something is missing or of another kind."""
    def value_of(name, value):
        if isinstance(value, dict) and set(value) == {"array"}:
            return np.array(arrays[value["array"]])
        if name == "neuron" and value is not None:
            return LIFParameters(**{key: value_of(key, each) for key, each in value.items()})
        if name.endswith("delay") and isinstance(value, dict) or name == "delay_range" and value is not None:
            return DelayRange(**value)
        if name in _KINDS and not isinstance(value, _KINDS[name]):
            raise TypeError(f"{name} = {value!r}")
        return float("inf") if value == "inf" else value

    if not isinstance(description, dict) or "format" not in description:
        raise GraphError(f"this is no stored graph: its description is {type(description).__name__} without a format")
    if description["format"] != _FORMAT:
        raise GraphError(f"a graph of format {description['format']!r}; this version reads {_FORMAT}")
    try:
        return Graph(tuple(Node(**{key: value_of(key, each) for key, each in node.items()}) for node in description["nodes"]),
                     tuple(Edge(**{key: value_of(key, each) for key, each in edge.items()}) for edge in description["edges"]),
                     description["outputs"], description["t_early"], description["t_late"])
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise GraphError(f"this is no stored graph: {error!r}") from None
    except ValueError as error:
        raise GraphError(f"a stored graph that is none: {error}") from None
