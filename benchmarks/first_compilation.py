"""What the first training step costs in a fresh process, with nothing compiled yet: `python -m benchmarks.first_compilation`.

A process of its own for arrays and for PyNN `exact`, each with an empty folder for Numba's compiled code, then again with the
code that the first left there. CPU and wall seconds of one batch of Yin-Yang on that network alone, imports not counted; the
functions that compile longest, with what they call (`--most`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

BATCH = 50


def inside(through_pynn, most):
    """Train one batch, as `ttfs-pynn train` does; JSON of the times and of the functions that were compiled."""
    import numpy as np
    from numba.core import event

    from ttfs_pynn.graph.initialisation import initial_parameters
    from ttfs_pynn.learning.options import TrainingOptions
    from ttfs_pynn.learning.trainer import Trainer
    from ttfs_pynn.models import yin_yang
    from ttfs_pynn.networks.array_network import ArrayNetwork
    from ttfs_pynn.networks.pynn_network import build
    from ttfs_pynn.simulators import simulator

    graph, data = yin_yang.graph(yin_yang.PARAMETERS["network"]), yin_yang.data(yin_yang.PARAMETERS["network"])["train"]
    data, parameters = data.select(slice(0, BATCH)), initial_parameters(graph, np.random.default_rng(0))
    options = TrainingOptions.of({**yin_yang.PARAMETERS["training"], "epochs": 1, "batch_size": BATCH})
    sim = simulator("exact") if through_pynn else None
    with event.install_recorder("numba:compile") as recorder:
        cpu, wall = time.process_time(), time.perf_counter()
        network = build(sim.setup(0.1), graph, parameters) if sim else ArrayNetwork(graph, parameters)
        Trainer(network, data, options).run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    begun, functions = [], {}
    for at, what in recorder.buffer:  # nested: a function compiles what it calls
        if what.is_start:
            begun.append(at)
        else:
            name = what.data["dispatcher"].py_func
            name = f"{name.__module__}.{name.__qualname__}"
            functions[name] = functions.get(name, 0.0) + at - begun.pop()
    longest = sorted(functions.items(), key=lambda item: -item[1])[:most]
    print(json.dumps({"cpu": cpu, "wall": wall, "compiled": len(functions), "longest": longest}))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10, help="how many functions to list")
    parser.add_argument("--only", choices=("arrays", "pynn"))
    parser.add_argument("--inside", choices=("arrays", "pynn"), help=argparse.SUPPRESS)
    a = parser.parse_args(arguments)
    if a.inside:
        inside(a.inside == "pynn", a.most)
        return
    for name in (a.only,) if a.only else ("arrays", "pynn"):
        with tempfile.TemporaryDirectory() as folder:
            for state in ("nothing compiled", "compiled before"):
                command = [sys.executable, "-m", "benchmarks.first_compilation", "--inside", name, "--most", str(a.most)]
                done = subprocess.run(command, env=os.environ | {"NUMBA_CACHE_DIR": folder}, check=True, stdout=subprocess.PIPE,
                                      text=True)
                found = json.loads(done.stdout.splitlines()[-1])
                print(f"{name:<7} {state:<17} first step {found['cpu']:6.1f} s of a processor, {found['wall']:6.1f} s wall, "
                      f"{found['compiled']} functions compiled", flush=True)
                for function, seconds in found["longest"]:
                    print(f"        {seconds:6.1f} s {function}")


if __name__ == "__main__":
    main()
