"""Do a run's exported PyNN script and SONATA folder say what the run says? `python -m benchmarks.exported_networks RUN --dt 0.1`

RUN is a run of ttfs-pynn train. Both are written, run on each simulator in a process where `import ttfs_pynn` fails, and their
classes and first output spikes are compared with those of our own run on the same simulator, and with `exact`. Prints the rows of
benchmarks/README.md. SONATA shows samples one after the other in one run, which takes Brian2 minutes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from ttfs_pynn.interchange import write_pynn_script, write_sonata
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.runs.finished import open_run
from ttfs_pynn.simulators import simulator

_WITHOUT = """
import runpy, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "ttfs_pynn":
            raise ImportError("ttfs_pynn is not to be used here")
sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_without_us(script, *arguments, folder, timeout=3600):
    """(exit status, output, what it wrote or None) of an exported script, run in `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([sys.executable, "-I", "-c", _WITHOUT, str(script), *map(str, arguments), "--output", "classes.json"],
                          cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout)
    written = Path(folder) / "classes.json"
    result = json.loads(written.read_text(encoding="utf-8")) if done.returncode == 0 else None
    return done.returncode, done.stdout + done.stderr, result


def answers_of(result):
    """(classes, first spikes of the outputs) that a script wrote."""
    times = [[np.inf if t is None else t for t in row] for row in result["first_spikes_ms"]]
    return np.array(result["classes"]), np.array(times)


def answers_here(backend, graph, parameters, data, dt=0.1):
    """(classes, first spikes of the outputs) of our own run on a simulator, or on 'arrays', which are what `exact` says."""
    if backend == "arrays":
        found = evaluate(ArrayNetwork(graph, parameters), data)
    else:
        sim = simulator(backend).setup(dt)
        found = evaluate(build(sim, graph, parameters, copies=min(50, len(data)), simulator=simulator(backend)), data)
    return found.predictions, found.label_times


def row(what, here, there, exact):
    both = np.isfinite(here[1]) & np.isfinite(there[1])
    size = np.abs(here[1][both] - there[1][both])
    print(f"{what}: same class as our own run {(here[0] == there[0]).sum()} of {len(here[0])}, as exact "
          f"{(exact[0] == there[0]).sum()} (our own run: {(exact[0] == here[0]).sum()}); output spikes differ by at most "
          f"{size.max(initial=0.0):.2g} ms, median {np.median(size) if size.size else 0.0:.2g} ms", flush=True)


def main(arguments=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("run")
    p.add_argument("--model", metavar="FILE", help="the run's model, where it is neither of the package nor in this folder")
    p.add_argument("--simulators", default="nest,brian2")
    p.add_argument("--formats", default="pynn,sonata")
    p.add_argument("--samples", type=int, default=100)
    p.add_argument("--dt", type=float, default=0.1, help="ms")
    a = p.parse_args(arguments)
    _, experiment, parameters = open_run(a.run, a.model)
    graph, data = experiment.graph, experiment.data["test"].select(slice(0, a.samples))
    exact = answers_here("arrays", graph, parameters, data)
    with tempfile.TemporaryDirectory() as folder:
        scripts = {"pynn": write_pynn_script(f"{folder}/network.py", graph, parameters, data)[0],
                   "sonata": write_sonata(f"{folder}/sonata", graph, parameters, data, a.dt) / "run_sonata.py"}
        for backend in a.simulators.split(","):
            here = answers_here(backend, graph, parameters, data, a.dt)
            for kind in a.formats.split(","):
                status, text, result = run_without_us(scripts[kind], backend, "--dt", a.dt, folder=folder)
                if status:
                    raise SystemExit(f"{kind} on {backend} ended with status {status}:\n{text}")
                row(f"{kind}, {backend}, {a.dt:g} ms", here, answers_of(result), exact)


if __name__ == "__main__":
    main()
