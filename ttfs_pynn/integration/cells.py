"""Cells without a closed form: what their rows hold, and their membrane from one event to the next as a polynomial.

    cm dv/dt = g_leak (e_leak - v) + sum_c g_c(t) (e_c - v) + i + g_leak delta exp((v - v_t)/delta) - w
    tau_w dw/dt = a (v - e_leak) - w

The exponential term and w belong to ADEX alone. IZHIKEVICH has no conductances, and arrivals move v:

    dv/dt = 0.04 v^2 + 5 v + 140 - w + i/cm,    dw/dt = a (b v - w)

Without input a conductance is g_c(t) = (g_c + y_c t) exp(-t/tau_c); an arrival
adds to g_c where synapses decay exponentially, to y_c where they are alpha functions. Units: ms, mV, nF, nA, uS.

Membranes are Taylor polynomials in x = time/h, 0 <= x <= 1, of a degree that follows the tolerance: terms are computed until two
of them in a row are below it; where MOST terms do not do, h is shortened. Nothing is assumed about h otherwise.
"""

import math

import numpy as np

from ttfs_pynn.integration.polynomials import MOST
from ttfs_pynn.membrane.compiling import inlined

__all__ = ["ADEX", "IZHIKEVICH", "LIF", "N_CHANNELS", "N_PARAMETERS", "N_STATE", "decay", "decay_clamped", "step", "step_room"]

LIF, ADEX, IZHIKEVICH = range(3)  # kinds of cells
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
B = V_T  # of IZHIKEVICH, which has no V_T
N_PARAMETERS = REVERSAL + N_CHANNELS

# Rows of `step_room` besides V and W: series of all conductances together, and of the exponential; present terms of the series of
# each conductance.
_CONDUCTANCE, _STEEP, _TERMS = range(2, 5)
_SHARE = np.array([1.0, *1.0 / np.arange(1, MOST + 2)])  # 1/k
_LONGEST = 4.0  # of the shortest time constant, at most: longer steps would only be shortened again


@inlined
def step_room():
    """Memory for `step`."""
    return np.empty((5, MOST + 2))


@inlined
def _longest_step(n, n_channels, alpha, steep, state, p):
    """ms; steep: the exponential term in units of delta, of g_leak."""
    fastest = p[n, G_LEAK] * (1.0 + steep)
    for c in range(n_channels):
        fastest += abs(state[n, G + c])
    fastest /= p[n, CM]
    for c in range(n_channels):
        if state[n, G + c] != 0.0:
            fastest = max(fastest, p[n, RATE + c])
        if alpha and state[n, Y + c] != 0.0:
            fastest = max(fastest, p[n, RATE + c], math.sqrt(abs(state[n, Y + c]) / p[n, CM]))
    return _LONGEST / max(fastest, p[n, RATE_W])


@inlined
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


@inlined
def _step_of_izhikevich(n, h, tolerance, state, p, c):
    """`step` for IZHIKEVICH."""
    h = min(h, _LONGEST / (abs(0.08 * state[n, V] + 5.0) + 0.5 + p[n, A]))
    constant, small = 140.0 + p[n, CURRENT] / p[n, CM], 0
    c[V, 0], c[W, 0] = state[n, V], state[n, W]
    for k in range(MOST):
        total = 0.0
        for j in range(k + 1):
            total += c[V, j] * c[V, k - j]
        total = 0.04 * total + 5.0 * c[V, k] - c[W, k]
        if k == 0:
            total += constant
        c[V, k + 1] = total * h * _SHARE[k + 1]
        c[W, k + 1] = p[n, A] * (p[n, B] * c[V, k] - c[W, k]) * h * _SHARE[k + 1]
        small = small + 1 if abs(c[V, k + 1]) < tolerance and abs(c[W, k + 1]) < tolerance else 0
        if small == 2:
            return k + 1, h
    return MOST, _shortened(c, 2, MOST, h, tolerance)


@inlined
def step(kind, n, n_channels, alpha, h, tolerance, state, p, c):
    """(degree, h): the polynomials c[V] and c[W] of neuron n from now on, for at most h (ms). tolerance: mV, of each step.
    alpha: whether conductances are alpha functions."""
    if kind == IZHIKEVICH:
        return _step_of_izhikevich(n, h, tolerance, state, p, c)
    steep = math.exp((state[n, V] - p[n, V_T]) / p[n, DELTA]) if kind == ADEX else 0.0
    h = min(h, _longest_step(n, n_channels, alpha, steep, state, p))
    inverse, leak, small = h / p[n, CM], p[n, G_LEAK] * p[n, DELTA], 0
    c[V, 0], c[W, 0], c[_STEEP, 0] = state[n, V], state[n, W], steep
    # Terms of the series of two conductances in registers; those of others, and the rises of alpha functions, in c.
    rate_0, rate_1, reversal_0, reversal_1 = -p[n, RATE] * h, -p[n, RATE + 1] * h, p[n, REVERSAL], p[n, REVERSAL + 1]
    term_0, term_1 = state[n, G], state[n, G + 1]
    rise_0, rise_1 = state[n, Y] * h, state[n, Y + 1] * h
    for channel in range(2, n_channels):
        c[_TERMS, channel] = state[n, G + channel]
    for k in range(MOST):
        share = _SHARE[k + 1]
        conductance, total = term_0 + term_1, term_0 * reversal_0 + term_1 * reversal_1
        term_0 *= rate_0 * share
        term_1 *= rate_1 * share
        if alpha and k > 0:
            conductance += rise_0 + rise_1
            total += rise_0 * reversal_0 + rise_1 * reversal_1
            rise_0 *= rate_0 * _SHARE[k]
            rise_1 *= rate_1 * _SHARE[k]
        for channel in range(2, n_channels):
            conductance += c[_TERMS, channel]
            total += c[_TERMS, channel] * p[n, REVERSAL + channel]
            c[_TERMS, channel] *= -p[n, RATE + channel] * h * share
        if k == 0:
            conductance += p[n, G_LEAK]
            total += p[n, G_LEAK] * p[n, E_LEAK] + p[n, CURRENT]
        c[_CONDUCTANCE, k] = conductance
        for j in range(k + 1):
            total -= c[_CONDUCTANCE, j] * c[V, k - j]
        if kind == ADEX:
            total += leak * c[_STEEP, k] - c[W, k]
        c[V, k + 1] = total * inverse * share
        done = abs(c[V, k + 1]) < tolerance
        if kind == ADEX:
            pulled = p[n, A] * c[V, k] - c[W, k]
            if k == 0:
                pulled -= p[n, A] * p[n, E_LEAK]
            c[W, k + 1] = pulled * h * p[n, RATE_W] * share
            total = 0.0
            for j in range(k + 1):
                total += (j + 1) * c[V, j + 1] * c[_STEEP, k - j]
            c[_STEEP, k + 1] = total * share / p[n, DELTA]
            done &= abs(c[W, k + 1]) * inverse < tolerance
        small = small + 1 if done else 0
        if small == 2:
            return k + 1, h
    return MOST, _shortened(c, 2 if kind == ADEX else 1, MOST, h, tolerance)


@inlined
def decay(n, n_channels, alpha, s, state, p):
    """Carry the conductances of neuron n over s ms."""
    for c in range(n_channels):
        g, y = state[n, G + c], state[n, Y + c]
        if g == 0.0 and y == 0.0:
            continue
        kept = math.exp(-p[n, RATE + c] * s)
        state[n, G + c] = (g + y * s) * kept if alpha else g * kept
        state[n, Y + c] = y * kept


@inlined
def decay_clamped(kind, n, n_channels, alpha, s, state, p):
    """Carry neuron n, whose membrane is held, over s ms."""
    decay(n, n_channels, alpha, s, state, p)
    if kind == ADEX:
        limit = p[n, A] * (state[n, V] - p[n, E_LEAK])
        state[n, W] = limit + (state[n, W] - limit) * math.exp(-p[n, RATE_W] * s)
