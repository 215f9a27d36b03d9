"""First-spike times and derivatives of neurons of which many hear the same inputs, as those of one receptive field do.

Such a population has few connections, but those of a field are a small dense matrix, and the loops of dense layers take many
neurons at a time. So these are several times faster than `rows`, whose mathematics they have.
"""

from collections import defaultdict
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.first_spike import field_kernels as kernels
from ttfs_pynn.first_spike import layer_backward, layer_kernels
from ttfs_pynn.first_spike.arrivals import SAMPLES, Arrivals
from ttfs_pynn.first_spike.backward import check_outputs
from ttfs_pynn.first_spike.forward import are_alike, check_weights, neuron_columns
from ttfs_pynn.first_spike.rows import Rows, rows_first_spike_times, rows_vector_jacobian_product
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["Fields", "fields_first_spike_times", "fields_vector_jacobian_product"]


class Fields(NamedTuple):
    """Rows whose neurons hear the same columns in groups; see `of`.

    synapses (fields, inputs, neurons): places in rows, and neurons (fields, neurons): their numbers; both are one past the last
    where a field has less than the largest one. Column c of t_in is input fan_input[k] of field fan_field[k], for k from
    fan_start[c] to fan_start[c + 1].
    """

    rows: Rows
    synapses: np.ndarray
    neurons: np.ndarray
    fan_start: np.ndarray
    fan_field: np.ndarray
    fan_input: np.ndarray

    @classmethod
    def of(cls, rows: Rows, n_columns: int, neurons_from: float = 1.0) -> Self | None:
        """The fields of rows without delays, or None: where a field has fewer than `neurons_from` neurons on average, or where a
        column is connected to a neuron twice."""
        groups: dict[bytes, list[int]] = defaultdict(list)
        size = rows.start.size - 1
        for n in range(size):
            heard = rows.column[rows.start[n]:rows.start[n + 1]]
            if np.unique(heard).size < heard.size:
                return None
            groups[heard.tobytes()].append(n)
        if size < max(neurons_from, 1.0) * len(groups) or not rows.column.size:
            return None
        members, counts = list(groups.values()), np.diff(rows.start)
        synapses = np.full((len(members), counts.max(), max(map(len, members))), rows.column.size)
        neurons = np.full((len(members), synapses.shape[2]), size)
        for f, mine in enumerate(members):
            neurons[f, :len(mine)] = mine
            synapses[f, :counts[mine[0]], :len(mine)] = np.arange(counts[mine[0]])[:, None] + rows.start[mine]
        field, place = np.nonzero(synapses[:, :, 0] < rows.column.size)
        column = rows.column[synapses[field, place, 0]]
        order = np.argsort(column, kind="stable")
        fan_start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=n_columns))])
        return cls(rows, synapses, neurons, fan_start, field[order], place[order])

    def of_neurons(self, values: np.ndarray, beyond: float) -> np.ndarray:
        """values (..., neurons) as (fields, ..., neurons of a field), `beyond` where there is none."""
        more = np.concatenate([values, np.full((*values.shape[:-1], 1), beyond)], axis=-1)[..., self.neurons]
        return np.ascontiguousarray(np.moveaxis(more, -2, 0))

    def of_synapses(self, values: np.ndarray) -> np.ndarray:
        """values (synapses,) as (fields, inputs, neurons), 0 where there is none."""
        return np.append(values, 0.0)[self.synapses]

    def dealt(self, arrivals: Arrivals, begin: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The sorted inputs of every field, of SAMPLES samples from `begin` on."""
        return kernels.deal(*arrivals.sorted(begin), self.fan_start, self.fan_field, self.fan_input, len(self.neurons))


def _apply(arrivals, fields, neuron):
    """Whether the loops of dense layers do: one spike an input, equal time constants, times that are not too far apart."""
    n = fields.rows.start.size - 1
    if arrivals.given.ndim == 3 or not are_alike(neuron, n):
        return False
    tau_m, tau_syn, _, _ = neuron_columns(neuron, n)
    return layer_backward.applies(arrivals.times, tau_m[0], tau_syn[0])


def fields_first_spike_times(t_in: ArrayLike | Arrivals, w: ArrayLike, fields: Fields, neuron) -> np.ndarray:
    """As `rows_first_spike_times`, (samples, neurons) in ms, of the same arguments but for `fields`. t_in may be Arrivals."""
    arrivals, w = t_in if isinstance(t_in, Arrivals) else Arrivals(t_in), np.ascontiguousarray(w, dtype=float)
    check_weights(w)
    rows, size = fields.rows, fields.rows.start.size - 1
    if not _apply(arrivals, fields, neuron):
        return rows_first_spike_times(arrivals.given, w, rows, neuron)
    tau_m, tau_syn, cm, thr = neuron_columns(neuron, size)
    n_samples, n_fields, each = len(arrivals.given), *fields.neurons.shape
    wide, n_parts = layer_kernels.tiles_of(each)
    found, matrices = np.empty((n_samples, size + 1)), fields.of_synapses(w)
    constants = tau_m[0], tau_syn[0], fields.of_neurons(cm, 1.0), fields.of_neurons(thr, 1.0)
    for begin in range(0, n_samples, SAMPLES):
        out = np.empty((n_fields, min(SAMPLES, n_samples - begin), each))
        run = kernels.first_spike_times_threaded if on_threads(out.shape[1] * w.size) else kernels.first_spike_times
        if run(wide, n_parts, matrices, *constants, *fields.dealt(arrivals, begin), out):
            return rows_first_spike_times(arrivals.given, w, rows, neuron)
        found[begin:begin + SAMPLES, fields.neurons.ravel()] = np.moveaxis(out, 0, 1).reshape(out.shape[1], -1)
    return found[:, :size]


def fields_vector_jacobian_product(t_in: ArrayLike | Arrivals, w: ArrayLike, fields: Fields, t_out: ArrayLike, error: ArrayLike,
                                   neuron, max_dw: ArrayLike = np.inf, with_inputs: bool = True) -> tuple:
    """(dL/dw (synapses,), dL/dt_in or None, number dropped): as `rows_vector_jacobian_product`, of the same arguments but for
    `fields`. t_in may be Arrivals. Without with_inputs dL/dt_in is not computed."""
    arrivals, w = t_in if isinstance(t_in, Arrivals) else Arrivals(t_in), np.ascontiguousarray(w, dtype=float)
    check_weights(w)
    size, n_samples = fields.rows.start.size - 1, len(arrivals.given)
    if not _apply(arrivals, fields, neuron):
        by_weight, by_time, _, n_dropped = rows_vector_jacobian_product(arrivals.given, w, fields.rows, t_out, error, neuron,
                                                                        max_dw)
        return by_weight, by_time if with_inputs else None, n_dropped
    t_out, error = check_outputs("t_out", t_out, n_samples, size), check_outputs("error", error, n_samples, size)
    tau_m, tau_syn, _, _ = neuron_columns(neuron, size)
    matrices, limit = fields.of_synapses(w), fields.of_neurons(np.array(np.broadcast_to(max_dw, size), dtype=float), 1.0)
    width, n_parts = layer_backward.tiles_of(fields.neurons.shape[1])
    dw, dropped = np.zeros_like(matrices), np.zeros((len(matrices), n_parts), dtype=np.int64)
    dt_in = np.empty(arrivals.given.shape) if with_inputs else None
    for begin in range(0, n_samples, SAMPLES):
        part = slice(begin, begin + SAMPLES)
        times, errors = fields.of_neurons(t_out[part], np.inf), fields.of_neurons(error[part], 0.0)
        by_input = np.empty((len(matrices), *((times.shape[1], matrices.shape[1]) if with_inputs else (0, 0))))
        run = kernels.backward_threaded if on_threads(times.shape[1] * w.size) else kernels.backward
        run(width, matrices, 1.0 / tau_m[0], 1.0 / tau_syn[0], *fields.dealt(arrivals, begin), times, errors, limit, begin > 0,
            dw, by_input, dropped)
        if dt_in is not None:
            kernels.enter_errors(by_input, fields.fan_start, fields.fan_field, fields.fan_input, dt_in[part])
    found = np.empty(w.size + 1)
    found[fields.synapses.ravel()] = dw.ravel()
    return found[:-1], dt_in, int(dropped.sum())
