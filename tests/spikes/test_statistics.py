"""Rates, CV, correlations and distances of random Neo Blocks against elephant, called on their trains one by one."""

import logging

import neo
import numpy as np
import pytest
import quantities as pq

from tests.spikes import random_neo
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.files import nix_files
from ttfs_pynn.spikes.pairing import pair_recordings
from ttfs_pynn.spikes.recordings import Recording, recordings_of
from ttfs_pynn.spikes.statistics import correlations, distances, draw_pairs, intervals, irregularity, rates

IN_ORDER = {"source_index": lambda t: t.annotations["source_index"], "channel_id": lambda t: t.annotations["channel_id"],
            "channel_id, unit": lambda t: (t.annotations["channel_id"], t.annotations["unit"]), "name": lambda t: t.name}


def by_unit(block, recording):
    """For each unit of the recording its trains, sorted and in ms, one a trial, straight from the Neo objects."""
    found = []
    for n, unit in enumerate(recording.units):
        trains = []
        for segment in block.segments:
            (one,) = (t for k, t in enumerate(segment.spiketrains)
                      if (k == n if recording.identity == "position" else IN_ORDER[recording.identity](t) == unit))
            trains.append(neo.SpikeTrain(np.sort(one.rescale("ms").magnitude), units="ms", t_start=one.t_start.rescale("ms"),
                                         t_stop=one.t_stop.rescale("ms")))
        found.append(trains)
    return found


@pytest.fixture
def elephant():
    found = pytest.importorskip("elephant", reason="make test-simulators installs it")
    import elephant.conversion
    import elephant.spike_train_correlation
    import elephant.spike_train_dissimilarity
    import elephant.statistics  # noqa: F401
    logging.getLogger("elephant").setLevel(logging.ERROR)  # it tells of each spike that its binning moves
    return found


def through_a_file(block, path):
    """The same, written by Neo and read again."""
    with neo.io.NixIO(str(path), "ow") as file:
        file.write_block(block)
    return nix_files.read_blocks(path)[0]


@pytest.mark.filterwarnings("ignore:Binning discarded", "ignore:Detected empty spike trains", "ignore:invalid value",
                            "ignore:The 'copy' argument", "ignore:the matrix subclass")
@pytest.mark.parametrize("seeds", [range(20), pytest.param(range(20, 200), marks=pytest.mark.slow)], ids=["20", "180"])
def test_random_files_have_the_statistics_that_elephant_has(seeds, elephant, tmp_path):
    """Both round differently: to 1e-9 of the value. A tenth of them goes through a NIX file."""
    compared = np.zeros(4, dtype=int)
    for seed in seeds:
        block = random_neo.block(seed)
        read = through_a_file(block, tmp_path / "one.nix") if seed % 10 == 0 else block
        (recording,) = recordings_of(read)
        trains = by_unit(block, recording)
        assert len(trains) == len(block.segments[0].spiketrains)
        compared += [_rates(elephant, recording, trains), _irregularity(elephant, recording, trains),
                     _correlations(elephant, recording, trains), _distances(elephant, recording, trains, seed)]
    assert compared.min() > 2 * len(seeds), "there is something to compare"


def _rates(elephant, recording, trains):
    """Trials are pooled: the mean of elephant's rates, each weighted with its time."""
    durations = [[float((t.t_stop - t.t_start).rescale("s")) for t in each] for each in trains]
    expected = [np.average([float(elephant.statistics.mean_firing_rate(t).rescale("Hz")) for t in each], weights=weights)
                for each, weights in zip(trains, durations, strict=True)]
    np.testing.assert_allclose(rates(recording), expected, rtol=1e-9)
    return len(expected)


def _irregularity(elephant, recording, trains):
    pooled = [np.concatenate([elephant.statistics.isi(t).magnitude for t in each]) for each in trains]
    for found, each in zip(intervals(recording), pooled, strict=True):
        np.testing.assert_allclose(found, each, rtol=1e-6, atol=1e-9)
    expected = [elephant.statistics.cv(each) if each.size >= 3 else np.nan for each in pooled]
    np.testing.assert_allclose(irregularity(recording), expected, rtol=1e-9)
    return np.isfinite(expected).sum()


def _correlations(elephant, recording, trains, width=5.0):
    """Trials are pooled: elephant's coefficient of the bins of all trials, one behind the other."""
    found = correlations(recording, width)
    first, second = draw_pairs(len(trains), 10**6, np.random.default_rng(0))
    finite = 0
    for value, i, j in zip(found, first, second, strict=True):
        parts = []
        for a, b in zip(trains[i], trains[j], strict=True):
            start, stop = max(a.t_start, b.t_start), min(a.t_stop, b.t_stop)
            if stop - start >= width * pq.ms:
                parts.append(elephant.conversion.BinnedSpikeTrain([a, b], bin_size=width * pq.ms, t_start=start, t_stop=stop))
        counts = np.concatenate([binned.to_array() for binned in parts], axis=1) if parts else np.zeros((2, 0))
        if counts.shape[1] == 0 or not counts.std(axis=1).all():
            assert np.isnan(value)
            continue
        finite += 1
        if len(parts) == 1:
            expected = elephant.spike_train_correlation.correlation_coefficient(parts[0])[0, 1]
        else:
            joined = elephant.conversion.BinnedSpikeTrain(counts, bin_size=width * pq.ms, t_start=0 * pq.ms,
                                                          t_stop=counts.shape[1] * width * pq.ms)
            expected = elephant.spike_train_correlation.correlation_coefficient(joined)[0, 1]
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-12)
    return finite


def _distances(elephant, recording, trains, seed):
    """Of the recording from another one of the same units, whose trains are shuffled."""
    rng = np.random.default_rng([seed, 5])
    moved = [[neo.SpikeTrain(np.clip(t.magnitude + rng.normal(0, 3, len(t)), t.t_start.item(), t.t_stop.item()), units="ms",
                             t_start=t.t_start, t_stop=t.t_stop) for t in each] for each in trains]
    other = Recording.from_arrays([np.empty(0)] * len(trains), 0, 1)
    order = rng.permutation(len(trains)) if recording.identity != "position" else np.arange(len(trains))
    made = recordings_of(_block([[moved[n][k] for n in order] for k in range(len(trains[0]))]))[0]
    other = Recording("population", tuple(recording.units[n] for n in order), made.trials, recording.identity)
    (pair,), _ = pair_recordings([recording], [other])
    found = distances(pair, cost=0.2, tau=7.0)
    for (i, _), values in zip(pair.units, found, strict=True):
        both = list(zip(trains[i], moved[i], strict=True))
        victor = [elephant.spike_train_dissimilarity.victor_purpura_distance(list(two), 0.2 / pq.ms)[0, 1] for two in both]
        rossum = [elephant.spike_train_dissimilarity.van_rossum_distance(list(two), 7.0 * pq.ms)[0, 1] for two in both]
        np.testing.assert_allclose(values, [np.mean(victor), np.mean(rossum)], rtol=1e-7, atol=1e-7)
    return len(found)


def _block(trials):
    whole = neo.Block(name="population")
    for trains in trials:
        whole.segments.append(neo.Segment())
        whole.segments[-1].spiketrains.extend(trains)
    return whole


def test_each_pair_is_drawn_once():
    for n, most in ((10, 2000), (50, 100), (300, 1000), (100_000, 50)):
        first, second = draw_pairs(n, most, np.random.default_rng(1))
        assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == first.size == min(most, n * (n - 1) // 2)
        assert (first >= 0).all() and (first < second).all() and second.max() < n
    assert draw_pairs(1, 10, np.random.default_rng(0))[0].size == 0


def test_a_silent_neuron_has_a_rate_and_no_irregularity():
    recording = Recording.from_arrays([[], [10.0, 20.0, 30.0, 40.0]], 0.0, 1000.0)
    assert rates(recording).tolist() == [0.0, 4.0]
    assert np.isnan(irregularity(recording)[0]) and irregularity(recording)[1] == 0
    assert np.isnan(correlations(recording)).all()
    assert np.isnan(rates(Recording.from_arrays([[]], 5.0, 5.0))).all(), "no time, no rate"
    with pytest.raises(ConfigurationError, match="bins of 0 ms; give a width above 0"):
        correlations(recording, 0.0)


def test_the_start_that_is_left_out_is_of_each_train():
    recording = Recording.from_arrays([np.arange(0, 100, 1.0), np.arange(500, 1500, 10.0)], [0.0, 500.0], [100.0, 1500.0])
    left = recording.without_start(0.5)
    assert [t.t_start for t in left.trains()] == [50.0, 1000.0]
    np.testing.assert_allclose(rates(left), [1000.0, 100.0])
