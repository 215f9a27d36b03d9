"""First-spike times and derivatives of neurons that each hear inputs of their own, with delays of their own.

    v_n(T) - v_rest = sum_{s : t_c(s) + d_s < T} w_s K(T - t_c(s) - d_s)

over the synapses s of neuron n and the spikes t_c(s) of their columns of t_in. A column may spike several times a sample: every
spike arrives through every synapse that hears the column. T depends on a delay as on the time of a spike.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.first_spike import rows_backward, rows_kernels, rows_layer_kernels
from ttfs_pynn.first_spike.arrivals import check_times
from ttfs_pynn.first_spike.backward import check_outputs
from ttfs_pynn.first_spike.forward import check_weights, neuron_columns, one_kind
from ttfs_pynn.first_spike.rows_kernels import Neurons, Rows
from ttfs_pynn.membrane.ranges import LARGEST

__all__ = ["Checked", "Rows", "checked", "rows_first_spike_times", "rows_vector_jacobian_product"]


def _checked_rows(rows: Rows, n_columns: int, w: ArrayLike) -> tuple[Rows, np.ndarray]:
    """(rows, w) as contiguous arrays, or a ValueError that says what does not fit; n_columns: how many there are to hear."""
    start, column = (_integers(name, getattr(rows, name)) for name in ("start", "column"))
    delay, w = np.ascontiguousarray(rows.delay, dtype=float), np.ascontiguousarray(w, dtype=float)
    if start.ndim != 1 or start.size == 0 or start[0] != 0 or start[-1] != column.size or (np.diff(start) < 0).any():
        raise ValueError(f"rows.start has shape {start.shape} for {column.size} synapses; expected (neurons + 1,) places that "
                         "begin at 0, do not fall, and end with the number of synapses")
    if column.ndim != 1 or w.shape != column.shape or (delay.size and delay.shape != column.shape):
        raise ValueError(f"rows.column has shape {column.shape}, w {w.shape} and rows.delay {delay.shape}; expected (synapses,) "
                         "each; rows.delay may be empty")
    if column.size and not 0 <= column.min() <= column.max() < n_columns:
        wrong = column[(column < 0) | (column >= n_columns)][0]
        raise ValueError(f"rows.column holds {wrong}; there are columns 0 to {n_columns - 1}")
    if not ((delay >= 0) & (delay <= LARGEST)).all():
        raise ValueError(f"delays must be finite and not negative; give them in ms, of at most {LARGEST:g}")
    check_weights(w)
    return Rows(start, column, delay.ravel()), w


def _integers(name, values):
    values = np.asarray(values)
    if values.size and values.dtype.kind not in "iu":
        raise ValueError(f"rows.{name} holds {values.dtype}; give integers")
    return np.ascontiguousarray(values, dtype=np.int64)


def _neurons(rows: Rows, w: np.ndarray, most: int, neuron) -> Neurons:
    """Checked parameters of the neurons; no source spikes more than `most` times a sample."""
    tau_m, tau_syn, cm, thr = neuron_columns(neuron, rows.start.size - 1)
    return Neurons(tau_m, tau_syn, cm, thr, rows_kernels.rounding_doubt(rows, w, most, tau_m, tau_syn, cm, thr))


class Checked(NamedTuple):
    """t_in (samples, columns, spikes), w (synapses,), rows and parameters of the neurons: arrays that fit."""

    t_in: np.ndarray
    w: np.ndarray
    rows: Rows
    neurons: Neurons

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, neurons)."""
        return len(self.t_in), self.neurons.cm.size


def checked(t_in: ArrayLike, w: ArrayLike, rows: Rows, neuron, recurrent: bool = False) -> Checked:
    """What was given; recurrent: rows hear the neurons as well, as columns behind the others.

    Raises ValueError for what does not fit, NaN, or weights that are not finite.
    """
    times = np.ascontiguousarray(t_in, dtype=float)
    if times.ndim not in (2, 3):
        raise ValueError(f"t_in has shape {times.shape}; expected (samples, columns) or (samples, columns, spikes)")
    check_times(times)
    rows, weights = _checked_rows(rows, times.shape[1] + recurrent * max(np.size(rows.start) - 1, 0), w)
    times = times[:, :, None] if times.ndim == 2 else times
    return Checked(times, weights, rows, _neurons(rows, weights, times.shape[2], neuron))


def _fast(neurons):
    """Whether the sums of `rows_layer_kernels` hold for these neurons."""
    return bool(neurons.tau_m.size and one_kind(neurons.tau_m, neurons.tau_syn)
                and rows_layer_kernels.has_digits(neurons.tau_m[0], neurons.tau_syn[0]))


def rows_first_spike_times(t_in: ArrayLike, w: ArrayLike, rows: Rows, neuron) -> np.ndarray:
    """As `first_spike_times`, (samples, neurons) in ms, of neurons that hear the columns of t_in through the synapses `rows`.

    t_in (samples, columns) ms, or (samples, columns, spikes), inf where there is none; w (synapses,) nA; neuron: LIFParameters,
    of numbers or of one value a neuron. The same guarantees, delays included. Raises ValueError for what does not fit.
    """
    given = checked(t_in, w, rows, neuron)
    if _fast(given.neurons):
        columns, delay, one_delay = rows_layer_kernels.by_column(given.rows, given.w, given.t_in.shape[1])
        if one_delay:
            arrivals = given.t_in + delay[:, None] if given.rows.delay.size else given.t_in
            return rows_layer_kernels.first_spike_times(arrivals, columns, given.rows, given.w, given.neurons)
    return rows_kernels.first_spike_times(given.t_in, given.rows, given.w, given.neurons)


def rows_vector_jacobian_product(t_in: ArrayLike, w: ArrayLike, rows: Rows, t_out: ArrayLike, error: ArrayLike, neuron,
                                 max_dw: ArrayLike = np.inf) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """(dL/dw (synapses,), dL/dt_in of the shape of t_in, dL/dd of the shape of rows.delay, number dropped).

    error = dL/dT at the recorded times t_out, both (samples, neurons); max_dw (1/nA, a number or one a neuron) as in
    `vector_jacobian_product`: what it drops changes no delay either. dL/dw and dL/dd are summed over samples, and over the spikes
    of a column.
    """
    given = checked(t_in, w, rows, neuron)
    t_out, error = check_outputs("t_out", t_out, *given.shape), check_outputs("error", error, *given.shape)
    limit = np.array(np.broadcast_to(np.asarray(max_dw, dtype=float), given.shape[1:]))
    dw, dd, dt_in, dropped = rows_backward.backward(given.t_in, given.rows, given.w, given.neurons, limit, t_out, error,
                                                    _in_range(given))
    return dw, dt_in.reshape(np.shape(t_in)), dd, dropped


def _in_range(given):
    """Whether all neurons share time constants, of which few pass from the first to the last arrival."""
    tau_m, tau_syn = given.neurons.tau_m, given.neurons.tau_syn
    if not tau_m.size or not one_kind(tau_m, tau_syn):
        return False
    first, last = rows_kernels.first_and_last(given.t_in.ravel())
    return rows_backward.applies(first, last + given.rows.delay.max(initial=0.0), tau_m[0], tau_syn[0])
