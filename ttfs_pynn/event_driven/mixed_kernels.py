"""All-to-all connections onto neurons with time constants of their own, as a chip's are: event by event, all neurons at once.

An event is followed by a short time s of a time constant, in which, with d = r_s - r_m,

    exp(-r_m s) = 1 - r_m s G(r_m s),  exp(-r_s s) = exp(-r_m s) (1 - d s G(d s)),  phi(s) = s exp(-r_m s) G(d s),
    G(z) = (1 - exp(-z)) / z = 1 - z/2! + z^2/3! - ...,

and G is a polynomial to within rounding, which the processor evaluates for several neurons at a time. A neuron that may reach
threshold in that time, or whose refractoriness ends in it, is carried through it by `kernels.advance_neuron`.
"""

import numpy as np
from numba import njit, prange

from ttfs_pynn.event_driven.kernels import INVERSE_CM, RATE_E, RATE_I, RATE_M, U_INF, advance_neuron, to_threshold
from ttfs_pynn.membrane.threads import on_threads

__all__ = ["run_mixed"]

_TILE = 128
_SHORT, _LONG = 0.03, 0.25  # r s up to which `_g7` and `_g11` are exact: 0.03^8 / 9! = 2e-18, 0.25^12 / 13! = 1e-17


@njit(cache=True, error_model="numpy", inline="always")
def _g7(z):
    return 1 + z * (-1 / 2 + z * (1 / 6 + z * (-1 / 24 + z * (1 / 120 + z * (-1 / 720 + z * (1 / 5040 - z / 40320))))))


@njit(cache=True, error_model="numpy", inline="always")
def _g11(z):
    tail = 1 / 5040 + z * (-1 / 40320 + z * (1 / 362880 + z * (-1 / 3628800 + z * (1 / 39916800 - z / 479001600))))
    return 1 + z * (-1 / 2 + z * (1 / 6 + z * (-1 / 24 + z * (1 / 120 + z * (-1 / 720 + z * tail)))))


@njit(cache=True, error_model="numpy")
def _close(now, until, x, theta, clamped, new, chosen):
    """Fill chosen with the neurons that must be walked from now to until, given bounds in new[3]; returns how many."""
    n_chosen = 0
    for n in range(x.shape[0]):
        walked = clamped[n] < until and (clamped[n] > now or new[3, n] >= theta[n])
        new[0, n] = x[n] if clamped[n] >= until else new[0, n]
        new[3, n] = 1.0 if walked else 0.0
        n_chosen += walked
    if n_chosen:
        n_chosen = 0
        for n in range(x.shape[0]):
            chosen[n_chosen] = n
            n_chosen += new[3, n] > 0.0
    return n_chosen


@njit(cache=True, error_model="numpy", inline="always")
def _moved(x, exc, inh, decay, decay_e, decay_i, scale, g_e, g_i):
    """Membrane and currents after an event's span, and a bound of the membrane until then."""
    up, down = exc * scale * g_e, inh * scale * g_i
    usual = max(exc * scale * max(g_e, g_i) + down, 0.0)
    bound = max(x, 0.0) + (usual if exc >= 0.0 >= inh else max(up, 0.0) + max(down, 0.0))
    return x * decay + up + down, exc * decay * decay_e, inh * decay * decay_i, bound


@njit(cache=True, error_model="numpy")
def _short(span, x, exc, inh, rates, new):
    for n in range(x.shape[0]):
        a, e, i = rates[0, n] * span, rates[1, n] * span, rates[2, n] * span
        decay, g_e, g_i = 1.0 - a * _g7(a), _g7(e), _g7(i)
        new[0, n], new[1, n], new[2, n], new[3, n] = _moved(x[n], exc[n], inh[n], decay, 1.0 - e * g_e, 1.0 - i * g_i,
                                                            rates[3, n] * span * decay, g_e, g_i)


@njit(cache=True, error_model="numpy")
def _longer(span, x, exc, inh, rates, new):
    for n in range(x.shape[0]):
        a, e, i = rates[0, n] * span, rates[1, n] * span, rates[2, n] * span
        decay, g_e, g_i = 1.0 - a * _g11(a), _g11(e), _g11(i)
        new[0, n], new[1, n], new[2, n], new[3, n] = _moved(x[n], exc[n], inh[n], decay, 1.0 - e * g_e, 1.0 - i * g_i,
                                                            rates[3, n] * span * decay, g_e, g_i)


@njit(cache=True, error_model="numpy")
def _tile(first, last, event_times, event_rows, inhibitory, weights, partner, t, t_stop,
          u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    """`run_mixed` for neurons first to last - 1."""
    size = last - first
    x, exc, inh, clamped = np.empty(size), i_exc[first:last], i_inh[first:last], clamped_until[first:last]
    rates, theta, new, chosen = np.empty((4, size)), np.empty(size), np.empty((4, size)), np.empty(size, dtype=np.int64)
    fastest = 0.0
    for n in range(size):
        p = parameters[first + n]
        rates[0, n], rates[1, n], rates[2, n] = p[RATE_M], p[RATE_E] - p[RATE_M], p[RATE_I] - p[RATE_M]
        rates[3, n] = p[INVERSE_CM]
        theta[n], x[n] = to_threshold(p), u[first + n] - p[U_INF]
        fastest = max(fastest, p[RATE_M], p[RATE_E], p[RATE_I])
    now = t
    for k in range(event_times.shape[0] + 1):
        until = max(now, event_times[k]) if k < event_times.shape[0] else t_stop
        span = until - now
        if span > 0.0:
            n_chosen = size
            if span * fastest <= _LONG:
                if span * fastest <= _SHORT:
                    _short(span, x, exc, inh, rates, new)
                else:
                    _longer(span, x, exc, inh, rates, new)
                n_chosen = _close(now, until, x, theta, clamped, new, chosen)
            for c in range(n_chosen):
                n = chosen[c] if n_chosen < size else c
                u[first + n] = x[n] + parameters[first + n, U_INF]
                if not advance_neuron(first + n, now, until, u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
                    return False
                new[0, n], new[1, n], new[2, n] = u[first + n] - parameters[first + n, U_INF], exc[n], inh[n]
            x[:], exc[:], inh[:] = new[0], new[1], new[2]
            now = until
        if k < event_times.shape[0]:
            row = event_rows[k]
            while row >= 0:
                current = inh if inhibitory[row] else exc
                own = weights[row][first:last]
                for n in range(size):
                    current[n] += own[n]
                row = partner[row] if row == event_rows[k] else -1
    for n in range(size):
        u[first + n] = x[n] + parameters[first + n, U_INF]
    return True


@njit(cache=True, parallel=True, error_model="numpy")
def _threaded(event_times, event_rows, inhibitory, weights, partner, t, t_stop,
              u, i_exc, i_inh, clamped_until, parameters, out_times, noted):
    n_parts = (u.shape[0] + _TILE - 1) // _TILE
    finite = np.ones(n_parts, dtype=np.bool_)
    for part in prange(n_parts):
        finite[part] = _tile(part * _TILE, min((part + 1) * _TILE, u.shape[0]), event_times, event_rows, inhibitory, weights,
                             partner, t, t_stop, u, i_exc, i_inh, clamped_until, parameters, out_times, noted)
    return finite.all()


def run_mixed(event_times, event_rows, inhibitory, weights, partner, t, t_stop, u, *state):
    """As `block_kernels.run_blocks`, for neurons of any parameters."""
    arguments = (event_times, event_rows, inhibitory, weights, partner, t, t_stop, u, *state)
    if on_threads(event_times.size * u.size):
        return _threaded(*arguments)
    return all(_tile(at, min(at + _TILE, u.size), *arguments) for at in range(0, u.size, _TILE))
