"""
Train in the loop
=================

The chip runs each batch, with its mismatch, noise, and weights of six bits and a sign; gradients are computed from the spikes
that it recorded, for ideal neurons. The same training without any non-ideality for comparison.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn import Trainer, TrainingOptions
from ttfs_pynn.analysis.style import BLUE, ORANGE
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.simulators import simulator

parameters = {**yin_yang.PARAMETERS["network"], "hidden": 60}
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)
train, validation = data["train"].select(slice(1500)), data["validation"].select(slice(500))
options = TrainingOptions(epochs=4, batch_size=50, learning_rate=0.01, loss_options={"difference": 0.2}, seed=3)

figure, axes = plt.subplots(figsize=(5.8, 3.4))
for non_idealities, colour, label in (({}, BLUE, "chip 3"), ({"off": True}, ORANGE, "ideal chip")):
    chip = simulator("brainscales2").configured({"chip": 3, "non_idealities": non_idealities})
    sim = chip.setup(0.008, seed=3, layers=[node.size for node in graph.neurons])
    network = build(sim, graph, initial_parameters(graph, np.random.default_rng(3)), simulator=chip)
    history = Trainer(network, train, options, validation).run()
    axes.plot([h["epoch"] for h in history], [h["validation_accuracy"] for h in history], ".-", color=colour, label=label)
    print(f"{label}: {sim.simulator.state.hardware_time:.0f} ms of the chip for training and validation")
axes.set(xlabel="epoch (1,500 samples)", ylabel="validation accuracy", xticks=range(1, 5))
axes.legend(loc="lower right")
plt.show()
