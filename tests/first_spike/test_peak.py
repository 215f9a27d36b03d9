"""Peaks of membranes against 50 digits on a dense grid of candidates, and their derivatives against central differences."""

import mpmath as mp
import numpy as np
import pytest

from tests.first_spike.oracle import RATIOS
from ttfs_pynn.first_spike import first_spike_times, membrane_peaks, peak_vector_jacobian_product
from ttfs_pynn.neuron import LIFParameters


def neuron(ratio):
    return LIFParameters(tau_m=ratio, tau_syn=1.0, cm=2.0, v_rest=0.0, v_thresh=1.0)


def random_layer(seed, n_samples=20, n_inputs=6, n_neurons=15):
    rng = np.random.default_rng(seed)
    t_in = rng.uniform(0, 3, (n_samples, n_inputs))
    t_in[:, 1] = t_in[:, 0]  # a tie
    t_in[rng.random(t_in.shape) < 0.2] = np.inf
    return rng, t_in, rng.normal(0.3, 1.5, (n_inputs, n_neurons))


def membrane(t, t_in, w, cell):
    """v(t) - v_rest (times,) straight from the kernel."""
    return cell.kernel(np.asarray(t)[:, None] - t_in[None, np.isfinite(t_in)]) @ w[np.isfinite(t_in)]


@pytest.mark.parametrize("ratio", RATIOS)
def test_no_dense_sampling_finds_a_higher_point(ratio):
    _, t_in, w = random_layer(0, n_samples=10)
    cell = neuron(ratio)
    t_peak, v_peak = membrane_peaks(t_in, w, cell)
    compared = 0
    for sample, n in np.ndindex(v_peak.shape):
        heard = t_in[sample][np.isfinite(t_in[sample])]
        if not heard.size or v_peak[sample, n] <= 0.01:
            continue
        # inputs themselves, and steps of 4 us and, later, 20 us: |v''| ~ 10 mV/ms^2 early on, so the grid misses 1e-4 mV at most
        grid = np.concatenate([heard, np.linspace(heard.min(), heard.max() + 5, 2000), np.linspace(5, 45, 2000) + heard.max()])
        dense = membrane(grid, t_in[sample], w[:, n], cell).max()
        at_peak = membrane([t_peak[sample, n]], t_in[sample], w[:, n], cell)[0]
        assert v_peak[sample, n] >= dense - 1e-13 and v_peak[sample, n] - dense < 1e-4 * max(1.0, dense)
        np.testing.assert_allclose(v_peak[sample, n], at_peak, rtol=0, atol=1e-13)
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 7.0])
def test_peaks_between_inputs_are_zeros_of_the_slope_in_50_digits(ratio):
    _, t_in, w = random_layer(1, n_samples=6)
    t_peak, v_peak = membrane_peaks(t_in, w, neuron(ratio))
    compared = 0
    with mp.workdps(50):
        for sample, n in np.ndindex(v_peak.shape):
            if v_peak[sample, n] <= 0.05 or (t_in[sample] == t_peak[sample, n]).any():
                continue
            causal = [(mp.mpf(float(t)), mp.mpf(float(x))) for t, x in zip(t_in[sample], w[:, n], strict=True)
                      if t < t_peak[sample, n]]

            def v(t, causal=causal):
                if ratio == 1:
                    return sum(x * (t - ti) * mp.exp(ti - t) for ti, x in causal) / 2
                gain = 1 / (1 - 1 / mp.mpf(ratio)) / 2
                return sum(x * gain * (mp.exp((ti - t) / ratio) - mp.exp(ti - t)) for ti, x in causal)

            exact = mp.findroot(lambda t: mp.diff(v, t), mp.mpf(float(t_peak[sample, n])))
            assert abs(exact - t_peak[sample, n]) < 1e-8  # flat peaks: a relative 1e-15 of v moves them by its square root
            assert abs(v(exact) - v_peak[sample, n]) < 1e-14 * max(1.0, abs(w[:, n]).sum())
            compared += 1
    assert compared > 20


@pytest.mark.parametrize("ratio", RATIOS)
def test_derivatives_against_central_differences(ratio):
    rng, t_in, w = random_layer(2)
    t_in[:, 1] += 0.01  # a tie has no derivative
    cell, h = neuron(ratio), 1e-6
    t_peak, v_peak = membrane_peaks(t_in, w, cell)
    error = np.where(v_peak > 0.02, rng.normal(size=v_peak.shape), 0.0)
    dw, dt_in = peak_vector_jacobian_product(t_in, w, t_peak, error, cell)
    for _ in range(5):
        along_w, along_t = rng.normal(size=w.shape), rng.normal(size=t_in.shape)
        by_w = (membrane_peaks(t_in, w + h * along_w, cell)[1] - membrane_peaks(t_in, w - h * along_w, cell)[1]) / (2 * h)
        by_t = (membrane_peaks(t_in + h * along_t, w, cell)[1] - membrane_peaks(t_in - h * along_t, w, cell)[1]) / (2 * h)
        # a step that changes which of two peaks is the higher one costs up to h times their slopes
        np.testing.assert_allclose((error * by_w).sum(), (dw * along_w).sum(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose((error * by_t).sum(), np.where(np.isfinite(t_in), dt_in * along_t, 0.0).sum(), rtol=1e-5,
                                   atol=1e-5)
    assert (dw != 0).mean() > 0.5 and (dt_in[np.isinf(t_in)] == 0).all()


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_neuron_spikes_exactly_where_its_peak_reaches_threshold(ratio):
    _, t_in, w = random_layer(3, n_samples=200)
    cell, w = neuron(ratio), w * 4
    spikes = np.isfinite(first_spike_times(t_in, w, cell))
    assert 0.1 < spikes.mean() < 0.9
    np.testing.assert_array_equal(membrane_peaks(t_in, w, cell)[1] >= 1.0, spikes)


def test_special_cases():
    cell = neuron(1.0)
    t_peak, v_peak = membrane_peaks([[np.inf, np.inf], [0.5, 1.0]], [[1.0, -1.0], [1.0, -1.0]], cell)
    assert t_peak[0, 0] == np.inf and (v_peak[0] == 0).all()
    # an inhibited neuron is looked at where its last input's response is highest, so that raising weights has an effect
    assert t_peak[1, 1] == 2.0 and v_peak[1, 1] < 0
    dw, _ = peak_vector_jacobian_product([[0.5, 1.0]], [[-1.0], [-1.0]], t_peak[1:, 1:], [[1.0]], cell)
    assert (dw > 0).all()
    # excitation that inhibition cuts short peaks at the time of the inhibitory input
    assert membrane_peaks([[0.0, 0.3]], [[1.0], [-5.0]], cell)[0][0, 0] == 0.3
    # without a leak the limit tau_syn/cm sum_i w_i
    np.testing.assert_allclose(membrane_peaks([[0.0, 0.3]], [[1.0], [2.0]], neuron(np.inf))[1], 1.5, rtol=1e-15)
    wanted = [[True, False]]
    assert np.isnan(membrane_peaks([[0.0, 1.0]], np.ones((2, 2)), cell, wanted)[1][0]).tolist() == [False, True]


def test_neurons_of_unequal_time_constants():
    _, t_in, w = random_layer(4)
    tau_m = np.resize([0.5, 1.0, 3.0, np.inf], w.shape[1])
    together = membrane_peaks(t_in, w, neuron(tau_m))
    for n, tau in enumerate(tau_m):
        for one, both in zip(membrane_peaks(t_in, w[:, n:n + 1], neuron(tau)), together, strict=True):
            np.testing.assert_array_equal(one[:, 0], both[:, n])


def test_threads_change_no_bit(monkeypatch):
    from ttfs_pynn.first_spike import peak
    _, t_in, w = random_layer(5)
    expected = membrane_peaks(t_in, w, neuron(2.0))
    monkeypatch.setattr(peak, "PARALLEL_FROM", 0)
    for one, other in zip(membrane_peaks(t_in, w, neuron(2.0)), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("call", [
    lambda: membrane_peaks(np.zeros((2, 3)), np.zeros((2, 3)), neuron(1.0)),
    lambda: membrane_peaks(np.zeros((2, 3)), np.zeros((3, 1)), neuron(1.0), [[True]]),
    lambda: peak_vector_jacobian_product(np.zeros((2, 3)), np.zeros((3, 1)), np.zeros((1, 1)), np.zeros((2, 1)), neuron(1.0)),
])
def test_shapes_that_do_not_fit(call):
    with pytest.raises(ValueError, match="shape"):
        call()
