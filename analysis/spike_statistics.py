"""Firing rates, interspike intervals, their irregularity, correlations of spike counts, and distances of spike trains.

Each spike train counts over its own time; trials (segments) of a neuron are pooled, and no interval goes from one to the next.
Definitions are elephant's. With --other, populations are paired by their names and neurons by what tells them apart in the files.

examples:
  ttfs-pynn spike_statistics runs/yy7                               (one sample, layer by layer)
  ttfs-pynn spike_statistics spikes.nix --skip 0.1                  (without the first tenth, where a network settles)
  ttfs-pynn spike_statistics spikes.nix --other reference.nix       (distances, neuron by neuron)
"""

import numpy as np

from ttfs_pynn.analysis.neo_files import as_recording, read_recordings
from ttfs_pynn.analysis.style import CLASSES, GREY, bin_edges, distinct_names, figure, literal, picture_command
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.comparison.statistics import measures
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.spikes.pairing import pair_recordings
from ttfs_pynn.spikes.recordings import Recording
from ttfs_pynn.spikes.statistics import MOST_PAIRS, distances, intervals
from ttfs_pynn.spikes.windows import in_windows

BIN = 5.0  # ms, of the counts that are correlated
_MOST = 8  # populations drawn

# What is drawn of it, and why there may be nothing.
PANELS = {"rate": ("rate (1/s)", "no time recorded"), "interval": ("interspike interval (ms)", "no neuron spikes twice"),
           "cv": ("CV of intervals", "no neuron has 3 intervals"),
           "correlation": (f"correlation of counts ({BIN:g} ms)", "no two neurons whose\ncounts change")}


def counts_per_sample(block, window, n_samples, trial=0):
    """(samples, neurons) spike counts in windows of `window` ms from the beginning of a trial of a Block or Recording."""
    recording = block if isinstance(block, Recording) else as_recording(block)
    rows, times = recording.flat(trial)
    counts = np.zeros((n_samples, len(recording.units)), dtype=int)
    sample, _ = in_windows(times - recording.span[0], window)
    inside = (sample >= 0) & (sample < n_samples)
    np.add.at(counts, (sample[inside], rows[inside]), 1)
    return counts


def draw_distribution(axes, values, xlabel, labels=None, bins=30, empty="nothing to show"):
    """Outlined histograms, one for each array in `values`; without any value the text `empty` in place of axes. Returns the
    axes."""
    finite = [np.asarray(v, dtype=float)[np.isfinite(v)] for v in values]
    joined = np.concatenate([np.empty(0), *finite])
    if not joined.size:
        axes.set_axis_off()
        axes.text(0.5, 0.5, f"{xlabel}:\n{empty}", transform=axes.transAxes, ha="center", va="center", color=GREY)
        return axes
    edges = bin_edges(joined, bins)
    for k, v in enumerate(finite):
        axes.hist(v, edges, histtype="stepfilled", color=CLASSES[k], alpha=0.25)
        axes.hist(v, edges, histtype="step", color=CLASSES[k], linestyle=("-", "--", ":")[k % 3],
                  label=literal(labels[k]) if labels else None)
    if labels:
        axes.legend()
    axes.set(xlabel=xlabel, ylabel="number")
    axes.locator_params(axis="x", nbins=6)
    return axes


def draw_counts(axes, counts, labels=None, class_names=None):
    """Spikes a sample (mean over a class with the standard deviation), for each neuron group given: counts (samples, neurons)."""
    total = np.asarray(counts).sum(axis=1)
    labels = np.zeros(len(total), dtype=int) if labels is None else np.asarray(labels)
    for k in np.unique(labels):
        chosen = total[labels == k]
        axes.bar(k, chosen.mean(), yerr=chosen.std(), color=CLASSES[k % len(CLASSES)], capsize=3)
    known = np.unique(labels)
    axes.set_xticks(known, [literal(class_names[k]) if class_names else f"class {k}" for k in known])
    axes.set(ylabel="spikes a sample")
    return axes


def values_of(recording):
    """{name in PANELS: its values} of a Recording (or a Block of one population); those that are not known are left out."""
    recording = recording if isinstance(recording, Recording) else as_recording(recording)
    found = measures(recording, bin_width=BIN) | {"interval": np.concatenate([np.empty(0), *intervals(recording)])}
    return {name: found[name][np.isfinite(found[name])] for name in PANELS}


def draw(axes, values, names=None, title=None, panels=tuple(PANELS)):
    """One Axes for each of `panels`: by default rate, interspike interval, CV, correlation of counts. values: of one or two
    recordings, from `values_of`, the second dashed; names: theirs. Dotted: the mean rate. Returns the axes."""
    for panel, name in zip(axes, panels, strict=True):
        xlabel, empty = PANELS[name]
        draw_distribution(panel, [each[name] for each in values], xlabel, empty=empty)
    for k, each in enumerate(values):
        if "rate" in panels and each["rate"].size:
            mean = each["rate"].mean()
            label = f"{literal(names[k])}, mean {mean:.4g}" if names else f"mean {mean:.4g}"
            axes[panels.index("rate")].axvline(mean, color=CLASSES[k], linewidth=0.9, linestyle=":", label=label)
    if axes[0].get_legend_handles_labels()[0]:
        axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.0), fontsize=7)
    axes[-1].set_title(title, fontsize=8, loc="right")
    return axes


def _of_pairs(used, n):
    drawn = f" drawn from {n * (n - 1) // 2}" if n * (n - 1) // 2 > MOST_PAIRS else ""
    return f" of {used} pair{'s' * (used > 1)}{drawn}"


def line(label, recording, found):
    """What is told of one population. found: its `values_of`."""
    n = len(recording.units)
    text = [f"{label}: {recording.summary()}"]
    for name, unit in (("rate", " Hz"), ("cv", ""), ("correlation", "")):
        values = found[name]
        if values.size:
            of = _of_pairs(values.size, n) if name == "correlation" else f" of {values.size}" if values.size < n else ""
            text.append(f"{name} {values.mean():.4g} +- {values.std():.2g}{unit}{of}")
    return ", ".join(text)


def _told_distance(pair, label):
    found = distances(pair)
    found = found[np.isfinite(found).all(axis=1)]
    if not len(found):
        return f"{label}: no neuron has a trial in both, so that there is no distance"
    victor, rossum = found.mean(axis=0)
    over = "1 neuron" if len(found) == 1 else f"{len(found)} neurons"
    trials = f" and {pair.n_trials} trials" if pair.n_trials > 1 else ""
    return f"{label}: distance, mean over {over}{trials}: Victor-Purpura {victor:.4g}, van Rossum {rossum:.4g}"


def main(arguments=None):
    a, path = picture_command("spike_statistics", __doc__, "spike_statistics", arguments,
                              other=dict(metavar="FILE", help="a second recording of the same neurons"),
                              skip=dict(type=float, default=0.0, metavar="SHARE",
                                        help="of each spike train's time to leave out at its start, from 0 to 1 (default 0)"))
    if not 0 <= a.skip < 1:
        raise ConfigurationError(f"--skip {a.skip:g}: give a share of the recording, at least 0 and less than 1")
    found = {label: r.without_start(a.skip) for label, r in read_recordings(a.file).items()}
    labels = {id(r): label for label, r in found.items()}
    pairs, notes, names = [], [], None
    if a.other:
        others = {label: r.without_start(a.skip) for label, r in read_recordings(a.other).items()}
        names = distinct_names(a.file, a.other)
        pairs, notes = pair_recordings(list(found.values()), list(others.values()), names)
        labels |= {id(r): f"{label} of {names[1]}" for label, r in others.items()}
    drawn = [(p.reference, p.other) for p in pairs] or [(r,) for r in found.values()]
    values = [[values_of(r) for r in both] for both in drawn]
    panels = [name for name in PANELS if name == "rate" or any(each[name].size for both in values for each in both)]
    with figure(path, columns=len(panels), rows=min(len(drawn), _MOST), size=(3.2, 2.7), squeeze=False) as axes:
        for row, both, each in zip(axes, drawn, values, strict=False):
            draw(row, each, names, "\n".join(f"{literal(labels[id(r)])}: {r.summary()}" for r in both), panels)
    for both, of_both in zip(drawn, values, strict=True):
        for recording, found in zip(both, of_both, strict=True):
            print(line(labels[id(recording)], recording, found))
    for pair in pairs:
        print(_told_distance(pair, labels[id(pair.reference)]))
    for note in notes:
        print(f"note: {note}")
    for name in (name for name in PANELS if name not in panels):
        print(f"note: nothing to say of the {PANELS[name][0]}: {' '.join(PANELS[name][1].split())}")
    if len(drawn) > _MOST:
        print(f"note: the picture is of the first {_MOST} populations")
    print(path)


if __name__ == "__main__":
    run(main)
