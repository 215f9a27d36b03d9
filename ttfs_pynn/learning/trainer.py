"""The loop: present a batch, read its spikes, compute gradients, step, write the weights back; epoch after epoch.

A run is reproducible from one seed: the order of samples and the jitter of epoch e come from the generator of (seed, e), the
noise of a chip in it from that of (seed, e, 1), so a run that is resumed after any epoch continues as if it had never stopped.
Training begins with the parameters that the network has; an experiment draws them from the generator of `seed`.
"""

import difflib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.graph.parameters import Parameters, check_parameters, trained_names
from ttfs_pynn.learning import silent_neurons
from ttfs_pynn.learning.data import SpikeData, jittered
from ttfs_pynn.learning.engine import GradientEngine, Gradients
from ttfs_pynn.learning.evaluation import check_data, evaluate
from ttfs_pynn.learning.loss import predict
from ttfs_pynn.learning.optimizer import Adam, add_to_rows
from ttfs_pynn.learning.options import LOSSES, TrainingOptions
from ttfs_pynn.learning.schedules import changing, schedule
from ttfs_pynn.networks.interface import TrainableNetwork
from ttfs_pynn.neuron import LIFParameters

__all__ = ["Callback", "Trainer"]


_MOMENTS_CHECKED = 201  # of a training whose loss changes


def _changing(name, value, epochs):
    """The schedule of an option of the loss; a ValueError says of which."""
    try:
        return changing(value, epochs)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _loss_at(epoch, loss, options):
    """The loss with the options (schedules by name) of an epoch; the same one where they have not changed."""
    values = {name: option(epoch) for name, option in options.items()}
    same = all(getattr(loss, name) == value for name, value in values.items())
    return loss if same else replace(loss, **values)


class Callback:
    """Hooks into the loop; override what is needed. `trainer` gives access to everything."""

    def __init_subclass__(cls) -> None:
        hooks = [name for name in vars(Callback) if not name.startswith("_")]
        for name in vars(cls):
            if name not in hooks and difflib.get_close_matches(name, hooks, 1, 0.8):
                raise ConfigurationError(f"{unknown('hook', name, hooks)}, of the callback {cls.__name__}; name other methods "
                                         "differently")

    def on_train_begin(self, trainer):
        """Before the first epoch (of this session)."""

    def on_epoch_begin(self, trainer, epoch):
        """Before the first batch of an epoch."""

    def before_step(self, trainer, gradients):
        """Early hook: gradients of a batch are known, weights are not changed yet. May return other Gradients."""

    def after_step(self, trainer, gradients):
        """Late hook: the new weights have been written to the network."""

    def on_epoch_end(self, trainer, record):
        """After validation and checkpoint; record is the epoch's line of the history."""

    def on_train_end(self, trainer):
        """After the last epoch."""


class Trainer:
    """Trains `network` (a TrainableNetwork) on `train` (SpikeData). `parameters`, {name: array} of all that a network has learned
    (see `graph.parameters`), are floats here, and written to the network.

    parameters: where training starts, by default those that the network has. measured: LIFParameters by population that gradients
    assume, by default the graph's. augment: a function of (times, rng) that gives other times for a batch of training samples.
    validation: SpikeData or None; folder: a runs.folder.RunFolder for a checkpoint after each epoch, or None.
    """

    def __init__(self, network: TrainableNetwork, train: SpikeData, options: TrainingOptions, validation: SpikeData | None = None,
                 folder: Any = None, callbacks: Sequence[Callback] = (), parameters: Parameters | None = None,
                 measured: Mapping[str, LIFParameters] | None = None, augment: Callable | None = None) -> None:
        if not isinstance(options, TrainingOptions):
            raise ConfigurationError(f"options are {type(options).__name__}; give TrainingOptions, or TrainingOptions.of(a dict)")
        if not isinstance(network, TrainableNetwork):
            raise ConfigurationError(f"{type(network).__name__} is no network that can be trained; give a Network of your PyNN "
                                     "projections, or what networks.pynn_network.build returns")
        self.network, self.train, self.validation = network, train, validation
        self.options, self.folder, self.callbacks = options, folder, list(callbacks)
        self._augment = augment
        for data in (train, validation) if validation is not None else (train,):
            if not isinstance(data, SpikeData):
                raise ConfigurationError(f"samples are {type(data).__name__}; give SpikeData(times, labels)")
            check_data(network, data)
        self.batch_size = options.batch_size_for(len(train))
        if self.batch_size > network.n_copies > 1:
            raise ConfigurationError(f"a batch of {self.batch_size} samples does not fit {network.n_copies} copies of the "
                                     "network; use as many copies as samples, or one")
        graph = network.graph
        for label in measured or ():
            graph.node(label)
        self.engine = GradientEngine(graph, options.max_dw, measured)
        self._loss_options, self.loss, self.schedule = self._loss_and_schedule()
        self.parameters = network.parameters if parameters is None else parameters
        self._trained = trained_names(graph)
        if not self._trained:
            raise ConfigurationError("nothing of this network is trained; name projections whose weights, or sources whose "
                                     "times, are")
        of_times = [name for name in self._trained if not name.endswith(".weight")]
        if options.times_rate != TrainingOptions.times_rate and not of_times:
            raise ConfigurationError(f"times_rate = {options.times_rate} has no effect: no delays or times of sources are "
                                     "trained; leave it out, or have some trained")
        tau_syn = options.times_rate * float(np.mean([np.mean(node.neuron.tau_syn) for node in graph.neurons]))
        scales = {f"{edge.label}.weight": float(np.mean(graph.node(edge.post).neuron.current_scale)) for edge in graph.edges}
        self.optimizer = Adam({name: self.parameters[name].shape for name in self._trained},
                              {name: scales.get(name, tau_syn) for name in self._trained})
        self.silent_neurons = silent_neurons.policy(options, graph, self.engine.parts)
        self.epoch = 0
        self.history: list[dict] = []
        self._write()

    def _loss_and_schedule(self):
        options, neuron = self.options, self.network.graph.node(self.network.graph.outputs).neuron
        known = [entry.name for entry in fields(LOSSES[options.loss]) if entry.name != "tau_syn"]
        for name in options.loss_options:
            if name not in known:
                raise ConfigurationError(unknown(f"option of the loss {options.loss}", name, known))
        try:
            changing_options = {name: _changing(name, value, options.epochs) for name, value in options.loss_options.items()}
            plain = LOSSES[options.loss](tau_syn=float(np.mean(neuron.tau_syn)))
            each = [_loss_at(epoch, plain, changing_options) for epoch in np.linspace(0, options.epochs, _MOMENTS_CHECKED)]
            rates = schedule(options.schedule, options.learning_rate, options.epochs, **options.schedule_options)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"loss or schedule options: {error}") from None
        deadline, latest = self.network.timing.deadline / plain.tau_syn, max(loss.latest for loss in each)
        if latest >= deadline:
            raise ConfigurationError(f"the loss {options.loss} asks for spikes at {latest:g} tau_syn; those after "
                                     f"{deadline:g} tau_syn do not count (its options are in tau_syn, not ms)")
        return changing_options, each[0], rates

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """{name: array} as they are now; what a callback sets in their place is checked as what a network is built of."""
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: Parameters) -> None:
        self._parameters = check_parameters(self.network.graph, parameters)

    def restore(self, arrays: Parameters, meta: Mapping[str, Any]) -> None:
        """Continue from a checkpoint's arrays and meta data."""
        self.parameters = {name: arrays[name] for name in self.parameters if name in arrays}
        self.optimizer.restore(arrays)
        self.silent_neurons.restore(arrays)
        self.epoch, self.history = meta["epoch"], list(meta["history"])

    def checkpoint(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """(arrays, meta): all that `restore` needs."""
        return {**self.parameters, **self.optimizer.state(), **self.silent_neurons.state()}, \
            {"epoch": self.epoch, "history": self.history}

    def run(self) -> list[dict]:
        """Train until options.epochs are done. Returns the history, one dict an epoch. What the user's own objects hold is
        trained, also where training was interrupted."""
        self._write()
        self._call("on_train_begin")
        try:
            while self.epoch < self.options.epochs:
                self._run_epoch()
        finally:
            self.network.finish()
        self.network.seed_noise(self.options.seed, self.epoch, 1)
        self._call("on_train_end")
        return self.history

    def _run_epoch(self):
        self.network.seed_noise(self.options.seed, self.epoch, 1)
        self._call("on_epoch_begin", self.epoch)
        begin = time.perf_counter()
        record = {"epoch": self.epoch + 1, **self._train_epoch(self.epoch)}
        record["seconds"] = time.perf_counter() - begin
        if self.validation is not None:
            record.update(evaluate(self.network, self.validation, keep=False).summary("validation"))
        self.epoch += 1
        self.history.append(record)
        if self.folder is not None:
            self.folder.save_checkpoint(*self.checkpoint())
            self.folder.write_history(self.history)
        self._call("on_epoch_end", record)

    def _train_epoch(self, epoch):
        rng = np.random.default_rng([self.options.seed, epoch])
        order = rng.permutation(len(self.train))
        size = self.batch_size
        loss = right = dropped = 0.0
        for begin in range(0, order.size, size):
            chosen = order[begin:begin + size]
            times, labels = self.train.drawn(chosen, rng)
            if self._augment is not None:
                times = self._augment(times, rng)
            gradients = self._step(self._jittered(times, rng), labels, epoch + begin / order.size)
            loss += gradients.loss.sum()
            right += (predict(gradients.first_spikes.labels) == labels).sum()
            dropped += gradients.dropped
        return {"train_loss": float(loss / order.size), "train_accuracy": float(right / order.size), "dropped": int(dropped)}

    def _jittered(self, times, rng):
        """With the jitter of the options, if any."""
        if not self.options.input_jitter:
            return times
        if isinstance(times, Mapping):
            return {label: self._jittered(array, rng) for label, array in times.items()}
        return jittered(times, rng, self.options.input_jitter)

    def _step(self, times: Any, labels: np.ndarray, epoch: float) -> Gradients:
        recording = self.network.present(times)
        self.loss = _loss_at(epoch, self.loss, self._loss_options)
        gradients = self.engine.gradients(recording, self.parameters, self.loss, labels)
        for callback in self.callbacks:
            gradients = callback.before_step(self, gradients) or gradients
        changes, of_parameters, skip = self.silent_neurons.changes(self.parameters, gradients)
        stepped = {} if skip else self.optimizer.step(self.parameters, of_parameters, self.schedule(epoch))
        new = {**self.parameters, **stepped}
        for name, change in changes.items():
            if name in stepped and change.ndim < stepped[name].ndim:  # what was stepped is new already
                add_to_rows(stepped[name], change)
            else:
                new[name] = new[name] + change
        self._parameters = self.network.within_limits(new)
        self._write()
        self._call("after_step", gradients)
        return gradients

    def _write(self):
        self.network.write(self.parameters)

    def _call(self, hook, *arguments):
        for callback in self.callbacks:
            getattr(callback, hook)(self, *arguments)
