"""
One sample, before and after training
=====================================

The same Yin-Yang sample in the network before training and after five epochs. Dots are first spikes; the dotted line is the
first label spike, which is the decision. Spikes come as Neo blocks, so the same function draws any recording.
"""

import matplotlib.pyplot as plt
import numpy as np

import ttfs_pynn.exact as sim
from ttfs_pynn import Trainer, TrainingOptions
from ttfs_pynn.analysis.raster import draw, readable
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.pynn_network import build

parameters = yin_yang.PARAMETERS["network"]
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)
sim.setup()
network = build(sim, graph, initial_parameters(graph, np.random.default_rng(7)))
sample = data["test"].times[:1]  # ms
before = network.present(sample)
Trainer(network, data["train"], TrainingOptions(epochs=5, seed=7, loss_options={"difference": 0.1})).run()
after = network.present(sample)

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharex=True)
for panel, recording, name in zip(axes, (before, after), ("before", "after"), strict=True):
    draw(panel, readable(network.blocks(recording)), tau_syn=parameters["tau_syn"], title=f"{name} training",
         class_names=yin_yang.CLASS_NAMES)
print("the sample is of class", yin_yang.CLASS_NAMES[data["test"].labels[0]])
plt.show()
