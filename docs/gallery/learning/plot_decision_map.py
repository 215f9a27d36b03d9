"""
How decisions take shape
========================

What the network answers for each point of the plane, before training and after 1, 4 and 12 epochs. The colour is the class,
bright points are decided early. The network runs on arrays here: the equations of ``exact`` without PyNN, faster for trials.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn import SpikeData, Trainer, TrainingOptions, evaluate
from ttfs_pynn.analysis.decision_map import decision_grid, draw
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.trainer import Callback
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork

parameters = yin_yang.PARAMETERS["network"]
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)


def answers(network):
    """(labels, latencies) on a grid of the plane."""
    def classify(features):
        times = yin_yang.encode(features, parameters)
        found = evaluate(network, SpikeData(times, np.zeros(len(times), dtype=int)), batch_size=5000)
        return found.predictions, found.latency
    return decision_grid(classify, resolution=101)


class Snapshots(Callback):
    """Keeps the decision map of some epochs."""

    def __init__(self, epochs):
        self.epochs, self.maps = epochs, {}

    def on_train_begin(self, trainer):
        self.maps[0] = answers(trainer.network)

    def on_epoch_end(self, trainer, record):
        if record["epoch"] in self.epochs:
            self.maps[record["epoch"]] = answers(trainer.network)


snapshots = Snapshots((1, 4, 12))
network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(7)))
Trainer(network, data["train"], TrainingOptions(epochs=12, seed=7, loss_options={"difference": 0.1}), callbacks=[snapshots]).run()

figure, axes = plt.subplots(1, 4, figsize=(11, 3.2), sharey=True)
for panel, (epoch, (labels, times)) in zip(axes, snapshots.maps.items(), strict=True):
    draw(panel, labels, times, yin_yang.CLASS_NAMES, f"epoch {epoch}" if epoch else "before training")
    if panel is not axes[-1]:
        panel.get_legend().remove()
    panel.label_outer()
plt.show()
