import numpy as np
import pytest

from tests.small_networks import samples, small_architecture, small_network
from ttfs_pynn import simulators
from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.networks.network import Architecture, Layer, LayeredNetwork
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import SimulatorError


@pytest.mark.parametrize("tau_m, delay", [(10.0, 0.0), (20.0, 0.0), (10.0, 1.3)])
def test_exact_network_is_the_first_spike_solver(tau_m, delay):
    """Populations, projections, windows and Neo against the arrays: times of up to 20 windows of 400 ms round to 1e-12 ms."""
    network, weights = small_network(architecture=small_architecture(tau_m=tau_m), delay=delay)
    t_in = samples(20)
    times = first_spikes(network.present(t_in))
    np.testing.assert_allclose(times.inputs, t_in, atol=2e-12)
    for k, w in enumerate(weights):
        expected = first_spike_times(times.afferent(k) + delay, w, network.architecture.layers[k].neuron)
        expected[expected > network.timing.deadline] = np.inf
        assert np.isfinite(expected).sum() > 40
        np.testing.assert_array_equal(np.isfinite(times.layers[k]), np.isfinite(expected))
        both = np.isfinite(expected)
        # The membrane remembers the window before to 1e-12, and grazing neurons amplify it.
        assert np.median(np.abs(times.layers[k][both] - expected[both])) < 1e-11
        assert np.abs(times.layers[k][both] - expected[both]).max() < 1e-7


@pytest.mark.parametrize("backend, dt", [("exact", 0.1), ("brian2", 0.1)])
def test_inputs_and_biases_at_the_beginning_of_a_window_count(backend, dt):
    """Windows of 387.63 ms on `exact`, whose multiples are rounded."""
    neuron = LIFParameters()
    architecture = Architecture(2, (Layer(3, neuron, bias_times=(0.0,)),), 0.0, 20.0)
    simulator = simulators.simulator(backend)
    network = LayeredNetwork(simulator.setup(dt), architecture, [np.full((3, 3), 2.0)])
    times = first_spikes(network.present(np.tile([[0.0, 5.0]], (9, 1))))
    np.testing.assert_allclose(times.inputs, np.tile([[0.0, 5.0]], (9, 1)), atol=1e-9)
    np.testing.assert_allclose(times.biases[0], 0.0, atol=1e-9)
    assert np.isfinite(times.layers[0]).all()


@pytest.mark.parametrize("backend", ["exact", "brian2"])
def test_two_networks_in_one_simulation(backend):
    sim = simulators.simulator(backend).setup(0.1)
    neuron, shown = LIFParameters(tau_m=20.0), [np.array([[2.0, 5.0]]), np.array([[3.0, 9.0]])]
    networks = [LayeredNetwork(sim, Architecture(2, (Layer(3, neuron),), 1.5, 20.0), [np.full((2, 3), w)]) for w in (2.0, 4.0)]
    first = [first_spikes(network.present(t)) for network, t in zip(networks, shown, strict=True)]
    again = [first_spikes(network.present(t)) for network, t in zip(networks, shown, strict=True)]
    for t, one, other in zip(shown, first, again, strict=True):
        np.testing.assert_allclose(one.inputs, t, atol=1e-9)
        np.testing.assert_array_equal(one.layers[0], other.layers[0])
        assert np.isfinite(one.layers[0]).all()


def test_copies_and_windows_give_the_same_answers():
    t_in = samples(10)
    one = first_spikes(small_network()[0].present(t_in))
    copies = first_spikes(small_network(n_copies=4)[0].present(t_in))
    single = first_spikes(small_network(n_copies=10, single=True)[0].present(t_in))
    assert np.isfinite(one.layers[1]).sum() > 10
    for other in (copies, single):
        for a, b in zip(one.layers, other.layers, strict=True):
            np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b))
            np.testing.assert_allclose(a[np.isfinite(a)], b[np.isfinite(a)], atol=1e-8)


@pytest.mark.parametrize("n_copies", [1, 3])
def test_weights_are_written_and_read(n_copies):
    network, weights = small_network(n_copies=n_copies)
    for expected, found in zip(weights, network.read_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    new = [-w for w in weights]
    network.write_weights(new)
    for expected, found in zip(new, network.read_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_weights_last_over_presentations_and_presentations_do_not_depend_on_the_past():
    network, weights = small_network()
    first = first_spikes(network.present(samples(5)))
    network.present(samples(9, seed=8))
    again = first_spikes(network.present(samples(5)))
    np.testing.assert_array_equal(first.layers[1], again.layers[1])
    network.write_weights([2 * w for w in weights])
    assert (first_spikes(network.present(samples(5))).layers[1] != first.layers[1]).any()


def test_every_neuron_spikes_at_most_once_a_window_before_the_deadline():
    network, weights = small_network()
    network.write_weights([5 * np.abs(w) for w in weights])
    block = network.present(samples(6)).layers[0]
    ids, times = block.segments[0].spiketrains.multiplexed
    window, relative = np.divmod(times.magnitude, network.timing.window)
    early = relative < network.timing.deadline
    pairs = set(zip(ids[early], window[early], strict=True))
    assert len(pairs) == early.sum() == 6 * 30


def test_recordings_are_complete_neo_blocks():
    recording = small_network()[0].present(samples(2))
    assert set(recording.blocks()) == {"input", "bias0", "layer0", "bias1", "layer1"}
    train = recording.layers[0].segments[0].spiketrains[3]
    assert train.annotations["source_index"] == 3 and recording.layers[0].annotations["size"] == 30


@pytest.mark.parametrize("change, text", [
    (lambda w: w[:1], "1 weight matrices for 2 layers"),
    (lambda w: [w[0], w[1][:, :2]], "layer 1 have shape"),
    (lambda w: [np.full_like(w[0], np.nan), w[1]], "layer 0 hold 180 values that are not finite"),
])
def test_weights_that_do_not_fit(change, text):
    network, weights = small_network()
    with pytest.raises(ValueError, match=text):
        network.write_weights(change(weights))


def test_bad_architectures():
    with pytest.raises(ValueError, match="at least one"):
        Architecture(4, (), 1.5, 20.0)
    with pytest.raises(ValueError, match="bias times"):
        Architecture(4, (Layer(3, LIFParameters(), (-1.0,)),), 1.5, 20.0)


def test_late_inputs_and_biases_do_not_reach_into_the_next_window():
    network, _ = small_network()
    late = samples(3)
    late[0, 0] = network.timing.deadline
    with pytest.raises(ValueError, match="larger t_late"):
        network.present(late)
    with pytest.raises(ValueError, match="expected \\(samples, 4 inputs\\)"):
        network.present(late[:, :3])
    neuron = LIFParameters()
    slow = Architecture(4, (Layer(5, neuron, (150.0,)), Layer(3, neuron)), 1.5, 20.0)
    assert small_network(architecture=slow)[0].timing.deadline == 150 + 3 * 20


def test_single_presentation_of_too_many_samples():
    with pytest.raises(ValueError, match="present fewer at once"):
        small_network(n_copies=2, single=True)[0].present(samples(3))


def assert_equal_spikes(found, expected):
    for a, b in zip((found.inputs, *found.layers), (expected.inputs, *expected.layers), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("backend", ["exact", "brian2"])
def test_a_network_of_an_earlier_setup(backend):
    network, weights = small_network(backend)
    small_network(backend)
    for use in (lambda: network.present(samples(2)), lambda: network.write_weights(weights)):
        with pytest.raises(SimulatorError, match="before the last setup.*build a LayeredNetwork again"):
            use()


@pytest.mark.parametrize("backend", ["exact", "brian2"])
@pytest.mark.parametrize("struck", ["run", "_read", "reset"])
def test_a_presentation_after_one_that_was_interrupted(monkeypatch, backend, struck):
    """It is that of a network to which nothing happened, with the weights that were written in between."""
    network, weights = small_network(backend, n_copies=3, single=True)
    expected = first_spikes(network.present(samples(3)))
    network.write_weights([0.5 * w for w in weights])

    def interrupted(*args, **kwargs):
        if struck == "run":
            network.sim.simulator.state.run_until(7.0)
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(network if struck == "_read" else network.sim, struck, interrupted)
        with pytest.raises(KeyboardInterrupt):
            network.present(samples(3, seed=9))
    network.write_weights(weights)
    assert_equal_spikes(first_spikes(network.present(samples(3))), expected)


@pytest.mark.parametrize("backend", ["exact", "brian2"])
def test_a_presentation_after_a_run_of_somebody_else(backend):
    network, weights = small_network(backend, n_copies=3, single=True)
    network.sim.run(30.0)
    network.write_weights([1.1 * w for w in weights])
    found = first_spikes(network.present(samples(3)))
    network, _ = small_network(backend, n_copies=3, single=True)
    network.write_weights([1.1 * w for w in weights])
    assert_equal_spikes(found, first_spikes(network.present(samples(3))))


def test_delays_of_a_presentation_after_a_run_of_somebody_else():
    layer = Layer(20, LIFParameters(), (1.5,), 1.0, 1.0, delays=("synaptic",), delay_mean=3.0, delay_std=2.0)
    options = dict(backend="brian2", architecture=Architecture(4, (layer,), 1.5, 20.0), n_copies=3, single=True)
    weights = options["architecture"].initial_weights(np.random.default_rng(3))
    weights.times = options["architecture"].initial_times(np.random.default_rng(1))
    found = []
    for run_before in (False, True):
        network, _ = small_network(**options)
        if run_before:
            network.sim.run(30.0)
        network.write_weights(weights)
        found.append(first_spikes(network.present(samples(3))))
    assert_equal_spikes(*found)
