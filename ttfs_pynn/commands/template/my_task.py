"""The network and its data: which of two orientations did a population of tuned cells see?

Replace `samples` by your own arrays: features (samples, inputs) in [0, 1], and labels (samples,), integers from 0.
"""

import numpy as np

from ttfs_pynn import SpikeData
from ttfs_pynn.datasets import spike_times
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF.
PARAMETERS = {
    "network": {
        "inputs": 12, "hidden": 30,
        "tau_m": 10.0, "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 20.0, "bias_times": [9.0],
    },
    "training": {
        "epochs": 15, "batch_size": 40, "learning_rate": 0.01, "schedule": "cosine",
        "loss": "pairwise_difference", "loss_options": {"difference": 0.2},
        "max_dw": 0.2, "silent_tolerated": 0.95, "bump": 0.0005,
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
    rng = np.random.default_rng(1)
    responses, labels = samples(1600, rng, parameters["inputs"])
    times, order, n = encode(responses, parameters), rng.permutation(len(labels)), len(labels)
    parts = np.split(order, [6 * n // 10, 8 * n // 10])
    return {name: SpikeData(times[part], labels[part])
            for name, part in zip(("train", "validation", "test"), parts, strict=True)}


def graph(parameters):
    """Neurons and layers: as many label neurons as there are classes. Initial weights are such that each layer spikes.

    A network that you have written in PyNN goes here instead: `build(sim)` makes its populations and projections, and returns
    `ttfs_pynn.Network(sim, projections, outputs=..., t_early=..., t_late=...)`.
    """
    p = parameters
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    layers = (Layer(p["hidden"], neuron, tuple(p["bias_times"])), Layer(len(CLASS_NAMES), neuron))
    return layered(p["inputs"], layers, p["t_early"], p["t_late"])
