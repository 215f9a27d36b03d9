"""
A loss and a callback of your own
=================================

A loss is a function of the label neurons' first-spike times and the labels that returns the loss of each sample and its
derivative by each time. A callback sees every step. Here a hinge: a wrong neuron that spikes less than 0.1 tau_syn after the
right one costs, others do not. A second term keeps the right neuron near 1.2 tau_syn, else all of them drift into silence.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn import Trainer, TrainingOptions
from ttfs_pynn.analysis.style import BLUE, ORANGE
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.trainer import Callback
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork

parameters = yin_yang.PARAMETERS["network"]
graph, data = yin_yang.graph(parameters), yin_yang.data(parameters)
TAU_SYN, MARGIN, EARLY = parameters["tau_syn"], 0.1, 1.2  # ms, tau_syn, tau_syn


def hinge(times, labels):
    """times (samples, classes) in ms, inf where silent -> losses (samples,), derivatives (samples, classes) in 1/ms."""
    rows = np.arange(len(labels))
    t = np.where(np.isfinite(times), times / TAU_SYN, 4.0)
    missing = np.maximum(t[rows, labels][:, None] + MARGIN - t, 0.0)
    missing[rows, labels] = 0.0
    late = t[rows, labels] - EARLY
    slope = -missing
    slope[rows, labels] = missing.sum(axis=1) + 0.1 * late
    return (missing ** 2).sum(axis=1) / 2 + 0.05 * late ** 2, np.where(np.isfinite(times), slope / TAU_SYN, 0.0)


class GradientNorms(Callback):
    """The norm of the gradient of two projections, step by step."""

    def __init__(self, *projections):
        self.names, self.norms = [f"{projection}.weight" for projection in projections], []

    def before_step(self, trainer, gradients):
        self.norms.append([np.linalg.norm(gradients.parameters[name]) for name in self.names])


norms = GradientNorms("input>layer0", "layer0>layer1")
network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(7)))
trainer = Trainer(network, data["train"], TrainingOptions(epochs=8, seed=7), data["validation"], callbacks=[norms])
trainer.loss = hinge
history = trainer.run()

figure, (accuracy, norm) = plt.subplots(1, 2, figsize=(8.5, 3.2))
accuracy.plot([h["epoch"] for h in history], [h["validation_accuracy"] for h in history], ".-", color=BLUE)
accuracy.set(xlabel="epoch", ylabel="validation accuracy", title="trained with the hinge")
smooth = np.ones(20) / 20
for name, values, colour in zip(norms.names, np.transpose(norms.norms), (BLUE, ORANGE), strict=True):
    norm.semilogy(np.convolve(values, smooth, "valid"), color=colour, label=name)
norm.set(xlabel="step", ylabel="norm of the gradient (1/nA)", title="mean over 20 steps")
norm.legend()
plt.show()
