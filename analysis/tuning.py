"""When neurons spike first, by class: mean latency of the first spike and how often there is one.

Of a run folder, the label neurons by the class of the test sample. Of a recording, each trial (segment) or each window is a
sample, and the latency counts from the beginning of the trial, or from 0 where it began before that (a stimulus at 0).

examples:
  ttfs-pynn tuning runs/yy7                                          (its label neurons, class by class)
  ttfs-pynn tuning spikes.nix --population cells --window 100        (a sample every 100 ms)
  ttfs-pynn tuning out/records/exact_0.1.npz --population layer0     (a record of ttfs-pynn compare)
"""

import numpy as np

from ttfs_pynn.analysis.neo_files import read_blocks, read_records, record_blocks, recordings
from ttfs_pynn.analysis.style import CLASSES, RECORDED, figure, literal, picture_command
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import ConfigurationError, ResultsError, unknown
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.spikes.windows import in_windows

_MOST_NUMBERED = 12  # neurons


def first_spikes_of(record, label):
    """(samples, neurons) in ms from the start of the sample, inf for none, of a layered NetworkRecord."""
    if label not in record.populations:
        raise ResultsError(f"no population {label!r}; there are {', '.join(record.labels)}")
    return record.first_spikes(label)


def first_spikes(recording, window=None):
    """(samples, neurons) in ms, inf for none, of a Recording: a sample is a trial, or `window` ms of it.

    Times count from the beginning of the trial, or from 0 where it began before that; NaN where a neuron was not recorded.
    """
    found = []
    for trial in recording.trials:
        trains = [train for train in trial if train is not None]
        begin, end = min(train.t_start for train in trains), max(train.t_stop for train in trains)
        onset = 0.0 if begin < 0 < end else begin
        number = 1 if window is None else max(1, int(np.ceil((end - onset) / window - 1e-9)))
        first = np.full((number, len(trial)), np.inf)
        for n, train in enumerate(trial):
            if train is None:
                first[:, n] = np.nan
                continue
            times = train.times[train.times >= onset] - onset
            sample, times = (np.zeros(times.size, dtype=int), times) if window is None else in_windows(times, window)
            np.minimum.at(first[:, n], sample[sample < number], times[sample < number])
        found.append(first)
    return np.concatenate(found)


def draw(axes, first_spikes, labels=None, class_names=None, numbers=None):
    """Mean latency of each neuron for each class, neurons in the order of their latency; bars: standard deviation over samples.

    first_spikes (samples, neurons) in ms, inf for none; labels (samples,), all one class where None; numbers: of the neurons.
    Returns the axes.
    """
    first = np.where(np.isfinite(first_spikes), first_spikes, np.nan)
    several = labels is not None
    labels = np.asarray(labels) if several else np.zeros(len(first), dtype=int)
    spiking = np.isfinite(first).any(axis=0)
    order = np.argsort(np.nanmean(first[:, spiking], axis=0)) if spiking.any() else np.empty(0, dtype=int)
    classes = np.unique(labels)
    for place, k in enumerate(classes):
        chosen = first[labels == k][:, spiking][:, order]
        counts = np.isfinite(chosen).sum(axis=0)
        mean = np.full(chosen.shape[1], np.nan)
        np.divide(np.nansum(chosen, axis=0), counts, out=mean, where=counts > 0)
        spread = np.sqrt(np.nansum((chosen - mean) ** 2, axis=0) / np.maximum(counts, 1))
        beside = 0.5 * ((place + 0.5) / len(classes) - 0.5)  # classes stand beside each other
        axes.errorbar(np.arange(mean.size) + beside, mean, spread, fmt=".", color=CLASSES[k % len(CLASSES)], markersize=4,
                      elinewidth=0.5, label=literal(class_names[k]) if class_names else f"class {k}")
    numbers = np.arange(first.shape[1]) if numbers is None else np.asarray(numbers)
    if order.size <= _MOST_NUMBERED:
        axes.set_xticks(np.arange(order.size), [str(number) for number in numbers[spiking][order]])
    axes.set(xlabel=f"neuron, by latency ({int(spiking.sum())} of {first.shape[1]} spike)", ylabel="mean first spike (ms)")
    if several:
        axes.legend()
    return axes


def _of_run(path, population, window):
    """(what `draw` takes, what it is of) of the label neurons of a run folder."""
    if population is not None or window is not None:
        raise ConfigurationError("--population and --window are for recordings: a run folder has all test samples of its label "
                                 "neurons only; leave them out")
    folder = RunFolder.open(path)
    stored = folder.read_arrays("decisions")
    times, labels = stored["label_times"], stored["labels"]
    return (times, labels, folder.configuration.get("classes")), f"label neurons, {len(labels)} test samples"


def _of_file(path, population, window):
    """The same of a recording; its samples have no classes."""
    records = read_records(path) if str(path).endswith(".npz") else None
    found = recordings(record_blocks(records) if records else read_blocks(path), path)
    if population is None:
        population = "layer0" if "layer0" in found else next(iter(found))
    if population not in found:
        raise ResultsError(unknown("population", population, found))
    if records and records[0].samples is not None and window is None:
        first = np.concatenate([first_spikes_of(record, population) for record in records])
    else:
        first = first_spikes(found[population], window)
    if not np.isfinite(first).any():
        raise ResultsError(f"{path}: no neuron of {population!r} spikes, so there is no latency; --population names another of "
                           f"{', '.join(found)}")
    return (first, None, None, found[population].numbers), f"{population}, {len(first)} sample{'s' if len(first) > 1 else ''}"


def main(arguments=None):
    a, path = picture_command("tuning", __doc__, "tuning", arguments, RECORDED,
                              population=dict(metavar="NAME", help="of the recording (default: layer0, or the first)"),
                              window=dict(type=float, metavar="MS",
                                          help="length of a sample within a trial (default: a trial is a sample)"))
    if a.window is not None and not a.window > 0:
        raise ConfigurationError(f"--window {a.window:g}: give the length of a sample in ms, above 0")
    drawn, what = (_of_run if RunFolder.exists(a.file) else _of_file)(a.file, a.population, a.window)
    with figure(path, size=(5.0, 3.2)) as axes:
        draw(axes, *drawn)
        axes.set_title(what)
    print(path)


if __name__ == "__main__":
    run(main)
