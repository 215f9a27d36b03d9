import mpmath as mp
import numpy as np

from ttfs_pynn.membrane import double_double as dd


def as_mp(x):
    return mp.mpf(x[0]) + mp.mpf(x[1])


def response(s, tau_m, tau_s):
    if tau_m == tau_s:
        return s * mp.exp(-s / tau_s)
    return (mp.exp(-s / tau_m) - mp.exp(-s / tau_s)) / (1 / tau_s - 1 / tau_m)


def test_phi_long_after_the_input_does_not_overflow():
    """The slow constant alone is left of it, whichever it is."""
    with mp.workdps(60):
        for tau_m, tau_s in ((0.3, 5.0), (5.0, 0.3)):
            found = as_mp(dd.phi((1000.0, 0.0), tau_m, tau_s))
            assert abs(found / response(mp.mpf(1000), mp.mpf(tau_m), mp.mpf(tau_s)) - 1) < mp.mpf(10) ** -28


def test_phi_holds_28_digits():
    rng = np.random.default_rng(0)
    with mp.workdps(60):
        for _ in range(200):
            s, tau_s = rng.exponential(3), rng.uniform(0.1, 5)
            tau_m = tau_s * rng.choice([0.3, 1.0, 1 + 1e-9, 2, 100, np.inf])
            found = as_mp(dd.phi((s, s * 1e-17), tau_m, tau_s))
            x, m, t = mp.mpf(s) + mp.mpf(s * 1e-17), mp.mpf(tau_m), mp.mpf(tau_s)
            expected = response(x, m, t)
            # 1/tau_syn - 1/tau_m loses 9 of 31 digits where the two differ by 1e-9, and the result depends on it only to
            # first order of that difference.
            assert abs(found - expected) <= mp.mpf(10) ** -28 * expected


def test_arithmetic():
    """Two floats hold 106 bits; each operation loses few of the last ones."""
    rng = np.random.default_rng(1)
    with mp.workdps(60):
        for _ in range(200):
            (x, y), (dx, dy) = rng.normal(size=2), rng.uniform(-1, 1, 2) * 2.0 ** -54
            a, b = (x, x * dx), (y, y * dy)
            for function, expected in ((dd.multiply, as_mp(a) * as_mp(b)), (dd.divide, as_mp(a) / as_mp(b))):
                assert abs(as_mp(function(a, b)) / expected - 1) < mp.mpf(2) ** -102
            assert abs(as_mp(dd.add(a, b)) - (as_mp(a) + as_mp(b))) < mp.mpf(2) ** -102 * (abs(x) + abs(y))
        for x in (-300.0, -20.5, -0.2, 0.1, 3.0):
            assert abs(as_mp(dd.exp((x, 0.0))) / mp.exp(x) - 1) < mp.mpf(10) ** -28
        for x in (-0.5, -0.34, -1e-12, 0.2, 0.36):
            assert abs(as_mp(dd.expm1((x, 0.0))) / mp.expm1(x) - 1) < mp.mpf(10) ** -30
