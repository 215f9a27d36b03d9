"""
What went wrong? Ask the spikes
===============================

Two recordings of the same network, the second with a planted defect: the threshold of neuron 7 of the hidden layer is 0.3 mV
too high. ``comparison`` drives the exact neuron with the inputs that each neuron was recorded with, and names what is off.
"""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, VERMILION
from ttfs_pynn.comparison.conditional import conditional
from ttfs_pynn.comparison.layered import graph_record
from ttfs_pynn.comparison.summary import compare_records
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.windows import Timing

neuron = LIFParameters(tau_m=10.0, tau_syn=10.0)
planted = np.full(30, neuron.v_thresh)
planted[7] += 0.3  # mV
labels = Layer(3, neuron)
graph = layered(4, (Layer(30, neuron), labels), t_early=1.5, t_late=20.0)
broken = layered(4, (Layer(30, replace(neuron, v_thresh=planted)), labels), t_early=1.5, t_late=20.0)
parameters = initial_parameters(graph, np.random.default_rng(1))
samples = np.random.default_rng(2).uniform(1.5, 20.0, (40, 4))  # ms


def record(built):
    """What we believe was built, the network without defect, and what spiked."""
    spikes = ArrayNetwork(built, parameters).present(samples)
    return graph_record(spikes, graph, parameters, Timing(deadline=80.0, window=500.0, tau_refrac=420.0))


reference, other = record(graph), record(broken)
result = compare_records(reference, other, dt=0.01, window=5.0)
print(f"{result['matched']} spikes match, {result['missing']} missing, {result['extra']} extra")
for defect in result["defects"]:
    print(defect)

# %%
# Given its own inputs only neuron 7 is late; its spikes reach the label layer, whose neurons are right nevertheless.
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.2), sharey=True)
for panel, label in zip(axes, ("layer0", "layer1"), strict=True):
    c = conditional(other, label, window=5.0)
    cell = c.cell - other.populations[label].start
    panel.scatter(cell, c.residual, s=8, c=np.where((label == "layer0") & (cell == 7), VERMILION, BLUE))
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.set(xlabel="neuron", title={"layer0": "hidden", "layer1": "label"}[label])
axes[0].set(ylabel="spike time, recorded - exact (ms)")
plt.show()
