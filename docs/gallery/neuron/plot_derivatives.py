"""
The derivative, checked with finite differences
===============================================

The derivative of a first-spike time by a weight is a formula. A difference of two first-spike times approaches it as the
step shrinks, until rounding of the difference takes over: below, the error falls with the square of the step, then rises.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, GREY
from ttfs_pynn.first_spike import first_spike_derivatives, first_spike_times
from ttfs_pynn.neuron import LIFParameters

rng = np.random.default_rng(1)
neuron = LIFParameters(tau_m=20.0, tau_syn=10.0)
times = rng.uniform(1.5, 20.0, (1, 20))  # one sample, 20 inputs, ms
weights = rng.normal(0.4, 0.4, (20, 1))  # nA
spike = first_spike_times(times, weights, neuron)
formula = first_spike_derivatives(times, weights, spike, neuron)[0][0, :, 0]  # ms/nA

steps = np.logspace(-10, -1, 37)  # nA
i = np.argmax(np.abs(formula))  # the input that matters most
error = []
for step in steps:
    shift = np.zeros_like(weights)
    shift[i] = step
    later, earlier = (first_spike_times(times, weights + sign * shift, neuron)[0, 0] for sign in (1, -1))
    error.append(abs((later - earlier) / (2 * step) / formula[i] - 1))

figure, axes = plt.subplots(figsize=(5.5, 3.4))
axes.loglog(steps, np.maximum(error, 1e-13), ".-", color=BLUE, label="measured")
axes.loglog(steps[20:], error[-9] * (steps[20:] / steps[-9]) ** 2, "--", color=GREY, label="proportional to the step squared")
axes.set(xlabel="step of the weight (nA)", ylabel="relative difference to the formula",
         title=f"T = {spike[0, 0]:.2f} ms, dT/dw = {formula[i]:.2f} ms/nA")
axes.legend()
plt.show()
