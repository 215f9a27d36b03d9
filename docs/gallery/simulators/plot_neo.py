"""
Recordings are Neo files
========================

What a simulator recorded is a Neo block: written as NIX, read again, and looked at with any tool that knows Neo. Here a
neuron pool with 50 inputs each, its spikes counted in windows, and each neuron's first spike in each window.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import neo
import numpy as np

import ttfs_pynn.exact as sim
from ttfs_pynn.analysis.raster import draw
from ttfs_pynn.analysis.spike_statistics import counts_per_sample
from ttfs_pynn.analysis.style import BLUE
from ttfs_pynn.spikes.windows import Presentation

WINDOW, N_SAMPLES = 100.0, 20  # ms
sim.setup()
neurons = sim.Population(40, sim.IF_curr_exp(tau_m=20.0, tau_refrac=5.0), label="pool")
rng = np.random.default_rng(1)
onset = np.arange(N_SAMPLES) * WINDOW  # in each window a volley of inputs, more of them from window to window
trains = [np.sort(np.concatenate([begin + rng.uniform(0, 60, 1 + k // 4) for k, begin in enumerate(onset)])) for _ in range(50)]
sources = sim.Population(50, sim.SpikeSourceArray(spike_times=trains))
sim.Projection(sources, neurons, sim.AllToAllConnector(), sim.StaticSynapse(
    weight=sim.RandomDistribution("uniform", (0.05, 0.3), rng=sim.NumpyRNG(seed=1)), delay=0.0))
neurons.record("spikes")
sim.run(N_SAMPLES * WINDOW)

with tempfile.TemporaryDirectory() as place:
    path = Path(place) / "pool.nix"
    with neo.io.NixIO(str(path), "ow") as file:
        file.write_block(neurons.get_data("spikes"))
    with neo.io.NixIO(str(path), "ro") as file:
        block = file.read_block()

ids = [int(cell) for cell in neurons.all_cells]
first = Presentation(N_SAMPLES, WINDOW).first_spikes(block.segments[0], ids)  # (samples, neurons), ms, inf for silent
counts = counts_per_sample(block, WINDOW, N_SAMPLES)

figure, axes = plt.subplot_mosaic([["raster", "raster"], ["first", "counts"]], figsize=(8.5, 5.2))
draw(axes["raster"], {"pool": block})
axes["first"].plot(np.where(np.isfinite(first), first, np.nan), ".", color=BLUE, markersize=3)
axes["first"].set(xlabel="window", ylabel="first spike (ms)")
axes["counts"].errorbar(np.arange(N_SAMPLES), counts.mean(axis=1), counts.std(axis=1), fmt=".-", color=BLUE, capsize=2)
axes["counts"].set(xlabel="window", ylabel="spikes of a neuron")
for name in ("first", "counts"):
    axes[name].set_xticks(range(0, N_SAMPLES, 5))
plt.show()
