"""
How early the network decides
=============================

The first label spike is the decision, so each sample has a latency of its own. Right: the accuracy if the answer is taken at
a given time after the start of the sample, with samples that are still undecided counted as wrong.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn import Trainer, TrainingOptions, evaluate
from ttfs_pynn.analysis.latency_histogram import draw
from ttfs_pynn.analysis.style import BLUE
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.decision import accuracy_at
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork

parameters = yin_yang.PARAMETERS["network"]
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)
network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(7)))
Trainer(network, data["train"], TrainingOptions(epochs=10, seed=7, loss_options={"difference": 0.1})).run()
answer = evaluate(network, data["test"], batch_size=1000)

tau_syn = parameters["tau_syn"]
times = np.linspace(0.8, 2.2, 200) * tau_syn
accuracy = accuracy_at(answer.label_times, answer.labels, times)

figure, (histogram, curve) = plt.subplots(1, 2, figsize=(9, 3.4))
draw(histogram, answer.latency / tau_syn, answer.labels, yin_yang.CLASS_NAMES)
curve.plot(times / tau_syn, accuracy, color=BLUE)
curve.axhline(answer.accuracy, color="0.5", linestyle=":", label=f"all samples decided: {answer.accuracy:.3f}")
curve.set(xlabel="time of the answer ($\\tau_\\mathrm{syn}$)", ylabel="accuracy", ylim=(0, 1.03))
curve.legend(loc="lower right")
plt.show()
