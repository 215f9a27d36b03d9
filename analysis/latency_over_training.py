"""Do decisions become earlier, and spikes fewer, with training? Both of the validation samples, against epochs.

examples:
  ttfs-pynn latency_over_training runs/yy7
"""

import numpy as np

from ttfs_pynn.analysis.decision_time import tau_syn_of
from ttfs_pynn.analysis.learning_curve import column
from ttfs_pynn.analysis.style import BLUE, GREY, TAU_SYN, command, figure
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import ResultsError


def _draw(axes, history, values, ylabel):
    axes.plot(column(history, "epoch"), values, color=BLUE)
    axes.set(xlabel="epoch", ylabel=ylabel)
    if np.isfinite(values).any():
        axes.set_ylim(0, 1.1 * np.nanmax(values))
    else:
        axes.text(0.5, 0.5, "not in the history", transform=axes.transAxes, ha="center", color=GREY)
    return axes


def draw_latency(axes, history, tau_syn):
    """Mean time of the first label spike in tau_syn (ms), over the samples that have one. Returns the axes."""
    return _draw(axes, history, column(history, "validation_latency_ms") / tau_syn, f"mean first label spike ({TAU_SYN})")


def draw_spikes(axes, history):
    """Mean number of neurons, of all layers, that spike by the decision. Returns the axes."""
    return _draw(axes, history, column(history, "validation_spikes"), "spikes a sample until the decision")


def main(arguments=None):
    folder, path = command("latency_over_training", __doc__, "latency_over_training", arguments)
    history = folder.read_history()
    if not np.isfinite(column(history, "validation_latency_ms")).any():
        raise ResultsError(f"{folder.path} has no latency in its history yet: it had no epoch or no validation samples, or was "
                           "made before latencies were kept")
    with figure(path, columns=2) as axes:
        draw_latency(axes[0], history, tau_syn_of(folder))
        draw_spikes(axes[1], history)
    print(path)


if __name__ == "__main__":
    run(main)
