"""How much faster are neurons that hear a part of their inputs?

    NUMBA_NUM_THREADS=1 python -m benchmarks.sparse_rows [--samples 80] [--repeat 20]

First-spike times and derivatives of populations given by rows of synapses, beside those of the layer in which every neuron
hears every input (784-350, as `first_spike_times` and `vector_jacobian_product` compute it); populations of local
fields by fields and by rows. 19 % of the inputs spike once, as in
MNIST. Weights are scaled such that about half of the neurons spike. The best of the repetitions, sparse and dense in turns.
"""

import argparse
import time

import numpy as np

from ttfs_pynn.first_spike import (
    Arrivals,
    Fields,
    Rows,
    fields_first_spike_times,
    fields_vector_jacobian_product,
    first_spike_times,
    recurrent_first_spike_times,
    recurrent_vector_jacobian_product,
    rows_first_spike_times,
    rows_vector_jacobian_product,
    vector_jacobian_product,
)
from ttfs_pynn.neuron import LIFParameters

SIDE = 28


def random_rows(rng, n_neurons, share, delays):
    """Every neuron hears the same number of inputs. delays: "none", "by column" or "by synapse"."""
    each = round(share * SIDE**2)
    column = np.concatenate([rng.choice(SIDE**2, each, replace=False) for _ in range(n_neurons)])
    delay = {"none": np.empty(0), "by column": rng.uniform(0, 3, SIDE**2)[column],
             "by synapse": rng.uniform(0, 3, column.size)}[delays]
    return Rows(np.arange(n_neurons + 1) * each, column, delay)


def local_fields(width, neurons=1, stride=1):
    """Neurons for every place, `stride` pixels apart, of a window of width x width pixels."""
    places = np.arange(0, SIDE - width + 1, stride)
    window = (np.arange(width)[:, None] * SIDE + np.arange(width)).ravel()
    corner = np.repeat((places[:, None] * SIDE + places).ravel(), neurons)
    return Rows(np.arange(corner.size + 1) * width**2, (corner[:, None] + window).ravel(), np.empty(0))


def recurrent(rows, n_columns, delay):
    """rows, and every neuron inhibits all the others."""
    n = rows.start.size - 1
    column = [np.r_[rows.column[rows.start[k]:rows.start[k + 1]], n_columns + np.delete(np.arange(n), k)] for k in range(n)]
    start = np.concatenate([[0], np.cumsum([c.size for c in column])])
    return Rows(start, np.concatenate(column), np.full(start[-1], delay))


def scaled(w, spiking):
    """w times what makes about half of the neurons spike; spiking(w): the share that does."""
    low, high = 0.0, 1e3
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if spiking(w * middle) < 0.5 else (low, middle)
    return w * high


def best(repeat, *functions):
    """The shortest time of each (ms), taken in turns."""
    times = np.full(len(functions), np.inf)
    for _ in range(repeat):
        for k, function in enumerate(functions):
            begin = time.perf_counter()
            function()
            times[k] = min(times[k], time.perf_counter() - begin)
    return 1e3 * times


def compare(rows, neuron, n_samples, repeat, rng, n_dense=350):
    """(share of neurons that spike, ms forwards, backwards, ms of the dense layer forwards, backwards)."""
    t_in = rng.uniform(1.5, 20, (n_samples, SIDE**2))
    t_in[rng.random(t_in.shape) > 0.19] = np.inf

    w, dense = rng.normal(0.1, 1.0, rows.column.size), rng.normal(0.1, 1.0, (SIDE**2, n_dense))
    w = scaled(w, lambda w: np.isfinite(rows_first_spike_times(t_in, w, rows, neuron)).mean())
    dense = scaled(dense, lambda w: np.isfinite(first_spike_times(t_in, w, neuron)).mean())
    t_out, t_dense = rows_first_spike_times(t_in, w, rows, neuron), first_spike_times(t_in, dense, neuron)
    error, dense_error = (rng.normal(size=t.shape) / 100 for t in (t_out, t_dense))
    times = best(repeat, lambda: rows_first_spike_times(t_in, w, rows, neuron),
                 lambda: rows_vector_jacobian_product(t_in, w, rows, t_out, error, neuron, 0.2),
                 lambda: first_spike_times(t_in, dense, neuron),
                 lambda: vector_jacobian_product(t_in, dense, t_dense, dense_error, neuron, 0.2))
    return np.isfinite(t_out).mean(), *times


def compare_fields(rows, neuron, n_samples, repeat, rng):
    """(share of neurons that spike, ms by fields forwards, backwards, ms by rows forwards, backwards)."""
    t_in = rng.uniform(1.5, 20, (n_samples, SIDE**2))
    t_in[rng.random(t_in.shape) > 0.19] = np.inf
    w = rng.normal(0.1, 1.0, rows.column.size)
    w = scaled(w, lambda w: np.isfinite(rows_first_spike_times(t_in, w, rows, neuron)).mean())
    t_out, fields = rows_first_spike_times(t_in, w, rows, neuron), Fields.of(rows, SIDE**2)
    error = rng.normal(size=t_out.shape) / 100
    times = best(repeat, lambda: fields_first_spike_times(Arrivals(t_in), w, fields, neuron),
                 lambda: fields_vector_jacobian_product(Arrivals(t_in), w, fields, t_out, error, neuron, 0.2),
                 lambda: rows_first_spike_times(t_in, w, rows, neuron),
                 lambda: rows_vector_jacobian_product(t_in, w, rows, t_out, error, neuron, 0.2))
    return np.isfinite(t_out).mean(), *times


def with_recurrence(rows, neuron, n_samples, repeat, rng):
    """(share of neurons that spike, ms a sample forwards, backwards)."""
    t_in = rng.uniform(1.5, 20, (n_samples, SIDE**2))
    t_in[rng.random(t_in.shape) > 0.19] = np.inf
    given, w = rows.column < SIDE**2, rng.normal(0.1, 1.0, rows.column.size)
    w = scaled(np.where(given, w, -0.1), lambda w: np.isfinite(recurrent_first_spike_times(t_in, w, rows, neuron)).mean())
    t_out = recurrent_first_spike_times(t_in, w, rows, neuron)
    error = rng.normal(size=t_out.shape)
    times = best(repeat, lambda: recurrent_first_spike_times(t_in, w, rows, neuron),
                 lambda: recurrent_vector_jacobian_product(t_in, w, rows, t_out, error, neuron))
    return np.isfinite(t_out).mean(), *(times / n_samples)


def main(n_samples, repeat):
    rng = np.random.default_rng(1)
    for ratio in (1.0, 2.0):
        neuron = LIFParameters(tau_m=10.0 * ratio)
        print(f"tau_m = {ratio:g} tau_syn, {n_samples} samples")
        for name, rows in (("10 % of 784-350", random_rows(rng, 350, 0.1, "none")),
                           ("  a delay a source", random_rows(rng, 350, 0.1, "by column")),
                           ("  a delay a synapse", random_rows(rng, 350, 0.1, "by synapse")),
                           ("5x5 fields, 784-576", local_fields(5)),
                           ("99 % of 784-350", random_rows(rng, 350, 0.99, "none"))):
            share, forward, backward, dense_forward, dense_backward = compare(rows, neuron, n_samples, repeat, rng)
            print(f"  {name:20} {share:4.0%} spike, {forward:6.2f} + {backward:6.2f} ms; dense {dense_forward:5.2f} + "
                  f"{dense_backward:5.2f} ms: {(forward + backward) / (dense_forward + dense_backward):.2f} of it", flush=True)
        for n in (1, 2, 8, 32):
            rows = local_fields(5, n, 2)
            share, forward, backward, of_rows, rows_back = compare_fields(rows, neuron, n_samples, repeat, rng)
            print(f"  5x5 fields of {n:2} neurons, {share:4.0%} spike: {forward:6.2f} + {backward:6.2f} ms; as rows "
                  f"{of_rows:6.2f} + {rows_back:6.2f} ms: {(forward + backward) / (of_rows + rows_back):.2f} of it", flush=True)
        for n in (30, 100):
            rows = recurrent(random_rows(rng, n, 0.1, "none"), SIDE**2, 1.0)
            share, forward, backward = with_recurrence(rows, neuron, max(1, n_samples // 4), max(1, repeat // 4), rng)
            print(f"  {n} neurons that inhibit each other after 1 ms: {share:4.0%} spike, {forward:.3f} + {backward:.3f} ms a "
                  "sample", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=80)
    parser.add_argument("--repeat", type=int, default=20)
    main(**{"n_samples" if k == "samples" else k: v for k, v in vars(parser.parse_args()).items()})
