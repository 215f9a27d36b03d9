"""Small layers, every path through the numerical core, against equations that are written here once more.

Quick also without compilation (NUMBA_DISABLE_JIT=1): benchmarks/mutation.py runs these tests on every mutant, one by one.
"""

from unittest import mock

import numpy as np

from tests.first_spike.oracle import adversarial_batches, reference_first_spike
from ttfs_pynn.first_spike import (
    backward_kernels,
    delay_kernels,
    delayed_first_spike_times,
    first_spike_derivatives,
    first_spike_times,
    kernels,
    layer_backward,
    layer_kernels,
    membrane_peaks,
    peak,
    unequal_kernels,
    vector_jacobian_product,
)
from ttfs_pynn.first_spike.closed_form import equal_time_constants, no_leak, twice_tau_syn
from ttfs_pynn.first_spike.solver import first_spike_time
from ttfs_pynn.membrane import threads
from ttfs_pynn.neuron import LIFParameters

RATIOS = (0.3, 1.0, 1 + 1e-9, 1.1, 2.0, np.inf)
SIZES = (1, 3, 4, 5, 9)


def response(s, ratio):
    """K and K' of tau_syn = cm = 1."""
    s, rate = np.clip(s, -1.0, 100.0), 1 / ratio
    if abs(rate - 1) < 1e-6:
        k = s * np.exp(-s * (1 + rate) / 2)
    else:
        k = (np.exp(-s * rate) - np.exp(-s)) / (1 - rate)
    return np.where(s > 0, k, 0.0), np.where(s > 0, np.exp(-s) - rate * k, 0.0)


def layer(seed, n_inputs, n_samples=4, n_neurons=5, ties=False):
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 4, (n_samples, n_inputs))
    if ties:
        t = np.round(t)
    t[rng.random(t.shape) < 0.2] = np.inf
    return t, rng.normal(1.2, 2.5, (n_inputs, n_neurons))


def neuron_of(ratio, cm=1.0):
    return LIFParameters(tau_m=ratio, tau_syn=1.0, cm=cm, v_rest=0.0, v_thresh=1.0)


def assert_first_crossing(found, t, w, ratio):
    """v is below threshold on a grid up to `found`, and at threshold there; everywhere below it where `found` is inf."""
    on = np.isfinite(t)
    end = found if np.isfinite(found) else (t[on].max() if on.any() else 0) + 40 * max(1, min(ratio, 4))
    grid = np.sort(np.append(np.linspace(0, end, 300, endpoint=False), t[t < end]))
    v = response(grid[:, None] - t[on], ratio)[0] @ w[on]
    assert v.max() < 1 + 1e-7 * (abs(ratio - 1) < 1e-6) + 1e-12
    if np.isfinite(found):
        assert abs(response(found - t[on], ratio)[0] @ w[on] - 1) < (1e-7 if abs(ratio - 1) < 1e-6 else 1e-11)


def by_neuron(t, w, neuron, one_kind):
    out = np.empty((len(t), w.shape[1]))
    kernels._times_serial(t, w, *neuron.columns(w.shape[1]), one_kind, out)
    return out


def test_times():
    spikes = silent = 0
    for ratio in RATIOS:
        for n_inputs in SIZES:
            t, w = layer(n_inputs, n_inputs, ties=n_inputs == 5)
            found = first_spike_times(t, w, neuron_of(ratio))
            for other in (by_neuron(t, w, neuron_of(ratio), True), by_neuron(t, w, neuron_of(ratio), False)):
                np.testing.assert_array_equal(np.isfinite(found), np.isfinite(other))
                np.testing.assert_allclose(found, other, rtol=1e-10)
            spikes, silent = spikes + np.isfinite(found).sum(), silent + np.isinf(found).sum()
            for sample, n in np.ndindex(found.shape):
                assert_first_crossing(found[sample, n], t[sample], w[:, n], ratio)
                if sample < 2:  # the readable solver, in ms, nF and mV
                    plain = first_spike_time(10 * t[sample], 15 * w[:, n], LIFParameters(10 * ratio, 10.0, 2.0, -65.0, 10.0)) / 10
                    assert np.isfinite(plain) == np.isfinite(found[sample, n])
                    if np.isfinite(plain):
                        assert abs(plain - found[sample, n]) < 1e-9
    assert spikes > 150 and silent > 150


def test_one_neuron():
    """There is no second one whose constants or bounds could be taken."""
    for ratio in (1.0, 2.0):
        t, w = layer(5, 5, 9, 1)
        found = first_spike_times(t, w, neuron_of(ratio))
        assert np.isfinite(found).sum() > 3
        for sample in range(9):
            assert_first_crossing(found[sample, 0], t[sample], w[:, 0], ratio)
        error = np.ones(found.shape)
        dw, dt, _ = vector_jacobian_product(t, w, found, error, neuron_of(ratio))
        expected_dw, expected_dt = expected_product(t, w, found, error, ratio, 1.0)
        np.testing.assert_allclose(dw, expected_dw, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(dt, expected_dt, rtol=1e-10, atol=1e-12)


def test_several_tiles_and_parts_and_capacitances():
    """195 neurons are more than a tile, 130 samples more than are sorted at a time."""
    for n_samples, n_neurons, ratio in ((2, 195, 2.0), (130, 2, 1.0), (2, 195, np.inf), (130, 2, np.inf)):
        t, w = layer(3, 5, n_samples, n_neurons)
        cm = np.linspace(0.5, 2, n_neurons)
        found = first_spike_times(t, w, neuron_of(ratio, cm))
        assert np.isfinite(found).sum() > 60
        for sample, n in [*np.ndindex(found.shape)][::7]:
            assert_first_crossing(found[sample, n], t[sample], w[:, n] / cm[n], ratio)
        error = np.random.default_rng(1).normal(size=found.shape)
        dw, dt, dropped = vector_jacobian_product(t, w, found, error, neuron_of(ratio, cm))
        expected_dw, expected_dt = expected_product(t, w, found, error, ratio, cm)
        np.testing.assert_allclose(dw, expected_dw, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(dt, expected_dt, rtol=1e-6, atol=1e-8)
        assert dropped == 0


def test_in_parts_side_by_side():
    """What is shared out among threads, on layers that are too small for it, is what one thread does, to the bit."""
    rng, compared = np.random.default_rng(4), 0
    for t, w, neuron in ((*layer(11, 6, 6, 7), neuron_of(1.0)), (*layer(12, 6, 6, 195), neuron_of(2.0)),
                         (*layer(13, 4, 5, 3), neuron_of(np.array([0.5, 1.0, 2.0])))):
        delays = rng.uniform(0, 2, w.shape)

        def everything(t=t, w=w, neuron=neuron, delays=delays):
            out = first_spike_times(t, w, neuron)
            error = np.cos(np.arange(out.size)).reshape(out.shape)
            return [out, delayed_first_spike_times(t, w, delays, neuron), *membrane_peaks(t, w, neuron),
                    *vector_jacobian_product(t, w, out, error, neuron, 0.05)]

        alone = everything()
        with mock.patch.object(threads, "PARALLEL_FROM", 0):
            for one, other in zip(alone, everything(), strict=True):
                np.testing.assert_array_equal(one, other)
                compared += np.isfinite(one).sum()
        assert alone[-1] > 0
    assert compared > 3000


def test_small_loops_run_on_one_thread():
    """From a number of (sample, input, neuron) triples on, which is the same for every loop."""
    assert kernels.on_threads(1_000_000) and not kernels.on_threads(999_999)
    t, w = layer(3, 5, 4, 20)  # fewer neurons are one tile
    unequal, delays, out = neuron_of(np.linspace(1.0, 2.0, 20)), np.ones(w.shape), np.full((4, 20), 9.0)
    loops = ((layer_kernels, lambda: first_spike_times(t, w, neuron_of(1.0))),
             (unequal_kernels, lambda: first_spike_times(t, w, unequal)),
             (delay_kernels, lambda: delayed_first_spike_times(t, w, delays, unequal)),
             (peak, lambda: membrane_peaks(t, w, unequal)),
             (layer_backward, lambda: vector_jacobian_product(t, w, out, out, neuron_of(1.0))),
             (backward_kernels, lambda: vector_jacobian_product(t, w, out, out, unequal)))
    for module, call in loops:
        serial, threaded = ([name for name in dir(module) if name.endswith(end)][0] for end in ("_serial", "_threaded"))
        for first_to_split, runs in ((400, threaded), (401, serial)):
            with (mock.patch.object(threads, "PARALLEL_FROM", first_to_split),
                  mock.patch.object(module, serial) as alone, mock.patch.object(module, threaded) as split):
                alone.return_value = split.return_value = np.zeros(4, dtype=bool)  # no sample is left out
                call()
            assert (alone.called, split.called) == (runs == serial, runs == threaded), (module.__name__, first_to_split)


def test_a_crossing_long_before_the_next_input():
    """The highest point of the response counts, not what is left of it when the next input comes."""
    for ratio in (0.5, 1.0, 2.0):
        t, w = np.array([[0.0, 50.0]]), np.array([[1.01 / response(np.linspace(0, 9, 10001), ratio)[0].max()], [0.0]])
        for found in (first_spike_times(t, w, neuron_of(ratio)), by_neuron(t, w, neuron_of(ratio), True),
                      by_neuron(t, w, neuron_of(ratio), False)):
            assert_first_crossing(found[0, 0], t[0], w[:, 0], ratio)
            assert found[0, 0] < 3


def test_delays_of_zero():
    t, w = layer(7, 6)
    for delays in (np.zeros((6, 1)), np.zeros((1, 5)), np.zeros((6, 5))):
        found = delayed_first_spike_times(t, w, delays, neuron_of(2.0))
        np.testing.assert_allclose(found, first_spike_times(t, w, neuron_of(2.0)), rtol=1e-12)


def test_many_weak_inputs():
    """Each far too weak to matter alone: bounds are of their sum."""
    rng = np.random.default_rng(8)
    for ratio in (1.0, 2.0, np.inf):
        t, w = rng.uniform(0, 2, (3, 40)), rng.uniform(0.01, 0.2, (40, 6))
        found = first_spike_times(t, w, neuron_of(ratio))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, by_neuron(t, w, neuron_of(ratio), True), rtol=1e-12)
        for sample, n in np.ndindex(found.shape):
            assert_first_crossing(found[sample, n], t[sample], w[:, n], ratio)


def test_bounds_of_rounding():
    w, cm, thr = np.random.default_rng(6).normal(size=(6, 5)), np.linspace(0.2, 3, 5), np.linspace(0.5, 2, 5)
    for tau_m, tau_syn in ((2.0, 0.7), (0.3, 0.7)):
        expected = 1e-15 * 10 * (thr + np.abs(w).sum(axis=0) / cm * min(tau_m, tau_syn))
        np.testing.assert_allclose(kernels._doubt(w, np.full(5, tau_m), np.full(5, tau_syn), cm, thr), expected, rtol=1e-13)


def test_threshold_within_rounding_where_an_input_arrives():
    """One input whose response is at threshold, to rounding, when the next one arrives: the spike is there, in either loop."""
    for ratio in (0.5, 1.0, 2.0):
        spans = np.linspace(0.05, 0.3, 40)
        for span, k in zip(spans, response(spans, ratio)[0], strict=True):
            t, w = np.array([[0.0, span]]), np.array([[1 / k], [50.0]])
            for found in (first_spike_times(t, w, neuron_of(ratio)), by_neuron(t, w, neuron_of(ratio), True)):
                assert abs(found[0, 0] - span) < 1e-12


def test_neurons_of_different_parameters():
    """Thresholds, and in the other loop time constants too, that differ; tau_syn is not 1."""
    t, w = layer(6, 6)
    thr = np.linspace(0.7, 1.4, 5)
    for ratio in (np.full(5, 2.0), np.array([0.3, 1.0, 2.0, 7.0, 100.0])):
        neuron = LIFParameters(tau_m=2.5 * ratio, tau_syn=2.5, cm=1.0, v_rest=0.0, v_thresh=thr)
        found = first_spike_times(2.5 * t, w / 2.5, neuron) / 2.5
        assert np.isfinite(found).sum() > 5
        for sample, n in np.ndindex(found.shape):
            assert_first_crossing(found[sample, n], t[sample], w[:, n] / thr[n], ratio[n])


def test_closed_forms():
    compared = silent = 0
    for ratio, form in ((1.0, equal_time_constants), (2.0, twice_tau_syn), (np.inf, no_leak)):
        t, w = layer(2, 4, 12, 6)
        found = first_spike_times(t, w, neuron_of(ratio))
        for sample, n in zip(*np.nonzero(np.isfinite(found)), strict=True):
            causal = t[sample] < found[sample, n]
            if response(found[sample, n] - t[sample, causal], ratio)[1] @ w[causal, n] > 0.05:
                time = form(t[sample, causal], w[causal, n], 1.0, 1.0, 1.0)
                # the same in other units: ms, nF, mV
                other = form(10 * t[sample, causal], 15 * w[causal, n], 10.0, 2.0, 75.0)
                np.testing.assert_allclose([time, other / 10], found[sample, n], rtol=1e-11)
                compared += 1
        for weights in ([0.4, 0.3], [-3.0, -2.0], [3.0, -20.0]):
            assert form(np.array([0.0, 0.1]), np.array(weights), 1.0, 1.0, 1.0) == np.inf
            silent += 1
    assert compared > 60 and silent == 9
    assert equal_time_constants(np.zeros(1), np.array([np.e * (1 + 1e-9)]), 1.0, 1.0, 1.0) < 1  # just reaches its peak at 1


def test_peaks_of_one_input_and_of_none():
    t, w, neuron = np.array([[0.5, np.inf], [np.inf, np.inf]]), np.array([[2.0], [7.0]]), neuron_of(1.0)
    t_peak, v_peak = membrane_peaks(t, w, neuron)
    np.testing.assert_allclose(t_peak[:, 0], [1.5, np.inf], rtol=1e-15)
    np.testing.assert_allclose(v_peak[:, 0], [2 / np.e, 0.0], rtol=1e-15)


def test_the_peak_of_a_membrane_that_rises_for_ever_is_taken_40_tau_syn_after_the_last_input():
    neuron = LIFParameters(tau_m=np.inf, tau_syn=2.0, v_rest=0.0, v_thresh=100.0)
    t_peak, v_peak = membrane_peaks(np.array([[1.0, 3.0]]), np.array([[1.0], [2.0]]), neuron)
    assert t_peak[0, 0] == 3.0 + 40 * 2.0 and abs(v_peak[0, 0] - 6.0) < 1e-12  # tau_syn times the weights


def test_the_readable_solver_where_the_membrane_has_no_maximum():
    """After a deep hyperpolarisation it rises towards rest without one; with a current that decays faster than the membrane it
    has one before the next input, or after."""
    for tau_m, tau_syn in ((10.0, 1.0), (1.0, 10.0), (10.0, 30.0)):
        neuron = LIFParameters(tau_m=tau_m, tau_syn=tau_syn, v_rest=0.0, v_thresh=1.0)
        for w in ([-30.0, 0.1, 0.0], [-30.0, 0.5, 9.0], [0.5, 0.6, 0.7], [-3.0, 3.0, 0.2], [0.4, -9.0, 9.5]):
            t, w = np.array([0.0, 3.0, 9.0]), np.array(w)
            plain, fast = first_spike_time(t, w, neuron), first_spike_times(t[None], w[:, None], neuron)[0, 0]
            assert plain == fast == np.inf or abs(plain - fast) < 1e-9


def test_nothing_to_do():
    neuron = neuron_of(1.0)
    assert np.isinf(first_spike_times(np.full((2, 3), np.inf), np.ones((3, 4)), neuron)).all()
    assert first_spike_times(np.empty((2, 0)), np.ones((0, 4)), neuron).tolist() == [[np.inf] * 4] * 2
    assert first_spike_times(np.empty((0, 3)), np.ones((3, 4)), neuron).shape == (0, 4)


def refused(function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError("nothing was refused")


def test_bad_input():
    neuron, t, w = neuron_of(1.0), np.zeros((2, 3)), np.ones((3, 4))
    for bad_t, bad_w, text in ((t, np.ones((2, 4)), "(2, 3)"), (t[0], w, "(3,)"), (t, w[0], "(4,)"), (t * np.nan, w, "holds nan"),
                               (t - np.inf, w, "t_in holds -inf"), (t, np.where(w == 1, [1, np.inf, np.nan, 1], w), "6 values")):
        assert text in refused(first_spike_times, bad_t, bad_w, neuron)
    out = np.ones((2, 4))
    assert "t_out has shape (2, 3)" in refused(first_spike_derivatives, t, w, out[:, :3], neuron)
    assert "error holds nan; give numbers" in refused(vector_jacobian_product, t, w, out, out * np.nan, neuron)
    assert refused(first_spike_derivatives, t, w, out * np.nan, neuron).endswith("and inf for a silent neuron")
    assert not refused(vector_jacobian_product, t, w, out, out * np.nan, neuron).endswith("silent neuron")


def expected_jacobians(t, w, t_out, ratio, cm):
    """(dT/dw, dT/dt), (samples, inputs, neurons) each, of neurons that spike of themselves."""
    k, slope = (a / cm for a in response(t_out[:, None, :] - np.where(np.isfinite(t), t, 1e9)[:, :, None], ratio))
    k, slope = np.nan_to_num(k), np.nan_to_num(slope)
    rise = (w * slope).sum(axis=1, keepdims=True)
    spikes = np.isfinite(t_out)[:, None, :] & (rise > 0)
    rise = np.where(spikes, rise, 1.0)
    return np.where(spikes, -k / rise, 0.0), np.where(spikes, w * slope / rise, 0.0)


def expected_product(t, w, t_out, error, ratio, cm, max_dw=np.inf):
    dw, dt = expected_jacobians(t, w, t_out, ratio, cm)
    contributions = dw * error[:, None, :]
    kept = np.where(np.abs(contributions).max(axis=1, keepdims=True) > max_dw, 0.0, contributions)
    return kept.sum(axis=0), (dt * error[:, None, :]).sum(axis=2)


def plain_product(t, w, t_out, error, neuron, max_dw):
    dw, dt = np.zeros((backward_kernels.N_BLOCKS, *w.shape)), np.zeros_like(t)
    dropped = np.zeros(backward_kernels.N_BLOCKS, dtype=np.int64)
    backward_kernels.backward(t, w, t_out, error, *neuron.columns(w.shape[1])[:3], np.full(w.shape[1], max_dw),
                              np.empty(0, dtype=np.int64), dw, dt, dropped)
    return dw.sum(axis=0), dt, dropped.sum()


def test_derivatives():
    for ratio in RATIOS:
        for n_inputs in (2, 5, 9):
            t, w = layer(n_inputs + 20, n_inputs, 9, 6)
            cm = np.linspace(0.8, 1.3, 6)
            neuron = neuron_of(ratio, cm)
            t_out = first_spike_times(t, w, neuron)
            error = np.random.default_rng(n_inputs).normal(size=t_out.shape)
            error[2] = 0.0
            loose = 1e-6 if abs(ratio - 1) < 1e-6 else 1e-8
            for found, expected in zip(first_spike_derivatives(t, w, t_out, neuron), expected_jacobians(t, w, t_out, ratio, cm),
                                       strict=True):
                np.testing.assert_allclose(found, expected, rtol=loose, atol=loose)
            for limit in (np.inf, 0.3):
                dw, dt = expected_product(t, w, t_out, error, ratio, cm, limit)
                largest = np.abs(expected_jacobians(t, w, t_out, ratio, cm)[0] * error[:, None, :]).max(axis=1)
                for found in (vector_jacobian_product(t, w, t_out, error, neuron, limit),
                              plain_product(t, w, t_out, error, neuron, limit)):
                    np.testing.assert_allclose(found[0], dw, rtol=loose, atol=loose)
                    np.testing.assert_allclose(found[1], dt, rtol=loose, atol=loose)
                    assert found[2] == (largest > limit).sum() and (limit > 1 or found[2] > 0)
            assert vector_jacobian_product(t, w, t_out, error, neuron, with_inputs=False)[1] is None


def test_an_input_at_the_time_of_the_spike_is_no_cause():
    for ratio in (1.0, 2.0):
        t, w = np.array([[0.0, 0.1, 0.2, 0.5, 0.5, 0.5, 0.9]]), np.full((7, 2), 3.0)
        t_out, error = np.array([[0.5, 0.9]]), np.ones((1, 2))
        expected = expected_product(t, w, t_out, error, ratio, 1.0)
        assert (expected[0][3:6, 0] == 0).all() and (expected[0][3:6, 1] < 0).all()
        for found in (vector_jacobian_product(t, w, t_out, error, neuron_of(ratio)),
                      plain_product(t, w, t_out, error, neuron_of(ratio), np.inf)):
            np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
            np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


def test_recorded_spikes_that_the_ideal_neuron_would_not_make():
    """A membrane that falls, or that nothing moved, has no derivative, in either loop, also without leak; one that stays below
    threshold has, where it rises."""
    for ratio, needed in ((1.0, np.e), (2.0, 2.0), (np.inf, 1.0)):
        t, w = np.array([[0.0]]), np.array([[needed * 0.9, needed * 1.5, needed * 1.5, needed * 1.5]])
        t_out = np.array([[0.5, 0.4, 7.0 if ratio < np.inf else -1.0, np.inf]])
        error, expected = np.ones((1, 4)), expected_jacobians(t, w, t_out, ratio, 1.0)[0][0]
        for dw in (first_spike_derivatives(t, w, t_out, neuron_of(ratio))[0][0],
                   vector_jacobian_product(t, w, t_out, error, neuron_of(ratio))[0],
                   plain_product(t, w, t_out, error, neuron_of(ratio), np.inf)[0]):
            assert (dw[0, 2:] == 0).all() and (dw[0, :2] < 0).all()
            np.testing.assert_allclose(dw, expected, rtol=1e-12)


def test_where_the_fast_backward_loop_applies():
    applies, none = layer_backward.applies, np.full((2, 3), np.inf)
    def inputs(last, tau_m, tau_syn):
        return applies(np.array([[300.0, 300.0 + last, np.inf]]), tau_m, tau_syn)
    assert inputs(199.0, 1.0, 1.0) and not inputs(201.0, 1.0, 1.0)  # time constants from the first to the last
    assert inputs(398.0, 2.0, 2.0) and not inputs(201.0, 3.0, 1.0) and not inputs(201.0, 1.0, 3.0)
    assert applies(none, 1.0, 1.0) and applies(np.ones((2, 3)), 1.0, 1.0)
    several = np.tile([0.0, 500.0, 200.0], (1, 7))  # in lanes and beyond them
    assert not applies(several, 1.0, 1.0) and applies(several, 10.0, 10.0)


def test_decisions_at_the_edge():
    """Threshold grazed by 1e-9 to 1e-14, against 50 digits."""
    rng, spiking, compared = np.random.default_rng(5), 0, 0
    for t, w, tau_m in adversarial_batches(rng, 24, 4):
        together = first_spike_times(t[None], w, LIFParameters(tau_m=tau_m, tau_syn=1.0, v_rest=0.0, v_thresh=1.0))[0]
        for n in range(4):
            expected = reference_first_spike(t, w[:, n], tau_m[n], 1.0, 1.0, 1.0) is not None
            alone = first_spike_times(t[None], w[:, n:n + 1], neuron_of(tau_m[n]))[0, 0]
            assert np.isfinite(together[n]) == np.isfinite(alone) == expected
            # the same neuron in units that are far apart: each has a bound of rounding of its own
            units = 2.0 ** np.array([-20, 0, 20])
            several = LIFParameters(tau_m=tau_m[n], tau_syn=1.0, cm=1.0, v_rest=0.0, v_thresh=units)
            spikes = np.isfinite(first_spike_times(t[None], w[:, n:n + 1] * units, several))
            np.testing.assert_array_equal(spikes, [[expected] * 3])
            spiking, compared = spiking + expected, compared + 1
    assert 5 < spiking < compared - 5
