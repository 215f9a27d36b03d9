import struct

import numpy as np
import pytest

from ttfs_pynn.datasets import mnist
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.runs import model_files


def write_files(place, n_train=10_020, n_test=10):
    rng = np.random.default_rng(0)
    for files, n in zip(mnist._FILES.values(), (n_train, n_test), strict=True):
        images = (rng.random((n, 28, 28)) < 0.2) * 255
        for file, array in zip(files, (images, np.arange(n) % 10), strict=True):
            header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            (place / file).write_bytes(header + array.astype(np.uint8).tobytes())


@pytest.mark.parametrize("name, n_inputs, hidden", [("mnist", 784, [350]), ("mnist16", 256, [246]), ("fashion_mnist", 784, [350]),
                                                    ("mnist_deep", 784, [350, 350])])
def test_mnist_models(tmp_path, monkeypatch, name, n_inputs, hidden):
    write_files(tmp_path)
    monkeypatch.setenv("TTFS_PYNN_DATA", str(tmp_path))
    model = model_files.load(name)
    parameters = model.PARAMETERS["network"]
    design = model.architecture(parameters)
    shapes = [(before + len(layer.bias_times), layer.size)
              for before, layer in zip([n_inputs, *hidden], design.layers, strict=True)]
    assert design.shapes == shapes and [size for _, size in shapes] == [*hidden, 10]
    assert len(model.PARAMETERS["training"]["silent_tolerated"]) == len(shapes)
    data = model.data(parameters)
    assert {part: len(samples) for part, samples in data.items()} == {"train": 20, "validation": 10_000, "test": 10}
    for samples in data.values():
        spikes = np.isfinite(samples.times)
        assert samples.times.shape[1] == n_inputs and 0.1 < spikes.mean() < 0.9
        changed = {**parameters, "shifted": 1.0, "flipped": 1.0}
        seen = model.augment(samples.times[:50], np.random.default_rng(0), changed)
        assert seen.shape == (min(50, len(samples)), n_inputs) and not np.array_equal(seen, samples.times[:50])
        assert samples.times[spikes].min() >= parameters["t_early"] and samples.times[spikes].max() <= parameters["t_late"]


def test_digits_are_learned_on_arrays():
    pytest.importorskip("sklearn", reason="scikit-learn is the extra 'digits'")
    model = model_files.load("digits")
    parameters, training = model.PARAMETERS["network"], {**model.PARAMETERS["training"], "epochs": 12}
    architecture, data = model.architecture(parameters), model.data(parameters)
    network = ArrayNetwork(architecture, architecture.initial_weights(np.random.default_rng(0)))
    history = Trainer(network, data["train"], TrainingOptions(**training), data["validation"]).run()
    assert history[-1]["validation_accuracy"] > 0.8
