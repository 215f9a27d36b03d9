"""Learn from a recording which direction was shown, and tell it of trials that were not learned.

  python classify_recording.py recording.nix
"""

import sys

from neo.io import NixIO

import ttfs_pynn.exact as sim
from ttfs_pynn import Network, SpikeData, Trainer, TrainingOptions, evaluate


def connect(n_cells, n_classes):
    """30 neurons hear the cells, a neuron for each class hears them. Weights of 0 are drawn by ttfs_pynn."""
    neuron = sim.IF_curr_exp(tau_m=100.0, tau_syn_E=20.0, tau_syn_I=20.0, v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0,
                             tau_refrac=1000.0)
    cells = sim.Population(n_cells, sim.SpikeSourceArray(), label="cells")
    hidden = sim.Population(30, neuron, label="hidden")
    answer = sim.Population(n_classes, neuron, label="answer")
    projections = {f"{pre.label}>{post.label} {receptor}": sim.Projection(
        pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.0, delay=0.1), receptor_type=receptor)
        for pre, post in ((cells, hidden), (hidden, answer)) for receptor in ("excitatory", "inhibitory")}
    return answer, projections


def learn(block, trial=50.0):
    """(network, samples that it has not seen), of a Block whose segments are trials, annotated with `direction`."""
    trials = SpikeData({"cells": block}, "direction")
    train, unseen = trials.select(slice(100)), trials.select(slice(100, None))
    sim.setup()
    answer, projections = connect(trials.times["cells"].shape[1], len(trials.classes))
    network = Network(sim, projections, outputs=answer, t_late=trial)
    options = TrainingOptions(epochs=40, learning_rate=0.02, input_jitter=5.0, loss="mean_squared_error",
                              loss_options={"t_right": 1.6, "t_wrong": 2.4})
    Trainer(network, train, options).run()
    return network, unseen


if __name__ == "__main__":
    with NixIO(sys.argv[1], "ro") as file:
        network, unseen = learn(file.read_block())
    print(f"{evaluate(network, unseen).accuracy:.2f} of {len(unseen)} unseen trials are right")
