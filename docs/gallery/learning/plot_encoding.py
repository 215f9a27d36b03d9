"""
From features to spike times
============================

A feature becomes the time of one input spike: 0 early, 1 late. A Yin-Yang sample is a point (x, y), shown as four spikes, of
x, y, 1 - x and 1 - y, so that each sample has early spikes.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn.analysis.style import CLASSES
from ttfs_pynn.datasets import spike_times, yin_yang
from ttfs_pynn.models import yin_yang as model

samples = yin_yang.fresh(3000, np.random.default_rng(1))
times = spike_times(samples.features, t_early=1.5, t_late=20.0)  # ms

figure, (plane, spikes) = plt.subplots(1, 2, figsize=(8.5, 3.6))
for label, name in enumerate(samples.class_names):
    of_class = samples.labels == label
    plane.scatter(*samples.features[of_class, :2].T, s=2, color=CLASSES[label])
    k = np.flatnonzero(of_class)[0]  # one sample of each class
    plane.plot(*samples.features[k, :2], "o", markersize=9, markerfacecolor="none", markeredgecolor="black")
    spikes.eventplot(times[k][:, None], lineoffsets=np.arange(4) + 0.25 * (label - 1), linelengths=0.2, colors=CLASSES[label])
    spikes.plot([], [], color=CLASSES[label], label=name)
plane.set(xlabel="x", ylabel="y", aspect="equal", title="the circled samples ...")
spikes.set(xlabel="time (ms)", yticks=range(4), yticklabels=model.INPUT_NAMES, title="... as input spikes", xlim=(0, 21.5))
spikes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
