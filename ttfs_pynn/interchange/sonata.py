"""A trained network as a folder in the SONATA format, with samples as input spikes, and a script that runs it.

    circuit_config.json       which files describe the network
    simulation_config.json    step, length of the run, input spikes; `classification`: which population decides, windows, labels
    node_sets.json            each population by its name
    network/nodes.h5          /nodes/POPULATION: node_id, node_type_id; 0/dynamics_params what differs between its cells
    network/node_types.csv    a row for each population: PyNN's cell type and parameters (ms, mV, nF)
    network/edges.h5          /edges/PROJECTION: source_node_id, target_node_id; 0/syn_weight (nA), 0/delay (ms)
    network/edge_types.csv    a row for each projection: PyNN's synapse and receptor
    inputs/spikes.h5          /spikes/POPULATION: timestamps (ms), node_ids; samples in windows, one after the other
    run_sonata.py             numpy, h5py and PyNN; no import of this package

PyNN's own reader takes it: `pyNN.serialization.import_from_sonata`. What it needs beyond the format: receptors in edge_types.csv,
and delays (also) among dynamics_params.

Source: the SONATA developer guide, github.com/AllenInstitute/sonata, and pyNN.serialization.sonata of PyNN 0.13.
"""

import csv
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import ttfs_pynn
from ttfs_pynn.errors import InterchangeError, ResultsError
from ttfs_pynn.graph.graph import Graph
from ttfs_pynn.graph.parameters import Parameters, check_parameters
from ttfs_pynn.interchange.pynn_script import filled, template
from ttfs_pynn.interchange.signed import Connections, connections_of, own_times, sample_times, window_of
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.spikes.windows import Presentation, Timing

__all__ = ["write_sonata"]

_MAGIC, _VERSION = 0x0A7A, (0, 1)
_CELL = ("tau_m", "cm", "v_rest", "v_reset", "v_thresh")


def write_sonata(folder: str | Path, graph: Graph, parameters: Parameters, samples: SpikeData, dt: float = 0.1,
                 timing: Timing | None = None) -> Path:
    """Write the folder, which must not exist yet; returns it. samples: input spikes and labels. dt (ms): the step of the
    simulator.

    Delays become multiples of dt, the nearest (NEST takes the next larger one of any other). One that is shorter than dt is one
    that simulators refuse: all then get one dt more. InterchangeError where neurons have no leak: samples that follow each other
    in one run would meet what is left of the one before.
    """
    folder = Path(folder)
    if folder.exists() or folder.is_symlink():
        raise InterchangeError(f"{folder} exists; give the folder another name, or remove it")
    if not 0 < dt < np.inf:
        raise InterchangeError(f"a time step of {dt:g} ms: SONATA describes a run of steps, give one that is positive and finite")
    parameters = check_parameters(graph, parameters)
    deadline, window, tau_refrac = window_of(graph, timing)
    if np.isinf(window):
        raise InterchangeError("neurons without leak (tau_m = inf) never return to rest, and a run of SONATA shows one sample "
                               "after the other: export a PyNN script, which gives each sample a copy of the network")
    window = float(np.ceil(window / dt - 1e-6) * dt)
    names = _names(graph)
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.tmp")
    try:
        for part in ("network", "inputs"):
            (temporary / part).mkdir(parents=True)
        _write_nodes(temporary / "network", graph, names, tau_refrac)
        _write_edges(temporary / "network", _with_delays(connections_of(graph, parameters), dt), names)
        _write_spikes(temporary / "inputs" / "spikes.h5", graph, parameters, samples, window, names)
        classification = {"outputs": names[graph.outputs], "window": window, "deadline": deadline,
                          "labels": np.asarray(samples.labels).tolist()}
        _write_configurations(temporary, graph, names, dt, classification)
        text = filled(template("run_sonata.py"), {"simulators": template("simulators.py")}, {"version": ttfs_pynn.__version__})
        (temporary / "run_sonata.py").write_text(text, encoding="utf-8")
        os.rename(temporary, folder)
    except OSError as error:
        raise ResultsError(f"{folder} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _names(graph: Graph) -> dict[str, str]:
    """Labels as names of HDF5 groups: without slashes, and no numbers, for which PyNN finds another population."""
    found: dict[str, str] = {}
    for label in (node.label for node in graph.nodes):
        found[label] = _group_name(label, set(found.values()))
    return found


def _group_name(label: str, taken: set[str]) -> str:
    name = label.replace("/", "_").replace("\0", "_")
    name = f"population{name}" if name.isdigit() or not name.strip(".") else name
    while name in taken:
        name += "'"
    return name


def _with_delays(connections: Iterable[Connections], dt: float) -> list[Connections]:
    found = list(connections)
    more = dt if any((each.delay < dt * (1 - 1e-9)).any() for each in found) else 0.0
    return [each._replace(delay=np.round((each.delay + more) / dt) * dt) for each in found]


def _file(path: Path) -> h5py.File:
    file = h5py.File(path, "w")
    file.attrs["magic"], file.attrs["version"] = np.uint32(_MAGIC), np.array(_VERSION, dtype=np.uint32)
    return file


def _table(path: Path, rows: list[dict[str, Any]]) -> None:
    """A table of types, separated by spaces; NULL where a row has no value."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="NULL", delimiter=" ", quotechar='"', lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_nodes(folder: Path, graph: Graph, names: Mapping[str, str], tau_refrac: float) -> None:
    rows: list[dict[str, Any]] = []
    with _file(folder / "nodes.h5") as file:
        for k, node in enumerate(graph.nodes):
            row: dict[str, Any] = {"node_type_id": k, "population": names[node.label]}
            group = file.create_group(f"nodes/{names[node.label]}")
            _columns(group, node_id=np.arange(node.size), node_type_id=np.full(node.size, k),
                     node_group_id=np.zeros(node.size, int), node_group_index=np.arange(node.size))
            inner = group.create_group("0/dynamics_params")
            if node.neuron is None:
                row |= {"model_type": "virtual", "model_template": "NULL"}
            else:
                row |= {"model_type": "point_neuron", "model_template": "pyNN:IF_curr_exp"}
                values = {name: getattr(node.neuron, name) for name in _CELL}
                values |= {"tau_syn_E": node.neuron.tau_syn, "tau_syn_I": node.neuron.tau_syn, "tau_refrac": tau_refrac,
                           "i_offset": 0.0}
                for name, value in values.items():
                    if np.ndim(value):
                        inner.create_dataset(name, data=value)
                    else:
                        row[name] = repr(float(value))
            rows.append(row)
    _table(folder / "node_types.csv", rows)


def _columns(group: h5py.Group, **columns: np.ndarray) -> None:
    for name, values in columns.items():
        group.create_dataset(name, data=np.asarray(values, dtype=np.int64))


def _write_edges(folder: Path, connections: list[Connections], names: Mapping[str, str]) -> None:
    rows: list[dict[str, Any]] = []
    taken: set[str] = set()
    with _file(folder / "edges.h5") as file:
        for k, each in enumerate(connections):
            name, n = _group_name(each.label, taken), len(each.pre)
            taken.add(name)
            group = file.create_group(f"edges/{name}")
            _columns(group, source_node_id=each.pre, target_node_id=each.post, edge_type_id=np.full(n, k),
                     edge_group_id=np.zeros(n, int), edge_group_index=np.arange(n))
            group["source_node_id"].attrs["node_population"] = names[each.source]
            group["target_node_id"].attrs["node_population"] = names[each.target]
            inner = group.create_group("0")
            inner.create_dataset("syn_weight", data=each.weight)
            inner.create_dataset("delay", data=each.delay)
            inner["dynamics_params/delay"] = inner["delay"]  # the same data: PyNN 0.13 looks for delays here alone
            rows.append({"edge_type_id": k, "population": name, "model_template": "pyNN:StaticSynapse",
                         "receptor_type": each.receptor})
    _table(folder / "edge_types.csv", rows)


def _write_spikes(path: Path, graph: Graph, parameters: Parameters, samples: SpikeData, window: float,
                  names: Mapping[str, str]) -> None:
    shown, n_samples = sample_times(graph, samples), len(samples)
    for label, times in own_times(graph, parameters).items():
        shown.setdefault(label, np.broadcast_to(times, (n_samples, *times.shape)))
    with _file(path) as file:
        for label, times in shown.items():
            trains = Presentation(n_samples, window).spike_trains(times)
            cell = np.repeat(np.arange(len(trains)), [train.size for train in trains])
            when = np.concatenate(trains)
            order = np.argsort(when, kind="stable")
            group = file.create_group(f"spikes/{names[label]}")
            group.attrs["sorting"] = "by_time"
            group.create_dataset("timestamps", data=when[order]).attrs["units"] = "ms"
            group.create_dataset("node_ids", data=cell[order].astype(np.uint64))


def _write_configurations(folder: Path, graph: Graph, names: Mapping[str, str], dt: float,
                          classification: dict[str, Any]) -> None:
    manifest = {"$BASE_DIR": ".", "$NETWORK_DIR": "$BASE_DIR/network", "$INPUT_DIR": "$BASE_DIR/inputs",
                "$OUTPUT_DIR": "$BASE_DIR/output"}
    circuit = {"manifest": manifest, "target_simulator": "PyNN", "components": {}, "node_sets_file": "$BASE_DIR/node_sets.json",
               "networks": {"nodes": [{"nodes_file": "$NETWORK_DIR/nodes.h5", "node_types_file": "$NETWORK_DIR/node_types.csv"}],
                            "edges": [{"edges_file": "$NETWORK_DIR/edges.h5", "edge_types_file": "$NETWORK_DIR/edge_types.csv"}]}}
    inputs = {names[node.label]: {"input_type": "spikes", "module": "h5", "input_file": "$INPUT_DIR/spikes.h5",
                                  "node_set": names[node.label]} for node in graph.sources}
    simulation = {"manifest": manifest, "network": "$BASE_DIR/circuit_config.json", "target_simulator": "PyNN",
                  "run": {"tstop": classification["window"] * len(classification["labels"]), "dt": dt}, "inputs": inputs,
                  "node_sets_file": "$BASE_DIR/node_sets.json",
                  "output": {"output_dir": "$OUTPUT_DIR", "spikes_file": "spikes.h5", "spikes_sort_order": "by_time"},
                  "classification": classification}
    sets = {name: {"population": name} for name in names.values()}
    for file, content in (("circuit_config.json", circuit), ("simulation_config.json", simulation), ("node_sets.json", sets)):
        (folder / file).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
