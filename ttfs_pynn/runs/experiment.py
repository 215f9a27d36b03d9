"""One experiment: a model and a configuration become a network on a simulator, a training run, and its figures.

A model is a module with `architecture(parameters)`, `build(sim, parameters, weights, **options)` and `data(parameters)`; see
models/yin_yang.py. A configuration is a dict: model, backend, dt (ms), copies, and the tables `network` (the model's parameters)
and `training` (fields of TrainingOptions).
"""

from pathlib import Path

import numpy as np

from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.files.configuration import check_types
from ttfs_pynn.learning.optimizer import schedule
from ttfs_pynn.learning.training import SpikeData, Trainer, TrainingOptions, evaluate
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.simulators import SIMULATORS, simulator

__all__ = ["ARRAYS", "CHIP", "FREE", "Experiment", "check_backend", "metrics_of"]

# What may change when a run is continued. A demo that is continued is one's own run from then on.
FREE = ("training.epochs", "demo")
ARRAYS = "arrays"  # the backend that is none: an ArrayNetwork
PARTS = ("train", "validation", "test")  # of the data
_MOST_COPIES = 1000  # where there are fewer samples
CHIP = "brainscales2"  # whose weights an ArrayNetwork is limited to where hardware is configured


class Experiment:
    """`model` (a module) with `configuration`. Nothing is simulated before `network` is called."""

    def __init__(self, model, configuration):
        self.model, self.configuration = model, configuration
        check_types(configuration)
        self.options = TrainingOptions.of(configuration["training"])
        check_backend(configuration["backend"])
        tables = getattr(model, "PARAMETERS", {})
        known = [*tables.get("network", {}), *tables.get("network_on_hardware", {})]
        for name in configuration["network"]:
            if known and name not in known:
                raise ConfigurationError(f"the model's network has an {unknown('parameter', name, known)}")
        try:
            self.architecture = model.architecture(configuration["network"])
        except KeyError as error:
            raise ConfigurationError(f"the model's architecture asks for a parameter that is not there: "
                                     f"{unknown('parameter', error.args[0], list(configuration['network']))}") from None
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"network parameters: {error}") from None
        self.data = _checked(model.data(configuration["network"]), self.architecture)
        self._check_run(configuration["dt"], configuration["copies"])
        try:
            schedule(self.options.schedule, self.options.learning_rate, self.options.epochs, **self.options.schedule_options)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"training options: {error}") from None

    def network(self, backend=None, weights=None, dt=None, copies=None, seed=0):
        """The network on a simulator, by default the configuration's. With several copies each run shows each of them one
        sample."""
        configured = self.configuration
        backend = backend or configured["backend"]
        dt = configured["dt"] if dt is None else dt
        if backend == ARRAYS:
            if weights is None:
                weights = self.architecture.initial_weights(np.random.default_rng(self.options.seed))
            if copies not in (None, 1):
                raise ConfigurationError(f"copies = {copies}: the backend {ARRAYS} has one; leave it out")
            hardware = configured.get("hardware")
            chip = None if hardware is None else simulator(CHIP).configured(hardware)
            return ArrayNetwork(self.architecture, weights, simulator=chip)
        copies = (configured["copies"] if backend == configured["backend"] else simulator(backend).default_copies) \
            if copies is None else copies
        self._check_run(dt, copies)
        weights = self.architecture.initial_weights(np.random.default_rng(self.options.seed)) if weights is None else weights
        known = self.simulator(backend)
        sim = known.setup(dt, seed=seed, layers=[layer.size for layer in self.architecture.layers])
        network = self.model.build(sim, configured["network"], weights, n_copies=copies, single=copies > 1, simulator=known)
        if not hasattr(network, "present"):
            raise ConfigurationError(f"the model's build returned {type(network).__name__}; it must return the network it made")
        known.check(sim)
        return network

    def _check_run(self, dt, copies):
        if not (np.isfinite(dt) and dt > 0):
            raise ConfigurationError(f"dt = {dt} ms must be positive")
        if copies < 1:
            raise ConfigurationError(f"copies = {copies} must be at least 1")
        most = max(_MOST_COPIES, *(len(self.data[part]) for part in PARTS))
        if copies > most:
            raise ConfigurationError(f"copies = {copies} must be {most} at most: there are no more samples to show side by side")

    def simulator(self, backend=None):
        """The Simulator of a backend, by default the configuration's, whose options of the hardware it then has."""
        own = self.configuration["backend"]
        backend = backend or own
        return simulator(backend).configured(self.configuration.get("hardware", {}) if backend == own else {})

    def trainer(self, network, folder=None, callbacks=(), weights=None):
        """A training.Trainer of `network` with the options configured; ConfigurationError where batch and copies do not fit."""
        if self.options.batch_size > network.n_copies > 1:
            raise ConfigurationError(f"a batch of {self.options.batch_size} samples does not fit {network.n_copies} copies of "
                                     "the network; use as many copies as samples, or one")
        return Trainer(network, self.data["train"], self.options, self.data["validation"], folder, callbacks,
                       weights, self._measured_neurons(), self._augment())

    def _augment(self):
        """What a model with `augment(times, rng, parameters)` makes of training samples, anew in each epoch; None without."""
        if not hasattr(self.model, "augment"):
            return None
        return lambda times, rng: self.model.augment(times, rng, self.configuration["network"])

    def _measured_neurons(self):
        """LIFParameters of each layer as the profile that the configuration names has them; None without one."""
        path = self.configuration.get("hardware", {}).get("profile")
        if path is None:
            return None
        return self.simulator().measured_neurons(path, self.architecture.layers)

    def create_folder(self, path, overwrite=False):
        """A new results.RunFolder with the configuration and, as model.py, a copy of the model's source."""
        folder = RunFolder.create(path, self.configuration, overwrite, free=FREE)
        self._copy_source(folder)
        return folder

    def open_folder(self, path):
        """The results.RunFolder of an earlier run with this configuration, to go on with."""
        folder = RunFolder.open(path, self.configuration, writing=True, free=FREE)
        if not folder.has_checkpoint and not (folder.path / "model.py").exists():
            self._copy_source(folder)  # the process was killed before it came to it
        return folder

    def _copy_source(self, folder):
        if getattr(self.model, "__file__", None):
            folder.write_bytes("model.py", Path(self.model.__file__).read_bytes())

    def record_sample(self, network, folder, name, sample=0):
        """Write the spikes of one test sample, a NIX file a population: spikes/NAME_LABEL.nix.

        An ArrayNetwork has no Neo data: nothing is written.
        """
        if isinstance(network, ArrayNetwork):
            return
        recording = network.present(self.data["test"].times[sample:sample + 1])
        for label, block in recording.blocks().items():
            for segment in block.segments:
                segment.name = f"sample{sample}"  # PyNN's name counts the resets of the process, which a resumed run has fewer of
            folder.write_spikes(f"{name}_{label}", block)

    def finish(self, trainer, folder):
        """Test the trained network once; write weights and metrics. Returns (metrics, Evaluation of the test samples)."""
        costs = self._costs(trainer.network)
        test = evaluate(trainer.network, self.data["test"], weights=trainer.weights, keep=False)
        tau_syn = float(np.mean(self.architecture.layers[-1].neuron.tau_syn))
        metrics = {"backend": self.configuration["backend"], "epochs": trainer.epoch, "seed": self.options.seed,
                   **metrics_of(test, "test", tau_syn), **costs(len(test.labels)),
                   "seconds_per_epoch": float(np.median([record["seconds"] for record in trainer.history]))}
        if "validation_accuracy" in trainer.history[-1]:
            metrics["validation_accuracy"] = trainer.history[-1]["validation_accuracy"]
        folder.write_weights(trainer.arrays())
        folder.write_arrays("decisions", {"label_times": test.label_times, "labels": test.labels,
                                          "layer_spikes": test.layer_spikes, "window_spikes": test.window_spikes})
        folder.write_metrics(metrics)
        return metrics, test

    def _costs(self, network):
        """A function of a number of samples: what they have cost on a chip since now; nothing where there is no chip."""
        if isinstance(network, ArrayNetwork):
            return lambda n_samples: {}
        known, begin = self.simulator(), self.simulator().hardware_time(network.sim)
        return lambda n_samples: known.costs(n_samples, known.hardware_time(network.sim) - begin)

    def map_decisions(self, network, folder, resolution=101):
        """For models with a `plane(resolution)` of features: what the network answers there, as decision_map.npz."""
        times = self.model.encode(self.model.plane(resolution), self.configuration["network"])
        answers = evaluate(network, SpikeData(times, np.zeros(len(times), dtype=int)))
        square = (resolution, resolution)
        folder.write_arrays("decision_map", {"labels": answers.predictions.reshape(square),
                                             "times": answers.latency.reshape(square)})


def check_backend(name):
    """ConfigurationError for a name that is neither a simulator's nor ARRAYS."""
    if name not in (*SIMULATORS, ARRAYS):
        raise ConfigurationError(unknown("backend", name, (*SIMULATORS, ARRAYS)))


def _checked(data, architecture):
    """The dict of a model's data, or a ConfigurationError that says what does not fit."""
    if not isinstance(data, dict) or not set(PARTS) <= set(data) or not all(isinstance(data[p], SpikeData) for p in PARTS):
        raise ConfigurationError("the model's data(parameters) must return a dict of training.SpikeData with the keys "
                                 f"{', '.join(PARTS)}")
    n_classes = architecture.layers[-1].size
    for name in PARTS:
        times, labels = data[name].times, data[name].labels
        if times.shape[1] != architecture.n_inputs:
            raise ConfigurationError(f"{name} data have {times.shape[1]} inputs a sample, the architecture has "
                                     f"{architecture.n_inputs}")
        if labels.max() >= n_classes:
            raise ConfigurationError(f"{name} data have labels up to {labels.max()}, the architecture has {n_classes} label "
                                     "neurons, which are classes from 0")
        spikes = times[np.isfinite(times)]
        if spikes.size and spikes.max() < architecture.t_early:
            raise ConfigurationError(f"inputs of the {name} data spike from {spikes.min():g} to {spikes.max():g} ms, before the "
                                     f"architecture's t_early = {architecture.t_early:g} ms; give times in ms")
    return data


def metrics_of(evaluation, name, tau_syn):
    """Accuracy (a fraction), latency of the decisions made (mean, in ms and tau_syn), share without answer; mean spikes a sample:
    of all layers up to the decision, and by layer up to it and in the whole window."""
    answered = np.isfinite(evaluation.latency)
    latency = float(evaluation.latency[answered].mean()) if answered.any() else float("nan")
    return {f"{name}_accuracy": evaluation.accuracy, f"{name}_samples": len(evaluation.labels), "latency_ms": latency,
            "latency_tau_syn": latency / tau_syn, "spikes_per_sample": float(evaluation.spikes.mean()),
            "layer_spikes_per_sample": evaluation.layer_spikes.mean(axis=0).tolist(),
            "window_spikes_per_sample": evaluation.window_spikes.mean(axis=0).tolist(), "no_answer": float(1 - answered.mean())}
