"""Sources of random spikes for the event-driven simulator."""

import numpy as np

from ttfs_pynn.event_driven.groups import SimulationError, SpikeSourceGroup

__all__ = ["PoissonSourceGroup"]


class PoissonSourceGroup(SpikeSourceGroup):
    """Independent Poisson processes of `rate` (Hz) in [start, start + duration) (ms), drawn when they are needed."""

    PARAMETERS = ("rate", "start", "duration")

    def __init__(self, size, parameters, rng):
        super().__init__(size)
        self._rng = rng
        self._parameters = {}
        self.set_parameters(**parameters)

    def get_parameters(self):
        return {name: array.copy() for name, array in self._parameters.items()}

    def set_parameters(self, **parameters):
        new = dict(self._parameters)
        for name, value in parameters.items():
            new[name] = np.array(np.broadcast_to(np.asarray(value, dtype=float), (self.size,)))
            if np.isnan(new[name]).any() or (name != "start" and (new[name] < 0).any()):
                raise SimulationError(f"{name} must be {'a number' if name == 'start' else 'zero or more'}, not {value}")
            if name == "rate" and np.isinf(new[name]).any():
                raise SimulationError(f"rate must be finite, not {value}")
        self._parameters = new

    def spikes(self, t, t_stop):
        p = self._parameters
        begin = np.maximum(t, p["start"])
        length = np.clip(np.minimum(t_stop, p["start"] + p["duration"]) - begin, 0.0, None)
        count = self._rng.poisson(p["rate"] * length / 1000.0)
        index = np.repeat(np.arange(self.size), count)
        time = begin[index] + self._rng.random(index.size) * length[index]
        time = np.minimum(time, np.nextafter(t_stop, -np.inf))
        order = np.argsort(time, kind="stable")
        return index[order], time[order]
