"""Layers whose inputs spike several times a sample: the same as rows in which every neuron hears every input."""

import numpy as np
import pytest

from tests.first_spike.sparse import parameters
from ttfs_pynn.first_spike import (
    Rows,
    delayed_first_spike_times,
    delayed_vector_jacobian_product,
    first_spike_derivatives,
    first_spike_times,
    membrane_peaks,
    peak_steps,
    rows_first_spike_times,
    rows_peak_steps,
    rows_vector_jacobian_product,
    vector_jacobian_product,
)
from ttfs_pynn.neuron import LIFParameters

INPUTS, NEURONS = 9, 14


def layer(seed=0, far=False):
    """(t_in (30, INPUTS, 5), w, rng); most are no spikes, one input never spikes. far: inputs over many time constants."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 5000 if far else 30, (30, INPUTS, 5))
    t[rng.random(t.shape) < 0.7] = np.inf
    t[0], t[:, 4] = np.inf, np.inf
    return t, rng.normal(2.5 if far else 1.5, 2.0, (INPUTS, NEURONS)), rng


def all_to_all(delays=None):
    delays = np.empty(0) if delays is None else np.broadcast_to(delays, (INPUTS, NEURONS)).T.ravel()
    return Rows(np.arange(NEURONS + 1) * INPUTS, np.tile(np.arange(INPUTS), NEURONS), delays)


KINDS = [("equal", False), ("equal", True), ("unequal", False), ("mixed", False)]


@pytest.mark.parametrize("kind, far", KINDS)
@pytest.mark.parametrize("max_dw", [np.inf, 0.3])
def test_layers(kind, far, max_dw):
    """far and mixed leave the loops for equal constants. With max_dw: it is the sum over spikes that is held against it."""
    t, w, rng = layer(far=far)
    neuron = parameters(kind, NEURONS, rng)
    t_out, rows = first_spike_times(t, w, neuron), all_to_all()
    np.testing.assert_allclose(rows_first_spike_times(t, w.T.ravel(), rows, neuron), t_out, rtol=1e-10)
    assert 100 < np.isfinite(t_out).sum() < t_out.size - 10
    error = rng.normal(size=t_out.shape)
    dw, dt, dropped = vector_jacobian_product(t, w, t_out, error, neuron, max_dw)
    want_w, want_t, _, want_dropped = rows_vector_jacobian_product(t, w.T.ravel(), rows, t_out, error, neuron, max_dw)
    assert dropped == want_dropped and (dropped > 20) == (max_dw < 1)
    assert dw.shape == w.shape and dt.shape == t.shape and (dw != 0).mean() > 0.4 and (dt != 0).sum() > 50
    np.testing.assert_allclose(dw, want_w.reshape(NEURONS, INPUTS).T, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(dt, want_t, rtol=1e-8, atol=1e-9)
    again, none, _ = vector_jacobian_product(t, w, t_out, error, neuron, max_dw, with_inputs=False)
    assert none is None
    np.testing.assert_array_equal(again, dw)


def test_more_is_dropped_than_the_largest_spike_alone_would():
    neuron, w = LIFParameters(), np.array([[1.2]])
    t = np.array([[[0.0, 1.0, 2.0, 3.0]]])
    t_out = first_spike_times(t, w, neuron)
    by_w, _ = first_spike_derivatives(t, w, t_out, neuron)
    alone, _ = first_spike_derivatives(t[0], np.repeat(w, 4, axis=0), t_out, neuron)
    assert np.abs(alone).max() < np.abs(by_w[0, 0, 0]) / 2
    for limit, dropped in ((np.abs(by_w[0, 0, 0]) * 0.99, 1), (np.abs(by_w[0, 0, 0]) * 1.01, 0)):
        assert vector_jacobian_product(t, w, t_out, [[1.0]], neuron, limit)[2] == dropped
        assert delayed_vector_jacobian_product(t, w, [[0.0]], t_out, [[1.0]], neuron, limit)[3] == dropped


def test_jacobians():
    t, w, rng = layer(1)
    t_out, error = first_spike_times(t, w, LIFParameters()), rng.normal(size=(30, NEURONS))
    by_w, by_t = first_spike_derivatives(t, w, t_out, LIFParameters())
    assert by_w.shape == (30, INPUTS, NEURONS) and by_t.shape == (*t.shape, NEURONS)
    dw, dt, _ = vector_jacobian_product(t, w, t_out, error, LIFParameters())
    np.testing.assert_allclose(np.einsum("sin,sn->in", by_w, error), dw, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.einsum("sikn,sn->sik", by_t, error), dt, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(INPUTS, 1), (1, NEURONS), (INPUTS, NEURONS), (1, 1)])
@pytest.mark.parametrize("max_dw", [np.inf, 0.3])
def test_delays(shape, max_dw):
    t, w, rng = layer(2)
    delays, neuron = rng.uniform(0, 5, shape), parameters("unequal", NEURONS, rng)
    rows, t_out = all_to_all(delays), delayed_first_spike_times(t, w, delays, neuron)
    assert np.isfinite(t_out).sum() > 100
    np.testing.assert_allclose(rows_first_spike_times(t, w.T.ravel(), rows, neuron), t_out, rtol=1e-10)
    error = rng.normal(size=t_out.shape)
    dw, dt, dd, dropped = delayed_vector_jacobian_product(t, w, delays, t_out, error, neuron, max_dw)
    want_w, want_t, want_d, want_dropped = rows_vector_jacobian_product(t, w.T.ravel(), rows, t_out, error, neuron, max_dw)
    assert dropped == want_dropped and (dropped > 20) == (max_dw < 1) and dd.shape == shape and dt.shape == t.shape
    np.testing.assert_allclose(dw, want_w.reshape(NEURONS, INPUTS).T, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(dt, want_t, rtol=1e-8, atol=1e-9)
    if shape[1] > 1 or max_dw == np.inf:  # axonal ones are changed by what is dropped
        want_d = want_d.reshape(NEURONS, INPUTS).T
        for axis in (0, 1):
            want_d = want_d.sum(axis=axis, keepdims=True) if shape[axis] == 1 else want_d
        np.testing.assert_allclose(dd, want_d, rtol=1e-8, atol=1e-9)


def test_central_differences():
    """As in test_backward: step 1e-5, flat crossings and inputs at a spike left out."""
    t, w, rng = layer(3)
    neuron = LIFParameters(tau_m=20.0)
    t_out, error = first_spike_times(t, w, neuron), np.zeros((30, NEURONS))
    for sample, n in zip(*np.nonzero(np.isfinite(t_out)), strict=True):
        ago = np.where(t[sample] < t_out[sample, n], t_out[sample, n] - t[sample], 0.0)
        rise = (w[:, n, None] * np.where(ago > 0, neuron.kernel_derivative(ago), 0.0)).sum()
        if rise > 0.3 and np.abs(t[sample] - t_out[sample, n]).min() > 0.01:
            error[sample, n] = rng.normal()
    assert (error != 0).sum() > 100
    dw, dt, _ = vector_jacobian_product(t, w, t_out, error, neuron)
    for k, found in ((0, dt), (1, dw)):
        places = [p for p in np.ndindex(*found.shape) if k or np.isfinite(t[p])]
        numeric = []
        for place in places:
            values = []
            for sign in (1, -1):
                given = [t.copy(), w.copy()]
                given[k][place] += sign * 1e-5
                values.append((error * np.where(error == 0, 0, first_spike_times(*given, neuron))).sum())
            numeric.append((values[0] - values[1]) / 2e-5)
        analytic = np.array([found[p] for p in places])
        assert (analytic != 0).mean() > 1 / 3
        assert np.abs(analytic - numeric).max() <= 1e-5 * np.abs(analytic).max()


def test_peaks():
    t, w, rng = layer(4)
    neuron = parameters("unequal", NEURONS, rng)
    wanted = np.isinf(first_spike_times(t, w, neuron))
    assert wanted.sum() > 30
    t_peak, v_peak = membrane_peaks(t, w, neuron, wanted)
    step = peak_steps(t, t_peak, np.where(v_peak < neuron.threshold, 1.5 * neuron.threshold - v_peak, 0.0), neuron)
    assert step.shape == w.shape and (step != 0).mean() > 0.2
    found = rows_peak_steps(t, w.T.ravel(), all_to_all(), neuron, wanted, 1.5)
    np.testing.assert_allclose(found.reshape(NEURONS, INPUTS).T, step, rtol=1e-10, atol=1e-12)
    one, n = t[1:2], 2  # a step of one sample brings the peak to where it aims, to first order
    t_peak, v_peak = membrane_peaks(one, w[:, [n]], neuron.one(n))
    small = 1e-4 * neuron.threshold[n]
    step = peak_steps(one, t_peak, np.full((1, 1), small), neuron.one(n))
    assert abs(membrane_peaks(one, w[:, [n]] + step, neuron.one(n))[1] - v_peak - small) < 1e-2 * small


def test_no_spikes_at_all():
    t, w = np.full((3, 2, 4), np.inf), np.ones((2, 5))
    t_out = first_spike_times(t, w, LIFParameters())
    assert t_out.shape == (3, 5) and np.isinf(t_out).all()
    dw, dt, dropped = vector_jacobian_product(t, w, t_out, np.ones((3, 5)), LIFParameters())
    assert not dw.any() and dw.shape == (2, 5) and not dt.any() and dt.shape == t.shape and dropped == 0
    dw, dt, dd, _ = delayed_vector_jacobian_product(t, w, np.ones((2, 5)), t_out, np.ones((3, 5)), LIFParameters())
    assert dw.shape == dd.shape == (2, 5) and dt.shape == t.shape


def test_bad_input():
    with pytest.raises(ValueError, match="\\(samples, inputs, spikes\\)"):
        first_spike_times(np.zeros((2, 3, 4, 1)), np.zeros((3, 5)), LIFParameters())
    with pytest.raises(ValueError, match="t_in holds nan"):
        first_spike_times(np.full((2, 3, 4), np.nan), np.zeros((3, 5)), LIFParameters())
    with pytest.raises(ValueError, match="expected \\(inputs, 1\\)"):
        delayed_first_spike_times(np.zeros((2, 3, 4)), np.zeros((3, 5)), np.zeros((4, 1)), LIFParameters())
