"""Another user of the machine during a sweep: `python -m benchmarks.second_user` (Linux, as root, who becomes that user).

While six runs go on, a process of another user id, who must be able to read this Python, tries to run a function wherever a
process of the sweep listens: as a Dask client at each of its TCP ports, without credentials and with ones of its own. Files that
it might change are looked for in the folders of the sweep and of temporary files. Three sweeps: `local`; `slurm`, with a command
sbatch that starts the job here; and, to see that the attack works, a Dask scheduler without TLS as a user may start one.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ttfs_pynn.runs.sweep import run_all

USER = 54321
JOB = "tests.sweep_jobs:sleep"


def listening(session):
    """TCP ports at which the processes of a session accept connections."""
    import psutil
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == session:
                found |= {each.laddr.port for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN}
    return sorted(found)


def writable(folders):
    """Files and folders below those given that anybody may write."""
    found = []
    for folder in folders:
        for path in [Path(folder), *Path(folder).rglob("*")]:
            with contextlib.suppress(OSError):
                mode = path.lstat().st_mode
                if mode & 0o002 and not mode & 0o1000 and not path.is_symlink():
                    found.append(str(path))
    return found


def _attack(ports, mark):
    """As the other user: submit a function to whatever listens. What happened at each port, as text."""
    from distributed import Client
    from distributed.security import Security
    told = {}
    for port in ports:
        for scheme, security in (("tcp", None), ("tls", Security.temporary())):
            try:
                with Client(f"{scheme}://127.0.0.1:{port}", timeout=8, set_as_default=False, security=security) as client:
                    done = client.submit(_harm, mark, pure=False).result(timeout=60)
                    told[f"{scheme}:{port}"] = f"RAN as user {done}"
            except Exception as error:
                told[f"{scheme}:{port}"] = f"{type(error).__name__}: {str(error)[:90]}"
    return told


def _harm(mark):
    Path(mark).write_text("x")
    return os.getuid()


def as_other_user(function, *arguments):
    """What function(*arguments) returns to a process of the user USER."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        result = None
        try:
            os.setgroups([])
            os.setgid(USER)
            os.setuid(USER)
            os.environ["HOME"] = "/"
            result = function(*arguments)
        except BaseException as error:
            result = {"failed": f"{type(error).__name__}: {error}"}
        finally:
            os.write(writing, json.dumps(result).encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def attacked(folder, scheduler="local", seconds=3.0):
    """A sweep of six runs, and what another user achieved meanwhile: a dict."""
    folder = Path(folder)
    temporary = {path.name for path in Path(tempfile.gettempdir()).iterdir()}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.second_user", "--sweep", str(folder), scheduler, str(seconds)],
                               stdout=subprocess.PIPE, text=True, start_new_session=True)
    while not (folder / "log").exists() and process.poll() is None:
        time.sleep(0.05)
    found = {}
    ports = listening(process.pid)
    new = [path for path in Path(tempfile.gettempdir()).iterdir() if path.name not in temporary and path != folder]
    found["ports"] = ports
    found["writable"] = writable([folder / "results", *new])
    attack = as_other_user(_attack, ports, str(folder / "harm"))
    found["results"] = process.communicate()[0].strip()
    found["attack"] = _begun(attack)
    return found


def _begun(attack):
    """The attack, if there was one: what could not begin is no refusal."""
    if "failed" in attack:
        sys.exit(f"error: the other user could not begin ({attack['failed']}); use a Python that every user can read")
    return attack


def sweep(folder, scheduler, seconds):
    """Six runs; says how many have a result."""
    jobs = [{"number": k, "seconds": float(seconds), "log": str(Path(folder) / "log")} for k in range(6)]
    results, _ = run_all(JOB, jobs, Path(folder) / "results", scheduler, workers=2, quiet=True)
    print(sum(result is not None for result in results), "of 6")


def pretended_slurm(folder):
    """A command sbatch that starts the job script here, first on the path."""
    place = Path(folder) / "bin"
    place.mkdir()
    (place / "sbatch").write_text(f"#!/bin/sh\ncp \"$1\" {folder}/script.$$\n"
                                  f"sh {folder}/script.$$ >{folder}/out 2>&1 &\necho Submitted batch job 7\n")
    (place / "scancel").write_text("#!/bin/sh\n")
    for program in place.iterdir():
        program.chmod(0o755)
    os.environ["PATH"] = f"{place}:{os.environ['PATH']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweep", nargs=3, help="(what the processes are started with)")
    a = parser.parse_args()
    if a.sweep:
        return sweep(*a.sweep)
    if os.name == "nt" or os.getuid():
        sys.exit("this needs Linux, and root, who becomes another user")
    import dask

    from benchmarks.dask_kill import cluster
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        for name in ("local", "slurm", "scheduler without TLS"):
            (temporary / name).mkdir()
        print("local                 ", attacked(temporary / "local"), flush=True)
        pretended_slurm(temporary / "slurm")
        with dask.config.set({"jobqueue.slurm.interface": "lo", "jobqueue.slurm.log-directory": str(temporary / "slurm"),
                              "jobqueue.slurm.shared-temp-directory": str(temporary / "slurm")}):
            print("slurm                 ", attacked(temporary / "slurm", "slurm", 10.0), flush=True)
        folder = temporary / "scheduler without TLS"
        with cluster(folder, "open") as (_, address):
            time.sleep(10)  # until a worker is there
            ports = [int(address.rpartition(":")[2])]
            print("scheduler without TLS ", _begun(as_other_user(_attack, ports, str(folder / "harm"))), flush=True)


if __name__ == "__main__":
    main()
