"""Rows, drivers and buses against plain loops over the rules that `routing` states."""

import numpy as np
import pytest

from ttfs_pynn.brainscales2.mapping import MappingError, PopulationPlan, ProjectionPlan, map_network


def brute_force_drivers(populations, projections, mapping):
    """Drivers of on-chip sources by loops over dictionaries, for one execution: groups of the event outputs, per hemisphere."""
    count = {}
    for projection in projections:
        entries = zip(projection.pre_index, projection.post_index, projection.weight, strict=True)
        for pre, post, weight in entries:
            source, target = mapping.coordinates[projection.pre][pre], mapping.coordinates[projection.post][post]
            key = (source % 256 // 32, target // 256, projection.receptor, target)
            count[key] = count.get(key, 0) + max(1, -(-abs(int(weight)) // 63))
    rows = {}
    for (output, hemisphere, receptor, _), n in count.items():
        rows[output, hemisphere, receptor] = max(n, rows.get((output, hemisphere, receptor), 0))
    drivers = np.zeros((2, 4), dtype=int)
    for output in range(8):
        for hemisphere in range(2):
            both = sum(rows.get((output, hemisphere, receptor), 0) for receptor in ("excitatory", "inhibitory"))
            drivers[hemisphere, output % 4] += -(-both // 2)
    return drivers


def naive_external_buses(chunks, free):
    """Buses (0..3) of the sources with `chunks` (sources, 2 signs, columns) on one hemisphere, one source after the other."""
    buses, bus, members = [], 0, []
    for source in range(len(chunks)):
        while bus < 4:
            if len(members) == 64:
                free[bus] -= needed_drivers(chunks, members)
                members = []
            if needed_drivers(chunks, [*members, source]) <= free[bus]:
                members.append(source)
                buses.append(bus)
                break
            bus, members = bus + 1, []
    return buses


def needed_drivers(chunks, members):
    return -(-int(chunks[members].sum(axis=0).max(axis=1).sum()) // 2)


@pytest.mark.parametrize("seed", range(5))
def test_buses_of_external_sources_one_by_one(seed):
    """Integers: equal. 200 sparse sources take more than one group of 64 labels and more than one bus."""
    rng = np.random.default_rng(seed)
    populations = [PopulationPlan("input", 200, "external"), PopulationPlan("neurons", 256, "neuron")]
    chunks, projections = np.zeros((200, 2, 256), dtype=int), []
    for sign, receptor in enumerate(("excitatory", "inhibitory")):
        grid = np.indices((200, 256)).reshape(2, -1)[:, rng.random(200 * 256) < 0.15]
        weight = rng.integers(0, 130, grid.shape[1])
        chunks[grid[0], sign, grid[1]] = np.maximum(1, -(-weight // 63))
        projections.append(ProjectionPlan(receptor, 0, 1, receptor, *grid, weight))
    expected = naive_external_buses(chunks, [32] * 4)
    assert len(expected) == 200 and len(set(expected)) > 2
    assert map_network(populations, projections).source_buses[0][0, :, 0].tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_drivers_of_random_networks_by_brute_force(seed):
    """Integers: equal. The circuits are shuffled, so that all buses of both hemispheres take part."""
    rng = np.random.default_rng(seed)
    populations = [PopulationPlan("a", 120, "neuron"), PopulationPlan("b", 200, "neuron")]
    projections = []
    for receptor in ("excitatory", "inhibitory"):
        grid = np.indices((120, 200)).reshape(2, -1)[:, rng.random(24_000) < 0.2]
        projections.append(ProjectionPlan(receptor, 0, 1, receptor, *grid, rng.integers(0, 130, grid.shape[1])))
    mapping = map_network(populations, projections, rng.permutation(512))
    expected = brute_force_drivers(populations, projections, mapping)
    assert (expected > 0).all()
    np.testing.assert_array_equal(mapping.drivers[0], expected)


def two_layers(n_external, n_hidden, signs):
    """External sources to a hidden layer on the upper circuits, and that to 10 neurons in the last columns there: all to all."""
    populations = [PopulationPlan(label, size, kind) for label, size, kind in
                   (("input", n_external, "external"), ("hidden", n_hidden, "neuron"), ("label", 10, "neuron"))]
    projections = [ProjectionPlan(f"{pre} {receptor}", pre, pre + 1, receptor,
                                  *np.indices((populations[pre].size, populations[pre + 1].size)).reshape(2, -1),
                                  np.full(populations[pre].size * populations[pre + 1].size, 5))
                   for pre in (0, 1) for receptor in ("excitatory", "inhibitory")[:signs]]
    return map_network(populations, projections, [*range(n_hidden), *range(246, 256)])


def test_sources_of_other_columns_share_rows_where_separate_ones_do_not_fit():
    """128 signed inputs take all 256 rows of a half, and 128 signed on-chip sources of other columns take the same ones."""
    mapping = two_layers(128, 128, signs=2)
    assert (mapping.rows[0, 0] == 64).all() and (mapping.rows[0, 1] == 0).all()
    np.testing.assert_array_equal(mapping.source_buses[0][0, :, 0], np.arange(128) // 32)
    assert mapping.synapses_used[0] == 2 * (128 * 128 + 128 * 10)


def test_a_network_that_fits_has_rows_of_its_own():
    mapping = two_layers(60, 60, signs=2)
    assert mapping.rows[0, 0].sum() == 240


def test_labels_limit_what_can_share_a_bus():
    """A bus has 64 labels. 128 neurons take 32 on each, so that 128 inputs are left, though there are rows for 256."""
    assert two_layers(128, 128, signs=1).rows[0, 0].tolist() == [64] * 4  # of their own
    assert two_layers(128, 128, signs=2).rows[0, 0].tolist() == [64] * 4  # shared
    with pytest.raises(MappingError, match="129 sources reach hemisphere 0"):
        two_layers(129, 128, signs=1)
