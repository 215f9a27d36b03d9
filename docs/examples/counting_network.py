"""How many pulses did the sources send, one, two or three? A network that has to remember, for a membrane forgets between two."""

import numpy as np

from ttfs_pynn import SpikeData

PULSES = np.array([10.0, 40.0, 70.0])  # ms; time constants are 10 and 5 ms
GO = [[110.0], [111.0], [112.0], [113.0]]  # when the answer is asked for


def samples(n, rng):
    """SpikeData of n samples: each of eight sources spikes once a pulse, with a jitter of 1 ms."""
    count = rng.integers(1, 4, n)
    times = PULSES + rng.normal(0.0, 1.0, (n, 8, 3)) + rng.uniform(-2.0, 2.0, (n, 1, 1))
    return SpikeData({"pulses": np.where(np.arange(3) < count[:, None, None], times, np.inf)}, count - 1)


def connect(sim, recurrent=True, lateral=True):
    """(population that answers, projections). recurrent: hidden neurons hear each other. lateral: those that answer inhibit each
    other, so that the first silences the rest."""
    rng = sim.NumpyRNG(seed=1)
    neuron = sim.IF_curr_exp(tau_m=10.0, tau_syn_E=5.0, tau_syn_I=5.0, cm=1.0, v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0,
                             tau_refrac=500.0)
    pulses = sim.Population(8, sim.SpikeSourceArray(), label="pulses")
    go = sim.Population(4, sim.SpikeSourceArray(spike_times=GO), label="go")
    hidden = sim.Population(60, neuron, label="hidden")
    count = sim.Population(3, neuron, label="count")
    projections = {}

    def project(pre, post, weights, delay, connector=None, receptor="excitatory"):
        weight, delay = (sim.RandomDistribution("uniform", value, rng=rng) for value in (weights, delay))
        projections[f"{pre.label}>{post.label} {receptor}"] = sim.Projection(
            pre, post, connector or sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=delay),
            receptor_type=receptor)

    project(pulses, hidden, (0.1, 2.0), (0.5, 1.0))
    project(go, hidden, (0.0, 2.5), (0.5, 1.0))
    project(go, count, (2.0, 6.0), (0.5, 1.0))
    project(hidden, count, (0.0, 1.5), (0.5, 40.0))
    project(hidden, count, (-1.5, 0.0), (0.5, 40.0), receptor="inhibitory")
    if recurrent:
        some = sim.FixedProbabilityConnector(0.3, allow_self_connections=False, rng=rng)
        project(hidden, hidden, (0.0, 4.0), (15.0, 45.0), some)
        some = sim.FixedProbabilityConnector(0.1, allow_self_connections=False, rng=rng)
        project(hidden, hidden, (-3.0, 0.0), (15.0, 45.0), some, "inhibitory")
    if lateral:
        others = sim.AllToAllConnector(allow_self_connections=False)
        project(count, count, (-20.0, -20.0), (0.1, 0.1), others, "inhibitory")
    return count, projections
