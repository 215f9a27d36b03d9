from types import SimpleNamespace

import pytest

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.settings import Settings


@pytest.mark.parametrize("name", ["yin_yang", "mnist", "mnist16"])
def test_the_papers_preset_replaces_values_of_the_model(name):
    model = model_files.load(name)
    own, paper = (Settings(name, preset=preset).configuration() for preset in (None, "paper"))
    assert "preset" not in own and paper["preset"] == "paper"
    assert paper["training"]["loss_options"] == {"xi": 0.2, "alpha": 0.005, "beta": 1.0}
    options = TrainingOptions.of(paper["training"])
    assert options.bump_instead_of_step and options.schedule == "step_decay"
    assert set(paper["network"]) == set(own["network"])
    graph = model.graph(paper["network"])
    assert all(node.weight_mean is not None for node in graph.neurons) and graph.node("layer1").weight_std == 0.8


def test_the_papers_preset_trains():
    settings = Settings("yin_yang", "arrays", epochs=1, preset="paper", changes=(("network", "hidden", 30),))
    experiment = Experiment(model_files.load("yin_yang"), settings.configuration())
    assert experiment.graph.node("layer0").size == 30 and experiment.graph.node("bias1").size == 1
    assert type(experiment.data["train"]).__name__ == "SpikeData"
    trainer = experiment.trainer(experiment.network())
    assert trainer.run()[0]["train_accuracy"] > 0.3


@pytest.mark.parametrize("model, preset, message", [("yin_yang", "papre", "unknown preset 'papre'; did you mean 'paper'"),
                                                    ("digits", "paper", "has no PRESETS; leave it out")])
def test_a_preset_that_is_not_there(model, preset, message):
    with pytest.raises(ConfigurationError, match=message):
        Settings(model, preset=preset).configuration()


@pytest.mark.parametrize("preset", [[], {"netwrok": {}}, {"network": 5}], ids=str)
def test_a_preset_that_is_none(preset):
    with pytest.raises(ConfigurationError, match="the preset 'own' in .* must be a dict of dicts"):
        model_files.preset_of(SimpleNamespace(PRESETS={"own": preset}, __file__="mine.py"), "own")
