"""A configuration as nested dicts: plain values, a canonical form, the keys in which two differ."""

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from ttfs_pynn.errors import ConfigurationError

__all__ = ["canonical", "check_types", "configuration_differences", "plain", "text_of"]

# What a run's configuration holds (see `experiment`), and what each must be.
_TYPES: dict[str, tuple[Any, str]] = {
    "model": (str, "a text"), "backend": (str, "a text"), "from": (str, "a text"), "preset": (str, "a text"),
    "classes": (list, "a list of short texts"),
    "dt": ((int, float), "a number"), "copies": (int, "a whole number"), "demo": (bool, "true or false"),
    "network": (dict, "a table"), "training": (dict, "a table"), "hardware": (dict, "a table")}
_LONGEST_NAME = 200  # of a class, in figures


def check_types(configuration: Mapping[str, Any]) -> None:
    """ConfigurationError where a value of a run's configuration is of another type than it must be; what is not there is
    passed over."""
    for name, (kind, text) in _TYPES.items():
        value = configuration.get(name)
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if name == "classes" and right:
            right = all(isinstance(item, str) and len(item) <= _LONGEST_NAME for item in configuration[name])
        if name in configuration and not right:
            raise ConfigurationError(f"{name} = {_short(value)} must be {text}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain(value: Any, name: str = "", none_allowed: bool = False) -> Any:
    """The value in Python's own types, as TOML and JSON know them: arrays become lists, paths strings.

    ConfigurationError for what they cannot hold, and for None unless `none_allowed` (JSON has it, TOML does
    not). `name` is what an error calls the value.
    """
    if isinstance(value, dict):
        return {str(key): plain(item, f"{name}.{key}" if name else str(key), none_allowed)
                for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item, f"{name}[{index}]", none_allowed) for index, item in enumerate(value)]
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bool | int | float | str) or (none_allowed and value is None):
        return value
    raise ConfigurationError(f"{name} = {value!r} cannot be stored: it must be a number, text, true or "
                             "false, or a list or table of those; leave out what is not set")


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {name: item for key, part in value.items()
                for name, item in _flat(part, f"{prefix}{key}.").items()}
    return {prefix[:-1]: value}


def _number(value: Any) -> Any:
    # 1 and 1.0 are one setting: which of them a file or a command line gives is an accident.
    if isinstance(value, list):
        return [_number(item) for item in value]
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and abs(value) < 2**53 else value


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return [_numbers(item) for item in value] if isinstance(value, list) else _number(value)


def text_of(configuration: Mapping[str, Any]) -> str:
    """JSON that is the same for equal configurations, and for them only: `canonical` cannot tell {"a": {"b": 1}} from {"a.b": 1},
    nor an empty table from none."""
    return json.dumps(_numbers(plain(configuration)), sort_keys=True)


def canonical(configuration: Mapping[str, Any], free: Iterable[str] = ()) -> dict[str, str]:
    """Dotted names to JSON texts, in order of name, without the names in `free` and the tables below them."""
    flat = _flat(plain(configuration))
    return {name: json.dumps(_number(flat[name]), sort_keys=True) for name in sorted(flat)
            if not any(name == key or name.startswith(f"{key}.") for key in free)}


def configuration_differences(stored: Mapping[str, str], given: Mapping[str, str]) -> str:
    """Text such as 'seed (7 there, 8 here)' for two canonical forms; empty where they agree."""
    return ", ".join(f"{name} ({_shown(stored.get(name))} there, {_shown(given.get(name))} here)"
                     for name in sorted(stored.keys() | given.keys()) if stored.get(name) != given.get(name))


def _shown(text: str | None) -> str:
    """Of a canonical form, with whole numbers as they are typed: 5, not 5.0."""
    if text is None:
        return "not set"
    return json.dumps(json.loads(text, parse_float=lambda number: int(number[:-2]) if number.endswith(".0") else float(number)))
