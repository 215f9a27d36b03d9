"""Early and few: what a network answers if its readout is stopped at time t, and how many spikes it has spent until then.

The label neuron that spikes first decides, so an answer is known at its first label spike and never changes after it. Göltz,
Kriener et al. 2021 call the time of that spike the time-to-solution.
"""

import numpy as np

from ttfs_pynn.learning.loss import predict

__all__ = ["CLOSE", "accuracy_at", "margins", "spikes_until", "time_to_accuracy"]

CLOSE = 0.1  # ms: the time step that simulators with one have by default, on which spikes nearer than it may change their order


def _right_latencies(label_times, labels):
    """Sorted times of the first label spikes that are right."""
    label_times, labels = np.asarray(label_times, dtype=float), np.asarray(labels)
    if label_times.ndim != 2 or labels.shape != label_times.shape[:1] or not labels.size:
        raise ValueError(f"label times of shape {label_times.shape} and labels of shape {labels.shape}; expected (samples, "
                         "classes) and (samples,), at least one sample")
    if np.isnan(label_times).any():
        raise ValueError("label times hold NaN; a neuron that does not spike has inf")
    return np.sort(label_times.min(axis=1)[predict(label_times) == labels])


def accuracy_at(label_times, labels, t):
    """The share of samples whose first label spike has come by time t and is the right one:

        A(t) = 1/N #{ samples : min_n t_n <= t and argmin_n t_n = label }

    label_times (samples, classes), inf where silent; labels (samples,); t of any shape, in the unit of label_times. A sample
    without a spike by t counts as wrong, so A rises from 0 to the accuracy of the whole window, which is A(inf). The result has
    the shape of t. ValueError for arrays that do not fit or hold NaN.
    """
    t = np.asarray(t, dtype=float)
    if np.isnan(t).any():
        raise ValueError("a time t is NaN; give when the readout stops, inf for the end of the window")
    return np.searchsorted(_right_latencies(label_times, labels), t, side="right") / len(labels)


def time_to_accuracy(label_times, labels, accuracy):
    """The smallest t >= 0 with accuracy_at(..., t) >= accuracy, inf where it is never reached. Shape of `accuracy`."""
    accuracy = np.asarray(accuracy, dtype=float)
    if not ((accuracy >= 0) & (accuracy <= 1)).all():
        raise ValueError(f"accuracy = {accuracy} must be from 0 to 1, a share of samples")
    right = _right_latencies(label_times, labels)
    # The k-th right answer takes the accuracy to k / N; an accuracy of 0 needs none.
    times = np.concatenate([[0.0], right, [np.inf]])
    return times[np.searchsorted(np.arange(len(right) + 1) / len(labels), accuracy)]


def spikes_until(layers, until=np.inf):
    """How many neurons have spiked by a time, layer by layer: (samples, layers), integers. First spikes are counted.

    layers: first-spike times (samples, neurons) of each layer, inf where silent. until: (samples,) or one time for all; inf, as
    of a sample without a decision, counts the whole window.
    """
    until = np.broadcast_to(np.asarray(until, dtype=float), len(layers[0]))[:, None]
    return np.stack([((t <= until) & np.isfinite(t)).sum(axis=1) for t in layers], axis=1).astype(np.int32)


def margins(label_times):
    """How much later the second label neuron spikes than the first (samples,), inf where no more than one does. Where it is less
    than a simulator's time step, that simulator may decide otherwise. label_times (samples, classes)."""
    label_times = np.asarray(label_times, dtype=float)
    if label_times.ndim != 2:
        raise ValueError(f"label times of shape {label_times.shape}; expected (samples, classes)")
    if label_times.shape[1] < 2:
        return np.full(len(label_times), np.inf)
    first, second = np.partition(label_times, 1, axis=1)[:, :2].T
    return np.where(np.isfinite(second), second - np.where(np.isfinite(first), first, 0.0), np.inf)
