"""SIGKILL at every call that changes a file: `python -m benchmarks.crash_points [--only NAME] [--every N]`.

Each command is run once undisturbed, and the calls are counted that make, write, sync, rename or delete something in its folder
(crash_points.c, preloaded: Linux, with a C compiler). Then it is run as often, and its whole process group is killed in place of
call 1, 2, 3 ...; of a write half is done before. The same command again, `train` with --resume, must then end with status 0 and
leave the same files: the same bytes. Two things would differ in any two runs. Clock readings: time.perf_counter stands still in
all processes. NIX files hold identifiers drawn by chance and the time of day: one is made once for all blocks of which every
number and annotation is the same. Files of locks are not compared.
"""

import argparse
import contextlib
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ttfs_pynn.commands.command_line import run
from ttfs_pynn.files import nix_files
from ttfs_pynn.files.atomic import is_leftover
from ttfs_pynn.files.run_lock import LOCK_FILES
from ttfs_pynn.runs.sweep import run_all

MODEL = """
import copy
import functools
from ttfs_pynn.models import yin_yang as whole

PARAMETERS = copy.deepcopy(whole.PARAMETERS)
PARAMETERS["network"].update(hidden=5, bias_times={bias_times}, hidden_layer={hidden_layer})
PARAMETERS["training"].update(epochs=2, batch_size=20)
CLASS_NAMES, graph, encode = whole.CLASS_NAMES, whole.graph, whole.encode
@functools.cache  # parameters are the same; the arrays are not changed
def samples():
    return whole.data(PARAMETERS["network"])

def data(parameters):
    return {{name: part.select(slice(0, 40)) for name, part in samples().items()}}
"""
STILL = "import time\ntime.perf_counter = lambda: 0.0\n"  # sitecustomize.py of every process


class Scenario(NamedTuple):
    """prepare(folder) makes what is there before; main(arguments(folder)) is the command, and `again` what it gets besides when
    it is given again. warm: once in this process, so that the forked ones find all compiled."""

    name: str
    prepare: Callable
    main: Callable
    arguments: Callable
    again: tuple = ()
    warm: bool = True


def model(folder, hidden_layer="{}", bias_times="[]"):
    """A small network in a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.py").write_text(MODEL.format(hidden_layer=hidden_layer, bias_times=bias_times))
    return str(folder / "small.py")


def training(*options, **of_model):
    """(prepare, arguments) of a training run."""
    return (lambda folder: model(folder, **of_model),
            lambda folder: [str(folder / "small.py"), "--seed", "3", "--quiet", "--output", str(folder / "run"), *options])


def trained(*options):
    """A finished run, made in this process."""
    from ttfs_pynn.protocols import train
    prepare, arguments = training(*options)

    def make(folder):
        prepare(folder)
        with contextlib.redirect_stdout(io.StringIO()):
            train.main(arguments(folder))
    return make


def sweep(arguments):
    results, failures = run_all("tests.sweep_jobs:square", [{"number": k} for k in range(6)], arguments[0], quiet=True)
    return 1 if failures or [r["square"] for r in results] != [k**2 for k in range(6)] else 0


def scenarios():
    from ttfs_pynn.analysis import report
    from ttfs_pynn.protocols import compare, evaluate, export, train
    exact, arrays = trained(), trained("--backend", "arrays")
    of_run = ("--model", "{0}/small.py")

    def on_run(*options):
        return lambda folder: [str(folder / "run"), *(text.format(folder) for text in options)]

    resume = ("--resume",)
    return [
        Scenario("train, exact", training()[0], train.main, training()[1], resume),
        Scenario("train, delays", training(hidden_layer='{"delays": ["synaptic"], "train_bias_times": True}',
                                             bias_times="[1.5]")[0], train.main, training()[1], resume),
        Scenario("train, chip", training()[0], train.main, training("--backend", "brainscales2", "--chip", "1")[1], resume),
        Scenario("train, overwriting", exact, train.main, training("--overwrite")[1]),
        Scenario("evaluate", arrays, evaluate.main, on_run("--backend", "exact", "--samples", "5", *of_run)),
        Scenario("report", exact, report.main, on_run()),
        Scenario("export", exact, _in_folder(export.main), on_run("--format", "nir", "--output", "{0}/network.nir")),
        Scenario("compare", exact, compare.main,
                 on_run("--simulators", "exact", "--samples", "5", "--output", "{0}/out", *of_run, "--quiet"), warm=False),
        Scenario("sweep of 6 runs", lambda folder: folder.mkdir(parents=True, exist_ok=True), sweep,
                 lambda folder: [str(folder / "results")], warm=False),
    ]


def _in_folder(main):
    """`export` takes the run's model from the current folder."""
    def call(arguments):
        os.chdir(Path(arguments[0]).parent)
        return main(arguments)
    return call


# -- processes


class Counter:
    """The two numbers that crash_points.c shares."""

    def __init__(self):
        self._numbers = np.memmap(os.environ["CRASH_COUNTER"], dtype=np.int64, mode="r+", shape=(2,))

    def set(self, fatal):
        """Count from 0; the call number `fatal` (0: none) ends all."""
        self._numbers[:] = 0, fatal

    @property
    def calls(self):
        return int(self._numbers[0])


def called(main, arguments, counter, fatal=0):
    """(exit status, standard error) of a command in a process group of its own, killed at a call."""
    counter.set(fatal)
    with tempfile.TemporaryFile("w+") as errors:
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            os.dup2(errors.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.stderr, sys.stdout = os.fdopen(2, "w", closefd=False), os.fdopen(1, "w", closefd=False)
            status = 99
            try:
                run(main, arguments)
            except SystemExit as stop:
                status = stop.code or 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        errors.seek(0)
        return status, errors.read()


def contents(folder):
    """{file: digest} of all files below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name in LOCK_FILES or "__pycache__" in name or not path.is_file():
            continue
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def state(folder):
    """What a killed process has left, as text: names, kinds and digests of all that is there, leftovers without the digits that
    were drawn."""
    parts = []
    for path in sorted(folder.rglob("*")):
        name = re.sub(r"\.ttfs-[0-9a-f]{16}\.tmp$", ".left", str(path.relative_to(folder)))
        if "__pycache__" in name:
            continue
        content = "folder" if path.is_dir() else "held" if path.name in LOCK_FILES else \
            hashlib.sha256(path.read_bytes()).hexdigest()
        parts.append(f"{name} {content}")
    return "\n".join(sorted(parts))


def once_for_all(packed):
    """`nix_files.packed`, which makes the same bytes of equal blocks; processes that are forked know those of their parent."""
    known = {}

    def of_block(path, block):
        key = repr(_numbers(block))
        if key not in known:
            known[key] = packed(path, block)
        return known[key]
    return of_block


def _numbers(block):
    """All that a Block holds, but for what NIX calls its parts and the time of day."""
    def annotations(part):
        return sorted((key, str(value)) for key, value in part.annotations.items() if key != "nix_name")
    return [block.name, annotations(block),
            [[segment.name, annotations(segment),
              [[train.magnitude.tolist(), str(train.units), float(train.t_start), float(train.t_stop), annotations(train)]
               for train in segment.spiketrains]] for segment in block.segments]]


class Found(NamedTuple):
    calls: int  # that change files
    points: int  # at which it was killed
    killed: int
    states: int  # that these left: two points with nothing written in between leave the same
    same: int
    problems: list


def crashed(scenario, folder, counter, every=1, first=1, tell=lambda text: None):
    """Kill a scenario at its calls number first, first + every ... and give the command again."""
    prepared, place = folder / "prepared", folder / "place"
    scenario.prepare(prepared)
    if scenario.warm:
        with contextlib.redirect_stdout(io.StringIO()):
            shutil.copytree(prepared, place)
            scenario.main(scenario.arguments(place))

    def afresh():
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(prepared, place)

    afresh()
    status, text = called(scenario.main, scenario.arguments(place), counter)
    assert status == 0, text
    afresh()
    status, text = called(scenario.main, scenario.arguments(place), counter)
    calls, expected = counter.calls, contents(place)
    assert status == 0 and not any(is_leftover(Path(name).name) for name in expected), text
    afresh()
    called(scenario.main, scenario.arguments(place), counter)
    assert contents(place) == expected, f"two undisturbed runs differ: {_difference(contents(place), expected)}"
    killed, points, problems, known = 0, range(first, calls + 1, every), [], {}
    for point in points:
        afresh()
        status, _ = called(scenario.main, scenario.arguments(place), counter, point)
        killed += status == -9
        left = state(place)
        if left not in known:  # else the same command would find the same again
            status, text = called(scenario.main, [*scenario.arguments(place), *scenario.again], counter)
            found = contents(place)
            known[left] = None if status == 0 and found == expected else \
                (status, text.strip().splitlines()[-1:], _difference(found, expected))
        if known[left]:
            problems.append((point, *known[left]))
            tell(f"{scenario.name}, call {point}: {problems[-1][1:]}")
    return Found(calls, len(points), killed, len(known), len(points) - len(problems), problems)


def _difference(found, expected):
    return {name: "missing" if name not in found else "too many" if name not in expected else "other content"
            for name in sorted(found.keys() | expected.keys()) if found.get(name) != expected.get(name)}


def compiled(folder):
    """crash_points.c as a library; None without a compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = Path(folder) / "crash_points.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(Path(__file__).with_suffix(".c")), "-ldl"],
                   check=True)
    return library


def environment(folder):
    """Variables of a process that this module is run in: what it writes below folder/root is counted."""
    library = compiled(folder)
    if library is None:
        return None
    root, still = Path(folder) / "root", Path(folder) / "still"
    for made in (root, still):
        made.mkdir()
    (still / "sitecustomize.py").write_text(STILL)
    np.zeros(2, np.int64).tofile(Path(folder) / "counter")
    path = [str(still), str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "LD_PRELOAD": str(library), "CRASH_ROOT": str(root), "CRASH_COUNTER": str(Path(folder) / "counter"),
            "PYTHONPATH": os.pathsep.join(path), "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def parser():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", action="append", help="scenarios with this in their name")
    p.add_argument("--every", type=int, default=1, metavar="N", help="at every Nth call (default 1)")
    p.add_argument("--first", type=int, default=1, metavar="N", help="the first call (default 1)")
    return p


def main():
    a = parser().parse_args()
    if "CRASH_ROOT" not in os.environ:
        with tempfile.TemporaryDirectory() as temporary:
            variables = environment(temporary)
            if variables is None:
                sys.exit("this needs Linux and a C compiler")
            sys.exit(subprocess.run([sys.executable, "-m", "benchmarks.crash_points", *sys.argv[1:]], env=variables).returncode)
    counter, root = Counter(), Path(os.environ["CRASH_ROOT"])
    nix_files.packed = once_for_all(nix_files.packed)
    wrong = 0
    for scenario in scenarios():
        if a.only and not any(text in scenario.name for text in a.only):
            continue
        begin = time.monotonic()
        found = crashed(scenario, root / scenario.name.replace(" ", "_"), counter, a.every, a.first,
                        lambda text: print(text, flush=True))
        wrong += len(found.problems)
        print(f"{scenario.name:<20} {found.calls} calls, killed at {found.killed} of {found.points}, which leaves {found.states} "
              f"states; same files and bits afterwards: {found.same} of {found.points} ({time.monotonic() - begin:.0f} s)",
              flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
