"""Neurons whose membrane moves at once: against what can be written down by hand, and at their corners."""

import numpy as np
import pytest

from tests.event_driven.test_core import source_group
from tests.event_driven.test_traces import probed
from ttfs_pynn.event_driven.core import EventDrivenNetwork, SimulationError, Synapses
from ttfs_pynn.event_driven.currents import StepCurrent
from ttfs_pynn.event_driven.delta_synapses import DeltaGroup

PARAMETERS = dict(tau_m=10.0, cm=0.5, v_rest=-65.0, v_reset=-68.0, v_thresh=-50.0, tau_refrac=2.0, i_offset=0.0)
TOLERANCE = 1e-12  # mV and ms: a few exponentials


def network(trains, weights, **parameters):
    """(network, group): one neuron a column of `weights`, every source to all of them, without a delay."""
    net, weights = EventDrivenNetwork(), np.array(weights, dtype=float)
    sources = source_group([np.array(train, dtype=float) for train in trains])
    group = DeltaGroup(weights.shape[1], {**PARAMETERS, **parameters})
    net.add_group(sources)
    net.add_group(group)
    pre, post = (a.ravel() for a in np.indices(weights.shape))
    net.add_synapses(Synapses(sources, group, "excitatory", pre, post, weights.ravel(), 0.0))
    return net, group


def test_arrivals_move_the_membrane_which_then_decays():
    net, group = network([[5.0, 11.5], [8.0]], [[4.0, 1.0], [-3.0, 0.0]])
    probe = probed(group, 0.5, ["v"])
    assert net.advance(20.0)[group][1].size == 0
    t = np.arange(41)[:, None] * 0.5
    expected = -65.0 + sum(np.array(w) * np.exp(-(t - at) / 10.0) * (t >= at)
                           for w, at in (([4.0, 1.0], 5.0), ([4.0, 1.0], 11.5), ([-3.0, 0.0], 8.0)))
    np.testing.assert_allclose(probe.signal("v")[2], expected, rtol=0, atol=TOLERANCE)


def test_a_spike_is_at_the_arrival_and_what_arrives_while_clamped_is_lost():
    net, group = network([[5.0, 6.0, 6.5, 8.0]], [[10.0]])
    probe = probed(group, 1.0, ["v"])
    index, time = net.advance(20.0)[group]
    np.testing.assert_array_equal(time, [6.0])  # 10 exp(-0.1) + 10 >= 15
    after = -65.0 + (-3.0 + 10.0) * np.exp(-np.arange(13) / 10.0)  # of the four only the last, at the very end of the clamp
    v = probe.signal("v")[2][:, 0]
    assert v[7] == -68.0
    np.testing.assert_allclose(v[8:], after, rtol=0, atol=TOLERANCE)


def test_what_arrives_together_counts_together():
    net, group = network([[5.0], [5.0]], [[20.0, 20.0, 8.0], [-10.0, 0.0, 8.0]])
    index, time = net.advance(20.0)[group]
    np.testing.assert_array_equal(index, [1, 2])
    np.testing.assert_array_equal(time, [5.0, 5.0])


def test_constant_and_injected_currents_cross_between_arrivals():
    net, group = network([[5.0]], [[6.0, 6.0]], i_offset=[1.0, 0.0])
    group.inject(StepCurrent([0.0], [1.0]), [1])
    index, time = net.advance(12.0)[group]
    np.testing.assert_array_equal(index, [0, 1])
    at_arrival = 20.0 * (1 - np.exp(-0.5)) + 6.0
    np.testing.assert_allclose(time, 5.0 + 10.0 * np.log((20.0 - at_arrival) / 5.0), rtol=0, atol=TOLERANCE)


def test_runs_in_pieces_equal_one_run():
    rng = np.random.default_rng(3)
    trains, weights = [np.sort(rng.uniform(0, 100, 40)) for _ in range(10)], rng.normal(2.0, 2.0, (10, 20))

    def run(pieces, record):
        net, group = network(trains, weights)
        if record:
            probed(group, 0.3, ["v"])
        parts = [net.advance(100.0 * (k + 1) / pieces)[group][1] for k in range(pieces)]
        return np.concatenate(parts), group.probe.signal("v")[2] if record else None
    one, v = run(1, True)
    many, w = run(23, True)
    assert one.size > 100 and v.shape == (334, 20)
    np.testing.assert_array_equal(run(1, False)[0], one)
    np.testing.assert_allclose(many, one, rtol=0, atol=1e-9)
    np.testing.assert_allclose(w, v, rtol=0, atol=1e-9)


def test_there_are_no_synaptic_parameters_and_currents():
    with pytest.raises(SimulationError, match="unknown"):
        DeltaGroup(1, {**PARAMETERS, "tau_syn_E": 1.0})
    with pytest.raises(SimulationError, match="unknown"):
        DeltaGroup(1, PARAMETERS, dict(isyn_exc=1.0))
    with pytest.raises(SimulationError, match="missing"):
        DeltaGroup(1, {})
