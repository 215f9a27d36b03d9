"""What a training step costs, step by step: `python -m benchmarks.speed [--network 784-350-10] [--samples 2000] [--json FILE]`.

Random samples (a share `--spiking` of the inputs spikes, 0.19 as in MNIST without black pixels) are learned in batches, on arrays
and through PyNN `exact` and Neo. Times are those of the clock on the wall, the fastest of `--repeats` passes; as many threads
as Numba has (NUMBA_NUM_THREADS); with `--cpu` they are CPU times, which mean something on a busy machine with one thread. The
share of the arithmetic limit is

    multiply-adds that are needed / (time on arrays x multiply-add rate of this machine),

two a causal (input, neuron) pair forward and two backward; the rate is that of y += a x over rows of a matrix that fits the
cache, measured in the same run, times the number of threads. `--growth` doubles inputs, neurons and samples four times each and
fits the exponents of the cost; `--plot FILE.png` draws the cost against synapses x samples.
"""

import argparse
import itertools
import json
import time
from collections import defaultdict

import numpy as np
from numba import get_num_threads, njit

from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.graph.parameters import summed_delays
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.learning.loss import TimeToFirstSpike
from ttfs_pynn.learning.optimizer import Adam
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator


def described(sizes, spiking):
    neuron, before, layers = LIFParameters(), sizes[0] * spiking, []
    for size in sizes[1:]:
        layers.append(Layer(size, neuron, (), 7.0 / before, 2.4 / before ** 0.5))
        before = size
    return layered(sizes[0], tuple(layers), 1.5, 20.0)


def samples(graph, n, spiking, rng):
    times = rng.uniform(graph.t_early, graph.t_late, (n, graph.node("input").size))
    times[rng.random(times.shape) >= spiking] = np.inf
    return times, rng.integers(0, graph.n_classes, n)


class Clock:
    """Seconds by name of the step; `now` is what the time is read from."""

    now = staticmethod(time.perf_counter)

    def __init__(self):
        self.seconds = defaultdict(float)
        self.parameters = None  # what an epoch has learned

    def __call__(self, name, function, *arguments):
        begin = self.now()
        result = function(*arguments)
        self.seconds[name] += self.now() - begin
        return result


def epoch(network, engine, optimizer, parameters, data, batch, through_pynn, rate=1e-4):
    """One pass; returns a Clock."""
    clock, loss = Clock(), TimeToFirstSpike(tau_syn=10.0)
    times, labels = data
    for begin in range(0, len(times), batch):
        chosen = slice(begin, begin + batch)
        recording = clock("PyNN: set, run, read Neo, reset" if through_pynn else "forward", network.present, times[chosen])
        spikes = clock("first spikes from Neo", first_spikes, recording) if through_pynn else recording
        _, error = clock("loss", loss, spikes.labels, labels[chosen])
        gradients, _ = clock("backward", engine.backward, spikes, parameters, error / len(error))
        parameters = clock("update", optimizer.step, parameters, gradients, rate)
        clock("write weights", network.write, parameters)
    clock.parameters = parameters
    return clock


def fastest(network, graph, parameters, data, batch, repeats, through_pynn):
    """{step: CPU seconds} of the fastest of several passes, after a short one that compiles."""
    engine, clocks = GradientEngine(graph, 0.2), []
    scales = {f"{edge.label}.weight": graph.node(edge.post).neuron.current_scale for edge in graph.edges}
    for repeat in range(repeats + 1):
        optimizer = Adam({name: array.shape for name, array in parameters.items()}, scales)
        network.write(parameters)
        part = data if repeat else tuple(array[:2 * batch] for array in data)
        clocks.append(epoch(network, engine, optimizer, parameters, part, batch, through_pynn).seconds)
    return dict(min(clocks[1:], key=lambda seconds: sum(seconds.values())))


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _multiply_adds(w, a, y, repeats):
    for _ in range(repeats):
        for i in range(w.shape[0]):
            for n in range(w.shape[1]):
                y[n] += a[i] * w[i, n]


def multiply_add_rate():
    """Of y += a x, per second, with a matrix of 180 kB."""
    rng = np.random.default_rng(0)
    w, a, y, seconds = rng.random((64, 350)), rng.random(64), np.zeros(350), []
    _multiply_adds(w, a, y, 1)
    for _ in range(20):
        begin = Clock.now()
        _multiply_adds(w, a, y, 400)
        seconds.append(Clock.now() - begin)
    return 400 * w.size / min(seconds)


def needed(network, parameters, times):
    """Multiply-adds a sample: forward two a causal pair (all inputs of a silent neuron), backward two of those that spike."""
    network.write(parameters)
    spikes, total = network.present(times[:200]), 0
    for edge in network.graph.edges:  # a chain: each layer has one
        t_in = np.sort(spikes[edge.pre] + summed_delays(edge, spikes.delays[edge.label]), axis=1)
        for row, last in zip(t_in, spikes[edge.post], strict=True):
            forward = np.searchsorted(row, last)
            forward[np.isinf(last)] = np.isfinite(row).sum()
            total += 2 * forward.sum() + 2 * forward[np.isfinite(last)].sum()
    return total / len(times[:200])


def measure(sizes, n_samples, batch, spiking, repeats, pynn=True):
    rng = np.random.default_rng(1)
    graph = described(sizes, spiking)
    data, parameters = samples(graph, n_samples, spiking, rng), initial_parameters(graph, rng)
    network = ArrayNetwork(graph, parameters)
    arrays = fastest(network, graph, parameters, data, batch, repeats, False)
    threads = get_num_threads()
    rate = threads * multiply_add_rate()
    total = sum(arrays.values())
    result = {"network": "-".join(map(str, sizes)), "samples": n_samples, "batch": batch, "spiking": spiking,
              "threads": threads,
              "array_us_per_sample": 1e6 * total / n_samples,
              "multiply_adds_per_sample": needed(network, parameters, data[0]), "multiply_adds_per_second": rate,
              "array_shares": {name: seconds / total for name, seconds in arrays.items()}}
    result["fraction_of_arithmetic_limit"] = result["multiply_adds_per_sample"] * n_samples / (total * rate)
    if pynn:
        simulated = build(simulator("exact").setup(0.1), graph, parameters)
        steps = fastest(simulated, graph, parameters, data, batch, repeats, True)
        total = sum(steps.values())
        result.update(pynn_us_per_sample=1e6 * total / n_samples,
                      pynn_shares={name: seconds / total for name, seconds in steps.items()})
    return result


def growth(batch, repeats):
    """{name: (synapses x samples [5], s an epoch on arrays [5])} over four doublings of each."""
    found = {}
    for name, sizes in (("inputs", [((98 << k), 128, 10) for k in range(5)]), ("neurons", [(256, 64 << k, 10) for k in range(5)]),
                        ("samples", [(256, 128, 10)] * 5)):
        counts = [400 << k for k in range(5)] if name == "samples" else [400] * 5
        work, costs = [], []
        for size, count in zip(sizes, counts, strict=True):
            work.append(count * sum(before * after for before, after in itertools.pairwise(size)))
            costs.append(1e-6 * count * measure(size, count, batch, 1.0, repeats, pynn=False)["array_us_per_sample"])
        found[name] = np.array(work), np.array(costs)
    return found


def exponent(costs):
    """The slope of log cost against log size, which doubles."""
    return float(np.polyfit(np.arange(len(costs)), np.log2(costs), 1)[0])


def plot(grown, file):
    """Cost against synapses x samples, one line for what was doubled."""
    from matplotlib.figure import Figure

    axes = Figure(figsize=(4.5, 3.4), layout="constrained").subplots()
    for (name, (work, costs)), marker in zip(grown.items(), "o^s", strict=True):
        axes.loglog(work, costs, marker=marker, label=f"{name}, exponent {exponent(costs):.2f}")
    axes.set(xlabel="synapses x samples", ylabel="forward, backward, update (s)")
    axes.legend(frameon=False)
    axes.figure.savefig(file, dpi=150)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="784-350-10", help="sizes of inputs and layers (default 784-350-10)")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=80)
    parser.add_argument("--spiking", type=float, default=0.19, help="share of the inputs that spike (default 0.19)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cpu", action="store_true", help="CPU times instead of those of the clock on the wall")
    parser.add_argument("--growth", action="store_true", help="also fit the growth of the cost")
    parser.add_argument("--plot", metavar="FILE", help="draw the cost against synapses there (with --growth)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    a = parser.parse_args(arguments)
    try:
        sizes = tuple(int(size) for size in a.network.split("-"))
    except ValueError:
        sizes = ()
    if len(sizes) < 2 or min(sizes) < 1 or not 0 < a.spiking <= 1 or min(a.samples, a.batch, a.repeats) < 1:
        parser.error("give --network as sizes such as 784-350-10, --spiking in (0, 1], and counts of at least 1")
    if a.plot and not a.growth:
        parser.error("--plot draws what --growth measures; give both")
    if a.cpu:
        Clock.now = staticmethod(time.process_time)
    result = measure(sizes, a.samples, a.batch, a.spiking, a.repeats)
    if a.growth:
        grown = growth(a.batch, a.repeats)
        result["growth_exponents"] = {name: exponent(costs) for name, (_, costs) in grown.items()}
        if a.plot:
            plot(grown, a.plot)
    for name in ("array", "pynn"):
        print(f"{name:<7}{result[f'{name}_us_per_sample']:9.1f} us a sample")
        for step, share in result[f"{name}_shares"].items():
            print(f"       {100 * share:7.1f} %  {step}")
    print(f"{result['multiply_adds_per_sample']:.3g} multiply-adds a sample, {result['multiply_adds_per_second']:.3g} a second "
          f"in the cache: {result['fraction_of_arithmetic_limit']:.2f} of the limit")
    for name, slope in result.get("growth_exponents", {}).items():
        print(f"cost ~ {name}^{slope:.2f}")
    if a.json:
        with open(a.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
