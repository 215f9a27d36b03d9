import gzip
import struct

import numpy as np
import pytest

from ttfs_pynn.datasets import mnist
from ttfs_pynn.errors import DatasetError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def write(place, n=3, compressed=False, name="train"):
    place.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (n, 28, 28)), rng.integers(0, 10, n)
    for file, array in zip(mnist._FILES[name], (images, labels), strict=True):
        content = idx(array)
        (place / (f"{file}.gz" if compressed else file)).write_bytes(gzip.compress(content) if compressed else content)
    return images, labels


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("subfolder", ["", "mnist"])
def test_files_in_a_folder_or_its_subfolder(tmp_path, monkeypatch, compressed, subfolder):
    images, labels = write(tmp_path / subfolder, compressed=compressed)
    monkeypatch.setenv("TTFS_PYNN_DATA", str(tmp_path))
    for path in (None, tmp_path):
        found = mnist.read("train", path)
        np.testing.assert_array_equal(found[0], images)
        np.testing.assert_array_equal(found[1], labels)


def test_nothing_named_or_nothing_there(tmp_path, monkeypatch):
    monkeypatch.delenv("TTFS_PYNN_DATA", raising=False)
    with pytest.raises(DatasetError, match="set TTFS_PYNN_DATA"):
        mnist.read("train")
    with pytest.raises(DatasetError, match="give the folder"):
        mnist.read("train", tmp_path)
    write(tmp_path)
    with pytest.raises(DatasetError, match="t10k-images-idx3-ubyte.* missing"):
        mnist.read("test", tmp_path)
    with pytest.raises(DatasetError, match="more than the 10,000"):
        mnist.parts(tmp_path)


@pytest.mark.parametrize("change, text", [
    (lambda c: c[:-1], "cut off"),
    (lambda c: c + b"x", "cut off or damaged"),
    (lambda c: c[:9], "header"),
    (lambda c: b"", "begins with"),
    (lambda c: b"\0\0\x0d\3" + c[4:], "begins with the bytes 00 00 0d 03"),
    (lambda c: gzip.compress(c)[:-20], "get it again"),
    (lambda c: c[:4] + struct.pack(">I", 2**32 - 1) + c[8:], "are the most that is read"),
    (lambda c: c[:4] + struct.pack(">III", 2**32 - 1, 0, 2**32 - 1), "are the most that is read"),
    (lambda c: gzip.compress(c + bytes(2**20)), "holds more than 2352 bytes"),
])
def test_damaged_files(tmp_path, change, text):
    write(tmp_path)
    file = tmp_path / IMAGES
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(DatasetError, match=text):
        mnist.read("train", tmp_path)


def test_files_that_do_not_fit(tmp_path):
    write(tmp_path)
    (tmp_path / LABELS).write_bytes(idx(np.zeros(4)))
    with pytest.raises(DatasetError, match="do not belong together"):
        mnist.read("train", tmp_path)
    (tmp_path / LABELS).write_bytes(idx(np.full(3, 10)))
    with pytest.raises(DatasetError, match="labels up to 10"):
        mnist.read("train", tmp_path)
    (tmp_path / IMAGES).write_bytes(idx(np.zeros((3, 16, 16))))
    with pytest.raises(DatasetError, match="16 x 16"):
        mnist.read("train", tmp_path)


def test_small_images():
    image = np.zeros((2, 28, 28), dtype=np.uint8)
    image[0, :2], image[1] = 255, 200  # a border that is cut off; an even image
    small = mnist.small(image)
    assert small.shape == (2, 16, 16) and small.dtype == np.uint8
    assert (small[0] == 0).all() and (small[1] == 200).all()
    image[0] = 0
    image[0, 2 + 12, 2 + 12] = 90
    small = mnist.small(image)[0].astype(int)
    np.testing.assert_array_equal(small, small.T)
    assert 30 < small.sum() < 50 and small.argmax() in (8 * 16 + 8,)  # 90 / 1.5^2 = 40, spread


def test_bright_is_early_and_black_silent():
    images = np.array([[[0, 255], [128, 1]]], dtype=np.uint8)
    t = mnist.spike_times(images, 1.5, 20.0)[0]
    assert t[0] == np.inf and t[1] == 1.5 and 1.5 < t[2] < t[3] < 20.0
    assert mnist.spike_times(images, 1.5, 20.0, black_spikes=True)[0, 0] == 20.0
    with pytest.raises(DatasetError, match="bytes"):
        mnist.spike_times(images / 255.0, 1.5, 20.0)
