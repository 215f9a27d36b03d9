"""How much imperfection of a substrate does training on Yin-Yang bear? Weights, time constants, thresholds, spikes.

Each distortion (ttfs_pynn/networks/distortion.py) at several sizes, each for several seeds: a network is trained in the loop with
the distortion, and another, trained ideally, is only tested with it. Accuracy on fresh samples that no training has seen. The
network is models/yin_yang.py on arrays with few epochs: the question is how accuracy falls, not how high it is.

Each seed and distortion is a process of a sweep (ttfs_pynn/runs/sweep.py), which trains one network after the other for its
sizes: a sweep that was stopped goes on where it was when it is started again. Writes DIR/robustness: figures as JSON,
a picture, a page.

examples:
  ttfs-pynn robustness
  ttfs-pynn robustness --scheduler slurm --workers 40 --seeds 10
  ttfs-pynn robustness --quick
"""

import json
from pathlib import Path

import numpy as np

from ttfs_pynn.analysis import robustness_figure
from ttfs_pynn.commands.command_line import ArgumentParser, run, when_stopped
from ttfs_pynn.datasets import yin_yang as samples
from ttfs_pynn.errors import ConfigurationError, ResultsError
from ttfs_pynn.files.sealed import write_bytes
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.distortion import DistortedNetwork, Distortion
from ttfs_pynn.runs.provenance import versions
from ttfs_pynn.runs.sweep import run_all

# What is varied: fields of Distortion that get a level (times its factor); what the learning rule assumes; how it is written.
TAU_SYN = yin_yang.PARAMETERS["network"]["tau_syn"]
RATIOS = (0.5, 0.7, 1.4, 2.0, 5.0)
PANELS = {
    "weight_bits": {"fields": {"weight_bits": 1}, "levels": (8, 6, 5, 4, 3, 2), "label": "weight resolution (bits, with sign)"},
    "weight_range": {"fields": {"weight_range": 1.0}, "levels": (3.0, 2.0, 1.5, 1.0, 0.5),
                     "label": "largest |weight| (current_scale)"},
    "tau_ratio_known": {"fields": {"tau_m_factor": 1.0}, "levels": RATIOS, "label": "tau_m / tau_syn, known to the rule",
                        "rule_knows": True},
    "tau_ratio_assumed_1": {"fields": {"tau_m_factor": 1.0}, "levels": RATIOS, "label": "tau_m / tau_syn, the rule assumes 1"},
    "tau_std": {"fields": {"tau_m_std": 1.0, "tau_syn_std": 1.0}, "levels": (0.05, 0.1, 0.2, 0.3, 0.5),
                "label": "spread of tau_m and tau_syn (std / mean)"},
    "threshold_std": {"fields": {"threshold_std": 1.0}, "levels": (0.05, 0.1, 0.2, 0.3, 0.5),
                      "label": "spread of thresholds (std / mean)"},
    "jitter": {"fields": {"jitter": TAU_SYN}, "levels": (0.01, 0.02, 0.05, 0.1, 0.2), "label": "jitter of spikes (std, tau_syn)"},
    "lost_spikes": {"fields": {"lost_spikes": 1.0}, "levels": (0.005, 0.01, 0.02, 0.05, 0.1), "label": "share of spikes lost"},
}
FRESH = 5_000


def parser():
    p = ArgumentParser(prog="ttfs-pynn robustness", description=__doc__)
    p.add_argument("--seeds", type=int, metavar="N", help="networks a point (default 5)")
    p.add_argument("--epochs", type=int, metavar="N", help="of each training (default 8)")
    p.add_argument("--quick", action="store_true", help="a look: 2 epochs, 2 seeds, the ends of each scale; into DIR/quick")
    p.add_argument("--scheduler", default="local", help="local (default), slurm, or the address of a Dask scheduler, "
                   "which trusts whoever can connect to it (SECURITY.md)")
    p.add_argument("--workers", type=int, default=2, metavar="N", help="processes at a time (default 2)")
    p.add_argument("--results", default="results", metavar="DIR", help="robustness/ is written there (default results)")
    p.add_argument("--runs", default="runs/robustness", metavar="DIR", help="where runs are kept (default runs/robustness)")
    return p


def distortion_of(panel, level, seed):
    """The fields of a Distortion for one point of a panel."""
    return {"seed": seed, **{field: level * factor for field, factor in PANELS[panel]["fields"].items()}}


def jobs_of(levels, seeds, epochs):
    """(ideal, in the loop): a job for each seed, and {(panel, seed): job}, first all jobs of the first seed."""
    ideal = [{"seed": seed, "epochs": epochs, "tests": [distortion_of(panel, level, seed)
                                                       for panel in levels for level in levels[panel]]} for seed in range(seeds)]
    loop = {(panel, seed): {"seed": seed, "epochs": epochs, "rule_knows": PANELS[panel].get("rule_knows", False),
                            "distortions": [distortion_of(panel, level, seed) for level in levels[panel]]}
            for seed in range(seeds) for panel in levels}
    return ideal, loop


def _parts(job):
    """(graph, training samples, options, fresh samples) of a job: 5,000 published ones, FRESH others."""
    network = yin_yang.PARAMETERS["network"]
    options = TrainingOptions.of({**yin_yang.PARAMETERS["training"], "epochs": job["epochs"], "seed": job["seed"]})
    parts = samples.yin_yang(5000, seed=42), samples.fresh(FRESH, np.random.default_rng(1912))
    train, fresh = (SpikeData(yin_yang.encode(part.features, network), part.labels) for part in parts)
    return yin_yang.graph(network), train, options, fresh


def train_ideally(job):
    """Train without a distortion, test without and with each of job['tests']."""
    graph, train, options, fresh = _parts(job)
    parameters = initial_parameters(graph, np.random.default_rng(job["seed"]))
    trainer = Trainer(ArrayNetwork(graph, parameters), train, options)
    trainer.run()
    distorted = [DistortedNetwork(graph, trainer.parameters, Distortion(**fields)) for fields in job["tests"]]
    return {"accuracy": evaluate(trainer.network, fresh, keep=False).accuracy,
            "distorted": [evaluate(network, fresh, keep=False).accuracy for network in distorted]}


def train_distorted(job):
    """For each of job['distortions']: train with it in the loop, and test with it."""
    graph, train, options, fresh = _parts(job)
    accuracies = []
    for fields in job["distortions"]:
        parameters = initial_parameters(graph, np.random.default_rng(job["seed"]))
        network = DistortedNetwork(graph, parameters, Distortion(**fields))
        Trainer(network, train, options, measured=network.neurons if job["rule_knows"] else None).run()
        accuracies.append(evaluate(network, fresh, keep=False).accuracy)
    return {"distorted": accuracies}


def run_one(job):
    """A job of the sweep."""
    return train_ideally(job) if "tests" in job else train_distorted(job)


def gathered(levels, seeds, loop, results):
    """The results as the figure wants them: {panel: levels, and accuracies [level][seed] of both trainings}."""
    ideal, rest = results[:seeds], dict(zip(loop, results[seeds:], strict=True))
    panels, begin = {}, 0
    for panel, values in levels.items():
        panels[panel] = {
            "label": PANELS[panel]["label"], "levels": list(values),
            "in_the_loop": [[rest[panel, seed]["distorted"][k] for seed in range(seeds)] for k in range(len(values))],
            "only_tested": [[ideal[seed]["distorted"][begin + k] for seed in range(seeds)] for k in range(len(values))]}
        begin += len(values)
    return {"ideal": [r["accuracy"] for r in ideal], "panels": panels}


@when_stopped("the same command goes on with what is not finished")
def main(arguments=None):
    a = parser().parse_args(arguments)
    if a.quick and (a.seeds, a.epochs) != (None, None):
        raise ConfigurationError("--quick has 2 seeds and 2 epochs; leave --seeds and --epochs out, or --quick")
    seeds, epochs = (2 if a.quick else default if given is None else given for given, default in ((a.seeds, 5), (a.epochs, 8)))
    if seeds < 1 or epochs < 1:
        raise ConfigurationError(f"--seeds {seeds} and --epochs {epochs} must be at least 1")
    levels = {name: panel["levels"][::len(panel["levels"]) - 1] if a.quick else panel["levels"] for name, panel in PANELS.items()}
    ideal, loop = jobs_of(levels, seeds, epochs)
    results, failures = run_all("ttfs_pynn.protocols.robustness:run_one", [*ideal, *loop.values()], a.runs, a.scheduler,
                                a.workers)
    if failures:
        raise ResultsError(f"{len(failures)} of {len(results)} runs failed, such as: {next(iter(failures.values()))}; the same "
                           "command tries them again")
    path = Path(a.results) / ("quick" if a.quick else ".") / "robustness" / "robustness.json"
    write_bytes(path, (json.dumps({"quick": a.quick, "epochs": epochs, "seeds": list(range(seeds)), "fresh_samples": FRESH,
                                   "versions": versions(), **gathered(levels, seeds, loop, results)},
                                  indent=1) + "\n").encode())
    robustness_figure.main([str(path.parent)])


if __name__ == "__main__":
    run(main)
