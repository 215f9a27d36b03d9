import numpy as np
import pytest

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.first_spike import first_spike_times, membrane_peaks
from ttfs_pynn.gradient_engine import FirstSpikes, Gradients
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.silent_neurons import MembranePeak, WeightBumping, WeightSum, largest_response
from ttfs_pynn.training import TrainingOptions

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


def peak_loss(weights, given, neurons, tolerated, strength):
    """The loss that MembranePeak adds, straight from its definition; spikes stay what was recorded."""
    total, times = 0.0, given.first_spikes
    for k, neuron in enumerate(neurons):
        silent = np.isinf(times.layers[k])
        _, v = membrane_peaks(times.afferent(k) + times.delay, weights[k], neuron)
        counted = silent & (silent.mean(axis=0) > tolerated[k])
        total += strength * np.maximum(0, 1 - v / neuron.threshold)[counted].sum() / len(silent)
    return total


@pytest.mark.parametrize("tau_m", [10.0, 25.0, np.inf])
def test_membrane_peak_is_the_gradient_of_its_loss(tau_m):
    rng, neurons, weights, given = network(0, tau_m)
    rule = MembranePeak([0.3, 0.1], neurons, strength=0.7)
    bumped, found, skip = rule.apply(weights, given)
    assert not skip and all((a == b).all() for a, b in zip(bumped, weights, strict=True))
    assert all((g == 0).all() for g in given.weights) and all((g != 0).any() for g in found)
    h = 1e-6
    for _ in range(3):
        along = [rng.normal(size=w.shape) for w in weights]
        up, down = (peak_loss([w + s * h * a for w, a in zip(weights, along, strict=True)], given, neurons, [0.3, 0.1], 0.7)
                    for s in (1, -1))
        # a difference over 2e-6 of a sum of some ten: 16 digits leave eight
        np.testing.assert_allclose((up - down) / (2 * h), sum((g * a).sum() for g, a in zip(found, along, strict=True)), rtol=1e-5)


def test_membrane_peak_leaves_alone_what_spikes_enough():
    _, neurons, weights, given = network(1)
    silent = [np.isinf(times).mean(axis=0) for times in given.first_spikes.layers]
    assert all((0 < s).any() and (s < 1).any() for s in silent)
    for found, share in zip(MembranePeak([0.5, 0.5], neurons).apply(weights, given)[1], silent, strict=True):
        np.testing.assert_array_equal((found != 0).any(axis=0), share > 0.5)
    assert all((g == 0).all() for g in MembranePeak([1.0, 1.0], neurons).apply(weights, given)[1])


def test_following_membrane_peak_wakes_silent_neurons():
    _, neurons, weights, given = network(2)
    t_in = given.first_spikes.afferent(0)[:1] + 0.5
    w = -np.abs(weights[0])
    assert np.isinf(first_spike_times(t_in, w, neurons[0])).all()
    rule = MembranePeak([0.0], neurons[:1])
    for _ in range(2000):
        hidden = first_spike_times(t_in, w, neurons[0])
        times = FirstSpikes(given.first_spikes.inputs[:1], (np.full((1, 1), 9.0),), (hidden,), 0.5)
        w = w - 0.1 * rule.apply([w], Gradients([np.zeros_like(w)], np.zeros(1), times, 0))[1][0]
    assert np.isfinite(first_spike_times(t_in, w, neurons[0])).all()


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
    with pytest.raises(ConfigurationError, match="bumping, membrane_peak, weight_sum"):
        TrainingOptions(silent="hope")
    with pytest.raises(ConfigurationError, match="silent_strength"):
        TrainingOptions(silent_strength=-1.0)
