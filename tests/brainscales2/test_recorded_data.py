"""Recorded data as users of PyNN and scripts for the adapter read them."""

import pickle
import time
import warnings

import neo
import numpy as np
import pytest

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.helpers import IDEAL, connect, recorded, source_and_neurons, spikes
from ttfs_pynn.brainscales2 import RunCommand


def test_spike_counts():
    neurons = recorded(3)
    assert neurons.get_spike_counts() == {int(cell): 1 for cell in neurons}
    assert neurons.mean_spike_count() == 1.0
    assert neurons[0:1].get_spike_counts() == {int(neurons[0]): 1}


@pytest.mark.parametrize("ending", ["pkl", "mat"])
def test_a_file_at_the_end(tmp_path, ending):
    path = tmp_path / f"data.{ending}"
    source, neurons = source_and_neurons(2, (0.01,), non_idealities=IDEAL)
    connect(source[0:1], neurons, 300)
    neurons.record(["spikes", "v"], to_file=str(path), device="cadc")
    pynn.run(0.05)
    assert not path.exists()
    pynn.end()
    assert path.stat().st_size > 100
    if ending == "pkl":
        segment, = neo.io.PickleIO(str(path)).read_block().segments
        assert [train.size for train in segment.spiketrains] == [1, 1]
        assert len(segment.irregularlysampledsignals) == 2


def test_data_stay_readable_after_the_end():
    neurons = recorded(2)
    before = spikes(neurons)
    pynn.end()
    pynn.end()  # twice is no error
    assert all(np.array_equal(a, b) for a, b in zip(before, spikes(neurons), strict=True))
    pynn.setup()
    assert len(spikes(neurons)) == 2


def test_signals():
    source, neurons = source_and_neurons(2, (0.01,), non_idealities=IDEAL)
    neurons.record("v")
    pynn.run(0.02, RunCommand.APPEND)
    pynn.run(0.02)
    signals = neurons.get_data("v").segments[0].irregularlysampledsignals
    assert len(signals) == 4  # a neuron and snippet each
    for signal in signals:
        assert signal.base.magnitude.size == len(signal) and signal.shape == (len(signal), 1) and signal.dtype == np.float32
        assert str(signal.times.units.dimensionality) == "ms" and signal.annotations["device"] == "madc"
        assert signal.name == "v" and signal.annotations["source_population"] == neurons.label
    assert signals[-1].times.magnitude.min() >= 0.02 - 1e-6


def test_blocks_can_be_pickled():
    neurons = recorded(2)
    block = pickle.loads(pickle.dumps(neurons.get_data()))
    assert [train.size for train in block.segments[0].spiketrains] == [1, 1]
    assert block.annotations["size"] == 2 and block.name == neurons.label


def test_get_data_does_not_slow_down_with_segments():
    """Linear in their number: three times as many take less than nine times (quadratic) as long, by far; the best of three."""
    neurons = recorded(2)

    def seconds(runs):
        for _ in range(runs):
            pynn.reset()
            pynn.run(0.02)
        took = []
        for _ in range(3):
            begin = time.perf_counter()
            count = len(neurons.get_data().segments)
            took.append(time.perf_counter() - begin)
        return count, min(took)

    (few, short), (many, long) = seconds(100), seconds(200)
    assert (few, many) == (101, 301)
    assert long < 6 * short + 0.02


def test_get_data_in_a_loop_makes_each_segment_once():
    """A training loop reads the last segment after each run: twice as many runs take about twice as long, not four times."""
    def seconds(runs):
        _, neurons = source_and_neurons(2, (0.001,), non_idealities=IDEAL)
        neurons.record(["spikes", "v"])
        begin = time.perf_counter()
        for _ in range(runs):
            pynn.run(0.02)
            assert len(neurons.get_data().segments[-1].irregularlysampledsignals) == 2
            pynn.reset()
        return time.perf_counter() - begin

    seconds(2)
    short, long = min(seconds(100) for _ in range(2)), seconds(200)
    assert long < 3.2 * short


def test_blocks_do_not_share_segments():
    neurons = recorded(2)
    pynn.reset()
    pynn.run(0.1)
    first, second = neurons.get_data(), neurons.get_data()
    assert first.segments[0] is not second.segments[0] and len(first.segments) == 2
    assert first.segments[0].block is first and second.segments[0].block is second
    assert [train.size for train in first.segments[0].spiketrains] == [train.size for train in second.segments[0].spiketrains]
    assert len(neurons[0:1].get_data().segments[0].spiketrains) == 1
    block = pickle.loads(pickle.dumps(second))
    assert len(block.segments) == 2 and len(block.segments[0].spiketrains) == 2


def test_spikes_after_the_end_are_noticed():
    """As where somebody gives microseconds."""
    source_and_neurons(1, (10.0, 20.0))
    with pytest.warns(UserWarning, match="after the end of the run, 0.1 ms.*10 ms"):
        pynn.run(0.1)


def test_descriptions_are_kept_until_something_changes():
    neurons = recorded(2)
    text = neurons.describe()
    assert neurons.label in text and neurons.describe() is text
    neurons.label = "renamed"
    assert "renamed" in neurons.describe()
    with pytest.raises(KeyError, match="nosuchengine"):
        neurons.describe(engine="nosuchengine")


def test_clearing_data():
    neurons = recorded(2)
    assert sum(train.size for train in neurons.get_data(clear=True).segments[-1].spiketrains) == 2
    pynn.reset()
    pynn.run(0.1)
    block = neurons.get_data()
    assert sum(train.size for train in block.segments[-1].spiketrains) == 2


def test_calibration_results_can_be_changed():
    neurons = recorded(2)
    pynn.reset()
    assert len(neurons.actual_hwparams) == len(neurons.calib_hwparams) == 2
    neurons[0:1].actual_hwparams[0].threshold.enable = False
    pynn.run(0.1)
    assert [train.size for train in spikes(neurons)] == [0, 1]
    assert neurons.calib_hwparams[0].threshold.enable
    pynn.reset()
    neurons.set(v_thresh=124)  # a new calibration
    pynn.run(0.1)
    assert [train.size for train in spikes(neurons)] == [1, 1]
    assert neurons.calib_target["v_thresh"].tolist() == [124, 124]


def test_poisson_spikes_stay_until_a_parameter_changes():
    pynn.setup(seed=3, non_idealities=IDEAL)
    source = pynn.Population(4, pynn.cells.SpikeSourcePoisson(start=0.01, rate=1e6, duration=0.05))
    source.record("spikes")
    found = []
    for rate in (1e6, 1e6, 2e6):
        source.set(rate=rate)
        pynn.run(0.1)
        found.append(spikes(source))
        pynn.reset()
    assert all(np.array_equal(a, b) for a, b in zip(found[0], found[1], strict=True))
    counts = [sum(map(len, each)) for each in found]
    assert abs(counts[0] - 200) < 4 * 200 ** 0.5 and abs(counts[2] - 400) < 4 * 400 ** 0.5
    assert all(train.size and train.min() >= 10 - 0.01 and train.max() < 60 for train in found[0])


def test_no_warnings_in_an_ordinary_experiment():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        neurons = recorded(3)
        pynn.reset()
        pynn.run(0.1)
        neurons.get_data()
        pynn.end()
