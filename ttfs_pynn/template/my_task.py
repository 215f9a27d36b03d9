"""The network and its data: which of two orientations did a population of tuned cells see?

Replace `samples` by your own arrays: features (samples, inputs) in [0, 1], and labels (samples,), integers from 0.
"""

import numpy as np

from ttfs_pynn.datasets import spike_times
from ttfs_pynn.network import Architecture, Layer, LayeredNetwork
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.training import SpikeData

# Times and time constants in ms, voltages in mV, cm in nF; weights (mean, std) in units of what brings a neuron to threshold.
PARAMETERS = {
    "network": {
        "inputs": 12, "hidden": 30,
        "tau_m": 10.0, "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 20.0, "bias_times": [9.0],
        "hidden_weights": [0.2, 0.4], "label_weights": [0.3, 0.4],
    },
    "training": {
        "epochs": 15, "batch_size": 40, "learning_rate": 0.01, "schedule": "cosine",
        "loss": "pairwise_difference", "loss_options": {"difference": 0.2},
        "max_dw": 0.2, "silent_tolerated": [0.95, 0.95], "bump": 0.0005,
    },
}
CLASS_NAMES = ("left", "right")


def samples(n, rng, n_cells=12):
    """Responses (n, n_cells) in [0, 1] of cells tuned to orientations, and which of two was shown (n,): left 75, right 105 deg.

    Contrast, noise of each cell and the exact orientation differ from trial to trial. With data of your own, for example:

        recorded = np.load("recorded.npz")
        return recorded["responses"], recorded["stimulus"]
    """
    labels = rng.integers(2, size=n)
    shown = np.where(labels == 0, 75.0, 105.0) + rng.normal(0, 5, n)
    preferred = np.arange(n_cells) * 180 / n_cells
    tuning = np.exp((np.cos(np.deg2rad(2 * (shown[:, None] - preferred))) - 1) / 0.5)
    responses = rng.uniform(0.5, 1, (n, 1)) * tuning + rng.normal(0, 0.08, (n, n_cells))
    return np.clip(responses, 0, 1), labels


def encode(responses, parameters):
    """Input spike times (ms): the stronger the response, the earlier its spike, from t_early to t_late."""
    return spike_times(1 - responses, parameters["t_early"], parameters["t_late"])


def data(parameters):
    """The samples as spike times in three parts: to learn from, to choose settings with, and to report once."""
    responses, labels = samples(1600, np.random.default_rng(1), parameters["inputs"])
    times = encode(responses, parameters)
    places = {"train": slice(0, 1000), "validation": slice(1000, 1300), "test": slice(1300, None)}
    return {name: SpikeData(times[place], labels[place]) for name, place in places.items()}


def architecture(parameters):
    """Neurons and layers: as many label neurons as there are classes."""
    p = parameters
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    return Architecture(p["inputs"], (Layer(p["hidden"], neuron, tuple(p["bias_times"]), *p["hidden_weights"]),
                                      Layer(len(CLASS_NAMES), neuron, (), *p["label_weights"])), p["t_early"], p["t_late"])


def build(sim, parameters, weights, **options):
    """The network on a PyNN simulator (its module, after setup)."""
    return LayeredNetwork(sim, architecture(parameters), weights, **options)
