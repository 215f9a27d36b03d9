"""One cell of `cells` from event to event: steps, spikes, refractoriness, and what it passes at given times."""

import math
from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from ttfs_pynn.integration.cells import (
    DETECT,
    E_LEAK,
    JUMP,
    JUMPS,
    LIF,
    RATE,
    RATE_W,
    RESET,
    TAU_REFRAC,
    A,
    G,
    V,
    W,
    Y,
    decay,
    decay_clamped,
    step,
)
from ttfs_pynn.integration.hodgkin_huxley import H, M, N
from ttfs_pynn.integration.hodgkin_huxley import step as gated_step
from ttfs_pynn.integration.polynomials import NOWHERE, first_upcrossing, value
from ttfs_pynn.membrane.compiling import inlined

__all__ = ["Gated", "Kind", "Recorded", "Work", "advance", "fire"]

_INLINED = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}


class Kind(NamedTuple):
    """What all cells of a group share. kind: LIF, ADEX or IZHIKEVICH. channels: how many conductances. alpha: whether they are
    alpha functions. tolerance: of a step, in mV."""

    kind: int
    channels: int
    alpha: bool
    tolerance: float


class Gated(NamedTuple):
    """In place of Kind for HH_cond_exp: of another type, so that loops are compiled for it apart."""

    kind: int
    channels: int
    alpha: bool
    tolerance: float


class Work(NamedTuple):
    """Memory: polynomials of `cells.step`, and of `polynomials.first_upcrossing`; stages of `hodgkin_huxley.step`."""

    c: np.ndarray
    stack: np.ndarray
    stages: np.ndarray


class Recorded(NamedTuple):
    """What is noted at times (ms): columns (variables, neurons) say where in tables (variables, times, recorded neurons) the
    state variable `places[k]` of a neuron goes, -1 for nowhere; next (neurons,): the first time not noted yet."""

    times: np.ndarray
    places: np.ndarray
    columns: np.ndarray
    tables: np.ndarray
    next: np.ndarray


@inlined
def _note(n, t, stop, closed, degree, h, kind, state, p, c, recorded):
    """Note neuron n at the times before `stop`, at it too if closed; t: now. degree: of its polynomials, 0: it is held."""
    while recorded.next[n] < recorded.times.shape[0]:
        k = recorded.next[n]
        at = recorded.times[k]
        if at > stop or (at == stop and not closed):
            return
        s = max(at - t, 0.0)
        for variable in range(recorded.places.shape[0]):
            column, place = recorded.columns[variable, n], recorded.places[variable]
            if column < 0:
                continue
            if place == V or place == W:
                if degree > 0:
                    found = value(c, place, degree, min(s / h, 1.0)) if place == V or kind.kind != LIF else 0.0
                elif place == V:
                    found = state[n, V]
                else:
                    limit = p[n, A] * (state[n, V] - p[n, E_LEAK])
                    found = limit + (state[n, W] - limit) * math.exp(-p[n, RATE_W] * s)
            else:
                found = (state[n, place] + state[n, place + Y - G] * s) * math.exp(-p[n, RATE + place - G] * s)
            recorded.tables[variable, k, column] = found
        recorded.next[n] += 1


def fire(n, t, kind, state, clamped_until, p):
    """Neuron n spikes at t."""
    raise NotImplementedError("for compiled code")


def advance(n, t, until, closed, kind, state, clamped_until, p, work, recorded):
    """Carry neuron n from t until it fires or until `until`. Returns (time, whether it fires there); a time of NaN says that
    floats of time are too coarse. What is recorded at `until` is noted if closed."""
    raise NotImplementedError("for compiled code")


def _is_gated(kind):
    return isinstance(kind, types.NamedTuple) and kind.instance_class is Gated


@overload(fire, jit_options=_INLINED)
def _fire_of(n, t, kind, state, clamped_until, p):
    return _go_on if _is_gated(kind) else _reset


@overload(advance, jit_options=_INLINED)
def _advance_of(n, t, until, closed, kind, state, clamped_until, p, work, recorded):
    return _advance_gated if _is_gated(kind) else _advance_reset


def _go_on(n, t, kind, state, clamped_until, p):
    pass


def _reset(n, t, kind, state, clamped_until, p):
    state[n, V] = p[n, RESET]
    if kind.kind != LIF:
        state[n, W] += p[n, JUMP]
    for c in range(kind.channels):
        state[n, G + c] += p[n, JUMPS + c]
    clamped_until[n] = t + p[n, TAU_REFRAC]


def _advance_reset(n, t, until, closed, kind, state, clamped_until, p, work, recorded):
    c = work.c
    while True:
        if clamped_until[n] > t:
            stop = min(clamped_until[n], until)
            _note(n, t, stop, closed and stop == until, 0, 1.0, kind, state, p, c, recorded)
            decay_clamped(kind.kind, n, kind.channels, kind.alpha, stop - t, state, p)
            t = stop
        if not t < until:
            return until, False
        if state[n, V] >= p[n, DETECT]:
            return t, True
        remaining = until - t
        degree, h = step(kind.kind, n, kind.channels, kind.alpha, remaining, kind.tolerance, state, p, c)
        x = first_upcrossing(c, degree, p[n, DETECT], work.stack)
        if x != NOWHERE:
            s = x * h
            at = t + s
            if at < until:
                _note(n, t, at, True, degree, h, kind, state, p, c, recorded)
                state[n, V] = p[n, DETECT]
                if kind.kind != LIF:
                    state[n, W] = value(c, W, degree, x)
                decay(n, kind.channels, kind.alpha, s, state, p)
                return at, True
        stop = until if h >= remaining else t + h
        if not stop > t:
            return math.nan, False
        _note(n, t, stop, closed and stop == until, degree, h, kind, state, p, c, recorded)
        state[n, V] = value(c, V, degree, 1.0)
        if kind.kind != LIF:
            state[n, W] = value(c, W, degree, 1.0)
        decay(n, kind.channels, kind.alpha, stop - t, state, p)
        t = stop


def _advance_gated(n, t, until, closed, kind, state, clamped_until, p, work, recorded):
    c = work.c
    while True:
        if not t < until:
            return until, False
        remaining, above = until - t, state[n, V] >= p[n, DETECT]
        degree, h = gated_step(n, remaining, kind.tolerance, state, p, c, work.stages)
        if not h > 0.0:
            return math.nan, False
        # From above, where it falls through the threshold: the same of the polynomial turned round.
        sign = -1.0 if above else 1.0
        for k in range(degree + 1):
            c[0, k] *= sign
        x = first_upcrossing(c, degree, sign * p[n, DETECT], work.stack)
        for k in range(degree + 1):
            c[0, k] *= sign
        crosses = x != NOWHERE and t + x * h < until
        x = x if crosses else 1.0
        stop = t + x * h if crosses else until if h >= remaining else t + h
        if not stop > t and not crosses:
            return math.nan, False
        _note(n, t, stop, crosses or (closed and stop == until), degree, h, kind, state, p, c, recorded)
        state[n, V], state[n, M], state[n, H], state[n, N] = (value(c, 0, degree, x), value(c, 1, degree, x),
                                                              value(c, 2, degree, x), value(c, 3, degree, x))
        decay(n, kind.channels, kind.alpha, stop - t, state, p)
        t = stop
        if crosses:
            # The next step has to know on which side it begins.
            level = p[n, DETECT]
            state[n, V] = level + (-1e-12 if above else 1e-12) * (1.0 + abs(level))
            if not above:
                return t, True
