"""Records of the small network of tests/small_networks.py on any simulator, whole or with a planted defect."""

from dataclasses import replace

import numpy as np

from tests.small_networks import samples, small_network
from ttfs_pynn.comparison.layered import graph_record
from ttfs_pynn.learning.engine import first_spikes

DELAY, WINDOW = 1.0, 400.0


def small_record(name="exact", dt=0.1, n=40, defect=None):
    """defect: None, "delay" (inputs one step late), "weights" (of inputs, times 1.01) or "threshold" (neuron 17, 0.3 mV)."""
    copies = n if name in ("brian2", "neuron") else 1
    network, parameters = small_network(name, dt=dt, delay=DELAY, copies=copies)
    changed = dict(parameters)
    if defect == "weights":
        changed["input>layer0.weight"] = 1.01 * parameters["input>layer0.weight"]
    elif defect == "threshold":
        v_thresh = np.full(30 * network.n_copies, -50.0)
        v_thresh[17::30] += 0.3
        network.populations["layer0"].set(v_thresh=v_thresh)
    elif defect == "delay":
        for projection in network.projections.of["input>layer0"].values():
            projection.set(delay=DELAY + dt)
    network.write(changed)
    spikes = first_spikes(network.present(samples(n)))
    return graph_record(spikes, network.graph, parameters, replace(network.timing, window=WINDOW))
