"""Decisions at the edge: grazing, ties, inputs at a crossing, zeros, silent inputs."""

import numpy as np

from tests.first_spike.oracle import adversarial_batches, reference_first_spike
from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.neuron import LIFParameters


def neuron_of(tau_m):
    return LIFParameters(tau_m=tau_m, tau_syn=1.0, cm=1.0, v_rest=0.0, v_thresh=1.0)


def solve(t, w, tau_m):
    return first_spike_times(t[None], w, neuron_of(tau_m))[0]


def test_decisions_agree_with_fifty_digits():
    rng = np.random.default_rng(11)
    compared = spiking = 0
    for t, w, tau_m in adversarial_batches(rng, 60, 6):
        found = solve(t, w, tau_m)
        for n in range(w.shape[1]):
            expected = reference_first_spike(t, w[:, n], tau_m[n], 1.0, 1.0, 1.0)
            assert np.isfinite(found[n]) == (expected is not None), (t, w[:, n], tau_m[n], found[n], expected)
            compared += 1
            if expected is not None:
                spiking += 1
                # Rounding of v (below 1e-13 here) moves a crossing by 1e-13/v'; where v' vanishes, by the square root.
                error = abs(found[n] - float(expected))
                on = t < found[n]
                slope = (w[on, n] * neuron_of(tau_m[n]).kernel_derivative(found[n] - t[on])).sum()
                assert error < 1e-6 or error * slope < 1e-13
    assert compared == 360 and 50 < spiking < 310


def test_touch_counts_as_a_spike():
    """Without leak and with an input exactly at thr = w tau_syn, threshold is only reached at infinity: silent."""
    assert solve(np.array([0.0]), np.array([[1.0]]), np.inf) == np.inf
    assert np.isfinite(solve(np.array([0.0]), np.array([[np.nextafter(1.0, 2)]]), np.inf)[0])


def test_input_at_the_crossing_is_no_cause():
    t = np.array([0.0, 0.5])
    w = np.array([[4.0, 4.0], [0.0, 0.0]])
    crossing = solve(t, w, 1.0)[0]
    t = np.array([0.0, np.nextafter(crossing, 0.0), crossing, np.nextafter(crossing, 9.0)])
    late = np.array([[4.0, 4.0], [0.0, 0.0], [0.0, 0.0], [-100.0, 100.0]])
    np.testing.assert_allclose(solve(t, late, 1.0), crossing, rtol=1e-15)
