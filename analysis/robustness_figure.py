"""Accuracy against the size of each imperfection of a substrate, from `ttfs-pynn robustness`: one panel a distortion.

Filled: trained with the distortion in the loop; open: trained ideally and only tested with it. Points are single networks
(seeds), lines their means; the grey band holds the ideally trained networks without a distortion. A dagger marks what the last
figure of the paper ("Effects of substrate imperfections", Göltz, Kriener et al. 2021) varies too.

examples:
  ttfs-pynn robustness_figure results/robustness
"""

from pathlib import Path

import numpy as np

from ttfs_pynn.analysis.style import BLUE, GREY, ORANGE, as_symbols, checked_picture, figure
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import read_json, write_bytes

# What the last part of the paper studies too, in words; its figures are not repeated here.
IN_THE_PAPER = {"weight_bits": "accuracy falls with the quantisation of weights",
                "weight_range": "accuracy falls with a limited range of weights",
                "tau_ratio_assumed_1": "accuracy falls where time constants differ from the ones that the rule assumes",
                "tau_std": "accuracy falls where time constants vary from neuron to neuron"}
_COST = 0.02
_COLUMNS = 4


def draw(axes, panel, ideal, marked=False):
    """One panel on Axes. panel: label, levels, accuracies in_the_loop and only_tested [level][seed]; ideal: those without a
    distortion. Returns the axes."""
    axes.axhspan(100 * min(ideal), 100 * max(ideal), color=GREY, alpha=0.35, linewidth=0, label="ideal")
    place = np.arange(len(panel["levels"]))
    for name, colour, fill, shift in (("only_tested", ORANGE, "none", 0.08), ("in_the_loop", BLUE, "full", -0.08)):
        values = 100 * np.array(panel[name])
        axes.plot(place, values.mean(axis=1), color=colour, linewidth=1.2)
        axes.plot(np.repeat(place + shift, values.shape[1]), values.ravel(), "o", color=colour, fillstyle=fill, markersize=3.5,
                  markeredgewidth=0.8, label={"only_tested": "only tested with it", "in_the_loop": "trained with it"}[name])
    axes.set_xticks(place, [f"{level:g}" for level in panel["levels"]])
    title, _, unit = panel["label"].partition(" (")
    axes.set_title(as_symbols(title) + (" †" if marked else ""), fontsize=7)
    axes.set(xlabel=as_symbols(unit.rstrip(")")), ylim=(0, 101))
    axes.axhline(100 / 3, color=GREY, linewidth=0.8, linestyle=":", label="chance")
    return axes


def markdown_table(found):
    """Means and standard deviations over seeds of every point, as Markdown."""
    def text(values):
        spread = f" +- {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
        return f"{np.mean(values):.3f}{spread}"

    lines = ["| distortion | size | trained with it | only tested with it |", "| --- | --- | --- | --- |",
             f"| none | | | {text(found['ideal'])} |"]
    for panel in found["panels"].values():
        label = panel["label"].replace("|", "\\|")
        lines += [f"| {label} | {level:g} | {text(loop)} | {text(tested)} |" for level, loop, tested in
                  zip(panel["levels"], panel["in_the_loop"], panel["only_tested"], strict=True)]
    return "\n".join(lines)


def borne(panel, name, ideal):
    """The levels that cost less than _COST of the ideal mean, as text."""
    cheap = [f"{level:g}" for level, values in zip(panel["levels"], panel[name], strict=True)
             if np.mean(values) > np.mean(ideal) - _COST]
    return ", ".join(cheap) or "none"


def page(found, picture):
    """A page in Markdown: the figure, what is borne beside the paper's finding, all points."""
    quick = "\n\n**A quick look: too few epochs and seeds to mean anything.**" if found["quick"] else ""
    lines = [f"| distortion | the paper | sizes | cost less than {100 * _COST:g} points, trained with it | only tested with it |",
             "| --- | --- | --- | --- | --- |"]
    for name, panel in found["panels"].items():
        label, sizes = panel["label"].replace("|", "\\|"), ", ".join(f"{level:g}" for level in panel["levels"])
        both = " | ".join(borne(panel, training, found["ideal"]) for training in ("in_the_loop", "only_tested"))
        lines.append(f"| {label} | {IN_THE_PAPER.get(name, '-')} | {sizes} | {both} |")
    text = (f"Yin-Yang, 4(+3 bias)-120-3, {found['epochs']} epochs, {len(found['seeds'])} seeds a point, tested on "
            f"{found['fresh_samples']:,} fresh samples.\nWritten by `ttfs-pynn robustness`.")
    return "\n\n".join([f"# Robustness{quick}", f"![Accuracy against the size of each distortion]({picture})", text,
                        "\n".join(lines), "## Every point", markdown_table(found)]) + "\n"


def _read(path):
    try:
        found = read_json(path)
        if not (found["panels"] and found["ideal"] and found["seeds"] and found["epochs"]):
            raise ValueError("empty")
        return found
    except (KeyError, TypeError, ValueError):
        raise ResultsError(f"{path} is no file of ttfs-pynn robustness; give the folder of one") from None


def main(arguments=None):
    parser = ArgumentParser(prog="ttfs-pynn robustness_figure", description=__doc__)
    parser.add_argument("folder", metavar="DIR", help="folder of robustness.json")
    parser.add_argument("--output", metavar="FILE", help="picture alone, in place of DIR/robustness.png and DIR/README.md")
    a = parser.parse_args(arguments)
    path = Path(a.folder) / "robustness.json"
    if not path.is_file():
        raise ResultsError(f"{a.folder} has no robustness.json; make it with ttfs-pynn robustness")
    found = _read(path)
    output = checked_picture(a.output or path.with_suffix(".png"))
    rows = -(-len(found["panels"]) // _COLUMNS)
    with figure(output, columns=_COLUMNS, size=(2.0, 2.0), rows=rows, squeeze=False, sharey=True) as axes:
        for axis, (name, panel) in zip(axes.ravel(), found["panels"].items(), strict=False):
            draw(axis, panel, found["ideal"], name in IN_THE_PAPER)
        for axis in axes[:, 0]:
            axis.set_ylabel("correct (%)")
        axes[0, 0].legend(fontsize=7, loc=(0.0, 0.05), frameon=True, framealpha=0.85, edgecolor="none")
        note = f"{len(found['seeds'])} seeds a point, {found['epochs']} epochs" + (", A QUICK LOOK" if found["quick"] else "")
        axes[0, 0].figure.suptitle(f"Yin-Yang, {note}. †: varied in the paper's last figure too", fontsize=9)
    if a.output is None:
        write_bytes(path.with_name("README.md"), page(found, output.name).encode())
    print(output)


if __name__ == "__main__":
    run(main)
