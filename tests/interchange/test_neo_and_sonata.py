"""Recorded spikes open in Neo and elephant, and PyNN's own SONATA export takes a layered network, with no code of ours."""

import neo
import numpy as np
import pytest
import quantities as pq
from pyNN.network import Network
from pyNN.parameters import Sequence

import ttfs_pynn.exact as sim
from tests.small_networks import samples, small_architecture, small_network
from ttfs_pynn.runs.folder import RunFolder


def test_archives_open_in_neo_and_elephant(tmp_path):
    network, _ = small_network()
    recording = network.present(samples(6))
    folder = RunFolder.create(tmp_path / "run", {"seed": 1})
    for label, block in recording.blocks().items():
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


def test_sonata_by_pynn_gives_the_same_network(tmp_path):
    pytest.importorskip("h5py")
    from pyNN.serialization import export_to_sonata, import_from_sonata
    network, weights = small_network(delay=0.1)
    t_in = samples(1)
    expected = [block.segments[0].spiketrains for block in network.present(t_in).layers]
    populations = [network.inputs, *(bias for bias in network.biases if bias is not None), *network.layers]
    held = {projection.label: projection.get("weight", format="array") for projection in network.projections}
    export_to_sonata(Network(*populations, *network.projections), str(tmp_path / "sonata"))

    sim.setup()
    found = import_from_sonata(str(tmp_path / "sonata" / "circuit_config.json"), sim)
    by_label = {}
    for projection in found.projections:  # PyNN 0.13 calls every population "0" and adds "-0" to projections
        label = projection.label.removesuffix("-0")
        assert np.array_equal(projection.get("weight", format="array"), held.pop(label))
        before, after = label.split()[0].split("->")
        by_label |= {before: projection.pre, after: projection.post}
    assert not held
    times = {"input": t_in[0]} | {f"bias{k}": layer.bias_times for k, layer in enumerate(small_architecture().layers)}
    for label, spikes in times.items():
        by_label[label].set(spike_times=[Sequence([t]) for t in spikes])
    for label in ("layer0", "layer1"):
        by_label[label].record("spikes")
        by_label[label].initialize(v=-65.0)
    sim.run(network.timing.window)
    for label, trains in zip(("layer0", "layer1"), expected, strict=True):
        again = by_label[label].get_data("spikes").segments[0].spiketrains
        assert sum(map(len, trains)) > 1
        assert all(np.array_equal(a.magnitude, b.magnitude) for a, b in zip(again, trains, strict=True))
