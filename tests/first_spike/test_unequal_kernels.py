"""The fast version for neurons with time constants of their own against the readable compiled one, for any ratio and any gap."""

import numpy as np
import pytest

from benchmarks import long_gaps
from tests.first_spike.oracle import adversarial_batches
from ttfs_pynn.first_spike import first_spike_times, kernels
from ttfs_pynn.membrane import threads
from ttfs_pynn.neuron import LIFParameters


def both(t, w, neuron):
    """(fast, plain) first-spike times."""
    plain = np.empty((len(t), w.shape[1]))
    kernels._times_serial(t, w, *neuron.columns(w.shape[1]), False, plain)
    return first_spike_times(t, w, neuron), plain


def neurons(rng, n, decades):
    """Time constants over so many decades; some without leak, some with equal or nearly equal constants."""
    tau_m, tau_syn = 10.0 ** rng.normal(0, decades, (2, n))
    kind = rng.random(n)
    tau_m = np.where(kind < 0.3, tau_syn * (1 + rng.choice([0, 1e-15, 1e-9, 1e-6], n)), tau_m)
    return LIFParameters(tau_m=np.where(kind < 0.15, np.inf, tau_m), tau_syn=tau_syn, cm=10.0 ** rng.normal(0, 0.3, n),
                         v_rest=0.0, v_thresh=10.0 ** rng.normal(0, 0.5, n))


def batch(rng, n_neurons, n_inputs, decades, n_samples=3):
    """(t_in, w, neuron) with ties, silent inputs and an input that may come 1e9 time constants later."""
    neuron = neurons(rng, n_neurons, decades)
    t = rng.permuted(np.tile(np.cumsum(10.0 ** rng.normal(0, decades, n_inputs)), (n_samples, 1)), axis=1)
    if rng.random() < 0.3:
        t = np.round(t)
    if rng.random() < 0.3:
        t[:, -1] = 1e9 * np.median(neuron.tau_syn)
    t[rng.random(t.shape) < 0.2] = np.inf
    tau_m, tau_syn, cm, thr = neuron.columns(n_neurons)
    w = rng.normal(rng.choice([0.0, 0.5]), 1, (n_inputs, n_neurons)) * rng.choice([0.3, 1.0, 3.0])
    return t, w * cm * thr / np.minimum(tau_m, tau_syn), neuron


@pytest.mark.parametrize("decades", [0.1, 0.5, 2.0, 8.0])
def test_decisions_and_times(decades):
    rng, spiking, silent = np.random.default_rng(int(10 * decades)), 0, 0
    for _ in range(60):
        t, w, neuron = batch(rng, int(rng.integers(2, 40)), int(rng.integers(1, 40)), decades)
        found, expected = both(t, w, neuron)
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(np.isfinite(found), finite)
        # Other exponentials: rounding of v, amplified where a crossing is flat; and the last bits of late times.
        allowed = np.broadcast_to(1e-7 * np.maximum(neuron.tau_syn, np.nan_to_num(neuron.tau_m, posinf=0.0)), found.shape)
        assert (np.abs(found[finite] - expected[finite]) <= (allowed + 4e-16 * np.abs(expected, where=finite))[finite]).all()
        spiking, silent = spiking + finite.sum(), silent + (~finite).sum()
    assert spiking > 500 and silent > 500


def test_decisions_at_threshold():
    """Grazing peaks, ties, inputs at the time of a crossing: whatever rounding could decide."""
    rng, compared, spiking = np.random.default_rng(3), 0, 0
    for t, w, tau_m in adversarial_batches(rng, 400, 9):
        neuron = LIFParameters(tau_m=np.r_[tau_m, 0.123], tau_syn=1.0, v_rest=0.0, v_thresh=1.0)
        found, expected = both(t[None], np.c_[w, w[:, :1]], neuron)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
        compared, spiking = compared + found.size, spiking + np.isfinite(found).sum()
    assert compared == 4000 and 1000 < spiking < 3000


def test_long_gaps_of_random_neurons():
    rng, spiking = np.random.default_rng(4), 0
    for _ in range(100):
        p = long_gaps.random_parameters(rng, 12, False)
        neuron = LIFParameters(**{name: p[name] for name in ("tau_m", "cm", "v_rest", "v_thresh")}, tau_syn=p["tau_syn_E"])
        t, _ = long_gaps.random_times(rng, 8, p["tau_syn_E"].max())
        found, expected = both(t[None], long_gaps.random_weights(rng, (8, 12)) * long_gaps.scale_of(p), neuron)
        # rounding of the largest time, and of a flat crossing
        np.testing.assert_allclose(found, expected, rtol=4e-16, atol=1e-8 * p["tau_syn_E"].max())
        spiking += np.isfinite(expected).sum()
    assert 400 < spiking < 1100


@pytest.mark.parametrize("n_samples", [0, 1, 128, 131])
def test_numbers_of_samples_and_no_inputs(n_samples):
    rng = np.random.default_rng(n_samples)
    t, w, neuron = batch(rng, 17, 12, 0.3, n_samples)
    found, expected = both(t, w, neuron)
    assert found.shape == (n_samples, 17)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert (first_spike_times(np.full((n_samples, 12), np.inf), w, neuron) == np.inf).all()
    assert first_spike_times(np.empty((n_samples, 0)), np.empty((0, 17)), neuron).shape == (n_samples, 17)


def test_same_bits_for_any_number_of_threads(monkeypatch):
    t, w, neuron = batch(np.random.default_rng(5), 70, 40, 0.2, 140)
    results = []
    for limit in (1 << 60, 0):
        monkeypatch.setattr(threads, "PARALLEL_FROM", limit)
        results.append(first_spike_times(t, w, neuron))
    assert np.isfinite(results[0]).sum() > 1000
    np.testing.assert_array_equal(*results)
