"""
Neurons that differ
===================

Time constants and thresholds may have one value a neuron, as on a chip. The same input then makes a cloud of spike times;
the derivatives are those of each neuron, so five Newton steps on the weights bring all spikes to one time.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, ORANGE
from ttfs_pynn.first_spike import first_spike_derivatives, first_spike_times
from ttfs_pynn.neuron import LIFParameters

rng = np.random.default_rng(3)
n = 300
neurons = LIFParameters(tau_m=rng.normal(10.0, 1.0, n), tau_syn=rng.normal(10.0, 1.0, n), v_thresh=rng.normal(-50.0, 0.7, n))
arrivals = rng.uniform(0.0, 8.0, (1, 10))  # ms
weights = np.full((10, n), 0.75)  # nA
before = first_spike_times(arrivals, weights, neurons)

target = 8.0  # ms
after = before
for _ in range(5):
    by_weight = first_spike_derivatives(arrivals, weights, after, neurons)[0][0]  # (inputs, neurons), ms/nA
    weights = weights + (target - after) * by_weight / (by_weight ** 2).sum(axis=0)
    after = first_spike_times(arrivals, weights, neurons)

figure, axes = plt.subplots(figsize=(6, 3.2))
bins = np.linspace(before.min(), target + 0.5, 60)
for spikes, colour, label in ((before, ORANGE, "equal weights"), (after, BLUE, "after five steps")):
    axes.hist(spikes[0], bins, color=colour, alpha=0.8, label=f"{label}: {spikes.mean():.2f} +- {spikes.std():.2g} ms")
axes.axvline(target, color="0.3", linestyle=":", linewidth=1)
axes.set(xlabel="first spike (ms)", ylabel="neurons", title="300 neurons, the same inputs", ylim=(0, 100))
axes.legend()
plt.show()
