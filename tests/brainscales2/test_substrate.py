"""A network that is kept from run to run says, bit for bit, what one says that is built anew for each run."""

import numpy as np
import pytest
from pyNN.parameters import Sequence

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.helpers import connect, source_and_neurons
from ttfs_pynn.brainscales2 import NonIdealities, RunCommand
from ttfs_pynn.brainscales2.chip import chip_from_seed


def build(loop):
    """Sources onto two populations of which the second hears the first, and the first the second where there is a loop; with
    both receptors, and a projection that not every pair has. All noise is on."""
    source, first = source_and_neurons(12, non_idealities=NonIdealities(), seed=0)
    second = pynn.Population(5, pynn.cells.CalibHXNeuronCuba())
    projections = [connect(pre, post, sign, receptor) for pre, post in ((source, first), (first, second))
                   for sign, receptor in ((1, "excitatory"), (-1, "inhibitory"))]
    pairs = [(k, 2 * k % 5) for k in range(12)]
    projections.append(connect(source, second, 1, connector=pynn.FromListConnector(pairs, column_names=[])))
    if loop:
        projections.append(connect(second, first, 1, connector=pynn.FixedProbabilityConnector(0.5)))
    for population in (first, second):
        population.record("spikes")
    return source, first, second, projections


def write(source, projections, rng, alike=False):
    source.set(spike_times=[Sequence(np.sort(rng.uniform(0.0, 0.1, 8))) for _ in range(source.size)])
    for k, projection in enumerate(projections):
        scale = -0.3 if projection.receptor == "inhibitory" else 1.0
        weights = np.full(projection.size(), 30 + k) if alike else rng.integers(0, 64, projection.size())
        projection._assign("weight", np.round(scale * weights))


def change(what, source, first, second, projections, rng):
    """One thing of an experiment becomes another."""
    if what == "parameters":
        first.set(v_thresh=rng.uniform(100.0, 140.0, first.size), tau_m=rng.uniform(5.0, 15.0, first.size))
    elif what == "noise":
        pynn.simulator.state.seed(int(rng.integers(1000)))
    elif what == "recording":
        first[1:4].record("v")
        second[0:3].record("exc_synin", device="cadc")
    elif what == "no recording":
        first.record(None)
        first.record("spikes")
        second.record(None)
        second.record("spikes")
    elif what == "connections":
        projections.append(connect(source, second, 3, "excitatory"))
    elif what == "codes":
        first.actual_hwparams[2].threshold.v_threshold += 40
    elif what == "chip":
        pynn.simulator.state.chip = chip_from_seed(3)


CHANGES = ("weights", "weights", "alike", "parameters", "noise", "recording", "weights", "no recording", "connections", "weights",
           "snippets", "weights", "codes", "chip", "weights")
NEW = {"connections", "chip"}  # what wants other circuits or connections


def outcomes(loop, anew):
    """[(what was changed, arrays that were recorded, whether the network is that of the run before)]."""
    *populations, projections = build(loop)
    source, first, second = populations
    rng, found, before = np.random.default_rng(1), [], None
    for what in CHANGES:
        change(what, *populations, projections, rng)
        write(source, projections, rng, what == "alike")
        kept = pynn.simulator.state.kept
        if anew:
            kept.substrate = None
        for _ in range(2 if what == "snippets" else 0):
            pynn.run(0.03, RunCommand.APPEND)
            write(source, projections, rng)
        pynn.run(0.1)
        blocks = [population.get_data(clear=True) for population in (first, second)]
        segments = [block.segments[-1] for block in blocks]
        arrays = [train.magnitude for segment in segments for train in segment.spiketrains]
        arrays += [a for segment in segments for s in segment.irregularlysampledsignals for a in (s.times.magnitude, s.magnitude)]
        found.append((what, arrays, kept.substrate is before))
        before = kept.substrate
        pynn.reset()
    return found


@pytest.mark.parametrize("loop", [False, True])
def test_a_kept_network_is_as_one_built_anew(loop):
    kept, anew = outcomes(loop, anew=False), outcomes(loop, anew=True)
    assert [same for _, _, same in kept] == [k > 0 and what not in NEW for k, what in enumerate(CHANGES)]
    assert not any(same for _, _, same in anew)
    for (what, mine, _), (_, its, _) in zip(kept, anew, strict=True):
        assert len(mine) == len(its) and sum(map(len, mine)) > 20, what
        assert all(np.array_equal(a, b) for a, b in zip(mine, its, strict=True)), what
    assert len(kept[CHANGES.index("recording")][1]) > len(kept[0][1])  # traces are compared, too


def test_a_network_whose_populations_join_later_is_not_kept():
    source, neurons = source_and_neurons(3, seed=0)
    connect(source, neurons, 40)
    pynn.run(0.1, RunCommand.APPEND)
    connect(source, pynn.Population(2, pynn.cells.CalibHXNeuronCuba()), 40)
    pynn.run(0.1)
    once = pynn.simulator.state.kept.substrate
    pynn.reset()
    pynn.run(0.1)
    again = pynn.simulator.state.kept.substrate
    assert once is not again
    pynn.reset()
    pynn.run(0.1)
    assert pynn.simulator.state.kept.substrate is again
