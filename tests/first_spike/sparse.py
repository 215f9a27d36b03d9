"""Sparsely connected neurons to test with, and the same computed neuron by neuron, as layers of one."""

import numpy as np

from ttfs_pynn.first_spike import Rows, first_spike_derivatives, first_spike_times
from ttfs_pynn.neuron import LIFParameters

KINDS = ["none", "by column", "by synapse"]  # of delays


def sparse(seed, n_columns=20, n_neurons=15, n_samples=30, spikes=None, delays="none", each=8, ties=False):
    """(t_in, w, rows, rng): neurons of 0 to 2 each - 1 synapses, some twice from the same column."""
    rng = np.random.default_rng(seed)
    start = np.concatenate([[0], np.cumsum(rng.integers(0, 2 * each, n_neurons))])
    column = rng.integers(0, n_columns, start[-1])
    delay = {"none": np.empty(0), "by column": rng.uniform(0, 5, n_columns)[column],
             "by synapse": rng.uniform(0, 5, column.size)}[delays]
    shape = (n_samples, n_columns) if spikes is None else (n_samples, n_columns, spikes)
    t_in = rng.uniform(-3, 30, shape)
    if ties:
        t_in, delay = np.round(t_in / 3) * 3, np.round(delay)
    t_in[rng.random(shape) < (0.4 if spikes is None else 0.8)] = np.inf
    t_in[0] = np.inf
    return t_in, rng.normal(1.5, 2.5, column.size), Rows(start, column, delay), rng


def parameters(kind, n, rng):
    """LIFParameters: equal constants of all neurons, unequal ones, no leak, or constants that differ among neurons."""
    ratio = {"equal": 1.0, "nearly equal": 1.0 + 1e-9, "unequal": 2.0, "short": 0.4, "no leak": np.inf, "mixed": 1.0}[kind]
    neuron = dict(tau_m=10.0 * ratio, cm=rng.uniform(0.7, 1.3, n), v_thresh=rng.uniform(-52, -48, n))
    if kind == "mixed":
        neuron |= dict(tau_m=rng.uniform(5, 30, n), tau_syn=rng.uniform(5, 15, n))
    return LIFParameters(**neuron)


PARAMETERS = ["equal", "nearly equal", "unequal", "short", "no leak", "mixed"]


def heard(n, t_in, w, rows):
    """(arrivals (samples, m), w (m, 1), synapse (m,), place in t_in[sample].ravel() (m,)) of neuron n."""
    t_in = t_in[:, :, None] if t_in.ndim == 2 else t_in
    most = t_in.shape[2]
    synapse = np.repeat(np.arange(rows.start[n], rows.start[n + 1]), most)
    place = rows.column[synapse] * most + np.tile(np.arange(most), rows.start[n + 1] - rows.start[n])
    delay = rows.delay[synapse] if rows.delay.size else 0.0
    return t_in.reshape(len(t_in), -1)[:, place] + delay, w[synapse][:, None], synapse, place


def alone_times(t_in, w, rows, neuron):
    return np.concatenate([first_spike_times(*heard(n, t_in, w, rows)[:2], neuron.one(n)) for n in range(rows.start.size - 1)],
                          axis=1)


def alone_product(t_in, w, rows, t_out, error, neuron, max_dw=np.inf):
    """(dw, dt_in, dd, dropped) from the Jacobians of single neurons."""
    dw, dd, dt_in, dropped = np.zeros(w.size), np.zeros(w.size), np.zeros(t_in.shape), 0
    for n in range(rows.start.size - 1):
        arrivals, weights, synapse, place = heard(n, t_in, w, rows)
        by_w, by_t = first_spike_derivatives(arrivals, weights, t_out[:, n:n + 1], neuron.one(n))
        for sample in range(len(t_in)):
            each_w, each_t = np.zeros(w.size), np.zeros(w.size)
            np.add.at(each_w, synapse, error[sample, n] * by_w[sample, :, 0])
            np.add.at(each_t, synapse, error[sample, n] * by_t[sample, :, 0])
            np.add.at(dt_in[sample].reshape(-1), place, error[sample, n] * by_t[sample, :, 0])
            if np.abs(each_w).max(initial=0.0) > max_dw:
                dropped += 1
            else:
                dw += each_w
                dd += each_t
    return dw, dt_in, dd if rows.delay.size else np.empty(0), dropped
