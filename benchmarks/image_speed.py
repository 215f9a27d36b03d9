"""What do distorting and encoding images add to training?

    NUMBA_NUM_THREADS=1 python -m benchmarks.image_speed [--images 8000] [--repeats 10]

Images of 28 x 28 bytes in batches of 80: affine maps, elastic ones with them, and encodings in one channel and in two. Printed is
CPU time in microseconds an image, the fastest of the repeats, all in turns.
"""

import argparse
import time

import numpy as np

from ttfs_pynn.datasets import mnist, two_channels
from ttfs_pynn.datasets.augmentation import ImageDistortion

BATCH, WINDOW = 80, (1.5, 20.0)  # images; ms
AFFINE = {"rotation": 10.0, "scale": 0.1, "shear": 0.1, "shift": 1.0}


def images_of(n, rng):
    """As many black pixels as MNIST has."""
    return np.where(rng.random((n, 28, 28)) < 0.19, rng.integers(1, 256, (n, 28, 28)), 0).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=8000)
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    images = images_of(arguments.images, rng)
    mean, affine, elastic = images.mean(axis=0) / 255, ImageDistortion(**AFFINE), ImageDistortion(**AFFINE, elastic=0.5)
    jobs = {"affine": lambda batch: affine(batch, rng), "affine and elastic": lambda batch: elastic(batch, rng),
            "encoding, one channel": lambda batch: mnist.spike_times(batch, *WINDOW),
            "encoding, two channels": lambda batch: two_channels(batch, mean, *WINDOW)}
    best = dict.fromkeys(jobs, np.inf)
    for job in jobs.values():
        job(images[:BATCH])  # compiles
    for _ in range(arguments.repeats):
        for name, job in jobs.items():
            begin = time.process_time()
            for at in range(0, len(images), BATCH):
                job(images[at:at + BATCH])
            best[name] = min(best[name], time.process_time() - begin)
    for name, seconds in best.items():
        print(f"{name:<24} {seconds / len(images) * 1e6:6.2f} us an image")


if __name__ == "__main__":
    main()
