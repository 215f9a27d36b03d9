"""Rows of results: their files, one run of one seed, what is gathered."""

import json

import numpy as np
import pytest

from ttfs_pynn.errors import ConfigurationError, TTFSError
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.runs import model_files, reproduce
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.recipes import recipe_folder

ROWS = recipe_folder("protocols") / "rows"
SMALL = """
title = "small"
model = "yin_yang"
backend = "arrays"
seeds = [3, 4, 5]
fresh_samples = 300
settings = "for a test"
[paper]
accuracy = 0.9
std = 0.01
source = "nowhere"
[network]
hidden = 12
[training]
epochs = 2
"""


def small(tmp_path, text=SMALL):
    (tmp_path / "small.toml").write_text(text)
    return reproduce.Row.read("small", tmp_path)


@pytest.mark.parametrize("name", reproduce.row_names(ROWS))
def test_rows_fit_their_models(name):
    row = reproduce.Row.read(name, ROWS)
    assert row.title and row.settings.strip() and row.seeds and ("source" in row.paper)
    assert row.model in model_files.names()
    found = row.configuration(row.seeds[0])
    assert found["training"]["seed"] == row.seeds[0] and found["network"] == {**found["network"], **row.network}
    assert found["hardware"]["chip"] == row.seeds[0] if row.chip_is_seed else "hardware" not in found
    assert model_files.load(row.model).graph(found["network"]).outputs


def test_a_row_overrides_the_model(tmp_path):
    row = small(tmp_path, SMALL + "[hardware]\ninput_copies = 2\nnon_idealities = {event_loss = 0.01}\n")
    on_chip = reproduce.Row(**{**vars(row), "backend": "brainscales2", "chip_is_seed": True})
    found = on_chip.configuration(4)
    assert found["hardware"] == {"chip": 4, "input_copies": 2, "non_idealities": {"event_loss": 0.01}}
    assert found["network"]["hidden"] == 12 and found["network"]["tau_m"] == 10 and found["training"]["epochs"] == 2
    assert found["training"]["loss_options"]["difference"]["value"] == 0.2  # the model's on hardware
    long = reproduce.Row(**{**vars(on_chip), "training": {"epochs": 70}})
    assert [long.configuration(4, quick)["training"]["epochs"] for quick in (False, True)] == [70, 2]


def test_an_interrupted_run_goes_on_and_ends_as_an_undisturbed_one(tmp_path, monkeypatch):
    row = small(tmp_path)
    whole, broken = (reproduce.job_of(row, 3, tmp_path / name, quick=True) for name in ("whole", "broken"))
    expected = reproduce.run_one(whole)
    train_epoch, done = Trainer._train_epoch, []

    def stops(self, epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        done.append(epoch)
        return train_epoch(self, epoch)

    monkeypatch.setattr(Trainer, "_train_epoch", stops)
    with pytest.raises(KeyboardInterrupt):
        reproduce.run_one(broken)
    monkeypatch.setattr(Trainer, "_train_epoch", lambda self, epoch: (done.append(epoch), train_epoch(self, epoch))[1])
    found = reproduce.run_one(broken)
    assert done == [0, 1] and found["fresh_samples"] == 300 and expected["test_samples"] == 1000
    assert {k: v for k, v in found.items() if k != "seconds_per_epoch"} == \
        {k: v for k, v in expected.items() if k != "seconds_per_epoch"}
    one, other = (RunFolder.open(job["folder"]).read_parameters() for job in (whole, broken))
    for name, w in one.items():
        np.testing.assert_array_equal(w, other[name])


def test_other_settings_begin_a_new_file(tmp_path):
    row, path = small(tmp_path), tmp_path / "out.json"

    def result(seed):
        return {"seed": seed, "test_accuracy": 0.5, "latency_tau_syn": 1.0, "spikes_per_sample": np.inf, "fresh_samples": 300}

    for row_now, seeds in ((row, [3]), (row, [4]), (reproduce.Row(**{**vars(row), "network": {"hidden": 13}}), [5])):
        jobs = [reproduce.job_of(row_now, seed, tmp_path, False) for seed in seeds]
        reproduce.store_row(row_now, jobs, [result(seed) for seed in seeds], path, False)
        if seeds == [4]:
            assert [r["seed"] for r in json.loads(path.read_text())["runs"]] == [3, 4]
    found = json.loads(path.read_text())
    assert [r["seed"] for r in found["runs"]] == [5] and found["configuration"]["network"]["hidden"] == 13
    assert "Infinity" not in path.read_text() and "seed" not in found["configuration"]["training"]


@pytest.mark.parametrize("text, message", [
    (SMALL.replace("[network]", "[netwrk]"), "it has netwrk; a row may have title"),
    (SMALL + "hidden = [", "small.toml cannot be read: "),
    (SMALL.replace('title = "small"', ""), "title")])
def test_bad_rows(tmp_path, text, message):
    with pytest.raises(TTFSError, match=message):
        small(tmp_path, text)


def test_fresh_samples_need_a_model_that_draws_them(tmp_path, monkeypatch):
    row = small(tmp_path)
    monkeypatch.delattr(model_files.load("yin_yang"), "fresh")
    experiment = Experiment(model_files.load("yin_yang"), row.configuration(3))
    with pytest.raises(ConfigurationError, match="has no fresh"):
        reproduce._on_fresh_samples(experiment, experiment.network(), 10)


def test_a_parameter_that_the_model_has_not(tmp_path):
    row = small(tmp_path, SMALL.replace("hidden", "hiden"))
    with pytest.raises(ConfigurationError, match="has no network parameter hiden; it has hidden, tau_m"):
        row.configuration(0)
