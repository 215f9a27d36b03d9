"""Files of the spikes of one test sample: one a population, before and after training."""

import re

from ttfs_pynn.graph.graph import Graph

__all__ = ["names_of"]


def names_of(graph: Graph, prefix: str) -> dict[str, str]:
    """{population: name for `RunFolder.write_spikes`}, PREFIX_LABEL: sources first, then neurons, causes first, the outputs last.

    Characters that a file's name should not have become '_'. Names that a disk may take for the same get a number.
    """
    neurons = [label for group in graph.groups for label in group if label != graph.outputs]
    found: dict[str, str] = {}
    taken: set[str] = set()
    for label in (*(node.label for node in graph.sources), *neurons, graph.outputs):
        plain = name = re.sub("[^A-Za-z0-9._-]", "_", label)
        number = 1
        while name.lower() in taken:  # not every disk tells 'E' from 'e'
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.lower())
        found[label] = f"{prefix}_{name}"
    return found
