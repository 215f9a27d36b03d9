"""MNIST with several hidden layers, 784-350-350-10: handwritten digits of 28 x 28 pixels.

`hidden` is a list of any length; initial weights follow from the sizes, and from when inputs spike
(ttfs_pynn.graph.initialisation.balanced). The four IDX files are looked for in the folder that the environment variable
TTFS_PYNN_DATA names. The setting was chosen on the last 10,000 images of the training file.
"""

from ttfs_pynn.datasets import mnist
from ttfs_pynn.datasets.augmentation import ImageDistortion
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.learning.data import encoded_parts
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF.
PARAMETERS = {
    "network": {
        "hidden": [350, 350],
        "tau_m": float("inf"), "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 10.0, "black_spikes": False,
        "bias_times": [1.5, 6.0, 10.0],
        "distortion": {"rotation": 10.0, "scale": 0.1, "shear": 0.1, "shift": 1.0, "elastic": 0.5},  # of training images
    },
    "training": {
        "epochs": 100, "batch_size": 80, "learning_rate": 0.004, "schedule": "cosine",
        "loss": "time_to_first_spike", "loss_options": {"xi": 0.05, "alpha": 0.005},
        "max_dw": 0.2, "silent_tolerated": 0.95, "bump": 0.0005, "input_jitter": 0.5,
    },
}
CLASS_NAMES = mnist.DIGITS


def graph(parameters):
    """Neurons and layers from the `network` table of PARAMETERS. Each layer has biases of its own."""
    p = parameters
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    layers = [Layer(size, neuron, tuple(p["bias_times"])) for size in (*p["hidden"], 10)]
    return layered(784, layers, p["t_early"], p["t_late"])


def encode(images, parameters):
    """Input spike times (ms) of images of bytes: bright is early, black silent."""
    return mnist.spike_times(images, parameters["t_early"], parameters["t_late"], parameters["black_spikes"])


def data(parameters):
    """50,000 training, 10,000 validation and 10,000 test images. Training images are distorted anew in each epoch."""
    distortion = ImageDistortion.of(parameters["distortion"])
    return encoded_parts(mnist.parts(), lambda images: encode(images, parameters), distortion)
