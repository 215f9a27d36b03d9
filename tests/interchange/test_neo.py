"""Recorded spikes open in Neo and elephant, with no code of ours."""

import neo
import pytest
import quantities as pq

from tests.small_networks import samples, small_network
from ttfs_pynn.runs.folder import RunFolder


def test_archives_open_in_neo_and_elephant(tmp_path):
    network, _ = small_network()
    recording = network.present(samples(6))
    folder = RunFolder.create(tmp_path / "run", {"seed": 1})
    for label, block in network.blocks(recording).items():
        folder.write_spikes(label, block)
    ids = set()
    for label, size in (("input", 4), ("bias0", 2), ("layer0", 30), ("bias1", 1), ("layer1", 3)):
        with neo.io.get_io(str(tmp_path / "run" / "spikes" / f"{label}.nix")) as file:
            blocks = file.read()
        trains = list(blocks[0].segments[0].spiketrains)
        assert len(blocks) == 1 and len(trains) == size and blocks[0].annotations["label"] == label
        for k, train in enumerate(trains):
            assert train.units == pq.ms and train.annotations["source_population"] == label
            assert train.annotations["source_index"] == k
            assert train.t_start == 0 and train.t_stop == pytest.approx(recording.presentation.duration * pq.ms)
            ids.add(int(train.annotations["channel_id"]))
    assert len(ids) == 40, "ids tell all cells of a network apart"
    statistics = pytest.importorskip("elephant.statistics", reason="make test-simulators installs it")
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient
    duration = recording.presentation.duration
    for train in trains:  # of the label neurons: one spike a sample at most
        assert statistics.mean_firing_rate(train).rescale("Hz") == pytest.approx(len(train) / duration * 1e3 * pq.Hz)
        assert (statistics.isi(train) > 1 * pq.ms).all()
    assert sum(map(len, trains)) > 6
    correlation = correlation_coefficient(BinnedSpikeTrain(trains, bin_size=network.timing.window * pq.ms, tolerance=None))
    assert correlation.shape == (3, 3)
