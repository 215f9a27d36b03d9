"""Does memory stay flat?

    python -m benchmarks.memory_growth [--backend exact] [--presentations 10000] [--samples 10] [--dt 0.1]

Each presentation is a whole training step of Yin-Yang 4(+3 bias)-120-3 through PyNN and Neo: set spikes, run, read, gradients,
reset, write weights. Printed is the resident memory of the process (Linux), after a garbage collection, at ten moments; growth is
counted from the first of them, a tenth of the way in, when everything is compiled and every buffer has been used.
"""

import argparse
import gc
import os
import time
from pathlib import Path

import numpy as np

from ttfs_pynn.models import yin_yang
from ttfs_pynn.runs.experiment import Experiment


def resident():
    """MB of this process in memory now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def steps(backend, n_samples, dt=0.1, seed=1):
    """A function that makes one training step on the next `n_samples` samples."""
    configuration = {"model": "yin_yang", "backend": backend, "dt": dt, "copies": 1, "network": yin_yang.PARAMETERS["network"],
                     "training": {**yin_yang.PARAMETERS["training"], "batch_size": n_samples, "seed": seed}}
    experiment = Experiment(yin_yang, configuration)
    trainer = experiment.trainer(experiment.network(seed=seed))
    data, rng = experiment.data["train"], np.random.default_rng(seed)

    def step():
        chosen = rng.integers(0, len(data), n_samples)
        trainer._step(data.times[chosen], data.labels[chosen], 0.0)

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="exact")
    parser.add_argument("--presentations", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=10, help="a presentation")
    parser.add_argument("--dt", type=float, default=0.1, help="ms; Brian2's time goes into steps")
    a = parser.parse_args()
    step, tenth, sizes, begin = steps(a.backend, a.samples, a.dt), max(1, a.presentations // 10), [], time.perf_counter()
    for k in range(1, a.presentations + 1):
        step()
        if k % tenth == 0:
            sizes.append(resident())
            print(f"{k:>7} presentations {sizes[-1]:9.2f} MB {time.perf_counter() - begin:7.0f} s", flush=True)
    print(f"growth after the first tenth {sizes[-1] - sizes[0]:.2f} MB, at most {max(sizes) - sizes[0]:.2f} MB ({a.backend})")


if __name__ == "__main__":
    main()
