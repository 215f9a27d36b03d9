"""Test accuracy on Yin-Yang over seeds: `python -m benchmarks.yin_yang_accuracy [--seeds 0 1 2 3 4] [--epochs 300]`.

Trains models/yin_yang.py on `exact` through PyNN and Neo, one process a seed, and tests each network once: on the published 1,000
test samples and on 100,000 fresh ones. Settings are the model's, which were chosen on validation data.
"""

import argparse
import copy
import os
from concurrent.futures import ProcessPoolExecutor


def one_seed(seed, epochs, fresh_samples):
    import numpy as np

    from ttfs_pynn.datasets import yin_yang as samples
    from ttfs_pynn.learning.data import SpikeData
    from ttfs_pynn.learning.evaluation import evaluate
    from ttfs_pynn.models import yin_yang
    from ttfs_pynn.runs.experiment import Experiment

    configuration = {"model": "yin_yang", "backend": "exact", "dt": 0.1, "copies": 1, **copy.deepcopy(yin_yang.PARAMETERS)}
    configuration["training"].update(epochs=epochs, seed=seed)
    experiment = Experiment(yin_yang, configuration)
    trainer = experiment.trainer(experiment.network())
    history = trainer.run()
    published = evaluate(trainer.network, experiment.data["test"]).accuracy
    # A generator of its own: neither training nor validation has seen its samples.
    fresh = samples.fresh(fresh_samples, np.random.default_rng(2021))
    times = yin_yang.encode(fresh.features, configuration["network"])
    on_fresh = evaluate(trainer.network, SpikeData(times, fresh.labels)).accuracy
    seconds = float(np.median([record["seconds"] for record in history]))
    return seed, history[-1]["validation_accuracy"], published, on_fresh, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--fresh", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    os.environ["NUMBA_NUM_THREADS"] = "1"  # one core a process
    rows = []
    with ProcessPoolExecutor(arguments.workers) as pool:
        jobs = [pool.submit(one_seed, seed, arguments.epochs, arguments.fresh) for seed in arguments.seeds]
        for job in jobs:
            rows.append(job.result())
            print("seed {}: validation {:.4f}, published test {:.4f}, fresh {:.5f}, {:.2f} s an epoch".format(*rows[-1]),
                  flush=True)
    for name, column in (("published test", 2), (f"{arguments.fresh} fresh", 3)):
        values = [row[column] for row in rows]
        mean = sum(values) / len(values)
        spread = (sum((v - mean) ** 2 for v in values) / max(len(values) - 1, 1)) ** 0.5
        print(f"{name}: {mean:.5f} +- {spread:.5f} over {len(values)} seeds, {arguments.epochs} epochs")


if __name__ == "__main__":
    main()
