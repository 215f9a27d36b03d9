"""The first zero of a polynomial on [0, 1], however close two of them are."""

import numpy as np
import pytest

from ttfs_pynn.integration.polynomials import MOST, NOWHERE, upcrossing_of


def coefficients(zeros, scale=-1.0):
    """Of scale * prod (x - z), by rising powers."""
    return scale * np.polynomial.polynomial.polyfromroots(zeros)


@pytest.mark.parametrize("seed", range(20))
def test_the_first_of_several_zeros(seed):
    """Errors of a zero of degree 8 are 1e-10 at most, where zeros are 0.01 apart."""
    rng = np.random.default_rng(seed)
    zeros = np.sort(rng.uniform(0.05, 1.5, 7))
    while np.diff(zeros).min() < 0.01:
        zeros = np.sort(rng.uniform(0.05, 1.5, 7))
    c = coefficients(zeros, 1.0)
    c = c if c[0] < 0 else -c
    found = upcrossing_of(c, 0.0)
    expected = zeros[0] if zeros[0] <= 1 else NOWHERE
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("apart", [1e-2, 1e-4, 1e-6])
def test_two_zeros_within_a_step(apart):
    """A membrane that is above threshold for a moment only: its ends say nothing."""
    for middle in (0.2, 0.5, 0.77):
        c = coefficients([middle - apart / 2, middle + apart / 2], -1.0)
        assert c[0] < 0 and np.polynomial.polynomial.polyval(1.0, c) < 0
        assert upcrossing_of(c, 0.0) == pytest.approx(middle - apart / 2, abs=1e-9)
        assert upcrossing_of(c, apart ** 2) == NOWHERE  # the maximum is apart^2/4


def test_no_zero_and_the_highest_degree():
    assert upcrossing_of(np.array([-1.0, 0.5, 0.25]), 0.0) == NOWHERE
    c = np.zeros(MOST + 1)
    c[0], c[MOST] = -1.0, 2.0
    assert upcrossing_of(c, 0.0) == pytest.approx(0.5 ** (1 / MOST), abs=1e-12)
    assert upcrossing_of(np.array([-1.0, 1.0]), 0.0) == 1.0
