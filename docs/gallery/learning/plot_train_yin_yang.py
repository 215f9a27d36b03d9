"""
Train on Yin-Yang through PyNN
==============================

A 4(+3 bias)-120-3 network on the simulator ``exact``: each batch is presented in PyNN, its spikes are read from Neo, weights
are written back. Six epochs of the 5,000 published samples.
"""

import matplotlib.pyplot as plt
import numpy as np

import ttfs_pynn.exact as sim
from ttfs_pynn import Trainer, TrainingOptions, evaluate
from ttfs_pynn.analysis.learning_curve import draw_error, draw_loss
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.pynn_network import build

parameters = yin_yang.PARAMETERS["network"]
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)
sim.setup()
network = build(sim, graph, initial_parameters(graph, np.random.default_rng(7)))
options = TrainingOptions(epochs=6, batch_size=50, learning_rate=0.006, loss="pairwise_difference",
                          loss_options={"difference": 0.1}, seed=7)
trainer = Trainer(network, data["train"], options, data["validation"])
history = trainer.run()
print(f"accuracy on 1,000 test samples: {evaluate(network, data['test']).accuracy:.3f}")

figure, (loss, error) = plt.subplots(1, 2, figsize=(8, 3.2))
draw_loss(loss, history)
draw_error(error, history)
plt.show()
