"""Inputs of a sample in order of time, the silent ones dropped, and what all neurons of a layer share of them.

Neurons of equal time constants decay alike between two inputs, so the exponentials belong to the inputs. For the k-th input of a
sample, at t_k, and the block of BLOCK inputs that it stands in, which ends where the next one begins, `steps[k]` holds

    TIME t_k;  SPAN t_(k+1) - t_k;  DECAY_M, DECAY_S, RESPONSE: exp(-r_m s), exp(-r_s s) and phi(s) for s = SPAN;
    TO_V, TO_J: phi(s) and exp(-r_s s) for s from t_k to the end of the block, in which only t_k to the last input counts
    where there is no next one, for the span to infinity is looked at by itself.
"""

import math

import numpy as np
from numba import njit

BLOCK = 4
N_STEPS = 8  # a row is one line of the cache
TIME, SPAN, DECAY_M, DECAY_S, RESPONSE, TO_V, TO_J = range(7)
_FULLEST = 64  # inputs of one bucket that are sorted by insertion


@njit(cache=True, error_model="numpy")
def sort_row(times, order, bucket, sorted_times):
    """Fill order with the indices of the finite times, earliest first, equal ones as they came. Returns their number.

    bucket (2 inputs + 2,) and sorted_times (inputs,) are scratch. Buckets of equal width, then insertion, which is linear where
    times are spread; merge sort where they are not.
    """
    spiking = bucket[times.shape[0] + 1:]
    n = 0
    for i in range(times.shape[0]):  # without a branch, which would be missed for every other pixel of an image
        spiking[n] = i
        n += times[i] < math.inf
    if n == 0:
        return 0
    first, last = math.inf, -math.inf
    for k in range(n):
        t = times[spiking[k]]
        first, last = min(first, t), max(last, t)
    scale = (n - 1) / (last - first) if last > first else 0.0
    if not scale < math.inf:
        scale = 0.0
    bucket[:n + 1] = 0
    for k in range(n):
        bucket[int((times[spiking[k]] - first) * scale) + 1] += 1
    fullest = 0
    for b in range(n):
        fullest = max(fullest, bucket[b + 1])
        bucket[b + 1] += bucket[b]
    for k in range(n):
        t = times[spiking[k]]
        b = int((t - first) * scale)
        order[bucket[b]] = spiking[k]
        sorted_times[bucket[b]] = t
        bucket[b] += 1
    if fullest > _FULLEST:
        by_time = np.argsort(sorted_times[:n], kind="mergesort")
        order[:n] = order[:n][by_time]
        return n
    for k in range(1, n):
        t, i = sorted_times[k], order[k]
        b = k
        while b > 0 and sorted_times[b - 1] > t:
            sorted_times[b], order[b] = sorted_times[b - 1], order[b - 1]
            b -= 1
        sorted_times[b], order[b] = t, i
    return n
