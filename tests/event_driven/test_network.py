"""Groups together: two kernels, split runs, threads, delays, cycles, the end of a run."""

import numba
import numpy as np
import pytest

from tests.event_driven.reference import reference_spikes
from tests.event_driven.test_core import PARAMETERS, random_network, source_group
from ttfs_pynn.event_driven import groups
from ttfs_pynn.event_driven.core import EventDrivenNetwork, LIFGroup, SimulationError, Synapses
from ttfs_pynn.membrane import threads as splitting

FIRES_ONCE = {**PARAMETERS, "tau_refrac": 40.0}  # for one input


def one_to_one(network, pre, post, weight, delay, receptor="excitatory"):
    index = np.arange(pre.size)
    network.add_synapses(Synapses(pre, post, receptor, index, index, weight, delay))


def recurrent_network(rng, n=20, min_delay=0.7):
    """Two groups that excite and inhibit each other and themselves, with a delay a connection, and a constant drive."""
    network = EventDrivenNetwork()
    groups = [LIFGroup(n, {**PARAMETERS, "i_offset": rng.uniform(0.7, 1.2, n)}) for _ in range(2)]
    for group in groups:
        network.add_group(group)
    for pre in groups:
        for post in groups:
            size = 4 * n
            sign, receptor = (1, "excitatory") if pre is groups[0] else (-1, "inhibitory")
            network.add_synapses(Synapses(pre, post, receptor, rng.integers(0, n, size), rng.integers(0, n, size),
                                          sign * rng.uniform(0, 0.5, size), rng.uniform(min_delay, 5, size)))
    return network


def run(network, *stops):
    """All spikes of all groups after runs that end at `stops`: a list of (index, time) a group."""
    parts = [network.advance(stop) for stop in stops]
    return [tuple(np.concatenate([part[group][k] for part in parts]) for k in (0, 1)) for group in network.groups]


def assert_same_spikes(first, second, tolerance, at_least=1):
    """The same spikes of every neuron; spikes of different neurons may be exchanged where they tie."""
    for (index_1, time_1), (index_2, time_2) in zip(first, second, strict=True):
        assert index_1.size == index_2.size
        order_1, order_2 = np.lexsort((time_1, index_1)), np.lexsort((time_2, index_2))
        np.testing.assert_array_equal(index_1[order_1], index_2[order_2])
        np.testing.assert_allclose(time_1[order_1], time_2[order_2], rtol=0, atol=tolerance)
    assert sum(index.size for index, _ in first) >= at_least


# Kernels and split runs differ by rounding in v of some 1e-13 mV, over slopes of 0.01 mV/ms and more.
TOLERANCE = 1e-10


def test_the_two_kernels_agree():
    results = []
    for one_kind in (True, False):
        network, _, neurons, *_ = random_network(np.random.default_rng(5), 70, 10, 60.0, shared=True)
        assert neurons._one_kind
        neurons._one_kind = one_kind
        results.append(run(network, 60.0))
    assert_same_spikes(*results, TOLERANCE, at_least=300)


@pytest.mark.parametrize("shared", [True, False])
def test_split_runs_equal_one_run(shared):
    whole, pieces = (random_network(np.random.default_rng(6), 40, 10, 60.0, shared=shared)[0] for _ in range(2))
    stops = np.sort(np.random.default_rng(7).uniform(0, 60, 60))
    assert_same_spikes(run(whole, 60.0), run(pieces, *stops, 60.0), TOLERANCE, at_least=300)


def test_a_group_is_advanced_in_pieces_where_much_arrives(monkeypatch):
    results = []
    for most in (2**22, 50):
        monkeypatch.setattr(groups, "_MOST_EVENTS", most)
        network, _, neurons, *_ = random_network(np.random.default_rng(6), 40, 10, 60.0)
        for synapses in network.synapses:
            synapses.set_delays(np.random.default_rng(1).uniform(0, 5, len(synapses)))
        results.append(run(network, 60.0))
    assert_same_spikes(*results, TOLERANCE, at_least=300)


def test_split_runs_of_a_recurrent_network_equal_one_run():
    whole, pieces = (recurrent_network(np.random.default_rng(8)) for _ in range(2))
    assert_same_spikes(run(whole, 200.0), run(pieces, 13.0, 13.3, 100.0, 200.0), 1e-8, at_least=200)


@pytest.mark.parametrize("make", [lambda: random_network(np.random.default_rng(5), 70, 10, 60.0, shared=True)[0],
                                  lambda: recurrent_network(np.random.default_rng(8))])
def test_the_number_of_threads_changes_no_bit(make, monkeypatch):
    monkeypatch.setattr(splitting, "PARALLEL_FROM", 0)
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one thread only")
    before, results = numba.get_num_threads(), []
    try:
        for number in (1, 2):
            numba.set_num_threads(number)
            results.append(run(make(), 60.0))
    finally:
        numba.set_num_threads(before)
    assert_same_spikes(*results, 0.0, at_least=50)


def test_a_reset_replays():
    network = recurrent_network(np.random.default_rng(9))
    first = run(network, 50.0)
    network.reset()
    assert network.t == 0
    assert_same_spikes(first, run(network, 50.0), 0.0, at_least=20)


def test_recurrent_spikes_against_40_digits():
    """The spikes of each neuron are those of the reference that is given the spikes of all others as input."""
    network = recurrent_network(np.random.default_rng(10), n=4)
    spikes = dict(zip(network.groups, run(network, 80.0), strict=True))
    total = 0
    for group in network.groups:
        index, time = spikes[group]
        for n in range(group.size):
            events = [(t + s.delay[k], s.weight[k], s.receptor) for s in network.synapses if s.post_group is group
                      for k in np.flatnonzero(s.post == n) for t in spikes[s.pre_group][1][spikes[s.pre_group][0] == s.pre[k]]]
            events = sorted(event for event in events if event[0] < 80.0)
            assert events
            parameters = {name: array[n] for name, array in group.get_parameters().items()}
            expected = reference_spikes(parameters, -65.0, events, 80.0)
            total += expected.size
            np.testing.assert_allclose(time[index == n], expected, rtol=0, atol=1e-9)
    assert total > 10


def test_constant_delays_shift_and_delays_differ_by_connection():
    network = EventDrivenNetwork()
    sources, neurons = source_group([[5.0], [5.0], [5.0]]), LIFGroup(3, FIRES_ONCE)
    network.add_group(sources)
    network.add_group(neurons)
    one_to_one(network, sources, neurons, 20.0, [0.0, 1.25, 100.0])
    index, time = network.advance(50.0)[neurons]
    np.testing.assert_array_equal(index, [0, 1])
    np.testing.assert_allclose(np.diff(time), 1.25, rtol=0, atol=1e-12)
    index, time = network.advance(120.0)[neurons]  # still on its way at 50 ms
    np.testing.assert_array_equal(index, [2])


def test_a_set_delay_is_the_delay():
    network = EventDrivenNetwork()
    sources, neurons = source_group([[5.0]] * 2), LIFGroup(2, FIRES_ONCE)
    network.add_group(sources)
    network.add_group(neurons)
    pre, post = (a.ravel() for a in np.mgrid[:2, :2])
    synapses = Synapses(sources, neurons, "excitatory", pre, post, 10.0, 1.0)
    network.add_synapses(synapses)
    first = run(network, 50.0)
    network.reset()
    synapses.set_delays([3.0] * 4)
    later = run(network, 50.0)
    np.testing.assert_allclose(later[1][1], first[1][1] + 2.0, rtol=0, atol=1e-12)
    network.reset()
    synapses.set_delays([1.0, 3.0, 1.0, 3.0])
    index, time = run(network, 50.0)[1]
    np.testing.assert_array_equal(index, [0, 1])
    np.testing.assert_allclose(np.diff(time), 2.0, rtol=0, atol=1e-12)


def test_connections_of_a_pair_add_up_and_self_connections_arrive():
    def spikes(weights, self_weight=0.0):
        network = EventDrivenNetwork()
        sources, neurons = source_group([[5.0]]), LIFGroup(1, {**PARAMETERS, "tau_refrac": 10.0})
        network.add_group(sources)
        network.add_group(neurons)
        n = len(weights)
        network.add_synapses(Synapses(sources, neurons, "excitatory", [0] * n, [0] * n, weights, 1.0))
        if self_weight:
            network.add_synapses(Synapses(neurons, neurons, "excitatory", [0], [0], self_weight, 1.5))
        return network.advance(50.0)[neurons][1]
    one = spikes([12.0])
    assert one.size == 1
    np.testing.assert_allclose(spikes([5.0, 3.0, 4.0]), one, rtol=0, atol=1e-12)
    assert spikes([12.0], self_weight=400.0).size > 1


def test_a_cycle_without_delay_is_an_error_that_leaves_the_network_as_it_was():
    network = EventDrivenNetwork()
    drive, first, second = (LIFGroup(1, {**PARAMETERS, "i_offset": i}) for i in (1.0, 0.0, 0.0))
    for group in (drive, first, second):
        network.add_group(group)
    one_to_one(network, drive, first, 1.0, 0.0)
    one_to_one(network, first, second, 1.0, 0.0)
    run(network, 1.0)
    one_to_one(network, second, first, 1.0, 0.0)
    with pytest.raises(SimulationError, match="without delay, group 2 neuron 0 -> group 1 neuron 0 -> group 2 neuron 0"):
        network.advance(50.0)
    assert network.t == drive.t == first.t == 1.0


def test_a_spike_at_the_end_of_a_run_belongs_to_the_next():
    network = EventDrivenNetwork()
    sources = source_group([[10.0, 10.0, 20.0]])
    neurons = LIFGroup(1, {**PARAMETERS, "i_offset": 1.0})
    network.add_group(sources)
    network.add_group(neurons)
    end = network.advance(100.0)[neurons][1][2]
    network.reset()
    first = network.advance(end)
    assert first[neurons][1].size == 2
    second = network.advance(end + 1.0)
    np.testing.assert_allclose(second[neurons][1], [end], rtol=0, atol=1e-12)
    network.reset()
    assert network.advance(10.0)[sources][1].size == 0
    np.testing.assert_array_equal(network.advance(20.0)[sources][1], [10.0, 10.0])
    np.testing.assert_array_equal(network.advance(20.5)[sources][1], [20.0])


def test_nothing_happens_in_a_run_into_the_past():
    network = recurrent_network(np.random.default_rng(9))
    run(network, 30.0)
    assert all(index.size == 0 for index, _ in run(network, 30.0, 29.9))
    assert network.t == 30.0


def test_a_chain_of_cycles_with_feedforward_parts_between():
    """source -> two coupled groups -> relay -> a group with itself -> last, whose input takes 4 x 0.5 ms and some rise times."""
    network = EventDrivenNetwork()
    source = source_group([[5.0]])
    a, b, relay, loop, last = (LIFGroup(1, FIRES_ONCE) for _ in range(5))
    for group in (last, loop, b, relay, a, source):  # the order of creation does not matter
        network.add_group(group)
    for pre, post in ((source, a), (a, b), (b, relay), (relay, loop), (loop, last)):
        one_to_one(network, pre, post, 20.0, 0.5)
    one_to_one(network, b, a, -20.0, 0.25, "inhibitory")
    one_to_one(network, loop, loop, -20.0, 0.3, "inhibitory")
    spikes = network.advance(60.0)
    (rise,) = spikes[a][1] - 5.5
    for k, group in enumerate((a, b, relay, loop, last)):
        assert spikes[group][1].size == 1
        np.testing.assert_allclose(spikes[group][1], 5.5 + rise + k * (0.5 + rise), rtol=0, atol=1e-10)


def test_a_step_of_a_cycle_that_is_no_binary_fraction():
    """Delays of 0.1 ms summed over 1000 steps: arrivals one ulp before the step in which they are due are not lost."""
    network = EventDrivenNetwork()
    source = source_group([np.arange(100) * 0.1])
    pair = LIFGroup(2, {**PARAMETERS, "v_thresh": -64.999, "v_reset": -65.0, "tau_refrac": 0.05})
    network.add_group(pair)
    network.add_group(source)
    network.add_synapses(Synapses(source, pair, "excitatory", [0], [0], [1.0], [0.1]))
    network.add_synapses(Synapses(pair, pair, "excitatory", [0, 1], [1, 0], [1.0, 0.5], [0.1, 0.1]))
    (index, time), _ = run(network, 30.0)
    assert time.size > 500
    for n in (0, 1):
        assert (np.diff(time[index == n]) >= 0.05 - 1e-9).all()
    assert np.isfinite(pair.get_state()["v"]).all()
    np.testing.assert_array_equal(np.sort(time), time)


def test_groups_added_in_mid_simulation_start_there():
    network = EventDrivenNetwork()
    old = LIFGroup(1, {**PARAMETERS, "i_offset": 1.0})
    network.add_group(old)
    expected = run(network, 100.0)[0][1]
    network.advance(200.0)
    new = LIFGroup(1, {**PARAMETERS, "i_offset": 1.0})
    network.add_group(new)
    time = network.advance(300.0)[new][1]
    np.testing.assert_allclose(time, expected + 200.0, rtol=0, atol=1e-10)
