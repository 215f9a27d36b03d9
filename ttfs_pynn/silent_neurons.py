"""What to do about neurons that do not spike, and so have no gradient."""

from dataclasses import dataclass

import numpy as np

__all__ = ["WeightBumping"]


@dataclass
class WeightBumping:
    """Raise all afferent weights of neurons that are silent in more than a tolerated share of a batch.

    tolerated: that share, one number a layer (1 or more: never bump). bump: the amount, in units of the layer's scale; it
    doubles from batch to batch while the same layer stays above its tolerance. With instead_of_step a batch that trips the
    rule gets the bump of the foremost failing layer and no gradient step, as the paper's authors did (Göltz, Kriener et al.
    2021); without, every failing layer is bumped on top of the step.
    """

    tolerated: list
    scales: list
    bump: float = 0.0005
    instead_of_step: bool = False

    def __post_init__(self):
        self.lasting = np.zeros(len(self.tolerated), dtype=np.int64)

    def apply(self, weights, layer_times):
        """(weights with the bumps added, True if the gradient step is to be left out). layer_times: first spikes by layer."""
        new, failing = list(weights), []
        for k, times in enumerate(layer_times):
            silent = np.isinf(times).mean(axis=0) > self.tolerated[k]
            if not silent.any():
                self.lasting[k] = 0
            elif not (self.instead_of_step and failing):
                failing.append(k)
                new[k] = weights[k] + silent * (self.bump * self.scales[k] * 2.0 ** min(self.lasting[k], 30))
                self.lasting[k] += 1
        return new, bool(failing) and self.instead_of_step

    def state(self):
        """Everything that `restore` needs, as {name: array}."""
        return {"bump_lasting": self.lasting.copy()}

    def restore(self, arrays):
        """Continue from the arrays of `state`."""
        self.lasting = arrays["bump_lasting"].copy()
