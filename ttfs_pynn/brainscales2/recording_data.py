"""What is recorded of a population, with which device; and one snippet's worth of what came back."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

__all__ = ["DEVICES", "Part", "RecordingConfiguration", "RecordingSite", "pad_of"]

DEVICES = ("madc", "cadc", "pad_0", "pad_1")


class RecordingSite(NamedTuple):
    """A compartment of a cell; point neurons have compartment 0."""

    cell_id: int
    comp_id: int


def pad_of(device):
    """(pad, buffered) of 'pad_[0|1][_buffered|_unbuffered]'; ValueError for anything else."""
    if not isinstance(device, str):
        raise TypeError(f"device = {device!r} must be a text; use {', '.join(DEVICES)}")
    parts = device.split("_")
    if len(parts) not in (2, 3) or parts[0] != "pad" or parts[1] not in ("0", "1") \
            or (len(parts) == 3 and parts[2] not in ("buffered", "unbuffered")):
        raise ValueError(f"device {device!r} is not supported; use {', '.join(DEVICES)}, pads also with _buffered or _unbuffered")
    return int(parts[1]), "unbuffered" not in device


@dataclass
class RecordingConfiguration:
    """Of one population. spikes: sites; analog: {site: variable}; devices: {'madc' or 'cadc': sites}."""

    spikes: set = field(default_factory=set)
    analog: dict = field(default_factory=dict)
    devices: dict = field(default_factory=lambda: {"madc": set(), "cadc": set()})
    pads: dict = field(default_factory=dict)  # {pad: (site, buffered)}

    def add_analog(self, variables, sites, device, all_pads=()):
        """Let `device` record the one variable; ValueError where a circuit would show two, or a pad serve two. `all_pads`: what
        other populations have given pads to."""
        if not variables:
            return
        if len(set(variables)) > 1:
            raise ValueError(f"{', '.join(variables)}: a circuit shows one analog variable at a time; record one of them")
        variable = variables[0]
        taken = {self.analog[site] for site in sites if self.analog.get(site, variable) != variable}
        if taken:
            raise ValueError(f"{variable!r} cannot be recorded where {', '.join(sorted(taken))} already is: a circuit shows one "
                             "analog variable at a time; call record(None) first")
        if device in self.devices:
            self.devices[device] |= sites
        else:
            self._add_pad(device, sites, all_pads)
        self.analog.update(dict.fromkeys(sites, variable))

    def _add_pad(self, device, sites, all_pads):
        pad, buffered = pad_of(device)
        if len(sites) > 1:
            raise ValueError(f"{device} shows one neuron, not {len(sites)}; record a view of one")
        wanted = (next(iter(sites)), buffered)
        if any(other.get(pad, wanted) != wanted for other in (self.pads, *all_pads)):
            raise ValueError(f"{device} is in use by another neuron, or in the other mode; call record(None) there, or use "
                             "the other pad")
        self.pads[pad] = wanted

    def copy(self):
        return RecordingConfiguration(set(self.spikes), dict(self.analog), {k: set(v) for k, v in self.devices.items()},
                                      dict(self.pads))


@dataclass(frozen=True, eq=False)
class Part:
    """The recording of one snippet from `begin` for `runtime` (ms).

    sites: of which spikes were recorded; index, time: spikes by neuron (ms since the last reset); signals: {(device, variable,
    site): (times in ms since the last reset, values)}.
    """

    begin: float
    runtime: float
    sites: frozenset
    index: np.ndarray
    time: np.ndarray
    signals: dict
