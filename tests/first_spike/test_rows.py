"""Neurons that hear inputs of their own, against the same neuron by neuron, fifty digits, and differences."""

import numba
import numpy as np
import pytest

from tests.first_spike.oracle import adversarial_batches, reference_first_spike
from tests.first_spike.sparse import KINDS, PARAMETERS, alone_product, alone_times, parameters, sparse
from ttfs_pynn.first_spike import (
    Rows,
    first_spike_times,
    rows_first_spike_times,
    rows_vector_jacobian_product,
    vector_jacobian_product,
)
from ttfs_pynn.membrane import threads
from ttfs_pynn.neuron import LIFParameters


@pytest.mark.parametrize("spikes", [None, 4])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("delays", KINDS)
@pytest.mark.parametrize("kind", PARAMETERS)
def test_times_are_those_of_every_neuron_alone(kind, delays, ties, spikes):
    t, w, rows, rng = sparse(1, delays=delays, ties=ties, spikes=spikes)
    neuron = parameters(kind, 15, rng)
    found, expected = rows_first_spike_times(t, w, rows, neuron), alone_times(t, w, rows, neuron)
    spiking = np.isfinite(expected)
    assert spiking.sum() > 100 and (~spiking).sum() > 50
    np.testing.assert_array_equal(np.isfinite(found), spiking)
    # sums in another order; a flat crossing amplifies their rounding
    assert np.abs(found[spiking] - expected[spiking]).max() < 1e-9
    assert np.median(np.abs(found[spiking] - expected[spiking])) < 1e-13


@pytest.mark.parametrize("max_dw", [np.inf, 0.05])
@pytest.mark.parametrize("spikes", [None, 4])
@pytest.mark.parametrize("delays", KINDS)
@pytest.mark.parametrize("kind", PARAMETERS)
def test_product_is_that_of_every_neuron_alone(kind, delays, spikes, max_dw):
    t, w, rows, rng = sparse(2, delays=delays, spikes=spikes)
    neuron = parameters(kind, 15, rng)
    t_out = rows_first_spike_times(t, w, rows, neuron)
    t_out[3] += rng.normal(0, 1, 15)  # recorded elsewhere: not where the model would spike
    error = rng.normal(size=t_out.shape) * (rng.random(t_out.shape) < 0.8) / 20
    found = rows_vector_jacobian_product(t, w, rows, t_out, error, neuron, max_dw)
    expected = alone_product(t, w, rows, t_out, error, neuron, max_dw)
    assert found[3] == expected[3] and (found[3] > 5) == (max_dw < 1)
    for one, other in zip(found[:3], expected[:3], strict=True):
        assert one.shape == other.shape and (not other.size or (other != 0).mean() > 0.1)
        # v' is a difference: where it is small, rounding of its terms is more of it
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-9 * np.abs(other).max(initial=1.0))


@pytest.mark.parametrize("kind", PARAMETERS)
def test_all_to_all_is_the_dense_layer(kind):
    rng = np.random.default_rng(3)
    t, w, neuron = rng.uniform(0, 25, (40, 30)), rng.normal(0.4, 1.0, (30, 12)), parameters(kind, 12, rng)
    t[rng.random(t.shape) < 0.5] = np.inf
    rows = Rows(np.arange(13) * 30, np.tile(np.arange(30), 12), np.empty(0))
    found, expected = rows_first_spike_times(t, w.T.ravel(), rows, neuron), first_spike_times(t, w, neuron)
    assert 100 < np.isfinite(expected).sum() < 450
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    error = rng.normal(size=expected.shape) / 10
    dw, dt, _, dropped = rows_vector_jacobian_product(t, w.T.ravel(), rows, expected, error, neuron, 0.05)
    want_w, want_t, want_dropped = vector_jacobian_product(t, w, expected, error, neuron, 0.05)
    assert dropped == want_dropped > 10
    np.testing.assert_allclose(dw.reshape(12, 30).T, want_w, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(dt, want_t, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("delayed", [False, True])
def test_decisions_agree_with_fifty_digits(delayed):
    """Threshold grazed by 1e-9 to 1e-14, tied inputs, inputs at the crossing or one bit beside it, zero weights."""
    rng, spiking, compared = np.random.default_rng(4), 0, 0
    for t, w, tau_m in adversarial_batches(rng, 25, 4):
        for n in range(4):
            neuron = LIFParameters(tau_m=tau_m[n], tau_syn=1.0, v_rest=0.0, v_thresh=1.0)
            # of two neurons one hears nothing but the last input
            delay = np.zeros(t.size + 1) if not delayed else np.append(np.zeros(t.size), 0.5)
            rows = Rows([0, t.size, t.size + 1], np.append(np.arange(t.size), t.size - 1), delay)
            found = rows_first_spike_times(t[None], np.append(w[:, n], 0.0), rows, neuron)[0, 0]
            expected = reference_first_spike(t, w[:, n], tau_m[n], 1.0, 1.0, 1.0)
            assert np.isfinite(found) == (expected is not None), (t, w[:, n], tau_m[n])
            if expected is not None:
                assert abs(found - float(expected)) < 1e-5  # a touch moves by the square root of rounding, times tau_m
            compared += 1
            spiking += expected is not None
    assert compared == 100 and 10 < spiking < 90


@pytest.mark.parametrize("spikes", [None, 3])
@pytest.mark.parametrize("kind", ["equal", "unequal", "mixed"])
@pytest.mark.parametrize("delays", ["by column", "by synapse"])
def test_central_differences(kind, delays, spikes):
    """Step 1e-5 nA or ms of scale 1: truncation 1e-10, rounding 1e-10; samples whose neuron is flat (v' < 0.5 mV/ms) or hears an
    input at its spike amplify both and are left out of the loss."""
    t, w, rows, rng = sparse(5, n_columns=8, n_neurons=7, n_samples=20, delays=delays, spikes=spikes, each=6)
    neuron = parameters(kind, 7, rng)
    t_out, error = rows_first_spike_times(t, w, rows, neuron), np.zeros((20, 7))
    for sample, n in zip(*np.nonzero(np.isfinite(t_out)), strict=True):
        part = slice(rows.start[n], rows.start[n + 1])
        arrivals = t[sample].reshape(8, -1)[rows.column[part]] + rows.delay[part, None]
        causal = (arrivals < t_out[sample, n]) * neuron.one(n).kernel_derivative(t_out[sample, n] - np.minimum(arrivals, 1e3))
        if (w[part, None] * causal).sum() > 0.5 and np.abs(arrivals - t_out[sample, n]).min() > 0.01:
            error[sample, n] = rng.normal()
    assert (error != 0).sum() > 40

    def loss(t, w, delay):
        out = rows_first_spike_times(t, w, Rows(rows.start, rows.column, delay), neuron)
        return np.sum(error[error != 0] * out[error != 0])

    dw, dt, dd, _ = rows_vector_jacobian_product(t, w, rows, t_out, error, neuron)
    finite = np.isfinite(t)
    for k, found in ((1, dw), (0, dt), (2, dd)):
        places = [p for p in np.ndindex(*found.shape) if k or finite[p]]
        if k == 2 and delays == "by column":
            continue  # differences of one synapse alone leave the loops that this is a test of
        numeric = []
        for place in places:
            values = []
            for sign in (1, -1):
                given = [t.copy(), w.copy(), rows.delay.copy()]
                given[k][place] += sign * 1e-5
                values.append(loss(*given))
            numeric.append((values[0] - values[1]) / 2e-5)
        analytic = np.array([found[p] for p in places])
        assert (analytic != 0).mean() > 1 / 3
        assert np.abs(analytic - numeric).max() <= 1e-5 * np.abs(analytic).max()


@pytest.mark.parametrize("gap", [60.0, 1e3, 7.46e3, 1e6, 1e10])
@pytest.mark.parametrize("ratio", [0.01, 0.5, 1.0, 1.0 + 1e-9, 3.0, 100.0, np.inf])
def test_a_spike_before_a_long_gap(gap, ratio):
    """Also of a neuron that hears nothing after the gap, nor before it."""
    neuron = LIFParameters(tau_m=10.0 * ratio)
    w = 9.0 / min(ratio, 1.0)
    alone = first_spike_times([[0.0]], [[w]], neuron)[0, 0]
    assert 0 < alone < 10
    for delay in (np.empty(0), np.array([0.0, 0.0, 0.0, 0.5])):
        rows = Rows([0, 2, 3, 4], [0, 1, 0, 1], delay)
        found = rows_first_spike_times([[0.0, gap]], np.full(4, w), rows, neuron)
        late = gap + delay[3:].sum()
        np.testing.assert_allclose(found[0, :2], alone, rtol=1e-14)
        np.testing.assert_allclose(found[0, 2] - late, alone, atol=4 * np.spacing(gap + alone))


@pytest.mark.parametrize("kind", ["equal", "unequal", "short", "no leak"])
def test_inputs_over_many_time_constants(kind):
    """The sums are carried from frame to frame, 6 time constants each; weights are low, so that many add up to a spike."""
    rng = np.random.default_rng(6)
    t, neuron = np.sort(rng.uniform(0, 600, (20, 200)), axis=1), parameters(kind, 9, rng)
    column = np.concatenate([rng.choice(200, 70, replace=False) for _ in range(9)])
    size = {"equal": 0.6, "unequal": 0.35, "short": 1.2, "no leak": 0.3}[kind]
    rows, w = Rows(np.arange(10) * 70, column, np.empty(0)), rng.normal(0.0 if kind == "no leak" else size / 2, size, column.size)
    found, expected = rows_first_spike_times(t, w, rows, neuron), alone_times(t, w, rows, neuron)
    late = (expected > 100) & np.isfinite(expected)
    assert late.sum() > 20 and np.isinf(expected).sum() > 5
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("delays", KINDS)
def test_same_bits_for_any_number_of_threads(monkeypatch, delays):
    t, w, rows, rng = sparse(7, n_samples=50, delays=delays)
    neuron, error = parameters("equal", 15, rng), rng.normal(size=(50, 15))

    def both():
        t_out = rows_first_spike_times(t, w, rows, neuron)
        return t_out, *rows_vector_jacobian_product(t, w, rows, t_out, error, neuron, 1.0)

    expected = both()
    assert np.isfinite(expected[0]).sum() > 100
    monkeypatch.setattr(threads, "PARALLEL_FROM", 0)
    for count in {1, numba.config.NUMBA_NUM_THREADS}:
        numba.set_num_threads(count)
        for one, other in zip(both(), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_silent_and_empty():
    rows, neuron = Rows([0, 2, 2, 3], [0, 1, 1], np.empty(0)), LIFParameters()
    t_out = rows_first_spike_times(np.full((2, 3), np.inf), np.ones(3), rows, neuron)
    assert t_out.shape == (2, 3) and np.isinf(t_out).all()
    dw, dt, dd, dropped = rows_vector_jacobian_product(np.full((2, 3), np.inf), np.ones(3), rows, t_out, np.ones((2, 3)), neuron)
    assert dw.shape == (3,) and dt.shape == (2, 3) and dd.shape == (0,) and dropped == 0 and not dw.any() and not dt.any()
    for t in (np.empty((0, 3)), np.empty((2, 3, 0)), np.empty((0, 3, 2))):
        out = rows_first_spike_times(t, np.ones(3), rows, neuron)
        assert out.shape == (len(t), 3) and np.isinf(out).all()
        assert rows_vector_jacobian_product(t, np.ones(3), rows, out, np.ones_like(out), neuron)[1].shape == t.shape
    nobody = Rows([0], np.empty(0, dtype=int), np.empty(0))
    assert rows_first_spike_times(np.ones((2, 3)), np.empty(0), nobody, neuron).shape == (2, 0)


def test_an_input_at_the_crossing_is_no_cause():
    neuron = LIFParameters(tau_m=20.0)
    crossing = first_spike_times([[0.0]], [[9.0]], neuron)[0, 0]
    rows = Rows([0, 2], [0, 1], np.empty(0))
    t = [[0.0, crossing]]
    found = rows_first_spike_times([[0.0, np.nextafter(crossing, np.inf)]], [9.0, -50.0], rows, neuron)
    np.testing.assert_allclose(found, crossing, rtol=1e-15)
    dw, dt, _, _ = rows_vector_jacobian_product(t, [9.0, -50.0], rows, [[crossing]], [[1.0]], neuron)
    assert dw[0] < 0 and dw[1] == 0 and dt[0, 1] == 0


def test_arguments_are_not_changed():
    t, w, rows, rng = sparse(8, delays="by synapse")
    copies = t.copy(), w.copy(), *(a.copy() for a in rows)
    t_out = rows_first_spike_times(t, w, rows, LIFParameters())
    rows_vector_jacobian_product(t, w, rows, t_out, np.ones_like(t_out), LIFParameters())
    for one, other in zip((t, w, *rows), copies, strict=True):
        np.testing.assert_array_equal(one, other)


GOOD = dict(start=[0, 2, 3], column=[0, 1, 1], delay=np.empty(0))


@pytest.mark.parametrize("t_in, w, change, text", [
    (np.zeros(3), np.ones(3), {}, "t_in has shape \\(3,\\); expected"),
    (np.full((2, 3), np.nan), np.ones(3), {}, "t_in holds nan"),
    (np.full((2, 3), -np.inf), np.ones(3), {}, "-inf"),
    (np.zeros((2, 3)), np.ones(2), {}, "w \\(2,\\)"),
    (np.zeros((2, 3)), np.full(3, np.inf), {}, "w holds 3 values"),
    (np.zeros((2, 3)), np.ones(3), dict(start=[0, 2]), "rows.start"),
    (np.zeros((2, 3)), np.ones(3), dict(start=[0, 4, 3]), "do not fall"),
    (np.zeros((2, 3)), np.ones(3), dict(start=[1, 2, 3]), "begin at 0"),
    (np.zeros((2, 3)), np.ones(3), dict(start=[]), "rows.start"),
    (np.zeros((2, 3)), np.ones(3), dict(column=[0, 1, 3]), "rows.column holds 3; there are columns 0 to 2"),
    (np.zeros((2, 3)), np.ones(3), dict(column=[0, -1, 2]), "rows.column holds -1"),
    (np.zeros((2, 3)), np.ones(3), dict(column=[0.0, 1.5, 2.0]), "give integers"),
    (np.zeros((2, 3)), np.ones(3), dict(delay=[1.0]), "rows.delay \\(1,\\)"),
    (np.zeros((2, 3)), np.ones(3), dict(delay=[1.0, -1.0, 0.0]), "not negative"),
    (np.zeros((2, 3)), np.ones(3), dict(delay=[1.0, np.nan, 0.0]), "finite"),
])
def test_bad_input(t_in, w, change, text):
    with pytest.raises(ValueError, match=text) as error:
        rows_first_spike_times(t_in, w, Rows(**GOOD | change), LIFParameters())
    assert "\n" not in str(error.value)


def test_bad_outputs():
    t, w, rows = np.zeros((2, 3)), np.ones(3), Rows(**GOOD)
    with pytest.raises(ValueError, match="t_out has shape"):
        rows_vector_jacobian_product(t, w, rows, np.ones((2, 3)), np.ones((2, 2)), LIFParameters())
    with pytest.raises(ValueError, match="error holds nan"):
        rows_vector_jacobian_product(t, w, rows, np.ones((2, 2)), np.full((2, 2), np.nan), LIFParameters())
    with pytest.raises(ValueError, match="do not fit 2 neurons"):
        rows_first_spike_times(t, w, rows, LIFParameters(tau_m=[1.0, 2.0, 3.0]))
