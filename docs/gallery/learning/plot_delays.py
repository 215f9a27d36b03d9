"""
Delays that tell directions
===========================

Six sensors in a row fire one after the other as something moves past them, in one direction or the other. Two neurons hear all
of them with equal, fixed weights; what they learn is the delay of each synapse, by the exact gradient of their first spikes. Each
ends up delaying the sensors that come first in the other direction.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import BLUE, ORANGE
from ttfs_pynn.first_spike.delays import delayed_first_spike_times, delayed_vector_jacobian_product
from ttfs_pynn.learning.loss import PairwiseDifference, predict
from ttfs_pynn.neuron import LIFParameters

rng = np.random.default_rng(2)
neuron = LIFParameters(tau_m=10.0, tau_syn=10.0)
labels = rng.integers(2, size=200)
sweep = 2.0 + 3.0 * np.arange(6)  # ms
times = np.where(labels[:, None] == 0, sweep, sweep[::-1]) + rng.normal(0.0, 1.0, (200, 6))
weights = np.full((6, 2), 1.8)  # nA
loss = PairwiseDifference(tau_syn=10.0, difference=0.5)

delays, accuracy = np.abs(rng.normal(0.0, 1.0, (6, 2))), []
start = delays
for _ in range(150):
    spikes = delayed_first_spike_times(times, weights, delays, neuron)
    accuracy.append((predict(spikes) == labels).mean())
    _, error = loss(spikes, labels)
    _, _, gradient, _ = delayed_vector_jacobian_product(times, weights, delays, spikes, error / len(labels), neuron)
    delays = np.clip(delays - 30.0 * gradient, 0.0, 20.0)

figure, (curve, learned, first) = plt.subplots(1, 3, figsize=(10.5, 3.2))
curve.plot(accuracy, color=BLUE)
curve.set(xlabel="step", ylabel="accuracy", ylim=(0, 1.03))
for n, colour in enumerate((BLUE, ORANGE)):
    learned.plot(range(6), start[:, n], ":", color=colour)
    learned.plot(range(6), delays[:, n], ".-", color=colour, label=f"neuron {n}")
    first.hist(spikes[labels == n, 0] - spikes[labels == n, 1], 30, color=colour, alpha=0.7, label=("forth", "back")[n])
learned.set(xlabel="sensor", ylabel="delay (ms)", title="dotted: before", ylim=(-0.5, 12.5))
first.set(xlabel="spike of neuron 0 - spike of neuron 1 (ms)", ylabel="samples")
learned.legend(loc="upper center", ncols=2)
first.legend()
plt.show()
