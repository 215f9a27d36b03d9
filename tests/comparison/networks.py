"""Records of the small network of tests/networks.py on any simulator, whole or with a planted defect."""

import numpy as np

from tests.small_networks import samples, small_architecture, small_network
from ttfs_pynn.comparison.layered import layered_record
from ttfs_pynn.learning.engine import first_spikes

DELAY, WINDOW = 1.0, 400.0


def small_record(name="exact", dt=0.1, n=40, defect=None):
    """defect: None, "delay" (inputs one step late), "weights" (of inputs, times 1.01) or "threshold" (neuron 17, 0.3 mV)."""
    architecture = small_architecture()
    weights = architecture.initial_weights(np.random.default_rng(3))
    copies = dict(n_copies=n, single=True) if name in ("brian2", "neuron") else {}
    network, _ = small_network(name, dt=dt, delay=DELAY, **copies)
    changed = [w.copy() for w in weights]
    if defect == "weights":
        changed[0][:4] *= 1.01
    elif defect == "threshold":
        v_thresh = np.full(30 * network.n_copies, -50.0)
        v_thresh[17::30] += 0.3
        network.layers[0].set(v_thresh=v_thresh)
    elif defect == "delay":
        for projection in network._projections[0][0]:
            projection.set(delay=DELAY + dt)
    network.write_weights(changed)
    spikes = first_spikes(network.present(samples(n)))
    return layered_record(spikes, architecture, weights, DELAY, WINDOW, network.timing.deadline)
