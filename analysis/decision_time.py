"""Accuracy if the readout stops at time t, and when decisions are made: for one run, or several beside each other.

Until its first label spike a sample counts as wrong, so the curve rises from 0 to the accuracy of the whole window. Reads
`decisions.npz` of the run folders: label_times (samples, classes) in ms and labels (samples,).

examples:
  ttfs-pynn decision_time runs/yy7
  ttfs-pynn decision_time runs/yy7 runs/chip3 --output both.png
"""

from pathlib import Path

import numpy as np

from ttfs_pynn.analysis.style import CLASSES, DARK, GREY, TAU_SYN, checked_picture, figure, literal
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.learning.decision import accuracy_at, time_to_accuracy
from ttfs_pynn.runs.folder import RunFolder

_LINES = ("-", "--", ":", "-.")


def tau_syn_of(folder):
    """tau_syn (ms) of the population that decides, as the graph of a run folder has it: the unit of decision times."""
    graph = folder.read_graph()
    return float(np.mean(graph.node(graph.outputs).neuron.tau_syn))


def decisions(folder):
    """(label_times in tau_syn (samples, classes), labels (samples,), tau_syn in ms) of a run folder."""
    stored, tau_syn = folder.read_arrays("decisions"), tau_syn_of(folder)
    return stored["label_times"] / tau_syn, stored["labels"], tau_syn


def late(runs):
    """A time by which nearly all of the runs' decisions are made (the last half percent may trail far)."""
    latencies = [np.sort(times.min(axis=1)) for times, *_ in runs.values()]
    ends = [np.quantile(each[np.isfinite(each)], 0.995) for each in latencies if np.isfinite(each).any()]
    return 1.08 * max(ends, default=1.0)


def _with_ms(axes, runs):
    """A second axis in ms, where the runs share one tau_syn."""
    known = {tau for *_, tau in runs.values()}
    if len(known) == 1:
        tau = known.pop()
        second = axes.secondary_xaxis("top", functions=(lambda t: t * tau, lambda t: t / tau))
        second.set_xlabel("ms")
        axes.spines["top"].set_visible(True)


def draw_accuracy(axes, runs):
    """Right answers (%) against when the readout stops. runs: {name: (label_times, labels, tau_syn) of `decisions`}.
    Returns the axes."""
    end = late(runs)
    t = np.linspace(0, end, 601)
    for k, (name, (times, labels, _)) in enumerate(runs.items()):
        axes.step(t, 100 * accuracy_at(times, labels, t), where="post", color=CLASSES[k % len(CLASSES)],
                  linestyle=_LINES[k % len(_LINES)], label=f"{literal(name)}, {100 * accuracy_at(times, labels, np.inf):.2f} %")
    axes.set(xlabel=f"readout stops at ({TAU_SYN})", ylabel="right answers (%)", xlim=(0, end), ylim=(0, 100))
    axes.legend(frameon=True, framealpha=0.8, edgecolor="none", fontsize=7)
    _with_ms(axes, runs)
    return axes


def draw_latencies(axes, runs, bins=50):
    """Distribution of the first label spike over samples, and its median. runs as in `draw_accuracy`. Returns the axes."""
    end, silent = late(runs), []
    for k, (times, *_) in enumerate(runs.values()):
        latency = times.min(axis=1)
        answered = latency[np.isfinite(latency)]
        silent.append(f"{len(latency) - answered.size} of {len(latency)}")
        colour = CLASSES[k % len(CLASSES)]
        axes.hist(answered, np.linspace(0, end, bins + 1), weights=np.full(answered.size, 100 / len(latency)),
                  histtype="stepfilled", color=colour, alpha=0.25)
        if answered.size:
            axes.axvline(np.median(answered), color=colour, linestyle=_LINES[k % len(_LINES)],
                         label=f"median {np.median(answered):.2f}")
            axes.legend()
    axes.set(xlabel=f"first label spike ({TAU_SYN})", ylabel="samples (%)", xlim=(0, end))
    if any(not text.startswith("0 ") for text in silent):
        axes.text(0.98, 0.5, "no answer: " + ", ".join(silent), transform=axes.transAxes, ha="right", color=DARK, fontsize=7)
    if not axes.patches:
        axes.text(0.5, 0.5, "no decision at all", transform=axes.transAxes, ha="center", color=GREY)
    return axes


HEAD = ("run", "accuracy", "median latency", "99 % of it", "99.9 % of it", "no answer")


def rows(runs):
    """For each run: name, accuracy, median latency, when 99 % and 99.9 % of that accuracy are reached (tau_syn), and the share of
    samples without an answer."""
    found = []
    for name, (times, labels, _) in runs.items():
        final, latency = float(accuracy_at(times, labels, np.inf)), times.min(axis=1)
        answered = latency[np.isfinite(latency)]
        found.append([name, final, float(np.median(answered)) if answered.size else None,
                      *(float(time_to_accuracy(times, labels, share * final)) for share in (0.99, 0.999)),
                      1 - answered.size / len(labels)])
    return found


def _names(paths):
    """A short name for each folder: its last part, or the whole path where those are the same."""
    short = [Path(path).absolute().name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def parser():
    p = ArgumentParser(prog="ttfs-pynn decision_time", description=__doc__)
    p.add_argument("folders", metavar="DIR", nargs="+", help="run folders of ttfs-pynn train")
    p.add_argument("--output", metavar="FILE", help="picture to write (default: figures/decision_time.png of the first folder)")
    return p


def main(arguments=None):
    a = parser().parse_args(arguments)
    folders = [RunFolder.open(path) for path in a.folders]
    if len({folder.path.resolve() for folder in folders}) < len(folders):
        raise ResultsError("a run folder is given twice; name each once")
    runs = {name: decisions(folder) for name, folder in zip(_names(a.folders), folders, strict=True)}
    path = checked_picture(a.output) if a.output else folders[0].figure_path("decision_time.png")
    with figure(path, columns=2) as axes:
        draw_accuracy(axes[0], runs)
        draw_latencies(axes[1], runs)
    for row in rows(runs):
        print(f"{row[0]}: accuracy {row[1]:.4f}, median latency "
              + (f"{row[2]:.3f} tau_syn" if row[2] is not None else "none")
              + f"; 99 % of the accuracy by {row[3]:.3f} tau_syn, 99.9 % by {row[4]:.3f}; no answer {100 * row[5]:.2f} %")
    print(path)


if __name__ == "__main__":
    run(main)
