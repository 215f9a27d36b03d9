"""Firing rates, interspike intervals, their irregularity, spike counts a sample, and pairwise distances of spike trains.

examples:
  python -m analysis.spike_statistics runs/yy7                               (one sample; the picture is of its first layer)
  python -m analysis.spike_statistics spikes.nix --skip 0.1                  (without the first tenth, where a network settles)
  python -m analysis.spike_statistics spikes.nix --other reference.nix       (distances, neuron by neuron)
"""

import numpy as np

from analysis.neo_files import duration_of, flat_spikes, read_blocks, rows_of, trains_of
from analysis.style import BLUE, CLASSES, GREY, distinct_names, figure, literal, picture_command
from ttfs_pynn.command_line import run
from ttfs_pynn.comparison.statistics import measures
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.presentation import in_windows


def counts_per_sample(block, window, n_samples):
    """(samples, neurons) spike counts in windows of `window` ms."""
    rows, times = flat_spikes(block)
    counts = np.zeros((n_samples, rows_of(block)), dtype=int)
    sample, _ = in_windows(times, window)
    inside = (sample >= 0) & (sample < n_samples)
    np.add.at(counts, (sample[inside], rows[inside]), 1)
    return counts


def distances(block, other, cost=0.1, tau=10.0):
    """(Victor-Purpura, van Rossum) distance of each neuron's train in `block` to its train in `other`, through elephant.

    cost: of moving a spike, per ms. tau: of the van Rossum kernel, ms. Neurons without a spike in both are 0.
    """
    try:
        import quantities as pq
        from elephant.spike_train_dissimilarity import van_rossum_distance, victor_purpura_distance
    except ImportError:
        raise ResultsError("distances of spike trains need the package elephant; install it with: pip install elephant") from None
    from neo import SpikeTrain
    stop = max(duration_of(block), duration_of(other))
    found = []
    for a, b in zip(trains_of(block), trains_of(other), strict=True):
        pair = [SpikeTrain(t, units="ms", t_stop=max(stop, *t, 1.0)) for t in (a, b)]
        found.append((victor_purpura_distance(pair, cost / pq.ms)[0, 1], van_rossum_distance(pair, tau * pq.ms)[0, 1])
                     if len(a) or len(b) else (0.0, 0.0))
    return np.array(found).reshape(-1, 2).T


def draw_distribution(axes, values, xlabel, labels=None, bins=30):
    """Outlined histograms, one for each array in `values`. Returns the axes."""
    finite = [np.asarray(v)[np.isfinite(v)] for v in values]
    joined = np.concatenate(finite) if finite else np.empty(0)
    if not joined.size:
        axes.text(0.5, 0.5, "too few spikes", transform=axes.transAxes, ha="center", color=GREY)
    else:
        edges = np.histogram_bin_edges(joined, bins)
        for k, v in enumerate(finite):
            axes.hist(v, edges, histtype="stepfilled", color=CLASSES[k], alpha=0.25)
            axes.hist(v, edges, histtype="step", color=CLASSES[k], linestyle=("-", "--", ":")[k % 3],
                      label=literal(labels[k]) if labels else None)
        if labels:
            axes.legend()
    axes.set(xlabel=xlabel, ylabel="number")
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


def draw(axes, block, other=None, names=None, skip=0.0):
    """Four Axes: rate, interspike interval, CV, correlation of counts; `other` is drawn dashed. names: of the two, by default
    those of the blocks. skip: share of the start that is left out (not of the intervals). Returns the axes."""
    blocks = [b for b in (block, other) if b is not None]
    found = [measures(trains_of(b), duration_of(b), skip) for b in blocks]
    intervals = [np.concatenate([np.diff(t) for t in trains_of(b)] or [np.empty(0)]) for b in blocks]
    if other is not None and names is None:
        names = [b.name or f"recording {k + 1}" for k, b in enumerate(blocks)]
    draw_distribution(axes[0], [f["rate"] for f in found], "rate (1/s)", names)
    draw_distribution(axes[1], intervals, "interspike interval (ms)")
    draw_distribution(axes[2], [f["cv"] for f in found], "CV of intervals")
    draw_distribution(axes[3], [f["correlation"] for f in found], "correlation of counts (5 ms)")
    axes[0].axvline(found[0]["rate"].mean(), color=BLUE, linewidth=0.8, linestyle=":")
    return axes


def main(arguments=None):
    a, path = picture_command("spike_statistics", __doc__, "spike_statistics", arguments,
                              other=dict(metavar="FILE", help="a second recording of the same neurons"),
                              skip=dict(type=float, default=0.0, metavar="SHARE",
                                        help="of the recording to leave out at its start, from 0 to 1 (default 0)"))
    if not 0 <= a.skip < 1:
        raise ConfigurationError(f"--skip {a.skip:g}: give a share of the recording, at least 0 and less than 1")
    blocks = read_blocks(a.file)
    others = read_blocks(a.other) if a.other else {}
    with figure(path, columns=4, size=(3.2, 3.0)) as axes:
        label, block = next(iter(blocks.items()))
        other = next(iter(others.values()), None)
        draw(axes, block, other, distinct_names(a.file, a.other) if a.other else None, a.skip)
    for label, block in blocks.items():
        finite = {name: v[np.isfinite(v)] for name, v in measures(trains_of(block), duration_of(block), a.skip).items()}
        print(f"{label}: {rows_of(block)} neurons, " + ", ".join(f"{name} {v.mean():.4g} +- {v.std():.2g}"
                                                                 for name, v in finite.items() if v.size))
    if other is not None:
        victor, rossum = distances(block, other)
        print(f"distance, mean over neurons: Victor-Purpura {victor.mean():.4g}, van Rossum {rossum.mean():.4g}")
    print(path)


if __name__ == "__main__":
    run(main)
