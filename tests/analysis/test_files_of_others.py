"""Commands on files as others make them: units, times and trials of their own, views, sorted units, membranes of every kind."""

import neo
import numpy as np
import pytest
import quantities as pq

import ttfs_pynn.brainscales2 as chip
import ttfs_pynn.exact as sim
from tests.comparison.networks import small_record
from tests.protocols.test_command_lines import fails
from ttfs_pynn.analysis import membrane, raster, results_page, spike_statistics, style, tuning
from ttfs_pynn.analysis.neo_files import read_recordings, record_blocks
from ttfs_pynn.comparison.record import write_records
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.runs.folder import RunFolder


def write(path, *blocks):
    with neo.io.NixIO(str(path), "ow") as file:
        for block in blocks:
            file.write_block(block)
    return str(path)


def block(*trials, name="rec"):
    whole = neo.Block(name=name)
    for trains in trials:
        whole.segments.append(neo.Segment())
        whole.segments[-1].spiketrains.extend(trains)
    return whole


def train(times, start, stop, **notes):
    return neo.SpikeTrain(np.asarray(times) * pq.s, t_start=start * pq.s, t_stop=stop * pq.s, **notes)


def told(capsys, command, *arguments):
    """What the command prints, without the name of its picture."""
    command.main([str(a) for a in arguments])
    return capsys.readouterr().out.splitlines()[:-1]


@pytest.fixture
def poisson():
    """Spike times (s) of four neurons in 5 s, one of them silent."""
    rng = np.random.default_rng(0)
    return [np.sort(rng.uniform(0, 5, rng.poisson(5 * rate))) for rate in (20, 10, 0, 40)]


def test_every_train_counts_over_its_own_time(tmp_path, capsys):
    rng = np.random.default_rng(1)
    short, long = train(rng.uniform(0, 1, 10), 0, 1), train(np.sort(rng.uniform(0, 10, 100)), 0, 10)
    before = [train(np.sort(rng.uniform(-1, 1, 20)), -1, 1) for _ in range(3)]
    for trains, n in (((short, long), 2), ((long, short), 2), (before, 3)):
        (line,) = told(capsys, spike_statistics, write(tmp_path / "one.nix", block(trains)), "--output", tmp_path / "p.png")
        assert line.startswith(f"rec: {n} neurons, rate 10 +- 0 Hz, ")
    (recording,) = read_recordings(tmp_path / "one.nix").values()
    rows, times, _ = raster.spikes(recording)
    assert len(times) == 60 and times.min() < -500, "all are drawn, at their own time"


def test_shifted_unsorted_sorted_by_channel_or_in_trials_the_statistics_are_the_same(poisson, tmp_path, capsys):
    rng = np.random.default_rng(2)
    made = {"a": [[train(t, 0, 5) for t in poisson]], "b": [[train(t + 100, 100, 105) for t in poisson]],
            "c": [[train(t - 1, -1, 4) for t in poisson]], "e": [[train(rng.permutation(t), 0, 5) for t in poisson]],
            "f": [[train(t, 0, 5, channel_id=k // 2, unit=k % 2) for k, t in enumerate(poisson)]],
            "d": [[train(t[(t >= j) & (t < j + 1)] - j, 0, 1) for t in poisson] for j in range(5)]}
    lines = {}
    for name, trials in made.items():
        (lines[name],) = told(capsys, spike_statistics, write(tmp_path / f"{name}.nix", block(*trials)))
    assert {line.split(", ", 1)[1] for name, line in lines.items() if name != "d"} == {lines["a"].split(", ", 1)[1]}
    # As elephant has it: mean_firing_rate, and cv(isi) of the three that spike.
    rates = np.array([t.size / 5 for t in poisson])
    cv = np.array([np.diff(t).std() / np.diff(t).mean() for t in poisson if t.size])
    assert lines["a"].startswith(f"rec: 4 neurons, rate {rates.mean():.4g} +- {rates.std():.2g} Hz, cv {cv.mean():.4g} +- ")
    assert lines["f"].startswith("rec: 4 units, ")
    assert lines["d"].startswith(f"rec: 4 neurons in 5 trials, pooled, rate {rates.mean():.4g} ")


def test_the_block_after_cleared_data_and_a_view(tmp_path, capsys):
    sim.setup(timestep=0.1)
    cells = sim.Population(10, sim.IF_curr_exp(i_offset=np.linspace(0.9, 1.4, 10), tau_m=20.0, cm=1.0, v_rest=-65, v_reset=-65,
                                               v_thresh=-50, tau_refrac=2.0), label="cells")
    cells[4:6].record("spikes")
    sim.run(1000.0)
    first = cells.get_data(clear=True)
    sim.run(1000.0)
    for k, data in enumerate((first, cells.get_data())):
        counts = [len(t) for t in data.segments[0].spiketrains]
        (line,) = told(capsys, spike_statistics, write(tmp_path / f"{k}.nix", data))
        assert line.startswith(f"cells: 2 of 10 neurons, rate {np.mean(counts):.4g} +- ") and min(counts) > 30


def test_a_regular_neuron_has_statistics(tmp_path, capsys):
    """NumPy 2 refuses to make bins between times that differ by rounding."""
    sim.setup(timestep=0.1)
    cell = sim.Population(1, sim.IF_curr_exp(i_offset=1.0), label="one")
    cell.record("spikes")
    sim.run(1000.0)
    line, note = told(capsys, spike_statistics, write(tmp_path / "one.nix", cell.get_data()))
    assert line.startswith("one: 1 neuron, rate 35 +- 0 Hz, cv ") and note.startswith("note: nothing to say of the correlation")


def test_a_file_compared_with_itself_is_0_apart_whatever_the_order(tmp_path, capsys):
    pytest.importorskip("elephant", reason="make test-simulators installs it")
    rng = np.random.default_rng(0)
    blocks = [block([train(np.sort(rng.uniform(0, 1, 20)), 0, 1, channel_id=k) for k in range(3)], name=name) for name in "ab"]
    same = write(tmp_path / "same.nix", *blocks)
    turned = write(tmp_path / "turned.nix", *(block(b.segments[0].spiketrains[::-1], name=b.name) for b in blocks[::-1]))
    for other in (same, turned):
        lines = told(capsys, spike_statistics, same, "--other", other)
        assert lines[-2:] == [f"{name}: distance, mean over 3 neurons: Victor-Purpura 0, van Rossum 0" for name in "ab"]
    told(capsys, raster, same, "--other", turned, "--output", tmp_path / "both.png")


def test_overlaid_are_the_same_neurons(tmp_path):
    """Those of the second recording are at the height of those of the first with their identity; others are not drawn."""
    from matplotlib.figure import Figure
    a = block([train([0.1 * (k + 1)], 0, 1, channel_id=k) for k in (0, 1, 2)])
    b = block([train([0.1 * (k + 1)], 0, 1, channel_id=k) for k in (2, 0, 9)])
    axes = raster.draw_overlaid(Figure().subplots(), {"rec": a}, {"rec": b})
    circles, dots = (np.asarray(c.get_offsets()) for c in axes.collections)
    assert len(circles) == 3 and sorted(dots[:, 0]) == pytest.approx([100.0, 300.0])
    heights = {round(x): y for x, y in circles}
    assert all(heights[round(x)] == y for x, y in dots)


def test_the_axis_of_a_part_is_the_true_one(tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(raster, "draw", lambda *a, draw=raster.draw, **k: drawn.append(draw(*a, **k)))
    path = write(tmp_path / "one.nix", block([train([0.1, 0.55, 0.9], 0, 1)]))
    raster.main([path, "--start", "500", "--stop", "700"])
    assert drawn[0].get_xlim() == (500, 700) and drawn[0].collections[-1].get_offsets()[0, 0] == pytest.approx(550)
    assert "nothing is between them" in fails(capsys, raster.main, path, "--start", "9", "--stop", "3")
    assert told(capsys, raster, path, "--start", 5000) == [f"note: no spike is in what is drawn; {path} was recorded from 0 to "
                                                           "1000 ms"]


def test_trials_are_rows_above_each_other():
    from matplotlib.figure import Figure
    trials = block([train([0.1], 0, 1), train([0.2], 0, 1)], [train([0.3], 0, 1), train([0.4], 0, 1)])
    axes = raster.draw(Figure().subplots(), {"rec": trials})
    ((_, low), (_, lower), (_, high), (_, higher)) = sorted(np.asarray(axes.collections[-1].get_offsets()).tolist(),
                                                            key=lambda point: (round(point[0]) // 100) % 2 == 0)
    assert low < lower < high < higher and axes.get_yticklabels()[0].get_text() == "rec\n2 trials"


def test_membranes_of_a_view_of_the_second_block_and_of_the_chip(tmp_path, capsys):
    sim.setup(timestep=0.1)
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[5.0, 20.0]), label="a_source")
    cells = sim.Population(10, sim.IF_curr_exp(i_offset=np.linspace(0.5, 1.4, 10)), label="cells")
    source.record("spikes")
    cells[6:8].record("v")
    cells.record("spikes")
    sim.run(50.0)
    sim.reset()
    sim.run(50.0)
    both = write(tmp_path / "both.nix", source.get_data(), cells.get_data())
    neurons, spikes = membrane._read(both, None)
    assert list(neurons) == [("cells", 6), ("cells", 7)] and [t.trial for t in neurons["cells", 6]] == [0, 1]
    assert told(capsys, membrane, both, "--neurons", 1) == ["note: drawn are 1 of 2 neurons; see --neurons and --population"]
    assert "no signal 'v' was recorded" in fails(capsys, membrane.main, both, "--population", "a_source")
    assert "unknown population 'cell'; did you mean 'cells'?" in fails(capsys, membrane.main, both, "--population", "cell")

    chip.setup(chip=3)
    neuron = chip.Population(1, chip.cells.CalibHXNeuronCuba(tau_m=10, tau_syn_E=10))
    inputs = chip.Population(4, chip.cells.SpikeSourceArray(spike_times=[0.01, 0.02]))
    chip.Projection(inputs, neuron, chip.AllToAllConnector(), chip.synapses.StaticSynapse(weight=40))
    neuron.record(["spikes", "v"])
    chip.run(0.1)
    data = neuron.get_data()
    chip.end()
    (trace,) = membrane.traces_of(data)
    assert (trace.number, trace.unit) == (0, "a.u.") and trace.values.size == trace.times.size > 1000
    assert told(capsys, membrane, write(tmp_path / "chip.nix", data)) == []


def test_latencies_of_a_file_a_folder_and_a_record(tmp_path, capsys):
    trials = block([train([0.2, 0.5], -1, 1), train([-0.5, 0.3], -1, 1)], [train([], -1, 1), train([0.1], -1, 1)])
    (recording,) = read_recordings(write(tmp_path / "trials.nix", trials)).values()
    # The stimulus is at 0, in the middle of the recording.
    np.testing.assert_allclose(tuning.first_spikes(recording), [[200.0, 300.0], [np.inf, 100.0]])
    np.testing.assert_allclose(tuning.first_spikes(recording, 250.0)[:2], [[200.0, np.inf], [np.inf, 50.0]])
    assert told(capsys, tuning, tmp_path / "trials.nix") == []
    assert "give the length of a sample in ms" in fails(capsys, tuning.main, str(tmp_path / "trials.nix"), "--window", "0")
    folder = RunFolder.create(tmp_path / "run", {"network": {"tau_syn": 10.0}, "classes": ["x", "y"]})
    folder.write_arrays("decisions", {"label_times": np.array([[10.0, 20.0], [30.0, 25.0]]), "labels": np.array([0, 1])})
    assert told(capsys, tuning, folder.path) == [] and (folder.path / "figures" / "tuning.png").is_file()
    assert "leave them out" in fails(capsys, tuning.main, str(folder.path), "--population", "layer0")


@pytest.mark.parametrize("command", [raster, spike_statistics, tuning])
def test_commands_take_the_records_of_a_comparison(command, tmp_path, capsys):
    record = small_record(n=4)
    (tmp_path / "records").mkdir()
    write_records(tmp_path / "records" / "exact_0.1.npz", [record])
    told(capsys, command, tmp_path / "records" / "exact_0.1.npz")
    assert (tmp_path / "records" / f"{command.__name__.rpartition('.')[2]}.png").is_file()
    for folder in (tmp_path, tmp_path / "records"):
        assert "give a file in it: " in fails(capsys, command.main, str(folder))
    assert [len(b.segments) for b in record_blocks([record, record]).values()] == [2] * len(record.labels)


def test_what_is_no_record_is_said_without_advice_to_load_it_nevertheless(tmp_path, capsys):
    """NumPy takes a file that is no archive for a pickle, and advises allow_pickle."""
    folder = RunFolder.create(tmp_path / "run", {"model": "x"})
    folder.write_spikes("layer0", block([train([0.1], 0, 1)]))
    sealed = folder.path / "spikes" / "layer0.nix"
    sealed.rename(tmp_path / "sealed.npz")
    for path, content in ((tmp_path / "sealed.npz", None), (tmp_path / "text.npz", b"text"), (tmp_path / "x.csv", b"1,2\n")):
        if content:
            path.write_bytes(content)
        for command in (raster, spike_statistics, tuning, membrane):
            message = fails(capsys, command.main, str(path))
            assert "pickle" not in message and "index out of range" not in message and str(path) in message
    (tmp_path / "array.nix").write_bytes((tmp_path / "text.npz").read_bytes())
    assert "cannot be read as HDF5" in fails(capsys, raster.main, str(tmp_path / "array.nix"))


def test_a_run_is_no_folder_of_results(tmp_path, capsys):
    folder = RunFolder.create(tmp_path / "run", {"model": "x"})
    assert "its page is made by ttfs-pynn report" in fails(capsys, results_page.main, str(folder.path))


def test_bins_do_not_straddle_0_and_hold_everything():
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=500), [-1e-3, 5.0], [0.0, 1.0], [-2.0, -1.0], [3.0, 3.0 + 1e-15], [0.0], [1e-16, 3e-16],
                   [-1e-17, 1e-17], [np.inf, 2.0], [-7.0]):
        edges = style.bin_edges(values)
        finite = np.asarray(values, dtype=float)[np.isfinite(values)]
        assert (np.diff(edges) > 0).all() and np.histogram(finite, edges)[0].sum() == finite.size
        if finite.min() < -1e-9 and finite.max() > 1e-9:
            assert np.abs(edges).min() == 0, "0 is an edge"
    assert style.bin_edges([1e-16, 3e-16]).min() >= 0, "nothing negative is shown where nothing is"


@pytest.mark.parametrize("suffix", ["pdf", "ps"])
def test_fonts_of_figures_can_be_edited(suffix, tmp_path):
    with style.figure(tmp_path / f"one.{suffix}") as axes:
        axes.set_title(f"text {style.TAU_SYN}")
    assert b"/FontType 42" in (tmp_path / "one.ps").read_bytes() if suffix == "ps" else \
        b"/Type3" not in (tmp_path / "one.pdf").read_bytes()


def test_a_file_without_spikes_says_so(tmp_path):
    with pytest.raises(ResultsError, match=r"holds no spike trains; record spikes with population.record\('spikes'\)"):
        read_recordings(write(tmp_path / "none.nix", block([])))
