"""Spike times of the event-driven core against 40 digits, and the life of a neuron between spikes."""

import tracemalloc

import numpy as np
import pytest

from tests.event_driven.reference import reference_spikes
from ttfs_pynn.event_driven.core import (
    EventDrivenNetwork,
    LIFGroup,
    SimulationError,
    SpikeSourceGroup,
    Synapses,
)
from ttfs_pynn.event_driven.currents import StepCurrent
from ttfs_pynn.event_driven.probe import Probe

PARAMETERS = dict(tau_m=10.0, cm=0.5, v_rest=-65.0, v_reset=-68.0, v_thresh=-50.0, tau_refrac=2.0, i_offset=0.0,
                  tau_syn_E=3.0, tau_syn_I=7.0)
# Rounding of v (some 1e-13 mV) over the slope at threshold: 1e-9 ms leaves three digits of room even for flat crossings.
TOLERANCE = 1e-9


def source_group(trains):
    group = SpikeSourceGroup(len(trains))
    group.set_spike_times(np.concatenate(trains), np.cumsum([0] + [len(train) for train in trains]))
    return group


def random_network(rng, n_neurons, n_inputs, duration, shared=False):
    """(network, sources' trains, neurons, weights exc, weights inh): every input reaches every neuron with both signs."""
    network = EventDrivenNetwork()
    trains = [np.sort(rng.uniform(0, duration, 8)) for _ in range(n_inputs)]
    sources = source_group(trains)
    n = 1 if shared else n_neurons
    tau_m = rng.uniform(5, 30, n)
    tau_syn = rng.uniform(1.0, 4.5, n), rng.uniform(31, 60, n)
    neurons = LIFGroup(n_neurons, dict(
        tau_m=tau_m, cm=rng.uniform(0.2, 2, n_neurons), v_rest=rng.uniform(-70, -60, n_neurons),
        v_reset=rng.uniform(-75, -65, n_neurons), v_thresh=rng.uniform(-55, -45, n_neurons),
        tau_refrac=rng.choice([0.0, 0.5, 5.0], n_neurons), i_offset=0.0,
        tau_syn_E=tau_syn[0], tau_syn_I=tau_syn[0] if shared else tau_syn[1]))
    network.add_group(sources)
    network.add_group(neurons)
    pre, post = (a.ravel() for a in np.mgrid[:n_inputs, :n_neurons])
    weights = rng.gamma(2, 1.2, (n_inputs, n_neurons)), -rng.gamma(2, 0.015, (n_inputs, n_neurons))
    for receptor, weight in zip(("excitatory", "inhibitory"), weights, strict=True):
        network.add_synapses(Synapses(sources, neurons, receptor, pre, post, weight.ravel(), 1.0))
    return network, trains, neurons, *weights


def spikes_of(network, group, duration):
    index, time = network.advance(duration)[group]
    return [time[index == n] for n in range(group.size)]


def events_for(trains, excitatory, inhibitory, n, duration):
    events = [(time + 1.0, weights[i, n], kind) for i, train in enumerate(trains) for time in train
              for kind, weights in (("excitatory", excitatory), ("inhibitory", inhibitory))]
    return sorted((event for event in events if event[0] < duration), key=lambda event: event[0])


def assert_equal_to_reference(network, trains, neurons, excitatory, inhibitory, duration, at_least):
    found = spikes_of(network, neurons, duration)
    total = 0
    for n in range(neurons.size):
        parameters = {name: array[n] for name, array in neurons.get_parameters().items()}
        events = events_for(trains, excitatory, inhibitory, n, duration)
        expected = reference_spikes(parameters, neurons.get_initial()["v"][n], events, duration)
        assert found[n].size == expected.size, n
        np.testing.assert_allclose(found[n], expected, rtol=0, atol=TOLERANCE)
        total += expected.size
    assert total >= at_least


def test_three_time_constants_against_40_digits():
    rng = np.random.default_rng(1)
    network, *rest = random_network(rng, 50, 14, 100.0)
    assert_equal_to_reference(network, *rest, 100.0, at_least=1000)


def test_constant_currents_below_and_above_threshold():
    rng = np.random.default_rng(2)
    network, trains, neurons, *weights = random_network(rng, 12, 6, 60.0)
    p = neurons.get_parameters()
    rheobase = (p["v_thresh"] - p["v_rest"]) * p["cm"] / p["tau_m"]
    neurons.set_parameters(i_offset=rheobase * np.array([-1.0, 0.5, 0.95, 1.05, 1.5, 3.0] * 2))
    assert_equal_to_reference(network, trains, neurons, *weights, 60.0, at_least=60)


def test_no_leak():
    rng = np.random.default_rng(3)
    network, trains, neurons, *weights = random_network(rng, 10, 6, 60.0)
    neurons.set_parameters(tau_m=np.inf)
    assert_equal_to_reference(network, trains, neurons, *weights, 60.0, at_least=60)


def test_initial_voltage_and_currents_are_restored_by_reset():
    network = EventDrivenNetwork()
    group = LIFGroup(2, PARAMETERS, dict(v=-51.0, isyn_exc=[10.0, 20.0]))
    network.add_group(group)
    first = network.advance(30.0)[group]
    assert first[1].size >= 2
    network.reset()
    np.testing.assert_array_equal(group.get_state()["v"], [-51.0, -51.0])
    again = network.advance(30.0)[group]
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


def test_constant_current_alone_fires_with_the_textbook_interval():
    network = EventDrivenNetwork()
    group = LIFGroup(1, {**PARAMETERS, "i_offset": 1.0})
    network.add_group(group)
    (spikes,) = spikes_of(network, group, 500.0)
    interval = 2.0 + 10.0 * np.log((20.0 + 3.0) / (20.0 - 15.0))
    assert spikes.size > 20
    np.testing.assert_allclose(np.diff(spikes), interval, rtol=0, atol=1e-10)  # ulps of t up to 500 ms


def test_initial_voltage_above_threshold_fires_at_once():
    network = EventDrivenNetwork()
    group = LIFGroup(1, PARAMETERS, dict(v=-40.0))
    network.add_group(group)
    np.testing.assert_array_equal(network.advance(50.0)[group][1], [0.0])


def test_a_neuron_that_fires_thousands_of_times_in_one_run():
    network = EventDrivenNetwork()
    group = LIFGroup(3, {**PARAMETERS, "tau_refrac": 0.1, "i_offset": [0.0, 50.0, 0.0]})
    network.add_group(group)
    silent, busy, _ = spikes_of(network, group, 2000.0)
    assert silent.size == 0
    assert busy.size > 5000
    interval = 0.1 + 10.0 * np.log((1000.0 + 3.0) / (1000.0 - 15.0))
    np.testing.assert_allclose(np.diff(busy), interval, rtol=0, atol=1e-10)


@pytest.mark.parametrize("size", [1, 5000])
def test_a_neuron_that_fires_without_end_is_an_error(size):
    network = EventDrivenNetwork()
    v_reset = np.where(np.arange(size) == size // 2, -50.0 - 1e-13, -68.0)
    network.add_group(LIFGroup(size, {**PARAMETERS, "tau_refrac": 0.0, "i_offset": 1e6 * (v_reset > -60.0), "v_reset": v_reset},
                               dict(v=-51.0)))
    with pytest.raises(SimulationError, match="tau_refrac > 0"):
        network.advance(100.0)


@pytest.mark.parametrize("kind", ["one kind", "mixed", "sparse", "driven", "probed"])
def test_a_busy_neuron_among_many_takes_room_for_itself(kind):
    """One of 3000 neurons fires 50 000 times: room for all of them would be 1.2 GB. Spikes are those that it has alone, to
    rounding (1e-9 ms: ulps of 2000 ms, and of the compiled loops' different sums)."""
    parameters = {**PARAMETERS, "tau_syn_I": PARAMETERS["tau_syn_E"], "tau_refrac": 0.02}
    found = []
    for size in (1, 3000):
        network = EventDrivenNetwork()
        sources = source_group([np.array([1.0, 2.0])])
        group = LIFGroup(size, parameters)
        group.set_parameters(i_offset=np.where(np.arange(size) == 0, 500.0, 0.0))
        if kind == "mixed":
            group.set_parameters(tau_m=np.linspace(10.0, 20.0, size))
        if kind == "driven":
            group.inject(StepCurrent([0.0], [0.0]), [0])
        if kind == "probed":
            group.probe = Probe(size)
            group.probe.record("v", [0], 100.0)
            group.probe.begin(group)
        network.add_group(sources)
        network.add_group(group)
        post = np.arange(0, size, 1 + (kind == "sparse" and size > 1))
        network.add_synapses(Synapses(sources, group, "excitatory", np.zeros(post.size), post, 20.0, 1.0))
        tracemalloc.start()
        index, time = network.advance(2000.0)[group]
        assert tracemalloc.get_traced_memory()[1] < 2e8
        tracemalloc.stop()
        found.append(time[index == 0])
        again = group.room
        network.reset()
        network.advance(2000.0)
        assert group.room is again
    assert index.size > found[1].size > 50000
    np.testing.assert_allclose(*found, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["no input", "one kind", "mixed", "sparse", "driven", "windows", "queue"])
def test_a_voltage_set_during_refractoriness_is_held_until_its_end(kind):
    """As in pyNN.brian2. Exactly held; afterwards it decays towards v_rest, to 1e-12 mV (ulps of v)."""
    network = EventDrivenNetwork(method=kind if kind in ("windows", "queue") else None)
    tau_m = np.linspace(10.0, 12.0, 4) if kind == "mixed" else np.full(4, 10.0)
    group = LIFGroup(4, {**PARAMETERS, "tau_m": tau_m, "tau_syn_E": 5.0, "tau_syn_I": 5.0, "tau_refrac": 20.0},
                     dict(v=[-49.0, -49.0, -65.0, -65.0]))
    sources = source_group([np.array([3.0, 6.0, 7.0])])
    for each in (sources, group):
        network.add_group(each)
    post = np.arange(3 if kind == "sparse" else 4)
    if kind != "no input":  # of no weight
        network.add_synapses(Synapses(sources, group, "excitatory", np.zeros(post.size), post, 0.0, 1.0))
    if kind in ("windows", "queue"):
        network.add_synapses(Synapses(group, group, "excitatory", post, post, 0.0, 1.0))
    if kind == "driven":
        group.inject(StepCurrent([0.0], [0.0]), [0])
    assert network.advance(2.0)[group][0].tolist() == [0, 1]
    group.set_initial(v=[-55.0, -60.0, -55.0, -60.0])
    for t in (5.0, 10.0, 15.0):
        network.advance(t)
        np.testing.assert_array_equal(group.get_state()["v"][:2], [-55.0, -60.0])
    network.advance(30.0)
    expected = -65.0 + np.array([10.0, 5.0, 10.0, 5.0]) * np.exp(-np.array([10.0, 10.0, 28.0, 28.0]) / tau_m)
    np.testing.assert_allclose(group.get_state()["v"], expected, rtol=0, atol=1e-12)


def test_parameters_changed_between_runs_keep_the_voltage():
    network = EventDrivenNetwork()
    group = LIFGroup(1, PARAMETERS, dict(v=-60.0))
    network.add_group(group)
    group.set_parameters(v_rest=-70.0)
    np.testing.assert_array_equal(group.get_state()["v"], [-60.0])
    network.advance(1000.0)
    np.testing.assert_allclose(group.get_state()["v"], [-70.0], atol=1e-12)  # decayed by exp(-100)


@pytest.mark.parametrize("change, message", [
    (dict(tau_m=0.0), "tau_m = 0 must be positive"), (dict(cm=-1.0), "cm = -1"), (dict(tau_refrac=-1.0), "tau_refrac"),
    (dict(v_reset=-50.0), "below v_thresh"), (dict(v_rest=np.inf), "v_rest = inf must be finite"),
    (dict(tau_syn_E=np.nan), "not a number"), (dict(tau_m=np.inf, i_offset=1.0), "not supported")])
def test_what_makes_no_neuron_is_refused_and_changes_nothing(change, message):
    with pytest.raises(SimulationError, match=message):
        LIFGroup(2, {**PARAMETERS, **change})
    group = LIFGroup(2, PARAMETERS)
    with pytest.raises(SimulationError, match=message):
        group.set_parameters(**change)
    assert {name: array[0] for name, array in group.get_parameters().items()} == PARAMETERS


def test_missing_and_unknown_names_are_listed():
    with pytest.raises(SimulationError, match="missing parameters"):
        LIFGroup(1, {"tau_m": 10.0})
    with pytest.raises(SimulationError, match="unknown parameters"):
        LIFGroup(1, PARAMETERS).set_parameters(tau=1.0)
    with pytest.raises(SimulationError, match="unknown variables"):
        LIFGroup(1, PARAMETERS).set_initial(w=1.0)
