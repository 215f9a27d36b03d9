import neo
import numpy as np
import pytest

from tests.networks import samples, small_architecture, small_network
from ttfs_pynn.gradient_engine import GradientEngine, first_spikes
from ttfs_pynn.loss import MeanSquaredError, PairwiseDifference, TimeToFirstSpike
from ttfs_pynn.network import Recording
from ttfs_pynn.results import RunFolder

LOSSES = [TimeToFirstSpike(10.0), PairwiseDifference(10.0), MeanSquaredError(10.0)]


def engine_of(network, **options):
    return GradientEngine([layer.neuron for layer in network.architecture.layers], **options)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("tau_m", [10.0, 20.0])
def test_gradient_of_the_recorded_network_against_central_differences(loss, tau_m):
    """4-30-3, every time recorded through PyNN and Neo: relative error of the directional derivative along 12 random directions.

    Spike times round to 2e-12 ms (20 windows) and the step moves them by 1e-4 ms or so: differences hold about 7 digits. A
    sample whose set of spikes or causes changes within the step has no derivative there; the seeds have none.
    """
    network, weights = small_network(architecture=small_architecture(tau_m=tau_m))
    t_in, labels = samples(12), np.arange(12) % 3
    engine = engine_of(network)
    gradients = engine.gradients(network.present(t_in), weights, loss, labels)
    assert all(np.abs(g).max() > 0 for g in gradients.weights) and np.isfinite(gradients.first_spikes.layers[1]).mean() > 0.8
    rng = np.random.default_rng(1)
    step, errors = 1e-6, []
    for _ in range(12):
        direction = [rng.normal(size=w.shape) for w in weights]
        values = []
        for sign in (2, 1, -1, -2):
            network.write_weights([w + sign * step * d for w, d in zip(weights, direction, strict=True)])
            values.append(loss(first_spikes(network.present(t_in)).layers[1], labels)[0].mean())
        numeric = (-values[0] + 8 * values[1] - 8 * values[2] + values[3]) / (12 * step)
        analytic = sum((g * d).sum() for g, d in zip(gradients.weights, direction, strict=True))
        errors.append(abs(numeric - analytic) / np.sqrt(sum((g ** 2).sum() for g in gradients.weights)))
    assert max(errors) <= 1e-5


def test_delays_are_accounted_for():
    """The gradient of a network with delays is that of one without whose inputs come later."""
    network, weights = small_network(delay=2.5)
    t_in, labels = samples(6), np.arange(6) % 3
    delayed = engine_of(network).gradients(network.present(t_in), weights, LOSSES[1], labels)
    times = delayed.first_spikes
    layers = network.architecture.layers
    error = LOSSES[1](times.layers[1], labels)[1] / 6
    from ttfs_pynn.first_spike import vector_jacobian_product
    by_hand = vector_jacobian_product(np.concatenate([times.layers[0], times.biases[1]], axis=1) + 2.5, weights[1],
                                      times.layers[1], error, layers[1].neuron)[0]
    np.testing.assert_array_equal(delayed.weights[1], by_hand)
    assert np.abs(by_hand).max() > 0


def test_same_gradient_from_a_file_recorded_elsewhere(tmp_path):
    network, weights = small_network()
    recording, labels = network.present(samples(5)), np.arange(5) % 3
    expected = engine_of(network).gradients(recording, weights, LOSSES[1], labels)
    folder = RunFolder.create(tmp_path / "run", {"seed": 1})
    for name, block in recording.blocks().items():
        folder.write_spikes(name, block)
    loaded = {name: folder.read_spikes(name) for name in folder.spike_names()}
    assert isinstance(loaded["layer0"], neo.Block)
    from_file = Recording(recording.presentation, loaded["input"], (loaded["bias0"], loaded["bias1"]),
                          (loaded["layer0"], loaded["layer1"]), recording.delay)
    found = engine_of(network).gradients(from_file, weights, LOSSES[1], labels)
    for a, b in zip(expected.weights, found.weights, strict=True):
        assert np.abs(a).max() > 0
        np.testing.assert_array_equal(a, b)


def test_large_contributions_are_dropped_in_units_of_the_weight_scale():
    network, weights = small_network()
    recording, labels = network.present(samples(12)), np.arange(12) % 3
    free = engine_of(network).gradients(recording, weights, LOSSES[1], labels)
    limited = engine_of(network, max_dw=1e-4).gradients(recording, weights, LOSSES[1], labels)
    assert free.dropped == 0 < limited.dropped
    scale = network.architecture.layers[0].neuron.current_scale
    # Each of at most 12 samples contributes at most 1e-4/scale to one weight.
    assert max(np.abs(g).max() for g in limited.weights) <= 12 * 1e-4 / scale * (1 + 1e-12)


def test_several_segments_are_refused():
    network, weights = small_network()
    recording = network.present(samples(2))
    recording.layers[0].segments.append(neo.Segment())
    with pytest.raises(ValueError, match="2 segments"):
        first_spikes(recording)


def test_engine_imports_no_simulator():
    import subprocess
    import sys
    code = ("import sys, ttfs_pynn.gradient_engine as g; "
            "print([m for m in sys.modules if m.split('.')[0] in ('pyNN', 'brian2', 'nest')])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
