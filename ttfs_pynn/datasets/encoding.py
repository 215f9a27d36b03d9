"""How features become spike times."""

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ttfs_pynn.errors import EncodingError

__all__ = ["spike_times", "two_channels"]


def spike_times(features: ArrayLike, t_early: float, t_late: float) -> np.ndarray:
    """t = t_early + feature (t_late - t_early): one spike a feature, 0 at t_early (ms) and 1 at t_late (ms).

    `features` in [0, 1], any shape; the result has that shape. EncodingError for features outside [0, 1]
    or not a number, and unless 0 <= t_early < t_late, both finite. Göltz, Kriener et al. 2021 encode
    Yin-Yang so, from 0.15 to 2 tau_syn.
    """
    features = np.asarray(features, dtype=float)
    _check_window(t_early, t_late)
    _check_range("features", features)
    # Written so that both ends are met exactly, and no rounding leaves the interval.
    return np.clip((1 - features) * t_early + features * t_late, t_early, t_late)


def two_channels(features: ArrayLike, mean: ArrayLike, t_early: float, t_late: float, span: float = 0.75,
                 cut: float = 0.06) -> np.ndarray:
    """Features about their mean, each in two channels, as spike times in ms (samples, 2 x features):

        value = min( |x - mean| / span, 1 ),     t = t_late - value (t_late - t_early),     silent (inf) for value < cut

    The first half are the features above their mean; where one is not, it is silent there. The second half are those below.
    So a small difference is late or silent, a large one early. On and off cells of the retina answer so to brighter and darker.

    features: (samples, ...) floats in [0, 1], or bytes, of which 255 is 1. mean: the mean of each feature in the training data,
    in [0, 1], of a sample's shape. span: the difference that spikes at t_early, and larger ones. cut: in [0, 1).
    EncodingError for anything else, and unless 0 <= t_early < t_late, both finite.
    """
    features, mean = np.asarray(features), np.asarray(mean, dtype=float)
    _check_window(t_early, t_late)
    if not (0 < span < math.inf and 0 <= cut < 1):
        raise EncodingError(f"span = {span} and cut = {cut}: need a positive span and 0 <= cut < 1")
    if mean.shape != features.shape[1:]:
        raise EncodingError(f"a mean of shape {mean.shape} for features of shape {features.shape}; give the mean over samples")
    _check_range("means", mean)
    white = 255.0 if features.dtype == np.uint8 else 1.0
    if white == 1:
        features = features.astype(float)
        _check_range("features", features)
    n, size = len(features), mean.size
    times = np.empty((n, 2, size))
    _about_the_mean(np.ascontiguousarray(features).reshape(n, size), white, np.ascontiguousarray(mean).reshape(size), float(span),
                    (float(t_early), float(t_late)), float(cut), times)
    return times.reshape(n, 2 * size)


@njit(cache=True, error_model="numpy")
def _about_the_mean(features: np.ndarray, white: float, mean: np.ndarray, span: float, window: tuple[float, float], cut: float,
                    times: np.ndarray) -> None:
    """Fill `times` (samples, 2, features). No branches: the loop takes several features at a time."""
    t_early, t_late = window
    for s in range(features.shape[0]):
        for k in range(features.shape[1]):
            above = features[s, k] / white - mean[k]
            value = min(abs(above) / span, 1.0)
            # Both ends are met exactly, and no rounding leaves the interval.
            t = min(max(value * t_early + (1.0 - value) * t_late, t_early), t_late)
            t = t if value >= cut else math.inf
            times[s, 0, k] = t if above > 0 else math.inf
            times[s, 1, k] = t if above < 0 else math.inf


def _check_window(t_early: float, t_late: float) -> None:
    if not (np.isfinite(t_late) and 0 <= t_early < t_late):
        raise EncodingError(f"t_early = {t_early} ms and t_late = {t_late} ms: "
                            "need 0 <= t_early < t_late, both finite")


def _check_range(name: str, values: np.ndarray) -> None:
    outside = ~((values >= 0) & (values <= 1))  # also true for NaN
    if outside.any():
        raise EncodingError(f"{int(outside.sum())} of {values.size} {name} lie outside [0, 1] "
                            f"(the first is {values[outside][0]}); scale them to [0, 1]")
