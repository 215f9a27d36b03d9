"""Cells with conductances: what their rows hold, and their membrane from one event to the next as a polynomial.

    cm dv/dt = g_leak (e_leak - v) + sum_c g_c(t) (e_c - v) + i + g_leak delta exp((v - v_t)/delta) - w
    tau_w dw/dt = a (v - e_leak) - w

The exponential term and w belong to ADEX alone. Without input a conductance is g_c(t) = (g_c + y_c t) exp(-t/tau_c); an arrival
adds to g_c where synapses decay exponentially, to y_c where they are alpha functions. Units: ms, mV, nF, nA, uS.

Membranes are Taylor polynomials in x = time/h, 0 <= x <= 1, of a degree that follows the tolerance: terms are computed until two
of them in a row are below it; where MOST terms do not do, h is shortened. Nothing is assumed about h otherwise.
"""

import math

import numpy as np

from ttfs_pynn.integration.polynomials import MOST
from ttfs_pynn.membrane.compiling import inner

__all__ = ["ADEX", "LIF", "N_CHANNELS", "N_PARAMETERS", "N_STATE", "decay", "decay_clamped", "step", "step_room"]

LIF, ADEX = range(2)  # kinds of cells
N_CHANNELS = 4  # conductances of a cell, at most

# A row of the state.
V, W, G = 0, 1, 2
Y = G + N_CHANNELS
N_STATE = Y + N_CHANNELS
# A row of parameters. DETECT: where a spike is found. TAU_REFRAC is where `event_driven.kernels` has it, too. JUMP: of w at a
# spike, JUMPS: of each conductance. RATE: 1/tau of each conductance, REVERSAL its reversal potential.
CM, G_LEAK, E_LEAK, CURRENT, DETECT, RESET, TAU_REFRAC, A, JUMP, DELTA, V_T, RATE_W, JUMPS = range(13)
RATE = JUMPS + N_CHANNELS
REVERSAL = RATE + N_CHANNELS
N_PARAMETERS = REVERSAL + N_CHANNELS

_LONGEST = 4.0  # of the shortest time constant, at most: longer steps would only be shortened again


@inner
def step_room():
    """Memory for `step`: polynomials of v and w; series of the conductances, of their currents at v = 0, of the exponential."""
    return np.empty((5, MOST + 2))


@inner
def _longest_step(kind, n, n_channels, state, p):
    fastest = p[n, G_LEAK]
    for c in range(n_channels):
        fastest += abs(state[n, G + c])
    fastest /= p[n, CM]
    for c in range(n_channels):
        fastest = max(fastest, p[n, RATE + c])
        if state[n, Y + c] != 0.0:
            fastest = max(fastest, math.sqrt(abs(state[n, Y + c]) / p[n, CM]))
    if kind == ADEX:
        steep = math.exp((state[n, V] - p[n, V_T]) / p[n, DELTA])
        fastest = max(fastest + p[n, G_LEAK] / p[n, CM] * steep, p[n, RATE_W])
    return _LONGEST / fastest


@inner
def _shortened(c, rows, degree, h, tolerance):
    """h, and the polynomials with it, such that the last terms are at the tolerance."""
    last = before = 0.0
    for row in range(rows):
        last, before = max(last, abs(c[row, degree])), max(before, abs(c[row, degree - 1]))
    share = 1.0
    if last > 0.0:
        share = min(share, (tolerance / last) ** (1.0 / degree))
    if before > 0.0:
        share = min(share, (tolerance / before) ** (1.0 / (degree - 1)))
    share = min(0.9 * share, 1.0)
    factor = 1.0
    for k in range(1, degree + 1):
        factor *= share
        for row in range(rows):
            c[row, k] *= factor
    return h * share


@inner
def step(kind, n, n_channels, alpha, h, tolerance, state, p, c):
    """(degree, h): the polynomials c[V] and c[W] of neuron n from now on, for at most h (ms). tolerance: mV, of each step.
    alpha: whether conductances are alpha functions."""
    h = min(h, _longest_step(kind, n, n_channels, state, p))
    conductance, driven, steep = 2, 3, 4
    inverse = h / p[n, CM]
    c[V, 0], c[W, 0] = state[n, V], state[n, W]
    if kind == ADEX:
        c[steep, 0] = math.exp((state[n, V] - p[n, V_T]) / p[n, DELTA])
    for k in range(MOST + 1):
        c[conductance, k] = c[driven, k] = 0.0
    c[conductance, 0] = p[n, G_LEAK]
    c[driven, 0] = p[n, G_LEAK] * p[n, E_LEAK] + p[n, CURRENT]
    for channel in range(n_channels):
        rate, reversal = -p[n, RATE + channel] * h, p[n, REVERSAL + channel]
        term, grown = state[n, G + channel], state[n, Y + channel] * h
        if term == 0.0 and grown == 0.0:
            continue
        for k in range(MOST):
            added = term
            if alpha and k > 0:
                added += grown
                grown *= rate / k
            c[conductance, k] += added
            c[driven, k] += added * reversal
            term *= rate / (k + 1)
    leak, small = p[n, G_LEAK] * p[n, DELTA], 0
    for k in range(MOST):
        total = c[driven, k]
        for j in range(k + 1):
            total -= c[conductance, j] * c[V, k - j]
        if kind == ADEX:
            total += leak * c[steep, k] - c[W, k]
        c[V, k + 1] = total * inverse / (k + 1)
        done = abs(c[V, k + 1]) < tolerance
        if kind == ADEX:
            pulled = p[n, A] * c[V, k] - c[W, k]
            if k == 0:
                pulled -= p[n, A] * p[n, E_LEAK]
            c[W, k + 1] = pulled * h * p[n, RATE_W] / (k + 1)
            total = 0.0
            for j in range(k + 1):
                total += (j + 1) * c[V, j + 1] * c[steep, k - j]
            c[steep, k + 1] = total / (p[n, DELTA] * (k + 1))
            done &= abs(c[W, k + 1]) * inverse < tolerance
        small = small + 1 if done else 0
        if small == 2:
            return k + 1, h
    return MOST, _shortened(c, 2 if kind == ADEX else 1, MOST, h, tolerance)


@inner
def decay(n, n_channels, alpha, s, state, p):
    """Carry the conductances of neuron n over s ms."""
    for c in range(n_channels):
        g, y = state[n, G + c], state[n, Y + c]
        if g == 0.0 and y == 0.0:
            continue
        kept = math.exp(-p[n, RATE + c] * s)
        state[n, G + c] = (g + y * s) * kept if alpha else g * kept
        state[n, Y + c] = y * kept


@inner
def decay_clamped(kind, n, n_channels, alpha, s, state, p):
    """Carry neuron n, whose membrane is held, over s ms."""
    decay(n, n_channels, alpha, s, state, p)
    if kind == ADEX:
        limit = p[n, A] * (state[n, V] - p[n, E_LEAK])
        state[n, W] = limit + (state[n, W] - limit) * math.exp(-p[n, RATE_W] * s)
