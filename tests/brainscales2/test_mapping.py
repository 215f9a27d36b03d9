import time

import numpy as np
import pytest

from ttfs_pynn.brainscales2.mapping import MappingError, PopulationPlan, ProjectionPlan, check_permutation, map_network
from ttfs_pynn.brainscales2.routing import hardware_synapses


def neurons(size, label="neurons"):
    return PopulationPlan(label, size, "neuron")


def external(size, label="input"):
    return PopulationPlan(label, size, "external")


def dense(populations, pre, post, receptor="excitatory", weight=10, label="dense"):
    grid = np.indices((populations[pre].size, populations[post].size)).reshape(2, -1)
    return ProjectionPlan(label, pre, post, receptor, *grid, np.full(grid.shape[1], weight))


def one_to_one(populations, pre, post, receptor="excitatory", weight=10, label="one to one"):
    index = np.arange(populations[pre].size)
    return ProjectionPlan(label, pre, post, receptor, index, index, np.full(index.size, weight))


@pytest.mark.parametrize(("weight", "count"), [(0, 1), (63, 1), (64, 2), (-64, 2), (126, 2), (127, 3), (288, 5), (800, 13)])
def test_hardware_synapses_of_a_weight(weight, count):
    assert hardware_synapses([weight]).tolist() == [count]


def test_circuits_in_order_and_through_a_permutation():
    populations = [neurons(3, "a"), external(2), neurons(2, "b")]
    mapping = map_network(populations, [])
    assert [c.tolist() for c in mapping.coordinates] == [[0, 1, 2], [], [3, 4]]
    mapping = map_network(populations, [], neuron_permutation=[7, 300, 1, 2, 511])
    assert [c.tolist() for c in mapping.coordinates] == [[7, 300, 1], [], [2, 511]]
    assert mapping.n_partitions == 1 and mapping.neurons_left.tolist() == [507]


@pytest.mark.parametrize(
    ("values", "error"),
    [([8, 8, 8], ValueError), (range(513), OverflowError), ([513], OverflowError), ([-1], TypeError), ([1.5], TypeError)],
)
def test_permutations_that_the_adapter_refuses(values, error):
    with pytest.raises(error, match="neuronPermutation"):
        check_permutation(values, 512, "neuronPermutation")


def test_every_circuit_may_be_listed():
    assert check_permutation(range(512), 512, "neuronPermutation").size == 512


def test_the_largest_fan_in_fits():
    """256 sources of one sign fill the 256 rows of both hemispheres, 64 sources on each bus; one more does not fit."""
    populations = [external(256), neurons(512)]
    mapping = map_network(populations, [dense(populations, 0, 1)])
    assert (mapping.rows == 64).all() and (mapping.drivers == 32).all()
    assert mapping.largest_in_degree == (256, "neurons", 0)
    assert mapping.synapses_used.tolist() == [131_072]
    bus = np.arange(256) // 64
    np.testing.assert_array_equal(mapping.source_buses[0][0], np.stack([bus, 4 + bus], axis=1))
    populations[0] = external(257)
    with pytest.raises(MappingError, match="in-degree larger than the number of synapse rows exist.*'neurons'.*257.*256"):
        map_network(populations, [dense(populations, 0, 1)])


def test_signs_and_chunks_take_rows_of_their_own():
    """A source with exc (13 synapses for 800) and inh (1) takes 14 rows: 20 exceed the in-degree, and since a source stays on one
    bus of 64 rows, 17 exceed the four buses."""
    populations = [external(20), neurons(1)]
    both = [dense(populations, 0, 1, weight=800, label="e"), dense(populations, 0, 1, "inhibitory", -5, label="i")]
    with pytest.raises(MappingError, match="280 synapses are needed.*20 of its 40 weights are beyond 63"):
        map_network(populations, both)
    populations[0] = external(17)
    both = [dense(populations, 0, 1, weight=800, label="e"), dense(populations, 0, 1, "inhibitory", -5, label="i")]
    with pytest.raises(MappingError, match="17 sources reach hemisphere 0, 16 of them fit in the 128 drivers"):
        map_network(populations, both)
    populations[0] = external(16)
    both = [dense(populations, 0, 1, weight=800, label="e"), dense(populations, 0, 1, "inhibitory", -5, label="i")]
    mapping = map_network(populations, both)
    assert mapping.rows[0].tolist() == [[56] * 4, [0] * 4] and mapping.largest_in_degree[0] == 16 * 14
    assert (mapping.multi_chunk_weights, mapping.largest_chunks) == (16, 13)
    assert (mapping.source_buses[0][0, :, 1] == -1).all(), "no target on the second hemisphere"


def test_sources_share_rows_where_their_targets_differ():
    """One row holds a synapse for each column: 64 sources, one to one, need one row (a driver) and not 64."""
    populations = [external(512), neurons(512)]
    mapping = map_network(populations, [one_to_one(populations, 0, 1)])
    assert mapping.rows.sum() == 2 * 4  # 256 sources of each hemisphere in 4 groups of 64 labels
    assert mapping.drivers.sum() == 2 * 4
    assert set(mapping.source_buses[0][0, :256, 0]) == {0} and set(mapping.source_buses[0][0, 256:, 1]) == {4}


def test_buses_of_on_chip_sources():
    """Columns 0..31 and 128..159 reach bus 0, 32..63 bus 1, ...: the number of sources there is the number of rows."""
    populations = [neurons(3, "sources"), neurons(1, "target")]
    mapping = map_network(populations, [dense(populations, 0, 1)], neuron_permutation=[5, 130, 256 + 40, 511])
    assert mapping.rows[0].tolist() == [[0, 0, 0, 0], [2, 1, 0, 0]]


def test_signed_all_to_all_from_128_neurons_is_the_most():
    """128 x 2 signs = 256 rows: 32 columns x 2 rows fill each bus. 129 exceed the in-degree."""
    for size in (128, 129):
        populations = [neurons(size, "hidden"), neurons(10, "output")]
        both = [dense(populations, 0, 1), dense(populations, 0, 1, "inhibitory", -10)]
        if size == 128:
            mapping = map_network(populations, both)
            assert mapping.rows[0].tolist() == [[64] * 4, [0] * 4]
        else:
            with pytest.raises(MappingError, match="in-degree"):
                map_network(populations, both)


def test_a_bus_overflows_before_the_in_degree():
    """64 sources in columns 0..31 of both hemispheres need 128 rows for two signs, all on bus 0, which has 64."""
    populations = [neurons(64, "hidden"), neurons(1, "output")]
    both = [dense(populations, 0, 1), dense(populations, 0, 1, "inhibitory", -10)]
    permutation = [*range(32), *range(256, 288), 100]
    with pytest.raises(MappingError, match="PADI-bus.*'hidden' to 'output'.*128 rows.*bus 0 of hemisphere 0, 64 rows"):
        map_network(populations, both, permutation)


def test_external_sources_take_what_is_left():
    """On-chip sources fill bus 0 and half of bus 1; 33 external ones overflow into bus 2."""
    populations = [neurons(48, "hidden"), external(33), neurons(1, "output")]
    both = [dense(populations, 0, 2), dense(populations, 0, 2, "inhibitory", -10), dense(populations, 1, 2)]
    mapping = map_network(populations, both)
    assert mapping.rows[0, 0].tolist() == [64, 64, 1, 0]
    assert mapping.source_buses[1][0, :, 0].tolist() == [1] * 32 + [2]


def test_no_driver_is_left_for_external_sources():
    """Every neuron listens to 50 of 100 sources with 5 synapses each: 250 of 256 rows, but no bus takes more than 13."""
    populations = [external(100), neurons(100)]
    grid = np.indices((100, 100)).reshape(2, -1)
    near = (grid[1] - grid[0]) % 100 < 50
    weight = np.full(near.sum(), 63 * 5)
    with pytest.raises(MappingError, match="No synapse drivers are left for external sources.*100 sources.*128 drivers"):
        map_network(populations, [ProjectionPlan("band", 0, 1, "excitatory", *grid[:, near], weight)])


def test_background_populations_have_one_bus_each():
    populations = [PopulationPlan("noise", 64, "background"), PopulationPlan("more", 4, "background"), neurons(10)]
    projections = [dense(populations, 0, 2), dense(populations, 1, 2)]
    mapping = map_network(populations, projections, background_permutation=[2, 0])
    assert mapping.rows[0].tolist() == [[4, 0, 64, 0], [0] * 4]
    assert mapping.source_buses[0][0, 5].tolist() == [2, 6] and mapping.source_buses[1][0, 0].tolist() == [0, 4]
    with pytest.raises(MappingError, match="5 populations.*4 are available"):
        map_network([PopulationPlan(f"noise {n}", 1, "background") for n in range(5)], [])
    with pytest.raises(MappingError, match="'noise' needs 257"):
        map_network([PopulationPlan("noise", 257, "background")], [])


def test_a_large_network_runs_in_executions():
    """The adapter's example of a network to divide: 10 inputs, 1000 hidden, 1000 output neurons, one to one."""
    populations = [external(10), neurons(1000, "output"), neurons(1000, "hidden")]
    mapping = map_network(populations, [dense(populations, 0, 2), one_to_one(populations, 2, 1)])
    assert mapping.n_partitions == 4 and mapping.neurons_used.tolist() == [512, 512, 512, 464]
    hidden, output = mapping.partition[2], mapping.partition[1]
    assert (hidden <= output).all() and np.bincount(hidden).tolist() == [512, 488]
    for execution in range(4):
        placed = np.concatenate([c[p == execution] for c, p in zip(mapping.coordinates, mapping.partition, strict=True)])
        assert len(set(placed.tolist())) == mapping.neurons_used[execution]
    assert (mapping.source_buses[0][0] >= 0).all() and (mapping.source_buses[0][3] == -1).all()
    assert "execution 4 of 4" in mapping.report()


def test_a_large_network_with_a_loop_cannot_be_divided():
    populations = [neurons(300, "a"), neurons(300, "b")]
    loop = [one_to_one(populations, 0, 1), one_to_one(populations, 1, 0)]
    with pytest.raises(MappingError, match="600 are needed, 512 are available.*loop: 'a', 'b'"):
        map_network(populations, loop)
    assert map_network(populations, loop[:1]).n_partitions == 2


def test_errors_are_runtime_errors():
    assert issubclass(MappingError, RuntimeError)


def test_plans_that_make_no_network():
    populations = [external(2), neurons(2)]
    with pytest.raises(ValueError, match="kind 'spikes'"):
        PopulationPlan("a", 1, "spikes")
    with pytest.raises(ValueError, match="one length"):
        ProjectionPlan("p", 0, 1, "excitatory", [0], [0, 1], [1])
    with pytest.raises(ValueError, match="takes 0 to 1"):
        map_network(populations, [ProjectionPlan("p", 0, 1, "excitatory", [2], [0], [1])])
    with pytest.raises(ValueError, match="no neurons"):
        map_network(populations, [ProjectionPlan("p", 1, 0, "excitatory", [0], [0], [1])])


def test_statistics_and_report():
    populations = [external(5), neurons(4)]
    mapping = map_network(populations, [dense(populations, 0, 1, weight=100)])
    assert "MappedTopologyStatistics" in str(mapping.statistics)
    (instance,) = mapping.statistics.get_execution_instances().values()
    assert (instance.num_populations, instance.num_projections, instance.num_neurons, instance.num_synapses) == (2, 1, 4, 20)
    assert instance.get_num_synapse_drivers() == instance.num_synapse_drivers == 5  # 10 rows
    assert instance.get_neuron_usage() == 4 / 512 and instance.synapse_usage == 40 / 131_072
    with pytest.raises(AttributeError):
        instance.get_num_nothing()
    words = [line.split() for line in mapping.report().splitlines()]
    assert ["neuron", "circuits", "4", "512", "508"] in words
    assert ["rows,", "hemisphere", "0,", "bus", "0", "10", "64", "54"] in words
    assert "weights beyond 63: 20, the largest takes 2 synapses" in mapping.report()
    assert "weights beyond 63: none" in map_network(populations, [dense(populations, 0, 1)]).report()


def test_an_empty_network():
    mapping = map_network([], [])
    assert mapping.n_partitions == 1 and mapping.rows.sum() == 0 and "neuron circuits" in mapping.report()


def test_mapping_is_fast():
    """On one core about 20 ms and 55 ms; the limits leave room for a busy machine."""
    populations = [external(256), neurons(512)]
    projections = [dense(populations, 0, 1)]
    best = min(_seconds(populations, projections) for _ in range(3))
    single = [
        ProjectionPlan(f"p{n}", 0, 1, "excitatory", np.array([n % 256]), np.array([n // 8]), np.array([1])) for n in range(4096)
    ]
    assert best < 0.2 and _seconds(populations, single) < 1.0


def _seconds(populations, projections):
    started = time.perf_counter()
    map_network(populations, projections)
    return time.perf_counter() - started
