"""Compiled loop that carries a group of cells without a closed form (`ttfs_pynn.integration`) through its input events."""

import math

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.driven_kernels import reached_by
from ttfs_pynn.event_driven.kernels import note_spike
from ttfs_pynn.integration import cells
from ttfs_pynn.integration.cells import CURRENT, RATE, G, Y
from ttfs_pynn.integration.polynomials import stack_room
from ttfs_pynn.integration.stepping import Work, advance, fire

__all__ = ["run_integrated"]


@njit(cache=True, error_model="numpy")
def _carry(n, t, until, closed, kind, state, clamped_until, p, work, recorded, out_times, noted):
    """Carry neuron n from t to `until`; returns False where it fires without end."""
    while True:
        t, fires = advance(n, t, until, closed, kind, state, clamped_until, p, work, recorded)
        if not fires:
            return not math.isnan(t)
        if not note_spike(n, t, out_times, noted):
            return False
        fire(n, t, kind, state, clamped_until, p)


@njit(cache=True, error_model="numpy")
def _inject(n, p, own, drive, currents):
    total = 0.0
    for c in range(drive.reaching_start[n], drive.reaching_start[n + 1]):
        total += currents[drive.reaching[c]]
    p[n, CURRENT] = own[n] + total


@njit(cache=True, error_model="numpy")
def run_integrated(kind, drive, t, t_stop, state, clamped_until, parameters, recorded, out_times, noted):
    """Simulate [t, t_stop): spikes as in `kernels`, drive as in `driven_kernels.Drive`, kind, state and parameters as in
    `integration`. Returns False where a neuron fires without end."""
    size = state.shape[0]
    work = Work(cells.step_room(), stack_room())
    now, p, own, currents = np.full(size, t), parameters.copy(), parameters[:, CURRENT], drive.currents.copy()
    if currents.shape[0]:
        for n in range(size):
            _inject(n, p, own, drive, currents)
    for k in range(drive.event_times.shape[0]):
        row, source, first, last = reached_by(drive, k)
        if source >= 0:
            currents[source] = drive.event_amplitudes[k]
        channel = 1 if source < 0 and drive.inhibitory[row] else 0
        for c in range(first, last):
            n = drive.reached[c] if source >= 0 else (drive.targets[c] if drive.targets.shape[0] else c - first)
            until = max(now[n], drive.event_times[k])
            if not _carry(n, now[n], until, False, kind, state, clamped_until, p, work, recorded, out_times, noted):
                return False
            now[n] = until
            if source >= 0:
                _inject(n, p, own, drive, currents)
            elif kind.alpha:
                state[n, Y + channel] += math.e * drive.weights[c] * p[n, RATE + channel]
            else:
                state[n, G + channel] += drive.weights[c]
    for n in range(size):
        if not _carry(n, now[n], t_stop, True, kind, state, clamped_until, p, work, recorded, out_times, noted):
            return False
    return True
