"""What changes while a network learns: a learning rate, or an option of the loss, as a function of the epoch."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ttfs_pynn.errors import unknown

__all__ = ["Schedule", "changing", "constant", "cosine", "linear", "schedule", "step_decay", "steps"]

Schedule = Callable[[float], Any]


def constant(value: Any, epochs: int) -> Schedule:
    """The same always."""
    return lambda epoch: value


def cosine(value: float, epochs: int, to: float = 0.0) -> Schedule:
    """From the value to another one over `epochs` (a fraction of an epoch counts), slowly at both ends:

        to + (value - to) (1 + cos(pi epoch/epochs))/2
    """
    _check_numbers(value=value, to=to)
    return lambda epoch: to + (value - to) * 0.5 * (1 + np.cos(np.pi * min(epoch / epochs, 1.0)))


def linear(value: float, epochs: int, to: float = 0.0) -> Schedule:
    """From the value to another one over `epochs`, evenly."""
    _check_numbers(value=value, to=to)
    return lambda epoch: value + (to - value) * min(epoch / epochs, 1.0)


def step_decay(value: float, epochs: int, factor: float = 0.95, every: int = 20) -> Schedule:
    """Multiplied by `factor` every `every` epochs, as in the paper."""
    _check_numbers(value=value)
    if not (0 < factor <= 1 and isinstance(every, int | np.integer) and every >= 1):
        raise ValueError(f"factor = {factor}, every = {every}; need a factor above 0, at most 1, every so many whole epochs")
    return lambda epoch: value * factor ** (int(epoch) // every)


def steps(value: Any, epochs: int, later: Mapping[float, Any] | Sequence[tuple[float, Any]]) -> Schedule:
    """The value, and other ones from shares of the training on: later = {0.3: 0.03}, or [[0.3, 0.03]], for 0.03 from 30 % on. For
    numbers and for flags."""
    pairs = list(later.items()) if isinstance(later, Mapping) else list(later) if isinstance(later, Sequence) else None
    if not pairs or not all(isinstance(pair, Sequence) and len(pair) == 2 and _is_number(pair[0]) for pair in pairs):
        raise ValueError(f"later = {later!r}; give pairs of a share of the training and a value, such as [[0.3, 0.03]]")
    shares, values = [float(share) for share, _ in pairs], [value, *(item for _, item in pairs)]
    if not all(0 < one < two for one, two in zip(shares, [*shares[1:], 1.0], strict=True)):
        raise ValueError(f"later = {later!r}; the shares of the training must increase, above 0 and below 1")
    for item in values:
        if not isinstance(item, bool | np.bool_):
            _check_numbers(value=item)
    return lambda epoch: values[int(np.searchsorted(shares, epoch / epochs, side="right"))]


def _is_number(value):
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _check_numbers(**values):
    for name, value in values.items():
        if not _is_number(value) or not np.isfinite(value):
            raise ValueError(f"{name} = {value!r} must be a finite number")


_SCHEDULES: dict[str, Callable[..., Schedule]] = {"constant": constant, "cosine": cosine, "linear": linear,
                                                  "step_decay": step_decay, "steps": steps}


def schedule(name: str, value: Any, epochs: int, **options: Any) -> Schedule:
    """The schedule of that name, a function of the epoch (a float)."""
    if name not in _SCHEDULES:
        raise ValueError(unknown("schedule", name, _SCHEDULES))
    parameters = list(inspect.signature(_SCHEDULES[name]).parameters.values())[2:]
    known = [parameter.name for parameter in parameters]
    for option in options:
        if option not in known:
            raise ValueError(unknown(f"option of the schedule {name}", option, known) if known else
                             f"the schedule {name} has no options; leave {option!r} out")
    for parameter in parameters:
        if parameter.default is parameter.empty and parameter.name not in options:
            raise ValueError(f"the schedule {name} needs {parameter.name!r}; give it")
    return _SCHEDULES[name](value, epochs, **options)


def changing(value: Any, epochs: int) -> Schedule:
    """Of an option that is a value, or a table with its value, a schedule and the schedule's options:

        { value = 0.1, schedule = "steps", later = [[0.3, 0.03]] }
    """
    if not isinstance(value, Mapping):
        return constant(value, epochs)
    table = dict(value)
    for name in ("value", "schedule"):
        if name not in table:
            raise ValueError(f"the table {dict(value)!r} has no {name!r}; give a value, a schedule and the schedule's options")
    return schedule(table.pop("schedule"), table.pop("value"), epochs, **table)
