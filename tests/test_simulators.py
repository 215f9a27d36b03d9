"""Each quirk of `simulators` with its regression test: where a simulator changes, these tell."""

import numpy as np
import pytest
from pyNN.parameters import Sequence

from tests.small_networks import assert_same, samples, scaled, small_graph, small_network
from ttfs_pynn.comparison import compare_first_spikes, explained_by_own_inputs
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import SIMULATORS, SimulatorError, simulator, simulator_of


def test_unknown_and_missing_simulators():
    with pytest.raises(SimulatorError, match="unknown backend 'nets'; did you mean 'nest'. known: exact, brian2"):
        simulator("nets")
    missing = type(SIMULATORS["exact"])("none", "none", "no_such_package", "pip install it", False)
    with pytest.raises(SimulatorError, match="not installed; install it with: pip install it"):
        missing.load()


@pytest.mark.parametrize("dt", [0.0, -0.1, np.inf, np.nan])
def test_impossible_time_steps(dt):
    with pytest.raises(SimulatorError, match="must be positive and finite"):
        simulator("brian2").setup(dt)


def test_what_is_no_pynn_module():
    with pytest.raises(SimulatorError, match="'exact' is no PyNN module; give what simulator"):
        simulator_of("exact")


def test_lookup_by_module():
    assert simulator_of(simulator("exact").load()).name == "exact"
    import pyNN.mock
    assert simulator_of(pyNN.mock).has_time_step


@pytest.fixture(scope="module")
def brian2_recordings():
    """A network on Brian2 (equal time constants, 7 copies) before, after new weights, and after the old ones are back."""
    network, parameters = small_network("brian2", copies=7)
    recordings = [network.present(samples(7))]
    network.write(scaled(parameters, 1.3))
    recordings.append(network.present(samples(7)))
    read = network.read()
    network.write(parameters)
    recordings.append(network.present(samples(7)))
    return network, parameters, recordings, read


def test_brian2_agrees_with_exact_within_a_step(brian2_recordings):
    """Given its own inputs every first spike of Brian2 comes 0 to 1 step after the exact one (1e-3 of a step for the detuned
    tau_syn). Also shows that equal time constants (singular in pyNN.brian2 0.13) and the spike sources' clock are handled."""
    network, parameters, recordings, _ = brian2_recordings
    times = first_spikes(recordings[0])
    for agreement in explained_by_own_inputs(times, network.graph, parameters).values():
        assert agreement.matched > 10 and agreement.missing == agreement.extra == 0
        assert agreement.differences.min() > -0.1 * 1e-3 and agreement.differences.max() < 0.1 * (1 + 1e-3)
    # Rounded to the nearest step, not cut off to the one before.
    np.testing.assert_array_less(np.abs(times["input"] - samples(7)), 0.05 + 1e-9)


def test_brian2_keeps_new_weights_over_a_reset(brian2_recordings):
    """pyNN.brian2 0.13 restores the weights of before the first run at reset: they are written after it."""
    _, parameters, recordings, read = brian2_recordings
    assert_same(read, scaled(parameters, 1.3), rtol=1e-12)
    before, changed, back = (first_spikes(recording) for recording in recordings)
    assert compare_first_spikes(before["layer0"], changed["layer0"]).differences.min() < -0.1
    assert_same(back.times, before.times)


def test_brian2_bulk_connector_makes_the_connections_of_pynn():
    sim = simulator("brian2").setup(0.1)
    pre, post = sim.Population(4, sim.SpikeSourceArray()), sim.Population(6, sim.IF_curr_exp())
    made = []
    for connector in (simulator("brian2").connector(2), simulator("exact").connector(2)):
        projection = sim.Projection(pre, post, connector, sim.StaticSynapse(weight=0.5, delay=0.3), receptor_type="excitatory")
        made.append(projection.get(["weight", "delay"], format="array"))
        assert len(projection) == 12
    for a, b in zip(*made, strict=True):
        np.testing.assert_allclose(a, b)
    assert np.isfinite(made[0][0]).sum() == 12 and np.isnan(made[0][0][0, 3])


@pytest.mark.parametrize("name", ["exact", "brian2", "nest", "neuron"])
@pytest.mark.parametrize("cell, unit", [("IF_cond_exp", "uS"), ("Izhikevich", "mV"), ("IF_curr_exp", "nA")])
def test_weights_are_in_the_unit_of_the_cell(name, cell, unit):
    """What is given is read back, whatever a weight is on the simulator."""
    if name in ("nest", "neuron"):
        pytest.importorskip("nest" if name == "nest" else "neuron")
    known = simulator(name)
    sim = known.setup(0.1)
    pre, post = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0])), sim.Population(3, getattr(sim, cell)())
    projection = sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.25, delay=1.0),
                                receptor_type="excitatory")
    np.testing.assert_allclose(known.connections(projection)[2], 0.25, rtol=1e-9)
    known.assign(projection, "weight", np.linspace(0.1, 0.6, 6))
    np.testing.assert_allclose(known.connections(projection)[2], np.linspace(0.1, 0.6, 6), rtol=1e-9)


def test_brian2_cell_parameters():
    brian2 = simulator("brian2")
    detuned = brian2.cell_parameters(LIFParameters(tau_m=10.0, tau_syn=10.0))
    assert detuned["tau_syn_E"] == 10.0 * (1 + 1e-6) and detuned["tau_m"] == 10.0
    assert brian2.cell_parameters(LIFParameters(tau_m=20.0, tau_syn=10.0))["tau_syn_I"] == 10.0
    with pytest.raises(SimulatorError, match="tau_m = inf"):
        brian2.cell_parameters(LIFParameters(tau_m=np.inf))


def test_brian2_neurons_are_refractory_as_long_as_they_are_told():
    """brian2 2.9 counts a step too few, as the first run shows. Of a constant current: intervals in the exact model are the time
    from reset to threshold and tau_refrac; found at steps, they are longer by less than one."""
    dt, current = 0.1, np.linspace(2.0, 3.0, 20)
    for adapted in (False, True):
        brian2 = simulator("brian2")
        sim = brian2.setup(dt)
        cell = sim.IF_curr_exp(tau_m=20.0, cm=1.0, v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0, tau_refrac=2.0, i_offset=current)
        cells = sim.Population(20, cell, initial_values={"v": -65.0})
        if adapted:
            brian2.adapt(cells, dt)
        cells.record("spikes")
        sim.run(60.0)
        intervals = [np.diff(np.asarray(train))[0] for train in cells.get_data().segments[0].spiketrains]
        longer = intervals - (2.0 - 20.0 * np.log(1 - 15.0 / (20.0 * current)))
        assert len(longer) == 20 and (np.ptp(longer) > dt / 2)
        assert (longer > (0 if adapted else -dt) - 1e-6).all() and (longer < (dt if adapted else 0) + 1e-6).all()


def test_network_on_a_plain_pynn_backend():
    """pyNN.mock makes up its spikes; what counts is that nothing but PyNN is asked of a simulator that is not known here."""
    import pyNN.mock as sim

    sim.setup(timestep=0.1, min_delay=0.1)
    graph = small_graph(5)
    parameters = initial_parameters(graph, np.random.default_rng(0))
    projections = build(sim, graph, parameters).projections.of["input>layer0"]
    for sign, projection in projections.items():  # mock's get() makes weights up
        held = {(c.presynaptic_index, c.postsynaptic_index): sign * c.weight for c in projection.connections}
        assert held == {(i, j): max(sign * parameters["input>layer0.weight"][i, j], 0.0) for i in range(4) for j in range(5)}


def needs(name):
    pytest.importorskip(SIMULATORS[name].needs, reason="make test-simulators installs it")


@pytest.mark.parametrize("name, lowest, highest", [("nest", -1e-9, 1e-9), ("nest_grid", 0.0, 1.0),
                                                   ("nest_lossless", -1e-2, 1e-9)])
def test_nest_agrees_with_exact(name, lowest, highest):
    """Given its own inputs, in steps of 0.1 ms. Lossless has a tau_syn that is 1e-6 longer: it refuses equal ones."""
    needs(name)
    network, parameters = small_network(name, delay=1.0)
    times = first_spikes(network.present(samples(12)))
    for agreement in explained_by_own_inputs(times, network.graph, parameters).values():
        assert agreement.matched > 10 and agreement.missing == agreement.extra == 0
        assert lowest < agreement.differences.min() / 0.1 and agreement.differences.max() / 0.1 < highest
    # Nothing is late by (delay - dt), and nothing between two steps moves to the wrong one.
    late = np.abs(times["input"] - samples(12)).max()
    assert late < (0.05 + 1e-9 if name == "nest_grid" else 1e-9)


@pytest.mark.parametrize("name, late", [("nest", 1), ("nest_grid", 2), ("nest_lossless", 1)])
def test_nest_sends_what_spikes_in_the_first_step_after_it(name, late):
    """pyNN.nest 0.13 loses a spike at 0 ms, and NEST 3.10 refuses one at the first step."""
    needs(name)
    sim = simulator(name).setup(0.1)
    graph = layered(3, (Layer(2, LIFParameters(tau_m=20.0), bias_times=(0.0,)),), 0.0, 20.0)
    network = build(sim, graph, {"input>layer0.weight": np.ones((3, 2)), "bias0>layer0.weight": np.ones((1, 2))})
    times = first_spikes(network.present(np.tile([[0.0, 0.1, 5.0]], (2, 1))))
    errors = np.concatenate([times["input"] - [0.0, 0.1, 5.0], times["bias0"]], axis=1)
    assert (errors > -1e-9).all() and (errors[0] < late * 0.1 * (1 + 1e-5)).all() and (errors[1] < 1e-9).all()
    assert errors[0].max() > 0.09


def test_nest_starts_anew_after_a_reset_and_reads_the_weights_it_has():
    """pyNN.nest 0.13 cannot reset without t_flush, and reads other connections' weights after a run."""
    needs("nest")
    network, parameters = small_network("nest", copies=5, delay=1.0)
    first = first_spikes(network.present(samples(5)))
    network.write(scaled(parameters, 1.3))
    assert_same(network.read(), scaled(parameters, 1.3), rtol=1e-12)
    changed = first_spikes(network.present(samples(5)))
    network.write(parameters)
    again = first_spikes(network.present(samples(5)))
    assert compare_first_spikes(first["layer0"], changed["layer0"]).differences.min() < -0.1
    assert_same(again.times, first.times, atol=1e-9)  # times are counted from another start


def test_nest_entries_know_which_of_them_runs():
    needs("nest")
    for name in ("nest", "nest_grid", "nest_lossless"):
        assert simulator_of(simulator(name).setup(0.1)).name == name
    with pytest.raises(SimulatorError, match="tau_m = inf"):
        simulator("nest").cell_parameters(LIFParameters(tau_m=np.inf))


def test_neuron_agrees_with_exact_within_its_integration_error():
    """Implicit Euler and spikes at steps: half a step late in the median, and first order where the membrane crosses steeply."""
    needs("neuron")
    medians = []
    for dt in (0.1, 0.01):
        network, parameters = small_network("neuron", dt=dt, copies=12, delay=1.0)
        times = first_spikes(network.present(samples(12)))
        agreement = explained_by_own_inputs(times, network.graph, parameters).values()
        assert all(a.matched > 10 and a.missing + a.extra <= 1 for a in agreement)
        medians.append(np.median(np.abs(np.concatenate([a.differences for a in agreement]))) / dt)
        assert np.abs(times["input"] - samples(12)).max() < 1e-9  # its sources are precise
    assert all(0.2 < m < 0.8 for m in medians)


N_PRE, N_POST, COPIES = 5, 4, 3
PAIRS = np.array([[1, 0], [3, 0], [3, 0], [0, 1], [0, 1], [0, 1], [4, 1], [2, 3], [4, 3]])  # no input to neuron 2
EVERYWHERE = ["exact", "brian2", "nest", "nest_lossless", "neuron"]


def sparse_projection(name, pairs=PAIRS, copies=COPIES):
    needs(name)
    known = simulator(name)
    sim = known.setup(0.1)
    spikes = [Sequence([2.0 + k]) for k in range(N_PRE)] * copies
    pre = sim.Population(N_PRE * copies, sim.SpikeSourceArray(spike_times=spikes), label="sources")
    post = sim.Population(N_POST * copies, sim.IF_curr_exp(tau_m=20.0, tau_syn_E=10.0, tau_syn_I=10.0, tau_refrac=5.0))
    projections = [sim.Projection(pre, post, known.connector(copies, pairs), sim.StaticSynapse(weight=0.0, delay=1.0),
                                  receptor_type=receptor, label=receptor) for receptor in ("excitatory", "inhibitory")]
    post.record("spikes")
    return known, sim, projections


def run_and_reset(known, sim, projection):
    sim.run(30.0)
    spikes = [np.array(train) for train in projection.post.get_data("spikes", clear=True).segments[-1].spiketrains]
    known.before_reset(sim, 5.0)
    sim.reset()
    return spikes


@pytest.mark.parametrize("name", EVERYWHERE)
@pytest.mark.parametrize("pairs", [PAIRS, None])
def test_values_of_the_connections_of_equal_networks(name, pairs):
    """Written before and after a first run, when NEST 3.10 sorts connections; several of a pair keep their weights and delays
    together. NEST rounds delays to steps, which these are."""
    known, sim, (excitatory, inhibitory) = sparse_projection(name, pairs)
    shape = len(PAIRS) if pairs is not None else (N_PRE, N_POST)
    rng, size = np.random.default_rng(1), (COPIES, N_PRE, N_POST, pairs)
    every = PAIRS if pairs is not None else np.argwhere(np.ones((N_POST, N_PRE)))[:, ::-1]
    assert len(excitatory) == COPIES * len(every)
    in_order = np.ravel if pairs is not None else (lambda matrix: matrix.T.ravel())
    for again in range(3):
        weights, delays = rng.uniform(0.1, 4.0, shape), rng.permutation(np.prod(shape)).reshape(shape) * 0.1 + 0.5
        for projection, sign in ((excitatory, 1), (inhibitory, -0.1)):
            known.write_values(projection, "weight", sign * weights, *size)
            if again == 1:  # between the two, connections are sorted
                run_and_reset(known, sim, projection)
                if name == "brian2":  # which goes back to the weights of before the first run
                    known.write_values(projection, "weight", sign * weights, *size)
            known.write_values(projection, "delay", delays, *size)
            np.testing.assert_allclose(known.read_values(projection, "weight", *size), sign * weights, rtol=1e-12)
            np.testing.assert_allclose(known.read_values(projection, "delay", *size), delays, rtol=1e-9)
            pre, post, weight, delay = known.connections(projection)
            table = sorted(zip(pre - int(projection.pre[0]), post - int(projection.post[0]), np.round(delay, 6),
                               np.round(weight, 6), strict=True))
            expected = sorted((i + c * N_PRE, j + c * N_POST, d, w) for c in range(COPIES) for (i, j), d, w in zip(
                every, np.round(in_order(delays), 6), np.round(sign * in_order(weights), 6), strict=True))
            np.testing.assert_allclose(table, expected)
    spikes = run_and_reset(known, sim, excitatory)
    assert sum(train.size for train in spikes) > 2 * COPIES and (pairs is None or not spikes[2].size)
    for copy in range(1, COPIES):
        for j in range(N_POST):
            np.testing.assert_allclose(spikes[copy * N_POST + j], spikes[j], rtol=1e-9)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_weights_and_delays_of_anybodys_projection(name):
    """In the order of `connections`, which a run does not change; read back through PyNN. Three connections of one pair."""
    needs(name)
    known = simulator(name)
    sim = known.setup(0.1)
    pre, post = sim.Population(4, sim.SpikeSourceArray(spike_times=[3.0])), sim.Population(3, sim.IF_curr_exp(tau_refrac=5.0))
    made = [(0, 2), (3, 1), (1, 0), (0, 2), (2, 2), (0, 2), (3, 0)]
    listed = [(i, j, 0.1 * k + 0.1, 0.5 + 0.1 * k) for k, (i, j) in enumerate(made)]
    if name == "brian2":  # pyNN.brian2 0.13 gives all connections of a pair the weight of the last
        listed = [(i, j, 0.1, 0.5) for i, j in made]
    projection = sim.Projection(pre, post, sim.FromListConnector(listed), sim.StaticSynapse(), receptor_type="excitatory")
    post.record("spikes")
    before = known.connections(projection)
    if name != "brian2":
        expected = sorted((i, j, d, w) for i, j, w, d in listed)
        found = sorted(zip(before[0] - int(pre[0]), before[1] - int(post[0]), before[3], before[2], strict=True))
        np.testing.assert_allclose(found, expected)
    rng = np.random.default_rng(2)
    for _ in range(3):
        weights, delays = rng.uniform(0.1, 1.0, len(made)), np.round(rng.permutation(len(made)) * 0.1 + 0.3, 6)
        known.assign_weights(projection, weights)
        known.set_delays(projection, delays)
        known.assign_weights(projection, weights)
        after = known.connections(projection)
        for kept, array in zip((*before[:2], weights, delays), after, strict=True):
            np.testing.assert_allclose(array, kept, rtol=1e-9)
        held = np.full((4, 3), np.nan)
        np.fmax.at(held, (before[0] - int(pre[0]), before[1] - int(post[0])), 0.0)
        np.add.at(held, (before[0] - int(pre[0]), before[1] - int(post[0])), weights)
        np.testing.assert_allclose(projection.get("weight", format="array"), held, rtol=1e-9)
        known.keep(sim)
        run_and_reset(known, sim, projection)
        np.testing.assert_allclose(known.connections(projection)[2], weights, rtol=1e-9)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_what_is_kept_is_what_a_reset_goes_back_to(name):
    """pyNN.brian2 0.13: reset() restores weights, parameters and spike times of before the run, as the first one here shows."""
    needs(name)
    known = simulator(name)
    sim = known.setup(0.1)
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[[3.0], [4.0]]))
    cells = sim.Population(3, sim.IF_curr_exp(tau_m=20.0, tau_refrac=1.0))
    projection = sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=2.0, delay=1.0),
                                receptor_type="excitatory")
    cells.record("spikes")
    for keep in (False, True):
        sim.run(20.0)
        if name.startswith("nest"):
            projection._connections = None
        known.assign_weights(projection, np.arange(6.0))
        known.set_delays(projection, np.full(6, 2.0))
        cells.set(v_thresh=-60.0)
        if keep:
            known.keep(sim)
        known.before_reset(sim, 1.0)
        sim.reset()
        forgotten = name == "brian2" and not keep
        np.testing.assert_allclose(known.connections(projection)[2], 2.0 if forgotten else np.arange(6.0), rtol=1e-12)
        np.testing.assert_allclose(projection.get("delay", format="array"), 2.0)
        assert cells.get("v_thresh") == pytest.approx(-50.0 if forgotten else -60.0)
    if name == "brian2":
        sim.run(20.0)
        source.set(spike_times=[Sequence([5.0]), Sequence([6.0, 8.0])])
        known.keep(sim)
        sim.reset()
        assert [list(train) for train in known.spike_times(source)] == [[5.0], [6.0, 8.0]]
        source.record("spikes")
        sim.run(20.0)
        times = [list(np.asarray(train)) for train in source.get_data("spikes").segments[-1].spiketrains]
        np.testing.assert_allclose(np.concatenate(times), [5.0, 6.0, 8.0])


@pytest.mark.parametrize("pairs, message", [
    ([[0, 1], [0, 0]], "sorted by post"), ([[0.5, 1.0]], "integers"), ([0, 1], "integers"), ([[-1, 0]], "from 0"),
    ([[5, 0]], "source 5.*0 to 4"), ([[0, 4]], "target 4.*0 to 3")])
def test_pairs_that_cannot_be(pairs, message):
    from pyNN.errors import ConnectionError
    with pytest.raises(ConnectionError, match=message):
        sparse_projection("exact", np.array(pairs), 1)


def test_no_pairs_at_all():
    for name in ("exact", "brian2"):
        known, _, (projection, _) = sparse_projection(name, np.empty((0, 2), dtype=int))
        known.write_values(projection, "weight", np.empty(0), COPIES, N_PRE, N_POST, np.empty((0, 2), dtype=int))
        assert len(projection) == 0 == known.connections(projection)[2].size
    with pytest.raises(ValueError, match=r"shape \(3,\) for connections of shape \(0,\)"):
        known.write_values(projection, "weight", np.ones(3), COPIES, N_PRE, N_POST, np.empty((0, 2), dtype=int))


@pytest.mark.parametrize("pairs", [PAIRS, None])
def test_the_chip_shares_out_integers_among_equal_sources(pairs):
    """So a sparse and a dense projection hold the weights rounded to the unit, in the order in which they were given."""
    known = simulator("brainscales2")
    sim = known.setup(0.1)
    neuron = LIFParameters(tau_m=20.0)
    sources = sim.Population(N_PRE * known.input_copies, sim.SpikeSourceArray())
    cells = sim.Population(N_POST, known.cell(sim, neuron, 1))
    projection = sim.Projection(sources, cells, known.connector(1, pairs), sim.StaticSynapse(weight=0),
                                receptor_type="excitatory")
    assert len(projection) == known.input_copies * (N_PRE * N_POST if pairs is None else len(PAIRS))
    unit = known.unit(neuron)
    weights = np.random.default_rng(1).integers(0, 300, (N_PRE, N_POST) if pairs is None else len(PAIRS)) * unit
    known.write_values(projection, "weight", weights, 1, N_PRE, N_POST, pairs, neuron)
    np.testing.assert_allclose(known.read_values(projection, "weight", 1, N_PRE, N_POST, pairs, neuron), weights)
    _, _, held, _ = known.connections(projection)
    assert held.max() <= 63 and held.sum() == round(weights.sum() / unit)
    with pytest.raises(SimulatorError, match="no delays to set"):
        known.write_values(projection, "delay", weights, 1, N_PRE, N_POST, pairs, neuron)
    with pytest.raises(SimulatorError, match="one copy of a network"):
        known.write_values(projection, "weight", weights, 2, N_PRE, N_POST, pairs, neuron)
    known.assign_weights(projection, np.arange(len(projection)) % 60)
    np.testing.assert_array_equal(known.connections(projection)[2], np.arange(len(projection)) % 60)
