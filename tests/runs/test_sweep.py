import os
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="sweeps need Dask: pip install 'ttfs_pynn[sweep]'")
from benchmarks.dask_kill import executions, killed_sweep  # noqa: E402
from ttfs_pynn.errors import ConfigurationError, ResultsError  # noqa: E402
from ttfs_pynn.files.sealed import atomic_file  # noqa: E402
from ttfs_pynn.processes import PARENT_LOST, ChildProcess  # noqa: E402
from ttfs_pynn.runs.sweep import execute, key_of, run_all, stored_result  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SLEEP = "tests.sweep_jobs:sleep"


def jobs(n, folder, seconds=0.0):
    return [{"number": k, "seconds": seconds, "log": str(folder / "log")} for k in range(n)]


def started(job, folder):
    """A process as a worker starts it."""
    return ChildProcess("ttfs_pynn.runs.sweep:main", [SLEEP, str(folder), str(ROOT)], given=job,
                        environment={"NUMBA_NUM_THREADS": "1"})


def test_a_sweep_runs_each_job_once_and_a_second_call_none(tmp_path):
    """Equal jobs are one run; a failure does not stop the others and is tried again; what is stored is not."""
    data = tmp_path / "data"
    four = jobs(3, tmp_path)
    four.append(dict(four[0], seconds=0))  # 0 and 0.0 are the same
    results, failures = run_all(SLEEP, four, tmp_path / "a", quiet=True)
    assert [r["square"] for r in results] == [0, 1, 4, 0] and not failures and results[0]["threads"] == "1"
    again, _ = run_all(SLEEP, four, tmp_path / "a", quiet=True)
    assert again == results and executions(tmp_path / "log") == {"begun": 3, "ended": 3, "ended_twice": 0, "begun_after_end": 0,
                                                                 "repeated": []}
    assert sorted(path.suffix for path in (tmp_path / "a").iterdir()) == [".json"] * 3
    two = [{"data": str(data)}, {"data": str(tmp_path)}]
    results, failures = run_all("tests.sweep_jobs:fails", two, tmp_path / "b", quiet=True)
    assert results == [None, {"found": True}] and list(failures) == [0] and "error: there are no data (see" in failures[0]
    data.write_text("")
    results, failures = run_all("tests.sweep_jobs:fails", two, tmp_path / "b", quiet=True)
    assert results == [{"found": True}] * 2 and not failures


def test_a_sweep_leaves_alone_what_another_one_is_writing(tmp_path):
    """What a killed process left looks like what another one is writing, but nobody holds it."""
    (job,) = jobs(1, tmp_path)
    left = tmp_path / f"{key_of(SLEEP, job)}.json.ttfs-0123456789abcdef.tmp"
    lock = tmp_path / f"{key_of(SLEEP, job)}.json.lock"
    for path in (left, lock):
        path.write_text("{")
    with atomic_file(tmp_path / "note.json") as file:
        file.write(b"{}")
        run_all(SLEEP, [job], tmp_path, workers=1, quiet=True)
    assert not left.exists() and not lock.exists() and (tmp_path / "note.json").read_text() == "{}"
    lock.write_text("")  # of a process that was killed when it had stored its result
    run_all(SLEEP, [job], tmp_path, workers=1, quiet=True)
    assert not lock.exists()


@pytest.mark.slow
def test_killed_workers_and_a_killed_scheduler_lose_and_repeat_nothing(tmp_path):
    """benchmarks/dask_kill.py does it with 200 runs."""
    found = killed_sweep(tmp_path, 10, 0.4)
    assert found["results"] == found["right"] == 10 and found["failures"] == 0
    assert "was lost" in found["said"] and "give the same command" in found["said"] and found["kept"] >= 6
    assert found["begun_after_end"] == found["ended_twice"] == 0 and found["ended"] == 10
    assert len(found["killed_runs"]) == 2 and found["begun"] >= 10  # on a busy machine a run may end before its kill arrives


def test_a_run_ends_with_its_worker_and_stores_nothing(tmp_path):
    (job,) = jobs(1, tmp_path, seconds=60)
    process = started(job, tmp_path)
    while not (tmp_path / "log").exists():
        time.sleep(0.02)
    process._process.stdin.close()
    assert process.wait(30) == PARENT_LOST and stored_result(SLEEP, job, tmp_path) is None


def test_two_processes_on_one_job_execute_it_once(tmp_path):
    (job,) = jobs(1, tmp_path, seconds=0.3)
    processes = [started(job, tmp_path) for _ in range(2)]
    assert [process.wait(30) for process in processes] == [0, 0]
    assert executions(tmp_path / "log")["begun"] == 1 and stored_result(SLEEP, job, tmp_path)["square"] == 0


def test_slurm_through_a_command_that_starts_jobs_here(tmp_path, monkeypatch):
    """dask-jobqueue writes the job script and calls sbatch; this one runs its copy of it, as Slurm does: dask-jobqueue
    deletes the script as soon as sbatch has returned."""
    pytest.importorskip("dask_jobqueue")
    pytest.importorskip("cryptography", reason="it makes the certificates with which workers and client know each other")
    import dask
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text(f"#!/bin/sh\ncp \"$1\" {tmp_path}/script\n"
                      f"sh {tmp_path}/script >{tmp_path}/out 2>&1 &\necho Submitted batch job 7\n")
    cancel = sbatch.with_name("scancel")
    cancel.write_text("#!/bin/sh\n")
    for program in (sbatch, cancel):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sbatch.parent}:{os.environ['PATH']}")
    with dask.config.set({"jobqueue.slurm.interface": "lo", "jobqueue.slurm.log-directory": str(tmp_path)}):
        results, failures = run_all(SLEEP, jobs(2, tmp_path), tmp_path / "a", "slurm", workers=1, quiet=True)
    assert [r["square"] for r in results] == [0, 1] and not failures
    script = (tmp_path / "script").read_text()
    assert "export PYTHONSAFEPATH=1" in script and "--protocol tls://" in script and "--tls-key" in script
    assert "#SBATCH --cpus-per-task=1" in script and "--nthreads 1" in script


def test_without_a_worker_the_user_is_told_and_the_sweep_goes_on_when_one_comes(tmp_path, monkeypatch, capsys):
    from distributed import LocalCluster
    monkeypatch.setattr("ttfs_pynn.runs.sweep._PATIENCE", 0.2)
    with LocalCluster(n_workers=0, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
                      worker_dashboard_address=None, silence_logs=50) as cluster:
        said = [""]

        def start_one():
            until = time.monotonic() + 60
            while not said[-1] and time.monotonic() < until:
                time.sleep(0.1)
                said.append(capsys.readouterr().err)
            cluster.scale(1)

        starts = threading.Thread(target=start_one, daemon=True)
        starts.start()
        results, failures = run_all(SLEEP, jobs(2, tmp_path), tmp_path / "a", cluster.scheduler_address, quiet=True)
        starts.join(60)
    assert f"the runs wait for one. Start one: dask worker {cluster.scheduler_address}" in said[-1]
    assert [r["square"] for r in results] == [0, 1] and not failures


def test_keys_and_damaged_results(tmp_path, monkeypatch):
    job = jobs(1, tmp_path)[0]
    assert key_of(SLEEP, job) == key_of(SLEEP, dict(reversed(job.items())))
    assert len({key_of(SLEEP, job), key_of("tests.sweep_jobs:fails", job), key_of(SLEEP, {**job, "number": 1})}) == 3
    for one, other in (({"seed": 1, "network": {}}, {"seed": 1}), ({"a": {"b": 1}}, {"a.b": 1})):
        assert key_of(SLEEP, one) != key_of(SLEEP, other)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    execute(SLEEP, job, tmp_path)
    path = tmp_path / f"{key_of(SLEEP, job)}.json"
    for content in (path.read_text()[:40], path.read_text().replace('"number": 0', '"number": 5'),
                    path.read_text().replace('"job": {', '"job": {"more": {}, '), "[]"):
        path.write_text(content)
        with pytest.raises(ResultsError, match="is damaged .* delete it"):
            stored_result(SLEEP, job, tmp_path)


def test_a_result_is_a_dict(tmp_path):
    with pytest.raises(ConfigurationError, match="getpid returned int; the function of a sweep must return a dict"):
        execute("tests.sweep_jobs:getpid", {"a": 1}, tmp_path)
    assert stored_result("tests.sweep_jobs:getpid", {"a": 1}, tmp_path) is None


@pytest.mark.parametrize("module", ["jobs_in_package", "outer.jobs_in_package"])
def test_the_function_of_a_package(tmp_path, monkeypatch, module):
    package = tmp_path.joinpath("source", *module.split("."))
    package.mkdir(parents=True)
    package.joinpath("__init__.py").write_text("def f(job):\n    return {'twice': 2 * job['a']}\n")
    monkeypatch.syspath_prepend(tmp_path / "source")
    results, failures = run_all(f"{module}:f", [{"a": 1}], tmp_path / "a", workers=1, quiet=True)
    assert results == [{"twice": 2}] and not failures


@pytest.mark.parametrize("function, options, text", [
    ("tests.nowhere:f", {}, "is no function 'module:name'"), ("tests.sweep_jobs:nothing", {}, "is no function"),
    ("", {}, "is no function"), (SLEEP, {"workers": 0}, "workers = 0 must be at least 1"),
    (SLEEP, {"scheduler": "nonsense"}, "give local, slurm, or the address")])
def test_bad_sweeps(tmp_path, function, options, text):
    with pytest.raises(ConfigurationError, match=text):
        run_all(function, jobs(1, tmp_path), tmp_path, quiet=True, **options)


@pytest.mark.parametrize("scheduler", ["slrm", "tcp://slrm", "carrier-pigeon://here:8786"])
def test_what_is_no_address_becomes_no_client(tmp_path, monkeypatch, scheduler):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(distributed, "Client", lambda *_, **__: pytest.fail("half made, it hangs for 40 s when it is forgotten"))
    with pytest.raises(ConfigurationError, match=f"scheduler '{scheduler}' cannot be used"):
        run_all(SLEEP, jobs(1, tmp_path), tmp_path, scheduler, quiet=True)


def test_without_dask_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'ttfs_pynn\[sweep\]'"):
        run_all(SLEEP, jobs(1, tmp_path), tmp_path, "tcp://127.0.0.1:8786")


def test_a_job_that_ends_without_a_result_has_failed(tmp_path):
    """With status 0, as os._exit(0) gives it, by a signal, or with a file in place of the result that is none."""
    results, failures = run_all("tests.sweep_jobs:leave", [{"how": "exit"}, {"how": "kill"}], tmp_path / "a", quiet=True)
    assert results == [None] * 2 and sorted(failures) == [0, 1]
    assert "ended with status 0 and stored no result (going" in failures[0]
    assert "ended by signal 9" in failures[1]
    assert list(run_all("tests.sweep_jobs:leave", [{"how": "exit"}], tmp_path / "a", quiet=True)[1]) == [0]  # tried again
    job = {"how": "rubbish", "to": str(tmp_path / "b")}
    assert "is damaged" in run_all("tests.sweep_jobs:leave", [job], tmp_path / "b", quiet=True)[1][0]


def test_a_local_sweep_listens_to_nobody(tmp_path):
    psutil = pytest.importorskip("psutil")
    found = []

    def look():
        while not (tmp_path / "log").exists():
            time.sleep(0.02)
        us = psutil.Process()
        runs = [child for child in us.children(recursive=True) if "ttfs_pynn" in " ".join(child.cmdline())]
        found.extend([len(runs), [each for process in runs for each in process.net_connections("inet")]])

    watcher = threading.Thread(target=look)
    watcher.start()
    before = len(psutil.Process().net_connections("inet"))
    run_all(SLEEP, jobs(1, tmp_path, seconds=1.0), tmp_path / "a", quiet=True)
    watcher.join()
    assert found == [1, []] and len(psutil.Process().net_connections("inet")) == before


def test_a_link_in_place_of_a_log_or_a_lock_is_not_followed(tmp_path):
    victim, folder = tmp_path / "victim", tmp_path / "a"
    victim.write_text("precious")
    folder.mkdir()
    (job,) = jobs(1, tmp_path)
    (folder / f"{key_of(SLEEP, job)}.log").symlink_to(victim)
    run_all(SLEEP, [job], folder, quiet=True)
    assert victim.read_text() == "precious" and stored_result(SLEEP, job, folder)["square"] == 0
    (other,) = [dict(job, number=5)]
    (folder / f"{key_of(SLEEP, other)}.json.lock").symlink_to(victim)
    run_all(SLEEP, [other], folder, quiet=True)
    assert victim.read_text() == "precious"


def test_without_dask_a_local_sweep_runs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "dask", None)
    assert run_all(SLEEP, jobs(1, tmp_path), tmp_path / "a", quiet=True)[0][0]["square"] == 0


def test_runs_end_with_a_sweep_that_is_stopped(tmp_path, monkeypatch):
    """A signal arrives while it waits."""
    def stopped(_):
        if (tmp_path / "log").exists():
            raise KeyboardInterrupt

    monkeypatch.setattr("ttfs_pynn.runs.sweep.time.sleep", stopped)
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_all(SLEEP, jobs(2, tmp_path, seconds=60.0), tmp_path / "a", quiet=True)
    assert time.monotonic() - begin < 50 and not list((tmp_path / "a").glob("*.json"))
