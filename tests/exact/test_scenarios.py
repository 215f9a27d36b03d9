"""Small networks as PyNN's users write them, after the system tests of PyNN."""

import numpy as np
import pytest
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Grid2D, RandomStructure, Space, Sphere

from tests.exact.helpers import ONE_SPIKE, spike_lists

deprecated = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # connect() and create() are discouraged, and exist


def test_a_ring_passes_one_spike_round(sim):
    """Ten cells in a ring, started by a source: every lap takes ten times delay and rise."""
    n = 10
    ring = sim.Population(n, sim.IF_curr_exp(**ONE_SPIKE), label="ring")
    start = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    synapse = sim.StaticSynapse(weight=12.0, delay=2.0)
    sim.Projection(start, ring[:1], sim.OneToOneConnector(), synapse, receptor_type="excitatory")
    sim.Projection(ring, ring, sim.FromListConnector([(k, (k + 1) % n) for k in range(n)], column_names=[]), synapse,
                   receptor_type="excitatory")
    ring.record("spikes")
    sim.run(100.0)
    channels, times = ring.get_data().segments[0].spiketrains.multiplexed
    times = np.asarray(times)
    assert times.size > 30
    np.testing.assert_array_equal(channels - int(ring[0]), np.arange(times.size) % n)
    np.testing.assert_allclose(np.diff(times)[:n - 1], times[0] - 1.0, rtol=0, atol=1e-11)
    # later laps: what is left of the lap before in v and in the current, exp(-27 / 10) and less
    np.testing.assert_allclose(np.diff(times), times[0] - 1.0, rtol=0.1)


def test_a_balanced_network_is_reproducible_and_neither_silent_nor_saturated(sim):
    def run():
        sim.setup(timestep=0.1, seed=3)
        rng = NumpyRNG(seed=7)
        cells = sim.Population(100, sim.IF_curr_exp(tau_m=20.0, cm=1.0, tau_refrac=2.0, v_reset=-65.0, v_thresh=-50.0))
        cells.initialize(v=RandomDistribution("uniform", (-65, -50), rng=rng))
        exc, inh = cells[:80], cells[80:]
        noise = sim.Population(20, sim.SpikeSourcePoisson(rate=200.0))
        connector = sim.FixedProbabilityConnector(0.1, rng=rng)
        delay = RandomDistribution("uniform", (0.5, 2.0), rng=rng)
        sim.Projection(exc, cells, connector, sim.StaticSynapse(weight=0.05, delay=delay), receptor_type="excitatory")
        sim.Projection(inh, cells, connector, sim.StaticSynapse(weight=-0.3, delay=1.0), receptor_type="inhibitory")
        sim.Projection(noise, exc, connector, sim.StaticSynapse(weight=2.0, delay=1.0), receptor_type="excitatory")
        cells.record("spikes")
        sim.run(200.0)
        return cells, spike_lists(cells.get_data())
    cells, first = run()
    assert 1.0 < cells.mean_spike_count() < 50.0
    assert run()[1] == first


def test_distances_decide_who_is_connected(sim):
    structure = Grid2D(aspect_ratio=1.0, dx=10.0, dy=10.0)
    cells = sim.Population(16, sim.IF_curr_exp(), structure=structure)
    somewhere = sim.Population(5, sim.IF_curr_exp(), structure=RandomStructure(Sphere(100.0), rng=NumpyRNG(1)))
    space = Space(axes="xy")
    projection = sim.Projection(cells, cells, sim.DistanceDependentProbabilityConnector("d < 10.5", allow_self_connections=False),
                                sim.StaticSynapse(weight="0.1 * d", delay="0.5 + d / 100"), space=space)
    assert len(projection) == 2 * 24  # the edges of a 4 x 4 grid, both ways
    weight, delay = projection.get(["weight", "delay"], "array")
    np.testing.assert_allclose(weight[np.isfinite(weight)], 1.0)
    np.testing.assert_allclose(delay[np.isfinite(delay)], 0.6)
    assert somewhere.positions.shape == (3, 5)
    assert int(cells.nearest((10.0, 10.0, 0.0))) in map(int, cells)


@deprecated
def test_connect_takes_single_cells(sim):
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=[[5.0], [25.0], [45.0]]))
    cells = sim.Population(2, sim.IF_curr_exp(**ONE_SPIKE))
    sim.connect(sources[1], cells[0], weight=12.0, delay=1.0, receptor_type="excitatory")
    sim.connect(sources[2], cells, weight=12.0, delay=1.0, receptor_type="excitatory")
    sim.connect(sources, cells[1:], weight=0.0, delay=1.0)
    cells.record("spikes")
    sim.run(100.0)
    first, second = spike_lists(cells.get_data())
    assert len(first) == 2 and len(second) == 1
    np.testing.assert_allclose(first[1], second[0], atol=0.1)


def test_spike_times_are_extended_while_running(sim):
    """As in a closed loop: each run computes the input of the next."""
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    cell = sim.Population(1, sim.IF_curr_exp(**ONE_SPIKE))
    sim.Projection(source, cell, sim.OneToOneConnector(), sim.StaticSynapse(weight=12.0, delay=1.0), receptor_type="excitatory")
    for population in (source, cell):
        population.record("spikes")
    for k in range(1, 4):
        sim.run_until(50.0 * k)
        source.set(spike_times=[50.0 * k + 5.0])
    assert spike_lists(source.get_data()) == [[5.0, 55.0, 105.0]]
    (spikes,) = spike_lists(cell.get_data())
    # what is left after 50 ms in v: exp(-5)
    np.testing.assert_allclose(np.diff(spikes), 50.0, rtol=0, atol=0.05)


def test_a_rate_changes_while_running(sim):
    noise = sim.Population(50, sim.SpikeSourcePoisson(rate=100.0))
    noise.record("spikes")
    counts = []
    for rate in (100.0, 0.0, 400.0):
        noise.set(rate=rate)
        sim.run(100.0)
        counts.append(len(noise.get_data(clear=True).segments[0].spiketrains.multiplexed[1]))
    assert counts[1] == 0
    assert abs(counts[0] - 500) < 5 * np.sqrt(500) and abs(counts[2] - 2000) < 5 * np.sqrt(2000)


def test_initial_values_of_an_assembly_of_views(sim):
    a, b = sim.Population(3, sim.IF_curr_exp(v_thresh=-50.0)), sim.Population(3, sim.IF_curr_exp(v_thresh=-50.0))
    assembly = a[1:] + b
    assembly.initialize(v=-40.0)
    assembly.record("spikes")
    a.record("spikes")
    sim.run(1.0)
    assert spike_lists(a.get_data()) == [[], [0.0], [0.0]]
    assert spike_lists(b.get_data()) == [[0.0]] * 3


def test_projections_among_assemblies_reach_the_right_cells(sim):
    """Populations of different sizes made in another order than they are put together."""
    second = sim.Population(2, sim.SpikeSourceArray(spike_times=[[20.0], [30.0]]))
    hidden = sim.Population(2, sim.IF_curr_exp(**ONE_SPIKE))
    first = sim.Population(3, sim.SpikeSourceArray(spike_times=[[40.0], [50.0], [60.0]]))
    other = sim.Population(3, sim.IF_curr_exp(**ONE_SPIKE))
    sim.Projection(first + second, other + hidden, sim.OneToOneConnector(), sim.StaticSynapse(weight=12.0, delay=0.5),
                   receptor_type="excitatory")
    (other + hidden).record("spikes")
    sim.run(100.0)
    spikes = spike_lists((other + hidden).get_data())
    rise = spikes[0][0] - 40.5
    np.testing.assert_allclose(np.concatenate(spikes) - rise - 0.5, [40, 50, 60, 20, 30], rtol=0, atol=1e-11)


def test_excitation_and_inhibition_meet(sim):
    """Inhibition before, at and after excitation; only the last leaves the spike."""
    exc = sim.Population(1, sim.SpikeSourceArray(spike_times=[20.0]))
    inh = sim.Population(3, sim.SpikeSourceArray(spike_times=[[18.0], [20.0], [25.0]]))
    cells = sim.Population(3, sim.IF_curr_exp(**ONE_SPIKE))
    sim.Projection(exc, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=12.0, delay=1.0), receptor_type="excitatory")
    sim.Projection(inh, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=-20.0, delay=1.0), receptor_type="inhibitory")
    cells.record("spikes")
    sim.run(60.0)
    assert [len(train) for train in spike_lists(cells.get_data())] == [0, 0, 1]


def test_the_network_class_and_descriptions(sim):
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0]), label="in")
    cells = sim.Population(2, sim.IF_curr_exp(), label="out")
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=1.0),
                                label="in to out")
    network = sim.Network(sources, cells, projection)
    assert network.count_neurons() == 4 and network.count_connections() == 4
    assert network.get_component("out") is cells
    for part in (sources, cells[:1], sources + cells):
        assert part.describe()
    assert "in to out" in projection.describe()


def test_sampled_views_record(sim):
    sources = sim.Population(20, sim.SpikeSourceArray(spike_times=[1.0, 2.0]))
    sample = sources.sample(5, rng=NumpyRNG(1))
    sample.record("spikes")
    sim.run(3.0)
    assert sample.get_spike_counts() == {int(cell): 2 for cell in sample}
    assert len(sources.get_data().segments[0].spiketrains) == 5


def test_many_presentations_in_a_loop_give_what_each_gives_alone(sim):
    """run, read, reset, write: the loop of a training, with weights as a matrix."""
    rng = np.random.default_rng(1)
    sources = sim.Population(20, sim.SpikeSourceArray(spike_times=[[]] * 20))
    cells = sim.Population(5, sim.IF_curr_exp(**ONE_SPIKE))
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.0, delay=0.0),
                                receptor_type="excitatory")
    cells.record("spikes")
    inputs = [(rng.uniform(0, 20, (20, 1)), rng.uniform(0, 3, (20, 5))) for _ in range(4)]

    def present(times, weights):
        sources.set(spike_times=times)
        projection.set(weight=weights)
        sim.run(50.0)
        spikes = spike_lists(cells.get_data(clear=True))
        sim.reset()
        return spikes
    together = [present(*inputs[k]) for k in (0, 1, 2, 3, 0)]
    assert together[0] == together[4] != together[1]
    assert sum(len(train) for train in together[0]) > 5
    assert present(*inputs[2]) == together[2]


def test_delta_synapses_step_the_membrane_by_the_weight(sim):
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[20.0, 30.0]))
    cell = sim.Population(1, sim.IF_curr_delta(v_thresh=-40.0, tau_m=20.0))
    sim.Projection(source, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=5.0, delay=1.0), receptor_type="excitatory")
    cell.record(["v", "spikes"])
    sim.run(30.0)
    (v,) = cell.get_data().segments[0].analogsignals
    assert v.shape == (301, 1) and (v.magnitude[:210] == -65.0).all()
    np.testing.assert_allclose(v.magnitude[210:, 0], -65.0 + 5.0 * np.exp(-np.arange(91) / 200), rtol=0, atol=1e-12)
    with pytest.raises(Exception, match="isyn_exc"):
        cell.initialize(isyn_exc=1.0)
