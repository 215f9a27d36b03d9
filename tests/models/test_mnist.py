import struct

import numpy as np
import pytest

from ttfs_pynn.datasets import mnist
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph.initialisation import initial_parameters
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


@pytest.mark.parametrize("name, n_inputs, hidden", [("mnist", 784, [350]), ("mnist16", 256, [246]),
                                                    ("mnist_deep", 784, [350, 350])])
def test_mnist_models(tmp_path, monkeypatch, name, n_inputs, hidden):
    write_files(tmp_path)
    monkeypatch.setenv("TTFS_PYNN_DATA", str(tmp_path))
    model = model_files.load(name)
    parameters = model.PARAMETERS["network"]
    graph = model.graph(parameters)
    assert [node.size for node in graph.neurons] == [*hidden, 10] and graph.inputs == ("input",)
    assert graph.node("input").size == n_inputs and all(edge.pairs is None for edge in graph.edges)
    assert TrainingOptions.of(model.PARAMETERS["training"]).silent_tolerated <= 1
    data = model.data(parameters)
    assert {part: len(samples) for part, samples in data.items()} == {"train": 20, "validation": 10_000, "test": 10}
    for samples in data.values():
        spikes = np.isfinite(samples.times)
        assert samples.times.shape[1] == n_inputs and 0.1 < spikes.mean() < 0.9
        seen, labels = samples.drawn(slice(0, 20), np.random.default_rng(0))
        assert seen.shape == samples.times[:20].shape and np.array_equal(labels, samples.labels[:20])
        assert np.array_equal(seen, samples.times[:20]) != (samples is data["train"])  # these alone are distorted
        assert samples.times[spikes].min() >= parameters["t_early"] and samples.times[spikes].max() <= parameters["t_late"]


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    write_files(tmp_path)
    monkeypatch.setenv("TTFS_PYNN_DATA", str(tmp_path))
    return model_files.load("fashion_mnist")


@pytest.mark.parametrize("channels", [1, 2])
def test_fashion_mnist_in_one_or_two_channels(fashion, channels):
    """Training images are distorted, and encoded as all others are: about the mean of the 20 training images."""
    parameters = {**fashion.PARAMETERS["network"], "channels": channels}
    parameters["fitted"] = fashion.fit(parameters)
    images, labels = mnist.read("train")
    np.testing.assert_allclose(parameters["fitted"]["mean"], images[:20].astype(float).mean(axis=0) / 255)
    assert fashion.graph(parameters).node("input").size == 784 * channels
    data = fashion.data(parameters)
    assert {part: len(samples) for part, samples in data.items()} == {"train": 20, "validation": 10_000, "test": 10}
    train = data["train"]
    np.testing.assert_array_equal(train.times, fashion.encode(images[:20], parameters))
    assert train.times.shape == (20, 784 * channels) and 0.1 < np.isfinite(train.times).mean() < 0.9
    if channels == 2:
        brighter = np.isfinite(train.times[:, :784])
        np.testing.assert_array_equal(brighter, images[:20].reshape(20, -1) == 255)
    times, drawn = train.drawn(np.arange(20), np.random.default_rng(0))
    assert (drawn == labels[:20]).all() and times.shape == train.times.shape and np.isfinite(times).mean() > 0.1
    assert 5 <= (times != train.times).any(axis=1).sum() < 20, "a share of them"


def test_fashion_mnist_through_fields_and_layers(fashion):
    """Biases belong to the first layer, whichever that is."""
    parameters = {**fashion.PARAMETERS["network"], "hidden": [20, 12], "fields": {"size": 5, "stride": 4, "neurons": 2}}
    graph = fashion.graph(parameters)
    assert [graph.node(f"layer{k}").size for k in range(4)] == [2 * 6 * 6, 20, 12, 10]
    assert graph.edge("input>layer0").n_connections == 72 * 2 * 25 and graph.edge("layer0>layer1").pairs is None
    assert [node.label for node in graph.sources] == ["input", "bias0"]
    plain = fashion.graph({**parameters, "fields": {}})
    assert [plain.node(f"layer{k}").size for k in range(3)] == [20, 12, 10] and plain.edge("bias0>layer0").sizes == (3, 20)


def test_fashion_mnist_has_no_three_channels(fashion):
    with pytest.raises(ConfigurationError, match="channels = 3: give 1 or 2"):
        fashion.data({**fashion.PARAMETERS["network"], "channels": 3})


def test_mnist_through_local_fields():
    """Eight neurons at each place see the 5 x 5 pixels there, and nothing else."""
    model = model_files.load("mnist_local")
    graph = model.graph(model.PARAMETERS["network"])
    (edge,) = graph.afferents("layer0")
    assert edge.sizes == (784, 8 * 12 * 12) and edge.n_connections == 8 * 144 * 25
    rows, columns = np.divmod(edge.pairs[:, 0], 28)
    for field in (0, 13, 143, 144 + 13):
        mine = edge.pairs[:, 1] == field
        top, left = 2 * ((field % 144) // 12), 2 * (field % 12)
        assert sorted(zip(rows[mine], columns[mine], strict=True)) == [(top + y, left + x) for y in range(5) for x in range(5)]
    w = initial_parameters(graph, np.random.default_rng(0))["input>layer0.weight"]
    assert w.shape == (8 * 144 * 25,) and (w > 0).mean() > 0.5


def test_digits_are_learned_on_arrays():
    pytest.importorskip("sklearn", reason="scikit-learn is the extra 'digits'")
    model = model_files.load("digits")
    parameters, training = model.PARAMETERS["network"], {**model.PARAMETERS["training"], "epochs": 12}
    graph, data = model.graph(parameters), model.data(parameters)
    network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(0), data["train"].times))
    history = Trainer(network, data["train"], TrainingOptions(**training), data["validation"]).run()
    assert history[-1]["validation_accuracy"] > 0.8
