"""Spike times in every form that PyNN takes, and Poisson sources."""

import numpy as np
import pytest
from pyNN import errors
from pyNN.parameters import Sequence

from tests.exact.helpers import spike_lists

TRAINS = [[1.0, 2.0, 2.0], [], [0.5]]
FORMS = {
    "lists": TRAINS,
    "sequences": [Sequence(train) for train in TRAINS],
    "arrays": [np.array(train) for train in TRAINS],
    "tuple of lists": tuple(TRAINS),
}


def recorded(sim, sources):
    sources.record("spikes")
    sim.run(10.0)
    return spike_lists(sources.get_data())


@pytest.mark.parametrize("when", ["created", "set", "set in a view of all"])
@pytest.mark.parametrize("form", FORMS)
def test_one_train_a_cell(sim, form, when):
    if when == "created":
        if form in ("tuple of lists", "arrays", "lists"):
            sources = sim.Population(3, sim.SpikeSourceArray(spike_times=list(FORMS[form])))
        else:
            sources = sim.Population(3, sim.SpikeSourceArray(spike_times=FORMS[form]))
    else:
        sources = sim.Population(3, sim.SpikeSourceArray())
        (sources if when == "set" else sources[0:3]).set(spike_times=FORMS[form])
    assert recorded(sim, sources) == TRAINS


@pytest.mark.parametrize("times", [[1.0, 3.0], np.array([1.0, 3.0]), Sequence([1.0, 3.0]), (1.0, 3.0)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_one_train_for_all_cells(sim, times, size):
    """With as many times as cells it is still one train."""
    sources = sim.Population(size, sim.SpikeSourceArray(spike_times=times))
    other = sim.Population(size, sim.SpikeSourceArray())
    other.set(spike_times=times)
    assert recorded(sim, sources) == spike_lists_of(sim, other) == [[1.0, 3.0]] * size
    assert isinstance(sources.get("spike_times"), Sequence)


def spike_lists_of(sim, sources):
    return [list(train.value) for train in sources.get("spike_times", simplify=False)]


@pytest.mark.parametrize("size", [2, 70])
def test_a_matrix_is_one_row_a_cell(sim, size):
    """PyNN 0.13 fails for more than 64 rows."""
    times = np.cumsum(np.random.default_rng(1).uniform(0, 0.1, (size, 5)), axis=1)
    sources = sim.Population(size, sim.SpikeSourceArray())
    sources.set(spike_times=times)
    assert recorded(sim, sources) == times.tolist()
    created = sim.Population(size, sim.SpikeSourceArray(spike_times=times))
    assert spike_lists_of(sim, created) == times.tolist()


def test_a_function_of_the_index(sim):
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=lambda i: [Sequence(1.0 + k + np.arange(2)) for k in i]))
    assert recorded(sim, sources) == [[1.0, 2.0], [2.0, 3.0]]


def test_views_and_cells_set_their_own_trains_only(sim):
    sources = sim.Population(4, sim.SpikeSourceArray(spike_times=[1.0]))
    sources[1:3].set(spike_times=[[2.0, 3.0], [4.0]])
    assert spike_lists_of(sim, sources) == [[1.0], [2.0, 3.0], [4.0], [1.0]]
    sources[3].spike_times = [5.0, 6.0]
    sources[0].spike_times = []
    assert spike_lists_of(sim, sources) == [[], [2.0, 3.0], [4.0], [5.0, 6.0]]
    assert list(sources[3].spike_times.value) == [5.0, 6.0]
    sources[1:4][[0, 2]].set(spike_times=[7.0])
    assert spike_lists_of(sim, sources) == [[], [7.0], [4.0], [7.0]]
    sources[::-1].set(spike_times=[[1.0], [2.0], [3.0], [4.0]])
    assert spike_lists_of(sim, sources) == [[4.0], [3.0], [2.0], [1.0]]


@pytest.mark.parametrize("times, message", [
    ([[1.0], [3.0, 2.0], [1.0]], "cell 1 are not in increasing order"), ([[], [1.0], [np.nan]], "cell 2 are not all finite"),
    ([[], [], [1.0, np.inf]], "cell 2 are not all finite"), ([3.0, 2.0], "not in increasing order"),
    ([[], [-3.0, 1.0], []], "cell 1 are not all zero or more")])
def test_times_that_are_no_times_are_refused(sim, times, message):
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=TRAINS))
    with pytest.raises(errors.InvalidParameterValueError, match=message):
        sources.set(spike_times=times)
    assert spike_lists_of(sim, sources) == TRAINS
    with pytest.raises(errors.InvalidParameterValueError, match=message):
        sim.Population(3, sim.SpikeSourceArray(spike_times=times))


@pytest.mark.parametrize("times", [None, 5.0, [["a"], ["b"], ["c"]]])
def test_what_is_no_list_of_times_is_refused(sim, times):
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=TRAINS))
    with pytest.raises(errors.InvalidParameterValueError, match="list of times|times in ms"):
        sources.set(spike_times=times)
    assert spike_lists_of(sim, sources) == TRAINS


def test_a_wrong_number_of_trains_is_refused(sim):
    sources = sim.Population(3, sim.SpikeSourceArray())
    with pytest.raises((errors.InvalidDimensionsError, errors.InvalidParameterValueError)):
        sources.set(spike_times=[[1.0], [2.0]])


def test_the_callers_arrays_stay_the_callers(sim):
    times = [np.array([1.0, 2.0])] * 2
    sources = sim.Population(2, sim.SpikeSourceArray())
    sources.set(spike_times=times)
    times[0][:] = 9.0
    sources.get("spike_times").value[:] = 8.0
    assert spike_lists_of(sim, sources) == [[1.0, 2.0]] * 2


def test_new_times_in_mid_run_count_from_now(sim):
    sources = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 5.0]))
    sources.record("spikes")
    sim.run(4.0)
    sources.set(spike_times=[2.0, 4.0, 6.0])
    sim.run(10.0)
    assert spike_lists(sources.get_data()) == [[1.0, 4.0, 6.0]]


def test_poisson_rates(sim):
    n, rate, duration = 200, 50.0, 1000.0
    sources = sim.Population(n, sim.SpikeSourcePoisson(rate=rate))
    sources.record("spikes")
    sim.run(duration / 2)
    sim.run(duration / 2)
    times = sources.get_data().segments[0].spiketrains.multiplexed[1].magnitude
    expected = n * rate * duration / 1000
    assert abs(times.size - expected) < 5 * np.sqrt(expected)
    halves = np.histogram(times, bins=10, range=(0, duration))[0]
    assert (abs(halves - expected / 10) < 5 * np.sqrt(expected / 10)).all()
    counts = np.array(list(sources.get_spike_counts().values()))
    assert 0.6 < counts.var() / counts.mean() < 1.5  # 1 for Poisson; its standard error is 0.1 for 200 cells


def test_poisson_start_duration_and_parameters_a_cell(sim):
    sources = sim.Population(3, sim.SpikeSourcePoisson(rate=[0.0, 500.0, 500.0], start=[0.0, 100.0, 0.0],
                                                       duration=[1e9, 100.0, 50.0]))
    sources.record("spikes")
    sim.run(150.0)
    sim.run(150.0)
    never, later, early = (np.array(train) for train in spike_lists(sources.get_data()))
    assert never.size == 0
    assert later.size > 20 and later.min() >= 100.0 and later.max() < 200.0
    assert early.size > 8 and early.max() < 50.0
    assert (np.diff(later) > 0).all()
    sources.set(rate=0.0, duration=1e9)
    sim.run(100.0)
    assert sources.get_spike_counts()[int(sources[0])] == 0
    for rate in (-1.0, np.nan, np.inf):
        with pytest.raises(errors.InvalidParameterValueError):
            sources.set(rate=rate)


def test_poisson_sources_repeat_with_their_seed(sim):
    trains = []
    for seed in (4, 4, 5):
        sim.setup(seed=seed)
        trains.append(recorded(sim, sim.Population(5, sim.SpikeSourcePoisson(rate=300.0))))
    assert trains[0] == trains[1] != trains[2]
    assert sum(map(len, trains[0])) > 5


def test_a_matrix_of_spikes(sim):
    """Rows that follow each other in time or not, ties, more cells than a vector has lanes: all of it in time order, by cell."""
    rng = np.random.default_rng(0)
    for case in range(60):
        n_rows, n_cells = int(rng.integers(1, 6)), int(rng.integers(1, 40))
        matrix = np.sort(np.round(rng.uniform(0, 9, (n_rows, n_cells)), case % 4), axis=0)
        matrix += 10.0 * (case % 2) * np.arange(n_rows)[:, None]
        matrix[rng.random(matrix.shape) < rng.random()] = np.inf
        sources = sim.Population(n_cells, sim.SpikeSourceArray())
        sources.set_spike_matrix(matrix)
        index, times = sources.group.spikes(0.0, np.inf)
        order = np.argsort(matrix.ravel(), kind="stable")[:np.isfinite(matrix).sum()]
        np.testing.assert_array_equal(times, matrix.ravel()[order])
        np.testing.assert_array_equal(index, order % n_cells)
        for cell, train in enumerate(sources.get("spike_times", simplify=False)):
            np.testing.assert_array_equal(train.value, matrix[np.isfinite(matrix[:, cell]), cell])


@pytest.mark.parametrize("cell", [3, 9])
@pytest.mark.parametrize("times, text", [([5.0, 4.0], "do not rise"), ([1.0, np.nan], "numbers are wanted"),
                                         ([-np.inf, 1.0], "numbers are wanted")])
def test_a_matrix_that_is_refused_changes_nothing(sim, cell, times, text):
    sources = sim.Population(10, sim.SpikeSourceArray(spike_times=[1.0]))
    matrix = np.full((2, 10), np.inf)
    matrix[:, cell] = times
    with pytest.raises(errors.InvalidParameterValueError, match=text):
        sources.set_spike_matrix(matrix)
    assert sources.group.spikes(0.0, 10.0)[1].tolist() == [1.0] * 10
