"""Synapse rows and drivers that one execution needs on each PADI bus, and the buses of its external sources.

Each half of the chip (hemisphere) has 4 PADI buses with 32 drivers of 2 rows, and each row a synapse for every one of the 256
columns. A row has one sign. A synapse listens to one 6-bit label, so that up to 64 sources with one row address (a *group*) share
rows: a group needs, per hemisphere and sign, as many rows as the target with most synapses from it has, and whole drivers. The
groups are

* on-chip neurons: the 2 x 32 circuits of one event output (column // 32), which reaches bus (column // 32) % 4;
* background generators: 64 sources each, on the bus of their population;
* external sources: 64 in order, on the first bus with drivers left, for each hemisphere on its own.

These are the counting rules of grenade's greedy router (electronicvisions/grenade, `src/grenade/vx/network/routing/greedy/`).
Left out: the address masks of the drivers, which keep the groups of one bus apart, and labels of neurons that no one hears. The
real router may refuse a network near the limits of a bus that fits here.

Where that does not fit, all sources of a bus become one group, if they are at most 64: drivers then listen to all addresses, and
sources from anywhere share rows. So 256 signed inputs of one set of columns and 256 signed on-chip sources of the others need the
same 512 rows. The chip can do so, and a layered network that fills it must; the greedy router does not.
"""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.errors import TTFSError

__all__ = ["MappingError", "RoutedConnections", "Routing", "hardware_synapses", "route"]

CIRCUITS, HEMISPHERES, COLUMNS = 512, 2, 256
BUSES, DRIVERS_PER_BUS, ROWS_PER_DRIVER = 4, 32, 2  # of a hemisphere, of a bus, of a driver
ROWS_PER_BUS = DRIVERS_PER_BUS * ROWS_PER_DRIVER
ROWS = BUSES * ROWS_PER_BUS  # of a hemisphere, and so the largest in-degree of a circuit
SYNAPSES = HEMISPHERES * ROWS * COLUMNS
LABELS = 64  # values of a synapse's label
EVENT_OUTPUTS = 8
LARGEST_WEIGHT = 63

IN_DEGREE = "Neuron(s) with in-degree larger than the number of synapse rows exist."


class MappingError(TTFSError, RuntimeError):
    """The network does not fit on the chip: what is needed, what there is, and a way out."""


@dataclass(frozen=True, eq=False)
class RoutedConnections:
    """The connections into one execution, one entry per connection in every array.

    `source` is a number for each neuron or generator, `circuit` the target (0..511), `inhibitory` 0 or 1, `synapses` the hardware
    synapses, `group` the number of the group of an on-chip or background source and -1 for an external one. `group_bus` (groups,)
    is the bus (0..3) of each group.
    """

    source: np.ndarray
    circuit: np.ndarray
    inhibitory: np.ndarray
    synapses: np.ndarray
    group: np.ndarray
    group_bus: np.ndarray


@dataclass(frozen=True, eq=False)
class Routing:
    """`rows` and `drivers` in use (hemispheres, buses), `in_degree` (circuits,) in hardware synapses, and for each entry of
    `external_sources` its bus 0..3 on each hemisphere in `external_buses` (sources, hemispheres), -1 where it has no target."""

    rows: np.ndarray
    drivers: np.ndarray
    in_degree: np.ndarray
    external_sources: np.ndarray
    external_buses: np.ndarray


def hardware_synapses(weight):
    """Hardware synapses for integer weights of either sign: ceil(|w| / 63), at least 1, as the adapter's projections count."""
    return np.maximum(1, -(-np.abs(np.asarray(weight, dtype=np.int64)) // LARGEST_WEIGHT))


def route(connections, describe):
    """The `Routing` of the `RoutedConnections` of one execution: with groups of their own if that fits, else with shared rows.

    `describe(chosen)` names the origin of the connections at the positions `chosen` in an error. Errors: MappingError where a
    circuit has more than 256 synapses, a bus more than 64 rows (32 drivers), or the external sources find no free drivers.
    """
    in_degree = np.bincount(connections.circuit, connections.synapses, CIRCUITS).astype(int)
    if in_degree.max() > ROWS:
        worst = int(in_degree.argmax())
        chosen = np.flatnonzero(connections.circuit == worst)
        raise MappingError(
            f"{IN_DEGREE} {describe(chosen)}: {in_degree[worst]} synapses are needed at circuit {worst}, {ROWS} are available. "
            f"{(connections.synapses[chosen] > 1).sum()} of its {chosen.size} weights are beyond {LARGEST_WEIGHT}; such a weight "
            f"w takes ceil(|w|/{LARGEST_WEIGHT}) synapses. Connect fewer sources, or clip the weights to +-{LARGEST_WEIGHT}."
        )
    try:
        rows, drivers = _fixed_groups(connections, describe)
        sources, buses = _external_groups(connections, rows, drivers, describe)
    except MappingError:
        shared = _shared_groups(connections)
        if shared is None:
            raise
        rows, drivers, sources, buses = shared
    return Routing(rows, drivers, in_degree, sources, buses)


def _demand(key, n_keys, connections, chosen):
    """Synapses of each key, sign, hemisphere and column: (n_keys, 2, 2, 256)."""
    index = (key * 2 + connections.inhibitory[chosen]) * CIRCUITS + connections.circuit[chosen]
    count = np.bincount(index, connections.synapses[chosen], n_keys * 2 * CIRCUITS)
    return count.reshape(n_keys, 2, HEMISPHERES, COLUMNS)


def _fixed_groups(connections, describe):
    """Rows and drivers (hemispheres, buses) of the groups that cannot choose their bus."""
    rows, drivers = np.zeros((2, HEMISPHERES, BUSES), dtype=int)
    chosen = np.flatnonzero(connections.group >= 0)
    if not chosen.size:
        return rows, drivers
    group_bus = connections.group_bus
    of_group = _demand(connections.group[chosen], len(group_bus), connections, chosen).max(axis=3).sum(axis=1).astype(int)
    np.add.at(rows.T, group_bus, of_group)
    np.add.at(drivers.T, group_bus, -(-of_group // ROWS_PER_DRIVER))
    full = np.argwhere(drivers > DRIVERS_PER_BUS)
    if full.size:
        hemisphere, bus = full[0]
        here = chosen[
            (group_bus[connections.group[chosen]] == bus) & (connections.circuit[chosen] // COLUMNS == hemisphere)
        ]
        per_circuit = np.bincount(connections.circuit[here], connections.synapses[here]).max()
        what = (
            "Neuron(s) with in-degree on a single PADI-bus larger than its number of synapse rows exist."
            if per_circuit > ROWS_PER_BUS
            else "PADI-bus(ses) with required number of synapse rows larger than the number of synapse rows on a single PADI-bus "
            "exist."
        )
        raise MappingError(
            f"{what} {describe(here)}: {rows[hemisphere, bus]} rows in {drivers[hemisphere, bus]} synapse drivers are needed on "
            f"PADI bus {bus} of hemisphere {hemisphere}, {ROWS_PER_BUS} rows in {DRIVERS_PER_BUS} drivers are available. Each "
            "sign, and each 63 of a weight, needs rows of its own. Use fewer sources, or spread the source neurons over the "
            "blocks of 32 columns (a neuron in column c reaches bus (c // 32) % 4) through neuronPermutation."
        )
    return rows, drivers


def _shared_groups(connections):
    """(rows, drivers, external sources, their buses) where each bus is one group, None where that does not fit either."""
    rows, drivers = np.zeros((2, HEMISPHERES, BUSES), dtype=int)
    external = connections.group < 0
    bus = np.where(external, -1, connections.group_bus[connections.group])
    sources, rank = np.unique(connections.source[external], return_inverse=True)
    buses = np.full((len(sources), HEMISPHERES), -1)
    for hemisphere in range(HEMISPHERES):
        here = connections.circuit // COLUMNS == hemisphere
        present, local_rank = np.unique(rank[here[external]], return_inverse=True)
        placed = 0
        for k in range(BUSES):
            fixed = np.flatnonzero(here & (bus == k))
            # Whatever arrives on a bus needs a label there, also sources with targets on the other half only.
            arriving = np.isin(connections.group, np.unique(connections.group[fixed]))
            labels = len(np.unique(connections.source[arriving]))
            base = _demand(np.zeros(fixed.size, dtype=int), 1, connections, fixed).sum(axis=2)
            last = min(placed + max(LABELS - labels, 0), len(present))
            inside = (placed <= local_rank) & (local_rank < last)
            chosen = np.flatnonzero(here & external)[inside]
            demand = _demand(local_rank[inside] - placed, last - placed, connections, chosen).sum(axis=2)
            of_group = (base + np.concatenate([np.zeros_like(base), demand]).cumsum(axis=0)).max(axis=2).sum(axis=1).astype(int)
            fits = int(np.searchsorted(-(-of_group // ROWS_PER_DRIVER), DRIVERS_PER_BUS, side="right")) - 1
            if labels > LABELS or fits < 0:
                return None
            rows[hemisphere, k], drivers[hemisphere, k] = of_group[fits], -(-of_group[fits] // ROWS_PER_DRIVER)
            buses[present[placed:placed + fits], hemisphere] = k
            placed += fits
        if placed < len(present):
            return None
    return rows, drivers, sources, buses


def _external_groups(connections, rows, drivers, describe):
    """External sources and their buses (sources, hemispheres). Adds what they use to `rows` and `drivers`."""
    chosen = np.flatnonzero(connections.group < 0)
    sources, rank = np.unique(connections.source[chosen], return_inverse=True)
    buses = np.full((len(sources), HEMISPHERES), -1)
    for hemisphere in range(HEMISPHERES):
        here = connections.circuit[chosen] // COLUMNS == hemisphere
        present, local_rank = np.unique(rank[here], return_inverse=True)
        on_hemisphere = chosen[here]
        before = drivers[hemisphere].sum()
        placed = _fill_buses(connections, on_hemisphere, local_rank, len(present), rows[hemisphere], drivers[hemisphere])
        if len(placed) < len(present):
            raise MappingError(
                f"No synapse drivers are left for external sources. {describe(on_hemisphere)}: {len(present)} sources reach "
                f"hemisphere {hemisphere}, {len(placed)} of them fit in the {BUSES * DRIVERS_PER_BUS - before} drivers "
                f"({ROWS_PER_DRIVER} rows each) that on-chip and background sources leave of {BUSES * DRIVERS_PER_BUS}. Each "
                "sign, and each 63 of a weight, needs rows of its own: use fewer sources, clip the weights to +-63, or place the "
                "targets on both hemispheres (circuits 0-255 and 256-511) through neuronPermutation."
            )
        buses[present, hemisphere] = placed
    return sources, buses


def _fill_buses(connections, chosen, rank, n_sources, rows, drivers):
    """Buses (0..3) of the sources that fit, in order, for the connections at `chosen`, whose sources are numbered by `rank`.

    `rows` and `drivers` (buses,) count what is in use and are added to.
    """
    order = np.argsort(rank, kind="stable")
    chosen, rank = chosen[order], rank[order]
    placed, bus = [], 0
    while len(placed) < n_sources and bus < BUSES:
        first = len(placed)
        last = min(first + LABELS, n_sources)
        start, stop = np.searchsorted(rank, [first, last])
        demand = _demand(rank[start:stop] - first, last - first, connections, chosen[start:stop]).sum(axis=2)
        of_group = demand.cumsum(axis=0).max(axis=2).sum(axis=1).astype(int)  # of the first source, of the first two, ...
        needed = -(-of_group // ROWS_PER_DRIVER)
        fits = int(np.searchsorted(needed, DRIVERS_PER_BUS - drivers[bus], side="right"))
        if fits:
            rows[bus] += of_group[fits - 1]
            drivers[bus] += needed[fits - 1]
            placed += [bus] * fits
        if fits < len(of_group):
            bus += 1
    return np.array(placed, dtype=int)
