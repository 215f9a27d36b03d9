"""Neurons that hear each other: against the event-driven simulator, the equations of a fixed point, and differences."""

import numba
import numpy as np
import pytest

from tests.first_spike.sparse import alone_times, parameters
from ttfs_pynn.event_driven.core import EventDrivenNetwork, Synapses
from ttfs_pynn.event_driven.groups import LIFGroup
from ttfs_pynn.event_driven.spike_sources import SpikeSourceGroup
from ttfs_pynn.first_spike import (
    Rows,
    recurrent_first_spike_times,
    recurrent_vector_jacobian_product,
    rows_first_spike_times,
    rows_vector_jacobian_product,
)
from ttfs_pynn.membrane import threads
from ttfs_pynn.neuron import LIFParameters

N, COLUMNS = 12, 10


def population(seed, delays="each", spikes=None, n_samples=25, inhibition=3.0, excitation=1.5):
    """(t_in, w, rows, recurrent (synapses,) bool, rng): every neuron hears 6 columns, all neurons, and one of them twice."""
    rng = np.random.default_rng(seed)
    column = np.concatenate([np.r_[rng.integers(0, COLUMNS, 6), COLUMNS + np.arange(N), COLUMNS + rng.integers(N)]
                             for _ in range(N)])
    rows = Rows(np.arange(N + 1) * (6 + N + 1), column, np.empty(0))
    recurrent = column >= COLUMNS
    if delays != "none":
        least = {"each": 0.1, "some zero": 0.0}[delays]
        rows = rows._replace(delay=np.maximum(rng.uniform(-1.0, 3.0, column.size), least))
    w = np.where(recurrent, np.where(rng.random(column.size) < 0.6, -inhibition, excitation) * rng.uniform(0.5, 1, column.size),
                 rng.normal(2.5, 2.0, column.size))
    shape = (n_samples, COLUMNS) if spikes is None else (n_samples, COLUMNS, spikes)
    t_in = rng.uniform(0, 20, shape)
    t_in[rng.random(shape) < (0.2 if spikes is None else 0.6)] = np.inf
    return t_in, w, rows, recurrent, rng


def simulated(t_in, w, rows, neuron):
    """First spikes of one sample, from the event-driven simulator."""
    t_in = t_in[:, None] if t_in.ndim == 1 else t_in
    network, sources = EventDrivenNetwork(), SpikeSourceGroup(len(t_in))
    trains = [np.sort(times[np.isfinite(times)]) for times in t_in]
    sources.set_spike_times(np.concatenate(trains), np.concatenate([[0], np.cumsum([t.size for t in trains])]))
    given = neuron.to_pynn() | dict(tau_refrac=1e6)
    group = LIFGroup(N, {name: given[name] for name in LIFGroup.PARAMETERS})
    network.add_group(sources)
    network.add_group(group)
    post = np.repeat(np.arange(N), np.diff(rows.start))
    for pre, base in ((sources, 0), (group, len(t_in))):
        mine = (rows.column >= len(t_in)) == (pre is group)
        network.add_synapses(Synapses(pre, group, "excitatory", rows.column[mine] - base, post[mine], w[mine],
                                      rows.delay[mine] if rows.delay.size else 0.0))
    index, time = network.advance(500.0)[group]
    out = np.full(N, np.inf)
    out[index] = time
    assert np.unique(index).size == index.size
    return out


@pytest.mark.parametrize("spikes", [None, 3])
@pytest.mark.parametrize("kind", ["equal", "unequal", "short", "mixed"])
def test_times_are_those_of_the_simulator(kind, spikes):
    """Which takes no cycle without a delay."""
    t, w, rows, recurrent, rng = population(1, spikes=spikes)
    neuron = parameters(kind, N, rng)
    found = recurrent_first_spike_times(t, w, rows, neuron)
    expected = np.array([simulated(sample, w, rows, neuron) for sample in t])
    spiking = np.isfinite(expected)
    assert spiking.sum() > 60 and (~spiking).sum() > 40
    np.testing.assert_array_equal(np.isfinite(found), spiking)
    # errors of a flat crossing pass on to later ones
    assert np.abs(found[spiking] - expected[spiking]).max() < 1e-8
    assert np.median(np.abs(found[spiking] - expected[spiking])) < 1e-12
    without = recurrent_first_spike_times(t, np.where(recurrent, 0.0, w), rows, neuron)
    changed = ~np.isclose(without, found, rtol=0, atol=1e-3)
    assert changed.sum() > 40 and np.isfinite(found[changed]).sum() > 15


def alone_by_others(t, t_out, w, rows, neuron):
    post = np.repeat(np.arange(t_out.shape[1]), np.diff(rows.start))
    return alone_times(np.c_[t, t_out], np.where(rows.column == t.shape[1] + post, 0.0, w), rows, neuron)


@pytest.mark.parametrize("delays", ["none", "some zero", "each"])
@pytest.mark.parametrize("kind", ["equal", "nearly equal", "no leak", "mixed"])
def test_times_solve_their_own_equations(kind, delays):
    """Given the spikes of all others as inputs, every neuron alone spikes when it does here."""
    t, w, rows, _, rng = population(2, delays)
    neuron = parameters(kind, N, rng)
    found = recurrent_first_spike_times(t, w, rows, neuron)
    expected = alone_by_others(t, found, w, rows, neuron)
    spiking = np.isfinite(expected)
    assert spiking.sum() > 60 and (~spiking).sum() > 10
    np.testing.assert_array_equal(np.isfinite(found), spiking)
    assert np.abs(found[spiking] - expected[spiking]).max() < 1e-9


def test_many_neurons_without_delays_end():
    """All to all, inhibition and excitation, everything at once."""
    rng, n = np.random.default_rng(3), 60
    rows = Rows(np.arange(n + 1) * (n + 1), np.concatenate([np.r_[0, 1 + np.arange(n)] for _ in range(n)]), np.empty(0))
    for w_in in (np.full(n, 6.0), rng.normal(6, 1, n)):  # all spike at the same time; one after the other
        w = np.concatenate([np.r_[w_in[k], rng.normal(-0.3, 0.5, n)] for k in range(n)])
        found = recurrent_first_spike_times(np.zeros((1, 1)), w, rows, LIFParameters())
        assert np.isfinite(found).sum() > 5
        np.testing.assert_allclose(found, alone_by_others(np.zeros((1, 1)), found, w, rows, LIFParameters()), atol=1e-9)
    first = recurrent_first_spike_times(np.zeros((1, 1)), np.where(rows.column == 0, 6.0, -9.0), rows, LIFParameters())
    assert np.isfinite(first).all() and (first == first[0, 0]).all()  # an arrival at the very time is no cause


def test_the_winner_takes_all():
    rows = Rows([0, 2, 4], [0, 3, 1, 2], [0.0, 0.5, 0.0, 0.5])  # 2 and 3: the neurons
    w = [9.0, -20.0, 9.0, -20.0]
    found = recurrent_first_spike_times([[0.0, 5.0], [5.0, 0.0], [0.0, 0.1], [np.inf, 0.0]], w, rows, LIFParameters())
    np.testing.assert_array_equal(np.isfinite(found), [[1, 0], [0, 1], [1, 1], [0, 1]])


def test_nothing_after_the_deadline():
    t, w, rows, _, rng = population(4, "each")
    every = recurrent_first_spike_times(t, w, rows, LIFParameters())
    until = recurrent_first_spike_times(t, w, rows, LIFParameters(), deadline=12.0)
    assert np.isfinite(until).sum() > 40 and (every[np.isfinite(every)] > 12).sum() > 10
    np.testing.assert_array_equal(until, np.where(every <= 12, every, np.inf))


def test_without_recurrent_synapses_it_is_the_population_by_rows():
    t, w, rows, _, rng = population(5, "each")
    keep = rows.column < COLUMNS
    rows, w = Rows(np.arange(N + 1) * 6, rows.column[keep], rows.delay[keep]), w[keep]
    t_out, error = rows_first_spike_times(t, w, rows, LIFParameters()), rng.normal(size=(len(t), N))
    np.testing.assert_allclose(recurrent_first_spike_times(t, w, rows, LIFParameters()), t_out, rtol=1e-11)
    expected = rows_vector_jacobian_product(t, w, rows, t_out, error, LIFParameters(), 0.3)
    found = recurrent_vector_jacobian_product(t, w, rows, t_out, error, LIFParameters(), 0.3)
    assert expected[3] > 5
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


def clear_samples(t, w, rows, t_out, neuron):
    """Samples in which no neuron is flat at its spike, nor hears an input within 0.01 ms of it, nor nearly spikes."""
    clear = np.ones(len(t), dtype=bool)
    for sample in range(len(t)):
        times = np.r_[t[sample].reshape(COLUMNS, -1), np.c_[t_out[sample], np.full((N, t[sample].size // COLUMNS - 1), np.inf)]]
        for n in np.flatnonzero(np.isfinite(t_out[sample])):
            part = slice(rows.start[n], rows.start[n + 1])
            arrivals = times[rows.column[part]] + (rows.delay[part, None] if rows.delay.size else 0.0)
            ago = np.where(arrivals < t_out[sample, n], t_out[sample, n] - arrivals, 0.0)
            rise = (w[part, None] * np.where(ago > 0, neuron.one(n).kernel_derivative(ago), 0.0)).sum()
            apart = np.abs(arrivals - t_out[sample, n])
            clear[sample] &= rise > 0.3 and (apart[apart > 0].min() > 0.01 or not rows.delay.size)
    return clear


@pytest.mark.parametrize("kind, delays, spikes", [("equal", "each", None), ("unequal", "some zero", 2), ("mixed", "each", 2),
                                                  ("mixed", "some zero", None)])
def test_central_differences(kind, delays, spikes):
    """Of every weight, delay and input time; a step of 1e-5 (nA, ms) of scale 1, errors as in test_rows. The inhibitory recurrent
    ones, which act on neurons that spike all the same, are looked at by themselves."""
    t, w, rows, recurrent, rng = population(6, delays, spikes, n_samples=60)
    neuron = parameters(kind, N, rng)
    clear = clear_samples(t, w, rows, recurrent_first_spike_times(t, w, rows, neuron), neuron)
    t = t[clear]
    t_out = recurrent_first_spike_times(t, w, rows, neuron)
    assert len(t) > 10
    error = np.where(np.isfinite(t_out), rng.normal(size=t_out.shape), 0.0)

    def loss(t, w, delay):
        out = recurrent_first_spike_times(t, w, rows._replace(delay=delay), neuron)
        np.testing.assert_array_equal(np.isfinite(out), np.isfinite(t_out))
        return np.sum(error[error != 0] * out[error != 0])

    dw, dt, dd, dropped = recurrent_vector_jacobian_product(t, w, rows, t_out, error, neuron)
    assert dropped == 0
    by_kind = {}
    for k, found in ((1, dw), (2, dd), (0, dt)):
        places = [p for p in np.ndindex(*found.shape) if k or np.isfinite(t[p])]
        places = places if k else places[::5]
        numeric = []
        for place in places:
            if k == 2 and rows.delay[place] < 1e-4:
                numeric.append(np.nan)  # cannot be less
                continue
            values = []
            for sign in (1, -1):
                given = [t.copy(), w.copy(), rows.delay.copy()]
                given[k][place] += sign * 1e-5
                values.append(loss(*given))
            numeric.append((values[0] - values[1]) / 2e-5)
        numeric, analytic = np.array(numeric), np.array([found[p] for p in places])
        known = np.isfinite(numeric)
        by_kind[k] = analytic
        assert np.abs(analytic - numeric)[known].max() <= 1e-5 * np.abs(analytic).max()
        assert (analytic[known] != 0).mean() > 1 / 3
    inhibitory = recurrent & (w < 0)
    for k in (1, 2):
        assert (by_kind[k][inhibitory] != 0).mean() > 1 / 3 and (by_kind[k][recurrent & (w > 0)] != 0).mean() > 1 / 3
    assert np.abs(dw[inhibitory]).max() > 1e-2 * np.abs(dw).max()


def test_large_contributions_are_dropped_but_the_error_passes():
    t, w, rows, recurrent, rng = population(7)
    t_out = recurrent_first_spike_times(t, w, rows, LIFParameters())
    error = rng.normal(size=t_out.shape)
    every = recurrent_vector_jacobian_product(t, w, rows, t_out, error, LIFParameters())
    some = recurrent_vector_jacobian_product(t, w, rows, t_out, error, LIFParameters(), 1.0)
    assert every[3] == 0 and some[3] > 20
    np.testing.assert_array_equal(every[1], some[1])
    assert np.abs(some[0]).sum() < np.abs(every[0]).sum() and np.abs(some[2]).sum() < np.abs(every[2]).sum()
    one = recurrent_vector_jacobian_product(t[:1], w, rows, t_out[:1], error[:1], LIFParameters(), 0.0)
    assert not one[0].any() and not one[2].any() and one[1].any()


@pytest.mark.parametrize("delays", ["none", "each"])
def test_same_bits_for_any_number_of_threads(monkeypatch, delays):
    t, w, rows, _, rng = population(8, delays)
    error = rng.normal(size=(len(t), N))

    def both():
        t_out = recurrent_first_spike_times(t, w, rows, LIFParameters())
        return t_out, *recurrent_vector_jacobian_product(t, w, rows, t_out, error, LIFParameters(), 1.0)

    expected = both()
    assert np.isfinite(expected[0]).sum() > 50
    monkeypatch.setattr(threads, "PARALLEL_FROM", 0)
    for count in {1, numba.config.NUMBA_NUM_THREADS}:
        numba.set_num_threads(count)
        for one, other in zip(both(), expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("gap", [1e3, 7.46e3, 1e6])
def test_long_gaps(gap):
    rows, w = Rows([0, 2, 4], [0, 2, 1, 3], np.array([0.0, gap, 0.0, 0.0])), np.array([9.0, 9.0, 0.1, 9.0])  # 2: of neuron 0
    rows = rows._replace(column=np.array([0, 3, 1, 2]), delay=np.array([0.0, 0.0, 0.0, gap]))
    found = recurrent_first_spike_times([[0.0, 0.0]], w, rows, LIFParameters())[0]
    alone = rows_first_spike_times([[0.0]], [9.0], Rows([0, 1], [0], np.empty(0)), LIFParameters())[0, 0]
    np.testing.assert_allclose(found, [alone, 2 * alone + gap], rtol=1e-14)


def test_empty_and_bad_input():
    rows = Rows([0, 2], [0, 1], np.empty(0))  # 1: itself
    assert recurrent_first_spike_times(np.empty((0, 1)), [9.0, 1.0], rows, LIFParameters()).shape == (0, 1)
    assert np.isinf(recurrent_first_spike_times([[np.inf]], [9.0, 1.0], rows, LIFParameters())).all()
    with pytest.raises(ValueError, match="rows.column holds 2; there are columns 0 to 1"):
        recurrent_first_spike_times([[0.0]], [9.0, 1.0], Rows([0, 2], [0, 2], np.empty(0)), LIFParameters())
    with pytest.raises(ValueError, match="deadline is not a number"):
        recurrent_first_spike_times([[0.0]], [9.0, 1.0], rows, LIFParameters(), deadline=np.nan)
    with pytest.raises(ValueError, match="error has shape"):
        recurrent_vector_jacobian_product([[0.0]], [9.0, 1.0], rows, [[1.0]], [[1.0, 2.0]], LIFParameters())
