"""Raster: all spikes of all layers, the first of each neuron marked; two simulators overlaid; samples and classes marked.

examples:
  python -m analysis.raster runs/yy7                                       (one sample, before and after training)
  python -m analysis.raster spikes.nix --stop 200                          (any file that Neo reads)
  python -m analysis.raster exact.nix --other nest.nix --output both.png
"""

import os

import numpy as np
from matplotlib.lines import Line2D

from analysis.decision_time import tau_syn_of
from analysis.neo_files import flat_spikes, no_spikes, read_blocks, record_blocks, rows_of
from analysis.style import BLUE, CLASSES, DARK, GREY, ORANGE, VERMILION, distinct_names, figure, literal, picture_command
from ttfs_pynn.command_line import run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.results import RunFolder

__all__ = ["draw", "draw_overlaid", "mark_samples", "readable", "record_blocks", "spikes", "stored_blocks", "unit_of"]


DENSE = 20_000  # spikes from which on they are drawn as pixels
CHIP_TIME_SCALE = 1000.0  # ms of the model in 1 ms of the emulated chip


def spikes(block, start=0.0, stop=np.inf):
    """(row, time) of a Neo Block's spikes in [start, stop) ms: neurons count from 0, times from `start`."""
    rows, times = flat_spikes(block)
    inside = (times >= start) & (times < stop)
    return rows[inside], times[inside] - start


def _first_of_each(rows, times):
    """Mask of the first spike of each row."""
    order = np.lexsort((times, rows))
    first = np.zeros(len(times), dtype=bool)
    first[order[np.unique(rows[order], return_index=True)[1]]] = True
    return first


def _draw_band(axes, rows, times, y, colours, size):
    if len(times) > DENSE:
        axes.plot(times, y, ",", color=DARK, rasterized=True)
        return
    first = _first_of_each(rows, times)
    axes.vlines(times[~first], y[~first] - 0.06, y[~first] + 0.06, color=GREY, linewidth=0.7)
    axes.scatter(times[first], y[first], s=size, c=colours[first], linewidths=0, zorder=3)


def _bands(axes, blocks):
    """(label, block, bottom, height) of each band, from the bottom; labels the axis."""
    found, bottom, last = [], 0.0, list(blocks)[-1]
    for label, block in blocks.items():
        # A band of 120 neurons may be higher than one of 3, but must not hide it.
        height = 1.0 + 0.35 * np.sqrt(rows_of(block))
        found.append((label, block, bottom, height))
        bottom += height
        if label != last:
            axes.axhline(bottom, color=GREY, linewidth=0.4)
    axes.set_yticks([low + height / 2 for *_, low, height in found], list(map(literal, blocks)))
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(0, bottom)
    return found


def mark_samples(axes, window, labels, class_names=None, unit=1.0):
    """A line where each sample of `window` ms begins, and above it its class. Returns the axes."""
    for k, label in enumerate(labels):
        axes.axvline(k * window / unit, color=GREY, linewidth=0.5, zorder=0)
        name = literal(class_names[label]) if class_names else str(label)
        axes.text((k + 0.5) * window / unit, 1.0, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom",
                  fontsize=7, color=CLASSES[label % len(CLASSES)])
    return axes


def draw_overlaid(axes, reference, other, start=0.0, stop=np.inf, names=("reference", "other")):
    """Spikes of two recordings of the same network in [start, stop) ms: open circles and, where they agree, dots inside them.
    Returns the axes."""
    for label, block, bottom, height in _bands(axes, reference):
        for recorded, style in ((block, dict(s=26, facecolors="none", edgecolors=ORANGE, linewidths=1.1)),
                                (other[label], dict(s=7, color=BLUE, linewidths=0))):
            rows, times = spikes(recorded, start, stop)
            y = bottom + height * (rows + 0.5) / max(rows_of(block), 1)
            axes.scatter(times + start, y, zorder=2, rasterized=len(times) > DENSE, **style)
    handles = [Line2D([], [], marker="o", linestyle="", markerfacecolor="none", color=ORANGE, label=literal(names[0])),
               Line2D([], [], marker=".", linestyle="", color=BLUE, label=literal(names[1]))]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    axes.set(xlabel="time (ms)")
    return axes


def draw(axes, blocks, start=0.0, stop=np.inf, tau_syn=None, title=None, class_names=None):
    """Layers as bands, from the inputs at the bottom to the labels at the top. Returns the axes.

    blocks: {label: neo.Block} in that order. The sample is what happened in [start, stop) ms. tau_syn (ms):
    the unit of the time axis, ms without it. class_names: of the last layer's neurons.
    Ticks are spikes, dots first spikes; the dotted line is the first spike of the last layer, which decides.
    """
    last = list(blocks)[-1]
    for label, block, bottom, height in _bands(axes, blocks):
        size = rows_of(block)
        rows, times = spikes(block, start, stop)
        times = times / (tau_syn or 1.0)
        decides = label == last and size <= len(CLASSES) and len(blocks) > 1
        if decides:
            colours = np.array(CLASSES)[rows % len(CLASSES)]
            if len(times):
                axes.axvline(times.min(), color=colours[times.argmin()], linewidth=1, linestyle=":", zorder=1)
            for k, name in enumerate(class_names or ()):
                axes.text(1.01, bottom + height * (k + 0.5) / size, literal(name), transform=axes.get_yaxis_transform(),
                          va="center", fontsize=7, color=CLASSES[k % len(CLASSES)])
        else:
            colours = np.full(len(rows), VERMILION if "bias" in label else DARK)
        _draw_band(axes, rows, times, bottom + height * (rows + 0.5) / max(size, 1), colours, 40 if decides else 8)
    axes.set(xlabel="time (ms)" if tau_syn is None else "time ($\\tau_s$)", title=title)
    return axes


def stored_blocks(folder, prefix):
    """{label: Block} of spikes/PREFIX_LABEL.nix, from the inputs to the last layer."""
    names = [name for name in folder.spike_names() if name.startswith(f"{prefix}_")]

    def place(name):
        label = name[len(prefix) + 1:]
        number = int("".join(filter(str.isdigit, label)) or -1)
        return number, not label.startswith("bias"), label

    blocks = {name[len(prefix) + 1:]: folder.read_spikes(name) for name in sorted(names, key=place)}
    if folder.configuration.get("backend") == "brainscales2":
        for block in blocks.values():  # of folders from before blocks were annotated
            block.annotations.setdefault("time_scale", CHIP_TIME_SCALE)
    return blocks


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


def unit_of(folder):
    """tau_syn (ms) of the label layer, None where the configuration has none."""
    return tau_syn_of(folder) if "tau_syn" in folder.configuration.get("network", {}) else None


def _draw_run(folder, path):
    pictures = {prefix: stored_blocks(folder, prefix) for prefix in ("before", "after")}
    pictures = {prefix: blocks for prefix, blocks in pictures.items() if blocks}
    if not pictures:
        raise ResultsError(no_spikes(folder))
    with figure(path, columns=len(pictures), size=(3.6, 4.0), squeeze=False, sharex=True) as axes:
        for panel, (prefix, blocks) in zip(axes[0], pictures.items(), strict=True):
            draw(panel, readable(blocks), tau_syn=unit_of(folder), title=f"{prefix} training",
                 class_names=folder.configuration.get("classes"))


def main(arguments=None):
    a, path = picture_command("raster", __doc__, "raster", arguments,
                              other=dict(metavar="FILE", help="a second recording, overlaid"),
                              start=dict(type=float, default=0.0, metavar="MS", help="of what is drawn (default 0)"),
                              stop=dict(type=float, default=np.inf, metavar="MS", help="of what is drawn (default: all)"))
    if os.path.isdir(a.file):
        _draw_run(RunFolder.open(a.file), path)
    else:
        blocks = read_blocks(a.file)
        with figure(path, size=(7.0, 4.0)) as axes:
            if a.other:
                second = read_blocks(a.other)
                if len(second) != len(blocks):
                    raise ResultsError(f"{a.other} holds {len(second)} blocks and {a.file} {len(blocks)}; overlay like with like")
                draw_overlaid(axes, blocks, dict(zip(blocks, second.values(), strict=True)), a.start, a.stop,
                              distinct_names(a.file, a.other))
            else:
                draw(axes, blocks, a.start, a.stop)
    print(path)


if __name__ == "__main__":
    run(main)
