"""Fashion-MNIST, 784-350-10: ten kinds of clothing, 28 x 28 pixels.

`hidden` is the size of the hidden layer, or a list of several. With `fields`, such as {size = 5, stride = 2, neurons = 8}, a
layer of local fields comes before them: every neuron of it sees 5 x 5 pixels.

Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
arXiv:1708.07747. The four IDX files are looked for in the folder `fashion_mnist` of the one that the environment variable
TTFS_PYNN_DATA names. The setting was chosen on images of the last 10,000 of the training file, in short trials (see
benchmarks/README.md).

Unlike digits these images have no background: with two `channels` a pixel is compared with its mean over training images, and
spikes in one channel where it is brighter, in another where it is darker (ttfs_pynn.datasets.two_channels).
"""

from dataclasses import replace

import numpy as np

from ttfs_pynn.datasets import mnist, two_channels
from ttfs_pynn.datasets.augmentation import ImageDistortion
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph import Layer, layered, local_fields
from ttfs_pynn.learning.data import encoded_parts
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF; weights in units of current_scale.
PARAMETERS = {
    "network": {
        "hidden": 350, "fields": {},
        "tau_m": float("inf"), "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 20.0,
        "channels": 2, "span": 0.75, "cut": 0.06, "black_spikes": False,  # span, cut: of two channels; the last of one
        "bias_times": [1.5, 9.0, 16.0],
        # Training images, anew in each epoch: see ttfs_pynn.datasets.augmentation.
        "distortion": {"rotation": 3.0, "scale": 0.05, "shear": 0.05, "shift": 0.7, "share": 0.5},
        # What else a graph.Layer has: train_bias_times; weight_mean and weight_std, which else follow from the samples.
        "hidden_layer": {}, "label_layer": {},
    },
    "training": {
        "epochs": 20, "batch_size": 80, "learning_rate": 0.003, "schedule": "cosine",
        "loss": "time_to_first_spike", "loss_options": {"xi": 0.05, "alpha": 0.005},
        "max_dw": 0.2, "silent_tolerated": 0.95, "bump": 0.0005, "input_jitter": 0.5,
    },
}
CLASS_NAMES = mnist.FASHION


def graph(parameters):
    """Neurons and layers from the `network` table of PARAMETERS. The first layer has biases."""
    p, f = parameters, parameters.get("fields")
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    layers = [Layer(size, neuron, **p["hidden_layer"]) for size in np.atleast_1d(p["hidden"]).tolist()]
    if f:
        pairs = local_fields((28, 28), f["size"], f["stride"], f["neurons"], p["channels"])
        layers.insert(0, Layer(int(pairs[:, 1].max()) + 1, neuron, pairs=pairs))
    layers.append(Layer(10, neuron, **p["label_layer"]))
    layers[0] = replace(layers[0], bias_times=tuple(p["bias_times"]))
    return layered(784 * p["channels"], layers, p["t_early"], p["t_late"])


def fit(parameters):
    """The mean image of the training data, from 0, black, to 1, white."""
    images, _ = mnist.parts(subfolder="fashion_mnist")["train"]
    return {"mean": images.mean(axis=0) / 255}


def encode(images, parameters):
    """Input spike times (ms) of images of bytes: far from the mean image is early; of one channel bright is, and black silent."""
    p = parameters
    if p["channels"] == 2:
        return two_channels(images, p["fitted"]["mean"], p["t_early"], p["t_late"], p["span"], p["cut"])
    if p["channels"] == 1:
        return mnist.spike_times(images, p["t_early"], p["t_late"], p["black_spikes"])
    raise ConfigurationError(f"channels = {p['channels']!r}: give 1 or 2")


def data(parameters):
    """50,000 training, 10,000 validation and 10,000 test images; those of training are distorted before they are encoded."""
    parts, distortion = mnist.parts(subfolder="fashion_mnist"), ImageDistortion.of(parameters["distortion"])
    return encoded_parts(parts, lambda images: encode(images, parameters), distortion)
