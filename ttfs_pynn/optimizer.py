"""Adam on a list of weight matrices, and learning rates that change with the epoch."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Adam", "constant", "cosine", "schedule", "step_decay"]


def constant(learning_rate, epochs):
    return lambda epoch: learning_rate


def cosine(learning_rate, epochs):
    """From learning_rate to 0 over `epochs` (a fraction of an epoch counts)."""
    return lambda epoch: learning_rate * 0.5 * (1 + np.cos(np.pi * min(epoch / epochs, 1.0)))


def step_decay(learning_rate, epochs, factor=0.95, every=20):
    """Multiplied by `factor` every `every` epochs, as in the paper."""
    return lambda epoch: learning_rate * factor ** (int(epoch) // every)


_SCHEDULES = {"constant": constant, "cosine": cosine, "step_decay": step_decay}


def schedule(name, learning_rate, epochs, **options):
    """The schedule of that name, a function of the epoch (a float)."""
    if name not in _SCHEDULES:
        raise ValueError(f"unknown schedule {name!r}; known: {', '.join(_SCHEDULES)}")
    return _SCHEDULES[name](learning_rate, epochs, **options)


@dataclass
class Adam:
    """Kingma and Ba (2015), with bias correction:

        m <- b1 m + (1 - b1) g,   s <- b2 s + (1 - b2) g^2,   w <- w - rate m/(1 - b1^t) / ( sqrt(s/(1 - b2^t)) + epsilon )

    scales: one positive number a matrix; the weights are stepped in units of it, so one learning rate fits all layers.
    """

    shapes: list
    scales: list
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self):
        self.t = 0
        self.m = [np.zeros(shape) for shape in self.shapes]
        self.s = [np.zeros(shape) for shape in self.shapes]

    def step(self, weights, gradients, learning_rate):
        """New weights; the arguments stay as they are. gradients: dL/dw in 1/(unit of the weights)."""
        self.t += 1
        new = []
        for k, (w, gradient, scale) in enumerate(zip(weights, gradients, self.scales, strict=True)):
            g = gradient * scale
            self.m[k] = self.beta1 * self.m[k] + (1 - self.beta1) * g
            self.s[k] = self.beta2 * self.s[k] + (1 - self.beta2) * g ** 2
            mean = self.m[k] / (1 - self.beta1 ** self.t)
            spread = np.sqrt(self.s[k] / (1 - self.beta2 ** self.t))
            new.append(w - learning_rate * scale * mean / (spread + self.epsilon))
        return new

    def state(self):
        """Everything that `restore` needs, as {name: array}."""
        arrays = {"adam_t": np.array(self.t)}
        for k, (m, s) in enumerate(zip(self.m, self.s, strict=True)):
            arrays[f"adam_m{k}"], arrays[f"adam_s{k}"] = m.copy(), s.copy()
        return arrays

    def restore(self, arrays):
        self.t = int(arrays["adam_t"])
        self.m = [arrays[f"adam_m{k}"].copy() for k in range(len(self.shapes))]
        self.s = [arrays[f"adam_s{k}"].copy() for k in range(len(self.shapes))]
