"""Kill workers and the scheduler of a sweep: `python -m benchmarks.dask_kill [--runs 200]`.

A Dask scheduler and two workers run as processes of their own, on this machine alone. While the sweep runs, a worker gets SIGKILL
when a fifth and when two fifths of the results are there (its nanny starts another), and the scheduler when three fifths are. Then
scheduler and workers are started anew, and the same sweep is called again. Runs write down when they begin and end.
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
from ttfs_pynn.sweep import run_all

JOB = "tests.sweep_jobs:sleep"
PATIENCE = 600  # seconds without the next kill: something is wrong


@contextlib.contextmanager
def cluster(folder, name):
    """(scheduler's process, its address) with two workers of one thread, each behind a nanny."""
    file = Path(folder) / f"{name}.json"
    log = open(Path(folder) / f"{name}.log", "w", encoding="utf-8")

    def start(program, *options):
        return subprocess.Popen([sys.executable, "-m", f"distributed.cli.dask_{program}", "--host", "127.0.0.1", *options], stdout=log,
                                stderr=subprocess.STDOUT)

    scheduler = start("scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file))
    processes = [scheduler]
    try:
        while not file.is_file():
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


def _kill_worker(address, which):
    from distributed import Client
    with Client(address, set_as_default=False) as client:
        pids = sorted(client.run(os.getpid).values())
        os.kill(pids[which % len(pids)], signal.SIGKILL)


def killed_sweep(folder, n_runs, seconds):
    """What became of a sweep of n_runs under three kills: a dict of counts."""
    folder = Path(folder)
    results, log = folder / "results", folder / "executions"
    jobs = [{"number": k, "seconds": seconds, "log": str(log)} for k in range(n_runs)]
    results.mkdir()
    with ThreadPoolExecutor(1) as pool:
        with cluster(folder, "first") as (scheduler, address):
            sweep = pool.submit(run_all, JOB, jobs, results, address, quiet=True)
            for k, share in enumerate((0.2, 0.4)):
                _wait_for(results, share * n_runs)
                _kill_worker(address, k)
            _wait_for(results, 0.6 * n_runs)
            scheduler.kill()
            lost = _error(sweep)
        kept = len(list(results.glob("*.json")))
        with cluster(folder, "second") as (_, address):
            values, failures = run_all(JOB, jobs, results, address, quiet=True)
    return {"said": lost, "kept": kept, "failures": len(failures), "results": sum(v is not None for v in values),
            "right": sum(v["square"] == k**2 for k, v in enumerate(values) if v), **executions(log)}


def _error(sweep):
    try:
        sweep.result(PATIENCE)
    except ResultsError as error:
        return str(error)
    return "nothing"


def executions(log):
    """Runs that began, ended, ended more than once, began after they had ended, and began again because a kill ended them."""
    began, ended, after = Counter(), Counter(), 0
    for line in Path(log).read_text().splitlines():
        number, event, _ = line.split()
        after += event == "begins" and ended[number] > 0
        (began if event == "begins" else ended)[number] += 1
    return {"begun": sum(began.values()), "ended": sum(ended.values()), "ended_twice": sum(n > 1 for n in ended.values()),
            "begun_after_end": after, "repeated": sum(n > 1 for n in began.values())}


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
