"""Membrane traces with threshold, spikes and the inputs that caused the first of them.

examples:
  python -m analysis.membrane recorded.nix --threshold -50 --neurons 3 --stop 100       (a file with a signal of v)
"""

import numpy as np

from analysis.neo_files import time_scale
from analysis.style import BLUE, CLASSES, GREY, VERMILION, figure, picture_command
from ttfs_pynn import nix_files
from ttfs_pynn.command_line import run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.results import RunFolder


def signal_of(block, name="v"):
    """(times (ms of the model), values (samples, neurons) in mV) of the recorded signal; ResultsError where there is none."""
    for segment in block.segments:
        for signal in segment.analogsignals:
            if signal.name == name or (signal.name or "").lower() in ("v", "v_m", "membrane potential"):
                return signal.times.rescale("ms").magnitude * time_scale(block), signal.rescale("mV").magnitude
    raise ResultsError(f"no signal {name!r} was recorded; record it with population.record({name!r})")


def draw(axes, times, v, threshold=None, spikes=(), causal=(), other=(), label=None):
    """One neuron. times (ms), v (mV); spikes, causal, other: times (ms) of its spikes, of the inputs that came before its first
    spike and so can have caused it, and of those that came too late. Returns the axes."""
    axes.plot(times, v, color=BLUE, linewidth=1.0, label=label)
    low = float(np.nanmin(v)) if len(v) else 0.0
    top = max(float(np.nanmax(v)) if len(v) else 1.0, threshold if threshold is not None else -np.inf)
    height = max(top - low, 1e-9)
    if threshold is not None:
        axes.axhline(threshold, color=GREY, linewidth=0.9, linestyle="--")
        axes.annotate("threshold", (1.01, threshold), xycoords=("axes fraction", "data"), va="center", fontsize=7, color=GREY)
    for arrivals, name, colour, width in ((causal, "causal inputs", VERMILION, 1.3), (other, "later inputs", GREY, 0.8)):
        if len(arrivals):
            axes.vlines(arrivals, low - 0.16 * height, low - 0.04 * height, color=colour, linewidth=width, label=name)
    for spike in spikes:
        axes.axvline(spike, color=CLASSES[7], linewidth=0.8, linestyle=":")
    axes.set(xlabel="time (ms)", ylabel="membrane (mV)")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3)
    return axes


def causal_inputs(arrivals, first_spike):
    """(causal, later): arrival times (ms) before the first spike (inf: none spiked, all are causal), and the others."""
    arrivals = np.asarray(arrivals, dtype=float)
    return arrivals[arrivals < first_spike], arrivals[arrivals >= first_spike]


def main(arguments=None):
    a, path = picture_command("membrane", __doc__, "membrane", arguments, "file that Neo reads (NIX), with a signal of v",
                              threshold=dict(type=float, metavar="MV", help="where the neuron spikes"),
                              neurons=dict(type=int, default=4, metavar="N", help="how many (default 4)"),
                              start=dict(type=float, default=0.0, metavar="MS", help="of what is drawn (default 0)"),
                              stop=dict(type=float, default=np.inf, metavar="MS", help="of what is drawn (default: all)"))
    if RunFolder.exists(a.file):
        raise ResultsError(f"{a.file} is a run folder, which holds spikes only; record v with population.record('v') and give "
                           "the file")
    times, v = signal_of(nix_files.read_blocks(a.file)[0])
    inside = (times >= a.start) & (times < a.stop)
    times, v = times[inside], v[inside]
    n = min(a.neurons, v.shape[1])
    with figure(path, columns=n, size=(3.4, 2.8), squeeze=False) as axes:
        for k, panel in enumerate(axes[0]):
            draw(panel, times, v[:, k], a.threshold)
            panel.set_title(f"neuron {k}")
    print(path)


if __name__ == "__main__":
    run(main)
