"""
One sample, before and after training
=====================================

The same Yin-Yang sample in the network before training and after five epochs. Dots are first spikes; the dotted line is the
first label spike, which is the decision. Spikes come as Neo blocks, so the same function draws any recording.
"""

import matplotlib.pyplot as plt
import numpy as np

import ttfs_pynn.exact as sim
from ttfs_pynn.analysis.raster import draw, readable
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.models import yin_yang

parameters = yin_yang.PARAMETERS["network"]
data = yin_yang.data(parameters)
weights = yin_yang.architecture(parameters).initial_weights(np.random.default_rng(7))
sim.setup()
network = yin_yang.build(sim, parameters, weights)
sample = data["test"].times[:1]  # ms
before = network.present(sample)
Trainer(network, data["train"], TrainingOptions(epochs=5, seed=7, loss_options={"difference": 0.1}), weights=weights).run()
after = network.present(sample)

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharex=True)
for panel, recording, name in zip(axes, (before, after), ("before", "after"), strict=True):
    draw(panel, readable(recording.blocks()), tau_syn=parameters["tau_syn"], title=f"{name} training",
         class_names=yin_yang.CLASS_NAMES)
print("the sample is of class", yin_yang.CLASS_NAMES[data["test"].labels[0]])
plt.show()
