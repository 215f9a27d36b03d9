"""Compiled loops over (sample, neuron), threaded over samples: first-spike times.

The readable versions are `closed_form` and `solver`; the tests hold them against each other.
"""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.membrane import double_double as dd
from ttfs_pynn.membrane.compiling import inner, merged
from ttfs_pynn.membrane.interval import crossing_without_leak, extremum, phi, potential, threshold_root
from ttfs_pynn.membrane.threads import on_threads


@inner
def _exact_margin(times, order, n_inputs, w, n, t, after, tau_m, tau_syn, cm, thr):
    """The sign of v(t + after) - v_thresh in twice the digits, for the first n_inputs of the sorted inputs; 0 is a touch."""
    total = dd.multiply((-cm, 0.0), (thr, 0.0))
    size = cm * thr
    for k in range(n_inputs):
        s = dd.add(dd.two_sum(t, -times[order[k]]), (after, 0.0))
        term = dd.multiply((w[order[k], n], 0.0), dd.phi(s, tau_m, tau_syn))
        total = dd.add(total, term)
        size += abs(term[0])
    if abs(total[0]) <= 1e-29 * size:
        return 0.0
    return total[0]


@njit(cache=True, error_model="numpy")
def crossing(times, order, n_inputs, w, n, x, j, span, tau_m, tau_syn, cm, thr, doubt):
    """First crossing after the n_inputs-th input (ms after it, at most `span`), or inf.

    x and j carry rounding errors of up to `doubt` in v; a decision that lies within them is taken in twice the digits.
    """
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    t = times[order[n_inputs - 1]]
    to_limit = math.inf
    if rate_m == 0.0:
        to_limit = _to_limit(order, n_inputs, w, n, x, j, tau_syn, cm, thr, doubt)
        if span == math.inf or to_limit == math.inf:
            return to_limit
    top = extremum(x, j, rate_m, rate_s)
    if j > 0.0 and top < span:
        margin = potential(top, x, j, rate_m, rate_s) - thr
        if abs(margin) <= doubt:
            margin = _exact_margin(times, order, n_inputs, w, n, t, top, tau_m, tau_syn, cm, thr)
        hi = top
    elif span < math.inf:
        margin = potential(span, x, j, rate_m, rate_s) - thr
        if abs(margin) <= doubt:
            margin = _exact_margin(times, order, n_inputs, w, n, times[order[n_inputs]], 0.0, tau_m, tau_syn, cm, thr)
        hi = span
    else:
        return math.inf
    if margin < 0.0:
        return math.inf
    if x >= thr:
        return 0.0
    if rate_m == 0.0:
        return min(to_limit, span)
    if potential(hi, x, j, rate_m, rate_s) <= thr:
        return hi
    return threshold_root(x, j, 0.0, thr, rate_m, rate_s, rate_s, 0.0, hi)


@merged
def _to_limit(order, n_inputs, w, n, x, j, tau_syn, cm, thr, doubt):
    """First crossing (ms after the last of these inputs) of a neuron without leak that hears no others, or inf.

    v rises towards its limit x + j tau_syn. The limit itself is reached at infinity, which is no spike. Where it lies within
    rounding of threshold, the way that is left above it is known in twice the digits only: T = tau_syn ln(j tau_syn / above).
    """
    above = x + j * tau_syn - thr
    if above < -doubt:
        return math.inf
    if above > doubt:
        return 0.0 if x >= thr else crossing_without_leak(x, j, thr, 1.0 / tau_syn, math.inf)
    above = _exact_limit(order, n_inputs, w, n, tau_syn, cm, thr)
    if not above > 0.0:
        return math.inf
    return max(0.0, tau_syn * math.log(j * tau_syn / above)) if j > 0.0 else 0.0


@merged
def _exact_limit(order, n_inputs, w, n, tau_syn, cm, thr):
    """v at infinity without leak, minus threshold: (tau_syn sum_i w_i - cm thr)/cm, in twice the digits."""
    total = dd.multiply((-cm, 0.0), (thr, 0.0))
    for k in range(n_inputs):
        total = dd.add(total, dd.multiply((w[order[k], n], 0.0), (tau_syn, 0.0)))
    return total[0] / cm


@njit(cache=True, error_model="numpy")
def _doubt(w, tau_m, tau_syn, cm, thr):
    """For each neuron a bound of the rounding errors of v: after k inputs 4 (k + 4) eps times the largest v that could be."""
    n_inputs, n_neurons = w.shape
    doubt = np.empty(n_neurons)
    for n in range(n_neurons):
        total = 0.0
        for i in range(n_inputs):
            total += abs(w[i, n])
        doubt[n] = 1e-15 * (n_inputs + 4) * (thr[n] + total / cm[n] * min(tau_m[n], tau_syn[n]))
    return doubt


@njit(cache=True, error_model="numpy")
def _one_sample(times, w, tau_m, tau_syn, cm, thr, one_kind, doubt, out):
    """First-spike times of all neurons for one sample: inputs sorted once, neurons step from input to input and leave at their
    first crossing. A neuron is looked at closely only where an upper bound of its membrane reaches threshold."""
    n_neurons = w.shape[1]
    order = np.argsort(times)
    n_inputs = times.shape[0]
    while n_inputs > 0 and times[order[n_inputs - 1]] == math.inf:
        n_inputs -= 1
    x, j = np.zeros(n_neurons), np.zeros(n_neurons)
    alive = np.arange(n_neurons)
    n_alive = n_neurons
    decay_m = decay_s = response = reach = 0.0
    for n in range(n_neurons):
        out[n] = math.inf
    for k in range(n_inputs):
        i = order[k]
        span = (times[order[k + 1]] if k + 1 < n_inputs else math.inf) - times[i]
        if span == 0.0:
            for a in range(n_alive):
                j[alive[a]] += w[i, alive[a]] / cm[alive[a]]
            continue
        a = 0
        fresh = True
        while a < n_alive:
            n = alive[a]
            if fresh or not one_kind:
                fresh = False
                rate_m, rate_s = 1.0 / tau_m[n], 1.0 / tau_syn[n]
                top = extremum(0.0, 1.0, rate_m, rate_s)
                reach = phi(min(span, top), rate_m, rate_s) if min(span, top) < math.inf else tau_syn[n]
                if span < math.inf:
                    decay_m, decay_s = math.exp(-rate_m * span), math.exp(-rate_s * span)
                    response = phi(span, rate_m, rate_s)
            jn = j[n] + w[i, n] / cm[n]
            xn = x[n]
            if max(xn, 0.0) + max(jn, 0.0) * reach >= thr[n] - doubt[n]:
                s = crossing(times, order, k + 1, w, n, xn, jn, span, tau_m[n], tau_syn[n], cm[n], thr[n], doubt[n])
                if s < math.inf:
                    out[n] = times[i] + s
                    n_alive -= 1
                    alive[a] = alive[n_alive]
                    continue
            x[n] = xn * decay_m + jn * response
            j[n] = jn * decay_s
            a += 1
        if n_alive == 0:
            break


@njit(cache=True, error_model="numpy")
def _times_serial(t_in, w, tau_m, tau_syn, cm, thr, one_kind, out):
    doubt = _doubt(w, tau_m, tau_syn, cm, thr)
    for sample in range(t_in.shape[0]):
        _one_sample(t_in[sample], w, tau_m, tau_syn, cm, thr, one_kind, doubt, out[sample])


@njit(cache=True, parallel=True, error_model="numpy")
def _times_threaded(t_in, w, tau_m, tau_syn, cm, thr, one_kind, out):
    doubt = _doubt(w, tau_m, tau_syn, cm, thr)
    for sample in prange(t_in.shape[0]):
        _one_sample(t_in[sample], w, tau_m, tau_syn, cm, thr, one_kind, doubt, out[sample])


def first_spike_times(t_in, w, tau_m, tau_syn, cm, thr, one_kind, out):
    """t_in (samples, inputs), w (inputs, neurons), parameters (neurons,); fills out (samples, neurons).

    one_kind: all neurons share tau_m and tau_syn, so exponentials are computed once an input.
    """
    run = _times_threaded if on_threads(t_in.size * w.shape[1]) else _times_serial
    run(t_in, w, tau_m, tau_syn, cm, thr, one_kind, out)
