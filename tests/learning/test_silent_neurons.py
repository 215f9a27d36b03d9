import numpy as np
import pytest

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.first_spike import first_spike_times, membrane_peaks
from ttfs_pynn.learning.engine import FirstSpikes, Gradients
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.silent_neurons import MembranePeak, WeightBumping, WeightSum, largest_response
from ttfs_pynn.networks.trained_times import delay_shape
from ttfs_pynn.neuron import LIFParameters

SPIKING, HALF, SILENT = np.ones(4), np.array([1.0, np.inf, 1.0, np.inf]), np.full(4, np.inf)


def layer(*columns):
    return np.stack(columns, axis=1)


def gradients(*layers, weights=()):
    times = FirstSpikes(np.zeros((len(layers[0]), 1)), (None,) * len(layers), layers)
    return Gradients(list(weights), np.zeros(len(layers[0])), times, 0)


def test_bumps_only_what_is_too_silent_and_doubles_while_it_lasts():
    rule = WeightBumping([0.4, 0.6], [2.0, 1.0], bump=0.1)
    weights = [np.zeros((3, 3)), np.zeros((3, 2))]
    times = [layer(SPIKING, HALF, SILENT), layer(HALF, SPIKING)]
    for factor in (1, 2, 4):
        new, _, skip = rule.apply(weights, gradients(*times))
        np.testing.assert_allclose(new[0], np.tile([0, 0.2 * factor, 0.2 * factor], (3, 1)))
        assert (new[1] == 0).all() and not skip and (weights[0] == 0).all()
    rule.apply(weights, gradients(layer(SPIKING, SPIKING, SPIKING), times[1]))
    np.testing.assert_allclose(rule.apply(weights, gradients(*times))[0][0][0], [0, 0.2, 0.2])


def test_the_papers_rule_bumps_the_foremost_layer_instead_of_a_step():
    rule = WeightBumping([0.4, 0.4], [1.0, 1.0], bump=0.1, instead_of_step=True)
    weights = [np.zeros((3, 1)), np.zeros((1, 1))]
    new, _, skip = rule.apply(weights, gradients(layer(SILENT), layer(SILENT)))
    assert skip and (new[0] == 0.1).all() and (new[1] == 0).all()
    assert not rule.apply(weights, gradients(layer(SPIKING), layer(SPIKING)))[2]


def network(seed, tau_m=10.0):
    """Weights, spikes and zero gradients of 4(+1)-30-6 neurons, many of them silent."""
    rng, neurons = np.random.default_rng(seed), [LIFParameters(tau_m=tau_m)] * 2
    t_in, bias, delay = rng.uniform(0, 20, (15, 4)), np.full((15, 1), 9.0), 0.5
    weights = [rng.normal(0.8, 1.0, (5, 30)), rng.normal(0.2, 0.8, (30, 6))]
    hidden = first_spike_times(np.concatenate([t_in, bias], axis=1) + delay, weights[0], neurons[0])
    label = first_spike_times(hidden + delay, weights[1], neurons[1])
    times = FirstSpikes(t_in, (bias, None), (hidden, label), delay)
    return rng, neurons, weights, Gradients([np.zeros_like(w) for w in weights], np.zeros(15), times, 0)


@pytest.mark.parametrize("tau_m", [10.0, 25.0, np.inf])
def test_membrane_peak_brings_one_sample_to_its_aim(tau_m):
    """With a single silent sample the step is exact for the peak's own time: v there is aim times threshold."""
    _, neurons, weights, given = network(0, tau_m)
    times = given.first_spikes
    one = FirstSpikes(times.inputs[:1], (times.biases[0][:1], None), tuple(t[:1] for t in times.layers), times.delay)
    new, found, skip = MembranePeak([0.5, 0.5], neurons, aim=1.25).apply(weights, Gradients(given.weights, None, one, 0))
    assert not skip and all(a is b for a, b in zip(found, given.weights, strict=True))
    for k, neuron in enumerate(neurons):
        silent, t_in = np.isinf(one.layers[k][0]), one.afferent(k) + one.delay
        t_peak, _ = membrane_peaks(t_in, weights[k], neuron)
        v = np.einsum("ni,in->n", neuron.kernel(t_peak[0][:, None] - t_in[0]), new[k])
        assert silent.any() and not silent.all()
        np.testing.assert_allclose(v[silent], 1.25 * neuron.threshold, rtol=1e-12)
        np.testing.assert_array_equal(new[k][:, ~silent], weights[k][:, ~silent])
        assert np.isfinite(first_spike_times(t_in, new[k], neuron)[0]).all()


def test_membrane_peak_leaves_alone_what_spikes_enough():
    _, neurons, weights, given = network(1)
    silent = [np.isinf(times).mean(axis=0) for times in given.first_spikes.layers]
    assert all((s <= 0.5).any() and (s > 0.5).any() for s in silent)
    before = [w.copy() for w in weights]
    new = MembranePeak([0.5, 0.5], neurons).apply(weights, given)[0]
    for w, old, same, share in zip(new, weights, before, silent, strict=True):
        np.testing.assert_array_equal((w != old).any(axis=0), share > 0.5)
        np.testing.assert_array_equal(old, same)
    assert all((a == b).all() for a, b in zip(MembranePeak([1.0, 1.0], neurons).apply(weights, given)[0], weights, strict=True))


def test_a_neuron_that_should_have_spiked_is_left_alone():
    """What a substrate loses is not the weights' fault."""
    neuron, w = LIFParameters(), np.full((3, 2), 3.0)
    lost = FirstSpikes(np.array([[1.0, 2.0, 3.0]]), (None,), (np.full((1, 2), np.inf),))
    assert np.isfinite(first_spike_times(lost.inputs, w, neuron)).all()
    np.testing.assert_array_equal(MembranePeak([0.0], [neuron]).apply([w], Gradients([w], None, lost, 0))[0][0], w)


def test_membrane_peak_wakes_neurons_of_inhibitory_weights():
    _, neurons, weights, given = network(2)
    t_in, w = given.first_spikes.afferent(0) + 0.5, -np.abs(weights[0])
    silent = []
    for _ in range(20):
        hidden = first_spike_times(t_in, w, neurons[0])
        silent.append((np.isinf(hidden).mean(axis=0) > 0.5).mean())
        times = FirstSpikes(given.first_spikes.inputs, given.first_spikes.biases[:1], (hidden,), 0.5)
        w = MembranePeak([0.5], neurons[:1]).apply([w], Gradients([w], None, times, 0))[0][0]
    assert silent[0] == 1 and silent[-1] == 0


def test_weight_sum_is_the_gradient_of_its_loss():
    rng, neurons, weights, given = network(3)
    weights[1] -= 0.1
    found = WeightSum(neurons, strength=0.7).apply(weights, given)[1]

    def loss(ws):
        return sum(0.7 * np.maximum(0, 1 - n.kernel(n.tau_m) / n.threshold * w.sum(axis=0)).sum()
                   for w, n in zip(ws, neurons, strict=True))

    along, h = [rng.normal(size=w.shape) for w in weights], 1e-6
    up, down = (loss([w + s * h * a for w, a in zip(weights, along, strict=True)]) for s in (1, -1))
    np.testing.assert_allclose((up - down) / (2 * h), sum((g * a).sum() for g, a in zip(found, along, strict=True)), rtol=1e-6)
    assert all((g != 0).any() for g in found)


@pytest.mark.parametrize("tau_m", [3.0, 10.0, 10.0 * (1 + 1e-9), 25.0, np.inf])
def test_largest_response(tau_m):
    neuron = LIFParameters(tau_m=tau_m, cm=2.0)
    sampled = neuron.kernel(np.linspace(0, 400, 1_000_001)).max()  # steps of 0.4 us: off by their square at most
    np.testing.assert_allclose(largest_response(neuron), sampled, rtol=2e-9)


def test_unknown_policies_are_refused():
    with pytest.raises(ConfigurationError, match="membrane_peak, bumping, weight_sum"):
        TrainingOptions(silent="hope")
    with pytest.raises(ConfigurationError, match="silent_aim"):
        TrainingOptions(silent_aim=0.5)
    with pytest.raises(ConfigurationError, match="weight_sum"):
        TrainingOptions(weight_sum=-1.0)


@pytest.mark.parametrize("kind", ["axonal", "dendritic", "synaptic"])
def test_peaks_of_neurons_with_delays(kind):
    """As for each neuron alone whose inputs come later."""
    rng = np.random.default_rng(4)
    w, neuron = rng.normal(0.1, 0.1, (7, 5)), LIFParameters(tau_m=rng.uniform(8, 20, 5))
    delays = rng.uniform(0, 10, delay_shape(kind, w.shape))
    t_in, silent = rng.uniform(0, 20, (9, 7)), np.full((9, 5), np.inf)
    times = FirstSpikes(t_in, (None,), (silent,), delays=(delays,))
    new = MembranePeak([0.5], [neuron]).apply([w], Gradients([w], None, times, 0))[0][0]
    for n in range(5):
        alone = FirstSpikes(t_in + np.broadcast_to(delays, w.shape)[:, n], (None,), (silent[:, [n]],))
        one = w[:, [n]]
        expected = MembranePeak([0.5], [neuron.one(n)]).apply([one], Gradients([one], None, alone, 0))[0][0]
        assert (expected > one).all()
        np.testing.assert_allclose(new[:, [n]], expected, rtol=1e-9)
