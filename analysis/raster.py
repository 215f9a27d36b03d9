"""Raster: all spikes of all populations, the first of each neuron marked; two recordings overlaid; samples and classes marked.

Trials (segments) of a neuron stand above each other in its row. With --other, populations are paired by their names and neurons
by what tells them apart in the files.

examples:
  ttfs-pynn raster runs/yy7                                       (one sample, before and after training)
  ttfs-pynn raster spikes.nix --stop 200                          (any file that Neo reads)
  ttfs-pynn raster exact.nix --other nest.nix --output both.png
"""

import re

import numpy as np
from matplotlib.lines import Line2D

from ttfs_pynn.analysis.decision_time import tau_syn_of
from ttfs_pynn.analysis.neo_files import as_recording, no_spikes, read_recordings, record_blocks, recordings, run_block
from ttfs_pynn.analysis.style import (
    BLUE,
    CLASSES,
    DARK,
    GREY,
    ORANGE,
    TAU_SYN,
    VERMILION,
    distinct_names,
    figure,
    literal,
    picture_command,
)
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.sample_spikes import names_of
from ttfs_pynn.spikes.pairing import pair_recordings
from ttfs_pynn.spikes.recordings import Recording

__all__ = ["draw", "draw_overlaid", "last_spike", "mark_samples", "readable", "record_blocks", "spikes", "stored_blocks"]


DENSE = 20_000  # spikes from which on they are drawn as pixels


def spikes(block, start=-np.inf, stop=np.inf):
    """(row, time in ms, height within the row from 0 to 1) of the spikes of a Block or Recording in [start, stop) ms.

    Rows are places of the recorded neurons; trials of one neuron stand above each other in its row.
    """
    recording = block if isinstance(block, Recording) else as_recording(block)
    n = len(recording.trials)
    found = [(*recording.flat(k), (k + 0.5) / n) for k in range(n)]
    rows = np.concatenate([rows for rows, _, _ in found])
    times = np.concatenate([times for _, times, _ in found])
    heights = np.repeat([height for *_, height in found], [len(times) for _, times, _ in found])
    inside = (times >= start) & (times < stop)
    return rows[inside], times[inside], heights[inside]


def _first_of_each(rows, times):
    """Mask of the first spike of each row."""
    order = np.lexsort((times, rows))
    first = np.zeros(len(times), dtype=bool)
    first[order[np.unique(rows[order], return_index=True)[1]]] = True
    return first


def _draw_band(axes, times, y, spacing, colours, size):
    if len(times) > DENSE:
        axes.plot(times, y, ",", color=DARK, rasterized=True)
        return
    first, half = _first_of_each(y, times), min(0.06, max(0.45 * spacing, 0.03))
    axes.vlines(times[~first], y[~first] - half, y[~first] + half, color=GREY, linewidth=0.7)
    axes.scatter(times[first], y[first], s=size, c=colours[first], linewidths=0, zorder=3)


def _name_of_band(label, recording):
    lines = [literal(label)]
    if recording.size is not None and recording.size != len(recording.units):
        lines.append(f"{len(recording.units)} of {recording.size}")
    if len(recording.trials) > 1:
        lines.append(f"{len(recording.trials)} trials")
    return "\n".join(lines)


def _bands(axes, found):
    """(label, recording, bottom, height) of each band, from the bottom; labels the axis."""
    bands, bottom, last = [], 0.0, list(found)[-1]
    for label, recording in found.items():
        # A band of 120 neurons may be higher than one of 3, but must not hide it.
        height = 1.0 + 0.35 * np.sqrt(len(recording.units))
        bands.append((label, recording, bottom, height))
        bottom += height
        if label != last:
            axes.axhline(bottom, color=GREY, linewidth=0.4)
    axes.set_yticks([low + height / 2 for *_, low, height in bands], [_name_of_band(*band[:2]) for band in bands])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(0, bottom)
    return bands


def mark_samples(axes, window, labels, class_names=None, unit=1.0):
    """A line where each sample of `window` ms begins, and above it its class. Returns the axes."""
    for k, label in enumerate(labels):
        axes.axvline(k * window / unit, color=GREY, linewidth=0.5, zorder=0)
        name = literal(class_names[label]) if class_names else str(label)
        axes.text((k + 0.5) * window / unit, 1.0, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom",
                  fontsize=7, color=CLASSES[label % len(CLASSES)])
    return axes


def _legend(axes, handles):
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(handles), fontsize=7, handlelength=1.2,
                columnspacing=1.0, borderaxespad=0.2)


def _limit(axes, start, stop, unit=1.0):
    """The time axis is what was asked for, as far as it was."""
    axes.set_xlim(start / unit if np.isfinite(start) else None, stop / unit if np.isfinite(stop) else None)


def draw_overlaid(axes, reference, other, start=-np.inf, stop=np.inf, names=("reference", "other")):
    """Spikes of two recordings of the same network in [start, stop) ms: open circles and, where they agree, dots inside them.

    reference, other: {label: Block or Recording}; see `pair_recordings` for which is compared with which. Returns the axes.
    """
    found, others = recordings(reference, names[0]), recordings(other, names[1])
    pairs, _ = pair_recordings(list(found.values()), list(others.values()), names)
    by_reference = {id(pair.reference): pair for pair in pairs}
    paired = {label: recording for label, recording in found.items() if id(recording) in by_reference}
    for _, recording, bottom, height in _bands(axes, paired):
        pair = by_reference[id(recording)]
        place = np.full(len(pair.other.units), -1)
        place[[j for _, j in pair.units]] = [i for i, _ in pair.units]
        for part, of, style in ((recording, None, dict(s=26, facecolors="none", edgecolors=ORANGE, linewidths=1.1)),
                                (pair.other, place, dict(s=7, color=BLUE, linewidths=0))):
            rows, times, within = spikes(part, start, stop)
            rows = rows if of is None else of[rows]
            y = bottom + height * (rows + within) / max(len(recording.units), 1)
            axes.scatter(times[rows >= 0], y[rows >= 0], zorder=2, rasterized=len(times) > DENSE, **style)
    _legend(axes, [Line2D([], [], marker="o", linestyle="", markerfacecolor="none", color=ORANGE, label=literal(names[0])),
                   Line2D([], [], marker=".", linestyle="", color=BLUE, label=literal(names[1]))])
    axes.set(xlabel="time (ms)")
    _limit(axes, start, stop)
    return axes


def draw(axes, blocks, start=-np.inf, stop=np.inf, tau_syn=None, title=None, class_names=None, origin=0.0):
    """Populations as bands, from the inputs at the bottom to the one that decides at the top. Returns the axes.

    blocks: {label: neo.Block or Recording} in that order. Drawn is what happened in [start, stop) ms, at its own time; tau_syn
    (ms): the unit of the time axis, which then begins at `origin` (ms). class_names: of the last population's neurons.
    Ticks are spikes, dots first spikes; the dotted line is the first spike of the last population, which decides.
    """
    found, unit = recordings(blocks), tau_syn or 1.0
    last, handles = list(found)[-1], {}
    whole = start <= min(recording.span[0] for recording in found.values())
    for label, recording, bottom, height in _bands(axes, found):
        size = len(recording.units)
        rows, times, within = spikes(recording, start, stop)
        times = (times - origin) / unit
        decides = label == last and size <= len(CLASSES) and len(found) > 1 and len(recording.trials) == 1
        if decides:
            colours = np.array(CLASSES)[recording.numbers[rows] % len(CLASSES)]
            if len(times):
                axes.axvline(times.min(), color=colours[times.argmin()], linewidth=1, linestyle=":", zorder=1)
                handles["decision"] = Line2D([], [], color=DARK, linewidth=1, linestyle=":",
                                             label=f"first spike of {literal(label)}")
            for k, name in enumerate(class_names or ()):
                axes.text(1.01, bottom + height * (k + 0.5) / size, literal(name), transform=axes.get_yaxis_transform(),
                          va="center", fontsize=7, color=CLASSES[k % len(CLASSES)])
        else:
            colours = np.full(len(rows), VERMILION if "bias" in label else DARK)
        _draw_band(axes, times, bottom + height * (rows + within) / size, height / size / len(recording.trials), colours,
                   40 if decides else 8)
        if 0 < len(times) <= DENSE:
            handles["first"] = Line2D([], [], marker="o", markersize=3, linestyle="", color=DARK,
                                      label="first spike" if whole else "first spike in view")
            if len(times) > np.unique(rows + within).size:
                handles["later"] = Line2D([], [], marker="|", linestyle="", color=GREY, label="later")
    if handles:
        _legend(axes, list(handles.values()))
    axes.set(xlabel="time (ms)" if tau_syn is None else f"time ({TAU_SYN})")
    axes.set_title(title, loc="left", pad=18 if handles else None)  # above the legend
    _limit(axes, start - origin, stop - origin, unit)
    return axes


def stored_blocks(folder, prefix):
    """{label: Block} of spikes/PREFIX_LABEL.nix: sources first, then neurons, causes first, and last those that decide."""
    there = folder.spike_names()
    if not there:
        return {}
    return {label: run_block(folder, name) for label, name in names_of(folder.read_graph(), prefix).items() if name in there}


def readable(blocks):
    """The same blocks; those of a chain of layers (`graph.layered`) are called input, bias, hidden and label, hidden layers and
    biases numbered where several."""
    if not all(re.fullmatch(r"input|(bias|layer)\d+", label) for label in blocks):
        return blocks
    layers = [label for label in blocks if label.startswith("layer")]

    def name(label):
        if label in layers[-1:]:
            return "label"
        if len(layers) > 2:
            return label.replace("layer", "hidden ").replace("bias", "bias ")
        return {"layer0": "hidden", "bias0": "bias"}.get(label, label)

    return {name(label): block for label, block in blocks.items()}


def last_spike(pictures):
    """A time (ms) shortly after the last spike of all: several rasters that stop there have the same axis. pictures: a list of
    what `draw` takes."""
    ends = [train.times[-1] for blocks in pictures for recording in recordings(blocks).values() for train in recording.trains()
            if train.times.size]
    return 1.03 * max(ends, default=1.0)


def _draw_run(folder, path, start, stop):
    pictures = {prefix: stored_blocks(folder, prefix) for prefix in ("before", "after")}
    pictures = {prefix: readable(blocks) for prefix, blocks in pictures.items() if blocks}
    if not pictures:
        raise ResultsError(no_spikes(folder))
    stop = min(stop, last_spike(pictures.values()))
    with figure(path, columns=len(pictures), size=(3.8, 4.0), squeeze=False, sharex=True) as axes:
        for panel, (prefix, blocks) in zip(axes[0], pictures.items(), strict=True):
            draw(panel, blocks, start, stop, tau_syn_of(folder), f"{prefix} training", folder.configuration.get("classes"))


def main(arguments=None):
    a, path = picture_command("raster", __doc__, "raster", arguments,
                              other=dict(metavar="FILE", help="a second recording, overlaid"),
                              start=dict(type=float, default=-np.inf, metavar="MS", help="of what is drawn (default: all)"),
                              stop=dict(type=float, default=np.inf, metavar="MS", help="of what is drawn (default: all)"))
    if not a.start < a.stop:
        raise ConfigurationError(f"--start {a.start:g} --stop {a.stop:g}: nothing is between them; start before stop")
    if RunFolder.exists(a.file) and not a.other:
        _draw_run(RunFolder.open(a.file), path, a.start, a.stop)
        print(path)
        return
    found = read_recordings(a.file)
    if not any(len(spikes(recording, a.start, a.stop)[1]) for recording in found.values()):
        low, high = (f(r.span[k] for r in found.values()) for k, f in enumerate((min, max)))
        print(f"note: no spike is in what is drawn; {a.file} was recorded from {low:g} to {high:g} ms")
    with figure(path, size=(7.0, 4.0)) as axes:
        if a.other:
            names, second = distinct_names(a.file, a.other), read_recordings(a.other)
            draw_overlaid(axes, found, second, a.start, a.stop, names)
            for note in pair_recordings(list(found.values()), list(second.values()), names)[1]:
                print(f"note: {note}")
        else:
            draw(axes, found, a.start, a.stop)
    print(path)


if __name__ == "__main__":
    run(main)
