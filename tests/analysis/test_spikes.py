"""Figures of recordings from anywhere: Neo blocks, NIX files, records of a comparison."""

import time
import tracemalloc

import neo
import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.analysis.graphs import chain
from tests.comparison.networks import small_record
from ttfs_pynn.analysis import error_against_dt, membrane, raster, spike_statistics, style, tuning, weight_histogram
from ttfs_pynn.analysis.neo_files import as_recording, block_of, read_blocks, read_recordings
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.spikes.pairing import pair_recordings
from ttfs_pynn.spikes.statistics import distances


@pytest.fixture
def axes():
    return Figure().subplots()


def poisson_block(seed, n=30, rate=20.0, duration=1000.0):
    rng = np.random.default_rng(seed)
    k = rng.poisson(n * rate * duration / 1000)
    return block_of(rng.integers(0, n, k), rng.uniform(0, duration, k), n, duration, "cells")


@pytest.fixture
def nix(tmp_path):
    """A file as another tool would write it: trains without PyNN's annotations, and a membrane signal."""
    import quantities as pq
    block, segment = neo.Block(name="elsewhere"), neo.Segment()
    for k in range(6):
        segment.spiketrains.append(neo.SpikeTrain(np.arange(5.0 + k, 100.0, 12.0), units="ms", t_stop=100.0))
    segment.analogsignals.append(neo.AnalogSignal(np.linspace(-65, -50, 200).reshape(100, 2), units="mV",
                                                  sampling_period=1.0 * pq.ms, name="v"))
    block.segments.append(segment)
    with neo.io.NixIO(str(tmp_path / "spikes.nix"), "ow") as file:
        file.write_block(block)
    return tmp_path / "spikes.nix"


def test_spikes_from_a_file_recorded_elsewhere(nix):
    (recording,) = read_recordings(nix).values()
    rows, times = recording.flat()
    assert np.bincount(rows).tolist() == [8] * 6 and times.min() == 5 and recording.span == (0, 100)
    np.testing.assert_allclose(recording.trials[0][2].times[:2], [7.0, 19.0])


def test_blocks_of_one_name_are_all_read(tmp_path):
    """Here with a third one that already has the name that the second one gets."""
    with neo.io.NixIO(str(tmp_path / "three.nix"), "ow") as file:
        file.write_all_blocks([block_of([0], [1.0], size, 10.0, name) for size, name in ((1, "a"), (2, "a"), (3, "a 2"))])
    read = read_recordings(tmp_path / "three.nix")
    assert {label: len(recording.units) for label, recording in read.items()} == {"a": 1, "a 2": 2, "a 2 2": 3}
    assert [recording.name for recording in read.values()] == ["a", "a", "a 2"], "those of the file, to be paired"


@pytest.mark.parametrize("command, options", [
    (raster, []), (raster, ["--other", "FILE"]), (spike_statistics, []), (membrane, ["--threshold", "-50"])])
def test_commands_draw_a_nix_file(command, options, nix, capsys):
    output = nix.parent / "picture.png"
    command.main([str(nix), "--output", str(output), *(str(nix) if o == "FILE" else o for o in options)])
    assert output.stat().st_size > 5000 and str(output) in capsys.readouterr().out


def test_statistics_of_a_run_folder_are_of_all_that_was_recorded(tmp_path, capsys):
    folder = RunFolder.create(tmp_path / "run", {"model": "x"})
    with pytest.raises(ResultsError, match="holds no spikes yet"):
        spike_statistics.main([str(folder.path)])
    early = block_of([0, 1, 1], [2.0, 3.0, 4.0], 4, 100.0)  # a first-spike recording: silent after a tenth of it
    folder.write_graph(chain())
    for name in ("after_input", "after_layer0", "mine"):
        folder.write_spikes(name, early)
    spike_statistics.main([str(folder.path)])
    first, second, third, *notes, picture = capsys.readouterr().out.splitlines()
    assert first.startswith("after_layer0: 4 neurons, rate 7.5 +- ") and second.startswith("after_input: ")
    assert third.startswith("mine: "), "written by somebody's own script"
    assert notes == ["note: nothing to say of the CV of intervals: no neuron has 3 intervals"]
    assert picture == str(folder.path / "figures" / "spike_statistics.png")
    spike_statistics.main([str(folder.path), "--skip", "0.1"])
    assert "rate 0 +- 0 Hz" in capsys.readouterr().out
    with pytest.raises(ConfigurationError, match="--skip 1: give a share"):
        spike_statistics.main([str(folder.path), "--skip", "1"])


def test_membranes_are_not_in_run_folders(tmp_path):
    RunFolder.create(tmp_path / "run", {"model": "x"})
    with pytest.raises(ResultsError, match=r"holds spikes only; record v with population.record\('v'\)"):
        membrane.main([str(tmp_path / "run")])


def test_files_that_cannot_be_read_are_clear_errors(tmp_path):
    with pytest.raises(ResultsError, match="there is no file"):
        read_blocks(tmp_path / "none.nix")
    (tmp_path / "bad.nix").write_text("no spikes")
    with pytest.raises(ResultsError, match="cannot be read as HDF5: .*; it may be damaged, or of another kind"):
        read_blocks(tmp_path / "bad.nix")
    with pytest.raises(ResultsError, match="no picture can be written as .docx; end the name in one of .*.png"):
        raster.main([str(tmp_path / "bad.nix"), "--output", "raster.docx"])
    with pytest.raises(ResultsError, match="without suffix"):
        style.checked_picture("raster")


def test_a_million_spikes_of_ten_thousand_neurons_are_drawn_in_seconds(axes, tmp_path):
    """A process of its own needs 190 MB in all and 1.5 s; the limit leaves room for a busy machine."""
    rng = np.random.default_rng(0)
    block = block_of(rng.integers(0, 10_000, 1_000_000), rng.uniform(0, 1000, 1_000_000), 10_000, 1000.0)
    tracemalloc.start()
    begin = time.process_time()
    with style.figure(tmp_path / "raster.pdf") as panel:
        raster.draw(panel, {"neurons": block})
    seconds, peak = time.process_time() - begin, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 5 and peak < 5e8
    assert (tmp_path / "raster.pdf").stat().st_size < 3e6  # pixels, not a million paths


def test_class_names_stand_beside_the_last_layer(axes):
    blocks = {"layer0": poisson_block(1), "layer1": block_of([0, 1, 2], [5.0, 7.0, 9.0], 3, 100.0)}
    raster.draw(axes, blocks, class_names=("yin", "yang", "dot"))
    assert {"yin", "yang", "dot"} <= {text.get_text() for text in axes.texts}


def test_overlaid_raster_draws_both_and_samples_are_marked(axes):
    record = small_record(n=4)
    blocks = raster.record_blocks(record)
    raster.draw_overlaid(axes, blocks, blocks, stop=400.0, names=("exact", "nest"))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["exact", "nest"]
    points = sum(len(c.get_offsets()) for c in axes.collections)
    assert points == 2 * (record.times < 400).sum()
    raster.mark_samples(axes, 100.0, [0, 1, 0], ("yin", "yang"))
    assert [t.get_text() for t in axes.texts] == ["yin", "yang", "yin"]


def test_statistics_counts_and_distributions(axes):
    a, b = poisson_block(1), poisson_block(2)
    panels = Figure().subplots(1, 4)
    assert spike_statistics.draw(panels, [spike_statistics.values_of(block) for block in (a, b)], ("x", "y")) is panels
    assert [text.get_text()[:7] for text in panels[0].get_legend().get_texts()] == ["x, mean", "y, mean"], "what is dotted"
    counts = spike_statistics.counts_per_sample(a, 100.0, 10)
    assert counts.shape == (10, 30) and counts.sum() == len(as_recording(a).flat()[1])
    spike_statistics.draw_counts(axes, counts, np.arange(10) % 2, ("yin", "yang"))
    assert len(axes.patches) == 2 and axes.patches[0].get_height() == pytest.approx(counts[::2].sum(axis=1).mean())


def test_distances_through_elephant():
    pytest.importorskip("elephant", reason="make test-simulators installs it")
    a, b = (as_recording(block_of([0], [time], 2, 100.0)) for time in (10.0, 13.0))
    victor, rossum = distances(pair_recordings([a], [b])[0][0], cost=0.1).T
    np.testing.assert_allclose(victor, [0.3, 0.0])  # moved by 3 ms at 0.1 per ms
    np.testing.assert_allclose(rossum, [np.sqrt(2 * (1 - np.exp(-0.3))), 0.0], rtol=1e-6)
    assert distances(pair_recordings([a], [a])[0][0]).tolist() == [[0, 0], [0, 0]]


def test_membrane_marks_causal_inputs(axes):
    before, after = membrane.causal_inputs([1.0, 4.0, 9.0], 5.0)
    assert before.tolist() == [1, 4] and after.tolist() == [9]
    t = np.arange(0, 10, 0.1)
    assert membrane.draw(axes, t, -65 + t, -60.0, [5.0], before, after) is axes
    assert "threshold" in {text.get_text() for text in axes.texts}


def test_tuning_and_weights(axes, tmp_path):
    record = small_record(n=6)
    first = tuning.first_spikes_of(record, "layer1")
    assert first.shape == (6, 3) and tuning.draw(axes, first, [0, 1, 2, 0, 1, 2]) is axes
    with pytest.raises(ResultsError, match="no population 'layer9'"):
        tuning.first_spikes_of(record, "layer9")
    folder = RunFolder.create(tmp_path / "run", {"network": {}})
    folder.write_parameters({f"{k}>E.weight": np.random.default_rng(k).normal(size=(7, 20)) for k in range(6)})
    weight_histogram.main([str(folder.path)])
    assert (folder.path / "figures" / "weight_histogram.png").stat().st_size > 5000


def test_error_against_dt_draws_every_simulator():
    panels = Figure().subplots(1, 2)
    own = {"mean_abs_error_ms": 0.05, "max_abs_error_ms": 0.1, "matched": 3}
    runs = [{"dt_ms": dt,
             "mean_abs_error_ms": dt / 2, "max_abs_error_ms": dt, "populations": [{"own_inputs": own}]} for dt in (1, 0.1)]
    error_against_dt.draw(panels, {"brian2": runs, "nest": runs})
    np.testing.assert_allclose(panels[0].get_lines()[1].get_ydata(), [0.05, 0.5])
