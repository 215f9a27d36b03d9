"""The way of events to the chip and back: clock ticks, one event at a time, losses."""

import numpy as np

__all__ = ["MOST_TICKS", "TICKS_PER_MS", "TICK_US", "on_ticks", "serialised", "stamped"]

TICKS_PER_MS = 125_000  # the FPGA's clock, 8 ns
TICK_US = 0.008
MOST_TICKS = 2**53  # two years; later, floats do not tell one tick from the next


def on_ticks(times, begin, end):
    """Spike times (ms since the last reset) of [begin, end) as ticks since `begin`, and which of them these are.

    Truncated as the adapter does, int(ms * 1000 * 125): an event may be up to one tick early.
    """
    inside = np.flatnonzero((begin <= times) & (times < end))
    return ((times[inside] - begin) * 1000.0 * 125.0).astype(np.int64), inside


def serialised(ticks):
    """Event times (ticks, sorted) when one event is sent each tick, in this order: s_k = max(t_k, s_(k-1) + 1)."""
    k = np.arange(ticks.size)
    return np.maximum.accumulate(ticks - k) + k if ticks.size else ticks


def lost(ticks, probability, rng):
    """Which of these sorted events get lost: each that follows another at the next tick does so with this probability."""
    crowded = np.zeros(ticks.size, dtype=bool)
    crowded[1:] = np.diff(ticks) <= 1
    return crowded & (rng.random(ticks.size) < probability) if probability else np.zeros(ticks.size, dtype=bool)


def stamped(times):
    """The tick that follows each time (us): an event is noticed at the next edge of the clock, or at an edge, there."""
    ticks = times / TICK_US
    return np.ceil(ticks - np.maximum(1e-6, 4 * np.spacing(ticks))).astype(np.int64)
