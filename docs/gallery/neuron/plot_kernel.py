r"""
The response to one input spike
===============================

An input spike of weight 1 nA moves the membrane by :math:`K(s)`: it rises with the slope 1/cm, peaks, and decays. How late
and how high the peak is depends on the ratio of the two time constants.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import CLASSES
from ttfs_pynn.neuron import LIFParameters

s = np.linspace(-5, 80, 800)  # ms after the input spike
figure, (value, slope) = plt.subplots(1, 2, figsize=(8, 3.2))
for tau_m, colour in zip((5.0, 10.0, 20.0, np.inf), CLASSES, strict=False):
    neuron = LIFParameters(tau_m=tau_m, tau_syn=10.0, cm=1.0)
    label = "no leak" if np.isinf(tau_m) else f"$\\tau_m$ = {tau_m:g} ms"
    value.plot(s, neuron.kernel(s), color=colour, label=label)
    slope.plot(s, neuron.kernel_derivative(s), color=colour)
value.set(xlabel="time after the input (ms)", ylabel="K (mV/nA)", title="$\\tau_\\mathrm{syn}$ = 10 ms, cm = 1 nF")
slope.set(xlabel="time after the input (ms)", ylabel="K' (mV/(nA ms))", title="its slope")
slope.axhline(0, color="0.6", linewidth=0.6)
value.legend()
plt.show()
