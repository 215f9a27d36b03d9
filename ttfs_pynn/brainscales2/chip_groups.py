"""Groups of neurons of the event-driven simulator as the chip has them. Times in us, voltages in LSB, currents in LSB/us."""

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.core import EventDrivenNetwork
from ttfs_pynn.event_driven.groups import LIFGroup
from ttfs_pynn.event_driven.probe import Probe
from ttfs_pynn.event_driven.sorting import sorted_by_time

__all__ = ["BypassGroup", "ChipNetwork", "Probes", "lif_parameters"]

_BELOW = 0.01  # LSB; a reset potential above threshold lets a circuit fire as soon as it is released


def lif_parameters(physics, v_thresh):
    """Parameters of a LIFGroup for `circuits.Physics`, with thresholds of its own."""
    return {"tau_m": physics.tau_m, "cm": 1.0, "v_rest": physics.v_rest, "v_thresh": v_thresh,
            "v_reset": np.minimum(physics.v_reset, v_thresh - _BELOW), "tau_refrac": physics.tau_refrac,
            "i_offset": physics.current, "tau_syn_E": physics.tau_syn_E, "tau_syn_I": physics.tau_syn_I}


class ChipNetwork(EventDrivenNetwork):
    """Spikes of neurons come with a normally distributed error of `jitter` us; within recurrent groups without."""

    def __init__(self, jitter, rng):
        super().__init__()
        self.jitter, self.rng = jitter, rng

    def emitted(self, group, index, time):
        if not self.jitter or type(group) is not LIFGroup or not time.size:
            return index, time
        return sorted_by_time(index, np.maximum(time + self.jitter * self.rng.standard_normal(time.size), self.t))


@njit(cache=True)
def _accepted(neurons, times, dead_time):
    """Which events, sorted by neuron and time, do not fall into the dead time after the one accepted before."""
    keep = np.zeros(times.size, dtype=np.bool_)
    last = -np.inf
    for k in range(times.size):
        if k == 0 or neurons[k] != neurons[k - 1] or times[k] - last >= dead_time[neurons[k]]:
            keep[k] = True
            last = times[k]
    return keep


class BypassGroup(LIFGroup):
    """Circuits in bypass: each excitatory event of a weight > 0 leaves them as a spike; membranes rest."""

    def advance(self, t_stop):
        times, rows = self.arrangement.events(t_stop)
        inhibitory, row_start, targets, weights = self.arrangement.rows()
        counts = np.diff(row_start)[rows]
        place = np.repeat(row_start[rows] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        heard = (weights[place] > 0) & ~np.repeat(inhibitory[rows], counts)
        index, time = targets[place][heard], np.repeat(times, counts)[heard]
        order = np.lexsort((time, index))
        index, time = index[order], time[order]
        keep = _accepted(index, time, self._parameters["tau_refrac"])
        index, time = index[keep], time[keep]
        if self.probe is not None:
            self.trace(t_stop, np.empty(0, dtype=np.int64), np.empty(0))
        self.t = float(t_stop)
        order = np.argsort(time, kind="stable")
        return index[order], time[order]

    def trace(self, t_stop, index, time):
        silent = (np.empty(0), np.empty(0, dtype=np.int64))
        self.probe.follow(self._drive(*silent, t_stop), self.t, float(t_stop),
                          [array.copy() for array in self.state], self.table, self._parameters["v_rest"],
                          time, np.zeros(self.size + 1, dtype=np.int64))


class Probes:
    """Several `Probe`s on one group, each with an interval of its own: {device: Probe}."""

    def __init__(self, size, intervals):
        self.by_device = {device: Probe(size) for device in intervals}
        self._intervals = intervals

    def record(self, device, variable, neurons):
        self.by_device[device].record(variable, np.asarray(neurons), self._intervals[device])

    def begin(self, group):
        for probe in self.by_device.values():
            probe.begin(group)

    def end(self, group):
        for probe in self.by_device.values():
            probe.end(group)

    def follow(self, drive, t, t_stop, state, *arguments):
        for probe in self.by_device.values():
            if probe.interval is not None:
                probe.follow(drive, t, t_stop, [array.copy() for array in state], *arguments)
