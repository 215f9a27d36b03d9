"""Handwritten digits of 8 x 8 pixels, 64-100-10, from scikit-learn: nothing to download.

The data are the test set of the UCI "Optical Recognition of Handwritten Digits" (Alpaydin, Kaynak 1998), 1,797 images, in
scikit-learn's order; the last 300 are for tests here, the 300 before for validation.
"""

import numpy as np

from ttfs_pynn.datasets import mnist
from ttfs_pynn.errors import DatasetError
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF; weights in units of current_scale.
PARAMETERS = {
    "network": {
        "hidden": 100,
        "tau_m": 10.0, "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 20.0, "black_spikes": False,
    },
    "training": {
        "epochs": 40, "batch_size": 40, "learning_rate": 0.005, "schedule": "cosine",
        "loss": "pairwise_difference", "loss_options": {"difference": 0.3},
        "max_dw": 0.2, "silent_tolerated": 0.95, "bump": 0.0005, "input_jitter": 1.0,
    },
}
CLASS_NAMES = mnist.DIGITS


def graph(parameters):
    """Neurons and layers from the `network` table of PARAMETERS."""
    p = parameters
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    return layered(64, (Layer(p["hidden"], neuron), Layer(10, neuron)), p["t_early"], p["t_late"])


def encode(images, parameters):
    """Input spike times (ms) of images of bytes: bright is early, black silent."""
    return mnist.spike_times(images, parameters["t_early"], parameters["t_late"], parameters["black_spikes"])


def data(parameters):
    """1,197 training, 300 validation and 300 test images as spike times."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise DatasetError("the 8 x 8 digits come with scikit-learn, which is not installed; install it with: "
                           "pip install 'ttfs_pynn[digits]'") from None
    images, labels = load_digits(return_X_y=True)
    times = encode(np.round(images * (255 / 16)).astype(np.uint8), parameters)
    places = {"train": slice(0, -600), "validation": slice(-600, -300), "test": slice(-300, None)}
    return {name: SpikeData(times[place], labels[place]) for name, place in places.items()}
