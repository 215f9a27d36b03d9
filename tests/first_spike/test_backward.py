import numpy as np
import pytest

from tests.data import first_spike_reference
from ttfs_pynn.first_spike import first_spike_derivatives, first_spike_times, vector_jacobian_product
from ttfs_pynn.membrane import threads
from ttfs_pynn.neuron import LIFParameters


@pytest.mark.parametrize("ratio", [1, 2])
def test_reference_derivatives(ratio):
    """Relative to the largest derivative of the neuron; grazing neurons (margin below 1e-4) are left out of the reference."""
    data, neuron = first_spike_reference(ratio)
    compared = 0
    for k in range(len(data["t_in"])):
        found = first_spike_derivatives(data["t_in"][k:k + 1], data["w"][k], data["t_out_exact"][k:k + 1], neuron)
        clear = np.isfinite(data["t_out_exact"][k]) & (np.abs(data["vmax_minus_threshold"][k]) > 1e-4)
        for array, name in zip(found, ("dtout_dw_exact", "dtout_dtin_exact"), strict=True):
            expected = data[name][k][:, clear]
            error = np.abs(array[0][:, clear] - expected).max(axis=0) / np.abs(expected).max(axis=0)
            assert (error <= 1e-7).all()
            compared += error.size
    assert compared > 700


@pytest.mark.parametrize("ratio", [0.3, 0.5, 1.0, 1 + 1e-9, 2.0, 7.0, 100.0])
def test_central_differences(ratio):
    """Step 1e-5 of scale 1: truncation about 1e-10, rounding 1e-16/1e-5; steep neurons (v' small) are amplified, so the
    step must stay inside the smooth region: neurons with v' below 0.1 mV/ms are left to the finer benchmark."""
    rng = np.random.default_rng(7)
    neuron = LIFParameters(tau_m=ratio, tau_syn=1.0, v_rest=0.0, v_thresh=1.0)
    t, w = rng.uniform(0, 2, (60, 6)), rng.normal(1.5, 1.5, (6, 5))
    t_out = first_spike_times(t, w, neuron)
    dw, dt = first_spike_derivatives(t, w, t_out, neuron)
    h, compared = 1e-5, 0
    for sample, n in zip(*np.nonzero(np.isfinite(t_out)), strict=True):
        causal = t[sample] < t_out[sample, n]
        slope = np.sum(w[causal, n] * neuron.kernel_derivative(t_out[sample, n] - t[sample, causal]))
        near = np.abs(t[sample] - t_out[sample, n]).min()
        if slope < 0.1 or near < 1e-3:
            continue
        for i in range(6):
            for array, out in ((w[:, n], dw), (t[sample], dt)):
                values = []
                for sign in (1, -1):
                    moved = array.copy()
                    moved[i] += sign * h
                    ti, wn = (t[sample], moved) if array is not t[sample] and out is dw else (moved, w[:, n])
                    values.append(first_spike_times(ti[None], wn[:, None], neuron)[0, 0])
                numeric = (values[0] - values[1]) / (2 * h)
                scale = np.abs(out[sample, :, n]).max()
                assert abs(numeric - out[sample, i, n]) <= 1e-5 * max(scale, 1e-3)
                compared += 1
    assert compared > 500


def random_case():
    rng = np.random.default_rng(8)
    t, w = rng.uniform(0, 20, (37, 7)), rng.normal(1.5, 1.5, (7, 11))
    t[rng.random(t.shape) < 0.1] = np.inf
    neuron = LIFParameters(tau_m=rng.uniform(8, 20, 11))
    t_out = first_spike_times(t, w, neuron)
    return t, w, t_out, rng.normal(size=t_out.shape), neuron


def test_product_equals_the_jacobians():
    t, w, t_out, error, neuron = random_case()
    dw, dt = first_spike_derivatives(t, w, t_out, neuron)
    found_w, found_t, dropped = vector_jacobian_product(t, w, t_out, error, neuron)
    assert np.isfinite(t_out).sum() > 200 and dropped == 0
    scale = np.abs(dw).max()
    # Sums over 37 samples in another order.
    np.testing.assert_allclose(found_w, np.einsum("sin,sn->in", dw, error), atol=1e-12 * scale)
    np.testing.assert_allclose(found_t, np.einsum("sin,sn->si", dt, error), rtol=1e-9, atol=1e-10)


def test_large_contributions_are_dropped_but_the_error_passes():
    t, w, t_out, error, neuron = random_case()
    dw, _ = first_spike_derivatives(t, w, t_out, neuron)
    contributions = dw * error[:, None, :]
    largest = np.abs(contributions).max(axis=1)
    limit = np.median(largest[largest > 0])
    kept = np.where((largest <= limit)[:, None, :], contributions, 0)
    found_w, found_t, dropped = vector_jacobian_product(t, w, t_out, error, neuron, max_dw=limit)
    assert dropped == (largest > limit).sum() > 50
    np.testing.assert_allclose(found_w, kept.sum(axis=0), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found_t, vector_jacobian_product(t, w, t_out, error, neuron)[1])


def test_spikes_that_the_ideal_neuron_would_not_make():
    """A neuron with too little input for the ideal one has a lower threshold, v(T); one that falls is explained by none."""
    neuron = LIFParameters(tau_m=1.0, tau_syn=1.0, v_rest=0.0, v_thresh=1.0)
    t, w = np.array([[0.0]]), np.array([[2.0, 4.0, 4.0]])  # e is needed
    t_out = np.array([[0.5, 5.0, np.inf]])
    dw, dt = first_spike_derivatives(t, w, t_out, neuron)
    assert (dw[0, 0, 1:] == 0).all() and (dt[0, 0, 1:] == 0).all()
    lower = LIFParameters(tau_m=1.0, tau_syn=1.0, v_rest=0.0, v_thresh=2.0 * 0.5 * np.exp(-0.5))
    np.testing.assert_allclose(first_spike_times(t, w[:, :1], lower), t_out[:, :1], rtol=1e-14)
    expected = first_spike_derivatives(t, w[:, :1], t_out[:, :1], lower)
    np.testing.assert_array_equal((dw[:, :, :1], dt[:, :, :1]), expected)
    np.testing.assert_allclose(dw[0, 0, 0], -0.5, rtol=1e-14)  # -K/v' = -s/(w (1 - s)) at s = 0.5


def test_same_bits_for_any_number_of_threads(monkeypatch):
    import numba

    t, w, t_out, error, neuron = random_case()
    expected = vector_jacobian_product(t, w, t_out, error, neuron)
    monkeypatch.setattr(threads, "PARALLEL_FROM", 0)
    for number in {1, numba.config.NUMBA_NUM_THREADS}:
        numba.set_num_threads(number)
        for array, other in zip(expected, vector_jacobian_product(t, w, t_out, error, neuron), strict=True):
            np.testing.assert_array_equal(array, other)


def test_bad_input():
    t, w, t_out, error, neuron = random_case()
    with pytest.raises(ValueError, match="t_out has shape"):
        first_spike_derivatives(t, w, t_out[:, :3], neuron)
    with pytest.raises(ValueError, match="error holds nan"):
        vector_jacobian_product(t, w, t_out, np.full_like(error, np.nan), neuron)
    with pytest.raises(ValueError, match="do not fit 11 neurons"):
        first_spike_derivatives(t, w, t_out, LIFParameters(tau_m=[1.0, 2.0]))
