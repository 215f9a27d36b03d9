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

from ttfs_pynn.membrane.interval import responses

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


@njit(cache=True, error_model="numpy")
def fill_steps(times, order, n, rate_m, rate_s, steps):
    """Fill steps[:n] for the times of the sorted inputs `order`."""
    for k in range(n):
        steps[k, TIME] = times[order[k]]
        span = times[order[k + 1]] - times[order[k]] if k + 1 < n else math.inf
        steps[k, SPAN] = span
        if span == 0.0 or span == math.inf:
            steps[k, DECAY_M], steps[k, DECAY_S], steps[k, RESPONSE] = 1.0, 1.0, 0.0
        else:
            steps[k, DECAY_M], steps[k, DECAY_S], steps[k, RESPONSE] = responses(span, rate_m, rate_s)
    for after in range(n):
        k = n - 1 - after
        if after == 0 or (k + 1) % BLOCK == 0:
            steps[k, TO_V], steps[k, TO_J] = steps[k, RESPONSE], steps[k, DECAY_S]
            rest_m = steps[k, DECAY_M]
        else:
            steps[k, TO_V] = steps[k, RESPONSE] * rest_m + steps[k, DECAY_S] * steps[k + 1, TO_V]
            steps[k, TO_J] = steps[k, DECAY_S] * steps[k + 1, TO_J]
            rest_m *= steps[k, DECAY_M]


@njit(cache=True, error_model="numpy")
def sort_and_step(t_in, rate_m, rate_s, order, steps, counts):
    """For t_in (samples, inputs): order (samples, inputs), steps (samples, inputs, N_STEPS), counts (samples,)."""
    n_inputs = t_in.shape[1]
    bucket, sorted_times = np.empty(2 * n_inputs + 2, dtype=np.int64), np.empty(n_inputs)
    for sample in range(t_in.shape[0]):
        counts[sample] = sort_row(t_in[sample], order[sample], bucket, sorted_times)
        fill_steps(t_in[sample], order[sample], counts[sample], rate_m, rate_s, steps[sample])
