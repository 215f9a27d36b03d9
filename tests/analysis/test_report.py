"""The report of a run: whole, self-contained, and honest about what is not there."""

import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.analysis.graphs import own, run_folder
from ttfs_pynn.analysis import decision_time, latency_over_training, page, report, weight_histogram
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.protocols import train
from ttfs_pynn.runs.folder import RunFolder

VOID = {"meta", "img", "br", "link", "hr"}


class Reader(HTMLParser):
    """Tags that are opened and closed in order, attributes that load something, text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.loads, self.words, self.headings = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "img":
            self.images.append(attributes)
        self.loads += [attributes[name] for name in ("src", "href", "srcset", "data", "poster", "action") if name in attributes]
        assert tag not in ("script", "link", "iframe", "object", "embed", "base")
        assert not any(name.startswith("on") for name in attributes), attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def checked(text):
    """The Reader of a page that loads nothing and describes each of its pictures."""
    read = Reader(text)
    assert all(source.startswith("data:image/png;base64,") for source in read.loads)
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    assert "url(" not in style and "@import" not in style and "prefers-color-scheme" in style
    assert all(len(image["alt"]) > 20 for image in read.images)
    return read


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short real run on exact."""
    path = tmp_path_factory.mktemp("runs") / "run"
    train.main(["yin_yang", "--epochs", "2", "--seed", "3", "--output", str(path), "--quiet"])
    return path


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """One on arrays, which records no spikes and makes no map."""
    path = tmp_path_factory.mktemp("runs") / "arrays"
    folder = run_folder(path, {"model": "yin_yang", "backend": "arrays"})
    rng = np.random.default_rng(0)
    folder.write_history([{"epoch": 1, "train_loss": 1.0, "train_accuracy": 0.9, "validation_accuracy": 0.8}])
    folder.write_arrays("decisions", {"label_times": rng.uniform(5, 20, (50, 3)), "labels": rng.integers(3, size=50)})
    folder.write_parameters({"input>layer0.weight": rng.normal(size=(4, 20)), "layer0>layer1.weight": rng.normal(size=(20, 3))})
    folder.write_metrics({"test_accuracy": 0.5, "test_samples": 50, "hardware_us_per_sample": 48.0})
    return path


def test_a_report_shows_the_run(finished, capsys):
    report.main([str(finished)])
    path = finished / "report.html"
    assert capsys.readouterr().out.strip() == str(path)
    read = checked(path.read_text(encoding="utf-8"))
    assert read.headings == [title for title, _ in report.PARTS]
    # Loss, error, latency, spikes; accuracy against t, latencies; two rasters; the map; weights of three projections.
    assert len(read.images) == 12
    words, metrics = " ".join(read.words), RunFolder.open(finished).read_metrics()
    assert f"{100 * metrics['test_accuracy']:.2f} %" in words and f"{metrics['latency_ms']:.2f} ms" in words
    for text in ("training.loss_options.difference", "packages.numpy", "yang", "layer1 (decides)",
                 "only the (emulated) chip has costs"):
        assert text in words
    assert "cannot be shown" not in words


def test_what_is_not_there_is_named(arrays):
    read = checked(report.page(RunFolder.open(arrays)))
    words = " ".join(read.words)
    assert words.count("Not there: ") == 4 and "48.0 us" in words and len(read.images) == 6
    for text in ("runs on arrays record none", "no decision_map.npz", "not evaluated on another simulator", "No latency in the",
                 "no delays and no times of sources were trained"):
        assert text in words


def test_trained_times_are_no_weights(arrays, tmp_path, capsys):
    folder = RunFolder.open(shutil.copytree(arrays, tmp_path / "run"))
    folder.write_parameters({"A>E.weight": np.full((3, 2), 0.5), "A.axonal_delay": np.full(3, 2.0), "A>E.delay": np.full(6, 3.0),
                             "bias.times": np.array([1.5, 2.5])})
    text = report.page(folder)
    times = text.index("<h2>Delays and times of sources</h2>")
    assert text.index("weights A&gt;E.weight, 3 x 2: mean 0.5 nA") < times < text.index("delays A.axonal_delay, 3: mean 2 ms")
    assert "delays A&gt;E.delay, 6: mean 3 ms" in text
    assert text.count(" nA, standard") == 1 and "times bias.times, 2: mean 2 ms, standard deviation 0.5 ms" in text
    weight_histogram.main([str(folder.path)])
    assert (folder.path / "figures" / "weight_histogram.png").stat().st_size > 5000


def test_a_run_that_has_only_begun(tmp_path):
    RunFolder.create(tmp_path / "run", {"model": "yin_yang"})
    read = checked(report.page(RunFolder.open(tmp_path / "run")))
    assert " ".join(read.words).count("Not there: ") == 9 and not read.images


def test_what_files_say_is_text_and_not_markup(tmp_path):
    nasty = "<script>alert('1')</script>\" onload='x' $\\frac{"
    folder = run_folder(tmp_path / "a'b<i>", {"model": nasty, "classes": [nasty, "$x", "b"], "backend": nasty,
                                              nasty: {"tau_syn": [nasty]}}, own("in", nasty, nasty + "!", size=3))
    folder.write_arrays("decisions", {"label_times": np.array([[1.0, 2, 3], [np.inf] * 3]), "labels": np.array([0, 1]),
                                      "layer_spikes": np.ones((2, 2)), "window_spikes": np.ones((2, 2))})
    folder.write_parameters({"x' onload='y": np.eye(3)})
    folder.write_arrays("decision_map", {"labels": np.array([[0, 1], [2, -1]])})
    folder.write_json("evaluation_x.json", {"populations": [{"population": nasty, "whole_network": dict.fromkeys(("matched",
                                                                                                                  "missing",
                      "extra"), nasty), "own_inputs": {"max_abs_difference_ms": nasty}}], "backend": nasty, "dt_ms": nasty,
                      "test_accuracy": nasty, "class_agreement": nasty})
    text = report.page(folder)
    read = checked(text)
    assert nasty in "".join(read.words) and "cannot be shown" not in text
    assert len(read.images) == 4


def test_a_damaged_file_costs_its_part_alone(arrays, tmp_path):
    folder = RunFolder.open(shutil.copytree(arrays, tmp_path / "run"))
    decisions = folder.path / "decisions.npz"
    decisions.write_bytes(decisions.read_bytes()[:-200])
    (folder.path / "history.json").write_text('[{"epoch": "one"}, 3]')
    (folder.path / "metrics.json").write_text("{")
    (folder.path / "spikes").mkdir()
    (folder.path / "spikes" / "after_layer0.nix").write_bytes(b"no NIX file")
    words = " ".join(checked(report.page(folder)).words)
    assert "decisions.npz is truncated" in words
    assert words.count("cannot be shown") + words.count(" is damaged") >= 3 and "metrics.json is damaged" in words
    assert "mean" not in words and "4 x 20" in report.page(folder)


def test_a_folder_that_is_no_run(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(report.main, [str(tmp_path)])
    assert "is not a run folder" in capsys.readouterr().err


def test_a_table_escapes_and_lets_a_failure_take_the_rest_of_its_row():
    text = page.html_table(["a", "b", "c"], [["<b>", 0.123456, None], ("bad", ["x", "y" * 30]), [True, 3, "&"]])
    assert "<td>&lt;b&gt;</td><td>0.123</td><td>–</td>" in text and "colspan='2'" in text and "<td>yes</td>" in text
    Reader(text)


def test_commands_on_decisions(finished, arrays, capsys):
    decision_time.main([str(finished), str(arrays), "--output", str(finished / "both.png")])
    text = capsys.readouterr().out
    assert (finished / "both.png").stat().st_size > 5000 and "run: accuracy 0." in text and "arrays: accuracy" in text
    latency_over_training.main([str(finished)])
    assert (finished / "figures" / "latency_over_training.png").stat().st_size > 5000
    with pytest.raises(ResultsError, match="given twice"):
        decision_time.main([str(finished), str(finished)])
    with pytest.raises(ResultsError, match="no latency in its history yet"):
        latency_over_training.main([str(arrays)])


def test_rows_of_decision_times():
    times, labels = np.array([[1.0, 2.0], [3.0, 2.5], [np.inf, np.inf], [4.0, np.inf]]), np.array([0, 1, 0, 0])
    (row,) = decision_time.rows({"run": (times, labels, 10.0)})
    assert row == ["run", 0.75, 2.5, 4.0, 4.0, 0.25]
    (silent,) = decision_time.rows({"run": (np.full((2, 2), np.inf), labels[:2], 10.0)})
    assert silent[1:3] == [0.0, None] and silent[5] == 1


def test_a_history_holds_what_the_report_draws(finished):
    history = RunFolder.open(finished).read_history()
    for entry in history:
        assert 5 < entry["validation_latency_ms"] < 25 and 3 < entry["validation_spikes"] < 123
        assert 0 <= entry["validation_no_answer"] <= 1
    stored = RunFolder.open(finished).read_arrays("decisions")
    assert stored["layer_spikes"].shape == stored["window_spikes"].shape == (1000, 2)
    metrics = RunFolder.open(finished).read_metrics()
    assert sum(metrics["layer_spikes_per_sample"]) == pytest.approx(metrics["spikes_per_sample"], abs=1e-9)


def test_populations_have_the_names_that_the_network_gives_them(tmp_path):
    """Here the neurons that decide are the first of the graph."""
    folder = run_folder(tmp_path / "run", {"model": "mine"}, own("eye", "choice", "cortex"))
    folder.write_arrays("decisions", {"label_times": np.array([[5.0, 10.0], [10.0, 7.5]]), "labels": np.array([0, 1]),
                                      "layer_spikes": np.array([[1, 20], [1, 22]]), "window_spikes": np.array([[2, 30], [2,
                                                                                                                         30]])})
    words = " ".join(checked(report.page(folder)).words)
    assert "choice (decides) 1.0 2.0 cortex 21.0 30.0" in " ".join(words.split())
    assert decision_time.tau_syn_of(folder) == 5.0 and "Half of the decisions are made by 1.250 tau_syn (6.25 ms)" in words
