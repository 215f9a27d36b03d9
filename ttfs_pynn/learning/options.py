"""How to learn: every choice of a training run, checked when it is made."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.learning import loss as losses
from ttfs_pynn.learning import silent_neurons

__all__ = ["LOSSES", "TrainingOptions"]

LOSSES = {"time_to_first_spike": losses.TimeToFirstSpike, "pairwise_difference": losses.PairwiseDifference,
          "mean_squared_error": losses.MeanSquaredError}


def _is_number(value):
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


_KINDS = ((_is_number, "a number"), (lambda value: isinstance(value, bool), "true or false"),
          (lambda value: isinstance(value, str), "a text"), (lambda value: isinstance(value, list | tuple), "a list"),
          (lambda value: isinstance(value, dict), "a table"))  # of training options, by their defaults


@dataclass(frozen=True)
class TrainingOptions:
    """How to learn. Learning rate, bump and max_dw are in units of each population's current_scale, input_jitter in ms (std).

    loss_options: an option is a value, or a table with a schedule for one that changes (`schedules.changing`).
    batch_size: default 50, or a tenth of the samples where there are fewer than 500.
    times_rate: the learning rate of delays and bias times (in tau_syn) relative to that of weights.
    silent: what is done about silent neurons, one of silent_neurons.POLICIES; silent_aim is an option of membrane_peak, bump and
    bump_instead_of_step are of bumping, weight_sum (a strength) of weight_sum. silent_tolerated: the share of a batch in which a
    neuron may be silent, one number, or a dict by population; with bump_instead_of_step that of a population as a whole.
    """

    epochs: int = 30
    batch_size: int | None = None
    learning_rate: float = 0.006
    schedule: str = "cosine"
    schedule_options: dict = field(default_factory=dict)
    loss: str = "pairwise_difference"
    loss_options: dict = field(default_factory=dict)
    max_dw: float = 0.2
    silent: str = "bumping"
    silent_tolerated: float | Mapping = 0.95
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
                if of_kind(default) and not of_kind(value) and not (entry.name == "silent_tolerated" and isinstance(value, dict)):
                    hint = "; one a layer is no more: give one for all, or a dict by population" \
                        if entry.name == "silent_tolerated" else ""
                    raise ConfigurationError(f"{entry.name} = {value!r} must be {text}{hint}")
        whole = {name: _is_number(getattr(self, name)) and isinstance(getattr(self, name),
                                                                      int | np.integer) for name in ("epochs", "batch_size",
                                                                                                     "seed")}
        shares: list[Any] = list(self.silent_tolerated.values()) if isinstance(self.silent_tolerated, dict) \
            else [self.silent_tolerated]
        for name, allowed, text in (("epochs", whole["epochs"] and self.epochs >= 1, "at least 1, an integer"),
                                    ("batch_size", self.batch_size is None or whole["batch_size"] and self.batch_size >= 1,
                                     "at least 1, an integer"),
                                    ("learning_rate", 0 < self.learning_rate < np.inf, "positive and finite"),
                                    ("max_dw", self.max_dw > 0, "positive"), ("bump", self.bump >= 0, "zero or more"),
                                    ("input_jitter", 0 <= self.input_jitter < np.inf, "zero or more"),
                                    ("times_rate", 0 < self.times_rate < np.inf, "positive and finite"),
                                    ("seed", whole["seed"] and self.seed >= 0, "an integer, zero or more"),
                                    ("silent", self.silent in silent_neurons.POLICIES,
                                     f"one of {', '.join(silent_neurons.POLICIES)}"),
                                    ("silent_tolerated", all(_is_number(share) and 0 <= share <= 1 for share in shares),
                                     "a share from 0 to 1, or a dict of them by population"),
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

    def batch_size_for(self, n_samples: int) -> int:
        """How many samples a batch has."""
        return max(1, min(50, n_samples // 10)) if self.batch_size is None else self.batch_size
