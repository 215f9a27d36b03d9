"""Each quirk of `simulators.py` with its regression test: where a simulator changes, these tell."""

import numpy as np
import pytest

from tests.networks import samples, small_architecture, small_network
from ttfs_pynn.comparison import compare_first_spikes, explained_by_own_inputs
from ttfs_pynn.gradient_engine import first_spikes
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import SIMULATORS, SimulatorError, simulator, simulator_of


def test_unknown_and_missing_simulators():
    with pytest.raises(SimulatorError, match="unknown backend 'nets'; known: exact, brian2"):
        simulator("nets")
    missing = type(SIMULATORS["exact"])("none", "none", "no_such_package", "pip install it", False)
    with pytest.raises(SimulatorError, match="not installed; install it with: pip install it"):
        missing.load()


def test_lookup_by_module():
    assert simulator_of(simulator("exact").load()).name == "exact"
    import pyNN.mock
    assert simulator_of(pyNN.mock).has_time_step


@pytest.fixture(scope="module")
def brian2_recordings():
    """A network on Brian2 (equal time constants, 7 copies) before, after new weights, and after the old ones are back."""
    network, weights = small_network("brian2", n_copies=7, single=True)
    recordings = [network.present(samples(7))]
    network.write_weights([1.3 * w for w in weights])
    recordings.append(network.present(samples(7)))
    read = network.read_weights()
    network.write_weights(weights)
    recordings.append(network.present(samples(7)))
    return network, weights, recordings, read


def test_brian2_agrees_with_exact_within_a_step(brian2_recordings):
    """Given its own inputs every first spike of Brian2 comes 0 to 1 step after the exact one (1e-3 of a step for the detuned
    tau_syn). Also shows that equal time constants (singular in pyNN.brian2 0.13) and the spike sources' clock are handled."""
    network, weights, recordings, _ = brian2_recordings
    times = first_spikes(recordings[0])
    neurons = [layer.neuron for layer in network.architecture.layers]
    for agreement in explained_by_own_inputs(times, weights, neurons, network.delay):
        assert agreement.matched > 10 and agreement.missing == agreement.extra == 0
        assert agreement.differences.min() > -0.1 * 1e-3 and agreement.differences.max() < 0.1 * (1 + 1e-3)
    # Rounded to the nearest step, not cut off to the one before.
    np.testing.assert_array_less(np.abs(times.inputs - samples(7)), 0.05 + 1e-9)


def test_brian2_keeps_new_weights_over_a_reset(brian2_recordings):
    """pyNN.brian2 0.13 restores the weights of before the first run at reset: they are written after it."""
    network, weights, recordings, read = brian2_recordings
    for expected, found in zip(weights, read, strict=True):
        np.testing.assert_allclose(found, 1.3 * expected, rtol=1e-12)
    before, changed, back = (first_spikes(recording).layers for recording in recordings)
    assert compare_first_spikes(before[0], changed[0]).differences.min() < -0.1
    for a, b in zip(before, back, strict=True):
        np.testing.assert_array_equal(a, b)


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


def test_brian2_cell_parameters():
    brian2 = simulator("brian2")
    detuned = brian2.cell_parameters(LIFParameters(tau_m=10.0, tau_syn=10.0))
    assert detuned["tau_syn_E"] == 10.0 * (1 + 1e-6) and detuned["tau_m"] == 10.0
    assert brian2.cell_parameters(LIFParameters(tau_m=20.0, tau_syn=10.0))["tau_syn_I"] == 10.0
    with pytest.raises(SimulatorError, match="tau_m = inf"):
        brian2.cell_parameters(LIFParameters(tau_m=np.inf))


def test_network_on_a_plain_pynn_backend():
    """pyNN.mock makes up its spikes; what counts is that nothing but PyNN is asked of a simulator that is not known here."""
    import pyNN.mock as sim

    from ttfs_pynn.network import LayeredNetwork
    sim.setup(timestep=0.1, min_delay=0.1)
    architecture = small_architecture(5)
    with pytest.raises(NotImplementedError):  # mock cannot set weights
        LayeredNetwork(sim, architecture, architecture.initial_weights(np.random.default_rng(0)))
