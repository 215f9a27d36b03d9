"""What the sweeps of the tests and of benchmarks/dask_kill.py run."""

import os
import signal
import time
from pathlib import Path

from ttfs_pynn.errors import DatasetError


def sleep(job):
    """Takes job['seconds'], and writes down in the file job['log'] that it begins and that it ends, and its worker's process."""
    for event in ("begins", "ends"):
        with open(job["log"], "a", encoding="utf-8") as log:  # one short write in append mode is not torn
            log.write(f"{job['number']} {event} {os.getppid()}\n")
        if event == "begins":
            time.sleep(job["seconds"])
    return {"square": job["number"] ** 2, "threads": os.environ["NUMBA_NUM_THREADS"]}


def square(job):
    return {"square": job["number"] ** 2}


def leave(job):
    """End without a result, in one way or another."""
    print("going", flush=True)
    if job["how"] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if job["how"] == "rubbish":
        for path in Path(job["to"]).rglob("*.json.lock"):
            path.with_suffix("").write_text("{")
    os._exit(0)


def fails(job):
    if not Path(job["data"]).exists():
        raise DatasetError("there are no data")
    return {"found": True}


def getpid(job):
    return os.getpid()
