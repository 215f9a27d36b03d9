"""Statistical agreement of synthetic trains, and of a chaotic network with a planted change."""

import numpy as np
import pytest

from ttfs_pynn.comparison.statistics import _holm, compare_statistics, measures
from ttfs_pynn.script import run_script
from ttfs_pynn.simulators import simulator


def test_measures_of_known_trains():
    rng = np.random.default_rng(1)
    regular = [np.arange(k, 10_000, 20.0) for k in range(20)]
    poisson = [np.sort(rng.uniform(0, 10_000, rng.poisson(500))) for _ in range(200)]
    assert measures(regular, 10_000)["cv"].max() < 1e-9
    np.testing.assert_allclose(measures(regular, 10_000)["rate"], 50, atol=0.2)
    found = measures(poisson, 10_000)
    # Standard errors: 1/sqrt(450 * 200) for CV, 1/sqrt(1800 * 2000) for correlations, with some room.
    assert abs(found["cv"].mean() - 1) < 0.02 and abs(found["correlation"].mean()) < 0.005
    copies = measures([poisson[0]] * 10, 10_000)
    np.testing.assert_allclose(copies["correlation"], 1, rtol=1e-12)


def test_holm():
    np.testing.assert_allclose(_holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])


def balanced(g):
    def build(sim):
        from pyNN.random import NumpyRNG
        cell = dict(tau_m=20.0, cm=0.25, v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0, tau_refrac=2.0, tau_syn_E=0.5,
                    tau_syn_I=0.5, i_offset=0.3)
        v = np.random.default_rng(7).uniform(-65, -50, 500)
        exc, inh = (sim.Population(n, sim.IF_curr_exp(**cell), label=label) for n, label in ((400, "exc"), (100, "inh")))
        exc.initialize(v=v[:400])
        inh.initialize(v=v[400:])
        connector = sim.FixedProbabilityConnector(0.1, rng=NumpyRNG(seed=42))
        w = 0.09 * 20 ** 0.5
        for post in (exc, inh):
            sim.Projection(exc, post, connector, sim.StaticSynapse(weight=w, delay=1.5), receptor_type="excitatory")
            sim.Projection(inh, post, connector, sim.StaticSynapse(weight=-g * w, delay=1.5), receptor_type="inhibitory")
        sim.run(2000.0)
    return build


@pytest.mark.parametrize("name", ["exact", "nest_grid", pytest.param("brian2", marks=pytest.mark.slow)])
def test_a_chaotic_network_agrees_and_five_per_cent_of_g_do_not(name):
    pytest.importorskip(name.split("_")[0] if name != "exact" else "numba", reason="make test-simulators installs it")
    (reference,) = run_script(balanced(5.0), simulator("exact"), 0.1)
    assert reference.times.size > 5000
    same = compare_statistics(reference, *run_script(balanced(5.0), simulator(name), 0.1))
    assert same["agree"] is True and len(same["rows"]) == 10
    assert compare_statistics(reference, *run_script(balanced(5.25), simulator(name), 0.1))["agree"] is False
