"""
Circuits differ
===============

The same input to 60 circuits of a virtual chip, recorded with its converters (CADC), and the same on a chip without any
non-ideality. Calibration leaves differences of some percent; a run
begins shortly after a reset, so the real circuits still return to rest.
"""

import matplotlib.pyplot as plt

import ttfs_pynn.brainscales2 as pynn
from ttfs_pynn.analysis.style import BLUE, VERMILION

figure, axes = plt.subplots(figsize=(6.5, 3.6))
for non_idealities, colour, label in ((pynn.NonIdealities(), BLUE, "chip 3"),
                                      (pynn.NonIdealities.off(), VERMILION, "ideal chip")):
    pynn.setup(chip=3, non_idealities=non_idealities, seed=1)
    neurons = pynn.Population(60, pynn.cells.CalibHXNeuronCuba(tau_m=10, tau_syn_E=10, v_thresh=200))  # us, LSB
    source = pynn.Population(3, pynn.cells.SpikeSourceArray(spike_times=[0.02, 0.03]))  # ms of the chip
    pynn.Projection(source, neurons, pynn.AllToAllConnector(), synapse_type=pynn.synapses.StaticSynapse(weight=40))
    neurons.record("v", device="cadc")
    pynn.run(0.1)
    for k, signal in enumerate(neurons.get_data("v").segments[0].irregularlysampledsignals):
        times = signal.times.rescale("us").magnitude
        axes.plot(times, signal.magnitude[:, 0], color=colour, linewidth=0.5 if colour == BLUE else 1.5,
                  alpha=0.5 if colour == BLUE else 1.0, label=label if k == 0 else None)
    pynn.end()
axes.set(xlabel="time (us of the chip)", ylabel="membrane (LSB of the CADC)")
legend = axes.legend()
for line in legend.get_lines():
    line.set_linewidth(1.5)
plt.show()
