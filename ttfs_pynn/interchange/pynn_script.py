"""A trained network as a Python script of its own: numpy and PyNN, no import of this package.

Beside the script lie its arrays, NAME.npz, and samples with their labels, NAME_samples.npz. What a simulator needs so that it
does what is meant stands in the script, with the reason.
"""

import io
import re
from collections.abc import Mapping
from importlib import resources
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np

import ttfs_pynn
from ttfs_pynn.errors import InterchangeError
from ttfs_pynn.files.sealed import write_bytes
from ttfs_pynn.graph.graph import Graph, Node
from ttfs_pynn.graph.parameters import Parameters, check_parameters
from ttfs_pynn.interchange.signed import connections_of, own_times, sample_times, window_of
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.spikes.windows import Timing

__all__ = ["filled", "script_files", "template", "write_pynn_script"]

_CELL = ("tau_m", "tau_syn", "cm", "v_rest", "v_reset", "v_thresh")


def script_files(path: str | Path) -> tuple[Path, Path, Path]:
    """The files of a script: itself, its arrays, its samples. InterchangeError for a name that is none of a Python file."""
    path = Path(path)
    if path.suffix != ".py" or not path.stem.isidentifier() or iskeyword(path.stem):
        raise InterchangeError(f"{path}: give the script a name that Python can import, letters, digits and _, none of its "
                               "keywords, that ends in .py")
    return path, path.with_suffix(".npz"), path.with_name(f"{path.stem}_samples.npz")


def write_pynn_script(path: str | Path, graph: Graph, parameters: Parameters, samples: SpikeData | None = None,
                      timing: Timing | None = None) -> tuple[Path, ...]:
    """Write the script `path` and what lies beside it; returns the files that were written.

    samples: that it classifies, with their labels. timing: of windows, default as for any network of the graph.
    """
    script, arrays, shown = script_files(path)
    parameters = check_parameters(graph, parameters)
    held, lines = _network(graph, parameters, window_of(graph, timing))
    names = {"script": script.name, "module": script.stem, "arrays": arrays.name, "samples": shown.name,
             "version": ttfs_pynn.__version__}
    head = f"HERE = Path(__file__).resolve()\nARRAYS = dict(np.load(HERE.with_name({arrays.name!r}), allow_pickle=False))\n" \
        f"SAMPLES = {shown.name!r}\n"
    text = filled(template("network.py"), {"network": head + lines, "simulators": template("simulators.py")}, names)
    files = [(arrays, _packed(held)), (script, text.encode())]
    if samples is not None:
        times = {f"{label}.times": array for label, array in sample_times(graph, samples).items()
                 if graph.node(label).times is None}
        files.insert(0, (shown, _packed(times | {"labels": samples.labels})))
    for file, content in files:
        write_bytes(file, content)
    return tuple(file for file, _ in reversed(files))


def template(name: str) -> str:
    """The text of a part of a script."""
    return (resources.files("ttfs_pynn.interchange") / "templates" / name).read_text(encoding="utf-8")


def filled(text: str, parts: Mapping[str, str], names: Mapping[str, str]) -> str:
    """A template with its parts where `# [part]` stands, and names in its docstring where %(name)s stands."""
    end = text.index('"""', 3)
    text = text[:end] % names + text[end:]
    return re.sub(r"^# \[(\w+)\]\n", lambda found: parts[found[1]].rstrip("\n") + "\n", text, flags=re.M)


def _packed(arrays: Mapping[str, Any]) -> bytes:
    """An .npz without objects, so that numpy reads it with allow_pickle=False."""
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **{name: np.asarray(array) for name, array in arrays.items()})
    return content.getvalue()


def _network(graph: Graph, parameters: Parameters, window: tuple[float, float, float]) -> tuple[dict[str, np.ndarray], str]:
    """(arrays, the lines that describe the network)."""
    arrays: dict[str, np.ndarray] = {}
    deadline, length, tau_refrac = window
    own = own_times(graph, parameters)
    arrays |= {f"{label}.times": times for label, times in own.items()}
    sources, neurons = ({node.label: repr(int(node.size)) for node in nodes} for nodes in (graph.sources, graph.neurons))
    lines = [f"SOURCES = {_table(sources)}  # populations of SpikeSourceArray",
             "# Those that spike at the same times in every sample (ms), such as biases.",
             "OWN_TIMES = " + _table({label: f'ARRAYS[{f"{label}.times"!r}]' for label in own}),
             f"NEURONS = {_table(neurons)}  # populations of IF_curr_exp",
             "# tau_syn is both tau_syn_E and tau_syn_I."]
    cells = {node.label: _cell(node, tau_refrac, arrays) for node in graph.neurons}
    lines += ["CELLS = {", *(f"    {label!r}: {cell}," for label, cell in cells.items()), "}",
              "# (label, from, to, receptor); arrays LABEL.pre, LABEL.post, LABEL.weight and LABEL.delay hold the connections.",
              "PROJECTIONS = ["]
    for found in connections_of(graph, parameters):
        lines.append(f"    ({found.label!r}, {found.source!r}, {found.target!r}, {found.receptor!r}),")
        delay = found.delay[0] if (found.delay == found.delay[0]).all() else found.delay
        arrays |= {f"{found.label}.pre": found.pre.astype(np.int32), f"{found.label}.post": found.post.astype(np.int32),
                   f"{found.label}.weight": found.weight, f"{found.label}.delay": np.asarray(delay)}
    lines += ["]", f"OUTPUTS = {graph.outputs!r}  # the population whose neurons are the classes",
              f"DEADLINE = {deadline!r}  # a spike later than this (ms from the start of its sample) does not count",
              f"WINDOW = {_number(length)}  # from the start of a sample to that of the next (ms); between them membranes decay"]
    return arrays, "\n".join(lines)


def _cell(node: Node, tau_refrac: float, arrays: dict[str, np.ndarray]) -> str:
    """A dict of cell parameters as Python text; arrays are put into `arrays`."""
    values = {}
    for name in _CELL:
        value = getattr(node.neuron, name)
        if np.ndim(value):
            arrays[f"{node.label}.{name}"] = value
            values[name] = f"ARRAYS[{f'{node.label}.{name}'!r}]"
        else:
            values[name] = _number(float(value))
    values["tau_refrac"] = _number(tau_refrac)
    return "dict(" + ", ".join(f"{name}={value}" for name, value in values.items()) + ")"


def _number(value: float) -> str:
    return "np.inf" if np.isinf(value) else repr(value)


def _table(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{label!r}: {value}" for label, value in values.items()) + "}"
