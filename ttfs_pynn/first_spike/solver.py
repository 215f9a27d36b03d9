"""First-spike times of single neurons for any ratio of time constants, written to be read.

`first_spike_times` of this package runs the compiled version of the same; this one is its reference in the tests.
"""

import numpy as np
from scipy.optimize import brentq

__all__ = ["first_spike_time"]


def first_spike_time(t_in, w, neuron):
    """The smallest T with v(T) = v_thresh for one neuron, inf where there is none.

    t_in (inputs,) ms (inf: no spike), w (inputs,) nA, neuron: LIFParameters of floats. Between two inputs v is a sum of two
    exponentials: it has at most one extremum, in closed form, so whether it crosses is read off two values of v, and the
    crossing is bracketed by them. The causal set of a crossing at the very time of an input does not hold that input.
    """
    order = np.argsort(t_in, kind="stable")
    order = order[np.isfinite(t_in[order])]
    t_in, w = t_in[order], w[order]
    for k in range(t_in.size):
        until = t_in[k + 1] if k + 1 < t_in.size else np.inf
        if until == t_in[k]:
            continue

        def margin(s, k=k):
            return np.sum(w[:k + 1] * neuron.kernel(t_in[k] + s - t_in[:k + 1])) - neuron.threshold

        highest = _highest_after(t_in[:k + 1], w[:k + 1], until - t_in[k], neuron)
        if highest is not None and margin(highest) >= 0:
            if margin(0.0) >= 0:
                return t_in[k]
            return t_in[k] + brentq(margin, 0.0, highest, xtol=1e-15 * max(highest, 1.0), rtol=1e-15)
    return np.inf


def _highest_after(t, w, span, neuron):
    """Where in (0, span] after the last of the inputs (t, w) a first crossing must have happened by, None if v only falls."""
    age = t[-1] - t
    j = np.sum(w * np.exp(-age / neuron.tau_syn)) / neuron.cm
    v = np.sum(w * neuron.kernel(age))
    if j <= 0:
        return span if np.isfinite(span) else None
    if np.isinf(neuron.tau_m):
        if v + j * neuron.tau_syn <= neuron.threshold:
            return None  # the limit, which is reached at infinity
        crossing = -neuron.tau_syn * np.log1p(-(neuron.threshold - v) / (j * neuron.tau_syn))
        return min(2 * max(crossing, 0.0) + neuron.tau_syn, span)
    y = (1 - v / (j * neuron.tau_m)) * neuron.tau_syn
    difference = 1 / neuron.tau_syn - 1 / neuron.tau_m
    if y <= 0 or difference * y >= 1:
        return span if np.isfinite(span) else None
    top = y if difference == 0 else -np.log1p(-difference * y) / difference
    return min(top, span)
