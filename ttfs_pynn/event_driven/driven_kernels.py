"""Compiled loops for neurons that are injected with currents, and for what is recorded between spikes.

For the state, `parameters` and the spikes see `kernels`. An injected current is piecewise constant: it moves U_INF only.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.kernels import (
    INVERSE_CM,
    RATE_E,
    RATE_I,
    RATE_M,
    RESET,
    TAU_REFRAC,
    THRESHOLD,
    U_INF,
    advance_neuron,
    kept_below,
)
from ttfs_pynn.membrane.interval import phi

__all__ = ["Drive", "Samples", "State", "reached_by", "run_driven", "trace"]


class Drive(NamedTuple):
    """All input of a group in one general form: event_times with event_rows, in time order.

    Row r < inhibitory.size delivers weights[row_start[r]:row_start[r + 1]] to the neurons of the same places of targets; empty
    targets stand for all neurons in their order. Weights are nA, or, where jumps, mV by which a membrane moves at once, unless it
    is clamped. Row inhibitory.size + s says that the current of source s becomes event_amplitudes[k] (nA); at the begin it is
    currents[s]. Source s reaches reached[reached_start[s]:reached_start[s + 1]]; neuron n is reached by the sources
    reaching[reaching_start[n]:reaching_start[n + 1]], and their sum is taken anew at each change, so nothing accumulates.
    """

    event_times: np.ndarray
    event_rows: np.ndarray
    inhibitory: np.ndarray
    row_start: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    jumps: bool
    event_amplitudes: np.ndarray
    currents: np.ndarray
    reached_start: np.ndarray
    reached: np.ndarray
    reaching_start: np.ndarray
    reaching: np.ndarray


class State(NamedTuple):
    """Of each neuron, (neurons,): u (mV above v_rest), i_exc, i_inh (nA), clamped_until (ms); compiled loops change them."""

    u: np.ndarray
    i_exc: np.ndarray
    i_inh: np.ndarray
    clamped_until: np.ndarray


class Samples(NamedTuple):
    """What is noted at times (ms).

    columns (3, neurons): where u (mV above v_rest), i_exc and i_inh of a neuron go in the tables u, i_exc and i_inh (times,
    recorded neurons); -1 for nowhere.
    """

    times: np.ndarray
    columns: np.ndarray
    u: np.ndarray
    i_exc: np.ndarray
    i_inh: np.ndarray


@njit(cache=True, error_model="numpy")
def _receive(n, weight, t, jumps, inhibitory, state):
    """Neuron n takes up a spike at t: as a jump of its voltage, unless that is clamped, or of a synaptic current."""
    if jumps:
        if state.clamped_until[n] <= t:
            state.u[n] += weight
    elif inhibitory:
        state.i_inh[n] += weight
    else:
        state.i_exc[n] += weight


@njit(cache=True, error_model="numpy")
def _inject(n, parameters, own, currents, reaching_start, reaching):
    total = 0.0
    for c in range(reaching_start[n], reaching_start[n + 1]):
        total += currents[reaching[c]]
    parameters[n, U_INF] = own[n] + total * parameters[n, INVERSE_CM] / parameters[n, RATE_M] if total != 0.0 else own[n]


@njit(cache=True, error_model="numpy")
def _injected(parameters, currents, reaching_start, reaching):
    """A copy of the parameters with U_INF as the currents at the begin have it."""
    table = parameters.copy()
    if currents.size:
        for n in range(table.shape[0]):
            _inject(n, table, parameters[:, U_INF], currents, reaching_start, reaching)
    return table


@njit(cache=True, error_model="numpy")
def reached_by(drive, k):
    """(row, source or -1, first place, last place) of event k: whom it reaches."""
    row = drive.event_rows[k]
    source = row - drive.inhibitory.shape[0]
    if source >= 0:
        return row, source, drive.reached_start[source], drive.reached_start[source + 1]
    return row, -1, drive.row_start[row], drive.row_start[row + 1]


@njit(cache=True, error_model="numpy")
def run_driven(drive, t, t_stop, state, parameters, out_times, noted):
    """`kernels.run_sparse` with injected currents. drive: Drive; state: State."""
    u, i_exc, i_inh, clamped_until = state
    targets, weights, reached = drive.targets, drive.weights, drive.reached
    reaching_start, reaching = drive.reaching_start, drive.reaching
    now = np.full(u.shape[0], t)
    own = parameters[:, U_INF]
    table = _injected(parameters, drive.currents, reaching_start, reaching)
    currents = drive.currents.copy()
    for k in range(drive.event_times.shape[0]):
        row, source, first, last = reached_by(drive, k)
        time = drive.event_times[k]
        if source >= 0:
            currents[source] = drive.event_amplitudes[k]
        for c in range(first, last):
            n = reached[c] if source >= 0 else (targets[c] if targets.size else c - first)
            until = max(now[n], time)
            if not advance_neuron(n, now[n], until, u, i_exc, i_inh, clamped_until, table, out_times, noted):
                return False
            now[n] = until
            if source >= 0:
                _inject(n, table, own, currents, reaching_start, reaching)
            else:
                _receive(n, weights[c], until, drive.jumps, drive.inhibitory[row], state)
    for n in range(u.shape[0]):
        if not advance_neuron(n, now[n], t_stop, u, i_exc, i_inh, clamped_until, table, out_times, noted):
            return False
    return True


@njit(cache=True, error_model="numpy")
def _membrane(s, u, i_exc, i_inh, p):
    value = (u - p[U_INF]) * math.exp(-p[RATE_M] * s) + p[U_INF]
    if i_exc != 0.0:
        value += i_exc * p[INVERSE_CM] * phi(s, p[RATE_M], p[RATE_E])
    if i_inh != 0.0:
        value += i_inh * p[INVERSE_CM] * phi(s, p[RATE_M], p[RATE_I])
    return kept_below(value, p[THRESHOLD], p[U_INF])  # at a spike it is not asked


@njit(cache=True, error_model="numpy")
def _follow(n, t, until, closed, state, p, spikes, next_spike, samples, next_sample):
    """Carry neuron n, whose spikes are known, from t to `until`, and note what it passes before; at `until` too if `closed`."""
    u, i_exc, i_inh, clamped_until = state
    sample_times, columns = samples.times, samples.columns
    while True:
        clamped = clamped_until[n] > t
        stop = min(until, clamped_until[n]) if clamped else until
        fires = not clamped and next_spike[n] < spikes.size and spikes[next_spike[n]] < until
        if fires:
            stop = spikes[next_spike[n]]
        while next_sample[n] < sample_times.size:
            k = next_sample[n]
            at = sample_times[k]
            if at > stop or (at == until and not closed):
                break
            s = at - t
            if columns[0, n] >= 0:
                if clamped or s == 0.0:
                    samples.u[k, columns[0, n]] = u[n]
                else:
                    at_threshold = fires and at == stop
                    samples.u[k, columns[0, n]] = p[THRESHOLD] if at_threshold else _membrane(s, u[n], i_exc[n], i_inh[n], p)
            if columns[1, n] >= 0:
                samples.i_exc[k, columns[1, n]] = i_exc[n] * math.exp(-p[RATE_E] * s)
            if columns[2, n] >= 0:
                samples.i_inh[k, columns[2, n]] = i_inh[n] * math.exp(-p[RATE_I] * s)
            next_sample[n] += 1
        s = stop - t
        if s > 0.0:
            if not clamped:
                u[n] = p[THRESHOLD] if fires else _membrane(s, u[n], i_exc[n], i_inh[n], p)
            i_exc[n] *= math.exp(-p[RATE_E] * s)
            i_inh[n] *= math.exp(-p[RATE_I] * s)
            t = stop
        if fires:
            u[n] = p[RESET]
            clamped_until[n] = stop + p[TAU_REFRAC]
            next_spike[n] += 1
        elif t >= until:
            return


@njit(cache=True, error_model="numpy")
def trace(drive, t, t_stop, state, parameters, spikes, spike_start, samples):
    """Note in `samples` (Samples) what neurons pass in [t, t_stop], given their state at t (State), input (Drive) and spikes.

    spikes[spike_start[n]:spike_start[n + 1]] are those of neuron n. What arrives at the very time of a sample is in it (at
    t_stop: not yet), and a neuron that fires there is at threshold.
    """
    targets, weights, reached = drive.targets, drive.weights, drive.reached
    reaching_start, reaching = drive.reaching_start, drive.reaching
    columns, n_events = samples.columns, drive.event_times.shape[0]
    size = state.u.shape[0]
    now = np.full(size, t)
    own = parameters[:, U_INF]
    table = _injected(parameters, drive.currents, reaching_start, reaching)
    currents = drive.currents.copy()
    next_spike, next_sample = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for k in range(n_events + 1):
        at_end = k == n_events
        row, source, first, last, time = 0, -1, 0, size, t_stop
        if not at_end:
            row, source, first, last = reached_by(drive, k)
            time = drive.event_times[k]
            if source >= 0:
                currents[source] = drive.event_amplitudes[k]
        for c in range(first, last):
            n = c if at_end else (reached[c] if source >= 0 else (targets[c] if targets.size else c - first))
            if columns[0, n] < 0 and columns[1, n] < 0 and columns[2, n] < 0:
                continue
            until = t_stop if at_end else max(now[n], time)
            _follow(n, now[n], until, at_end, state, table[n], spikes[spike_start[n]:spike_start[n + 1]], next_spike, samples,
                    next_sample)
            now[n] = until
            if at_end:
                continue
            if source >= 0:
                _inject(n, table, own, currents, reaching_start, reaching)
            else:
                _receive(n, weights[c], until, drive.jumps, drive.inhibitory[row], state)
