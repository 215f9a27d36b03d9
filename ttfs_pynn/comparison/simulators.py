"""Let every simulator run the same, each in a process of its own, and compare what they did with what a reference did.

A folder of a comparison holds

    comparison.json   what was compared, settings, versions; for each simulator and time step what agrees and what does not
    records/          NAME_DT.npz: what each simulator recorded; NAME_DT_exact.npz: the reference of a chip

comparison.json is begun before anything else is written: it marks the folder.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ttfs_pynn.comparison.matching import default_window
from ttfs_pynn.comparison.record import NetworkRecord, read_records, write_records
from ttfs_pynn.comparison.statistics import compare_statistics
from ttfs_pynn.comparison.summary import add_orders, compare_records
from ttfs_pynn.comparison.task import Task, is_script
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.files.run_lock import RunLock
from ttfs_pynn.files.sealed import read_json, remove_leftovers, write_bytes
from ttfs_pynn.processes import ChildProcess
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.provenance import versions
from ttfs_pynn.runs.user_code import one_line
from ttfs_pynn.simulators import SIMULATORS, simulator

__all__ = ["compare_simulators", "comparison_folder", "in_a_process"]

_RESULT, _PAGE = "comparison.json", "report.html"  # the page is written last: without it a comparison was killed before its end

# (task, simulator, dt in ms, file for the records) -> (the records, None) or (None, what went wrong)
Recorder = Callable[[Task, str, float, Path], tuple[list[NetworkRecord] | None, str | None]]


def in_a_process(task: Task, name: str, dt: float, file: Path, timeout: float = 3600.0,
                 verbose: bool = False) -> tuple[list[NetworkRecord] | None, str | None]:
    """Let one simulator run in a process of its own.

    timeout: seconds that it may take. verbose: show all that it says of an error.
    """
    given = {**asdict(task), "simulator": name, "dt": dt, "file": str(file)}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with ChildProcess("ttfs_pynn.comparison.simulators:main", given=given, options=("-W", "ignore"),
                          stdout=subprocess.DEVNULL, stderr=errors) as child:
            try:
                status = child.wait(timeout)
            except TimeoutError:
                return None, f"not done after {timeout:g} s (--timeout)"
        errors.seek(0)
        said = errors.read()
    if not status:
        return read_records(file), None
    if verbose:
        print(said, file=sys.stderr, end="")
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return None, lines[-1].removeprefix("error: ") if lines and status > 0 else f"ended with status {status}"


def main(arguments: Sequence[str], given: dict[str, Any]) -> int:
    """What the process of one simulator does. given: a Task's fields, and simulator, dt, file."""
    name, dt, file = (given.pop(key) for key in ("simulator", "dt", "file"))
    task = Task(**{**given, "steps": tuple(given["steps"])})
    try:
        simulator(name).load()
        if simulator(name).hardware:
            record, reference = task.records_on_chip(name)
            write_records(_reference_of(file), [reference])
            write_records(file, [record])
        else:
            write_records(file, task.records(name, dt))
    except Exception as error:
        traceback.print_exc()
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    return 0


def _reference_of(file: str | Path) -> Path:
    """Where the reference of a chip's record is."""
    return Path(file).with_name(f"{Path(file).stem}_exact.npz")


def compare_simulators(task: Task, names: Sequence[str], folder: str | Path, window: float | None = None,
                       record: Recorder = in_a_process, say: Callable[[str], Any] = print,
                       reference: str | None = None) -> dict[str, Any]:
    """The dict of comparison.json, which is written too.

    task: what they run. names: of simulators. folder: of the comparison. window: of the matching rule (ms; None:
    `default_window`). record: lets one simulator run. say: is told which runs now. reference: what the others are compared with,
    at the same time step; by default `exact`, and where that cannot run the script the first of the others that can.
    A simulator that fails is a row that says so. ConfigurationError where the reference that was asked for fails, where none is
    left, and where `exact` fails beside a chip, or at a layered network.
    """
    folder, steps = Path(folder), sorted(task.steps, reverse=True)
    result: dict[str, Any] = {"what": task.what, "settings": {"dt_ms": steps, "samples": task.samples, "delay_ms": task.delay,
                              "seed": task.seed, "simulators": list(names)}, "versions": versions(), "simulators": {}}
    _write(result, folder)
    references: dict[float, list[NetworkRecord]] = {}
    first, problems = reference or "exact", []
    for name in [first, *[n for n in names if n != first]]:
        runs, failures = [], []
        for dt in [simulator(name).tick] if simulator(name).hardware else steps:
            say(f"{name}, dt {dt:g} ms")
            file = folder / "records" / f"{name}_{dt:g}.npz"
            records, failure = record(task, name, dt, file)
            if records is None:
                failures.append({"dt_ms": dt, "failure": failure})
                if result.get("reference", first) == name:
                    problems.append(f"the reference {name!r} failed: {failure}")
                    if reference or not is_script(task.what) or any(simulator(n).hardware for n in names):
                        raise ConfigurationError(problems[0])
                    break  # at other steps it would not be compared with anything either
                continue
            if result.setdefault("reference", name) == name:
                references[dt] = records
            try:
                runs.append(_row(read_records(_reference_of(file)) if simulator(name).hardware else references[dt], records, name,
                                 dt, window))
            except ConfigurationError as error:
                failures.append({"dt_ms": dt, "failure": str(error)})
        finest: dict[str, Any] = min(runs, key=lambda r: r["dt_ms"], default={})
        result["simulators"][name] = {
            "status": "ok" if runs and not failures else failures[0]["failure"], "failures": failures, "runs": runs,
            **{key: finest.get(key) for key in ("matched", "missing", "extra", "max_abs_error_ms", "class_agreement",
                                                "differences", "defects")},
            **add_orders(runs)}
        if name == result.get("reference") and failures:
            del result["reference"]
            references.clear()
    if "reference" not in result:
        raise ConfigurationError("; ".join(problems) + "; no simulator is left to compare with")
    _write(result, folder)
    return result


def _row(reference: list[NetworkRecord], records: list[NetworkRecord], name: str, dt: float,
         window: float | None) -> dict[str, Any]:
    """What comparison.json holds of one simulator at one time step (ms)."""
    row = compare_records(reference, records, dt, window or default_window(reference[0], dt), simulator(name))
    row |= {"seconds": records[0].meta["seconds"], "accuracy": records[0].meta.get("accuracy")}
    if reference[0].samples is None and records is not reference:
        row["statistics"] = _statistics(reference, records)
    return row


def _statistics(references: list[NetworkRecord], records: list[NetworkRecord]) -> dict[str, Any]:
    """The dict of `compare_statistics`: trials of one setup() are of one network and pooled."""
    parts = []
    for setup in dict.fromkeys(r.setup for r in references):
        pairs = [(a, b) for a, b in zip(references, records, strict=False) if a.setup == setup and a.labels == b.labels]
        if pairs:
            parts.append(compare_statistics([a for a, _ in pairs], [b for _, b in pairs]))
    agree = [part["agree"] for part in parts if part["agree"] is not None]
    return {"rows": [row for part in parts for row in part["rows"]], "agree": all(agree) if agree else None}


def _write(result: dict[str, Any], folder: Path) -> None:
    write_bytes(folder / _RESULT, (json.dumps(result, indent=1, default=float) + "\n").encode())


@contextlib.contextmanager
def comparison_folder(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """A folder for a new comparison, in which no other process writes while it lasts.

    What is in the way is refused (ResultsError): an earlier comparison is deleted with `overwrite`, or where it came to no
    result; anything else is never touched.
    """
    folder = Path(path)
    _make_room(folder, overwrite)
    with RunLock(folder):
        _make_room(folder, overwrite)  # again: another process may have been first
        yield folder


def _make_room(folder: Path, overwrite: bool) -> None:
    if not RunFolder.begun(folder):
        return
    earlier = read_json(folder / _RESULT) if not RunFolder.exists(folder) and (folder / _RESULT).is_file() else None
    if not isinstance(earlier, dict) or not {"what", "settings", "simulators"} <= set(earlier):
        raise ResultsError(f"{folder} is not empty and no earlier comparison; name another folder")
    if not overwrite and earlier["simulators"] and (folder / _PAGE).is_file():
        raise ResultsError(f"{folder} holds a comparison already; use --overwrite to replace it, or name another folder")
    if (folder / "records").is_symlink():
        raise ResultsError(f"{folder / 'records'} is a link; nothing is written or deleted behind it: put a folder in its place")
    records = [file for name in SIMULATORS for file in (folder / "records").glob(f"{name}_*.npz")]
    for file in (folder / _PAGE, *records):
        file.unlink(missing_ok=True)
    for place in (folder, folder / "records"):
        remove_leftovers(place)
