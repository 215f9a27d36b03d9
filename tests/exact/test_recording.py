"""What get_data returns: segments, cells, times; what clear and reset leave; files."""

import neo
import numpy as np
import pytest
from pyNN import errors

from tests.exact.helpers import driven, spike_lists


def test_spike_trains_carry_times_limits_and_names(sim):
    sources, neurons, _ = driven(sim)
    sim.run(50.0)
    block = sources.get_data()
    assert block.name == "sources" and block.annotations["simulator"] == "exact" and block.annotations["size"] == 3
    (segment,) = block.segments
    assert segment.name == "segment000" and segment.block is block
    assert spike_lists(block) == [[5.0], [15.0], [25.0]]
    for k, train in enumerate(segment.spiketrains):
        assert float(train.t_start) == 0.0 and float(train.t_stop) == 50.0 and train.segment is segment
        assert train.annotations["source_index"] == k and train.annotations["channel_id"] == int(sources[k])
        assert train.annotations["source_population"] == "sources"
    channels, times = neurons.get_data().segments[0].spiketrains.multiplexed
    assert channels.tolist() == [int(cell) for cell in neurons]
    assert (np.diff(times.magnitude) > 0).all()


def test_only_recorded_cells_are_there(sim):
    sources = sim.Population(4, sim.SpikeSourceArray(spike_times=[[1.0], [2.0], [3.0], [4.0]]))
    sources[[3, 1]].record("spikes")
    sim.run(10.0)
    assert spike_lists(sources.get_data()) == [[2.0], [4.0]]
    assert spike_lists(sources[:2].get_data()) == [[2.0]]
    assert sources.get_spike_counts() == {int(sources[1]): 1, int(sources[3]): 1}
    assert sources[2:].get_spike_counts() == {int(sources[3]): 1}
    assert sources.mean_spike_count() == 1.0
    sources.record("spikes")
    sim.run(10.0)
    assert spike_lists(sources.get_data()) == [[], [2.0], [], [4.0]]


def test_a_view_sees_its_cells_in_every_segment(sim):
    sources, _, _ = driven(sim)
    sim.run(50.0)
    sim.reset()
    sim.run(20.0)
    block = sources[1:].get_data()
    assert spike_lists(block, 0) == [[15.0], [25.0]]
    assert spike_lists(block, 1) == [[15.0], []]


def test_nothing_recorded_nothing_there(sim):
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0]))
    sim.run(10.0)
    assert len(sources.get_data().segments[0].spiketrains) == 0
    assert sources.get_spike_counts() == {}
    sources.record("spikes")
    sources.record(None)
    sim.run(10.0)
    assert len(sources.get_data().segments[0].spiketrains) == 0


def test_record_none_forgets_and_record_starts_anew(sim):
    sources, _, _ = driven(sim)
    sim.run(50.0)
    sources.record(None)
    sources[:1].record("spikes")
    sim.run(60.0)
    assert spike_lists(sources.get_data()) == [[105.0]]


def test_unknown_variables_are_refused(sim):
    sources, neurons, _ = driven(sim)
    with pytest.raises(errors.RecordingError):
        sources.record("v")
    with pytest.raises(errors.RecordingError):
        neurons.record("gsyn_exc")


def test_get_data_before_run_says_what_to_do(sim):
    sources, _, _ = driven(sim)
    with pytest.raises(errors.NothingToWriteError, match=r"call run\(\) before"):
        sources.get_data()


def test_a_reset_makes_a_segment(sim):
    sources, neurons, projection = driven(sim)
    for k in range(3):
        projection.set(weight=12.0 + k)
        sim.run(50.0)
        sim.reset(annotations={"k": k})
    assert sim.get_current_time() == 0.0
    block = neurons.get_data()
    assert [segment.annotations["k"] for segment in block.segments] == [0, 1, 2]
    assert [segment.name for segment in block.segments] == ["segment000", "segment001", "segment002"]
    firsts = [spike_lists(block, k)[0][0] for k in range(3)]
    assert firsts[0] > firsts[1] > firsts[2]
    sim.run(50.0)
    assert len(neurons.get_data().segments) == 4


def test_two_resets_in_a_row_make_one_segment(sim):
    sources, _, _ = driven(sim)
    sim.run(10.0)
    sim.reset()
    sim.reset()
    sim.run(20.0)
    block = sources.get_data()
    assert [len(sum(spike_lists(block, k), [])) for k in range(2)] == [1, 2]


@pytest.mark.parametrize("asked", ["spikes", "v", []])
def test_asking_for_some_variables_deletes_nothing(sim, asked):
    """PyNN 0.13 deletes what was not asked for from the segments of earlier runs, for good."""
    sources, _, _ = driven(sim)
    sim.run(50.0)
    sim.reset()
    sim.run(10.0)
    before = [spike_lists(sources.get_data(), k) for k in range(2)]
    block = sources.get_data(asked)
    assert (len(block.segments[0].spiketrains) == 3) == (asked == "spikes")
    assert [spike_lists(sources.get_data(), k) for k in range(2)] == before
    assert before[0] == [[5.0], [15.0], [25.0]]


def test_what_is_done_to_a_block_does_not_come_back(sim):
    sources, neurons, _ = driven(sim)
    sim.run(50.0)
    sim.reset()
    sim.run(50.0)
    first = sources.get_data()
    for segment in first.segments:
        segment.spiketrains.multiplexed[1][:] = 0 * segment.spiketrains.multiplexed[1]
        segment.spiketrains.append(neo.SpikeTrain([1.0], t_stop=2.0, units="ms"))
        segment.annotate(mine=True)
    (sources + neurons).get_data()  # merges the segments of its parts
    again = sources.get_data()
    for k in range(2):
        assert spike_lists(again, k) == [[5.0], [15.0], [25.0]]
        assert "mine" not in again.segments[k].annotations


def test_clear_returns_each_spike_once(sim):
    """Also those at the seam: a run ends before its last instant, the next one begins with it."""
    sources, neurons, _ = driven(sim)
    found = []
    for stop in (5.0, 15.0, 25.0, 30.0):
        sim.run_until(stop)
        block = sources.get_data(clear=True)
        found.append(spike_lists(block))
        assert len(block.segments) == 1
        assert float(block.segments[0].spiketrains[0].t_stop) == stop
    assert found == [[[], [], []], [[5.0], [], []], [[], [15.0], []], [[], [], [25.0]]]
    assert sources.get_spike_counts() == dict.fromkeys(map(int, sources), 0)
    assert len(sum(spike_lists(neurons.get_data()), [])) == 3
    assert float(sources.get_data().segments[0].spiketrains[0].t_start) == 30.0


def test_clear_then_reset_leaves_nothing(sim):
    sources, _, _ = driven(sim)
    for _ in range(3):
        sim.run(50.0)
        block = sources.get_data(clear=True)
        assert len(block.segments) == 1
        assert spike_lists(block) == [[5.0], [15.0], [25.0]]
        assert float(block.segments[0].spiketrains[0].t_start) == 0.0
        sim.reset()
    with pytest.raises(errors.NothingToWriteError):
        sources.get_data()


def test_what_was_recorded_between_clear_and_reset_is_kept(sim):
    """PyNN 0.13 drops it."""
    sources, _, _ = driven(sim)
    sim.run(10.0)
    sources.get_data(clear=True)
    sim.run(10.0)
    sim.reset()
    sim.run(50.0)
    block = sources.get_data()
    assert spike_lists(block, 0) == [[], [15.0], []]
    assert float(block.segments[0].spiketrains[0].t_start) == 10.0
    assert spike_lists(block, 1) == [[5.0], [15.0], [25.0]]


def test_clear_keeps_memory_flat(sim):
    """Nothing stays in the recorder or in the projection, however often a presentation is repeated."""
    sources, neurons, projection = driven(sim)

    def held():
        ((_, synapses),) = projection._parts
        return (len(neurons.recorder._chunks), len(list(neurons.recorder.cache)), len(synapses._in_flight),
                len(sim.simulator.state.recorders), len(sim.simulator.state.network.groups), neurons.group.room.sum())
    sizes = []
    for _ in range(5):
        sim.run(50.0)
        assert len(sum(spike_lists(neurons.get_data(clear=True)), [])) == 3
        sources.get_data(clear=True)
        sim.reset()
        sizes.append(held())
    assert set(sizes) == {sizes[0]}
    assert sizes[0][:3] == (0, 0, 0)


def test_record_in_mid_run_starts_there(sim):
    sources = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 11.0]))
    sim.run(10.0)
    sources.record("spikes")
    sim.run(10.0)
    assert spike_lists(sources.get_data()) == [[11.0]]


def test_assemblies_gather_their_parts(sim):
    sources, neurons, _ = driven(sim)
    assembly = sources[1:] + neurons
    assembly.record("spikes")
    sim.run(50.0)
    block = assembly.get_data()
    trains = spike_lists(block)
    assert trains[:2] == [[15.0], [25.0]] and [len(train) for train in trains] == [1] * 5
    assert assembly.mean_spike_count() == 1.0
    assert len(assembly.get_spike_counts()) == 5


def test_annotations(sim):
    sources, _, _ = driven(sim)
    sources.annotate(layer="input")
    sim.run(1.0)
    assert sources.get_data().annotations["layer"] == "input"
    assert sources.recorder.get("spikes", annotations={"run": 3}).annotations["run"] == 3
    assert "run" not in sources.get_data().annotations


def test_nix_file_and_back(sim, tmp_path):
    pytest.importorskip("nixio")
    sources, neurons, _ = driven(sim)
    sim.run(30.0)
    sim.reset()
    sim.run(50.0)
    name = str(tmp_path / "spikes.nix")
    neurons.write_data(name)
    block = neo.NixIO(name, mode="ro").read_block()
    expected = neurons.get_data()
    assert len(block.segments) == 2
    for k in range(2):
        assert sum(map(len, spike_lists(expected, k))) >= 2
        assert spike_lists(block, k) == spike_lists(expected, k)
        assert [float(train.t_stop) for train in block.segments[k].spiketrains] == [(30.0, 50.0)[k]] * 3
    assert block.annotations["simulator"] == "exact"


def test_to_file_is_written_at_the_end(sim, tmp_path):
    name = tmp_path / "spikes.pkl"
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 2.0]), label="sources")
    sources[1:].record("spikes", to_file=str(name))
    sim.run(5.0)
    assert not name.exists()
    sim.end()
    assert name.exists()
    assert spike_lists(sources.get_data()) == [[1.0, 2.0]]
    name.unlink()
    sim.end()
    assert not name.exists()
