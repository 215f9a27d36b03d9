"""Loss and accuracy against epochs.

examples:
  ttfs-pynn learning_curve runs/yy7
"""

import numpy as np

from ttfs_pynn.analysis.style import BLUE, GREY, ORANGE, command, figure
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import ResultsError


def column(history, name):
    """One number an epoch; NaN where it is missing or null."""
    return np.array([np.nan if entry.get(name) is None else entry[name] for entry in history], dtype=float)


def draw_loss(axes, history):
    """Mean training loss of each epoch, on a log scale if it is positive. `history`: a dict an epoch."""
    loss = column(history, "train_loss")
    axes.plot(column(history, "epoch"), loss, color=BLUE)
    if (loss[np.isfinite(loss)] > 0).all():
        axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel="training loss")
    return axes


def draw_error(axes, history):
    """Wrong answers (%) on training and validation samples: on a log scale the last tenths stay visible."""
    for name, label, colour, line in (("train_accuracy", "training", BLUE, "-"),
                                      ("validation_accuracy", "validation", ORANGE, "--")):
        error = 100 * (1 - column(history, name))
        if np.isfinite(error).any():
            # No error at all has no place on a log scale; it is drawn at its lower end.
            axes.plot(column(history, "epoch"), np.maximum(error, 0.01), line, color=colour,
                      label=f"{label}, {error[np.isfinite(error)][-1]:.2f} % at the end")
    axes.set_yscale("log")
    axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    axes.set(xlabel="epoch", ylabel="wrong answers (%)")
    if axes.get_lines():
        low = min(np.nanmin(line.get_ydata()) for line in axes.get_lines())
        axes.set_ylim(min(0.5, low * 0.8), 100)
        axes.legend()
    else:
        axes.text(0.5, 0.5, "no accuracy in the history", transform=axes.transAxes, ha="center", color=GREY)
    return axes


def main(arguments=None):
    folder, path = command("learning_curve", __doc__, "learning_curve", arguments)
    history = folder.read_history()
    if not history:
        raise ResultsError(f"{folder.path} has no finished epoch yet")
    with figure(path, columns=2) as axes:
        draw_loss(axes[0], history)
        draw_error(axes[1], history)
    print(path)


if __name__ == "__main__":
    run(main)
