r"""
Three losses on spike times
===========================

Two label neurons, the right one spikes at 1.5 :math:`\tau_\mathrm{syn}`. What each loss says when the wrong one spikes earlier
or later, and the force on both (minus the derivative: positive pushes a spike later).
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, GREEN, ORANGE
from ttfs_pynn.learning.loss import MeanSquaredError, PairwiseDifference, TimeToFirstSpike

tau_syn = 10.0  # ms
wrong = np.linspace(0.5, 2.5, 300) * tau_syn
times = np.stack([np.full_like(wrong, 1.5 * tau_syn), wrong], axis=1)  # (samples, label neurons)
labels = np.zeros(len(wrong), dtype=int)

figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.2))
for loss, colour, name in ((TimeToFirstSpike(tau_syn), BLUE, "time to first spike"),
                           (PairwiseDifference(tau_syn, difference=0.2), ORANGE, "pairwise difference, 0.2"),
                           (MeanSquaredError(tau_syn), GREEN, "mean squared error")):
    value, slope = loss(times, labels)
    for panel, y in zip(axes, (value / value.max(), -slope[:, 0], -slope[:, 1]), strict=True):
        panel.plot(wrong / tau_syn, y, color=colour, label=name)
for panel, title, unit in zip(axes, ("loss", "force on the right neuron", "force on the wrong neuron"),
                              ("of its largest value", "1/ms", "1/ms"), strict=True):
    panel.axvline(1.5, color="0.6", linewidth=0.8, linestyle=":")
    panel.set(xlabel="spike of the wrong neuron ($\\tau_\\mathrm{syn}$)", ylabel=unit, title=title)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
plt.show()
