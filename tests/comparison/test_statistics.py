"""Statistical agreement of synthetic trains, and of a chaotic network with a planted change."""

import numpy as np
import pytest

from benchmarks.false_differences import measure, record
from ttfs_pynn.comparison.script import run_script
from ttfs_pynn.comparison.statistics import _holm, compare_statistics, measures
from ttfs_pynn.simulators import simulator
from ttfs_pynn.spikes.recordings import Recording


def test_measures_of_known_trains():
    rng = np.random.default_rng(1)
    regular = [np.arange(k, 10_000, 20.0) for k in range(20)]
    poisson = [np.sort(rng.uniform(0, 10_000, rng.poisson(500))) for _ in range(200)]
    found = measures(regular, t_stop=10_000)
    assert found["cv"].max() < 1e-9
    np.testing.assert_allclose(found["rate"], 50, atol=0.2)
    found = measures(poisson, t_stop=10_000)
    # Standard errors: 1/sqrt(450 * 200) for CV, 1/sqrt(2000 * 19900) for correlations, with some room.
    assert abs(found["cv"].mean() - 1) < 0.02 and abs(found["correlation"].mean()) < 0.002
    assert found["correlation"].size == 200 * 199 / 2, "each pair once"
    copies = measures([poisson[0]] * 10, t_stop=10_000)
    np.testing.assert_allclose(copies["correlation"], 1, rtol=1e-12)
    # The same, recorded later: as a Recording, and as arrays.
    shifted = Recording.from_arrays([t + 5000 for t in poisson], 5000, 15_000)
    for later in (measures(shifted), measures([t + 5000 for t in poisson], 5000, 15_000)):
        for name in found:
            np.testing.assert_allclose(later[name], found[name], rtol=1e-9)


def test_holm():
    np.testing.assert_allclose(_holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])


def poisson_records(seed, n=10, rate=300.0, duration=200.0, trials=1):
    """Two recordings of the same statistics (lists of trials)."""
    rng = np.random.default_rng(seed)
    return [[record([np.sort(rng.uniform(0, duration, rng.poisson(rate * duration / 1000))) for _ in range(n)], duration, 0)
             for _ in range(trials)] for _ in range(2)]


def test_few_cells_of_the_same_statistics_do_not_differ():
    """10 cells in 200 ms have 45 pairs; when 2,000 were drawn from them, p was 6e-65."""
    tests = [row for seed in range(20) for row in compare_statistics(*poisson_records(seed))["rows"]]
    correlations = [row for row in tests if row["measure"] == "correlation"]
    assert len(correlations) == 20 and min(row["p"] for row in correlations) > 1e-3
    # Of 80 tests at most 4 below 0.01 with a probability of 0.999, were they exact and independent.
    assert sum(row["p"] < 0.01 for row in tests) <= 4


def test_neurons_that_fluctuate_together_do_not_differ_but_other_rates_do():
    """Small runs of benchmarks/false_differences.py."""
    found, differ = measure({"common": (0.3, 20.0)}, 2000.0, 20)
    assert differ <= 0.05 and set(found) == {"rate", "rate, each", "cv", "correlation"}
    assert measure({"rate_changed": 1.2}, 10_000.0, 5)[1] >= 0.8
    assert measure({"rate_changed": (1.2, 0.8)}, 10_000.0, 5)[1] >= 0.8, "no mean changes, but each neuron"
    assert measure({"same_network": False}, 2000.0, 10)[1] == 0


def test_trials_are_pooled_by_neuron():
    one, two = poisson_records(3, trials=4)
    rows = compare_statistics(one, two)["rows"]
    assert {row["measure"] for row in rows} == {"rate", "cv", "correlation"} and not any(row["differs"] for row in rows)
    rate = np.mean([np.concatenate(r.trains()).size / 10 / 0.2 for r in one])
    assert rows[0]["mean_reference"] == pytest.approx(rate, rel=0.05)  # the first tenth is left out
    assert compare_statistics(one, one)["agree"] is True
    # An interval does not go from one trial to the next: two spikes 60 ms apart in each of 4 trials of 100 ms.
    apart = [record([np.array([20.0, 80.0])] * 5, 100.0, 0) for _ in range(4)]
    (cv,) = (row for row in compare_statistics(apart, apart)["rows"] if row["measure"] == "cv")
    assert cv["mean_reference"] == 0


def test_nothing_to_compare():
    silent = [record([np.empty(0)] * 5, 1000.0, 0)]
    assert compare_statistics(silent, silent) == {"rows": [], "agree": None}
    short = poisson_records(1, duration=20.0)
    assert compare_statistics(*short)["agree"] is None


def driven_by_poisson(sim):
    cell = sim.IF_curr_exp(tau_m=20.0, tau_syn_E=5.0, tau_syn_I=10.0, tau_refrac=2.0)
    exc, inh = sim.Population(40, cell, label="E"), sim.Population(10, cell, label="I")
    noise = sim.Population(40, sim.SpikeSourcePoisson(rate=400.0), label="noise")
    connector = sim.FixedProbabilityConnector(0.3, rng=sim.NumpyRNG(seed=1))
    for pre, post, weight, receptor in ((noise, exc, 0.4, "excitatory"), (noise, inh, 0.4, "excitatory"),
                                        (exc, inh, 0.4, "excitatory"), (inh, exc, -0.5, "inhibitory")):
        sim.Projection(pre, post, connector, sim.StaticSynapse(weight=weight, delay=1.0), receptor_type=receptor)
    sim.run(200.0)


@pytest.mark.parametrize("name", ["nest_grid", pytest.param("brian2", marks=pytest.mark.slow)])
def test_two_hundred_milliseconds_of_ten_cells_agree(name):
    """On a grid, sources lose spikes (two in one step); correlations of 45 pairs had a p of 6e-65."""
    pytest.importorskip(name.split("_")[0], reason="make test-simulators installs it")
    records = [run_script(driven_by_poisson, simulator(each), 0.1) for each in ("exact", name)]
    found = compare_statistics(*records)
    assert found["agree"] is True and {row["population"] for row in found["rows"]} == {"E", "I"}
    assert min(row["p"] for row in found["rows"] if row["measure"] == "correlation") > 0.01


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
    assert same["agree"] is True and len(same["rows"]) == 8
    assert compare_statistics(reference, *run_script(balanced(5.25), simulator(name), 0.1))["agree"] is False
