"""A layered first-spike network as a NetworkRecord: samples one after the other, whatever copies they were shown to."""

import numpy as np

from ttfs_pynn.comparison.record import PARAMETERS, Connections, NetworkRecord

__all__ = ["layered_record"]


def layered_record(first_spikes, architecture, weights, delay, window, deadline, meta=None, notes=()):
    """NetworkRecord of the spikes of `learning.engine.FirstSpikes`. delay, window, deadline in ms.

    A neuron spikes once a sample and listens again in the next window, as `spikes.windows.Timing` has it.
    """
    labels, arrays, neurons = ["input"], [first_spikes.inputs], [None]
    for k, (bias, layer) in enumerate(zip(first_spikes.biases, first_spikes.layers, strict=True)):
        if bias is not None:
            labels.append(f"bias{k}")
            arrays.append(bias)
            neurons.append(None)
        labels.append(f"layer{k}")
        arrays.append(layer)
        neurons.append(architecture.layers[k].neuron)
    sizes = tuple(a.shape[1] for a in arrays)
    starts = dict(zip(labels, np.concatenate([[0], np.cumsum(sizes)[:-1]]), strict=True))
    samples = len(first_spikes.inputs)
    absolute = np.concatenate(arrays, axis=1) + np.arange(samples)[:, None] * window
    # The sources of another simulator are listed by their cells, in the order of time.
    cells, sample = np.nonzero(np.isfinite(absolute.T))
    delays = [delay if d is None else delay + d for d in map(first_spikes.synaptic_delays, range(len(weights)))]
    parameters, connections = _parameters(neurons, sizes, window - deadline), _connections(architecture, weights, delays, starts)
    return NetworkRecord(tuple(labels), sizes, parameters, connections, cells, absolute.T[cells, sample], samples * window,
                         (window, deadline), tuple(notes), meta or {})


def _parameters(neurons, sizes, refractory):
    columns: dict[str, list[np.ndarray]] = {name: [] for name in PARAMETERS}
    for neuron, size in zip(neurons, sizes, strict=True):
        values = dict.fromkeys(PARAMETERS, np.nan)
        if neuron is not None:
            values = neuron.to_pynn() | {"tau_refrac": refractory, "v": neuron.v_rest}
        for name in PARAMETERS:
            columns[name].append(np.broadcast_to(np.asarray(values[name], dtype=float), (size,)))
    return {name: np.concatenate(column) for name, column in columns.items()}


def _connections(architecture, weights, delays, starts):
    made, before = [], "input"
    for k, matrix in enumerate(weights):
        n_bias = len(architecture.layers[k].bias_times)
        delay = np.broadcast_to(delays[k], matrix.shape)
        first = slice(matrix.shape[0] - n_bias)
        parts = [(before, matrix[first], delay[first])]
        parts += [(f"bias{k}", matrix[-n_bias:], delay[-n_bias:])] if n_bias else []
        for source, w, d in parts:
            for receptor, chosen in (("excitatory", w > 0), ("inhibitory", w < 0)):
                i, j = np.nonzero(chosen)
                made.append(Connections(f"{source}->layer{k} {receptor}", receptor, i + starts[source], j + starts[f"layer{k}"],
                                        w[i, j], d[i, j]))
        before = f"layer{k}"
    return tuple(made)
