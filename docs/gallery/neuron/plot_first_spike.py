"""
A membrane, its first spike, and the inputs that caused it
==========================================================

One neuron on the simulator ``exact``, five inputs. Only inputs that arrive before the spike can have caused it, and only
their weights can move it: the later ones get no gradient.
"""

import matplotlib.pyplot as plt
import numpy as np

import ttfs_pynn.exact as sim
from ttfs_pynn.analysis.membrane import causal_inputs, draw, signal_of
from ttfs_pynn.first_spike import first_spike_derivatives, first_spike_times
from ttfs_pynn.neuron import LIFParameters

arrivals = np.array([2.0, 5.0, 9.0, 16.0, 24.0])  # ms
weights = np.array([2.6, 2.0, -0.8, 3.0, 2.0])  # nA
neuron = LIFParameters(tau_m=10.0, tau_syn=10.0, tau_refrac=30.0)

sim.setup()
cell = sim.Population(1, sim.IF_curr_exp(**neuron.to_pynn()))
cell.initialize(v=neuron.v_rest)
cell.record(["spikes", "v"])
for arrival, weight in zip(arrivals, weights, strict=True):
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[arrival]))
    sim.Projection(source, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=0.0),
                   receptor_type="excitatory" if weight > 0 else "inhibitory")
sim.run(50.0)
block = cell.get_data()
recorded = block.segments[0].spiketrains[0].rescale("ms").magnitude

# %%
# The mathematics says the same as the simulator, to rounding:
computed = first_spike_times(arrivals[None], weights[:, None], neuron)
by_weight, by_time = first_spike_derivatives(arrivals[None], weights[:, None], computed, neuron)
print(f"recorded {recorded[0]:.12f} ms, computed {computed[0, 0]:.12f} ms")
print("dT/dw (ms/nA)", by_weight[0, :, 0].round(3))
print("dT/dt (ms/ms)", by_time[0, :, 0].round(3))

# %%
causal, later = causal_inputs(arrivals, recorded[0])
figure, axes = plt.subplots(figsize=(6.5, 3.6))
times, v = signal_of(block)
draw(axes, times, v[:, 0], neuron.v_thresh, recorded[:1], causal, later)
plt.show()
