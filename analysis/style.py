"""What the figures share: colours that colour-blind readers can tell apart, one look, one way to save.

Colours: Okabe and Ito, "Color Universal Design" (2008).
"""

import contextlib
import os

import numpy as np
from matplotlib import rc_context
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure

from ttfs_pynn.commands.command_line import ArgumentParser
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.atomic import atomic_file
from ttfs_pynn.runs.folder import RunFolder

ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2",
                                                       "#D55E00", "#CC79A7")
GREY, DARK = "#8C8C8C", "#333333"
# Neighbours in this order differ in lightness too, for print in grey.
CLASSES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, "#000000", GREY, "#5D3A9B")

TAU_SYN = r"$\tau_\mathrm{syn}$"  # in figures; tau_syn in text

TAU_M = r"$\tau_m$"

# Fonts of type 3, the default of PDF and PostScript files, cannot be edited, and some publishers refuse them.
RC = {"pdf.fonttype": 42, "ps.fonttype": 42, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
      "legend.frameon": False, "axes.titlesize": 9, "figure.constrained_layout.use": True, "savefig.dpi": 200}


def literal(name):
    """A name as Matplotlib's text: of two dollar signs it would take what is between them for mathematics."""
    return str(name).replace("$", r"\$")


def checked_picture(path):
    """`path`, or a ResultsError where Matplotlib cannot write a file of that suffix."""
    suffix = os.path.splitext(path)[1][1:].lower()
    allowed = sorted(FigureCanvasBase.get_supported_filetypes())
    if suffix not in allowed:
        raise ResultsError(f"{path}: no picture can be written as {'.' + suffix if suffix else 'a file without suffix'}; end the "
                           f"name in one of .{', .'.join(allowed)}")
    return path


def bin_edges(values, bins=30):
    """Edges of `bins` or a few more bins that hold all values; where these have both signs, 0 is an edge. Values that are equal
    but for rounding are in one bin, with room beside it."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if not values.size:
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if high - low <= max(1e-6 * max(abs(low), abs(high)), 1e-12):
        middle = (low + high) / 2
        if abs(middle) < 1e-9:
            return 0.01 * np.arange(bins) + min(low, 0.0)
        return middle + 0.02 * abs(middle) * (np.arange(12) - 5.5)
    if low >= 0 or high <= 0:
        return np.linspace(low, high, bins + 1)
    width = (high - low) / bins
    edges = width * np.arange(np.floor(low / width), np.ceil(high / width) + 1)
    edges[[0, -1]] = min(edges[0], low), max(edges[-1], high)
    return edges


def as_symbols(text):
    """A text for a figure, in which tau_syn and tau_m are the symbols that the axes have."""
    return text.replace("tau_syn", TAU_SYN).replace("tau_m", TAU_M)


def distinct_names(first, second):
    """Names of two files for a legend: without their folders, unless they are the same then."""
    names = os.path.basename(first), os.path.basename(second)
    return names if names[0] != names[1] else (first, second)


RECORDED = "run folder of ttfs-pynn train, a file of spikes that Neo reads (NIX), or a record of ttfs-pynn compare"


def picture_command(module, description, name, arguments=None, what=RECORDED, **options):
    """(parsed arguments, path of the picture) of a command that draws a FILE. what: the FILE is; options: more arguments."""
    parser = ArgumentParser(prog=f"ttfs-pynn {module}", description=description)
    parser.add_argument("file", metavar="FILE", help=what)
    parser.add_argument("--output", metavar="FILE", help=f"picture to write (default: {name}.png beside FILE)")
    for flag, keywords in options.items():
        parser.add_argument(f"--{flag.replace('_', '-')}", **keywords)
    a = parser.parse_args(arguments)
    if a.output:
        return a, checked_picture(a.output)
    if RunFolder.exists(a.file):
        return a, str(RunFolder.open(a.file).figure_path(f"{name}.png"))
    return a, os.path.join(os.path.dirname(a.file) or ".", f"{name}.png")


@contextlib.contextmanager
def figure(path, columns=1, size=(4.0, 3.0), rows=1, dpi=None, **options):
    """Yields axes of a new figure (an array if there are several, of `size` inches each) and saves it to `path` as its suffix
    says. dpi: by default that of RC."""
    checked_picture(path)
    # A Figure of its own needs no display and leaves pyplot's state alone.
    with rc_context(RC):
        drawing = Figure(figsize=(size[0] * columns, size[1] * rows))
        yield drawing.subplots(rows, columns, **options)
        with atomic_file(path) as file:
            drawing.savefig(file, format=os.path.splitext(path)[1][1:], dpi=dpi)


def command(module, description, name, arguments=None):
    """(run folder, path of the picture) of a command line that draws `name`.png for a run folder."""
    parser = ArgumentParser(prog=f"ttfs-pynn {module}", description=description)
    parser.add_argument("folder", metavar="DIR", help="run folder of ttfs-pynn train")
    parser.add_argument("--output", metavar="FILE", help=f"picture to write (default DIR/figures/{name}.png)")
    parsed = parser.parse_args(arguments)
    run = RunFolder.open(parsed.folder)
    return run, checked_picture(parsed.output) if parsed.output else run.figure_path(f"{name}.png")
