"""How features become spike times."""

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.errors import EncodingError

__all__ = ["spike_times"]


def spike_times(features: ArrayLike, t_early: float, t_late: float) -> np.ndarray:
    """t = t_early + feature (t_late - t_early): one spike a feature, 0 at t_early (ms) and 1 at t_late (ms).

    `features` in [0, 1], any shape; the result has that shape. EncodingError for features outside [0, 1]
    or not a number, and unless 0 <= t_early < t_late, both finite. Göltz, Kriener et al. 2021 encode
    Yin-Yang so, from 0.15 to 2 tau_syn.
    """
    features = np.asarray(features, dtype=float)
    if not (np.isfinite(t_late) and 0 <= t_early < t_late):
        raise EncodingError(f"t_early = {t_early} ms and t_late = {t_late} ms: "
                            "need 0 <= t_early < t_late, both finite")
    outside = ~((features >= 0) & (features <= 1))  # also true for NaN
    if outside.any():
        raise EncodingError(f"{int(outside.sum())} of {features.size} features lie outside [0, 1] "
                            f"(the first is {features[outside][0]}); scale them to [0, 1]")
    # Written so that both ends are met exactly, and no rounding leaves the interval.
    return np.clip((1 - features) * t_early + features * t_late, t_early, t_late)
