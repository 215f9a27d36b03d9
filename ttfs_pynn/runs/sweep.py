"""Many runs, one process each: on this machine, on a Dask scheduler that runs somewhere, on a Slurm cluster.

A job is a dict of plain values (a run's configuration, its seed in it); what it means is a function `module:name` that takes the
dict and returns another one. The result of a job is the file KEY.json, KEY being the SHA-256 of function and job, written by the
process that ran it, whole or not at all. So a sweep that was killed, in whatever part, is simply started again: what is stored is
never executed again, what was killed half way is. Processes on the same job wait for each other (a lock), and a process ends when
the one that started it does. KEY knows nothing of versions of the code: new code wants a new folder.

On this machine there is no scheduler and nothing listens. A Dask scheduler runs what anybody sends who can connect to it, and so
do its workers: one that is reached by tcp:// belongs on a network where every user is trusted, any other behind TLS (tls://, with
certificates in Dask's configuration, distributed.comm.tls). What is started on Slurm uses TLS with credentials of its own.
"""

import contextlib
import hashlib
import importlib
import json
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ttfs_pynn.errors import ConfigurationError, ResultsError, TTFSError
from ttfs_pynn.files.atomic import new_file, remove_leftovers, write_bytes
from ttfs_pynn.files.configuration import plain, text_of
from ttfs_pynn.files.run_lock import FileLock
from ttfs_pynn.files.sealed import read_json
from ttfs_pynn.processes import ChildProcess, away_from_folder, safe_path_commands

__all__ = ["key_of", "run_all", "stored_result"]

Job = dict[str, Any]  # plain values
Ended = Iterator[tuple[str, str | None]]  # (key, None or why it failed) of runs as they end

_INSTALL = "sweeps need Dask distributed: pip install 'ttfs_pynn[sweep]'"
_ONE_CORE = {name: "1" for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
_POLL = 0.02  # s between looks at the processes of a sweep on this machine
_PATIENCE = 30.0  # s without a single worker, after which the user is told


def key_of(function: str, job: Job) -> str:
    """What a job's result is called: 20 hexadecimal digits of the SHA-256 of its function's name and its `text_of`."""
    text = json.dumps([function, text_of(job)])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _file(function: str, job: Job, folder: str | Path) -> Path:
    return Path(folder) / f"{key_of(function, job)}.json"


def stored_result(function: str, job: Job, folder: str | Path) -> Job | None:
    """The result of a job that is finished, None of one that is not. ResultsError where its file is not as it was written."""
    path = _file(function, job, folder)
    if not path.exists():
        return None
    try:
        record = read_json(path)
        if text_of(record["job"]) != text_of(job):
            raise ValueError("it belongs to another job")
        return record["result"]
    except (ResultsError, KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{path} is damaged ({error}); delete it, and the run is repeated") from error


def run_all(function: str, jobs: Sequence[Job], folder: str | Path, scheduler: str = "local", workers: int = 2,
            quiet: bool = False) -> tuple[list[Job | None], dict[int, str]]:
    """Run all jobs that are not stored in `folder` yet. Returns (results, failures): a list in the order of jobs, None for one
    that failed, and {index of the job: why}.

    function: 'module:name', importable where the workers run. scheduler: 'local' (`workers` processes here), the address of a
    running Dask scheduler (`tls://HOST:PORT` or `tcp://HOST:PORT`, whose workers see the same files), or 'slurm' (`workers` Slurm
    jobs of one core, options in the configuration file of dask-jobqueue). A failed run does not stop the others, and is tried
    again in the next call. ConfigurationError where Dask is missing or no scheduler answers; ResultsError where it was lost on
    the way: call again, and the rest is run.
    """
    if workers < 1:
        raise ConfigurationError(f"workers = {workers} must be at least 1")
    jobs, folder = [plain(job) for job in jobs], Path(folder).resolve()
    source = _source(function)
    folder.mkdir(parents=True, exist_ok=True)
    missing: dict = {}  # equal jobs are one run
    for index, job in enumerate(jobs):
        if stored_result(function, job, folder) is None:
            missing.setdefault(key_of(function, job), index)
    failures: dict = {}
    if missing:
        with _finished(scheduler, workers, function, jobs, missing, folder, source) as finished:
            told = _Told(len(jobs), len(jobs) - len(missing), quiet)
            for key, problem in finished:
                told.one(problem)
                if problem:
                    failures[missing[key]] = problem
            told.close()
    remove_leftovers(folder)
    for job in jobs:
        _tidy(function, job, folder)
    failures = {i: failures[missing[key_of(function, job)]] for i, job in enumerate(jobs)
                if missing.get(key_of(function, job)) in failures}
    return [None if i in failures else stored_result(function, job, folder) for i, job in enumerate(jobs)], failures


def _source(function: str) -> str:
    """The folder from which `function` is imported, after a look whether it is there."""
    module, _, name = function.partition(":")
    try:
        found = importlib.import_module(module)
        getattr(found, name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"{function!r} is no function 'module:name' that can be imported: {error}") from None
    top = sys.modules[module.partition(".")[0]]
    # A package is found where its folder lies, also one whose parts lie elsewhere (`ttfs_pynn.protocols` in a checkout).
    place = top.__path__[0] if hasattr(top, "__path__") else str(top.__file__)
    return str(Path(place).resolve().parent)


def _tidy(function: str, job: Job, folder: Path) -> None:
    """Delete what a killed run of a job has left, where its result is there."""
    path = _file(function, job, folder)
    for left in (path.with_name(f"{path.name}.lock"), path.with_suffix(".log")):
        if left.exists() and path.exists():
            with contextlib.suppress(OSError):
                left.unlink()


@contextlib.contextmanager
def _finished(scheduler: str, workers: int, function: str, jobs: Sequence[Job], missing: dict[str, int], folder: Path,
              source: str) -> Iterator[Ended]:
    """Yields an iterator of (key, None or why it failed) as the runs end; what was started for them ends with it."""
    if scheduler == "local":
        with contextlib.closing(_finished_here(workers, function, jobs, missing, folder, source)) as finished:
            yield finished
    else:
        with _client(scheduler, workers) as client:
            yield _finished_there(client, scheduler, function, jobs, missing, folder, source)


def _finished_here(workers: int, function: str, jobs: Sequence[Job], missing: dict[str, int], folder: Path,
                   source: str) -> Generator[tuple[str, str | None], None, None]:
    waiting = deque(missing.items())
    running: dict[str, _Run] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                key, index = waiting.popleft()
                running[key] = _Run(function, jobs[index], folder, source, os.getcwd())
            ended = [key for key, run in running.items() if run.poll() is not None]
            for key in ended:
                yield key, running.pop(key).problem()
            if not ended:
                time.sleep(_POLL)
    finally:
        for run in running.values():
            run.kill()


@contextlib.contextmanager
def _client(scheduler: str, workers: int) -> Iterator[Any]:
    """A Dask client; what was started for it ends with it."""
    try:
        import dask
        import distributed
    except ImportError as error:
        raise ConfigurationError(f"{_INSTALL} ({error})") from None
    with contextlib.ExitStack() as stack:
        # A lost scheduler is this module's error, of one line; distributed 2026.8 prints the traceback of its attempts besides.
        log = logging.getLogger("distributed.client")
        stack.callback(log.setLevel, log.level)
        log.setLevel(logging.CRITICAL)
        # A run that was killed with its worker is not to blame; a run that kills its workers is given up in the end.
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 10}))
        where = stack.enter_context(_slurm(dask, workers)) if scheduler == "slurm" else scheduler
        try:
            if where == scheduler:  # a Client that cannot read its address is never closed: it hangs when it is forgotten
                distributed.comm.resolve_address(where)
            client = stack.enter_context(distributed.Client(where, timeout=20, set_as_default=False))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"scheduler {scheduler!r} cannot be used ({error}); give local, slurm, or the address of a "
                                     "running one such as tcp://127.0.0.1:8786") from error
        yield client


def _slurm(dask: Any, workers: int) -> Any:
    """A cluster of Slurm jobs that accepts nobody but this client: other users of the machines can reach its ports too."""
    try:
        from dask_jobqueue import SLURMCluster
        from distributed.security import Security
        security = Security.temporary()
    except ImportError as error:
        raise ConfigurationError(f"{_INSTALL} ({error})") from None
    options = "jobqueue.slurm."
    memory = dask.config.get(f"{options}memory", None) or "4GB"
    shared = dask.config.get(f"{options}shared-temp-directory", None) or os.getcwd()
    # The dashboard shows what runs to whoever connects; it would listen on all interfaces.
    scheduler = {"dashboard_address": "127.0.0.1:0", **(dask.config.get(f"{options}scheduler-options", None) or {})}
    extra = [*(dask.config.get(f"{options}worker-extra-args", None) or []), "--no-dashboard"]
    # A worker is `python -m ...`: without this it would import what lies in the current folder.
    first = [*(dask.config.get(f"{options}job-script-prologue", None) or []), *safe_path_commands()]
    cluster = SLURMCluster(cores=1, processes=1, memory=memory, python=sys.executable, security=security, protocol="tls://",
                           shared_temp_directory=shared, scheduler_options=scheduler, worker_extra_args=extra,
                           job_script_prologue=first)
    cluster.scale(jobs=workers)
    return cluster


def _finished_there(client: Any, scheduler: str, function: str, jobs: Sequence[Job], missing: dict[str, int], folder: Path,
                    source: str) -> Ended:
    """Yields (key, None or why it failed) as the runs end."""
    from distributed import as_completed
    futures = {client.submit(_run_in_process, function, jobs[index], str(folder), source, os.getcwd(), key=f"run-{key}",
                             pure=False): key for key, index in missing.items()}
    with _watched(client, scheduler):
        for future in as_completed(futures, loop=client.loop):
            if future.status == "finished":
                yield futures[future], future.result()
            elif future.status == "error":  # the worker died again and again
                yield futures[future], str(future.exception()).splitlines()[0]
            else:
                left = sum(stored_result(function, jobs[index], folder) is None for index in missing.values())
                raise ResultsError(f"the scheduler {scheduler} was lost; {len(missing) - left} of {len(missing)} runs are "
                                   "stored: start it again and give the same command, which runs the rest")


@contextlib.contextmanager
def _watched(client: Any, scheduler: str) -> Iterator[None]:
    """Meanwhile, a line on stderr where no worker is there for _PATIENCE seconds: the runs wait for one without an end."""
    over = threading.Event()

    def watch():
        alone = time.monotonic()
        told = False
        while not over.wait(_PATIENCE / 10):
            try:
                workers = client.scheduler_info()["workers"]
            except Exception:  # the scheduler is lost, or the client is being closed: said elsewhere
                continue
            if workers:
                alone, told = time.monotonic(), False
            elif not told and time.monotonic() - alone > _PATIENCE:
                told = True
                print(f"no worker has been there for {_PATIENCE:g} s; the runs wait for one. {_advice(scheduler)}",
                      file=sys.stderr, flush=True)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _advice(scheduler: str) -> str:
    if scheduler == "slurm":
        return "squeue shows whether its jobs have begun, the logs in jobqueue.slurm.log-directory why they ended"
    return f"Start one: dask worker {scheduler}"


class _Told:
    """Progress: a bar in a terminal, a line now and then elsewhere."""

    def __init__(self, total: int, done: int, quiet: bool) -> None:
        self.total, self.done, self.failed, self._begin, self._last = total, done, 0, time.monotonic(), 0.0
        self._quiet = quiet
        self._bar = tqdm(total=total, initial=done, unit="run") if sys.stderr.isatty() and not quiet else None

    def one(self, problem: str | None) -> None:
        self.done, self.failed = self.done + 1, self.failed + bool(problem)
        if self._bar is not None:
            self._bar.update(1)
        elif not self._quiet and (time.monotonic() - self._last > 10 or self.done == self.total):
            self._last = time.monotonic()
            print(f"{self.done} of {self.total} runs, {self.failed} failed, {self._last - self._begin:.0f} s", file=sys.stderr,
                  flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Run:
    """One job in a process of its own."""

    def __init__(self, function: str, job: Job, folder: str | Path, source: str, cwd: str) -> None:
        self._function, self._job, self._folder = function, job, folder
        self._log = _file(function, job, folder).with_suffix(".log")
        with new_file(self._log) as output:
            self._child = ChildProcess("ttfs_pynn.runs.sweep:main", [function, str(folder), source], given=job,
                                       environment=_ONE_CORE, cwd=cwd, stdout=output, stderr=output)
        self.poll, self.wait, self.kill = self._child.poll, self._child.wait, self._child.kill

    def problem(self) -> str | None:
        """None, or why it failed; after it ended."""
        status = self._child.wait()
        self.kill()
        # A program can end in many ways that look like success; only the result is one.
        try:
            if status == 0 and stored_result(self._function, self._job, self._folder) is not None:
                self._log.unlink(missing_ok=True)
                return None
        except ResultsError as error:
            return str(error)
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        if status == 0:
            said = f"it ended with status 0 and stored no result ({said})"
        elif status < 0:
            said = f"it was ended by signal {-status} ({said})"
        return f"{said} (see {self._log})"


def _run_in_process(function: str, job: Job, folder: str | Path, source: str, cwd: str) -> str | None:
    """On a worker: run one job in a process of its own. Returns None, or why it failed."""
    if stored_result(function, job, folder) is not None:  # by another sweep, or before this worker was lost
        return None
    run = _Run(function, job, folder, source, cwd)
    try:
        run.wait()
        return run.problem()
    finally:
        run.kill()


def execute(function: str, job: Job, folder: str | Path) -> None:
    """Run one job here unless its result is stored; store it."""
    path = _file(function, job, folder)
    # Whoever waits for the lock finds the result next.
    with FileLock(path):
        if stored_result(function, job, folder) is not None:
            return
        module, _, name = function.partition(":")
        begin = time.perf_counter()
        result = getattr(importlib.import_module(module), name)(job)
        if not isinstance(result, dict):
            raise ConfigurationError(f"{function} returned {type(result).__name__}; the function of a sweep must return a dict")
        record = {"function": function, "job": job, "result": plain(result, "result", none_allowed=True),
                  "seconds": time.perf_counter() - begin}
        write_bytes(path, (json.dumps(record, indent=1) + "\n").encode())


def main(arguments: Sequence[str], job: Job) -> int:
    """What a run's process does: `execute`. arguments: function, folder, and where the function is imported from."""
    function, folder, source = arguments
    sys.path.insert(0, source)
    try:
        with away_from_folder():
            importlib.import_module(function.partition(":")[0])
        execute(function, job, folder)
    except TTFSError as error:
        print(f"error: {error}")
        return 2
    return 0
