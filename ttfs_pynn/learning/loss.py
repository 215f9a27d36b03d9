"""Losses on the first-spike times of the label layer.

Each is called with times (samples, classes) in ms, inf where silent, and labels (samples,), and returns the loss of every sample
(samples,) and its derivative (samples, classes) in 1/ms, which is 0 for silent neurons: they have no time to change.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

__all__ = ["MeanSquaredError", "PairwiseDifference", "TimeToFirstSpike", "predict"]


def predict(times: ArrayLike) -> np.ndarray:
    """The class of each sample: the label neuron that spikes first, -1 where none does (which is never right)."""
    times = np.asarray(times)
    return np.where(np.isfinite(times).any(axis=1), times.argmin(axis=1), -1)


def _checked(times: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    times, labels = np.asarray(times, dtype=float), np.asarray(labels)
    if times.ndim != 2 or labels.shape != times.shape[:1]:
        raise ValueError(f"times of shape {times.shape} and labels of shape {labels.shape}; expected (samples, classes) and "
                         "(samples,)")
    if labels.size and not (0 <= labels.min() and labels.max() < times.shape[1]):
        raise ValueError(f"labels from {labels.min()} to {labels.max()} for {times.shape[1]} classes")
    return times, labels, np.arange(labels.size)


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < np.inf:
            raise ValueError(f"{name} = {value} must be positive and finite")


def _increasing(**values: float) -> None:
    """ValueError unless each value is above the one before."""
    for (name, value), (before, lower) in zip(list(values.items())[1:], values.items(), strict=False):
        if not lower < value:
            raise ValueError(f"{name} = {value} must be above {before} = {lower}: else the loss asks for wrong answers")


def _not_negative(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} = {value} must be zero or more, and finite")


@dataclass(frozen=True)
class TimeToFirstSpike:
    """The paper's loss (Göltz, Kriener et al. 2021), t* the time of the right label neuron:

        L = ln sum_n exp( -(t_n - m_n - t*)/(xi tau_syn) ) + alpha ( exp( t*/(beta tau_syn) ) - 1 )

    m_n = margin tau_syn of a wrong neuron, which counts as if it spiked so much earlier, and 0 of the right one; the paper has no
    margin. Where the right neuron is silent L is `silent_loss` and has no derivative, as in the paper; with t_silent (tau_syn) it
    counts as one that spikes then, so that wrong neurons are told to spike later.
    """

    tau_syn: float
    xi: float = 0.2
    alpha: float = 0.005
    beta: float = 1.0
    silent_loss: float = 100.0
    margin: float = 0.0
    t_silent: float | None = None

    def __post_init__(self) -> None:
        _positive(tau_syn=self.tau_syn, xi=self.xi, beta=self.beta)
        _not_negative(alpha=self.alpha, silent_loss=self.silent_loss, margin=self.margin)
        if self.t_silent is not None:
            _positive(t_silent=self.t_silent)

    @property
    def latest(self) -> float:
        """The latest time, in tau_syn, for which the loss asks; 0 for none."""
        return 0.0

    def __call__(self, times: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        times, labels = _checked(times, labels)[:2]
        loss, slope = np.empty(len(times)), np.empty(times.shape)
        t_silent = math.inf if self.t_silent is None else self.t_silent * self.tau_syn
        _first_spike_loss(times, labels, 1 / (self.xi * self.tau_syn), self.alpha, 1 / (self.beta * self.tau_syn),
                          self.silent_loss, self.margin * self.tau_syn, t_silent, loss, slope)
        return loss, slope


@njit(cache=True, error_model="numpy")
def _first_spike_loss(times, labels, rate, alpha, late_rate, silent_loss, margin, t_silent, loss, slope):
    """Fill loss (samples,) and slope (samples, classes) of `TimeToFirstSpike`; rates in 1/ms, margin and t_silent in ms."""
    for s in range(times.shape[0]):
        right, first, total = times[s, labels[s]], math.inf, 0.0
        silent = right == math.inf
        if silent:
            right = t_silent
        for n in range(times.shape[1]):
            slope[s, n] = 0.0
            first = min(first, right if n == labels[s] else times[s, n] - margin)
        if right == math.inf:
            loss[s] = silent_loss
            continue
        for n in range(times.shape[1]):
            slope[s, n] = math.exp(-rate * ((right if n == labels[s] else times[s, n] - margin) - first))
            total += slope[s, n]
        late = math.exp(late_rate * right)
        loss[s] = math.log(total) + rate * (right - first) + alpha * (late - 1.0)
        for n in range(times.shape[1]):
            slope[s, n] *= -rate / total
        slope[s, labels[s]] = 0.0 if silent else slope[s, labels[s]] + rate + alpha * late_rate * late


@dataclass(frozen=True)
class PairwiseDifference:
    """Every wrong neuron should spike `difference` tau_syn after the right one:

        L = 1/2 sum_{n != n*} ( (t_n - t*)/tau_syn - difference )^2

    A silent neuron counts as one that spikes at t_silent tau_syn, later than the difference. one_sided: only wrong neurons that
    spike earlier than that cost something; those that are right by more are left where they are.
    """

    tau_syn: float
    difference: float = 0.2
    t_silent: float = 4.0
    one_sided: bool = False

    def __post_init__(self) -> None:
        _positive(tau_syn=self.tau_syn)
        _not_negative(difference=self.difference, t_silent=self.t_silent)
        if self.difference == 0:
            raise ValueError("difference = 0 asks for wrong neurons that spike with the right one; give a positive one")
        _increasing(difference=self.difference, t_silent=self.t_silent)
        if not isinstance(self.one_sided, bool | np.bool_):
            raise ValueError(f"one_sided = {self.one_sided!r} must be true or false")

    @property
    def latest(self) -> float:
        """The latest time, in tau_syn, for which the loss asks: of a wrong neuron, were the right one at 0."""
        return self.difference

    def __call__(self, times: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        times, labels = _checked(times, labels)[:2]
        loss, slope = np.empty(len(times)), np.empty(times.shape)
        _pairwise_loss(times, labels, self.tau_syn, self.difference, self.t_silent, self.one_sided, loss, slope)
        return loss, slope


@njit(cache=True, error_model="numpy")
def _pairwise_loss(times, labels, tau_syn, difference, t_silent, one_sided, loss, slope):
    """Fill loss (samples,) and slope (samples, classes) of `PairwiseDifference`."""
    for s in range(times.shape[0]):
        right = times[s, labels[s]] / tau_syn if times[s, labels[s]] < math.inf else t_silent
        squares = total = 0.0
        for n in range(times.shape[1]):
            spikes = times[s, n] < math.inf
            gap = 0.0 if n == labels[s] else (times[s, n] / tau_syn if spikes else t_silent) - right - difference
            if one_sided:
                gap = min(gap, 0.0)
            squares += gap ** 2
            total += gap / tau_syn
            slope[s, n] = gap / tau_syn if spikes else 0.0
        loss[s] = 0.5 * squares
        if times[s, labels[s]] < math.inf:
            slope[s, labels[s]] = -total


@dataclass(frozen=True)
class MeanSquaredError:
    """L = 1/2 sum_n ( t_n/tau_syn - target_n )^2, target t_right for the right neuron, t_wrong for the others (in tau_syn).

    A silent neuron counts as one that spikes at t_silent tau_syn. ValueError unless t_right < t_wrong < t_silent.
    """

    tau_syn: float
    t_right: float = 1.6
    t_wrong: float = 1.9
    t_silent: float = 4.0

    def __post_init__(self) -> None:
        _positive(tau_syn=self.tau_syn)
        _not_negative(t_right=self.t_right, t_wrong=self.t_wrong, t_silent=self.t_silent)
        _increasing(t_right=self.t_right, t_wrong=self.t_wrong, t_silent=self.t_silent)

    @property
    def latest(self) -> float:
        """The latest time, in tau_syn, for which the loss asks."""
        return self.t_wrong

    def __call__(self, times: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        times, labels, rows = _checked(times, labels)
        t = np.where(np.isfinite(times), times / self.tau_syn, self.t_silent)
        gap = t - self.t_wrong
        gap[rows, labels] = t[rows, labels] - self.t_right
        return 0.5 * (gap ** 2).sum(axis=1), np.where(np.isfinite(times), gap / self.tau_syn, 0.0)
