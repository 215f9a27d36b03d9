"""Does this network do the same on every simulator, and if not, where and why?

WHAT is a run folder of ttfs-pynn train, a model by its name or file (with its initial weights), or any PyNN script with a
function build(sim). Each simulator runs in a process of its own. The first line says whether they agree, or where and by how
much they do not. The others are compared with `exact`; where that cannot run a script, with the first of --simulators that can,
or with --reference. With --fail-above the exit status is 1 where an error is above it, a spike has no partner, the networks are
not the same, something acts other than described, or a simulator did not run. The folder gets

  comparison.json   for each simulator and time step: matched, missing, extra, max_abs_error_ms, class_agreement, defects ...
  report.html       all of it to read, with figures; one file
  records/          what was recorded, for figures and for reading again

It must be new or empty; an earlier comparison is replaced with --overwrite, anything else is never touched.

A spike matches a spike of the same neuron that is at most --window ms away, each once, in order (layered networks: the neuron's
first spike in the same sample). Given own inputs: each recorded spike against the exact neuron that received what this neuron
received and was reset when it was, so that one layer's errors are not counted again in the next.

A simulator that is not installed or fails is a row that says so.

brainscales2, the emulated chip, runs layered networks only, once, with a tick of its time stamps for dt (8 ns, 0.008 ms of the
model). It rounds weights and has no delays, and its neurons are refractory for 32 ms of the model: it is compared with an exact
network that has the weights that the chip holds, no delays, and that refractoriness, recorded as brainscales2_0.008_exact.npz.
A run that was trained on a chip is compared on that chip.

examples:
  ttfs-pynn compare runs/yy7 --simulators exact,brian2,nest --dt 0.1,0.01 --samples 200 --output out
  ttfs-pynn compare runs/yy7 --simulators exact,brainscales2 --ideal-chip --output out
  ttfs-pynn compare network.py --duration 500 --output out
  ttfs-pynn compare network.py --simulators exact,nest --dt 0.01 --fail-above 1dt --output out      (for continuous integration)
"""

from functools import partial

import numpy as np

from ttfs_pynn.analysis import comparison_report
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.comparison.simulators import compare_simulators, comparison_folder, in_a_process
from ttfs_pynn.comparison.task import Task, is_script
from ttfs_pynn.comparison.verdict import Bound, beyond
from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.simulators import SIMULATORS, simulator


def parser():
    p = ArgumentParser(prog="ttfs-pynn compare", description=__doc__)
    p.add_argument("what", metavar="WHAT", help="run folder, name or file of a model, or FILE.py with build(sim)")
    p.add_argument("--simulators", default="exact,brian2", metavar="A,B",
                   help=f"{', '.join(SIMULATORS)} (default exact,brian2)")
    p.add_argument("--reference", metavar="NAME", help="what the others are compared with (default exact)")
    p.add_argument("--fail-above", metavar="ERROR", help="end with status 1 where they differ by more: 1dt, or 0.05ms")
    p.add_argument("--dt", default="0.1", metavar="MS,MS", help="time steps (default 0.1)")
    p.add_argument("--samples", type=int, metavar="N", help="layered networks: first N test samples (default 100, or all)")
    p.add_argument("--delay", type=float, metavar="MS", help="layered networks: delay of projections (default: largest dt)")
    p.add_argument("--duration", type=float, metavar="MS", help="for scripts that never run (default 1000)")
    p.add_argument("--window", type=float, metavar="MS", help="of the matching rule (default: a sample, or 20 dt, at least 1)")
    p.add_argument("--seed", type=int, default=1, help="of Poisson sources and noise (default 1)")
    p.add_argument("--timeout", type=float, default=3600.0, metavar="S", help="for each simulator and time step (default 3600)")
    p.add_argument("--model", metavar="FILE", help="the run's model, where it is neither of the package nor in this folder")
    p.add_argument("--ideal-chip", action="store_true", help="brainscales2 without mismatch, noise and losses")
    p.add_argument("--output", required=True, metavar="DIR", help="folder to make")
    p.add_argument("--overwrite", action="store_true", help="replace a comparison that is in DIR")
    return p


def _refuse(a, names, why):
    """Options that would be ignored are a mistake of the user's."""
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(a, name) not in (None, False)]
    if given:
        raise ConfigurationError(f"{', '.join(given)}: {why}; leave out what does not apply")


def simulators_of(a):
    """Names of simulators, each once."""
    names = list(dict.fromkeys(name for name in a.simulators.split(",") if name))
    if not names:
        raise ConfigurationError(f"--simulators {a.simulators}: give at least one of {', '.join(SIMULATORS)}")
    return names


def task_of(a):
    """What is to be run. ConfigurationError for options that have no effect, and for values that make no sense."""
    hardware, script = [simulator(name).hardware for name in simulators_of(a)], is_script(a.what)
    if script:
        _refuse(a, ["samples", "delay", "ideal_chip", "model"], f"for layered networks only, {a.what} is a script")
    else:
        _refuse(a, ["duration"], f"for scripts only, {a.what} is a layered network")
    if not RunFolder.exists(a.what):
        _refuse(a, ["model"], f"for run folders only, {a.what} is none")
    if not any(hardware):
        _refuse(a, ["ideal_chip"], f"there is no chip among --simulators {a.simulators}")
    for name in ("window", "duration", "timeout"):
        value = getattr(a, name)
        if value is not None and not 0 < value < np.inf:
            raise ConfigurationError(f"--{name} {value:g} must be positive")
    try:
        steps = sorted({float(dt) for dt in a.dt.split(",")}, reverse=True)
    except ValueError:
        raise ConfigurationError(f"--dt {a.dt}: give numbers (ms) with commas between them, such as 0.1,0.01") from None
    if not all(0 < dt < np.inf for dt in steps):
        raise ConfigurationError(f"--dt {a.dt}: time steps must be positive")
    if script:
        return Task(a.what, tuple(steps), a.seed, duration=1000.0 if a.duration is None else a.duration)
    delay = max(steps) if a.delay is None else a.delay
    if not 0 <= delay < np.inf:
        raise ConfigurationError(f"--delay {delay:g} must not be negative")
    return Task(a.what, tuple(steps), a.seed, a.samples, delay, a.model, a.ideal_chip).checked()


def main(arguments=None):
    a = parser().parse_args(arguments)
    task = task_of(a)
    bound = None if a.fail_above is None else Bound.of(a.fail_above)
    if a.reference is not None and (a.reference not in SIMULATORS or simulator(a.reference).hardware):
        raise ConfigurationError(f"--reference {a.reference}: "
                                 + unknown("reference", a.reference, [n for n in SIMULATORS if not simulator(n).hardware]))
    say = (lambda text: None) if a.quiet else partial(print, flush=True)
    with comparison_folder(a.output, a.overwrite) as folder:
        result = compare_simulators(task, simulators_of(a), folder, a.window,
                                    partial(in_a_process, timeout=a.timeout, verbose=a.verbose), say, a.reference)
        comparison_report.main([str(folder)])
    print("\n".join(comparison_report.as_lines(result)))
    too_far = [] if bound is None else beyond(result, bound)
    for line in too_far:
        print(f"above {a.fail_above}: {line}")
    return 1 if too_far else 0


if __name__ == "__main__":
    run(main)
