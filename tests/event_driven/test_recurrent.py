"""Recurrent groups: windows and event queue against each other, against 40 digits, and against the feed-forward kernels."""

import numpy as np
import pytest

from tests.event_driven.reference import reference_spikes
from tests.event_driven.test_core import PARAMETERS, random_network, source_group
from tests.event_driven.test_network import TOLERANCE, assert_same_spikes, one_to_one, recurrent_network, run
from ttfs_pynn.event_driven import windows
from ttfs_pynn.event_driven.core import EventDrivenNetwork, LIFGroup, SimulationError, Synapses
from ttfs_pynn.event_driven.kernels import N_PARAMETERS

METHODS = ("windows", "queue")


def with_method(network, method):
    network.method = method
    return network


def random_recurrent(rng, method, n=12, delay=(0.3, 4.0)):
    """Sources and two groups whose neurons share no parameter, connected at random, also twice and with themselves."""
    network = EventDrivenNetwork(method)
    sources = source_group([np.sort(rng.uniform(0, 60, 10)) for _ in range(6)])
    network.add_group(sources)
    for _ in range(2):
        network.add_group(LIFGroup(n, dict(
            tau_m=rng.uniform(8, 30, n), cm=rng.uniform(0.2, 1, n), v_rest=rng.uniform(-70, -60, n),
            v_reset=rng.uniform(-75, -65, n),
            v_thresh=rng.uniform(-55, -50, n), tau_refrac=rng.choice([0.2, 2.0], n), i_offset=rng.choice([0.0, 0.8, 1.6], n),
            tau_syn_E=rng.uniform(1, 6, n), tau_syn_I=rng.uniform(7, 7.9, n)), dict(v=rng.uniform(-70, -51, n))))
    for pre in network.groups:
        for post in network.groups[1:]:
            for receptor, sign in (("excitatory", 1), ("inhibitory", -0.2)):
                network.add_synapses(Synapses(pre, post, receptor, rng.integers(0, pre.size, 40), rng.integers(0, n, 40),
                                              sign * rng.gamma(2, 0.5, 40), rng.uniform(*delay, 40)))
    return network


def assert_each_neuron_is_the_reference(network, spikes, duration, at_least):
    """Every neuron, given the spikes of all others, fires when the reference does."""
    spikes = dict(zip(network.groups, spikes, strict=True))
    total = 0
    for group in network.groups:
        if not isinstance(group, LIFGroup):
            continue
        for n in range(group.size):
            events = sorted((t + s.delay[k], s.weight[k], s.receptor) for s in network.synapses if s.post_group is group
                            for k in np.flatnonzero(s.post == n) for index, times in [spikes[s.pre_group]]
                            for t in times[index == s.pre[k]])
            parameters = {name: array[n] for name, array in group.get_parameters().items()}
            expected = reference_spikes(parameters, group.get_initial()["v"][n], [e for e in events if e[0] < duration], duration)
            found = spikes[group][1][spikes[group][0] == n]
            assert found.size == expected.size
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)  # as in test_core
            total += found.size
    assert total >= at_least


@pytest.mark.parametrize("method", METHODS)
def test_neurons_without_a_common_parameter_against_40_digits(method):
    network = random_recurrent(np.random.default_rng(1), method, n=5)
    assert_each_neuron_is_the_reference(network, run(network, 60.0), 60.0, at_least=50)


@pytest.mark.parametrize("delay", [(0.3, 4.0), (0.15, 0.2), (2.0, 2.0)])
def test_windows_and_queue_agree(delay):
    results = [run(random_recurrent(np.random.default_rng(2), method, delay=delay), 60.0) for method in METHODS]
    assert_same_spikes(*results, 1e-8, at_least=200)  # rounding, grown over some spikes in a row


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shared", [True, False])
def test_they_agree_with_the_feed_forward_kernels(method, shared):
    results = []
    for recurrent in (False, True):
        network, _, neurons, *_ = random_network(np.random.default_rng(3), 40, 10, 60.0, shared=shared)
        network.method = method
        if recurrent:  # by a connection without weight
            network.add_synapses(Synapses(neurons, neurons, "excitatory", [0], [0], 0.0, 1.0))
        results.append(run(network, 60.0))
    assert_same_spikes(*results, TOLERANCE, at_least=200)


@pytest.mark.parametrize("method", METHODS)
def test_pieces_equal_one_run_with_spikes_on_their_way(method):
    whole, pieces = (random_recurrent(np.random.default_rng(4), method) for _ in range(2))
    stops = np.sort(np.random.default_rng(5).uniform(0, 60, 40))
    assert_same_spikes(run(whole, 60.0), run(pieces, *stops, 60.0), 1e-8, at_least=200)


@pytest.mark.parametrize("method", METHODS)
def test_a_reset_replays_to_the_bit(method):
    network = random_recurrent(np.random.default_rng(6), method)
    first = run(network, 40.0)
    network.reset()
    assert_same_spikes(first, run(network, 40.0), 0.0, at_least=100)


@pytest.mark.parametrize("method", METHODS)
def test_weights_and_delays_that_are_set_between_runs_hold(method):
    changed, made = (recurrent_network(np.random.default_rng(7)) for _ in range(2))
    run(with_method(changed, method), 20.0)
    changed.reset()
    for network in (changed, with_method(made, method)):
        for k, synapses in enumerate(network.synapses):
            synapses.set_weights(synapses.weight * 0.5)
            synapses.set_delays(synapses.delay + 0.1 * k)
            synapses.set_one("weight", 0, 0.7 if synapses.receptor == "excitatory" else -0.7)
    assert_same_spikes(run(changed, 60.0), run(made, 60.0), 0.0, at_least=50)


def any_network(seed, method):
    """(network, ends of runs, rng): sources and groups of one to 25 neurons, whose time constants are shared, of each group, of
    each neuron, equal, without leak or a thousand times faster; weights of either sign on either receptor, of one value or of
    many; delays of several kinds; spikes, arrivals and ends of runs that fall on ends of windows."""
    rng = np.random.default_rng(seed)
    network = EventDrivenNetwork(method)
    trains = [rng.uniform(0, 30, rng.integers(0, 12)) for _ in range(rng.integers(1, 8))]
    network.add_group(source_group([np.sort(np.round(4 * train) / 4 if seed % 3 == 0 else train) for train in trains]))
    alike = rng.uniform(3, 30), *rng.uniform(0.3, 8, 2)
    for _ in range(rng.integers(1, 4)):
        n = rng.integers(1, 26)
        tau_m, tau_exc, tau_inh = {
            0: (alike[0], alike[1], alike[1]), 1: alike, 2: (alike[1],) * 3, 3: (rng.uniform(3, 30), *rng.uniform(0.3, 8, 2)),
            4: (rng.uniform(3, 30, n), rng.uniform(0.3, 8, n), rng.uniform(0.3, 8, n)),
            5: (rng.choice([5.0, np.inf], n), rng.choice([2.0, 5.0], n), rng.choice([0.5, 2.0, 5.0], n)),
            6: (rng.choice([5.0, 8.0], n), rng.choice([2.0, 0.002, 8.0], n), rng.choice([2.0, 0.003], n))}[seed % 7]
        leaks = np.isfinite(np.broadcast_to(tau_m, n))
        cm = rng.uniform(0.2, 1, n)
        drive = np.where(leaks, rng.choice([0.0, 0.5, 1.0, 1.6], n) * 15 * cm / np.where(leaks, tau_m, 1.0), 0.0)
        network.add_group(LIFGroup(n, dict(
            tau_m=tau_m, cm=cm, v_rest=-65.0, v_reset=rng.uniform(-70, -60, n), tau_refrac=rng.choice([0.3, 2.0, 5.0], n),
            v_thresh=rng.choice([-50.0, -50.0, np.inf], n), i_offset=drive, tau_syn_E=tau_exc, tau_syn_I=tau_inh),
            dict(v=rng.uniform(-66, -49, n))))
    one_delay, n_each = rng.choice([0.25, 0.5, 1.0, 1.7]), rng.choice([1, 5, 40])
    for pre in network.groups:
        for post in network.groups[1:]:
            for receptor, sign in (("excitatory", 1.0), ("inhibitory", -0.6)):
                size = n_each * post.size
                weight = sign * rng.choice([0.1, 0.5, 2.0]) / n_each ** 0.5 * (1.0 if seed % 2 else rng.gamma(2, 0.5, size))
                if seed % 5 < 2:
                    weight = np.where(rng.random(size) < (0.05, 0.5)[seed % 5], -weight, weight)
                delay = (one_delay, rng.uniform(0.3, 4, size), rng.choice([0.5, 1.0, 1.25], size))[rng.integers(3)]
                network.add_synapses(Synapses(pre, post, receptor, rng.integers(0, pre.size, size),
                                              rng.integers(0, post.size, size), weight, delay))
    return network, np.unique([*np.round(2 * rng.uniform(0.5, 25, rng.integers(0, 4))) / 2, 25.0]), rng


def spikes_of_any(seed, method):
    network, stops, rng = any_network(seed, method)
    parts = []
    for stop in stops:
        parts.append(run(network, stop))
        for synapses in network.synapses:
            if rng.random() < 0.3:
                synapses.set_weights(synapses.weight * 1.1)
            elif rng.random() < 0.1:
                synapses.set_one("weight", 0, 0.3)
    return [tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True)) for found in zip(*parts, strict=True)]


@pytest.mark.parametrize("block", range(4))
def test_windows_and_queue_agree_on_any_network(block):
    at_least = 0
    for seed in range(35 * block, 35 * (block + 1)):
        windows, queue = (spikes_of_any(seed, method) for method in METHODS)
        assert_same_spikes(windows, queue, 1e-7, at_least=0)  # rounding, grown over many spikes in a row
        at_least += sum(index.size for index, _ in queue[1:])
    assert at_least > 500


def test_a_current_that_fades_within_a_window_fires():
    """Excitation of 0.005 ms among neurons of 5 ms: nothing of it is left at the end of a window of 0.5 ms and more."""
    times = []
    for method in METHODS:
        network = EventDrivenNetwork(method)
        source = source_group([[10.1]])
        group = LIFGroup(5, {**PARAMETERS, "tau_syn_E": [5.0, 5.0, 5.0, 5.0, 0.005], "v_thresh": -64.0})
        network.add_group(source)
        network.add_group(group)
        network.add_synapses(Synapses(source, group, "excitatory", [0], [4], 150.0, 1.0))
        network.add_synapses(Synapses(group, group, "excitatory", [0], [1], 0.0, 3.0))
        times.append(network.advance(50.0)[group][1])
        assert times[-1].size == 1 and 11.1 < times[-1][0] < 11.12
    np.testing.assert_allclose(*times, rtol=0, atol=1e-12)


@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
def test_a_pulse_that_is_taken_back_within_a_window_fires(receptor):
    """Weights of both signs on one receptor, 0.05 ms apart: at the end of the window their sum is nothing."""
    times = []
    for method in METHODS:
        network = EventDrivenNetwork(method)
        source, group = source_group([[5.3], [5.35]]), LIFGroup(9, {**PARAMETERS, "tau_syn_I": 3.0})
        network.add_group(source)
        network.add_group(group)
        network.add_synapses(Synapses(source, group, receptor, [0, 1], [6, 6], [300.0, -300.0 * np.exp(-0.05 / 3)], 1.0))
        network.add_synapses(Synapses(group, group, "excitatory", [0], [1], 0.0, 1.0))
        index, time = network.advance(20.0)[group]
        assert list(index) == [6] and 6.3 < time[0] < 6.35
        times.append(time)
    np.testing.assert_allclose(*times, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_projection_that_comes_later_carries_no_spikes_from_before(method):
    """The source has spikes on their way through the first projection; they are not on their way through the second, which would
    share its rows."""
    arrivals = []
    for at_once in (False, True):
        network = EventDrivenNetwork(method)
        source, group = source_group([[5.0, 30.0]]), LIFGroup(2, {**PARAMETERS, "tau_refrac": 9.0})
        network.add_group(source)
        network.add_group(group)
        network.add_synapses(Synapses(group, group, "excitatory", [0], [1], 0.0, 1.0))
        network.add_synapses(Synapses(source, group, "excitatory", [0], [0], 20.0, 2.0))
        if not at_once:
            network.advance(6.0)
        network.add_synapses(Synapses(source, group, "excitatory", [0], [1], 20.0, 3.0))
        index, time = run(network, 20.0, 50.0)[1]
        arrivals.append([time[index == n].size for n in range(2)])
    assert arrivals == [[2, 1], [2, 2]]


def test_delays_of_zero_are_simulated_where_they_form_no_cycle():
    """first -> second without delay, back with delay: second fires at its rise after first."""
    network = EventDrivenNetwork()
    once = {**PARAMETERS, "tau_refrac": 30.0}
    source, first, second = source_group([[5.0]]), LIFGroup(2, once), LIFGroup(1, once)
    for group in (source, first, second):
        network.add_group(group)
    network.add_synapses(Synapses(source, first, "excitatory", [0], [0], 20.0, 0.0))
    network.add_synapses(Synapses(first, first, "excitatory", [0], [1], 20.0, 0.0))  # also within a group
    network.add_synapses(Synapses(first, second, "excitatory", [1], [0], 20.0, 0.0))
    network.add_synapses(Synapses(second, first, "excitatory", [0], [0], 1.0, 1.0))
    _, (index, time), (_, last) = run(network, 30.0)
    np.testing.assert_array_equal(index, [0, 1])
    rise = time[0] - 5.0
    assert rise > 0.1
    np.testing.assert_allclose([time[1], *last], [5.0 + 2 * rise, 5.0 + 3 * rise], rtol=0, atol=1e-12)


def test_delays_of_a_thousandth_of_a_millisecond():
    network = random_recurrent(np.random.default_rng(8), None, n=5, delay=(1e-3, 1e-2))
    assert_each_neuron_is_the_reference(network, run(network, 60.0), 60.0, at_least=50)


@pytest.mark.parametrize("method", METHODS)
def test_a_spike_at_the_time_of_an_arrival_comes_first(method):
    """v is at threshold from the start: the spike at 0 is there although inhibition arrives at 0."""
    network = EventDrivenNetwork(method)
    source, group = source_group([[0.0]]), LIFGroup(1, PARAMETERS, dict(v=-50.0))
    network.add_group(source)
    network.add_group(group)
    one_to_one(network, source, group, -100.0, 0.0, "inhibitory")
    network.add_synapses(Synapses(group, group, "excitatory", [0], [0], 0.0, 1.0))
    np.testing.assert_array_equal(run(network, 50.0)[1][1], [0.0])


@pytest.mark.parametrize("edges, path", [
    ([(0, 0)], r"neuron 0 -> group 0 neuron 0:"), ([(0, 1), (1, 2), (2, 0), (2, 3)], r"(neuron \d -> group 0 ){3}neuron \d:")])
def test_a_cycle_without_delay_is_named(edges, path):
    network = EventDrivenNetwork()
    group = LIFGroup(4, PARAMETERS)
    network.add_group(group)
    pre, post = zip(*edges, strict=True)
    network.add_synapses(Synapses(group, group, "excitatory", pre, post, 1.0, 0.0))
    with pytest.raises(SimulationError, match=path):
        network.advance(1.0)
    network.synapses[0].set_delays(1.0)
    network.advance(1.0)


def test_empty_projections_make_no_cycle_and_lose_no_group():
    network = EventDrivenNetwork()
    groups = [LIFGroup(1, {**PARAMETERS, "i_offset": 1.0}) for _ in range(2)]
    for group in groups:
        network.add_group(group)
    for pre, post in (groups, groups[::-1]):
        network.add_synapses(Synapses(pre, post, "excitatory", [], [], [], []))
    (_, first), (_, second) = run(network, 100.0)
    assert first.size > 3
    np.testing.assert_array_equal(first, second)


def test_windows_are_refused_without_a_delay():
    network = EventDrivenNetwork("windows")
    group = LIFGroup(2, PARAMETERS)
    network.add_group(group)
    network.add_synapses(Synapses(group, group, "excitatory", [0], [1], 1.0, 0.0))
    with pytest.raises(SimulationError, match="windows"):
        network.advance(1.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_neuron_that_fires_without_end_is_an_error_that_loses_no_spike_on_its_way(method):
    network = EventDrivenNetwork(method)
    source = source_group([[1.0]])
    group = LIFGroup(2, {**PARAMETERS, "tau_refrac": 0.0, "v_reset": -50.0 - 1e-13})
    network.add_group(source)
    network.add_group(group)
    one_to_one(network, source, group, 0.0, 2.0)
    network.add_synapses(Synapses(group, group, "excitatory", [0], [1], 0.0, 1.0))
    network.advance(2.0)
    group.set_parameters(i_offset=1e6)
    with pytest.raises(SimulationError, match="tau_refrac > 0"):
        network.advance(10.0)
    assert network.t == group.t == 2.0
    assert network.synapses[0].take_spikes(10.0)[0].size == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_hundred_inputs_a_window_and_none(method):
    """Windows become shorter where much arrives, and long again."""
    rng = np.random.default_rng(9)
    network = EventDrivenNetwork(method)
    source = source_group([np.sort(rng.uniform(10, 14, 400)) for _ in range(5)])
    group = LIFGroup(3, {**PARAMETERS, "tau_refrac": 0.5})
    network.add_group(source)
    network.add_group(group)
    pre, post = (a.ravel() for a in np.mgrid[:5, :3])
    network.add_synapses(Synapses(source, group, "excitatory", pre, post, rng.gamma(1, 0.02, 15), 1.0))
    network.add_synapses(Synapses(group, group, "inhibitory", [0, 1, 2], [1, 2, 0], -0.5, 1.5))
    assert_each_neuron_is_the_reference(network, run(network, 40.0), 40.0, at_least=10)


def test_lanes_beyond_the_last_neuron_are_held():
    """A current that fades within a window makes bounds NaN: of 60 neurons, lanes 60 to 63 were replayed, out of bounds."""
    columns = [np.zeros(60), np.zeros(60), np.zeros(60), np.full(60, -np.inf)]
    neurons = windows._neurons(*columns, np.ones((60, N_PARAMETERS)))
    assert all(array.size == 64 for array in neurons)
    assert (neurons.clamped_until[60:] == np.inf).all() and (neurons.clamped_until[:60] == -np.inf).all()
