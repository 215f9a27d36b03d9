"""What the converters take of a snippet: which neurons are probed, and what becomes of their traces."""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.brainscales2 import converters
from ttfs_pynn.brainscales2.chip_groups import Probes
from ttfs_pynn.brainscales2.events import TICK_US
from ttfs_pynn.event_driven.groups import LIFGroup

__all__ = ["Readout", "Traces"]

_INTERVALS = {"madc": converters.MADC_INTERVAL, "cadc": converters.CADC_INTERVAL}
_PROBED = {"v": "v", "exc_synin": "isyn_exc", "inh_synin": "isyn_inh"}  # adaptation needs no probe


@dataclass(frozen=True, eq=False)
class Traces:
    """Samples of one device: {neuron: (variable, times (us since the snippet's begin), values)}."""

    samples: dict


class Readout:
    """Puts probes on the groups of an `execution.Run` before a snippet, and samples what they saw after it.

    pair: the (population, neuron) keys that the MADC takes in this execution, None for all.
    """

    def __init__(self, run, groups, physics, snippet, pair):
        self.run, self.groups, self.physics, self.snippet, self.pair = run, groups, physics, snippet, pair
        self._probe()

    def _wanted(self, device, population, neurons):
        if device == "madc" and self.pair is not None:
            return [n for n in neurons if (population, n) in self.pair]
        return list(neurons)

    def _probe(self):
        for group in self.groups.values():
            if isinstance(group, LIFGroup):
                group.probe = None
        for (device, population), by_name in self.snippet.recorded.items():
            group = self.groups[population]
            for variable, neurons in by_name.items():
                neurons = self._wanted(device, population, neurons)
                if neurons and variable in _PROBED:
                    group.probe = group.probe or Probes(group.size, _INTERVALS)
                    group.probe.record(device, _PROBED[variable], neurons)
        for group in self.groups.values():
            if getattr(group, "probe", None) is not None:
                group.probe.begin(group)

    def traces(self, begin):
        """{(device, population): Traces} of the snippet that began at tick `begin`."""
        found = {}
        for (device, population), by_name in self.snippet.recorded.items():
            samples = {}
            for variable, neurons in by_name.items():
                neurons = self._wanted(device, population, neurons)
                if neurons:
                    samples |= self._samples(device, population, variable, neurons, begin)
            found[device, population] = Traces(samples)
        return self._by_turns(found)

    def _samples(self, device, population, variable, neurons, begin):
        duration, noise = self.snippet.ticks * TICK_US, self.run.chip.non_idealities
        group, rng, interval = self.groups[population], self.run.rng, _INTERVALS[device]
        physics = self.physics[population]
        if variable in _PROBED:
            probe = group.probe.by_device[device]
            probe.end(group)
            recorded, first, voltages = probe.signal(_PROBED[variable])
            voltages = voltages[:, np.searchsorted(recorded, neurons)]
        else:
            first = np.ceil(begin * TICK_US / interval) * interval
            voltages = np.full((int(duration / interval) + 1, len(neurons)), converters.ADAPTATION_VOLTAGE)
        if variable.endswith("synin"):
            gain = (physics.gain_E if variable == "exc_synin" else physics.gain_I)[neurons]
            voltages = converters.synaptic_voltage(voltages, gain, self.snippet.codes[population].dac_bias)
        times = first + np.arange(len(voltages)) * interval - begin * TICK_US
        keep = times < duration
        if device == "cadc":
            keep &= np.arange(times.size) < converters.CADC_SAMPLES
            offset = self.run.chip.cadc_offsets[self.run.circuits[population][neurons]]
            values = converters.cadc_values(voltages[keep], offset, noise.cadc_noise, rng)
        else:
            values = converters.madc_values(voltages[keep], noise.madc_noise, rng)
        return {n: (variable, times[keep], values[:, k]) for k, n in enumerate(neurons)}

    def _by_turns(self, found):
        """Two neurons share the MADC: each has every other sample."""
        recorded = [(key, n) for key, traces in found.items() if key[0] == "madc" for n in traces.samples]
        if len(recorded) != 2 or self.pair is None:
            return found
        for turn, (key, n) in enumerate(recorded):
            variable, times, values = found[key].samples[n]
            found[key].samples[n] = variable, times[turn::2], values[turn::2]
        return found
