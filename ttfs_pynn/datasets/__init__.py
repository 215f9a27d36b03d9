"""Data sets as arrays, and how features become spike times.

A data set is a `Dataset`: features in [0, 1] and labels. `encoding.spike_times` makes spike times of
the features, `presentation` makes spike trains of those.
"""

from ttfs_pynn.datasets.dataset import Dataset
from ttfs_pynn.datasets.encoding import spike_times

__all__ = ["Dataset", "spike_times"]
