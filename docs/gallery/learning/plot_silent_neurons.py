"""
Waking silent neurons
=====================

A neuron that does not spike has no spike time to differentiate. Two ways to wake a layer that is far too weak: bumping raises all
weights of a neuron by an amount that doubles from batch to batch; the other rule takes the smallest step that lifts the
membrane's peak over threshold.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, GREY, ORANGE
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.learning.engine import Gradients
from ttfs_pynn.learning.silent_neurons import MembranePeak, WeightBumping
from ttfs_pynn.networks.afferents import afferents_of
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters

rng = np.random.default_rng(5)
neuron = LIFParameters()
times = rng.uniform(1.5, 20.0, (50, 8))  # a batch of 50 samples, 8 inputs, ms
graph = layered(8, (Layer(40, neuron),), t_early=1.5, t_late=20.0)
start = {"input>layer0.weight": rng.normal(0.2, 0.3, (8, 40)) * neuron.current_scale}
TOLERATED = 0.3  # of the batch

figure, (shares, latency) = plt.subplots(1, 2, figsize=(8.5, 3.2))
for name, rule, colour in (("bumping", WeightBumping(graph, {"layer0": TOLERATED}, bump=0.0005), BLUE),
                           ("membrane's peak", MembranePeak(afferents_of(graph), {"layer0": TOLERATED}), ORANGE)):
    parameters, silent = start, []
    for _ in range(14):
        found = ArrayNetwork(graph, parameters).present(times)
        spikes = found["layer0"]
        silent.append(100 * np.isinf(spikes).mean())
        no_step = Gradients({key: np.zeros_like(array) for key, array in start.items()}, np.zeros(50), found, 0)
        parameters, _, _ = rule.apply(parameters, no_step)
    shares.plot(silent, ".-", color=colour, label=name)
    latency.hist(spikes[np.isfinite(spikes)], np.linspace(0, 40, 41), histtype="step", color=colour, label=name)
shares.axhline(100 * TOLERATED, color=GREY, linestyle="--", linewidth=0.8)
shares.text(2, 100 * TOLERATED + 2, "tolerated for a neuron", color=GREY, fontsize=8)
shares.set(xlabel="batch", ylabel="samples without a spike, mean (%)", ylim=(0, 105))
latency.set(xlabel="first spike (ms)", ylabel="spikes of the batch", title="after 13 batches")
shares.legend()
plt.show()
