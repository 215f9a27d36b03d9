"""Signed weights that are written to two projections at once are what two calls of `set` make of them, whoever looks when."""

import numpy as np
import pytest
from pyNN import errors

N_PRE, N_POST, WINDOW = 12, 9, 400.0


def network(sim, inhibitory_first=False, tau_syn_I=10.0, recorded=()):
    """(neurons, excitatory, inhibitory): sources of ten spikes in each of two windows, and a bias of one sign."""
    rng = np.random.default_rng(1)
    times = [np.sort(np.concatenate([rng.uniform(1, 40, 5) + k * WINDOW for k in range(2)])) for _ in range(N_PRE)]
    sources = sim.Population(N_PRE, sim.SpikeSourceArray(spike_times=times))
    bias = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 5.0 + WINDOW]))
    neurons = sim.Population(N_POST, sim.IF_curr_exp(tau_m=12.0, tau_syn_E=10.0, tau_syn_I=tau_syn_I, cm=1.0, v_rest=-65.0,
                                                     v_reset=-65.0, v_thresh=-50.0, tau_refrac=60.0))
    neurons.initialize(v=-65.0)
    neurons.record(["spikes", *recorded])
    made = {}
    for receptor in ("inhibitory", "excitatory") if inhibitory_first else ("excitatory", "inhibitory"):
        made[receptor] = sim.Projection(sources, neurons, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.0, delay=1.0),
                                        receptor_type=receptor)
    sim.Projection(bias, neurons, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.3, delay=1.0), receptor_type="excitatory")
    return neurons, made["excitatory"], made["inhibitory"]


def weights(seed=0):
    found = np.random.default_rng(seed).normal(0.25, 0.6, (N_PRE, N_POST))
    found[0, 0] = 0.0
    return found


def parts(matrix):
    return np.maximum(matrix, 0.0), np.minimum(matrix, 0.0)


def outcome(sim, neurons, stops):
    """(ids, times, currents at the end) of a run in pieces, from the start."""
    for stop in stops:
        sim.run_until(stop)
    ids, times = neurons.get_data("spikes", clear=True).segments[0].spiketrains.multiplexed
    state = neurons.group.get_state()
    sim.reset()
    return np.asarray(ids) - int(neurons.first_id), times.magnitude, state


def assert_same(one, other):
    """The same spikes; times and currents to rounding, for sums are formed in another order."""
    assert one[0].size > 10 and np.array_equal(one[0], other[0])
    np.testing.assert_allclose(one[1], other[1], rtol=0, atol=1e-9)
    for name, values in other[2].items():
        np.testing.assert_allclose(one[2][name], values, rtol=1e-9, atol=1e-12, err_msg=name)
    assert (other[2]["isyn_exc"] > 0).all() and (other[2]["isyn_inh"] < 0).all()


@pytest.mark.parametrize("stops", [(2 * WINDOW,), (20.0, 30.0, WINDOW + 17.0, WINDOW + 60.0)])
@pytest.mark.parametrize("options", [{}, {"inhibitory_first": True}, {"tau_syn_I": 7.0}, {"recorded": ("isyn_inh",)}])
def test_they_are_those_of_two_projections(sim, options, stops):
    neurons, excitatory, inhibitory = network(sim, **options)
    for seed in range(2):
        excitatory.set(weight=parts(weights(seed))[0])
        inhibitory.set(weight=parts(weights(seed))[1])
        expected = outcome(sim, neurons, stops)
        excitatory.set_signed(inhibitory, weights(seed))
        assert_same(outcome(sim, neurons, stops), expected)
        assert_same(outcome(sim, neurons, stops), expected)
        for projection, part in zip((excitatory, inhibitory), parts(weights(seed)), strict=True):
            np.testing.assert_array_equal(projection.get("weight", format="array"), part)
        assert_same(outcome(sim, neurons, stops), expected)  # now that somebody has looked


def test_the_first_run_and_unequal_delays(sim):
    """Written before anything was laid out, and where rows are those of connections, not of sources."""
    expected = None
    for signed in (False, True):
        sim.setup()
        neurons, excitatory, inhibitory = network(sim)
        found = []
        for delay in (1.0, np.random.default_rng(2).uniform(1.0, 3.0, (N_PRE, N_POST)), 1.5):
            for projection in (excitatory, inhibitory):
                projection.set(delay=delay)
            if signed:
                excitatory.set_signed(inhibitory, weights())
            else:
                excitatory.set(weight=parts(weights())[0])
                inhibitory.set(weight=parts(weights())[1])
            found.append(outcome(sim, neurons, (2 * WINDOW,)))
        if expected is not None:
            for one, other in zip(found, expected, strict=True):
                assert_same(one, other)
        expected = found


def test_whoever_looks_sees_parts(sim):
    """Through PyNN's ways to look at one projection, each right after the weights were written."""
    neurons, excitatory, inhibitory = network(sim)
    outcome(sim, neurons, (50.0,))  # from now on the weights are rows of a table
    above, below = parts(weights())
    looks = [lambda p: p.get("weight", format="array"),
             lambda p: np.array([c.weight for c in p.connections]).reshape(N_POST, N_PRE).T,
             lambda p: np.array(p.get("weight", format="list"))[:, 2].reshape(N_POST, N_PRE).T]
    for look in looks:
        for first, second, one, other in ((excitatory, inhibitory, above, below), (inhibitory, excitatory, below, above)):
            excitatory.set_signed(inhibitory, weights())
            np.testing.assert_array_equal(look(first), one)
            np.testing.assert_array_equal(look(second), other)


def test_one_of_them_is_changed_alone(sim):
    neurons, excitatory, inhibitory = network(sim)
    above, below = parts(weights())
    excitatory.set_signed(inhibitory, weights())
    outcome(sim, neurons, (50.0,))
    excitatory.set(weight=2 * above)
    np.testing.assert_array_equal(inhibitory.get("weight", format="array"), below)
    np.testing.assert_array_equal(excitatory.get("weight", format="array"), 2 * above)
    excitatory.set_signed(inhibitory, weights())
    connection = next(c for c in inhibitory.connections if c.weight < 0)
    pre, post = connection.presynaptic_index, connection.postsynaptic_index
    excitatory.set_signed(inhibitory, weights())
    connection.weight = -0.125
    assert inhibitory.get("weight", format="array")[pre, post] == -0.125
    assert excitatory.get("weight", format="array")[pre, post] == 0.0
    excitatory.set_signed(inhibitory, weights())
    inhibitory.set(delay=2.0)
    np.testing.assert_array_equal(inhibitory.get("weight", format="array"), below)
    excitatory.set_signed(inhibitory, weights())
    unequal = outcome(sim, neurons, (2 * WINDOW,))  # they no longer arrive together
    excitatory.set(weight=above)
    inhibitory.set(weight=below)
    assert_same(outcome(sim, neurons, (2 * WINDOW,)), unequal)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e101])
def test_what_is_refused_changes_nothing(sim, wrong):
    _, excitatory, inhibitory = network(sim)
    excitatory.set_signed(inhibitory, weights())
    matrix = weights(1)
    matrix[3, 4] = wrong
    with pytest.raises(errors.InvalidParameterValueError, match="must be finite"):
        excitatory.set_signed(inhibitory, matrix)
    with pytest.raises(errors.InvalidParameterValueError, match="do not fit"):
        excitatory.set_signed(inhibitory, weights()[:, :3])
    for projection, part in zip((excitatory, inhibitory), parts(weights()), strict=True):
        np.testing.assert_array_equal(projection.get("weight", format="array"), part)


def test_other_projections_take_the_long_way(sim):
    """Of one connection a source there is no matrix."""
    sources = sim.Population(3, sim.SpikeSourceArray())
    neurons = sim.Population(3, sim.IF_curr_exp())
    excitatory, inhibitory = (sim.Projection(sources, neurons, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.0),
                                             receptor_type=receptor) for receptor in ("excitatory", "inhibitory"))
    excitatory.set_signed(inhibitory, np.diag([1.0, -2.0, 3.0]))
    assert [c.weight for c in excitatory.connections] == [1.0, 0.0, 3.0]
    assert [c.weight for c in inhibitory.connections] == [0.0, -2.0, 0.0]
