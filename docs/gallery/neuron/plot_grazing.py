"""
A neuron that just reaches threshold
====================================

As a weight falls, the spike comes later and its derivative grows without bound, until the membrane only touches threshold:
below that weight the neuron is silent. This is why training drops single contributions that are too large (``max_dw``).
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, GREY, VERMILION
from ttfs_pynn.first_spike import first_spike_derivatives, first_spike_times
from ttfs_pynn.neuron import LIFParameters

neuron = LIFParameters(tau_m=10.0, tau_syn=10.0)
touching = np.e * neuron.current_scale  # one input of this weight raises the membrane just to threshold, where tau_m = tau_syn
weights = touching * (1 + np.logspace(-6, 0, 400))[None, :]  # one input, 400 neurons, nA
spikes = first_spike_times(np.zeros((1, 1)), weights, neuron)
by_weight = first_spike_derivatives(np.zeros((1, 1)), weights, spikes, neuron)[0][0, 0]

figure, (trace, time, derivative) = plt.subplots(1, 3, figsize=(10, 3.2))
s = np.linspace(0, 40, 400)
for factor, colour in ((0.9, GREY), (1.0, VERMILION), (1.15, BLUE)):
    trace.plot(s, neuron.v_rest + factor * touching * neuron.kernel(s), color=colour, label=f"{factor:g} of the touching weight")
trace.axhline(neuron.v_thresh, color="0.4", linestyle="--", linewidth=0.8)
trace.set(xlabel="time (ms)", ylabel="membrane (mV)", ylim=(-65.5, -40))
trace.legend(fontsize=8)
time.plot(weights[0] / touching, spikes[0], color=BLUE)
time.axvspan(0.8, 1, color=GREY, alpha=0.25)
time.text(0.9, 3, "silent", ha="center")
time.set(xlabel="weight / touching weight", ylabel="first spike (ms)", xlim=(0.8, 2), ylim=(0, 10.5))
derivative.loglog(weights[0] / touching - 1, -by_weight, color=BLUE)
derivative.set(xlabel="weight / touching weight - 1", ylabel="-dT/dw (ms/nA)", title="grows as 1/sqrt(distance)")
plt.show()
