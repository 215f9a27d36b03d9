"""
Any ratio of time constants
===========================

Closed forms of the first-spike time are known for three ratios of the membrane's to the synapse's time constant: 1, 2, and
infinity. The solver takes any ratio; at those three it gives the same.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, VERMILION
from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.first_spike.closed_form import equal_time_constants, no_leak, twice_tau_syn
from ttfs_pynn.neuron import LIFParameters

tau_syn, arrivals, weights = 10.0, np.array([0.0, 3.0, 6.0]), np.array([2.5, 1.5, 1.5])  # ms, nA
ratios = np.logspace(-0.7, 2, 200)
neurons = LIFParameters(tau_m=ratios * tau_syn, tau_syn=tau_syn)  # one value a neuron
spikes = first_spike_times(arrivals[None], np.repeat(weights[:, None], ratios.size, axis=1), neurons)[0]

figure, axes = plt.subplots(figsize=(6, 3.4))
axes.semilogx(ratios, spikes, color=BLUE, label="solver")
for ratio, closed_form in ((1, equal_time_constants), (2, twice_tau_syn), (100, no_leak)):
    time = closed_form(arrivals, weights, tau_syn, neurons.cm, neurons.threshold)
    axes.plot(ratio, time, "o", color=VERMILION, fillstyle="none", label="closed forms" if ratio == 1 else None)
    axes.annotate("no leak" if ratio == 100 else f"{ratio}", (ratio, time), (0, 8), textcoords="offset points", ha="center")
silent = ratios[np.isinf(spikes)]
axes.axvspan(ratios[0], silent.max(), color="0.85", label="silent")
axes.set(xlabel="$\\tau_m / \\tau_\\mathrm{syn}$", ylabel="first spike (ms)", xlim=(ratios[0], 130))
axes.legend()
plt.show()
