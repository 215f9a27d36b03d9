"""What a mapped network takes of the chip: upstream's statistics, and a table for the reader."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from ttfs_pynn.brainscales2.routing import BUSES, CIRCUITS, DRIVERS_PER_BUS, HEMISPHERES, ROWS, ROWS_PER_BUS, SYNAPSES

__all__ = ["ExecutionInstance", "MappedTopologyStatistics", "resource_table"]

DRIVERS = HEMISPHERES * BUSES * DRIVERS_PER_BUS
BACKGROUND_POPULATIONS = BUSES


@dataclass(frozen=True, eq=False)
class ExecutionInstance:
    """Use of the chip in one execution.

    `num_synapses` counts connections, `num_hardware_synapses` what they take; `rows` and `drivers` (hemispheres, buses) count
    what is in use, `in_degree` (circuits,) hardware synapses. The names, and the methods `get_...`, are those of grenade's
    `MappedTopologyStatistics::ExecutionInstance`, except for what it does not have (`num_hardware_synapses`,
    `num_background_populations` and the arrays).
    """

    num_populations: int
    num_projections: int
    num_neurons: int
    num_synapses: int
    num_hardware_synapses: int
    num_background_populations: int
    rows: np.ndarray
    drivers: np.ndarray
    in_degree: np.ndarray

    @property
    def num_synapse_drivers(self):
        """Drivers in use, of 256."""
        return int(self.drivers.sum())

    @property
    def neuron_usage(self):
        """Share of the 512 circuits in use."""
        return self.num_neurons / CIRCUITS

    @property
    def synapse_usage(self):
        """Share of the 131 072 hardware synapses in use."""
        return self.num_hardware_synapses / SYNAPSES

    @property
    def synapse_driver_usage(self):
        """Share of the 256 drivers in use."""
        return self.num_synapse_drivers / DRIVERS

    def __getattr__(self, name):
        # Upstream offers each number as a method.
        if name.startswith("get_num_") or (name.startswith("get_") and name.endswith("_usage")):
            value = getattr(self, name.removeprefix("get_"))
            return lambda: value
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __str__(self):
        names = ["num_populations", "num_projections", "num_neurons", "num_synapses", "num_synapse_drivers"]
        names += ["neuron_usage", "synapse_usage", "synapse_driver_usage"]
        return "ExecutionInstance(" + ", ".join(f"{name}={getattr(self, name):g}" for name in names) + ")"


@dataclass(frozen=True, eq=False)
class MappedTopologyStatistics:
    """What `get_backend_statistics()` returns, after grenade's class of this name.

    Sums over the executions are properties here. The durations that upstream states are methods that return a `timedelta`; only
    the one of the routing is measured here, the others are zero since there is no hardware network to build and verify.
    """

    execution_instances: tuple
    routing_seconds: float = field(default=0.0)

    @property
    def num_neurons(self):
        """Circuits in use over all executions."""
        return sum(instance.num_neurons for instance in self.execution_instances)

    @property
    def num_synapses(self):
        """Connections over all executions."""
        return sum(instance.num_synapses for instance in self.execution_instances)

    @property
    def num_hardware_synapses(self):
        """Hardware synapses over all executions."""
        return sum(instance.num_hardware_synapses for instance in self.execution_instances)

    @property
    def num_synapse_drivers(self):
        """Synapse drivers over all executions."""
        return sum(instance.num_synapse_drivers for instance in self.execution_instances)

    def get_execution_instances(self):
        """The executions by number."""
        return dict(enumerate(self.execution_instances))

    def get_routing_duration(self):
        """Time that `map_network` took."""
        return timedelta(seconds=self.routing_seconds)

    def get_abstract_network_construction_duration(self):
        """Zero, see the class."""
        return timedelta(0)

    get_hardware_network_construction_duration = get_verification_duration = get_abstract_network_construction_duration

    def __str__(self):
        lines = [f"  {number}: {instance}" for number, instance in enumerate(self.execution_instances)]
        return "\n".join(["MappedTopologyStatistics(", *lines, f"  routing duration: {self.routing_seconds * 1e3:.1f} ms", ")"])


def resource_table(instances, notes):
    """A text table of used, available and left for each of the `ExecutionInstance`s, followed by the lines `notes`."""
    lines = []
    for number, use in enumerate(instances):
        if len(instances) > 1:
            lines.append(f"execution {number + 1} of {len(instances)}")
        lines.append(f"{'resource':<34}{'used':>9}{'available':>11}{'left':>9}")
        entries = [
            ("neuron circuits", use.num_neurons, CIRCUITS),
            ("hardware synapses", use.num_hardware_synapses, SYNAPSES),
            ("synapse drivers", use.num_synapse_drivers, DRIVERS),
            ("background populations", use.num_background_populations, BACKGROUND_POPULATIONS),
            ("synapses of the fullest circuit", int(use.in_degree.max()), ROWS),
        ]
        for hemisphere, bus in np.ndindex(HEMISPHERES, BUSES):
            where = f"hemisphere {hemisphere}, bus {bus}"
            entries.append((f"rows, {where}", use.rows[hemisphere, bus], ROWS_PER_BUS))
            entries.append((f"drivers, {where}", use.drivers[hemisphere, bus], DRIVERS_PER_BUS))
        lines += [f"{name:<34}{used:>9}{available:>11}{available - used:>9}" for name, used, available in entries]
    return "\n".join([*lines, *notes])
