"""Where does a sound come from? Two ears, one spike each; the difference of times tells.

A 2(+2 bias)-30-3 network. The onset varies, so that neither ear alone tells the side.
"""

import numpy as np

from ttfs_pynn import SpikeData
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF; weights in current_scale.
PARAMETERS = {
    "network": {
        "hidden": 30, "bias_times": [1.0, 6.0],
        "tau_m": 5.0, "tau_syn": 5.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "onsets": [4.0, 6.0], "difference": 3.0, "jitter": 0.4,
        "hidden_weights": [1.5, 1.0], "label_weights": [0.4, 0.4],
    },
    "training": {
        "epochs": 10, "batch_size": 50, "learning_rate": 0.01,
        "loss": "pairwise_difference", "loss_options": {"difference": 0.2},
        "silent_tolerated": {"layer1": 0.5},
    },
}
CLASS_NAMES = ("left", "ahead", "right")


def graph(parameters):
    p = parameters
    neuron = LIFParameters(**{name: p[name] for name in
                              ("tau_m", "tau_syn", "cm", "v_rest", "v_thresh")})
    hidden = Layer(p["hidden"], neuron, tuple(p["bias_times"]), *p["hidden_weights"])
    label = Layer(3, neuron, (), *p["label_weights"])
    return layered(2, (hidden, label), t_early=0.0, t_late=12.0)


def sounds(n, rng, parameters):
    """n sounds: spike times (n, 2) in ms of the left and the right ear, and their sides."""
    p = parameters
    labels = rng.integers(3, size=n)
    onset = rng.uniform(*p["onsets"], n)
    delay = (labels - 1) * p["difference"]  # < 0: from the left
    times = np.stack([onset + np.maximum(delay, 0), onset + np.maximum(-delay, 0)], axis=1)
    return SpikeData(times + rng.normal(0.0, p["jitter"], times.shape), labels)


def data(parameters):
    rng = np.random.default_rng(1)
    sizes = {"train": 2000, "validation": 500, "test": 500}
    return {name: sounds(n, rng, parameters) for name, n in sizes.items()}
