"""Derivatives of a whole layer of neurons with equal time constants: the fast version of `backward_kernels`.

With a_i = exp(r (t_i - t_0)), which belongs to an input, and E = exp(-r (T - t_0)), which belongs to a spike, exp(-r (T - t_i))
is a_i E: no exponential is left inside the loops over (input, neuron). Derivatives are quotients, so E counts only relative to
that of the slower rate, and does not vanish where T is late. The inputs are sorted, so both loops end at the tile's last spike. A
tile of neurons is computed by one thread, sample after sample: the number of threads changes no bit.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.backward_kernels import LEAST_RISE
from ttfs_pynn.membrane.interval import extremum, phi
from ttfs_pynn.membrane.sorted_inputs import sort_row
from ttfs_pynn.membrane.threads import on_threads

TILE = 192
_SAMPLES = 128  # at a time
_LONGEST = 200.0  # time constants from first to last input; beyond, a_i would leave the range of floats
_NEAREST = 1e-3  # relative difference of unequal constants; below, the difference of two exponentials loses digits


def applies(t_in, tau_m, tau_syn):
    """Whether these inputs and constants keep all digits here; `backward_kernels` takes any."""
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    if rate_m != rate_s and abs(rate_m - rate_s) < _NEAREST * rate_s:
        return False
    finite = np.isfinite(t_in)
    if not finite.any():
        return True
    return (t_in.max(where=finite, initial=-np.inf) - t_in.min(where=finite, initial=np.inf)) * max(rate_m, rate_s) < _LONGEST


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_equal(v, j, t_out, row, t, a):
    """v += w a max(T - t, 0), j += w a where t < T: equal time constants."""
    for n in range(v.shape[0]):
        s = t_out[n] - t
        v[n] += row[n] * a * (s if s > 0.0 else 0.0)
    for n in range(v.shape[0]):
        j[n] += row[n] * a if t_out[n] > t else 0.0


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_four_equal(v, j, t_out, w, order, at, times, a, k):
    """`_add_equal` for the inputs k to k + 3: the sums are loaded and stored once."""
    end = at + v.shape[0]
    w0, w1 = w[order[k]][at:end], w[order[k + 1]][at:end]
    w2, w3 = w[order[k + 2]][at:end], w[order[k + 3]][at:end]
    t0, t1, t2, t3 = times[k], times[k + 1], times[k + 2], times[k + 3]
    a0, a1, a2, a3 = a[k], a[k + 1], a[k + 2], a[k + 3]
    for n in range(v.shape[0]):
        t = t_out[n]
        s0, s1, s2, s3 = t - t0, t - t1, t - t2, t - t3
        v[n] += (w0[n] * (a0 * (s0 if s0 > 0.0 else 0.0)) + w1[n] * (a1 * (s1 if s1 > 0.0 else 0.0))) \
            + (w2[n] * (a2 * (s2 if s2 > 0.0 else 0.0)) + w3[n] * (a3 * (s3 if s3 > 0.0 else 0.0)))
    for n in range(v.shape[0]):
        t = t_out[n]
        j[n] += ((w0[n] * a0 if t > t0 else 0.0) + (w1[n] * a1 if t > t1 else 0.0)) \
            + ((w2[n] * a2 if t > t2 else 0.0) + (w3[n] * a3 if t > t3 else 0.0))


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_unequal(v, j, t_out, row, t, a_m, a_s):
    """v += w a_m, j += w a_s where t < T."""
    for n in range(v.shape[0]):
        v[n] += row[n] * a_m if t_out[n] > t else 0.0
    for n in range(v.shape[0]):
        j[n] += row[n] * a_s if t_out[n] > t else 0.0


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _update_equal(dw, factor, t_out, t, a):
    for n in range(dw.shape[0]):
        s = t_out[n] - t
        dw[n] -= factor[n] * a * (s if s > 0.0 else 0.0)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _update_unequal(dw, factor_m, factor_s, t_out, t, a_m, a_s):
    for n in range(dw.shape[0]):
        dw[n] -= factor_m[n] * a_m - factor_s[n] * a_s if t_out[n] > t else 0.0


class Limit(NamedTuple):
    """A contribution to the weights of neuron n is dropped where its largest magnitude exceeds max_dw[n].

    inputs: the input of each column, of which none has more than `most` (`several_spikes`), or empty: each has one.
    """

    max_dw: np.ndarray
    inputs: np.ndarray
    most: int


@njit(cache=True, error_model="numpy")
def _largest_response(times, order, inputs, t_out, rate_m, rate_s):
    """The largest phi(T - t_i) of a column, or sum of them of an input, times exp(r (T - t_0)), r the slower rate."""
    slower, difference = min(rate_m, rate_s), abs(rate_s - rate_m)
    total = np.zeros(inputs[-1] + 1 if inputs.shape[0] else 0)
    largest = 0.0
    for k in range(times.shape[0]):
        if times[k] >= t_out:
            break
        s = t_out - times[k]
        rise = s if difference == 0.0 else -math.expm1(-difference * s) / difference
        response = math.exp(slower * (times[k] - times[0])) * rise
        if inputs.shape[0]:
            total[inputs[order[k]]] += response
            response = total[inputs[order[k]]]
        largest = max(largest, response)
    return largest


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _factors(times, order, at, t_out, error, v, j, rate_m, rate_s, cm, limit, f_s, f_m, update_s, update_m):
    """From the sums in v and j: f_s = dL/dT E_s/(cm v'), f_m the same with E_m, and update_s, update_m the same for the weights,
    0 where a contribution is dropped. Returns how many were. v', E_s and E_m are times exp(r (T - t_0)), r the slower rate."""
    dropped, t0 = 0, times[0]
    top = extremum(0.0, 1.0, rate_m, rate_s)
    peak = phi(top, rate_m, rate_s) if top < math.inf else 1.0 / rate_s
    difference = rate_s - rate_m
    for n in range(v.shape[0]):
        f_s[n] = f_m[n] = update_s[n] = update_m[n] = 0.0
        if error[n] == 0.0 or t_out[n] == -math.inf:
            continue
        since = t_out[n] - t0
        e_s = math.exp(-difference * since) if difference > 0.0 else 1.0
        e_m = math.exp(difference * since) if difference < 0.0 else 1.0
        current = j[n] * e_s / cm[n]
        potential = v[n] * e_s / cm[n] if difference == 0.0 else (v[n] * e_m - j[n] * e_s) / difference / cm[n]
        rise = current - rate_m * potential
        if not rise > LEAST_RISE:
            continue
        factor = error[n] / (rise * cm[n])
        f_s[n], f_m[n] = factor * e_s, factor * e_m
        size = abs(factor) * math.exp(min(rate_m, rate_s) * since)
        max_dw = limit.max_dw[at + n]
        if size * peak * limit.most > max_dw and abs(factor) * _largest_response(times, order, limit.inputs, t_out[n], rate_m,
                                                                                  rate_s) > max_dw:
            dropped += 1
        else:
            update_s[n], update_m[n] = f_s[n], f_m[n]
    return dropped


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _input_error(row, t_out, t, a_m, a_s, f_s, f_m, rate_m, difference):
    """dL/dt_i = sum_n dL/dT w K'(T - t_i) / v'(T) over the neurons of a tile."""
    total = 0.0
    for n in range(row.shape[0]):
        s = t_out[n] - t
        if s > 0.0:
            e = a_s * f_s[n]
            response = s * e if difference == 0.0 else (a_m * f_m[n] - e) / difference
            total += row[n] * (e - rate_m * response)
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _tile_sample(times, order, n_inputs, w, at, t_out, error, tau_m, tau_syn, cm, limit, work, dw, dt_in, with_inputs):
    size = t_out.shape[0]
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    difference = rate_s - rate_m
    last = -math.inf
    for n in range(size):
        last = max(last, t_out[n])
    t0 = times[0]
    v, j, a_m, a_s = work[0, :size], work[1, :size], work[6], work[7]
    f_s, f_m, update_s, update_m = work[2, :size], work[3, :size], work[4, :size], work[5, :size]
    v[:] = 0.0
    j[:] = 0.0
    causal = 0
    while causal < n_inputs and times[causal] < last:
        a_s[causal] = math.exp(rate_s * (times[causal] - t0))
        a_m[causal] = a_s[causal] if difference == 0.0 else math.exp(rate_m * (times[causal] - t0))
        causal += 1
    k = 0
    while k < causal:
        row = w[order[k]][at:at + size]
        if difference != 0.0:
            _add_unequal(v, j, t_out, row, times[k], a_m[k], a_s[k])
        elif k + 4 <= causal:
            _add_four_equal(v, j, t_out, w, order, at, times, a_s, k)
            k += 3
        else:
            _add_equal(v, j, t_out, row, times[k], a_s[k])
        k += 1
    dropped = _factors(times[:causal], order, at, t_out, error, v, j, rate_m, rate_s, cm, limit, f_s, f_m, update_s,
                       update_m) if causal else 0
    if with_inputs:
        for k in range(causal):
            dt_in[order[k]] += _input_error(w[order[k]][at:at + size], t_out, times[k], a_m[k], a_s[k], f_s, f_m, rate_m,
                                            difference)
    if difference != 0.0:
        for n in range(size):
            update_s[n] /= difference
            update_m[n] /= difference
    for k in range(causal):
        if difference == 0.0:
            _update_equal(dw[order[k]][at:at + size], update_s, t_out, times[k], a_s[k])
        else:
            _update_unequal(dw[order[k]][at:at + size], update_m, update_s, t_out, times[k], a_m[k], a_s[k])
    return dropped


@njit(cache=True, error_model="numpy")
def _tile(part, times, order, counts, w, t_out, error, tau_m, tau_syn, cm, limit, dw, dt_in, with_inputs):
    at = part * TILE
    end = min(at + TILE, w.shape[1])
    work = np.empty((8, max(end - at, times.shape[1])))
    spikes = np.empty(end - at)
    dropped = 0
    for sample in range(t_out.shape[0]):
        for n in range(at, end):  # what has no error or no spike has no causal inputs
            active = error[sample, n] != 0.0 and t_out[sample, n] < math.inf
            spikes[n - at] = t_out[sample, n] if active else -math.inf
        dropped += _tile_sample(times[sample], order[sample], counts[sample], w, at, spikes, error[sample, at:end], tau_m,
                                tau_syn, cm[at:end], limit, work, dw, dt_in[sample], with_inputs)
    return dropped


@njit(cache=True, error_model="numpy")
def _serial(times, order, counts, w, t_out, error, tau_m, tau_syn, cm, limit, dw, dt_in, n_dropped, with_inputs):
    for part in range(n_dropped.shape[0]):
        n_dropped[part] += _tile(part, times, order, counts, w, t_out, error, tau_m, tau_syn, cm, limit, dw, dt_in[part],
                                 with_inputs)


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(times, order, counts, w, t_out, error, tau_m, tau_syn, cm, limit, dw, dt_in, n_dropped, with_inputs):
    for part in prange(n_dropped.shape[0]):
        n_dropped[part] += _tile(part, times, order, counts, w, t_out, error, tau_m, tau_syn, cm, limit, dw, dt_in[part],
                                 with_inputs)


@njit(cache=True, error_model="numpy")
def _sort(t_in, order, times, counts):
    bucket = np.empty(2 * t_in.shape[1] + 2, dtype=np.int64)
    for sample in range(t_in.shape[0]):
        n = counts[sample] = sort_row(t_in[sample], order[sample], bucket, times[sample])
        for k in range(n):
            times[sample, k] = t_in[sample, order[sample, k]]


def layer_backward(t_in, w, t_out, error, tau_m, tau_syn, cm, max_dw, dw, dt_in, inputs):
    """Add to dw (inputs, neurons) and to dt_in (samples, inputs; None: not wanted). Returns the number of dropped contributions.

    Arguments as in `backward_kernels.backward`, tau_m and tau_syn numbers; only where `applies`. inputs: see `Limit`.
    """
    n_samples, n_inputs = min(len(t_in), _SAMPLES), t_in.shape[1]
    n_tiles = -(-w.shape[1] // TILE)
    order, times = np.empty((n_samples, n_inputs), dtype=np.int64), np.empty((n_samples, n_inputs))
    counts, n_dropped = np.empty(n_samples, dtype=np.int64), np.zeros(n_tiles, dtype=np.int64)
    limit = Limit(max_dw, inputs, int(np.bincount(inputs).max()) if inputs.size else 1)
    for begin in range(0, len(t_in), _SAMPLES):
        part = slice(begin, begin + _SAMPLES)
        _sort(t_in[part], order, times, counts)
        errors_in = np.zeros((n_tiles, len(t_in[part]), n_inputs if dt_in is not None else 0))
        run = _threaded if on_threads(t_in[part].size * w.shape[1]) else _serial
        run(times, order, counts, w, t_out[part], error[part], tau_m, tau_syn, cm, limit, dw, errors_in, n_dropped,
            dt_in is not None)
        if dt_in is not None:
            dt_in[part] += errors_in.sum(axis=0)
    return int(n_dropped.sum())
