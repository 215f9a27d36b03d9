"""Images that are turned, stretched, moved and bent, anew whenever they are shown.

A pixel of the new image at r, counted from the centre, takes the brightness of the old one at

    A r + shift + elastic d(r),     A = rotation (stretch by exp(s_y), exp(s_x)) + shear,

bilinear between pixels, black outside. Every image has its own A, shift and d. The displacements d are normal on a grid of 5 x 5
points, smoothed by a Gaussian of 0.8 cells. They have variance 1 at every point and are bilinear between points. (After Simard,
Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document analysis", ICDAR 2003.)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from numbers import Real

import numpy as np
from numba import njit

from ttfs_pynn.errors import DatasetError, unknown

__all__ = ["ImageDistortion"]

_CELLS, _SMOOTH = 5, 0.8  # points of the grid in each direction; of the Gaussian, in cells
_PAD = 2  # black pixels around an image, so that no pixel that is looked up lies outside


@dataclass(frozen=True)
class ImageDistortion:
    """How images are distorted; called with images and a generator it returns new ones.

    rotation (degrees), scale (of the logarithm), shear, shift (pixels): the largest, drawn evenly from both sides of 0. elastic
    (pixels): the standard deviation of displacements. share: of the images that are distorted. mirrored: of those that are
    mirrored left to right before. Raises DatasetError for values out of range.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    share: float = 1.0
    mirrored: float = 0.0

    @classmethod
    def of(cls, table: Mapping[str, float]) -> "ImageDistortion":
        """From a dict, as a model or a TOML file has it. DatasetError for a name that is none."""
        if not isinstance(table, Mapping):
            raise DatasetError(f"distortion = {table!r}: give a table of numbers, such as {{rotation = 10.0, shift = 1.0}}")
        known = [entry.name for entry in fields(cls)]
        for name in table:
            if name not in known:
                raise DatasetError(unknown("distortion", name, known))
        return cls(**table)

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, share = getattr(self, entry.name), entry.name in ("share", "mirrored")
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not (number and 0 <= value < math.inf and (value <= 1 or not share)):
                allowed = "share from 0 to 1" if share else "finite number from 0 on"
                raise DatasetError(f"{entry.name} = {value!r}: give a {allowed}")

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New images of the same shape (n, height, width) and type, bytes or floats in [0, 1]; what is given is not changed.
        Brightness is computed in single precision and, of bytes, rounded."""
        images = np.asarray(images)
        _check(images)
        n, height, width = images.shape
        still, drawn = rng.random(n) >= self.share, rng.uniform(-1.0, 1.0, (6, n))
        maps = self._maps(drawn, np.less(rng.random(n), self.mirrored))
        maps[still] = [1, 0, 0, 1, 0, 0]
        bends = np.zeros((n, 2, _CELLS, _CELLS), dtype=np.float32)
        if self.elastic:
            _smooth(rng.standard_normal(bends.size, dtype=np.float32), _smoothing(), self.elastic, bends.reshape(-1))
            bends[still] = 0.0
        new, (cell, part, _), (_, _, shares) = np.empty(images.shape, dtype=images.dtype), _cells(height), _cells(width)
        _sample(images, maps.astype(np.float32), bends, self.elastic > 0, cell, part, shares, images.dtype.kind == "f", new)
        return new

    def _maps(self, drawn: np.ndarray, mirror: np.ndarray) -> np.ndarray:
        """(n, 6): rows and columns of A, then the shift, of numbers from -1 to 1."""
        angle, (tall, wide), shear = np.radians(self.rotation * drawn[0]), np.exp(self.scale * drawn[1:3]), self.shear * drawn[3]
        c, s, side = np.cos(angle), np.sin(angle), np.where(mirror, -1.0, 1.0)
        return np.stack([c * tall, -s * wide, (s * tall + shear) * side, c * wide * side, *(self.shift * drawn[4:])], axis=1)


def _check(images: np.ndarray) -> None:
    if images.ndim != 3:
        raise DatasetError(f"images of shape {images.shape}; give (images, height, width)")
    if images.dtype not in (np.uint8, np.float32, np.float64):
        raise DatasetError(f"images are {images.dtype}; give bytes, 0 black to 255 white, or floats from 0 to 1")
    if images.dtype.kind == "f" and images.size and not (images.min() >= 0 and images.max() <= 1):  # so said of NaN too
        raise DatasetError(f"images of floats from {images.min()} to {images.max()}; give them from 0, black, to 1, white")


@cache
def _smoothing() -> np.ndarray:
    """(cells, cells): what of each point of a line goes to each; numbers of variance 1 have variance 1 afterwards."""
    place = np.arange(_CELLS)
    weights = np.exp(-0.5 * ((place[:, None] - place) / _SMOOTH) ** 2)
    return weights / np.sqrt((weights ** 2).sum(axis=1, keepdims=True))


@njit(cache=True, error_model="numpy")
def _smooth(noise: np.ndarray, weights: np.ndarray, size: float, smoothed: np.ndarray) -> None:
    """Fill `smoothed`, grid after grid: `size` times `noise`, smoothed along columns and then along rows. No product of
    matrices, whose bits may depend on the number of threads."""
    half = np.empty(_CELLS * _CELLS)
    for begin in range(0, noise.shape[0], _CELLS * _CELLS):
        for j in range(_CELLS):
            for k in range(_CELLS):
                total = 0.0
                for i in range(_CELLS):
                    total += weights[j, i] * noise[begin + i * _CELLS + k]
                half[j * _CELLS + k] = size * total
        for j in range(_CELLS):
            for k in range(_CELLS):
                total = 0.0
                for i in range(_CELLS):
                    total += weights[k, i] * half[j * _CELLS + i]
                smoothed[begin + j * _CELLS + k] = total


@cache
def _cells(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of n pixels: the point of the grid before each, how far it is from there to the next, and (cells, n) the share of each."""
    place = np.linspace(0, _CELLS - 1, n)
    before = np.minimum(place.astype(np.uint32), _CELLS - 2)
    part, shares = (place - before).astype(np.float32), np.zeros((_CELLS, n), dtype=np.float32)
    shares[before, np.arange(n)], shares[before + 1, np.arange(n)] = 1 - part, part
    return before, part, shares


@njit(cache=True, error_model="numpy")
def _places(maps: np.ndarray, bends: np.ndarray, bent: bool, axis: int, cell: np.ndarray, part: np.ndarray, shares: np.ndarray,
            place: np.ndarray) -> None:
    """Fill `place` (pixels,): the row (axis 0) or column (axis 1) of the padded old image that each pixel of the new one shows.

    maps, bends: of this image. cell, part: of rows; shares: of columns. Every loop has one result, so that it becomes vectors.
    """
    height, width = cell.shape[0], shares.shape[1]
    size, middle_y, middle_x = width if axis else height, np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    down, right, begin = maps[2 * axis], maps[2 * axis + 1], np.float32((size - 1) / 2 + _PAD) + maps[4 + axis]
    low, high = np.float32(_PAD - 1), np.float32(size + _PAD)
    for y in range(height):
        here, at = begin + down * (np.float32(y) - middle_y), y * width
        for x in range(width):
            place[at + x] = here + right * (np.float32(x) - middle_x)
    if bent:
        line = np.empty(_CELLS, dtype=np.float32)
        s0, s1, s2, s3, s4 = shares[0], shares[1], shares[2], shares[3], shares[4]
        for y in range(height):
            j, at = cell[y], y * width
            for k in range(_CELLS):
                line[k] = bends[axis, j, k] + part[y] * (bends[axis, j + np.uint32(1), k] - bends[axis, j, k])
            d0, d1, d2, d3, d4 = line[0], line[1], line[2], line[3], line[4]
            for x in range(width):
                place[at + x] += (d0 * s0[x] + d1 * s1[x]) + (d2 * s2[x] + d3 * s3[x]) + d4 * s4[x]
    for k in range(height * width):
        place[k] = min(max(place[k], low), high)


@njit(cache=True, error_model="numpy")
def _sample(images: np.ndarray, maps: np.ndarray, bends: np.ndarray, bent: bool, cell: np.ndarray, part: np.ndarray,
            shares: np.ndarray, floats: bool, new: np.ndarray) -> None:
    """Fill `new`. bends: used where `bent`. cell, part, shares: see `_cells`. floats: else values are rounded."""
    n, height, width = images.shape
    pixels, half = height * width, np.float32(0.0 if floats else 0.5)
    across, one = np.uint32(width + 2 * _PAD), np.uint32(1)  # indices without a sign: none is looked at for being negative
    padded = np.zeros((height + 2 * _PAD, width + 2 * _PAD), dtype=np.float32)
    rows, columns, a, b = (np.empty(pixels, dtype=np.float32), np.empty(pixels, dtype=np.float32),
                           np.empty(pixels, dtype=np.float32), np.empty(pixels, dtype=np.float32))
    corner, flat, out = np.empty(pixels, dtype=np.uint32), padded.reshape(-1), new.reshape(-1)
    for s in range(n):
        for y in range(height):
            for x in range(width):
                padded[y + _PAD, x + _PAD] = images[s, y, x]
        _places(maps[s], bends[s], bent, 0, cell, part, shares, rows)
        _places(maps[s], bends[s], bent, 1, cell, part, shares, columns)
        for k in range(pixels):
            a[k] = rows[k] - np.float32(np.int32(rows[k]))
        for k in range(pixels):
            b[k] = columns[k] - np.float32(np.int32(columns[k]))
        for k in range(pixels):
            corner[k] = np.int32(rows[k]) * np.int32(across) + np.int32(columns[k])
        begin = s * pixels
        for k in range(pixels):
            at = corner[k]
            # a and b are 1 - 2^-23 at most, more below 1 than rounding adds: what is found lies between its neighbours.
            upper = flat[at] + b[k] * (flat[at + one] - flat[at])
            lower = flat[at + across] + b[k] * (flat[at + across + one] - flat[at + across])
            out[begin + k] = upper + a[k] * (lower - upper) + half
