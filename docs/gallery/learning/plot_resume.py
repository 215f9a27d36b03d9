"""
Stop, resume, and end at the same bits
======================================

A run folder holds all that training needs to go on. The second run below is stopped after three epochs and resumed from its
folder: the curves lie on each other, and the weights are equal bit by bit.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn import SpikeData, Trainer, TrainingOptions
from ttfs_pynn.analysis.style import BLUE, ORANGE
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.runs.folder import RunFolder

parameters = yin_yang.PARAMETERS["network"]
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)
train = SpikeData(data["train"].times[:1000], data["train"].labels[:1000])


def trainer(epochs, folder=None):
    network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(7)))
    # A constant rate, for the cosine schedule depends on the number of epochs.
    return Trainer(network, train, TrainingOptions(epochs=epochs, schedule="constant", seed=7), folder=folder)


whole = trainer(8)
whole.run()
with tempfile.TemporaryDirectory() as place:
    folder = RunFolder.create(f"{place}/run", {"seed": 7})
    folder.write_graph(graph)
    stopped = trainer(3, folder)
    stopped.run()
    resumed = trainer(8)
    arrays, meta, _ = RunFolder.open(f"{place}/run").load_checkpoint()
    resumed.restore(arrays, meta)
    resumed.run()
equal = all(np.array_equal(array, resumed.parameters[name]) for name, array in whole.parameters.items())
print("weights equal bit by bit:", equal)

figure, axes = plt.subplots(figsize=(5.5, 3.2))
axes.plot([h["epoch"] for h in whole.history], [h["train_loss"] for h in whole.history], color=BLUE, linewidth=4, alpha=0.4,
          label="in one go")
axes.plot([h["epoch"] for h in resumed.history], [h["train_loss"] for h in resumed.history], ".--", color=ORANGE,
          label="stopped after 3 epochs, resumed")
axes.set(xlabel="epoch", ylabel="training loss")
axes.legend()
plt.show()
