import numpy as np
import pytest

from tests.small_networks import assert_same, samples, small_graph, stacked
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph import Edge, Graph, Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.distortion import DistortedNetwork, Distortion, quantised
from ttfs_pynn.neuron import LIFParameters


def network(**distortion):
    graph = small_graph()
    return DistortedNetwork(graph, initial_parameters(graph, np.random.default_rng(0)), Distortion(**distortion))


def spikes(distorted, n=60):
    return distorted.present(samples(n))


def test_without_a_distortion_it_is_the_array_network():
    distorted = network()
    ideal = ArrayNetwork(distorted.graph, distorted.read())
    one, other = spikes(distorted), ideal.present(samples(60))
    assert distorted.timing == ideal.timing and np.isfinite(one.labels).sum() > 60
    assert_same(one.times, other.times)


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_quantised_weights(bits):
    w = np.random.default_rng(1).normal(0, 1, (400, 300))
    limit = 1.5
    q = quantised(w, bits, limit)
    levels = np.unique(q)
    assert len(levels) == 2**bits - 1 and 0 in levels and np.allclose(np.diff(levels), limit / (2**(bits - 1) - 1))
    inside = np.abs(w) <= limit
    # Half a level and what rounding adds.
    assert np.abs(q - w)[inside].max() <= limit / (2**(bits - 1) - 1) / 2 + 1e-12 and np.abs(q).max() <= limit + 1e-12
    assert np.abs(quantised(w, bits)).max() == pytest.approx(np.abs(w).max(), rel=1e-12)
    assert not quantised(np.zeros((3, 2)), bits).any()


def test_weights_are_limited_for_the_trainer_and_rounded_only_below_it():
    distorted = network(weight_bits=4, weight_range=0.8)
    scale = distorted.graph.node("layer0").neuron.current_scale
    master = initial_parameters(distorted.graph, np.random.default_rng(3))
    kept = {name: w.copy() for name, w in master.items()}
    limited = distorted.within_limits(master)
    assert max(np.abs(w).max() for w in limited.values()) == 0.8 * scale
    assert max(np.abs(w).max() for w in master.values()) > 0.8 * scale
    distorted.write(master)
    acting = distorted.read()
    for layer in ("layer0", "layer1"):  # all afferents of a population have the same levels
        levels = np.unique(np.concatenate([acting[f"{edge.label}.weight"].ravel() for edge in distorted.graph.afferents(layer)]))
        assert 5 < len(levels) <= 15
    assert len(np.unique(stacked(distorted.graph, limited, "layer0"))) > 50
    assert_same(master, kept)
    assert_same(distorted.parameters, kept)


def test_neurons_differ_as_configured_and_stay_the_same_for_a_seed():
    neuron = LIFParameters()
    graph = layered(2, (Layer(4000, neuron),), 1.5, 20.0)
    parameters = initial_parameters(graph, np.random.default_rng(0))

    def drawn(**distortion):
        return DistortedNetwork(graph, parameters, Distortion(**distortion)).neurons["layer0"]

    one = drawn(tau_m_std=0.1, tau_syn_std=0.05, threshold_std=0.2, tau_m_factor=2.0, seed=4)
    for values, mean, std in ((one.tau_m, 20.0, 0.1), (one.tau_syn, 10.0, 0.05), (one.threshold, 15.0, 0.2)):
        # Standard errors of 4,000 draws: 1.6 % of mean's spread, 1.1 % of std; five of them.
        assert abs(values.mean() / mean - 1) < 0.08 * std and abs(values.std() / mean / std - 1) < 0.06
    again, wider, other = (drawn(tau_m_std=std, seed=seed) for std, seed in ((0.1, 4), (0.2, 4), (0.1, 5)))
    np.testing.assert_array_equal(again.tau_m, one.tau_m / 2)
    np.testing.assert_allclose(wider.tau_m - 10, 2 * (again.tau_m - 10), atol=1e-12)
    assert (other.tau_m != again.tau_m).all() and again.tau_syn == 10.0
    assert drawn(tau_m_std=3.0).tau_m.min() == pytest.approx(1.0)


def test_spikes_are_shifted_and_lost_as_configured():
    shifted, ideal = spikes(network(jitter=0.5), 2000), spikes(network(), 2000)
    move = (shifted["input"] - ideal["input"]).ravel()
    # 8,000 draws, five errors
    assert abs(move.std() / 0.5 - 1) < 0.04 and abs(move.mean()) < 0.03 and shifted["input"].min() >= 0
    assert (shifted["layer0"] != ideal["layer0"])[np.isfinite(ideal["layer0"])].mean() > 0.9
    lossy = spikes(network(lost_spikes=0.2), 2000)
    assert abs(np.isinf(lossy["input"]).mean() - 0.2) < 0.025 and abs(np.isinf(lossy["bias0"]).mean() - 0.2) < 0.03
    assert np.isinf(spikes(network(lost_spikes=1.0))["layer0"]).all()


def test_a_run_that_is_resumed_meets_the_same_noise():
    data, runs = SpikeData(samples(30), np.arange(30) % 3), []
    for epochs in ((2,), (1, 2)):
        state = None
        for n in epochs:
            options = TrainingOptions(epochs=n, batch_size=10, schedule="constant", seed=1)
            trainer = Trainer(network(jitter=0.5, lost_spikes=0.05, seed=2), data, options)
            if state:
                trainer.restore(*state)
            trainer.run()
            state = trainer.checkpoint()
        runs.append(trainer.parameters)
    assert_same(*runs)


def test_training_in_the_loop_mends_what_an_ideal_network_suffers():
    """Which of two inputs is first, by neurons that differ and coarse weights."""
    rng = np.random.default_rng(7)
    times = rng.uniform(1.5, 20.0, (600, 4))
    data = SpikeData(times, (times[:, 0] > times[:, 1]).astype(int))
    graph = layered(4, (Layer(20, LIFParameters(), (1.5,), 1.0, 1.0), Layer(2, LIFParameters(), (), 0.3, 0.5)), 1.5, 20.0)
    options = TrainingOptions(epochs=6, batch_size=20, learning_rate=0.02)
    distortion = Distortion(weight_bits=3, tau_m_std=0.3, threshold_std=0.3, seed=2)

    def accuracy(net, parameters):
        net.write(parameters)
        return float((net.present(times).labels.argmin(axis=1) == data.labels).mean())

    ideal = Trainer(ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(0))), data, options)
    distorted = DistortedNetwork(graph, ideal.parameters, distortion)
    loop = Trainer(distorted, data, options)
    ideal.run()
    loop.run()
    assert len(np.unique(loop.parameters["input>layer0.weight"])) > 50  # the trainer's own stay floats
    assert accuracy(distorted, loop.parameters) > accuracy(distorted, ideal.parameters) + 0.05


@pytest.mark.parametrize("bad, text", [({"weight_bits": 1}, "weight_bits = 1"), ({"weight_bits": 2.5}, "weight_bits = 2.5"),
                                       ({"weight_range": 0.0}, "weight_range"), ({"tau_m_factor": -1.0}, "tau_m_factor"),
                                       ({"tau_syn_factor": np.inf}, "tau_syn_factor"), ({"jitter": -0.1}, "jitter"),
                                       ({"threshold_std": np.nan}, "threshold_std"), ({"lost_spikes": 1.5}, "lost_spikes"),
                                       ({"seed": -1}, "seed")])
def test_impossible_distortions(bad, text):
    with pytest.raises(ConfigurationError, match=text):
        Distortion(**bad)


def test_trained_delays_and_cycles_are_refused_and_not_left_out():
    graphs = [layered(2, (Layer(3, LIFParameters(), (1.5,), **trained),), 1.5, 20.0)
              for trained in ({"delays": ("synaptic",)}, {"train_bias_times": True})]
    plain = layered(2, (Layer(3, LIFParameters()),), 1.5, 20.0)
    graphs.append(Graph(plain.nodes, (*plain.edges, Edge("back", "layer0", "layer0", delay=1.0)), "layer0", 1.5, 20.0))
    for graph in graphs:
        with pytest.raises(ConfigurationError, match="no populations that depend on themselves, and no trained delays or times"):
            DistortedNetwork(graph, initial_parameters(graph, np.random.default_rng(0)), Distortion())


def test_bad_input_times():
    with pytest.raises(ValueError, match="4 inputs"):
        network().present(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="spikes at -1 ms; give times from the start of a sample, zero or more"):
        network().present(np.array([[-1.0, 1, 2, 3]]))
