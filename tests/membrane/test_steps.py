"""What becomes of membranes between two inputs, for all inputs of a batch at once."""

import mpmath
import numpy as np
import pytest

from ttfs_pynn.membrane.lanes import LANES
from ttfs_pynn.membrane.order import sort_inputs
from ttfs_pynn.membrane.steps import LONGEST, Steps, fill_steps, too_long

RATIOS = [0.3, 1.0, 1 + 1e-9, 2.0, 50.0, np.inf]


def exact(s, rate_m, rate_s):
    """exp(-r_m s), exp(-r_s s), phi(s) with 40 digits."""
    with mpmath.workdps(40):
        s, m, y = mpmath.mpf(s), mpmath.mpf(rate_m), mpmath.mpf(rate_s)
        a, b = mpmath.exp(-m * s), mpmath.exp(-y * s)
        return a, b, s * a if m == y else (a - b) / (y - m)


@pytest.mark.parametrize("ratio", RATIOS)
def test_against_40_digits(ratio):
    rng = np.random.default_rng(0)
    t_in = np.where(rng.random((5, 23)) < 0.3, np.inf, rng.uniform(0, 60, (5, 23)))
    t_in[2] = np.inf
    t_in[4, :4] = 7.0  # no time between them
    inputs, rate_m, rate_s = sort_inputs(t_in), 1 / (10 * ratio), 0.1
    steps = Steps(*np.empty((len(Steps._fields), inputs.order.size + 2 * LANES)))
    fill_steps(inputs, rate_m, rate_s, steps)
    compared = 0
    for first, end in zip(inputs.start[:-1], inputs.start[1:], strict=True):
        before, before_s = mpmath.mpf(1), mpmath.mpf(1)
        for k in range(first, end):
            span = inputs.times[k + 1] - inputs.times[k] if k + 1 < end else 0.0
            decay_m, decay_s, response = exact(span, rate_m, rate_s)
            after = decay_m + mpmath.mpf(rate_m) * response
            assert steps.span[k] == span
            expected = [decay_s, after, before_s, before, before * decay_m / after, response / after]
            found = [steps.decay_s[k], steps.after[k], steps.before_s[k], steps.before[k], steps.decay_y[k], steps.response_y[k]]
            # a few roundings of exponentials, and a quotient of them
            np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=4e-15, atol=0)
            before, before_s, compared = after, decay_s, compared + 1
    assert compared > 50


def test_a_membrane_that_was_at_threshold_is_above_what_is_left_of_it():
    """x(s) = theta somewhere in a span makes x/D >= theta at its end, or a rise there: no crossing is passed over."""
    rng, crossed = np.random.default_rng(1), 0
    for ratio in RATIOS[:-1]:
        rate_m, rate_s = 1 / (10 * ratio), 0.1
        for _ in range(200):
            span, x, j = rng.uniform(0.01, 40), rng.uniform(-2, 0.999), rng.normal(0, 0.4) * max(rate_m, rate_s) * 10
            s = np.linspace(0, span, 400)
            a, b = np.exp(-rate_m * s), np.exp(-rate_s * s)
            phi = s * a if rate_m == rate_s else -np.exp(-min(rate_m, rate_s) * s) * np.expm1(
                -abs(rate_s - rate_m) * s) / abs(rate_s - rate_m)
            v, left = x * a + j * phi, a[-1] + rate_m * phi[-1]
            if v.max() >= 1.0:
                crossed += 1
                assert v[-1] / left >= 1.0 - 1e-12
                assert v[-1] >= 1.0 or j * b[-1] < rate_m * v[-1]
    assert crossed > 100


def test_what_is_too_long():
    t_in = np.array([[0.0, 1.0, 90.0], [0.0, LONGEST * 2 + 1, np.inf], [5.0, np.inf, np.inf], [0.0, LONGEST, LONGEST * 2.5]])
    assert too_long(sort_inputs(t_in), 0.1, 0.5).tolist() == [False, True, False, False]
    assert too_long(sort_inputs(t_in), 2.0, 0.5).tolist() == [True, True, False, True]
