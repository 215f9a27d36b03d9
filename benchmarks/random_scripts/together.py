"""Many scripts in one process a simulator, which is imported once: quicker than `ttfs-pynn compare`, and the same figures.

    python -m benchmarks.random_scripts.together SIMULATOR FILE.py FILE.py ...

writes what compare writes for FILE.py --output FILE: FILE/records/SIMULATOR_0.1.npz, or beside it the message of a failure.
"""

import subprocess
import sys
import time
import traceback
from pathlib import Path

from ttfs_pynn.comparison.record import read_records, write_records
from ttfs_pynn.comparison.simulators import compare_simulators
from ttfs_pynn.comparison.task import Task

__all__ = ["compared", "record_all"]

_DT = 0.1


def _place(file, name):
    return Path(file).with_suffix("") / "records" / f"{name}_{_DT:g}.npz"


def record_all(files, name):
    """Start the process of one simulator; returns it."""
    return subprocess.Popen([sys.executable, "-W", "ignore", "-m", "benchmarks.random_scripts.together", name, *map(str, files)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def compared(file, simulators):
    """The dict of comparison.json, also written there, of records that `record_all` made."""
    def read(task, name, dt, place):
        failure = place.with_suffix(".failure")
        if failure.exists():
            return None, failure.read_text(encoding="utf-8").strip().splitlines()[-1]
        return (read_records(place), None) if place.exists() else (None, "its process ended before this script")

    return compare_simulators(Task(str(file)), ["exact", *simulators], Path(file).with_suffix(""), None, read, lambda text: None)


def main(arguments=None):
    """One simulator."""
    name, *files = sys.argv[1:] if arguments is None else arguments
    for file in files:
        place, begin = _place(file, name), time.perf_counter()
        place.parent.mkdir(parents=True, exist_ok=True)
        for old in (place, place.with_suffix(".failure")):
            old.unlink(missing_ok=True)
        try:
            write_records(place, Task(file).records(name, _DT))
        except Exception:
            place.with_suffix(".failure").write_text(traceback.format_exc(), encoding="utf-8")
        place.with_suffix(".seconds").write_text(f"{time.perf_counter() - begin:.2f}", encoding="utf-8")


if __name__ == "__main__":
    main()
