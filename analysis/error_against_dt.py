"""Spike-time error against the time step, simulator by simulator, with the line of one whole step.

examples:
  ttfs-pynn error_against_dt out --output errors.png       (DIR of ttfs-pynn compare)
"""

from pathlib import Path

import numpy as np

from ttfs_pynn.analysis.style import CLASSES, GREY, checked_picture, figure, literal
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import read_json

_MARKERS = "osD^vP"


def draw(axes, curves, floor=1e-13):
    """Two Axes: whole network, and given own inputs. curves: {simulator: runs of comparison.json}. Returns the axes."""
    for panel, title in zip(axes, ("whole network", "given own inputs"), strict=True):
        every = sorted({r["dt_ms"] for runs in curves.values() for r in runs})
        panel.plot(every, every, color=GREY, linewidth=0.8, label="one step")
        for k, (name, runs) in enumerate(curves.items()):
            runs = sorted(runs, key=lambda r: r["dt_ms"])
            if title == "whole network":
                mean, largest = ([r[key] for r in runs] for key in ("mean_abs_error_ms", "max_abs_error_ms"))
            else:
                own = [[p["own_inputs"] for p in r["populations"] if p["own_inputs"]] for r in runs]
                mean = [np.average([p["mean_abs_error_ms"] for p in o], weights=[p["matched"] + 1e-9 for p in o]) if o else np.nan
                        for o in own]
                largest = [max((p["max_abs_error_ms"] for p in o), default=np.nan) for o in own]
            steps, colour = [r["dt_ms"] for r in runs], CLASSES[k % len(CLASSES)]
            panel.plot(steps, np.maximum(mean, floor), color=colour, marker=_MARKERS[k % 6], label=f"{literal(name)}, mean")
            panel.plot(steps, np.maximum(largest, floor), color=colour, marker=_MARKERS[k % 6], linestyle=":", fillstyle="none")
        panel.set(xscale="log", yscale="log", xlabel="dt (ms)", ylabel="|error| (ms)", title=f"{title} (dotted: largest)")
        panel.margins(0.1)
    axes[-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))  # curves go everywhere inside
    return axes


def main(arguments=None):
    parser = ArgumentParser(prog="ttfs-pynn error_against_dt", description=__doc__)
    parser.add_argument("folder", metavar="DIR", help="folder of ttfs-pynn compare")
    parser.add_argument("--output", metavar="FILE", help="picture to write (default DIR/error_against_dt.png)")
    a = parser.parse_args(arguments)
    path = Path(a.folder) / "comparison.json"
    if not path.is_file():
        raise ResultsError(f"{a.folder} has no comparison.json; make it with ttfs-pynn compare")
    found = read_json(path)["simulators"]
    output = checked_picture(a.output or Path(a.folder) / "error_against_dt.png")
    with figure(output, columns=2, size=(4.6, 3.0)) as axes:
        draw(axes, {name: s["runs"] for name, s in found.items() if name != "exact" and s["runs"]})
    print(output)


if __name__ == "__main__":
    run(main)
