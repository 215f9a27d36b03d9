"""One cell of `cells` from event to event: steps, spikes, refractoriness, and what it passes at given times."""

import math
from typing import NamedTuple

import numpy as np

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
from ttfs_pynn.integration.polynomials import NOWHERE, first_upcrossing, value
from ttfs_pynn.membrane.compiling import inlined

__all__ = ["Kind", "Recorded", "Work", "advance", "fire"]


class Kind(NamedTuple):
    """What all cells of a group share. kind: LIF, ADEX or IZHIKEVICH. channels: how many conductances. alpha: whether they are
    alpha functions. tolerance: of a step, in mV."""

    kind: int
    channels: int
    alpha: bool
    tolerance: float


class Work(NamedTuple):
    """Memory: polynomials of `cells.step`, and of `polynomials.first_upcrossing`."""

    c: np.ndarray
    stack: np.ndarray


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


@inlined
def fire(n, t, kind, state, clamped_until, p):
    """Neuron n spikes at t."""
    state[n, V] = p[n, RESET]
    if kind.kind != LIF:
        state[n, W] += p[n, JUMP]
    for c in range(kind.channels):
        state[n, G + c] += p[n, JUMPS + c]
    clamped_until[n] = t + p[n, TAU_REFRAC]


@inlined
def advance(n, t, until, closed, kind, state, clamped_until, p, work, recorded):
    """Carry neuron n from t until it fires or until `until`. Returns (time, whether it fires there); a time of NaN says that
    floats of time are too coarse. What is recorded at `until` is noted if closed."""
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
