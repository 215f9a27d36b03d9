"""The exported PyNN script says what the network says, on each simulator, without this package."""

import ast
import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.exported_networks import answers_here, answers_of, run_without_us
from tests.interchange.networks import chain, classes, own, recurrent, samples, short_windows, until, with_trained_delays
from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.graph import GraphError
from ttfs_pynn.interchange import write_pynn_script
from ttfs_pynn.learning.data import SpikeData


def needs(name):
    return pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")


@pytest.mark.parametrize("backend, make", [
    pytest.param("brian2", own, id="brian2, own"), pytest.param("nest", own, marks=needs("nest"), id="nest, own"),
    pytest.param("nest", lambda: chain(hidden=12), marks=needs("nest"), id="nest, chain"),
    pytest.param("nest", lambda: recurrent(*own()), marks=needs("nest"), id="nest, recurrent"),
    pytest.param("nest", lambda: with_trained_delays(*own()), marks=needs("nest"), id="nest, trained delays")])
def test_same_classes_without_us(tmp_path, backend, make):
    """Two samples share a copy, in windows; ours see one each. Spikes are the same but for a step, in which Brian2 finds them."""
    graph, parameters = make()
    data = samples(graph, 4)
    files = write_pynn_script(tmp_path / "net.py", graph, parameters, data,
                              timing=short_windows(graph) if backend == "brian2" else None)
    assert [file.name for file in files] == ["net.py", "net.npz", "net_samples.npz"] and all(file.is_file() for file in files)
    status, text, result = run_without_us(files[0], backend, "--copies", 2, folder=tmp_path)
    assert status == 0, text
    found, times = answers_of(result)
    expected, expected_times = answers_here(backend, graph, parameters, data)
    expected_times = until(expected_times) if backend == "brian2" else expected_times
    assert len(set(expected)) > 1 and np.isfinite(times).any()
    assert np.array_equal(found, expected)
    assert np.array_equal(np.isfinite(times), np.isfinite(expected_times))
    finite = np.isfinite(times)
    np.testing.assert_allclose(times[finite], expected_times[finite], atol=0.1 + 1e-9 if backend == "brian2" else 1e-9)
    assert result["labels"] == [0] * 4 and result["accuracy"] == (found == 0).mean()
    assert f"sample 3: class {found[3]}, label 0, first output spike at" in text


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("make", [own, lambda: chain(tau_m=np.inf)], ids=["own", "no leak"])
def test_on_another_pynn_module_every_spike_is_there(tmp_path, make):
    """`exact` is one: the same first spikes as on arrays, to rounding, of all samples, several spikes of a source included."""
    import ttfs_pynn.exact as sim
    graph, parameters = make()
    data = samples(graph, 6)
    several = {label: np.sort(np.stack([times, times + 2.0], axis=2), axis=2) for label, times in data.times.items()}
    data = SpikeData({label: np.where(times > graph.t_late, np.inf, times) for label, times in several.items()}, data.labels)
    script = load(write_pynn_script(tmp_path / "net.py", graph, parameters, data)[0])
    sim.setup(timestep=0.1, min_delay=0.1)
    populations, projections = script.build(sim, copies=6)
    first = script.classify(sim, populations, data.times, copies=6)
    more = script.extra_delay(sim, min(np.min(edge.delay) for edge in graph.edges))
    later = replace(graph, edges=tuple(replace(edge, delay=edge.delay + more) for edge in graph.edges))
    expected = classes(later, parameters, data)[1]
    assert np.isfinite(first).any() and np.array_equal(np.isfinite(first), np.isfinite(expected))
    np.testing.assert_allclose(first, expected, atol=1e-9)
    assert projections.keys() <= set(script.ARRAYS) | {label for label, *_ in script.PROJECTIONS}
    if np.isinf(graph.neurons[0].neuron.tau_m).any():
        with pytest.raises(SystemExit, match="give as many copies as samples"):
            script.classify(sim, populations, data.times, copies=3)


def test_the_script_can_be_read_and_imports_pynn_alone(tmp_path):
    graph, parameters = own()
    path = write_pynn_script(tmp_path / "net.py", graph, parameters)[0]
    text = path.read_text()
    nodes = list(ast.walk(ast.parse(text)))
    imported = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) == {"numpy", "pyNN", "brian2"}
    assert max(map(len, text.splitlines())) <= 140 and "# [" not in text and "%(" not in text
    with np.load(tmp_path / "net.npz", allow_pickle=False) as arrays:
        assert arrays["A>E.pre"].size == graph.edge("A>E").n_connections
    assert not (tmp_path / "net_samples.npz").exists()


def test_connections_are_what_the_network_has(tmp_path):
    """Signed weights become two projections without their zeros; projections of one sign keep connections of weight 0."""
    import ttfs_pynn.exact as sim
    graph, parameters = own()
    parameters["A>L.weight"][::2] = 0.0
    parameters["A>E.weight"][:5] = 0.0
    script = load(write_pynn_script(tmp_path / "net.py", graph, parameters)[0])
    sim.setup(timestep=0.1, min_delay=0.1)
    _, projections = script.build(sim)
    assert len(projections["A>E"]) == graph.edge("A>E").n_connections
    both = [projections[label] for label in ("A>L excitatory", "A>L inhibitory") if label in projections]
    assert sum(map(len, both)) == np.count_nonzero(parameters["A>L.weight"])
    w = sum(np.nan_to_num(projection.get("weight", format="array")) for projection in both)
    np.testing.assert_array_equal(w, graph.edge("A>L").matrix(parameters["A>L.weight"]))
    delays = np.array([delay for _, _, delay in projections["B/C>I"].get("delay", format="list")])
    np.testing.assert_allclose(np.sort(delays), np.sort(graph.edge("B/C>I").delay),
                               rtol=1e-15)  # also those of pairs that come twice


@pytest.mark.parametrize("name, text", [("net.txt", "ends in .py"), ("a-b.py", "letters, digits and _"), ("1.py", "letters"),
                                        ("class.py", "keywords")])
def test_names_that_python_cannot_import(tmp_path, name, text):
    with pytest.raises(InterchangeError, match=text):
        write_pynn_script(tmp_path / name, *chain())
    assert not list(tmp_path.iterdir())


def test_labels_and_values_that_do_not_fit(tmp_path):
    graph, parameters = chain()
    with pytest.raises(GraphError, match="missing"):
        write_pynn_script(tmp_path / "net.py", graph, {})
    with pytest.raises(ValueError, match="expected .samples, 4 inputs"):
        write_pynn_script(tmp_path / "net.py", graph, parameters, SpikeData(np.ones((2, 5)), np.zeros(2, int)))
    assert not list(tmp_path.iterdir())


def test_a_label_cannot_become_program_text(tmp_path):
    """Labels stand in the script as texts, whatever they contain."""
    bad = "x'''\"\"\"\nraise SystemExit(1)\n#"
    graph, parameters = chain(hidden=3)
    nodes = tuple(replace(node, label=bad if node.label == "layer0" else node.label) for node in graph.nodes)
    edges = tuple(replace(edge, pre=bad if edge.pre == "layer0" else edge.pre, post=bad if edge.post == "layer0" else edge.post)
                  for edge in graph.edges)
    script = load(write_pynn_script(tmp_path / "net.py", replace(graph, nodes=nodes, edges=edges), parameters)[0])
    assert script.NEURONS == {bad: 3, "layer1": 3}


@pytest.mark.parametrize("arguments, text", [
    (["nest2"], "no simulator 'nest2'"), (["brian2", "--file", "none.npz"], "none.npz is no file; give --file"),
    (["brian2", "--dt", "0"], "--dt must be positive"), (["brian2", "--samples", "0"], "at least 1")])
def test_bad_arguments_of_the_script_are_one_line(tmp_path, arguments, text):
    graph, parameters = chain(hidden=3)
    path = write_pynn_script(tmp_path / "net.py", graph, parameters, samples(graph, 2))[0]
    status, said, _ = run_without_us(path, *arguments, folder=tmp_path)
    assert status != 0 and text in said and "Traceback" not in said
