"""The fast versions for layers of equal time constants against the readable compiled ones, on random and adversarial input."""

import numpy as np
import pytest

from tests.first_spike.oracle import adversarial_batches, reference_first_spike
from ttfs_pynn.first_spike import backward_kernels, first_spike_times, kernels, layer_backward, vector_jacobian_product
from ttfs_pynn.membrane import threads
from ttfs_pynn.membrane.sorted_inputs import sort_row
from ttfs_pynn.neuron import LIFParameters


def plain_times(t, w, neuron):
    tau_m, tau_syn, cm, thr = neuron.columns(w.shape[1])
    out = np.empty((len(t), w.shape[1]))
    kernels._times_serial(t, w, tau_m, tau_syn, cm, thr, True, out)
    return out


def plain_backward(t, w, t_out, error, neuron, max_dw):
    tau_m, tau_syn, cm, _ = neuron.columns(w.shape[1])
    dw, dt = np.zeros((backward_kernels.N_BLOCKS, *w.shape)), np.zeros_like(t)
    dropped = np.zeros(backward_kernels.N_BLOCKS, dtype=np.int64)
    backward_kernels._backward_serial(t, w, t_out, error, tau_m, tau_syn, cm, np.full(w.shape[1], max_dw),
                                      np.empty(0, dtype=np.int64), dw, dt, dropped)
    return dw.sum(axis=0), dt, dropped.sum()


def layer(seed, n_inputs, n_neurons=211, n_samples=30, silent=0.5, ties=False):
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 30, (n_samples, n_inputs))
    if ties:
        t = np.round(t / 3) * 3
    t[rng.random(t.shape) < silent] = np.inf
    t[0] = np.inf
    return t, rng.normal(12.0 / n_inputs, 12.0 / n_inputs ** 0.5, (n_inputs, n_neurons)) * 1.5


RATIOS = [0.3, 1.0, 1 + 1e-9, 1.1, 2.0, np.inf]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n_inputs", [1, 3, 4, 9, 90])
@pytest.mark.parametrize("ratio", RATIOS)
def test_times(ratio, n_inputs, ties):
    neuron = LIFParameters(tau_m=10.0 * ratio, cm=np.linspace(0.7, 1.3, 211))
    t, w = layer(n_inputs, n_inputs, ties=ties)
    found, expected = first_spike_times(t, w, neuron), plain_times(t, w, neuron)
    spiking = np.isfinite(expected)
    assert spiking.sum() > 100 and (~spiking).sum() > 100
    np.testing.assert_array_equal(np.isfinite(found), spiking)
    # Sums in another order: rounding of v, amplified where a crossing is flat.
    assert np.abs(found[spiking] - expected[spiking]).max() < 1e-9
    assert np.median(np.abs(found[spiking] - expected[spiking])) < 1e-14


def test_decisions_agree_with_fifty_digits():
    rng = np.random.default_rng(12)
    compared = spiking = 0
    for t, w, tau_m in adversarial_batches(rng, 25, 4):
        for n in range(w.shape[1]):  # alone: the batches mix time constants
            neuron = LIFParameters(tau_m=tau_m[n], tau_syn=1.0, v_rest=0.0, v_thresh=1.0)
            found = first_spike_times(t[None], w[:, n:n + 1], neuron)[0, 0]
            expected = reference_first_spike(t, w[:, n], tau_m[n], 1.0, 1.0, 1.0)
            assert np.isfinite(found) == (expected is not None), (t, w[:, n], tau_m[n])
            compared += 1
            spiking += expected is not None
    assert compared == 100 and 10 < spiking < 90


@pytest.mark.parametrize("max_dw", [np.inf, 0.02])
@pytest.mark.parametrize("ratio", RATIOS)
def test_derivatives(ratio, max_dw):
    neuron = LIFParameters(tau_m=10.0 * ratio, cm=np.linspace(0.7, 1.3, 211))
    t, w = layer(7, 90)
    t_out = first_spike_times(t, w, neuron)
    rng = np.random.default_rng(8)
    t_out[1] += rng.normal(0, 1, t_out[1].shape)  # recorded elsewhere: not where the model would spike
    error = rng.normal(size=t_out.shape) * (rng.random(t_out.shape) < 0.8) / 100
    dw, dt, dropped = vector_jacobian_product(t, w, t_out, error, neuron, max_dw)
    expected_dw, expected_dt, expected_dropped = plain_backward(t, w, t_out, error, neuron, max_dw)
    assert (dropped > 0) == (max_dw < 1) and dropped == expected_dropped
    # v' is a difference: where it is small a relative 1e-13 of its terms is more of it.
    assert np.abs(dw - expected_dw).max() <= 1e-8 * np.abs(expected_dw).max() > 0
    assert np.abs(dt - expected_dt).max() <= 1e-8 * np.abs(expected_dt).max() > 0
    again, none, _ = vector_jacobian_product(t, w, t_out, error, neuron, max_dw, with_inputs=False)
    assert none is None
    np.testing.assert_array_equal(again, dw)


@pytest.mark.parametrize("span", [30.0, 190.0])
@pytest.mark.parametrize("tau_m, tau_syn", [(1.0, 10.0), (10.0, 1.0), (1.0, 1.0), (1.0, 1.0 + 1e-9), (5.0, 10.0), (np.inf, 1.0)])
def test_derivatives_where_many_time_constants_pass(tau_m, tau_syn, span):
    """Late inputs have all digits beside early ones, whichever of the constants is the longer."""
    rng, neuron = np.random.default_rng(int(span)), LIFParameters(tau_m=tau_m, tau_syn=tau_syn)
    t = np.sort(rng.uniform(0, span * min(tau_m, tau_syn), (6, 12)), axis=1)
    t[:, 0] = 0.0
    assert layer_backward.applies(t, tau_m, tau_syn)
    w = rng.uniform(0.5, 5.0, (12, 20)) * np.sign(rng.normal(0.5, 1.0, (12, 20)))
    t_out = rng.uniform(0, t.max() * 1.1, (6, 20))
    t_out[:, :6] = t[:, 6:12] + 0.1  # soon after one of the inputs
    error = rng.normal(size=t_out.shape)
    for max_dw in (np.inf, 1.0):
        dw, dt, dropped = vector_jacobian_product(t, w, t_out, error, neuron, max_dw)
        expected_dw, expected_dt, expected_dropped = plain_backward(t, w, t_out, error, neuron, max_dw)
        assert dropped == expected_dropped and (dropped > 0) == (max_dw < np.inf)
        # sums over inputs of which the last is 1e-3 of the time since the first lose three digits
        assert np.abs(dw - expected_dw).max() <= 1e-9 * np.abs(expected_dw).max() > 0
        assert np.abs(dt - expected_dt).max() <= 1e-9 * np.abs(expected_dt).max() > 0


def test_inputs_far_apart_take_the_plain_way():
    neuron = LIFParameters(tau_m=10.0)
    t, w = np.array([[0.0, 1.0, 1e5, 1e5 + 1]]), np.array([[1.0], [1.0], [40.0], [40.0]])
    assert not layer_backward.applies(t, 10.0, 10.0)
    t_out = first_spike_times(t, w, neuron)
    assert 1e5 < t_out[0, 0] < 1e5 + 10
    dw, _, _ = vector_jacobian_product(t, w, t_out, np.ones((1, 1)), neuron)
    assert dw[2, 0] < 0 and abs(dw[0, 0]) < 1e-100


def test_same_bits_for_any_number_of_threads(monkeypatch):
    neuron = LIFParameters()
    t, w = layer(3, 60, n_neurons=450, n_samples=140)
    error = np.random.default_rng(0).normal(size=(140, 450))
    results = []
    for limit in (1 << 60, 0):
        monkeypatch.setattr(threads, "PARALLEL_FROM", limit)
        t_out = first_spike_times(t, w, neuron)
        results.append((t_out, *vector_jacobian_product(t, w, t_out, error, neuron)))
    assert np.isfinite(results[0][0]).sum() > 1000
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("times", [
    np.random.default_rng(0).uniform(-5, 5, 300),
    np.random.default_rng(1).integers(0, 9, 300) * 1.0,
    np.r_[1e300, np.random.default_rng(2).normal(0, 1e-12, 400), -1e300],
    np.r_[np.zeros(70), 5e-324, np.zeros(3)],
    np.full(5, np.inf), np.array([]), np.array([2.0]),
])
def test_sorting(times):
    times = np.where(np.arange(times.size) % 3 == 1, np.inf, times)
    order, bucket = np.zeros(times.size, dtype=np.int64), np.zeros(2 * times.size + 2, dtype=np.int64)
    n = sort_row(times, order, bucket, np.zeros(times.size))
    expected = np.argsort(times, kind="stable")[:np.isfinite(times).sum()]
    np.testing.assert_array_equal(order[:n], expected)
