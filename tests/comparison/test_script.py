"""Scripts with build(sim), run through the stand-in for a PyNN module."""

import numpy as np
import pytest
from pyNN.random import RandomDistribution

from ttfs_pynn.comparison.matching import match_trains
from ttfs_pynn.comparison.script import run_script
from ttfs_pynn.comparison.summary import compare_records
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.simulators import SIMULATORS, simulator


def build(sim):
    """Sources of both kinds, an equal pair of time constants, a view, a run in two parts: what scripts do."""
    sim.setup(timestep=0.5, min_delay=0.5)
    source = sim.Population(4, sim.SpikeSourceArray(spike_times=[[3.02, 11.0], [5.0], [7.7], [1.0, 2.0]]), label="in")
    noise = sim.Population(3, sim.SpikeSourcePoisson(rate=80.0), label="noise")
    cells = sim.Population(5, sim.IF_curr_exp(tau_m=5.0, tau_syn_E=5.0, cm=0.5), label="cells")
    static = sim.StaticSynapse(weight=1.0, delay=1.5)
    sim.Projection(source, cells, sim.AllToAllConnector(), static, receptor_type="excitatory")
    sim.Projection(noise, cells[0:2], sim.AllToAllConnector(), static, receptor_type="excitatory")
    sim.run(30.0)
    sim.run(20.0)
    sim.end()


@pytest.mark.parametrize("name", ["brian2", "nest", "neuron"])
def test_every_simulator_is_given_the_same(name):
    pytest.importorskip(name, reason="make test-simulators installs it")
    (reference,), (other,) = run_script(build, simulator("exact"), 0.1), run_script(build, simulator(name), 0.1)
    assert reference.labels == other.labels == ("in", "noise", "cells") and reference.duration == 50
    assert [c.pre.size for c in reference.connections] == [20, 6] == [c.pre.size for c in other.connections]
    assert set(reference.connections[1].post) == {7, 8}  # of the view, in the numbers of the whole
    m = match_trains(reference, other, 1.0)
    assert m.cell.size > 15 and m.missing[0].size + m.extra[0].size <= 0.1 * m.cell.size
    sources = m.within(range(7))
    assert sources.missing[0].size == sources.extra[0].size == 0 and np.abs(sources.differences).max() < 0.05 + 1e-9
    assert np.median(np.abs(m.within(range(7, 12)).differences)) < 0.15
    assert any("Poisson" in note for note in reference.notes)


def poisson(sim):
    """Short runs, so that what is lost where two meet would show; sources that are made between them; a reset."""
    sim.setup(timestep=0.1)
    relay = sim.IF_curr_exp(tau_m=1.0, cm=0.1, tau_syn_E=0.05, tau_syn_I=0.05, v_thresh=-64.5, tau_refrac=0.1)
    sources, relays = sim.Population(30, sim.SpikeSourcePoisson(rate=200.0)), sim.Population(30, relay)
    sim.Projection(sources, relays, sim.OneToOneConnector(), sim.StaticSynapse(weight=5.0, delay=0.1))
    for _ in range(20):
        sim.run(5.0)
    sim.Population(30, sim.SpikeSourcePoisson(rate=200.0, start=130.0, duration=30.0))
    sim.Population(1, sim.SpikeSourcePoisson(rate=200.0))
    for k in range(20):
        sim.run_until(105.0 + 5 * k)


@pytest.mark.parametrize("name", ["brian2", "nest", "nest_grid", "neuron"])
def test_poisson_sources_go_on_in_later_runs_the_same_on_every_simulator(name):
    pytest.importorskip(SIMULATORS[name].needs, reason="make test-simulators installs it")
    (exact,), (other,) = run_script(poisson, simulator("exact"), 0.1), run_script(poisson, simulator(name), 0.1)
    for k, (train, given) in enumerate(zip(other.trains(), exact.trains(), strict=True)):
        if not 30 <= k < 60:
            # On a grid a spike is at the nearest step, and two of a step are one. Those of the last step may come after the end.
            steps = np.unique(np.round(given / 0.1)) * 0.1 if name in ("brian2", "nest_grid") else given
            np.testing.assert_allclose(train[train < 199.85], steps[steps < 199.85], rtol=0, atol=1e-6)
    assert (exact.cells >= 60).sum() > 150
    # Each spike of a source makes its relay spike, but for those within the step of another.
    heard = [int(((r.cells >= 30) & (r.cells < 60)).sum()) for r in (exact, other)]
    assert heard[1] == pytest.approx(heard[0], rel=0.05) and heard[0] == pytest.approx((exact.cells < 30).sum(), rel=0.01)


def test_poisson_sources_keep_their_rate():
    """Poisson counts of mean n lie within 5 sqrt(n); those of the same seed are the same at any time step."""
    def build(sim):
        p = sim.Population(50, sim.SpikeSourcePoisson(rate=20.0))
        for _ in range(4):
            sim.run(600.0)
        assert p.get_data().segments[0].t_stop == 2400
    (record,) = run_script(build, simulator("exact"), 0.1)
    assert np.abs(np.histogram(record.times, np.arange(0, 2401, 400))[0] - 400).max() < 5 * 20
    (finer,) = run_script(build, simulator("exact"), 0.01)
    # Of two spikes of a source in one step one is kept: with 2,400 spikes at 20/s and 0.1 ms that is 2400 * 20 * 1e-4 = 5 or so.
    assert np.isin(record.times, finer.times).all() and 0 < finer.times.size - record.times.size < 15
    assert not np.array_equal(record.times, run_script(build, simulator("exact"), 0.1, seed=2)[0].times[:record.times.size])


def test_what_is_made_after_a_run_is_recorded_and_set_up_too():
    def build(sim):
        sim.run(600.0)
        sim.Population(50, sim.SpikeSourcePoisson(rate=20.0, start=700.0, duration=100.0))
        sim.Population(3, sim.IF_curr_exp(i_offset=1.0), initial_values={"v": RandomDistribution("uniform", (-65, -51))})
        sim.run(300.0)
    (record,) = run_script(build, simulator("exact"), 0.1)
    sources, driven = record.times[record.cells < 50], record.cells[record.cells >= 50]
    assert abs(sources.size - 100) < 5 * 10 and 700 <= sources.min() and sources.max() < 800
    assert set(driven) == {50, 51, 52} and np.unique(record.parameters["v"][50:]).size == 3


def test_a_reset_draws_new_spikes():
    def build(sim):
        source = sim.Population(50, sim.SpikeSourcePoisson(rate=20.0))
        sim.run(600.0)
        sim.reset()
        sim.run(300.0)
        sim.run(300.0)
        first, second = ([t.size for t in segment.spiketrains] for segment in source.get_data().segments)
        assert first != second and abs(sum(second) - 600) < 5 * 25
    assert [r.duration for r in run_script(build, simulator("exact"), 0.1)] == [600, 600]


def test_connect_is_taken_down():
    def build(sim):
        source, cells = sim.Population(4, sim.SpikeSourceArray(spike_times=[1.0])), sim.Population(3, sim.IF_curr_exp())
        made = sim.connect(source, cells[1:], weight=2.0, delay=1.5)
        assert len(made) == 8
    (record,) = run_script(build, simulator("exact"), 0.1, duration=10.0)
    (made,) = record.connections
    assert made.pre.size == 8 and set(made.post) == {5, 6} and set(made.weight) == {2.0} and set(made.delay) == {1.5}


@pytest.mark.parametrize("name, change", [("rate", lambda p: p.set(rate=5.0)), ("start", lambda p: p[1:].set(start=5.0)),
                                          ("duration", lambda p: p.get("duration"))])
def test_a_poisson_source_that_is_changed_is_explained(name, change):
    def build(sim):
        change(sim.Population(3, sim.SpikeSourcePoisson(rate=20.0)))
    with pytest.raises(ConfigurationError, match=f"'{name}' of a SpikeSourceArray: .* one population for each rate"):
        run_script(build, simulator("exact"), 0.1)


def test_a_script_that_never_runs_is_run():
    def silent(sim):
        sim.Population(2, sim.IF_curr_exp(i_offset=1.0), label="driven")
    (record,) = run_script(silent, simulator("exact"), 0.1, duration=80.0)
    assert record.duration == 80 and record.times.size == 4 and record.parameters["i_offset"].tolist() == [1.0, 1.0]


def test_a_script_that_builds_nothing_is_told_so():
    with pytest.raises(ConfigurationError, match="made no population"):
        run_script(lambda sim: None, simulator("exact"), 0.1)


def test_projections_of_one_label_are_told_apart():
    """Two sources of one name: a comparison tries each projection as a cause, and has to say which."""
    def build(sim):
        cells = sim.Population(3, sim.IF_curr_exp(tau_refrac=2.0), label="cells")
        for rate in (400.0, 300.0):
            noise = sim.Population(20, sim.SpikeSourcePoisson(rate=rate), label="noise")
            sim.Projection(noise, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.3, delay=0.5),
                           receptor_type="excitatory", label="noise to cells")
        sim.run(200.0)

    exact, brian2 = (run_script(build, simulator(name), 0.1) for name in ("exact", "brian2"))
    assert len({c.label for c in exact[0].connections}) == 2
    found = compare_records(exact, brian2, 0.1, 2.0, simulator("brian2"))
    assert found["matched"] > 60 and found["defects"] == []
