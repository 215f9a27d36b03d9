"""Membrane potentials and synaptic currents of a group of neurons at regular times.

They are computed in a second pass, from the closed-form solution between events and known spikes: recording changes no bit of
the simulation.
"""

import numpy as np

from ttfs_pynn.event_driven import driven_kernels

__all__ = ["Probe"]

ON_GRID = 1e-6  # of the sampling interval: many short runs end beside the times that they add up to, by rounding


class Probe:
    """Samples at k * interval (ms), k = 0, 1, ..., of some neurons of a group of `size`, for each variable its own.

    What arrives at the time of a sample is in it, and a neuron that fires there is at threshold. The last sample of a run knows
    of no arrival at its own time; the next run replaces it.
    """

    def __init__(self, size, variables=("v", "isyn_exc", "isyn_inh")):
        self.interval, self.VARIABLES = None, tuple(variables)
        self.columns = np.full((len(self.VARIABLES), size), -1)
        self._neurons = [np.empty(0, dtype=np.int64)] * len(self.VARIABLES)
        self.clear()

    def record(self, variable, neurons, interval):
        """From now on keep `variable` of `neurons` (indices) too."""
        if not (interval > 0 and np.isfinite(interval)):
            raise ValueError(f"sampling interval {interval} ms: give a positive number")
        if interval != self.interval:
            self.clear()
        self.interval = float(interval)
        k = self.VARIABLES.index(variable)
        if not np.isin(neurons, self._neurons[k]).all():
            self._begun = False  # the new neurons' first sample may be that of the present time
        self._neurons[k] = np.union1d(self._neurons[k], neurons)
        self.columns[k, self._neurons[k]] = np.arange(self._neurons[k].size)

    def clear(self):
        """Forget what was sampled, and begin anew at the present time of the group."""
        self._chunks = [[] for _ in self.VARIABLES]  # (number of the first sample, neurons, samples), one list a variable
        self._next = 0
        self._begun = False

    def begin(self, group):
        """Keep the present state where it is that of a sample and where neurons have none of this time yet."""
        if self._begun or self.interval is None:
            return
        self._begun = True
        self._next = int(np.ceil(group.t / self.interval - ON_GRID))
        if self._next * self.interval <= group.t + ON_GRID * self.interval:
            self._keep_state(group)

    def end(self, group):
        """At the end of a run: its last sample, where rounding placed the run's end before the sample's time."""
        if self.interval is not None and self._next * self.interval <= group.t + ON_GRID * self.interval:
            self._keep_state(group)

    def _keep_state(self, group):
        state = group.get_state()
        for k, name in enumerate(self.VARIABLES):
            self._chunks[k].append((self._next, self._neurons[k], state[name][self._neurons[k]][None]))

    def times_until(self, t, t_stop):
        """The times of the samples from t on, up to t_stop (ms)."""
        last = int(np.floor(t_stop / self.interval))
        last += (last + 1) * self.interval <= t_stop
        last -= last * self.interval > t_stop
        return np.maximum(np.arange(self._next, last + 1) * self.interval, t)

    def keep(self, times, t_stop, tables):
        """Keep what was found at the times of `times_until`: (times, neurons or more) of each variable."""
        if not times.size:
            return
        for chunks, neurons, samples in zip(self._chunks, self._neurons, tables, strict=True):
            chunks.append((self._next, neurons, samples[:, :neurons.size]))
        last = self._next + times.size - 1
        self._next = last + (last * self.interval < t_stop)

    def follow(self, drive, t, t_stop, state, table, v_rest, spikes, spike_start):
        """The samples up to t_stop. drive: driven_kernels.Drive; state: at t, changed here; spikes: of [t, t_stop), by neuron."""
        times = self.times_until(t, t_stop)
        if not times.size:
            return
        out = [np.empty((times.size, neurons.size)) for neurons in self._neurons]
        driven_kernels.trace(drive, t, t_stop, driven_kernels.State(*state), table, spikes, spike_start,
                             driven_kernels.Samples(times, self.columns, *out))
        out[0] += v_rest[self._neurons[0]]
        self.keep(times, t_stop, out)

    def signal(self, variable):
        """(neurons, time of the first sample, samples (times, neurons)), not to be changed.

        NaN where the recording of a neuron began later than that of others.
        """
        k = self.VARIABLES.index(variable)
        neurons = self._neurons[k]
        chunks = [chunk for chunk in self._chunks[k] if chunk[1].size]
        if not chunks:
            return neurons, 0.0, np.empty((0, neurons.size))
        first = chunks[0][0]
        if len(chunks) == 1 and chunks[0][1].size == neurons.size:
            return neurons, first * self.interval, chunks[0][2]
        samples = np.full((max(start + part.shape[0] for start, _, part in chunks) - first, neurons.size), np.nan)
        for start, some, part in chunks:
            samples[start - first:start - first + part.shape[0], np.searchsorted(neurons, some)] = part
        self._chunks[k] = [(first, neurons, samples)]
        return neurons, first * self.interval, samples
