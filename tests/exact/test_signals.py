"""Recorded membrane potentials and synaptic currents as Neo signals: shapes, times, names, segments, files."""

import neo
import numpy as np
import pytest
import quantities as pq

from tests.exact.helpers import driven


def signals(block, segment=-1):
    return {signal.name: signal for signal in block.segments[segment].analogsignals}


def cells_with_offsets(sim, n=4):
    return sim.Population(n, sim.IF_curr_exp(i_offset=np.arange(n) / 10), label="cells")


def test_a_signal_carries_values_times_units_and_names(sim):
    _, neurons, _ = driven(sim)
    neurons.record(["isyn_inh", "v"])
    neurons[1:].record("isyn_exc")
    sim.run(50.0)
    segment = neurons.get_data().segments[0]
    assert [signal.name for signal in segment.analogsignals] == ["v", "isyn_exc", "isyn_inh"]  # whatever was asked for first
    found = signals(neurons.get_data())
    for name, units, cells in (("v", "mV", [0, 1, 2]), ("isyn_exc", "nA", [1, 2]), ("isyn_inh", "nA", [0, 1, 2])):
        signal = found[name]
        assert signal.shape == (501, len(cells)) and str(signal.dimensionality) == units
        assert float(signal.t_start) == 0.0 and float(signal.sampling_period) == 0.1
        assert signal.annotations["source_population"] == "neurons"
        assert signal.annotations["channel_ids"].tolist() == [int(neurons[k]) for k in cells]
        assert signal.array_annotations["channel_index"].tolist() == cells
    assert (found["v"][0].magnitude == -65.0).all()
    # the spike of 15 ms arrives at 16 ms and is in the sample of that time
    np.testing.assert_allclose(found["isyn_exc"].magnitude[159:162, 0], [0.0, 12.0, 12.0 * np.exp(-0.1 / 3.0)], atol=1e-12)


def test_values_are_those_of_the_membrane_equation(sim):
    cells = cells_with_offsets(sim)
    cells.initialize(v=[-70.0, -65.0, -60.0, -55.0])
    cells.record("v", sampling_interval=0.25)
    sim.run(20.0)
    t = np.arange(81)[:, None] * 0.25
    rest = -65.0 + 20.0 * np.arange(4) / 10
    expected = rest + (np.array([-70.0, -65.0, -60.0, -55.0]) - rest) * np.exp(-t / 20.0)
    np.testing.assert_allclose(signals(cells.get_data())["v"].magnitude, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("durations, n", [([10.0], 101), ([0.1] * 100, 101), ([0.3] * 33, 100), ([5.0, 5.0], 101), ([9.96], 100)])
def test_there_is_one_sample_a_step_and_the_first(sim, durations, n):
    cells = cells_with_offsets(sim)
    cells.record("v")
    for duration in durations:
        sim.run(duration)
    signal = signals(cells.get_data())["v"]
    assert signal.shape == (n, 4)
    expected = -65.0 + 2.0 * np.arange(4) * (1 - np.exp(-np.arange(n)[:, None] / 200.0))
    np.testing.assert_allclose(signal.magnitude, expected, rtol=0, atol=1e-11)


def test_sampling_intervals(sim):
    one, two, three = (cells_with_offsets(sim) for _ in range(3))
    one.record("v", sampling_interval=1.0)
    one[:2].record("isyn_exc")
    two.record("v", sampling_interval=0.5)
    three.record("v")
    with pytest.raises(ValueError, match="same sampling interval"):
        one.record("isyn_inh", sampling_interval=0.5)
    with pytest.raises(ValueError, match="positive number"):
        cells_with_offsets(sim).record("v", sampling_interval=-1.0)
    sim.run(10.0)
    found = [signals(cells.get_data())["v"] for cells in (one, two, three)]
    assert [signal.shape[0] for signal in found] == [11, 21, 101]
    assert [float(signal.sampling_period) for signal in found] == [1.0, 0.5, 0.1]
    np.testing.assert_array_equal(found[0].magnitude, found[2].magnitude[::10])
    assert signals(one.get_data())["isyn_exc"].shape == (11, 2)


def test_views_and_names_filter(sim):
    cells = cells_with_offsets(sim)
    cells[[3, 1]].record(["v", "isyn_exc"])
    sim.run(5.0)
    everything = signals(cells.get_data())["v"]
    assert everything.array_annotations["channel_index"].tolist() == [1, 3]
    part = signals(cells[2:].get_data("v"))
    assert list(part) == ["v"] and part["v"].array_annotations["channel_index"].tolist() == [3]
    np.testing.assert_array_equal(part["v"].magnitude, everything.magnitude[:, 1:])
    assert not signals(cells[:1].get_data()) and not signals(cells.get_data("spikes"))


def test_clear_begins_anew_with_the_present_value(sim):
    cells = cells_with_offsets(sim)
    cells.record("v")
    sim.run(20.0)
    whole = signals(cells.get_data())["v"].magnitude
    sim.reset()
    parts = []
    cells.recorder.clear()
    for k in range(4):
        sim.run(5.0)
        signal = signals(cells.get_data(clear=True))["v"]
        assert signal.shape == (51, 4) and float(signal.t_start) == 5.0 * k
        parts.append(signal.magnitude)
    np.testing.assert_array_equal(parts[0][-1], parts[1][0])
    np.testing.assert_allclose(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]), whole, rtol=0, atol=1e-11)


def test_a_reset_makes_a_segment_that_begins_at_the_initial_value(sim):
    cells = cells_with_offsets(sim)
    cells.record("v")
    sim.run(10.0)
    sim.reset()
    cells.initialize(v=-70.0)
    sim.run(5.0)
    for _ in range(2):  # asking for one does not change the next
        block = cells.get_data()
        assert [segment.analogsignals[0].shape for segment in block.segments] == [(101, 4), (51, 4)]
        assert (block.segments[0].analogsignals[0][0].magnitude == -65.0).all()
        assert (block.segments[1].analogsignals[0][0].magnitude == -70.0).all()
        block.segments[0].analogsignals[0][:] = 0 * pq.mV


def test_record_none_and_others_after_a_reset(sim):
    cells = cells_with_offsets(sim, 7)
    cells[3:4].record("v")
    sim.run(10.0)
    sim.reset()
    cells.record(None)
    cells[4:5].record("v")
    sim.run(10.0)
    first, second = (segment.analogsignals[0] for segment in cells.get_data().segments)
    np.testing.assert_array_equal(first.times, second.times)
    assert first.array_annotations["channel_index"] == [3] and second.array_annotations["channel_index"] == [4]
    assert first.shape == second.shape == (101, 1) and first[0, 0] == second[0, 0]
    assert not (first[1:] == second[1:]).any()


def test_cells_that_are_recorded_later_have_no_earlier_values(sim):
    cells = cells_with_offsets(sim)
    sim.run(5.0)
    cells[:2].record("v")
    sim.run(5.0)
    cells.record("v")
    sim.run(5.0)
    signal = signals(cells.get_data())["v"]
    assert float(signal.t_start) == 5.0 and signal.shape == (101, 4)
    assert np.isnan(signal.magnitude[:50, 2:]).all()
    expected = -65.0 + 2.0 * np.arange(4) * (1 - np.exp(-np.arange(50, 151)[:, None] / 200.0))
    known = ~np.isnan(signal.magnitude)
    assert known.sum() == 2 * 101 + 2 * 51
    np.testing.assert_allclose(signal.magnitude[known], expected[known], rtol=0, atol=1e-11)


def test_an_assembly_puts_its_parts_side_by_side(sim):
    one, two = cells_with_offsets(sim, 3), cells_with_offsets(sim, 2)
    both = one + two
    both.record("v")
    both[1:4].record("isyn_exc")
    sim.run(5.0)
    found = signals(both.get_data())
    assert found["v"].shape == (51, 5) and found["isyn_exc"].shape == (51, 3)
    np.testing.assert_array_equal(found["v"].magnitude[:, 3:], signals(two.get_data())["v"].magnitude)


def test_recording_changes_no_spike(sim):
    def spikes(record):
        sim.setup(timestep=0.1, seed=1)
        _, neurons, _ = driven(sim)
        if record:
            neurons.record(["v", "isyn_exc"])
        sim.run(60.0)
        return np.asarray(neurons.get_data().segments[0].spiketrains.multiplexed[1])
    assert spikes(False).size == 3
    np.testing.assert_array_equal(spikes(False), spikes(True))


def test_files_hold_signals(sim, tmp_path):
    cells = cells_with_offsets(sim)
    cells.record("v")
    sim.run(5.0)
    sim.reset()
    sim.run(3.0)
    cells.write_data(str(tmp_path / "v.pkl"))
    blocks = [neo.get_io(str(tmp_path / "v.pkl")).read_block()]
    try:
        import nixio  # noqa: F401
    except ImportError:
        pass
    else:
        cells.write_data(str(tmp_path / "v.nix"))
        blocks.append(neo.NixIO(str(tmp_path / "v.nix"), mode="ro").read_block())
    for block in blocks:
        assert [signals(block, k)["v"].shape for k in range(2)] == [(51, 4), (31, 4)]
        np.testing.assert_array_equal(signals(block)["v"].magnitude, signals(cells.get_data())["v"].magnitude)


def test_an_arrival_at_the_seam_of_two_runs_is_in_the_sample_there(sim):
    def current(*stops):
        sim.setup(timestep=0.1)
        _, neurons, _ = driven(sim)
        neurons.record("isyn_exc")
        for stop in stops:
            sim.run_until(stop)
        return signals(neurons.get_data())["isyn_exc"].magnitude[:, 0]
    assert current(6.0)[-1] == 0.0
    assert current(6.0, 10.0)[60] == 12.0
    np.testing.assert_allclose(current(6.0, 10.0), current(10.0), rtol=0, atol=1e-12)
