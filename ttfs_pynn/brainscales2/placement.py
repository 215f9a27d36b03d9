"""The network to map, and where its neurons go: a circuit and an execution for each.

The chip has 512 neuron circuits, 2 rows (hemispheres) of 256 columns: circuit = 256 * hemisphere + column.
"""

import heapq
import numbers
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ttfs_pynn.brainscales2.routing import BUSES, CIRCUITS, COLUMNS, EVENT_OUTPUTS, LABELS, MappingError

__all__ = ["Placement", "PopulationPlan", "ProjectionPlan", "check_permutation", "place"]

KINDS = ("neuron", "external", "background")
RECEPTORS = ("excitatory", "inhibitory")
BACKGROUND_SIZE = 256  # sources of one background generator


@dataclass(frozen=True)
class PopulationPlan:
    """A population of `size` neurons, external sources (spike trains sent in) or background sources (generators on the chip)."""

    label: str
    size: int
    kind: str

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"population {self.label!r} is of kind {self.kind!r}; allowed are {', '.join(KINDS)}")


@dataclass(frozen=True, eq=False)
class ProjectionPlan:
    """Connections from population `pre` to population `post` (positions in the list of populations), all of one `receptor`.

    `pre_index`, `post_index` and the integer `weight` (any sign; its size counts) have one entry per connection.
    """

    label: str
    pre: int
    post: int
    receptor: str
    pre_index: np.ndarray
    post_index: np.ndarray
    weight: np.ndarray

    def __post_init__(self):
        if self.receptor not in RECEPTORS:
            raise ValueError(f"projection {self.label!r} has receptor {self.receptor!r}; allowed are {', '.join(RECEPTORS)}")
        shapes = {np.shape(values) for values in (self.pre_index, self.post_index, self.weight)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise ValueError(f"projection {self.label!r} needs arrays of one length, got shapes {sorted(shapes)}")


@dataclass(frozen=True, eq=False)
class Placement:
    """The neurons and sources of the network, numbered through all populations, one entry each unless a shape is given.

    `first` (populations + 1,): number of the first of each population. `population`: its population. `circuit`: 0..511, -1 for
    sources. `partition`: the execution, -1 for sources. `group`: what it shares synapse rows with as a source on the chip, -1 for
    external sources; `group_bus` (groups,): the PADI bus 0..3 of each group.
    """

    first: np.ndarray
    population: np.ndarray
    circuit: np.ndarray
    partition: np.ndarray
    group: np.ndarray
    group_bus: np.ndarray

    @property
    def n_partitions(self):
        """Executions, at least one."""
        return max(1, int(self.partition.max(initial=-1)) + 1)


def check_permutation(values, size, name):
    """The list `values` of distinct integers below `size` as an array.

    Errors, as in the adapter's `setup`: TypeError for negative numbers and what is no integer, OverflowError for a number that
    the chip does not have, ValueError for one that is there twice.
    """
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} = {values!r} must be a list of integers from 0 to {size - 1}")
    values = list(values)
    for value in values:
        if not isinstance(value, numbers.Integral) or value < 0:
            raise TypeError(f"{name} contains {value!r}; it takes integers from 0 to {size - 1}")
        if value >= size:
            raise OverflowError(f"{name} contains {value}; the largest number on the chip is {size - 1}")
    if len(set(values)) < len(values):
        raise ValueError(f"{name} contains a number twice; each can be used once")
    return np.array(values, dtype=int)


def place(populations, projections, neuron_permutation=None, background_permutation=None):
    """The `Placement`. Errors: see `mapping.map_network`."""
    circuits = np.arange(CIRCUITS)
    if neuron_permutation is not None:
        circuits = check_permutation(neuron_permutation, CIRCUITS, "neuronPermutation")
    sizes = np.array([population.size for population in populations], dtype=int)
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    circuit, partition = np.full((2, first[-1]), -1)
    order = [number for number, population in enumerate(populations) if population.kind == "neuron"]
    n_neurons = sizes[order].sum()
    if n_neurons > len(circuits):
        order = _feed_forward_order(populations, projections, order, int(n_neurons), len(circuits))
    neurons = np.concatenate([np.arange(first[number], first[number + 1]) for number in order] or [np.zeros(0, dtype=int)])
    if len(neurons):
        partition[neurons], slot = np.divmod(np.arange(len(neurons)), len(circuits))
        circuit[neurons] = circuits[slot]
    group = np.where(circuit >= 0, circuit % COLUMNS // (COLUMNS // EVENT_OUTPUTS), -1)
    group_bus = [output % BUSES for output in range(EVENT_OUTPUTS)]
    for number, bus in _background_buses(populations, background_permutation).items():
        group[first[number] : first[number + 1]] = len(group_bus) + np.arange(sizes[number]) // LABELS
        group_bus += [bus] * (BACKGROUND_SIZE // LABELS)
    return Placement(first, np.repeat(np.arange(len(sizes)), sizes), circuit, partition, group, np.array(group_bus))


def _feed_forward_order(populations, projections, neurons, n_neurons, n_circuits):
    """The neuron populations in an order in which every one comes after those that it listens to."""
    if not n_circuits:
        raise MappingError(f"Neuron circuits: {n_neurons} are needed, neuronPermutation lists none; list some, or leave it out")
    edges = {(p.pre, p.post) for p in projections if populations[p.pre].kind == "neuron" and len(p.weight)}
    waiting = {number: {pre for pre, post in edges if post == number} for number in neurons}
    free, order = [number for number in neurons if not waiting[number]], []
    while free:
        order.append(heapq.heappop(free))
        for number in neurons:
            if order[-1] in waiting[number]:
                waiting[number].discard(order[-1])
                if not waiting[number]:
                    heapq.heappush(free, number)
    if len(order) < len(neurons):
        names = ", ".join(repr(populations[number].label) for number in neurons if waiting[number])
        raise MappingError(
            f"Neuron circuits: {n_neurons} are needed, {n_circuits} are available at a time. The network can only be divided "
            f"over several executions where no population feeds back into itself, but these are in or behind a loop: {names}. "
            f"Use at most {n_circuits} neurons, or leave out the recurrent projection."
        )
    return order


def _background_buses(populations, background_permutation):
    """The bus of each background population, by its number."""
    buses = np.arange(BUSES)
    if background_permutation is not None:
        buses = check_permutation(background_permutation, BUSES, "backgroundPermutation")
    generators = [number for number, population in enumerate(populations) if population.kind == "background"]
    if len(generators) > len(buses):
        names = ", ".join(repr(populations[number].label) for number in generators)
        raise MappingError(
            f"Background generators: {len(generators)} populations need one per hemisphere each ({names}), {len(buses)} are "
            "available. Join populations of one rate, or use SpikeSourcePoisson, which the host sends."
        )
    for number in generators:
        if populations[number].size > BACKGROUND_SIZE:
            raise MappingError(
                f"Background sources: population {populations[number].label!r} needs {populations[number].size}, a generator has "
                f"{BACKGROUND_SIZE}. Divide it into several populations (at most {len(buses)})."
            )
    return dict(zip(generators, buses.tolist(), strict=False))
