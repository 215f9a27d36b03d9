"""Compiled loops for neurons that are injected with currents, and for what is recorded between spikes.

Both take the input of a group in one general form: `event_times` with `event_rows`, in time order. Row r < inhibitory.size
delivers weights[row_start[r]:row_start[r + 1]] to the neurons of the same places of `targets`; an empty `targets` stands for
all neurons in their order. Weights are nA, or, where `jumps`, mV by which a membrane moves at once, unless it is clamped. Row
inhibitory.size + s says that the current of source s becomes `event_amplitudes[k]` (nA). Source s reaches
reached[reached_start[s]:reached_start[s + 1]]; neuron n is reached by the sources
reaching[reaching_start[n]:reaching_start[n + 1]], and their sum is taken anew at each change, so nothing accumulates.

For the state, `parameters` and the spikes see `kernels`. An injected current is piecewise constant: it moves U_INF only.
"""

import math

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


@njit(cache=True, error_model="numpy")
def _receive(n, weight, t, jumps, inhibitory, u, i_exc, i_inh, clamped_until):
    """Neuron n takes up a spike at t: as a jump of its voltage, unless that is clamped, or of a synaptic current."""
    if jumps:
        if clamped_until[n] <= t:
            u[n] += weight
    elif inhibitory:
        i_inh[n] += weight
    else:
        i_exc[n] += weight


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
def run_driven(event_times, event_rows, inhibitory, row_start, targets, weights, jumps,
               event_amplitudes, currents, reached_start, reached, reaching_start, reaching, t, t_stop,
               u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    """`kernels.run_sparse` with injected currents."""
    now = np.full(u.shape[0], t)
    own = parameters[:, U_INF]
    table = _injected(parameters, currents, reaching_start, reaching)
    currents = currents.copy()
    for k in range(event_times.shape[0]):
        row = event_rows[k]
        source = row - inhibitory.shape[0]
        if source >= 0:
            currents[source] = event_amplitudes[k]
            first, last = reached_start[source], reached_start[source + 1]
        else:
            first, last = row_start[row], row_start[row + 1]
        for c in range(first, last):
            n = reached[c] if source >= 0 else (targets[c] if targets.size else c - first)
            until = max(now[n], event_times[k])
            if not advance_neuron(n, now[n], until, u, i_exc, i_inh, clamped_until, table, out_times, noted):
                return False
            now[n] = until
            if source >= 0:
                _inject(n, table, own, currents, reaching_start, reaching)
            else:
                _receive(n, weights[c], until, jumps, inhibitory[row], u, i_exc, i_inh, clamped_until)
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
    return kept_below(value, p)  # at a spike it is not asked


@njit(cache=True, error_model="numpy")
def _follow(n, t, until, closed, u, i_exc, i_inh, clamped_until, p, spikes, next_spike,
            sample_times, next_sample, columns, out_u, out_exc, out_inh):
    """Carry neuron n, whose spikes are known, from t to `until`, and note what it passes before; at `until` too if `closed`."""
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
                    out_u[k, columns[0, n]] = u[n]
                else:
                    out_u[k, columns[0, n]] = p[THRESHOLD] if fires and at == stop else _membrane(s, u[n], i_exc[n], i_inh[n], p)
            if columns[1, n] >= 0:
                out_exc[k, columns[1, n]] = i_exc[n] * math.exp(-p[RATE_E] * s)
            if columns[2, n] >= 0:
                out_inh[k, columns[2, n]] = i_inh[n] * math.exp(-p[RATE_I] * s)
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
def trace(event_times, event_rows, inhibitory, row_start, targets, weights, jumps,
          event_amplitudes, currents, reached_start, reached, reaching_start, reaching, t, t_stop,
          u, i_exc, i_inh, clamped_until, parameters, spikes, spike_start,
          sample_times, columns, out_u, out_exc, out_inh):
    """What neurons pass at `sample_times` in [t, t_stop], given their state at t, input, and spikes.

    spikes[spike_start[n]:spike_start[n + 1]] are those of neuron n. columns (3, neurons): where u (mV above v_rest), i_exc and
    i_inh of a neuron go in out_u, out_exc and out_inh (samples, recorded neurons); -1 for nowhere. What arrives at the very
    time of a sample is in it (at t_stop: not yet), and a neuron that fires there is at threshold.
    """
    size = u.shape[0]
    now = np.full(size, t)
    own = parameters[:, U_INF]
    table = _injected(parameters, currents, reaching_start, reaching)
    currents = currents.copy()
    next_spike, next_sample = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for k in range(event_times.shape[0] + 1):
        at_end = k == event_times.shape[0]
        row, source = 0, -1
        if at_end:
            first, last = 0, size
        else:
            row = event_rows[k]
            source = row - inhibitory.shape[0]
            if source >= 0:
                currents[source] = event_amplitudes[k]
                first, last = reached_start[source], reached_start[source + 1]
            else:
                first, last = row_start[row], row_start[row + 1]
        for c in range(first, last):
            n = c if at_end else (reached[c] if source >= 0 else (targets[c] if targets.size else c - first))
            if columns[0, n] < 0 and columns[1, n] < 0 and columns[2, n] < 0:
                continue
            until = t_stop if at_end else max(now[n], event_times[k])
            _follow(n, now[n], until, at_end, u, i_exc, i_inh, clamped_until, table[n], spikes[spike_start[n]:spike_start[n + 1]],
                    next_spike, sample_times, next_sample, columns, out_u, out_exc, out_inh)
            now[n] = until
            if at_end:
                continue
            if source >= 0:
                _inject(n, table, own, currents, reaching_start, reaching)
            else:
                _receive(n, weights[c], until, jumps, inhibitory[row], u, i_exc, i_inh, clamped_until)
