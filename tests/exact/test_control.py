"""setup, run, reset, end, and what may change between runs."""

import gc
import weakref

import numpy as np
import pytest

from tests.exact.helpers import ONE_SPIKE, driven, spike_lists


def test_runs_add_up(sim):
    """run(0.1) a hundred times ends at 9.99999999999998 ms, and every spike is where one run has it."""
    def network():
        sources = sim.Population(20, sim.SpikeSourceArray(spike_times=[np.arange(k, 100) * 0.1 for k in range(20)]))
        neurons = sim.Population(10, sim.IF_curr_exp(**{**ONE_SPIKE, "tau_refrac": 0.3}))
        sim.Projection(sources, neurons, sim.AllToAllConnector(),
                       sim.StaticSynapse(weight=np.linspace(0, 2, 200).reshape(20, 10)), receptor_type="excitatory")
        for population in (sources, neurons):
            population.record("spikes")
        return sources, neurons
    one = network()
    assert sim.run(10.0) == 10.0
    expected = [spike_lists(population.get_data()) for population in one]
    sim.setup()
    pieces = network()
    for _ in range(100):
        t = sim.run(0.1)
    assert t == sim.get_current_time() == pytest.approx(10.0)
    assert sum(map(len, expected[1])) > 50
    for train, whole in zip(spike_lists(pieces[1].get_data()), expected[1], strict=True):
        np.testing.assert_allclose(train, whole, rtol=0, atol=1e-10)
    assert spike_lists(pieces[0].get_data()) == expected[0]


def test_run_until_and_the_past(sim):
    driven(sim)
    assert sim.run_until(10.0) == 10.0
    assert sim.run_until(10.0 - 1e-12) == 10.0
    with pytest.raises(ValueError, match="in the past"):
        sim.run_until(9.0)
    assert sim.run_for(1.0) == 11.0
    for t in (np.inf, np.nan):
        with pytest.raises(ValueError, match="finite time"):
            sim.run(t)
    assert sim.run(1.0) == 12.0


def test_callbacks_are_called_when_they_asked_for_it(sim):
    _, neurons, projection = driven(sim)
    called = []

    def every_ten(t):
        called.append(t)
        if t == 20.0:
            projection.set(weight=0.0)
        return t + 10.0

    sim.run(50.0, callbacks=[every_ten])
    assert called == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert [len(train) for train in spike_lists(neurons.get_data())] == [1, 1, 0]


def test_reset_keeps_parameters_and_weights_and_restores_the_state(sim):
    _, neurons, projection = driven(sim)
    neurons.initialize(v=-66.0)
    neurons.set(tau_m=8.0)
    sim.run(16.0)
    projection.set(weight=13.0)
    sim.reset()
    assert neurons.get("tau_m") == 8.0
    assert set(projection.get("weight", "list", with_address=False)) == {13.0}
    state = neurons.group.get_state()
    assert (state["v"] == -66.0).all() and (state["isyn_exc"] == 0).all()
    sim.run(50.0)
    first = spike_lists(neurons.get_data())
    sim.reset()
    sim.run(50.0)
    assert spike_lists(neurons.get_data()) == first
    assert [len(train) for train in first] == [1, 1, 1]


def test_spikes_on_their_way_do_not_survive_a_reset(sim):
    _, neurons, _ = driven(sim, delay=10.0)
    sim.run(10.0)
    sim.reset()
    sim.run(14.9)
    assert sum(neurons.get_spike_counts().values()) == 0


def test_populations_and_projections_made_in_mid_simulation(sim):
    sources, neurons, _ = driven(sim)
    sim.run(50.0)
    late = sim.Population(3, sim.IF_curr_exp(**ONE_SPIKE))
    sim.Projection(sources, late, sim.OneToOneConnector(), sim.StaticSynapse(weight=12.0, delay=1.0), receptor_type="excitatory")
    late.record("spikes")
    sim.run(100.0)
    block = late.get_data()
    np.testing.assert_allclose(spike_lists(block), [[106.0 + spike_lists(neurons.get_data())[0][0] - 6.0]] * 3, atol=1e-5)
    assert float(block.segments[0].spiketrains[0].t_start) == 50.0


def test_parameters_changed_in_mid_simulation(sim):
    _, neurons, _ = driven(sim)
    sim.run(60.0)
    neurons[:1].set(v_thresh=0.0)
    neurons[1].v_thresh = -49.0
    sim.run(60.0)
    assert [len(train) for train in spike_lists(neurons.get_data())] == [1, 2, 2]


def test_setup_starts_from_nothing(sim):
    _, neurons, _ = driven(sim)
    sim.run(50.0)
    gone = weakref.ref(neurons.group)
    sim.setup(timestep=0.5)
    assert sim.get_current_time() == 0.0 and sim.get_time_step() == 0.5 and sim.get_min_delay() == 0.5
    sources, again, _ = driven(sim)
    assert int(sources[0]) == 0
    sim.run(50.0)
    assert len(again.get_data().segments) == 1
    del neurons
    gc.collect()
    assert gone() is None


def test_setup_checks_what_pynn_checks_and_ignores_keywords_of_others(sim):
    assert sim.setup(timestep=0.1, min_delay=1.0, max_delay=5.0, threads=4, t_flush=100, spike_precision="on_grid") == 0
    assert (sim.get_min_delay(), sim.get_max_delay()) == (1.0, 5.0)
    assert (sim.rank(), sim.num_processes()) == (0, 1)
    with pytest.raises(Exception, match="min_delay|delay"):
        sim.setup(timestep=1.0, min_delay=0.5)


def test_data_can_be_read_after_end(sim):
    sources, _, _ = driven(sim)
    sim.run(50.0)
    sim.end()
    assert spike_lists(sources.get_data()) == [[5.0], [15.0], [25.0]]


def test_min_delay_auto_is_the_smallest_delay_present(sim):
    assert sim.get_min_delay() == 0.1
    driven(sim, delay=2.5)
    assert sim.get_min_delay() == 2.5


def test_a_cycle_without_delay_is_refused_when_it_runs(sim):
    cells = sim.Population(2, sim.IF_curr_exp())
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=0.0))
    with pytest.raises(ValueError, match="without delay"):
        sim.run(1.0)


def test_the_module_offers_what_scripts_expect(sim):
    names = {}
    exec("from ttfs_pynn.exact import *", names)
    for name in ("setup end run run_until run_for reset initialize get_current_time get_time_step get_min_delay get_max_delay "
                 "num_processes rank list_standard_models create connect set record record_v record_gsyn Population "
                 "PopulationView Assembly "
                 "Projection Network Space NumpyRNG GSLRNG RandomDistribution AllToAllConnector OneToOneConnector "
                 "FromListConnector FixedProbabilityConnector IF_curr_exp SpikeSourceArray SpikeSourcePoisson StaticSynapse "
                 "IF_cond_exp DCSource TsodyksMarkramSynapse errors random space simulator").split():
        assert getattr(sim, name) is names[name], name
    assert sim.simulator.name == "exact"
    assert sim.OneToOneConnector.__module__ == "ttfs_pynn.event_driven.connectors"


def test_data_of_an_earlier_setup_stay_what_they_were(sim):
    """Time, segments and time step are those of the simulation that recorded them, also while another one runs."""
    sources, neurons, _ = driven(sim)
    neurons.record("v")
    sim.run(50.0)
    sim.reset()
    sim.run(30.0)
    expected = [spike_lists(neurons.get_data(), k) for k in (0, 1)]
    for advance in (False, True):
        sim.setup(timestep=1.0)
        again = sim.Population(1, sim.IF_curr_exp())
        again.record("spikes")
        if advance:
            sim.run(10.0)
        block = neurons.get_data()
        assert [spike_lists(block, k) for k in (0, 1)] == expected and len(block.segments) == 2
        assert float(block.segments[1].spiketrains[0].t_stop) == 30.0 and block.annotations["dt"] == 0.1
        assert block.segments[1].analogsignals[0].shape == (301, 3)
        assert neurons.get_spike_counts() == {3: 1, 4: 1, 5: 1}
    neurons.get_data(clear=True)
    assert spike_lists(neurons.get_data()) == [[], [], []]
    assert sources.get_spike_counts() == {0: 1, 1: 1, 2: 1}


@pytest.mark.parametrize("use", [
    lambda sim, sources, neurons, projection: neurons.set(tau_m=5.0),
    lambda sim, sources, neurons, projection: setattr(neurons[0], "tau_m", 5.0),
    lambda sim, sources, neurons, projection: neurons[:2].initialize(v=-60.0),
    lambda sim, sources, neurons, projection: neurons.record("v"),
    lambda sim, sources, neurons, projection: (sources[:1] + sources[2:]).record("spikes"),
    lambda sim, sources, neurons, projection: sources.set(spike_times=[1.0]),
    lambda sim, sources, neurons, projection: sources.set(spike_times=[[1.0], [2.0], []]),
    lambda sim, sources, neurons, projection: sources.set_spike_matrix(np.ones((1, 3))),
    lambda sim, sources, neurons, projection: projection.set(weight=1.0),
    lambda sim, sources, neurons, projection: setattr(projection[0], "weight", 1.0)])
def test_what_an_earlier_setup_made_cannot_be_changed(sim, use):
    made = driven(sim)
    sim.setup()
    with pytest.raises(RuntimeError, match="before the last setup.*build it again after setup"):
        use(sim, *made)


def endless(sim):
    """(sources, endless neuron, usual ones), all recorded; the endless one fires without end after the first source, 6 ms."""
    sources, neurons, _ = driven(sim)
    never_done = sim.Population(1, sim.IF_curr_exp(tau_refrac=0.0, v_reset=-65.0, v_thresh=-65.0 + 1e-9, cm=1e-9))
    sim.Projection(sources[:1], never_done, sim.AllToAllConnector(), sim.StaticSynapse(weight=1e6, delay=1.0))
    for population in (neurons, never_done):
        population.record(["spikes", "v"])
    return sources, never_done, neurons


def test_after_a_failed_run_comes_a_reset(sim):
    """Its data are those of the runs before it, and after the reset nothing is left of it."""
    sources, never_done, neurons = endless(sim)
    sim.run(5.5)
    with pytest.raises(ValueError, match="fires more than"):
        sim.run(20.0)
    never_done.set(cm=1.0, v_thresh=-50.0)
    with pytest.raises(ValueError, match="failed or was interrupted after 5.5 ms.*call reset"):
        sim.run(20.0)
    assert sim.get_current_time() == 5.5
    assert spike_lists(sources.get_data()) == [[5.0], [], []]
    for population in (neurons, never_done):
        assert population.get_data().segments[0].analogsignals[0].shape == (56, population.size)
    sim.reset()
    assert sim.run(30.0) == 30.0
    after = spike_lists(neurons.get_data())
    sim.setup()
    _, neurons, _ = driven(sim)
    sim.run(30.0)
    assert after == spike_lists(neurons.get_data()) and [len(train) for train in after] == [1, 1, 1]


@pytest.mark.parametrize("place", ["advance", "collect"])
def test_after_an_interrupted_run_comes_a_reset(sim, monkeypatch, place):
    """Wherever Ctrl-C strikes: while a group is advanced, or between the recorders."""
    sources, neurons, _ = driven(sim)
    neurons.record("v")
    sim.run(3.0)

    def interrupted(*args):
        raise KeyboardInterrupt
    struck = neurons.group if place == "advance" else max(sim.simulator.state.recorders, key=lambda r: int(r.population.first_id))
    with monkeypatch.context() as patch:
        patch.setattr(struck, place, interrupted)
        with pytest.raises(KeyboardInterrupt):
            sim.run(47.0)
    for population in (sources, neurons):
        assert spike_lists(population.get_data()) == [[], [], []]
    assert neurons.get_data().segments[0].analogsignals[0].shape == (31, 3)
    with pytest.raises(ValueError, match="call reset"):
        sim.run(47.0)
    sim.reset()
    sim.run(50.0)
    assert spike_lists(sources.get_data()) == [[5.0], [15.0], [25.0]]
    assert [len(train) for train in spike_lists(neurons.get_data())] == [1, 1, 1]


def test_an_error_before_anything_moved_needs_no_reset(sim):
    cells = sim.Population(2, sim.IF_curr_exp())
    cycle = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=0.0))
    with pytest.raises(ValueError, match="without delay"):
        sim.run(1.0)
    cycle.set(delay=1.0)
    assert sim.run(1.0) == 1.0
