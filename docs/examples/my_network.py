"""A network as one has it in PyNN, and what it is to learn: which of three species is this iris?

Two populations of sources, an excitatory and an inhibitory population, sparse connections, delays, and one projection that skips
the hidden neurons.
"""

import numpy as np
from pyNN.space import Line
from sklearn.datasets import load_iris

from ttfs_pynn import Network, SpikeData

CELL = dict(tau_m=20.0, tau_syn_E=5.0, tau_syn_I=5.0, cm=1.0, v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0, tau_refrac=220.0)
T_EARLY, T_LATE = 1.0, 15.0  # ms
CLASS_NAMES = ("setosa", "versicolor", "virginica")


def connect(sim):
    """Populations and projections, on any PyNN simulator."""
    rng = sim.NumpyRNG(seed=11)
    cell = sim.IF_curr_exp(**CELL)
    flower = sim.Population(6, sim.SpikeSourceArray(), label="flower", structure=Line(dx=20.0))
    mirror = sim.Population(6, sim.SpikeSourceArray(), label="mirror", structure=Line(dx=20.0))
    excitatory = sim.Population(24, cell, label="excitatory", structure=Line(dx=5.0))
    inhibitory = sim.Population(6, cell, label="inhibitory")
    species = sim.Population(3, cell, label="species")

    def weights(mean, std):
        low, high = (0.0, 20.0) if mean > 0 else (-20.0, 0.0)
        return sim.RandomDistribution("normal_clipped", mu=mean, sigma=std, low=low, high=high, rng=rng)  # nA

    projections = {}
    for pre, post, connector, weight, delay in (
            (flower, excitatory, sim.FixedProbabilityConnector(0.6, rng=rng), weights(4.0, 2.0), 1.0),
            (mirror, excitatory, sim.DistanceDependentProbabilityConnector("exp(-d/60.0)", rng=rng), weights(5.0, 2.0),
             "0.5 + d*0.05"),
            (flower, inhibitory, sim.FixedProbabilityConnector(0.6, rng=rng), weights(4.0, 2.0), 0.5),
            (mirror, inhibitory, sim.FixedNumberPreConnector(3, rng=rng), weights(5.0, 1.0), 0.5),
            (inhibitory, excitatory, sim.FixedProbabilityConnector(0.5, rng=rng), weights(-1.5, 0.5), 0.5),
            (excitatory, species, sim.FixedProbabilityConnector(0.8, rng=rng), weights(2.0, 0.7),
             sim.RandomDistribution("uniform", (0.5, 3.0), rng=rng)),
            (inhibitory, species, sim.FixedProbabilityConnector(0.8, rng=rng), weights(-1.0, 0.5), 1.0),
            (flower, species, sim.FixedProbabilityConnector(0.5, rng=rng), weights(1.0, 0.5), 2.0)):
        projections[f"{pre.label}>{post.label}"] = sim.Projection(
            pre, post, connector, sim.StaticSynapse(weight=weight, delay=delay),
            receptor_type="inhibitory" if pre is inhibitory else "excitatory")
    return species, projections


def irises(seed=0):
    """{part: SpikeData}: 100 flowers to learn from, 50 to test. A large feature spikes late in `flower`, early in `mirror`; the
    last two sources of each mark the begin and the end of a sample."""
    features, labels = load_iris(return_X_y=True)
    features = (features - features.min(axis=0)) / np.ptp(features, axis=0)
    marks = np.tile([0.0, 1.0], (len(features), 1))
    times = {label: T_EARLY + (T_LATE - T_EARLY) * np.concatenate([values, marks], axis=1)
             for label, values in (("flower", features), ("mirror", 1 - features))}
    everything, order = SpikeData(times, labels), np.random.default_rng(seed).permutation(len(labels))
    return {"train": everything.select(order[:100]), "test": everything.select(order[100:])}


# What the command `ttfs-pynn train my_network.py` asks for, besides CLASS_NAMES.

PARAMETERS = {"training": {"epochs": 40, "learning_rate": 0.02, "loss_options": {"difference": 0.3}}}


def build(sim):
    species, projections = connect(sim)
    return Network(sim, projections, outputs=species, t_early=T_EARLY, t_late=T_LATE)


def data():
    return irises()
