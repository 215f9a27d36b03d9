import mpmath as mp
import numpy as np

from ttfs_pynn.first_spike import double_double as dd


def as_mp(x):
    return mp.mpf(x[0]) + mp.mpf(x[1])


def test_phi_holds_28_digits():
    rng = np.random.default_rng(0)
    with mp.workdps(60):
        for _ in range(200):
            s, tau_s = rng.exponential(3), rng.uniform(0.1, 5)
            tau_m = tau_s * rng.choice([0.3, 1.0, 1 + 1e-9, 2, 100])
            found = as_mp(dd.phi((s, s * 1e-17), tau_m, tau_s))
            x, m, t = mp.mpf(s) + mp.mpf(s * 1e-17), mp.mpf(tau_m), mp.mpf(tau_s)
            expected = x * mp.exp(-x / t) if m == t else (mp.exp(-x / m) - mp.exp(-x / t)) / (1 / t - 1 / m)
            # 1/tau_syn - 1/tau_m loses 9 of 31 digits where the two differ by 1e-9, and the result depends on it only to
            # first order of that difference.
            assert abs(found - expected) <= mp.mpf(10) ** -28 * expected


def test_arithmetic():
    with mp.workdps(60):
        a, b = (1.0 / 3.0, 1e-18), (2.0 ** 0.5, -3e-17)
        for function, reference in ((dd.add, as_mp(a) + as_mp(b)), (dd.multiply, as_mp(a) * as_mp(b)),
                                    (dd.divide, as_mp(a) / as_mp(b)), ):
            assert abs(as_mp(function(a, b)) - reference) < mp.mpf(10) ** -31
        for x in (-300.0, -20.5, -0.2, 0.1, 3.0):
            assert abs(as_mp(dd.exp((x, 0.0))) / mp.exp(x) - 1) < mp.mpf(10) ** -28
