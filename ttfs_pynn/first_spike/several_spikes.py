"""Sources that spike several times a sample, as columns of one spike each.

t_in (samples, inputs, spikes), inf where there is none, becomes (samples, columns): a column for every spike of an input that any
sample has, in the order of inputs. A column has the weights of its input, so what was derived by columns is summed by input.
"""

import numpy as np
from numba import njit

__all__ = ["columns_of_inputs", "largest_by_input", "sum_by_input", "times_of_columns"]


def columns_of_inputs(t_in: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(input, spike), each (columns,), of t_in (samples, inputs, spikes)."""
    inputs, spike = np.nonzero(~(t_in == np.inf).all(axis=0))
    return inputs, spike


def times_of_columns(dt_in: np.ndarray, columns: tuple[np.ndarray, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """From (samples, columns, ...) back to (samples, inputs, spikes, ...), 0 where there is no column."""
    out = np.zeros((*shape, *dt_in.shape[2:]))
    out[:, *columns] = dt_in
    return out


def sum_by_input(values: np.ndarray, inputs: np.ndarray, n_inputs: int, axis: int = 0) -> np.ndarray:
    """Sums over the columns of each input, along an axis; inputs: that of each column."""
    shape = list(values.shape)
    shape[axis] = n_inputs
    out = np.zeros(shape)
    if inputs.size:
        first = np.flatnonzero(np.diff(inputs, prepend=-1))
        place = (slice(None),) * axis + (inputs[first],)
        out[place] = np.add.reduceat(values, first, axis=axis)
    return out


@njit(cache=True, error_model="numpy")
def largest_by_input(values, inputs):
    """The largest sum of positive values over the columns of one input; where `inputs` is empty, each has one column."""
    total = largest = 0.0
    for k in range(values.shape[0]):
        total = values[k] + (total if inputs.shape[0] and k > 0 and inputs[k] == inputs[k - 1] else 0.0)
        largest = max(largest, total)
    return largest
