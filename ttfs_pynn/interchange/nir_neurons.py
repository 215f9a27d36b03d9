"""One population's neurons as NIR nodes and back; the equations are in the package's docstring."""

from typing import Any

import nir
import numpy as np

from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.neuron import LIFParameters

__all__ = ["KEY", "MS", "column", "metadata_of", "neurons_from_nodes", "neurons_to_nodes", "number", "numbers", "same_numbers",
           "weight_scale"]

KEY = "ttfs_pynn"  # of the metadata that are ours
MS = 1e-3  # s


def weight_scale(neuron: LIFParameters, time_step: float) -> Any:
    """What weights in nA are multiplied by to be NIR's, a float or one value a neuron. time_step: ms; 0 for delta functions."""
    return time_step / neuron.cm if time_step else 1.0


def neurons_to_nodes(label: str, neuron: LIFParameters, n: int, time_step: float) -> tuple[Any, Any]:
    """(synapses, neurons): None and a CubaLIF, or LI and IF without leak. InterchangeError for a population of both kinds."""
    tau_m, tau_syn, cm, threshold = neuron.columns(n)
    v_reset = np.array(np.broadcast_to(np.asarray(neuron.v_reset, dtype=float) - neuron.v_rest, (n,)))
    no_leak = np.isinf(tau_m)
    w_in = tau_syn / time_step if time_step else tau_syn * MS
    if no_leak.any() and not no_leak.all():
        raise InterchangeError(f"{int(no_leak.sum())} of {n} neurons of {label!r} have no leak (tau_m = inf), which is another "
                               "node in NIR; give them a finite tau_m")
    if no_leak.all():
        r = np.full(n, 1 / (time_step * MS)) if time_step else 1 / (cm * MS)
        return nir.LI(tau=tau_syn * MS, r=w_in, v_leak=np.zeros(n)), nir.IF(r=r, v_threshold=threshold, v_reset=v_reset)
    return None, nir.CubaLIF(tau_syn=tau_syn * MS, tau_mem=tau_m * MS, r=tau_m / (time_step or cm), v_leak=np.zeros(n),
                             v_threshold=threshold, v_reset=v_reset, w_in=w_in)


def neurons_from_nodes(name: str, synapses: Any, neurons: Any, n: int, time_step: float) -> tuple[LIFParameters, Any]:
    """(neuron, factor) from the nodes of a population of n neurons; `name` is for errors. factor: what NIR's weights are
    multiplied by to be nA."""
    def column_of(node, field):
        return column(name, node, field, n)

    area = time_step * MS if time_step else 1.0  # of a spike, in s
    if synapses is None:
        tau_syn, tau_m = column_of(neurons, "tau_syn") / MS, column_of(neurons, "tau_mem") / MS
        v_leak = column_of(neurons, "v_leak")
        w_in, r = column_of(neurons, "w_in"), column_of(neurons, "r")
        cm = np.divide(tau_m, r, out=np.full(n, np.nan), where=r != 0)
    else:
        tau_syn, w_in, r = column_of(synapses, "tau") / MS, column_of(synapses, "r"), column_of(neurons, "r")
        tau_m, v_leak = np.full(n, np.inf), np.zeros(n)
        cm = np.divide(1 / MS, r, out=np.full(n, np.nan), where=r != 0)
        if column_of(synapses, "v_leak").any():
            raise InterchangeError(f"node {name!r}: the LI before it has a v_leak that is not 0: a constant current, which "
                                   "first-spike learning does not have; set it to 0")
    if not (r > 0).all():
        raise InterchangeError(f"node {name!r}: r = {r[~(r > 0)][0]:g} must be positive; put signs into the weights")
    values = {"tau_m": tau_m, "tau_syn": tau_syn, "cm": cm, "v_rest": v_leak, "v_thresh": column_of(neurons, "v_threshold"),
              "v_reset": column_of(neurons, "v_reset")}
    try:
        neuron = LIFParameters(**{key: value[0] if (value == value[0]).all() else value for key, value in values.items()})
    except ValueError as error:
        raise InterchangeError(f"node {name!r}, in ms, mV and nF: {error}") from None
    return neuron, w_in * area / (tau_syn * MS)


def same_numbers(old: Any, new: Any) -> bool:
    """Whether two nodes of neurons are of one kind and hold the same bits."""
    names = ("tau", "tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in")
    def same(one, other):
        return np.size(one) in (1, np.size(other)) and np.array_equal(np.broadcast_to(one, np.shape(other)), other)

    return type(old) is type(new) and all(same(getattr(old, name), getattr(new, name)) for name in names if hasattr(new, name))


def column(name: str, node: Any, field: str, n: int) -> np.ndarray:
    """What a node holds as one number for each of n neurons."""
    value = numbers(name, getattr(node, field), field)
    if np.ndim(value) > 1 or np.size(value) not in (1, n):
        raise InterchangeError(f"node {name!r}: {field} has shape {np.shape(value)}; expected one value a neuron, of {n}")
    if not np.isfinite(value).all():
        raise InterchangeError(f"node {name!r}: {field} holds values that are not finite; without leak use LI and IF")
    return np.array(np.broadcast_to(value, (n,)))


def numbers(name: str, value: Any, field: str) -> Any:
    """A float array of what a node holds, or a float of what has no shape; InterchangeError where it is not real numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InterchangeError(f"node {name!r}: {field} holds {array.dtype}, not real numbers")
    array = array.astype(float)
    return float(array) if array.ndim == 0 else array


def number(name: str, value: Any, field: str) -> float:
    """A float; InterchangeError where it is an array or not a real number."""
    value = numbers(name, value, field)
    if np.ndim(value):
        raise InterchangeError(f"node {name!r}: {field} has shape {np.shape(value)}; expected a single number")
    return value


def metadata_of(name: str, node: Any) -> dict[str, Any]:
    """What this package wrote into a node's metadata, a dict, empty for graphs from elsewhere."""
    metadata = node.metadata if isinstance(node.metadata, dict) else {}
    stored = metadata.get(KEY, {})
    if not isinstance(stored, dict):
        raise InterchangeError(f"node {name!r}: metadata {KEY!r} must be names and values, not {type(stored).__name__}")
    return stored
