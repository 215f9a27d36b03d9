"""Compiled step of `windows`, eight neurons at a time: who stays below threshold in a window is carried to its end.

The sums of `window_arrivals` carry a neuron to the end of the window. From the same sums follows who may have reached threshold
on the way:

    dx/ds <= P,  dx/ds >= -Q - r_m x,      x = u - u_inf,

P all positive currents over cm, Q all negative ones: those at the begin, and those that arrive, no larger than what is left of
them at the end divided by the decay of a whole window. x can reach theta at s only if x(0) + P s >= theta, and come back to x(h)
only if x(h) + Q (h - s) >= theta. There is such an s in the window only if theta - x(0) <= P h, theta - x(h) <= Q h, and the two
parts of h together are no more than h: (theta - x(0)) Q + (theta - x(h)) P <= P Q h. All others are settled. (What the leak does
to x(0) < 0 and to theta > 0 on the way is taken into account as if it had the whole window.)
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ttfs_pynn.event_driven.kernels import (
    DECAY_E,
    DECAY_I,
    DECAY_U,
    EXC_BY_INH,
    INH_BY_EXC,
    N_FACTORS,
    PHI_E,
    PHI_I,
    RATE_E,
    RATE_I,
    RATE_M,
    REACH,
    window_factors,
)
from ttfs_pynn.membrane.lane_rows import columns
from ttfs_pynn.membrane.lanes import LANES, absolute, bits, fma, load, lowest, mask_of, maximum, minimum, select, splat_32, store

__all__ = ["N_WINDOW", "Neurons", "Window", "settle", "window_of"]

_DOUBT = 1e-9  # of potentials: far more than rounding, and it costs only a replay
_ROUNDED = 1e-14  # of u_inf, which potentials are counted from
_FADING = 10.0  # what a current that is so much faster than the membrane leaves at the end of a window is rounding: no bound
_BEFORE_E, _BEFORE_I = N_FACTORS, N_FACTORS + 1
N_WINDOW = N_FACTORS + 2


class Neurons(NamedTuple):
    """State and parameters of `kernels`, each with room for whole lanes; theta: threshold minus u_inf. What is beyond the last
    neuron never fires."""

    u: np.ndarray
    i_exc: np.ndarray
    i_inh: np.ndarray
    clamped_until: np.ndarray
    u_inf: np.ndarray
    theta: np.ndarray
    inverse_cm: np.ndarray


class Window(NamedTuple):
    """What a window's length makes of the state: arrays of `size` floats one after the other in `factors`, those of neuron n at
    step * n; step is 0 where all neurons share them. The first N_FACTORS are those of `window_factors`, but the inverse of
    EXC_BY_INH and of INH_BY_EXC, then come 1 / DECAY_E and 1 / DECAY_I, NaN where they bound nothing.
    """

    factors: np.ndarray
    size: int
    step: int


@njit(cache=True, error_model="numpy")
def window_of(span, rates, kind, factors):
    """The Window of a length (ms); factors: its array, of n N_WINDOW floats, written."""
    by_kind = np.empty((rates.shape[0], N_FACTORS))
    window_factors(span, rates, by_kind)
    step = 1 if rates.shape[0] > 1 else 0
    size = factors.size // N_WINDOW
    for n in range(size):
        q = kind[n] if step and n < kind.size else 0
        for f in range(N_FACTORS):
            factors[f * size + n] = by_kind[q, f]
        factors[EXC_BY_INH * size + n] = 1.0 / by_kind[q, EXC_BY_INH]
        factors[INH_BY_EXC * size + n] = 1.0 / by_kind[q, INH_BY_EXC]
        faster_e, faster_i = rates[q, RATE_E] - rates[q, RATE_M], rates[q, RATE_I] - rates[q, RATE_M]
        factors[_BEFORE_E * size + n] = 1.0 / by_kind[q, DECAY_E] if faster_e * span < _FADING else np.nan
        factors[_BEFORE_I * size + n] = 1.0 / by_kind[q, DECAY_I] if faster_i * span < _FADING else np.nan
    return Window(factors, size, step)


@njit(cache=True, error_model="numpy", inline="always")
def _bounds(e, i, exc, inh, against, e_share, i_share, e_before, i_before):
    """(P, Q) times cm: the largest sum of positive and of negative currents in a window that begins with e and i.

    Of two currents of opposite signs the one that decays faster takes away the less the later it is: `share` of it is left
    beside the other at the end. before: by how much more of an arrival there was than is left.
    """
    against = against * maximum(e_before, i_before)
    e_up, e_down, i_up, i_down = maximum(e, 0.0), minimum(e, 0.0), maximum(i, 0.0), minimum(i, 0.0)
    up = maximum(e_up + i_up + fma(e_down, e_share, i_down * i_share), 0.0)
    down = minimum(e_down + i_down + fma(e_up, e_share, i_up * i_share), 0.0)
    up = up + fma(maximum(exc, 0.0), e_before, maximum(inh, 0.0) * i_before) + against
    down = down + fma(minimum(exc, 0.0), e_before, minimum(inh, 0.0) * i_before) - against
    return up, 0.0 - down


@njit(cache=True, error_model="numpy", inline="always")
def _surely_below(x, new, theta, doubt, up, down, decay, reach, span):
    """Where x, which is `new` at the end, stays below theta: see the head of this file. NaN is no certainty."""
    to_rise = theta - maximum(x, x * decay) - doubt
    to_fall = minimum(theta, theta * decay) - new - doubt
    return ((up * reach < to_rise) | (down * span < to_fall)
            | (fma(to_rise, down, to_fall * up) > up * down * span))


@njit(cache=True, error_model="numpy")
def settle(begin, end, sums, window, neurons, bitmap, chosen):
    """Carry all neurons to `end` that surely do not fire; mark the others in `bitmap` and list them in `chosen`. Returns how
    many. Sums are 0 again afterwards."""
    f, size = window.factors, window.size
    span = end - begin
    n_chosen = 0
    for n in range(0, chosen.size, LANES):
        exc, membrane, inh, against = columns(sums, n)
        store(sums, 4 * n, splat_32(0.0))
        at = window.step * n
        decay, decay_e, decay_i = load(f, at + DECAY_U * size), load(f, at + DECAY_E * size), load(f, at + DECAY_I * size)
        u_inf, theta, inverse_cm = load(neurons.u_inf, n), load(neurons.theta, n), load(neurons.inverse_cm, n)
        u, e, i = load(neurons.u, n), load(neurons.i_exc, n), load(neurons.i_inh, n)
        clamped_until = load(neurons.clamped_until, n)
        x = u - u_inf
        response = fma(e, load(f, at + PHI_E * size), fma(i, load(f, at + PHI_I * size), membrane))
        new = fma(x, decay, response * inverse_cm)
        up, down = _bounds(e, i, exc, inh, against, load(f, at + INH_BY_EXC * size), load(f, at + EXC_BY_INH * size),
                           load(f, at + _BEFORE_E * size), load(f, at + _BEFORE_I * size))
        doubt = (absolute(x) + absolute(theta) + absolute(new)) * _DOUBT + absolute(u_inf) * _ROUNDED
        inverse_cm = inverse_cm * (1.0 + _DOUBT)
        below = bits(_surely_below(x, new, theta, doubt, up * inverse_cm, down * inverse_cm, decay,
                                   load(f, at + REACH * size), span))
        held = bits(clamped_until >= end)
        replayed = ~held & (~below | ~bits(clamped_until <= begin)) & 255
        kept = mask_of(replayed)
        store(neurons.u, n, select(mask_of(replayed | held), u, new + u_inf))
        store(neurons.i_exc, n, select(kept, e, fma(e, decay_e, exc)))
        store(neurons.i_inh, n, select(kept, i, fma(i, decay_i, inh)))
        while replayed:
            lane = n + lowest(replayed)
            replayed &= replayed - 1
            chosen[n_chosen] = lane
            bitmap[lane >> 5] |= np.int32(1 << (lane & 31))
            n_chosen += 1
    return n_chosen
