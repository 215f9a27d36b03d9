"""Histograms of the trained weights, layer by layer, in nA; of trained delays and times of bias spikes in ms.

examples:
  ttfs-pynn weight_histogram runs/yy7
"""

import re

import numpy as np

from ttfs_pynn.analysis.style import BLUE, ORANGE, bin_edges, command, figure
from ttfs_pynn.commands.command_line import run


def draw(axes, weights, title=None, bins=50):
    """Excitatory and inhibitory weights (nA) of one matrix. Returns the axes."""
    weights = np.asarray(weights).ravel()
    edges = bin_edges(weights, bins)
    for chosen, colour, name in ((weights[weights >= 0], BLUE, "excitatory"), (weights[weights < 0], ORANGE, "inhibitory")):
        axes.hist(chosen, edges, color=colour, alpha=0.8, label=f"{name}, {chosen.size}")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set(xlabel="weight (nA)", ylabel="connections", title=title)
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])  # room for the legend
    axes.legend()
    return axes


def draw_times(axes, times, title=None, bins=50):
    """Delays or times of bias spikes (ms). Returns the axes."""
    axes.hist(np.ravel(times), bin_edges(times, bins), color=BLUE, alpha=0.8)
    axes.set(xlabel="time (ms)", ylabel="number", title=title)
    return axes


def kind_of(name):
    """(what, unit, how it is drawn) of an array that `RunFolder.read_weights` knows by this name."""
    if re.fullmatch(r"w\d+", name):
        return "weights", "nA", draw
    return "delays" if name.startswith("delay") else "times", "ms", draw_times


def main(arguments=None):
    folder, path = command("weight_histogram", __doc__, "weight_histogram", arguments)
    stored = folder.read_weights()
    with figure(path, columns=len(stored), squeeze=False) as axes:
        for panel, (name, values) in zip(axes[0], sorted(stored.items()), strict=True):
            kind_of(name)[2](panel, values, f"{name}, {' x '.join(map(str, values.shape))}")
    print(path)


if __name__ == "__main__":
    run(main)
