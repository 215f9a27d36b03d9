"""Spike sources: given times and Poisson processes from the FPGA, and Poisson generators on the chip."""

import numpy as np
from pyNN.parameters import ArrayParameter
from pyNN.standardmodels import cells

from ttfs_pynn.brainscales2.events import TICKS_PER_MS, on_ticks
from ttfs_pynn.brainscales2.standardmodels.cells_base import ChipCell, check_codes, same_names
from ttfs_pynn.event_driven import cell_types

__all__ = ["OffChipSource", "SpikeSourceArray", "SpikeSourcePoisson", "SpikeSourcePoissonOnChip"]


def _on_ticks(times, offsets, begin, end):
    ticks, inside = on_ticks(times, begin, end)
    return np.searchsorted(offsets, inside, side="right") - 1, ticks


class SpikeSourceArray(ChipCell, cell_types.SpikeSourceArray):
    """Sources that spike at `spike_times`, ms since the last reset."""

    default_parameters = {"spike_times": ArrayParameter([])}
    translations = same_names(("spike_times",))

    def events(self, population, begin, end, state):
        return _on_ticks(population.group.times, population.group.offsets, begin, end)


class SpikeSourcePoisson(ChipCell, cells.SpikeSourcePoisson):
    """Poisson processes of `rate` (Hz) in [start, start + duration) ms, drawn once and kept until a parameter changes.

    As on the adapter the number of spikes is Poisson distributed around the integer part of duration * rate, drawn from NumPy's
    global generator, unless setup() was given a seed.
    """

    default_parameters = {"start": 0.0, "rate": 1.0, "duration": 1e9}
    translations = same_names(("start", "rate", "duration"))

    def __init__(self, start, rate, duration):
        super().__init__(start=start, rate=rate, duration=duration)

    def events(self, population, begin, end, state):
        group = population.group
        used = getattr(group, "used", None)
        if used is None:
            group.trains = [np.empty(0)] * group.size
        changed = np.ones(group.size, dtype=bool) if used is None else \
            np.any([group.values[name] != used[name] for name in used], axis=0)
        for name in ("rate", "duration"):
            if (group.values[name] < 0).any():
                raise ValueError(f"{population.label}: {name} = {group.values[name].min():g} must not be negative")
        for k in np.flatnonzero(changed):
            start, rate, duration = (group.values[name][k] for name in ("start", "rate", "duration"))
            n = state.random.poisson(int(duration * (rate / 1000)))  # rounds as the adapter does
            group.trains[k] = start + state.random.random(n) * duration
        group.used = {name: group.values[name].copy() for name in ("start", "rate", "duration")}
        offsets = np.concatenate([[0], np.cumsum([train.size for train in group.trains])])
        return _on_ticks(np.concatenate(group.trains), offsets, begin, end)


class SpikeSourcePoissonOnChip(ChipCell):
    """Poisson generators on the chip, `rate` (Hz) each. rate and seed must be equal in a population."""

    KIND = "background"
    CLOCK = 125e6  # Hz
    default_parameters = {"rate": 1.0, "seed": 0.0}
    translations = same_names(("rate", "seed"))
    units = {"rate": "Hz", "seed": "dimensionless"}
    background_source_clock_freq = CLOCK

    def __init__(self, rate, seed):
        super().__init__(rate=rate, seed=seed)

    def events(self, population, begin, end, state):
        rates, seeds = (population.group.values[name] for name in ("rate", "seed"))
        if (rates != rates[0]).any() or (seeds != seeds[0]).any():
            raise AssertionError(f"{population.label}: a generator on the chip has one rate and one seed; give all the same")
        if rates[0] * population.size > self.CLOCK:
            raise RuntimeError(f"{population.label}: {population.size} sources of {rates[0]:g} Hz are more than the generator's "
                               f"clock allows ({self.CLOCK:g} Hz in all); lower the rate or the number of sources")
        check_codes(population.group.values, {"rate": (0, np.inf), "seed": (0, 2**32 - 1)})
        rng = np.random.default_rng([int(seeds[0]), int(begin * TICKS_PER_MS)])
        n = rng.poisson(rates[0] / 1000.0 * (end - begin) * population.size)
        ticks = np.sort(rng.integers(0, max(int((end - begin) * TICKS_PER_MS), 1), n))
        return rng.integers(0, population.size, n), ticks


class OffChipSource(ChipCell):
    """Sources behind the chip's spike interface (`label`: one number a cell): can be created and mapped, but not run."""

    default_parameters = {"enable_internal_loopback": True, "data_rate_scaler": 1.0, "label": 0.0}
    translations = same_names(default_parameters)
    units: dict[str, str] = {}

    def __init__(self, *, enable_internal_loopback=True, data_rate_scaler=1, label=None):
        if label is None or len(label) == 0:
            raise ValueError("OffChipSource needs a label for each of its cells, a list of numbers")
        super().__init__(enable_internal_loopback=enable_internal_loopback, data_rate_scaler=data_rate_scaler, label=label)

    def events(self, population, begin, end, state):
        labels = population.group.values["label"]
        if np.unique(labels).size < labels.size:
            raise ValueError(f"{population.label}: the labels {labels.tolist()} of OffChipSource must differ, one a cell")
        return super().events(population, begin, end, state)
