"""Histograms of the trained weights, projection by projection, in nA; of trained delays and times of sources in ms.

examples:
  ttfs-pynn weight_histogram runs/yy7
"""

import numpy as np

from ttfs_pynn.analysis.style import BLUE, ORANGE, bin_edges, command, figure, literal
from ttfs_pynn.commands.command_line import run

COLUMNS = 4  # of panels


def _bins(values, most=50):
    """How many: fewer where there are few values."""
    return int(np.clip(2 * np.sqrt(np.size(values)), 10, most))


def draw(axes, weights, title=None):
    """Excitatory and inhibitory weights (nA) of one projection. Returns the axes."""
    weights = np.asarray(weights).ravel()
    edges = bin_edges(weights, _bins(weights))
    # Where no weight is positive the projection is inhibitory, its zeros too.
    inhibitory = weights <= 0 if weights.any() and (weights <= 0).all() else weights < 0
    for chosen, colour, name in ((weights[~inhibitory], BLUE, "excitatory"), (weights[inhibitory], ORANGE, "inhibitory")):
        if not chosen.size:
            continue
        axes.hist(chosen, edges, color=colour, alpha=0.8, label=f"{name}, {chosen.size}")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set(xlabel="weight (nA)", ylabel="connections", title=title)
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])  # room for the legend
    axes.legend()
    return axes


def draw_times(axes, times, title=None):
    """Delays or times of sources (ms). Returns the axes."""
    axes.hist(np.ravel(times), bin_edges(times, _bins(times)), color=BLUE, alpha=0.8)
    axes.set(xlabel="time (ms)", ylabel="number", title=title)
    return axes


def kind_of(name):
    """(what, unit, how it is drawn) of an array that `RunFolder.read_parameters` knows by this name, see `graph.parameters`."""
    if name.endswith(".weight"):
        return "weights", "nA", draw
    return "delays" if name.endswith("delay") else "times", "ms", draw_times


def main(arguments=None):
    folder, path = command("weight_histogram", __doc__, "weight_histogram", arguments)
    stored = folder.read_parameters()
    columns = min(len(stored), COLUMNS)
    rows = -(-len(stored) // columns)
    with figure(path, columns, rows=rows, squeeze=False) as axes:
        for panel in axes.flat[len(stored):]:
            panel.remove()
        for panel, (name, values) in zip(axes.flat, stored.items(), strict=False):
            kind_of(name)[2](panel, values, f"{literal(name)}, {' x '.join(map(str, values.shape))}")
    print(path)


if __name__ == "__main__":
    run(main)
