"""Records of the small network of tests/small_networks.py on any simulator, whole or with a planted defect."""

import numpy as np

from tests.small_networks import samples, small_network
from ttfs_pynn.comparison.layered import graph_record
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.spikes.windows import Timing

DELAY, WINDOW = 1.0, 400.0


def small_record(name="exact", dt=0.1, n=40, defect=None):
    """defect: None, "delay" (inputs one step late), "weights" (of inputs, times 1.01) or "threshold" (neuron 17, 0.3 mV)."""
    copies = dict(copies=n, single=True) if name in ("brian2", "neuron") else {}
    network, parameters = small_network(name, dt=dt, delay=DELAY, **copies)
    changed = dict(parameters)
    if defect == "weights":
        changed["input>layer0.weight"] = 1.01 * changed["input>layer0.weight"]
    elif defect == "threshold":
        v_thresh = np.full(30 * network.n_copies, -50.0)
        v_thresh[17::30] += 0.3
        network.populations["layer0"].set(v_thresh=v_thresh)
    network.write(changed)
    if defect == "delay":
        for projection in network.projections.of["input>layer0"].values():
            projection.set(delay=DELAY + dt)
    spikes = first_spikes(network.present(samples(n)))
    deadline = network.timing.deadline
    return graph_record(spikes, network.graph, parameters, Timing(deadline, WINDOW, WINDOW - deadline))
