"""The study of early and few spikes: what it trains, what it keeps, what it draws."""

import json

import numpy as np
import pytest

from ttfs_pynn.analysis import early_spikes_figure as figure
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.protocols import early_spikes


def entry(options, seed, latency, **changes):
    loss = "pairwise_difference" if "difference" in options else "time_to_first_spike"
    return {"loss": loss, "options": options, "seed": seed, "epochs": 1, "accuracy": 0.9 + 0.01 * seed, "latency": latency,
            "no_answer": 0.0, "layer_spikes": [20.0, 1.0], "window_spikes": [100.0, 2.0], "input_spikes": [2.0, 4.0],
            "times": [0.0, 1.0], "accuracy_at": [0.0, 0.9], "history": {"accuracy": [0.3, 0.9], "latency": [None, latency],
                                                                        "spikes": [40.0, 21.0]}, "seconds": 1.0, **changes}


def test_a_setting_that_two_columns_share_is_trained_once():
    found = early_spikes.settings([0.0, 0.005], [0.1, 0.2], [0.3])
    assert found == [("time_to_first_spike", {"alpha": 0.0, "xi": 0.2}), ("time_to_first_spike", {"alpha": 0.005, "xi": 0.2}),
                     ("time_to_first_spike", {"alpha": 0.005, "xi": 0.1}), ("pairwise_difference", {"difference": 0.3})]


def test_a_study_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    path, trained = tmp_path / "study.json", []
    real = early_spikes.train

    def train(model, *one):
        trained.append(one)
        return real(model, *one)

    monkeypatch.setattr(early_spikes, "train", train)
    arguments = ["yin_yang", "--alpha", "0.5", "--xi", "none", "--epochs", "1", "--seeds", "0", "--output", str(path)]
    early_spikes.main([*arguments, "--difference", "none"])
    early_spikes.main([*arguments, "--difference", "0.2"])
    assert trained == [("time_to_first_spike", {"alpha": 0.5, "xi": 0.2}, 0, 1),
                       ("pairwise_difference", {"difference": 0.2}, 0, 1)]
    first, second = json.loads(path.read_text())["runs"]
    # An epoch each; chance is 1/3. A large alpha makes decisions early.
    assert first["accuracy"] > 0.5 and second["accuracy"] > 0.7 and first["latency"] < second["latency"]
    for one in (first, second):
        assert len(one["history"]["latency"]) == 2 and one["history"]["accuracy"][-1] == one["accuracy"] == one["accuracy_at"][-1]
        assert (np.diff(one["accuracy_at"]) >= 0).all() and one["accuracy_at"][0] == 0 and one["samples"] == 1000
        assert 0 < one["layer_spikes"][0] < one["window_spikes"][0] <= one["sizes"][0] == 120
        assert 0 < one["input_spikes"][0] < one["input_spikes"][1] == 4
    assert path.with_suffix(".png").stat().st_size > 5000
    assert "| alpha 0.5, xi 0.2 | 1 |" in capsys.readouterr().out


def test_means_over_seeds_and_columns_that_vary():
    runs = [entry({"alpha": 0.005, "xi": 0.2}, seed, 1.0 + seed) for seed in (0, 1)] + [entry({"alpha": 0.5, "xi": 0.2}, 0, 0.5)]
    assert list(figure.varied(runs)) == ["alpha"] and list(figure.varied(runs[:1])) == ["alpha"]
    assert [value for value, _ in figure.varied(runs)["alpha"]] == [0.005, 0.5]
    first, second = figure.rows(runs)
    assert first[:4] == ["alpha 0.005, xi 0.2", 2, "0.905 +- 0.007", "1.500 +- 0.707"] and second[3] == "0.500"
    np.testing.assert_array_equal(figure.mean([[1.0, None], [3.0, 2.0]]), [2.0, np.nan])


@pytest.mark.parametrize("content, text", [("[]", "no file of this study"), ("{", "no file of this study"),
                                           ('{"model": "mnist", "runs": []}', "a study of mnist, not of yin_yang")])
def test_another_file_is_not_overwritten(tmp_path, content, text):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(ResultsError, match=text):
        early_spikes.main(["yin_yang", "--output", str(path)])
    assert path.read_text() == content


def test_bad_commands(tmp_path):
    with pytest.raises(ConfigurationError, match="--alpha 1;2"):
        early_spikes.main(["yin_yang", "--alpha", "1;2", "--output", str(tmp_path / "x.json")])
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(ResultsError, match="is no file of ttfs-pynn early_spikes"):
        figure.main([str(tmp_path / "x.json")])
