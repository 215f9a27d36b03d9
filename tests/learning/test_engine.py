from dataclasses import replace
from types import SimpleNamespace

import neo
import numpy as np
import pytest

from tests.first_spike.test_small_cases import expected_product, layer, neuron_of, refused
from tests.small_networks import samples, small_architecture, small_network
from ttfs_pynn.first_spike import delayed_first_spike_times, first_spike_times, vector_jacobian_product
from ttfs_pynn.learning.engine import FirstSpikes, GradientEngine, first_spikes, layer_times
from ttfs_pynn.learning.loss import MeanSquaredError, PairwiseDifference, TimeToFirstSpike
from ttfs_pynn.networks.network import Recording
from ttfs_pynn.runs.folder import RunFolder

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
    code = ("import sys, ttfs_pynn.learning.engine as g; "
            "print([m for m in sys.modules if m.split('.')[0] in ('pyNN', 'brian2', 'nest')])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_times_of_a_layer_that_waits_for_delays():
    t, w = layer(9, 5)
    neuron, delays = neuron_of(2.0), np.linspace(0, 1, 25).reshape(5, 5)
    alone = FirstSpikes(t, (None,), (np.zeros((4, 5)),), 0.25)
    late = replace(alone, delays=(delays,))
    expected = first_spike_times(t + 0.25, w, neuron)
    assert np.isfinite(expected).sum() > 5
    np.testing.assert_array_equal(layer_times(alone, 0, w, neuron), expected)
    np.testing.assert_array_equal(layer_times(late, 0, w, neuron), delayed_first_spike_times(t + 0.25, w, delays, neuron))
    deadline = np.median(expected[np.isfinite(expected)])
    np.testing.assert_array_equal(layer_times(replace(alone, deadline=deadline), 0, w, neuron),
                                  np.where(expected < deadline, expected, np.inf))


def test_what_a_layer_hears():
    spikes = FirstSpikes(np.zeros((2, 3)), (None, np.ones((2, 1))), (np.full((2, 4), 2.0), np.zeros((2, 2))))
    assert spikes.delay == 0.0
    np.testing.assert_array_equal(spikes.afferent(0), np.zeros((2, 3)))
    np.testing.assert_array_equal(spikes.afferent(1), [[2, 2, 2, 2, 1]] * 2)


def recorded(size, first_id, segments=1):
    block = neo.Block(name="cells", size=size, first_id=first_id)
    for _ in range(segments):
        block.segments.append(neo.Segment(name=f"{first_id}"))
    return block


def test_recorded_blocks_become_first_spikes():
    asked = []

    class Windows:
        last_read = 40.0

        def first_spikes(self, segment, ids, scale):
            asked.append((segment.name, ids.tolist(), scale))
            return ids[None] * 1.0

    recording = SimpleNamespace(inputs=recorded(6, 10), biases=(None, recorded(4, 30)), layers=(recorded(3, 40), recorded(2, 50)),
                                presentation=Windows(),
                                input_copies=2, time_scale=1000.0, delay=0.5, delays=())
    times = first_spikes(recording)
    # Of two sources that stand for one input, the first three and the first two are read; neurons are single.
    assert asked == [(name, ids, 1000.0) for name, ids in (("10", [10, 11, 12]), ("30", [30, 31]), ("40", [40, 41, 42]),
                                                           ("50", [50, 51]))]
    assert times.delay == 0.5 and times.deadline == 40.0 and first_spikes(times) is times
    assert times.biases[0] is None and times.layers[1].tolist() == [[50.0, 51.0]]
    recording.layers = (recorded(3, 40, segments=2), recorded(2, 50))
    assert "2 segments" in refused(first_spikes, recording)


def test_gradients_of_two_layers():
    """The chain rule by hand, with a bias source, a delay and the mean over samples."""
    rng, neuron, delay = np.random.default_rng(2), neuron_of(2.0, 1.5), 0.25
    t_in, bias = rng.uniform(0, 2, (6, 4)), np.full((6, 1), 0.5)
    weights = [rng.normal(3, 2, (4, 5)), rng.normal(2, 2, (6, 3))]
    hidden = first_spike_times(t_in + delay, weights[0], neuron)
    labels = first_spike_times(np.concatenate([hidden, bias], axis=1) + delay, weights[1], neuron)
    assert np.isfinite(hidden).sum() > 15 and np.isfinite(labels).sum() > 8
    times = FirstSpikes(t_in, (None, bias), (hidden, labels), delay)
    error = np.where(np.isfinite(labels), rng.normal(size=labels.shape), 0.0)
    for limit in (np.inf, 0.02):
        engine = GradientEngine([neuron, neuron], limit)
        found, of_delays, of_biases, dropped = engine.backward(times, weights, error)
        afferent = np.concatenate([hidden, bias], axis=1) + delay
        top, back = expected_product(afferent, weights[1], labels, error, 2.0, 1.5, limit / neuron.current_scale)
        below, _ = expected_product(t_in + delay, weights[0], hidden, back[:, :5], 2.0, 1.5, limit / neuron.current_scale)
        np.testing.assert_allclose(found[1], top, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(found[0], below, rtol=1e-8, atol=1e-9)
        assert (dropped > 1) == (limit < 1) and of_delays == of_biases == (None, None)
        one, other = (vector_jacobian_product(t, w, out, e, neuron, limit / neuron.current_scale)[2] for t, w, out, e in
                      ((afferent, weights[1], labels, error), (t_in + delay, weights[0], hidden, back[:, :5])))
        assert dropped == one + other
    mean = GradientEngine([neuron, neuron]).gradients(times, weights, lambda last, of: (of * 1.0, error), np.arange(6))
    np.testing.assert_array_equal(mean.loss, np.arange(6))
    np.testing.assert_allclose(mean.weights[1], GradientEngine([neuron] * 2).backward(times, weights, error / 6)[0][1])
    assert mean.first_spikes is times and mean.dropped == 0
    one = FirstSpikes(t_in[:1], (None, bias[:1]), (hidden[:1], labels[:1]))
    alone = GradientEngine([neuron] * 2).gradients(one, weights, lambda last, of: (of * 1.0, error[:1]), np.arange(1))
    expected = GradientEngine([neuron] * 2).backward(one, weights, error[:1])[0]
    assert all(np.array_equal(found, all_of_it) for found, all_of_it in zip(alone.weights, expected, strict=True))
    deeper = FirstSpikes(t_in, (None, bias, None), (hidden, labels, labels + 1))
    engine = GradientEngine([neuron] * 3)
    three = engine.gradients(deeper, [*weights, np.eye(3)], lambda last, of: (last.sum(axis=1), error), None)
    np.testing.assert_array_equal(three.loss, (labels + 1).sum(axis=1))
    timed = GradientEngine([neuron] * 2, bias_times=(False, True)).backward(times, weights, error)
    expected = expected_product(afferent, weights[1], labels, error, 2.0, 1.5, np.inf)[1][:, 5:].sum(axis=0)
    np.testing.assert_allclose(timed[2][1], expected, rtol=1e-8, atol=1e-9)
    assert "2 layers and 1 weight matrices" in refused(GradientEngine([neuron] * 2).backward, times, weights[:1], error)
    assert "engine of 1 layers" in refused(GradientEngine([neuron]).backward, times, weights, error)
