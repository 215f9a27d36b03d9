"""The lines of a script, and the places in it where a defect can be planted."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Cells", "Place", "Projection", "Script", "Sources", "drive", "peak"]


@dataclass(frozen=True)
class Place:
    """What is wrong if this place is planted: kind; labels of the populations or projections that may be named; in which trial
    (None: all); hidden: not in what PyNN reports."""

    kind: str
    parts: tuple
    trial: int | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Sources:
    """Spike sources: variable and label, how many, spikes of each in 1/s; times: whether they are an array that can be set."""

    name: str
    size: int
    rate: float
    times: bool = True


@dataclass(frozen=True)
class Cells:
    """Neurons: variable and label, how many, the parameters that were given as plain numbers."""

    name: str
    size: int
    values: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Projection:
    """variable, label, receptor; plain: the weight as a number if all are the same and it can be set, else None."""

    name: str
    label: str
    pre: str
    post: str
    receptor: str
    plain: float | None
    delay: float | None


class Script:
    """Collects the lines of build(sim).

    number seeds what is drawn. planted: index of the place that is planted on `simulator`, or None. `places` are all that were
    met, in order, so that a first pass finds out what can be planted.
    """

    def __init__(self, number, planted=None, simulator="nest"):
        self.number, self.simulator, self._planted = number, simulator, planted
        self.rng = np.random.default_rng([number, 20])
        self.places, self.lines, self._depth = [], [], 1
        self.cells, self.sources, self.projections = [], [], []
        self.trial_loop, self.gain = None, False  # the loop over setups multiplies plain weights by `gain`
        self.helpers = []
        self.stop, self.shown_later = 300.0, False  # ms up to which sources spike; whether they get times later
        self.resets = False

    def line(self, *lines):
        self.lines += ["    " * self._depth + line for line in lines]

    def block(self, head):
        """with script.block("for ..."): lines inside."""
        self.line(head)
        return _Indented(self)

    def place(self, kind, parts, trial=None, hidden=False):
        """True if the place that is registered with this call is to be planted."""
        self.places.append(Place(kind, tuple([parts] if isinstance(parts, str) else parts), trial, hidden))
        return self._planted == len(self.places) - 1

    def value(self, kind, parts, right, wrong, when="odd", **options):
        """The text of a value, another one on the planted simulator."""
        return f"({wrong} if {when} else {right})" if self.place(kind, parts, **options) else str(right)

    def only_odd(self, kind, parts, *lines, when="odd", **options):
        """Lines that are run on the planted simulator alone."""
        if self.place(kind, parts, **options):
            with self.block(f"if {when}:"):
                self.line(*lines)

    def not_odd(self, kind, parts, line, when="not odd", **options):
        """A line that the planted simulator leaves out."""
        self.line(f"if {when}: {line}" if self.place(kind, parts, **options) else line)

    def factor(self, *choices):
        """One of the factors."""
        return float(self.rng.choice(choices))

    def uniform(self, low, high, digits=2):
        return round(float(self.rng.uniform(low, high)), digits)

    def integer(self, low, high):
        return int(self.rng.integers(low, high))

    def text(self, title):
        """The whole file."""
        head = [f'"""{title}"""', "import numpy as np", "", ""]
        for helper in dict.fromkeys(self.helpers):
            head += [*helper.strip("\n").split("\n"), "", ""]
        head += ["def build(sim):"]
        if self._planted is not None:
            head += [f'    odd = "{self.simulator}" in sim.IF_curr_exp.__module__']
        return "\n".join([*head, *self.lines]) + "\n"


class _Indented:
    def __init__(self, script):
        self._script = script

    def __enter__(self):
        self._script._depth += 1

    def __exit__(self, *_):
        self._script._depth -= 1


def peak(values):
    """The peak (mV) that one spike of weight 1 nA makes."""
    m, s = values["tau_m"], values["tau_syn_E"]
    if abs(m - s) < 1e-3 * m:
        return m / values["cm"] / np.e
    x = s / m
    return s / values["cm"] / (1 - x) * (x ** (x / (1 - x)) - x ** (1 / (1 - x)))


def drive(values, rate, share):
    """The weight (nA) with which `rate` spikes a second bring the mean membrane to `share` of the way to threshold."""
    height = values["v_thresh"] - values["v_rest"]
    return share * height * values["cm"] / values["tau_m"] / (values["tau_syn_E"] * rate * 1e-3)
