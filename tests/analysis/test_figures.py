"""Figures drawn from synthetic data: what is in the axes, and that every command draws a run folder."""

import importlib

import neo
import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.analysis.graphs import chain, own, run_folder
from ttfs_pynn.analysis import (
    decision_map,
    decision_time,
    latency_histogram,
    learning_curve,
    raster,
    spike_statistics,
    tuning,
)
from ttfs_pynn.analysis.neo_files import read_blocks
from ttfs_pynn.analysis.style import figure
from ttfs_pynn.datasets import yin_yang
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.runs.sample_spikes import names_of

COMMANDS = {"learning_curve": learning_curve, "raster": raster, "decision_map": decision_map,
            "latency_histogram": latency_histogram}


@pytest.fixture
def axes():
    return Figure().subplots()


def block(size, spikes, first_id):
    """Spikes (row, time in ms) of a population, as PyNN annotates it."""
    segment = neo.Segment()
    for row in range(size):
        times = sorted(time for which, time in spikes if which == row)
        train = neo.SpikeTrain(times, units="ms", t_stop=1000.0, channel_id=first_id + row)
        segment.spiketrains.append(train)
    whole = neo.Block(first_id=first_id, size=size)
    whole.segments.append(segment)
    return whole


def layers(rng, early):
    return {"input": block(4, [(k, rng.uniform(1.5, 20)) for k in range(4)], 0),
            "bias0": block(3, [(0, 1.5), (1, 9.0), (2, 16.0)], 4),
            "layer0": block(40, [(k, t) for k in range(0, 40, 2) for t in rng.uniform(4, 30, 1 + k % 3)], 7),
            "layer1": block(3, [(0, early + 9.0), (1, early), (2, early + 14.0), (1, early + 12)], 47)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    rng = np.random.default_rng(3)
    folder = run_folder(tmp_path_factory.mktemp("figures") / "run", {"model": "yin_yang"}, chain(40))
    epochs = np.arange(1, 61)
    folder.write_history([{"epoch": k, "train_loss": 0.4 * np.exp(-k / 9) + 0.002,
                           "train_accuracy": 1 - 0.6 * np.exp(-k / 6) - 0.008,
                           "validation_accuracy": 1 - 0.6 * np.exp(-k / 6) - 0.013 + 0.003 * np.sin(k)}
                          for k in map(int, epochs)])
    for prefix, early in (("before", 26.0), ("after", 12.0)):
        for label, recorded in layers(rng, early).items():
            folder.write_spikes(f"{prefix}_{label}", recorded)
    labels, times = decision_map.decision_grid(classify)
    folder.write_arrays("decision_map", {"labels": labels, "times": times})
    truth = rng.integers(3, size=1000)
    label_times = 10 * (1.4 + 0.2 * truth[:, None] + rng.gamma(4, 0.06, (1000, 3)))
    label_times[:7] = np.inf
    folder.write_arrays("decisions", {"label_times": label_times, "labels": truth})
    return folder


def classify(features):
    x, y = features[:, 0], features[:, 1]
    return yin_yang.classify(x, y), 14 + 8 * np.hypot(x - 0.5, y - 0.5)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_makes_its_picture(name, folder, capsys):
    COMMANDS[name].main([str(folder.path)])
    picture = folder.path / "figures" / f"{name}.png"
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5000
    assert capsys.readouterr().out.strip() == str(picture)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_write_elsewhere(name, folder, tmp_path):
    COMMANDS[name].main([str(folder.path), "--output", str(tmp_path / "picture.svg")])
    assert b"<svg" in (tmp_path / "picture.svg").read_bytes()


@pytest.mark.parametrize("name", ["raster", "latency_histogram"])
def test_the_unit_is_the_mean_tau_syn_of_the_neurons_that_decide(name, tmp_path, monkeypatch):
    """As many values as there are spikes would divide them one by one without an error."""
    other, drawn = run_folder(tmp_path / "run", {}, chain(2, [3.0, 7.0])), []
    other.write_arrays("decisions", {"label_times": np.array([[10.0, 20.0], [30.0, 25.0]]), "labels": np.array([0, 1])})
    other.write_spikes("after_layer0", block(2, [(0, 10.0), (1, 20.0)], 0))
    draw = COMMANDS[name].draw
    monkeypatch.setattr(COMMANDS[name], "draw", lambda *arguments, **options: drawn.append(draw(*arguments, **options)))
    COMMANDS[name].main([str(other.path)])
    (axes,) = drawn
    if name == "raster":
        assert axes.collections[-1].get_offsets()[:, 0].tolist() == [2.0, 4.0]
    else:
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["class 0, median 2.00", "class 1, median 5.00"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_run_without_the_data_is_a_clear_error(name, tmp_path):
    run_folder(tmp_path / "run", {})
    with pytest.raises(ResultsError, match="yet"):
        importlib.import_module(f"ttfs_pynn.analysis.{name}").main([str(tmp_path / "run")])


@pytest.mark.parametrize("copies, text", [(1, "its model has no function plane"), (20, "20 copies of the network side by side")])
def test_a_finished_run_without_a_map_or_spikes_says_why(copies, text, tmp_path):
    folder = run_folder(tmp_path / "run", {"backend": "arrays", "copies": copies})
    folder.write_metrics({"test_accuracy": 1.0})
    with pytest.raises(ResultsError, match=f"has no decision_map.npz: .*{text}"):
        decision_map.main([str(folder.path)])
    with pytest.raises(ResultsError, match="runs on arrays record none.*evaluate .*--backend exact"):
        raster.main([str(folder.path)])


def test_learning_curve_has_gaps_where_the_history_has_null(axes):
    history = [{"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.9},
               {"epoch": 2, "train_loss": None, "train_accuracy": 1.0}]
    assert learning_curve.draw_loss(axes, history) is axes
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), [0.5, np.nan])
    second = Figure().subplots()
    assert learning_curve.draw_error(second, history) is second
    assert len(second.get_lines()) == 1  # no validation in this history
    # 1 - 0.9 is rounded once, and no error at all is drawn at 0.01 %.
    np.testing.assert_allclose(second.get_lines()[0].get_ydata(), [10, 0.01], rtol=1e-14)


def test_raster_marks_the_first_spike_of_each_neuron_in_the_window(axes):
    blocks = {"input": block(2, [(0, 103.0), (1, 108.0)], 5),
              "layer0": block(3, [(0, 50.0), (0, 120.0), (0, 130.0), (2, 125.0), (2, 290.0)], 7)}
    assert raster.draw(axes, blocks, start=100.0, stop=200.0, tau_syn=10.0, origin=100.0) is axes
    dots = [np.asarray(points.get_offsets()) for points in axes.collections if hasattr(points, "get_sizes")
            and len(points.get_offsets()) and points.get_sizes().size]
    np.testing.assert_allclose(sorted(dots[0][:, 0]), [0.3, 0.8], rtol=1e-14)
    np.testing.assert_allclose(dots[1][:, 0], [2.0, 2.5], rtol=1e-14)
    assert dots[1][0, 1] < dots[1][1, 1]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["input", "layer0"]


def test_raster_reads_blocks_without_annotations_of_pynn():
    recorded = block(3, [(0, 1.0), (2, 3.0)], 40)
    recorded.annotations.clear()
    rows, times, _ = raster.spikes(recorded)
    np.testing.assert_array_equal(rows, [0, 2])
    np.testing.assert_array_equal(times, [1.0, 3.0])


def test_raster_of_silence(axes):
    raster.draw(axes, {"input": block(2, [], 0), "layer0": block(3, [], 2)})


def test_layers_are_stacked_in_the_order_of_the_network(folder):
    stored = raster.stored_blocks(folder, "after")
    assert list(stored) == ["input", "bias0", "layer0", "layer1"]
    assert list(raster.readable(stored)) == ["input", "bias", "hidden", "label"]
    deep = dict.fromkeys(["input", "layer0", "bias1", "layer1", "layer2"])
    assert list(raster.readable(deep)) == ["input", "hidden 0", "bias 1", "hidden 1", "label"]
    mine = dict.fromkeys(["eye", "layer0", "layer1"])
    assert list(raster.readable(mine)) == list(mine), "somebody's own names"


def test_any_network_is_drawn_from_its_sources_up_to_what_decides(tmp_path):
    """Also where names are none for files, or are the same on a disk that ignores case."""
    labels = ("E (eye)", "e (eye)", "E/(eye)")
    folder = run_folder(tmp_path / "run", {"model": "mine", "classes": ["$", "right"]}, own(*labels))
    names = names_of(folder.read_graph(), "after")
    assert len({name.lower() for name in names.values()}) == 3
    for k, name in enumerate(names.values()):
        folder.write_spikes(name, block(2, [(0, 5.0 + k), (1, 6.0 + k)], 2 * k))
    stored = raster.stored_blocks(folder, "after")
    assert list(stored) == ["E (eye)", "E/(eye)", "e (eye)"]
    assert [raster.spikes(each)[1][0] for each in stored.values()] == [5.0, 6.0, 7.0]
    raster.main([str(folder.path)])
    assert (folder.path / "figures" / "raster.png").stat().st_size > 5000
    assert list(read_blocks(folder.path)) == list(reversed(names.values()))


@pytest.mark.parametrize("annotated", [True, False])
def test_recordings_of_a_chip_are_drawn_in_the_time_of_the_model(tmp_path, annotated):
    folder = run_folder(tmp_path / "chip", {"backend": "brainscales2"})
    recorded = block(2, [(0, 0.010), (1, 0.0123)], 0)
    if annotated:
        recorded.annotate(time_scale=1000.0)
    folder.write_spikes("after_layer0", recorded)
    read = raster.stored_blocks(folder, "after")["layer0"]
    np.testing.assert_allclose(raster.spikes(read)[1], [10.0, 12.3])


def test_decision_grid_has_its_origin_below_left():
    def corners(features):
        return np.where(features[:, 0] < 0.5, 0, np.where(features[:, 1] < 0.5, 1, 2))

    labels, times = decision_map.decision_grid(corners, 4)
    np.testing.assert_array_equal(labels, [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 2, 2]])
    assert times is None
    features = decision_map.grid_features(4)
    np.testing.assert_array_equal(features[:, 2:], 1 - features[:, :2])


def test_early_is_brighter_and_no_answer_is_grey():
    labels, times = np.array([[0, 0], [1, -1]]), np.array([[5.0, 10.0], [7.0, np.inf]])
    image = decision_map.picture(labels, times)
    assert image.min() >= 0 and image.max() <= 1
    assert image[0, 0].sum() > image[0, 1].sum()
    assert np.ptp(image[1, 1]) == 0
    np.testing.assert_array_equal(decision_map.picture(labels)[0, 0], decision_map.picture(labels)[0, 1])


def test_latency_histogram_counts_every_answer(axes):
    latencies, labels = np.array([1.0, 1.2, np.inf, 2.0]), np.array([0, 1, 1, 0])
    assert latency_histogram.draw(axes, latencies, labels, ("yin", "yang")) is axes
    assert axes.get_title() == "1 of 4 samples without an answer"
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["yin, median 1.50", "yang, median 1.20"]


def test_latency_histogram_of_a_network_that_never_answers(axes):
    latency_histogram.draw(axes, np.full(3, np.inf), np.array([0, 1, 2]))
    assert axes.get_title() == "3 of 3 samples without an answer"


@pytest.mark.parametrize("names", [("$", "{", "}"), ("a$b$", "$\\frac{", "\\$x$"), ("_", "%s", "100 %"), ("$$", "$^$", "^_")])
def test_names_are_no_mathematics(names, tmp_path):
    """In every figure that writes names of classes or layers."""
    labels, times = np.arange(30) % 3, np.random.default_rng(0).exponential(size=(30, 3))
    one = block(3, [(0, 1.0), (1, 2.0), (2, 3.0)], 0)
    with figure(tmp_path / "a.png", columns=8, size=(2, 2)) as axes:
        decision_map.draw(axes[0], labels.reshape(5, 6), None, names)
        latency_histogram.draw(axes[1], times.min(axis=1), labels, names)
        tuning.draw(axes[2], times, labels, names)
        spike_statistics.draw_counts(axes[3], times, labels, names)
        raster.draw(axes[4], {names[0]: one, names[1]: one}, class_names=names)
        raster.mark_samples(axes[5], 3.0, [0, 1, 2], names)
        raster.draw_overlaid(axes[6], {names[0]: one}, {names[0]: one}, names=names[:2])
        decision_time.draw_accuracy(axes[7], {names[0]: (times, labels, 1.0), names[1]: (times, labels, 1.0)})
        shown = [text.get_text() for text in axes[0].get_legend().get_texts()]
    assert [text.replace(r"\$", "$") for text in shown] == list(names)
    assert (tmp_path / "a.png").stat().st_size > 10_000
