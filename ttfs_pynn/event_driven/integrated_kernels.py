"""Compiled loop that carries a group of cells without a closed form (`ttfs_pynn.integration`) through its input events."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.driven_kernels import reached_by
from ttfs_pynn.event_driven.kernels import note_spike
from ttfs_pynn.integration import cells
from ttfs_pynn.integration.cells import CURRENT, RATE, G, V, Y
from ttfs_pynn.integration.polynomials import stack_room
from ttfs_pynn.integration.stepping import Recorded, Work, advance, fire
from ttfs_pynn.membrane.compiling import inlined
from ttfs_pynn.membrane.lanes import borrowed

__all__ = ["run_integrated"]


class _Arrivals(NamedTuple):
    """Of a driven_kernels.Drive what every event looks at."""

    times: np.ndarray
    amplitudes: np.ndarray
    inhibitory: np.ndarray
    weights: np.ndarray
    targets: np.ndarray
    reached: np.ndarray


@inlined
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
    c, stack, now, p = cells.step_room(), stack_room(), np.full(state.shape[0], t), parameters.copy()
    currents, stages = drive.currents.copy(), np.empty((20, 4))
    lent = Recorded(borrowed(recorded.times), borrowed(recorded.places), borrowed(recorded.columns), borrowed(recorded.tables),
                    borrowed(recorded.next))
    arrivals = _Arrivals(borrowed(drive.event_times), borrowed(drive.event_amplitudes), borrowed(drive.inhibitory),
                         borrowed(drive.weights), borrowed(drive.targets), borrowed(drive.reached))
    ok = _run(kind, drive, arrivals, t_stop, borrowed(state), borrowed(clamped_until), borrowed(p), borrowed(parameters),
              borrowed(now), borrowed(currents), Work(borrowed(c), borrowed(stack), borrowed(stages)), lent, borrowed(out_times),
              borrowed(noted))
    return ok and c.size + stack.size + stages.size + now.size + p.size + currents.size >= 0  # they are there until here


@njit(cache=True, error_model="numpy")
def _run(kind, drive, arrivals, t_stop, state, clamped_until, p, parameters, now, currents, work, recorded, out_times, noted):
    own = parameters[:, CURRENT]
    if currents.shape[0]:
        for n in range(now.shape[0]):
            _inject(n, p, own, drive, currents)
    for k in range(arrivals.times.shape[0]):
        row, source, first, last = reached_by(drive, k)
        if source >= 0:
            currents[source] = arrivals.amplitudes[k]
        channel = 1 if source < 0 and arrivals.inhibitory[row] else 0
        time = arrivals.times[k]
        for c in range(first, last):
            if source >= 0:
                n = arrivals.reached[c]
            else:
                n = arrivals.targets[c] if arrivals.targets.shape[0] else c - first
            until = max(now[n], time)
            if not _carry(n, now[n], until, False, kind, state, clamped_until, p, work, recorded, out_times, noted):
                return False
            now[n] = until
            if source >= 0:
                _inject(n, p, own, drive, currents)
            elif kind.kind == cells.IZHIKEVICH:
                state[n, V] += arrivals.weights[c]
            elif kind.alpha:
                state[n, Y + channel] += math.e * arrivals.weights[c] * p[n, RATE + channel]
            else:
                state[n, G + channel] += arrivals.weights[c]
    for n in range(now.shape[0]):
        if not _carry(n, now[n], t_stop, True, kind, state, clamped_until, p, work, recorded, out_times, noted):
            return False
    return True
