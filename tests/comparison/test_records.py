"""Matching, the exact neuron given recorded inputs, and what is found from their differences."""

import numpy as np
import pytest

from tests.comparison.networks import WINDOW, small_record
from ttfs_pynn.comparison.conditional import conditional
from ttfs_pynn.comparison.matching import match_trains
from ttfs_pynn.comparison.record import PARAMETERS, NetworkRecord, Stage, read_records, write_records
from ttfs_pynn.comparison.summary import add_orders, class_agreement, compare_records, order_of_convergence
from ttfs_pynn.simulators import simulator


@pytest.fixture(scope="module")
def reference():
    return small_record()


def test_record_survives_the_disk(reference, tmp_path):
    write_records(tmp_path / "record.npz", [reference])
    (read,) = read_records(tmp_path / "record.npz")
    assert read.labels == reference.labels and read.samples == reference.samples and read.duration == reference.duration
    np.testing.assert_array_equal(read.times, reference.times)
    np.testing.assert_array_equal(read.connections[0].weight, reference.connections[0].weight)


def test_injected_currents_survive_the_disk_however_long_they_are(reference, tmp_path):
    """The text of a file is read up to 16 MB only; as text, these would have 120 MB."""
    from dataclasses import replace
    numbers = np.random.default_rng(0).normal(size=10**6).tolist()
    current = {"kind": "StepCurrentSource", "cells": [1, 2], "parameters": {"times": numbers, "amplitudes": numbers}}
    later = tuple(Stage(begin, reference.parameters, reference.connections, (current,)) for begin in (5.0, 9.0))
    write_records(tmp_path / "record.npz", [replace(reference, currents=(current,), later=later)])
    assert (tmp_path / "record.npz").stat().st_size < 20e6  # what does not change is stored once
    (read,) = read_records(tmp_path / "record.npz")
    assert read.currents == (current,) and [(stage.begin, stage.currents) for stage in read.later] == [
        (stage.begin, stage.currents) for stage in later]


def test_a_spike_where_the_record_ends_is_of_no_sample():
    nothing = {name: np.full(1, np.nan) for name in PARAMETERS}
    record = NetworkRecord(("a",), (1,), nothing, (), np.zeros(3, dtype=int), np.array([2.0, 30 - 1e-9, 30.0]), 30.0, (10.0, 8.0))
    np.testing.assert_array_equal(record.first_spikes("a"), [[2.0], [np.inf], [np.inf]])


def test_matching_takes_each_spike_once_and_keeps_the_order(reference):
    trains = [np.empty(0)] * reference.n_cells
    a, b = list(trains), list(trains)
    a[0], b[0] = np.array([1.0, 2.0, 10.0, 20.0]), np.array([1.4, 10.3, 14.0])
    m = match_trains(reference.with_spikes(a), reference.with_spikes(b), 1.0)
    np.testing.assert_allclose(m.differences, [0.4, 0.3])
    np.testing.assert_array_equal(m.missing[1], [2.0, 20.0])
    np.testing.assert_array_equal(m.extra[1], [14.0])


def test_exact_network_is_what_the_exact_neuron_says(reference):
    for label in ("layer0", "layer1"):
        c = conditional(reference, label, reference.samples[1])
        # Absolute times up to 16,000 ms are rounded to 2e-12 ms.
        assert c.residual.size >= 100 and np.abs(c.residual).max() < 1e-9
        assert c.missing[0].size == c.extra[0].size == 0


def test_sensitivities_are_derivatives(reference):
    """Against central differences of the prediction, for the weights and the delay of one projection."""
    from dataclasses import replace
    base = conditional(reference, "layer1", reference.samples[1])
    for name, step in (("delay", 1e-5), ("weight", 1e-6)):
        predicted = []
        for sign in (1, -1):
            first = reference.connections[base.projections[0]]
            value = first.delay + sign * step if name == "delay" else first.weight * (1 + sign * step)
            changed = list(reference.connections)
            changed[base.projections[0]] = replace(first, **{name: value})
            other = replace(reference, connections=tuple(changed))
            predicted.append(conditional(other, "layer1", reference.samples[1]).predicted)
        expected = (base.d_delay if name == "delay" else base.d_log_weight)[:, 0]
        found = (predicted[0] - predicted[1]) / (2 * step)
        assert np.abs(expected).max() > 0.1
        # Differences of times of 1e4 ms leave 1e-12/1e-6 of rounding.
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_removed_and_an_invented_spike_are_found_with_their_margins(reference):
    trains = [t.copy() for t in reference.trains()]
    cells = reference.populations["layer0"]
    spiking, silent = (next(c for c in cells if (len(trains[c]) == 40) == wanted) for wanted in (True, False))
    gone = trains[spiking][3]
    trains[spiking] = np.delete(trains[spiking], 3)
    quiet = next(s for s in range(40) if not ((trains[silent] >= s * WINDOW) & (trains[silent] < (s + 1) * WINDOW)).any())
    trains[silent] = np.sort(np.append(trains[silent], quiet * WINDOW + 30.0))
    result = compare_records(reference, reference.with_spikes(trains), 0.1, reference.samples[1])
    assert (result["missing"], result["extra"]) == (1, 1)
    rows = {row["kind"]: row for row in result["unmatched"] if row["population"] == "layer0"}
    assert rows["missing"]["time_ms"] == gone and rows["missing"]["margin_mV"] > 0 and rows["missing"]["cause"] == "threshold"
    assert rows["extra"]["margin_mV"] < 0
    assert not any(row["explained"] for row in rows.values()) and result["unexplained"] == 2


def test_orders_and_classes(reference):
    assert order_of_convergence([1, 0.1, 0.01], [3.0, 0.3, 0.03]) == pytest.approx(1)
    assert order_of_convergence([1, 0.1], [1e-12, 1e-12]) is None and order_of_convergence([0.1], [0.1]) is None
    assert class_agreement(reference, reference) == 1
    runs = [compare_records(reference, reference, dt, reference.samples[1]) for dt in (1.0, 0.1)]
    assert add_orders(runs) == {"order": None, "own_order": None}


@pytest.mark.parametrize("name", ["exact", "brian2", "nest", "nest_grid", "neuron"])
@pytest.mark.parametrize("defect", [None, "delay", "weights", "threshold"])
def test_planted_defects_are_found_and_named(reference, name, defect):
    pytest.importorskip(name.split("_")[0] if name != "exact" else "numba", reason="make test-simulators installs it")
    found = compare_records(reference, small_record(name, defect=defect), 0.1, reference.samples[1], simulator(name))["defects"]
    if defect is None:
        assert found == []
        return
    assert len(found) == 1, found
    (d,) = found
    # Grids leave a tenth of a per cent.
    if defect == "delay":
        assert (d["kind"], d["where"]) == ("delay", "all projections input -> layer0") and abs(d["size"] - 0.1) < 0.015
    elif defect == "weights":
        assert (d["kind"], d["where"]) == ("weight", "all projections input -> layer0") and abs(d["size"] - 1.01) < 0.004
    else:
        assert (d["kind"], d["where"]) == ("threshold", "cell 17 of layer0") and abs(d["size"] - 0.3) < 0.05
