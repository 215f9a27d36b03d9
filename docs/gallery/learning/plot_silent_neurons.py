"""
Waking silent neurons
=====================

A neuron that does not spike has no spike time to differentiate. ``WeightBumping`` raises its weights while more than a
tolerated share of a batch leaves it silent; the amount doubles from batch to batch.
"""

import matplotlib.pyplot as plt
import numpy as np

from analysis.style import BLUE, ORANGE
from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.silent_neurons import WeightBumping

rng = np.random.default_rng(5)
neuron = LIFParameters()
times = rng.uniform(1.5, 20.0, (50, 8))  # a batch of 50 samples, 8 inputs, ms
weights = [rng.normal(0.2, 0.3, (8, 40)) * neuron.current_scale]  # 40 neurons, far too weak
bumping = WeightBumping(tolerated=[0.3], scales=[neuron.current_scale], bump=0.0005)

silent, mean_weight = [], []
for _ in range(14):
    spikes = first_spike_times(times, weights[0], neuron)
    silent.append(np.isinf(spikes).mean(axis=0))
    mean_weight.append(weights[0].mean())
    weights, _ = bumping.apply(weights, [spikes])

figure, (shares, weight) = plt.subplots(1, 2, figsize=(8.5, 3.2))
shares.plot(100 * np.array(silent), color=BLUE, alpha=0.25, linewidth=0.8)
shares.axhline(30, color=ORANGE, linestyle="--", label="tolerated")
shares.set(xlabel="batch", ylabel="samples without a spike (%)", title="each line a neuron")
shares.legend()
weight.plot(np.array(mean_weight) / neuron.current_scale, ".-", color=BLUE)
weight.set(xlabel="batch", ylabel="mean weight (of current_scale)")
plt.show()
