import neo
import numpy as np
import pytest
import quantities as pq

from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.windows import Presentation, PresentationError, Timing, in_windows, spikes_of


def segment_of(ids, times, as_trains=False):
    segment = neo.Segment()
    if as_trains:
        for i in np.unique(ids):
            segment.spiketrains.append(neo.SpikeTrain(times[ids == i] * pq.ms, t_stop=1e6 * pq.ms, channel_id=int(i)))
    else:
        segment.spiketrains = neo.spiketrainlist.SpikeTrainList.from_spike_time_array(
            times * pq.ms, ids, np.unique(ids), t_stop=1e6 * pq.ms)
    return segment


@pytest.mark.parametrize("n_copies", [1, 3, 10])
@pytest.mark.parametrize("as_trains", [False, True])
def test_times_come_back_from_their_windows(n_copies, as_trains):
    """What goes in as spike trains comes back as first spikes: to rounding of times of up to 10 windows."""
    rng = np.random.default_rng(0)
    times = rng.uniform(0, 90, (10, 4))
    times[rng.random(times.shape) < 0.2] = np.inf
    p = Presentation(10, 100.0, n_copies)
    trains = p.spike_trains(times)
    assert len(trains) == 4 * n_copies and all((np.diff(train) > 0).all() for train in trains)
    ids = np.repeat(np.arange(len(trains)) + 17, [train.size for train in trains])
    shuffled = rng.permutation(ids.size)
    found = p.first_spikes(segment_of(ids[shuffled], np.concatenate(trains)[shuffled], as_trains), np.arange(len(trains)) + 17)
    assert np.isfinite(times).sum() > 20
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(times))
    np.testing.assert_allclose(found[np.isfinite(found)], times[np.isfinite(times)], atol=1e-12)


@pytest.mark.parametrize("unit", [1.0, 0.001])
def test_a_spike_where_a_window_begins_belongs_to_it(unit):
    """k window is rounded, and k window // window is k - 1 for half of the windows; recordings in other units round again."""
    rng, lost = np.random.default_rng(3), 0
    for window in rng.uniform(50, 400, 40):
        p = Presentation(60, window, deadline=window / 3)
        times = np.concatenate(p.spike_trains(np.zeros((60, 1)))) / unit
        lost += (np.floor_divide(times * unit, window) != np.arange(60)).sum()
        found = p.first_spikes(segment_of(np.zeros(60, dtype=int), times), [0], unit)
        assert found.min() == 0 and found.max() < 1e-10
    assert lost > 500


def test_compiled_first_spikes_are_those_of_the_plain_formula():
    """Bit for bit, a rounding, 1e-9 windows or a tick around the begin of windows, in order of time or not."""
    rng, compared = np.random.default_rng(0), 0
    for case in range(400):
        window, n_windows = 10.0 ** rng.uniform(-2, 5), int(rng.integers(1, 200))
        tick, scale = (0.0, 1e-4 * window)[case % 2], (1.0, 1000.0)[case // 2 % 2]
        times = rng.integers(0, n_windows + 1, 60) * window + rng.choice([0, 1], 60) * rng.uniform(0, window, 60)
        times += rng.choice([-1, 0, 1], 60) * rng.choice([1e-7, 1e-9, 1e-10, 1e-15], 60) * window * rng.integers(1, 4, 60)
        times = (times - rng.choice([0, 1], 60) * tick * rng.uniform(0.5, 1.5, 60)) / scale
        times = np.sort(times) if case % 3 else times
        ids, p = rng.integers(3, 9, 60), Presentation(n_windows, window, deadline=window * rng.uniform(0, 1), tick=tick)
        expected = np.full((n_windows, 4), np.inf)
        for cell, number, relative in zip(ids, *in_windows(times * scale, window, tick), strict=True):
            if 4 <= cell < 8 and 0 <= number < n_windows and relative < p.last_read:
                expected[number, cell - 4] = min(expected[number, cell - 4], relative)
        compared += np.isfinite(expected).sum()
        np.testing.assert_array_equal(p.first_spikes(segment_of(ids, times), np.arange(4, 8), scale), expected)
    assert compared > 3000


def test_ticks_round_down():
    """A time stamp may be up to a tick before the window, and is at its beginning."""
    p = Presentation(3, 100.0, deadline=60.0, tick=0.008)
    segment = segment_of(np.zeros(3, dtype=int), np.array([0.0, 99.9925, 199.991]))
    np.testing.assert_array_equal(p.first_spikes(segment, [0]), [[0], [0], [np.inf]])


def test_only_the_first_spike_before_the_deadline_counts():
    p = Presentation(3, 100.0, deadline=60.0)
    segment = segment_of(np.array([5, 5, 6, 5, 9]), np.array([30.0, 20.0, 170.0, 210.0, 10.0]))
    np.testing.assert_array_equal(p.first_spikes(segment, [5, 6]), [[20, np.inf], [np.inf, np.inf], [10, np.inf]])
    np.testing.assert_array_equal(p.first_spikes(segment, [6, 5]), [[np.inf, 20], [np.inf, np.inf], [np.inf, 10]])
    assert p.first_spikes(neo.Segment(), [5, 6]).shape == (3, 2)


@pytest.mark.parametrize("n_cells", [2, 300])
def test_of_several_spikes_in_order_of_time_the_first_counts(n_cells):
    ids, times = np.tile(np.arange(n_cells), 2), np.concatenate([np.full(n_cells, 20.0), np.full(n_cells, 55.0)])
    found = Presentation(1, 100.0).first_spikes(segment_of(ids, times), np.arange(n_cells))
    np.testing.assert_array_equal(found, np.full((1, n_cells), 20.0))


def test_times_are_rescaled_to_ms():
    segment = neo.Segment()
    segment.spiketrains.append(neo.SpikeTrain([0.02] * pq.s, t_stop=1 * pq.s, channel_id=3))
    ids, times = spikes_of(segment)
    assert ids.tolist() == [3] and times == pytest.approx([20.0])


@pytest.mark.parametrize("time", [-0.1, 100.0, np.nan, -np.inf])
def test_times_outside_their_window(time):
    with pytest.raises(PresentationError, match="outside its window of 0 to 100 ms; use inf"):
        Presentation(2, 100.0).spike_trains(np.array([[1.0, 2.0], [3.0, time]]))


def test_trains_without_channel_ids():
    segment = neo.Segment()
    segment.spiketrains.append(neo.SpikeTrain([1.0] * pq.ms, t_stop=2 * pq.ms))
    with pytest.raises(PresentationError, match="channel_id"):
        spikes_of(segment)


def test_window_and_refractoriness_follow_the_time_constants():
    neurons = [LIFParameters(tau_m=20.0, tau_syn=10.0), LIFParameters(tau_m=10.0, tau_syn=10.0)]
    timing = Timing.derive(1.5, 20.0, neurons)
    assert timing.deadline == 20 + 3 * 30
    # What a spike at the deadline leaves has decayed to 1e-12 at the end of the window.
    assert np.exp(-(timing.window - timing.deadline) / 20.0) <= 1.0001e-12
    assert timing.deadline + timing.tau_refrac <= timing.window
    assert 1.5 + timing.tau_refrac >= timing.deadline
    on_grid = timing.on_grid(0.7)
    assert on_grid.window % 0.7 < 1e-9 or 0.7 - on_grid.window % 0.7 < 1e-9
    assert 0 <= on_grid.window - timing.window < 0.7 and on_grid.deadline + on_grid.tau_refrac <= on_grid.window + 1e-9
    single = Timing.derive(1.5, 20.0, neurons, single=True)
    assert single.window == single.deadline == timing.deadline


@pytest.mark.parametrize("options, text", [
    ({"window": 50.0}, "too short.*use at least"),
    ({"deadline": 10.0}, "not after the last input"),
    ({"t_early": 30.0}, "early <= late"),
    ({"single": True, "window": 20.0}, "before the deadline"),
])
def test_what_does_not_fit(options, text):
    with pytest.raises(PresentationError, match=text):
        Timing.derive(**{"t_early": 1.5, "t_late": 20.0, "neurons": [LIFParameters()], **options})


def test_no_leak_needs_a_copy_a_sample():
    with pytest.raises(PresentationError, match="copy of its own"):
        Timing.derive(1.5, 20.0, [LIFParameters(tau_m=np.inf)])
    assert Timing.derive(1.5, 20.0, [LIFParameters(tau_m=np.inf)], single=True).window > 20
