import numpy as np
import pytest

from ttfs_pynn.first_spike import (
    delayed_first_spike_times,
    delayed_vector_jacobian_product,
    first_spike_times,
    vector_jacobian_product,
)
from ttfs_pynn.membrane import threads
from ttfs_pynn.neuron import LIFParameters

DELAYS = ("axonal", "dendritic", "synaptic")


def delay_shape(kind, shape):
    """Of delays of a kind for weights of `shape` (inputs, neurons)."""
    return {"axonal": (shape[0], 1), "dendritic": (1, shape[1]), "synaptic": shape}[kind]



def case(ratio=1.0, seed=8):
    rng = np.random.default_rng(seed)
    t, w = rng.uniform(0, 20, (37, 7)), rng.normal(1.5, 1.5, (7, 11))
    t[rng.random(t.shape) < 0.1] = np.inf
    return t, w, LIFParameters(tau_m=10.0 * ratio), rng


@pytest.mark.parametrize("kind", DELAYS)
@pytest.mark.parametrize("ratio", [0.5, 1.0, np.inf])
def test_a_delay_is_a_later_input(kind, ratio):
    """Each neuron alone, its inputs shifted: the same sums in another order of rounding."""
    t, w, neuron, rng = case(ratio)
    delays = rng.uniform(0, 10, delay_shape(kind, w.shape))
    whole = np.broadcast_to(delays, w.shape)
    found = delayed_first_spike_times(t, w, delays, neuron)
    expected = np.concatenate([first_spike_times(t + whole[:, n], w[:, n:n + 1], neuron) for n in range(11)], axis=1)
    assert np.isfinite(expected).sum() > 150
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_two_neurons_and_two_inputs_are_no_other_kind():
    t, w, neuron, rng = case()
    t, w, delays = t[:, :2], np.full((2, 2), 12.0), rng.uniform(0, 10, (2, 2))
    found = delayed_first_spike_times(t, w, delays, neuron)
    expected = np.concatenate([first_spike_times(t + delays[:, n], w[:, n:n + 1], neuron) for n in range(2)], axis=1)
    assert np.isfinite(expected).sum() > 50
    np.testing.assert_allclose(found, expected, atol=1e-9)
    _, _, dd, _ = delayed_vector_jacobian_product(t, w, delays, found, np.ones_like(found), neuron)
    assert dd.shape == (2, 2) and (dd != dd[:, :1]).any()


@pytest.mark.parametrize("kind", DELAYS)
def test_product_is_that_of_every_neuron_alone(kind):
    t, w, neuron, rng = case()
    delays = rng.uniform(0, 10, delay_shape(kind, w.shape))
    whole = np.broadcast_to(delays, w.shape)
    t_out = delayed_first_spike_times(t, w, delays, neuron)
    error = rng.normal(size=t_out.shape)
    alone = [vector_jacobian_product(t + whole[:, n], w[:, n:n + 1], t_out[:, n:n + 1], error[:, n:n + 1], neuron, 0.5)
             for n in range(11)]
    dw, dt_in, dd, dropped = delayed_vector_jacobian_product(t, w, delays, t_out, error, neuron, 0.5)
    assert dropped == sum(a[2] for a in alone) > 0 and dd.shape == delays.shape
    np.testing.assert_allclose(dw, np.concatenate([a[0] for a in alone], axis=1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(dt_in, sum(a[1] for a in alone), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", DELAYS)
@pytest.mark.parametrize("ratio", [0.7, 1.0, 2.0, np.inf])
def test_central_differences_of_delays(kind, ratio):
    """Step 1e-4 ms of times of some ms: truncation and rounding are both about 1e-9 where the membrane rises by 0.5 mV/ms or
    more and no input is near the spike; flatter neurons amplify both and are left out."""
    t, w, neuron, rng = case(ratio)
    delays = rng.uniform(1, 10, delay_shape(kind, w.shape))
    whole = np.broadcast_to(delays, w.shape)
    t_out = delayed_first_spike_times(t, w, delays, neuron)
    clear = np.isfinite(t_out)
    for sample, n in zip(*np.nonzero(clear), strict=True):
        arrival = t[sample] + whole[:, n]
        causal = arrival < t_out[sample, n]
        rise = np.sum(w[causal, n] * neuron.kernel_derivative(t_out[sample, n] - arrival[causal]))
        clear[sample, n] = rise > 0.5 and np.abs(arrival - t_out[sample, n]).min() > 0.01
    error = np.where(clear, rng.normal(size=t_out.shape), 0.0)
    _, _, dd, _ = delayed_vector_jacobian_product(t, w, delays, t_out, error, neuron)
    h, numeric = 1e-4, np.zeros_like(delays)
    for place in np.ndindex(*delays.shape):
        values = []
        for sign in (1, -1):
            moved = delays.copy()
            moved[place] += sign * h
            out = delayed_first_spike_times(t, w, moved, neuron)
            values.append(np.where(clear, out, 0.0))
        numeric[place] = np.sum(error * (values[0] - values[1])) / (2 * h)
    assert clear.sum() > 100
    assert np.abs(dd - numeric).max() <= 1e-5 * np.abs(numeric).max()


def test_same_bits_for_any_number_of_threads(monkeypatch):
    import numba

    t, w, neuron, rng = case()
    delays = rng.uniform(0, 10, w.shape)
    expected = delayed_first_spike_times(t, w, delays, neuron)
    monkeypatch.setattr(threads, "PARALLEL_FROM", 0)
    for number in {1, numba.config.NUMBA_NUM_THREADS}:
        numba.set_num_threads(number)
        np.testing.assert_array_equal(delayed_first_spike_times(t, w, delays, neuron), expected)


@pytest.mark.parametrize("delays, text", [(np.zeros((7, 3)), "expected \\(inputs, 1\\)"), (np.zeros(7), "expected"),
                                          (np.full((7, 11), -1.0), "not negative"), (np.full((7, 1), np.nan), "finite")])
def test_bad_delays(delays, text):
    t, w, neuron, _ = case()
    with pytest.raises(ValueError, match=text):
        delayed_first_spike_times(t, w, delays, neuron)
