"""First spikes and their derivatives where inputs and spikes are up to 1e9 time constants apart, and numbers that overflow."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from benchmarks import long_gaps
from ttfs_pynn.first_spike import (
    delayed_first_spike_times,
    delayed_vector_jacobian_product,
    first_spike_derivatives,
    first_spike_times,
    layer_backward,
    membrane_peaks,
    vector_jacobian_product,
)
from ttfs_pynn.first_spike.solver import first_spike_time
from ttfs_pynn.neuron import LIFParameters

NEURON = LIFParameters()  # 10 ms, 1 nF, 15 mV


def by_every_function(t, w, neuron):
    """First-spike times of a layer by the loops for equal constants, for unequal ones, and for delays: (3, samples, neurons)."""
    t, w = np.asarray(t, dtype=float), np.asarray(w, dtype=float)
    n = w.shape[1]
    two = LIFParameters(tau_m=np.r_[np.full(n, neuron.tau_m), 3.0], tau_syn=np.r_[np.full(n, neuron.tau_syn), 5.0])
    return (first_spike_times(t, w, neuron), first_spike_times(t, np.c_[w, w[:, :1]], two)[:, :n],
            delayed_first_spike_times(t, w, np.zeros(w.shape), neuron))


@pytest.mark.parametrize("gap", [1e3, 7e3, 7.44e3, 7.46e3, 1e4, 1e6, 1e10])
@pytest.mark.parametrize("ratio", [0.01, 0.5, 1.0, 1.0 + 1e-9, 3.0, 100.0, np.inf])
def test_a_spike_before_a_long_gap(gap, ratio):
    neuron = LIFParameters(tau_m=10.0 * ratio)
    w = np.array([[9.0], [9.0]]) / min(ratio, 1.0)
    (alone,) = first_spike_times([[0.0]], w[:1], neuron)[0]
    assert 0 < alone < 10
    for found in by_every_function([[0.0, gap]], w, neuron):
        np.testing.assert_allclose(found, [[alone]], rtol=1e-14)


def test_the_limit_without_leak_is_not_reached_before_a_gap_either():
    neuron = LIFParameters(tau_m=np.inf)
    w = np.array([[1.5, 1.5, np.nextafter(1.5, 2), np.nextafter(1.5, 2), 1.5], [-1.0, 0.0, -1.0, 0.0, 1e-3]])
    limit = 10 * np.log(1.5 / (np.nextafter(1.5, 2) - 1.5))
    for found in by_every_function([[0.0, 1e6]], w, neuron):
        np.testing.assert_allclose(found[0, :4], [np.inf, np.inf, limit, limit], rtol=1e-12)
        assert 1e6 <= found[0, 4] < 1e6 + 1e-9  # at 15 mV to the last bit, and then any input does


def test_without_leak_a_limit_above_threshold_by_rounding_is_a_spike():
    """Decided in fractions: the limit of the membrane is 10 ms times the sum of weights, threshold 15 mV."""
    rng, neuron = np.random.default_rng(1), LIFParameters(tau_m=np.inf)
    t, w = rng.uniform(0, 20, (1, 6)), rng.normal(0.4, 1.0, (6, 4000))
    w = w[:, w.sum(axis=0) > 0.1]
    w = w * 1.5 / w.sum(axis=0) * (1 + rng.integers(-4, 5, w.shape[1]) * 2.0**-52)
    above = np.array([10 * sum(map(Fraction, column)) > 15 for column in w.T])
    for found in by_every_function(t, w, neuron):
        late = ~(found[0] < t.max())
        assert late.sum() > 2000 and 0.3 < above[late].mean() < 0.7
        np.testing.assert_array_equal(np.isfinite(found[0, late]), above[late])
        assert (found[0, late & above] < 1000).all()


def exact_derivatives(t, w, t_out, tau_m, tau_syn):
    """(dT/dw, dT/dt) in 60 digits, cm = 1."""
    with mp.workdps(60):
        rate_m, rate_s = mp.mpf(0) if np.isinf(tau_m) else 1 / mp.mpf(tau_m), 1 / mp.mpf(tau_syn)
        k, slope = [], []
        for each in t:
            s = mp.mpf(float(t_out)) - mp.mpf(float(each))
            e = mp.exp(-rate_s * s)
            k.append(s * e if rate_m == rate_s else (mp.exp(-rate_m * s) - e) / (rate_s - rate_m))
            slope.append(e - rate_m * k[-1])
        rise = sum(mp.mpf(float(a)) * b for a, b in zip(w, slope, strict=True))
        assert rise > 0
        return (np.array([float(-a / rise) for a in k]),
                np.array([float(mp.mpf(float(a)) * b / rise) for a, b in zip(w, slope, strict=True)]))


@pytest.mark.parametrize("late", [1.0, 100.0, 3000.0, 7200.0, 7400.0, 1e4, 1e6, 1e9])
@pytest.mark.parametrize("tau_m", [1.0, 10.0, 10.0 * (1 + 1e-9), 35.0, 1000.0])
@pytest.mark.parametrize("between", [3.0, 4e3])
def test_derivatives_of_a_spike_long_after_its_inputs(late, tau_m, between):
    """A recorded spike may be there by noise. The membrane rises from inhibition: quotients of what decays to 0 are finite."""
    neuron, t, w = LIFParameters(tau_m=tau_m), np.array([[0.0, between]]), np.array([[0.3], [-2.0]])
    t_out = np.array([[between + 100.0 + late]])
    expected_w, expected_t = exact_derivatives(t[0], w[:, 0], t_out[0, 0], neuron.tau_m, neuron.tau_syn)
    assert layer_backward.applies(t, 10.0, 10.0) == (between < 100)
    dt_dw, dt_dt = first_spike_derivatives(t, w, t_out, neuron)
    found = [(dt_dw[0, :, 0], dt_dt[0, :, 0])]
    for result in (vector_jacobian_product(t, w, t_out, [[1.0]], neuron),
                   delayed_vector_jacobian_product(t, w, np.zeros((2, 1)), t_out, [[1.0]], neuron),
                   delayed_vector_jacobian_product(t, w, np.zeros((2, 1)), t_out, [[1.0]], neuron, max_dw=1e30)):
        found.append((result[0][:, 0], result[1][0]))
    for dw, dt in found:
        # 1 - 1e-9 of the constants leaves 1e-7 of a difference of exponentials
        np.testing.assert_allclose(dw, expected_w, rtol=1e-6, atol=1e-12 * np.abs(expected_w).max())
        np.testing.assert_allclose(dt, expected_t, rtol=1e-6, atol=1e-12 * np.abs(expected_t).max())
    small = 0.5 * np.abs(expected_w).max()
    assert vector_jacobian_product(t, w, t_out, [[1.0]], neuron, small)[2] == 1
    assert vector_jacobian_product(t, w, t_out, [[1.0]], neuron, 3 * small)[2] == 0


@pytest.mark.parametrize("tau_m", [1.0, 10.0, 35.0, np.inf])
@pytest.mark.parametrize("weight", [1.0, -1.0, 1e-310, 0.0])
def test_derivatives_are_numbers_however_late(tau_m, weight):
    neuron = LIFParameters(tau_m=tau_m)
    for between in (1.0, 1e5):
        for late in 10.0 ** np.arange(-3, 12, 0.25):
            arguments = [[0.0, between]], [[weight], [0.1 * weight]], [[between + late]]
            for result in (first_spike_derivatives(*arguments, neuron), vector_jacobian_product(*arguments, [[1.0]], neuron)[:2],
                           vector_jacobian_product(*arguments, [[1.0]], neuron, 1.0)[:2]):
                assert all(np.isfinite(part).all() for part in result), (between, late, result)


def test_peaks_before_a_long_gap():
    for tau_m in (1.0, 10.0, 35.0):
        neuron, alone = LIFParameters(tau_m=tau_m), membrane_peaks([[0.0]], [[1.0]], LIFParameters(tau_m=tau_m))
        for gap in (7.4e3, 1e4, 1e10):
            np.testing.assert_allclose(membrane_peaks([[0.0, gap]], [[1.0], [0.5]], neuron), alone, rtol=1e-14)


@pytest.mark.parametrize("t, w, text", [
    ([[-9e307, 9.1e307]], [[1.0], [1.0]], "t_in holds -9e\\+307; give times in ms of at most 1e\\+100"),
    ([[0.0, 1e308]], [[1.0], [1.0]], "t_in holds 1e\\+308"), ([[0.0, np.nan]], [[1.0], [1.0]], "t_in holds nan"),
    ([[0.0, 1.0]], [[1e308], [1e308]], "w holds 2 values that are not finite or too large, such as 1e\\+308"),
    ([[0.0, 1.0]], [[-1e101], [1.0]], "w holds 1 values")])
def test_numbers_that_overflow_are_refused(t, w, text):
    """A difference of times that is inf gave a place outside of an array, and ended Python."""
    for call in (lambda: first_spike_times(t, w, NEURON), lambda: membrane_peaks(t, w, NEURON),
                 lambda: delayed_first_spike_times(t, w, np.zeros((2, 1)), NEURON),
                 lambda: vector_jacobian_product(t, w, [[1.0]], [[1.0]], NEURON)):
        with pytest.raises(ValueError, match=text):
            call()


@pytest.mark.parametrize("change, text", [(dict(tau_m=1e-309), "tau_m = 1e-309"), (dict(tau_syn=1e-309), "tau_syn = 1e-309"),
                                          (dict(cm=1e-310), "cm = 1e-310"),
                                          (dict(v_thresh=1e200), "v_thresh - v_rest = 1e\\+200"),
                                          (dict(tau_m=1e200), "tau_m = 1e\\+200")])
def test_constants_that_overflow_are_refused(change, text):
    with pytest.raises(ValueError, match=f"{text} is out of range"):
        first_spike_times([[0.0]], [[1.0]], LIFParameters(**change))


def test_what_is_in_range_is_computed():
    for tau_m, tau_syn in ((1e100, 1e-100), (1e-100, 1e100), (1e100, 1e100), (np.inf, 1e-100), (1e-100, 1e-100)):
        neuron = LIFParameters(tau_m=tau_m, tau_syn=tau_syn)
        t, w = [[1e100, -1e100, 0.0, 5.0]], [[1e100], [-1e100], [1e100], [1e-320]]
        found = first_spike_times(t, w, neuron)
        assert not np.isnan(found).any()
        for result in vector_jacobian_product(t, w, [[1e99]], [[1.0]], neuron)[:2]:
            assert not np.isnan(result).any()


def test_the_plain_solver_on_sparse_input():
    rng, spikes = np.random.default_rng(0), 0
    for _ in range(10):
        p = long_gaps.random_parameters(rng, 12, True)
        neuron = LIFParameters(**{name: p[name] for name in ("tau_m", "cm", "v_rest", "v_thresh")}, tau_syn=p["tau_syn_E"])
        t, _ = long_gaps.random_times(rng, 8, p["tau_syn_E"].max())
        w = long_gaps.random_weights(rng, (8, 12)) * long_gaps.scale_of(p)
        expected = [first_spike_time(t, w[:, n], neuron.one(n)) for n in range(12)]
        spikes += np.isfinite(expected).sum()
        # rounding of the largest time, and of a flat crossing
        found = first_spike_times(t[None], w, neuron)[0]
        np.testing.assert_allclose(found, expected, rtol=4e-16, atol=1e-8 * p["tau_syn_E"].max())
    assert 50 < spikes < 120
