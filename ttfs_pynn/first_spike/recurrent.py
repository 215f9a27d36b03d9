"""First-spike times and derivatives of neurons that hear each other: lateral inhibition, winner-take-all, recurrence.

A neuron that spikes once has causes that are all earlier, t_c(s) + d_s < T, so that T is determined spike after spike, and dL/dT
of a neuron is known when all later spikes have passed their errors back: gradients are exact, with no approximation in time.
"""

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.first_spike import recurrent_kernels as kernels
from ttfs_pynn.first_spike.backward import check_outputs
from ttfs_pynn.first_spike.rows import Rows, checked

__all__ = ["recurrent_first_spike_times", "recurrent_vector_jacobian_product"]


def recurrent_first_spike_times(t_in: ArrayLike, w: ArrayLike, rows: Rows, neuron, deadline: float = np.inf) -> np.ndarray:
    """As `rows_first_spike_times`, (samples, neurons) in ms, of neurons that hear each other.

    Column c of `rows` is column c of t_in where there is one (t_in (samples, columns) or (samples, columns, spikes)); column
    t_in.shape[1] + m is neuron m. A spike that arrives at the very time of a crossing is no cause of it, nor is it with a delay
    of 0. A spike after `deadline` (ms) is inf.
    """
    given = checked(t_in, w, rows, neuron, recurrent=True)
    if np.isnan(deadline):
        raise ValueError("deadline is not a number (NaN); give a time in ms, or inf")
    return kernels.first_spike_times(given.t_in, given.rows, given.w, given.neurons, float(deadline))


def recurrent_vector_jacobian_product(t_in: ArrayLike, w: ArrayLike, rows: Rows, t_out: ArrayLike, error: ArrayLike, neuron,
                                      max_dw: ArrayLike = np.inf) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """As `rows_vector_jacobian_product`, of neurons that hear each other, and columns as in `recurrent_first_spike_times`.

    error = dL/dT (samples, neurons) of the loss by itself: what a spike does to later ones is added here.
    """
    given = checked(t_in, w, rows, neuron, recurrent=True)
    t_out, error = check_outputs("t_out", t_out, *given.shape), check_outputs("error", error, *given.shape)
    limit = np.array(np.broadcast_to(np.asarray(max_dw, dtype=float), given.shape[1:]))
    dw, dd, dt_in, dropped = kernels.backward(given.t_in, given.rows, given.w, given.neurons, limit, t_out, error)
    return dw, dt_in.reshape(np.shape(t_in)), dd, dropped
