"""The search for a threshold crossing: nothing that a fine grid shows is missed, and the root is on the threshold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttfs_pynn.membrane.interval import first_crossing, phi

rates = st.sampled_from([0.0, 0.01, 0.1, 0.1 + 1e-12, 0.1 + 1e-6, 0.2, 1.0, 10.0])
currents = st.one_of(st.just(0.0), st.floats(-20, 20), st.floats(-1e-3, 1e-3))


def curve(s, x, j_exc, j_inh, rate_m, rate_exc, rate_inh):
    return np.array([x * np.exp(-rate_m * t) + j_exc * phi(t, rate_m, rate_exc) + j_inh * phi(t, rate_m, rate_inh) for t in s])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(x=st.floats(-50, 14), j_exc=currents, j_inh=currents, theta=st.floats(-5, 15), rate_m=rates,
       rate_exc=rates.filter(bool), rate_inh=rates.filter(bool), span=st.floats(1e-3, 100))
def test_the_first_crossing_of_a_fine_grid_is_found(x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh, span):
    if not x < theta:
        x = theta - 1.0
    s = first_crossing(x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh, span)
    arguments = (x, j_exc, j_inh, rate_m, rate_exc, rate_inh)
    grid = np.linspace(0, span, 200)
    v = curve(grid, *arguments)
    # v of up to 20 nA/nF x 100 ms from terms that cancel: some ulps of the largest term
    rounding = 1e-13 * (abs(x) + (abs(j_exc) + abs(j_inh)) * min(span, 1 / min(rate_exc, rate_inh)) + abs(theta))
    before = v[grid < s]
    assert (before < theta + rounding).all()
    if s < np.inf:
        assert 0 < s <= span
        assert curve([s], *arguments)[0] == pytest.approx(theta, abs=rounding)


@pytest.mark.parametrize("j_inh, crossings", [(-6.0, 1), (-1.0, 1), (-600.0, 0)])
def test_dip_then_hump(j_inh, crossings):
    """Fast inhibition first, slow excitation after: v falls before it rises, and is found to cross."""
    s = first_crossing(0.0, 4.0, j_inh, 5.0, 0.05, 0.1, 2.0, 200.0)
    assert (s < np.inf) == bool(crossings)


def test_a_hump_narrower_than_any_reasonable_grid_is_found():
    """Excitation of 1 us against slow inhibition: above threshold for about 2e-3 of a 100 ms span."""
    s = first_crossing(0.0, 5000.0, -100.0, 4.0, 0.1, 1000.0, 0.1, 100.0)
    assert 0 < s < 0.01
    np.testing.assert_allclose(curve([s], 0.0, 5000.0, -100.0, 0.1, 1000.0, 0.1), [4.0], rtol=1e-13)
