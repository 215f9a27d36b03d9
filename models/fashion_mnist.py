"""Fashion-MNIST, 784-350-10: ten kinds of clothing, 28 x 28 pixels.

Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
arXiv:1708.07747. The four IDX files are looked for in the folder `fashion_mnist` of the one that the environment variable
TTFS_PYNN_DATA names. The setting was chosen on images of the last 10,000 of the training file, in short trials (see
benchmarks/README.md).
"""

from ttfs_pynn.datasets import mnist
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF; weights in units of current_scale.
PARAMETERS = {
    "network": {
        "hidden": 350,
        "tau_m": 10.0, "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 20.0, "black_spikes": False,
        "bias_times": [1.5, 9.0, 16.0], "shift": 1, "shifted": 0.0, "flipped": 0.0,
        "hidden_weights": [0.05, 0.2], "label_weights": [0.05, 0.2],
    },
    "training": {
        "epochs": 30, "batch_size": 80, "learning_rate": 0.007, "schedule": "cosine",
        "loss": "time_to_first_spike", "loss_options": {"xi": 0.2, "alpha": 0.005},
        "max_dw": 0.2, "silent_tolerated": 0.95, "bump": 0.0005, "input_jitter": 1.0,
    },
}
CLASS_NAMES = mnist.FASHION


def graph(parameters):
    """Neurons and layers from the `network` table of PARAMETERS."""
    p = parameters
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    return layered(784, (Layer(p["hidden"], neuron, tuple(p["bias_times"]), *p["hidden_weights"]),
                         Layer(10, neuron, (), *p["label_weights"])), p["t_early"], p["t_late"])


def encode(images, parameters):
    """Input spike times (ms) of images of bytes: bright is early, black silent."""
    return mnist.spike_times(images, parameters["t_early"], parameters["t_late"], parameters["black_spikes"])


def data(parameters):
    """50,000 training, 10,000 validation and 10,000 test images as spike times."""
    return {name: SpikeData(encode(images, parameters), labels)
            for name, (images, labels) in mnist.parts(subfolder="fashion_mnist").items()}


def augment(times, rng, parameters):
    """Training images moved by up to `shift` pixels (a share `shifted`) and mirrored left to right (a share `flipped`), anew in
    each epoch."""
    moved = mnist.shifted(times, rng, parameters["shift"], parameters["shifted"])
    return mnist.flipped(moved, rng, parameters["flipped"])
