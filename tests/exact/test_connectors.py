"""Every connector of PyNN makes the connections that it promises."""

import numpy as np
import pytest
from pyNN import errors
from pyNN.core import IndexBasedExpression
from pyNN.random import NumpyRNG

from tests.exact.helpers import spike_lists

SYNAPSE = dict(weight=0.5, delay=1.0)


class OddSum(IndexBasedExpression):
    def __call__(self, i, j):
        return (i + j) % 2


@pytest.fixture
def ends(sim):
    return (sim.Population(5, sim.IF_curr_exp(), label="pre"), sim.Population(4, sim.IF_curr_exp(), label="post"))


def connected(sim, pre, post, connector):
    """Number of connections a pair, from the list."""
    projection = sim.Projection(pre, post, connector, sim.StaticSynapse(**SYNAPSE), receptor_type="excitatory")
    counts = np.zeros(projection.shape, dtype=int)
    for i, j, weight in projection.get("weight", "list"):
        assert weight == 0.5
        counts[i, j] += 1
    assert counts.sum() == len(projection)
    return counts


def test_all_to_all(sim, ends):
    pre, post = ends
    assert (connected(sim, pre, post, sim.AllToAllConnector()) == 1).all()
    np.testing.assert_array_equal(connected(sim, pre, pre, sim.AllToAllConnector(allow_self_connections=False)), 1 - np.eye(5))


def test_one_to_one(sim, ends):
    np.testing.assert_array_equal(connected(sim, *ends, sim.OneToOneConnector()), np.eye(5, 4))


@pytest.mark.parametrize("n", [1, 3])
def test_one_to_one_from_a_single_cell(sim, ends, n):
    """PyNN 0.13's fails with NumPy 2.1 and later."""
    np.testing.assert_array_equal(connected(sim, ends[0][2:3], ends[1][:n], sim.OneToOneConnector()), np.eye(1, n))


def test_fixed_probability(sim, ends):
    pre = sim.Population(40, sim.IF_curr_exp())
    counts = connected(sim, pre, pre, sim.FixedProbabilityConnector(0.3, rng=NumpyRNG(1)))
    assert counts.max() == 1
    assert abs(counts.sum() - 480) < 5 * np.sqrt(1600 * 0.3 * 0.7)


@pytest.mark.parametrize("with_replacement", [True, False])
def test_fixed_numbers(sim, ends, with_replacement):
    arguments = dict(rng=NumpyRNG(2), with_replacement=with_replacement)
    assert (connected(sim, *ends, sim.FixedNumberPreConnector(3, **arguments)).sum(axis=0) == 3).all()
    assert (connected(sim, *ends, sim.FixedNumberPostConnector(3, **arguments)).sum(axis=1) == 3).all()
    if with_replacement:
        assert connected(sim, *ends, sim.FixedNumberPreConnector(20, **arguments)).max() > 1
        assert connected(sim, *ends, sim.FixedTotalNumberConnector(n=17, **arguments)).sum() == 17


def test_lists_and_arrays(sim, ends):
    counts = connected(sim, *ends, sim.FromListConnector([(0, 1), (0, 1), (4, 3)], column_names=[]))
    assert counts[0, 1] == 2 and counts[4, 3] == 1 and counts.sum() == 3
    mask = np.arange(20).reshape(5, 4) % 3 == 0
    np.testing.assert_array_equal(connected(sim, *ends, sim.ArrayConnector(mask)), mask)
    with pytest.raises(errors.ConnectionError):
        connected(sim, *ends, sim.FromListConnector([(7, 0)], column_names=[]))


def test_distances_and_indices(sim, ends):
    counts = connected(sim, *ends, sim.DistanceDependentProbabilityConnector("d < 1.5", rng=NumpyRNG(3)))
    distance = abs(np.arange(5)[:, None] - np.arange(4))
    np.testing.assert_array_equal(counts, distance < 1.5)
    counts = connected(sim, *ends, sim.IndexBasedProbabilityConnector(OddSum(), rng=NumpyRNG(3)))
    np.testing.assert_array_equal(counts, (np.arange(5)[:, None] + np.arange(4)) % 2)


def test_a_clone_has_the_connections_of_its_original(sim, ends):
    original = sim.Projection(*ends, sim.FixedProbabilityConnector(0.5, rng=NumpyRNG(4)), sim.StaticSynapse(**SYNAPSE))
    counts = connected(sim, *ends, sim.CloneConnector(original))
    np.testing.assert_array_equal(counts == 1, np.isfinite(original.get("weight", "array")))


def test_weights_and_delays_of_a_list(sim, ends):
    connections = [(0, 1, 0.1, 1.0), (4, 0, 0.2, 0.0), (0, 1, 0.3, 2.5)]
    projection = sim.Projection(*ends, sim.FromListConnector(connections), receptor_type="excitatory")
    assert sorted(projection.get(["weight", "delay"], "list")) == sorted(connections)


def test_weights_as_functions_of_distance_and_random(sim, ends):
    projection = sim.Projection(*ends, sim.AllToAllConnector(), sim.StaticSynapse(weight="0.5 * d", delay="1 + d"))
    distance = abs(np.arange(5.0)[:, None] - np.arange(4))
    np.testing.assert_array_equal(projection.get("weight", "array"), 0.5 * distance)
    np.testing.assert_array_equal(projection.get("delay", "array"), 1 + distance)
    weight = sim.RandomDistribution("uniform", (1, 2), rng=NumpyRNG(5))
    projection = sim.Projection(*ends, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight))
    assert np.unique(projection.get("weight", "array")).size == 20


def test_progress_is_reported(sim, ends):
    fractions = []
    connector = sim.AllToAllConnector(callback=fractions.append)
    connected(sim, *ends, connector)
    assert fractions == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("target", [3, -1])
def test_a_list_with_a_target_that_does_not_exist(sim, target):
    source, neurons = sim.Population(2, sim.SpikeSourceArray()), sim.Population(3, sim.IF_curr_exp())
    with pytest.raises(errors.ConnectionError, match=f"target {target}"):
        sim.Projection(source, neurons, sim.FromListConnector([(0, 1, 0.5, 1.0), (1, target, 0.5, 1.0)]), sim.StaticSynapse())


@pytest.mark.parametrize("timestep", [0.0, -0.1])
def test_a_time_step_is_positive(sim, timestep):
    with pytest.raises(ValueError, match="must be positive"):
        sim.setup(timestep=timestep)


def test_an_array_of_ones_and_zeros_is_who_is_connected(sim, ends):
    """PyNN 0.13 takes the numbers of an array that is not boolean for numbers of cells."""
    for kind in (int, float, bool):
        projection = sim.Projection(*ends, sim.ArrayConnector(np.eye(5, 4, dtype=kind)), sim.StaticSynapse(weight=0.5))
        assert sorted(pair[:2] for pair in projection.get("weight", "list")) == [(k, k) for k in range(4)]


def test_a_connection_set_with_weights(sim, ends):
    """PyNN 0.13 hands on IDs in place of indices; the first population of a simulation begins with ID 0, these do not."""
    csa = pytest.importorskip("csa", reason="the package csa is not installed")
    ends = ends[1], sim.Population(3, sim.IF_curr_exp())
    connector = sim.CSAConnector(csa.cset(csa.oneToOne, 0.5, 2.0))
    assert sorted(sim.Projection(*ends, connector, receptor_type="excitatory").get(["weight", "delay"], "list")) == \
        [(k, k, 0.5, 2.0) for k in range(3)]


def test_a_file_of_one_connection(sim, ends, tmp_path):
    (tmp_path / "one.txt").write_text('# columns = ["i", "j", "weight", "delay"]\n2\t1\t0.5\t3.0\n')
    projection = sim.Projection(*ends, sim.FromFileConnector(str(tmp_path / "one.txt")), receptor_type="excitatory")
    assert projection.get(["weight", "delay"], "list") == [(2, 1, 0.5, 3.0)]


@pytest.mark.parametrize("connector", ["AllToAllConnector()", "FixedProbabilityConnector(0.7, rng=NumpyRNG(3))",
                                       "FixedNumberPreConnector(2, rng=NumpyRNG(3))", "OneToOneConnector()",
                                       "FromListConnector([(0, 4, 9.0, 1.0), (1, 1, 8.0, 2.0), (2, 0, 7.0, 1.5)])"])
def test_a_projection_onto_an_assembly(sim, connector):
    """The cells hear what they hear through a projection onto each part with the same connections."""
    spikes = []
    for whole in (True, False):
        sim.setup()
        sources = sim.Population(5, sim.SpikeSourceArray(spike_times=[[2.0, 3.0 + k] for k in range(5)]))
        parts = sim.Population(4, sim.IF_curr_exp(tau_m=10.0))[1:3], sim.Population(3, sim.IF_curr_exp(tau_m=20.0))
        if whole:
            made = sim.Projection(sources, parts[0] + parts[1], eval(f"sim.{connector}", {"sim": sim, "NumpyRNG": NumpyRNG}),
                                  sim.StaticSynapse(weight=6.0, delay=1.0), receptor_type="excitatory")
            connections = made.get(["weight", "delay"], "list")
            made.set(delay=made.get("delay", "array") + 0.5)
            assert len(connections) >= 3 and {j for _, j, *_ in connections} & {0, 1} and {j for _, j, *_ in connections} - {0, 1}
        else:
            for part, first in zip(parts, (0, 2), strict=True):
                own = [(i, j - first, w, d + 0.5) for i, j, w, d in connections if first <= j < first + part.size]
                sim.Projection(sources, part, sim.FromListConnector(own), receptor_type="excitatory")
        for part in parts:
            part.record("spikes")
        sim.run(40.0)
        spikes.append([train for part in parts for train in spike_lists(part.get_data())])
    assert sum(map(len, spikes[0])) > 3 and spikes[0] == spikes[1]
