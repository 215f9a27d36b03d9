"""A user's mistake is one line that says what was given, what is allowed, what to do: no traceback."""

import numpy as np
import pytest

from tests.small_networks import assert_same
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.protocols import characterise, evaluate, train, transfer
from ttfs_pynn.runs.folder import RunFolder


def fails(capsys, main, *arguments):
    with pytest.raises(SystemExit) as stop:
        run(main, list(arguments))
    text = capsys.readouterr().err
    assert stop.value.code == 2 and text.startswith("error: ") and text.count("\n") == 1
    return text


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short real run."""
    path = tmp_path_factory.mktemp("runs") / "run"
    train.main(["yin_yang", "--epochs", "2", "--seed", "3", "--output", str(path), "--quiet"])
    return path


def test_a_run_leaves_what_it_promises(finished):
    folder = RunFolder.open(finished)
    metrics = folder.read_metrics()
    # Two epochs; the longer runs of benchmarks/README.md reach 0.98.
    assert 0.8 < metrics["test_accuracy"] <= 1 and metrics["test_samples"] == 1000
    assert 0.5 < metrics["latency_tau_syn"] < 3 and metrics["seconds_per_epoch"] > 0 and metrics["spikes_per_sample"] > 3
    assert len(folder.read_history()) == 2 and folder.configuration["training"]["seed"] == 3
    assert {"before_layer0", "after_layer1"} <= set(folder.spike_names())
    assert folder.read_parameters()["input>layer0.weight"].shape == (4, 120)
    assert folder.read_graph().node("bias0").times.shape == (3,)
    assert folder.read_arrays("decision_map")["labels"].shape == (101, 101)


def test_a_run_begins_with_the_weights_of_another(capsys, finished, tmp_path):
    weights = RunFolder.open(finished).read_parameters()
    begin = ("yin_yang", "--backend", "arrays", "--epochs", "1", "--learning-rate", "1e-9", "--seed", "5", "--quiet")
    train.main([*begin, "--from", str(finished), "--output", str(tmp_path / "run")])
    for name, w in RunFolder.open(tmp_path / "run").read_parameters().items():
        np.testing.assert_allclose(w, weights[name], atol=0.02)  # bumps of silent neurons, at a learning rate of nearly nothing
    assert RunFolder.open(tmp_path / "run").configuration["from"] == str(finished)
    RunFolder.create(tmp_path / "other", {"model": "other"}).write_parameters({"input>layer0.weight": np.zeros((4, 3))})
    assert "--hardware-network" in fails(capsys, train.main, *begin, "--from", str(tmp_path / "other"), "--output",
                                         str(tmp_path / "none"))


def test_a_model_may_differ_on_a_chip():
    def asked(*arguments):
        return train.configuration(train.parser().parse_args(["mnist16", "--output", "run", *arguments]))

    on_chip, arrays = asked("--backend", "brainscales2", "--chip", "3"), asked("--backend", "arrays", "--hardware-network")
    assert on_chip["network"] == arrays["network"] != asked()["network"]
    assert on_chip["hardware"] == {"chip": 3, "circuits": 2, "input_copies": 1} and "hardware" not in asked()
    assert asked("--backend", "brainscales2", "--circuits", "1", "--input-copies", "5")["hardware"]["circuits"] == 1


def test_evaluation_on_exact_is_the_identity(finished, capsys):
    evaluate.main([str(finished), "--backend", "exact", "--samples", "40"])
    result = RunFolder.open(finished).read_json("evaluation_exact.json")
    assert result["class_agreement"] == 1 and result["populations"][0]["whole_network"]["max_abs_difference_ms"] == 0
    assert "matched" in capsys.readouterr().out


def test_resuming_a_finished_run_changes_nothing(finished):
    before = RunFolder.open(finished).read_parameters()
    train.main(["yin_yang", "--epochs", "2", "--seed", "3", "--output", str(finished), "--quiet", "--resume"])
    assert_same(RunFolder.open(finished).read_parameters(), before)


@pytest.mark.parametrize("arguments, text", [
    (("yin_yang", "--backend", "nets"), "unknown backend 'nets'; did you mean 'nest'? known: exact, brian2"),
    (("yinyang",), "unknown model 'yinyang'; did you mean 'yin_yang'? known: digits"),
    (("yin_yang", "--epochs", "0"), "epochs = 0 must be at least 1"),
    (("yin_yang", "--epochs", "many"), "invalid int value"),
    (("yin_yang", "--learning-rate", "-1"), "learning_rate = -1.0 must be positive"),
    (("yin_yang", "--backend", "brian2", "--dt", "0"), "dt = 0.0 ms must be positive"),
    (("yin_yang", "--dt", "0.2"), "--dt 0.2: the backend exact has no time step; leave it out"),
    (("yin_yang", "--backend", "arrays", "--dt", "0.2"), "--dt 0.2: the backend arrays has no time step; leave it out"),
    (("yin_yang", "--backend", "arrays", "--copies", "5"), "copies: has no effect on --backend arrays; leave it out"),
    (("mnist16", "--backend", "arrays", "--hardware-network", "--chip", "2"), "chip: has no effect on --backend arrays"),
    (("yin_yang", "--copies", "-3"), "copies = -3 must be at least 1"),
    (("yin_yang", "--copies", "0"), "copies = 0 must be at least 1"),
    (("yin_yang", "--copies", "7"), "does not fit 7 copies"),
    (("yin_yang", "--seed", "-3"), "seed = -3"),
    (("yin_yang", "--hardware-network"), "is for --backend arrays"),
    (("yin_yang", "--circuits", "2"), "the backend exact is no chip"),
    (("yin_yang", "--from", "nowhere"), "nowhere"),
    (("yin_yang", "--resume", "--overwrite"), "give one of them"),
])
def test_bad_training_commands(capsys, tmp_path, arguments, text):
    assert text in fails(capsys, train.main, *arguments, "--output", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_resume_keeps_the_number_of_epochs_unless_another_is_given(capsys, finished, tmp_path):
    import shutil
    run_folder = str(shutil.copytree(finished, tmp_path / "run"))
    train.main(["yin_yang", "--seed", "3", "--output", run_folder, "--quiet", "--resume"])
    assert len(RunFolder.open(run_folder).read_history()) == 2
    assert "2 epochs are done already" in fails(capsys, train.main, "yin_yang", "--seed", "3", "--output", run_folder, "--resume",
                                               "--epochs", "1")
    assert RunFolder.open(run_folder).configuration["training"]["epochs"] == 2
    train.main(["yin_yang", "--seed", "3", "--output", run_folder, "--quiet", "--resume", "--epochs", "3"])
    assert "what changes during training now ends" in capsys.readouterr().out
    assert len(RunFolder.open(run_folder).read_history()) == 3


def test_an_existing_run_is_not_replaced_and_not_continued_as_another(capsys, finished):
    assert "--overwrite" in fails(capsys, train.main, "yin_yang", "--output", str(finished))
    assert "training.seed (3 there, 4 here)" in fails(capsys, train.main, "yin_yang", "--output", str(finished), "--resume",
                                                      "--seed", "4")


def test_resume_of_a_run_that_was_killed_at_its_start_begins_anew(capsys, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "configuration.toml.ttfs-0123456789abcdef.tmp").write_text("half")
    train.main(["yin_yang", "--epochs", "1", "--output", str(tmp_path / "run"), "--quiet", "--resume"])
    assert "a new run starts" in capsys.readouterr().out and RunFolder.open(tmp_path / "run").read_metrics()["epochs"] == 1
    (tmp_path / "thesis.txt").write_text("precious")
    assert "is not a run folder" in fails(capsys, train.main, "yin_yang", "--output", str(tmp_path), "--resume")


def test_a_folder_of_somebody_else_is_never_overwritten(capsys, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    assert "not a run folder" in fails(capsys, train.main, "yin_yang", "--output", str(tmp_path), "--overwrite")
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_a_truncated_checkpoint_falls_back_to_the_one_before(capsys, finished, tmp_path):
    import shutil
    run_folder = tmp_path / "run"
    shutil.copytree(finished, run_folder)
    path = run_folder / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:-100])
    train.main(["yin_yang", "--epochs", "2", "--seed", "3", "--output", str(run_folder), "--quiet", "--resume"])
    assert "going on from checkpoint.previous.npz" in capsys.readouterr().out
    assert_same(RunFolder.open(run_folder).read_parameters(), RunFolder.open(finished).read_parameters())


def test_an_output_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert "Not a directory" in fails(capsys, train.main, "yin_yang", "--output", str(tmp_path / "file" / "run"))


def test_bad_evaluations(capsys, finished, tmp_path):
    assert "not a run folder" in fails(capsys, evaluate.main, str(tmp_path))
    assert "the test set has 1 to 1000" in fails(capsys, evaluate.main, str(finished), "--backend", "exact", "--samples", "0")
    assert "unknown backend" in fails(capsys, evaluate.main, str(finished), "--backend", "nest9")


def test_evaluation_records_a_sample_of_a_run_that_has_none(capsys, tmp_path):
    path = str(tmp_path / "run")
    train.main(["yin_yang", "--backend", "arrays", "--epochs", "1", "--output", path, "--quiet"])
    assert not RunFolder.open(path).spike_names()
    evaluate.main([path, "--backend", "exact", "--samples", "5"])
    assert {"after_input", "after_layer0", "after_layer1"} <= set(RunFolder.open(path).spike_names())


def test_parameters_of_another_network_than_the_graph(capsys, finished, tmp_path):
    """The network of a run is the one in its graph.npz, whatever the model would make of its parameters today."""
    import shutil
    path = shutil.copytree(finished, tmp_path / "run") / "configuration.toml"
    path.write_text(path.read_text().replace("hidden = 120", "hidden = 121"))
    evaluate.main([str(path.parent), "--backend", "exact", "--samples", "5"])
    assert RunFolder.open(path.parent).read_json("evaluation_exact.json")["class_agreement"] == 1
    folder = RunFolder.open(path.parent)
    folder.write_parameters(folder.read_parameters() | {"input>layer0.weight": np.zeros((4, 121))})
    text = fails(capsys, evaluate.main, str(path.parent), "--backend", "exact", "--samples", "5")
    assert "are of another network: input>layer0.weight has shape (4, 121); expected (4, 120)" in text
    assert "graph.npz must be as it was then" in text
    path.with_name("parameters.npz").unlink()
    assert "has no parameters.npz" in (text := fails(capsys, evaluate.main, str(path.parent))) and "evaluate it" not in text


def test_a_run_of_before_there_were_graphs(capsys, finished, tmp_path):
    import shutil
    old = shutil.copytree(finished, tmp_path / "run")
    (old / "graph.npz").unlink()
    (old / "parameters.npz").rename(old / "weights.npz")
    for main, more in ((evaluate.main, ()), (transfer.main, ("--output", str(tmp_path / "x.json")))):
        assert "is a run of ttfs_pynn 0.1.0" in fails(capsys, main, str(old), *more)
    assert "is a run of ttfs_pynn 0.1.0" in fails(capsys, train.main, "yin_yang", "--epochs", "2", "--seed", "3", "--output",
                                                  str(old),
                                                  "--resume")


def test_values_of_the_model_are_set_on_the_command_line(tmp_path, capsys):
    path = str(tmp_path / "run")
    train.main(["yin_yang", "--backend", "arrays", "--epochs", "1", "--set", "network.hidden=12", "--set",
                "training.schedule=constant",
                "--set", "network.bias_times=[2.0]", "--output", path, "--quiet"])
    folder = RunFolder.open(path)
    assert folder.configuration["network"]["hidden"] == 12 and folder.configuration["training"]["schedule"] == "constant"
    assert {edge.label: edge.sizes for edge in folder.read_graph().edges} == {
        "input>layer0": (4, 12), "bias0>layer0": (1, 12), "layer0>layer1": (12, 3)}
    for text, message in (("network.hiden=3", "unknown parameter 'hiden'; did you mean 'hidden'"), ("hidden=3",
                                                                                                    "is no TABLE.NAME=VALUE"),
                          ("net.hidden=3", "unknown table 'net'"), ("training.seed=3", "use --seed"),
                          ("training.epoch=3", "unknown parameter 'epoch'; did you mean 'epochs'"),
                          ("training.max_dw=-1", "max_dw = -1 must be positive"), ("network.hidden=many", "of 'many' cells")):
        assert message in fails(capsys, train.main, "yin_yang", "--set", text, "--output", str(tmp_path / "none"))


@pytest.mark.parametrize("option, text", [("--tau-m=0", "tau_m = 0.0 must be positive"), ("--tau-syn=-10", "must be positive"),
                                          ("--tau-syn=nan", "finite values")])
def test_targets_of_a_calibration(capsys, tmp_path, option, text):
    assert text in fails(capsys, characterise.main, option, "--output", str(tmp_path / "profile.npz"))


def test_each_chip_counts_once(capsys, finished, tmp_path):
    text = fails(capsys, transfer.main, str(finished), "--chips", "1,2,1", "--output", str(tmp_path / "out.json"))
    assert "--chips 1,2,1: give each chip once" in text


def test_a_simulator_that_is_not_installed(capsys, finished, monkeypatch):
    import importlib.util
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "brian2" else find(name))
    assert "pip install brian2" in fails(capsys, evaluate.main, str(finished))


@pytest.mark.parametrize("module", [train, evaluate])
def test_help_reads_like_a_manual_page(module, capsys):
    with pytest.raises(SystemExit):
        module.main(["--help"])
    text = capsys.readouterr().out
    assert "examples:" in text and "usage:" in text and "--backend" in text
