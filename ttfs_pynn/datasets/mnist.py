"""MNIST and data sets of the same format (Fashion-MNIST): IDX files in a folder, never downloaded.

    LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (format: http://yann.lecun.com/exdb/mnist/)

A file is a magic number (0, 0, 8 for bytes, number of dimensions), each dimension as a big-endian 32-bit integer, then bytes. It
may be compressed by gzip.
"""

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ttfs_pynn.datasets.dataset import Dataset
from ttfs_pynn.errors import DatasetError
from ttfs_pynn.files.sealed import DamagedFile, regular_file

__all__ = ["DIGITS", "FASHION", "folder", "read_idx", "read", "small", "spike_times"]

DIGITS = tuple(str(digit) for digit in range(10))
FASHION = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
VARIABLE = "TTFS_PYNN_DATA"
_LARGEST = 2**28  # bytes of a file, unpacked: 340,000 images; MNIST has 60,000
_FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}


def read_idx(path: str | os.PathLike, n_dimensions: int) -> np.ndarray:
    """The bytes of an IDX file, gzip or not, as an array of n_dimensions. DatasetError where magic number or size are wrong.

    The header says how many bytes there are; no more are unpacked.
    """
    path = Path(path)
    try:
        with regular_file(path, _LARGEST + 1024) as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                return _idx(path, file, n_dimensions)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _idx(path, unpacked, n_dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); it may be cut off or damaged: get it again") from None
    except DamagedFile as error:
        raise DatasetError(str(error)) from None


def _idx(path: Path, file: BinaryIO | gzip.GzipFile, n_dimensions: int) -> np.ndarray:
    length, expected = 4 + 4 * n_dimensions, bytes([0, 0, 8, n_dimensions])
    header = file.read(length)
    if header[:4] != expected:
        raise DatasetError(f"{path}: begins with the bytes {header[:4].hex(' ') or '(none)'}, an IDX file of bytes with "
                           f"{n_dimensions} dimensions with {expected.hex(' ')}; is it another file under this name?")
    if len(header) < length:
        raise DatasetError(f"{path}: {len(header)} bytes, not even the {length} of its header; get it again")
    shape = tuple(int(n) for n in np.frombuffer(header, ">u4", n_dimensions, offset=4))
    text = " x ".join(map(str, shape))
    if math.prod(max(n, 1) for n in shape) > _LARGEST:
        raise DatasetError(f"{path}: its header announces {text} bytes; {_LARGEST} are the most that is read")
    size = math.prod(shape)
    content = file.read(size + 1)
    if len(content) != size:
        found = f"more than {size}" if len(content) > size else str(len(content))
        raise DatasetError(f"{path}: holds {found} bytes of data, its header announces {size} ({text}); it is cut off or "
                           "damaged: get it again")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _find(place: Path, name: str) -> Path | None:
    return next((place / file for file in (name, f"{name}.gz") if (place / file).is_file()), None)


def folder(path: str | os.PathLike | None = None, subfolder: str = "mnist") -> Path:
    """The folder with the files: `path`, else that of the environment variable TTFS_PYNN_DATA, or `subfolder` in either."""
    given = path or os.environ.get(VARIABLE)
    if not given:
        raise DatasetError(f"{subfolder}: no folder is named. Nothing is downloaded: put train-images-idx3-ubyte.gz, "
                           f"train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz into a folder "
                           f"and set {VARIABLE} to it")
    # The subfolder first, so that a folder with several data sets gives the one that was asked for.
    for place in (Path(given) / subfolder, Path(given)):
        if _find(place, _FILES["train"][0]):
            return place
    raise DatasetError(f"no {_FILES['train'][0]}(.gz) in {given} nor in {Path(given) / subfolder}; "
                       f"{'give' if path else f'set {VARIABLE} to'} the folder that holds the four IDX files")


def read(part: str, path: str | os.PathLike | None = None, subfolder: str = "mnist") -> tuple[np.ndarray, np.ndarray]:
    """(images (n, height, width) of bytes, labels (n,)) of the 'train' or the 'test' files."""
    if part not in _FILES:
        raise DatasetError(f"part {part!r} is not known; use {' or '.join(_FILES)}")
    place = folder(path, subfolder)
    found = []
    for name in _FILES[part]:
        file = _find(place, name)
        if file is None:
            raise DatasetError(f"{name}(.gz) is missing in {place}; put it there")
        found.append(file)
    images, labels = read_idx(found[0], 3), read_idx(found[1], 1)
    if len(images) != len(labels):
        raise DatasetError(f"{found[0]} has {len(images)} images, {found[1]} {len(labels)} labels; they do not belong together")
    if images.shape[1:] != (28, 28):
        raise DatasetError(f"{found[0]}: images of {images.shape[1]} x {images.shape[2]} pixels, expected 28 x 28")
    if len(labels) and labels.max() > 9:
        raise DatasetError(f"{found[1]}: labels up to {labels.max()}, expected 0 to 9")
    return images, labels


def small(images: ArrayLike) -> np.ndarray:
    """(n, 28, 28) bytes to (n, 16, 16): the centre of 24 x 24 pixels, resized, as the paper's authors do for their chip.

    Each new pixel is the mean of 1.5 x 1.5 old ones weighted by a triangle of that half width (bilinear with antialiasing, as in
    Pillow and torchvision), rounded to a byte.
    """
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DatasetError(f"images of shape {images.shape}; expected (n, 28, 28)")
    scale = 24 / 16
    centre = (np.arange(16) + 0.5) * scale
    weights = np.clip(1 - np.abs((np.arange(24) + 0.5 - centre[:, None]) / scale), 0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    # Pillow rounds to bytes after each of the two directions, along rows first.
    rows = np.floor(images[:, 2:26, 2:26] @ weights.T + 0.5)
    return np.clip(np.floor(weights @ rows + 0.5), 0, 255).astype(np.uint8)


def dataset(images: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...] = DIGITS) -> Dataset:
    """Features in [0, 1] (n, pixels), row by row."""
    return Dataset(images.reshape(len(images), -1) / 255.0, labels, class_names)


def spike_times(images: ArrayLike, t_early: float, t_late: float, black_spikes: bool = False) -> np.ndarray:
    """(n, pixels) in ms: a white pixel spikes at t_early, the darker the later, up to t_late; a black one does not (inf).

        t = t_early + (1 - brightness/255) (t_late - t_early)

    With black_spikes black pixels spike at t_late, as in the paper's simulations; there, too, most of the image is black.
    """
    from ttfs_pynn.datasets.encoding import spike_times as encode
    dark = 1 - np.arange(256) / 255.0
    table = encode(dark, t_early, t_late)
    if not black_spikes:
        table[0] = np.inf
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise DatasetError(f"images are {images.dtype}; give bytes, 0 black to 255 white")
    pixels = np.ascontiguousarray(images).reshape(len(images), math.prod(images.shape[1:]))
    times = np.empty(pixels.shape)
    _look_up(table, pixels.reshape(-1), times.reshape(-1))
    return times


@njit(cache=True, error_model="numpy")
def _look_up(table: np.ndarray, pixels: np.ndarray, found: np.ndarray) -> None:
    """found = table[pixels], in a tenth of NumPy's time."""
    for k in range(pixels.shape[0]):
        found[k] = table[pixels[k]]


def parts(path: str | os.PathLike | None = None, subfolder: str = "mnist",
          shrink: bool = False) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{'train', 'validation', 'test': (images, labels)}: validation are the last 10,000 of the training file, as for the paper's
    authors. shrink: images of 16 x 16 by `small`."""
    images, labels = read("train", path, subfolder)
    if len(labels) <= 10_000:
        raise DatasetError(f"the training file holds {len(labels)} images; more than the 10,000 that are kept for validation are "
                           "needed")
    found = {"train": (images[:-10_000], labels[:-10_000]), "validation": (images[-10_000:], labels[-10_000:]),
             "test": read("test", path, subfolder)}
    return {name: (small(i) if shrink else i, n) for name, (i, n) in found.items()}
