"""Compiled loops for neurons that are injected with currents, and for what is recorded between spikes.

Both take the input of a group in one general form: `event_times` with `event_rows`, in time order. Row r < inhibitory.size
delivers weights[row_start[r]:row_start[r + 1]] to the neurons of the same places of `targets`; an empty `targets` stands for
all neurons in their order. Row inhibitory.size + s says that the current of source s becomes `event_amplitudes[k]` (nA).
Source s reaches reached[reached_start[s]:reached_start[s + 1]]; neuron n is reached by the sources
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
)
from ttfs_pynn.first_spike.membrane import phi


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
def run_driven(event_times, event_rows, inhibitory, row_start, targets, weights,
               event_amplitudes, currents, reached_start, reached, reaching_start, reaching, t, t_stop,
               u, i_exc, i_inh, clamped_until, parameters, out_times, out_count):
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
            if not advance_neuron(n, now[n], until, u, i_exc, i_inh, clamped_until, table, out_times, out_count):
                return False
            now[n] = until
            if source >= 0:
                _inject(n, table, own, currents, reaching_start, reaching)
            elif inhibitory[row]:
                i_inh[n] += weights[c]
            else:
                i_exc[n] += weights[c]
    for n in range(u.shape[0]):
        if not advance_neuron(n, now[n], t_stop, u, i_exc, i_inh, clamped_until, table, out_times, out_count):
            return False
    return True


@njit(cache=True, error_model="numpy")
def _follow(n, t, until, u, i_exc, i_inh, clamped_until, p, spikes, n_spikes, next_spike,
            sample_times, next_sample, columns, out_u, out_exc, out_inh):
    """Carry neuron n, whose spikes are known, from t to `until`, and note what it passes on the way."""
    while True:
        clamped = clamped_until[n] > t
        stop = min(until, clamped_until[n]) if clamped else until
        fires = False
        if not clamped and next_spike[n] < n_spikes and spikes[next_spike[n]] <= until:
            stop = spikes[next_spike[n]]
            fires = True
        x = u[n] - p[U_INF]
        j_exc, j_inh = i_exc[n] * p[INVERSE_CM], i_inh[n] * p[INVERSE_CM]
        while True:
            sampled = next_sample[n] < sample_times.size and sample_times[next_sample[n]] <= stop
            at = sample_times[next_sample[n]] if sampled else stop
            s = at - t
            value = u[n]
            if s > 0.0 and not clamped:
                value = (x * math.exp(-p[RATE_M] * s) + j_exc * phi(s, p[RATE_M], p[RATE_E])
                         + j_inh * phi(s, p[RATE_M], p[RATE_I]) + p[U_INF])
                if fires and at == stop:
                    value = p[THRESHOLD]
            decay_exc, decay_inh = math.exp(-p[RATE_E] * s), math.exp(-p[RATE_I] * s)
            if not sampled:
                break
            if columns[0, n] >= 0:
                out_u[next_sample[n], columns[0, n]] = value
            if columns[1, n] >= 0:
                out_exc[next_sample[n], columns[1, n]] = i_exc[n] * decay_exc
            if columns[2, n] >= 0:
                out_inh[next_sample[n], columns[2, n]] = i_inh[n] * decay_inh
            next_sample[n] += 1
        u[n] = value
        i_exc[n] *= decay_exc
        i_inh[n] *= decay_inh
        t = stop
        if fires and stop < until:  # a spike at `until` itself: what arrives there is delivered first, and not before a sample
            u[n] = p[RESET]
            clamped_until[n] = stop + p[TAU_REFRAC]
            next_spike[n] += 1
        elif t >= until:
            return


@njit(cache=True, error_model="numpy")
def trace(event_times, event_rows, inhibitory, row_start, targets, weights,
          event_amplitudes, currents, reached_start, reached, reaching_start, reaching, t, t_stop,
          u, i_exc, i_inh, clamped_until, parameters, spikes, spike_start,
          sample_times, columns, out_u, out_exc, out_inh):
    """What neurons pass at `sample_times` in [t, t_stop], given their state at t, input, and spikes.

    spikes[spike_start[n]:spike_start[n + 1]] are those of neuron n. columns (3, neurons): where u (mV above v_rest), i_exc and
    i_inh of a neuron go in out_u, out_exc and out_inh (samples, recorded neurons); -1 for nowhere. A sample is the limit
    from the left: what arrives at its very time is not yet in it, and a neuron that fires there is at threshold.
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
            begin, end = spike_start[n], spike_start[n + 1]
            _follow(n, now[n], until, u, i_exc, i_inh, clamped_until, table[n], spikes[begin:end], end - begin, next_spike,
                    sample_times, next_sample, columns, out_u, out_exc, out_inh)
            now[n] = until
            if at_end:
                continue
            if source >= 0:
                _inject(n, table, own, currents, reaching_start, reaching)
            elif inhibitory[row]:
                i_inh[n] += weights[c]
            else:
                i_exc[n] += weights[c]
