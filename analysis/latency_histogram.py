"""How long the network takes to decide: a histogram of the first label spike for each class of samples.

Reads `decisions.npz` of the run folder: label_times (samples, classes) in ms and labels (samples,).

examples:
  ttfs-pynn latency_histogram runs/yy7
"""

import numpy as np

from ttfs_pynn.analysis.decision_time import tau_syn_of
from ttfs_pynn.analysis.style import CLASSES, TAU_SYN, bin_edges, command, figure, literal
from ttfs_pynn.commands.command_line import run


def draw(axes, latencies, labels, class_names=None, bins=40):
    """One outline a class. Returns the axes.

    latencies (n,): time of the first label spike in tau_syn, inf for no answer; labels (n,).
    """
    latencies, labels = np.asarray(latencies, dtype=float), np.asarray(labels)
    answered = np.isfinite(latencies)
    edges = bin_edges(latencies, bins)
    for label in np.unique(labels):
        chosen = latencies[answered & (labels == label)]
        name = literal(class_names[label]) if class_names else f"class {label}"
        median = f", median {np.median(chosen):.2f}" if chosen.size else ""
        axes.hist(chosen, edges, histtype="stepfilled", color=CLASSES[label % len(CLASSES)], alpha=0.25)
        axes.hist(chosen, edges, histtype="step", color=CLASSES[label % len(CLASSES)], label=name + median)
    silent = int((~answered).sum())
    axes.set(xlabel=f"first label spike ({TAU_SYN})", ylabel="samples",
             title=f"{silent} of {len(labels)} samples without an answer" if silent else None)
    axes.set_ylim(0, 1.45 * axes.get_ylim()[1])  # room for the legend
    axes.legend(loc="upper right")
    return axes


def main(arguments=None):
    folder, path = command("latency_histogram", __doc__, "latency_histogram", arguments)
    stored = folder.read_arrays("decisions")
    with figure(path) as axes:
        draw(axes, stored["label_times"].min(axis=1) / tau_syn_of(folder), stored["labels"], folder.configuration.get("classes"))
    print(path)


if __name__ == "__main__":
    run(main)
