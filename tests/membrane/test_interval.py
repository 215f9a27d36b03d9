"""One membrane between two events, against equations that are written here once more. Quick without compilation too."""

from unittest import mock

import numpy as np

from tests.first_spike.test_small_cases import response
from ttfs_pynn.membrane import interval
from ttfs_pynn.membrane.interval import first_crossing, phi, responses, short_responses


def test_membrane_functions():
    for rate_m, rate_s in ((0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (3.0, 1.0), (0.5, 3.3)):
        for s in (0.0, 1e-5, 3e-4, 0.7, 5.0):
            k = response(s * rate_s, rate_s / rate_m if rate_m else np.inf)[0] / rate_s
            expected = np.exp(-rate_m * s), np.exp(-rate_s * s), k
            np.testing.assert_allclose(responses(s, rate_m, rate_s), expected, rtol=1e-10, atol=1e-300)
            np.testing.assert_allclose(phi(s, rate_m, rate_s), k, rtol=1e-10, atol=1e-300)
            if s * max(rate_m, rate_s) <= 1e-3:
                np.testing.assert_allclose(short_responses(s, rate_m, rate_s), responses(s, rate_m, rate_s), rtol=3e-16)


def test_slope_and_curvature():
    """x = x_0 exp(-r_m s) + j_E phi_E + j_I phi_I with phi' = exp(-r s) - r_m phi, differentiated by hand."""
    for s in (0.0, 0.4, 2.0):
        for j_inh in (0.0, -0.9):
            rate_m, rates, j = 0.3, np.array([1.0, 0.5]), np.array([1.7, j_inh])
            k = (np.exp(-rate_m * s) - np.exp(-rates * s)) / (rates - rate_m)
            slope = np.exp(-rates * s) - rate_m * k
            decay = 0.4 * np.exp(-rate_m * s)
            expected = (decay + j @ k, -rate_m * decay + j @ slope,
                        rate_m ** 2 * decay + j @ (-rates * np.exp(-rates * s) - rate_m * slope))
            np.testing.assert_allclose(interval._derivatives(s, 0.4, *j, rate_m, *rates), expected, rtol=1e-13)


def test_roots_in_few_steps():
    """Local quadratic models: ten evaluations are enough, also where the membrane only just gets to threshold."""
    original, calls, solved = interval._derivatives, [], 0

    def counted(*arguments):
        calls.append(arguments)
        return original(*arguments)

    rng, root = np.random.default_rng(7), getattr(interval.threshold_root, "py_func", interval.threshold_root)
    grid = np.linspace(0, 5, 101)
    for k in range(60):
        cell = (0.0, rng.uniform(1, 5), -rng.uniform(0, 2) * (k % 2), *rng.uniform(0.05, 2, 3))
        v = np.array([original(s, *cell)[0] for s in grid])
        top, below = v.argmax(), 10.0 ** -rng.uniform(0.5, 6)
        if top == 0 or (np.diff(v[:top + 1]) <= 0).any():
            continue
        theta = v[top] * (1 - below)
        calls.clear()
        with mock.patch.object(interval, "_derivatives", counted):
            found = root(*cell[:3], theta, *cell[3:], 0.0, grid[top])
        assert abs(original(found, *cell)[0] - theta) < 1e-13 and 1 < len(calls) <= 10
        solved += 1
    assert solved > 40


def test_crossings_with_two_synaptic_time_constants():
    rng, found = np.random.default_rng(3), 0
    for k in range(120):
        rate_m, rate_exc, rate_inh = rng.choice([0.0, 0.1, 0.2, 1.0, 3.0]), *rng.choice([0.1, 0.2, 1.0, 3.0], 2)
        x, j_exc, j_inh, span = rng.uniform(-3, 0.9), rng.normal(2, 3), -rng.exponential(3) * (k % 5 > 0), rng.exponential(6)
        if k % 7 == 0:
            j_exc = 0.0
        if k % 11 == 0:
            j_inh = 2.0
        s = first_crossing(x, j_exc, j_inh, 1.0, rate_m, rate_exc, rate_inh, span)

        def v(s, x=x, rate_m=rate_m, pairs=((j_exc, rate_exc), (j_inh, rate_inh))):
            total = x * np.exp(-rate_m * s)
            for j, rate in pairs:
                total = total + j * (s * np.exp(-rate * s) if rate == rate_m else
                                     (np.exp(-rate_m * s) - np.exp(-rate * s)) / (rate - rate_m))
            return total

        grid = np.linspace(0, min(s, span), 300, endpoint=s == np.inf)
        assert (v(grid) < 1 + 1e-9).all()
        if s < np.inf:
            assert 0 < s <= span and abs(v(s) - 1) < 1e-10
            found += 1
    assert 20 < found < 100


def test_a_touch_is_a_crossing():
    """At the turning point (to rounding: its place is) and at the end of the span, for one synaptic current and for two; a little
    above is none."""
    for j_inh, rate_inh in ((0.0, 0.5), (-0.4, 0.5)):
        cell = 0.2, 2.0, j_inh, 0.7, 1.0, rate_inh

        def v(s, cell=cell):
            return interval._derivatives(s, *cell)[0]

        top = interval._slope_root(*cell, 0.0, 6.0, True) if j_inh else interval.extremum(0.2, 2.0, 0.7, 1.0)
        value = v(top) if j_inh else interval.potential(top, 0.2, 2.0, 0.7, 1.0)
        for theta, span, expected in ((value * (1 - 4e-16), 6.0, top), (v(0.3), 0.3, 0.3)):
            assert 0 < top < 6
            np.testing.assert_allclose(first_crossing(*cell[:3], theta, *cell[3:], span), expected, rtol=1e-6)
            assert first_crossing(*cell[:3], theta * (1 + 1e-12), *cell[3:], span) == np.inf


def test_a_crossing_between_two_turning_points():
    """The membrane rises, crosses, and falls again within the span: seen only where the slope's own turn is looked for."""
    for x, j_exc, j_inh, *rates, expected in ((0.0677, 2.6259, -5.1534, 0.1, 0.3, 1.0, 3.74),
                                              (-1.7071, 4.6007, -9.4612, 0.3, 0.3, 1.0, 3.77),
                                              (-0.8603, 4.7566, -6.8142, 0.1, 1.0, 3.0, 2.02),
                                              (-0.2663, -3.2536, 8.6443, 0.05, 0.1, 1.0, 0.298)):
        s = first_crossing(x, j_exc, j_inh, 1.0, *rates, 20.0)
        assert abs(s - expected) < 0.01 and abs(interval._derivatives(s, x, j_exc, j_inh, *rates)[0] - 1) < 1e-12
