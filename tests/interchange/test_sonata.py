"""The exported SONATA folder, read by PyNN's own reader, is the network, without this package."""

import csv
import json

import numpy as np
import pytest
from pyNN.serialization import import_from_sonata

from benchmarks.exported_networks import answers_here, answers_of, run_without_us
from tests.interchange.networks import chain, own, samples, short_windows, until, with_trained_delays
from tests.interchange.test_pynn_script import needs
from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.interchange import write_sonata
from ttfs_pynn.interchange.signed import connections_of

h5py = pytest.importorskip("h5py")


@pytest.mark.parametrize("backend, make", [
    pytest.param("brian2", lambda: chain(hidden=12), id="brian2, chain"),
    pytest.param("nest", lambda: chain(hidden=12), marks=needs("nest"), id="nest, chain"),
    pytest.param("nest", lambda: with_trained_delays(*own()), marks=needs("nest"), id="nest, own, trained delays")])
def test_same_classes_without_us(tmp_path, backend, make):
    graph, parameters = make()
    data = samples(graph, 3)
    folder = write_sonata(tmp_path / "net", graph, parameters, data, timing=short_windows(graph) if backend == "brian2" else None)
    status, text, result = run_without_us(folder / "run_sonata.py", backend, folder=tmp_path)
    assert status == 0, text
    found, times = answers_of(result)
    expected, expected_times = answers_here(backend, graph, parameters, data)
    expected_times = until(expected_times) if backend == "brian2" else expected_times
    assert len(set(expected)) > 1
    assert np.array_equal(found, expected) and np.array_equal(np.isfinite(times), np.isfinite(expected_times))
    finite = np.isfinite(times)
    # Brian2 finds spikes at steps; where delays are 0 it gets them of one step a projection, of which there are two on a way.
    np.testing.assert_allclose(times[finite], expected_times[finite], atol=0.3 if backend == "brian2" else 1e-8)
    if backend == "nest":
        _, _, result = run_without_us(folder / "run_sonata.py", backend, "--samples", 1, folder=tmp_path)
        assert result["classes"] == found[:1].tolist()


def test_pynn_reads_every_value(tmp_path, monkeypatch):
    import ttfs_pynn.exact as sim
    graph, parameters = with_trained_delays(*own())
    folder = write_sonata(tmp_path / "net", graph, parameters, samples(graph, 2))
    monkeypatch.chdir(folder)
    sim.setup()
    found = import_from_sonata("circuit_config.json", sim)
    populations = {assembly.label: assembly.populations[0] for assembly in found.assemblies}
    assert populations.keys() == {"A", "B_C", "population0", "E", "I", "L"}
    cell = populations["E"].get(["v_thresh", "v_rest", "tau_m", "tau_syn_I", "cm"], simplify=True)
    np.testing.assert_array_equal(cell[0], graph.node("E").neuron.v_thresh)
    assert cell[1:] == [-64.0, 20.0, 5.0, 1.0]
    projections = {projection.label.removesuffix("-0"): projection for projection in found.projections}
    for each in connections_of(graph, parameters):
        projection = projections.pop(each.label.replace("/", "_"))
        assert projection.receptor_type == each.receptor and projection.pre.label == {"0": "population0"}.get(
            each.source, each.source.replace("/", "_"))
        table = np.array(projection.get(["weight", "delay"], format="list"), dtype=float)
        expected = np.stack([each.pre, each.post, each.weight, np.round(each.delay / 0.1) * 0.1], axis=1)
        np.testing.assert_array_equal(table[np.lexsort(table.T)], expected[np.lexsort(expected.T)])
    assert not projections


def test_the_format(tmp_path):
    """What the SONATA developer guide asks for: ids, types, groups, names of populations, spikes by population."""
    graph, parameters = own()
    data = samples(graph, 4)
    folder = write_sonata(tmp_path / "net", graph, parameters, data, dt=0.1)
    circuit, simulation, sets = (json.loads((folder / name).read_text()) for name in (
        "circuit_config.json", "simulation_config.json", "node_sets.json"))
    window = simulation["classification"]["window"]
    assert simulation["run"] == {"tstop": 4 * window, "dt": 0.1} and round(window / 0.1) * 0.1 == pytest.approx(window)
    assert set(simulation["inputs"]) == {"A", "B_C", "population0"} <= set(sets)
    assert {"nodes", "edges"} == set(circuit["networks"]) and circuit["manifest"]["$BASE_DIR"] == "."
    with h5py.File(folder / "network" / "nodes.h5") as file:
        assert file.attrs["magic"] == 0x0A7A
        assert file["nodes/E/node_id"][:].tolist() == list(range(12)) and set(file["nodes/E/node_type_id"][:]) == {3}
        assert {"node_group_id", "node_group_index", "0"} <= set(file["nodes/E"])
    with open(folder / "network" / "node_types.csv") as file:
        types = {row["population"]: row for row in csv.DictReader(file, delimiter=" ")}
    assert types["A"]["model_type"] == "virtual" and types["E"]["model_template"] == "pyNN:IF_curr_exp"
    with h5py.File(folder / "network" / "edges.h5") as file:
        edges = file["edges/A>E"]
        assert edges["source_node_id"].attrs["node_population"] == "A" and edges["target_node_id"].attrs["node_population"] == "E"
        np.testing.assert_array_equal(edges["0/syn_weight"][:], parameters["A>E.weight"])
        np.testing.assert_allclose(edges["0/delay"][:], graph.edge("A>E").delay, rtol=0, atol=0.05)  # of the nearest step
        steps = edges["0/delay"][:] / 0.1
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    with h5py.File(folder / "inputs" / "spikes.h5") as file:
        cells, times = file["spikes/B_C/node_ids"][:], file["spikes/B_C/timestamps"][:]
        assert (np.diff(times) >= 0).all() and cells.size == 16
        np.testing.assert_allclose(np.sort(times[cells == 2]), data.times["B/C"][:, 2] + window * np.arange(4), rtol=1e-15)
        assert file["spikes/population0/timestamps"].size == 8  # two in each sample


def test_short_delays_become_one_step_longer(tmp_path):
    graph, parameters = chain()
    folder = write_sonata(tmp_path / "net", graph, parameters, samples(graph, 1), dt=0.05)
    with h5py.File(folder / "network" / "edges.h5") as file:
        assert {tuple(set(group["0/delay"][:])) for group in file["edges"].values()} == {(0.05,)}


def test_refusals_leave_nothing(tmp_path):
    graph, parameters = chain(tau_m=np.inf)
    data = samples(graph, 1)
    with pytest.raises(InterchangeError, match="without leak .* export a PyNN script"):
        write_sonata(tmp_path / "net", graph, parameters, data)
    graph, parameters = chain()
    with pytest.raises(InterchangeError, match="a time step of nan ms"):
        write_sonata(tmp_path / "net", graph, parameters, data, dt=np.nan)
    with pytest.raises(ValueError, match="expected .samples, 4 inputs"):
        write_sonata(tmp_path / "net", graph, parameters, type(data)(np.ones((1, 3)), np.zeros(1, int)))
    assert not list(tmp_path.iterdir())
    (tmp_path / "net").mkdir()
    with pytest.raises(InterchangeError, match="net exists; give the folder another name"):
        write_sonata(tmp_path / "net", graph, parameters, data)
