"""What is trained: weights, delays of synapses and times of bias spikes."""

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["DELAYS", "TrainedTimes", "Weights", "delay_shape"]

DELAYS = ("axonal", "dendritic", "synaptic")


def delay_shape(kind, shape):
    """Shape of the delays of a `kind` for weights of `shape` (inputs, neurons): one an input, one a neuron, or one a synapse."""
    return {"axonal": (shape[0], 1), "dendritic": (1, shape[1]), "synaptic": shape}[kind]


@dataclass(frozen=True, eq=False)
class TrainedTimes:
    """delays: one dict a layer, kind to array as in `delay_shape`, which add up; bias_times: one array a layer. In ms."""

    delays: tuple
    bias_times: tuple

    def matrix(self, k):
        """Delays of layer k, an array that broadcasts to (inputs + biases, neurons); None without."""
        return sum(self.delays[k].values()) if self.delays[k] else None

    @property
    def matrices(self):
        return tuple(self.matrix(k) for k in range(len(self.delays)))

    def arrays(self):
        """{name: array}, as files hold them."""
        named = {f"delay{k}_{kind}": d for k, kinds in enumerate(self.delays) for kind, d in kinds.items()}
        return named | {f"bias_times{k}": t for k, t in enumerate(self.bias_times) if t.size}

    def with_arrays(self, arrays):
        """The same with what `arrays` has under the names of `arrays()`. ValueError for other names and shapes."""
        foreign = sorted(set(arrays) - set(self.arrays()))
        if foreign:
            raise ValueError(f"{', '.join(foreign)}: the network has no such delays or bias times; it has "
                             f"{', '.join(self.arrays()) or 'none'}")

        def chosen(name, own):
            new = np.asarray(arrays.get(name, own), dtype=float)
            if new.shape != own.shape or not np.isfinite(new).all():
                raise ValueError(f"{name} has shape {new.shape}; expected {own.shape} finite values in ms")
            return new
        return replace(self, delays=tuple({kind: chosen(f"delay{k}_{kind}", d) for kind, d in kinds.items()}
                                          for k, kinds in enumerate(self.delays)),
                       bias_times=tuple(chosen(f"bias_times{k}", t) for k, t in enumerate(self.bias_times)))

    def on_grid(self, dt):
        """The same with delays that are multiples of dt (ms), as simulators with a time step hold them."""
        return replace(self, delays=tuple({kind: np.round(d / dt) * dt for kind, d in kinds.items()} for kinds in self.delays))

    def gradient(self, of_delays, of_bias_times):
        """{name: dL/d array} from dL/dd (inputs, neurons) and dL/dt of bias spikes by layer, for those that are trained."""
        found = {}
        for k, kinds in enumerate(self.delays):
            for kind, d in kinds.items():
                axes = tuple(a for a in (0, 1) if d.shape[a] == 1 and of_delays[k].shape[a] > 1)
                found[f"delay{k}_{kind}"] = of_delays[k].sum(axis=axes, keepdims=True)
            if of_bias_times[k] is not None:
                found[f"bias_times{k}"] = of_bias_times[k]
        return found


class Weights(list):
    """Signed weights, one matrix a layer as in `network.Architecture` (nA), together with the delays and bias times that were
    drawn or learned beside them: `times`, TrainedTimes; None where only weights are trained.

    A plain list, such as one computed from these, has no times. Where a network trains some, it refuses that: give it
    Weights(matrices, times).
    """

    def __init__(self, matrices, times=None):
        super().__init__(matrices)
        self.times = times

    def arrays(self, names):
        """{name: array}, as files hold them: w0, w1, ... and, of the times, those of the `names`."""
        times = {} if self.times is None else self.times.arrays()
        return {f"w{k}": w for k, w in enumerate(self)} | {name: times[name] for name in names}
