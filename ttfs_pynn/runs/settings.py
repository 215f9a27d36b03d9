"""What a run is to be: a model's own values, and what is asked for in their place."""

from dataclasses import dataclass, field, fields
from typing import Any

from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import ARRAYS, CHIP, check_backend
from ttfs_pynn.simulators import Simulator, simulator

__all__ = ["Settings", "check_step", "training_option"]


@dataclass(frozen=True)
class Settings:
    """What is asked for. None: the model's own value.

    model: its name or file. backend: a simulator's name, or ARRAYS. seed: of initial weights and the order of samples.
    epochs, batch_size: how many. learning_rate: in units of the weight scale. dt: time step (ms), where the backend has one.
    copies: of the network side by side. hardware: of a chip: chip, profile, input_copies, circuits, non_idealities.
    hardware_network: on arrays, the network that the model has on a chip. start: a finished run, to begin with its parameters.
    preset: a name of the model's PRESETS, tables of values in place of its PARAMETERS. changes: (table, name, value) of other
    values in the model's tables `network` and `training`.
    """

    model: str
    backend: str = "exact"
    seed: int = 0
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    dt: float | None = None
    copies: int | None = None
    hardware: dict[str, Any] = field(default_factory=dict)
    hardware_network: bool = False
    start: str | None = None
    preset: str | None = None
    changes: tuple[tuple[str, str, Any], ...] = ()

    def configuration(self, stored: dict[str, Any] | None = None) -> dict[str, Any]:
        """The dict that a run folder keeps. stored: that of the run to go on with, which keeps its number of epochs.

        ConfigurationError for a model or a backend that is not there, and for what has no effect.
        """
        model = model_files.load(self.model)
        check_backend(self.backend)
        backend = simulator("exact" if self.backend == ARRAYS else self.backend)
        self._check_effect(backend)
        chip = simulator(CHIP) if self.hardware_network else backend
        tables = model_files.tables_of(model)
        hardware = {"chip": 0, **tables.get("hardware", {}), **self.hardware} if chip.hardware else self.hardware
        chip.configured(hardware)
        network, training = tables["network"], tables["training"]
        for table, values in model_files.preset_of(model, self.preset).items():
            tables[table].update(values)
        training["seed"] = self.seed
        if chip.hardware:
            network.update(tables.get("network_on_hardware", {}))
        if backend.hardware:
            training.update(tables.get("training_on_hardware", {}))
        self._change(tables)
        if stored is not None:
            training["epochs"] = training_option(stored["training"], "epochs")
        training.update({name: getattr(self, name) for name in ("epochs", "batch_size", "learning_rate")
                         if getattr(self, name) is not None})
        copies = self.copies
        if copies is None:
            copies = (training_option(training, "batch_size") or backend.default_copies) if backend.default_copies > 1 else 1
        optional = {**({"hardware": hardware} if hardware else {}), **({"from": self.start} if self.start else {}),
                    **({"preset": self.preset} if self.preset else {})}
        classes = {"classes": list(model.CLASS_NAMES)} if hasattr(model, "CLASS_NAMES") else {}
        return {**optional, "model": model_files.name_of(model), **classes, "backend": self.backend,
                "dt": 0.1 if self.dt is None else self.dt, "copies": copies, "network": network, "training": training}

    def _change(self, tables: dict[str, dict[str, Any]]) -> None:
        """Enter the changes. ConfigurationError for a name that is none."""
        for table, name, value in self.changes:
            if table not in ("network", "training"):
                raise ConfigurationError(f"--set {table}.{name}: {unknown('table', table, ('network', 'training'))}")
            known = list(tables["network"]) if table == "network" else [entry.name for entry in fields(TrainingOptions)]
            if table == "training" and name == "seed":
                raise ConfigurationError("--set training.seed: use --seed, which also is the noise's")
            if not known:
                raise ConfigurationError(f"--set {table}.{name}: the model has no parameters of its network; give it a dict "
                                         "PARAMETERS = {'network': {...}}")
            if name not in known:
                raise ConfigurationError(f"--set {table}.{name}: {unknown('parameter', name, known)}")
            tables[table][name] = value

    def _check_effect(self, backend: Simulator) -> None:
        """ConfigurationError for what would change nothing."""
        if self.dt is not None:
            check_step(self.backend, self.dt)
        if self.hardware_network and self.backend != ARRAYS:
            raise ConfigurationError(f"--hardware-network is for --backend {ARRAYS}; a chip has it anyway")
        if self.backend == ARRAYS:
            of_a_chip = ("chip", "profile", "non_idealities") if self.hardware_network else ()
            without = [*(name for name in of_a_chip if name in self.hardware), *(["copies"] if self.copies is not None else [])]
            if without:
                raise ConfigurationError(f"{', '.join(without)}: has no effect on --backend {ARRAYS}; leave it out")


def training_option(training: dict[str, Any], name: str) -> Any:
    """An option in the table `training` of a configuration, or its default where the model has none of its own."""
    return training.get(name, getattr(TrainingOptions, name))


def check_step(backend: str, dt: float) -> None:
    """ConfigurationError for a time step (ms) that is given to a backend which has none."""
    if backend == ARRAYS or not simulator(backend).has_time_step:
        raise ConfigurationError(f"--dt {dt:g}: the backend {backend} has no time step; leave it out")
