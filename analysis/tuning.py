"""When neurons spike first, by class: mean latency of the first spike and how often there is one.

examples:
  python -m analysis.tuning out/records/exact_0.1.npz --population layer0     (a record of protocols.compare_simulators)
"""

import numpy as np

from analysis.style import CLASSES, checked_picture, figure, literal
from ttfs_pynn.command_line import ArgumentParser, run
from ttfs_pynn.comparison.record import read_records
from ttfs_pynn.errors import ResultsError


def first_spikes_of(record, label):
    """(samples, neurons) in ms from the start of the sample, inf for none, of a layered NetworkRecord."""
    if label not in record.populations:
        raise ResultsError(f"no population {label!r}; there are {', '.join(record.labels)}")
    return record.first_spikes(label)


def draw(axes, first_spikes, labels=None, class_names=None):
    """Mean latency of each neuron for each class, neurons in the order of their latency; bars: standard deviation over samples.

    first_spikes (samples, neurons) in ms, inf for none; labels (samples,), all one class where None. Returns the axes.
    """
    first = np.where(np.isfinite(first_spikes), first_spikes, np.nan)
    several = labels is not None
    labels = np.asarray(labels) if several else np.zeros(len(first), dtype=int)
    spiking = np.isfinite(first).any(axis=0)
    order = np.argsort(np.nanmean(first[:, spiking], axis=0)) if spiking.any() else np.empty(0, dtype=int)
    for k in np.unique(labels):
        chosen = first[labels == k][:, spiking][:, order]
        counts = np.isfinite(chosen).sum(axis=0)
        mean = np.full(chosen.shape[1], np.nan)
        np.divide(np.nansum(chosen, axis=0), counts, out=mean, where=counts > 0)
        spread = np.sqrt(np.nansum((chosen - mean) ** 2, axis=0) / np.maximum(counts, 1))
        axes.errorbar(np.arange(mean.size), mean, spread, fmt=".", color=CLASSES[k % len(CLASSES)], markersize=4,
                      elinewidth=0.5, label=literal(class_names[k]) if class_names else f"class {k}")
    axes.set(xlabel=f"neuron ({int(spiking.sum())} of {first.shape[1]} spike)", ylabel="mean first spike (ms)")
    if several:
        axes.legend()
    return axes


def main(arguments=None):
    parser = ArgumentParser(prog="python -m analysis.tuning", description=__doc__)
    parser.add_argument("file", metavar="FILE", help="record of protocols.compare_simulators")
    parser.add_argument("--population", default="layer0", help="(default layer0)")
    parser.add_argument("--output", default="tuning.png", metavar="FILE", help="picture to write (default tuning.png)")
    a = parser.parse_args(arguments)
    path = checked_picture(a.output)
    record = read_records(a.file)[0]
    with figure(path, size=(5.0, 3.2)) as axes:
        draw(axes, first_spikes_of(record, a.population))
    print(path)


if __name__ == "__main__":
    run(main)
