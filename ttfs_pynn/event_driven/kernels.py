"""Compiled loops that carry a group of neurons through its input events.

The state of neuron n is `u[n]` (mV, membrane minus v_rest), `i_exc[n]`, `i_inh[n]` (nA) and `clamped_until[n]` (ms).
`parameters[n]` is a row (RATE_M, RATE_E, RATE_I, INVERSE_CM, THRESHOLD, RESET, TAU_REFRAC, U_INF), the voltages relative to
v_rest. Spikes go to `out_times`: those of neuron n from the place `noted[n, FIRST]` on, no more than `noted[n, ROOM]`;
`noted[n, COUNT]` counts them all, and a caller who had too little room repeats the call on the saved state. A kernel returns
False where a neuron fires without end. Neurons are independent of each other, so threads split them and the number of
threads changes no bit.

An event at the very time of a crossing is delivered after the spike.
"""

import math

import numpy as np
from numba import njit, prange

from ttfs_pynn.membrane.compiling import inner
from ttfs_pynn.membrane.interval import SHORT, extremum, first_crossing, phi, phi_ratio, responses, short_responses
from ttfs_pynn.membrane.threads import on_threads

RATE_M, RATE_E, RATE_I, INVERSE_CM, THRESHOLD, RESET, TAU_REFRAC, U_INF = range(8)
N_PARAMETERS = 8
EXCITATORY, INHIBITORY, SIGNED = range(3)  # which current a row feeds; SIGNED: that of the sign of each weight
COUNT, ROOM, FIRST = range(3)
# Of window_factors: decay of u, exc, inh; phi exc, inh; by how much exc outlasts inh, and the reverse; largest phi.
N_FACTORS = 8
DECAY_U, DECAY_E, DECAY_I, PHI_E, PHI_I, EXC_BY_INH, INH_BY_EXC, REACH = range(N_FACTORS)
NO_DISTANCE = 1e-300  # see `distance_to`
MOST_SPIKES = 2**20  # of one neuron in one call; more is a neuron whose interspike interval is lost in rounding
_CHUNK = 32
_FORGOTTEN = 138.0  # time constants after which a current is 1e-60 of what it was


@njit(cache=True, error_model="numpy")
def window_factors(span, rates, factors):
    """For rates (kinds, 3) of membrane and the two currents: what an interval without input makes of u and the currents.

    factors (kinds, N_FACTORS), written: EXC_BY_INH is max(1, exp((rate_i - rate_e) span)).
    """
    for k in range(rates.shape[0]):
        rate_m, rate_e, rate_i = rates[k]
        phi_e, phi_i = phi(span, rate_m, rate_e), phi(span, rate_m, rate_i)
        factors[k, DECAY_U] = math.exp(-rate_m * span)
        factors[k, DECAY_E] = math.exp(-rate_e * span)
        factors[k, DECAY_I] = math.exp(-rate_i * span)
        factors[k, PHI_E], factors[k, PHI_I] = phi_e, phi_i
        factors[k, EXC_BY_INH] = max(1.0, math.exp((rate_i - rate_e) * span))
        factors[k, INH_BY_EXC] = max(1.0, math.exp((rate_e - rate_i) * span))
        factors[k, REACH] = max(phi(min(span, extremum(0.0, 1.0, rate_m, rate_e)), rate_m, rate_e),
                            phi(min(span, extremum(0.0, 1.0, rate_m, rate_i)), rate_m, rate_i))


@njit(cache=True, error_model="numpy", inline="always")
def distance_to(threshold, u_inf):
    """Threshold minus the value that u tends to (mV). Where they are the same, u never arrives: NO_DISTANCE stands for 0 then,
    which an x that has decayed to 0 does not reach."""
    distance = threshold - u_inf
    return distance if distance != 0.0 else NO_DISTANCE


@njit(cache=True, error_model="numpy", inline="always")
def to_threshold(p):
    """`distance_to` of a row of parameters."""
    return distance_to(p[THRESHOLD], p[U_INF])


@njit(cache=True, error_model="numpy", inline="always")
def kept_below(u, threshold, u_inf):
    """u of a neuron that has not reached threshold, also where it rounds to it: near a limit that is threshold, for example."""
    return u if u < threshold else threshold - 1e-15 * (abs(threshold) + abs(u_inf))


@inner
def _may_reach(x, j_exc, j_inh, theta, rate_m, rate_exc, rate_inh, span):
    """False where x(s) stays below theta for certain: without input x decays, phi has one maximum, and the ratio of two phi is
    monotone."""
    top_exc = phi(min(span, extremum(0.0, 1.0, rate_m, rate_exc)), rate_m, rate_exc)
    top_inh = phi(min(span, extremum(0.0, 1.0, rate_m, rate_inh)), rate_m, rate_inh)
    if max(x, 0.0) + max(j_exc, 0.0) * top_exc + max(j_inh, 0.0) * top_inh < theta:
        return False
    if (j_exc > 0.0) == (j_inh > 0.0):
        return True
    if j_exc > 0.0:
        ratio = phi_ratio(span, rate_m, rate_exc, rate_inh)
        return not max(x, 0.0) + max(j_exc * max(1.0, ratio) + j_inh, 0.0) * top_inh < theta
    ratio = phi_ratio(span, rate_m, rate_inh, rate_exc)
    return not max(x, 0.0) + max(j_inh * max(1.0, ratio) + j_exc, 0.0) * top_exc < theta


@njit(cache=True, error_model="numpy", inline="always")
def decayed_currents(span, i_exc, i_inh, rate_e, rate_i):
    """(exc, inh) after a span."""
    decay = math.exp(-rate_e * span)
    return i_exc * decay, i_inh * (decay if rate_i == rate_e else math.exp(-rate_i * span))


@inner
def spike_or_end(t, t_stop, u, i_exc, i_inh, clamped_until,
                 rate_m, rate_e, rate_i, inverse_cm, threshold, reset, tau_refrac, u_inf):
    """(time, u, i_exc, i_inh, clamped_until) of one neuron without input at its first spike before t_stop, or at t_stop: inf.

    Numbers in, numbers out: arrays as arguments cost more than this does where no spike is near.
    """
    if clamped_until > t and t < t_stop:
        until = min(clamped_until, t_stop)
        i_exc, i_inh = decayed_currents(until - t, i_exc, i_inh, rate_e, rate_i)
        t = until
    if not t < t_stop:
        return math.inf, u, i_exc, i_inh, clamped_until
    span = t_stop - t
    x = u - u_inf
    theta = distance_to(threshold, u_inf)
    j_exc, j_inh = i_exc * inverse_cm, i_inh * inverse_cm
    s = 0.0
    if x < theta:
        s = math.inf
        reach = min(span, 1.0 / max(rate_m, min(rate_e, rate_i)))  # phi is below both
        if max(x, 0.0) + (max(j_exc, 0.0) + max(j_inh, 0.0)) * reach >= theta and (
                j_inh == 0.0 or _may_reach(x, j_exc, j_inh, theta, rate_m, rate_e, rate_i, span)):
            s = first_crossing(x, j_exc, j_inh, theta, rate_m, rate_e, rate_i, span)
    t_spike = t + s
    if t_spike < t_stop:
        # not s: late, times are coarse, and the currents are to go with them
        i_exc, i_inh = decayed_currents(t_spike - t, i_exc, i_inh, rate_e, rate_i)
        return t_spike, reset, i_exc, i_inh, t_spike + tau_refrac
    # Inputs that coincide but for a clock's tick are common on a chip.
    short = span * max(rate_m, rate_e, rate_i) <= SHORT
    decay_m, decay_s, response = short_responses(span, rate_m, rate_e) if short else responses(span, rate_m, rate_e)
    u = x * decay_m + j_exc * response + u_inf
    i_exc *= decay_s
    if rate_i != rate_e:
        _, decay_s, response = short_responses(span, rate_m, rate_i) if short else responses(span, rate_m, rate_i)
    u += j_inh * response
    i_inh *= decay_s
    # Reached at t_stop itself: the spike belongs to what follows.
    u = kept_below(u, threshold, u_inf) if s == math.inf else max(u, threshold)
    return math.inf, u, i_exc, i_inh, clamped_until


@inner
def next_spike(n, t, t_stop, u, i_exc, i_inh, clamped_until, parameters):
    """Carry neuron n without input from t to its first spike before t_stop, whose time is returned, or to t_stop: inf."""
    time, u[n], i_exc[n], i_inh[n], clamped_until[n] = spike_or_end(
        t, t_stop, u[n], i_exc[n], i_inh[n], clamped_until[n],
        parameters[n, RATE_M], parameters[n, RATE_E], parameters[n, RATE_I], parameters[n, INVERSE_CM],
        parameters[n, THRESHOLD], parameters[n, RESET], parameters[n, TAU_REFRAC], parameters[n, U_INF])
    return time


@inner
def note_spike(n, t, out_times, noted):
    """Neuron n fires at t. False where it does so without end."""
    count = noted[n, COUNT]
    if count < noted[n, ROOM]:
        out_times[noted[n, FIRST] + count] = t
    noted[n, COUNT] = count + 1
    return count < MOST_SPIKES


@njit(cache=True, error_model="numpy")
def blank(room):
    """(noted, out_times) for room[n] spikes of neuron n."""
    noted, first = np.empty((room.size, 3), dtype=np.int64), 0
    for n in range(room.size):
        noted[n, COUNT], noted[n, ROOM], noted[n, FIRST] = 0, room[n], first
        first += room[n]
    return noted, np.empty(first)


@njit(cache=True, error_model="numpy")
def fits(noted):
    """Whether there was room for every spike."""
    lacking = 0
    for n in range(noted.shape[0]):
        lacking += noted[n, COUNT] > noted[n, ROOM]
    return lacking == 0


@njit(cache=True, error_model="numpy")
def noted_spikes(noted, out_times):
    """(start, index, time) of all spikes, neuron by neuron: start[n] to start[n + 1] - 1 are those of neuron n."""
    start = np.empty(noted.shape[0] + 1, dtype=np.int64)
    start[0] = 0
    for n in range(noted.shape[0]):
        start[n + 1] = start[n] + noted[n, COUNT]
    index, time = np.empty(start[-1], dtype=np.int64), np.empty(start[-1])
    for n in range(noted.shape[0]):
        for k in range(noted[n, COUNT]):
            index[start[n] + k], time[start[n] + k] = n, out_times[noted[n, FIRST] + k]
    return start, index, time


@inner
def rows_left(event_times, rows, n_rows, t_stop, rate_s):
    """(rows, left): which rows the events before t_stop are of, and for each, how much is left of a current of 1 from all of its
    events together. Events whose current is below 1e-60 of the latest event's are left out."""
    n_events = rows.shape[0]
    left, used = np.zeros(n_rows), np.empty(n_events, dtype=np.int64)
    n_used = 0
    for k in range(n_events - 1, -1, -1):
        if (event_times[n_events - 1] - event_times[k]) * rate_s > _FORGOTTEN:
            break
        row = rows[k]
        if left[row] == 0.0:
            used[n_used] = row
            n_used += 1
        left[row] += math.exp(-rate_s * (t_stop - event_times[k]))
    return used[:n_used], left


@inner
def advance_neuron(n, t, t_stop, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    """Carry neuron n from t to t_stop without input. False where it fires without end."""
    while True:
        t = next_spike(n, t, t_stop, u, i_exc, i_inh, clamped_until, parameters)
        if t == math.inf:
            return True
        if not note_spike(n, t, out_times, noted):
            return False


@njit(cache=True, error_model="numpy")
def _all_to_all_part(first, last, event_times, event_rows, inhibitory, weights, t, t_stop,
                     u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    """`run_all_to_all` for neurons first to last - 1."""
    n_events = event_times.shape[0]
    rate_m = parameters[0, RATE_M]
    rate_s = parameters[0, RATE_E]
    highest = extremum(0.0, 1.0, rate_m, rate_s)
    now = t
    for k in range(n_events + 1):
        until = event_times[k] if k < n_events else t_stop
        if until > now:
            span = until - now
            decay_m, decay_s = math.exp(-rate_m * span), math.exp(-rate_s * span)
            response, reach = phi(span, rate_m, rate_s), phi(min(span, highest), rate_m, rate_s)
            for n in range(first, last):
                x = u[n] - parameters[n, U_INF]
                j = (i_exc[n] + i_inh[n]) * parameters[n, INVERSE_CM]
                if clamped_until[n] <= now and (max(x, 0.0) + max(j, 0.0) * reach
                                                < to_threshold(parameters[n])):
                    u[n] = x * decay_m + j * response + parameters[n, U_INF]
                    i_exc[n] *= decay_s
                    i_inh[n] *= decay_s
                elif clamped_until[n] >= until:
                    i_exc[n] *= decay_s
                    i_inh[n] *= decay_s
                elif not advance_neuron(n, now, until, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
                    return False
            now = until
        if k < n_events:
            row = event_rows[k]
            if inhibitory[row]:
                for n in range(first, last):
                    i_inh[n] += weights[row, n]
            else:
                for n in range(first, last):
                    i_exc[n] += weights[row, n]
    return True


@njit(cache=True, parallel=True, error_model="numpy")
def _run_all_to_all_threaded(event_times, event_rows, inhibitory, weights, t, t_stop,
                             u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    n_neurons = u.shape[0]
    n_parts = (n_neurons + _CHUNK - 1) // _CHUNK
    finite = np.ones(n_parts, dtype=np.bool_)
    for part in prange(n_parts):
        finite[part] = _all_to_all_part(part * _CHUNK, min((part + 1) * _CHUNK, n_neurons), event_times, event_rows, inhibitory,
                                        weights, t, t_stop, u, i_exc, i_inh, clamped_until, parameters, out_times, noted)
    return finite.all()


def run_all_to_all(event_times, event_rows, inhibitory, weights, t, t_stop, u, *state):
    """Neurons that share tau_m and tau_syn_E = tau_syn_I and hear every event: exponentials are computed once an event.

    weights (rows, neurons) in nA; inhibitory (rows,) tells the current that a row feeds. A neuron is looked at closely only
    where a cheap upper bound of its membrane reaches threshold, or where it is or was clamped.
    """
    arguments = (event_times, event_rows, inhibitory, weights, t, t_stop, u, *state)
    if on_threads(event_times.size * u.size):
        return _run_all_to_all_threaded(*arguments)
    return _all_to_all_part(0, u.size, *arguments)


@njit(cache=True, error_model="numpy")
def run_sparse(event_times, event_rows, inhibitory, row_start, targets, weights, t, t_stop,
               u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    """Any neurons, any connections: row r reaches targets[row_start[r]:row_start[r + 1]] with the weights at the same place.

    A neuron is carried forward only when an event reaches it, and at the end.
    """
    now = np.full(u.shape[0], t)
    for k in range(event_times.shape[0]):
        row = event_rows[k]
        for c in range(row_start[row], row_start[row + 1]):
            if weights[c] == 0.0:  # of signed weights in two projections, every other one
                continue
            n = targets[c]
            # An arrival one ulp before t (a delay that is the step of a cycle, rounded) counts as one at t.
            until = max(now[n], event_times[k])
            if not advance_neuron(n, now[n], until, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
                return False
            now[n] = until
            if inhibitory[row]:
                i_inh[n] += weights[c]
            else:
                i_exc[n] += weights[c]
    for n in range(u.shape[0]):
        if not advance_neuron(n, now[n], t_stop, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
            return False
    return True
