"""
Any PyNN script on the exact simulator
======================================

``ttfs_pynn.exact`` is a PyNN simulator like others, for networks of ``IF_curr_exp``: 400 neurons, a fifth inhibitory, driven
by Poisson spikes. There is no time step; spike times are right to rounding.
"""

import matplotlib.pyplot as plt
import numpy as np

import ttfs_pynn.exact as sim
from ttfs_pynn.analysis.neo_files import as_recording
from ttfs_pynn.analysis.raster import draw
from ttfs_pynn.analysis.spike_statistics import draw_distribution
from ttfs_pynn.spikes.statistics import intervals

sim.setup()
rng = sim.NumpyRNG(seed=4)
cell = sim.IF_curr_exp(tau_m=20.0, tau_syn_E=5.0, tau_syn_I=5.0, cm=1.0, tau_refrac=2.0)
excitatory = sim.Population(320, cell, label="excitatory")
inhibitory = sim.Population(80, cell, label="inhibitory")
noise = sim.Population(400, sim.SpikeSourcePoisson(rate=1000.0))
for neurons, first in ((excitatory, 0), (inhibitory, 320)):
    neurons.initialize(v=sim.RandomDistribution("uniform", (-65.0, -50.0), rng=rng))
    sim.Projection(noise[first:first + neurons.size], neurons, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.17, delay=0.1))
    for source, weight, receptor in ((excitatory, 0.08, "excitatory"), (inhibitory, -0.5, "inhibitory")):
        sim.Projection(source, neurons, sim.FixedProbabilityConnector(0.1, rng=rng), sim.StaticSynapse(weight=weight, delay=1.5),
                       receptor_type=receptor)
    neurons.record("spikes")
sim.run(1000.0)
blocks = {neurons.label: neurons.get_data("spikes") for neurons in (inhibitory, excitatory)}

figure, (raster, interval) = plt.subplots(1, 2, figsize=(9, 3.8), width_ratios=(2, 1))
draw(raster, blocks, stop=400.0)
raster.set_title("the first 400 ms", loc="left", pad=18)
draw_distribution(interval, [np.concatenate(intervals(as_recording(b))) for b in blocks.values()],
                  "interspike interval (ms)", list(blocks))
plt.show()
