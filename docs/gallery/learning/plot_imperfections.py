"""
Imperfections of a substrate
============================

How a trained network bears neurons that differ, jitter, and lost spikes, each alone. The same imperfections can be there in
training, which then learns around them: ``ttfs-pynn robustness`` measures both.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn import Trainer, TrainingOptions, evaluate
from ttfs_pynn.analysis.style import BLUE, GREEN, ORANGE
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.distortion import DistortedNetwork, Distortion

parameters = yin_yang.PARAMETERS["network"]
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)
network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(7)))
trainer = Trainer(network, data["train"], TrainingOptions(epochs=8, seed=7, loss_options={"difference": 0.2}))
trainer.run()

figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
studies = (("threshold_std", (0, 0.01, 0.03, 0.1), "spread of thresholds (relative)", BLUE),
           ("jitter", (0, 0.1, 0.3, 1.0), "jitter of each spike (ms)", ORANGE),
           ("lost_spikes", (0, 0.003, 0.01, 0.03), "probability of losing a spike", GREEN))
for panel, (name, sizes, label, colour) in zip(axes, studies, strict=True):
    accuracy = [[evaluate(DistortedNetwork(graph, trainer.parameters, Distortion(**{name: size}, seed=seed)),
                          data["validation"], 1000).accuracy for seed in range(3)] for size in sizes]
    places = np.arange(len(sizes))
    panel.plot(places, accuracy, ".", color=colour)
    panel.plot(places, np.mean(accuracy, axis=1), color=colour)
    panel.set(xlabel=label, xticks=places, xticklabels=[f"{size:g}" for size in sizes])
axes[0].set(ylabel="validation accuracy")
figure.suptitle("three substrates each, and their mean", fontsize=9)
plt.show()
