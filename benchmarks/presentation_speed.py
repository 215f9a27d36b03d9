"""Time of one presentation on `exact`, Brian2 and NEST: `python -m benchmarks.presentation_speed [--samples 40] [--dt 0.01]`.

The same layered networks (5-120-3 and 256-100-10, tau_m = tau_syn = 10 ms, one spike an input and sample) through PyNN and
Neo: set the spike times, run, read all spikes, reset. `exact` and NEST see the samples one after the other in windows of one
run; Brian2, whose cost is that of its steps, sees them side by side on copies of the network, which suits it best. dt is in
ms (0.001 tau_syn by default). NEST, if installed, runs pyNN.nest's default, which places spikes off the grid. Each in a
process of its own; the median of `--repeats` presentations after one to warm up.
"""

import argparse
import subprocess
import sys
import time

import numpy as np


def described(sizes):
    from ttfs_pynn.graph import Layer, layered
    from ttfs_pynn.neuron import LIFParameters
    n_inputs, hidden, labels = sizes
    neuron = LIFParameters()
    return layered(n_inputs, (Layer(hidden, neuron, (), 7.0 / n_inputs, 7.0 / n_inputs ** 0.5 / 2.5),
                              Layer(labels, neuron, (), 0.2, 0.3)), 1.5, 20.0)


def module(backend, dt):
    if backend == "nest":
        import pyNN.nest as sim
        # NEST 3.10: with min_delay 'auto' spike sources fire late, and a reset needs time to flush.
        sim.setup(timestep=dt, min_delay=dt, t_flush=1000.0)
        return sim
    from ttfs_pynn.simulators import simulator
    return simulator(backend).setup(dt)


def measure(backend, sizes, samples, dt, repeats):
    from ttfs_pynn.graph.initialisation import initial_parameters
    from ttfs_pynn.learning.engine import first_spikes
    from ttfs_pynn.networks.pynn_network import build
    rng = np.random.default_rng(0)
    graph = described(sizes)
    parameters = initial_parameters(graph, rng)
    t_in = rng.uniform(1.5, 20.0, (samples, sizes[0]))
    side_by_side = backend == "brian2"
    network = build(module(backend, dt), graph, parameters, copies=samples if side_by_side else 1, single=side_by_side)
    seconds = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        recording = network.present(t_in)
        seconds.append(time.perf_counter() - begin)
    times = first_spikes(recording)
    spiking = [float(np.isfinite(times[label]).mean()) for label in ("layer0", "layer1")]
    print(f"{float(np.median(seconds[1:]))} {spiking[0]:.3f} {spiking[1]:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--dt", type=float, default=0.01)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--inside", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        backend, *sizes = arguments.inside
        measure(backend, tuple(map(int, sizes)), arguments.samples, arguments.dt, arguments.repeats)
        return
    for sizes in ((5, 120, 3), (256, 100, 10)):
        reference = None
        for backend in ("exact", "brian2", "nest"):
            command = [sys.executable, "-m", "benchmarks.presentation_speed", "--samples", str(arguments.samples), "--dt",
                       str(arguments.dt), "--repeats", str(arguments.repeats), "--inside", backend, *map(str, sizes)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(f"{'-'.join(map(str, sizes))} {backend}: failed: {done.stderr.strip().splitlines()[-1]}", flush=True)
                continue
            seconds, hidden, label = done.stdout.strip().splitlines()[-1].split()
            reference = reference or float(seconds)
            print(f"{'-'.join(map(str, sizes)):<12} {backend:<7} {1e3 * float(seconds) / arguments.samples:9.3f} ms a sample, "
                  f"{float(seconds) / reference:7.0f} x exact  (spiking: hidden {hidden}, label {label})", flush=True)


if __name__ == "__main__":
    main()
