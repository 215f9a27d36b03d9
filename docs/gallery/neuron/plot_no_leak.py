"""
Without leak
============

Where the membrane does not leak (``tau_m = inf``) it never forgets: what decides is whether the sum of the weights exceeds
what the threshold needs, however far apart the inputs are. With leak, inputs must come close together.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, ORANGE
from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.neuron import LIFParameters

gaps = np.linspace(0, 60, 200)  # ms between two inputs
inputs = np.stack([np.zeros_like(gaps), gaps], axis=1)
figure, axes = plt.subplots(figsize=(6, 3.4))
for tau_m, colour, label in ((np.inf, BLUE, "no leak"), (20.0, ORANGE, "$\\tau_m$ = 20 ms")):
    neuron = LIFParameters(tau_m=tau_m, tau_syn=10.0)
    weight = (0.8 if np.isinf(tau_m) else 1.5) * neuron.current_scale  # each: alone too weak
    spikes = first_spike_times(inputs, np.full((2, 1), weight), neuron)[:, 0]
    axes.plot(gaps, spikes, color=colour, label=label)
    last = gaps[np.isfinite(spikes)].max()
    if last < gaps[-1]:
        axes.annotate("silent from here on", (last, spikes[np.isfinite(spikes)][-1]), xytext=(last + 6, 8),
                      arrowprops={"arrowstyle": "->", "color": colour}, color=colour)
axes.plot(gaps, gaps, color="0.6", linewidth=0.8, linestyle=":", label="arrival of the second input")
axes.set(xlabel="time between two inputs (ms)", ylabel="first spike (ms)")
axes.legend()
plt.show()
