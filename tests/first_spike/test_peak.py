"""Peaks of membranes against dense sampling and 50 digits, and steps that raise them against central differences."""

from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest

from tests.first_spike.oracle import RATIOS
from tests.first_spike.sparse import KINDS, heard, parameters, sparse
from ttfs_pynn.first_spike import (
    first_spike_times,
    membrane_peaks,
    peak_steps,
    rows_first_spike_times,
    rows_peak_steps,
)
from ttfs_pynn.membrane import threads
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
def test_the_step_is_the_smallest_that_raises_the_peak_by_what_is_missing(ratio):
    """Against central differences: along the step the peak rises by `missing`, and a step of that length does best this way."""
    rng, t_in, w = random_layer(2, n_samples=12)
    t_in[np.isinf(t_in).all(axis=1), 0] = 1.0
    cell, h, compared = neuron(ratio), 1e-6, 0

    def rise(sample, n, along):
        times, column = t_in[sample:sample + 1], w[:, n:n + 1]
        up, down = (membrane_peaks(times, column + s * h * along[:, None], cell)[1][0, 0] for s in (1, -1))
        return (up - down) / (2 * h)

    t_peak, v_peak = membrane_peaks(t_in, w, cell)
    for sample, n in np.ndindex(v_peak.shape):
        missing = np.zeros_like(v_peak)
        missing[sample, n] = 0.3
        step = peak_steps(t_in, t_peak, missing, cell)
        assert (np.delete(step, n, axis=1) == 0).all()
        if v_peak[sample, n] > 0.02:
            step = step[:, n]
            other = rng.normal(size=step.size)
            # differences lose half of the 16 digits, and more where weights are steps of hundreds for a peak right after an input
            np.testing.assert_allclose(rise(sample, n, step / np.linalg.norm(step)), 0.3 / np.linalg.norm(step), rtol=1e-5)
            assert rise(sample, n, other / np.linalg.norm(other)) <= 0.3 / np.linalg.norm(step) * (1 + 1e-5)
            compared += 1
    assert compared > 50


def test_steps_add_up_over_samples():
    _, t_in, w = random_layer(6, n_samples=8)
    cell = neuron(np.resize([0.5, 1.0, np.inf], w.shape[1]))
    t_peak, v_peak = membrane_peaks(t_in, w, cell)
    missing = np.where(v_peak < 1, 1.5 - v_peak, 0.0)
    one_by_one = [peak_steps(t_in[s:s + 1], t_peak[s:s + 1], missing[s:s + 1], cell) for s in range(8)]
    np.testing.assert_allclose(peak_steps(t_in, t_peak, missing, cell), np.sum(one_by_one, axis=0), rtol=1e-12, atol=1e-12)
    assert (peak_steps(t_in, t_peak, np.zeros_like(missing), cell) == 0).all()


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
    assert (peak_steps([[0.5, 1.0]], t_peak[1:, 1:], [[1.0]], cell) > 0).all()
    assert (peak_steps([[np.inf, np.inf]], t_peak[:1, :1], [[1.0]], cell) == 0).all()
    # excitation that inhibition cuts short peaks at the time of the inhibitory input
    assert membrane_peaks([[0.0, 0.3]], [[1.0], [-5.0]], cell)[0][0, 0] == 0.3
    # without a leak the limit tau_syn/cm sum_i w_i
    np.testing.assert_allclose(membrane_peaks([[0.0, 0.3]], [[1.0], [2.0]], neuron(np.inf))[1], 1.5, rtol=1e-15)
    wanted = [[True, False]]
    assert np.isnan(membrane_peaks([[0.0, 1.0]], np.ones((2, 2)), cell, wanted)[1][0]).tolist() == [False, True]


def test_neurons_of_unequal_time_constants():
    _, t_in, w = random_layer(4)
    tau_m, tau_syn = np.resize([0.5, 1.0, 1.0, 3.0, np.inf], w.shape[1]), np.resize([1.0, 1.0, 0.7], w.shape[1])
    together = membrane_peaks(t_in, w, replace(neuron(tau_m), tau_syn=tau_syn))
    for n in range(w.shape[1]):
        alone = replace(neuron(tau_m[n]), tau_syn=tau_syn[n])
        for one, both in zip(membrane_peaks(t_in, w[:, n:n + 1], alone), together, strict=True):
            np.testing.assert_array_equal(one[:, 0], both[:, n])


def test_threads_change_no_bit(monkeypatch):
    _, t_in, w = random_layer(5)
    expected = membrane_peaks(t_in, w, neuron(2.0))
    monkeypatch.setattr(threads, "PARALLEL_FROM", 0)
    for one, other in zip(membrane_peaks(t_in, w, neuron(2.0)), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("call", [
    lambda: membrane_peaks(np.zeros((2, 3)), np.zeros((2, 3)), neuron(1.0)),
    lambda: membrane_peaks(np.zeros((2, 3)), np.zeros((3, 1)), neuron(1.0), [[True]]),
    lambda: peak_steps(np.zeros((2, 3)), np.zeros((2, 1)), np.zeros((1, 1)), neuron(1.0)),
    lambda: peak_steps(np.zeros((1, 3)), np.zeros((2, 1)), np.zeros((2, 1)), neuron(1.0)),
])
def test_shapes_that_do_not_fit(call):
    with pytest.raises(ValueError, match="shape"):
        call()


@pytest.mark.parametrize("delays", KINDS)
@pytest.mark.parametrize("spikes", [None, 3])
def test_steps_of_rows_are_those_of_every_neuron_alone(delays, spikes):
    t, w, rows, rng = sparse(9, delays=delays, spikes=spikes)
    neuron = parameters("mixed", 15, rng)
    wanted = np.isinf(rows_first_spike_times(t, w, rows, neuron)) & (rng.random((30, 15)) < 0.8)
    assert wanted.sum() > 50
    found, expected = rows_peak_steps(t, w, rows, neuron, wanted, 1.5), np.zeros(w.size)
    for n in range(15):
        arrivals, weights, synapse, _ = heard(n, t, w, rows)
        t_peak, v_peak = membrane_peaks(arrivals, weights, neuron.one(n), wanted[:, [n]])
        for sample in np.flatnonzero(wanted[:, n]):
            if v_peak[sample, 0] < neuron.one(n).threshold and np.isfinite(t_peak[sample, 0]):
                ago = t_peak[sample, 0] - arrivals[sample]
                response = np.zeros(w.size)
                np.add.at(response, synapse, neuron.one(n).kernel(ago))
                square = (response ** 2).sum()
                expected += (1.5 * neuron.one(n).threshold - v_peak[sample, 0]) * response / square if square > 0 else 0.0
    assert (expected != 0).mean() > 0.3
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_bad_steps_of_rows():
    t, w, rows, _ = sparse(9)
    with pytest.raises(ValueError, match="wanted has shape"):
        rows_peak_steps(t, w, rows, LIFParameters(), np.ones((30, 14)), 1.5)
    with pytest.raises(ValueError, match="aim = nan"):
        rows_peak_steps(t, w, rows, LIFParameters(), np.ones((30, 15)), np.nan)
