"""Do norse and snnTorch, given the NIR file, fire first where we do? `python -m benchmarks.nir_round_trip RUN [--samples 200]`

RUN is a run of ttfs-pynn train of a chain of layers. Its network is exported, read back (every bit must be there), and the file
is loaded by each framework's own importer and stepped through the test samples; a hook lets every neuron spike once, which NIR
cannot say. norse takes any time step. snnTorch's importer has 0.1 ms built in: there the network is made slower instead (all
times and cm times 10, 100: the same equations), so that a step is a smaller share of tau_syn. Prints the rows of
benchmarks/README.md.

Needs torch and one of norse, snntorch; a framework that is missing is left out, with a message.
"""

import argparse
import importlib
import tempfile
import time
import warnings
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from ttfs_pynn.comparison import compare_first_spikes, explained_by_own_inputs
from ttfs_pynn.graph.storage import stored
from ttfs_pynn.interchange import from_nir, read_nir, to_nir, write_nir
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.runs.finished import open_run


class FirstSpikeOf:
    """A forward hook: every neuron's first spike passes, later ones do not. steps (samples, neurons): when, -1 for never."""

    def __init__(self):
        self.step, self.steps = 0, None

    def __call__(self, module, inputs, output):
        spikes = output[0] if isinstance(output, tuple) else output
        if self.steps is None:
            self.steps = np.full(tuple(spikes.shape), -1)
        now = (spikes.detach().numpy() > 0) & (self.steps < 0)
        self.steps[now] = self.step
        spikes = spikes.new_tensor(now, dtype=inputs[0].dtype)
        return (spikes, *output[1:]) if isinstance(output, tuple) else spikes


def norse_module(graph, time_step):
    import norse.torch
    module = norse.torch.from_nir(graph, dt=time_step * 1e-3)
    return module, norse.torch.utils.import_nir.CubaLIF


def snntorch_module(graph, time_step):
    import snntorch.import_nir
    if time_step != 0.1:
        raise ValueError("snntorch.import_nir has dt = 1e-4 s built in")
    return snntorch.import_nir.import_from_nir(graph), snntorch.Synaptic


MODULES = {"norse": norse_module, "snntorch": snntorch_module}


def simulate(framework, path, samples, time_step, duration):
    """First-spike times (samples, neurons) in ms of every layer. samples (n, inputs and biases): input spikes (ms)."""
    import nir
    import torch
    module, kind = MODULES[framework](nir.read(path), time_step)
    module.double()  # of float32 weights, for snnTorch and norse read those
    hooks = [FirstSpikeOf() for child in module.modules() if isinstance(child, kind)]
    named = sorted(((name, child) for name, child in module.named_modules() if isinstance(child, kind)),
                   key=lambda entry: (len(entry[0]), entry[0]))
    for hook, (_, child) in zip(hooks, named, strict=True):
        child.register_forward_hook(hook)
    at = np.where(np.isfinite(samples), np.rint(samples / time_step), -1).astype(int)
    state, silent = None, torch.zeros(samples.shape, dtype=torch.float64)
    with torch.no_grad():
        for step in range(round(duration / time_step)):
            now = at == step
            for hook in hooks:
                hook.step = step
            _, state = module(torch.from_numpy(now.astype(float)) if now.any() else silent, state)
    return tuple(np.where(hook.steps >= 0, hook.steps * time_step, np.inf) for hook in hooks)


def agreement(reference, found):
    """(share of samples of the same class, of the same order of all label neurons, Kendall's tau, samples of another order,
    those of them where a pair is reversed and not just two spikes in one step)."""
    def signs(times):
        with np.errstate(invalid="ignore"):
            return np.sign(np.nan_to_num([times[:, a] - times[:, b] for a, b in combinations(range(times.shape[1]), 2)])).T

    a, b = signs(reference), signs(found)
    same = (a == b).all(axis=1)
    return (reference.argmin(1) == found.argmin(1)).mean(), same.mean(), (a * b).mean(), np.flatnonzero(~same), \
        np.flatnonzero((a * b < 0).any(axis=1))


def slower(graph, factor):
    """The same network with all times and capacitances `factor` times as large: the same weights."""
    def scaled(node):
        if node.is_source:
            return node if node.times is None else replace(node, times=node.times * factor)
        times = {name: getattr(node.neuron, name) * factor for name in ("tau_m", "tau_syn", "cm")}
        return replace(node, neuron=replace(node.neuron, **times))

    return replace(graph, nodes=tuple(map(scaled, graph.nodes)), t_early=graph.t_early * factor, t_late=graph.t_late * factor)


def check_bits(path, graph, parameters):
    found = from_nir(read_nir(path))
    (arrays, description), (again, same) = stored(graph), stored(found.graph)
    if description != same or not all(np.array_equal(again[name], array) for name, array in arrays.items()) \
            or not all(np.array_equal(found.parameters[name], array) for name, array in parameters.items()):
        raise RuntimeError(f"{path} holds another network than was exported")


def row(framework, path, network, t_in, parameters, time_step, factor):
    graph = network.graph
    biases = [np.tile(node.times * factor, (len(t_in), 1)) for node in graph.sources if node.times is not None]
    begin = time.perf_counter()
    reference = network.present(t_in)
    layers = simulate(framework, path, np.concatenate([t_in * factor, *biases], 1), time_step, network.timing.deadline * factor)
    seconds = time.perf_counter() - begin
    layers = {label: np.where(layer / factor < network.timing.deadline, layer / factor, np.inf)
              for label, layer in zip((label for group in graph.groups for label in group), layers, strict=True)}
    dt = time_step / factor
    label, found = reference.labels, layers[graph.outputs]
    same_class, same_order, kendall, unequal, reverse = agreement(label, found)
    share = dt / np.mean(graph.node(graph.outputs).neuron.tau_syn)
    print(f"\n{framework}, step {dt:g} ms = {share:g} tau_syn, {len(t_in)} samples, {seconds:.0f} s: same class "
          f"{same_class:.4f}, same order {same_order:.4f}, Kendall's tau {kendall:.4f}\n  of {len(unequal)} "
          f"samples of another order {len(unequal) - len(reverse)} have two spikes in one step, {len(reverse)} a pair reversed")
    own = explained_by_own_inputs(reference.with_times(layers), graph, parameters)
    for name, alone in own.items():
        for text, one in (("whole network", compare_first_spikes(reference[name], layers[name])), ("given own inputs", alone)):
            size = np.abs(one.differences)
            print(f"  {name}, {text}: matched {one.matched}, missing {one.missing}, extra {one.extra}, difference median "
                  f"{np.median(size):.4f}, 99 % {np.quantile(size, 0.99):.4f}, largest {size.max():.4f} ms")
    first = graph.groups[0][0]
    for sample in reverse[:10]:
        hidden = compare_first_spikes(reference[first][sample], layers[first][sample])
        print(f"  reversed in sample {sample}: exact {np.round(label[sample], 4)}, {framework} {np.round(found[sample], 4)} ms; "
              f"of its hidden spikes {hidden.missing} missing, {hidden.extra} extra, {hidden.max_abs_difference:.2f} ms at most")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("run")
    p.add_argument("--samples", type=int, default=200)
    p.add_argument("--frameworks", default="norse,snntorch")
    p.add_argument("--steps", default="0.1,0.01,0.001", help="ms")
    a = p.parse_args()
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # nirtorch.load, which norse 1.1 calls
    _, experiment, parameters = open_run(a.run)
    graph, t_in = experiment.graph, experiment.data["test"].times[:a.samples]
    network = ArrayNetwork(graph, parameters)
    with tempfile.TemporaryDirectory() as folder:
        for framework in a.frameworks.split(","):
            try:
                importlib.import_module(framework)
            except ImportError as error:
                print(f"{framework} is left out: {error}; install it with: pip install torch {framework}")
                continue
            for step in map(float, a.steps.split(",")):
                factor = 1 if framework == "norse" else 0.1 / step
                graph_step, path = step * factor, Path(folder) / f"{framework}_{step:g}.nir"
                scaled = graph if factor == 1 else slower(graph, factor)
                write_nir(path, to_nir(scaled, parameters, time_step=graph_step))
                check_bits(path, scaled, parameters)
                row(framework, path, network, t_in, parameters, graph_step, factor)
    print("\nevery file gave back the graph and the parameters, bit for bit")


if __name__ == "__main__":
    main()
