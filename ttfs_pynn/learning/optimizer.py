"""Adam on arrays by name."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit

from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.lanes import fma, load_where, ramp, splat, sqrt, store_where

__all__ = ["Adam", "add_to_rows"]

@njit(cache=True, error_model="numpy")
def _adam_step(w, gradient, m, s, scale, beta1, beta2, correction1, correction2, rate, epsilon, new):
    """One pass over flat arrays, which waits for memory and not for arithmetic: m and s are changed, new is filled."""
    zero, root, rate = splat(0.0), 1.0 / math.sqrt(correction2), rate / correction1
    for k in range(0, w.shape[0], lanes.LANES):
        inside = ramp(float(k), zero) < float(w.shape[0])
        g = load_where(gradient, k, inside, zero) * scale
        mean = fma(load_where(m, k, inside, zero), beta1, g * (1.0 - beta1))
        square = fma(load_where(s, k, inside, zero), beta2, g * g * (1.0 - beta2))
        store_where(m, k, mean, inside)
        store_where(s, k, square, inside)
        step = mean * rate / fma(sqrt(square), root, epsilon)
        store_where(new, k, load_where(w, k, inside, zero) - step, inside)


@njit(cache=True, error_model="numpy")
def add_to_rows(array, change):
    """array (rows, columns) += change (columns,), in place."""
    for column in range(array.shape[1]):
        if change[column] != 0.0:
            for row in range(array.shape[0]):
                array[row, column] += change[column]


@dataclass
class Adam:
    """Kingma and Ba (2015), with bias correction:

        m <- b1 m + (1 - b1) g,   s <- b2 s + (1 - b2) g^2,   w <- w - rate m/(1 - b1^t) / ( sqrt(s/(1 - b2^t)) + epsilon )

    scales: {name: one positive number}, of every array that is stepped; arrays are stepped in units of it, so one learning rate
    fits all. shapes: {name: shape}.
    """

    shapes: Mapping[str, tuple[int, ...]]
    scales: Mapping[str, float]
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        self.t = 0
        self.m = {name: np.zeros(shape) for name, shape in self.shapes.items()}
        self.s = {name: np.zeros(shape) for name, shape in self.shapes.items()}

    def step(self, parameters: Mapping[str, np.ndarray], gradients: Mapping[str, np.ndarray],
             learning_rate: float) -> dict[str, np.ndarray]:
        """New values of the arrays that have gradients; the arguments stay as they are. gradients: dL/dw in 1/(unit of w)."""
        self.t += 1
        new, room = {}, np.empty(sum(self.m[name].size for name in gradients))  # side by side: what belongs together is one array
        for name, gradient in gradients.items():
            w, scale = np.ascontiguousarray(parameters[name], dtype=float), self.scales[name]
            stepped, room = room[:w.size], room[w.size:]
            _adam_step(w.ravel(), np.ascontiguousarray(gradient, dtype=float).ravel(), self.m[name].ravel(), self.s[name].ravel(),
                       scale, self.beta1, self.beta2, 1 - self.beta1 ** self.t, 1 - self.beta2 ** self.t, learning_rate * scale,
                       self.epsilon, stepped)
            new[name] = stepped.reshape(w.shape)
        return new

    def state(self) -> dict[str, np.ndarray]:
        """Everything that `restore` needs, as {name: array}."""
        arrays = {"adam_t": np.array(self.t)}
        for name in self.m:
            arrays[f"adam_m {name}"], arrays[f"adam_s {name}"] = self.m[name].copy(), self.s[name].copy()
        return arrays

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from the arrays of `state`."""
        self.t = int(arrays["adam_t"])
        self.m = {name: np.array(arrays[f"adam_m {name}"], dtype=float, order="C") for name in self.shapes}
        self.s = {name: np.array(arrays[f"adam_s {name}"], dtype=float, order="C") for name in self.shapes}
