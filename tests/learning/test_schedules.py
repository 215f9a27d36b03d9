import numpy as np
import pytest

from tests.small_networks import assert_same
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.schedules import changing, schedule
from ttfs_pynn.learning.trainer import Callback, Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters


@pytest.mark.parametrize("name, options, expected", [
    ("constant", {}, [2.0, 2.0, 2.0]), ("cosine", {}, [2.0, 1.0, 0.0]), ("cosine", {"to": 1.0}, [2.0, 1.5, 1.0]),
    ("linear", {"to": 4.0}, [2.0, 3.0, 4.0]), ("step_decay", {"factor": 0.5, "every": 3}, [2.0, 1.0, 0.25]),
    ("steps", {"later": {0.5: 7.0}}, [2.0, 7.0, 7.0]), ("steps", {"later": [[0.6, 7.0], [0.9, 8.0]]}, [2.0, 2.0, 8.0])])
def test_values_at_begin_middle_and_end(name, options, expected):
    found = schedule(name, 2.0, 10, **options)
    assert [found(epoch) for epoch in (0, 5, 10)] == pytest.approx(expected, abs=1e-15)


def test_schedules_have_names():
    with pytest.raises(ValueError, match="known: constant, cosine, linear, step_decay, steps"):
        schedule("sudden", 0.1, 10)


def test_an_option_is_a_value_or_a_table():
    flag = changing({"value": False, "schedule": "steps", "later": [[0.3, True]]}, 10)
    assert [flag(epoch) for epoch in (0, 2.9, 3.0, 10)] == [False, False, True, True]
    assert changing(0.2, 10)(7) == 0.2


@pytest.mark.parametrize("table, message", [
    ({"schedule": "cosine"}, "no 'value'"), ({"value": 1.0}, "no 'schedule'"),
    ({"value": 1.0, "schedule": "cosin"}, "did you mean 'cosine'"),
    ({"value": True, "schedule": "cosine"}, "value = True must be a finite number"),
    ({"value": 1.0, "schedule": "linear", "to": "x"}, "difference: to = 'x'"),
    ({"value": "x", "schedule": "steps", "later": [[0.5, 0.1]]}, "value = 'x' must be a finite number"),
    ({"value": 1.0, "schedule": "steps"}, "steps needs 'later'"),
    ({"value": 1.0, "schedule": "constant", "to": 2.0}, "constant has no options"),
    ({"value": 1.0, "schedule": "steps", "later": 3}, "give pairs"),
    ({"value": 1.0, "schedule": "steps", "later": []}, "give pairs"),
    ({"value": 1.0, "schedule": "steps", "later": [[1.5, 2.0]]}, "above 0 and below 1"),
    ({"value": 1.0, "schedule": "steps", "later": [[0.5, 2.0], [0.3, 1.0]]}, "must increase"),
    ({"value": 0.1, "schedule": "linear", "to": 5.0}, "difference = "),
    ({"value": 0.1, "schedule": "steps", "later": [[0.5, 0]]}, "difference = 0"),
    ({"value": 0.1, "schedule": "linear", "too": 0.0}, "unknown option of the schedule linear 'too'; did you mean 'to'")])
def test_a_table_that_is_wrong_at_any_time_is_refused_before_training(table, message):
    with pytest.raises(ConfigurationError, match=message):
        trainer({"difference": table, "t_silent": 4.0})


def trainer(loss_options, callbacks=(), **options):
    rng = np.random.default_rng(0)
    neuron = LIFParameters()
    graph = layered(3, (Layer(6, neuron, (1.0,)), Layer(2, neuron)), 1.0, 15.0)
    data = SpikeData(rng.uniform(1, 15, (20, 3)), rng.integers(0, 2, 20))
    network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(1)))
    return Trainer(network, data, TrainingOptions(epochs=10, batch_size=10, loss_options=loss_options, **options),
                   callbacks=list(callbacks))


def test_the_loss_changes_while_training_and_goes_on_after_a_resume():
    seen = []

    class Watch(Callback):
        def after_step(self, trainer, gradients):
            seen.append((trainer.loss.difference, trainer.loss.one_sided))

    options = {"difference": {"value": 0.2, "schedule": "linear", "to": 0.1},
               "one_sided": {"value": False, "schedule": "steps", "later": {0.5: True}}}
    whole = trainer(options, [Watch()])
    whole.run()
    assert [difference for difference, _ in seen] == pytest.approx(np.linspace(0.2, 0.1, 20, endpoint=False))
    assert [flag for _, flag in seen] == [False] * 10 + [True] * 10
    half = trainer(options)
    for _ in range(6):
        half._run_epoch()
    resumed = trainer(options)
    resumed.restore(*half.checkpoint())
    resumed.run()
    assert_same(resumed.parameters, whole.parameters)
