"""Reading and writing connections, and where they lead."""

import numpy as np
import pytest
from pyNN import errors
from pyNN.random import NumpyRNG, RandomDistribution

from tests.exact.helpers import ONE_SPIKE, driven, spike_lists


@pytest.fixture
def dense(sim):
    """3 x 2, every pair once; weight 10 pre + post."""
    matrix = 10.0 * np.arange(3)[:, None] + np.arange(2)
    return sim.Projection(sim.Population(3, sim.SpikeSourceArray()), sim.Population(2, sim.IF_curr_exp()),
                          sim.AllToAllConnector(), sim.StaticSynapse(weight=matrix, delay=1.0), receptor_type="excitatory")


@pytest.fixture
def listed(sim, monkeypatch):
    """5 connections, two of them of one pair, with different delays, in the order (0, 0), (2, 0), (2, 1), (2, 1), (1, 1)."""
    connections = [(2, 1, 0.3, 3.0), (0, 0, 0.2, 2.0), (2, 1, 0.1, 1.0), (1, 1, 0.4, 4.0), (2, 0, 0.5, 5.0)]
    # PyNN sorts a list by target with an unstable algorithm.
    monkeypatch.setattr(np, "argsort", lambda a, *args, _argsort=np.argsort, **kw: _argsort(a, kind="stable"))
    return sim.Projection(sim.Population(3, sim.SpikeSourceArray()), sim.Population(2, sim.IF_curr_exp()),
                          sim.FromListConnector(connections), receptor_type="excitatory")


def test_lists_are_in_the_order_of_creation_and_arrays_in_that_of_the_cells(dense):
    """PyNN's connectors go from one postsynaptic cell to the next."""
    assert dense.get("weight", "list") == [(0, 0, 0), (1, 0, 10), (2, 0, 20), (0, 1, 1), (1, 1, 11), (2, 1, 21)]
    assert dense.get(["delay", "weight"], "list")[4] == (1, 1, 1.0, 11.0)
    assert dense.get("weight", "list", with_address=False) == [0, 10, 20, 1, 11, 21]
    weight, delay = dense.get(["weight", "delay"], "array")
    np.testing.assert_array_equal(weight, [[0, 1], [10, 11], [20, 21]])
    np.testing.assert_array_equal(delay, np.ones((3, 2)))
    assert len(dense) == dense.size() == 6 and dense.shape == (3, 2)


@pytest.mark.parametrize("several, expected", [("sum", 0.4), ("first", 0.3), ("last", 0.1), ("min", 0.1), ("max", 0.3)])
def test_several_connections_of_a_pair(listed, several, expected):
    array = listed.get("weight", "array", multiple_synapses=several)
    np.testing.assert_allclose(array, [[0.2, np.nan], [np.nan, 0.4], [0.5, expected]], rtol=1e-15)


def test_missing_pairs_are_nan_and_unknown_modes_are_refused(listed):
    assert np.isnan(listed.get("delay", "array")).sum() == 2
    with pytest.raises(ValueError, match="multiple_synapses"):
        listed.get("weight", "array", multiple_synapses="mean")


def test_set_a_number(dense, listed):
    for projection in (dense, listed):
        projection.set(weight=0.7)
        assert set(projection.get("weight", "list", with_address=False)) == {0.7}


def test_set_a_list_goes_row_by_row(dense, listed):
    """PyNN's order for lists: that of the array of get(), without the holes."""
    dense.set(weight=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    np.testing.assert_array_equal(dense.get("weight", "array"), [[1, 2], [3, 4], [5, 6]])
    dense.set(weight=np.arange(6.0))
    np.testing.assert_array_equal(dense.get("weight", "array"), np.arange(6.0).reshape(3, 2))
    with pytest.raises(errors.InvalidDimensionsError, match="2 values of weight for 6 connections"):
        dense.set(weight=[1.0, 2.0])
    listed.set(delay=[1.0, 2.0, 3.0, 4.0, 4.0])
    np.testing.assert_array_equal(listed.get("delay", "array", multiple_synapses="last"), [[1, np.nan], [np.nan, 2], [3, 4]])


def test_set_a_matrix(dense, listed):
    matrix = np.arange(6.0).reshape(3, 2)
    dense.set(weight=matrix)
    np.testing.assert_array_equal(dense.get("weight", "array"), matrix)
    matrix[:] = 0
    assert dense.get("weight", "array").sum() == 15
    dense.get("weight", "array")[:] = 0
    assert dense.get("weight", "array").sum() == 15
    listed.set(weight=np.arange(6.0).reshape(3, 2), delay=2.0)
    assert listed.get(["weight", "delay"], "list") == [(0, 0, 0, 2), (2, 0, 4, 2), (2, 1, 5, 2), (2, 1, 5, 2), (1, 1, 3, 2)]


def test_set_a_matrix_with_holes(listed):
    """What get() returns can be set: NaN where there is no connection; elsewhere it is refused."""
    array = listed.get("weight", "array", multiple_synapses="max")
    listed.set(weight=array)
    assert listed.get("weight", "list")[2:4] == [(2, 1, 0.3)] * 2
    array[0, 0] = np.nan
    with pytest.raises(errors.InvalidParameterValueError, match="1 of 5 connections"):
        listed.set(weight=array)


def test_nan_is_refused_everywhere_and_changes_nothing(dense):
    before = dense.get("weight", "array")
    matrix = before.copy()
    matrix[1, 1] = np.nan
    for value in (matrix, matrix.ravel(), np.nan):
        with pytest.raises(errors.InvalidParameterValueError):
            dense.set(weight=value)
    with pytest.raises(errors.InvalidParameterValueError):
        dense.set(delay=-1.0)
    np.testing.assert_array_equal(dense.get("weight", "array"), before)


def test_set_random_numbers_and_functions_of_distance(dense):
    dense.set(weight=RandomDistribution("uniform", (1, 2), rng=NumpyRNG(1)))
    weights = dense.get("weight", "array")
    assert np.unique(weights).size == 6 and weights.min() >= 1 and weights.max() <= 2
    dense.set(weight=lambda d: 1.0 + d)
    np.testing.assert_array_equal(dense.get("weight", "array"), [[1, 2], [2, 1], [3, 2]])


def test_set_does_not_read_the_weights_back(dense, monkeypatch):
    """PyNN 0.13 calls get() on every set()."""
    def refuse(*args, **kwargs):
        raise AssertionError("set() has read the weights")
    monkeypatch.setattr(dense, "get", refuse)
    dense.set(weight=0.5, delay=2.0)
    dense.set(weight=np.ones((3, 2)))
    dense.set(weight=[1.0] * 6)


def test_the_callers_dict_and_synapse_type_are_not_changed(sim, dense):
    values = {"weight": [1.0] * 6}
    dense.set(**values)
    assert values == {"weight": [1.0] * 6}


def test_connections_are_read_and_written(dense, listed):
    connection = list(listed.connections)[1]
    assert (connection.presynaptic_index, connection.postsynaptic_index) == (2, 0)
    assert [c.weight for c in listed] == [0.2, 0.5, 0.3, 0.1, 0.4]
    listed[0].weight = 0.9
    listed[-1].delay = 7.0
    assert listed.get(["weight", "delay"], "list")[0] == (0, 0, 0.9, 2.0)
    assert listed[4].as_tuple("presynaptic_index", "weight", "delay") == (1, 0.4, 7.0)
    assert [c.weight for c in listed[:2]] == [0.9, 0.5]
    dense[3].weight = 1.7
    assert dense.get("weight", "array")[0, 1] == 1.7
    with pytest.raises(IndexError):
        dense[6]
    with pytest.raises(AttributeError, match="weight and delay"):
        dense[0].weigth = 1.0
    assert not hasattr(dense[0], "U")
    with pytest.raises(errors.InvalidParameterValueError, match="finite"):
        dense[0].weight = np.nan
    with pytest.raises(errors.InvalidParameterValueError, match="must not be negative"):
        dense[0].delay = -1.0


def test_reading_one_connection_does_not_read_all(sim):
    """300 x 300 connections, each read once: minutes if every read copied them all."""
    cells = sim.Population(300, sim.IF_curr_exp())
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=1.0))
    assert sum(connection.weight for connection in projection) == 90000


def test_views_and_assemblies_as_ends(sim):
    """Indices in a projection are those of its own ends; the neurons that fire are those of the populations."""
    sources = sim.Population(4, sim.SpikeSourceArray(spike_times=[[5.0], [25.0], [45.0], [65.0]]))
    left, right = (sim.Population(3, sim.IF_curr_exp(**ONE_SPIKE)) for _ in range(2))
    ends = left[[2, 0]] + right[1:]
    projection = sim.Projection(sources[::-1], ends, sim.OneToOneConnector(),
                                sim.StaticSynapse(weight=10 * np.eye(4) + 2, delay=1.0), receptor_type="excitatory")
    assert projection.get("weight", "list") == [(k, k, 12.0) for k in range(4)]
    back = sim.Projection(right[2:] + left[1:2], left[1:2], sim.AllToAllConnector(), sim.StaticSynapse(weight=12.0, delay=1.0),
                          receptor_type="excitatory")
    assert back.get("weight", "list") == [(0, 0, 12.0), (1, 0, 12.0)]
    ends.record("spikes")
    left.record("spikes")
    sim.run(100.0)
    left_spikes = spike_lists(left.get_data())
    right_spikes = spike_lists(right.get_data())
    rise = left_spikes[0][0] - 66.0
    assert 0 < rise < 5
    np.testing.assert_allclose(left_spikes[2], [46.0 + rise])
    np.testing.assert_allclose(right_spikes, [[26.0 + rise], [6.0 + rise]])
    np.testing.assert_allclose(left_spikes[1][0], 6.0 + rise + 1.0 + rise)
    projection.set(weight=[1.0, 2.0, 3.0, 4.0])
    assert projection.get("weight", "list", with_address=False) == [1.0, 2.0, 3.0, 4.0]
    projection[2].weight = 9.0
    assert projection[2].weight == 9.0
    assert projection.get("weight", "list", with_address=False) == [1.0, 2.0, 9.0, 4.0]
    assert [connection.delay for connection in projection] == [1.0] * 4


@pytest.mark.parametrize("whole", [True, False])
def test_an_assembly_of_two_layers_is_a_matrix_too(sim, whole):
    sources = sim.Population(2, sim.SpikeSourceArray()) + sim.Population(1, sim.SpikeSourceArray())
    first, second = sim.Population(2, sim.IF_curr_exp()), sim.Population(2, sim.IF_curr_exp())
    cells = first + (second if whole else second[1:])
    n = 4 if whole else 3
    matrix = np.arange(3.0 * n).reshape(3, n)
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=matrix, delay=1.0))
    np.testing.assert_array_equal(projection.get("weight", "array"), matrix)
    projection.set(weight=2 * matrix)
    np.testing.assert_array_equal(projection.get("weight", "array"), 2 * matrix)
    assert len(list(projection.connections)) == 3 * n


def test_delays_of_zero_and_per_connection(sim):
    _, neurons, projection = driven(sim, delay=[[0.0] * 3, [0.25] * 3, [1.5] * 3])
    assert projection.get("delay", "list", with_address=False) == [0.0, 0.25, 1.5]
    sim.run(100.0)
    first = np.array([train[0] for train in spike_lists(neurons.get_data())])
    np.testing.assert_allclose(first - [5.0, 15.0, 25.0] - (first[0] - 5.0), [0.0, 0.25, 1.5], rtol=0, atol=1e-12)


def test_the_default_delay_is_the_time_step_or_min_delay(sim):
    for arguments, expected in ((dict(timestep=0.1), 0.1), (dict(timestep=0.1, min_delay=0.5), 0.5)):
        sim.setup(**arguments)
        cells = sim.Population(1, sim.IF_curr_exp())
        projection = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))
        assert projection.get("delay", "list") == [(0, 0, expected)]
    assert sim.get_min_delay() == 0.5
    cells = sim.Population(1, sim.IF_curr_exp())
    assert sim.Projection(cells, cells, sim.AllToAllConnector()).get("weight", "list") == [(0, 0, 0.0)]


def test_weights_and_delays_set_between_runs_hold_from_then_on(sim):
    _, neurons, projection = driven(sim)
    sim.run(60.0)
    projection.set(delay=2.0)
    projection.set(weight=0.0)
    projection[1].weight = 12.0
    sim.run(100.0)
    spikes = spike_lists(neurons.get_data())
    assert [len(train) for train in spikes] == [1, 2, 1]
    # v and the current that the first spike left behind have decayed by exp(-90 / 10)
    np.testing.assert_allclose(spikes[1][1] - 107.0, spikes[1][0] - 16.0, rtol=0, atol=1e-5)


def test_signs_are_checked_where_pynn_checks_them(sim):
    sources, cells = sim.Population(2, sim.SpikeSourceArray()), sim.Population(2, sim.IF_curr_exp())
    for weight, receptor in ((-1.0, "excitatory"), (1.0, "inhibitory"), (np.array([[1.0, -1.0]] * 2), "excitatory")):
        with pytest.raises(errors.ConnectionError):
            sim.Projection(sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight), receptor_type=receptor)
    with pytest.raises(errors.ConnectionError, match="receptor"):
        sim.Projection(sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0), receptor_type="gaba")


@pytest.mark.parametrize("receptor, weight, tau", [("excitatory", 1.0, "tau_syn_E"), ("inhibitory", -1.0, "tau_syn_I")])
def test_a_receptor_has_its_time_constant(sim, receptor, weight, tau):
    sources = sim.Population(1, sim.SpikeSourceArray(spike_times=[0.0]))
    neuron = sim.Population(1, sim.IF_curr_exp(**ONE_SPIKE))
    sim.Projection(sources, neuron, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=1.0), receptor_type=receptor)
    sim.run(5.0)
    variable = "isyn_exc" if receptor == "excitatory" else "isyn_inh"
    np.testing.assert_allclose(neuron.group.get_state()[variable], weight * np.exp(-4.0 / ONE_SPIKE[tau]), rtol=1e-14)


def test_spike_sources_take_no_input(sim):
    sources = sim.Population(2, sim.SpikeSourceArray())
    with pytest.raises(errors.ConnectionError, match="takes no input"):
        sim.Projection(sources, sources, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))


def test_projections_without_connections(sim):
    sources, cells = sim.Population(2, sim.SpikeSourceArray()), sim.Population(2, sim.IF_curr_exp())
    projection = sim.Projection(sources, cells, sim.FixedProbabilityConnector(0.0), sim.StaticSynapse(weight=1.0))
    assert len(projection) == 0 and projection.get("weight", "list") == [] and list(projection.connections) == []
    assert np.isnan(projection.get("weight", "array")).all()
    projection.set(weight=2.0)
    sim.run(1.0)


def test_save_and_read_connections(sim, listed, tmp_path):
    name = str(tmp_path / "connections.txt")
    listed.save("connections", name)
    again = sim.Projection(listed.pre, listed.post, sim.FromFileConnector(name), receptor_type="excitatory")
    assert sorted(again.get(["weight", "delay"], "list")) == sorted(listed.get(["weight", "delay"], "list"))


def test_populations_of_an_earlier_setup_are_not_connected(sim):
    old = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0]), label="old")
    old_neurons = sim.Population(2, sim.IF_curr_exp(), label="old neurons")
    sim.setup()
    neurons = sim.Population(2, sim.IF_curr_exp())
    for pre, post in ((old, neurons), (old[:1], neurons), (neurons, old_neurons), (neurons, neurons + old_neurons)):
        with pytest.raises(errors.ConnectionError, match="before the last setup"):
            sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0), receptor_type="excitatory")
    assert sim.simulator.state.network.synapses == []
    sim.run(5.0)


def test_of_a_projection_that_could_not_be_made_nothing_is_left(sim):
    """The first part of the assembly would do, the second does not."""
    sources = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    parts = sim.Population(1, sim.IF_curr_exp()), sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(errors.ConnectionError, match="delay = -1"):
        sim.Projection(sources, parts[0] + parts[1], sim.FromListConnector([(0, 0, 1.0, 1.0), (0, 1, 1.0, -1.0)]),
                       receptor_type="excitatory")
    assert sim.simulator.state.network.synapses == [] and parts[0].group.incoming == []


@pytest.mark.parametrize("connected", [0.97, 0.1])
def test_pairs_that_are_absent_stay_absent(sim, monkeypatch, connected):
    """Whether the loops want a table, with zeros, or not: in what is read and set, and in traces and spikes, which are those of
    the loop for any connections to rounding."""
    from ttfs_pynn.event_driven import groups
    found = []
    for table_from in (groups._TABLE_FROM, {True: 2.0, False: 2.0}):
        monkeypatch.setattr(groups, "_TABLE_FROM", table_from)
        sim.setup(0.1)
        rng = np.random.default_rng(1)
        pre = sim.Population(50, sim.SpikeSourceArray(spike_times=[sim_times(rng) for _ in range(50)]))
        post = sim.Population(30, sim.IF_curr_exp(tau_m=20.0, tau_syn_E=10.0, tau_syn_I=10.0, tau_refrac=30.0))
        excitatory, inhibitory = (
            sim.Projection(pre, post, sim.FixedProbabilityConnector(connected, rng=NumpyRNG(seed=k)),
                           sim.StaticSynapse(weight=0.1 * (1 - 2 * k), delay=1.0), receptor_type=receptor)
            for k, receptor in enumerate(("excitatory", "inhibitory")))
        post.record(["spikes", "v"])
        post.group._one_kind = table_from[True] < 2.0
        traces = []
        for factor in (0.4, 1.0):
            exists = np.isfinite(excitatory.get("weight", "array"))
            assert 0 < exists.sum() == excitatory.size() == len(excitatory) < exists.size
            weights = factor * rng.uniform(0.0, 0.7, exists.shape) / connected
            excitatory.set(weight=weights)
            np.testing.assert_array_equal(excitatory.get("weight", "array"), np.where(exists, weights, np.nan))
            assert {(i, j) for i, j, _ in excitatory.get("weight", "list")} == set(zip(*np.nonzero(exists), strict=True))
            sim.run(60.0)
            segment = post.get_data(clear=True).segments[-1]
            traces.append((segment.analogsignals[0].magnitude, [np.array(train) for train in segment.spiketrains]))
            np.testing.assert_array_equal(np.isnan(excitatory.get("delay", "array")), ~exists)
            sim.reset()
        found.append(traces)
    for (v, spikes), (other_v, other_spikes) in zip(*found, strict=True):
        np.testing.assert_allclose(v, other_v, rtol=1e-10)
        for train, other in zip(spikes, other_spikes, strict=True):
            np.testing.assert_allclose(train, other, rtol=1e-12)
    assert sum(train.size for train in found[0][1][1]) > 10


def sim_times(rng):
    from pyNN.parameters import Sequence
    return Sequence(np.sort(rng.uniform(1.0, 30.0, 2)))
