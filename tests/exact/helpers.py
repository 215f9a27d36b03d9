"""What several tests of the PyNN layer need."""

import numpy as np

ONE_SPIKE = dict(tau_m=10.0, cm=0.5, v_rest=-65.0, v_reset=-68.0, v_thresh=-50.0, tau_refrac=10.0, tau_syn_E=3.0,
                 tau_syn_I=7.0)
STRONG = 12.0  # nA: makes a ONE_SPIKE neuron fire once


def spike_lists(block, segment=-1):
    """One list of spike times (ms) a recorded cell."""
    return [train.times.rescale("ms").magnitude.tolist() for train in block.segments[segment].spiketrains]


def driven(sim, n=3, weight=STRONG, delay=1.0, **parameters):
    """(sources, neurons, projection): n sources that fire at 5, 15, ... ms, one to one onto n neurons, both recorded."""
    sources = sim.Population(n, sim.SpikeSourceArray(spike_times=[np.array([5.0 + 10 * k, 105.0]) for k in range(n)]),
                             label="sources")
    neurons = sim.Population(n, sim.IF_curr_exp(**{**ONE_SPIKE, **parameters}), label="neurons")
    projection = sim.Projection(sources, neurons, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight, delay=delay),
                                receptor_type="excitatory")
    sources.record("spikes")
    neurons.record("spikes")
    return sources, neurons, projection
