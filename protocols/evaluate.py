"""Run a trained network on a simulator and compare its first spikes with those of the exact one.

For each population: how many first spikes match, are missing or extra, and how far apart in time they are. Once against the exact
simulation of the whole network, and once against the exact neuron model driven by the inputs that the population itself was
recorded with, which takes apart what one population does from what it was handed.

Writes evaluation_BACKEND.json to the run folder; and, where it holds no spikes (of a run on arrays), those of one test sample on
the exact simulator, for raster and report.

examples:
  ttfs-pynn evaluate runs/yy7 --backend brian2
  ttfs-pynn evaluate runs/yy7 --backend brian2 --dt 0.01 --samples 200
"""

import time

import numpy as np

from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.comparison import compare_first_spikes, explained_by_own_inputs
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.runs.experiment import ARRAYS, metrics_of
from ttfs_pynn.runs.finished import open_run
from ttfs_pynn.runs.settings import check_step
from ttfs_pynn.simulators import SIMULATORS, simulator


def parser():
    p = ArgumentParser(prog="ttfs-pynn evaluate", description=__doc__)
    p.add_argument("folder", metavar="DIR", help="run folder of ttfs-pynn train")
    p.add_argument("--backend", default="brian2", help=f"simulator: {', '.join(SIMULATORS)} (default brian2)")
    p.add_argument("--dt", type=float, metavar="MS", help="its time step, where it has one (default 0.1 ms)")
    p.add_argument("--samples", type=int, metavar="N", help="the first N test samples (default: all)")
    p.add_argument("--model", metavar="FILE", help="the run's model, where it is neither of the package nor in this folder")
    p.add_argument("--copies", type=int, metavar="N", help="copies of the network side by side (default: the simulator's)")
    return p


def compare(experiment, parameters, backend, dt, samples=None, copies=None):
    """A dict with accuracy on the simulator and on exact, and the agreement of each population."""
    test = experiment.data["test"]
    if samples is not None and not 1 <= samples <= len(test):
        raise ConfigurationError(f"samples = {samples}; the test set has 1 to {len(test)}")
    data = test.select(slice(0, samples))
    reference = evaluate(experiment.network("exact", parameters, dt, copies=1), data)
    begin = time.perf_counter()
    network = experiment.network(backend, parameters, dt, copies)
    other = evaluate(network, data)
    seconds = time.perf_counter() - begin
    graph = experiment.graph
    tau_syn = float(np.mean(graph.node(graph.outputs).neuron.tau_syn))
    result = {"backend": backend, "dt_ms": dt, "exact_accuracy": reference.accuracy, "seconds": seconds,
              **metrics_of(other, "test", tau_syn),
              "class_agreement": float((other.predictions == reference.predictions).mean()), "populations": []}
    for label, single in explained_by_own_inputs(other.first_spikes, graph, parameters).items():
        whole = compare_first_spikes(reference.first_spikes[label], other.first_spikes[label])
        result["populations"].append({"population": label, "whole_network": _as_dict(whole), "own_inputs": _as_dict(single)})
    return result


def _as_dict(agreement):
    size = np.abs(agreement.differences)
    return {"matched": agreement.matched, "missing": agreement.missing, "extra": agreement.extra,
            "max_abs_difference_ms": agreement.max_abs_difference,
            "median_abs_difference_ms": float(np.median(size)) if size.size else 0.0}


def as_lines(result):
    """The comparison as lines of text."""
    lines = [f"{'accuracy on exact':<31}{result['exact_accuracy']:.4f}  (the same samples)",
             f"{'accuracy on ' + result['backend']:<31}{result['test_accuracy']:.4f}  "
             f"({result['test_samples']} test samples, dt {result['dt_ms']:g} ms)",
             f"{'same class':<31}{result['class_agreement']:.4f}",
             f"{'first spikes':<31}{'matched':>8}{'missing':>9}{'extra':>7}{'median |dt|':>14}{'largest |dt|':>15}"]
    for row in result["populations"]:
        for key, text in (("whole_network", "whole network"), ("own_inputs", "given its own inputs")):
            a = row[key]
            lines.append(f"{row['population'] + ', ' + text:<31}{a['matched']:>8}{a['missing']:>9}{a['extra']:>7}"
                         f"{a['median_abs_difference_ms']:>11.4f} ms{a['max_abs_difference_ms']:>12.4f} ms")
    return lines


def main(arguments=None):
    a = parser().parse_args(arguments)
    simulator(a.backend).load()
    if a.dt is not None:
        check_step(a.backend, a.dt)
    dt = 0.1 if a.dt is None else a.dt
    folder, experiment, parameters = open_run(a.folder, a.model)
    result = compare(experiment, parameters, a.backend, dt, a.samples, a.copies)
    folder.write_json(f"evaluation_{a.backend}.json", result)
    # A run on arrays has recorded none; some may be there of a command that was killed.
    if experiment.configuration["backend"] == ARRAYS or not folder.spike_names():
        experiment.record_sample(experiment.network("exact", parameters, dt, copies=1), folder, "after")
    print("\n".join(as_lines(result)))


if __name__ == "__main__":
    run(main)
