"""A layered first-spike network in PyNN: its description, and the populations and projections that it becomes."""

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ttfs_pynn.networks.trained_times import DELAYS, TrainedTimes, Weights, delay_shape
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import SimulatorError, simulator_of
from ttfs_pynn.spikes.windows import Presentation, PresentationError, Timing
from ttfs_pynn.units import in_unit

__all__ = ["Architecture", "Layer", "LayeredNetwork", "Recording"]


@dataclass(frozen=True)
class Layer:
    """`size` neurons, with spikes of bias sources at `bias_times` (ms from the start of a window), one source a time.

    weight_mean, weight_std: of the normal distribution of initial weights, in units of `neuron.current_scale`, one number or one
    a neuron. delays: kinds of delays of its afferent synapses that are trained, of `trained_times.DELAYS`; each is 0 to delay_max
    (ms), at first |N(delay_mean, delay_std)|. train_bias_times: bias_times are where training starts.
    """

    size: int
    neuron: LIFParameters
    bias_times: tuple = ()
    weight_mean: float = 1.0
    weight_std: float = 1.0
    delays: tuple = ()
    delay_mean: float = 0.0
    delay_std: float = 0.0
    delay_max: float = 20.0
    train_bias_times: bool = False

    def __post_init__(self):
        if not isinstance(self.size, int | np.integer) or isinstance(self.size, bool):
            raise ValueError(f"a layer of {self.size!r} neurons: give an integer")
        for name in ("bias_times", "delay_mean", "delay_std", "delay_max"):
            object.__setattr__(self, name, in_unit(getattr(self, name), "ms", name))
        self.neuron.columns(self.size)  # a number each, or one number a neuron
        for name in ("bias_times", "delays"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.train_bias_times and not self.bias_times:
            raise ValueError("train_bias_times of a layer without bias_times; say where training starts, or leave it out")


@dataclass(frozen=True)
class Architecture:
    """n_inputs spike sources and layers, each fully connected to the one before; inputs spike between t_early and t_late (ms).

    Weights are a list with one matrix a layer, (size of the layer before + bias sources, size), in nA. Where delays or bias times
    are trained, they come with them: `trained_times.Weights`.
    """

    n_inputs: int
    layers: tuple
    t_early: float
    t_late: float

    def __post_init__(self):
        for name in ("t_early", "t_late"):
            object.__setattr__(self, name, in_unit(getattr(self, name), "ms", name))
        if self.n_inputs < 1 or not self.layers or min(layer.size for layer in self.layers) < 1:
            raise ValueError("a network needs at least one input and one layer of at least one neuron")
        if not 0 <= self.t_early <= self.t_late < np.inf:
            raise ValueError(f"input times from {self.t_early:g} to {self.t_late:g} ms; need 0 <= t_early <= t_late")
        for k, layer in enumerate(self.layers):
            if any(t < 0 or not np.isfinite(t) for t in layer.bias_times):
                raise ValueError(f"bias times {layer.bias_times} of layer {k} must be finite and not negative")
            if not set(layer.delays) <= set(DELAYS):
                raise ValueError(f"delays {layer.delays} of layer {k}: known kinds are {', '.join(DELAYS)}")
            if layer.delays and not (0 < layer.delay_max < np.inf and layer.delay_mean >= 0 and layer.delay_std >= 0):
                raise ValueError(f"delays of layer {k}: mean {layer.delay_mean:g}, std {layer.delay_std:g}, largest "
                                 f"{layer.delay_max:g} ms; need the first two not negative, the last positive and finite")

    @property
    def shapes(self):
        """(inputs + bias sources, neurons) of the weights, one pair a layer."""
        sizes = [self.n_inputs, *(layer.size for layer in self.layers)]
        return [(n + len(layer.bias_times), layer.size) for n, layer in zip(sizes[:-1], self.layers, strict=True)]

    @property
    def latest_input(self):
        """When the last input of any layer may arrive (ms), were it not for the neurons: of the sources, through all delays."""
        last = max([self.t_late, *(t for layer in self.layers for t in layer.bias_times)])
        return last + sum(layer.delay_max * len(layer.delays) for layer in self.layers)

    @property
    def trained_times(self):
        """Names (of `TrainedTimes.arrays`) of the delays and bias times that are trained."""
        return [*(f"delay{k}_{kind}" for k, layer in enumerate(self.layers) for kind in layer.delays),
                *(f"bias_times{k}" for k, layer in enumerate(self.layers) if layer.train_bias_times and layer.bias_times)]

    @property
    def trains_times(self):
        return bool(self.trained_times)

    def initial_times(self, rng):
        """TrainedTimes from a numpy Generator."""
        return self._times(lambda name, layer, shape: np.clip(np.abs(rng.normal(layer.delay_mean, layer.delay_std, shape)), 0.0,
                                                              layer.delay_max))

    def _times(self, delays=lambda name, layer, shape: np.broadcast_to(0.0, shape), bias_times=MappingProxyType({})):
        """TrainedTimes of delays(name, layer, shape), and of bias times by name where they are not the layers' own."""
        return TrainedTimes(tuple({kind: delays(f"delay{k}_{kind}", layer, delay_shape(kind, shape)) for kind in layer.delays}
                                  for k, (layer, shape) in enumerate(zip(self.layers, self.shapes, strict=True))),
                            tuple(np.array(bias_times.get(f"bias_times{k}", layer.bias_times), dtype=float)
                                  for k, layer in enumerate(self.layers)))

    def clip_times(self, times):
        """The same TrainedTimes with delays in 0 to delay_max and bias spikes in 0 to t_late (or where they began, if later)."""
        return TrainedTimes(
            tuple({kind: np.clip(d, 0.0, layer.delay_max) for kind, d in kinds.items()}
                  for layer, kinds in zip(self.layers, times.delays, strict=True)),
            tuple(np.clip(t, 0.0, max([self.t_late, *layer.bias_times]))
                  for layer, t in zip(self.layers, times.bias_times, strict=True)))

    def initial_weights(self, rng):
        """Normally distributed weights (nA) from a numpy Generator, and initial times from one that it spawns: so weights are the
        same with and without them."""
        return Weights([rng.normal(layer.weight_mean, layer.weight_std, shape) * layer.neuron.current_scale
                        for layer, shape in zip(self.layers, self.shapes, strict=True)],
                       self.initial_times(rng.spawn(1)[0]) if self.trains_times else None)

    def weights_of(self, arrays):
        """Weights from arrays by name, as a run folder holds them (`RunFolder.read_weights`): all of them, or a ValueError that
        says which is missing or foreign."""
        names = [f"w{k}" for k in range(len(self.layers))]
        missing = [name for name in [*names, *self.trained_times] if name not in arrays]
        foreign = [name for name in arrays if name not in names and name not in self.trained_times]
        if missing or foreign:
            raise ValueError("; ".join([*[f"{', '.join(missing)} missing"] * bool(missing),
                                        *[f"{', '.join(foreign)} not in this network"] * bool(foreign)]))
        times = self._times(lambda name, *_: np.asarray(arrays[name], dtype=float), arrays) if self.trains_times else None
        return self.check_weights(Weights([arrays[name] for name in names], times))

    def within_limits(self, weights, simulator):
        """The weights clipped to what a simulator can hold: a weight that left its range would not come back for long."""
        clipped = []
        for k, (matrix, layer) in enumerate(zip(weights, self.layers, strict=True)):
            n_neurons = self.layers[k - 1].size if k else 0  # the other inputs are sources
            of_neurons, of_sources = (simulator.largest_weight(layer.neuron, n) for n in (1, simulator.input_copies))
            if np.isfinite(of_neurons).any() or np.isfinite(of_sources).any():
                limit = np.where(np.arange(len(matrix))[:, None] < n_neurons, of_neurons, of_sources)  # numbers, or one a neuron
                matrix = np.clip(matrix, -limit, limit)
            clipped.append(matrix)
        return clipped

    def times_of(self, weights):
        """The TrainedTimes that a network with these weights has: those that came with them, else the fixed bias times."""
        times = getattr(weights, "times", None)
        return self._times() if times is None else times

    def check_weights(self, weights):
        """`trained_times.Weights` of float arrays, or a ValueError that says what does not fit."""
        times = getattr(weights, "times", None)
        if times is None and self.trains_times:
            raise ValueError(f"weights without the {', '.join(self.trained_times)} that this network trains beside them; give "
                             "what initial_weights, a Trainer's `weights` or weights_of(arrays) return, or trained_times.Weights("
                             "matrices, times)")
        if times is not None:
            self._check_times(times)
        if len(weights) != len(self.layers):
            raise ValueError(f"{len(weights)} weight matrices for {len(self.layers)} layers")
        if any(np.iscomplexobj(w) for w in weights):
            raise ValueError("weights are complex numbers; give real ones (nA)")
        checked = [np.asarray(w, dtype=float) for w in weights]
        for k, (w, shape) in enumerate(zip(checked, self.shapes, strict=True)):
            if w.shape != shape:
                raise ValueError(f"weights of layer {k} have shape {w.shape}; expected (inputs + biases, neurons) = {shape}")
            if not np.isfinite(w).all():
                raise ValueError(f"weights of layer {k} hold {int((~np.isfinite(w)).sum())} values that are not finite")
        return Weights(checked, times)

    def _check_times(self, times):
        own = self._times().arrays()
        found = times.arrays()
        if found.keys() != own.keys():
            raise ValueError(f"weights that come with the times {', '.join(found) or 'none'}, for a network that has "
                             f"{', '.join(own) or 'none'}; give those that were trained with it")
        for name, array in found.items():
            if np.shape(array) != own[name].shape or not (np.isfinite(array) & (array >= 0)).all():
                raise ValueError(f"{name} has shape {np.shape(array)}; expected {own[name].shape} times in ms, finite and not "
                                 "negative")
            if name.startswith("bias_times") and name not in self.trained_times and (array != own[name]).any():
                raise ValueError(f"weights that come with {name} = {array} ms, for a network whose layer has fixed ones, "
                                 f"{own[name]}; to use its own, give list(weights)")
        for k, (layer, kinds) in enumerate(zip(self.layers, times.delays, strict=True)):
            longest = max((float(np.max(array)) for array in kinds.values()), default=0.0)
            if longest > layer.delay_max:
                raise ValueError(f"weights that come with delays of up to {longest:g} ms in layer {k}, for which windows of "
                                 f"samples are too short: its delay_max is {layer.delay_max:g} ms")


@dataclass(frozen=True)
class Recording:
    """One presentation as Neo Blocks: of the inputs, of each layer's bias sources (None where it has none), of each layer."""

    presentation: Presentation
    inputs: object
    biases: tuple
    layers: tuple
    delay: float = 0.0
    time_scale: float = 1.0  # ms of the model in one recorded ms
    input_copies: int = 1  # recorded sources that stand for one input
    delays: tuple = ()  # of each layer's synapses besides `delay` (ms; TrainedTimes.matrices), or none

    def blocks(self):
        """{label: Block} of everything that was recorded; those of a chip are annotated with its time_scale."""
        found: dict = {"input": self.inputs}
        for k, (bias, layer) in enumerate(zip(self.biases, self.layers, strict=True)):
            if bias is not None:
                found[f"bias{k}"] = bias
            found[f"layer{k}"] = layer
        if self.time_scale != 1:
            for block in found.values():
                block.annotate(time_scale=self.time_scale)
        return found


class LayeredNetwork:
    """The architecture on a PyNN simulator (its module, after setup). Signed weights are an excitatory and an inhibitory
    projection, biases are spike sources; `n_copies` networks of equal weights stand side by side and share out the samples.

    Where the simulator wants several equal sources for an input, they share its weight, and all of them spike at its time.
    delay (ms): of every projection, by default the smallest that the simulator has. timing: see `presentation.Timing`; `single`:
    every run shows each copy one sample. simulator: what `simulators` knows of it, where that is configured.
    """

    def __init__(self, sim, architecture, weights, n_copies=1, delay=None, single=False, timing=None, simulator=None):
        self.sim, self.architecture, self.n_copies = sim, architecture, n_copies
        self._simulator = simulator or simulator_of(sim)
        delay = self._simulator.smallest_delay(sim.get_time_step()) if delay is None else in_unit(delay, "ms", "delay")
        self.delay = float(delay)
        if not 0 <= self.delay < np.inf:
            raise PresentationError(f"delay = {self.delay:g} ms must be zero or more, and finite")
        neurons = [layer.neuron for layer in architecture.layers]
        last = architecture.latest_input + self.delay * len(neurons)
        self.timing = timing or self._simulator.timing(architecture.t_early, last, neurons, single) \
            or Timing.derive(architecture.t_early, last, neurons, single)
        if self._simulator.has_time_step:
            shortest = min(float(np.min(np.minimum(neuron.tau_m, neuron.tau_syn))) for neuron in neurons)
            if sim.get_time_step() >= shortest:
                raise PresentationError(f"a time step of {sim.get_time_step():g} ms for time constants of {shortest:g} ms; use a "
                                        "fraction of it, a hundredth for instance")
            # Every window begins on the grid, so that samples are treated alike; NEST 3.10 runs whole steps only.
            self.timing = self.timing.on_grid(sim.get_time_step())
        self._single = single
        self._at_start = True  # False from the begin of a run until after the reset that follows it
        self.inputs = self._sources(architecture.n_inputs, "input")
        self.biases, self.layers, self._projections = [], [], []
        before = self.inputs
        for k, layer in enumerate(architecture.layers):
            bias = self._sources(len(layer.bias_times), f"bias{k}") if layer.bias_times else None
            population = self._neurons(layer, f"layer{k}")
            self._projections.append([self._connect(source, population) for source in (before, bias) if source is not None])
            self.biases.append(bias)
            self.layers.append(population)
            before = population
        self.write_weights(weights)

    def _sources(self, n, label):
        n *= self.n_copies * self._simulator.input_copies
        population = self.sim.Population(n, self.sim.SpikeSourceArray(), label=label)
        population.record("spikes")
        return population

    def _neurons(self, layer, label):
        neuron = replace(layer.neuron, tau_refrac=self.timing.tau_refrac)
        cell = self._simulator.cell(self.sim, neuron, self.n_copies)
        population = self.sim.Population(layer.size * self.n_copies, cell, label=label)
        population.initialize(v=np.tile(neuron.v_rest, self.n_copies) if np.ndim(neuron.v_rest) else neuron.v_rest)
        population.record("spikes")
        return population

    def _connect(self, source, population):
        return [self.sim.Projection(source, population, self._simulator.connector(self.n_copies),
                                    self.sim.StaticSynapse(weight=0.0, delay=self.delay), receptor_type=receptor,
                                    label=f"{source.label}->{population.label} {receptor}")
                for receptor in ("excitatory", "inhibitory")]

    def seed_noise(self, *seed):
        """Let the noise of a chip from now on follow from these integers; other simulators have none."""
        self._simulator.seed_noise(self.sim, seed)

    def _populations(self):
        return [population for population in (self.inputs, *self.biases, *self.layers) if population is not None]

    @property
    def projections(self):
        """All PyNN projections, layer by layer."""
        return [projection for pairs in self._projections for pair in pairs for projection in pair]

    def _check_current(self):
        if not self._simulator.holds(self.sim, self.inputs):
            raise SimulatorError("this network was built before the last setup(), which has dropped it: no run reaches it; build "
                                 "a LayeredNetwork again after setup()")

    def within_limits(self, weights):
        return self.architecture.within_limits(weights, self._simulator)

    def write_weights(self, weights):
        """Write signed weights (see Architecture) to the projections, positive ones to the excitatory of each pair, and the times
        that come with them. They are kept as `weights`."""
        self._check_current()
        self.weights = self.architecture.check_weights(weights)
        times = self.architecture.times_of(self.weights)
        for matrix, pairs, layer in zip(self.weights, self._projections, self.architecture.layers, strict=True):
            first = 0
            for excitatory, inhibitory in pairs:
                part = matrix[first:first + self._n_inputs(excitatory.pre)]
                for projection, signed in ((excitatory, np.maximum(part, 0.0)), (inhibitory, np.minimum(part, 0.0))):
                    self._simulator.write_values(projection, "weight", signed, self.n_copies, len(part), layer.size,
                                                 neuron=layer.neuron)
                first += part.shape[0]
        if times is not getattr(self, "_times", None):
            self._write_times(times)

    def _write_times(self, times):
        """Delays of the projections (in addition to `delay`), times of bias sources."""
        self._times, self._delays = times, times.matrices
        for shape, pairs, matrix in zip(self.architecture.shapes, self._projections, self._delays, strict=True):
            if matrix is None:
                continue
            matrix, first = np.broadcast_to(matrix, shape) + self.delay, 0
            for pair in pairs:
                part = matrix[first:first + self._n_inputs(pair[0].pre)]
                for projection in pair:
                    self._simulator.write_values(projection, "delay", part, self.n_copies, len(part), part.shape[1])
                first += part.shape[0]

    def _n_inputs(self, population):
        """How many inputs of the model a population of sources or neurons is."""
        sources = 1 if any(population is layer for layer in self.layers) else self._simulator.input_copies
        return population.size // (self.n_copies * sources)

    def read_weights(self):
        """The signed weights that the projections of the first copy hold now, with the times in use."""
        read = []
        for pairs, layer in zip(self._projections, self.architecture.layers, strict=True):
            rows = []
            for excitatory, inhibitory in pairs:
                n = self._n_inputs(excitatory.pre)
                rows.append(sum(self._simulator.read_values(p, "weight", self.n_copies, n, layer.size, neuron=layer.neuron)
                                for p in (excitatory, inhibitory)))
            read.append(np.concatenate(rows))
        return Weights(read, self.weights.times)

    def present(self, t_in):
        """Show samples, t_in (samples, inputs) in ms from the start of a window (inf: no spike). Returns a Recording.

        The order set, run, read, reset is one that keeps the weights on every simulator.
        """
        self._check_current()
        t_in = np.asarray(in_unit(t_in, "ms", "t_in"), dtype=float)
        if t_in.ndim != 2 or t_in.shape[1] != self.architecture.n_inputs:
            raise ValueError(f"input times have shape {t_in.shape}; expected (samples, {self.architecture.n_inputs} inputs)")
        # A spike after the deadline leaves its neuron refractory in the next sample's window. Jitter may exceed t_late a little.
        latest = (self.architecture.t_late + self.timing.deadline) / 2
        if not self._single and (np.isfinite(t_in) & (t_in > latest)).any():
            raise PresentationError(f"an input spikes at {t_in[np.isfinite(t_in)].max():g} ms; windows are laid out for inputs "
                                    f"up to t_late = {self.architecture.t_late:g} ms and hold them up to {latest:g} ms; give the "
                                    "architecture a larger t_late")
        presentation = Presentation(len(t_in), self.timing.window, self.n_copies, self.timing.deadline, self._simulator.tick)
        if self._single and presentation.n_windows > 1:
            raise ValueError(f"{len(t_in)} samples for {self.n_copies} copies that see one sample a run; present fewer at once")
        if not self._at_start or self.sim.get_current_time() != 0:
            self._start_over()
        self._set_spikes(self.inputs, presentation, t_in)
        for bias, times in zip(self.biases, self._times.bias_times, strict=True):
            if bias is not None:
                self._set_spikes(bias, presentation, np.broadcast_to(times, (len(t_in), times.size)))
        for population in self._populations():
            population.recorder.cache.clear()  # the reset of another network in this simulation has stored a segment
        self._at_start = False
        self.sim.run(presentation.duration / self._simulator.time_scale)
        recording = Recording(presentation, self._read(self.inputs),
                              tuple(None if bias is None else self._read(bias) for bias in self.biases),
                              tuple(self._read(layer) for layer in self.layers), self.delay, self._simulator.time_scale,
                              self._simulator.input_copies, self._delays)
        self._reset()
        return recording

    def _reset(self):
        self._simulator.before_reset(self.sim, self.timing.tau_refrac)
        self.sim.reset()
        self._at_start = True

    def _start_over(self):
        """After a presentation that failed or was interrupted, or a run of somebody else: what is left of it is dropped."""
        weights = self.read_weights()
        for population in self._populations():
            population.recorder.clear()
        self._reset()
        self.write_weights(weights)  # pyNN.brian2 0.13's reset restores those of the run that was dropped; not so delays

    def _set_spikes(self, population, presentation, times):
        matrix = np.tile(presentation.spike_matrix(times), (1, self._simulator.input_copies))
        self._simulator.set_spikes(population, matrix, self.sim.get_time_step())

    @staticmethod
    def _read(population):
        return population.get_data("spikes", clear=True)
