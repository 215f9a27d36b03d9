"""Record a population of tuned cells that fire at random: each trial shows one of four directions.

  python record_cells.py recording.nix 400 1          (trials, seed)
"""

import sys

import numpy as np
from neo.io import NixIO

N_CELLS, TRIAL = 8, 50.0  # ms
DIRECTIONS = ("right", "up", "left", "down")


def record(n_trials, seed):
    """A Neo Block: a segment a trial, annotated with its direction, and a spike train a cell."""
    import ttfs_pynn.exact as sim

    rng = np.random.default_rng(seed)
    sim.setup(seed=seed)
    cells = sim.Population(N_CELLS, sim.SpikeSourcePoisson(), label="cells")
    cells.record("spikes")
    preferred = 360 / N_CELLS * np.arange(N_CELLS)
    for k in rng.integers(4, size=n_trials):
        shown = 90 * k + rng.normal(0, 8)  # degrees
        tuning = np.exp((np.cos(np.deg2rad(shown - preferred)) - 1) / 0.4)
        cells.set(rate=5 + 145 * tuning)   # Hz
        sim.run(TRIAL)
        sim.reset(annotations={"direction": DIRECTIONS[k]})
    return cells.get_data("spikes")


if __name__ == "__main__":
    path, n_trials, seed = sys.argv[1:]
    with NixIO(path, "ow") as file:
        file.write_block(record(int(n_trials), int(seed)))
