"""Yin-Yang, 4(+3 bias)-120-3: is a point in the yin, the yang or a dot?

The task of Kriener, Göltz, Petrovici (2022) with the network size of Göltz, Kriener et al. (2021). Loss, initial weights and bias
times were chosen on the published validation set.
"""

import numpy as np

from ttfs_pynn.datasets import spike_times, yin_yang
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.learning.data import EncodedData, SpikeData
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF; bias times and weights in units of tau_syn and current_scale.
PARAMETERS = {
    "network": {
        "hidden": 120,
        "tau_m": 10.0, "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 20.0,
        "bias_times": [1.5, 9.0, 16.0],
        # What else a graph.Layer has: trained delays; weight_mean and weight_std, which else follow from the samples.
        "hidden_layer": {}, "label_layer": {},
        "turned": True,  # half of the training samples by 180 degrees, anew in each epoch: the figure comes to lie on itself
    },
    "training": {
        "epochs": 60, "batch_size": 50, "learning_rate": 0.006, "schedule": "cosine",
        # From 30 % of the epochs on, samples that are right by more than the difference are left alone.
        "loss": "pairwise_difference", "loss_options": {
            "difference": {"value": 0.1, "schedule": "steps", "later": [[0.3, 0.03]]},
            "one_sided": {"value": False, "schedule": "steps", "later": [[0.3, True]]}},
        "max_dw": 0.2, "silent_tolerated": 0.95, "bump": 0.0005,
    },
    # On a chip decisions need more distance from its noise.
    "training_on_hardware": {"loss_options": {
        "difference": {"value": 0.2, "schedule": "steps", "later": [[0.3, 0.1]]},
        "one_sided": {"value": False, "schedule": "steps", "later": [[0.3, True]]}}},
}
# As Göltz, Kriener et al. (2021) trained, from the configuration that they published with their code.
PRESETS = {"paper": {
    "network": {"bias_times": [9.0], "hidden_layer": {"weight_mean": 1.5, "weight_std": 0.8},
                "label_layer": {"bias_times": [9.0], "weight_mean": 0.5, "weight_std": 0.8}, "turned": False},
    "training": {"epochs": 300, "batch_size": 150, "learning_rate": 0.005, "schedule": "step_decay",
                 "schedule_options": {"factor": 0.95, "every": 20},
                 "loss": "time_to_first_spike", "loss_options": {"xi": 0.2, "alpha": 0.005, "beta": 1.0},
                 "max_dw": 0.2, "silent_tolerated": {"layer0": 0.3, "layer1": 0.0}, "bump": 0.0005, "bump_instead_of_step": True},
}}
INPUT_NAMES = ("x", "y", "1-x", "1-y")
CLASS_NAMES = ("yin", "yang", "dot")


def graph(parameters):
    """Neurons, layers and biases from the `network` table of PARAMETERS."""
    p = parameters
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    return layered(4, (Layer(p["hidden"], neuron, tuple(p["bias_times"]), **p["hidden_layer"]),
                       Layer(3, neuron, **p["label_layer"])), p["t_early"], p["t_late"])


def encode(features, parameters):
    """Input spike times (ms) of features (n, 4)."""
    return spike_times(features, parameters["t_early"], parameters["t_late"])


def plane(resolution):
    """Features (resolution^2, 4) of the centres of equal cells of the unit square, row by row from y = 0."""
    centres = (np.arange(resolution) + 0.5) / resolution
    y, x = (a.ravel() for a in np.meshgrid(centres, centres, indexing="ij"))
    return np.stack([x, y, 1 - x, 1 - y], axis=1)


def data(parameters):
    """The published training, validation and test samples."""
    parts = dict(zip(("train", "validation", "test"), yin_yang.published(), strict=True))
    found = {name: SpikeData(encode(part.features, parameters), part.labels) for name, part in parts.items()}
    if parameters["turned"]:
        train = parts["train"]
        found["train"] = EncodedData(train.features, train.labels, lambda features: encode(features, parameters),
                                     yin_yang.turned)
    return found


def fresh(n, rng, parameters):
    """`n` new samples of the same distribution as spike times."""
    new = yin_yang.fresh(n, rng)
    return SpikeData(encode(new.features, parameters), new.labels)
