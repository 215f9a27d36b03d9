"""One experiment: a model and a configuration become a network on a simulator, a training run, and its figures.

A model is a module with `data(parameters)` and one of

    graph(parameters)      a graph.Graph, described in a line: see models/yin_yang.py
    build(sim, parameters) the user's PyNN network: a networks.own.Network of it

`parameters` is the table `network` of the configuration; functions that want none are called without. Beside it a model may have
PARAMETERS, PRESETS (by name, values in place of those), CLASS_NAMES, fit(parameters), augment(times, rng, parameters),
fresh(n, rng, parameters) for test samples without end, and plane and encode for a map of decisions. A configuration is a dict:
model, backend, dt (ms), copies, and the tables `network` (the model's parameters) and `training` (fields of TrainingOptions).

fit returns what the other functions need to know of the training data, such as their mean: a dict {name: array}. It is called
once, before all of them, and they find it as parameters["fitted"]. The run folder keeps it, and whoever continues, evaluates,
compares, transfers or exports the run reads it from there: fit is not called again.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError, TTFSError, unknown
from ttfs_pynn.files.configuration import check_types
from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.parameters import Parameters
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.decision import CLOSE, margins
from ttfs_pynn.learning.evaluation import Evaluation, evaluate
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.schedules import schedule
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.interface import TrainableNetwork, input_times
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.sample_spikes import names_of
from ttfs_pynn.simulators import SIMULATORS, Simulator, simulator

__all__ = ["ARRAYS", "CHIP", "FITTED", "FREE", "Experiment", "check_backend", "metrics_of"]

# What may change when a run is continued. A demo that is continued is one's own run from then on.
FREE = ("training.epochs", "demo")
FITTED = "fitted"  # of the parameters that a model's functions are given, and of the run folder's file: what its fit returned
ARRAYS = "arrays"  # the backend that is none: an ArrayNetwork
PARTS = ("train", "validation", "test")  # of the data; validation may be missing
_MOST_COPIES = 1000  # where there are fewer samples
_SAMPLES_SEEN = 1000  # by initial weights
CHIP = "brainscales2"  # whose weights an ArrayNetwork is limited to where hardware is configured


class Experiment:
    """`model` (a module) with `configuration`. Of a model that is described in a line nothing is simulated before `network` is
    called; of a PyNN script the graph is taken on `exact`.

    graph, fitted: of an earlier run of the same model, in place of what the model's graph and fit return.
    """

    def __init__(self, model: Any, configuration: dict[str, Any], graph: Graph | None = None,
                 fitted: Mapping[str, np.ndarray] | None = None) -> None:
        self.model, self.configuration = model, configuration
        check_types(configuration)
        self.options = TrainingOptions.of(configuration["training"])
        check_backend(configuration["backend"])
        tables = getattr(model, "PARAMETERS", {})
        known = [*tables.get("network", {}), *tables.get("network_on_hardware", {})]
        for name in configuration["network"]:
            if known and name not in known:
                raise ConfigurationError(f"the model's network has an {unknown('parameter', name, known)}")
        if configuration["network"] and not any(self._wants_parameters(name) for name in ("fit", "graph", "build", "data")):
            raise ConfigurationError(f"the network's parameters {', '.join(configuration['network'])} reach no function of the "
                                     "model; let build(sim, parameters) or data(parameters) take them, or leave them out")
        self.fitted: dict[str, np.ndarray] | None = None
        if hasattr(model, "fit"):
            self.fitted = _checked_fit(self._called("fit") if fitted is None else fitted, configuration["network"])
        self.graph, self._own = self._described()
        if graph is not None:
            self.graph, self._own = graph, None  # a script may draw another network each time
        self.data = _checked(self._called("data"), self.graph)
        if "classes" not in configuration:
            names = getattr(model, "CLASS_NAMES", self.data["train"].classes or range(self.graph.n_classes))
            self.configuration = {**configuration, "classes": [str(name) for name in names]}
        if len(self.configuration["classes"]) != self.graph.n_classes:
            raise ConfigurationError(f"{len(self.configuration['classes'])} names of classes for {self.graph.n_classes} label "
                                     "neurons; CLASS_NAMES has one for each")
        self._check_run(configuration["dt"], configuration["copies"])
        try:
            schedule(self.options.schedule, self.options.learning_rate, self.options.epochs, **self.options.schedule_options)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"training options: {error}") from None

    @classmethod
    def of_run(cls, model: Any, configuration: dict[str, Any], folder: RunFolder) -> "Experiment":
        """The experiment of a run that has begun: its graph, and what was fitted, are those that its folder keeps."""
        fitted = folder.read_arrays(FITTED) if hasattr(model, "fit") else None
        return cls(model, configuration, folder.read_graph(), fitted)

    def _wants_parameters(self, name: str) -> bool:
        """Whether a function of the model takes the network's parameters."""
        function = getattr(self.model, name, None)
        return function is not None and len(_positional(function)) > (name == "build")

    def _called(self, name: str, *first: Any) -> Any:
        """What a function of the model returns, called with the network's parameters (what was fitted among them) where it takes
        them."""
        function, parameters = getattr(self.model, name), self.configuration["network"]
        if self.fitted is not None:
            parameters = {**parameters, FITTED: self.fitted}
        more = (parameters,) if len(_positional(function)) > len(first) else ()
        try:
            return function(*first, *more)
        except KeyError as error:
            if not more or not error.args or error.args[0] in parameters:
                raise
            raise ConfigurationError(f"the model's {name} asks for a parameter that is not there: "
                                     f"{unknown('parameter', error.args[0], list(parameters))}") from None

    def fresh(self, n: int, rng: np.random.Generator) -> SpikeData:
        """New samples of a model that can draw them. ConfigurationError for another."""
        if not hasattr(self.model, "fresh"):
            raise ConfigurationError(f"the model {self.configuration['model']} has no fresh(n, rng, parameters): new samples "
                                     "cannot be drawn; leave out fresh_samples")
        return self._called("fresh", n, rng)

    def _described(self) -> tuple[Graph, Parameters | None]:
        """(graph, the parameters that a PyNN script has, or None)."""
        if hasattr(self.model, "graph"):
            try:
                graph = self._called("graph")
            except TTFSError:
                raise
            except (TypeError, ValueError) as error:
                raise ConfigurationError(f"network parameters: {error}") from None
            if not isinstance(graph, Graph):
                raise ConfigurationError(f"the model's graph(parameters) returned {type(graph).__name__}; it must return a "
                                         "graph.Graph, such as layered(...)")
            return graph, None
        sim = simulator("exact").setup(self.configuration["dt"], seed=self.options.seed)
        made = self._called("build", sim)
        if not isinstance(made, TrainableNetwork):
            raise ConfigurationError(f"the model's build returned {type(made).__name__}; it must return a ttfs_pynn.Network of "
                                     "its projections")
        return made.graph, made.parameters

    def initial_parameters(self) -> dict[str, np.ndarray]:
        """Where training starts: what the PyNN script has, or drawn with the seed of the training options. Weights that the model
        does not describe follow from the first training samples (`graph.initialisation.balanced`)."""
        if self._own is not None:
            return dict(self._own)
        shown = self.data["train"].batch(slice(0, _SAMPLES_SEEN))
        return initial_parameters(self.graph, np.random.default_rng(self.options.seed), shown)

    def network(self, backend: str | None = None, parameters: Parameters | None = None, dt: float | None = None,
                copies: int | None = None, seed: int = 0) -> Any:
        """The network (a TrainableNetwork) on a simulator, by default the configuration's. With several copies each run shows
        each of them one sample; without leak there are as many as a batch has samples, where one was asked for: a membrane that
        never returns to rest can see one sample a run."""
        configured = self.configuration
        backend = backend or configured["backend"]
        dt = configured["dt"] if dt is None else dt
        parameters = self.initial_parameters() if parameters is None else parameters
        if backend == ARRAYS:
            if copies not in (None, 1):
                raise ConfigurationError(f"copies = {copies}: the backend {ARRAYS} has one; leave it out")
            hardware = configured.get("hardware")
            chip = None if hardware is None else simulator(CHIP).configured(hardware)
            return ArrayNetwork(self.graph, parameters, simulator=chip)
        copies = (configured["copies"] if backend == configured["backend"] else simulator(backend).default_copies) \
            if copies is None else copies
        if copies == 1 and any(np.isinf(node.neuron.tau_m).any() for node in self.graph.neurons):
            copies = self.options.batch_size_for(len(self.data["train"]))
        self._check_run(dt, copies)
        known = self.simulator(backend)
        sim = known.setup(dt, seed=seed, layers=[node.size for node in self.graph.neurons])
        network = build(sim, self.graph, parameters, copies, simulator=known)
        known.check(sim)
        return network

    def _check_run(self, dt, copies):
        if not (np.isfinite(dt) and dt > 0):
            raise ConfigurationError(f"dt = {dt} ms must be positive")
        if copies < 1:
            raise ConfigurationError(f"copies = {copies} must be at least 1")
        most = max(_MOST_COPIES, *(len(part) for part in self.data.values() if part is not None))
        if copies > most:
            raise ConfigurationError(f"copies = {copies} must be {most} at most: there are no more samples to show side by side")

    def simulator(self, backend: str | None = None) -> Simulator:
        """The Simulator of a backend, by default the configuration's, whose options of the hardware it then has."""
        own = self.configuration["backend"]
        backend = backend or own
        return simulator(backend).configured(self.configuration.get("hardware", {}) if backend == own else {})

    def trainer(self, network: TrainableNetwork, folder: RunFolder | None = None, callbacks: Sequence = (),
                parameters: Parameters | None = None) -> Trainer:
        """A Trainer of `network` with the options configured; ConfigurationError where batch and copies do not fit."""
        return Trainer(network, self.data["train"], self.options, self.data["validation"], folder, callbacks,
                       parameters, self._measured_neurons(), self._augment())

    def _augment(self) -> Callable | None:
        """What a model with `augment(times, rng, parameters)` makes of training samples, anew in each epoch; None without."""
        if not hasattr(self.model, "augment"):
            return None
        return lambda times, rng: self._called("augment", times, rng)

    def _measured_neurons(self) -> dict[str, Any] | None:
        """LIFParameters by population as the profile that the configuration names has them; None without one."""
        path = self.configuration.get("hardware", {}).get("profile")
        if path is None:
            return None
        measured = self.simulator().measured_neurons(path, self.graph.neurons)
        return {node.label: neuron for node, neuron in zip(self.graph.neurons, measured, strict=True)}

    def create_folder(self, path: Any, overwrite: bool = False) -> RunFolder:
        """A new RunFolder with the configuration, the graph, what was fitted and, as model.py, a copy of the model's source."""
        folder = RunFolder.create(path, self.configuration, overwrite, free=FREE)
        self._describe(folder)
        return folder

    def open_folder(self, path: Any) -> RunFolder:
        """The RunFolder of an earlier run with this configuration, to go on with."""
        folder = RunFolder.open(path, self.configuration, writing=True, free=FREE)
        if not folder.has_checkpoint:
            self._describe(folder)  # the process was killed before it came to it
        return folder

    def _describe(self, folder):
        folder.write_graph(self.graph)
        if self.fitted is not None:
            folder.write_arrays(FITTED, self.fitted)
        if getattr(self.model, "__file__", None) and not (folder.path / "model.py").exists():
            folder.write_bytes("model.py", Path(self.model.__file__).read_bytes())

    def record_sample(self, network: TrainableNetwork, folder: RunFolder, name: str, sample: int = 0) -> None:
        """Write the spikes of one test sample, a NIX file a population: spikes/NAME_LABEL.nix (`sample_spikes.names_of`). An
        ArrayNetwork has no Neo data: nothing is written."""
        if isinstance(network, ArrayNetwork):
            return
        recording = network.present(self.data["test"].batch(slice(sample, sample + 1)))
        names = names_of(self.graph, name)
        for label, block in network.blocks(recording).items():
            for segment in block.segments:
                segment.name = f"sample{sample}"  # PyNN's name counts the resets of the process, which a resumed run has fewer of
            folder.write_spikes(names[label], block)

    def finish(self, trainer: Trainer, folder: RunFolder) -> tuple[dict[str, Any], Evaluation]:
        """Test the trained network once; write parameters and metrics. Returns (metrics, Evaluation of the test samples)."""
        costs = self._costs(trainer.network)
        test = evaluate(trainer.network, self.data["test"], parameters=trainer.parameters, keep=False)
        tau_syn = float(np.mean(self.graph.node(self.graph.outputs).neuron.tau_syn))
        metrics = {"backend": self.configuration["backend"], "epochs": trainer.epoch, "seed": self.options.seed,
                   **metrics_of(test, "test", tau_syn), **costs(len(test.labels)),
                   "seconds_per_epoch": float(np.median([record["seconds"] for record in trainer.history]))}
        if "validation_accuracy" in trainer.history[-1]:
            metrics["validation_accuracy"] = trainer.history[-1]["validation_accuracy"]
        folder.write_parameters(trainer.parameters)
        folder.write_arrays("decisions", {"label_times": test.label_times, "labels": test.labels,
                                          "layer_spikes": test.layer_spikes, "window_spikes": test.window_spikes})
        folder.write_metrics(metrics)
        return metrics, test

    def _costs(self, network):
        """A function of a number of samples: what they have cost on a chip since now; nothing where there is no chip."""
        if not hasattr(network, "sim"):
            return lambda n_samples: {}
        known, begin = self.simulator(), self.simulator().hardware_time(network.sim)
        return lambda n_samples: known.costs(n_samples, known.hardware_time(network.sim) - begin)

    def map_decisions(self, network: TrainableNetwork, folder: RunFolder, resolution: int = 101) -> None:
        """For models with a `plane(resolution)` of features: what the network answers there, as decision_map.npz."""
        times = self._called("encode", self.model.plane(resolution))
        answers = evaluate(network, SpikeData(times, np.zeros(len(times), dtype=int)))
        square = (resolution, resolution)
        folder.write_arrays("decision_map", {"labels": answers.predictions.reshape(square),
                                             "times": answers.latency.reshape(square)})


def _positional(function):
    """Parameters that a function takes by position."""
    return [p for p in inspect.signature(function).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def check_backend(name: str) -> None:
    """ConfigurationError for a name that is neither a simulator's nor ARRAYS."""
    if name not in (*SIMULATORS, ARRAYS):
        raise ConfigurationError(unknown("backend", name, (*SIMULATORS, ARRAYS)))


def _checked_fit(found, parameters):
    """What a model's fit returned, as arrays that nobody can change, or a ConfigurationError."""
    if FITTED in parameters:
        raise ConfigurationError(f"a parameter of the network is called {FITTED}, as what the model's fit returns; call it "
                                 "something else")
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        raise ConfigurationError(f"the model's fit(parameters) returned {type(found).__name__}; it must return a dict of arrays "
                                 "by name")
    arrays = {name: np.array(value, order="C") for name, value in found.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise ConfigurationError(f"{name!r}, which the model's fit(parameters) returned, is {array.dtype}; give numbers")
        array.flags.writeable = False
    return arrays


def _checked(data, graph):
    """The dict of a model's data, or a ConfigurationError that says what does not fit."""
    if not isinstance(data, dict) or not {"train", "test"} <= set(data) <= set(PARTS) \
            or not all(isinstance(part, SpikeData) for part in data.values()):
        raise ConfigurationError("the model's data(parameters) must return a dict of SpikeData with the keys train, test and, if "
                                 "there is one, validation")
    data = {name: data.get(name) for name in PARTS}
    for name in (name for name in PARTS if data[name] is not None):
        labels = data[name].labels
        try:
            shown = input_times(graph, data[name].times)
        except ConfigurationError as error:
            raise ConfigurationError(f"{name} data: {error}") from None
        if labels.max() >= graph.n_classes:
            raise ConfigurationError(f"{name} data have labels up to {labels.max()}, the network has {graph.n_classes} label "
                                     "neurons, which are classes from 0")
        for label, times in shown.items():
            spikes = times[np.isfinite(times)]
            if spikes.size and spikes.max() < graph.t_early:
                raise ConfigurationError(f"inputs {label!r} of the {name} data spike from {spikes.min():g} to {spikes.max():g} "
                                         f"ms, before the network's t_early = {graph.t_early:g} ms; give times in ms")
    return data


def metrics_of(evaluation: Evaluation, name: str, tau_syn: float) -> dict[str, Any]:
    """Accuracy (a fraction), latency of the decisions made (mean, in ms and tau_syn), share without answer, share of decisions by
    less than `decision.CLOSE`; mean spikes a sample: of all layers up to the decision, and by layer up to it and in the whole
    window."""
    answered = np.isfinite(evaluation.latency)
    latency = float(evaluation.latency[answered].mean()) if answered.any() else float("nan")
    return {f"{name}_accuracy": evaluation.accuracy, f"{name}_samples": len(evaluation.labels), "latency_ms": latency,
            "latency_tau_syn": latency / tau_syn, "spikes_per_sample": float(evaluation.spikes.mean()),
            "layer_spikes_per_sample": evaluation.layer_spikes.mean(axis=0).tolist(),
            "window_spikes_per_sample": evaluation.window_spikes.mean(axis=0).tolist(), "no_answer": float(1 - answered.mean()),
            "close_decisions": float((margins(evaluation.label_times) < CLOSE).mean())}
