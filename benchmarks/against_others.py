"""Seconds an epoch of Yin-Yang, beside the code of Göltz, Kriener et al.

    python -m benchmarks.against_others --authors CHECKOUT --python PYTHON

CHECKOUT is a clone of https://github.com/JulianGoeltz/fastAndDeep, PYTHON an interpreter that has torch, numpy, scipy, numba,
matplotlib and pyyaml. Both train 4-N-3 without bias on the same 5,000 input times in batches of 150, by turns, one thread
each, CPU time. Theirs is the step of their training loop alone: forward, bumping, loss, backward, Adam; no validation, plot or
file. tau_m = 2 tau_syn and the settings of their experiment_configs/yin_yang_H30_W.yaml. Initial weights are drawn by each, ours
bumps none; accuracies of the last epoch are printed, so that one sees that both learn. Where neurons are silent their loop bumps
weights and leaves out the backward pass: in how many batches is printed too. Ours is the step of `benchmarks.speed`, on arrays
and through PyNN `exact`. The ratio is their fastest turn over our fastest.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.speed import Clock, epoch
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.engine import GradientEngine
from ttfs_pynn.learning.loss import predict
from ttfs_pynn.learning.optimizer import Adam
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator

NEEDED = ("torch", "numpy", "scipy", "numba", "matplotlib", "yaml")
TAU_SYN, BATCH = 10.0, 150

# Run by the interpreter that has PyTorch, in their `src`: an epoch for each line of its input, answered by a line of JSON.
THEIR_SIDE = '''
import contextlib, json, sys, time
import numpy as np
import torch
import networks, training, utils
torch.set_num_threads(1)
samples, hidden, batch = np.load(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
_, neuron, layout, options = training.load_config("../experiment_configs/yin_yang_H30_W.yaml")
layout["layers"][1]["size"] = hidden
for name in ("rounding_precision", "max_dw_norm", "clip_weights_max"):
    options.setdefault(name, False)
torch.manual_seed(0)
np.random.seed(0)
cpu, answers = torch.device("cpu"), sys.stdout
with contextlib.redirect_stdout(sys.stderr):
    net = networks.get_network(neuron, layout, options, cpu)
    criterion = utils.GetLoss(options, 3, neuron["tau_syn"], cpu)
    optimizer = torch.optim.Adam([{"params": layer.parameters(), "lr": layer.lr or options["learning_rate"]}
                                  for layer in net.layers if list(layer.parameters())])
    times, labels = torch.tensor(samples["times"]), torch.tensor(samples["labels"])
    bumped, bump, number = -2, options["weight_bumping_value"], 0
    for _ in sys.stdin:
        begin, right, left_out, order = time.process_time(), 0, 0, torch.randperm(len(times))
        for k, chosen in enumerate(order.split(batch)):
            optimizer.zero_grad()
            found, hidden_times = net(times[chosen])
            right += int((criterion.select_classes(found) == labels[chosen]).sum())
            bumped, bump = training.check_bump_weights(net, hidden_times, found, options, number, k, bump, bumped)
            if bumped == -2:
                criterion(found, labels[chosen], net).backward()
                optimizer.step()
                net.delays_rectify()
            left_out += bumped != -2
            net.write_weights()
        number += 1
        print(json.dumps([time.process_time() - begin, right / len(times), left_out]), file=answers, flush=True)
'''


class Failed(Exception):
    """What is missing, in one line."""


def missing(authors, python):
    """What their code lacks, in one line, or None."""
    if not (Path(authors) / "src" / "training.py").is_file():
        return f"{authors} is no checkout of fastAndDeep (no src/training.py): clone https://github.com/JulianGoeltz/fastAndDeep"
    code = f"import importlib.util as u; print(*[m for m in {NEEDED} if u.find_spec(m) is None])"
    try:
        lacks = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"--python {python} does not run: {error}"
    return f"{python} lacks {', '.join(lacks)}: give another --python, or pip install them there" if lacks else None


class Authors:
    """Their code in a process of its own; each call trains one epoch and returns (CPU seconds, accuracy). `left_out` counts
    batches without a backward pass."""

    def __init__(self, authors, python, data, hidden, folder):
        self.left_out = 0
        file = Path(folder) / f"samples_{hidden}.npz"
        np.savez(file, times=data.times / TAU_SYN, labels=data.labels)
        self.errors = open(Path(folder) / "stderr", "w+", encoding="utf-8")  # noqa: SIM115
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONPATH": "."}
        self.process = subprocess.Popen([python, "-c", THEIR_SIDE, str(file), str(hidden), str(BATCH)], text=True,
                                        cwd=Path(authors) / "src", env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors)

    def __call__(self):
        with contextlib.suppress(BrokenPipeError):  # the empty answer says so
            self.process.stdin.write("epoch\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.process.wait()
            self.errors.seek(0)
            raise Failed(f"the authors' code stopped: {(self.errors.read().strip().splitlines() or ['without a word'])[-1]}")
        seconds, accuracy, left_out = json.loads(answer)
        self.left_out += left_out
        return seconds, accuracy

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


class Ours:
    """Each call trains one epoch and returns (CPU seconds, accuracy after it)."""

    def __init__(self, data, hidden, through_pynn):
        neuron = LIFParameters(tau_m=2 * TAU_SYN, tau_syn=TAU_SYN)
        graph = layered(4, (Layer(hidden, neuron, (), 1.0, 1.0), Layer(3, neuron, (), 0.2, 0.4)), 1.5, 20.0)
        self.data, self.through_pynn, self.rng = data, through_pynn, np.random.default_rng(0)
        self.parameters = initial_parameters(graph, self.rng)
        self.network = build(simulator("exact").setup(0.1), graph, self.parameters) if through_pynn \
            else ArrayNetwork(graph, self.parameters)
        self.shown, self.engine = ArrayNetwork(graph, self.parameters), GradientEngine(graph, 0.2)
        scales = {f"{edge.label}.weight": graph.node(edge.post).neuron.current_scale for edge in graph.edges}
        self.optimizer = Adam({name: array.shape for name, array in self.parameters.items()}, scales)

    def __call__(self):
        order = self.rng.permutation(len(self.data))
        begin = time.process_time()
        self.parameters = epoch(self.network, self.engine, self.optimizer, self.parameters,
                                (self.data.times[order], self.data.labels[order]), BATCH, self.through_pynn, 0.005).parameters
        seconds = time.process_time() - begin
        self.shown.write(self.parameters)
        found = self.shown.present(self.data.times)
        return seconds, float((predict(found.labels) == self.data.labels).mean())

    def close(self):
        pass


def compare(authors, python, hidden, epochs, n_samples, folder):
    """{side: (fastest CPU seconds of an epoch, accuracy)}, sides by turns; the first turn compiles and is not counted."""
    data = yin_yang.data(yin_yang.PARAMETERS["network"])["train"]
    data = data.select(slice(0, n_samples))
    sides = {"arrays": Ours(data, hidden, False), "PyNN exact": Ours(data, hidden, True)}
    if authors:
        sides["authors"] = Authors(authors, python, data, hidden, folder)
    turns = {name: [] for name in sides}
    try:
        for _ in range(epochs + 1):
            for name, side in sides.items():
                turns[name].append(side())
    finally:
        for side in sides.values():
            side.close()
    if authors:
        batches = (epochs + 1) * -(-len(data) // BATCH)
        print(f"4-{hidden}-3 authors: {sides['authors'].left_out} of {batches} batches bumped weights without a backward pass")
    return {name: (min(seconds for seconds, _ in found[1:]), found[-1][1]) for name, found in turns.items()}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--authors", metavar="CHECKOUT", help="clone of fastAndDeep (default: ours alone)")
    parser.add_argument("--python", default=sys.executable, help="interpreter with PyTorch (default: this one)")
    parser.add_argument("--hidden", type=int, nargs="+", default=[30, 120])
    parser.add_argument("--epochs", type=int, default=5, help="turns that count (default 5)")
    parser.add_argument("--samples", type=int, default=5000, help="at most 5,000")
    a = parser.parse_args(arguments)
    if min(*a.hidden, a.epochs, a.samples) < 1:
        parser.error("give counts of at least 1")
    if a.authors and (lacks := missing(a.authors, a.python)):
        parser.exit(2, f"error: {lacks}\n")
    Clock.now = staticmethod(time.process_time)
    with tempfile.TemporaryDirectory() as folder:
        for hidden in a.hidden:
            try:
                found = compare(a.authors, a.python, hidden, a.epochs, a.samples, folder)
            except Failed as failed:
                parser.exit(1, f"error: {failed}\n")
            for name, (seconds, accuracy) in found.items():
                print(f"4-{hidden}-3 {name:<10} {seconds:9.4f} s an epoch of {a.samples} samples, accuracy {accuracy:.3f}")
            for name in ("arrays", "PyNN exact") if "authors" in found else ():
                print(f"4-{hidden}-3 time of authors / time of {name} = {found['authors'][0] / found[name][0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
