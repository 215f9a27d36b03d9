"""What is compared, and how one simulator does it: a run folder, a model, or a script becomes NetworkRecords."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ttfs_pynn.comparison.layered import graph_record
from ttfs_pynn.comparison.record import NetworkRecord
from ttfs_pynn.comparison.script import run_script
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.parameters import Parameters, on_grid
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.finished import open_run
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.user_code import load_file
from ttfs_pynn.simulators import simulator

__all__ = ["Task", "is_script", "load_script"]


@dataclass(frozen=True)
class Task:
    """What every simulator is to run. All values are plain: a task is sent to processes.

    what: a run folder, the name or the file of a model (with its initial weights), or a script FILE.py with build(sim).
    steps: time steps (ms). seed: of Poisson sources and noise.
    Of a network that is trained, samples: the first N test samples (None: 100, or all); delay: of projections (ms; None: the
    largest step); model: the file of a run's model; ideal_chip: a chip without mismatch, noise and losses.
    Of a script, duration: how long it runs (ms) where it never runs itself.
    """

    what: str
    steps: tuple[float, ...] = (0.1,)
    seed: int = 1
    samples: int | None = None
    delay: float | None = None
    model: str | None = None
    ideal_chip: bool = False
    duration: float = 1000.0

    def experiment(self) -> tuple[Experiment, Any] | None:
        """(experiment, parameters) of a run folder or of a model; None for a script. An error says why it is none of these."""
        if RunFolder.exists(self.what):
            return open_run(self.what, self.model)[1:]
        if is_script(self.what):
            return None
        model = model_files.load(self.what)
        tables = model_files.tables_of(model)
        experiment = Experiment(model, {"backend": "exact", "dt": 0.1, "copies": 1, **tables})
        return experiment, experiment.initial_parameters()

    def checked(self) -> "Task":
        """The same with the number of samples that there are: a mistake shows before a process is started."""
        layered = self.experiment()
        return self if layered is None else replace(self, samples=len(self.test_samples(layered[0])))

    def test_samples(self, experiment: Experiment) -> SpikeData:
        """The samples to show. ConfigurationError for more or fewer than there are."""
        test = experiment.data["test"]
        n = min(100, len(test)) if self.samples is None else self.samples
        if not 1 <= n <= len(test):
            raise ConfigurationError(f"--samples {n}: the test set has 1 to {len(test)}")
        return test.select(slice(0, n))

    def records(self, name: str, dt: float) -> list[NetworkRecord]:
        """What the simulator of that name does at a time step (ms), a record a trial; a network that is trained has one."""
        layered, begin = self.experiment(), time.perf_counter()
        if layered is None:
            records = run_script(load_script(self.what).build, simulator(name), dt, self.seed, self.duration)
            records[0].meta["seconds"] = time.perf_counter() - begin
            return records
        experiment, parameters = layered
        data, graph = self.test_samples(experiment), experiment.graph
        graph, parameters, delay, notes = self._on_grid(graph, parameters, dt)
        copies = min(simulator(name).default_copies, len(data))
        # Windows of one length everywhere, so that records can be laid over each other.
        timing = build(simulator("exact").setup(dt), graph, parameters, delay=delay).timing.on_grid(max(self.steps))
        network = build(simulator(name).setup(dt, seed=self.seed), graph, parameters, copies, delay=delay)
        result = evaluate(network, data)
        seconds = {"seconds": time.perf_counter() - begin, "accuracy": result.accuracy}
        return [graph_record(result.first_spikes, graph, parameters, timing, seconds, notes)]

    def _on_grid(self, graph: Graph, parameters: Parameters, dt: float) -> tuple[Graph, dict[str, np.ndarray], float,
                                                                                     list[str]]:
        """(graph, parameters, delay in ms, notes): delays as a simulator with the time step dt (ms) can hold them."""
        notes, asked = [], max(self.steps) if self.delay is None else self.delay
        delay = float(np.round(asked / dt) * dt)
        if delay != asked:
            notes.append(f"the delay of {asked:g} ms was rounded to a multiple of dt = {dt:g} ms")
        rounded, found = on_grid(graph, parameters, dt)
        if any((np.abs(found[name] - parameters[name]) > 1e-9).any() for name in found) or any(
                np.any(np.abs(edge.delay - own.delay) > 1e-9) for edge, own in zip(rounded.edges, graph.edges, strict=True)):
            notes.append(f"delays of the network were rounded to multiples of dt = {dt:g} ms, which is what simulators with a "
                         "time step hold")
        return rounded, found, delay, notes

    def records_on_chip(self, name: str) -> tuple[NetworkRecord, NetworkRecord]:
        """What the chip of that name does, and what the exact network does that has the weights which the chip holds."""
        layered, begin = self.experiment(), time.perf_counter()
        if layered is None:
            raise ConfigurationError(f"{name} runs layered networks only, its cells are no IF_curr_exp: give a run folder or a "
                                     "model")
        experiment, parameters = layered
        known, graph = experiment.simulator(name), experiment.graph
        known = known.configured({"non_idealities": {"off": True}}) if self.ideal_chip else known
        data = self.test_samples(experiment)
        sim = known.setup(known.tick, seed=self.seed, layers=[node.size for node in graph.neurons])
        chip = build(sim, graph, parameters, simulator=known)
        held, timing = chip.read(), chip.timing
        exact = build(simulator("exact").setup(known.tick), graph, held, delay=0.0, timing=timing)
        note = (f"{name} is compared with the exact network that has the weights that the chip holds, no delays, and neurons "
                f"refractory for {timing.tau_refrac:g} ms")
        note += "" if self.ideal_chip else "; what its mismatch and noise do is not explained, for they may do more than one tick"
        records = []
        for network in (chip, exact):
            result = evaluate(network, data, 100)
            meta = {"seconds": time.perf_counter() - begin, "accuracy": result.accuracy}
            records.append(graph_record(result.first_spikes, graph, held, timing, meta, [note]))
        return records[0], records[1]


def is_script(what: str) -> bool:
    """Whether that is a PyNN script, and neither a run folder nor a model."""
    return not RunFolder.exists(what) and what.endswith(".py") and not model_files.is_model(load_script(what))


def load_script(path: str | Path) -> ModuleType:
    """The module of a Python file. ConfigurationError where it has no build(sim)."""
    module = load_file(path)
    if not callable(getattr(module, "build", None)):
        raise ConfigurationError(f"{path} has no function build(sim); put the script's body into one, with `sim` for the module "
                                 "that it imported")
    return module
