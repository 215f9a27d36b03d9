"""Map a network to the chip: a place for each neuron and source, or an error that says what is short, and a report of resources.

`placement` gives the neurons their circuits, `routing` counts the synapse rows of the sources, `resources` reports them.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from ttfs_pynn.brainscales2.placement import PopulationPlan, ProjectionPlan, check_permutation, place
from ttfs_pynn.brainscales2.resources import ExecutionInstance, MappedTopologyStatistics, resource_table
from ttfs_pynn.brainscales2.routing import (
    BUSES,
    CIRCUITS,
    HEMISPHERES,
    LARGEST_WEIGHT,
    MappingError,
    RoutedConnections,
    hardware_synapses,
    route,
)

__all__ = ["Mapping", "MappingError", "PopulationPlan", "ProjectionPlan", "check_permutation", "map_network"]


@dataclass(frozen=True, eq=False)
class Mapping:
    """Where everything is. The lists have one entry per population, in its order.

    `coordinates`: circuits 0..511 of a neuron population, empty for sources. `partition`: the execution 0, 1, ... of each of its
    neurons. `source_buses`: (n_partitions, size, 2), for external and background sources the PADI bus 4 * hemisphere + bus
    on which their events arrive at each hemisphere, -1 where they have no target; empty for neurons. `largest_in_degree`:
    synapses, label of the population, index of the neuron. `multi_chunk_weights`: connections that take more than one hardware
    synapse, `largest_chunks`: the most that one takes.
    """

    coordinates: list
    partition: list
    source_buses: list
    statistics: MappedTopologyStatistics
    largest_in_degree: tuple
    multi_chunk_weights: int
    largest_chunks: int

    @property
    def n_partitions(self):
        """Executions, one after the other, that the network is divided over."""
        return len(self.statistics.execution_instances)

    @property
    def rows(self):
        """Synapse rows in use: (n_partitions, hemispheres, buses), 64 available of each."""
        return np.array([instance.rows for instance in self.statistics.execution_instances])

    @property
    def drivers(self):
        """Synapse drivers in use: (n_partitions, hemispheres, buses), 32 available of each."""
        return np.array([instance.drivers for instance in self.statistics.execution_instances])

    @property
    def neurons_used(self):
        """Circuits in use in each execution: (n_partitions,)."""
        return np.array([instance.num_neurons for instance in self.statistics.execution_instances])

    @property
    def neurons_left(self):
        """Circuits without a neuron in each execution: (n_partitions,)."""
        return CIRCUITS - self.neurons_used

    @property
    def synapses_used(self):
        """Hardware synapses in use in each execution: (n_partitions,)."""
        return np.array([instance.num_hardware_synapses for instance in self.statistics.execution_instances])

    def report(self):
        """All resources as a text table: used, available, left."""
        synapses, label, index = self.largest_in_degree
        chunks = f"{self.multi_chunk_weights}, the largest takes {self.largest_chunks} synapses"
        notes = [
            f"largest in-degree: {synapses} synapses, neuron {index} of population {label!r}",
            f"weights beyond {LARGEST_WEIGHT}: {chunks if self.multi_chunk_weights else 'none'}",
        ]
        return resource_table(self.statistics.execution_instances, notes if label is not None else notes[1:])


def map_network(populations, projections, neuron_permutation=None, background_permutation=None):
    """The `Mapping` of lists of `PopulationPlan`s and `ProjectionPlan`s.

    Neurons take the circuits 0, 1, ..., or those listed in `neuron_permutation`, in the order of the populations; background
    populations the buses 0..3 or those of `background_permutation`. Where there are more neurons than circuits the network runs
    in several executions, and the spikes of one are sent into the next as external sources. Upstream divides such networks too;
    which neuron goes into which execution is our choice here (populations in the order of their connections, every execution
    filled). Errors: MappingError where something does not fit; ValueError for indices out of range and for targets that are no
    neurons; those of `check_permutation`.
    """
    started = perf_counter()
    populations, projections = list(populations), list(projections)
    placement = place(populations, projections, neuron_permutation, background_permutation)
    table = _Table(populations, projections, placement)
    source_buses = [
        np.full((placement.n_partitions, 0 if population.kind == "neuron" else population.size, HEMISPHERES), -1)
        for population in populations
    ]
    instances, largest = [], (0, None, None)
    for execution in range(placement.n_partitions):
        chosen, connections = table.of_execution(execution)
        routing = route(connections, lambda part, chosen=chosen: table.describe(chosen[part]))
        neurons = np.flatnonzero(placement.partition == execution)
        instances.append(_instance(table, neurons, chosen, connections, routing))
        _note_buses(source_buses, execution, table, connections, routing)
        if neurons.size:
            in_degree = routing.in_degree[placement.circuit[neurons]]
            neuron = neurons[in_degree.argmax()]
            number = placement.population[neuron]
            candidate = (int(in_degree.max()), populations[number].label, int(neuron - placement.first[number]))
            largest = max(largest, candidate, key=lambda entry: (entry[1] is not None, entry[0]))
    per_population = np.split(placement.circuit, placement.first[1:-1]), np.split(placement.partition, placement.first[1:-1])
    coordinates, partition = [
        [values if population.kind == "neuron" else values[:0] for population, values in zip(populations, arrays, strict=False)]
        for arrays in per_population
    ]
    multiple = table.synapses > 1
    statistics = MappedTopologyStatistics(tuple(instances), perf_counter() - started)
    return Mapping(
        coordinates, partition, source_buses, statistics, largest, int(multiple.sum()), int(table.synapses.max(initial=0))
    )


class _Table:
    """All connections in flat arrays, one entry each: numbers of source and target, sign, hardware synapses, projection."""

    def __init__(self, populations, projections, placement):
        self.populations, self.projections, self.placement = populations, projections, placement
        for projection in projections:
            self._check(projection)
        first, lengths = placement.first, [len(projection.weight) for projection in projections]

        def flat(name, shift):
            parts = [np.asarray(getattr(p, name), dtype=int) + s for p, s in zip(projections, shift, strict=True)]
            return np.concatenate(parts) if parts else np.zeros(0, dtype=int)

        self.source = flat("pre_index", [first[p.pre] for p in projections])
        self.target = flat("post_index", [first[p.post] for p in projections])
        self.synapses = hardware_synapses(flat("weight", [0] * len(projections)))
        self.projection = np.repeat(np.arange(len(projections)), lengths)
        self.inhibitory = np.repeat(np.array([p.receptor == "inhibitory" for p in projections], dtype=int), lengths)

    def _check(self, projection):
        if self.populations[projection.post].kind != "neuron":
            raise ValueError(
                f"projection {projection.label!r} ends at {self.populations[projection.post].label!r}, which has no neurons; "
                "connections can only end at neurons"
            )
        for number, index in ((projection.pre, projection.pre_index), (projection.post, projection.post_index)):
            size = self.populations[number].size
            if len(index) and not 0 <= np.min(index) <= np.max(index) < size:
                raise ValueError(
                    f"projection {projection.label!r} has indices from {np.min(index)} to {np.max(index)} into population "
                    f"{self.populations[number].label!r}, which takes 0 to {size - 1}"
                )

    def of_execution(self, execution):
        """Positions of the connections that end in this execution, and the same as `RoutedConnections`."""
        placement = self.placement
        chosen = np.flatnonzero(placement.partition[self.target] == execution)
        source = self.source[chosen]
        elsewhere = (placement.partition[source] != execution) & (placement.circuit[source] >= 0)
        group = np.where(elsewhere, -1, placement.group[source])
        circuit = placement.circuit[self.target[chosen]]
        return chosen, RoutedConnections(
            source, circuit, self.inhibitory[chosen], self.synapses[chosen], group, placement.group_bus
        )

    def describe(self, chosen):
        """Where the connections at the positions `chosen` come from: the projections with most synapses, and their ends."""
        targets = np.unique(self.target[chosen])
        count = np.bincount(self.projection[chosen], self.synapses[chosen]).astype(int)
        largest = [number for number in np.argsort(-count, kind="stable")[:3] if count[number]]
        texts = []
        for number in largest:
            projection = self.projections[number]
            ends = [self.populations[end].label for end in (projection.pre, projection.post)]
            texts.append(f"projection {projection.label!r} from {ends[0]!r} to {ends[1]!r} ({count[number]} synapses)")
        others = np.count_nonzero(count) - len(largest)
        text = ", ".join(texts) + (f" and {others} more projections" if others else "")
        if len(targets) > 1:
            return f"Through {text}"
        population = self.placement.population[targets[0]]
        index = targets[0] - self.placement.first[population]
        return f"Neuron {index} of population {self.populations[population].label!r}, through {text}"


def _instance(table, neurons, chosen, connections, routing):
    """The `ExecutionInstance` of the neurons `neurons` and the connections at the positions `chosen`."""
    used = np.union1d(table.placement.population[neurons], table.placement.population[connections.source])
    return ExecutionInstance(
        num_populations=len(used),
        num_projections=len(np.unique(table.projection[chosen])),
        num_neurons=len(neurons),
        num_synapses=len(chosen),
        num_hardware_synapses=int(connections.synapses.sum()),
        num_background_populations=sum(population.kind == "background" for population in table.populations),
        rows=routing.rows,
        drivers=routing.drivers,
        in_degree=routing.in_degree,
    )


def _note_buses(source_buses, execution, table, connections, routing):
    """Write the buses of external and background sources into `source_buses`."""
    placement, populations = table.placement, table.populations
    number = placement.population[routing.external_sources]
    block = np.where(routing.external_buses >= 0, routing.external_buses + BUSES * np.arange(HEMISPHERES), -1)
    for population in np.unique(number):
        if populations[population].kind == "external":
            mine = number == population
            source_buses[population][execution, routing.external_sources[mine] - placement.first[population]] = block[mine]
    for population, plan in enumerate(populations):
        if plan.kind == "background" and plan.size:
            # A generator fires on the bus of its population in both hemispheres, with or without targets.
            bus = placement.group_bus[placement.group[placement.first[population]]]
            source_buses[population][execution] = bus + BUSES * np.arange(HEMISPHERES)
