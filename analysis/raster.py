"""Raster of one sample: all spikes of all layers, the first of each neuron marked, before and after training.

examples:
  python -m analysis.raster runs/yy7
"""

import numpy as np

from analysis.style import CLASSES, DARK, GREY, VERMILION, command, figure
from ttfs_pynn.command_line import run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.presentation import spikes_of


def spikes(block, start=0.0, stop=np.inf):
    """(row, time) of a Neo Block's spikes in [start, stop) ms: neurons count from 0, times from `start`."""
    trains = block.segments[0].spiketrains
    ids, times = spikes_of(block.segments[0])
    first = block.annotations.get("first_id")
    if first is None:
        known = np.unique([train.annotations.get("channel_id", row) for row, train in enumerate(trains)])
        rows = np.searchsorted(known, ids)
    else:
        rows = ids - first
    inside = (times >= start) & (times < stop)
    return rows[inside], times[inside] - start


def rows_of(block):
    """How many neurons a Neo Block was recorded from."""
    return int(block.annotations.get("size", len(block.segments[0].spiketrains)))


def _first_of_each(rows, times):
    """Mask of the first spike of each row."""
    order = np.lexsort((times, rows))
    first = np.zeros(len(times), dtype=bool)
    first[order[np.unique(rows[order], return_index=True)[1]]] = True
    return first


def _draw_band(axes, rows, times, y, colours, size):
    first = _first_of_each(rows, times)
    axes.vlines(times[~first], y[~first] - 0.06, y[~first] + 0.06, color=GREY, linewidth=0.7)
    axes.scatter(times[first], y[first], s=size, c=colours[first], linewidths=0, zorder=3)


def draw(axes, blocks, start=0.0, stop=np.inf, tau_syn=None, title=None):
    """Layers as bands, from the inputs at the bottom to the labels at the top. Returns the axes.

    blocks: {label: neo.Block} in that order. The sample is what happened in [start, stop) ms. tau_syn (ms):
    the unit of the time axis, ms without it. Ticks are spikes, dots first spikes; the dotted line is the
    first spike of the last layer, which decides.
    """
    bottom, centres, last = 0.0, [], list(blocks)[-1]
    for label, block in blocks.items():
        size = rows_of(block)
        # A band of 120 neurons may be higher than one of 3, but must not hide it.
        height = 1.0 + 0.35 * np.sqrt(size)
        rows, times = spikes(block, start, stop)
        times = times / (tau_syn or 1.0)
        if label == last:
            colours = np.array(CLASSES)[rows % len(CLASSES)]
            if len(times):
                axes.axvline(times.min(), color=colours[times.argmin()], linewidth=1, linestyle=":", zorder=1)
        else:
            colours = np.full(len(rows), VERMILION if "bias" in label else DARK)
        y = bottom + height * (rows + 0.5) / size
        _draw_band(axes, rows, times, y, colours, 40 if label == last else 8)
        centres.append(bottom + height / 2)
        bottom += height
        if label != last:
            axes.axhline(bottom, color=GREY, linewidth=0.4)
    axes.set_yticks(centres, list(blocks))
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(0, bottom), xlabel="time (ms)" if tau_syn is None else "time ($\\tau_s$)", title=title)
    return axes


def stored_blocks(folder, prefix):
    """{label: Block} of spikes/PREFIX_LABEL.nix, from the inputs to the last layer."""
    names = [name for name in folder.spike_names() if name.startswith(f"{prefix}_")]

    def place(name):
        label = name[len(prefix) + 1:]
        number = int("".join(filter(str.isdigit, label)) or -1)
        return number, not label.startswith("bias"), label

    return {name[len(prefix) + 1:]: folder.read_spikes(name) for name in sorted(names, key=place)}


def readable(blocks):
    """The same blocks as input, bias, hidden and label; hidden layers and biases numbered where several."""
    layers = [label for label in blocks if label.startswith("layer")]

    def name(label):
        if label in layers[-1:]:
            return "label"
        if len(layers) > 2:
            return label.replace("layer", "hidden ").replace("bias", "bias ")
        return {"layer0": "hidden", "bias0": "bias"}.get(label, label)

    return {name(label): block for label, block in blocks.items()}


def main(arguments=None):
    folder, path = command("raster", __doc__, "raster", arguments)
    pictures = {prefix: stored_blocks(folder, prefix) for prefix in ("before", "after")}
    pictures = {prefix: blocks for prefix, blocks in pictures.items() if blocks}
    if not pictures:
        raise ResultsError(f"{folder.path}/spikes holds no before_*.nix and no after_*.nix: train first")
    tau_syn = folder.configuration.get("network", {}).get("tau_syn")
    with figure(path, columns=len(pictures), size=(3.6, 4.0), squeeze=False, sharex=True) as axes:
        for panel, (prefix, blocks) in zip(axes[0], pictures.items(), strict=True):
            draw(panel, readable(blocks), tau_syn=tau_syn, title=f"{prefix} training")
    print(path)


if __name__ == "__main__":
    run(main)
