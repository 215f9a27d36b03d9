"""Scripts with build(sim), run through the stand-in for a PyNN module."""

import numpy as np
import pytest

from ttfs_pynn.comparison.matching import match_trains
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.script import run_script
from ttfs_pynn.simulators import simulator


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
    reference = run_script(build, simulator("exact"), 0.1)
    other = run_script(build, simulator(name), 0.1, connections=False)
    assert reference.labels == other.labels == ("in", "noise", "cells") and reference.duration == 50
    assert [c.pre.size for c in reference.connections] == [20, 6] == other.meta["connections"]
    assert set(reference.connections[1].post) == {7, 8}  # of the view, in the numbers of the whole
    m = match_trains(reference, other, 1.0)
    assert m.cell.size > 15 and m.missing[0].size + m.extra[0].size <= 0.1 * m.cell.size
    sources = m.within(range(7))
    assert sources.missing[0].size == sources.extra[0].size == 0 and np.abs(sources.differences).max() < 0.05 + 1e-9
    assert np.median(np.abs(m.within(range(7, 12)).differences)) < 0.15
    assert any("Poisson" in note for note in reference.notes)


def test_a_script_that_never_runs_is_run():
    def silent(sim):
        sim.Population(2, sim.IF_curr_exp(i_offset=1.0), label="driven")
    record = run_script(silent, simulator("exact"), 0.1, duration=80.0)
    assert record.duration == 80 and record.times.size == 4 and record.parameters["i_offset"].tolist() == [1.0, 1.0]


def test_a_script_that_builds_nothing_is_told_so():
    with pytest.raises(ConfigurationError, match="made no population"):
        run_script(lambda sim: None, simulator("exact"), 0.1)
