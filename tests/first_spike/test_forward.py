import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data import first_spike_reference
from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.first_spike.closed_form import equal_time_constants, no_leak, twice_tau_syn
from ttfs_pynn.first_spike.solver import first_spike_time
from ttfs_pynn.membrane import threads
from ttfs_pynn.neuron import LIFParameters


@pytest.mark.parametrize("ratio", [1, 2])
def test_reference_times(ratio):
    """The authors' cases, solved by bracketing in float64: they hold to about 1e-10 tau_syn."""
    data, neuron = first_spike_reference(ratio)
    found = np.stack([first_spike_times(t[None], w, neuron)[0] for t, w in zip(data["t_in"], data["w"], strict=True)])
    expected = data["t_out_exact"]
    spiking = np.isfinite(expected)
    assert spiking.sum() > 400 and (~spiking).sum() > 50
    np.testing.assert_array_equal(np.isfinite(found), spiking)
    assert np.abs(found[spiking] - expected[spiking]).max() <= 1e-9


def random_layer(seed, n_samples=40, n_inputs=12, n_neurons=9):
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 30, (n_samples, n_inputs))
    t[rng.random(t.shape) < 0.1] = np.inf
    return t, rng.normal(1.0, 1.5, (n_inputs, n_neurons))


@pytest.mark.parametrize("ratio", [0.3, 0.5, 1.0, 1 + 1e-9, 2.0, 7.0, 100.0, np.inf])
def test_compiled_and_readable_solver_agree(ratio):
    neuron = LIFParameters(tau_m=10.0 * ratio, tau_syn=10.0)
    t, w = random_layer(1)
    found = first_spike_times(t, w, neuron)
    plain = np.array([[first_spike_time(ti, wn, neuron) for wn in w.T] for ti in t])
    spiking = np.isfinite(plain)
    assert 50 < spiking.sum() < plain.size - 10
    np.testing.assert_array_equal(np.isfinite(found), spiking)
    # brentq stops at 1e-15 relative; sums of 12 terms differ in rounding; a flat crossing amplifies both.
    assert np.abs(found[spiking] - plain[spiking]).max() < 1e-10


@pytest.mark.parametrize("ratio, closed_form", [(1.0, equal_time_constants), (2.0, twice_tau_syn), (np.inf, no_leak)])
def test_closed_forms_agree_with_solver(ratio, closed_form):
    """To 1e-12 tau_syn, for neurons that do not graze threshold (there the forms themselves lose digits as sqrt)."""
    neuron = LIFParameters(tau_m=10.0 * ratio, tau_syn=10.0)
    t, w = random_layer(2, n_samples=80)
    found = first_spike_times(t, w, neuron)
    compared = 0
    for sample, n in zip(*np.nonzero(np.isfinite(found)), strict=True):
        causal = t[sample] < found[sample, n]
        times, weights = t[sample, causal], w[causal, n]
        slope = np.sum(weights * neuron.kernel_derivative(found[sample, n] - times))
        if slope < 0.05:
            continue
        compared += 1
        assert abs(closed_form(times, weights, 10.0, neuron.cm, neuron.threshold) - found[sample, n]) <= 1e-11
    assert compared > 300


@pytest.mark.parametrize("shift", [-1e7, -50.0, 1e7])
def test_time_shift_changes_nothing_but_rounding(shift):
    """A shift by 10^6 tau_syn: the inputs are rounded to 2e-9 ms there, and only that may show."""
    t, w = random_layer(3)
    shifted = t + shift
    back = shifted - shift
    neuron = LIFParameters(tau_m=20.0)
    expected, found = first_spike_times(back, w, neuron), first_spike_times(shifted, w, neuron)
    spiking = np.isfinite(expected)
    assert spiking.sum() > 50
    np.testing.assert_array_equal(np.isfinite(found), spiking)
    assert np.abs(found[spiking] - shift - expected[spiking]).max() <= 4 * np.spacing(abs(shift) + 60)


def test_neurons_with_different_parameters():
    rng = np.random.default_rng(4)
    t, w = random_layer(4)
    tau_m, tau_syn = rng.uniform(5, 30, 9), rng.uniform(5, 15, 9)
    cm, v_thresh = rng.uniform(0.5, 2, 9), rng.uniform(-55, -45, 9)
    together = first_spike_times(t, w, LIFParameters(tau_m=tau_m, tau_syn=tau_syn, cm=cm, v_thresh=v_thresh))
    alone = np.concatenate([first_spike_times(t, w[:, n:n + 1], LIFParameters(tau_m=tau_m[n], tau_syn=tau_syn[n], cm=cm[n],
                                                                              v_thresh=v_thresh[n])) for n in range(9)], axis=1)
    assert np.isfinite(alone).sum() > 50
    # together they are computed by the loop for mixed time constants, alone by the one for layers: sums are ordered otherwise
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_same_bits_with_threads(monkeypatch):
    t, w = random_layer(6)
    expected = first_spike_times(t, w, LIFParameters())
    monkeypatch.setattr(threads, "PARALLEL_FROM", 0)
    assert np.isfinite(expected).sum() > 50
    np.testing.assert_array_equal(first_spike_times(t, w, LIFParameters()), expected)


def test_silent_and_empty():
    neuron = LIFParameters()
    assert np.isinf(first_spike_times(np.full((2, 3), np.inf), np.ones((3, 4)), neuron)).all()
    assert np.isinf(first_spike_times(np.zeros((2, 3)), np.zeros((3, 4)), neuron)).all()
    assert first_spike_times(np.empty((0, 3)), np.ones((3, 4)), neuron).shape == (0, 4)
    assert first_spike_times(np.empty((2, 0)), np.ones((0, 4)), neuron).shape == (2, 4)


def test_arguments_are_not_changed():
    t, w = random_layer(5)
    t_before, w_before = t.copy(), w.copy()
    first_spike_times(t, w, LIFParameters())
    np.testing.assert_array_equal(t, t_before)
    np.testing.assert_array_equal(w, w_before)


@pytest.mark.parametrize("t_in, w, text", [
    (np.zeros((2, 3)), np.zeros((4, 5)), "shape"),
    (np.zeros(3), np.zeros((3, 5)), "shape"),
    (np.full((2, 3), np.nan), np.zeros((3, 5)), "holds nan"),
    (np.full((2, 3), -np.inf), np.zeros((3, 5)), "-inf"),
    (np.zeros((2, 3)), np.full((3, 5), np.inf), "finite"),
])
def test_bad_input(t_in, w, text):
    with pytest.raises(ValueError, match=text):
        first_spike_times(t_in, w, LIFParameters())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), st.floats(-6, 6)), min_size=1, max_size=8), st.floats(0.1, 50))
def test_membrane_is_below_threshold_until_the_spike_and_at_it_there(inputs, ratio):
    t, w = np.array(inputs).T
    neuron = LIFParameters(tau_m=ratio, tau_syn=1.0, v_rest=0.0, v_thresh=1.0)
    spike = first_spike_times(t[None], w[:, None], neuron)[0, 0]
    last = spike if np.isfinite(spike) else t.max() + 30 * max(1, ratio)
    grid = np.linspace(0, last, 400, endpoint=False)
    v = (w * neuron.kernel(grid[:, None] - t)).sum(axis=1)
    assert v.max() < 1 + 1e-12
    if np.isfinite(spike):
        # 8 weights of up to 6 and a kernel below 1: rounding of v is below 1e-13.
        assert abs((w * neuron.kernel(spike - t)).sum() - 1) < 1e-13
