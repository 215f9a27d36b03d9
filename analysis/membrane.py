"""Membrane traces with threshold, spikes and the inputs that caused the first of them.

Neurons have the numbers of their population; trials (segments) of one neuron are drawn over each other.

examples:
  ttfs-pynn membrane recorded.nix --threshold -50 --neurons 3 --stop 100       (a file with a signal of v)
  ttfs-pynn membrane recorded.nix --population cells
"""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.analysis.neo_files import read_blocks
from ttfs_pynn.analysis.style import BLUE, CLASSES, GREY, VERMILION, figure, literal, picture_command
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import ConfigurationError, ResultsError, unknown
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.spikes.recordings import recordings_of, time_scale

_NAMES = ("v", "v_m", "membrane potential")


@dataclass(frozen=True)
class Trace:
    """The membrane of one neuron in one trial: times (ms of the model) and values, in mV unless `unit` says other."""

    population: str
    number: int
    trial: int
    times: np.ndarray
    values: np.ndarray
    unit: str = "mV"


def _unit_and_values(signal):
    """('mV', values), or the signal's own unit where it is no voltage (a chip's converter counts)."""
    try:
        return "mV", signal.rescale("mV").magnitude
    except ValueError:
        name = str(signal.dimensionality)
        return "a.u." if name == "dimensionless" else name, signal.magnitude


def _is_of(signal, name):
    own = (signal.name or "").lower()
    return own == name.lower() or own.endswith(f".{name.lower()}") or (name.lower() in _NAMES and own in _NAMES)


def traces_of(block, label=None, name="v"):
    """Traces of the signal `name` in all segments of a Block, regularly sampled or not; none where it was not recorded."""
    label, found = label or block.name or "recording", []
    trial = 0
    for segment in block.segments:
        signals = [s for s in (*segment.analogsignals, *segment.irregularlysampledsignals) if _is_of(s, name)]
        count = 0
        for signal in signals:
            unit, values = _unit_and_values(signal)
            times = signal.times.rescale("ms").magnitude * time_scale(block)
            numbers = signal.array_annotations.get("channel_index")
            numbers = np.arange(count, count + values.shape[1]) if numbers is None else np.asarray(numbers)
            count += values.shape[1]
            found += [Trace(label, int(k), trial, times, column, unit) for k, column in zip(numbers, values.T, strict=True)]
        trial += bool(signals)
    return found


def signal_of(block, name="v"):
    """(times (ms of the model), values (samples, neurons)) of the first recorded signal of that name; ResultsError where there is
    none."""
    traces = [trace for trace in traces_of(block, name=name) if trace.trial == 0]
    if not traces:
        raise ResultsError(f"no signal {name!r} was recorded; record it with population.record({name!r})")
    together = [trace.values for trace in traces if np.array_equal(trace.times, traces[0].times)]
    return traces[0].times, np.stack(together, axis=1)


def draw(axes, times, v, threshold=None, spikes=(), causal=(), other=(), label=None, color=BLUE, unit="mV"):
    """One neuron. times (ms), v (mV); spikes, causal, other: times (ms) of its spikes, of the inputs that came before its first
    spike and so can have caused it, and of those that came too late. Returns the axes."""
    axes.plot(times, v, color=color, linewidth=1.0, label=label)
    low = float(np.nanmin(v)) if len(v) else 0.0
    top = max(float(np.nanmax(v)) if len(v) else 1.0, threshold if threshold is not None else -np.inf)
    height = max(top - low, 1e-9)
    if threshold is not None:
        axes.axhline(threshold, color=GREY, linewidth=0.9, linestyle="--")
        axes.annotate("threshold", (1.01, threshold), xycoords=("axes fraction", "data"), va="center", fontsize=7, color=GREY)
    for arrivals, name, colour, width in ((causal, "causal inputs", VERMILION, 1.3), (other, "later inputs", GREY, 0.8)):
        if len(arrivals):
            axes.vlines(arrivals, low - 0.16 * height, low - 0.04 * height, color=colour, linewidth=width, label=name)
    for k, spike in enumerate(spikes):
        axes.axvline(spike, color=CLASSES[7], linewidth=0.8, linestyle=":", label=None if k else "spike")
    axes.set(xlabel="time (ms)", ylabel=f"membrane ({unit})")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3)
    return axes


def causal_inputs(arrivals, first_spike):
    """(causal, later): arrival times (ms) before the first spike (inf: none spiked, all are causal), and the others."""
    arrivals = np.asarray(arrivals, dtype=float)
    return arrivals[arrivals < first_spike], arrivals[arrivals >= first_spike]


def _spikes(blocks):
    """{(label, number): times (ms)} of neurons that were recorded in one trial, where the file has their spikes too."""
    found = {}
    for label, block in blocks.items():
        for recording in recordings_of(block):
            if len(recording.trials) == 1 and recording.identity in ("source_index", "position"):
                found |= {(label, int(k)): t.times for k, t in zip(recording.numbers, recording.trials[0], strict=True)}
    return found


def _read(path, population):
    """({(population, number): Traces, one a trial}, {(population, number): spikes}) of a file."""
    if RunFolder.exists(path):
        raise ResultsError(f"{path} is a run folder, which holds spikes only; record v with population.record('v') and give "
                           "the file")
    blocks = read_blocks(path)
    if population is not None and population not in blocks:
        raise ResultsError(unknown("population", population, blocks))
    traces = [trace for label, block in blocks.items() if population in (None, label) for trace in traces_of(block, label)]
    if not traces:
        raise ResultsError(f"{path}: no signal 'v' was recorded; record it with population.record('v')")
    neurons = {}
    for trace in traces:
        neurons.setdefault((trace.population, trace.number), []).append(trace)
    return neurons, _spikes(blocks)


def main(arguments=None):
    a, path = picture_command("membrane", __doc__, "membrane", arguments, "file that Neo reads (NIX), with a signal of v",
                              threshold=dict(type=float, metavar="MV",
                                             help="where the neuron spikes, in the unit of the signal (mV, if not a chip's)"),
                              population=dict(metavar="NAME", help="whose neurons (default: all of which v was recorded)"),
                              neurons=dict(type=int, default=4, metavar="N", help="how many (default 4)"),
                              start=dict(type=float, default=-np.inf, metavar="MS", help="of what is drawn (default: all)"),
                              stop=dict(type=float, default=np.inf, metavar="MS", help="of what is drawn (default: all)"))
    if a.neurons < 1 or not a.start < a.stop:
        raise ConfigurationError(f"--neurons {a.neurons} --start {a.start:g} --stop {a.stop:g}: draw at least one neuron, and "
                                 "start before stop")
    neurons, spikes = _read(a.file, a.population)
    several = len({population for population, _ in neurons}) > 1
    shown = list(neurons.items())[:a.neurons]
    drawn = 0
    with figure(path, columns=len(shown), size=(3.4, 2.8), squeeze=False) as axes:
        for panel, ((population, number), traces) in zip(axes[0], shown, strict=True):
            for trace in traces:
                inside = (trace.times >= a.start) & (trace.times < a.stop)
                own = spikes.get((population, number), np.empty(0))
                drawn += inside.sum()
                draw(panel, trace.times[inside], trace.values[inside], a.threshold, own[(own >= a.start) & (own < a.stop)],
                     label=f"trial {trace.trial}" if len(traces) > 1 else None, color=CLASSES[trace.trial % len(CLASSES)],
                     unit=trace.unit)
            panel.set_xlabel(f"time (ms)\n{literal(population) + ', ' if several else ''}neuron {number}")
    if not drawn:
        ends = [t.times[k] for traces in neurons.values() for t in traces for k in (0, -1) if t.times.size]
        print(f"note: nothing was recorded in what is drawn; {a.file} goes from {min(ends):g} to {max(ends):g} ms")
    if len(neurons) > len(shown):
        print(f"note: drawn are {len(shown)} of {len(neurons)} neurons; see --neurons and --population")
    print(path)


if __name__ == "__main__":
    run(main)
