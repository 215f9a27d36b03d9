"""Does this network do the same on every simulator, and if not, where and why?

WHAT is a run folder of ttfs-pynn train, a model by its name or file (with its initial weights), or any PyNN script with a
function build(sim). Each simulator runs in a process of its own; `exact` is the reference. The folder gets

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
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ttfs_pynn.analysis import comparison_report
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.comparison.layered import layered_record
from ttfs_pynn.comparison.matching import default_window
from ttfs_pynn.comparison.record import read_records, write_records
from ttfs_pynn.comparison.script import run_script
from ttfs_pynn.comparison.statistics import compare_statistics
from ttfs_pynn.comparison.summary import add_orders, compare_records
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.files.run_lock import RunLock
from ttfs_pynn.files.sealed import read_json, remove_leftovers, write_bytes
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.networks.trained_times import Weights
from ttfs_pynn.processes import ChildProcess
from ttfs_pynn.protocols.evaluate import open_run
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.provenance import versions
from ttfs_pynn.runs.user_code import load_file
from ttfs_pynn.simulators import SIMULATORS, simulator

_RESULT = "comparison.json"


def parser():
    p = ArgumentParser(prog="ttfs-pynn compare", description=__doc__)
    p.add_argument("what", metavar="WHAT", help="run folder, name or file of a model, or FILE.py with build(sim)")
    p.add_argument("--simulators", default="exact,brian2", metavar="A,B",
                   help=f"{', '.join(SIMULATORS)} (default exact,brian2)")
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
    p.add_argument("--inside", nargs=3, metavar=("SIMULATOR", "DT", "FILE"), help="(what the processes are started with)")
    return p


def load_script(path):
    """The module of a Python file; ConfigurationError where it has no build(sim)."""
    module = load_file(path)
    if not callable(getattr(module, "build", None)):
        raise ConfigurationError(f"{path} has no function build(sim); put the script's body into one, with `sim` for the module "
                                 "that it imported")
    return module


def _is_script(what):
    return not RunFolder.exists(what) and what.endswith(".py") and not hasattr(load_script(what), "architecture")


def _layered(a):
    """(experiment, weights) of a run folder or of a model; None for a script."""
    if RunFolder.exists(a.what):
        return open_run(a.what, a.model)[1:]
    if _is_script(a.what):
        return None
    model = model_files.load(str(a.what))
    experiment = Experiment(model, {"backend": "exact", "dt": 0.1, "copies": 1, **model.PARAMETERS})
    return experiment, experiment.architecture.initial_weights(np.random.default_rng(0))


def _data(a, experiment):
    """The first test samples, by default 100 or all there are; ConfigurationError for more or fewer than there are."""
    test = experiment.data["test"]
    n = min(100, len(test)) if a.samples is None else a.samples
    if not 1 <= n <= len(test):
        raise ConfigurationError(f"--samples {n}: the test set has 1 to {len(test)}")
    return SpikeData(test.times[:n], test.labels[:n])


def records_on(a, name, dt):
    """The NetworkRecords of what was asked for, on one simulator: what a process of its own does."""
    layered, begin = _layered(a), time.perf_counter()
    if layered is None:
        records = run_script(load_script(a.what).build, simulator(name), dt, a.seed, a.duration)
        records[0].meta["seconds"] = time.perf_counter() - begin
        return records
    experiment, weights = layered
    data, notes, delay = _data(a, experiment), [], np.round(a.delay / dt) * dt
    if delay != a.delay:
        notes.append(f"the delay of {a.delay:g} ms was rounded to a multiple of dt = {dt:g} ms")
    times = getattr(weights, "times", None)
    if times is not None and any(times.delays):
        weights = Weights(weights, times.on_grid(dt))
        notes.append(f"trained delays were rounded to multiples of dt = {dt:g} ms, which is what simulators with a time step "
                     "hold")
    sim, copies = simulator(name).setup(dt, seed=a.seed), min(simulator(name).default_copies, len(data))
    # Windows of one length everywhere, so that records can be laid over each other.
    plain = experiment.model.build(simulator("exact").setup(dt), experiment.configuration["network"], weights, delay=delay)
    timing = plain.timing.on_grid(max(a.steps))
    network = experiment.model.build(sim, experiment.configuration["network"], weights, n_copies=copies, single=copies > 1,
                                     delay=delay)
    result = evaluate(network, data)
    seconds = {"seconds": time.perf_counter() - begin, "accuracy": result.accuracy}
    return [layered_record(result.first_spikes, experiment.architecture, weights, delay, timing.window, timing.deadline, seconds,
                           notes)]


def records_on_chip(a, name):
    """(NetworkRecord, its reference) of a layered network on a chip and of the exact network with the chip's weights."""
    layered, begin = _layered(a), time.perf_counter()
    if layered is None:
        raise ConfigurationError(f"{name} runs layered networks only, its cells are no IF_curr_exp: give a run folder or a model")
    experiment, weights = layered
    known = experiment.simulator(name)
    known = known.configured({"non_idealities": {"off": True}}) if a.ideal_chip else known
    data = _data(a, experiment)
    parameters = experiment.configuration["network"]
    sim = known.setup(known.tick, seed=a.seed, layers=[layer.size for layer in experiment.architecture.layers])
    chip = experiment.model.build(sim, parameters, weights, simulator=known)
    held, timing = chip.read_weights(), chip.timing
    exact = experiment.model.build(simulator("exact").setup(known.tick), parameters, held, delay=0.0, timing=timing)
    note = (f"{name} is compared with the exact network that has the weights that the chip holds, no delays, and neurons "
            f"refractory for {timing.tau_refrac:g} ms")
    note += "" if a.ideal_chip else "; what its mismatch and noise do is not explained, for they may do more than one tick"
    records = []
    for network in (chip, exact):
        result = evaluate(network, data, 100)
        meta = {"seconds": time.perf_counter() - begin, "accuracy": result.accuracy}
        records.append(layered_record(result.first_spikes, experiment.architecture, held, 0.0, timing.window, timing.deadline,
                                      meta, [note]))
    return records


def reference_of(file):
    """Where the reference of a chip's record is."""
    return Path(file).with_name(f"{Path(file).stem}_exact.npz")


def _start(a, name, dt, file):
    """Run one simulator in a process of its own. Returns (list of NetworkRecord or None, what went wrong)."""
    arguments = ["compare", "--inside", name, repr(dt), str(file), *a.arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with ChildProcess("ttfs_pynn.commands.entry_point:main", arguments, options=("-W", "ignore"), stdout=subprocess.DEVNULL,
                          stderr=errors) as child:
            try:
                status = child.wait(a.timeout)
            except TimeoutError:
                return None, f"not done after {a.timeout:g} s (--timeout)"
        errors.seek(0)
        said = errors.read()
    if status:
        if a.verbose:
            print(said, file=sys.stderr, end="")
        lines = [line for line in said.strip().splitlines() if line.strip()]
        return None, lines[-1].removeprefix("error: ") if lines and status > 0 else f"ended with status {status}"
    return read_records(file), None


def compare(a, say=print):
    """The dict of comparison.json, which is begun before anything else is written: it marks the folder."""
    folder, names = Path(a.output), a.names
    result = {"what": str(a.what), "settings": {"dt_ms": a.steps, "samples": a.samples, "delay_ms": a.delay, "seed": a.seed,
              "simulators": names}, "versions": versions(), "simulators": {}}
    _write(result, folder)
    references = {}
    for name in ["exact", *[n for n in names if n != "exact"]]:
        runs, failures = [], []
        for dt in [simulator(name).tick] if simulator(name).hardware else a.steps:
            say(f"{name}, dt {dt:g} ms", flush=True)
            file = folder / "records" / f"{name}_{dt:g}.npz"
            records, failure = _start(a, name, dt, file)
            if name == "exact":
                if failure:
                    raise ConfigurationError(f"the reference 'exact' failed: {failure}")
                references[dt] = records
            if failure:
                failures.append({"dt_ms": dt, "failure": failure})
                continue
            reference = read_records(reference_of(file)) if simulator(name).hardware else references[dt]
            window = a.window or default_window(reference[0], dt)
            try:
                runs.append(compare_records(reference, records, dt, window, simulator(name)))
            except ConfigurationError as error:
                failures.append({"dt_ms": dt, "failure": str(error)})
                continue
            runs[-1] |= {"seconds": records[0].meta["seconds"], "accuracy": records[0].meta.get("accuracy")}
            if reference[0].samples is None and name != "exact":
                runs[-1]["statistics"] = _statistics(reference, records)
        finest = min(runs, key=lambda r: r["dt_ms"], default={})
        result["simulators"][name] = {
            "status": "ok" if runs and not failures else failures[0]["failure"], "failures": failures, "runs": runs,
            **{key: finest.get(key) for key in ("matched", "missing", "extra", "max_abs_error_ms", "class_agreement",
                                                "differences", "defects")},
            **add_orders(runs)}
    return result


def _statistics(references, records):
    """The dict of `compare_statistics`: trials of one setup() are of one network and pooled."""
    parts = []
    for setup in dict.fromkeys(r.setup for r in references):
        pairs = [(a, b) for a, b in zip(references, records, strict=False) if a.setup == setup and a.labels == b.labels]
        if pairs:
            parts.append(compare_statistics(*map(list, zip(*pairs, strict=True))))
    agree = [part["agree"] for part in parts if part["agree"] is not None]
    return {"rows": [row for part in parts for row in part["rows"]], "agree": all(agree) if agree else None}


def _write(result, folder):
    write_bytes(folder / _RESULT, (json.dumps(result, indent=1, default=float) + "\n").encode())


def _make_room(folder, overwrite):
    """Refuse what is in the way; an earlier comparison is deleted: with `overwrite`, or where it came to no result."""
    if not RunFolder.begun(folder):
        return
    earlier = read_json(folder / _RESULT) if not RunFolder.exists(folder) and (folder / _RESULT).is_file() else None
    if not isinstance(earlier, dict) or not {"what", "settings", "simulators"} <= set(earlier):
        raise ResultsError(f"{folder} is not empty and no earlier comparison; name another folder")
    # The page is written last: without it the comparison was killed before its end.
    if not overwrite and earlier["simulators"] and (folder / "report.html").is_file():
        raise ResultsError(f"{folder} holds a comparison already; use --overwrite to replace it, or name another folder")
    if (folder / "records").is_symlink():
        raise ResultsError(f"{folder / 'records'} is a link; nothing is written or deleted behind it: put a folder in its place")
    records = [file for name in SIMULATORS for file in (folder / "records").glob(f"{name}_*.npz")]
    for file in (folder / "report.html", *records):
        file.unlink(missing_ok=True)
    for place in (folder, folder / "records"):
        remove_leftovers(place)


def _refuse(a, names, why):
    """Options that would be ignored are a mistake of the user's."""
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(a, name) not in (None, False)]
    if given:
        raise ConfigurationError(f"{', '.join(given)}: {why}; leave out what does not apply")


def _prepare(a):
    a.names = list(dict.fromkeys(name for name in a.simulators.split(",") if name))
    if not a.names:
        raise ConfigurationError(f"--simulators {a.simulators}: give at least one of {', '.join(SIMULATORS)}")
    hardware, script = [simulator(name).hardware for name in a.names], _is_script(a.what)
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
        a.steps = sorted({float(dt) for dt in a.dt.split(",")}, reverse=True)
    except ValueError:
        raise ConfigurationError(f"--dt {a.dt}: give numbers (ms) with commas between them, such as 0.1,0.01") from None
    if not all(0 < dt < np.inf for dt in a.steps):
        raise ConfigurationError(f"--dt {a.dt}: time steps must be positive")
    if script:
        a.duration = 1000.0 if a.duration is None else a.duration
        return a
    a.delay = max(a.steps) if a.delay is None else a.delay
    if not 0 <= a.delay < np.inf:
        raise ConfigurationError(f"--delay {a.delay:g} must not be negative")
    return a


def main(arguments=None):
    a = _prepare(parser().parse_args(arguments))
    a.arguments = sys.argv[1:] if arguments is None else list(arguments)
    if a.inside:
        name, dt, file = a.inside
        simulator(name).load()
        if simulator(name).hardware:
            record, reference = records_on_chip(a, name)
            write_records(reference_of(file), [reference])
            write_records(file, [record])
        else:
            write_records(file, records_on(a, name, float(dt)))
        return
    layered = _layered(a)  # a mistake shows before a process is started
    if layered is not None:
        a.samples = len(_data(a, layered[0]))
    folder = Path(a.output)
    _make_room(folder, a.overwrite)
    with RunLock(folder):  # no other process writes there meanwhile
        _make_room(folder, a.overwrite)  # again: another process may have been first
        result = compare(a, (lambda *_, **__: None) if a.quiet else print)
        _write(result, folder)
        comparison_report.main([str(folder)])
    print("\n".join(comparison_report.table(result)))


if __name__ == "__main__":
    run(main)
