"""MNIST through local fields, 784-1152-10: every hidden neuron sees 5 x 5 pixels, as a convolution without shared weights.

Eight neurons look at each of 12 x 12 fields, two pixels apart: 28,800 connections instead of 903,168. `fields` says how large,
how far apart and how many. Initial weights follow from the connections (ttfs_pynn.graph.initialisation.balanced). The four IDX
files are looked for in the folder that the environment variable TTFS_PYNN_DATA names.
"""

from ttfs_pynn.datasets import mnist
from ttfs_pynn.datasets.augmentation import ImageDistortion
from ttfs_pynn.graph import Layer, layered, local_fields
from ttfs_pynn.learning.data import encoded_parts
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF.
PARAMETERS = {
    "network": {
        "fields": {"size": 5, "stride": 2, "neurons": 8},
        "tau_m": 20.0, "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 20.0, "black_spikes": False,
        "distortion": {"rotation": 10.0, "scale": 0.1, "shear": 0.1, "shift": 1.0, "elastic": 0.5},  # of training images
    },
    "training": {
        "epochs": 30, "batch_size": 80, "learning_rate": 0.004, "schedule": "cosine",
        "loss": "time_to_first_spike", "loss_options": {"xi": 0.05, "alpha": 0.005},
        "max_dw": 0.2, "silent_tolerated": 0.95, "bump": 0.0005, "input_jitter": 0.5,
    },
}
CLASS_NAMES = mnist.DIGITS


def graph(parameters):
    """784 pixels, fields of them, 10 classes."""
    p, f = parameters, parameters["fields"]
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    pairs = local_fields((28, 28), f["size"], f["stride"], f["neurons"])
    return layered(784, (Layer(pairs[:, 1].max() + 1, neuron, pairs=pairs), Layer(10, neuron)), p["t_early"], p["t_late"])


def encode(images, parameters):
    """Input spike times (ms) of images of bytes: bright is early, black silent."""
    return mnist.spike_times(images, parameters["t_early"], parameters["t_late"], parameters["black_spikes"])


def data(parameters):
    """50,000 training, 10,000 validation and 10,000 test images. Training images are distorted anew in each epoch."""
    distortion = ImageDistortion.of(parameters["distortion"])
    return encoded_parts(mnist.parts(), lambda images: encode(images, parameters), distortion)
