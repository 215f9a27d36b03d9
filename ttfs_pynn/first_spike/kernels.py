"""Compiled loops over (sample, neuron), threaded over samples: first-spike times, and the vector-Jacobian product.

The readable versions are `closed_form` and `solver`; the tests hold the two against each other.
"""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.first_spike import double_double as dd
from ttfs_pynn.first_spike.membrane import extremum, phi, potential, threshold_root

# Blocks of samples whose weight gradients are summed separately and then in order: the result does not depend on the
# number of threads.
N_BLOCKS = 8


@njit(cache=True, error_model="numpy")
def _exact_margin(times, order, n_inputs, w, n, t, after, tau_m, tau_syn, cm, thr):
    """The sign of v(t + after) - v_thresh in twice the digits, for the first n_inputs of the sorted inputs; 0 is a touch."""
    total = dd.multiply((-cm, 0.0), (thr, 0.0))
    size = cm * thr
    for k in range(n_inputs):
        weight = w[order[k], n]
        if weight != 0.0:
            s = dd.add(dd.two_sum(t, -times[order[k]]), (after, 0.0))
            term = dd.multiply((weight, 0.0), dd.phi(s, tau_m, tau_syn))
            total = dd.add(total, term)
            size += abs(term[0])
    if abs(total[0]) <= 1e-29 * size:
        return 0.0
    return total[0]


@njit(cache=True, error_model="numpy")
def _crossing(times, order, n_inputs, w, n, x, j, span, tau_m, tau_syn, cm, thr, doubt):
    """First crossing after the n_inputs-th input (ms after it, at most `span`), or inf.

    x and j carry rounding errors of up to `doubt` in v; a decision that lies within them is taken in twice the digits.
    """
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    t = times[order[n_inputs - 1]]
    if rate_m == 0.0 and span == math.inf:
        margin = x + j * tau_syn - thr
        if abs(margin) <= doubt:
            margin = _exact_limit(order, n_inputs, w, n, tau_syn, cm, thr)
        # the limit itself is reached at infinity, which is no spike
        return max(0.0, -tau_syn * math.log1p(-(thr - x) / (j * tau_syn))) if margin > 0.0 and j > 0.0 else math.inf
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
    if potential(hi, x, j, rate_m, rate_s) <= thr:
        return hi
    return threshold_root(x, j, 0.0, thr, rate_m, rate_s, rate_s, 0.0, hi)


@njit(cache=True, error_model="numpy")
def _exact_limit(order, n_inputs, w, n, tau_syn, cm, thr):
    """v at infinity without leak: tau_syn sum_i w_i - cm thr, in twice the digits."""
    total = dd.multiply((-cm, 0.0), (thr, 0.0))
    for k in range(n_inputs):
        total = dd.add(total, dd.multiply((w[order[k], n], 0.0), (tau_syn, 0.0)))
    return total[0]


@njit(cache=True, parallel=True, error_model="numpy")
def first_spike_times(t_in, w, tau_m, tau_syn, cm, thr, one_kind, out):
    """t_in (samples, inputs), w (inputs, neurons), parameters (neurons,); fills out (samples, neurons).

    The inputs of a sample are sorted once; all neurons step from input to input, and leave at their first crossing. A neuron is
    looked at closely only where an upper bound of its membrane reaches threshold. `one_kind`: all neurons share tau_m and
    tau_syn, so exponentials are computed once an input.
    """
    n_samples, n_all = t_in.shape
    n_neurons = w.shape[1]
    # Rounding of x after k inputs is below 4 (k + 4) eps times the largest value that it could have had.
    doubt = np.empty(n_neurons)
    for n in range(n_neurons):
        total = 0.0
        for i in range(n_all):
            total += abs(w[i, n])
        doubt[n] = 1e-15 * (n_all + 4) * (thr[n] + total / cm[n] * min(tau_m[n], tau_syn[n]))
    for sample in prange(n_samples):
        times = t_in[sample]
        order = np.argsort(times)
        n_inputs = n_all
        while n_inputs > 0 and times[order[n_inputs - 1]] == math.inf:
            n_inputs -= 1
        x, j = np.zeros(n_neurons), np.zeros(n_neurons)
        alive = np.arange(n_neurons)
        n_alive = n_neurons
        decay_m = decay_s = response = reach = 0.0
        for n in range(n_neurons):
            out[sample, n] = math.inf
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
                    s = _crossing(times, order, k + 1, w, n, xn, jn, span, tau_m[n], tau_syn[n], cm[n], thr[n], doubt[n])
                    if s < math.inf:
                        out[sample, n] = times[i] + s
                        n_alive -= 1
                        alive[a] = alive[n_alive]
                        continue
                x[n] = xn * decay_m + jn * response
                j[n] = jn * decay_s
                a += 1
            if n_alive == 0:
                break


@njit(cache=True, error_model="numpy")
def _responses(times, w, n, t_out, tau_m, tau_syn, cm, response, slope):
    """Fill K(T - t_i), K'(T - t_i) (0 outside the causal set); return v'(T), or 0 where the ideal neuron would not spike."""
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    v = j = 0.0
    for i in range(times.shape[0]):
        if times[i] < t_out:
            s = t_out - times[i]
            r = phi(s, rate_m, rate_s)
            e = math.exp(-rate_s * s)
            response[i] = r / cm
            slope[i] = (e - rate_m * r) / cm
            v += w[i, n] * r
            j += w[i, n] * e
        else:
            response[i] = slope[i] = 0.0
    return v / cm, j / cm


@njit(cache=True, error_model="numpy")
def slope_at_spike(v, j, tau_m, tau_syn, thr):
    """v'(T) from v(T) and j(T) = I(T)/cm; 0 unless the membrane rises there and, from these inputs alone, reaches threshold.

    From (v, j) the membrane goes through one extremum, of value tau_m j exp(-s/tau_syn), s after T (before where s < 0).
    """
    rate_m, rate_s = 1.0 / tau_m, 1.0 / tau_syn
    rise = j - rate_m * v
    if not (rise > 0.0 and j > 0.0):
        return 0.0
    if rate_m == 0.0:
        peak = v + j * tau_syn
    else:
        top = extremum(v, j, rate_m, rate_s)
        peak = tau_m * j * math.exp(-rate_s * top) if top < math.inf else 0.0
    return rise if peak >= thr * (1.0 - 1e-9) else 0.0


@njit(cache=True, parallel=True, error_model="numpy")
def backward(t_in, w, t_out, error, tau_m, tau_syn, cm, thr, max_dw, dw_blocks, dt_in, n_dropped):
    """Given error = dL/dT (samples, neurons): dw_blocks (N_BLOCKS, inputs, neurons) and dt_in (samples, inputs).

    A sample's contribution to the weights of a neuron is dropped where its largest magnitude exceeds max_dw (neurons,); the
    error passed on to the inputs is not. n_dropped (N_BLOCKS,) counts them.
    """
    n_samples, n_inputs = t_in.shape
    n_neurons = w.shape[1]
    for block in prange(N_BLOCKS):
        response, slope = np.empty(n_inputs), np.empty(n_inputs)
        for sample in range(block * n_samples // N_BLOCKS, (block + 1) * n_samples // N_BLOCKS):
            for n in range(n_neurons):
                if error[sample, n] == 0.0 or t_out[sample, n] == math.inf:
                    continue
                v, j = _responses(t_in[sample], w, n, t_out[sample, n], tau_m[n], tau_syn[n], cm[n], response, slope)
                rise = slope_at_spike(v, j, tau_m[n], tau_syn[n], thr[n])
                if rise == 0.0:
                    continue
                factor = error[sample, n] / rise
                largest = 0.0
                for i in range(n_inputs):
                    largest = max(largest, response[i])
                    dt_in[sample, i] += factor * w[i, n] * slope[i]
                if largest * abs(factor) > max_dw[n]:
                    n_dropped[block] += 1
                    continue
                for i in range(n_inputs):
                    dw_blocks[block, i, n] -= factor * response[i]


@njit(cache=True, parallel=True, error_model="numpy")
def derivatives(t_in, w, t_out, tau_m, tau_syn, cm, thr, dt_dw, dt_dt_in):
    """Both Jacobians, (samples, inputs, neurons) each."""
    n_samples, n_inputs = t_in.shape
    for sample in prange(n_samples):
        response, slope = np.empty(n_inputs), np.empty(n_inputs)
        for n in range(w.shape[1]):
            for i in range(n_inputs):
                dt_dw[sample, i, n] = dt_dt_in[sample, i, n] = 0.0
            if t_out[sample, n] == math.inf:
                continue
            v, j = _responses(t_in[sample], w, n, t_out[sample, n], tau_m[n], tau_syn[n], cm[n], response, slope)
            rise = slope_at_spike(v, j, tau_m[n], tau_syn[n], thr[n])
            if rise > 0.0:
                for i in range(n_inputs):
                    dt_dw[sample, i, n] = -response[i] / rise
                    dt_dt_in[sample, i, n] = w[i, n] * slope[i] / rise
