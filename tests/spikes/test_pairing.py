"""Populations by name and neurons by identity, whatever their order; what cannot be paired is said."""

import numpy as np
import pytest

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.spikes.pairing import pair_recordings
from ttfs_pynn.spikes.recordings import Recording, Train


def recording(name, units, identity="source_index", trials=1, t_stop=100.0):
    """Unit u spikes at u ms, where that is a number."""
    trains = tuple(Train(np.array([float(u) if isinstance(u, int) else 1.0]), 0.0, t_stop) for u in units)
    return Recording(name, tuple(units), (trains,) * trials, identity)


def test_populations_are_paired_by_name_and_neurons_by_number():
    a = [recording("a", (0, 1, 2)), recording("b", (0, 1))]
    b = [recording("b", (1, 0)), recording("a", (2, 0, 1))]
    pairs, notes = pair_recordings(a, b)
    assert [(p.reference.name, p.other.name) for p in pairs] == [("a", "a"), ("b", "b")] and not notes
    for pair in pairs:
        assert all(pair.reference.units[i] == pair.other.units[j] for i, j in pair.units)
        assert len(pair.units) == len(pair.reference.units)


def test_what_is_in_one_only_is_said():
    pairs, notes = pair_recordings([recording("a", (0, 1, 2)), recording("x", (0,))],
                                   [recording("a", (1, 2, 3)), recording("y", (0,))], ("one.nix", "two.nix"))
    assert pairs[0].units == ((1, 0), (2, 1))
    assert notes == ["only in one.nix, left out: 'x'", "only in two.nix, left out: 'y'",
                     "a: only in one.nix, left out: neuron 0", "a: only in two.nix, left out: neuron 3"]


def test_one_population_on_either_side_is_paired_whatever_its_name():
    pairs, notes = pair_recordings([recording("exact", (0,))], [recording(None, (0,))])
    assert len(pairs) == 1 and notes == ["'exact' of the first is compared with a population without a name of the second, the "
                                         "only population of each"]


def test_several_of_one_name():
    two = [recording("cells", (0,)), recording("cells", (0, 1))]
    pairs, notes = pair_recordings(two, two)
    assert [p.other for p in pairs] == two and notes == ["2 populations are called 'cells', paired in the order of the files"]
    pairs, notes = pair_recordings([*two, recording("b", (0,))], [two[0], recording("b", (0,))])
    assert [p.reference.name for p in pairs] == ["b"]
    assert notes == ["left out: 2 populations of the first and 1 of the second are called 'cells'; which is which is not known"]


def test_neurons_that_nothing_tells_apart():
    pairs, notes = pair_recordings([recording("a", (0, 1), "position")], [recording("a", (0, 1), "position")])
    assert pairs[0].units == ((0, 0), (1, 1)) and not notes
    with pytest.raises(ResultsError, match="nothing to compare: a, left out: 2 neurons of the first and 3 neurons of the second; "
                                           "nothing in the files tells which are the same"):
        pair_recordings([recording("a", (0, 1), "position")], [recording("a", (0, 1, 2), "position")])
    pairs, notes = pair_recordings([recording("a", (4, 5))], [recording("a", ("u", "v"), "name")])
    assert pairs[0].units == ((0, 0), (1, 1))
    assert notes == ["a: neurons are paired in their order, for the first tells them apart by source_index, the second by name"]


def test_nothing_in_common_is_an_error():
    with pytest.raises(ResultsError, match="nothing to compare: only in the first, left out: 'a', 'b'; only in the second"):
        pair_recordings([recording("a", (0,)), recording("b", (0,))], [recording("c", (0,)), recording("d", (0,))])
    with pytest.raises(ResultsError, match="a: no neuron is in both .neuron 0 and neuron 1."):
        pair_recordings([recording("a", (0,))], [recording("a", (1,))])


def test_other_trials_and_other_times_are_said():
    _, notes = pair_recordings([recording("a", (0,), trials=3)], [recording("a", (0,), trials=2, t_stop=200.0)])
    assert notes == ["a: 3 and 2 trials; the first 2 are compared",
                     "a: recorded from 0 to 100 ms and from 0 to 200 ms; times are compared as they are"]
    # NEURON ends at 99.99999999999646 ms.
    assert pair_recordings([recording("a", (0,))], [recording("a", (0,), t_stop=99.99999999999646)])[1] == []
