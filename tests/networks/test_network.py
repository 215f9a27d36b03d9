import numpy as np
import pytest

from tests.small_networks import assert_same, heard, samples, scaled, small_graph, small_network, stacked
from ttfs_pynn import simulators
from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.networks import pynn_network
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import SimulatorError


@pytest.mark.parametrize("tau_m, delay", [(10.0, 0.0), (20.0, 0.0), (10.0, 1.3)])
def test_exact_network_is_the_first_spike_solver(tau_m, delay):
    """Populations, projections, windows and Neo against the arrays: times of up to 20 windows of 400 ms round to 1e-12 ms."""
    network, parameters = small_network(graph=small_graph(tau_m=tau_m), delay=delay)
    t_in, graph = samples(20), network.graph
    times = first_spikes(network.present(t_in))
    np.testing.assert_allclose(times["input"], t_in, atol=2e-12)
    for node in graph.neurons:
        assert all(times.delays[edge.label] == (delay, None, None) for edge in graph.afferents(node.label))
        expected = first_spike_times(heard(graph, times, node.label), stacked(graph, parameters, node.label), node.neuron)
        expected[expected > network.timing.deadline] = np.inf
        assert np.isfinite(expected).sum() > 40
        np.testing.assert_array_equal(np.isfinite(times[node.label]), np.isfinite(expected))
        both = np.isfinite(expected)
        # The membrane remembers the window before to 1e-12, and grazing neurons amplify it.
        assert np.median(np.abs(times[node.label][both] - expected[both])) < 1e-11
        assert np.abs(times[node.label][both] - expected[both]).max() < 1e-7


@pytest.mark.parametrize("backend, dt", [("exact", 0.1), ("brian2", 0.1)])
def test_inputs_and_biases_at_the_beginning_of_a_window_count(backend, dt):
    """Windows of 387.63 ms on `exact`, whose multiples are rounded."""
    graph = layered(2, (Layer(3, LIFParameters(), bias_times=(0.0,)),), 0.0, 20.0)
    simulator = simulators.simulator(backend)
    network = build(simulator.setup(dt), graph, {"input>layer0.weight": np.full((2, 3), 2.0), "bias0>layer0.weight": np.full((1,
                                                                                                                              3),
                                                                                                                             2.0)})
    times = first_spikes(network.present(np.tile([[0.0, 5.0]], (9, 1))))
    np.testing.assert_allclose(times["input"], np.tile([[0.0, 5.0]], (9, 1)), atol=1e-9)
    np.testing.assert_allclose(times["bias0"], 0.0, atol=1e-9)
    assert times["bias0"].shape == (9, 1) and np.isfinite(times["layer0"]).all()


@pytest.mark.parametrize("backend", ["exact", "brian2"])
def test_two_networks_in_one_simulation(backend):
    sim = simulators.simulator(backend).setup(0.1)
    neuron, shown = LIFParameters(tau_m=20.0), [np.array([[2.0, 5.0]]), np.array([[3.0, 9.0]])]
    networks = [build(sim, layered(2, (Layer(3, neuron),), 1.5, 20.0), {"input>layer0.weight": np.full((2, 3), w)}) for w in (2.0,
                                                                                                                              4.0)]
    first = [first_spikes(network.present(t)) for network, t in zip(networks, shown, strict=True)]
    again = [first_spikes(network.present(t)) for network, t in zip(networks, shown, strict=True)]
    for t, one, other in zip(shown, first, again, strict=True):
        np.testing.assert_allclose(one["input"], t, atol=1e-9)
        np.testing.assert_array_equal(one["layer0"], other["layer0"])
        assert np.isfinite(one["layer0"]).all()


def test_copies_and_windows_give_the_same_answers():
    t_in = samples(10)
    one = first_spikes(small_network()[0].present(t_in))
    several = first_spikes(small_network(copies=4, single=False)[0].present(t_in))
    single = first_spikes(small_network(copies=10)[0].present(t_in))
    assert np.isfinite(one["layer1"]).sum() > 10
    for other in (several, single):
        for label in ("layer0", "layer1"):
            a, b = one[label], other[label]
            np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b))
            np.testing.assert_allclose(a[np.isfinite(a)], b[np.isfinite(a)], atol=1e-8)


@pytest.mark.parametrize("copies", [1, 3])
def test_weights_are_written_and_read(copies):
    network, parameters = small_network(copies=copies)
    assert_same(network.read(), parameters)
    network.write(scaled(parameters, -1))
    assert_same(network.read(), scaled(parameters, -1))
    assert_same(network.parameters, scaled(parameters, -1))


def test_weights_last_over_presentations_and_presentations_do_not_depend_on_the_past():
    network, parameters = small_network()
    first = first_spikes(network.present(samples(5)))
    network.present(samples(9, seed=8))
    again = first_spikes(network.present(samples(5)))
    np.testing.assert_array_equal(first["layer1"], again["layer1"])
    network.write(scaled(parameters, 2))
    assert (first_spikes(network.present(samples(5)))["layer1"] != first["layer1"]).any()


def test_every_neuron_spikes_at_most_once_a_window_before_the_deadline():
    network, parameters = small_network()
    network.write({name: 5 * np.abs(w) for name, w in parameters.items()})
    block = network.present(samples(6))["layer0"]
    ids, times = block.segments[0].spiketrains.multiplexed
    window, relative = np.divmod(times.magnitude, network.timing.window)
    early = relative < network.timing.deadline
    pairs = set(zip(ids[early], window[early], strict=True))
    assert len(pairs) == early.sum() == 6 * 30


def test_recordings_are_complete_neo_blocks():
    network = small_network()[0]
    recording = network.present(samples(2))
    assert set(network.blocks(recording)) == set(recording.blocks) == {"input", "bias0", "layer0", "bias1", "layer1"}
    train = recording["layer0"].segments[0].spiketrains[3]
    assert train.annotations["source_index"] == 3 and recording["layer0"].annotations["size"] == 30


@pytest.mark.parametrize("change, text", [
    (lambda p: {"input>layer0.weight": p["input>layer0.weight"]},
     "bias0>layer0.weight, layer0>layer1.weight, bias1>layer1.weight missing"),
    (lambda p: p | {"layer0>layer1.weight": p["layer0>layer1.weight"][:, :2]},
     r"layer0>layer1.weight has shape \(30, 2\); expected \(30, 3\)"),
    (lambda p: p | {"input>layer0.weight": np.full((4, 30), np.nan)}, "input>layer0.weight holds 120 values that are not finite"),
    (lambda p: p | {"input>layer0.wieght": np.zeros((4, 30))}, "'input>layer0.wieght'; did you mean 'input>layer0.weight'"),
    (lambda p: list(p.values()), "parameters are list; give a dict of arrays by name"),
])
def test_weights_that_do_not_fit(change, text):
    network, parameters = small_network()
    with pytest.raises(ValueError, match=text):
        network.write(change(parameters))
    assert_same(network.read(), parameters)


def test_late_inputs_and_biases_do_not_reach_into_the_next_window():
    network, _ = small_network()
    late = samples(3)
    late[0, 0] = network.timing.deadline
    with pytest.raises(ValueError, match="larger t_late"):
        network.present(late)
    with pytest.raises(ValueError, match="expected \\(samples, 4 inputs\\)"):
        network.present(late[:, :3])
    neuron = LIFParameters()
    slow = layered(4, (Layer(5, neuron, (150.0,)), Layer(3, neuron)), 1.5, 20.0)
    assert small_network(graph=slow)[0].timing.deadline == 150 + 3 * 20


def test_single_presentation_of_too_many_samples():
    with pytest.raises(ValueError, match="present fewer at once"):
        small_network(copies=2, single=True)[0].present(samples(3))


def assert_equal_spikes(found, expected):
    assert_same(found.times, expected.times)


@pytest.mark.parametrize("backend", ["exact", "brian2"])
def test_a_network_of_an_earlier_setup(backend):
    network, parameters = small_network(backend)
    small_network(backend)
    for use in (lambda: network.present(samples(2)), lambda: network.write(parameters)):
        with pytest.raises(SimulatorError, match="before the last setup.*build it again after setup"):
            use()


@pytest.mark.parametrize("backend", ["exact", "brian2"])
@pytest.mark.parametrize("struck", ["run", "read", "reset"])
def test_a_presentation_after_one_that_was_interrupted(monkeypatch, backend, struck):
    """It is that of a network to which nothing happened, with the weights that were written in between."""
    network, parameters = small_network(backend, copies=3)
    expected = first_spikes(network.present(samples(3)))
    network.write(scaled(parameters, 0.5))

    def interrupted(*args, **kwargs):
        if struck == "run":
            network.sim.simulator.state.run_until(7.0)
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        if struck == "read":
            patch.setattr(pynn_network, "Recording", interrupted)
        else:
            patch.setattr(network.sim, struck, interrupted)
        with pytest.raises(KeyboardInterrupt):
            network.present(samples(3, seed=9))
    network.write(parameters)
    assert_equal_spikes(first_spikes(network.present(samples(3))), expected)


@pytest.mark.parametrize("backend", ["exact", "brian2"])
def test_a_presentation_after_a_run_of_somebody_else(backend):
    network, parameters = small_network(backend, copies=3)
    network.sim.run(30.0)
    network.write(scaled(parameters, 1.1))
    found = first_spikes(network.present(samples(3)))
    network, _ = small_network(backend, copies=3)
    network.write(scaled(parameters, 1.1))
    assert_equal_spikes(found, first_spikes(network.present(samples(3))))


def test_delays_of_a_presentation_after_a_run_of_somebody_else():
    layer = Layer(20, LIFParameters(), (1.5,), 1.0, 1.0, delays=("synaptic",), delay_mean=3.0, delay_std=2.0)
    options = dict(backend="brian2", graph=layered(4, (layer,), 1.5, 20.0), copies=3)
    parameters = initial_parameters(options["graph"], np.random.default_rng(1))
    found = []
    for run_before in (False, True):
        network, other = small_network(**options)
        assert (other["input>layer0.delay"] != parameters["input>layer0.delay"]).all()
        if run_before:
            network.sim.run(30.0)
        network.write(parameters)
        found.append(first_spikes(network.present(samples(3))))
    assert_equal_spikes(*found)
