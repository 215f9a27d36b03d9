import numpy as np
import pytest

from tests.small_networks import assert_same, samples, small_network
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import Gradients
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Callback, Trainer
from ttfs_pynn.runs.folder import RunFolder


def task(n, seed=5):
    """Which of three ranges does the first input fall into?"""
    times = samples(n, seed)
    return SpikeData(times, np.digitize(times[:, 0], [7.5, 13.5]))


def trainer(folder=None, callbacks=(), **options):
    network, _ = small_network()
    options = {"epochs": 4, "batch_size": 20, "learning_rate": 0.01, "seed": 9, **options}
    return Trainer(network, task(200), TrainingOptions(**options), task(50, 6), folder, callbacks)


def test_learns():
    t = trainer(epochs=8, learning_rate=0.02)
    before = evaluate(t.network, task(200), parameters=t.parameters).accuracy
    history = t.run()
    assert [record["epoch"] for record in history] == list(range(1, 9))
    assert history[-1]["train_loss"] < 0.6 * history[0]["train_loss"]
    # Chance is 1/3 +- 0.07 (50 samples); the run reaches 0.86.
    assert before < 0.55 and history[-1]["validation_accuracy"] > 0.7


@pytest.mark.parametrize("loss, loss_options, learning_rate", [("time_to_first_spike", {}, 0.01),
                                                ("mean_squared_error", {"t_right": 1.0, "t_wrong": 1.4}, 0.02)])
def test_other_losses_learn(loss, loss_options, learning_rate):
    """With the paper's tolerance of silence: none in the label layer."""
    history = trainer(epochs=7, loss=loss, loss_options=loss_options, silent_tolerated={"layer0": 0.3, "layer1": 0.0}, bump=0.005,
                      learning_rate=learning_rate).run()
    assert history[-1]["train_loss"] < 0.85 * history[0]["train_loss"]
    assert history[-1]["validation_accuracy"] > 0.5


def test_one_seed_makes_a_run_reproducible_and_another_seed_another_run():
    found = []
    for seed in (9, 9, 10):
        t = trainer(epochs=2, seed=seed, input_jitter=0.5)
        t.run()
        found.append(t.parameters)
    assert_same(found[1], found[0])
    assert all((found[2][name] != array).any() for name, array in found[0].items())


@pytest.mark.parametrize("stop", [1, 3])
def test_resumed_run_ends_with_the_same_bits(tmp_path, stop):
    class Stop(Callback):
        def on_epoch_end(self, trainer, record):
            if record["epoch"] == stop:
                raise KeyboardInterrupt

    whole = trainer(input_jitter=0.5, silent_tolerated=0.1)
    whole.run()
    folder = RunFolder.create(tmp_path / "run", {"seed": 9})
    with pytest.raises(KeyboardInterrupt):
        trainer(folder, [Stop()], input_jitter=0.5, silent_tolerated=0.1).run()
    again = trainer(folder, input_jitter=0.5, silent_tolerated=0.1)
    arrays, meta, warning = folder.load_checkpoint()
    assert warning is None and meta["epoch"] == stop
    again.restore(arrays, meta)
    again.run()
    assert_same(again.parameters, whole.parameters)
    assert [r["train_loss"] for r in again.history] == [r["train_loss"] for r in whole.history]


def test_callbacks_are_called_in_order_and_the_early_hook_may_change_gradients():
    calls = []

    class Watch(Callback):
        def on_train_begin(self, trainer):
            calls.append("begin")

        def on_epoch_begin(self, trainer, epoch):
            calls.append("epoch")

        def before_step(self, trainer, gradients):
            calls.append("early")
            self.parameters = trainer.parameters
            nothing = {name: 0 * g for name, g in gradients.parameters.items()}
            return Gradients(nothing, gradients.loss, gradients.first_spikes, 0)

        def after_step(self, trainer, gradients):
            calls.append("late")
            assert_same(trainer.parameters, self.parameters)  # no gradient, no step

        def on_epoch_end(self, trainer, record):
            calls.append("end")

        def on_train_end(self, trainer):
            calls.append("done")

    trainer(callbacks=[Watch()], epochs=1, batch_size=100, bump=0.0).run()
    assert calls == ["begin", "epoch", "early", "late", "early", "late", "end", "done"]


def test_the_network_holds_the_trained_weights():
    t = trainer(epochs=1)
    before = t.parameters
    t.run()
    assert_same(t.network.read(), t.parameters)
    assert all((array != before[name]).any() for name, array in t.parameters.items())


def test_evaluation_counts():
    network, weights = small_network()
    e = evaluate(network, task(30), batch_size=7)
    decided = np.isfinite(e.latency)
    assert e.label_times.shape == (30, 3) and decided.sum() > 10
    assert (e.predictions[~decided] == -1).all()
    assert e.spikes.max() <= 33 and e.spikes[decided].min() >= 1


@pytest.mark.parametrize("times, labels", [(np.zeros((8, 4)), np.zeros(5, dtype=int)), (np.zeros((2, 4)), [0.5, 1.0]),
                                           (np.zeros((0, 4)), np.zeros(0, dtype=int)), (np.zeros((2, 4)), [0, -1]),
                                           (np.zeros((2, 4)), np.array(["left", "right"]))])
def test_bad_samples(times, labels):
    with pytest.raises(ConfigurationError, match="label"):
        SpikeData(times, labels)


def test_times_that_are_no_numbers():
    with pytest.raises(ConfigurationError, match="2 spike times are NaN; inf is for"):
        SpikeData(np.array([[np.nan, 1.0], [np.inf, np.nan]]), [0, 1])


def test_options_as_a_dict():
    assert TrainingOptions.of({"silent_tolerated": {"layer0": 0.5}}).silent_tolerated == {"layer0": 0.5}
    with pytest.raises(ConfigurationError, match="unknown training option 'epoch'; did you mean 'epochs'"):
        TrainingOptions.of({"epoch": 3})
    with pytest.raises(ConfigurationError, match="options are dict; give TrainingOptions"):
        Trainer(trainer().network, task(10), {"epochs": 3})


def test_a_network_of_copies_is_evaluated_one_sample_a_copy():
    network, _ = small_network(copies=7)
    np.testing.assert_allclose(evaluate(network, task(20)).label_times, evaluate(small_network()[0], task(20)).label_times,
                               atol=1e-8)


@pytest.mark.parametrize("options, text", [
    ({"epochs": 0}, "epochs = 0 must be at least 1"),
    ({"learning_rate": -1.0}, "learning_rate"),
    ({"loss": "cross"}, "one of time_to_first_spike, pairwise_difference"),
    ({"loss_options": {"diference": 1}}, "unknown option of the loss pairwise_difference 'diference'; did you mean 'difference'"),
    ({"loss_options": {"difference": -0.2}}, "difference = -0.2 must be zero or more"),
    ({"learning_rate": "fast"}, "learning_rate = 'fast' must be a number"),
    ({"bump_instead_of_step": 1}, "must be true or false"),
    ({"silent_tolerated": (0.3, 0.0)},
     "silent_tolerated = .* must be a number; one a layer is no more: give one for all, or a dict"),
    ({"silent_tolerated": {"layer7": 0.5}}, "silent_tolerated: unknown population 'layer7'"),
    ({"loss_options": None}, "loss_options = None must be a table"),
    ({"seed": 1.5}, "seed = 1.5 must be an integer"),
    ({"silent_tolerated": 95}, "a share from 0 to 1, or a dict of them by population"),
    ({"silent_tolerated": {"layer0": -1}}, "a share from 0 to 1"),
    ({"schedule": "sudden"}, "known: constant"),
    ({"batch_size": 0}, "batch_size = 0 must be at least 1"),
    ({"batch_size": 2.5}, "batch_size = 2.5 must be at least 1, an integer"),
    ({"seed": -1}, "seed"),
])
def test_bad_options(options, text):
    with pytest.raises(ConfigurationError, match=text):
        trainer(**options)
