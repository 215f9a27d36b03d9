"""Images that are turned, stretched, moved and bent, anew whenever they are shown.

A pixel of the new image at r, counted from the centre, takes the brightness of the old one at

    A r + shift + elastic d(r),     A = rotation (stretch by exp(s_y), exp(s_x)) + shear,

bilinear between pixels, black outside. Every image has its own A, shift and d. d is a 5 x 5 grid of normal displacements,
smoothed by a Gaussian of 0.8 cells, with variance 1 at every point of the grid, and bilinear between them (after Simard,
Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document analysis", ICDAR 2003).
"""

import math
from dataclasses import dataclass, fields
from functools import cache
from numbers import Real

import numpy as np
from numba import njit

from ttfs_pynn.errors import DatasetError

__all__ = ["Distortion"]

_CELLS, _SMOOTH = 5, 0.8  # points of the grid in each direction; of the Gaussian, in cells
_PAD = 2  # black pixels around an image, so that no pixel that is looked up lies outside


@dataclass(frozen=True)
class Distortion:
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
        bends = np.zeros((n if self.elastic else 0, 2, _CELLS, _CELLS), dtype=np.float32)
        if self.elastic:
            _smooth(rng.standard_normal(bends.size, dtype=np.float32), _smoothing(), self.elastic, bends.reshape(-1))
            bends[still] = 0.0
        new = np.empty(images.shape, dtype=images.dtype)
        padded = np.zeros((height + 2 * _PAD, width + 2 * _PAD), dtype=np.float32)
        _sample(images, maps.astype(np.float32), bends, *_cells(height), *_cells(width), padded, np.zeros((2, width), np.float32),
                images.dtype.kind == "f", new)
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
def _cells(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Of n pixels: the point of the grid before each, and how far it is from there to the next."""
    place = np.linspace(0, _CELLS - 1, n)
    before = np.minimum(place.astype(np.uint32), _CELLS - 2)
    return before, (place - before).astype(np.float32)


@njit(cache=True, error_model="numpy")
def _sample(images: np.ndarray, maps: np.ndarray, bends: np.ndarray, cell_y: np.ndarray, part_y: np.ndarray, cell_x: np.ndarray,
            part_x: np.ndarray, padded: np.ndarray, moved: np.ndarray, floats: bool, new: np.ndarray) -> None:
    """Fill `new`. bends: of each image, or none. padded (black at its edges), moved (zeros): scratch. floats: else values are
    rounded."""
    n, height, width = images.shape
    half, pad = np.float32(0.0 if floats else 0.5), np.float32(_PAD)
    middle_y, middle_x = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    low, high_y, high_x = np.float32(_PAD - 1), np.float32(height + _PAD), np.float32(width + _PAD)
    across, one = np.uint32(width + 2 * _PAD), np.uint32(1)  # indices without a sign: none is looked at for being negative
    flat, line = padded.reshape(-1), np.empty(_CELLS, dtype=np.float32)
    for s in range(n):
        for y in range(height):
            for x in range(width):
                padded[y + _PAD, x + _PAD] = images[s, y, x]
        yy, yx, xy, xx = maps[s, 0], maps[s, 1], maps[s, 2], maps[s, 3]
        for y in range(height):
            down, j, f = np.float32(y) - middle_y, cell_y[y], part_y[y]
            begin_y = middle_y + yy * down + maps[s, 4] + pad
            begin_x = middle_x + xy * down + maps[s, 5] + pad
            if bends.shape[0]:
                for axis in range(2):
                    for k in range(_CELLS):
                        line[k] = bends[s, axis, j, k] + f * (bends[s, axis, j + one, k] - bends[s, axis, j, k])
                    for x in range(width):
                        moved[axis, x] = line[cell_x[x]] + part_x[x] * (line[cell_x[x] + one] - line[cell_x[x]])
            for x in range(width):
                right = np.float32(x) - middle_x
                v = min(max(begin_y + yx * right + moved[0, x], low), high_y)
                h = min(max(begin_x + xx * right + moved[1, x], low), high_x)
                row, column = np.int32(v), np.int32(h)
                a, b, at = v - np.float32(row), h - np.float32(column), np.uint32(row * across + column)
                # a and b are 1 - 2^-23 at most, more below 1 than rounding adds: what is found lies between its neighbours.
                upper = flat[at] + b * (flat[at + one] - flat[at])
                lower = flat[at + across] + b * (flat[at + across + one] - flat[at + across])
                new[s, y, x] = upper + a * (lower - upper) + half
