"""Who was recorded, and when: Neo Blocks of PyNN, of spike sorters and of nobody in particular."""

import neo
import numpy as np
import pytest
import quantities as pq

import ttfs_pynn.exact as sim
from ttfs_pynn.spikes.recordings import Recording, recordings_of


def block(*trials, **annotations):
    """A Block of trials, each a list of (times in ms, annotations)."""
    whole = neo.Block(name="rec", **annotations)
    for trains in trials:
        segment = neo.Segment()
        for times, notes in trains:
            segment.spiketrains.append(neo.SpikeTrain(times, units="ms", t_stop=100.0, **notes))
        whole.segments.append(segment)
    return whole


@pytest.fixture
def cells():
    sim.setup(timestep=0.1)
    return sim.Population(10, sim.IF_curr_exp(i_offset=np.linspace(0.9, 1.4, 10), tau_m=20.0, cm=1.0, v_rest=-65, v_reset=-65,
                                              v_thresh=-50, tau_refrac=2.0), label="cells")


def test_a_block_begins_where_the_data_were_cleared(cells):
    cells.record("spikes")
    sim.run(1000.0)
    cells.get_data(clear=True)
    sim.run(1000.0)
    (recording,) = recordings_of(cells.get_data())
    assert recording.span == (1000.0, 2000.0) and all(t.duration == 1000.0 for t in recording.trains())


def test_of_a_view_only_those_recorded_are_there(cells):
    cells[4:6].record("spikes")
    sim.run(1000.0)
    for data in (cells.get_data(), cells[4:6].get_data()):
        (recording,) = recordings_of(data)
        assert recording.units == (4, 5) and recording.numbers.tolist() == [4, 5] and recording.size == 10
        assert recording.summary() == "2 of 10 neurons" and recording.label_of(1) == "neuron 5"


def test_silent_neurons_count():
    sim.setup(timestep=0.1)
    cells = sim.Population(3, sim.IF_curr_exp(i_offset=[0.0, 0.0, 1.0]), label="cells")
    cells.record("spikes")
    sim.run(100.0)
    (recording,) = recordings_of(cells.get_data())
    assert [t.times.size > 0 for t in recording.trials[0]] == [False, False, True]


def test_trials_and_an_assembly():
    sim.setup(timestep=0.1)
    a, b = (sim.Population(n, sim.IF_curr_exp(i_offset=1.0), label=label) for n, label in ((3, "a"), (2, "b")))
    both = sim.Assembly(a, b, label="both")
    both.record("spikes")
    sim.run(100.0)
    sim.reset()
    sim.run(50.0)
    found = recordings_of(both.get_data())
    assert [(r.name, len(r.units), len(r.trials)) for r in found] == [("a", 3, 2), ("b", 2, 2)]
    assert [t.t_stop for t in found[0].of_unit(0)] == [100.0, 50.0]
    assert found[1].summary() == "2 neurons in 2 trials, pooled"


def test_several_units_on_one_channel():
    (recording,) = recordings_of(block([([1.0], dict(channel_id=0, unit=0)), ([2.0], dict(channel_id=0, unit=1)),
                                        ([3.0], dict(channel_id=1, unit=0))]))
    assert recording.units == ((0, 0), (0, 1), (1, 0)) and recording.label_of(1) == "channel_id 0, unit 1"
    assert recording.summary() == "3 units"
    (recording,) = recordings_of(block([([1.0], dict(channel_id=0)), ([2.0], dict(channel_id=0))]))
    assert len(recording.units) == 2 and recording.label_of(1) == "channel_id 0, no. 2"


def test_units_are_found_again_in_other_trials():
    (recording,) = recordings_of(block([([1.0], dict(channel_id=5)), ([2.0], dict(channel_id=9))],
                                       [([4.0], dict(channel_id=9)), ([3.0], dict(channel_id=5))],
                                       [([6.0], dict(channel_id=9))]))
    assert recording.units == (5, 9)
    assert [[None if t is None else t.times.tolist() for t in trial] for trial in recording.trials] == \
        [[[1.0], [2.0]], [[3.0], [4.0]], [None, [6.0]]]
    assert [t.times.tolist() for t in recording.of_unit(0)] == [[1.0], [3.0]]


def test_groups_of_neo_are_units():
    whole = block([([1.0], {}), ([2.0], {})], [([3.0], {}), ([4.0], {})])
    first, second = (segment.spiketrains for segment in whole.segments)
    whole.groups = [neo.Group([first[0], second[1]], name="x"), neo.Group([first[1], second[0]], name="y")]
    (recording,) = recordings_of(whole)
    assert recording.identity == "group" and recording.units == ("x", "y") and recording.label_of(0) == "x"
    assert [t.times.tolist() for t in recording.of_unit(0)] == [[1.0], [4.0]]


def test_names_of_trains_are_units_unless_they_number_a_file_through():
    (recording,) = recordings_of(block([([1.0], dict(name="a")), ([2.0], dict(name="b"))],
                                       [([4.0], dict(name="b")), ([3.0], dict(name="a"))]))
    assert recording.units == ("a", "b") and [t.times.tolist() for t in recording.of_unit(1)] == [[2.0], [4.0]]
    (recording,) = recordings_of(block([([1.0], dict(name="0")), ([2.0], dict(name="1"))],
                                       [([3.0], dict(name="2")), ([4.0], dict(name="3"))]))
    assert recording.identity == "position" and len(recording.units) == 2


def test_trials_that_nothing_tells_apart_are_said_to_be_so():
    (recording,) = recordings_of(block([([1.0], {}), ([2.0], {})], [([3.0], {})]))
    assert "told apart by their order although some trials have fewer trains" in recording.summary()


def test_a_segment_without_spike_trains_is_no_trial():
    (recording,) = recordings_of(block([], [([1.0], {})], []))
    assert len(recording.trials) == 1 and recording.summary() == "1 neuron"
    assert recordings_of(block())[0].units == ()


def test_times_are_sorted_in_ms_and_of_the_model():
    whole = neo.Block(name="chip", time_scale=1000.0)
    whole.segments.append(neo.Segment())
    whole.segments[0].spiketrains.append(neo.SpikeTrain([30.0, 10.0, 20.0] * pq.us, t_start=-10 * pq.us, t_stop=100 * pq.us))
    (recording,) = recordings_of(whole)
    (train,) = recording.trains()
    np.testing.assert_allclose(train.times, [10.0, 20.0, 30.0])
    assert (train.t_start, train.t_stop) == pytest.approx((-10.0, 100.0))
    assert recording.flat()[0].tolist() == [0, 0, 0]


def test_arrays_and_windows():
    trains = Recording.from_arrays([[3.0, 1.0], [2.0]], 0.0, [4.0, 10.0]).trains()
    assert [t.between(1.0, 3.0).times.tolist() for t in trains] == [[1.0], [2.0]]
    assert [(t.t_start, t.t_stop) for t in (t.between(1.0, 6.0) for t in trains)] == [(1.0, 4.0), (1.0, 6.0)]
    # The last spike may be at the end of the recording, and belongs to it.
    assert Recording.from_arrays([[4.0]], 0.0, 4.0).without_start(0.5).trains()[0].times.tolist() == [4.0]
