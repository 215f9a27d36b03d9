"""MNIST with several hidden layers, 784-350-350-10: handwritten digits of 28 x 28 pixels.

`hidden` is a list of any length; initial weights follow from the sizes (ttfs_pynn.graph.initialisation.balanced), so that every
layer spikes. `peak` and `spread` are one a layer, the label layer among them. The four
IDX files are looked for in the folder that the environment variable TTFS_PYNN_DATA names. The setting was chosen on images of the
last 10,000 of the training file, in short trials (see benchmarks/README.md).
"""

from ttfs_pynn.datasets import mnist
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import balanced
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.neuron import LIFParameters

# Times and time constants in ms, voltages in mV, cm in nF; peak and spread of initial membranes in units of v_thresh - v_rest.
PARAMETERS = {
    "network": {
        "hidden": [350, 350],
        "tau_m": 20.0, "tau_syn": 10.0, "cm": 1.0, "v_rest": -65.0, "v_thresh": -50.0,
        "t_early": 1.5, "t_late": 20.0, "black_spikes": False,
        "bias_times": [1.5, 9.0, 16.0], "shift": 1, "shifted": 1.0,
        "share_of_inputs": 0.19, "peak": [2.5, 2.5, 6.0], "spread": [0.8, 0.8, 1.3],
    },
    "training": {
        "epochs": 30, "batch_size": 80, "learning_rate": 0.007, "schedule": "cosine",
        "loss": "time_to_first_spike", "loss_options": {"xi": 0.2, "alpha": 0.005},
        "max_dw": 0.2, "silent_tolerated": 0.95, "bump": 0.0005, "input_jitter": 1.0,
    },
}
CLASS_NAMES = mnist.DIGITS


def graph(parameters):
    """Neurons and layers from the `network` table of PARAMETERS; the first hidden layer has biases."""
    p = parameters
    neuron = LIFParameters(tau_m=p["tau_m"], tau_syn=p["tau_syn"], cm=p["cm"], v_rest=p["v_rest"], v_thresh=p["v_thresh"])
    first, *further = p["hidden"]
    layers = (Layer(first, neuron, tuple(p["bias_times"])), *(Layer(size, neuron) for size in [*further, 10]))
    whole = layered(784, layers, p["t_early"], p["t_late"])
    goals = {name: {f"layer{k}": value for k, value in enumerate(p[name])} for name in ("peak", "spread")}
    return balanced(whole, p["share_of_inputs"], **goals)


def encode(images, parameters):
    """Input spike times (ms) of images of bytes: bright is early, black silent."""
    return mnist.spike_times(images, parameters["t_early"], parameters["t_late"], parameters["black_spikes"])


def data(parameters):
    """50,000 training, 10,000 validation and 10,000 test images as spike times."""
    return {name: SpikeData(encode(images, parameters), labels) for name, (images, labels) in mnist.parts().items()}


def augment(times, rng, parameters):
    """A share `shifted` of training images moved by up to `shift` pixels in each direction, anew in each epoch."""
    return mnist.shifted(times, rng, parameters["shift"], parameters["shifted"])
