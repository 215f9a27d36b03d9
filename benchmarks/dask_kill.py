"""Kill workers and the scheduler of a sweep: `python -m benchmarks.dask_kill [--runs 200]`.

A Dask scheduler and two workers run as processes of their own, on this machine alone. When a fifth and when two fifths of the
results are there, a worker gets SIGKILL in the middle of a run (its nanny starts another), and when three fifths are, the
scheduler. Then both are started anew, and the same sweep is called again. Runs write down when they begin and end.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.runs.sweep import run_all

JOB = "tests.sweep_jobs:sleep"
PATIENCE = 600  # seconds without the next kill: something is wrong


@contextlib.contextmanager
def cluster(folder, name):
    """(scheduler's process, its address) with two workers of one thread, each behind a nanny."""
    file = Path(folder) / f"{name}.json"
    log = open(Path(folder) / f"{name}.log", "w", encoding="utf-8")

    def start(program, *options):
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", "--host", "127.0.0.1", *options]
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    scheduler = start("scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file))
    processes = [scheduler]
    try:
        while not (file.is_file() and file.read_text().strip().endswith("}")):  # it is not written at once
            if scheduler.poll() is not None:
                raise RuntimeError(f"the scheduler did not start: see {log.name}")
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        processes += [start("worker", address, "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder))
                      for _ in range(2)]
        yield scheduler, address
    finally:
        for process in processes[::-1]:
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        log.close()


def _wait_for(results, n):
    begin = time.monotonic()
    while len(list(results.glob("*.json"))) < n:
        if time.monotonic() - begin > PATIENCE:
            raise RuntimeError(f"no {n} results within {PATIENCE} s")
        time.sleep(0.02)


def _kill_worker_in_a_run(log):
    """SIGKILL for the worker of a run that has begun and not ended. Returns the run's number."""
    begin = time.monotonic()
    while time.monotonic() - begin < PATIENCE:
        last = {}
        for line in log.read_text().splitlines():
            number, event, worker = line.split()
            last[number] = event, int(worker)
        number, (event, worker) = list(last.items())[-1]  # the one that began last
        if event == "begins":
            os.kill(worker, signal.SIGKILL)
            return number
        time.sleep(0.01)
    raise RuntimeError(f"no run began within {PATIENCE} s")


def killed_sweep(folder, n_runs, seconds):
    """What became of a sweep of n_runs under three kills: a dict of counts."""
    folder = Path(folder)
    results, log = folder / "results", folder / "executions"
    jobs = [{"number": k, "seconds": seconds, "log": str(log)} for k in range(n_runs)]
    results.mkdir()
    with ThreadPoolExecutor(1) as pool:
        with cluster(folder, "first") as (scheduler, address):
            sweep = pool.submit(run_all, JOB, jobs, results, address, quiet=True)
            hit = []
            for share in (0.2, 0.4):
                _wait_for(results, share * n_runs)
                hit.append(_kill_worker_in_a_run(log))
            _wait_for(results, 0.6 * n_runs)
            scheduler.kill()
            lost = _error(sweep)
        kept = len(list(results.glob("*.json")))
        with cluster(folder, "second") as (_, address):
            values, failures = run_all(JOB, jobs, results, address, quiet=True)
    return {"said": lost, "kept": kept, "failures": len(failures), "results": sum(v is not None for v in values),
            "right": sum(v["square"] == k**2 for k, v in enumerate(values) if v), "killed_runs": hit, **executions(log)}


def _error(sweep):
    try:
        sweep.result(PATIENCE)
    except ResultsError as error:
        return str(error)
    return "nothing"


def executions(log):
    """How many runs began, ended, ended more than once, began after they had ended; which ones began more than once."""
    began, ended, after = Counter(), Counter(), 0
    for line in Path(log).read_text().splitlines():
        number, event, _ = line.split()
        after += event == "begins" and ended[number] > 0
        (began if event == "begins" else ended)[number] += 1
    return {"begun": sum(began.values()), "ended": sum(ended.values()), "ended_twice": sum(n > 1 for n in ended.values()),
            "begun_after_end": after, "repeated": [number for number, n in began.items() if n > 1]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.3, help="how long each takes, besides its start")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        for name, value in killed_sweep(folder, arguments.runs, arguments.seconds).items():
            print(f"{name:<17}{value}")
        print(f"{'seconds':<17}{time.perf_counter() - begin:.0f}")


if __name__ == "__main__":
    main()
