"""Histograms of the trained weights, layer by layer, in nA.

examples:
  python -m analysis.weight_histogram runs/yy7
"""

import numpy as np

from analysis.style import BLUE, ORANGE, command, figure
from ttfs_pynn.command_line import run


def draw(axes, weights, title=None, bins=50):
    """Excitatory and inhibitory weights (nA) of one matrix. Returns the axes."""
    weights = np.asarray(weights).ravel()
    edges = np.histogram_bin_edges(weights, bins)
    for chosen, colour, name in ((weights[weights >= 0], BLUE, "excitatory"), (weights[weights < 0], ORANGE, "inhibitory")):
        axes.hist(chosen, edges, color=colour, alpha=0.8, label=f"{name}, {chosen.size}")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set(xlabel="weight (nA)", ylabel="connections", title=title)
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])  # room for the legend
    axes.legend()
    return axes


def main(arguments=None):
    folder, path = command("weight_histogram", __doc__, "weight_histogram", arguments)
    stored = folder.read_weights()
    with figure(path, columns=len(stored), squeeze=False) as axes:
        for panel, (name, w) in zip(axes[0], sorted(stored.items()), strict=True):
            draw(panel, w, f"{name}, {w.shape[0]} x {w.shape[1]}")
    print(path)


if __name__ == "__main__":
    run(main)
