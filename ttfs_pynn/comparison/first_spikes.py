"""The same network on two simulators: which first spikes match, which are missing or extra, how far apart they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.parameters import Parameters
from ttfs_pynn.networks.afferents import afferents_of
from ttfs_pynn.spikes.first_spikes import FirstSpikes

__all__ = ["Agreement", "compare_first_spikes", "explained_by_own_inputs"]


@dataclass(frozen=True)
class Agreement:
    """Of the first spikes of one population: matched, missing (the reference has them), extra (the reference has not), and the
    differences other - reference (ms) of the matched ones."""

    matched: int
    missing: int
    extra: int
    differences: np.ndarray

    @property
    def max_abs_difference(self) -> float:
        """The largest difference of matched spikes (ms), 0 without any."""
        return float(np.abs(self.differences).max()) if self.differences.size else 0.0


def compare_first_spikes(reference: ArrayLike, other: ArrayLike) -> Agreement:
    """Agreement of two arrays (samples, neurons) in ms, inf for silent: a spike matches one of the same sample and neuron."""
    reference, other = np.asarray(reference), np.asarray(other)
    if reference.shape != other.shape:
        raise ValueError(f"first spikes of shape {other.shape} cannot be compared with {reference.shape}")
    both = np.isfinite(reference) & np.isfinite(other)
    return Agreement(int(both.sum()), int((np.isfinite(reference) & ~np.isfinite(other)).sum()),
                     int((~np.isfinite(reference) & np.isfinite(other)).sum()), other[both] - reference[both])


def explained_by_own_inputs(spikes: FirstSpikes, graph: Graph, parameters: Parameters) -> dict[str, Agreement]:
    """{population: Agreement} with the exact neuron model driven by the spikes that the population's own inputs were recorded
    with.

    Takes apart what a simulator does wrong in one population from what it was handed by those before. spikes: FirstSpikes, which
    know how long they travelled and from when on none was read.
    """
    found = {}
    for part in afferents_of(graph):
        for label, expected in part.answers(spikes, parameters).items():
            found[label] = compare_first_spikes(expected, spikes[label])
    return {node.label: found[node.label] for node in graph.neurons}
