"""Derivatives of sparsely connected neurons of equal time constants: the fast version of `rows_kernels.backward`.

As in `layer_backward` exp(-r (T - t_i)) is a product of what belongs to an input and what belongs to a spike, so no exponential
is left where they meet. Spikes are taken source by source, each to its targets, twice: to add up v'(T), and to add up gradients.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike.backward_kernels import LEAST_RISE
from ttfs_pynn.first_spike.rows_kernels import N_BLOCKS
from ttfs_pynn.first_spike.rows_layer_kernels import constants
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["backward"]

T, BY_S, BY_M, RISE, ERROR, UPDATE = range(6)  # of a neuron: its spike, factors of the two exponentials, v'(T), dL/dT / v'(T)


class Given(NamedTuple):
    """Of a sample: t_in (sources, spikes), t_out, error (neurons,); for all: cm, max_dw (neurons,)."""

    t_in: np.ndarray
    t_out: np.ndarray
    error: np.ndarray
    cm: np.ndarray
    max_dw: np.ndarray


@njit(cache=True, error_model="numpy")
def _fill_cells(given, t_0, c, cells):
    """Neurons without an error or a spike have no causes: T = -inf. Potentials are times exp(r (T - t_0)), r the slower rate."""
    difference = c.rate_s - c.rate_m
    for n in range(cells.shape[0]):
        t = given.t_out[n]
        active = given.error[n] != 0.0 and t_0 < t < math.inf
        cells[n, RISE] = cells[n, ERROR] = cells[n, UPDATE] = 0.0
        cells[n, BY_S] = cells[n, BY_M] = 1.0
        cells[n, T] = t if active else -math.inf
        if active and difference > 0.0:
            cells[n, BY_S] = math.exp(-difference * (t - t_0))
        elif active and difference < 0.0:
            cells[n, BY_M] = math.exp(difference * (t - t_0))


@njit(cache=True, error_model="numpy", inline="always")
def _response(s, a_s, a_m, cells, n, difference):
    """phi(s) of an input that came s before the spike of neuron n; a_s, a_m its exponentials."""
    return s * a_s if difference == 0.0 else (a_m * cells[n, BY_M] - a_s * cells[n, BY_S]) / difference


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_rise(post, w, t, a_s, a_m, c, cells):
    """v'(T) of the targets `post` of a spike at t."""
    difference = c.rate_s - c.rate_m
    if difference == 0.0:
        for k in range(post.shape[0]):
            n = post[k]
            s = cells[n, T] - t
            cells[n, RISE] += w[k] * (1.0 - c.rate_m * s) * a_s if s > 0.0 else 0.0
        return
    a_s, a_m = a_s * (1.0 + c.rate_m / difference), a_m * (c.rate_m / difference)
    for k in range(post.shape[0]):
        n = post[k]
        cells[n, RISE] += w[k] * (a_s * cells[n, BY_S] - a_m * cells[n, BY_M]) if cells[n, T] > t else 0.0


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_gradients(post, w, t, a_s, a_m, c, cells, dw, dd):
    """Add to dw and, unless it is empty, to dd; return dL/dt."""
    difference, total = c.rate_s - c.rate_m, 0.0
    if difference == 0.0:
        for k in range(post.shape[0]):
            n = post[k]
            s = cells[n, T] - t
            by_time = w[k] * (1.0 - c.rate_m * s) * a_s if s > 0.0 else 0.0
            dw[k] -= cells[n, UPDATE] * a_s * s if s > 0.0 else 0.0
            total += cells[n, ERROR] * by_time
            if dd.shape[0]:
                dd[k] += cells[n, UPDATE] * by_time
        return total
    slope_s, slope_m = a_s * (1.0 + c.rate_m / difference), a_m * (c.rate_m / difference)
    a_s, a_m = a_s / difference, a_m / difference
    for k in range(post.shape[0]):
        n = post[k]
        causal = cells[n, T] > t
        by_s, by_m = cells[n, BY_S], cells[n, BY_M]
        by_time = w[k] * (slope_s * by_s - slope_m * by_m) if causal else 0.0
        dw[k] -= cells[n, UPDATE] * (a_m * by_m - a_s * by_s) if causal else 0.0
        total += cells[n, ERROR] * by_time
        if dd.shape[0]:
            dd[k] += cells[n, UPDATE] * by_time
    return total


@njit(cache=True, error_model="numpy")
def _largest_response(n, given, exps, rows, delay, c, cells):
    """The largest dv/dw of a synapse of neuron n, times cm exp(r (T - t_0))."""
    largest, difference = 0.0, c.rate_s - c.rate_m
    for k in range(rows.start[n], rows.start[n + 1]):
        total, i = 0.0, rows.column[k]
        for at in range(given.t_in.shape[1]):
            s = cells[n, T] - (given.t_in[i, at] + delay[i])
            if s > 0.0:
                total += _response(s, exps[i, at, 0], exps[i, at, 1], cells, n, difference)
        largest = max(largest, total)
    return largest


@njit(cache=True, error_model="numpy")
def _factors(given, t_0, most, exps, rows, delay, c, cells):
    """Fill ERROR, UPDATE, which is 0 where a contribution is dropped. Returns how many were."""
    dropped = 0
    for n in range(cells.shape[0]):
        if not cells[n, T] > -math.inf or not cells[n, RISE] / given.cm[n] > LEAST_RISE:
            continue
        factor = cells[n, ERROR] = given.error[n] / cells[n, RISE]
        size = abs(factor) * math.exp(min(c.rate_m, c.rate_s) * (cells[n, T] - t_0))
        if size * c.peak * most > given.max_dw[n] and abs(factor) * _largest_response(n, given, exps, rows, delay, c,
                                                                                       cells) > given.max_dw[n]:
            dropped += 1
        else:
            cells[n, UPDATE] = factor
    return dropped


@njit(cache=True, error_model="numpy")
def _sample(given, columns, rows, delay, c, most, exps, cells, dw, dd, dt_in):
    n_sources, width = given.t_in.shape
    t_0, last = math.inf, -math.inf
    for i in range(n_sources):
        for at in range(width):
            t_0 = min(t_0, given.t_in[i, at] + delay[i])
    _fill_cells(given, t_0, c, cells)
    for n in range(cells.shape[0]):
        last = max(last, cells[n, T])
    for i in range(n_sources):
        part = slice(columns.start[i], columns.start[i + 1])
        for at in range(width):
            t = given.t_in[i, at] + delay[i]
            if t < last:
                a_s = exps[i, at, 0] = math.exp(c.rate_s * (t - t_0))
                a_m = exps[i, at, 1] = a_s if c.rate_m == c.rate_s else math.exp(c.rate_m * (t - t_0))
                _add_rise(columns.post[part], columns.w[part], t, a_s, a_m, c, cells)
    dropped = _factors(given, t_0, most, exps, rows, delay, c, cells)
    for i in range(n_sources):
        part = slice(columns.start[i], columns.start[i + 1])
        for at in range(width):
            t = given.t_in[i, at] + delay[i]
            if t < last:
                dt_in[i, at] = _add_gradients(columns.post[part], columns.w[part], t, exps[i, at, 0], exps[i, at, 1], c, cells,
                                              dw[part], dd[part] if dd.shape[0] else dd)
    return dropped


@njit(cache=True, error_model="numpy")
def _block(block, t_in, columns, rows, delay, c, cm, max_dw, t_out, error, most, dw, dd, dt_in):
    cells, exps = np.empty((t_out.shape[1], 8)), np.empty((t_in.shape[1], t_in.shape[2], 2))
    n_samples, dropped = t_out.shape[0], 0
    for k in range(block * n_samples // N_BLOCKS, (block + 1) * n_samples // N_BLOCKS):
        dropped += _sample(Given(t_in[k], t_out[k], error[k], cm, max_dw), columns, rows, delay, c, most, exps, cells, dw, dd,
                           dt_in[k])
    return dropped


@njit(cache=True, error_model="numpy")
def _serial(t_in, columns, rows, delay, c, cm, max_dw, t_out, error, most, dw, dd, dt_in, dropped):
    for block in range(N_BLOCKS):
        dropped[block] = _block(block, t_in, columns, rows, delay, c, cm, max_dw, t_out, error, most, dw[block],
                                dd[block], dt_in)


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(t_in, columns, rows, delay, c, cm, max_dw, t_out, error, most, dw, dd, dt_in, dropped):
    for block in prange(N_BLOCKS):
        dropped[block] = _block(block, t_in, columns, rows, delay, c, cm, max_dw, t_out, error, most, dw[block],
                                dd[block], dt_in)


def backward(t_in, columns, rows, delay, neurons, max_dw, t_out, error):
    """(dw, dd (synapses,), dt_in (samples, sources, spikes), number dropped), given error = dL/dT (samples, neurons).

    t_in (samples, sources, spikes); delay (sources,) of all synapses of a source. dd is empty where rows have no delays.
    """
    n = columns.w.size
    dw, dd = np.zeros((N_BLOCKS, n)), np.zeros((N_BLOCKS, n if rows.delay.size else 0))
    dt_in, dropped = np.zeros_like(t_in), np.zeros(N_BLOCKS, dtype=np.int64)
    run = _threaded if on_threads(t_out.shape[0] * n) else _serial
    run(t_in, columns, rows, delay, constants(neurons.tau_m[0], neurons.tau_syn[0]), neurons.cm, max_dw, t_out, error,
        t_in.shape[2], dw, dd, dt_in, dropped)
    return _in_rows(columns, dw), _in_rows(columns, dd) if dd.size else dd[0], dt_in, int(dropped.sum())


def _in_rows(columns, blocks):
    out = np.empty(columns.w.size)
    out[columns.synapse] = blocks.sum(axis=0)
    return out
