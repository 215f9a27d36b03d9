"""
Train in the loop
=================

The chip runs each batch, with its mismatch, noise, and weights of six bits and a sign; gradients are computed from the spikes
that it recorded, for ideal neurons. The same training without any non-ideality for comparison.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, ORANGE
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.models import yin_yang
from ttfs_pynn.simulators import simulator

parameters = {**yin_yang.PARAMETERS["network"], "hidden": 60}
architecture, data = yin_yang.architecture(parameters), yin_yang.data(parameters)
train = SpikeData(data["train"].times[:1500], data["train"].labels[:1500])
validation = SpikeData(data["validation"].times[:500], data["validation"].labels[:500])
options = TrainingOptions(epochs=4, batch_size=50, learning_rate=0.01, loss_options={"difference": 0.2}, seed=3)

figure, axes = plt.subplots(figsize=(5.8, 3.4))
for non_idealities, colour, label in (({}, BLUE, "chip 3"), ({"off": True}, ORANGE, "ideal chip")):
    chip = simulator("brainscales2").configured({"chip": 3, "non_idealities": non_idealities})
    sim = chip.setup(0.008, seed=3, layers=[layer.size for layer in architecture.layers])
    weights = architecture.initial_weights(np.random.default_rng(3))
    network = yin_yang.build(sim, parameters, weights, simulator=chip)
    history = Trainer(network, train, options, validation, weights=weights).run()
    axes.plot([h["epoch"] for h in history], [h["validation_accuracy"] for h in history], ".-", color=colour, label=label)
    print(f"{label}: {sim.simulator.state.hardware_time:.0f} ms of the chip for training and validation")
axes.set(xlabel="epoch (1,500 samples)", ylabel="validation accuracy", xticks=range(1, 5))
axes.legend(loc="lower right")
plt.show()
