"""
Images as spikes, in one channel and in two, and distorted
==========================================================

A pixel is one number, and there are several ways to make spikes of it. In one channel bright is early and black silent: good for
digits, which stand on black. In two channels a pixel is compared with the mean image of the training data. What is brighter than
usual spikes in one channel, what is darker in the other, the earlier the larger the difference; what is as usual is silent. On
and off cells of the retina share an image in this way. Where images have no background, as those of Fashion-MNIST, it says more.

The digits are scikit-learn's, 8 x 8 pixels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from ttfs_pynn.analysis.style import BLUE, VERMILION
from ttfs_pynn.datasets import mnist, two_channels
from ttfs_pynn.datasets.augmentation import ImageDistortion

images = np.round(load_digits().images * (255 / 16)).astype(np.uint8)  # bytes, (1797, 8, 8)
mean = images[:1197].mean(axis=0) / 255  # of what is for training, in [0, 1]
shown = images[3:4]
one = mnist.spike_times(shown, t_early=1.5, t_late=20.0)[0]
bright, dark = two_channels(shown, mean, t_early=1.5, t_late=20.0, span=0.75, cut=0.06)[0].reshape(2, 64)

figure, axes = plt.subplots(2, 3, figsize=(8.5, 5.2), height_ratios=(1, 1.3))
axes[0, 0].imshow(shown[0], cmap="gray")
axes[0, 1].imshow(mean, cmap="gray", vmin=0, vmax=1)
axes[0, 2].imshow(shown[0] / 255 - mean, cmap="RdBu_r", vmin=-1, vmax=1)
for panel, title in zip(axes[0], ("an image", "the mean image", "brighter (red), darker (blue)"), strict=True):
    panel.set(xticks=[], yticks=[], title=title)
for panel, times, color, title in ((axes[1, 0], one, "black", "one channel"), (axes[1, 1], bright, VERMILION, "brighter pixels"),
                                   (axes[1, 2], dark, BLUE, "darker pixels")):
    panel.plot(times, np.arange(64), "|", color=color, markersize=5)
    panel.set(xlabel="time (ms)", xlim=(0, 21), ylim=(64, -1), title=f"{title}: {np.isfinite(times).sum()} spikes")
axes[1, 0].set_ylabel("pixel")
plt.show()

# %%
# Training is shown other images in each epoch: turned, stretched, sheared, moved (`rotation` in degrees, `shift` in pixels), and
# bent (`elastic`, the standard deviation of displacements in pixels). They are distorted before they are encoded: what lies
# between a pixel that spikes and a silent one has a brightness, but no time.
rng = np.random.default_rng(1)
rows = {"as it is": ImageDistortion(), "affine": ImageDistortion(rotation=15.0, scale=0.15, shear=0.15, shift=0.7),
        "elastic": ImageDistortion(elastic=0.5), 
        "both": ImageDistortion(rotation=15.0, scale=0.15, shear=0.15, shift=0.7, elastic=0.5)}
figure, axes = plt.subplots(4, 10, figsize=(8.5, 3.6))
for (name, distortion), row in zip(rows.items(), axes, strict=True):
    for panel, image in zip(row, distortion(np.repeat(shown, 10, axis=0), rng), strict=True):
        panel.imshow(image, cmap="gray", vmin=0, vmax=255)
        panel.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()

# %%
# `EncodedData` has both: images, how they are encoded, and what is drawn in place of them in each epoch. Evaluation is shown the
# images as they are. One seed draws the same images again, also where a run is resumed. A model keeps the mean image with its
# runs: see `fit` in `ttfs_pynn.models.fashion_mnist`.
from ttfs_pynn.learning.data import EncodedData  # noqa: E402

labels = load_digits().target
train = EncodedData(images[:1197], labels[:1197], lambda shown: two_channels(shown, mean, 1.5, 20.0),
                    lambda shown, labels, rng: (rows["both"](shown, rng), labels))
print(train.times.shape, "spike times of the images as they are")
times, drawn = train.drawn(np.arange(40), np.random.default_rng([1, 0]))  # what the trainer asks for, batch after batch
print(f"of a batch of 40, {np.isfinite(times).mean():.0%} of the inputs spike")
