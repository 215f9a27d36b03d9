"""
Exact against Brian2, time step by time step
============================================

The same network, weights and samples on ``exact`` and on Brian2. Brian2 finds spikes at time steps, so first spikes are
about half a step off, and so is a gradient that is taken from them.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, GREY, ORANGE
from ttfs_pynn.comparison import compare_first_spikes
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator

neuron = LIFParameters(tau_m=10.0, tau_syn=10.0)
graph = layered(8, (Layer(20, neuron), Layer(5, neuron)), t_early=1.5, t_late=20.0)
parameters = initial_parameters(graph, np.random.default_rng(1))
samples = np.random.default_rng(2).uniform(1.5, 20.0, (10, 8))  # ms


def spikes_on(name, dt):
    known = simulator(name)
    copies = len(samples) if name == "brian2" else 1  # all samples side by side: Brian2's time goes into steps
    return first_spikes(build(known.setup(dt), graph, parameters, copies).present(samples))


reference = spikes_on("exact", 0.1)
steps = (1.0, 0.3, 0.1)  # ms
errors = []
for dt in steps:
    other = spikes_on("brian2", dt)
    agreements = [compare_first_spikes(reference[node.label], other[node.label]) for node in graph.neurons]
    differences = np.abs(np.concatenate([a.differences for a in agreements]))
    errors.append((np.median(differences), differences.max()))
    print(f"dt {dt:4g} ms: {sum(a.matched for a in agreements)} spikes match, {sum(a.missing for a in agreements)} missing, "
          f"{sum(a.extra for a in agreements)} extra")

figure, axes = plt.subplots(figsize=(5.5, 3.4))
median, largest = np.transpose(errors)
axes.loglog(steps, median, "o-", color=BLUE, label="median")
axes.loglog(steps, largest, "s--", color=ORANGE, label="largest")
axes.loglog(steps, steps, color=GREY, linewidth=0.8, label="one step")
axes.set(xlabel="time step of Brian2 (ms)", ylabel="|difference to exact| (ms)")
axes.legend()
plt.show()
