"""Gaps and runs of up to 1e9 time constants: no spike is lost, invented or moved, and a pause costs nothing."""

import time

import numpy as np
import pytest

from benchmarks.long_gaps import PATHS, check
from tests.event_driven.reference import reference_spikes
from ttfs_pynn import exact
from ttfs_pynn.brainscales2.events import TICK_US, stamped
from ttfs_pynn.event_driven.core import EventDrivenNetwork, LIFGroup, SimulationError, SpikeSourceGroup, Synapses
from ttfs_pynn.event_driven.currents import SampledCurrent, StepCurrent
from ttfs_pynn.event_driven.kernels import N_FACTORS, window_factors
from ttfs_pynn.membrane.interval import first_crossing, phi_ratio

PARAMETERS = dict(tau_m=10.0, tau_syn_E=10.0, tau_syn_I=10.0, cm=1.0, v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0, tau_refrac=2.0,
                  i_offset=0.0)
KINDS = ("blocks", "mixed", "sparse", "driven", "windows", "queue", "steps")


@pytest.mark.parametrize("path", PATHS)
def test_sparse_input_on_every_path(path):
    """A short run of the benchmark, whose 100,000 neurons a path are in its README: see there for what counts as wrong."""
    counts, wrong = check(path, 200, seed=1, in_digits_too=2)
    assert counts["spikes"] > 50 and counts["right"] >= 198 and not wrong, (counts, wrong[:1])


def in_pynn(sim, duration, tau_m, tau_syn, weight):
    sim.setup(timestep=0.1, min_delay=0.1)  # without it, NEST delays all sources
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0]))
    cell = sim.Population(1, sim.IF_curr_exp(tau_m=tau_m, tau_syn_E=tau_syn, tau_syn_I=tau_syn, v_rest=-65.0, v_reset=-65.0,
                                             v_thresh=-50.0, cm=1.0, tau_refrac=2.0))
    cell.record("spikes")
    sim.Projection(source, cell, sim.AllToAllConnector(), synapse_type=sim.StaticSynapse(weight=weight, delay=1.0))
    sim.run(duration)
    return cell.get_data().segments[0].spiketrains[0].magnitude


@pytest.mark.parametrize("tau_m, tau_syn, weight", [(10.0, 10.0, 9.0), (2.0, 1.0, 40.0), (20.0, 5.0, 9.0)])
def test_the_same_spikes_for_every_run_length(tau_m, tau_syn, weight):
    parameters = {**PARAMETERS, "tau_m": tau_m, "tau_syn_E": tau_syn, "tau_syn_I": tau_syn}
    expected = reference_spikes(parameters, -65.0, [(11.0, weight, "excitatory")], 1000.0)
    assert expected.size
    for time_constants in (700.0, 740.0, 750.0, 760.0, 800.0, 1e6, 1e9):
        found = in_pynn(exact, 11.0 + time_constants * max(tau_m, tau_syn), tau_m, tau_syn, weight)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)


def test_nest_has_the_same_spikes_before_a_long_gap():
    pytest.importorskip("nest", reason="make test-simulators installs it")
    nest = pytest.importorskip("pyNN.nest")
    found = in_pynn(nest, 7600.0, 10.0, 10.0, 9.0)
    np.testing.assert_allclose(found, in_pynn(exact, 7600.0, 10.0, 10.0, 9.0), rtol=0, atol=0.1)  # one of its steps


def build(kind, weight, times=(10.0,), **parameters):
    """(network, group of three) on the path `kind`; neuron 0 hears a source."""
    parameters = {**PARAMETERS, **parameters}
    if kind in ("mixed", "sparse"):
        parameters["tau_syn_I"] *= 1.5
    network = EventDrivenNetwork(kind if kind in ("windows", "queue") else None)
    source, group = SpikeSourceGroup(1), LIFGroup(3, parameters)
    source.set_spike_times(times, [0, len(times)])
    network.add_group(source)
    network.add_group(group)
    post = np.arange(2 if kind == "sparse" else 3)
    network.add_synapses(Synapses(source, group, "excitatory", 0 * post, post, weight, 1.0))
    if kind in ("windows", "queue", "steps"):
        network.add_synapses(Synapses(group, group, "excitatory", [0], [1], 0.0, 2.0))
    if kind in ("driven", "steps"):
        group._injections.add(StepCurrent([5.0], [0.0]), np.arange(3))
    return network, group


def spikes(kind, weight, stops, **parameters):
    network, group = build(kind, weight, **parameters)
    parts = [network.advance(stop)[group] for stop in stops]
    return np.concatenate([times[index == 0] for index, times in parts])


RUNS = ([7000.0], [7600.0], [1e10], [11.0, 12.0, 400.0, 1e9, 1e10], [1e3, 1e4, 1e5])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stops", RUNS)
def test_a_drive_that_ends_at_threshold_never_reaches_it(kind, stops):
    """i_offset tau_m / cm = v_thresh - v_rest: the distance decays below the smallest float, and is not 0."""
    assert spikes(kind, 0.0, stops, i_offset=1.5).size == 0
    assert spikes(kind, 0.0, [200.0], i_offset=1.501).size == 2


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("driven", "steps")])
def test_without_leak_the_limit_is_not_reached(kind):
    """One input of 1.5 nA takes the membrane to 15 mV, which is threshold, in infinite time."""
    for stop in (100.0, 7000.0, 7600.0, 1e10):
        assert spikes(kind, 1.5, [stop], tau_m=np.inf).size == 0
        above = spikes(kind, 1.5 * (1 + 1e-6), [stop], tau_m=np.inf)
        expected = 11.0 + 10.0 * np.log((1 + 1e-6) / 1e-6)
        np.testing.assert_allclose(above, [expected] if expected < stop else [], rtol=0, atol=1e-7)  # of 1e-15 / 1e-6


def test_two_currents_of_which_one_is_nearly_gone():
    """What is left of inhibition after 700 time constants is a few units of the smallest float."""
    rates = 1 / 0.062, 1 / 1.95, 1 / 120.0
    alone = first_crossing(0.0, 572.8, 0.0, 17.6, *rates, 1e9)
    assert 0 < alone < 0.1
    for j_inh in (-1e-20, -1e-100, -1e-300, -8e-309, -5e-324, 5e-324, 1e-300):
        np.testing.assert_allclose(first_crossing(0.0, 572.8, j_inh, 17.6, *rates, 1e9), alone, rtol=1e-12)


def test_the_ratio_of_responses_that_are_too_small_for_floats():
    for rates in ((0.1, 0.05, 2.0), (0.1, 2.0, 0.05), (1.0, 0.5, 0.4), (0.0, 1.0, 0.3), (0.1, 0.1, 0.2)):
        for span in (1.0, 100.0):
            response = [(np.exp(-rates[0] * span) - np.exp(-r * span)) / (r - rates[0]) if r != rates[0]
                        else span * np.exp(-r * span) for r in rates[1:]]
            np.testing.assert_allclose(phi_ratio(span, *rates), response[0] / response[1], rtol=1e-12)
    assert phi_ratio(1e9, 0.1, 0.05, 2.0) == np.inf and phi_ratio(1e9, 0.1, 2.0, 0.05) == 0.0
    np.testing.assert_allclose(phi_ratio(1e9, 0.1, 0.2, 0.3), 2.0, rtol=1e-15)
    factors = np.empty((1, N_FACTORS))
    window_factors(1e9, np.array([[0.1, 0.05, 2.0]]), factors)
    assert factors[0, 5] == np.inf and factors[0, 6] == 1.0  # NaN, which max() takes for less than 1, would lose a spike


def test_slow_excitation_over_fast_inhibition_before_a_long_gap():
    """Their responses at the end of the span are 0/0; excitation alone outlasts inhibition and fires."""
    parameters = {**PARAMETERS, "tau_syn_E": 20.0, "tau_syn_I": 2.0}
    for stop in (1e3, 1e5, 1e9):
        network = EventDrivenNetwork()
        source, group = SpikeSourceGroup(1), LIFGroup(1, parameters)
        source.set_spike_times([10.0], [0, 1])
        network.add_group(source)
        network.add_group(group)
        for receptor, weight in (("excitatory", 5.0), ("inhibitory", -20.0)):
            network.add_synapses(Synapses(source, group, receptor, [0], [0], weight, 0.0))
        expected = reference_spikes(parameters, -65.0, [(10.0, 5.0, "excitatory"), (10.0, -20.0, "inhibitory")], stop)
        assert expected.size
        np.testing.assert_allclose(network.advance(stop)[group][1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", ["windows", "queue", "steps"])
def test_a_pause_costs_nothing(kind):
    """1e10 ms in which little happens: as many windows of 2 ms, or steps of the delay, would take hours."""
    times = [10.0, 5e9, 5e9 + 3.0, 9.9e9]
    near = [spikes(kind, 9.0, [60.0], times=part) for part in ([10.0], [10.0, 13.0], [10.0])]
    assert [part.size for part in near] == [2, 5, 2]
    begin = time.process_time()
    found = spikes(kind, 9.0, [1e10], times=times)
    assert time.process_time() - begin < 5
    expected = np.concatenate([part + shift for part, shift in zip(near, (0.0, 5e9 - 10.0, 9.9e9 - 10.0), strict=True)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=4 * np.spacing(1e10))


@pytest.mark.parametrize("kind", KINDS)
def test_what_time_cannot_tell_apart_ends(kind):
    """At 1e18 ms floats are 128 ms apart: an answer, or an error that says so, but no endless loop."""
    network, _ = build(kind, 9.0, times=[10.0, 9e17])
    try:
        network.advance(1e18)
    except SimulationError as error:
        assert "1e+18" in str(error)


def test_changes_of_a_current_are_laid_out_in_pieces(monkeypatch):
    """Memory does not grow with a run's changes of current."""
    results = []
    for most in (2**22, 64):
        monkeypatch.setattr("ttfs_pynn.event_driven.groups._MOST_EVENTS", most)
        network, group = build("mixed", 0.0)
        group._injections.add(SampledCurrent(0.0, 400.0, 0.5, lambda k: 2.0 + np.sin(k)), np.arange(3))
        assert group.pieces(0.0, 500.0) == (1 if most > 64 else 13)
        results.append(network.advance(500.0)[group][1])
    assert results[0].size > 50
    np.testing.assert_allclose(results[0], results[1], rtol=0, atol=1e-9)


def test_late_events_of_the_chip_stay_at_their_edge():
    for begin in (0, 10**6, 10**12):
        ticks = begin + np.arange(1000)
        np.testing.assert_array_equal(stamped(ticks * TICK_US), ticks)
        np.testing.assert_array_equal(stamped((ticks + 0.5) * TICK_US), ticks + 1)


@pytest.mark.parametrize("change, text", [(dict(tau_m=1e-310), "tau_m"), (dict(cm=1e-200), "cm"), (dict(v_rest=1e200), "v_rest"),
                                          (dict(tau_syn_E=1e200), "tau_syn_E"), (dict(i_offset=-1e101), "i_offset")])
def test_parameters_that_overflow_are_refused(change, text):
    with pytest.raises(SimulationError, match=f"{text} = .* is out of range"):
        LIFGroup(1, {**PARAMETERS, **change})


def test_other_numbers_that_overflow_are_refused():
    network, group = build("sparse", 1.0)
    synapses = network.synapses[0]
    with pytest.raises(ValueError, match="at most 1e\\+100"):
        synapses.set_weights(1e101)
    with pytest.raises(ValueError, match="at most 1e\\+100"):
        synapses.set_delays(1e308)
    with pytest.raises(ValueError, match="at most 1e\\+100"):
        StepCurrent([0.0], [1e200])
    with pytest.raises(SimulationError, match="v = 1e\\+200 is out of range"):
        group.set_initial(v=1e200)
    with pytest.raises(SimulationError, match="at most 1e\\+100"):
        SpikeSourceGroup(1).set_spike_times([1e200], [0, 1])
    exact.setup()
    exact.Population(1, exact.IF_curr_exp())
    with pytest.raises(ValueError, match="at most 1e\\+100 ms"):
        exact.run(1e200)
    exact.run(1e17)
    with pytest.raises(ValueError, match="16 ms apart"):
        exact.run(1.0)
