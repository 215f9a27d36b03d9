"""The loop: present a batch, read its spikes, compute gradients, step, write the weights back; epoch after epoch.

A run is reproducible from one seed: the order of samples and the jitter of epoch e come from the generator of (seed, e), the
noise of a chip in it from that of (seed, e, 1), so a run that is resumed after any epoch continues as if it had never stopped.
Training begins with the weights that the network has; an experiment draws them from the generator of `seed`.
"""

import difflib
import time
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.learning import loss as losses
from ttfs_pynn.learning import silent_neurons
from ttfs_pynn.learning.decision import spikes_until
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.loss import predict
from ttfs_pynn.learning.optimizer import Adam, schedule
from ttfs_pynn.networks.trained_times import Weights
from ttfs_pynn.units import in_unit

__all__ = ["Callback", "Evaluation", "SpikeData", "Trainer", "TrainingOptions", "evaluate"]

LOSSES = {"time_to_first_spike": losses.TimeToFirstSpike, "pairwise_difference": losses.PairwiseDifference,
          "mean_squared_error": losses.MeanSquaredError}


def _is_number(value):
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


_KINDS = ((_is_number, "a number"), (lambda value: isinstance(value, bool), "true or false"),
          (lambda value: isinstance(value, str), "a text"), (lambda value: isinstance(value, list | tuple), "a list"),
          (lambda value: isinstance(value, dict), "a table"))  # of training options, by their defaults


@dataclass(frozen=True, eq=False)
class SpikeData:
    """Samples as input spike times, times (samples, inputs) in ms (inf: no spike) or a quantity, and labels (samples,)."""

    times: np.ndarray
    labels: np.ndarray

    def __post_init__(self):
        times, labels = np.asarray(in_unit(self.times, "ms", "times"), dtype=float), np.asarray(self.labels)
        if np.isnan(times).any():
            raise ConfigurationError(f"{int(np.isnan(times).sum())} spike times are NaN; inf is for an input that does not spike")
        if (times < 0).any():
            raise ConfigurationError(f"an input spikes at {times.min():g} ms; give times from the start of a sample, zero or "
                                     "more, and inf for no spike")
        if times.ndim != 2 or labels.shape != times.shape[:1] or not len(labels):
            raise ConfigurationError(f"times of shape {times.shape} and labels of shape {labels.shape}; expected (samples, "
                                     "inputs) and (samples,), at least one sample")
        whole = np.issubdtype(labels.dtype, np.integer)
        if not whole or labels.min() < 0:
            what = f"from {labels.min()}" if whole else f"{labels.dtype}, the first {labels[0].item()!r}"
            raise ConfigurationError(f"labels are {what}; give integers from 0, one a class")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "labels", labels)

    def __len__(self):
        return len(self.labels)


@dataclass(frozen=True)
class TrainingOptions:
    """How to learn. Learning rate, bump and max_dw are in units of each layer's current_scale, input_jitter in ms (std).

    times_rate: the learning rate of delays and bias times (in tau_syn) relative to that of weights.
    silent: what is done about silent neurons, one of silent_neurons.POLICIES; silent_aim is an option of membrane_peak, bump and
    bump_instead_of_step are of bumping, weight_sum (a strength) of weight_sum. silent_tolerated has one share for each layer.
    """

    epochs: int = 30
    batch_size: int = 50
    learning_rate: float = 0.006
    schedule: str = "cosine"
    schedule_options: dict = field(default_factory=dict)
    loss: str = "pairwise_difference"
    loss_options: dict = field(default_factory=dict)
    max_dw: float = 0.2
    silent: str = "bumping"
    silent_tolerated: tuple = (0.95, 0.95)
    silent_aim: float = 1.5
    weight_sum: float = 10.0
    bump: float = 0.0005
    bump_instead_of_step: bool = False
    input_jitter: float = 0.0
    times_rate: float = 1.0
    seed: int = 0

    @classmethod
    def of(cls, table):
        """From a dict, as a model or a TOML file has it: lists become tuples. ConfigurationError for a name that is none."""
        known = [entry.name for entry in fields(cls)]
        for name in table:
            if name not in known:
                raise ConfigurationError(unknown("training option", name, known))
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
        return cls(**values)

    def __post_init__(self):
        for entry in fields(self):
            value = getattr(self, entry.name)
            default = entry.default if entry.default_factory is MISSING else entry.default_factory()
            for of_kind, text in _KINDS:
                if of_kind(default) and not of_kind(value):
                    raise ConfigurationError(f"{entry.name} = {value!r} must be {text}")
        whole = {name: isinstance(getattr(self, name), int | np.integer) for name in ("epochs", "batch_size", "seed")}
        for name, allowed, text in (("epochs", whole["epochs"] and self.epochs >= 1, "at least 1, an integer"),
                                    ("batch_size", whole["batch_size"] and self.batch_size >= 1, "at least 1, an integer"),
                                    ("learning_rate", 0 < self.learning_rate < np.inf, "positive and finite"),
                                    ("max_dw", self.max_dw > 0, "positive"), ("bump", self.bump >= 0, "zero or more"),
                                    ("input_jitter", 0 <= self.input_jitter < np.inf, "zero or more"),
                                    ("times_rate", 0 < self.times_rate < np.inf, "positive and finite"),
                                    ("seed", whole["seed"] and self.seed >= 0, "an integer, zero or more"),
                                    ("silent", self.silent in silent_neurons.POLICIES,
                                     f"one of {', '.join(silent_neurons.POLICIES)}"),
                                    ("silent_tolerated", all(_is_number(share) and 0 <= share <= 1
                                                             for share in self.silent_tolerated),
                                     "shares from 0 to 1, one a layer"),
                                    ("silent_aim", 1 <= self.silent_aim < np.inf, "1 or more, and finite"),
                                    ("weight_sum", 0 <= self.weight_sum < np.inf, "zero or more"),
                                    ("loss", self.loss in LOSSES, f"one of {', '.join(LOSSES)}")):
            if not allowed:
                raise ConfigurationError(f"{name} = {getattr(self, name)!r} must be {text}")
        for name, policy in (("silent_aim", "membrane_peak"), ("bump", "bumping"), ("bump_instead_of_step", "bumping"),
                             ("weight_sum", "weight_sum")):
            if self.silent != policy and getattr(self, name) != getattr(TrainingOptions, name):
                raise ConfigurationError(f"{name} = {getattr(self, name)!r} has no effect with silent = {self.silent!r}; it is "
                                         f"an option of {policy!r}: leave it out, or choose that")


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


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network answers. Times in ms; label_times (samples, classes), predictions (samples,), -1 for no answer.

    latency (samples,): from the start of the window to the first label spike, inf without one. layer_spikes (samples, layers):
    neurons of each layer that have spiked by the decision, window_spikes in the whole window; spikes (samples,): of all layers by
    the decision (first spikes counted).
    """

    label_times: np.ndarray
    labels: np.ndarray
    layer_spikes: np.ndarray
    window_spikes: np.ndarray
    first_spikes: object = None

    @property
    def spikes(self):
        return self.layer_spikes.sum(axis=1)

    @property
    def predictions(self):
        """The class of each sample (samples,), -1 for no answer."""
        return predict(self.label_times)

    @property
    def accuracy(self):
        """Share of right answers; a sample without an answer is wrong."""
        return float((self.predictions == self.labels).mean())

    @property
    def latency(self):
        """Time of the first label spike of each sample (samples,) in ms, inf without one."""
        return self.label_times.min(axis=1)

    def summary(self, name):
        """A dict for JSON: NAME_accuracy, NAME_latency_ms (mean over decisions), NAME_spikes (mean), NAME_no_answer (a share)."""
        latency = self.latency[np.isfinite(self.latency)]
        return {f"{name}_accuracy": self.accuracy, f"{name}_latency_ms": float(latency.mean()) if latency.size else float("nan"),
                f"{name}_spikes": float(self.spikes.mean()), f"{name}_no_answer": 1 - latency.size / len(self.labels)}


def _decisions(times):
    """(label times, spikes of each layer by the decision, in the window) of FirstSpikes."""
    return times.layers[-1], spikes_until(times.layers, times.layers[-1].min(axis=1)), spikes_until(times.layers)


def evaluate(network, data, batch_size=None, weights=None, keep=True):
    """Present all of `data` in batches, by default of 100 samples, or one for each copy where the network has several. Does not
    change weights, unless others are given to write first.

    Without `keep` the Evaluation has no first_spikes, which of ten thousand images take more memory than all else.
    """
    _check_data(network, data)
    if weights is not None:
        network.write_weights(weights)
    if batch_size is None:
        batch_size = network.n_copies if network.n_copies > 1 else 100
    if batch_size < 1:
        raise ConfigurationError(f"batch_size = {batch_size} must be at least 1")
    parts, decisions = [], []
    for k in range(0, len(data), batch_size):
        times = first_spikes(network.present(data.times[k:k + batch_size]))
        decisions.append(_decisions(times))
        if keep:
            parts.append(times)
    label_times, layer_spikes, window_spikes = (np.concatenate(arrays) for arrays in zip(*decisions, strict=True))
    if not keep:
        return Evaluation(label_times, data.labels, layer_spikes, window_spikes)
    merged = replace(parts[0], inputs=np.concatenate([p.inputs for p in parts]),
                     biases=tuple(None if b[0] is None else np.concatenate(b)
                                  for b in zip(*(p.biases for p in parts), strict=True)),
                     layers=tuple(np.concatenate(arrays) for arrays in zip(*(p.layers for p in parts), strict=True)))
    return Evaluation(label_times, data.labels, layer_spikes, window_spikes, merged)


def _check_data(network, data):
    """ConfigurationError for samples that the network cannot be shown, or classes that it cannot answer."""
    architecture = network.architecture
    if data.times.shape[1] != architecture.n_inputs:
        raise ConfigurationError(f"{data.times.shape[1]} inputs a sample for a network of {architecture.n_inputs}")
    if data.labels.max() >= architecture.layers[-1].size:
        raise ConfigurationError(f"labels up to {data.labels.max()} for a network of {architecture.layers[-1].size} label "
                                 "neurons, which are classes from 0")


class Trainer:
    """Trains `network` (a LayeredNetwork) on `train` (SpikeData). `weights` are floats here, and written to the network; with
    them go delays and bias times (`times`, TrainedTimes) where the architecture has them trained.

    weights: where training starts, by default those that the network was given. measured: LIFParameters of each layer that
    gradients assume, by default those of the architecture. augment: a function of (times, rng) that gives other times for a batch
    of training samples. validation: SpikeData or None; folder: a results.RunFolder for a checkpoint after each epoch, or None.
    """

    def __init__(self, network, train, options, validation=None, folder=None, callbacks=(), weights=None, measured=None,
                 augment=None):
        if not isinstance(options, TrainingOptions):
            raise ConfigurationError(f"options are {type(options).__name__}; give TrainingOptions, or TrainingOptions.of(a dict)")
        self.network, self.train, self.validation = network, train, validation
        self.options, self.folder, self.callbacks = options, folder, list(callbacks)
        self._augment = augment
        for data in (train, validation) if validation is not None else (train,):
            _check_data(network, data)
        architecture = network.architecture
        neurons = [layer.neuron for layer in architecture.layers]
        if len(options.silent_tolerated) != len(neurons):
            raise ConfigurationError(f"silent_tolerated = {options.silent_tolerated} needs one share for each of "
                                     f"{len(neurons)} layers")
        if measured is not None and len(measured) != len(neurons):
            raise ConfigurationError(f"measured: {len(measured)} LIFParameters for {len(neurons)} layers; give one a layer")
        scales = [float(np.mean(neuron.current_scale)) for neuron in neurons]
        self.engine = GradientEngine(neurons if measured is None else measured, options.max_dw,
                                     [layer.train_bias_times and bool(layer.bias_times) for layer in architecture.layers])
        known = [entry.name for entry in fields(LOSSES[options.loss]) if entry.name != "tau_syn"]
        for name in options.loss_options:
            if name not in known:
                raise ConfigurationError(unknown(f"option of the loss {options.loss}", name, known))
        try:
            self.loss = LOSSES[options.loss](tau_syn=float(np.mean(neurons[-1].tau_syn)), **options.loss_options)
            self.schedule = schedule(options.schedule, options.learning_rate, options.epochs, **options.schedule_options)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"loss or schedule options: {error}") from None
        deadline = network.timing.deadline / self.loss.tau_syn
        if self.loss.latest >= deadline:
            raise ConfigurationError(f"the loss {options.loss} asks for spikes at {self.loss.latest:g} tau_syn; those after "
                                     f"{deadline:g} tau_syn do not count (its options are in tau_syn, not ms)")
        self.weights = architecture.check_weights(network.weights if weights is None else weights)
        self._trained = architecture.trained_times
        if options.times_rate != TrainingOptions.times_rate and not self._trained:
            raise ConfigurationError(f"times_rate = {options.times_rate} has no effect: no delays or bias times are trained; "
                                     "leave it out, or give the layers `delays` or train_bias_times")
        tau_syn = options.times_rate * float(np.mean([np.mean(neuron.tau_syn) for neuron in neurons]))
        self.optimizer = Adam([array.shape for array in self.arrays().values()], [*scales, *(tau_syn for _ in self._trained)])
        self.silent_neurons = silent_neurons.policy(options, self.engine.neurons, scales)
        self.epoch, self.history = 0, []
        self._write()

    @property
    def weights(self):
        """trained_times.Weights as they are now; what a callback sets in their place is checked as what a network is built of."""
        return self._weights

    @weights.setter
    def weights(self, weights):
        self._weights = weights if isinstance(weights, Weights) else self.network.architecture.check_weights(weights)

    @property
    def times(self):
        """TrainedTimes: delays and bias times as they are now."""
        return self.network.architecture.times_of(self.weights)

    def arrays(self):
        """{name: array} of all that is trained: w0, w1, ..., delays and bias times."""
        return self.weights.arrays(self._trained)

    def restore(self, arrays, meta):
        """Continue from a checkpoint's arrays and meta data."""
        self.weights = self.network.architecture.weights_of({name: arrays[name] for name in self.arrays() if name in arrays})
        self.optimizer.restore(arrays)
        self.silent_neurons.restore(arrays)
        self.epoch, self.history = meta["epoch"], list(meta["history"])

    def checkpoint(self):
        """(arrays, meta): all that `restore` needs."""
        return {**self.arrays(), **self.optimizer.state(), **self.silent_neurons.state()}, \
            {"epoch": self.epoch, "history": self.history}

    def run(self):
        """Train until options.epochs are done. Returns the history, one dict an epoch."""
        self._write()
        self._call("on_train_begin")
        while self.epoch < self.options.epochs:
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
        self.network.seed_noise(self.options.seed, self.epoch, 1)
        self._call("on_train_end")
        return self.history

    def _train_epoch(self, epoch):
        rng = np.random.default_rng([self.options.seed, epoch])
        order = rng.permutation(len(self.train))
        size = self.options.batch_size
        loss = right = dropped = 0.0
        for begin in range(0, order.size, size):
            chosen = order[begin:begin + size]
            times = self.train.times[chosen] if self._augment is None else self._augment(self.train.times[chosen], rng)
            gradients = self._step(self._jittered(times, rng), self.train.labels[chosen],
                                   epoch + begin / order.size)
            loss += gradients.loss.sum()
            right += (predict(gradients.first_spikes.layers[-1]) == self.train.labels[chosen]).sum()
            dropped += gradients.dropped
        return {"train_loss": float(loss / order.size), "train_accuracy": float(right / order.size), "dropped": int(dropped)}

    def _jittered(self, times, rng):
        """|t + N(0, sigma)|, as the paper's authors do."""
        if not self.options.input_jitter:
            return times
        jittered, spikes = times.copy(), np.isfinite(times)
        jittered[spikes] = np.abs(times[spikes] + rng.normal(0.0, self.options.input_jitter, np.count_nonzero(spikes)))
        return jittered

    def _step(self, times, labels, epoch):
        recording = self.network.present(times)
        gradients = self.engine.gradients(recording, self.weights, self.loss, labels)
        for callback in self.callbacks:
            gradients = callback.before_step(self, gradients) or gradients
        bumped, weight_gradients, skip = self.silent_neurons.apply(self.weights, gradients)
        times = self.weights.times
        if not skip:
            weights, times = self._stepped(replace(gradients, weights=weight_gradients), self.schedule(epoch))
            bumped = [new if b is old else b + (new - old) for b, new, old in zip(bumped, weights, self.weights, strict=True)]
        self.weights = Weights(self.network.within_limits(bumped), times)
        self._write()
        self._call("after_step", gradients)
        return gradients

    def _stepped(self, gradients, learning_rate):
        """(weights, TrainedTimes or None) after one step."""
        if not self._trained:
            return self.optimizer.step(self.weights, gradients.weights, learning_rate), self.weights.times
        times, of_times = self.times.arrays(), self.times.gradient(gradients.delays, gradients.bias_times)
        new = self.optimizer.step([*self.weights, *(times[name] for name in self._trained)],
                                  [*gradients.weights, *(of_times[name] for name in self._trained)], learning_rate)
        n = len(self.weights)
        stepped = self.times.with_arrays(dict(zip(self._trained, new[n:], strict=True)))
        return new[:n], self.network.architecture.clip_times(stepped)

    def _write(self):
        self.network.write_weights(self.weights)

    def _call(self, hook, *arguments):
        for callback in self.callbacks:
            getattr(callback, hook)(self, *arguments)
