"""What alpha, xi and the difference do to accuracy, latency and spikes: a study by ttfs-pynn early_spikes.

Columns: alpha and xi of the loss TimeToFirstSpike, the difference of PairwiseDifference. Rows: accuracy if the readout stops at
time t; latency of the decision, and spikes of all layers until the decision, over training. Means over seeds.

examples:
  ttfs-pynn early_spikes_figure results/early_spikes/yin_yang.json
"""

from pathlib import Path

import numpy as np
from matplotlib import colormaps

from ttfs_pynn.analysis.style import TAU_SYN, checked_picture, figure
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import read_json

COLUMNS = {"alpha": "$\\alpha$", "xi": "$\\xi$", "difference": "difference"}
PAPER = {"alpha": 0.005, "xi": 0.2}


def name(entry):
    """'alpha 0.005, xi 0.2' or 'difference 0.1'."""
    return ", ".join(f"{key} {value:g}" for key, value in entry["options"].items())


def line(entry):
    """One run as a line of text."""
    return (f"{name(entry)}, seed {entry['seed']}: accuracy {entry['accuracy']:.4f}, latency {entry['latency']} tau_syn, "
            f"spikes {sum(entry['layer_spikes']):.1f} of {sum(entry['window_spikes']):.1f}, {entry['seconds']:.0f} s")


def groups(runs):
    """{name: runs of all its seeds}, in order."""
    found = {}
    for entry in runs:
        found.setdefault(name(entry), []).append(entry)
    return found


def mean(values):
    """Mean over runs where all have a number, NaN elsewhere."""
    return np.array([[np.nan if v is None else v for v in np.atleast_1d(np.array(row, dtype=object))] for row in values],
                    dtype=float).mean(axis=0)


def spread(values, digits=3):
    """'mean +- standard deviation' of numbers over seeds; of one number, the number."""
    values = np.array([np.nan if v is None else v for v in values], dtype=float)
    text = f"{values.mean():.{digits}f}"
    return text if len(values) == 1 else f"{text} +- {values.std(ddof=1):.{digits}f}"


def rows(runs):
    """One row a setting: name, seeds, accuracy, latency, no answer, spikes by the decision in hidden layers, in the window, and
    share of input spikes that came by the decision."""
    return [[title, len(same), spread([e["accuracy"] for e in same]), spread([e["latency"] for e in same]),
             spread([e["no_answer"] for e in same]), spread([sum(e["layer_spikes"][:-1]) for e in same], 1),
             spread([sum(e["window_spikes"][:-1]) for e in same], 1),
             spread([e["input_spikes"][0] / e["input_spikes"][1] for e in same])] for title, same in groups(runs).items()]


HEAD = ["setting", "seeds", "accuracy", "latency (tau_syn)", "no answer", "hidden spikes by the decision", "in the window",
        "inputs seen"]


def as_lines(runs):
    """`rows` as lines of a Markdown table."""
    return ["| " + " | ".join(map(str, cells)) + " |" for cells in (HEAD, ["---"] * len(HEAD), *rows(runs))]


def _column(runs, parameter):
    """[(value, runs)] of the settings in which `parameter` varies and the loss's others are the paper's."""
    chosen = [e for e in runs if parameter in e["options"]
              and all(e["options"][other] == value for other, value in PAPER.items()
                      if other != parameter and other in e["options"])]
    return sorted((same[0]["options"][parameter], same) for same in groups(chosen).values())


def draw(axes, runs):
    """A column for each parameter that varies: axes (3, columns). Returns the axes."""
    for column, (parameter, settings) in zip(axes.T, varied(runs).items(), strict=True):
        for k, (value, same) in enumerate(settings):
            colour = colormaps["viridis"](0.9 * k / max(len(settings) - 1, 1))
            column[0].plot(same[0]["times"], 100 * mean([e["accuracy_at"] for e in same]), color=colour, label=f"{value:g}")
            for panel, key in zip(column[1:], ("latency", "spikes"), strict=True):
                panel.plot(mean([e["history"][key] for e in same]), color=colour)
        column[0].set(xlabel=f"readout stops at ({TAU_SYN})", xlim=(0, 2.5), ylim=(0, 100))
        column[0].legend(title=COLUMNS[parameter], loc="upper left", fontsize=7, handlelength=1)
        column[2].set(xlabel="epoch")
    texts = "right answers (%)", f"mean latency ({TAU_SYN})", "spikes until\nthe decision"
    for panel, text in zip(axes[:, 0], texts, strict=True):
        panel.set_ylabel(text)
    for row in axes[1:]:  # rows may share their axis: its end is known when all is drawn
        top = 1.05 * max(np.nanmax(line.get_ydata()) for panel in row for line in panel.get_lines())
        for panel in row:
            panel.set_ylim(0, top)
    return axes


def varied(runs):
    """{parameter: [(value, runs)]} of those with more than one value; of those there are, where none has."""
    found = {parameter: settings for parameter in COLUMNS if (settings := _column(runs, parameter))}
    return {p: s for p, s in found.items() if len(s) > 1} or dict(list(found.items())[:1])


def parser():
    p = ArgumentParser(prog="ttfs-pynn early_spikes_figure", description=__doc__)
    p.add_argument("file", metavar="FILE", help="JSON file of ttfs-pynn early_spikes")
    p.add_argument("--output", metavar="FILE", help="picture to write (default: FILE with the suffix .png)")
    return p


def main(arguments=None):
    a = parser().parse_args(arguments)
    path = checked_picture(a.output or str(Path(a.file).with_suffix(".png")))
    try:
        runs = read_json(a.file)["runs"]
    except (ResultsError, KeyError, TypeError):
        raise ResultsError(f"{a.file} is no file of ttfs-pynn early_spikes") from None
    if not runs:
        raise ResultsError(f"{a.file} holds no run yet")
    with figure(path, columns=len(varied(runs)), rows=3, size=(3.0, 2.1), dpi=110, squeeze=False, sharey="row") as axes:
        draw(axes, runs)
    print(path)


if __name__ == "__main__":
    run(main)
