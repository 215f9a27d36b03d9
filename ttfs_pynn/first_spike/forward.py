"""First-spike times of a layer from the spike times of its inputs."""

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.first_spike import layer_kernels, unequal_kernels
from ttfs_pynn.first_spike.arrivals import Arrivals
from ttfs_pynn.membrane.ranges import LARGEST, all_below

__all__ = ["are_alike", "check_inputs", "check_weights", "first_spike_times", "neuron_columns", "one_kind"]


def check_inputs(t_in: ArrayLike | Arrivals, w: ArrayLike, neuron) -> tuple[Arrivals, np.ndarray, tuple[np.ndarray, ...]]:
    """Arrivals, weights (columns, neurons) and per-neuron parameters, or a ValueError that says what does not fit.

    Numbers are held to a range in which no product of them overflows (`ranges`). Where t_in is (samples, inputs, spikes), there
    is a column for each spike (`several_spikes`).
    """
    arrivals, w = t_in if isinstance(t_in, Arrivals) else Arrivals(t_in), np.ascontiguousarray(w, dtype=float)
    if w.ndim != 2 or arrivals.given.shape[1] != w.shape[0]:
        raise ValueError(f"t_in has shape {arrivals.given.shape} and w {w.shape}; expected (samples, inputs), or (samples, "
                         "inputs, spikes), and (inputs, neurons)")
    check_weights(w)
    parameters = neuron_columns(neuron, w.shape[1])
    return arrivals, w[arrivals.columns[0]] if arrivals.given.ndim == 3 else w, parameters


def check_weights(w: np.ndarray) -> None:
    """ValueError for weights (nA) that are not finite or too large."""
    if not all_below(w):
        wrong = w[~(np.abs(w) <= LARGEST)]
        raise ValueError(f"w holds {wrong.size} values that are not finite or too large, such as {wrong[0]:g}; give weights in "
                         f"nA of at most {LARGEST:g}")


def neuron_columns(neuron, n: int) -> tuple[np.ndarray, ...]:
    """tau_m, tau_syn, cm, threshold of n neurons, checked. Kept with the neuron, whose values never change: a small layer would
    spend a tenth of its time here."""
    kept = neuron.__dict__.setdefault("_checked_columns", {})
    if n not in kept:
        kept[n] = _checked_columns(neuron, n)
    return kept[n]


def are_alike(neuron, n: int) -> bool:
    """Whether n neurons share both time constants. Kept with the neuron."""
    kept = neuron.__dict__.setdefault("_are_alike", {})
    if n not in kept:
        kept[n] = one_kind(*neuron_columns(neuron, n)[:2])
    return kept[n]


def _checked_columns(neuron, n):
    columns = neuron.columns(n)
    for name, values in zip(("tau_m", "tau_syn", "cm", "v_thresh - v_rest"), columns, strict=True):
        values = values[values < np.inf] if name == "tau_m" else values
        wrong = values[~((values >= 1 / LARGEST) & (values <= LARGEST))]
        if wrong.size:
            raise ValueError(f"{name} = {wrong[0]:g} is out of range; give a value from {1 / LARGEST:g} to {LARGEST:g}")
    return columns


def one_kind(tau_m: np.ndarray, tau_syn: np.ndarray) -> bool:
    """Whether all neurons share both time constants."""
    return bool((tau_m == tau_m[:1]).all() and (tau_syn == tau_syn[:1]).all())


def first_spike_times(t_in: ArrayLike | Arrivals, w: ArrayLike, neuron) -> np.ndarray:
    """The smallest T with v(T) = v_thresh, for every sample and neuron, (samples, neurons) in ms; inf where there is none.

        v(T) - v_rest = sum_{i : t_i < T} w_i K(T - t_i)

    t_in (samples, inputs) ms, inf where an input is silent, or (samples, inputs, spikes), padded with inf, where inputs spike
    several times; w (inputs, neurons) nA; neuron: LIFParameters, of numbers or of one value a neuron. Lossless for any
    tau_m/tau_syn: between two inputs v has at most one extremum, known in closed form, so no crossing is missed and none
    invented; decisions within rounding of the threshold are taken in twice the digits. A threshold that is only touched counts as
    reached; an input at the time of the crossing is not among its causes. Raises ValueError for shapes that do not fit, NaN, or
    weights that are not finite.
    """
    arrivals, w, (tau_m, tau_syn, cm, thr) = check_inputs(t_in, w, neuron)
    out = np.full((arrivals.times.shape[0], w.shape[1]), np.inf)
    if not w.size:
        return out
    if are_alike(neuron, w.shape[1]):
        layer_kernels.layer_first_spike_times(arrivals, w, tau_m[0], tau_syn[0], cm, thr, out)
    else:
        unequal_kernels.unequal_first_spike_times(arrivals, w, tau_m, tau_syn, cm, thr, out)
    return out
