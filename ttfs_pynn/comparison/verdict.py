"""Do the simulators agree? One line that says so, and whether a difference is above a bound."""

import re
from typing import Any, NamedTuple

from ttfs_pynn.errors import ConfigurationError

__all__ = ["Bound", "beyond", "verdict"]


class Bound(NamedTuple):
    """A largest error that is tolerated: `size` ms, or time steps where `steps`."""

    size: float
    steps: bool

    @classmethod
    def of(cls, text: str) -> "Bound":
        """From '1dt', '0.5dt', '0.05ms' or '0.05'. ConfigurationError for what is none."""
        found = re.fullmatch(r"\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(dt|ms|)\s*", text)
        try:
            size = float(found[1]) if found else -1.0
        except ValueError:
            size = -1.0
        if found is None or not 0 <= size < float("inf"):
            raise ConfigurationError(f"{text!r} is no bound of an error: give time steps, such as 1dt, or a time, such as 0.05ms")
        return cls(size, found[2] == "dt")

    def ms(self, dt: float) -> float:
        """In ms, where a time step is dt."""
        return self.size * dt if self.steps else self.size


def _others(result: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(name, row) of every run but those of the reference."""
    reference = result.get("reference", "exact")
    return [(name, run) for name, s in result["simulators"].items() if name != reference for run in s["runs"]]


def beyond(result: dict[str, Any], bound: Bound) -> list[str]:
    """What is beyond the bound in a comparison.json, one line each: runs that failed, spikes without a partner, errors above the
    bound (up to rounding), networks that are not the same, defects."""
    lines = [f"{name}, dt {failure['dt_ms']:g} ms: did not run: {failure['failure']}" for name, s in result["simulators"].items()
             for failure in s["failures"]]
    for name, run in _others(result):
        found = []
        if run["missing"] or run["extra"]:
            found.append(f"{run['missing']} spikes missing, {run['extra']} extra")
        limit = bound.ms(run["dt_ms"])
        if run["max_abs_error_ms"] > limit + 1e-9 * (1.0 + limit):
            found.append(f"an error of {run['max_abs_error_ms']:.3g} ms, above {limit:.3g} ms")
        found += [f"not the same network: {d['where']}: {d['text']}" for d in run["differences"]]
        found += [d["text"] for d in run["defects"]]
        if found:
            lines.append(f"{name}, dt {run['dt_ms']:g} ms: {'; '.join(found)}")
    return lines


def verdict(result: dict[str, Any]) -> str:
    """One line: whether they agree, or where and by how much they do not."""
    reference = result.get("reference", "exact")
    runs = _others(result)
    failed = sorted({name for name, s in result["simulators"].items() if s["failures"]})
    also = f" {', '.join(failed)} did not run everywhere." if failed else ""
    if not runs:
        return f"Nothing was compared with {reference}.{also}"
    apart = [(name, run) for name, run in runs if run["missing"] or run["extra"] or run["differences"] or run["defects"]]
    name, worst = max(runs, key=lambda pair: pair[1]["max_abs_error_ms"])
    largest = f"{worst['max_abs_error_ms']:.3g} ms"
    if not apart:
        steps = worst["max_abs_error_ms"] / worst["dt_ms"]
        where = f" ({name}, dt {worst['dt_ms']:g} ms: {steps:.2g} steps)" if worst["max_abs_error_ms"] > 0 else ""
        return f"They agree with {reference}: every spike has its partner, at most {largest} away{where}.{also}"
    name, run = max(apart, key=lambda pair: (bool(pair[1]["differences"]), pair[1]["missing"] + pair[1]["extra"]))
    if run["differences"]:
        why = f"it is not the same network: {run['differences'][0]['where']}: {run['differences'][0]['text']}"
    elif run["missing"] or run["extra"]:
        why = f"{run['missing']} spikes are missing and {run['extra']} extra, of {run['matched'] + run['missing']}"
    else:
        why = run["defects"][0]["text"]
    more = len({other for other, _ in apart} - {name})
    others = f" {more} other simulator{'s do' if more > 1 else ' does'} not agree either." if more else ""
    return f"They do not agree with {reference}: {name}, dt {run['dt_ms']:g} ms: {why}.{others}{also}"
