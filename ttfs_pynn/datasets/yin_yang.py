"""The Yin-Yang data set: three classes in the plane that no linear classifier separates.

    Kriener, Göltz, Petrovici, "The Yin-Yang dataset", NICE 2022, arXiv:2102.08211

A big circle of radius r_big, centred on (r_big, r_big), holds the figure; its two dots have radius r_small
and lie half-way between centre and rim on the left and on the right. A sample is (x, y, 1 - x, 1 - y);
classes are 0 yin, 1 yang, 2 dot.
"""

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.datasets.dataset import Dataset
from ttfs_pynn.errors import DatasetError

__all__ = ["CLASS_NAMES", "classify", "fresh", "published", "turned", "yin_yang"]

CLASS_NAMES = ("yin", "yang", "dot")
R_SMALL, R_BIG = 0.1, 0.5


def classify(x: ArrayLike, y: ArrayLike, r_small: float = R_SMALL, r_big: float = R_BIG) -> np.ndarray:
    """Class of each point, int64: 0 yin, 1 yang, 2 dot, -1 outside the big circle. x and y broadcast."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    # sqrt of a sum and no hypot: the published arrays were decided with this rounding.
    centre, left, right = (np.sqrt((x - middle) ** 2 + (y - r_big) ** 2)
                           for middle in (r_big, 0.5 * r_big, 1.5 * r_big))
    # Yang is the upper half, less the disc on the right, with the disc on the left. The comparisons with
    # r_small place the points exactly on the rim of a dot as the published procedure does.
    upper = (y > r_big) & (right > 0.5 * r_big)
    yang = upper | ((r_small < left) & (left <= 0.5 * r_big)) | (right <= r_small)
    dot = (left < r_small) | (right < r_small)
    return np.where(centre > r_big, -1, np.where(dot, 2, yang)).astype(np.int64)


def _dataset(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> Dataset:
    return Dataset(np.stack([x, y, 1 - x, 1 - y], axis=1), labels, CLASS_NAMES)


def _check(n: int, r_small: float, r_big: float) -> None:
    if n < 1 or n != int(n):
        raise DatasetError(f"n = {n} samples: need a whole number of at least 1")
    if not 0 < r_small < 0.5 * r_big or not r_big <= 0.5:
        raise DatasetError(f"r_small = {r_small} and r_big = {r_big}: "
                           "need 0 < r_small < r_big / 2 and r_big <= 0.5")


def yin_yang(n: int, seed: int, r_small: float = R_SMALL, r_big: float = R_BIG) -> Dataset:
    """`n` samples by the published procedure: bit for bit the published arrays for their n and seed.

    For each sample the class is drawn first, then points of the square until one is of that class. The
    published arrays were made with the legacy generator `RandomState`, whose stream is frozen. About
    0.1 ms a sample: for many samples see `fresh`.
    """
    _check(n, r_small, r_big)
    random = np.random.RandomState(seed)  # noqa: NPY002
    points, labels = np.empty((n, 2)), np.empty(n, dtype=np.int64)
    for sample in range(n):
        labels[sample] = random.randint(3)
        while True:
            points[sample] = random.rand(2) * 2.0 * r_big
            x, y = points[sample]
            if classify(x, y, r_small, r_big) == labels[sample]:
                break
    return _dataset(points[:, 0], points[:, 1], labels)


def published() -> tuple[Dataset, Dataset, Dataset]:
    """The published (training, validation, test) sets: 5000, 1000 and 1000 samples."""
    return yin_yang(5000, seed=42), yin_yang(1000, seed=41), yin_yang(1000, seed=40)


def fresh(n: int, rng: np.random.Generator, r_small: float = R_SMALL, r_big: float = R_BIG) -> Dataset:
    """`n` new samples of the same distribution from the generator `rng`: 100,000 take a fraction of a second.

    Each class with probability 1/3, then uniform in the region of the class.
    """
    _check(n, r_small, r_big)
    labels = rng.integers(3, size=n)
    points, open_ = np.empty((n, 2)), np.arange(n)
    while open_.size:
        points[open_] = rng.random((open_.size, 2)) * 2 * r_big
        missed = classify(points[open_, 0], points[open_, 1], r_small, r_big) != labels[open_]
        open_ = open_[missed]
    return _dataset(points[:, 0], points[:, 1], labels)


def turned(features: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(features, labels) of which half, by chance, are turned by 180 degrees about the centre: x -> 1 - x, y -> 1 - y. The figure
    comes to lie on itself, yin and yang change places, dots stay dots. So this is no more than more samples of the same kind."""
    turn = rng.random(len(labels)) < 0.5
    new = np.where(turn[:, None], features[:, [2, 3, 0, 1]], features)
    return new, np.where(turn & (labels < 2), 1 - labels, labels)
