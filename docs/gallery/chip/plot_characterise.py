"""
Measure a chip's neurons
========================

Leak, time constants, strengths and threshold of 64 circuits, found by experiments on the chip alone: relaxation, potentials
after an input, first spikes. A profile can be given to training, whose gradients then assume what was measured.
"""

import matplotlib.pyplot as plt
import numpy as np

import ttfs_pynn.brainscales2 as pynn
from ttfs_pynn.analysis.style import BLUE, VERMILION
from ttfs_pynn.brainscales2.characterisation import characterise
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator

targets = simulator("brainscales2").targets(LIFParameters(tau_m=10.0, tau_syn=10.0))
profile = characterise(pynn, chip=3, targets=targets, circuits=np.arange(64), repetitions=10)

figure, axes = plt.subplots(1, 4, figsize=(11, 2.9))
for panel, name, unit in zip(axes, ("tau_m", "tau_syn_E", "gain_E", "v_thresh"), ("us", "us", "LSB/us", "LSB"), strict=True):
    values = profile.values[name]
    panel.hist(values, 15, color=BLUE, alpha=0.8)
    if name in targets:
        panel.axvline(targets[name], color=VERMILION, linestyle="--", label="target")
        panel.legend(fontsize=8)
    panel.set(xlabel=f"{name} ({unit})", title=f"{np.nanmean(values):.3g} +- {np.nanstd(values):.2g}")
axes[0].set(ylabel="circuits")
plt.show()
