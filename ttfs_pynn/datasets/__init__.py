"""Data sets as arrays, and how features become spike times.

A data set is a `Dataset`: features in [0, 1] and labels. `encoding` makes spike times of the features, `augmentation` other
images of those in a data set.
"""

from ttfs_pynn.datasets.dataset import Dataset
from ttfs_pynn.datasets.encoding import spike_times, two_channels

__all__ = ["Dataset", "spike_times", "two_channels"]
