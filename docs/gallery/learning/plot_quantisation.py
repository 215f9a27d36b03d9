"""
Weights of a few bits
=====================

A trained network whose weights are rounded to a few bits afterwards, and clipped: at 0.6 of the largest weight of a projection
the steps are finer, but the cut tails cost more than any bit brings back.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn import Trainer, TrainingOptions, evaluate
from ttfs_pynn.analysis import weight_histogram
from ttfs_pynn.analysis.style import BLUE, ORANGE
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork

parameters = yin_yang.PARAMETERS["network"]
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)
network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(7)))
trainer = Trainer(network, data["train"], TrainingOptions(epochs=12, seed=7, loss_options={"difference": 0.2}))
trainer.run()


def quantised(weights, bits, share):
    """Sign and `bits` bits of magnitude, the largest of them at a share of the largest weight of the projection."""
    largest = share * np.abs(weights).max()
    step = largest / (2 ** bits - 1)
    return np.clip(np.round(weights / step) * step, -largest, largest)


bits = np.arange(1, 9)
figure, (histogram, axes) = plt.subplots(1, 2, figsize=(9, 3.4))
weight_histogram.draw(histogram, trainer.parameters["input>layer0.weight"], "from the inputs to the hidden layer")
for share, colour in ((1.0, BLUE), (0.6, ORANGE)):
    accuracy = [evaluate(network, data["validation"], 1000, {name: quantised(w, b, share)
                         for name, w in trainer.parameters.items()}).accuracy for b in bits]
    axes.plot(bits, accuracy, ".-", color=colour, label=f"clipped at {share:g} of the largest weight")
unchanged = evaluate(network, data["validation"], 1000, trainer.parameters).accuracy
axes.axhline(unchanged, color="0.5", linestyle=":", label="as trained")
axes.set(xlabel="bits of a weight, besides its sign", ylabel="validation accuracy")
axes.legend(loc="lower right")
plt.show()
