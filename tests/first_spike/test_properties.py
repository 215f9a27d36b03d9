"""What holds for every neuron, whatever its inputs: symmetries, bounds and sums of derivatives; found by hypothesis."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.first_spike.oracle import RATIOS
from ttfs_pynn.first_spike import first_spike_derivatives, first_spike_times, kernels, vector_jacobian_product
from ttfs_pynn.neuron import LIFParameters

# (time, weight) of each input: tau_syn = cm = threshold = 1. Times of a grid too, such that several inputs coincide.
TIMES = st.one_of(st.floats(0, 6), st.integers(0, 6).map(float))
INPUTS = st.lists(st.tuples(TIMES, st.floats(-6, 6)), min_size=1, max_size=9)
RATIO = st.sampled_from(RATIOS)
quick = settings(max_examples=60, deadline=None)


def neuron_of(ratio, scale=1.0, thr=1.0, cm=1.0):
    return LIFParameters(tau_m=ratio * scale, tau_syn=scale, cm=cm, v_rest=0.0, v_thresh=thr)


def by_layer(t, w, neuron):
    """The loop for neurons of equal time constants."""
    return first_spike_times(np.atleast_2d(t), w.reshape(w.shape[0], -1), neuron)


def by_neuron(t, w, neuron):
    """The loop for any."""
    t, w = np.atleast_2d(t), w.reshape(w.shape[0], -1)
    out = np.empty((len(t), w.shape[1]))
    kernels._times_serial(t, w, *neuron.columns(w.shape[1]), False, out)
    return out


@pytest.fixture(params=[by_layer, by_neuron], scope="module")
def solve(request):
    return request.param


def assert_same_spike(found, expected, t, w, neuron):
    """Both silent, or as near as rounding of v by 1e-13 allows, which a crossing divides by its slope, a touch by a root."""
    assert np.isfinite(found) == np.isfinite(expected)
    if np.isfinite(found):
        causal = t < expected
        slope = (w[causal] * neuron.kernel_derivative(expected - t[causal])).sum()
        assert abs(found - expected) < 1e-6 or abs(found - expected) * slope < 1e-12
        if slope > 1e-3:
            assert abs(found - expected) < 1e-9


@given(INPUTS, RATIO, st.sampled_from([2.0 ** -40, 0.25, 8.0, 2.0 ** 30]))
@quick
def test_units_of_time_and_of_weight_do_not_matter(solve, inputs, ratio, unit):
    """Powers of two are exact, so the bits are the same: in another unit of time, of weight and threshold, of weight and cm."""
    t, w = np.array(inputs).T
    expected = solve(t, w, neuron_of(ratio))
    np.testing.assert_array_equal(solve(t * unit, w, neuron_of(ratio, unit, cm=unit)), expected * unit)
    np.testing.assert_array_equal(solve(t, w * unit, neuron_of(ratio, thr=unit)), expected)
    np.testing.assert_array_equal(solve(t, w * unit, neuron_of(ratio, cm=unit)), expected)


@given(INPUTS, RATIO, st.integers(-40, 40))
@quick
def test_a_shift_in_time_moves_the_spike(solve, inputs, ratio, shift):
    """Times rounded to 2^-30, which stay exact when shifted: only rounding of the result is left."""
    t, w = np.array(inputs).T
    t = np.round(t * 2.0 ** 30) / 2.0 ** 30
    found, expected = solve(t + shift, w, neuron_of(ratio))[0, 0], solve(t, w, neuron_of(ratio))[0, 0]
    assert_same_spike(found - shift, expected, t, w, neuron_of(ratio))


@given(INPUTS, RATIO, st.randoms(use_true_random=False))
@quick
def test_the_order_of_inputs_and_neurons_does_not_matter(solve, inputs, ratio, random):
    t, w = np.array(inputs).T
    order = list(range(len(t)))
    random.shuffle(order)
    neuron = neuron_of(ratio)
    assert_same_spike(solve(t[order], w[order], neuron)[0, 0], solve(t, w, neuron)[0, 0], t, w, neuron)
    both = np.stack([w, -w, 2 * w], axis=1)
    np.testing.assert_array_equal(solve(t, both[:, ::-1], neuron)[:, ::-1], solve(t, both, neuron))


@given(INPUTS, RATIO, st.integers(0, 8))
@quick
def test_an_input_may_be_split_and_nothing_may_be_added(solve, inputs, ratio, which):
    """In two halves at the same time; an input of weight 0, or that is silent, or comes when all is over, adds nothing."""
    t, w = np.array(inputs).T
    neuron, which = neuron_of(ratio), which % len(t)
    expected = solve(t, w, neuron)[0, 0]
    halves = w.copy()
    halves[which] /= 2
    assert_same_spike(solve(np.append(t, t[which]), np.append(halves, halves[which]), neuron)[0, 0], expected, t, w, neuron)
    for time, weight in ((t[which], 0.0), (np.inf, 5.0), (0.5, 0.0)):
        assert_same_spike(solve(np.append(t, time), np.append(w, weight), neuron)[0, 0], expected, t, w, neuron)
    if np.isfinite(expected):
        assert_same_spike(solve(np.append(t, expected + 1e-6), np.append(w, -7.0), neuron)[0, 0], expected, t, w, neuron)


@given(INPUTS, RATIO, st.integers(0, 8), st.floats(0, 3))
@quick
def test_more_weight_or_less_threshold_never_delays(solve, inputs, ratio, which, more):
    t, w = np.array(inputs).T
    neuron, raised = neuron_of(ratio), w.copy()
    raised[which % len(t)] += more
    expected = solve(t, w, neuron)[0, 0]
    for found in (solve(t, raised, neuron)[0, 0], solve(t, w, neuron_of(ratio, thr=1 / (1 + more)))[0, 0]):
        assert found <= expected + 1e-12 * expected if np.isfinite(expected) else found <= expected


@given(INPUTS, RATIO)
@quick
def test_sums_of_derivatives(inputs, ratio):
    """A shift of all inputs shifts T: sum_i dT/dt_i = 1. Weights and threshold have one unit, and v(T) is the threshold:
    sum_i w_i dT/dw_i = -thr/v'(T)."""
    t, w = np.array(inputs).T
    neuron = neuron_of(ratio)
    spike = first_spike_times(t[None], w[:, None], neuron)[0, 0]
    causal = t < spike
    slope = (w[causal] * neuron.kernel_derivative(spike - t[causal])).sum() if np.isfinite(spike) else 0.0
    assume(slope > 1e-2)
    dw, dt = (array[0, :, 0] for array in first_spike_derivatives(t[None], w[:, None], np.array([[spike]]), neuron))
    # Sums of at most nine terms below 6, over the slope.
    assert abs(dt.sum() - 1) < 1e-12 / slope
    assert abs((w * dw).sum() + 1 / slope) < 1e-11 / slope ** 2
    assert (dw[~causal] == 0).all() and (dt[~causal] == 0).all() and (dw <= 0).all()


@given(INPUTS, RATIO, st.floats(-4, 4), st.sampled_from([-8.0, 0.5]))
@quick
def test_the_error_goes_back_linearly(inputs, ratio, error, factor):
    t, w = np.array(inputs).T
    neuron, both = neuron_of(ratio), np.stack([w, 1.5 * w], axis=1)
    t_out = first_spike_times(t[None], both, neuron)
    errors = np.array([[error, 1.0]])
    one = vector_jacobian_product(t[None], both, t_out, errors, neuron)
    other = vector_jacobian_product(t[None], both, t_out, factor * errors, neuron)
    for a, b in zip(one[:2], other[:2], strict=True):
        np.testing.assert_allclose(b, factor * a, rtol=1e-14, atol=1e-300)
    none = vector_jacobian_product(t[None], both, t_out, 0 * errors, neuron)
    assert (none[0] == 0).all() and (none[1] == 0).all() and none[2] == 0
