"""How does the cost grow with synapses x spikes? `python -m benchmarks.synaptic_events [--doublings 4] [--plot FILE.png]`

A balanced random network with a delay a connection and one thread, in four doublings of the synapses and in four of the time;
prints the exponent of the run's time in the number of synaptic events, for each and for all together. Every size runs in a
process of its own, twice, and the faster counts.
"""

import argparse
import json
import os
import subprocess
import sys

import numpy as np


def measure(neurons, indegree, duration, repetitions=2):
    """(synaptic events, s)."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.balanced_network", "--inside", "exact", "--neurons", str(neurons),
               "--indegree", str(indegree), "--duration", str(duration)]
    outputs = [subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
               for _ in range(repetitions)]
    runs = [json.loads(output.splitlines()[-1]) for output in outputs]
    return runs[0]["spikes"] * indegree, min(run["ran"] for run in runs)


def exponent(points):
    events, seconds = np.log(np.array(points)).T
    return np.polyfit(events, seconds, 1)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doublings", type=int, default=4)
    parser.add_argument("--neurons", type=int, default=5_000)
    parser.add_argument("--indegree", type=int, default=100, help="the smallest")
    parser.add_argument("--duration", type=float, default=100.0, help="ms, the shortest")
    parser.add_argument("--plot", help="file of the figure")
    a = parser.parse_args()
    factors = [2**k for k in range(a.doublings + 1)]
    series = {"synapses a neuron": [measure(a.neurons, a.indegree * f, 2 * a.duration) for f in factors],
              "time": [measure(a.neurons, 4 * a.indegree, a.duration * f) for f in factors],
              "neurons": [measure(a.neurons * f // 4, 4 * a.indegree, 2 * a.duration) for f in factors]}
    for name, points in series.items():
        listed = ", ".join(f"{events:.2e}: {seconds:.2f} s" for events, seconds in points)
        print(f"doublings of {name}: {listed}; exponent {exponent(points):.2f}")
    print(f"exponent of all together {exponent(sum(series.values(), [])):.2f}")
    if a.plot:
        from matplotlib.figure import Figure
        from matplotlib.ticker import NullFormatter
        axes = Figure(figsize=(5, 4), layout="constrained").subplots()
        for name, points in series.items():
            axes.loglog(*zip(*points, strict=True), "o-", label=f"doublings of {name}: exponent {exponent(points):.2f}")
        axes.set(xlabel="synaptic events", ylabel="time of the run (s)")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.legend(frameon=False, loc="upper left")
        axes.figure.savefig(a.plot, dpi=150)


if __name__ == "__main__":
    main()
