"""The same network on two simulators: which first spikes match, which are missing or extra, how far apart they are."""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.learning.engine import layer_times

__all__ = ["Agreement", "compare_first_spikes", "explained_by_own_inputs"]


@dataclass(frozen=True)
class Agreement:
    """Of the first spikes of one layer: matched, missing (the reference has them), extra (the reference has not), and the
    differences other - reference (ms) of the matched ones."""

    matched: int
    missing: int
    extra: int
    differences: np.ndarray

    @property
    def max_abs_difference(self):
        """The largest difference of matched spikes (ms), 0 without any."""
        return float(np.abs(self.differences).max()) if self.differences.size else 0.0


def compare_first_spikes(reference, other):
    """Agreement of two arrays (samples, neurons) in ms, inf for silent: a spike matches one of the same sample and neuron."""
    reference, other = np.asarray(reference), np.asarray(other)
    if reference.shape != other.shape:
        raise ValueError(f"first spikes of shape {other.shape} cannot be compared with {reference.shape}")
    both = np.isfinite(reference) & np.isfinite(other)
    return Agreement(int(both.sum()), int((np.isfinite(reference) & ~np.isfinite(other)).sum()),
                     int((~np.isfinite(reference) & np.isfinite(other)).sum()), other[both] - reference[both])


def explained_by_own_inputs(times, weights, neurons, delay=None):
    """Agreement of each layer with the exact neuron model driven by the spikes that the layer's own inputs were recorded with.

    Takes apart what a simulator does wrong in one layer from what it was handed by the layers before. times: FirstSpikes, which
    know how long they travelled and from when on none was read; ValueError where `delay` (ms) is given and says otherwise.
    """
    if delay is not None and delay != times.delay:
        raise ValueError(f"delay = {delay} ms, but these spikes travelled {times.delay} ms; leave it out")
    return [compare_first_spikes(layer_times(times, k, w, neuron), times.layers[k])
            for k, (w, neuron) in enumerate(zip(weights, neurons, strict=True))]
